/* cli_transfer.c: long uploads and downloads as a line on a terminal: how much, how fast, how long still. */
#include "base/log.h"
#include "cli/cli.h"
#include "os/clock.h"
#include "os/thread.h"

enum { QUIET_US = 700000, NAME_BYTES_MAX = 60 }; /* what is done by then needs no line */

/* The one that is shown; others that run beside it are not. */
static struct {
    tn_mutex lock;
    tn_progress line;
    char name[NAME_BYTES_MAX + 1];
    int64_t began_us; /* 0: none */
} shown = { .lock = TN_MUTEX_INIT };

static tn_str tail_of(tn_str name)
{
    return name.n <= NAME_BYTES_MAX ? name : tn_str_sub(name, name.n - NAME_BYTES_MAX, name.n);
}

static void show(const tn_log_transfer *t, int64_t took_us)
{
    double mib = 1 << 20, rate = (double)t->done / ((double)took_us / 1e6);
    double left_s = rate > 0 ? (double)(t->total - t->done) / rate : 0;
    long s = (long)(left_s + 0.5);
    tn_progress_show(&shown.line, "%s %s: %.1f of %.1f MiB, %.1f MiB/s, %ld:%02ld left", t->verb,
        shown.name, (double)t->done / mib, (double)t->total / mib, rate / mib, s / 60, s % 60);
}

static void on_transfer(void *self, const tn_log_transfer *t)
{
    (void)self;
    TN_LOCKED(&shown.lock);
    tn_str tail = tail_of(t->name);
    int64_t now = tn_clock_mono_us();
    if (shown.began_us == 0 && !t->ended) {
        shown.began_us = now;
        memcpy(shown.name, tail.p, tail.n);
        shown.name[tail.n] = '\0';
    }
    if (!tn_str_is(tail, shown.name)) {
        return;
    }
    if (t->ended) {
        shown.began_us = 0;
        tn_progress_end(&shown.line);
    } else if (now - shown.began_us > QUIET_US) {
        show(t, now - shown.began_us);
    }
}

void tn_cli_transfers(const tn_cli *cli)
{
    shown.line = tn_progress_start(cli);
    if (shown.line.on) {
        shown.line.is_transfer = true;
        tn_log_transfer_set(on_transfer, NULL);
    }
}
