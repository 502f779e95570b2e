/* publish.c: what readers see after a run: the lake's pins and catalog, or the read copy of the database file. */
#include "lake/lake_lease.h"
#include "os/file.h"
#include "run/report/runner.h"
#include "text/uri.h"

/* A node passed when it succeeded and none of its tests failed; until its tests have run, nobody knows. */
static bool node_passed(void *self, tn_str id)
{
    tn_runner *run = self;
    const tn_node *n = tn_project_find(run->project, id);
    TN_LOCKED(&run->lock);
    if (n == NULL || run->place[n->index] == UINT32_MAX ||
        !run->results[run->place[n->index]].finished ||
        run->results[run->place[n->index]].status != TN_ST_SUCCESS) {
        return false;
    }
    for (size_t i = 0; i < n->children.n; i++) {
        const tn_node *t = n->children.v[i];
        uint32_t at = t->index < run->project->nodes.n ? run->place[t->index] : UINT32_MAX;
        if (at == UINT32_MAX || t->kind != TN_NODE_TEST) {
            continue;
        }
        tn_status s = run->results[at].status;
        bool before_children = run->opts->verb == TN_VERB_BUILD;
        if ((before_children && !run->results[at].finished) || s == TN_ST_FAIL ||
            s == TN_ST_ERROR) {
            return false;
        }
    }
    return true;
}

tn_rc tn_runner_publish_mode(tn_runner *run, tn_err *err)
{
    static const char *const words[] = { [TN_PUBLISH_ON_SUCCESS] = "on_success",
        [TN_PUBLISH_EACH_NODE] = "each_node",
        [TN_PUBLISH_MANUAL] = "manual" };
    tn_str given = tn_val_str_at(
        tn_profile_credentials(&run->project->profile), "publish", TN_STR("on_success"));
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (tn_str_is(given, words[i])) {
            run->publish = (tn_publish)i;
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_VALUE,
        "profile: 'publish' must be on_success, each_node or manual, not '" TN_STR_FMT "'",
        TN_STR_ARG(given));
}

/* What was built from what: each node's parents and the checksum of its code. */
static void put_code(const tn_runner *run, tn_val d)
{
    tn_arena *a = run->arena;
    tn_val lineage = tn_val_dict(a), code = tn_val_dict(a);
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        if (!tn_node_is_refable(n)) {
            continue;
        }
        tn_val parents = tn_val_list(a);
        for (size_t k = 0; k < n->parents.n; k++) {
            tn_list_push(parents.list, tn_val_str(n->parents.v[k]->unique_id));
        }
        tn_dict_puts(lineage.dict, n->unique_id, parents);
        tn_dict_puts(code.dict, n->unique_id, tn_val_str(n->checksum));
    }
    tn_dict_putz(d.dict, "lineage", lineage);
    tn_dict_putz(d.dict, "code", code);
}

static tn_val publish_info(tn_runner *run)
{
    tn_arena *a = run->arena;
    tn_val d = tn_val_dict(a), nodes = tn_val_dict(a);
    tn_dict_putz(d.dict, "run_id", tn_val_str(run->project->invocation_id));
    tn_dict_putz(d.dict, "project", tn_val_str(run->project->name));
    tn_dict_putz(d.dict, "command", tn_val_at(tn_project_flags(run->project), "WHICH"));
    for (size_t i = 0; i < run->plan.n; i++) {
        tn_dict_puts(nodes.dict, run->plan.v[i]->unique_id,
            tn_val_z(tn_status_name(run->results[i].status)));
    }
    tn_dict_putz(d.dict, "nodes", nodes);
    tn_dict_putz(d.dict, "target", tn_val_str(run->project->profile.target_name));
    if (run->ticket != NULL) {
        tn_dict_putz(d.dict, "ticket", tn_val_int(tn_lake_ticket_number(run->ticket)));
    }
    put_code(run, d);
    return d;
}

static tn_rc publish_passed(tn_runner *run, tn_arena *a, tn_val info, tn_str message,
    int64_t *ret_commit, tn_str *ret_catalog, tn_err *err)
{
    if (run->ticket != NULL) {
        TN_TRY(tn_lake_ticket_check(run->ticket, err));
    }
    tn_rc rc = tn_lake_target_publish(
        run->session->lake, a, node_passed, run, info, message, ret_commit, ret_catalog, err);
    if (rc == TN_OK && *ret_commit >= 0) {
        tn_event(run->events, TN_EV_INFO, "LakePublished", "T005", TN_VAL_UNDEF,
            "Published lake commit %lld: " TN_STR_FMT, (long long)*ret_commit,
            TN_STR_ARG(*ret_catalog));
    }
    return rc;
}

/* publish: each_node. What goes wrong here is tried again, and told, at the end of the run. */
void tn_runner_publish_now(tn_runner *run, const tn_node_result *r)
{
    if (run->publish != TN_PUBLISH_EACH_NODE || !run->session->is_lake ||
        !tn_runner_changes_tables(run)) {
        return;
    }
    TN_AUTO_ARENA a = tn_arena_new("publish", NULL);
    tn_err err = TN_ERR_INIT;
    int64_t commit = -1;
    tn_str catalog = TN_STR_NONE;
    tn_val info = tn_val_dict(a);
    tn_dict_putz(info.dict, "run_id", tn_val_str(run->project->invocation_id));
    tn_dict_putz(info.dict, "project", tn_val_str(run->project->name));
    if (publish_passed(run, a, info, r->node->unique_id, &commit, &catalog, &err) != TN_OK) {
        tn_event(run->events, TN_EV_DEBUG, "LakeNotPublished", "T007", TN_VAL_UNDEF, "%s", err.msg);
    }
    if (commit >= 0) {
        TN_LOCKED(&run->lock);
        run->lake_commit = commit;
        run->catalog = tn_str_dup(run->arena, catalog);
    }
}

static tn_rc publish_lake(tn_runner *run, tn_run_report *ret, tn_err *err)
{
    int64_t commit = -1;
    tn_str catalog = TN_STR_NONE;
    if (run->publish != TN_PUBLISH_MANUAL) {
        tn_rc rc = publish_passed(run, run->arena, publish_info(run),
            tn_str_printf(run->arena, "%lld nodes of " TN_STR_FMT, (long long)ret->selected,
                TN_STR_ARG(run->project->name)),
            &commit, &catalog, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "publishing to the lake");
        }
    }
    ret->lake_commit = commit >= 0 ? commit : run->lake_commit;
    ret->published = commit >= 0 ? catalog : run->catalog;
    return TN_OK;
}

/* The database file is closed for writing before it is copied: what readers open is complete. */
static tn_rc publish_copy(tn_runner *run, tn_run_report *ret, tn_err *err)
{
    tn_session *s = run->session;
    tn_val wanted = tn_val_at(tn_profile_credentials(&run->project->profile), "read_copy");
    if (s->path.n == 0 || (wanted.tag == TN_BOOL && !wanted.i)) {
        return TN_OK;
    }
    tn_str copy =
        tn_val_is_str(wanted) ? tn_val_as_str(wanted) : tn_lake_read_copy_path(run->arena, s->path);
    if (tn_path_dir(copy).n > 0) {
        TN_TRY(tn_dir_make(tn_path_dir(copy), err));
    }
    TN_TRY(tn_conn_exec(run->workers[0].conn, TN_STR("CHECKPOINT"), err));
    TN_TRY(tn_lake_read_copy(s->path, copy, err));
    ret->published = copy;
    return TN_OK;
}

tn_rc tn_runner_publish(tn_runner *run, tn_run_report *ret, tn_err *err)
{
    if (!tn_runner_changes_tables(run) || run->interrupted) {
        return TN_OK;
    }
    return run->session->is_lake ? publish_lake(run, ret, err) : publish_copy(run, ret, err);
}
