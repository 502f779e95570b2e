/* file.c: files and folders: reading, durable writing, removing, and advisory locks. Listing and globbing are in dir.c.
 *
 * Durable means: data fsynced, then made visible by rename or link, then the folder fsynced. Temporary names are
 * ".tmp-<pid>-<random>-<name>" in the target's folder; listings of tables skip names that start with a dot.
 * Every system call that can fail passes sys_ok(), where tests inject faults.
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file_sys.h"
#include "os/proc.h"
#include "os/random.h"

#define PART_BYTES ((size_t)16 << 20)

/* ---- fault injection and error texts ---- */

static _Atomic int64_t fault_at;
static _Atomic int64_t fault_calls;

void tn_file_fault_at(int64_t k)
{
    atomic_store(&fault_calls, 0);
    atomic_store(&fault_at, k);
}

int64_t tn_file_fault_calls(void)
{
    return atomic_load(&fault_calls);
}

bool tn_sys_faulted(void)
{
    int64_t n = atomic_fetch_add(&fault_calls, 1) + 1;
    if (n == atomic_load(&fault_at)) {
        errno = EIO;
        return true;
    }
    return false;
}

tn_rc tn_sys_fail(tn_err *err, int e, const char *doing, const char *path)
{
    tn_rc rc = TN_E_IO;
    const char *hint = NULL;
    if (e == ENOENT || e == ENOTDIR) {
        rc = TN_E_NOTFOUND;
    } else if (e == EEXIST || e == ENOTEMPTY) {
        rc = TN_E_EXISTS;
    } else if (e == EACCES || e == EPERM || e == EROFS) {
        rc = TN_E_ACCESS;
        hint = "check the owner and mode of the file and of its folder";
    } else if (e == EMFILE || e == ENFILE) {
        rc = TN_E_LIMIT;
        hint = "raise the limit of open files (ulimit -n)";
    } else if (e == ENOSPC || e == EDQUOT) {
        hint = "free space on the disk or raise the quota";
    }
    rc = tn_fail(err, rc, "cannot %s '%s': %s", doing, path, strerror(e));
    return hint != NULL ? tn_hint(err, rc, "%s", hint) : rc;
}

tn_rc tn_sys_path(tn_str path, char *out, tn_err *err)
{
    if (path.n == 0) {
        return tn_fail(err, TN_E_VALUE, "a file name is empty");
    }
    if (path.n >= TN_PATH_MAX || memchr(path.p, '\0', path.n) != NULL) {
        return tn_fail(
            err, TN_E_LIMIT, "the path '%.*s...' is too long or holds a zero byte", 60, path.p);
    }
    memcpy(out, path.p, path.n);
    out[path.n] = '\0';
    return TN_OK;
}

/* ---- file descriptors ---- */

void tn_fd_close(tn_fd *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
}

static tn_rc open_at(const char *path, int flags, const char *doing, int *ret, tn_err *err)
{
    int fd = tn_sys_faulted() ? -1 : open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) {
        return tn_sys_fail(err, errno, doing, path);
    }
    *ret = fd;
    return TN_OK;
}

static tn_rc write_all(int fd, tn_str data, const char *path, tn_err *err)
{
    while (data.n > 0) {
        ssize_t n = tn_sys_faulted() ? -1 : write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return tn_sys_fail(err, n == 0 ? ENOSPC : errno, "write", path);
        }
        data = tn_str_sub(data, (size_t)n, data.n);
    }
    return TN_OK;
}

static tn_rc sync_fd(int fd, const char *path, tn_err *err)
{
    if (tn_sys_faulted() || (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)) {
        return tn_sys_fail(err, errno, "flush to disk", path);
    }
    return TN_OK;
}

static tn_rc sync_folder_of(const char *path, tn_err *err)
{
    char folder[TN_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        memcpy(folder, ".", 2);
    } else {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_at(folder, O_RDONLY | O_DIRECTORY, "open the folder", &f.fd, err));
    return sync_fd(f.fd, folder, err);
}

tn_rc tn_fd_open(tn_str path, tn_fd *ret, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    return open_at(z, O_RDONLY, "open", &ret->fd, err);
}

/* ---- reading ---- */

static tn_rc read_at(
    int fd, const char *path, int64_t from, char *p, size_t n, size_t *ret_got, tn_err *err)
{
    size_t got = 0;
    while (got < n) {
        ssize_t k =
            tn_sys_faulted() ? -1 : pread(fd, p + got, n - got, (off_t)(from + (int64_t)got));
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return tn_sys_fail(err, errno, "read", path);
        }
        if (k == 0) {
            break;
        }
        got += (size_t)k;
    }
    *ret_got = got;
    return TN_OK;
}

static tn_rc read_stream(
    tn_arena *a, int fd, const char *path, size_t bytes_max, tn_str *ret, tn_err *err)
{
    size_t cap = 1 << 16, n = 0;
    char *p = tn_arena_alloc(a, cap);
    for (;;) {
        ssize_t k = read(fd, p + n, cap - n - 1);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return tn_sys_fail(err, errno, "read", path);
        }
        if (k == 0) {
            p[n] = '\0';
            *ret = tn_str_n(p, n);
            return TN_OK;
        }
        n += (size_t)k;
        if (n > bytes_max) {
            return tn_fail(err, TN_E_LIMIT, "'%s' is larger than %zu bytes", path, bytes_max);
        }
        if (cap - n < 4096) {
            p = tn_arena_grow(a, p, cap, cap * 2);
            cap *= 2;
        }
    }
}

tn_rc tn_file_read(tn_arena *a, tn_str path, size_t bytes_max, tn_str *ret, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_at(z, O_RDONLY, "open", &f.fd, err));
    struct stat st;
    if (tn_sys_faulted() || fstat(f.fd, &st) != 0) {
        return tn_sys_fail(err, errno, "look at", z);
    }
    if (S_ISDIR(st.st_mode)) {
        return tn_fail(err, TN_E_IO, "cannot read '%s': it is a folder", z);
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0) { /* a pipe, or /proc where sizes are 0 */
        return read_stream(a, f.fd, z, bytes_max, ret, err);
    }
    if ((uint64_t)st.st_size > bytes_max) {
        return tn_fail(err, TN_E_LIMIT, "'%s' has %lld bytes, more than %zu", z,
            (long long)st.st_size, bytes_max);
    }
    size_t n = (size_t)st.st_size;
    char *p = tn_arena_alloc(a, n + 1);
    TN_TRY(read_at(f.fd, z, 0, p, n, &n, err));
    p[n] = '\0';
    *ret = tn_str_n(p, n);
    return TN_OK;
}

tn_rc tn_file_read_range(tn_arena *a, tn_str path, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_at(z, O_RDONLY, "open", &f.fd, err));
    char *p = tn_arena_alloc(a, n + 1);
    TN_TRY(read_at(f.fd, z, from, p, n, &n, err));
    p[n] = '\0';
    *ret = tn_str_n(p, n);
    return TN_OK;
}

/* ---- writing ---- */

static tn_rc write_with(tn_str path, tn_str data, int flags, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_at(z, O_WRONLY | O_CREAT | flags, "open for writing", &f.fd, err));
    return write_all(f.fd, data, z, err);
}

tn_rc tn_file_write(tn_str path, tn_str data, tn_err *err)
{
    return write_with(path, data, O_TRUNC, err);
}

tn_rc tn_file_append(tn_str path, tn_str data, tn_err *err)
{
    return write_with(path, data, O_APPEND, err);
}

typedef struct temp_file {
    char path[TN_PATH_MAX]; /* "" when there is nothing to remove */
} temp_file;

static inline void temp_file_cleanup(temp_file *t)
{
    if (t->path[0] != '\0') {
        unlink(t->path);
    }
}

static tn_rc temp_name(const char *path, temp_file *t, tn_err *err)
{
    const char *slash = strrchr(path, '/');
    int dir_n = slash == NULL ? 0 : (int)(slash - path) + 1;
    int n = snprintf(t->path, sizeof t->path, "%.*s.tmp-%lld-%016llx", dir_n, path,
        (long long)tn_pid(), (unsigned long long)tn_random_u64());
    if (n < 0 || (size_t)n >= sizeof t->path) {
        t->path[0] = '\0';
        return tn_fail(err, TN_E_LIMIT, "the path '%s' is too long", path);
    }
    return TN_OK;
}

static tn_rc read_memory(
    const void *self, tn_arena *a, int64_t at, size_t n, tn_str *ret, tn_err *err)
{
    (void)a, (void)err;
    *ret = tn_str_sub(*(const tn_str *)self, (size_t)at, (size_t)at + n);
    return TN_OK;
}

tn_parts tn_parts_of(const tn_str *data)
{
    return (tn_parts){ .read = read_memory, .self = data, .bytes = (int64_t)data->n };
}

static tn_rc write_parts(int fd, const tn_parts *from, const char *z, tn_err *err)
{
    for (int64_t at = 0; at < from->bytes;) {
        TN_AUTO_ARENA scratch = tn_arena_new("file part", NULL);
        tn_str part;
        size_t n = tn_min_size(PART_BYTES, (size_t)(from->bytes - at));
        TN_TRY(from->read(from->self, scratch, at, n, &part, err));
        TN_TRY(write_all(fd, part, z, err));
        at += (int64_t)n;
    }
    return TN_OK;
}

/* A new file under a temporary name next to path. */
static tn_rc open_temp(const char *path, temp_file *t, int *ret, tn_err *err)
{
    TN_TRY(temp_name(path, t, err));
    tn_rc rc = open_at(t->path, O_WRONLY | O_CREAT | O_EXCL, "create the file", ret, err);
    if (rc != TN_OK) {
        t->path[0] = '\0';
        return rc;
    }
    struct stat st;
    if (stat(path, &st) == 0) { /* keep the mode of what is replaced; failing that is no failure */
        (void)!fchmod(*ret, st.st_mode & 07777);
    }
    return TN_OK;
}

static tn_rc rename_temp(temp_file *t, const char *z, tn_err *err)
{
    if (tn_sys_faulted() || rename(t->path, z) != 0) {
        return tn_sys_fail(err, errno, "replace", z);
    }
    t->path[0] = '\0';
    return sync_folder_of(z, err);
}

static tn_rc link_temp(const temp_file *t, const char *z, tn_err *err)
{
    if (tn_sys_faulted() || link(t->path, z) != 0) {
        /* On NFS the answer of a link that took place may be lost: two links to our file say that it did. */
        int e = errno;
        struct stat st;
        if (e == EEXIST && stat(t->path, &st) == 0 && st.st_nlink == 2) {
            return sync_folder_of(z, err);
        }
        return tn_sys_fail(err, e, "create", z);
    }
    return sync_folder_of(z, err);
}

tn_rc tn_file_write_parts(tn_str path, const tn_parts *from, bool absent, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    TN_AUTO(temp_file) t = { "" };
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_temp(z, &t, &f.fd, err));
    TN_TRY(write_parts(f.fd, from, t.path, err));
    TN_TRY(sync_fd(f.fd, t.path, err));
    return absent ? link_temp(&t, z, err) : rename_temp(&t, z, err);
}

tn_rc tn_file_write_atomic(tn_str path, tn_str data, tn_err *err)
{
    tn_parts from = tn_parts_of(&data);
    return tn_file_write_parts(path, &from, false, err);
}

tn_rc tn_file_write_absent(tn_str path, tn_str data, tn_err *err)
{
    tn_parts from = tn_parts_of(&data);
    return tn_file_write_parts(path, &from, true, err);
}

tn_rc tn_file_fsync(tn_str path, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_at(z, O_RDONLY, "open", &f.fd, err));
    return sync_fd(f.fd, z, err);
}

tn_rc tn_file_rename(tn_str from, tn_str to, tn_err *err)
{
    char zf[TN_PATH_MAX], zt[TN_PATH_MAX];
    TN_TRY(tn_sys_path(from, zf, err));
    TN_TRY(tn_sys_path(to, zt, err));
    if (tn_sys_faulted() || rename(zf, zt) != 0) {
        return tn_sys_fail(err, errno, "rename", zf);
    }
    return sync_folder_of(zt, err);
}

tn_rc tn_file_remove(tn_str path, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    if (tn_sys_faulted() || unlink(z) != 0) {
        return tn_sys_fail(err, errno, "remove", z);
    }
    return TN_OK;
}

/* What the kernel copies, or shares, by itself. Both descriptors stand behind it; the rest, which may be all, is read and written. */
static void copy_blocks(int in, int out)
{
    while (copy_file_range(in, NULL, out, NULL, PART_BYTES, 0) > 0) {
    }
}

tn_rc tn_file_copy(tn_str from, tn_str to, tn_err *err)
{
    char zf[TN_PATH_MAX], zt[TN_PATH_MAX];
    TN_TRY(tn_sys_path(from, zf, err));
    TN_TRY(tn_sys_path(to, zt, err));
    TN_AUTO(tn_fd) in = { -1 };
    TN_TRY(open_at(zf, O_RDONLY, "open", &in.fd, err));
    TN_AUTO(temp_file) t = { "" };
    TN_AUTO(tn_fd) out = { -1 };
    TN_TRY(open_temp(zt, &t, &out.fd, err));
    copy_blocks(in.fd, out.fd);
    char chunk[1 << 16];
    for (;;) {
        ssize_t n = tn_sys_faulted() ? -1 : read(in.fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return tn_sys_fail(err, errno, "read", zf);
        }
        if (n == 0) {
            TN_TRY(sync_fd(out.fd, t.path, err));
            return rename_temp(&t, zt, err);
        }
        TN_TRY(write_all(out.fd, tn_str_n(chunk, (size_t)n), t.path, err));
    }
}

/* ---- locks ---- */

struct tn_file_lock {
    int fd;
};

void tn_file_lock_drop(tn_file_lock *l)
{
    if (l != NULL && l->fd >= 0) {
        close(l->fd);
        l->fd = -1;
    }
}

static void lock_deferred(void *p)
{
    tn_file_lock_drop(p);
}

tn_rc tn_file_lock_take(tn_arena *a, tn_str path, int64_t wait_ms, tn_file_lock **ret, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    TN_AUTO(tn_fd) f = { -1 };
    TN_TRY(open_at(z, O_RDWR | O_CREAT, "open the lock file", &f.fd, err));
    int64_t give_up = tn_clock_mono_us() + wait_ms * 1000;
    while (flock(f.fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return tn_sys_fail(err, errno, "lock", z);
        }
        if (tn_clock_mono_us() >= give_up) {
            return tn_fail(err, TN_E_BUSY, "'%s' is locked by another process", z);
        }
        tn_clock_sleep_us(10000);
    }
    tn_file_lock *l = tn_new(a, tn_file_lock);
    l->fd = f.fd;
    f.fd = -1;
    tn_arena_defer(a, lock_deferred, l);
    *ret = l;
    return TN_OK;
}
