/* lake_sql_maint.c: statements that look after a Delta table.
 *
 *     OPTIMIZE t [FULL] [WHERE predicate] [ZORDER BY (column, ...)]
 *     REORG TABLE t [WHERE predicate] APPLY (PURGE)
 *     ALTER TABLE t CLUSTER BY (column, s.field, ...) | NONE
 *     VACUUM t [FULL | LITE] [RETAIN n HOURS] [DRY RUN]
 *     FSCK REPAIR TABLE t [DRY RUN]
 *     RESTORE [TABLE] t TO VERSION AS OF n | TIMESTAMP AS OF '..'
 *     CREATE [OR REPLACE] TABLE [IF NOT EXISTS] t [SHALLOW | DEEP] CLONE s [VERSION AS OF n | TIMESTAMP AS OF '..']   (deep when it is not said)
 *     REPLACE TABLE t [SHALLOW | DEEP] CLONE s ..
 * A name that is not the lake's (DuckDB's own VACUUM and the like) is left to DuckDB.
 */
#include "lake/lake_maint.h"
#include "lake/sql/lake_session.h"
#include "text/timetext.h"

typedef struct maint {
    tn_lake_sql *s;
    tn_arena *a;
    const tn_tokens *t;
    size_t at; /* next token */
    tn_sql_target target;
    tn_lake_sql_result *ret;
} maint;

static tn_lake_job job_of(const maint *m)
{
    return (tn_lake_job){ .lake = m->s->lake,
        .conn = m->s->conn,
        .env = m->s->opts.env,
        .head = m->s->opts.places_only ? NULL : &m->s->head,
        .at = m->target.at,
        .shown = m->target.shown,
        .no_publish = m->s->opts.no_publish };
}

static tn_rc unexpected(const maint *m, const char *grammar, tn_err *err)
{
    tn_rc rc = m->at < m->t->n ? tn_fail(err, TN_E_SYNTAX, "'" TN_STR_FMT "' is not expected here",
                                     TN_STR_ARG(m->t->v[m->at].text))
                               : tn_fail(err, TN_E_SYNTAX, "the statement is not complete");
    return tn_hint(err, rc, "%s", grammar);
}

/* True: the target is the lake's or a place, and m->at is behind it. */
static tn_rc take_target(maint *m, size_t from, bool *ret_ours, tn_err *err)
{
    m->at = from;
    *ret_ours = false;
    if (!tn_token_is_name(m->t, from)) {
        return TN_OK;
    }
    TN_TRY(tn_sql_target_at(m->s, m->a, m->t, &m->at, &m->target, err));
    *ret_ours = !m->target.local;
    return TN_OK;
}

static void give_list(maint *m, const char *const *names, size_t n)
{
    m->ret->is_list = true;
    m->ret->names = tn_val_list(m->a);
    m->ret->list = tn_val_list(m->a);
    for (size_t i = 0; i < n; i++) {
        tn_list_push(m->ret->names.list, tn_val_z(names[i]));
    }
}

/* ---- OPTIMIZE ---- */

/* Text of the tokens [from, to). */
static tn_str text_of(const tn_tokens *t, size_t from, size_t to)
{
    const tn_token *last = &t->v[to - 1];
    return tn_str_n(t->v[from].text.p, (size_t)(last->text.p + last->text.n - t->v[from].text.p));
}

/* (a, b) or a, b */
static tn_rc take_columns(maint *m, tn_strs *ret, tn_err *err)
{
    bool open = tn_token_is(m->t, m->at, "(");
    m->at += open;
    do {
        if (!tn_token_is_name(m->t, m->at)) {
            return unexpected(m, "write ZORDER BY (column, column)", err);
        }
        tn_vec_push(ret, m->a, tn_token_value(m->a, &m->t->v[m->at]));
        m->at++;
    } while (tn_token_is(m->t, m->at, ",") && ++m->at > 0);
    if (open && !tn_token_is(m->t, m->at, ")")) {
        return unexpected(m, "write ZORDER BY (column, column)", err);
    }
    m->at += open;
    return TN_OK;
}

/* WHERE predicate, up to the words `end`. */
static tn_rc take_where(maint *m, const char *end, tn_str *ret, tn_err *err)
{
    if (!tn_token_is(m->t, m->at, "where")) {
        return TN_OK;
    }
    size_t from = ++m->at;
    while (m->at < m->t->n && !tn_token_are(m->t, m->at, end)) {
        m->at++;
    }
    if (m->at == from) {
        return tn_fail(err, TN_E_SYNTAX, "a predicate must follow WHERE");
    }
    *ret = text_of(m->t, from, m->at);
    return TN_OK;
}

static tn_rc optimize_with(maint *m, const tn_delta_optimize_opts *o, tn_err *err)
{
    static const char *const names[] = { "path", "version", "files_added", "files_removed",
        "bytes_added", "bytes_removed", "files_skipped", "partitions_optimized" };
    tn_delta_optimize_result r;
    tn_lake_job j = job_of(m);
    bool pinned = false;
    TN_TRY(tn_lake_optimize(&j, m->a, o, &r, &pinned, err));
    give_list(m, names, TN_COUNTOF(names));
    tn_val row[] = { tn_val_str(m->target.at.location), tn_val_int(r.version),
        tn_val_int(r.files_added), tn_val_int(r.files_removed), tn_val_int(r.bytes_added),
        tn_val_int(r.bytes_removed), tn_val_int(r.files_skipped), tn_val_int(r.partitions) };
    tn_list_push(m->ret->list.list, tn_val_tuple(m->a, row, TN_COUNTOF(row)));
    bool behind = r.changed && !pinned && m->target.at.pin != NULL && !m->s->opts.no_publish;
    if (behind) {
        m->ret->note = tn_str_printf(m->a,
            "environment '" TN_STR_FMT "' stays at version %lld of " TN_STR_FMT
            ": newer ones are not published",
            TN_STR_ARG(m->s->opts.env), (long long)m->target.at.pin->version,
            TN_STR_ARG(m->target.shown));
    }
    return tn_sql_refresh(m->s, err);
}

/* ---- CLUSTER BY ---- */

tn_rc tn_sql_take_paths(tn_arena *a, const tn_tokens *t, size_t *at, tn_strs *ret, tn_err *err)
{
    bool open = tn_token_is(t, *at, "(");
    *at += open;
    for (bool more = open; more; *at += more) {
        tn_strs parts = { 0 };
        if (!tn_token_dotted(a, t, at, &parts)) {
            break;
        }
        tn_str name = parts.v[0];
        for (size_t i = 1; i < parts.n; i++) {
            name = tn_str_printf(
                a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(name), TN_STR_ARG(parts.v[i]));
        }
        tn_vec_push(ret, a, name);
        more = tn_token_is(t, *at, ",");
    }
    if (!open || !tn_token_is(t, *at, ")")) {
        return tn_fail(err, TN_E_SYNTAX, "columns are written (a, b, struct.field)");
    }
    *at += 1;
    return TN_OK;
}

/* ALTER TABLE t CLUSTER BY ..; other ALTERs are not ours. */
static tn_rc run_cluster(maint *m, bool *ret_done, tn_err *err)
{
    tn_strs columns = { 0 };
    int64_t version;
    tn_lake_job j = job_of(m);
    *ret_done = tn_token_are(m->t, m->at, "cluster by");
    if (!*ret_done) {
        return TN_OK;
    }
    m->at += 2;
    if (tn_token_is(m->t, m->at, "none")) {
        m->at++;
    } else {
        TN_TRY(tn_sql_take_paths(m->a, m->t, &m->at, &columns, err));
    }
    if (m->at != m->t->n) {
        return unexpected(m, "write ALTER TABLE t CLUSTER BY (a, b) or CLUSTER BY NONE", err);
    }
    TN_TRY(tn_lake_cluster(&j, &columns, &version, err));
    m->ret->note = tn_str_printf(m->a, TN_STR_FMT " is clustered by %zu column%s, version %lld",
        TN_STR_ARG(m->target.shown), columns.n, columns.n == 1 ? "" : "s", (long long)version);
    return tn_sql_refresh(m->s, err);
}

static tn_rc run_optimize(maint *m, tn_err *err)
{
    tn_delta_optimize_opts o = { .full = tn_token_is(m->t, m->at, "full") };
    m->at += o.full;
    TN_TRY(take_where(m, "zorder by", &o.where, err));
    if (tn_token_are(m->t, m->at, "zorder by")) {
        m->at += 2;
        TN_TRY(take_columns(m, &o.zorder_by, err));
    }
    if (m->at != m->t->n) {
        return unexpected(m, "write OPTIMIZE t [FULL] [WHERE ..] [ZORDER BY (..)]", err);
    }
    return optimize_with(m, &o, err);
}

static tn_rc run_reorg(maint *m, tn_err *err)
{
    tn_delta_optimize_opts o = { .purge = true };
    TN_TRY(take_where(m, "apply", &o.where, err));
    bool purge = tn_token_is(m->t, m->at, "apply") && tn_token_is(m->t, m->at + 1, "(") &&
                 tn_token_is(m->t, m->at + 2, "purge") && tn_token_is(m->t, m->at + 3, ")");
    if (!purge || m->at + 4 != m->t->n) {
        return unexpected(m, "write REORG TABLE t [WHERE ..] APPLY (PURGE)", err);
    }
    return optimize_with(m, &o, err);
}

/* ---- VACUUM ---- */

static tn_rc run_vacuum(maint *m, tn_err *err)
{
    static const char *const names[] = { "path" };
    static const char grammar[] = "write VACUUM t [FULL | LITE] [RETAIN n HOURS] [DRY RUN]";
    tn_delta_vacuum_opts o = { .retention_ms = -1, .lite = tn_token_is(m->t, m->at, "lite") };
    m->at += o.lite || tn_token_is(m->t, m->at, "full");
    if (tn_token_is(m->t, m->at, "retain")) {
        double hours;
        if (m->at + 2 >= m->t->n || !tn_str_to_f64(m->t->v[m->at + 1].text, &hours) || hours < 0 ||
            hours > 1e9 || !tn_token_is(m->t, m->at + 2, "hours")) {
            return unexpected(m, grammar, err);
        }
        o.retention_ms = (int64_t)(hours * 3600000);
        m->at += 3;
    }
    if (tn_token_are(m->t, m->at, "dry run")) {
        o.dry_run = true;
        m->at += 2;
    }
    if (m->at != m->t->n) {
        return unexpected(m, grammar, err);
    }
    tn_delta_vacuum_result r;
    tn_lake_job j = job_of(m);
    tn_rc rc = tn_lake_vacuum(&j, m->a, &o, &r, err);
    if (rc == TN_E_USAGE && !o.lite) {
        return tn_hint(err, rc,
            "a running writer or reader may still need such files; when none runs: 'tarn table "
            "vacuum " TN_STR_FMT " --retain HOURS --allow-short-retention'",
            TN_STR_ARG(m->target.shown));
    }
    TN_TRY(rc);
    if (o.dry_run) {
        give_list(m, names, TN_COUNTOF(names));
        for (size_t i = 0; i < r.paths.n; i++) {
            tn_val path = tn_val_str(r.paths.v[i]);
            tn_list_push(m->ret->list.list, tn_val_tuple(m->a, &path, 1));
        }
    }
    m->ret->note = tn_str_printf(m->a, "%s %lld file%s of " TN_STR_FMT ", %lld bytes",
        o.dry_run ? "would remove" : "removed", (long long)r.files, r.files == 1 ? "" : "s",
        TN_STR_ARG(m->target.shown), (long long)r.bytes);
    return tn_sql_refresh(m->s, err);
}

/* ---- FSCK REPAIR TABLE ---- */

static tn_rc run_repair(maint *m, tn_err *err)
{
    static const char *const names[] = { "dataFilePath", "dataFileMissing", "deletionVectorPath",
        "deletionVectorFileMissing" };
    tn_delta_repair_opts o = { .dry_run = tn_token_are(m->t, m->at, "dry run") };
    m->at += o.dry_run ? 2 : 0;
    if (m->at != m->t->n) {
        return unexpected(m, "write FSCK REPAIR TABLE t [DRY RUN]", err);
    }
    tn_delta_repair_result r;
    tn_lake_job j = job_of(m);
    TN_TRY(tn_lake_repair(&j, m->a, &o, &r, err));
    give_list(m, names, TN_COUNTOF(names));
    for (size_t i = 0; i < r.lost.n; i++) {
        const tn_delta_lost *l = &r.lost.v[i];
        tn_val row[] = { tn_val_str(l->path), tn_val_bool(l->path_missing),
            l->vector.n > 0 ? tn_val_str(l->vector) : TN_VAL_NONE, tn_val_bool(l->vector_missing) };
        tn_list_push(m->ret->list.list, tn_val_tuple(m->a, row, TN_COUNTOF(row)));
    }
    m->ret->note =
        tn_str_printf(m->a, "%s %zu file%s out of " TN_STR_FMT, o.dry_run ? "would take" : "took",
            r.lost.n, r.lost.n == 1 ? "" : "s", TN_STR_ARG(m->target.shown));
    return tn_sql_refresh(m->s, err);
}

/* ---- RESTORE ---- */

/* VERSION AS OF n | TIMESTAMP AS OF '..' | n */
static tn_rc take_version(maint *m, int64_t *ret_version, int64_t *ret_ms, tn_err *err)
{
    static const char grammar[] = "write VERSION AS OF 3, or TIMESTAMP AS OF '2024-01-31 12:00:00'";
    bool by_time = tn_token_are(m->t, m->at, "timestamp as of");
    m->at += by_time || tn_token_are(m->t, m->at, "version as of") ? 3 : 0;
    if (m->at >= m->t->n) {
        return unexpected(m, grammar, err);
    }
    const tn_token *value = &m->t->v[m->at];
    int64_t micros;
    bool zone;
    int offset;
    if (by_time && value->kind == TN_TOKEN_STRING &&
        tn_parse_timestamp(tn_token_value(m->a, value), &micros, &zone, &offset)) {
        *ret_ms = micros / 1000;
    } else if (by_time || !tn_str_to_i64(value->text, ret_version) || *ret_version < 0) {
        return unexpected(m, grammar, err);
    }
    m->at++;
    return TN_OK;
}

static tn_rc run_restore(maint *m, tn_err *err)
{
    tn_delta_restore_opts o = { .version = -1 };
    if (!tn_token_is(m->t, m->at, "to")) {
        return unexpected(m, "write RESTORE TABLE t TO VERSION AS OF 3", err);
    }
    m->at++;
    TN_TRY(take_version(m, &o.version, &o.timestamp_ms, err));
    if (m->at != m->t->n) {
        return unexpected(m, "write RESTORE TABLE t TO VERSION AS OF 3", err);
    }
    tn_delta_restore_result r;
    tn_lake_job j = job_of(m);
    TN_TRY(tn_lake_restore(&j, &o, &r, err));
    m->ret->note = tn_str_printf(m->a, "restored " TN_STR_FMT " to version %lld as version %lld",
        TN_STR_ARG(m->target.shown), (long long)r.restored_version, (long long)r.version);
    return tn_sql_refresh(m->s, err);
}

/* ---- CLONE ---- */

/* source [VERSION AS OF n | TIMESTAMP AS OF '..'] */
static tn_rc take_source(maint *m, tn_sql_target *ret, tn_delta_clone_opts *opts, tn_err *err)
{
    size_t from = m->at;
    TN_TRY(tn_sql_target_at(m->s, m->a, m->t, &m->at, ret, err));
    if (ret->local) {
        return tn_fail(err, TN_E_NOTFOUND, "there is no Delta table '" TN_STR_FMT "'",
            TN_STR_ARG(text_of(m->t, from, m->at)));
    }
    opts->by_time = tn_token_are(m->t, m->at, "timestamp as of");
    if (opts->by_time || tn_token_are(m->t, m->at, "version as of")) {
        TN_TRY(take_version(m, &opts->version, &opts->timestamp_ms, err));
    }
    return m->at == m->t->n
               ? TN_OK
               : unexpected(m, "write CREATE TABLE t SHALLOW CLONE s [VERSION AS OF n]", err);
}

typedef struct clone_words { /* of the statement's beginning */
    bool replace, if_not_exists;
} clone_words;

static tn_rc run_clone(maint *m, const clone_words *w, bool *ret_done, tn_err *err)
{
    bool shallow = tn_token_are(m->t, m->at, "shallow clone");
    bool plain = tn_token_is(m->t, m->at, "clone"); /* deep */
    if (!shallow && !plain && !tn_token_are(m->t, m->at, "deep clone")) {
        return TN_OK;
    }
    *ret_done = true;
    if (m->target.local) {
        return tn_fail(err, TN_E_USAGE, "a clone needs a name with a schema, or delta.\"/path\"");
    }
    m->at += plain ? 1 : 2;
    tn_sql_target source;
    tn_delta_clone_result r;
    tn_delta_clone_opts o = { .version = -1, .shallow = shallow, .replace = w->replace };
    TN_TRY(take_source(m, &source, &o, err));
    tn_lake_job j = job_of(m);
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_lake_clone(&j, &source.at, &o, &r, &why);
    if (rc == TN_E_EXISTS && w->if_not_exists) {
        m->ret->note =
            tn_str_printf(m->a, TN_STR_FMT " is there already", TN_STR_ARG(m->target.shown));
        return TN_OK;
    }
    if (rc != TN_OK) {
        return tn_err_pass(err, rc, &why);
    }
    m->ret->note = tn_str_printf(m->a,
        "cloned version %lld of " TN_STR_FMT " as " TN_STR_FMT ": %lld file%s %s",
        (long long)r.source_version, TN_STR_ARG(source.shown), TN_STR_ARG(m->target.shown),
        (long long)r.files_added, r.files_added == 1 ? "" : "s", shallow ? "shared" : "copied");
    return tn_sql_refresh(m->s, err);
}

/* Words of CREATE [OR REPLACE] TABLE or REPLACE TABLE; 0: another statement. */
static size_t create_words(const tn_tokens *t)
{
    return tn_token_are(t, 0, "create or replace table") ? 4
           : tn_token_are(t, 0, "create table")          ? 2
           : tn_token_are(t, 0, "replace table")         ? 2
                                                         : 0;
}

static tn_rc maybe_clone(maint *m, size_t words, bool *ret_done, tn_err *err)
{
    bool ours = false;
    clone_words w = { .replace = words == 4 || tn_token_is(m->t, 0, "replace"),
        .if_not_exists = tn_token_are(m->t, words, "if not exists") };
    size_t behind = words + (w.if_not_exists ? 3 : 0);
    size_t after = behind;
    tn_strs parts = { 0 };
    bool named = tn_token_dotted(m->a, m->t, &after, &parts);
    if (!named || (!tn_token_is(m->t, after, "clone") && !tn_token_is(m->t, after + 1, "clone"))) {
        return TN_OK;
    }
    TN_TRY(take_target(m, behind, &ours, err));
    return run_clone(m, &w, ret_done, err);
}

tn_rc tn_lake_sql_maint(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, tn_lake_sql_result *ret,
    bool *ret_done, tn_err *err)
{
    maint m = { .s = s, .a = a, .t = t, .ret = ret };
    bool optimize = tn_token_is(t, 0, "optimize");
    bool vacuum = tn_token_is(t, 0, "vacuum");
    bool restore = tn_token_is(t, 0, "restore");
    bool reorg = tn_token_are(t, 0, "reorg table");
    bool repair = tn_token_are(t, 0, "fsck repair table");
    *ret_done = false;
    size_t create = create_words(t);
    if (create > 0) {
        return maybe_clone(&m, create, ret_done, err);
    }
    if (tn_token_are(t, 0, "alter table")) {
        bool ours = false;
        TN_TRY(take_target(&m, 2, &ours, err));
        return ours ? run_cluster(&m, ret_done, err) : TN_OK;
    }
    if (!optimize && !vacuum && !restore && !reorg && !repair) {
        return TN_OK;
    }
    size_t name =
        tn_token_is(t, 1, "table") && tn_token_is_name(t, 2) && !tn_token_is(t, 2, "to") ? 2 : 1;
    TN_TRY(take_target(&m, repair ? 3 : name, ret_done, err));
    if (!*ret_done) {
        return TN_OK;
    }
    if (reorg || repair) {
        return reorg ? run_reorg(&m, err) : run_repair(&m, err);
    }
    return optimize ? run_optimize(&m, err) : vacuum ? run_vacuum(&m, err) : run_restore(&m, err);
}
