/* live.c: the status line of a run on a terminal: how many nodes are done, which run and for how long, how long it has taken and may still take.
 *
 *   [12/28] orders (4s), stg_payments · 1 failed · 6s, about 9s left
 *
 * What is left is guessed from each node's last run (build_log.h), corrected by how this run has kept to it so far; nodes that never ran count as the
 * mean of the others. A run that knows no times counts nodes.
 */
#include "os/clock.h"
#include "run/report/build_log.h"

enum {
    SHOW_EVERY_US = 250000,
    NAMES_SHOWN_MAX = 4,
    GUESS_AFTER_US = 2000000, /* before that a guess would jump about */
    SECOND_US = 1000000,
};

struct tn_live {
    double *expected; /* seconds, by place */
    double all, done;
    size_t failed;
    bool known; /* times of an earlier run */
    int64_t shown_us, began_us;
    uint32_t *busy;      /* by worker: place + 1, 0: none */
    int64_t *busy_since; /* by worker */
};

void tn_live_begin(tn_runner *run)
{
    if (!tn_events_live(run->events) || run->opts->verb == TN_VERB_SHOW) {
        return;
    }
    tn_live *l = tn_new(run->arena, tn_live);
    tn_val builds = tn_builds_read(run->project, run->arena);
    *l = (tn_live){ .expected = tn_new_array(run->arena, double, run->plan.n + 1),
        .busy = tn_new_array(run->arena, uint32_t, run->worker_count + 1),
        .busy_since = tn_new_array(run->arena, int64_t, run->worker_count + 1),
        .began_us = tn_clock_mono_us() };
    double sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < run->plan.n; i++) {
        l->expected[i] = tn_builds_seconds(builds, run->plan.v[i]);
        known += l->expected[i] >= 0;
        sum += l->expected[i] >= 0 ? l->expected[i] : 0;
    }
    l->known = sum > 0;
    double mean = known > 0 && sum > 0 ? sum / (double)known : 1;
    for (size_t i = 0; i < run->plan.n; i++) {
        l->expected[i] = l->expected[i] >= 0 ? l->expected[i] : mean;
        l->all += l->expected[i];
    }
    run->live = l;
}

void tn_live_starts(tn_runner *run, const tn_worker *w, uint32_t place)
{
    if (run->live != NULL) {
        run->live->busy[w->number - 1] = place + 1;
        run->live->busy_since[w->number - 1] = tn_clock_mono_us();
    }
}

void tn_live_ends(tn_runner *run, const tn_worker *w, uint32_t place)
{
    if (run->live != NULL) {
        tn_status s = run->results[place].status;
        run->live->busy[w->number - 1] = 0;
        run->live->done += run->live->expected[place];
        run->live->failed += s == TN_ST_ERROR || s == TN_ST_FAIL || s == TN_ST_PARTIAL;
    }
}

static void add_time(tn_buf *b, int64_t us)
{
    int64_t s = us / SECOND_US;
    if (s >= 3600) {
        tn_buf_addf(b, "%lldh%02lldm", (long long)(s / 3600), (long long)(s / 60 % 60));
    } else if (s >= 60) {
        tn_buf_addf(b, "%lldm%02llds", (long long)(s / 60), (long long)(s % 60));
    } else {
        tn_buf_addf(b, "%llds", (long long)s);
    }
}

/* The busy worker whose node has the least number above `after`: nodes stand in the order of their lines, whoever has taken them. SIZE_MAX: none. */
static size_t next_busy(const tn_runner *run, size_t after)
{
    const tn_live *l = run->live;
    size_t found = SIZE_MAX, least = SIZE_MAX;
    for (size_t i = 0; i < run->worker_count; i++) {
        size_t number = l->busy[i] > 0 ? run->results[l->busy[i] - 1].index : 0;
        if (number > after && number < least) {
            found = i;
            least = number;
        }
    }
    return found;
}

static void add_running(const tn_runner *run, tn_buf *b)
{
    const tn_live *l = run->live;
    size_t n = 0, i, after = 0;
    int64_t now = tn_clock_mono_us();
    while ((i = next_busy(run, after)) != SIZE_MAX) {
        const tn_node_result *r = &run->results[l->busy[i] - 1];
        after = r->index;
        int64_t ran = now - l->busy_since[i];
        if (n++ < NAMES_SHOWN_MAX) {
            tn_buf_addf(b, "%s" TN_STR_FMT, n > 1 ? ", " : " ", TN_STR_ARG(r->node->name));
            if (ran >= SECOND_US) {
                tn_buf_addz(b, " (");
                add_time(b, ran);
                tn_buf_addc(b, ')');
            }
        }
    }
    if (n > NAMES_SHOWN_MAX) {
        tn_buf_addf(b, " and %zu more", n - NAMES_SHOWN_MAX);
    }
}

/* What is done, nodes that run counted as far as they should be. */
static double work_done(const tn_runner *run, int64_t now)
{
    const tn_live *l = run->live;
    double done = l->done;
    for (size_t i = 0; l->known && i < run->worker_count; i++) {
        if (l->busy[i] > 0) {
            double ran = (double)(now - l->busy_since[i]) / (double)SECOND_US;
            double expected = l->expected[l->busy[i] - 1];
            done += ran < expected ? ran : expected;
        }
    }
    return done;
}

void tn_live_show(tn_runner *run)
{
    tn_live *l = run->live;
    int64_t now = tn_clock_mono_us();
    if (l == NULL || now - l->shown_us < SHOW_EVERY_US) {
        return;
    }
    l->shown_us = now;
    TN_AUTO_ARENA a = tn_arena_new("status", NULL);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    int64_t took = now - l->began_us;
    tn_buf_addf(&b, "[%zu/%zu]", run->done, run->plan.n);
    add_running(run, &b);
    if (l->failed > 0) {
        tn_buf_addf(&b, " · %zu failed", l->failed);
    }
    tn_buf_addz(&b, " · ");
    add_time(&b, took);
    double done = work_done(run, now);
    if (took > GUESS_AFTER_US && done > 0 && done < l->all) {
        tn_buf_addz(&b, ", about ");
        add_time(&b, (int64_t)((double)took * (l->all - done) / done) + SECOND_US / 2);
        tn_buf_addz(&b, " left");
    }
    tn_events_status(run->events, tn_buf_str(&b));
}

void tn_live_end(tn_runner *run)
{
    if (run->live != NULL) {
        tn_events_status(run->events, TN_STR_NONE);
        run->live = NULL;
    }
}
