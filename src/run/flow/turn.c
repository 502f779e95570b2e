/* turn.c: a run of a lake takes a ticket for the relations that it will build. Where another run was first, --on-busy says what to do.
 *
 * The ticket is taken after the lake was opened and the newest pins are read again after it: what an older run published until then is seen.
 */
#include "lake/lake_lease.h"
#include "run/report/runner.h"

static tn_str resource_of(tn_arena *a, const tn_runner *run, const tn_node *n)
{
    return tn_str_lower(a, tn_str_printf(a, "relation:" TN_STR_FMT "/" TN_STR_FMT "." TN_STR_FMT,
                               TN_STR_ARG(tn_lake_target_env(run->session->lake)),
                               TN_STR_ARG(n->schema), TN_STR_ARG(n->alias)));
}

static tn_rc read_on_busy(tn_runner *run, tn_err *err)
{
    static const char *const words[] = {
        [TN_BUSY_WAIT] = "wait", [TN_BUSY_FAIL] = "fail", [TN_BUSY_SKIP] = "skip"
    };
    tn_val credentials = tn_profile_credentials(&run->project->profile);
    tn_str given = run->opts->on_busy.n > 0 ? run->opts->on_busy
                                            : tn_val_str_at(credentials, "on_busy", TN_STR("wait"));
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (tn_str_is(given, words[i])) {
            run->on_busy = (int)i;
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_USAGE, "--on-busy is wait, fail or skip, not '" TN_STR_FMT "'",
        TN_STR_ARG(given));
}

/* How long a run that gives no sign of life keeps its turn. */
static tn_rc read_lease(tn_runner *run, int64_t *ret_ms, tn_err *err)
{
    tn_val v = tn_val_at(tn_profile_credentials(&run->project->profile), "lease_seconds");
    if (!tn_val_is_given(v)) {
        *ret_ms = TN_LEASE_TTL_MS;
        return TN_OK;
    }
    if (v.tag != TN_INT || v.i < 1 || v.i > 86400) {
        return tn_fail(err, TN_E_VALUE, "profile: 'lease_seconds' is a number from 1 to 86400");
    }
    *ret_ms = v.i * 1000;
    return TN_OK;
}

static void release(void *ticket)
{
    tn_lake_ticket_release(ticket);
}

static tn_rc refresh_all(tn_runner *run, tn_err *err)
{
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        if (tn_node_is_refable(n)) {
            TN_TRY(tn_lake_target_refresh(
                run->session->lake, run->workers[0].conn, n->schema, n->alias, err));
        }
    }
    return TN_OK;
}

tn_rc tn_runner_take_turn(tn_runner *run, tn_err *err)
{
    tn_lake_ticket_opts o = { .run = run->project->invocation_id };
    TN_TRY(read_on_busy(run, err));
    TN_TRY(read_lease(run, &o.ttl_ms, err));
    if (!run->session->is_lake || !tn_runner_changes_tables(run)) {
        return TN_OK;
    }
    o.what = tn_val_str_at(tn_project_flags(run->project), "WHICH", TN_STR("run"));
    for (size_t i = 0; i < run->plan.n; i++) {
        if (tn_node_is_refable(run->plan.v[i])) {
            tn_vec_push(&o.resources, run->arena, resource_of(run->arena, run, run->plan.v[i]));
        }
    }
    if (o.resources.n == 0) {
        return TN_OK;
    }
    int64_t before = tn_lake_target_commit(run->session->lake);
    TN_TRY(tn_lake_ticket_take(tn_lake_target_lake(run->session->lake), &o, &run->ticket, err));
    tn_arena_defer(run->arena, release, run->ticket);
    TN_TRY(tn_lake_ticket_has_rivals(run->ticket, &run->has_rivals, err));
    tn_lake_head now;
    TN_TRY(tn_lake_head_read(tn_lake_target_lake(run->session->lake), run->arena,
        tn_lake_target_env(run->session->lake), &now, err));
    return now.commit == before ? TN_OK : refresh_all(run, err);
}

/* ---- one node ---- */

static void refuse(tn_node_result *r, const tn_err *why, tn_status status)
{
    r->status = status;
    r->failures = -1;
    r->error_kind = TN_STR("Runtime Error");
    r->message = tn_str_dup(r->arena, tn_str_of(why->msg));
    r->relation_name = r->node->relation_name;
}

/* What a rival published of the relation is taken over, also when it was done before we asked. */
static tn_rc wait_for_turn(tn_runner *run, tn_worker *w, const tn_node *n, tn_arena *a, tn_err *err)
{
    bool blocked = false;
    tn_lake_holder holder;
    tn_str resource = resource_of(a, run, n);
    TN_TRY(tn_lake_ticket_blocked(run->ticket, a, resource, &blocked, &holder, err));
    if (!blocked) {
        return tn_lake_target_refresh(run->session->lake, w->conn, n->schema, n->alias, err);
    }
    if (run->on_busy != TN_BUSY_WAIT) {
        return tn_lake_ticket_wait(run->ticket, resource, 0, err);
    }
    tn_event(run->events, TN_EV_INFO, "WaitingForTurn", "T008", TN_VAL_UNDEF,
        "Waiting for " TN_STR_FMT "." TN_STR_FMT ": " TN_STR_FMT " on host '" TN_STR_FMT
        "', process %lld, is at it",
        TN_STR_ARG(n->schema), TN_STR_ARG(n->alias), TN_STR_ARG(holder.what),
        TN_STR_ARG(holder.host), (long long)holder.pid);
    TN_TRY(tn_lake_ticket_wait(run->ticket, resource, -1, err));
    return tn_lake_target_refresh(run->session->lake, w->conn, n->schema, n->alias, err);
}

bool tn_runner_await_turn(tn_runner *run, tn_worker *w, tn_node_result *r)
{
    if (!run->has_rivals || !tn_node_is_refable(r->node)) {
        return true;
    }
    TN_AUTO_ARENA a = tn_arena_new("turn", NULL);
    tn_err err = TN_ERR_INIT;
    r->arena = w->keep;
    tn_rc rc = wait_for_turn(run, w, r->node, a, &err);
    if (rc == TN_OK) {
        return true;
    }
    bool skip = rc == TN_E_CANCELLED || (rc == TN_E_CONFLICT && run->on_busy == TN_BUSY_SKIP);
    r->yielded = rc == TN_E_CONFLICT && skip;
    refuse(r, &err, skip ? TN_ST_SKIPPED : TN_ST_ERROR);
    return false;
}
