/* parallel.c: threads that take the next number until there is none. */
#include "os/parallel.h"

#include "os/thread.h"

enum { THREADS_MAX = 64 };

typedef struct crew {
    size_t n, next; /* next and failed: under the lock */
    tn_parallel_fn fn;
    void *self;
    tn_mutex mutex;
    tn_rc failed;
    tn_err err;
} crew;

static bool take(crew *c, size_t *ret)
{
    TN_LOCKED(&c->mutex);
    if (c->failed != TN_OK || c->next == c->n) {
        return false;
    }
    *ret = c->next++;
    return true;
}

static void work(void *p)
{
    crew *c = p;
    size_t i;
    while (take(c, &i)) {
        tn_err why = TN_ERR_INIT;
        tn_rc rc = c->fn(c->self, i, &why);
        if (rc != TN_OK) {
            TN_LOCKED(&c->mutex);
            if (c->failed == TN_OK) {
                c->failed = rc;
                c->err = why;
            }
        }
    }
}

tn_rc tn_parallel(size_t n, int threads, tn_parallel_fn fn, void *self, tn_err *err)
{
    crew c = { .n = n, .fn = fn, .self = self, .mutex = TN_MUTEX_INIT, .err = TN_ERR_INIT };
    tn_thread *started[THREADS_MAX];
    size_t count = 0;
    size_t want = threads > THREADS_MAX ? THREADS_MAX : threads < 1 ? 1 : (size_t)threads;
    while (count + 1 < want && count + 1 < n &&
           tn_thread_start(work, &c, "parallel", &started[count], NULL) == TN_OK) {
        count++;
    }
    work(&c);
    for (size_t i = 0; i < count; i++) {
        tn_thread_join(started[i]);
    }
    if (c.failed != TN_OK && err != NULL) {
        *err = c.err;
    }
    return c.failed;
}
