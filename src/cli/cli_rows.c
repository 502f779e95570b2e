/* cli_rows.c: rows as csv, json and ndjson; the table for people is in cli_grid.c.
 *
 * csv: RFC 4180, a header line, NULL is an empty field and the empty string is "". json: one array of objects; ndjson: one object a line. Numbers
 * that JSON cannot hold (NaN, infinity) are null; dates and times are ISO 8601.
 */
#include "cli/cli_rows.h"

#include "cli/cli_grid.h"
#include "text/csv.h"
#include "text/json.h"

enum { CHUNK_BYTES = 1 << 20 };

bool tn_rows_format_of(tn_str word, tn_rows_format *ret)
{
    static const char *const names[] = { "table", "csv", "json", "ndjson", "parquet", "arrow" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(word, names[i])) {
            *ret = (tn_rows_format)i;
            return true;
        }
    }
    if (tn_str_is(word, "jsonl")) {
        *ret = TN_ROWS_NDJSON;
        return true;
    }
    return false;
}

size_t tn_rows_cols(const tn_rows *rows)
{
    return rows->result != NULL ? tn_result_cols(rows->result) : rows->names.list->n;
}

tn_str tn_rows_name(const tn_rows *rows, size_t col)
{
    return rows->result != NULL ? tn_result_name(rows->result, col)
                                : tn_val_as_str(rows->names.list->v[col]);
}

tn_rc tn_rows_chunk(tn_rows *rows, size_t *at, size_t *ret_n, tn_err *err)
{
    if (rows->result != NULL) {
        return tn_result_next(rows->result, ret_n, err);
    }
    *ret_n = *at == 0 ? rows->list.list->n : 0;
    *at = rows->list.list->n;
    return TN_OK;
}

tn_val tn_rows_cell(const tn_rows *rows, tn_arena *a, size_t col, size_t row)
{
    return rows->result != NULL ? tn_result_cell(rows->result, a, col, row)
                                : rows->list.list->v[row].list->v[col];
}

bool tn_rows_text(const tn_rows *rows, tn_arena *a, size_t col, size_t row, tn_str *ret)
{
    if (rows->result != NULL) {
        return tn_result_text(rows->result, a, col, row, ret);
    }
    tn_val v = rows->list.list->v[row].list->v[col];
    if (v.tag == TN_NONE) {
        return false;
    }
    *ret = v.tag == TN_BOOL ? tn_str_of(v.i ? "true" : "false") : tn_val_to_str(a, v);
    return true;
}

static tn_rc put(FILE *out, tn_buf *b, tn_err *err)
{
    size_t n = b->n;
    bool ok = n == 0 || fwrite(b->p, 1, n, out) == n;
    tn_buf_reset(b);
    return ok ? TN_OK
              : tn_fail(err, TN_E_IO, "the result cannot be written: the output is full or closed");
}

static void csv_row(tn_buf *b, const tn_rows *rows, tn_arena *a, size_t row, size_t cols)
{
    for (size_t c = 0; c < cols; c++) {
        tn_str text;
        tn_buf_addz(b, c > 0 ? "," : "");
        if (tn_rows_text(rows, a, c, row, &text)) {
            if (text.n == 0) {
                tn_buf_addz(b, "\"\"");
            } else {
                tn_csv_field(b, text, ',');
            }
        }
    }
    tn_buf_addc(b, '\n');
}

static void json_row(tn_buf *b, const tn_rows *rows, tn_arena *a, size_t row, size_t cols)
{
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    for (size_t c = 0; c < cols; c++) {
        tn_jw_key_s(&w, tn_rows_name(rows, c));
        tn_jw_val(&w, tn_rows_cell(rows, a, c, row));
    }
    tn_jw_obj_end(&w);
}

static void header_line(tn_buf *b, const tn_rows *rows)
{
    for (size_t c = 0; c < tn_rows_cols(rows); c++) {
        tn_buf_addz(b, c > 0 ? "," : "");
        tn_csv_field(b, tn_rows_name(rows, c), ',');
    }
    tn_buf_addc(b, '\n');
}

static tn_rc print_lines(
    tn_rows *rows, const tn_rows_style *style, FILE *out, int64_t *ret_rows, tn_err *err)
{
    TN_AUTO_ARENA own = tn_arena_new("rows", NULL);
    tn_buf b = tn_buf_init(own, TN_BUF_NO_LIMIT);
    size_t cols = tn_rows_cols(rows), n, at = 0;
    int64_t total = 0;
    if (style->format == TN_ROWS_CSV && style->header) {
        header_line(&b, rows);
    }
    tn_buf_addz(&b, style->format == TN_ROWS_JSON ? "[" : "");
    TN_AUTO_ARENA a = tn_arena_new("row", NULL);
    for (;;) {
        TN_TRY(tn_rows_chunk(rows, &at, &n, err));
        if (n == 0) {
            break;
        }
        for (size_t i = 0; i < n; i++, total++) {
            if (style->format == TN_ROWS_CSV) {
                csv_row(&b, rows, a, i, cols);
            } else {
                tn_buf_addz(&b, style->format == TN_ROWS_NDJSON ? "" : total > 0 ? ",\n " : "\n ");
                json_row(&b, rows, a, i, cols);
                tn_buf_addz(&b, style->format == TN_ROWS_NDJSON ? "\n" : "");
            }
            if (b.n >= CHUNK_BYTES) {
                TN_TRY(put(out, &b, err));
            }
        }
        tn_arena_reset(a);
    }
    tn_buf_addz(&b, style->format != TN_ROWS_JSON ? "" : total > 0 ? "\n]\n" : "]\n");
    TN_TRY(put(out, &b, err));
    *ret_rows = total;
    return TN_OK;
}

tn_rc tn_rows_print(
    tn_rows *rows, const tn_rows_style *style, FILE *out, int64_t *ret_rows, tn_err *err)
{
    int64_t total;
    TN_TRY(style->format == TN_ROWS_TABLE ? tn_grid_print(rows, style, out, &total, err)
                                          : print_lines(rows, style, out, &total, err));
    if (fflush(out) != 0) {
        return tn_fail(err, TN_E_IO, "the result cannot be written: the output is full or closed");
    }
    if (ret_rows != NULL) {
        *ret_rows = total;
    }
    return TN_OK;
}
