/* table_write.c: a table as agate writes it: CSV as Python's csv module does, JSON as a list of rows, one row a line, or rows by a key. */
#include "os/file.h"
#include "project/context.h"
#include "run/value/table_impl.h"
#include "text/json.h"
#include "text/timetext.h"
#include "text/uri.h"

static bool is_time(tn_val v)
{
    return v.tag == TN_DATE || v.tag == TN_DATETIME;
}

static tn_str iso_text(tn_arena *a, tn_val v)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_py_datetime(&b, v, 'T');
    return tn_buf_str(&b);
}

/* ---- CSV ---- */

typedef struct csv_style {
    tn_str delimiter, end; /* of fields, of lines */
    bool numbered;
} csv_style;

/* Quoted when there is something in it that parts fields or lines. Line ends of old Macs become those of Unix. */
static void add_field(tn_buf *b, tn_arena *a, tn_str s, const csv_style *style)
{
    s = tn_str_replace(a, s, TN_STR("\r"), TN_STR("\n"));
    bool quoted =
        tn_str_find(s, style->delimiter, 0) != SIZE_MAX || tn_str_find_char(s, '"', 0) != SIZE_MAX;
    for (size_t i = 0; i < style->end.n; i++) {
        quoted = quoted || tn_str_find_char(s, style->end.p[i], 0) != SIZE_MAX;
    }
    if (quoted) {
        tn_buf_addf(b, "\"" TN_STR_FMT "\"",
            TN_STR_ARG(tn_str_replace(a, s, TN_STR("\""), TN_STR("\"\""))));
    } else {
        tn_buf_add(b, s);
    }
}

static void add_line(
    tn_buf *b, tn_arena *a, const tn_val *cells, size_t n, tn_str number, const csv_style *style)
{
    size_t begin = b->n;
    if (style->numbered) {
        tn_buf_add(b, number);
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0 || style->numbered) {
            tn_buf_add(b, style->delimiter);
        }
        tn_val v = cells[i];
        add_field(b, a,
            tn_val_is_none(v) ? TN_STR("")
            : is_time(v)      ? iso_text(a, v)
                              : tn_val_to_str(a, v),
            style);
    }
    if (n == 1 && b->n == begin) { /* else it would be no line */
        tn_buf_addz(b, "\"\"");
    }
    tn_buf_add(b, style->end);
}

static tn_rc print_csv(const tn_call *call, const tn_table *t, size_t place, tn_buf *b, tn_err *err)
{
    static const char *const words[] = { "delimiter", "lineterminator", "line_numbers", NULL };
    static const char *const with_path[] = { "path", "delimiter", "lineterminator", "line_numbers",
        NULL };
    TN_TRY(tn_call_check(call, place == 0 ? "print_csv" : "to_csv", place, place,
        place == 0 ? words : with_path, err));
    tn_arena *a = call->arena;
    tn_val delimiter = tn_call_arg(call, SIZE_MAX, "delimiter"),
           end = tn_call_arg(call, SIZE_MAX, "lineterminator");
    csv_style style = { tn_val_is_str(delimiter) ? tn_val_as_str(delimiter) : TN_STR(","),
        tn_val_is_str(end) ? tn_val_as_str(end) : TN_STR("\n"),
        tn_val_truthy(tn_call_arg(call, SIZE_MAX, "line_numbers")) };
    if (tn_utf8_len(style.delimiter) != 1) {
        return tn_fail(err, TN_E_TYPE, "\"delimiter\" must be a 1-character string");
    }
    add_line(b, a, t->names.list->v, t->names.list->n, TN_STR("line_number"), &style);
    for (size_t r = 0; r < t->rows.list->n; r++) {
        const tn_list *row = t->rows.list->v[r].list;
        add_line(b, a, row->v, row->n, tn_str_printf(a, "%zu", r + 1), &style);
    }
    return TN_OK;
}

/* ---- JSON ---- */

static tn_val json_cell(tn_arena *a, tn_table_kind kind, tn_val v)
{
    if (kind == TN_COL_NUMBER && !tn_val_is_none(v)) {
        return tn_val_float(strtod(tn_str_z(a, tn_val_to_str(a, v)), NULL));
    }
    return is_time(v) ? tn_val_str(iso_text(a, v))
           : tn_val_is_none(v) || v.tag == TN_INT || v.tag == TN_BIGINT || v.tag == TN_BOOL
               ? v
               : tn_val_str(tn_val_to_str(a, v));
}

static tn_val json_row(tn_arena *a, const tn_table *t, size_t row)
{
    tn_val d = tn_val_dict(a);
    for (size_t c = 0; c < t->names.list->n; c++) {
        tn_dict_put(d.dict, t->names.list->v[c],
            json_cell(a, t->kinds[c], t->rows.list->v[row].list->v[c]));
    }
    return d;
}

static tn_rc by_key(const tn_call *call, const tn_table *t, tn_val key, tn_val *ret, tn_err *err)
{
    tn_arena *a = call->arena;
    *ret = tn_val_dict(a);
    for (size_t r = 0; r < t->rows.list->n; r++) {
        tn_val k;
        TN_TRY(table_key_of(call, t, r, key, &k, err));
        tn_str name = tn_val_to_str(a, k);
        if (tn_dict_finds(ret->dict, name) != NULL) {
            return tn_fail(err, TN_E_VALUE, "Value " TN_STR_FMT " is not unique in the key column.",
                TN_STR_ARG(name));
        }
        tn_dict_puts(ret->dict, tn_str_dup(a, name), json_row(a, t, r));
    }
    return TN_OK;
}

static tn_rc print_json(
    const tn_call *call, const tn_table *t, size_t place, tn_buf *b, tn_err *err)
{
    static const char *const words[] = { "key", "newline", "indent", "sort_keys", "ensure_ascii",
        NULL };
    static const char *const with_path[] = { "path", "key", "newline", "indent", "sort_keys",
        "ensure_ascii", NULL };
    TN_TRY(tn_call_check(call, place == 0 ? "print_json" : "to_json", place,
        place == 0 ? 0 : place + 3, place == 0 ? words : with_path, err));
    size_t at = place == 0 ? SIZE_MAX - 2 : place; /* print_json takes keywords only */
    tn_arena *a = call->arena;
    tn_val key = tn_call_arg(call, at, "key"), indent = tn_call_arg(call, at + 2, "indent"), doc;
    bool lines = tn_val_truthy(tn_call_arg(call, at + 1, "newline"));
    if (lines && (tn_val_is_given(key) || tn_val_is_given(indent))) {
        return tn_fail(err, TN_E_VALUE, "newline and %s may not be specified together.",
            tn_val_is_given(key) ? "key" : "indent");
    }
    tn_json_style style = { .indent = indent.tag == TN_INT && indent.i > 0 ? (int)indent.i : 0,
        .sort_keys = tn_val_truthy(tn_call_arg(call, SIZE_MAX, "sort_keys")),
        .ascii = tn_val_truthy(tn_call_arg(call, SIZE_MAX, "ensure_ascii")),
        .py_separators = true,
        .allow_nan = true };
    if (tn_val_is_given(key)) {
        TN_TRY(by_key(call, t, key, &doc, err));
    } else {
        doc = tn_val_list(a);
        for (size_t r = 0; r < t->rows.list->n; r++) {
            tn_list_push(doc.list, json_row(a, t, r));
        }
    }
    for (size_t r = 0; lines && r < doc.list->n; r++) {
        tn_json_print(b, doc.list->v[r], &style);
        tn_buf_addz(b, "\n");
    }
    if (!lines) {
        tn_json_print(b, doc, &style);
    }
    return TN_OK;
}

/* ---- where it goes ---- */

/* Below the project, with the folders above it. */
static tn_rc write_at(const tn_call *call, tn_str text, tn_err *err)
{
    tn_val path = tn_call_arg(call, 0, "path");
    if (!tn_val_is_str(path) || tn_val_as_str(path).n == 0) {
        return tn_fail(
            err, TN_E_TYPE, "a table is written to a path, not to %s", tn_val_type_name(path));
    }
    tn_str file = tn_val_as_str(path);
    if (file.p[0] != '/') {
        file = tn_uri_join(call->arena, tn_pctx_of(call)->project->root, file);
    }
    TN_TRY(tn_dir_make(tn_path_dir(file), err));
    return tn_file_write(file, text, err);
}

tn_rc table_write(const tn_call *call, const tn_table *t, bool json, bool to_file, tn_err *err)
{
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    size_t place = to_file ? 1 : 0;
    TN_TRY(json ? print_json(call, t, place, &b, err) : print_csv(call, t, place, &b, err));
    if (to_file) {
        return write_at(call, tn_buf_str(&b), err);
    }
    (void)fwrite(b.p, 1, b.n, stdout);
    return TN_OK;
}
