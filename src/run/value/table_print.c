/* table_print.c: a table as agate prints it: | a | b | lines. Numbers of a column all show as many places as the one that has the most, three at most. */
#include "run/value/table_impl.h"

enum { WIDTH_MAX = 20, PLACES_MAX = 3, EXPONENT_MAX = 400 };

/* ---- numbers ---- */

/* A decimal number's text taken apart: 0.digits * 10^point. */
typedef struct decimal {
    bool negative;
    char *digits; /* no zeros at either end; none at all: zero */
    int64_t n, point;
} decimal;

/* Fails on what has no digits: Infinity, NaN. */
static bool take_apart(tn_arena *a, tn_str text, decimal *ret)
{
    size_t i = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+') ? 1 : 0;
    *ret = (decimal){ .negative = text.n > 0 && text.p[0] == '-',
        .digits = tn_new_array(a, char, text.n + 1) };
    bool dot = false, any = false;
    for (; i < text.n && (text.p[i] == '.' || (text.p[i] >= '0' && text.p[i] <= '9')); i++) {
        if (text.p[i] == '.') {
            dot = true;
            continue;
        }
        any = true;
        bool leading = ret->n == 0 && text.p[i] == '0';
        ret->point += dot ? (leading ? -1 : 0) : (leading ? 0 : 1);
        if (!leading) {
            ret->digits[ret->n++] = text.p[i];
        }
    }
    int64_t exponent = 0;
    if (any && i < text.n && (text.p[i] == 'e' || text.p[i] == 'E')) {
        tn_str rest = tn_str_sub(text, i + 1, text.n);
        rest = tn_str_starts(rest, TN_STR("+")) ? tn_str_sub(rest, 1, rest.n) : rest;
        any = tn_str_to_i64(rest, &exponent) && exponent > -EXPONENT_MAX && exponent < EXPONENT_MAX;
    } else {
        any = any && i == text.n;
    }
    ret->point += exponent;
    while (ret->n > 0 && ret->digits[ret->n - 1] == '0') {
        ret->n--;
    }
    return any;
}

static int64_t places_of(const decimal *d)
{
    return d->n > d->point ? d->n - d->point : 0;
}

/* Rounds half to even. */
static void round_to(decimal *d, int64_t places)
{
    int64_t keep = d->point + places; /* digits that stay */
    if (keep >= d->n) {
        return;
    }
    bool up = false;
    if (keep >= 0) {
        char next = d->digits[keep];
        bool odd = keep > 0 && (d->digits[keep - 1] - '0') % 2 == 1;
        up = next > '5' || (next == '5' && (keep + 1 < d->n || odd));
    }
    d->n = keep > 0 ? keep : 0;
    for (int64_t i = d->n; up && i-- > 0;) {
        up = d->digits[i] == '9';
        d->digits[i] = up ? '0' : (char)(d->digits[i] + 1);
    }
    if (up) { /* 9.99: one digit more in front; all others are 0 */
        d->digits[0] = '1';
        d->point = d->n > 0 ? d->point + 1 : 1 - places;
        d->n = 1;
    }
}

static tn_str print_number(tn_arena *a, decimal d, int64_t places, bool more)
{
    round_to(&d, places);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, d.negative ? "-" : "");
    int64_t whole = d.point < 1 ? 1 : d.point, zeros = whole - d.point;
    for (int64_t i = 0; i < whole + places; i++) {
        if (i == whole) {
            tn_buf_addc(&b, '.');
        } else if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            tn_buf_addc(&b, ',');
        }
        bool known = i >= zeros && i - zeros < d.n;
        tn_buf_addc(&b, known ? d.digits[i - zeros] : '0');
    }
    tn_buf_addz(&b, more ? "\xe2\x80\xa6" : "");
    return tn_buf_str(&b);
}

/* How many places the numbers of a column have, of the rows that are shown. */
static int64_t places_of_column(tn_arena *a, const tn_table *t, size_t col, size_t rows)
{
    int64_t most = 0;
    for (size_t r = 0; t->kinds[col] == TN_COL_NUMBER && r < rows; r++) {
        tn_val v = t->rows.list->v[r].list->v[col];
        decimal d;
        if (!tn_val_is_none(v) && take_apart(a, tn_val_to_str(a, v), &d)) {
            most = places_of(&d) > most ? places_of(&d) : most;
        }
    }
    return most;
}

/* ---- cells and lines ---- */

static tn_str print_cell(tn_arena *a, tn_table_kind kind, int64_t places, tn_val v)
{
    decimal d;
    if (tn_val_is_none(v)) {
        return TN_STR("");
    }
    tn_str text = tn_val_to_str(a, v);
    if (kind != TN_COL_NUMBER || !take_apart(a, text, &d)) {
        return text;
    }
    bool more = places > PLACES_MAX;
    return print_number(a, d, more ? PLACES_MAX : places, more);
}

static tn_str shorten(tn_arena *a, tn_str s)
{
    if (tn_utf8_len(s) <= WIDTH_MAX) {
        return s;
    }
    return tn_str_printf(
        a, TN_STR_FMT "...", TN_STR_ARG(tn_str_sub(s, 0, tn_utf8_offset(s, WIDTH_MAX - 3))));
}

static void print_padded(tn_buf *b, tn_str s, size_t width, bool right)
{
    size_t wide = tn_utf8_len(s), pad = width > wide ? width - wide : 0;
    tn_buf_addz(b, " ");
    tn_buf_add_repeat(b, ' ', right ? pad : 0);
    tn_buf_add(b, s);
    tn_buf_add_repeat(b, ' ', right ? 0 : pad);
    tn_buf_addz(b, " |");
}

/* The texts of all lines, the names first; what each column needs goes to widths. */
static tn_str *print_cells(tn_arena *a, const tn_table *t, size_t rows, size_t cols, size_t *widths)
{
    tn_str *cells = tn_new_array(a, tn_str, (rows + 1) * (cols + 1));
    for (size_t c = 0; c < cols; c++) {
        int64_t places = places_of_column(a, t, c, rows);
        for (size_t r = 0; r <= rows; r++) {
            tn_str s =
                shorten(a, r == 0 ? tn_val_as_str(t->names.list->v[c])
                                  : print_cell(a, t->kinds[c], places, tn_table_cell(t, r - 1, c)));
            cells[r * cols + c] = s;
            widths[c] = tn_max_size(widths[c], tn_utf8_len(s));
        }
    }
    return cells;
}

void tn_table_print(tn_buf *b, const tn_table *t, size_t rows_max, size_t cols_max)
{
    tn_arena *a = b->arena;
    size_t all_cols = t->names.list->n, all_rows = t->rows.list->n;
    size_t cols = cols_max == 0 ? all_cols : tn_min_size(cols_max, all_cols);
    size_t rows = rows_max == 0 ? all_rows : tn_min_size(rows_max, all_rows);
    size_t *widths = tn_new_array(a, size_t, cols + 1);
    const tn_str *cells = print_cells(a, t, rows, cols, widths);
    const char *end = cols < all_cols ? " ... |\n" : "\n";
    for (size_t r = 0; r <= rows + (rows < all_rows); r++) {
        tn_buf_addc(b, '|');
        for (size_t c = 0; c < cols; c++) {
            print_padded(b, r <= rows ? cells[r * cols + c] : TN_STR("..."), widths[c],
                t->kinds[c] != TN_COL_TEXT);
        }
        tn_buf_addz(b, end);
        for (size_t c = 0; r == 0 && c < cols; c++) {
            tn_buf_addz(b, c == 0 ? "| " : " ");
            tn_buf_add_repeat(b, '-', widths[c]);
            tn_buf_addz(b, " |");
        }
        tn_buf_addz(b, r > 0 ? "" : cols < all_cols ? " --- |\n" : "\n");
    }
}
