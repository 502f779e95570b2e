// layers: base os text jinja duck store delta project lake run
/* Batches of event time: the calendar, which batches a run builds, their names. */
#include "run/value/batch.h"
#include "text/timetext.h"
#include "tn_test.h"

static int64_t at(const char *text)
{
    int64_t us = 0;
    bool zone;
    int offset;
    TN_ASSERT(tn_parse_timestamp(tn_str_of(text), &us, &zone, &offset));
    return us;
}

TN_TEST(sizes_follow_the_calendar)
{
    static const struct {
        tn_batch_size size;
        const char *start, *next, *before;
    } cases[] = {
        { TN_BATCH_HOUR, "2024-03-31T16:00:00", "2024-03-31T17:00:00", "2024-03-31T15:00:00" },
        { TN_BATCH_DAY, "2024-03-31T00:00:00", "2024-04-01T00:00:00", "2024-03-30T00:00:00" },
        { TN_BATCH_MONTH, "2024-03-01T00:00:00", "2024-04-01T00:00:00", "2024-02-01T00:00:00" },
        { TN_BATCH_YEAR, "2024-01-01T00:00:00", "2025-01-01T00:00:00", "2023-01-01T00:00:00" },
    };
    int64_t t = at("2024-03-31T16:06:07");
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        TN_ASSERT(tn_batch_truncate(t, cases[i].size) == at(cases[i].start));
        TN_ASSERT(tn_batch_offset(t, cases[i].size, 1) == at(cases[i].next));
        TN_ASSERT(tn_batch_offset(t, cases[i].size, -1) == at(cases[i].before));
        TN_ASSERT(tn_batch_ceiling(t, cases[i].size) == at(cases[i].next));
        TN_ASSERT(tn_batch_ceiling(at(cases[i].start), cases[i].size) == at(cases[i].start));
    }
    TN_ASSERT(tn_batch_offset(t, TN_BATCH_MONTH, -15) == at("2022-12-01T00:00:00"));
    TN_ASSERT(tn_batch_offset(t, TN_BATCH_MONTH, 9) == at("2024-12-01T00:00:00"));
}

static tn_batch_plan plan_of(const char *now)
{
    return (tn_batch_plan){ .size = TN_BATCH_DAY,
        .begin_us = at("2024-01-01T12:00:00"),
        .lookback = 1,
        .from_us = TN_TIME_NONE,
        .to_us = TN_TIME_NONE,
        .now_us = at(now) };
}

TN_TEST(batches_of_a_run)
{
    tn_batches b = { 0 };
    tn_batch_plan p = plan_of("2024-01-03T10:00:00");
    TN_ASSERT_OK(tn_batches_of(arena, &p, &b, err)); /* the first run: from begin on */
    TN_ASSERT(b.n == 3 && b.v[0].start_us == at("2024-01-01") && b.v[2].end_us == at("2024-01-04"));
    p.is_incremental = true; /* the newest and one before it: the end is on the line between two */
    TN_ASSERT_OK(tn_batches_of(arena, &p, &b, err));
    TN_ASSERT(b.n == 2 && b.v[0].start_us == at("2024-01-02"));
    p.lookback = 0;
    TN_ASSERT_OK(tn_batches_of(arena, &p, &b, err));
    TN_ASSERT(b.n == 1 && b.v[0].start_us == at("2024-01-03"));
    p.from_us = at("2023-12-31T05:00:00"); /* what was asked for wins */
    p.to_us = at("2024-01-01T05:00:00");
    TN_ASSERT_OK(tn_batches_of(arena, &p, &b, err));
    TN_ASSERT(b.n == 2 && b.v[0].start_us == at("2023-12-31") && b.v[1].end_us == at("2024-01-02"));
}

TN_TEST(no_begin_and_too_many)
{
    tn_batches b = { 0 };
    tn_batch_plan p = plan_of("2024-01-03T10:00:00");
    p.begin_us = TN_TIME_NONE;
    TN_ASSERT(tn_batches_of(arena, &p, &b, err) == TN_E_COMPILE);
    p.begin_us = at("1800-01-01");
    p.size = TN_BATCH_HOUR;
    TN_ASSERT(tn_batches_of(arena, &p, &b, err) == TN_E_LIMIT);
}

TN_TEST(names_of_batches)
{
    int64_t t = at("2024-03-01T05:00:00");
    TN_ASSERT(tn_str_is(tn_batch_label(arena, t, TN_BATCH_HOUR), "2024-03-01T05"));
    TN_ASSERT(tn_str_is(tn_batch_label(arena, t, TN_BATCH_DAY), "2024-03-01"));
    TN_ASSERT(tn_str_is(tn_batch_label(arena, t, TN_BATCH_MONTH), "2024-03"));
    TN_ASSERT(tn_str_is(tn_batch_label(arena, t, TN_BATCH_YEAR), "2024"));
    TN_ASSERT(tn_str_is(tn_batch_time(arena, t, ' '), "2024-03-01 05:00:00+00:00"));
}
