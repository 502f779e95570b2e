/* delta_dml_cover.c: statements that the values of partition columns decide: they take whole files, and none of them is opened.
 *
 * DuckDB is asked, not the predicate's tree: the distinct partition values of the live files become a table of just those columns. If the
 * predicate binds to it, it names nothing else, and a file goes exactly when its row of values passes. What may differ from row to row
 * (volatile functions) or look elsewhere (subqueries) is left to the rows.
 * Partitions are compared as values of the column's type, since writers spell the same value differently (a timestamp, a decimal).
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/read/delta_prune.h"
#include "text/json.h"
#include "text/sqltext.h"

/* ---- may the predicate be asked once a file? ---- */

typedef struct names {
    tn_arena *a;
    tn_buf list; /* of functions, as SQL literals */
    bool fine;
} names;

static void walk(names *n, tn_val node)
{
    if (tn_val_is_seq(node)) {
        for (size_t i = 0; n->fine && i < node.list->n; i++) {
            walk(n, node.list->v[i]);
        }
        return;
    }
    if (node.tag != TN_DICT) {
        return;
    }
    if (tn_str_is(tn_val_str_at(node, "class", TN_STR_NONE), "SUBQUERY")) {
        n->fine = false;
        return;
    }
    tn_str function = tn_val_str_at(node, "function_name", TN_STR_NONE);
    if (function.n > 0) {
        tn_buf_addz(&n->list, n->list.n > 0 ? ", " : "");
        tn_sql_literal(&n->list, tn_str_lower(n->a, function));
    }
    size_t at = 0;
    const tn_dict_item *it;
    while (n->fine && (it = tn_dict_next(node.dict, &at)) != NULL) {
        walk(n, it->value);
    }
}

static bool same_for_all_rows(tn_dml *d, tn_str where)
{
    tn_val tree = tn_delta_where_tree(d->conn, d->a, where);
    names n = { .a = d->a, .list = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX), .fine = true };
    if (tree.tag != TN_DICT) {
        return false;
    }
    walk(&n, tree);
    if (!n.fine || n.list.n == 0) {
        return n.fine;
    }
    tn_val unsure;
    tn_err ignored = TN_ERR_INIT;
    tn_str sql = tn_str_printf(d->a,
        "SELECT count(*) FROM duckdb_functions() WHERE lower(function_name) IN (" TN_STR_FMT
        ") AND (stability IS NULL OR stability = 'VOLATILE')",
        TN_STR_ARG(tn_buf_str(&n.list)));
    return tn_conn_scalar(d->conn, d->a, sql, &unsure, &ignored) == TN_OK && unsure.i == 0;
}

/* ---- partition values as a table ---- */

static tn_val value_of(const tn_dml *d, const tn_delta_file *f, size_t column)
{
    const tn_delta_meta *m = &d->s->meta;
    return tn_delta_partition_value(m, tn_delta_mapping_of(&d->s->protocol, m), f, column);
}

static tn_str key_of(const tn_dml *d, tn_arena *a, const tn_delta_file *f)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < d->s->meta.partition_columns.n; i++) {
        tn_val v = value_of(d, f, i);
        tn_buf_addz(&b, tn_val_is_str(v) ? "s" : "n");
        if (tn_val_is_str(v)) {
            tn_json_add_str(&b, tn_val_as_str(v));
        }
    }
    return tn_buf_str(&b);
}

static void add_row(const tn_dml *d, tn_buf *b, size_t number, const tn_delta_file *f)
{
    const tn_delta_meta *m = &d->s->meta;
    tn_buf_addf(b, "(%zu", number);
    for (size_t i = 0; i < m->partition_columns.n; i++) {
        tn_buf_addz(b, ", ");
        tn_delta_partition_sql(
            b, tn_delta_field_find(m->schema, m->partition_columns.v[i])->type, value_of(d, f, i));
    }
    tn_buf_addc(b, ')');
}

/* "(VALUES ..) AS alias(_tarn_i, columns)" of the different partitions of files; *ret_groups: of each file its row's number, may be NULL. */
static void add_table(const tn_dml *d, tn_arena *a, tn_buf *b, const tn_delta_files *files,
    tn_str alias, size_t *ret_groups)
{
    tn_map seen = tn_map_init(a);
    size_t *numbers = tn_new_array(a, size_t, files->n + 1);
    tn_buf_addz(b, "(VALUES ");
    for (size_t i = 0; i < files->n; i++) {
        tn_str key = key_of(d, a, &files->v[i]);
        size_t *number = tn_map_find(&seen, key);
        if (number == NULL) {
            number = &numbers[i];
            *number = seen.n;
            tn_buf_addz(b, seen.n > 0 ? ", " : "");
            add_row(d, b, *number, &files->v[i]);
            tn_map_put(&seen, key, number);
        }
        if (ret_groups != NULL) {
            ret_groups[i] = *number;
        }
    }
    tn_buf_addz(b, ") AS ");
    tn_sql_ident(b, alias);
    tn_buf_addz(b, "(_tarn_i");
    for (size_t i = 0; i < d->s->meta.partition_columns.n; i++) {
        tn_buf_addz(b, ", ");
        tn_sql_ident(b, d->s->meta.partition_columns.v[i]);
    }
    tn_buf_addc(b, ')');
}

/* Of each file: is it taken? */
static tn_rc ask(
    const tn_dml *d, tn_arena *a, tn_str cover, const tn_delta_files *files, bool *ret, tn_err *err)
{
    size_t *groups = tn_new_array(a, size_t, files->n + 1);
    bool *taken = tn_arena_zalloc(a, files->n + 1);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_str sql;
    tn_val rows;
    tn_buf_addz(&b, "SELECT _tarn_i FROM ");
    add_table(d, a, &b, files, d->alias, groups);
    tn_buf_add(&b, cover);
    TN_TRY(tn_buf_finish(&b, "a question about partitions", &sql, err));
    TN_TRY(tn_conn_rows(d->conn, a, sql, files->n, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        taken[rows.list->v[i].list->v[0].i] = true;
    }
    for (size_t i = 0; i < files->n; i++) {
        ret[i] = taken[groups[i]];
    }
    return TN_OK;
}

static tn_rc pick_covered(tn_dml *d, tn_str cover, tn_err *err)
{
    size_t n = d->s->files.n;
    bool *keep = tn_arena_zalloc(d->a, n + 1);
    if (n > 0) {
        TN_TRY(ask(d, d->a, cover, &d->s->files, keep, err));
    }
    d->cover = cover;
    d->keep = keep;
    d->files.n = 0;
    for (size_t i = 0; i < n; i++) {
        if (keep[i]) {
            tn_vec_push(&d->files, d->a, i);
        }
    }
    return TN_OK;
}

tn_rc tn_dml_covered(const tn_dml *d, const tn_delta_file *f, bool *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta cover", NULL);
    tn_delta_file one = *f;
    tn_delta_files files = { .v = &one, .n = 1 };
    bool taken[2];
    TN_TRY(ask(d, a, d->cover, &files, taken, err));
    *ret = taken[0];
    return TN_OK;
}

/* ---- the two kinds ---- */

tn_rc tn_dml_cover_where(tn_dml *d, tn_str where, bool *ret_exact, tn_err *err)
{
    *ret_exact = false;
    if (d->s->meta.partition_columns.n == 0 || d->s->files.n == 0 || !same_for_all_rows(d, where)) {
        return TN_OK;
    }
    tn_str cover = tn_str_printf(d->a, " WHERE (" TN_STR_FMT "\n)", TN_STR_ARG(where));
    tn_delta_files first = { .v = d->s->files.v, .n = 1 };
    bool taken[2];
    tn_err not_bound = TN_ERR_INIT;
    if (ask(d, d->a, cover, &first, taken, &not_bound) != TN_OK) {
        return TN_OK;
    }
    *ret_exact = true;
    return pick_covered(d, cover, err);
}

tn_rc tn_dml_cover_partitions(tn_dml *d, const tn_delta_files *like, tn_err *err)
{
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_str cover;
    if (like->n == 0) {
        tn_buf_addz(&b, " WHERE false");
    } else {
        tn_buf_addz(&b, " SEMI JOIN ");
        add_table(d, d->a, &b, like, TN_STR("_tarn_new"), NULL);
        tn_buf_addz(&b, " ON true");
        for (size_t i = 0; i < d->s->meta.partition_columns.n; i++) {
            tn_buf_addz(&b, " AND ");
            tn_sql_ident(&b, d->alias);
            tn_buf_addc(&b, '.');
            tn_sql_ident(&b, d->s->meta.partition_columns.v[i]);
            tn_buf_addz(&b, " IS NOT DISTINCT FROM _tarn_new.");
            tn_sql_ident(&b, d->s->meta.partition_columns.v[i]);
        }
    }
    TN_TRY(tn_buf_finish(&b, "a list of partitions", &cover, err));
    return pick_covered(d, cover, err);
}
