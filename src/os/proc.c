/* proc.c: the process and its surroundings. */
#include "os/proc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

extern char **environ;

tn_str tn_env_get(const char *name)
{
    const char *v = getenv(name);
    return v == NULL ? TN_STR_NONE : tn_str_of(v);
}

tn_rc tn_env_set(const char *name, tn_str value, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("setenv", NULL);
    if (setenv(name, tn_str_z(a, value), 1) != 0) {
        return tn_fail(
            err, TN_E_VALUE, "cannot set the environment variable '%s': %s", name, strerror(errno));
    }
    return TN_OK;
}

void tn_env_each(void (*fn)(void *self, tn_str name, tn_str value), void *self)
{
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        tn_str name, value;
        if (tn_str_cut(tn_str_of(*e), '=', &name, &value)) {
            fn(self, name, value);
        }
    }
}

static const char image_mark; /* its address says which file this code was loaded from */

tn_rc tn_exe_path(tn_arena *a, tn_str *ret, tn_err *err)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || (size_t)n >= sizeof path) {
        return tn_fail(err, TN_E_IO, "cannot find the program's own file: %s", strerror(errno));
    }
    *ret = tn_str_dup(a, tn_str_n(path, (size_t)n));
    return TN_OK;
}

tn_rc tn_image_path(tn_arena *a, tn_str *ret, tn_err *err)
{
    Dl_info info;
    if (dladdr(&image_mark, &info) == 0 || info.dli_fname == NULL) {
        return tn_fail(err, TN_E_IO, "cannot find the library's own file");
    }
    *ret = tn_str_dup(a, tn_str_of(info.dli_fname));
    return TN_OK;
}

tn_rc tn_cwd(tn_arena *a, tn_str *ret, tn_err *err)
{
    char path[4096];
    if (getcwd(path, sizeof path) == NULL) {
        return tn_fail(err, TN_E_IO, "cannot read the current folder: %s", strerror(errno));
    }
    *ret = tn_str_dup(a, tn_str_of(path));
    return TN_OK;
}

int64_t tn_pid(void)
{
    return getpid();
}

tn_str tn_host_name(tn_arena *a)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') {
        return TN_STR("localhost");
    }
    return tn_str_dup(a, tn_str_of(name));
}

tn_str tn_os_name(tn_arena *a)
{
    struct utsname u;
    return uname(&u) == 0 ? tn_str_printf(a, "%s-%s-%s", u.sysname, u.release, u.machine)
                          : TN_STR("unknown");
}

tn_str tn_user_name(tn_arena *a)
{
    char space[2048];
    struct passwd pw;
    struct passwd *found = NULL;
    if (getpwuid_r(getuid(), &pw, space, sizeof space, &found) == 0 && found != NULL) {
        return tn_str_dup(a, tn_str_of(found->pw_name));
    }
    return tn_str_printf(a, "%ld", (long)getuid());
}

bool tn_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

int tn_terminal_width(int fd)
{
    struct winsize w;
    return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

int64_t tn_rss_peak_bytes(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (int64_t)u.ru_maxrss * 1024;
}

int64_t tn_memory_total_bytes(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* ---- signals ---- */

static int
    interrupted; /* set in one thread, seen in all: atomic, which is also safe in a handler */

static void on_signal(int sig)
{
    if (__atomic_exchange_n(&interrupted, 1, __ATOMIC_RELAXED) != 0) {
        _exit(128 + sig); /* the second one means it */
    }
}

void tn_interrupt_install(void)
{
    struct sigaction sa = { .sa_handler = on_signal };
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGPIPE, &ignore, NULL);
}

bool tn_interrupted(void)
{
    return __atomic_load_n(&interrupted, __ATOMIC_RELAXED) != 0;
}

void tn_interrupt_clear(void)
{
    __atomic_store_n(&interrupted, 0, __ATOMIC_RELAXED);
}

/* ---- children ---- */

typedef struct pipes {
    int in[2];
    int out[2];
} pipes;

static inline void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static inline void pipes_cleanup(pipes *p)
{
    close_fd(&p->in[0]);
    close_fd(&p->in[1]);
    close_fd(&p->out[0]);
    close_fd(&p->out[1]);
}

/* both: standard error goes where standard output goes. */
static tn_rc spawn_child(const char *const *argv, bool both, pipes *p, pid_t *ret_pid, tn_err *err)
{
    if (pipe2(p->in, O_CLOEXEC) != 0 || pipe2(p->out, O_CLOEXEC) != 0) {
        return tn_fail(
            err, TN_E_LIMIT, "cannot make a pipe for '%s': %s", argv[0], strerror(errno));
    }
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, p->in[0], 0);
    posix_spawn_file_actions_adddup2(&fa, p->out[1], 1);
    if (both) {
        posix_spawn_file_actions_adddup2(&fa, p->out[1], 2);
    }
    int e = posix_spawnp(ret_pid, argv[0], &fa, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    close_fd(&p->in[0]);
    close_fd(&p->out[1]);
    if (e != 0) {
        return tn_fail(err, e == ENOENT ? TN_E_NOTFOUND : TN_E_IO, "cannot run '%s': %s", argv[0],
            strerror(e));
    }
    return TN_OK;
}

/* Feeds input and collects output at the same time, so that neither side can block the other. */
static void talk(pipes *p, tn_str input, tn_buf *out)
{
    fcntl(p->in[1], F_SETFL,
        O_NONBLOCK); /* a blocking write would wait for a child that waits for us */
    if (input.n == 0) {
        close_fd(&p->in[1]);
    }
    char chunk[8192];
    while (p->out[0] >= 0 || p->in[1] >= 0) {
        struct pollfd fds[2] = { { .fd = p->out[0], .events = POLLIN },
            { .fd = p->in[1], .events = POLLOUT } };
        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            return;
        }
        if (fds[1].revents != 0) {
            ssize_t n = write(p->in[1], input.p, input.n);
            bool gone = n < 0 && errno != EAGAIN && errno != EINTR;
            input = gone ? TN_STR_NONE : tn_str_sub(input, n > 0 ? (size_t)n : 0, input.n);
            if (input.n == 0) {
                close_fd(&p->in[1]);
            }
        }
        if (fds[0].revents != 0) {
            ssize_t n = read(p->out[0], chunk, sizeof chunk);
            if (n <= 0) {
                close_fd(&p->out[0]);
            } else {
                tn_buf_add_n(out, chunk, (size_t)n);
            }
        }
    }
}

typedef struct child_says {
    int status;
    tn_str out;
} child_says;

static tn_rc run_child(tn_arena *a, const char *const *argv, bool both, tn_str input,
    size_t bytes_max, child_says *ret, tn_err *err)
{
    __attribute__((cleanup(pipes_cleanup))) pipes p = { { -1, -1 }, { -1, -1 } };
    pid_t pid;
    TN_TRY(spawn_child(argv, both, &p, &pid, err));
    tn_buf out = tn_buf_init(a, bytes_max);
    talk(&p, input, &out);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    tn_str text;
    TN_TRY(tn_buf_finish(&out, argv[0], &text, err));
    *ret = (child_says){ WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), text };
    return TN_OK;
}

tn_rc tn_proc_run(tn_arena *a, const char *const *argv, tn_str input, size_t bytes_max,
    int *ret_status, tn_str *ret_out, tn_err *err)
{
    child_says said;
    TN_TRY(run_child(a, argv, false, input, bytes_max, &said, err));
    *ret_status = said.status;
    *ret_out = said.out;
    return TN_OK;
}

tn_rc tn_proc_run_quietly(tn_arena *a, const char *const *argv, size_t bytes_max, int *ret_status,
    tn_str *ret_out, tn_err *err)
{
    child_says said;
    TN_TRY(run_child(a, argv, true, TN_STR(""), bytes_max, &said, err));
    *ret_status = said.status;
    *ret_out = said.out;
    return TN_OK;
}
