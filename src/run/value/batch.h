/* batch.h: batches of event time: which stretches of time a microbatch model is built in, and what they are called.
 *
 * All times are microseconds since 1970 UTC. A batch is [start, end). Hours, days, months and years begin where the calendar says.
 */
#ifndef TN_RUN_VALUE_BATCH_H
#define TN_RUN_VALUE_BATCH_H

#include "base/val.h"
#include "base/vec.h"

#define TN_TIME_NONE INT64_MIN
enum { TN_BATCHES_MAX = 1000000 };

typedef enum tn_batch_size {
    TN_BATCH_HOUR,
    TN_BATCH_DAY,
    TN_BATCH_MONTH,
    TN_BATCH_YEAR
} tn_batch_size;

typedef struct tn_batch {
    int64_t start_us, end_us;
} tn_batch;
typedef tn_vec(tn_batch) tn_batches;

bool tn_batch_size_find(tn_str name, tn_batch_size *ret);
int64_t tn_batch_truncate(int64_t us, tn_batch_size size);
/* The start of the batch that us lies in, moved by n batches. */
int64_t tn_batch_offset(int64_t us, tn_batch_size size, int64_t n);
int64_t tn_batch_ceiling(int64_t us, tn_batch_size size);

typedef struct tn_batch_plan {
    tn_batch_size size;
    bool is_incremental;    /* else from `begin` on */
    int64_t begin_us;       /* of the model; TN_TIME_NONE */
    int64_t lookback;       /* batches before the newest */
    int64_t from_us, to_us; /* --event-time-start, --event-time-end; TN_TIME_NONE: not given */
    int64_t now_us;         /* the end without --event-time-end */
} tn_batch_plan;
tn_rc tn_batches_of(
    tn_arena *a, const tn_batch_plan *plan, tn_batches *ret, tn_err *err) TN_MUSTUSE;

tn_str tn_batch_label(tn_arena *a, int64_t start_us,
    tn_batch_size size); /* 2024-01-31, 2024-01-31T05, 2024-01, 2024 */
tn_str tn_batch_time(tn_arena *a, int64_t us, char sep); /* 2024-01-31 00:00:00+00:00 */
tn_val tn_batch_datetime(int64_t us);                    /* with zone UTC */
/* A date, datetime or text of one, without a zone in UTC. False: it is none. */
bool tn_batch_time_of(tn_val v, int64_t *ret_us);

#endif
