/* lake_alter.c: ALTER TABLE and COMMENT ON, each one commit of the Delta table without data files.
 *
 *   ALTER TABLE t ADD COLUMN[S] [IF NOT EXISTS] c type .. | (c type .., ..)        c: a.b goes into a struct; .. FIRST | AFTER d, COMMENT '..'
 *                 DROP COLUMN[S] [IF EXISTS] c | (c, ..)         RENAME COLUMN c TO d
 *                 ALTER | CHANGE COLUMN c TYPE type | SET NOT NULL | DROP NOT NULL | SET DEFAULT e | DROP DEFAULT | COMMENT '..' | FIRST | AFTER d
 *                 SET TBLPROPERTIES (..)         UNSET TBLPROPERTIES [IF EXISTS] (k, ..)
 *                 ADD CONSTRAINT n CHECK (e)     DROP CONSTRAINT [IF EXISTS] n     DROP FEATURE n
 *   COMMENT ON TABLE t IS '..' | NULL            COMMENT ON COLUMN t.c IS '..' | NULL
 */
#include "lake/sql/lake_change.h"
#include "lake/sql/lake_ddl.h"

/* ---- reading ---- */

/* One, or several in parentheses. */
static tn_rc take_columns(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    bool open = tn_ddl_take(d, "(");
    do {
        tn_delta_new_column n;
        TN_TRY(tn_ddl_column(d, &n, TN_VAL_UNDEF, err));
        tn_vec_push(&k->add, d->a, n);
    } while (tn_ddl_take(d, ","));
    return !open || tn_ddl_take(d, ")") ? TN_OK
                                        : tn_ddl_unexpected(d, "a closing parenthesis", err);
}

static tn_rc take_paths(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    bool open = tn_ddl_take(d, "(");
    do {
        tn_strs path;
        TN_TRY(tn_ddl_path(d, &path, err));
        tn_vec_push(&k->columns, d->a, path);
    } while (tn_ddl_take(d, ","));
    return !open || tn_ddl_take(d, ")") ? TN_OK
                                        : tn_ddl_unexpected(d, "a closing parenthesis", err);
}

static tn_rc take_add(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    tn_str expr;
    if (tn_ddl_take(d, "constraint")) {
        k->kind = TN_ALTER_ADD_CONSTRAINT;
        TN_TRY(tn_ddl_name(d, &k->name, err));
        if (!tn_ddl_take(d, "check")) {
            return tn_ddl_unexpected(d, "CHECK (..)", err);
        }
        TN_TRY(tn_ddl_parens(d, &expr, err));
        k->text = tn_delta_sql_for_metadata(d->a, expr);
        return TN_OK;
    }
    k->kind = TN_ALTER_ADD_COLUMNS;
    (void)(tn_ddl_take(d, "columns") || tn_ddl_take(d, "column"));
    k->if_exists = tn_ddl_take(d, "if not exists");
    return take_columns(d, k, err);
}

static tn_rc take_drop(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    if (tn_ddl_take(d, "constraint")) {
        k->kind = TN_ALTER_DROP_CONSTRAINT;
        k->if_exists = tn_ddl_take(d, "if exists");
        return tn_ddl_name(d, &k->name, err);
    }
    if (tn_ddl_take(d, "feature")) {
        k->kind = TN_ALTER_DROP_FEATURE;
        k->if_exists = tn_ddl_take(d, "if exists");
        TN_TRY(tn_ddl_key(d, &k->name, err));
        if (tn_ddl_take(d, "truncate history")) {
            tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
                "DROP FEATURE with TRUNCATE HISTORY is not supported: environments may pin older "
                "versions");
            return tn_hint(err, rc,
                "without it the feature goes at once, and older versions stay for readers that "
                "have it");
        }
        return TN_OK;
    }
    k->kind = TN_ALTER_DROP_COLUMNS;
    (void)(tn_ddl_take(d, "columns") || tn_ddl_take(d, "column"));
    k->if_exists = tn_ddl_take(d, "if exists");
    return take_paths(d, k, err);
}

static tn_rc take_rename(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    tn_strs path;
    if (!tn_ddl_take(d, "column")) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED, "a table of the lake cannot be renamed");
        return tn_hint(err, rc, "CREATE TABLE new SHALLOW CLONE old, then DROP TABLE old");
    }
    k->kind = TN_ALTER_RENAME_COLUMN;
    TN_TRY(tn_ddl_path(d, &path, err));
    tn_vec_push(&k->columns, d->a, path);
    return tn_ddl_take(d, "to") ? tn_ddl_name(d, &k->name, err)
                                : tn_ddl_unexpected(d, "TO and the new name", err);
}

/* What follows ALTER COLUMN c. */
static tn_rc take_column_change(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    tn_delta_type *type;
    if (tn_ddl_take(d, "type") || tn_ddl_take(d, "set data type")) {
        k->kind = TN_ALTER_COLUMN_TYPE;
        TN_TRY(tn_ddl_type(d, &type, err));
        k->type = type;
    } else if (tn_ddl_take(d, "set not null")) {
        k->kind = TN_ALTER_SET_NOT_NULL;
    } else if (tn_ddl_take(d, "drop not null")) {
        k->kind = TN_ALTER_DROP_NOT_NULL;
    } else if (tn_ddl_take(d, "set default")) {
        k->kind = TN_ALTER_SET_DEFAULT;
        k->text = tn_ddl_slice(d, d->at, d->t->n);
        d->at = d->t->n;
        return k->text.n > 0 ? TN_OK : tn_ddl_unexpected(d, "an expression", err);
    } else if (tn_ddl_take(d, "drop default")) {
        k->kind = TN_ALTER_DROP_DEFAULT;
    } else if (tn_ddl_take(d, "comment")) {
        k->kind = TN_ALTER_COLUMN_COMMENT;
        return tn_ddl_string(d, &k->text, err);
    } else if (tn_ddl_take(d, "first")) {
        k->kind = TN_ALTER_MOVE_COLUMN;
        k->place = TN_PLACE_FIRST;
    } else if (tn_ddl_take(d, "after")) {
        k->kind = TN_ALTER_MOVE_COLUMN;
        k->place = TN_PLACE_AFTER;
        return tn_ddl_name(d, &k->after, err);
    } else {
        return tn_ddl_unexpected(d, "TYPE, SET, DROP, COMMENT, FIRST or AFTER", err);
    }
    return TN_OK;
}

static tn_rc take_keys(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    k->if_exists = tn_ddl_take(d, "if exists");
    if (!tn_ddl_take(d, "(")) {
        return tn_ddl_unexpected(d, "a list of properties in parentheses", err);
    }
    do {
        tn_str key;
        TN_TRY(tn_ddl_key(d, &key, err));
        tn_vec_push(&k->keys, d->a, key);
    } while (tn_ddl_take(d, ","));
    return tn_ddl_take(d, ")") ? TN_OK : tn_ddl_unexpected(d, "a closing parenthesis", err);
}

static tn_rc take_change(tn_ddl *d, tn_delta_alter *k, tn_err *err)
{
    tn_strs path;
    if (tn_ddl_take(d, "add")) {
        return take_add(d, k, err);
    }
    if (tn_ddl_take(d, "drop")) {
        return take_drop(d, k, err);
    }
    if (tn_ddl_take(d, "rename")) {
        return take_rename(d, k, err);
    }
    if (tn_ddl_take(d, "set tblproperties")) {
        k->kind = TN_ALTER_SET_PROPERTIES;
        return tn_ddl_properties(d, &k->properties, err);
    }
    if (tn_ddl_take(d, "unset tblproperties")) {
        k->kind = TN_ALTER_UNSET_PROPERTIES;
        return take_keys(d, k, err);
    }
    if (tn_ddl_take(d, "alter") || tn_ddl_take(d, "change")) {
        (void)tn_ddl_take(d, "column");
        TN_TRY(tn_ddl_path(d, &path, err));
        tn_vec_push(&k->columns, d->a, path);
        return take_column_change(d, k, err);
    }
    return tn_ddl_unexpected(d, "ADD, DROP, RENAME, ALTER, SET or UNSET", err);
}

/* ---- running ---- */

static tn_rc run(tn_sql_change *c, const tn_delta_alter *k, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_alter_result r;
    bool there = false;
    if (c->target.at.pin != NULL && c->target.at.pin->kind != TN_PIN_DELTA) {
        return tn_fail(err, TN_E_SQL, "'" TN_STR_FMT "' is no Delta table: it cannot be altered",
            TN_STR_ARG(c->target.shown));
    }
    TN_TRY(tn_sql_table_of(c, &table, &there, err));
    if (!there) {
        return tn_fail(
            err, TN_E_NOTFOUND, "there is no table '" TN_STR_FMT "'", TN_STR_ARG(c->target.shown));
    }
    TN_TRY(tn_delta_alter_run(table, c->s->conn, k, &r, err));
    if (!r.changed) {
        c->ret->note =
            tn_str_printf(c->a, "nothing to change in " TN_STR_FMT ", version stays %lld",
                TN_STR_ARG(c->target.shown), (long long)r.version);
        return TN_OK;
    }
    c->ret->note = tn_str_printf(c->a, "altered " TN_STR_FMT ", version %lld",
        TN_STR_ARG(c->target.shown), (long long)r.version);
    return tn_sql_publish(c->s, c->a, &c->target, r.version, "alter", err);
}

static tn_rc alter_table(tn_sql_change *c, bool *ret_done, tn_err *err)
{
    tn_delta_alter k = { .properties = TN_VAL_UNDEF };
    bool if_exists = tn_token_are(c->t, 2, "if exists");
    c->at = if_exists ? 4 : 2;
    TN_TRY(tn_sql_target_at(c->s, c->a, c->t, &c->at, &c->target, err));
    if (c->target.local) {
        return TN_OK;
    }
    *ret_done = true;
    tn_ddl d = { .a = c->a, .conn = c->s->conn, .t = c->t, .at = c->at };
    TN_TRY(take_change(&d, &k, err));
    if (d.at < d.t->n) {
        return tn_ddl_unexpected(&d, "the end of the statement", err);
    }
    tn_rc rc = run(c, &k, err);
    if (rc == TN_E_NOTFOUND && if_exists) {
        c->ret->note =
            tn_str_printf(c->a, "there is no table " TN_STR_FMT, TN_STR_ARG(c->target.shown));
        tn_err_clear(err);
        return TN_OK;
    }
    return rc;
}

/* COMMENT ON TABLE t IS '..' | COMMENT ON COLUMN t.c IS '..' */
static tn_rc comment_on(tn_sql_change *c, bool *ret_done, tn_err *err)
{
    tn_delta_alter k = { .kind = TN_ALTER_TABLE_COMMENT, .properties = TN_VAL_UNDEF };
    tn_tokens t = *c->t;
    c->at = 3;
    if (tn_token_is(c->t, 2, "column")) { /* the table's name is all but the last part */
        size_t at = 3;
        tn_strs parts = { 0 };
        if (!tn_token_dotted(c->a, c->t, &at, &parts) || parts.n < 2) {
            return TN_OK;
        }
        tn_strs path = { 0 };
        tn_vec_push(&path, c->a, parts.v[parts.n - 1]);
        tn_vec_push(&k.columns, c->a, path);
        k.kind = TN_ALTER_COLUMN_COMMENT;
        t.n = at - 2;
    }
    TN_TRY(tn_sql_target_at(c->s, c->a, &t, &c->at, &c->target, err));
    if (c->target.local) {
        return TN_OK;
    }
    *ret_done = true;
    tn_ddl d = { .a = c->a, .conn = c->s->conn, .t = c->t, .at = c->at };
    d.at += k.columns.n > 0 ? 2 : 0;
    if (!tn_ddl_take(&d, "is")) {
        return tn_ddl_unexpected(&d, "IS and a text", err);
    }
    if (!tn_ddl_take(&d, "null")) {
        TN_TRY(tn_ddl_string(&d, &k.text, err));
    }
    return run(c, &k, err);
}

tn_rc tn_sql_alter(tn_sql_change *c, bool *ret_done, tn_err *err)
{
    if (tn_token_are(c->t, 0, "alter table") && tn_token_is_name(c->t, 2)) {
        return alter_table(c, ret_done, err);
    }
    if (tn_token_are(c->t, 0, "comment on table") || tn_token_are(c->t, 0, "comment on column")) {
        return comment_on(c, ret_done, err);
    }
    return TN_OK;
}
