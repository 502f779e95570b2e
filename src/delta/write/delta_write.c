/* delta_write.c: create, append, overwrite.
 *
 *     snapshot -> target (all refusals) -> COPY -> plan -> tn_delta_commit_write -> checkpoint when due
 * Data files come first and are removed again when the commit does not come about; only an unknown outcome leaves them.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/files/delta_target.h"
#include "delta/log/delta_log.h"
#include "delta/write/delta_replace.h"
#include "os/clock.h"
#include "os/random.h"
#include "text/json.h"

enum { TRIES_MAX = 500, WAIT_US = 20000 };

typedef struct write {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_write_opts *opts;
    const tn_delta_snapshot *s; /* NULL: the table is not there */
    tn_delta_target target;
    tn_delta_files files;
    int64_t rows;
} write;

/* ---- commitInfo ---- */

/* Values of operationParameters are texts of JSON, as Spark writes them. */
static tn_val json_of_strs(tn_arena *a, const tn_strs *v)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addc(&b, '[');
    for (size_t i = 0; i < v->n; i++) {
        tn_buf_addz(&b, i > 0 ? "," : "");
        tn_json_add_str(&b, v->v[i]);
    }
    tn_buf_addc(&b, ']');
    return tn_val_str(tn_buf_str(&b));
}

static tn_val int_text(tn_arena *a, int64_t v)
{
    return tn_val_str(tn_str_printf(a, "%lld", (long long)v));
}

static tn_val parameters(const write *w)
{
    if (w->opts->operation_parameters.tag == TN_DICT) {
        return w->opts->operation_parameters;
    }
    static const char *const MODES[] = { "ErrorIfExists", "Append", "Overwrite" };
    tn_val d = tn_val_dict(w->a);
    tn_dict_putz(d.dict, "mode", tn_val_z(MODES[w->opts->mode]));
    tn_dict_putz(d.dict, "partitionBy", json_of_strs(w->a, &w->target.meta.partition_columns));
    if (w->target.domains.n > 0) {
        tn_dict_putz(d.dict, "clusterBy", json_of_strs(w->a, &w->target.clustered));
    }
    return d;
}

static tn_val metrics(const write *w, size_t removed)
{
    tn_val d = tn_val_dict(w->a);
    int64_t bytes = 0;
    for (size_t i = 0; i < w->files.n; i++) {
        bytes += w->files.v[i].size;
    }
    tn_dict_putz(d.dict, "numFiles", int_text(w->a, (int64_t)w->files.n));
    tn_dict_putz(d.dict, "numOutputRows", int_text(w->a, w->rows));
    tn_dict_putz(d.dict, "numOutputBytes", int_text(w->a, bytes));
    if (removed > 0) {
        tn_dict_putz(d.dict, "numRemovedFiles", int_text(w->a, (int64_t)removed));
    }
    return d;
}

/* ---- the plan ---- */

static tn_delta_txn_plan make_plan(write *w)
{
    tn_delta_txn_plan p = {
        .read_version = w->s ? w->s->version : -1,
        .base = w->s,
        .blind_append = w->opts->mode != TN_DELTA_OVERWRITE && !w->target.meta_is_new,
        .reads_all = w->s != NULL && w->opts->mode == TN_DELTA_OVERWRITE,
        .protocol = w->target.protocol_is_new ? &w->target.protocol : NULL,
        .meta = w->target.meta_is_new ? &w->target.meta : NULL,
        .adds = w->files,
        .domains = w->target.domains,
        .user_metadata = w->opts->user_metadata,
    };
    int64_t now = tn_clock_now_ms();
    for (size_t i = 0; p.reads_all && i < w->s->files.n; i++) {
        tn_vec_push(&p.removes, w->a, tn_delta_remove_of(&w->s->files.v[i], now));
    }
    if (w->opts->app_id.n > 0) {
        tn_delta_txn txn = {
            .app_id = w->opts->app_id, .version = w->opts->txn_version, .last_updated = now
        };
        tn_vec_push(&p.txns, w->a, txn);
    }
    p.operation = w->opts->operation.n > 0 ? w->opts->operation
                  : w->s == NULL           ? TN_STR("CREATE TABLE AS SELECT")
                                           : TN_STR("WRITE");
    p.operation_parameters = parameters(w);
    p.operation_metrics = metrics(w, p.removes.n);
    return p;
}

/* ---- one attempt ---- */

static tn_rc check_mode(const write *w, tn_err *err)
{
    if (w->s == NULL) {
        return TN_OK;
    }
    if (w->opts->mode == TN_DELTA_CREATE) {
        return tn_fail(err, TN_E_EXISTS, "there is a table at '" TN_STR_FMT "' already",
            TN_STR_ARG(w->t->store->root));
    }
    if (w->opts->mode == TN_DELTA_OVERWRITE &&
        tn_delta_property_is(&w->s->meta, "delta.appendOnly", "true")) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "the table is append-only (delta.appendOnly): it cannot be overwritten");
        return tn_hint(err, rc, "append to it, or set the property to false");
    }
    return tn_delta_check_writable(&w->s->protocol, &w->s->meta, err);
}

static tn_rc check_part(const tn_delta_write_opts *o, tn_err *err)
{
    bool part = o->replace_where.n > 0 || o->dynamic_partitions;
    if (!part) {
        return TN_OK;
    }
    if (o->mode != TN_DELTA_OVERWRITE) {
        return tn_fail(err, TN_E_USAGE, "only an overwrite replaces a part of a table");
    }
    if (o->schema_mode == TN_SCHEMA_OVERWRITE) {
        return tn_fail(err, TN_E_USAGE,
            "an overwrite of a part of a table cannot overwrite the schema of all of it");
    }
    return o->replace_where.n > 0 && o->dynamic_partitions
               ? tn_fail(err, TN_E_USAGE,
                     "a predicate and dynamic partitions both say what is replaced: give one")
               : TN_OK;
}

/* Without partition columns the one partition is the whole table. */
static bool replaces_part(const tn_delta_write_opts *o, const tn_delta_snapshot *s)
{
    return s != NULL &&
           (o->replace_where.n > 0 || (o->dynamic_partitions && s->meta.partition_columns.n > 0));
}

static bool already_written(const write *w)
{
    return w->s != NULL && w->opts->app_id.n > 0 &&
           tn_delta_snapshot_txn(w->s, w->opts->app_id) >= w->opts->txn_version;
}

static void fill_result(const write *w, int64_t version, tn_delta_write_result *ret)
{
    *ret = (tn_delta_write_result){
        .version = version, .rows = w->rows, .files = (int64_t)w->files.n, .created = w->s == NULL
    };
    for (size_t i = 0; i < w->files.n; i++) {
        ret->bytes += w->files.v[i].size;
    }
}

/* An append of no rows that changes nothing else makes no version. */
static bool nothing_to_commit(const write *w)
{
    return w->s != NULL && w->opts->mode == TN_DELTA_APPEND && w->files.n == 0 &&
           w->opts->app_id.n == 0 && !w->target.meta_is_new;
}

static tn_rc commit(write *w, int64_t *ret_version, tn_err *err)
{
    tn_delta_txn_plan plan = make_plan(w);
    tn_rc rc = tn_delta_commit_write(w->t, &plan, ret_version, err);
    if (rc != TN_OK && rc != TN_E_AMBIGUOUS) {
        tn_delta_files_discard(w->t, &w->files);
    }
    return rc;
}

typedef struct write_call {
    tn_delta_table *t;
    tn_conn *conn;
    tn_str select_sql;
    const tn_delta_write_opts *opts;
    bool ask; /* what the handle has seen a moment ago does not count */
} write_call;

static tn_rc open_if_there(
    const write_call *c, tn_delta_snapshot **ret, bool *ret_asked, tn_err *err)
{
    if (!c->ask) {
        return tn_delta_snapshot_recent(c->t, c->conn, ret, ret_asked, err);
    }
    *ret_asked = true;
    return tn_delta_snapshot_if_there(c->t, c->conn, ret, err);
}

static tn_rc ask_before_commit(write *w, tn_err *err)
{
    if (w->opts->before_commit == NULL) {
        return TN_OK;
    }
    tn_rc rc = w->opts->before_commit(w->opts->before_commit_self, w->conn, w->rows, err);
    if (rc != TN_OK) {
        tn_delta_files_discard(w->t, &w->files);
    }
    return rc;
}

/* *ret_again: another writer made the table at the same time (look again and append to it), or what was conflicted with may have been there before. */
static tn_rc attempt(const write_call *c, bool *ret_again, tn_delta_write_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta write", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_delta_table *t = c->t;
    tn_conn *conn = c->conn;
    const tn_str select_sql = c->select_sql;
    const tn_delta_write_opts *opts = c->opts;
    bool asked = false;
    TN_TRY(open_if_there(c, &s, &asked, err));
    if (replaces_part(opts, s)) {
        return tn_delta_replace(t, conn, select_sql, opts, ret, err);
    }
    write w = { .t = t, .conn = conn, .a = a, .opts = opts, .s = s };
    TN_TRY(check_mode(&w, err));
    if (already_written(&w)) {
        *ret = (tn_delta_write_result){ .version = s->version, .skipped = true };
        return TN_OK;
    }
    TN_TRY(tn_delta_target_make(a, s, conn, select_sql, opts, &w.target, err));
    TN_TRY(tn_delta_files_write(
        t, conn, a, &w.target, opts->target_file_bytes, &w.files, &w.rows, err));
    TN_TRY(ask_before_commit(&w, err));
    if (nothing_to_commit(&w)) {
        *ret = (tn_delta_write_result){ .version = s->version };
        return TN_OK;
    }
    int64_t version;
    tn_rc rc = commit(&w, &version, err);
    if (rc == TN_E_CONFLICT && !asked) {
        *ret_again = true;
        return rc;
    }
    if (rc == TN_E_CONFLICT && s == NULL) {
        *ret_again = opts->mode != TN_DELTA_CREATE;
        return opts->mode == TN_DELTA_CREATE ? TN_E_EXISTS : rc;
    }
    if (rc == TN_E_CONFLICT && opts->app_id.n > 0) {
        *ret_again =
            true; /* the winner may have written the same batch: then it is there already */
        return rc;
    }
    if (rc == TN_E_CONFLICT && w.target.identities.n > 0 && opts->mode == TN_DELTA_APPEND) {
        *ret_again = true; /* the winner took the same identity values: take new ones */
        return rc;
    }
    TN_TRY(rc);
    fill_result(&w, version, ret);
    tn_delta_after_commit(t, conn, version, &w.target.meta);
    return TN_OK;
}

tn_rc tn_delta_write(tn_delta_table *t, tn_conn *conn, tn_str select_sql,
    const tn_delta_write_opts *opts, tn_delta_write_result *ret, tn_err *err)
{
    TN_TRY(check_part(opts, err));
    tn_str select = tn_str_trim(select_sql);
    while (tn_str_ends(select, TN_STR(";"))) {
        select = tn_str_trim(tn_str_sub(select, 0, select.n - 1));
    }
    tn_rc rc = TN_E_CONFLICT;
    bool again = true;
    tn_err why = TN_ERR_INIT;
    /* Where rows are looked at before the commit they are looked at once: nothing that can conflict goes on from what may be old. */
    write_call c = { .t = t, .conn = conn, .select_sql = select, .opts = opts };
    c.ask = !opts->looked || (opts->before_commit != NULL && opts->mode != TN_DELTA_APPEND);
    for (int i = 0; again && rc == TN_E_CONFLICT && i < TRIES_MAX; i++) {
        if (i > 0) {
            tn_clock_sleep_us((int64_t)(tn_random_unit() * (double)WAIT_US));
        }
        again = false;
        tn_err_clear(&why);
        rc = attempt(&c, &again, ret, &why);
        c.ask = true;
    }
    if (rc == TN_OK) {
        return TN_OK;
    }
    (void)tn_err_pass(err, rc, &why);
    tn_conn_err_cite(err, select);
    return tn_while(err, rc, "writing the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
}
