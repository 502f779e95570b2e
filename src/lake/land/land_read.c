/* land_read.c: the SELECT over a reader, with names, types and the added columns put right. The csv reader is called in land_csv.c.
 *
 * Columns that exist in the table are read as the table's type, so that a value that does not fit is a rejected row with its line, not a changed schema.
 */
#include "lake/land/land_columns.h"

#include <ctype.h>

#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 512 << 20 };

/* DuckDB calls the nameless column 3 of 12 "column03". */
static bool stands_for_empty(tn_str name, size_t index)
{
    int64_t number;
    return tn_str_starts(name, TN_STR("column")) &&
           tn_str_to_i64(tn_str_sub(name, 6, name.n), &number) && number == (int64_t)index;
}

tn_str tn_land_plain_name(tn_arena *a, tn_str name, size_t index)
{
    if (stands_for_empty(name, index)) {
        return tn_str_printf(a, "column%zu", index);
    }
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    bool gap = false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 128 && (isalnum(c) || c == '_')) {
            if (gap && b.n > 0) {
                tn_buf_addc(&b, '_');
            }
            gap = false;
            tn_buf_addc(&b, (char)tolower(c));
        } else {
            gap = true;
        }
    }
    tn_str plain = tn_buf_str(&b);
    while (plain.n > 0 && plain.p[0] == '_' && name.p[0] != '_') {
        plain = tn_str_sub(plain, 1, plain.n);
    }
    if (plain.n == 0) {
        return tn_str_printf(a, "column%zu", index);
    }
    return isdigit((unsigned char)plain.p[0]) ? tn_str_printf(a, "_" TN_STR_FMT, TN_STR_ARG(plain))
                                              : plain;
}

/* ---- the reader call ---- */

/* DuckDB expands patterns in literal file names too: magic characters are put into brackets. */
void tn_land_add_paths(tn_buf *b, tn_arena *a, const tn_strs *paths)
{
    tn_buf_addc(b, '[');
    for (size_t i = 0; i < paths->n; i++) {
        tn_buf name = tn_buf_init(a, SQL_BYTES_MAX);
        tn_str path = paths->v[i];
        for (size_t k = 0; k < path.n; k++) {
            if (path.p[k] == '*' || path.p[k] == '?' || path.p[k] == '[') {
                tn_buf_addf(&name, "[%c]", path.p[k]);
            } else {
                tn_buf_addc(&name, path.p[k]);
            }
        }
        tn_buf_addz(b, i == 0 ? "" : ", ");
        tn_sql_literal(b, tn_buf_str(&name));
    }
    tn_buf_addc(b, ']');
}

static tn_val wanted_type(const tn_land_read *r, tn_str column)
{
    const tn_val *t =
        r->opts->types.tag == TN_DICT ? tn_dict_finds(r->opts->types.dict, column) : NULL;
    if (t != NULL) {
        return *t;
    }
    return r->opts->all_text ? tn_val_z("VARCHAR") : TN_VAL_UNDEF;
}

tn_strs tn_land_paths(const tn_land_read *r, tn_arena *a)
{
    tn_strs paths = { 0 };
    for (size_t i = 0; i < r->files.n; i++) {
        tn_vec_push(&paths, a, r->files.v[i].path);
    }
    return paths;
}

/* The reader of everything but csv. */
static void add_reader(tn_buf *b, tn_arena *a, const tn_land_read *r)
{
    tn_strs paths = tn_land_paths(r, a);
    switch (r->format) {
    case TN_LAND_PARQUET:
        tn_buf_addz(b, "read_parquet(");
        tn_land_add_paths(b, a, &paths);
        tn_buf_addz(b,
            ", union_by_name = true, hive_partitioning = false, filename = '" TN_LAND_FILE_COLUMN
            "')");
        return;
    case TN_LAND_JSON:
    case TN_LAND_NDJSON:
        tn_buf_addz(b, "read_json(");
        tn_land_add_paths(b, a, &paths);
        tn_buf_addf(b,
            ", format = '%s', union_by_name = true, hive_partitioning = false, filename = "
            "'" TN_LAND_FILE_COLUMN "'%s)",
            r->format == TN_LAND_JSON ? "auto" : "newline_delimited",
            r->sample_all ? ", sample_size = -1" : "");
        return;
    default:
        TN_CHECK(r->format == TN_LAND_ARROW);
        tn_sql_ident(b, r->stdin_table);
    }
}

/* ---- columns ---- */

static const tn_delta_field *field_of(const tn_delta_type *schema, tn_str name)
{
    for (size_t i = 0; schema != NULL && i < schema->fields.n; i++) {
        if (tn_str_eq_nocase(schema->fields.v[i].name, name)) {
            return &schema->fields.v[i];
        }
    }
    return NULL;
}

/* What DuckDB guesses but Delta cannot hold becomes what can hold it without loss. */
static const char *stand_in(tn_str type)
{
    static const struct {
        const char *from, *to;
    } table[] = { { "TIME", "VARCHAR" }, { "UBIGINT", "DECIMAL(20,0)" },
        { "HUGEINT", "DECIMAL(38,0)" }, { "UHUGEINT", "VARCHAR" },
        { "TIME WITH TIME ZONE", "VARCHAR" }, { "INTERVAL", "VARCHAR" }, { "UUID", "VARCHAR" },
        { "JSON", "VARCHAR" } };
    for (size_t i = 0; i < TN_COUNTOF(table); i++) {
        if (tn_str_is(type, table[i].from)) {
            return table[i].to;
        }
    }
    return NULL;
}

static tn_val type_for(const tn_land_read *r, tn_arena *a, tn_str name, tn_str shown, tn_str given)
{
    tn_val want = wanted_type(r, name);
    if (tn_val_is_undef(want)) {
        want = wanted_type(r, shown);
    }
    if (!tn_val_is_undef(want)) {
        return want;
    }
    const tn_delta_field *f =
        r->opts->schema_mode == TN_SCHEMA_OVERWRITE ? NULL : field_of(r->table, shown);
    if (f != NULL) {
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_delta_type_to_sql(&b, f->type);
        return tn_val_str(tn_buf_str(&b));
    }
    const char *other = stand_in(given);
    return other != NULL ? tn_val_z(other) : TN_VAL_UNDEF;
}

/* Names and types of a reader's columns, without the file's name. */
tn_rc tn_land_describe(
    tn_conn *conn, tn_arena *a, tn_str reader, tn_strs *ret_names, tn_strs *ret_types, tn_err *err)
{
    tn_val list;
    TN_TRY(
        tn_conn_describe(conn, a, tn_str_concat(a, TN_STR("SELECT * FROM "), reader), &list, err));
    tn_strs names = { 0 }, types = { 0 };
    for (size_t i = 0; i < list.list->n; i++) {
        tn_str name = tn_val_as_str(list.list->v[i].list->v[0]);
        if (!tn_str_is(name, TN_LAND_FILE_COLUMN)) {
            tn_vec_push(&names, a, name);
            tn_vec_push(&types, a, tn_val_as_str(list.list->v[i].list->v[1]));
        }
    }
    *ret_names = names;
    *ret_types = types;
    return TN_OK;
}

void tn_land_settle_types(const tn_land_read *r, tn_arena *a, tn_land_columns *c)
{
    c->types = tn_new_array(a, tn_val, c->names.n + 1);
    for (size_t i = 0; i < c->names.n; i++) {
        tn_str shown =
            r->opts->normalize_names ? tn_land_plain_name(a, c->names.v[i], i) : c->names.v[i];
        tn_vec_push(&c->shown, a, shown);
        c->types[i] = type_for(r, a, c->names.v[i], shown, c->given.v[i]);
    }
}

static void add_column(tn_buf *b, const tn_land_read *r, const tn_land_columns *c, size_t i)
{
    bool typed_by_reader = r->format == TN_LAND_CSV;
    bool cast = c->types[i].tag == TN_STR_V && !typed_by_reader;
    tn_buf_addz(b, cast ? "CAST(" : "");
    tn_sql_ident(b, c->names.v[i]);
    if (cast) {
        tn_buf_addz(b, " AS ");
        tn_buf_add(b, tn_val_as_str(c->types[i]));
        tn_buf_addc(b, ')');
    }
}

/* Columns whose names become the same one (drifted headers) are one column: the first that has a value. */
static void add_projection(tn_buf *b, const tn_land_read *r, const tn_land_columns *c)
{
    for (size_t i = 0; i < c->names.n; i++) {
        size_t same = 0;
        bool first = true;
        for (size_t k = 0; k < c->names.n; k++) {
            bool equal = tn_str_eq_nocase(c->shown.v[i], c->shown.v[k]);
            same += equal;
            first = first && !(equal && k < i);
        }
        if (!first) {
            continue;
        }
        tn_buf_addz(b, i == 0 ? "" : ", ");
        tn_buf_addz(b, same > 1 ? "coalesce(" : "");
        const char *sep = "";
        for (size_t k = i; k < c->names.n; k++) {
            if (tn_str_eq_nocase(c->shown.v[i], c->shown.v[k])) {
                tn_buf_addz(b, sep);
                sep = ", ";
                add_column(b, r, c, k);
            }
        }
        tn_buf_addz(b, same > 1 ? ") AS " : " AS ");
        tn_sql_ident(b, c->shown.v[i]);
    }
}

void tn_land_add_shown(tn_buf *b, const tn_land_read *r, tn_str file_expr)
{
    tn_buf_addz(b, r->renamed ? "coalesce(__tarn_shown, " : "");
    tn_buf_add(b, file_expr);
    tn_buf_addz(b, r->renamed ? ")" : "");
}

void tn_land_add_shown_join(tn_buf *b, const tn_land_read *r, tn_str file_expr)
{
    if (r->renamed) {
        tn_buf_addz(b, " LEFT JOIN " TN_LAND_FILES_TABLE " ON __tarn_path = ");
        tn_buf_add(b, file_expr);
    }
}

static void add_file_columns(tn_buf *b, const tn_land_read *r)
{
    if (r->opts->no_file_columns) {
        return;
    }
    tn_buf_addz(b, ", ");
    if (r->format == TN_LAND_ARROW) {
        tn_sql_literal(b, r->files.v[0].shown);
    } else {
        tn_land_add_shown(b, r, TN_STR(TN_LAND_FILE_COLUMN));
    }
    tn_buf_addz(b, " AS _source_file, ");
    tn_sql_value(b, r->loaded_at);
    tn_buf_addz(b, "::TIMESTAMPTZ AS _loaded_at");
}

static tn_val inferred_names(const tn_land_read *r, tn_arena *a, const tn_land_columns *c)
{
    tn_val set = tn_val_set(a);
    for (size_t i = 0; i < c->names.n && r->format == TN_LAND_CSV; i++) {
        if (c->types[i].tag != TN_STR_V) {
            tn_dict_puts(set.dict, tn_str_lower(a, c->names.v[i]), TN_VAL_NONE);
        }
    }
    return set;
}

/* A value of --types that names no column is a typing error of the user's, not something to ignore. */
static tn_rc check_types(const tn_land_read *r, const tn_land_columns *c, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (r->opts->types.tag == TN_DICT && (it = tn_dict_next(r->opts->types.dict, &at)) != NULL) {
        bool found = false;
        for (size_t i = 0; i < c->names.n; i++) {
            found = found || tn_str_eq(c->names.v[i], tn_val_as_str(it->key)) ||
                    tn_str_eq(c->shown.v[i], tn_val_as_str(it->key));
        }
        if (!found) {
            tn_rc rc = tn_fail(err, TN_E_NAME,
                "--types names the column '" TN_STR_FMT "', which the input does not have",
                TN_STR_ARG(tn_val_as_str(it->key)));
            return tn_hint(err, rc, "the first columns are '" TN_STR_FMT "'%s",
                TN_STR_ARG(c->names.n > 0 ? c->names.v[0] : TN_STR("(none)")),
                c->names.n > 1 ? ", ..." : "");
        }
    }
    return TN_OK;
}

void tn_land_add_select(tn_buf *b, const tn_land_read *r, const tn_land_columns *c, tn_str reader)
{
    tn_buf_addz(b, "SELECT ");
    add_projection(b, r, c);
    add_file_columns(b, r);
    tn_buf_addz(b, " FROM ");
    tn_buf_add(b, reader);
    if (!r->opts->no_file_columns && r->format != TN_LAND_ARROW) {
        tn_land_add_shown_join(b, r, TN_STR(TN_LAND_FILE_COLUMN));
    }
}

tn_rc tn_land_read_sql(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_str *ret_sql,
    tn_val *ret_inferred, tn_err *err)
{
    tn_land_columns c = { 0 };
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    if (r->format == TN_LAND_CSV) {
        TN_TRY(tn_land_csv_sql(r, conn, a, &c, &b, err));
    } else {
        tn_buf reader = tn_buf_init(a, SQL_BYTES_MAX);
        add_reader(&reader, a, r);
        TN_TRY(tn_land_describe(conn, a, tn_buf_str(&reader), &c.names, &c.given, err));
        tn_land_settle_types(r, a, &c);
        tn_land_add_select(&b, r, &c, tn_buf_str(&reader));
    }
    TN_TRY(check_types(r, &c, err));
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the reader's SQL", &sql, err));
    *ret_inferred = inferred_names(r, a, &c);
    *ret_sql = sql;
    return TN_OK;
}
