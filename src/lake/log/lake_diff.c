/* lake_diff.c: comparing two sets of pins, and the rows behind them.
 *
 *     both snapshots -> files that only one of them has -> scans of those -> one query that counts
 * Columns that both versions have are compared; a column that only one has is told by name.
 */
#include "lake/lake_diff.h"
#include "lake/log/lake_file.h"

#include "text/sqltext.h"

enum { DIFF_SQL_BYTES_MAX = 1 << 28 };

typedef struct side {
    tn_delta_table *table;
    tn_delta_snapshot *s;
    tn_str root;
    tn_str sql; /* of the files that only this side has */
} side;

static void side_cleanup(side *s)
{
    tn_delta_snapshot_unref(s->s);
    tn_delta_table_close(s->table);
}

typedef struct differ {
    tn_lake *l;
    tn_conn *conn;
    tn_arena *a;
    const tn_lake_diff_opts *opts;
    side *from, *to;
    tn_strs columns; /* that both have, of one type */
} differ;

/* ---- pins ---- */

static tn_val pin_state(tn_arena *a, const tn_pin *p)
{
    if (p == NULL) {
        return TN_VAL_NONE;
    }
    return p->kind == TN_PIN_DELTA ? tn_val_str(tn_str_printf(a, "version %lld of " TN_STR_FMT,
                                         (long long)p->version, TN_STR_ARG(p->location)))
                                   : tn_val_str(p->sql);
}

static tn_val pin_difference(tn_arena *a, const tn_pin *p, const tn_pin *q)
{
    const tn_pin *any = p != NULL ? p : q;
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "schema", tn_val_str(any->schema));
    tn_dict_putz(d.dict, "name", tn_val_str(any->name));
    tn_dict_putz(d.dict, "change",
        tn_val_z(p == NULL   ? "added"
                 : q == NULL ? "removed"
                             : "changed"));
    tn_dict_putz(d.dict, "from", pin_state(a, p));
    tn_dict_putz(d.dict, "to", pin_state(a, q));
    return d;
}

/* ---- tables ---- */

static tn_rc open_side(differ *x, const tn_pin *p, side *ret, tn_err *err)
{
    if (p == NULL || p->kind != TN_PIN_DELTA) {
        return TN_OK;
    }
    ret->root = tn_lake_absolute(x->a, x->l, p->location);
    TN_TRY(tn_lake_table_open(x->l, p->location, &ret->table, err));
    return tn_delta_snapshot_open(ret->table, x->conn, p->version, &ret->s, err);
}

static tn_str file_id(const differ *x, const side *s, const tn_delta_file *f)
{
    tn_delta_dv none = { 0 };
    const tn_delta_dv *dv = f->dv.storage != 0 ? &f->dv : &none;
    tn_str path = f->path;
    if (tn_str_find(path, TN_STR(":"), 0) == SIZE_MAX && (path.n == 0 || path.p[0] != '/')) {
        path =
            tn_str_printf(x->a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(s->root), TN_STR_ARG(path));
    }
    return tn_str_printf(x->a, TN_STR_FMT "\n%c" TN_STR_FMT "@%d", TN_STR_ARG(path),
        dv->storage != 0 ? dv->storage : '-', TN_STR_ARG(dv->path_or_inline), (int)dv->offset);
}

static tn_rc scan_own_files(differ *x, side *s, const side *other, tn_err *err)
{
    size_t n = tn_delta_snapshot_file_count(s->s);
    bool *only = tn_arena_zalloc(x->a, n + 1);
    tn_map shared = tn_map_init(x->a);
    for (size_t i = 0; i < tn_delta_snapshot_file_count(other->s); i++) {
        tn_map_put(&shared, file_id(x, other, tn_delta_snapshot_file(other->s, i)), x);
    }
    for (size_t i = 0; i < n; i++) {
        only[i] = tn_map_find(&shared, file_id(x, s, tn_delta_snapshot_file(s->s, i))) == NULL;
    }
    tn_delta_scan_opts o = { .conn = x->conn, .only = only };
    return tn_delta_scan_sql(s->s, x->a, &o, &s->sql, err);
}

static tn_str type_text(tn_arena *a, const tn_delta_field *f)
{
    tn_buf b = tn_buf_init(a, DIFF_SQL_BYTES_MAX);
    tn_delta_type_to_sql(&b, f->type);
    return tn_buf_str(&b);
}

static const tn_delta_field *field_of(const side *s, tn_str name)
{
    const tn_delta_fields *fields = &tn_delta_snapshot_meta(s->s)->schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        if (tn_str_eq_nocase(fields->v[i].name, name)) {
            return &fields->v[i];
        }
    }
    return NULL;
}

static void compare_columns(differ *x, tn_val d)
{
    const tn_delta_fields *before = &tn_delta_snapshot_meta(x->from->s)->schema->fields;
    const tn_delta_fields *after = &tn_delta_snapshot_meta(x->to->s)->schema->fields;
    tn_val added = tn_val_list(x->a), removed = tn_val_list(x->a), changed = tn_val_list(x->a);
    for (size_t i = 0; i < before->n; i++) {
        const tn_delta_field *now = field_of(x->to, before->v[i].name);
        if (now == NULL) {
            tn_list_push(removed.list, tn_val_str(before->v[i].name));
        } else if (!tn_str_eq(type_text(x->a, &before->v[i]), type_text(x->a, now))) {
            tn_list_push(changed.list, tn_val_str(now->name));
        } else {
            tn_vec_push(&x->columns, x->a, now->name);
        }
    }
    for (size_t i = 0; i < after->n; i++) {
        if (field_of(x->from, after->v[i].name) == NULL) {
            tn_list_push(added.list, tn_val_str(after->v[i].name));
        }
    }
    tn_dict_putz(d.dict, "columns_added", added);
    tn_dict_putz(d.dict, "columns_removed", removed);
    tn_dict_putz(d.dict, "columns_changed", changed);
}

static bool has_key(const differ *x)
{
    for (size_t i = 0; i < x->opts->key.n; i++) {
        bool there = false;
        for (size_t k = 0; k < x->columns.n; k++) {
            there = there || tn_str_eq_nocase(x->columns.v[k], x->opts->key.v[i]);
        }
        if (!there) {
            return false;
        }
    }
    return x->opts->key.n > 0;
}

/* "SELECT columns FROM (scan)" */
static void add_side(const differ *x, tn_buf *b, const side *s)
{
    tn_buf_addz(b, "SELECT ");
    for (size_t i = 0; i < x->columns.n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_sql_ident(b, x->columns.v[i]);
    }
    tn_buf_addz(b, " FROM (");
    tn_buf_add(b, s->sql);
    tn_buf_addz(b, ")");
}

static void add_without_key(const differ *x, tn_buf *b)
{
    tn_buf_addz(b, "WITH f AS MATERIALIZED (");
    add_side(x, b, x->from);
    tn_buf_addz(b, "), t AS MATERIALIZED (");
    add_side(x, b, x->to);
    tn_buf_addz(b, ") SELECT (SELECT count(*) FROM (FROM t EXCEPT ALL FROM f)), "
                   "(SELECT count(*) FROM (FROM f EXCEPT ALL FROM t)), NULL");
}

static void add_with_key(const differ *x, tn_buf *b)
{
    tn_buf_addz(b, "WITH f AS (SELECT f AS r FROM (");
    add_side(x, b, x->from);
    tn_buf_addz(b, ") AS f), t AS (SELECT t AS r FROM (");
    add_side(x, b, x->to);
    tn_buf_addz(b,
        ") AS t) SELECT count(*) FILTER (f.r IS NULL), count(*) FILTER (t.r IS NULL), "
        "count(*) FILTER (f.r IS NOT NULL AND t.r IS NOT NULL AND f.r IS DISTINCT FROM t.r) "
        "FROM f FULL JOIN t ON ");
    for (size_t i = 0; i < x->opts->key.n; i++) {
        tn_buf_addz(b, i > 0 ? " AND f.r." : "f.r.");
        tn_sql_ident(b, x->opts->key.v[i]);
        tn_buf_addz(b, " IS NOT DISTINCT FROM t.r.");
        tn_sql_ident(b, x->opts->key.v[i]);
    }
}

static tn_rc compare_rows(differ *x, tn_val d, tn_err *err)
{
    tn_val rows;
    tn_str sql;
    if (x->columns.n == 0) {
        return TN_OK;
    }
    TN_TRY(scan_own_files(x, x->from, x->to, err));
    TN_TRY(scan_own_files(x, x->to, x->from, err));
    tn_buf b = tn_buf_init(x->a, DIFF_SQL_BYTES_MAX);
    if (has_key(x)) {
        add_with_key(x, &b);
    } else {
        add_without_key(x, &b);
    }
    TN_TRY(tn_buf_finish(&b, "a comparison", &sql, err));
    TN_TRY(tn_conn_rows(x->conn, x->a, sql, 1, &rows, NULL, err));
    const tn_val *n = rows.list->v[0].list->v;
    tn_dict_putz(d.dict, "rows_added", n[0]);
    tn_dict_putz(d.dict, "rows_removed", n[1]);
    if (!tn_val_is_none(n[2])) {
        tn_dict_putz(d.dict, "rows_changed", n[2]);
    }
    return TN_OK;
}

static void tell_size(tn_val d, const side *s, const char *rows, const char *bytes)
{
    if (s->s != NULL) {
        int64_t n = tn_delta_snapshot_rows(s->s);
        tn_dict_putz(d.dict, rows, n < 0 ? TN_VAL_NONE : tn_val_int(n));
        tn_dict_putz(d.dict, bytes, tn_val_int(tn_delta_snapshot_bytes(s->s)));
    }
}

static tn_rc compare_tables(differ *x, const tn_pin *p, const tn_pin *q, tn_val d, tn_err *err)
{
    TN_AUTO(side) from = { 0 };
    TN_AUTO(side) to = { 0 };
    TN_TRY(open_side(x, p, &from, err));
    TN_TRY(open_side(x, q, &to, err));
    tell_size(d, &from, "rows_before", "bytes_before");
    tell_size(d, &to, "rows_after", "bytes_after");
    if (from.s == NULL || to.s == NULL) {
        return TN_OK;
    }
    x->from = &from;
    x->to = &to;
    x->columns = (tn_strs){ 0 };
    compare_columns(x, d);
    return compare_rows(x, d, err);
}

static tn_rc add_one(differ *x, const tn_pin *p, const tn_pin *q, tn_val list, tn_err *err)
{
    tn_val d = pin_difference(x->a, p, q);
    if (x->opts->rows) {
        tn_rc rc = compare_tables(x, p, q, d, err);
        if (rc != TN_OK) {
            const tn_pin *any = p != NULL ? p : q;
            return tn_while(err, rc, "comparing '" TN_STR_FMT "." TN_STR_FMT "'",
                TN_STR_ARG(any->schema), TN_STR_ARG(any->name));
        }
    }
    tn_list_push(list.list, d);
    return TN_OK;
}

tn_rc tn_lake_diff(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_pins *from, const tn_pins *to,
    const tn_lake_diff_opts *opts, tn_val *ret_list, tn_err *err)
{
    differ x = { .l = l, .conn = conn, .a = a, .opts = opts };
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < from->n; i++) {
        const tn_pin *other = tn_pins_find(to, from->v[i].schema, from->v[i].name);
        if (!tn_pins_same(&from->v[i], other)) {
            TN_TRY(add_one(&x, &from->v[i], other, list, err));
        }
    }
    for (size_t i = 0; i < to->n; i++) {
        if (tn_pins_find(from, to->v[i].schema, to->v[i].name) == NULL) {
            TN_TRY(add_one(&x, NULL, &to->v[i], list, err));
        }
    }
    *ret_list = list;
    return TN_OK;
}
