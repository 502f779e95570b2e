/* thread.c: thin wrappers over pthreads; a failing lock call is a programmer's error and aborts. */
#include "os/thread.h"

#include <sched.h>
#include <unistd.h>

struct tn_thread {
    pthread_t id;
    tn_thread_fn fn;
    void *p;
    char name[16];
};

void tn_mutex_lock(tn_mutex *m)
{
    TN_CHECK(pthread_mutex_lock(m) == 0);
}

void tn_mutex_unlock(tn_mutex *m)
{
    TN_CHECK(pthread_mutex_unlock(m) == 0);
}

tn_mutex_guard tn_mutex_guard_take(tn_mutex *m)
{
    tn_mutex_lock(m);
    return m;
}

void tn_cond_wait(tn_cond *c, tn_mutex *m)
{
    TN_CHECK(pthread_cond_wait(c, m) == 0);
}

bool tn_cond_wait_ms(tn_cond *c, tn_mutex *m, int64_t timeout_ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    int64_t ns = ts.tv_nsec + timeout_ms % 1000 * 1000000;
    ts.tv_sec += (time_t)(timeout_ms / 1000 + ns / 1000000000);
    ts.tv_nsec = ns % 1000000000;
    return pthread_cond_timedwait(c, m, &ts) == 0;
}

void tn_cond_signal(tn_cond *c)
{
    TN_CHECK(pthread_cond_signal(c) == 0);
}

void tn_cond_broadcast(tn_cond *c)
{
    TN_CHECK(pthread_cond_broadcast(c) == 0);
}

static void *thread_main(void *p)
{
    tn_thread *t = p;
    pthread_setname_np(pthread_self(), t->name);
    t->fn(t->p);
    return NULL;
}

tn_rc tn_thread_start(tn_thread_fn fn, void *p, const char *name, tn_thread **ret, tn_err *err)
{
    tn_thread *t = calloc(1, sizeof *t);
    TN_CHECK(t != NULL);
    t->fn = fn;
    t->p = p;
    snprintf(t->name, sizeof t->name, "%s", name);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)16 << 20); /* deep template and SQL nesting */
    int e = pthread_create(&t->id, &attr, thread_main, t);
    pthread_attr_destroy(&attr);
    if (e != 0) {
        free(t);
        return tn_fail(err, TN_E_LIMIT, "cannot start thread '%s': %s", name, strerror(e));
    }
    *ret = t;
    return TN_OK;
}

void tn_thread_join(tn_thread *t)
{
    if (t != NULL) {
        TN_CHECK(pthread_join(t->id, NULL) == 0);
        free(t);
    }
}

int tn_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return CPU_COUNT(&set);
    }
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
