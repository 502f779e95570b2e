/* delta_history.c: what happened to a table. */
#include "delta/action/delta_action.h"
#include "delta/log/delta_log.h"
#include "text/json.h"

/* One entry: the commitInfo as it is, with version and timestamp in front. */
static tn_rc entry(
    tn_delta_table *t, tn_arena *a, const tn_delta_log_file *f, tn_val *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta history", NULL);
    tn_delta_actions acts;
    TN_TRY(tn_delta_commit_read(t, scratch, f->version, &acts, err));
    tn_val d = tn_val_dict(a);
    tn_val info = TN_VAL_UNDEF;
    if (acts.has_info) {
        TN_TRY(tn_json_parse(a, tn_str_dup(a, acts.info), &info, err));
    }
    int64_t ms = tn_val_int_at(info, "timestamp", f->mtime_ms);
    tn_dict_putz(d.dict, "version", tn_val_int(f->version));
    tn_dict_putz(d.dict, "timestamp",
        tn_val_int(acts.in_commit_ms != TN_DELTA_ABSENT ? acts.in_commit_ms : ms));
    size_t at = 0;
    const tn_dict_item *it;
    while (info.tag == TN_DICT && (it = tn_dict_next(info.dict, &at)) != NULL) {
        if (tn_dict_find(d.dict, it->key) == NULL) {
            tn_dict_put(d.dict, it->key, it->value);
        }
    }
    *ret = d;
    return TN_OK;
}

tn_rc tn_delta_history(tn_delta_table *t, tn_arena *a, size_t limit, tn_val *ret_list, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta history", NULL);
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_all(t, scratch, &commits, err));
    if (commits.n == 0) {
        return tn_fail(err, TN_E_NOTFOUND, "there is no Delta table at '" TN_STR_FMT "'",
            TN_STR_ARG(t->store->root));
    }
    tn_val out = tn_val_list(a);
    for (size_t i = commits.n; i-- > 0 && (limit == 0 || out.list->n < limit);) {
        tn_val d;
        TN_TRY(entry(t, a, &commits.v[i], &d, err));
        tn_list_push(out.list, d);
    }
    *ret_list = out;
    return TN_OK;
}
