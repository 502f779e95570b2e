/* table_print.c: agate's print_table. */
#include "base/buf.h"
#include "run/table.h"

static size_t width_of(tn_str s)
{
    return tn_utf8_len(s);
}

/* agate shows decimals with thousands separators and at most three places, everything else as text. */
static tn_str print_cell(tn_arena *a, tn_table_kind kind, tn_val v)
{
    if (tn_val_is_none(v)) {
        return TN_STR("");
    }
    tn_str text = tn_val_to_str(a, v);
    double f;
    if (kind != TN_COL_NUMBER || !tn_str_to_f64(text, &f)) {
        return text;
    }
    char digits[64];
    int n = snprintf(digits, sizeof digits, "%.3f", f);
    size_t end = n > 0 ? tn_min_size((size_t)n, sizeof digits - 1) : 0;
    while (end > 0 && digits[end - 1] == '0') {
        end--;
    }
    end -= end > 0 && digits[end - 1] == '.' ? 1 : 0;
    size_t dot = strcspn(digits, ".");
    tn_buf b = tn_buf_init(a, 128);
    for (size_t i = 0; i < end; i++) {
        if (i > 0 && i < dot && (dot - i) % 3 == 0 && digits[i - 1] != '-') {
            tn_buf_addc(&b, ',');
        }
        tn_buf_addc(&b, digits[i]);
    }
    return tn_str_dup(a, tn_buf_str(&b));
}

static tn_str shorten(tn_arena *a, tn_str s)
{
    enum { WIDTH_MAX = 20 };
    if (width_of(s) <= WIDTH_MAX) {
        return s;
    }
    return tn_str_printf(
        a, TN_STR_FMT "...", TN_STR_ARG(tn_str_sub(s, 0, tn_utf8_offset(s, WIDTH_MAX - 3))));
}

static void print_padded(tn_buf *b, tn_str s, size_t width, bool right)
{
    size_t pad = width > width_of(s) ? width - width_of(s) : 0;
    tn_buf_addz(b, " ");
    tn_buf_add_repeat(b, ' ', right ? pad : 0);
    tn_buf_add(b, s);
    tn_buf_add_repeat(b, ' ', right ? 0 : pad);
    tn_buf_addz(b, " |");
}

void tn_table_print(tn_buf *b, const tn_table *t, size_t rows_max, size_t cols_max)
{
    tn_arena *a = b->arena;
    size_t cols = cols_max == 0 ? t->names.list->n : tn_min_size(cols_max, t->names.list->n);
    size_t rows = rows_max == 0 ? t->rows.list->n : tn_min_size(rows_max, t->rows.list->n);
    size_t *widths = tn_new_array(a, size_t, cols + 1);
    tn_str *cells = tn_new_array(a, tn_str, (rows + 1) * (cols + 1));
    for (size_t r = 0; r <= rows; r++) {
        for (size_t c = 0; c < cols; c++) {
            tn_str s =
                shorten(a, r == 0 ? tn_val_as_str(t->names.list->v[c])
                                  : print_cell(a, t->kinds[c], t->rows.list->v[r - 1].list->v[c]));
            cells[r * cols + c] = s;
            widths[c] = tn_max_size(widths[c], width_of(s));
        }
    }
    for (size_t r = 0; r <= rows; r++) {
        tn_buf_addc(b, '|');
        for (size_t c = 0; c < cols; c++) {
            print_padded(b, cells[r * cols + c], widths[c], t->kinds[c] != TN_COL_TEXT);
        }
        tn_buf_addz(b, cols < t->names.list->n ? " ... |\n" : "\n");
        for (size_t c = 0; r == 0 && c < cols; c++) {
            tn_buf_addz(b, c == 0 ? "| " : " ");
            tn_buf_add_repeat(b, '-', widths[c]);
            tn_buf_addz(b, " |");
        }
        tn_buf_addz(b, r > 0 ? "" : cols < t->names.list->n ? " --- |\n" : "\n");
    }
}
