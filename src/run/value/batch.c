/* batch.c: the calendar behind batch.h. */
#include "run/value/batch.h"

#include "text/timetext.h"

enum { MONTHS = 12, UTC_ZONE = 86400 };
#define MICROS_HOUR ((int64_t)3600 * 1000000)
#define MICROS_DAY (24 * MICROS_HOUR)

static const char *const sizes[] = { "hour", "day", "month", "year" };

bool tn_batch_size_find(tn_str name, tn_batch_size *ret)
{
    for (size_t i = 0; i < TN_COUNTOF(sizes); i++) {
        if (tn_str_is(name, sizes[i])) {
            *ret = (tn_batch_size)i;
            return true;
        }
    }
    return false;
}

int64_t tn_batch_truncate(int64_t us, tn_batch_size size)
{
    tn_civil c = tn_civil_of_micros(us);
    tn_civil out = { .year = c.year, .month = 1, .day = 1 };
    out.month = size < TN_BATCH_YEAR ? c.month : 1;
    out.day = size < TN_BATCH_MONTH ? c.day : 1;
    out.hour = size < TN_BATCH_DAY ? c.hour : 0;
    return tn_micros_of_civil(&out);
}

int64_t tn_batch_offset(int64_t us, tn_batch_size size, int64_t n)
{
    int64_t start = tn_batch_truncate(us, size);
    if (size == TN_BATCH_HOUR || size == TN_BATCH_DAY) {
        return start + n * (size == TN_BATCH_HOUR ? MICROS_HOUR : MICROS_DAY);
    }
    tn_civil c = tn_civil_of_micros(start);
    int64_t months = (int64_t)c.year * MONTHS + c.month - 1;
    months += size == TN_BATCH_MONTH ? n : n * MONTHS;
    c.year = (int)(months / MONTHS);
    c.month = (int)(months % MONTHS) + 1;
    return tn_micros_of_civil(&c);
}

int64_t tn_batch_ceiling(int64_t us, tn_batch_size size)
{
    int64_t start = tn_batch_truncate(us, size);
    return start == us ? us : tn_batch_offset(us, size, 1);
}

/* Where the first batch begins; `end` is where the last one ends. */
static tn_rc start_of(const tn_batch_plan *p, int64_t end, int64_t *ret, tn_err *err)
{
    if (p->from_us != TN_TIME_NONE) {
        *ret = tn_batch_truncate(p->from_us, p->size);
        return TN_OK;
    }
    if (!p->is_incremental) {
        if (p->begin_us == TN_TIME_NONE) {
            return tn_fail(
                err, TN_E_COMPILE, "a microbatch model requires a 'begin' configuration");
        }
        *ret = tn_batch_truncate(p->begin_us, p->size);
        return TN_OK;
    }
    /* An end on the line between two batches belongs to the one before. */
    int64_t back = p->lookback + (end == tn_batch_truncate(end, p->size));
    *ret = tn_batch_offset(end, p->size, -back);
    return TN_OK;
}

tn_rc tn_batches_of(tn_arena *a, const tn_batch_plan *plan, tn_batches *ret, tn_err *err)
{
    int64_t end =
        tn_batch_ceiling(plan->to_us != TN_TIME_NONE ? plan->to_us : plan->now_us, plan->size);
    int64_t at = 0;
    tn_batches out = { 0 };
    TN_TRY(start_of(plan, end, &at, err));
    do {
        if (out.n == TN_BATCHES_MAX) {
            return tn_hint(err,
                tn_fail(err, TN_E_LIMIT, "more than %d batches", (int)TN_BATCHES_MAX),
                "a larger batch_size or a later begin makes fewer");
        }
        tn_batch b = { at, tn_batch_offset(at, plan->size, 1) };
        tn_vec_push(&out, a, b);
        at = b.end_us;
    } while (at < end);
    tn_vec_last(&out).end_us = end;
    *ret = out;
    return TN_OK;
}

tn_str tn_batch_label(tn_arena *a, int64_t start_us, tn_batch_size size)
{
    tn_civil c = tn_civil_of_micros(start_us);
    switch (size) {
    case TN_BATCH_YEAR:
        return tn_str_printf(a, "%04d", c.year);
    case TN_BATCH_MONTH:
        return tn_str_printf(a, "%04d-%02d", c.year, c.month);
    case TN_BATCH_DAY:
        return tn_str_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
    case TN_BATCH_HOUR:
    default:
        return tn_str_printf(a, "%04d-%02d-%02dT%02d", c.year, c.month, c.day, c.hour);
    }
}

tn_val tn_batch_datetime(int64_t us)
{
    return (tn_val){ .tag = TN_DATETIME, .i = us, .n = UTC_ZONE };
}

tn_str tn_batch_time(tn_arena *a, int64_t us, char sep)
{
    tn_buf b = tn_buf_init(a, 64);
    tn_py_datetime(&b, tn_batch_datetime(us), sep);
    return tn_buf_str(&b);
}

bool tn_batch_time_of(tn_val v, int64_t *ret_us)
{
    bool zone = false;
    int offset = 0;
    if (v.tag == TN_DATE) {
        *ret_us = v.i * MICROS_DAY;
        return true;
    }
    if (v.tag == TN_DATETIME) {
        int64_t east = v.n == UINT32_MAX ? 0 : (int64_t)v.n - UTC_ZONE;
        *ret_us = v.i - east * 1000000;
        return true;
    }
    return tn_val_is_str(v) && tn_parse_timestamp(tn_val_as_str(v), ret_us, &zone, &offset);
}
