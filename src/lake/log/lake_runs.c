/* lake_runs.c: records of runs as objects of the lake. */
#include "lake/lake_runs.h"
#include "lake/log/lake_file.h"

#include "base/log.h"
#include "text/json.h"

#define RUNS_DIR "_tarn/runs/"

enum { RUN_BYTES_MAX = 64 << 20, MS_DIGITS = 13 };

static tn_rc list_runs(tn_lake *l, tn_arena *a, tn_store_items *ret, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = TN_STR(RUNS_DIR), .flat = true };
    tn_store_items items = { 0 };
    tn_rc rc = tn_store_list(l->store, a, &lo, &items, err);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    *ret = items;
    return TN_OK;
}

tn_rc tn_lake_run_write(tn_lake *l, int64_t started_ms, tn_str run_id, tn_val record, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("run record", NULL);
    tn_buf b = tn_buf_init(a, RUN_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_str text;
    tn_jw_val(&w, record);
    tn_buf_addc(&b, '\n');
    TN_TRY(tn_buf_finish(&b, "a run's record", &text, err));
    tn_str key = tn_str_printf(a, RUNS_DIR "%0*lld-" TN_STR_FMT ".json", MS_DIGITS,
        (long long)started_ms, TN_STR_ARG(run_id));
    return tn_store_put(l->store, key, text, TN_PUT_OVERWRITE, err);
}

static bool read_run(tn_lake *l, tn_arena *a, tn_str key, tn_val *ret)
{
    tn_str text;
    tn_err why = TN_ERR_INIT;
    if (tn_store_get(l->store, a, key, RUN_BYTES_MAX, &text, &why) != TN_OK ||
        tn_json_parse(a, text, ret, &why) != TN_OK || ret->tag != TN_DICT) {
        tn_log(TN_LOG_WARN, "lake", "'" TN_STR_FMT "' is no run's record: %s", TN_STR_ARG(key),
            why.msg);
        return false;
    }
    return true;
}

tn_rc tn_lake_runs_read(
    tn_lake *l, tn_arena *a, tn_str env, size_t limit, tn_val *ret_list, tn_err *err)
{
    tn_store_items items;
    tn_val out = tn_val_list(a);
    TN_TRY(list_runs(l, a, &items, err));
    for (size_t i = items.n; i-- > 0 && (limit == 0 || out.list->n < limit);) {
        tn_val run;
        if (read_run(l, a, items.v[i].key, &run) &&
            (env.n == 0 || tn_str_eq(tn_val_str_at(run, "env", TN_STR_NONE), env))) {
            tn_list_push(out.list, run);
        }
    }
    *ret_list = out;
    return TN_OK;
}

tn_rc tn_lake_runs_clean(
    tn_lake *l, int64_t before_ms, bool dry_run, int64_t *ret_removed, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("run records", NULL);
    tn_store_items items;
    int64_t removed = 0;
    TN_TRY(list_runs(l, a, &items, err));
    for (size_t i = 0; i < items.n; i++) {
        int64_t ms;
        tn_str name = tn_str_sub(items.v[i].key, sizeof RUNS_DIR - 1, items.v[i].key.n);
        if (name.n > MS_DIGITS && tn_str_to_i64(tn_str_sub(name, 0, MS_DIGITS), &ms) &&
            ms < before_ms) {
            if (!dry_run) {
                TN_TRY(tn_store_remove(l->store, items.v[i].key, err));
            }
            removed++;
        }
    }
    *ret_removed = removed;
    return TN_OK;
}
