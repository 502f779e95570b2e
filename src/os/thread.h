/* thread.h: threads, locks, conditions and a worker pool. */
#ifndef TN_OS_THREAD_H
#define TN_OS_THREAD_H

#include <pthread.h>

#include "base/err.h"

typedef pthread_mutex_t tn_mutex;
typedef pthread_cond_t tn_cond;
#define TN_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define TN_COND_INIT PTHREAD_COND_INITIALIZER

void tn_mutex_lock(tn_mutex *m);
void tn_mutex_unlock(tn_mutex *m);
void tn_cond_wait(tn_cond *c, tn_mutex *m);
bool tn_cond_wait_ms(tn_cond *c, tn_mutex *m, int64_t timeout_ms); /* false: timed out */
void tn_cond_signal(tn_cond *c);
void tn_cond_broadcast(tn_cond *c);
/* { TN_LOCKED(&m); ... } holds the lock to the end of the scope. */
typedef tn_mutex *tn_mutex_guard;
static inline void tn_mutex_guard_cleanup(tn_mutex_guard *g)
{
    tn_mutex_unlock(*g);
}
tn_mutex_guard tn_mutex_guard_take(tn_mutex *m);
#define TN_LOCKED(m) TN_UNUSED TN_AUTO(tn_mutex_guard) tn_guard_ = tn_mutex_guard_take(m)

typedef struct tn_thread tn_thread;
typedef void (*tn_thread_fn)(void *p);
tn_rc tn_thread_start(
    tn_thread_fn fn, void *p, const char *name, tn_thread **ret, tn_err *err) TN_MUSTUSE;
void tn_thread_join(tn_thread *t); /* and frees it */
int tn_cpu_count(void);

#endif
