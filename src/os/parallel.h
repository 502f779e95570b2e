/* parallel.h: one function called for 0 .. n-1 on several threads at once, for work that waits (requests to a store), not for work that computes. */
#ifndef TN_OS_PARALLEL_H
#define TN_OS_PARALLEL_H

#include "base/err.h"

typedef tn_rc (*tn_parallel_fn)(void *self, size_t i, tn_err *err);

/* The calling thread is one of the `threads`; fewer are started when there are fewer calls or no more can be had. After a failure no further call begins;
 * the first failure is returned when all are back. Calls begin in order and end in any. */
tn_rc tn_parallel(size_t n, int threads, tn_parallel_fn fn, void *self, tn_err *err) TN_MUSTUSE;

#endif
