/* lake_lease.h: tickets: who is at work on what, for jobs of several hosts that must not overlap. No server; the lake's store is enough.
 *
 * A ticket names resources ("relation:prod/silver.prices", "job:maintain") and has a number; numbers grow and are never given twice, so a ticket is also
 * a fencing token. On each resource the oldest living ticket has the turn; a younger one waits for it, or leaves the work. Because all resources of
 * a job are on one ticket and numbers are one line, jobs cannot wait for each other in a circle.
 *
 * A ticket lives while its holder renews it (a thread does). Age is told by the store's own clock: an object's time of writing against that of the ticket
 * renewed last, so hosts' clocks do not matter. Whoever meets a dead ticket removes it. A holder that was stopped for longer than its time has lost
 * its turn: ask tn_lake_ticket_lost before publishing. Tickets keep work from being done twice; that nothing is lost when they fail is the
 * work of put-if-absent below them.
 *
 * On disk: docs/formats/lake.md. Ownership: a ticket is its holder's, of one process; functions may be called by several threads.
 */
#ifndef TN_LAKE_LAKE_LEASE_H
#define TN_LAKE_LAKE_LEASE_H

#include "lake/lake.h"

enum { TN_LEASE_TTL_MS = 60000, TN_LEASE_RESOURCES_MAX = 1000000 };

typedef struct tn_lake_ticket tn_lake_ticket;

typedef struct tn_lake_ticket_opts {
    tn_str what;       /* for people: "build", "maintain" */
    tn_str run;        /* id of the run, may be empty */
    tn_strs resources; /* compared byte by byte */
    int64_t ttl_ms;    /* 0: TN_LEASE_TTL_MS */
} tn_lake_ticket_opts;

typedef struct tn_lake_holder {
    int64_t ticket;
    tn_str what, run, host;
    int64_t pid;
} tn_lake_holder;

tn_rc tn_lake_ticket_take(
    tn_lake *l, const tn_lake_ticket_opts *opts, tn_lake_ticket **ret, tn_err *err) TN_MUSTUSE;
void tn_lake_ticket_release(tn_lake_ticket *t); /* NULL is fine; ends the renewing too */
TN_DEFINE_AUTOPTR(tn_lake_ticket, tn_lake_ticket_release)
int64_t tn_lake_ticket_number(const tn_lake_ticket *t);

/* Whether an older living ticket has the resource, and whose it is (texts in a). One listing. */
tn_rc tn_lake_ticket_blocked(tn_lake_ticket *t, tn_arena *a, tn_str resource, bool *ret,
    tn_lake_holder *ret_holder, tn_err *err) TN_MUSTUSE;
/* Whether any of the ticket's resources is an older living ticket's. Once false it stays so: tickets to come are younger. */
tn_rc tn_lake_ticket_has_rivals(tn_lake_ticket *t, bool *ret, tn_err *err) TN_MUSTUSE;
/* Waits for the turn. TN_E_CANCELLED after an interrupt; TN_E_CONFLICT, naming the holder, when timeout_ms (-1: no limit) is over. */
tn_rc tn_lake_ticket_wait(
    tn_lake_ticket *t, tn_str resource, int64_t timeout_ms, tn_err *err) TN_MUSTUSE;
/* TN_E_CONFLICT when the ticket is not there any more: its holder was away for too long. */
tn_rc tn_lake_ticket_check(tn_lake_ticket *t, tn_err *err) TN_MUSTUSE;

#endif
