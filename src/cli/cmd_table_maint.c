/* cmd_table_maint.c: tarn table optimize, vacuum, restore, check, clone. */
#include <stdio.h>

#include "cli/cli_table.h"
#include "delta/delta_report.h"
#include "lake/lake_maint.h"
#include "text/timetext.h"

static tn_rc open_job(tn_table_call *x, tn_str word, tn_lake_job *ret, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_head *head = NULL; /* places in the job point into it */
    tn_lake_place at;
    TN_TRY(tn_lake_place_of(a, NULL, word, &at, err));
    if (at.schema.n > 0) {
        TN_TRY(tn_cli_need_lake(&x->place, err));
    }
    if (x->place.lake.n > 0) {
        head = tn_new(a, tn_lake_head);
        TN_TRY(tn_lake_head_read(x->lake, a, x->place.env, head, err));
        TN_TRY(tn_lake_place_of(a, head, word, &at, err));
    }
    *ret = (tn_lake_job){
        .lake = x->lake, .conn = x->conn, .env = x->place.env, .head = head, .at = at, .shown = word
    };
    return TN_OK;
}

static void put(tn_val d, const char *key, int64_t n)
{
    tn_dict_putz(d.dict, key, tn_val_int(n));
}

static tn_val report_of(tn_table_call *x, const tn_lake_job *j)
{
    tn_val d = tn_val_dict(x->cli->arena);
    tn_dict_putz(d.dict, "table", tn_val_str(j->shown));
    tn_dict_putz(d.dict, "location", tn_val_str(j->at.location));
    return d;
}

static tn_rc take_size(tn_str text, const char *option, int64_t *ret, tn_err *err)
{
    if (text.n > 0 && !tn_delta_bytes_parse(text, ret)) {
        tn_rc rc =
            tn_fail(err, TN_E_USAGE, "%s: '" TN_STR_FMT "' is no size", option, TN_STR_ARG(text));
        return tn_hint(err, rc, "write 134217728, 128MB or 1GB");
    }
    return TN_OK;
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- optimize ---- */

/* --zorder a,b --zorder c */
static void take_columns(const tn_table_call *x, tn_strs *ret)
{
    for (size_t i = 0; i < x->o->zorder.n; i++) {
        tn_str rest = x->o->zorder.v[i];
        while (rest.n > 0) {
            tn_str name;
            tn_str tail;
            rest = tn_str_cut(rest, ',', &name, &tail) ? tail : TN_STR_NONE;
            if (tn_str_trim(name).n > 0) {
                tn_vec_push(ret, x->cli->arena, tn_str_trim(name));
            }
        }
    }
}

static tn_rc run_optimize(tn_table_call *x, const tn_lake_job *j, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_delta_optimize_opts o = { .where = x->o->where };
    tn_delta_optimize_result r;
    bool pinned = false;
    TN_TRY(take_size(x->o->target_size, "--target-size", &o.target_file_bytes, err));
    TN_TRY(take_size(x->o->min_size, "--min-size", &o.min_file_bytes, err));
    take_columns(x, &o.zorder_by);
    o.full = tn_flag_is(x->o->full, false);
    o.purge = tn_flag_is(x->o->purge, false);
    if (o.purge && (o.full || x->o->zorder.n > 0)) {
        return tn_fail(err, TN_E_USAGE, "--purge goes with neither --zorder nor --full");
    }
    TN_TRY(tn_lake_optimize(j, a, &o, &r, &pinned, err));
    if (x->json) {
        tn_val d = report_of(x, j);
        tn_delta_report_optimize(d, &r);
        tn_dict_putz(d.dict, "pinned", tn_val_bool(pinned));
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    if (!r.changed) {
        printf(TN_STR_FMT ": nothing to do, %lld file%s\n", TN_STR_ARG(j->shown),
            (long long)r.files_considered, plural(r.files_considered));
        return TN_OK;
    }
    printf(TN_STR_FMT ": %lld file%s (" TN_STR_FMT ") became %lld (" TN_STR_FMT "), version %lld\n",
        TN_STR_ARG(j->shown), (long long)r.files_removed, plural(r.files_removed),
        TN_STR_ARG(tn_cli_bytes(a, r.bytes_removed)), (long long)r.files_added,
        TN_STR_ARG(tn_cli_bytes(a, r.bytes_added)), (long long)r.version);
    if (j->at.pin != NULL && !pinned) {
        tn_cli_warn(x->cli,
            "environment '" TN_STR_FMT "' stays at version %lld: newer ones are not published",
            TN_STR_ARG(j->env), (long long)j->at.pin->version);
    }
    return TN_OK;
}

/* ---- vacuum ---- */

static tn_rc run_vacuum(tn_table_call *x, const tn_lake_job *j, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_delta_vacuum_opts o = { .retention_ms = -1,
        .dry_run = tn_flag_is(x->o->dry_run, false),
        .lite = tn_flag_is(x->o->lite, false),
        .allow_short = tn_flag_is(x->o->short_retention, false) };
    double hours = 0;
    if (x->o->retain.n > 0) {
        if (!tn_str_to_f64(x->o->retain, &hours) || !(hours >= 0 && hours <= 1e9)) {
            return tn_fail(err, TN_E_USAGE, "--retain: '" TN_STR_FMT "' is no number of hours",
                TN_STR_ARG(x->o->retain));
        }
        o.retention_ms = (int64_t)(hours * 3600000);
    }
    tn_delta_vacuum_result r;
    tn_rc rc = tn_lake_vacuum(j, a, &o, &r, err);
    if (rc == TN_E_USAGE && !o.allow_short && !o.lite && o.retention_ms >= 0) {
        return tn_hint(err, rc,
            "a running writer or reader may still need such files; when none runs, add "
            "--allow-short-retention");
    }
    TN_TRY(rc);
    if (x->json) {
        tn_val d = report_of(x, j);
        tn_delta_report_vacuum(a, d, &o, &r);
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    for (size_t i = 0; o.dry_run && i < r.paths.n; i++) {
        printf(TN_STR_FMT "\n", TN_STR_ARG(r.paths.v[i]));
    }
    printf(TN_STR_FMT ": %s %lld file%s (" TN_STR_FMT ")\n", TN_STR_ARG(j->shown),
        o.dry_run ? "would remove" : "removed", (long long)r.files, plural(r.files),
        TN_STR_ARG(tn_cli_bytes(a, r.bytes)));
    if (r.log_files > 0) {
        printf(TN_STR_FMT ": removed %lld old file%s of the log\n", TN_STR_ARG(j->shown),
            (long long)r.log_files, plural(r.log_files));
    }
    return TN_OK;
}

/* ---- restore ---- */

static tn_rc run_restore(tn_table_call *x, const tn_lake_job *j, tn_err *err)
{
    tn_delta_restore_opts o = { .version = x->o->version,
        .allow_missing = tn_flag_is(x->o->missing, false) };
    int64_t micros = 0;
    bool zone;
    int offset;
    if ((o.version >= 0) == (x->o->time.n > 0)) {
        return tn_fail(err, TN_E_USAGE, "restore needs --version N or --time TIME");
    }
    if (x->o->time.n > 0 && !tn_parse_timestamp(x->o->time, &micros, &zone, &offset)) {
        tn_rc rc = tn_fail(
            err, TN_E_USAGE, "--time: '" TN_STR_FMT "' is no instant", TN_STR_ARG(x->o->time));
        return tn_hint(err, rc, "write 2024-01-31, or '2024-01-31 12:00:00'; it is UTC");
    }
    o.timestamp_ms = micros / 1000;
    tn_delta_restore_result r;
    TN_TRY(tn_lake_restore(j, &o, &r, err));
    if (x->json) {
        tn_val d = report_of(x, j);
        tn_delta_report_restore(d, &r);
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    printf(TN_STR_FMT ": version %lld restored as version %lld; %lld file%s back, %lld out\n",
        TN_STR_ARG(j->shown), (long long)r.restored_version, (long long)r.version,
        (long long)r.files_restored, plural(r.files_restored), (long long)r.files_removed);
    if (r.files_missing > 0) {
        tn_cli_warn(x->cli, "%lld file%s of that version are gone, and their rows with them",
            (long long)r.files_missing, plural(r.files_missing));
    }
    return TN_OK;
}

/* ---- check ---- */

static tn_rc run_check(tn_table_call *x, const tn_lake_job *j, int *ret_status, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_delta_check_opts o = { .skip_data = tn_flag_is(x->o->log_only, false),
        .values = tn_flag_is(x->o->values, false) };
    tn_delta_check_result r;
    TN_TRY(tn_lake_check(j, a, &o, &r, err));
    int64_t errors = 0;
    for (size_t i = 0; i < r.findings.n; i++) {
        errors += r.findings.v[i].error;
    }
    *ret_status = errors > 0 ? TN_EXIT_FAILED : TN_EXIT_OK;
    if (x->json) {
        tn_val d = report_of(x, j);
        tn_delta_report_check(a, d, &r);
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    for (size_t i = 0; i < r.findings.n; i++) {
        const tn_delta_finding *f = &r.findings.v[i];
        printf("%s: %s: " TN_STR_FMT ": " TN_STR_FMT "\n", f->error ? "error" : "warning", f->what,
            TN_STR_ARG(f->path), TN_STR_ARG(f->detail));
    }
    int64_t warnings = (int64_t)r.findings.n - errors;
    printf(TN_STR_FMT ": version %lld, %lld file%s, %lld commit%s: ", TN_STR_ARG(j->shown),
        (long long)r.version, (long long)r.files, plural(r.files), (long long)r.commits,
        plural(r.commits));
    if (r.findings.n == 0) {
        printf("ok\n");
    } else {
        printf("%lld error%s, %lld warning%s\n", (long long)errors, plural(errors),
            (long long)warnings, plural(warnings));
    }
    return TN_OK;
}

/* ---- compact-log ---- */

static tn_rc run_compact(tn_table_call *x, const tn_lake_job *j, tn_err *err)
{
    tn_delta_compact_result r;
    TN_TRY(tn_lake_compact(j, &r, err));
    if (x->json) {
        tn_val d = report_of(x, j);
        tn_delta_report_compact(d, &r);
        tn_cli_print_json(x->cli, d);
    } else if (r.written) {
        printf(TN_STR_FMT ": commits %lld to %lld in one file of %lld bytes\n",
            TN_STR_ARG(j->shown), (long long)r.from, (long long)r.to, (long long)r.bytes);
    } else {
        printf(TN_STR_FMT ": nothing to compact\n", TN_STR_ARG(j->shown));
    }
    return TN_OK;
}

/* ---- checkpoint ---- */

static tn_rc run_checkpoint(tn_table_call *x, const tn_lake_job *j, tn_err *err)
{
    int64_t version;
    TN_TRY(tn_lake_checkpoint(j, &version, err));
    if (x->json) {
        tn_val d = report_of(x, j);
        put(d, "version", version);
        tn_cli_print_json(x->cli, d);
    } else {
        printf(
            TN_STR_FMT ": checkpoint of version %lld\n", TN_STR_ARG(j->shown), (long long)version);
    }
    return TN_OK;
}

/* ---- clone ---- */

static tn_rc run_clone(tn_table_call *x, const tn_lake_job *source, tn_str name, tn_err *err)
{
    tn_lake_job to;
    tn_delta_clone_result r;
    bool shallow = tn_flag_is(x->o->shallow, false);
    TN_TRY(open_job(x, name, &to, err));
    tn_delta_clone_opts o = {
        .version = x->o->version, .shallow = shallow, .replace = tn_flag_is(x->o->replace, false)
    };
    TN_TRY(tn_lake_clone(&to, &source->at, &o, &r, err));
    if (x->json) {
        tn_val d = report_of(x, &to);
        tn_dict_putz(d.dict, "source", tn_val_str(source->shown));
        tn_delta_report_clone(d, &o, &r);
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    printf(TN_STR_FMT ": version %lld of " TN_STR_FMT ", %lld file%s %s\n", TN_STR_ARG(name),
        (long long)r.source_version, TN_STR_ARG(source->shown), (long long)r.files_added,
        plural(r.files_added), shallow ? "shared" : "copied");
    return TN_OK;
}

/* ---- repair ---- */

static tn_rc run_repair(tn_table_call *x, const tn_lake_job *j, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_delta_repair_opts o = { .dry_run = tn_flag_is(x->o->dry_run, false),
        .allow_all = tn_flag_is(x->o->missing, false) };
    tn_delta_repair_result r;
    TN_TRY(tn_lake_repair(j, a, &o, &r, err));
    if (x->json) {
        tn_val d = report_of(x, j);
        tn_delta_report_repair(a, d, &o, &r);
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    for (size_t i = 0; i < r.lost.n; i++) {
        const tn_delta_lost *l = &r.lost.v[i];
        printf(TN_STR_FMT ": %s\n", TN_STR_ARG(l->path),
            !l->path_missing    ? "its deletion vector is missing"
            : l->vector_missing ? "missing, its deletion vector too"
                                : "missing");
    }
    if (r.lost.n == 0) {
        printf(TN_STR_FMT ": no file is missing\n", TN_STR_ARG(j->shown));
    } else if (o.dry_run) {
        printf(TN_STR_FMT ": would take %zu file%s out of the log\n", TN_STR_ARG(j->shown),
            r.lost.n, plural((int64_t)r.lost.n));
    } else {
        printf(TN_STR_FMT ": %zu file%s taken out of the log, version %lld\n", TN_STR_ARG(j->shown),
            r.lost.n, plural((int64_t)r.lost.n), (long long)r.version);
    }
    return TN_OK;
}

/* ---- all of them ---- */

size_t tn_table_maint_words(tn_str verb)
{
    static const char *const one[] = { "optimize", "vacuum", "restore", "check", "repair",
        "compact-log", "checkpoint" };
    for (size_t i = 0; i < TN_COUNTOF(one); i++) {
        if (tn_str_is(verb, one[i])) {
            return 1;
        }
    }
    return tn_str_is(verb, "clone") ? 2 : 0;
}

tn_rc tn_table_maint(tn_table_call *x, const tn_strs *words, int *ret_status, tn_err *err)
{
    tn_lake_job j;
    tn_str verb = words->v[0];
    TN_AUTOPTR(tn_cli_watch) watch = NULL;
    TN_TRY(open_job(x, words->v[1], &j, err));
    TN_TRY(tn_cli_watch_start(x->cli, x->conn, "table", false, &watch, err));
    if (tn_str_is(verb, "optimize")) {
        return run_optimize(x, &j, err);
    }
    if (tn_str_is(verb, "vacuum")) {
        return run_vacuum(x, &j, err);
    }
    if (tn_str_is(verb, "restore")) {
        return run_restore(x, &j, err);
    }
    if (tn_str_is(verb, "repair")) {
        return run_repair(x, &j, err);
    }
    if (tn_str_is(verb, "compact-log")) {
        return run_compact(x, &j, err);
    }
    if (tn_str_is(verb, "checkpoint")) {
        return run_checkpoint(x, &j, err);
    }
    return tn_str_is(verb, "check") ? run_check(x, &j, ret_status, err)
                                    : run_clone(x, &j, words->v[2], err);
}
