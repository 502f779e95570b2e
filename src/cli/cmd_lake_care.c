/* cmd_lake_care.c: tarn lake status, runs, maintain: what the lake's tables need and who worked on them. */
#include <stdio.h>

#include "cli/cmd_lake.h"
#include "lake/lake_care.h"
#include "lake/lake_runs.h"
#include "os/clock.h"

static tn_rc open_conn(tn_lake_call *x, tn_duck **ret_duck, tn_conn **ret_conn, tn_err *err)
{
    TN_TRY(tn_cli_open_duck(x->cli, ret_duck, ret_conn, err));
    return tn_lake_connect(x->lake, *ret_conn, err);
}

/* ---- status --tables ---- */

static tn_val due_of(tn_arena *a, const tn_lake_care *c)
{
    tn_val due = tn_val_list(a);
    if (c->pack) {
        tn_list_push(due.list, tn_val_z("optimize"));
    }
    if (c->vacuum) {
        tn_list_push(due.list, tn_val_z("vacuum"));
    }
    return due;
}

static tn_val care_dict(tn_arena *a, const tn_lake_care *c)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "relation",
        tn_val_str(tn_str_printf(
            a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(c->schema), TN_STR_ARG(c->name))));
    tn_dict_putz(d.dict, "location", tn_val_str(c->location));
    tn_dict_putz(d.dict, "own", tn_val_bool(c->own));
    tn_dict_putz(d.dict, "version", tn_val_int(c->version));
    tn_dict_putz(d.dict, "newest_version", tn_val_int(c->newest));
    tn_dict_putz(d.dict, "changed", tn_val_int(c->changed_ms));
    tn_dict_putz(d.dict, "rows", c->rows >= 0 ? tn_val_int(c->rows) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "deleted_rows", tn_val_int(c->deleted_rows));
    tn_dict_putz(d.dict, "bytes", tn_val_int(c->bytes));
    tn_dict_putz(d.dict, "files", tn_val_int(c->files));
    tn_dict_putz(d.dict, "small_files", tn_val_int(c->small_files));
    tn_dict_putz(d.dict, "expired_files", tn_val_int(c->expired_files));
    tn_dict_putz(d.dict, "due", due_of(a, c));
    tn_dict_putz(d.dict, "error", c->error.n > 0 ? tn_val_str(c->error) : TN_VAL_NONE);
    return d;
}

static tn_str age(tn_arena *a, int64_t ms)
{
    int64_t s = (tn_clock_now_ms() - ms) / 1000;
    return s < 120      ? tn_str_printf(a, "%lld s", (long long)s)
           : s < 7200   ? tn_str_printf(a, "%lld min", (long long)s / 60)
           : s < 172800 ? tn_str_printf(a, "%lld h", (long long)s / 3600)
                        : tn_str_printf(a, "%lld days", (long long)s / 86400);
}

static tn_val care_row(tn_arena *a, const tn_lake_care *c, tn_val dict)
{
    tn_str due = tn_str_printf(a, "%s%s%s", c->pack ? "optimize" : "",
        c->pack && c->vacuum ? ", " : "", c->vacuum ? "vacuum" : "");
    tn_val row[] = { tn_val_at(dict, "relation"), tn_val_int(c->version),
        c->newest > c->version ? tn_val_int(c->newest - c->version) : TN_VAL_NONE,
        c->error.n > 0 ? TN_VAL_NONE : tn_val_str(age(a, c->changed_ms)), tn_val_at(dict, "rows"),
        tn_val_str(tn_cli_bytes(a, c->bytes)), tn_val_int(c->files), tn_val_int(c->small_files),
        c->error.n > 0 ? tn_val_str(c->error)
        : due.n > 0    ? tn_val_str(due)
                       : TN_VAL_NONE };
    return tn_val_tuple(a, row, TN_COUNTOF(row));
}

tn_rc tn_lake_run_status_tables(tn_lake_call *x, tn_err *err)
{
    static const char *const names[] = { "relation", "version", "unpublished", "changed", "rows",
        "size", "files", "small", "due" };
    tn_arena *a = x->cli->arena;
    tn_lake_cares cares;
    tn_val rows = tn_val_list(a), list = tn_val_list(a);
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(open_conn(x, &duck, &conn, err));
    TN_TRY(tn_lake_care_read(x->lake, conn, a, x->env, &cares, err));
    for (size_t i = 0; i < cares.n; i++) {
        tn_val d = care_dict(a, &cares.v[i]);
        tn_list_push(list.list, d);
        tn_list_push(rows.list, care_row(a, &cares.v[i], d));
    }
    if (x->json) {
        tn_cli_print_json(x->cli, list);
        return TN_OK;
    }
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- maintain ---- */

tn_rc tn_lake_run_maintain(tn_lake_call *x, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_maintain_opts o = { .retention_ms = -1,
        .dry_run = tn_flag_is(x->o->dry_run, false),
        .all = tn_flag_is(x->o->all, false) };
    tn_lake_dones done;
    tn_val list = tn_val_list(a);
    int64_t failed = 0;
    if (x->o->retention.n > 0) {
        TN_TRY(tn_lake_retention_of(x->o->retention, &o.retention_ms, err));
    }
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(open_conn(x, &duck, &conn, err));
    TN_TRY(tn_lake_maintain(x->lake, conn, a, x->env, &o, &done, err));
    for (size_t i = 0; i < done.n; i++) {
        const tn_lake_done *d = &done.v[i];
        tn_val v = tn_val_dict(a);
        tn_dict_putz(v.dict, "relation", d->relation.n > 0 ? tn_val_str(d->relation) : TN_VAL_NONE);
        tn_dict_putz(v.dict, "what", tn_val_str(d->what));
        tn_dict_putz(v.dict, "detail", tn_val_str(d->detail));
        tn_dict_putz(v.dict, "failed", tn_val_bool(d->failed));
        tn_list_push(list.list, v);
        failed += d->failed;
        if (!x->json && (d->failed || !tn_flag_is(x->cli->quiet, false))) {
            printf("%s" TN_STR_FMT " " TN_STR_FMT ": " TN_STR_FMT "\n", d->failed ? "failed: " : "",
                TN_STR_ARG(d->what), TN_STR_ARG(d->relation.n > 0 ? d->relation : TN_STR("lake")),
                TN_STR_ARG(d->detail));
        }
    }
    if (x->json) {
        tn_cli_print_json(x->cli, list);
    } else if (done.n == 0 && !tn_flag_is(x->cli->quiet, false)) {
        printf("nothing is due in environment '" TN_STR_FMT "'\n", TN_STR_ARG(x->env));
    }
    return failed == 0 ? TN_OK
                       : tn_fail(err, TN_E_CONFLICT, "%lld step%s failed", (long long)failed,
                             failed == 1 ? "" : "s");
}

/* ---- runs ---- */

tn_rc tn_lake_run_runs(tn_lake_call *x, tn_err *err)
{
    static const char *const names[] = { "started (UTC)", "command", "project", "environment",
        "host", "seconds", "outcome", "pass", "error", "skip", "lake commit" };
    tn_arena *a = x->cli->arena;
    tn_val list, rows = tn_val_list(a);
    TN_TRY(tn_lake_runs_read(x->lake, a, tn_flag_is(x->o->all, false) ? TN_STR_NONE : x->env,
        (size_t)x->o->limit, &list, err));
    if (x->json) {
        tn_cli_print_json(x->cli, list);
        return TN_OK;
    }
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val r = list.list->v[i], counts = tn_val_at(r, "counts");
        int64_t started = tn_val_int_at(r, "started", 0);
        tn_val row[] = { tn_val_str(tn_cli_instant(a, started)), tn_val_at(r, "command"),
            tn_val_at(r, "project"), tn_val_at(r, "env"), tn_val_at(r, "host"),
            tn_val_float((double)(tn_val_int_at(r, "finished", started) - started) / 1000),
            tn_val_at(r, "outcome"), tn_val_at(counts, "pass"), tn_val_at(counts, "error"),
            tn_val_at(counts, "skip"), tn_val_at(r, "lake_commit") };
        for (size_t k = 0; k < TN_COUNTOF(row); k++) {
            row[k] = tn_val_is_undef(row[k]) ? TN_VAL_NONE : row[k];
        }
        tn_list_push(rows.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}
