/* seed_table.c: csv files as agate reads them for dbt: a column is of the first type that all of its cells have, in the order number,
 * date, datetime, boolean, text; 'null' and '' are no value (and no objection) for all of them. */
#include "os/file.h"
#include "run/table.h"
#include "text/csv.h"
#include "text/timetext.h"

static bool is_null(tn_str s)
{
    return s.n == 0 || tn_str_eq_nocase(s, TN_STR("null"));
}

/* Decimal's grammar after agate's own clean-up: sign, '%' and currency signs off, thousands commas out. Returns the digits. */
static bool parse_number(tn_arena *a, tn_str s, tn_str *ret)
{
    bool minus = false;
    while (s.n > 0 && s.p[0] == '%') {
        s = tn_str_sub(s, 1, s.n);
    }
    while (s.n > 0 && s.p[s.n - 1] == '%') {
        s = tn_str_sub(s, 0, s.n - 1);
    }
    if (s.n > 0 && s.p[0] == '-') {
        minus = true;
        s = tn_str_sub(s, 1, s.n);
    }
    while (s.n > 0 && s.p[0] == '$') {
        s = tn_str_sub(s, 1, s.n);
    }
    while (s.n > 0 && s.p[s.n - 1] == '$') {
        s = tn_str_sub(s, 0, s.n - 1);
    }
    char *out = tn_arena_alloc(a, s.n + 2);
    size_t n = 0, digits = 0;
    bool dot = false, exponent = false;
    if (minus) {
        out[n++] = '-';
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ',') {
            continue;
        }
        bool sign_ok = (c == '-' || c == '+') &&
                       (i == 0 || (exponent && (s.p[i - 1] == 'e' || s.p[i - 1] == 'E')));
        if (c >= '0' && c <= '9') {
            digits++;
        } else if (c == '.' && !dot && !exponent) {
            dot = true;
        } else if ((c == 'e' || c == 'E') && !exponent && digits > 0 && i + 1 < s.n) {
            exponent = true;
        } else if (c == '_' && digits > 0) {
            continue;
        } else if (!sign_ok) {
            return false;
        }
        out[n++] = c;
    }
    *ret = tn_str_n(out, n);
    return digits > 0;
}

static bool parse_word(tn_str s, tn_val *ret)
{
    if (tn_str_eq_nocase(s, TN_STR("true")) || tn_str_eq_nocase(s, TN_STR("false"))) {
        *ret = tn_val_bool(s.p[0] == 't' || s.p[0] == 'T');
        return true;
    }
    return false;
}

/* One cell read as `kind`; false when it is not of it. */
static bool read_as(tn_arena *a, tn_table_kind kind, tn_str raw, tn_val *ret)
{
    tn_str s = tn_str_trim(raw);
    *ret = TN_VAL_NONE;
    if (is_null(s)) {
        return true;
    }
    int64_t n;
    bool zone;
    int offset;
    tn_str digits;
    switch (kind) {
    case TN_COL_NUMBER:
        if (!parse_number(a, s, &digits)) {
            return false;
        }
        *ret = tn_val_decimal(digits);
        return true;
    case TN_COL_DATE:
        if (!tn_parse_date(s, &n)) {
            return false;
        }
        *ret = (tn_val){ .tag = TN_DATE, .i = n };
        return true;
    case TN_COL_DATETIME:
        if (s.n < 11 || !tn_parse_timestamp(s, &n, &zone, &offset)) {
            return false;
        }
        *ret = (tn_val){ .tag = TN_DATETIME, .i = n, .n = zone ? TN_ZONE_UTC : TN_ZONE_NAIVE };
        return true;
    case TN_COL_BOOLEAN:
        return parse_word(s, ret);
    case TN_COL_INTEGER:
    case TN_COL_TEXT:
    default:
        *ret = tn_val_str(raw);
        return true;
    }
}

static tn_table_kind infer(tn_arena *a, tn_val rows, size_t col)
{
    static const tn_table_kind order[] = { TN_COL_NUMBER, TN_COL_DATE, TN_COL_DATETIME,
        TN_COL_BOOLEAN };
    TN_AUTO_ARENA scratch = tn_arena_new("infer", a);
    for (size_t k = 0; k < TN_COUNTOF(order); k++) {
        bool all = true;
        tn_val ignored;
        for (size_t r = 0; r < rows.list->n && all; r++) {
            tn_val v = rows.list->v[r].list->v[col];
            all = tn_val_is_none(v) || read_as(scratch, order[k], tn_val_as_str(v), &ignored);
        }
        if (all) {
            return order[k];
        }
    }
    return TN_COL_TEXT;
}

static bool has_name(tn_val names, tn_str name)
{
    for (size_t i = 0; i < names.list->n; i++) {
        if (tn_str_eq(tn_val_as_str(names.list->v[i]), name)) {
            return true;
        }
    }
    return false;
}

/* A column without a name gets a letter; one whose name is taken a number: a, a_2, a_3. */
static void add_name(tn_arena *a, tn_val names, tn_str given)
{
    size_t letter = names.list->n % 26, turns = names.list->n / 26 + 1;
    tn_buf letters = tn_buf_init(a, 1 << 16);
    tn_buf_add_repeat(&letters, (char)('a' + letter), turns);
    tn_str wanted = given.n > 0 ? given : tn_buf_str(&letters), name = wanted;
    for (size_t n = 2; has_name(names, name); n++) {
        name = tn_str_printf(a, TN_STR_FMT "_%zu", TN_STR_ARG(wanted), n);
    }
    tn_list_push(names.list, tn_val_str(name));
}

static tn_rc read_rows(
    tn_arena *a, tn_csv *csv, tn_str path, tn_val *ret_names, tn_val *ret_rows, tn_err *err)
{
    tn_val names = tn_val_list(a), rows = tn_val_list(a);
    tn_str *fields;
    size_t n;
    tn_rc rc = tn_csv_next(csv, a, &fields, &n, err);
    for (size_t i = 0; rc == TN_OK && n != SIZE_MAX && i < n; i++) {
        add_name(a, names, fields[i]);
    }
    size_t cols = names.list->n;
    tn_val *values = tn_new_array(a, tn_val, cols + 1);
    while (rc == TN_OK && n != SIZE_MAX) {
        int line = csv->line;
        rc = tn_csv_next(csv, a, &fields, &n, err);
        if (rc != TN_OK || n == SIZE_MAX || n == 0 || (n == 1 && fields[0].n == 0 && cols != 1)) {
            continue;
        }
        if (n > cols) {
            rc = tn_fail(
                err, TN_E_DATA, "row with %zu values, but there are only %zu columns", n, cols);
            tn_err_place(err, tn_str_z(a, path), line, 0);
            return rc;
        }
        for (size_t c = 0; c < cols; c++) {
            values[c] = c < n ? tn_val_str(fields[c]) : TN_VAL_NONE;
        }
        tn_list_push(rows.list, tn_val_tuple(a, values, cols));
    }
    *ret_names = names;
    *ret_rows = rows;
    return rc;
}

tn_rc tn_table_read_csv(
    tn_arena *a, tn_str path, char delimiter, const tn_dict *text_columns, tn_val *ret, tn_err *err)
{
    tn_str text;
    TN_TRY(tn_file_read(a, path, TN_SEED_BYTES_MAX, &text, err));
    if (tn_str_starts(text, TN_STR("\xEF\xBB\xBF"))) {
        text = tn_str_sub(text, 3, text.n);
    }
    tn_csv csv = tn_csv_init(text, delimiter);
    tn_val names = TN_VAL_NONE, rows = TN_VAL_NONE;
    tn_rc rc = read_rows(a, &csv, path, &names, &rows, err);
    if (rc != TN_OK) {
        tn_err_place(err, tn_str_z(a, path), csv.line, 0);
        return tn_while(err, rc, "reading the seed");
    }
    tn_val v = tn_table_new(a, names, rows);
    tn_table *t = (tn_table *)(void *)v.obj;
    for (size_t c = 0; c < names.list->n; c++) {
        bool text_only =
            text_columns != NULL && tn_dict_find(text_columns, names.list->v[c]) != NULL;
        t->kinds[c] = text_only ? TN_COL_TEXT : infer(a, rows, c);
        for (size_t r = 0; r < rows.list->n; r++) {
            tn_val *value = &rows.list->v[r].list->v[c];
            (void)(tn_val_is_none(*value) || read_as(a, t->kinds[c], tn_val_as_str(*value), value));
        }
    }
    *ret = v;
    return TN_OK;
}

/* A number column whose values all are whole is an integer. */
static bool has_fraction(const tn_table *t, size_t col)
{
    for (size_t r = 0; r < t->rows.list->n; r++) {
        tn_str s = tn_val_as_str(t->rows.list->v[r].list->v[col]);
        size_t dot = tn_str_find_char(s, '.', 0);
        for (size_t i = dot; dot != SIZE_MAX && i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
            if (s.p[i] >= '1' && s.p[i] <= '9') {
                return true;
            }
        }
    }
    return false;
}

const char *tn_table_sql_type(const tn_table *t, size_t col)
{
    switch (t->kinds[col]) {
    case TN_COL_NUMBER:
        return has_fraction(t, col) ? "float8" : "integer";
    case TN_COL_INTEGER:
        return "integer";
    case TN_COL_DATE:
        return "date";
    case TN_COL_DATETIME:
        return "timestamp without time zone";
    case TN_COL_BOOLEAN:
        return "boolean";
    case TN_COL_TEXT:
    default:
        return "text";
    }
}
