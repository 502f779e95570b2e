/* window.c: the stretches of event time that a run is told: --event-time-start and --event-time-end for microbatch models, --sample for all
 * inputs that have an event time. */
#include "os/clock.h"
#include "run/report/runner.h"
#include "text/timetext.h"
#include "text/yaml.h"

static tn_val flag_of(const tn_runner *run, const char *name)
{
    return tn_val_at(tn_project_flags(run->project), name);
}

static tn_rc read_time(tn_val v, const char *option, int64_t *ret, tn_err *err)
{
    if (!tn_batch_time_of(v, ret)) {
        return tn_hint(err,
            tn_fail(err, TN_E_USAGE, "'" TN_STR_FMT "' is no time for %s",
                TN_STR_ARG(tn_val_is_str(v) ? tn_val_as_str(v) : TN_STR("")), option),
            "2024-01-31, 2024-01-31T06:00:00 or '2024-01-31 06:00:00', in UTC");
    }
    return TN_OK;
}

static tn_rc read_event_times(tn_runner *run, tn_err *err)
{
    tn_val from = flag_of(run, "EVENT_TIME_START"), to = flag_of(run, "EVENT_TIME_END");
    if (tn_val_is_given(from) != tn_val_is_given(to)) {
        const char *one = tn_val_is_given(from) ? "start" : "end",
                   *other = tn_val_is_given(from) ? "end" : "start";
        return tn_fail(err, TN_E_USAGE,
            "The flag `--event-time-%s` was specified, but `--event-time-%s` was not. When "
            "specifying `--event-time-%s`, `--event-time-%s` must also be present.",
            one, other, one, other);
    }
    if (!tn_val_is_given(from)) {
        return TN_OK;
    }
    TN_TRY(read_time(from, "--event-time-start", &run->window.start_us, err));
    TN_TRY(read_time(to, "--event-time-end", &run->window.end_us, err));
    if (run->window.start_us >= run->window.end_us) {
        return tn_fail(
            err, TN_E_USAGE, "Value for `--event-time-start` must be less than `--event-time-end`");
    }
    return TN_OK;
}

/* The same time of day n hours, days, months or years before; a month without that day gives its last. */
static int64_t time_before(int64_t us, tn_batch_size size, int64_t n)
{
    if (size == TN_BATCH_HOUR || size == TN_BATCH_DAY) {
        return us + tn_batch_offset(us, size, -n) - tn_batch_truncate(us, size);
    }
    tn_civil was = tn_civil_of_micros(us);
    tn_civil c = tn_civil_of_micros(tn_batch_offset(tn_batch_truncate(us, TN_BATCH_MONTH),
        TN_BATCH_MONTH, size == TN_BATCH_YEAR ? -n * 12 : -n));
    int last = tn_days_in_month(c.year, c.month);
    c.day = was.day < last ? was.day : last;
    int64_t midnight = tn_micros_of_civil(&c);
    return midnight + us - tn_batch_truncate(us, TN_BATCH_DAY);
}

/* "3 days" until now */
static tn_rc read_relative(tn_str text, tn_batch *ret, tn_err *err)
{
    tn_str number, grain;
    int64_t n = 0;
    tn_batch_size size;
    if (!tn_str_cut(text, ' ', &number, &grain) || !tn_str_to_i64(number, &n) || n < 0) {
        return tn_fail(err, TN_E_USAGE,
            "Cannot load SAMPLE_WINDOW from '" TN_STR_FMT
            "'. Must be of form 'DAYS_INT GRAIN_SIZE'.",
            TN_STR_ARG(text));
    }
    TN_AUTO_ARENA a = tn_arena_new("sample", NULL);
    tn_str word = tn_str_lower(a, grain);
    word = tn_str_ends(word, TN_STR("s")) ? tn_str_sub(word, 0, word.n - 1) : word;
    if (!tn_batch_size_find(word, &size)) {
        return tn_fail(err, TN_E_USAGE,
            "Invalid grain size '" TN_STR_FMT
            "'. Must be one of ['hour', 'day', 'month', 'year', 'hours', 'days', 'months', "
            "'years'].",
            TN_STR_ARG(grain));
    }
    ret->end_us = tn_clock_now_us();
    ret->start_us = time_before(ret->end_us, size, n);
    return TN_OK;
}

/* {start: .., end: ..}, as a dict or as its text, or "3 days". */
static tn_rc read_sample(tn_runner *run, tn_err *err)
{
    tn_val v = flag_of(run, "SAMPLE");
    if (!tn_val_is_given(v) || (v.tag == TN_BOOL && !v.i)) {
        return TN_OK;
    }
    if (tn_val_is_str(v) && !tn_str_starts(tn_str_trim(tn_val_as_str(v)), TN_STR("{"))) {
        TN_TRY(read_relative(tn_str_trim(tn_val_as_str(v)), &run->sample, err));
    } else {
        if (tn_val_is_str(v)) {
            TN_TRY(tn_yaml_parse(run->arena, tn_val_as_str(v), NULL, &v, err));
        }
        TN_TRY(read_time(tn_val_at(v, "start"), "--sample", &run->sample.start_us, err));
        TN_TRY(read_time(tn_val_at(v, "end"), "--sample", &run->sample.end_us, err));
    }
    run->window = run->sample;
    return TN_OK;
}

tn_rc tn_runner_windows(tn_runner *run, tn_err *err)
{
    run->window = run->sample = (tn_batch){ TN_TIME_NONE, TN_TIME_NONE };
    TN_TRY(read_event_times(run, err));
    return read_sample(run, err);
}
