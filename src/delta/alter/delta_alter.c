/* delta_alter.c: ALTER TABLE as one commit: snapshot -> changed metadata -> protocol -> rows looked at -> commit, again after a conflict.
 *
 * Also the changes that are about the whole table: constraints and the comment. Columns are in delta_alter_column.c, properties in delta_alter_property.c.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/alter/delta_alter_impl.h"
#include "delta/delta_maint.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_commit.h"
#include "delta/log/delta_log.h"
#include "os/proc.h"

#define CONSTRAINT "delta.constraints."

/* ---- shared ---- */

tn_str tn_alter_dotted(tn_arena *a, const tn_strs *path)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < path->n; i++) {
        tn_buf_addz(&b, i > 0 ? "." : "");
        tn_buf_add(&b, path->v[i]);
    }
    return tn_buf_str(&b);
}

tn_rc tn_alter_check_rows(tn_alteration *x, tn_str bad, const char *what, tn_err *err)
{
    tn_str scan;
    tn_val n;
    x->reads_all = true;
    if (x->s->files.n == 0) {
        return TN_OK;
    }
    TN_TRY(tn_delta_scan_sql(x->s, x->a, &(tn_delta_scan_opts){ .conn = x->conn }, &scan, err));
    tn_buf b = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT count(*) FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addf(&b, ") AS t WHERE (" TN_STR_FMT "\n)", TN_STR_ARG(bad));
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "a check of the rows", &sql, err));
    TN_TRY(tn_conn_scalar(x->conn, x->a, sql, &n, err));
    if (n.i == 0) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_DATA, "%lld row%s of the table %s %s", (long long)n.i,
        n.i == 1 ? "" : "s", n.i == 1 ? "violates" : "violate", what);
    return tn_hint(err, rc, "nothing was changed; repair the rows first");
}

/* ---- constraints and the table's comment ---- */

static tn_rc add_constraint(tn_alteration *x, tn_err *err)
{
    tn_str sql;
    tn_str name = tn_str_lower(x->a, x->c->name);
    tn_str key = tn_str_concat(x->a, TN_STR(CONSTRAINT), name);
    x->operation = "ADD CONSTRAINT";
    if (tn_delta_property(&x->meta, tn_str_z(x->a, key)).n > 0) {
        return tn_fail(
            err, TN_E_EXISTS, "there is a constraint '" TN_STR_FMT "' already", TN_STR_ARG(name));
    }
    TN_TRY(tn_delta_expr_sql(x->a, x->c->text, x->meta.schema, false, &sql, err));
    TN_TRY(tn_alter_check_rows(x,
        tn_str_printf(x->a, "NOT coalesce((" TN_STR_FMT "), false)", TN_STR_ARG(sql)),
        tn_arena_printf(
            x->a, "the constraint '%.*s': %.*s", TN_STR_ARG(name), TN_STR_ARG(x->c->text)),
        err));
    tn_delta_meta_set(x->a, &x->meta, key, &x->c->text);
    tn_dict_putz(x->parameters.dict, "name", tn_val_str(name));
    tn_dict_putz(x->parameters.dict, "expr", tn_val_str(x->c->text));
    x->changed = true;
    return TN_OK;
}

static tn_rc drop_constraint(tn_alteration *x, tn_err *err)
{
    tn_str name = tn_str_lower(x->a, x->c->name);
    tn_str key = tn_str_concat(x->a, TN_STR(CONSTRAINT), name);
    tn_str old = tn_delta_property(&x->meta, tn_str_z(x->a, key));
    x->operation = "DROP CONSTRAINT";
    if (old.n == 0) {
        return x->c->if_exists
                   ? TN_OK
                   : tn_fail(err, TN_E_NOTFOUND, "the table has no constraint '" TN_STR_FMT "'",
                         TN_STR_ARG(name));
    }
    tn_delta_meta_set(x->a, &x->meta, key, NULL);
    tn_dict_putz(x->parameters.dict, "name", tn_val_str(name));
    tn_dict_putz(x->parameters.dict, "expr", tn_val_str(old));
    x->changed = true;
    return TN_OK;
}

static tn_rc table_comment(tn_alteration *x)
{
    x->operation = "SET TBLPROPERTIES";
    x->changed = !tn_str_eq(x->meta.description, x->c->text);
    x->meta.description = x->c->text;
    tn_dict_putz(x->parameters.dict, "comment", tn_val_str(x->c->text));
    return TN_OK;
}

/* ---- one attempt ---- */

static tn_rc change(tn_alteration *x, tn_err *err)
{
    switch (x->c->kind) {
    case TN_ALTER_ADD_COLUMNS:
        return tn_alter_add_columns(x, err);
    case TN_ALTER_DROP_COLUMNS:
        return tn_alter_drop_columns(x, err);
    case TN_ALTER_RENAME_COLUMN:
        return tn_alter_rename_column(x, err);
    case TN_ALTER_SET_PROPERTIES:
        return tn_alter_set_properties(x, err);
    case TN_ALTER_UNSET_PROPERTIES:
        return tn_alter_unset_properties(x, err);
    case TN_ALTER_ADD_CONSTRAINT:
        return add_constraint(x, err);
    case TN_ALTER_DROP_CONSTRAINT:
        return drop_constraint(x, err);
    case TN_ALTER_TABLE_COMMENT:
        return table_comment(x);
    case TN_ALTER_DROP_FEATURE:
        return tn_alter_drop_feature(x, err);
    default:
        return tn_alter_column(x, err);
    }
}

static tn_rc commit(tn_delta_table *t, tn_alteration *x, int64_t *ret_version, tn_err *err)
{
    tn_delta_txn_plan plan = { .read_version = x->s->version,
        .base = x->s,
        .operation = tn_str_of(x->operation),
        .operation_parameters = x->parameters,
        .operation_metrics = tn_val_dict(x->a),
        .reads_all = x->reads_all,
        .protocol = x->protocol_is_new ? &x->protocol : NULL,
        .meta = &x->meta };
    return tn_delta_commit_write(t, &plan, ret_version, err);
}

/* Everything but the commit. */
static tn_rc prepare(tn_alteration *x, tn_err *err)
{
    const tn_delta_snapshot *s = x->s;
    TN_TRY(tn_delta_check_writable(&s->protocol, &s->meta, err));
    x->meta = s->meta;
    x->parameters = tn_val_dict(x->a);
    x->meta.schema = tn_delta_type_copy(x->a, s->meta.schema);
    x->protocol = s->protocol;
    TN_TRY(change(x, err));
    if (!x->changed) {
        return TN_OK;
    }
    tn_delta_meta_print_schema(x->a, &x->meta);
    (void)tn_delta_mapping_assign(x->a, &x->meta, x->keep_names);
    if (x->c->kind != TN_ALTER_DROP_FEATURE) {
        TN_TRY(tn_delta_protocol_make(
            x->a, &s->protocol, &x->meta, &x->protocol, &x->protocol_is_new, err));
    }
    return tn_delta_check_writable(&x->protocol, &x->meta, err);
}

/* The commit is there whatever comes of it. */
static tn_rc checkpoint_of(tn_delta_table *t, tn_conn *conn, int64_t version, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_rc rc = tn_delta_snapshot_open(t, conn, version, &s, err);
    rc = rc == TN_OK ? tn_delta_checkpoint(t, conn, s, err) : rc;
    if (rc != TN_OK) {
        rc = tn_while(
            err, rc, "version %lld is written, but not its checkpoint", (long long)version);
        return tn_hint(err, rc, "write it with: tarn table checkpoint");
    }
    return TN_OK;
}

static tn_rc attempt(tn_delta_table *t, tn_conn *conn, const tn_delta_alter *c,
    tn_delta_alter_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta alter", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    tn_alteration x = { .a = a, .conn = conn, .s = s, .c = c };
    TN_TRY(prepare(&x, err));
    if (!x.changed) {
        *ret = (tn_delta_alter_result){ .version = s->version };
        return TN_OK;
    }
    int64_t version;
    TN_TRY(commit(t, &x, &version, err));
    *ret = (tn_delta_alter_result){ .version = version, .changed = true };
    tn_delta_after_commit(t, conn, version, &x.meta);
    return x.checkpoint ? checkpoint_of(t, conn, version, err) : TN_OK;
}

/* Row tracking is more than a property: files that are there get ids first, in commits of their own (delta_rows_enable.c). What else the statement
 * sets is looked at before: a statement that is refused leaves nothing behind. */
static tn_rc track_rows(tn_delta_table *t, tn_conn *conn, const tn_delta_alter *c,
    int64_t *ret_version, bool *ret_changed, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta alter", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    if (c->kind != TN_ALTER_SET_PROPERTIES ||
        !tn_str_eq_nocase(
            tn_val_str_at(c->properties, "delta.enableRowTracking", TN_STR("")), TN_STR("true"))) {
        return TN_OK;
    }
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    *ret_changed = !tn_delta_property_is(&s->meta, "delta.enableRowTracking", "true");
    if (!*ret_changed) {
        return TN_OK;
    }
    tn_alteration x = { .a = a, .conn = conn, .s = s, .c = c, .tracks = true };
    TN_TRY(prepare(&x, err));
    return tn_delta_row_tracking_enable(t, conn, ret_version, err);
}

static tn_rc run(tn_delta_table *t, tn_conn *conn, const tn_delta_alter *c,
    tn_delta_alter_result *ret, tn_err *err)
{
    int64_t tracked_at = 0;
    bool tracked = false;
    TN_TRY(track_rows(t, conn, c, &tracked_at, &tracked, err));
    tn_err why = TN_ERR_INIT;
    tn_rc rc = attempt(t, conn, c, ret, &why);
    for (int round = 1; rc == TN_E_CONFLICT && !tn_interrupted(); round++) {
        tn_delta_wait_turn(round);
        tn_err_clear(&why);
        rc = attempt(t, conn, c, ret, &why);
    }
    if (rc == TN_OK && tracked && !ret->changed) {
        *ret = (tn_delta_alter_result){ .version = tracked_at, .changed = true };
    }
    return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
}

tn_rc tn_delta_alter_run(tn_delta_table *t, tn_conn *conn, const tn_delta_alter *c,
    tn_delta_alter_result *ret, tn_err *err)
{
    tn_rc rc = run(t, conn, c, ret, err);
    if (rc != TN_OK) {
        tn_conn_err_cite(err, TN_STR(""));
    }
    return rc == TN_OK ? rc
                       : tn_while(err, rc, "altering the table '" TN_STR_FMT "'",
                             TN_STR_ARG(t->store->root));
}
