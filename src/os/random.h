/* random.h: random bytes from the kernel, UUIDs. tn_random_seed makes the stream deterministic for tests. */
#ifndef TN_OS_RANDOM_H
#define TN_OS_RANDOM_H

#include "base/str.h"

void tn_random_bytes(void *p, size_t n);
uint64_t tn_random_u64(void);
double tn_random_unit(void);        /* [0, 1) */
tn_str tn_uuid4(tn_arena *a);       /* 36 characters */
void tn_random_seed(uint64_t seed); /* 0: the kernel again */

#endif
