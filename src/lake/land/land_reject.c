/* land_reject.c: rows that could not be read: told with file and line, or put aside in a table of their own.
 *
 * The csv reader keeps them in two temporary tables (errors and scans). NDJSON has no such help: lines that are no JSON are found by reading the
 * files as plain lines, and the good lines are copied to cleaned files, which are landed in place of the originals.
 */
#include "lake/land/land_read.h"
#include "os/file.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { SQL_BYTES_MAX = 1 << 20, WHOLE_TEXT_MAX = 128 << 20 };

static void add_rejects(tn_buf *b, const tn_land_read *r)
{
    tn_buf_addz(b, "(SELECT DISTINCT s.file_path, e.line, e.column_name, e.error_type::VARCHAR AS "
                   "error_type, e.error_message, e.csv_line FROM ");
    tn_sql_ident(b, r->rejects);
    tn_buf_addz(b, " AS e JOIN ");
    tn_sql_ident(b, r->scans);
    tn_buf_addz(b, " AS s USING (scan_id, file_id))");
}

static tn_rc rejects_exist(
    const tn_land_read *r, tn_conn *conn, tn_arena *a, bool *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT count(*) FROM duckdb_tables() WHERE table_name = ");
    tn_sql_literal(&b, r->rejects);
    tn_val n;
    TN_TRY(tn_conn_scalar(conn, a, tn_buf_str(&b), &n, err));
    *ret = n.tag == TN_INT && n.i > 0;
    return TN_OK;
}

/* One line of the error's text: file:line: what. */
static void tell(tn_buf *b, tn_list *row)
{
    tn_str what = tn_val_as_str(row->v[3]);
    tn_str first, rest;
    tn_str_cut(what, '\n', &first, &rest);
    tn_buf_addf(b, "\n  " TN_STR_FMT ":%lld: ", TN_STR_ARG(tn_val_as_str(row->v[0])),
        (long long)row->v[1].i);
    if (row->v[2].tag == TN_STR_V && row->v[2].n > 0) {
        tn_buf_addf(b, "column '" TN_STR_FMT "': ", TN_STR_ARG(tn_val_as_str(row->v[2])));
    }
    tn_buf_add(b, first);
}

static tn_rc guessed(
    const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_val inferred, bool *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT DISTINCT column_name FROM ");
    add_rejects(&b, r);
    tn_buf_addz(&b, " WHERE error_type = 'CAST'");
    tn_val rows;
    TN_TRY(tn_conn_rows(conn, a, tn_buf_str(&b), 100000, &rows, NULL, err));
    bool any = false;
    for (size_t i = 0; i < rows.list->n; i++) {
        tn_val name = rows.list->v[i].list->v[0];
        any = any || (name.tag == TN_STR_V && tn_dict_finds(inferred.dict,
                                                  tn_str_lower(a, tn_val_as_str(name))) != NULL);
    }
    *ret = any;
    return TN_OK;
}

tn_rc tn_land_rejects_read(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_val inferred,
    tn_land_rejects *ret, tn_err *err)
{
    tn_land_rejects out = { 0 };
    bool there = false;
    TN_TRY(rejects_exist(r, conn, a, &there, err));
    if (there) {
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&b, "SELECT count(DISTINCT (file_path, line)) FROM ");
        add_rejects(&b, r);
        tn_val n;
        TN_TRY(tn_conn_scalar(conn, a, tn_buf_str(&b), &n, err));
        out.rows = n.i;
    }
    if (out.rows > 0) {
        TN_TRY(guessed(r, conn, a, inferred, &out.guessed_type, err));
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&b, "SELECT ");
        tn_land_add_shown(&b, r, TN_STR("file_path"));
        tn_buf_addz(&b, ", line::BIGINT, column_name, error_message FROM ");
        add_rejects(&b, r);
        tn_land_add_shown_join(&b, r, TN_STR("file_path"));
        tn_buf_addf(&b, " ORDER BY 1, 2, 3 LIMIT %d", TN_LAND_BAD_SHOWN);
        tn_val rows;
        TN_TRY(tn_conn_rows(conn, a, tn_buf_str(&b), TN_LAND_BAD_SHOWN, &rows, NULL, err));
        tn_buf text = tn_buf_init(a, SQL_BYTES_MAX);
        for (size_t i = 0; i < rows.list->n; i++) {
            tell(&text, rows.list->v[i].list);
        }
        out.told = tn_buf_str(&text);
    }
    *ret = out;
    return TN_OK;
}

tn_str tn_land_rejects_sql(const tn_land_read *r, tn_arena *a)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT ");
    tn_land_add_shown(&b, r, TN_STR("file_path"));
    tn_buf_addz(&b, " AS _source_file, line::BIGINT AS line, column_name, error_type, "
                    "error_message AS error, csv_line AS raw, ");
    tn_sql_value(&b, r->loaded_at);
    tn_buf_addz(&b, "::TIMESTAMPTZ AS _loaded_at FROM ");
    add_rejects(&b, r);
    tn_land_add_shown_join(&b, r, TN_STR("file_path"));
    return tn_buf_str(&b);
}

/* ---- NDJSON ---- */

/* (line, text) of a file. The csv reader steps over blank lines without counting them, so it is only for files that are too big for the other way, or
 * compressed: the lines told are then those that are not blank. */
static void add_lines(tn_buf *b, tn_arena *a, tn_str path)
{
    tn_file_info info = { 0 };
    tn_str ext = tn_path_ext(path);
    bool packed = tn_str_eq_nocase(ext, TN_STR("gz")) || tn_str_eq_nocase(ext, TN_STR("zst"));
    bool whole =
        !packed && tn_file_stat(a, path, &info, NULL) == TN_OK && info.size <= WHOLE_TEXT_MAX;
    if (whole) {
        tn_buf_addz(b,
            "(SELECT generate_subscripts(l, 1) AS line, rtrim(unnest(l), chr(13)) AS text FROM "
            "(SELECT string_split(content, chr(10)) AS l FROM read_text(");
        tn_sql_literal(b, path);
        tn_buf_addz(b, ")))");
        return;
    }
    tn_buf_addz(b, "(SELECT row_number() OVER () AS line, text FROM read_csv(");
    tn_sql_literal(b, path);
    tn_buf_addz(b, ", columns = {'text': 'VARCHAR'}, auto_detect = false, header = false, delim = "
                   "'\x1f', quote = '', escape = '', "
                   "strict_mode = false, max_line_size = 67108864, nullstr = '\x1e'))");
}

typedef struct typed {
    tn_str name, type;
} typed;
typedef tn_vec(typed) typed_list;

/* Columns whose types are not guessed: the user's, then the table's. */
static typed_list typed_columns(const tn_land_read *r, tn_arena *a)
{
    typed_list out = { 0 };
    size_t at = 0;
    const tn_dict_item *it;
    const tn_val types = r->opts->types;
    while (types.tag == TN_DICT && (it = tn_dict_next(types.dict, &at)) != NULL) {
        tn_vec_push(&out, a, ((typed){ tn_val_as_str(it->key), tn_val_as_str(it->value) }));
    }
    bool from_table = r->table != NULL && r->opts->schema_mode != TN_SCHEMA_OVERWRITE;
    for (size_t i = 0; from_table && i < r->table->fields.n; i++) {
        const tn_delta_field *f = &r->table->fields.v[i];
        if (types.tag != TN_DICT || tn_dict_finds(types.dict, f->name) == NULL) {
            tn_buf type = tn_buf_init(a, SQL_BYTES_MAX);
            tn_delta_type_to_sql(&type, f->type);
            tn_vec_push(&out, a, ((typed){ f->name, tn_buf_str(&type) }));
        }
    }
    return out;
}

/* True for a line that is JSON, has the member, and whose value cannot have the type. */
static void add_misfit(tn_buf *b, tn_arena *a, const typed *t)
{
    tn_str path = tn_str_printf(a, "$.\"" TN_STR_FMT "\"", TN_STR_ARG(t->name));
    tn_buf_addz(b, "coalesce(CASE WHEN json_valid(text) THEN json_type(text, ");
    tn_sql_literal(b, path);
    tn_buf_addz(b, ") <> 'NULL' AND TRY_CAST(json_extract(text, ");
    tn_sql_literal(b, path);
    tn_buf_addz(b, ") AS ");
    tn_buf_add(b, t->type);
    tn_buf_addz(b, ") IS NULL ELSE false END, false)");
}

/* Rejects the lines of file i for which `fault` holds; column empty: the line is no JSON. */
static tn_rc reject_lines(const tn_land_read *r, tn_conn *conn, tn_arena *a, size_t i,
    const typed *t, int64_t *bad, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "INSERT INTO ");
    tn_sql_ident(&b, r->rejects);
    tn_buf_addf(&b, " SELECT 0, %zu, line, ", i);
    if (t == NULL) {
        tn_buf_addz(&b, "NULL, 'JSON', 'the line is not valid JSON', text FROM ");
    } else {
        tn_sql_literal(&b, t->name);
        tn_buf_addz(&b, ", 'CAST', ");
        tn_sql_literal(
            &b, tn_str_printf(a, "the value cannot be read as " TN_STR_FMT, TN_STR_ARG(t->type)));
        tn_buf_addz(&b, ", text FROM ");
    }
    add_lines(&b, a, r->files.v[i].path);
    tn_buf_addz(&b, " WHERE trim(text) <> '' AND ");
    if (t == NULL) {
        tn_buf_addz(&b, "NOT json_valid(text)");
    } else {
        add_misfit(&b, a, t);
    }
    TN_AUTOPTR(tn_result) res = NULL;
    TN_TRY(tn_conn_query(conn, tn_buf_str(&b), &res, err));
    *bad += tn_result_changed(res);
    return TN_OK;
}

static tn_rc aside_one(tn_land_read *r, tn_conn *conn, tn_arena *a, size_t i, tn_str temp_dir,
    int64_t *ret_bad, tn_err *err)
{
    typed_list types = typed_columns(r, a);
    int64_t bad = 0;
    TN_TRY(reject_lines(r, conn, a, i, NULL, &bad, err));
    for (size_t k = 0; k < types.n; k++) {
        TN_TRY(reject_lines(r, conn, a, i, &types.v[k], &bad, err));
    }
    if (bad > 0) {
        tn_str clean = tn_str_printf(a, TN_STR_FMT "/clean-%zu.ndjson", TN_STR_ARG(temp_dir), i);
        tn_buf c = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&c, "COPY (SELECT text FROM ");
        add_lines(&c, a, r->files.v[i].path);
        tn_buf_addz(&c, " WHERE json_valid(text)");
        for (size_t k = 0; k < types.n; k++) {
            tn_buf_addz(&c, " AND NOT ");
            add_misfit(&c, a, &types.v[k]);
        }
        tn_buf_addz(&c, " ORDER BY line) TO ");
        tn_sql_literal(&c, clean);
        tn_buf_addz(&c, " (FORMAT csv, HEADER false, DELIMITER '\x1f', QUOTE '', ESCAPE '')");
        TN_TRY(tn_conn_exec(conn, tn_buf_str(&c), err));
        r->files.v[i].path = clean;
    }
    *ret_bad = bad;
    return TN_OK;
}

tn_rc tn_land_ndjson_aside(tn_land_read *r, tn_conn *conn, tn_arena *a, tn_str temp_dir,
    int64_t *ret_rejected, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "CREATE TEMP TABLE ");
    tn_sql_ident(&b, r->rejects);
    tn_buf_addz(&b, "(scan_id BIGINT, file_id BIGINT, line BIGINT, column_name VARCHAR, error_type "
                    "VARCHAR, error_message VARCHAR, csv_line VARCHAR); "
                    "CREATE TEMP TABLE ");
    tn_sql_ident(&b, r->scans);
    tn_buf_addz(&b, "(scan_id BIGINT, file_id BIGINT, file_path VARCHAR)");
    TN_TRY(tn_conn_exec(conn, tn_buf_str(&b), err));
    int64_t total = 0;
    for (size_t i = 0; i < r->files.n; i++) {
        tn_buf s = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&s, "INSERT INTO ");
        tn_sql_ident(&s, r->scans);
        tn_buf_addf(&s, " VALUES (0, %zu, ", i);
        tn_sql_literal(&s, r->files.v[i].shown);
        tn_buf_addc(&s, ')');
        TN_TRY(tn_conn_exec(conn, tn_buf_str(&s), err));
        int64_t bad;
        TN_TRY(aside_one(r, conn, a, i, temp_dir, &bad, err));
        total += bad;
    }
    *ret_rejected = total;
    return TN_OK;
}
