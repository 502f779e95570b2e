/* clock.c: the only reader of the machine's clocks. A fixed time may be set for tests and reproducible artifacts. */
#include "os/clock.h"

#include <stdatomic.h>
#include <sys/resource.h>

#include "base/str.h"

static _Atomic int64_t fixed_us = -1; /* -1: the environment has not been asked yet */

static int64_t fixed_by_environment(void)
{
    const char *text = getenv("TARN_FIXED_TIME");
    int64_t micros = 0;
    if (text == NULL || !tn_str_to_i64(tn_str_of(text), &micros)) {
        micros = 0;
    }
    atomic_store(&fixed_us, micros);
    return micros;
}

int64_t tn_clock_now_us(void)
{
    int64_t fixed = atomic_load_explicit(&fixed_us, memory_order_relaxed);
    if (TN_UNLIKELY(fixed == -1)) {
        fixed = fixed_by_environment();
    }
    if (fixed != 0) {
        return fixed;
    }
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t tn_clock_now_ms(void)
{
    return tn_clock_now_us() / 1000;
}

int64_t tn_clock_mono_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t tn_clock_cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

void tn_clock_sleep_us(int64_t us)
{
    if (us <= 0) {
        return;
    }
    struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
    nanosleep(
        &ts, NULL); /* an interrupt ends the sleep early: the caller looks at tn_interrupted */
}

void tn_clock_fix(int64_t now_us)
{
    atomic_store(&fixed_us, now_us);
}

int tn_clock_local_offset_s(int64_t now_us)
{
    time_t t = (time_t)(now_us / 1000000);
    struct tm tm;
    return localtime_r(&t, &tm) != NULL ? (int)tm.tm_gmtoff : 0;
}
