/* clock.h: wall and monotonic time. The wall clock can be fixed for deterministic tests (TARN_FIXED_TIME, micros). */
#ifndef TN_OS_CLOCK_H
#define TN_OS_CLOCK_H

#include "base/base.h"

int64_t tn_clock_now_us(void); /* since 1970 UTC */
int64_t tn_clock_now_ms(void);
int64_t tn_clock_mono_us(void); /* for durations */
int64_t tn_clock_cpu_us(void);  /* user + system of the process */
void tn_clock_sleep_us(int64_t us);
void tn_clock_fix(int64_t now_us);           /* tests; 0: real time again */
int tn_clock_local_offset_s(int64_t now_us); /* seconds east of UTC of the machine's zone */

#endif
