/* cli_grid.c: a result as a table with lines, as wide as it needs and not wider than the terminal.
 *
 *   ┌────────┬─────────┐   names, and types below them
 *   │ symbol │   close │   numbers to the right
 *   │ varchar│  double │   NULL shown as such
 *   ├────────┼─────────┤   line feeds and tabs shown as \n and \t
 *   │ AAPL   │  131.25 │
 *   └────────┴─────────┘
 * What is too wide is cut with an ellipsis, the widest columns first; columns that still have no place are left out in the middle and counted in
 * the last line. Only rows_max rows are kept; all are counted.
 */
#include "cli/cli_grid.h"

#include "cli/cli_lake.h"

enum { CELL_MIN = 6, CELL_BYTES_MAX = 4096, COLUMNS_MAX = 100000 };

/* ---- widths ---- */

static bool is_wide(uint32_t cp)
{
    return (cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0xa4cf) ||
           (cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) ||
           (cp >= 0xfe30 && cp <= 0xfe6f) || (cp >= 0xff00 && cp <= 0xff60) ||
           (cp >= 0xffe0 && cp <= 0xffe6) || (cp >= 0x1f300 && cp <= 0x1faff) ||
           (cp >= 0x20000 && cp <= 0x3fffd);
}

static bool is_combining(uint32_t cp)
{
    return (cp >= 0x300 && cp <= 0x36f) || (cp >= 0x200b && cp <= 0x200f) ||
           (cp >= 0x20d0 && cp <= 0x20ff) || (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff;
}

static size_t char_width(uint32_t cp)
{
    return is_combining(cp) ? 0 : is_wide(cp) ? 2 : 1;
}

size_t tn_grid_width(tn_str s)
{
    size_t width = 0;
    while (s.n > 0) {
        uint32_t cp;
        size_t n = tn_utf8_decode(s, &cp);
        width += char_width(cp);
        s = tn_str_sub(s, n, s.n);
    }
    return width;
}

/* One line, printable: what would break the table is written as an escape. */
static tn_str printable(tn_arena *a, tn_str s)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_str rest = tn_str_sub(s, 0, CELL_BYTES_MAX);
    while (rest.n > 0) {
        uint32_t cp;
        size_t n = tn_utf8_decode(rest, &cp);
        if (cp == '\n' || cp == '\t' || cp == '\r') {
            tn_buf_addz(&b, cp == '\n' ? "\\n" : cp == '\t' ? "\\t" : "\\r");
        } else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
            tn_buf_addf(&b, "\\x%02x", (unsigned)cp);
        } else {
            char bytes[4];
            tn_buf_add_n(&b, bytes, tn_utf8_encode(cp, bytes));
        }
        rest = tn_str_sub(rest, n, rest.n);
    }
    return tn_buf_str(&b);
}

/* ---- the table ---- */

typedef struct cell {
    tn_str text;
    bool null;
} cell;

typedef struct column {
    tn_str name, type;
    size_t width;
    bool right, hidden;
} column;

typedef struct grid {
    tn_arena *a;
    column *cols;
    size_t n;
    tn_vec(cell *) rows;
    int64_t total;
    size_t hidden;
    bool color;
} grid;

static bool is_number(tn_str type)
{
    static const char *const numbers[] = { "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
        "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE" };
    for (size_t i = 0; i < TN_COUNTOF(numbers); i++) {
        if (tn_str_is(type, numbers[i])) {
            return true;
        }
    }
    return tn_str_starts(type, TN_STR("DECIMAL")) && !tn_str_ends(type, TN_STR("]"));
}

static void widen(column *c, tn_str text)
{
    c->width = tn_max_size(c->width, tn_grid_width(text));
}

static void begin(grid *g, const tn_rows *rows)
{
    g->n = tn_rows_cols(rows);
    g->cols = tn_new_array(g->a, column, g->n + 1);
    for (size_t i = 0; i < g->n; i++) {
        column *c = &g->cols[i];
        c->name = printable(g->a, tn_rows_name(rows, i));
        c->width = 4;
        widen(c, c->name);
        if (rows->result != NULL) {
            tn_str type = tn_result_type(rows->result, i);
            c->right = is_number(type);
            c->type = printable(g->a, tn_str_lower(g->a, type));
            if (c->type.n > 24) { /* of a nested type the kind is enough */
                size_t cut = tn_str_find_char(c->type, '(', 0);
                c->type = tn_str_concat(
                    g->a, tn_str_sub(c->type, 0, tn_min_size(cut, 20)), TN_STR("(…)"));
            }
            widen(c, c->type);
        }
    }
}

static void keep_row(grid *g, const tn_rows *rows, tn_arena *scratch, size_t row)
{
    cell *cells = tn_new_array(g->a, cell, g->n + 1);
    for (size_t i = 0; i < g->n; i++) {
        tn_str text;
        cells[i].null = !tn_rows_text(rows, scratch, i, row, &text);
        cells[i].text = cells[i].null ? TN_STR("NULL") : printable(g->a, text);
        if (rows->result == NULL && rows->list.list->v[row].list->v[i].tag == TN_INT) {
            g->cols[i].right = true;
        }
        widen(&g->cols[i], cells[i].text);
    }
    tn_vec_push(&g->rows, g->a, cells);
}

static tn_rc read_rows(grid *g, tn_rows *rows, const tn_rows_style *style, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("cells", NULL);
    size_t n, at = 0;
    for (;;) {
        TN_TRY(tn_rows_chunk(rows, &at, &n, err));
        if (n == 0) {
            return TN_OK;
        }
        for (size_t i = 0; i < n; i++, g->total++) {
            if (style->rows_max == 0 || g->total < style->rows_max) {
                keep_row(g, rows, scratch, i);
            }
        }
        tn_arena_reset(scratch);
    }
}

static size_t whole_width(const grid *g)
{
    size_t width = 1;
    for (size_t i = 0; i < g->n; i++) {
        width += g->cols[i].hidden ? 0 : g->cols[i].width + 3;
    }
    return width + (g->hidden > 0 ? 4 : 0);
}

/* Makes the widest column narrower until all fit, then leaves out columns from the middle. */
static void fit(grid *g, size_t limit)
{
    while (limit > 0 && whole_width(g) > limit) {
        size_t widest = 0;
        for (size_t i = 0; i < g->n; i++) {
            widest = g->cols[i].width > g->cols[widest].width ? i : widest;
        }
        if (g->cols[widest].width <= CELL_MIN) {
            break;
        }
        g->cols[widest].width--;
    }
    for (size_t left = g->n, at = g->n / 2; limit > 0 && left > 2 && whole_width(g) > limit;
        left--) {
        while (g->cols[at].hidden) {
            at = (at + 1) % g->n;
        }
        g->cols[at].hidden = true;
        g->hidden++;
    }
}

static void add_cut(tn_buf *b, tn_str s, size_t width)
{
    size_t used = 0;
    bool cut = tn_grid_width(s) > width;
    while (s.n > 0) {
        uint32_t cp;
        size_t n = tn_utf8_decode(s, &cp), w = char_width(cp);
        if (cut && used + w > width - 1) {
            break;
        }
        tn_buf_add(b, tn_str_sub(s, 0, n));
        used += w;
        s = tn_str_sub(s, n, s.n);
    }
    if (cut) {
        tn_buf_addz(b, "…");
        used++;
    }
    tn_buf_add_repeat(b, ' ', width > used ? width - used : 0);
}

static void add_cell(tn_buf *b, const column *c, tn_str text, const char *style)
{
    size_t width = tn_grid_width(text);
    if (c->right && width < c->width) {
        tn_buf_add_repeat(b, ' ', c->width - width);
    }
    tn_buf_addz(b, style);
    add_cut(b, text, c->right && width < c->width ? width : c->width);
    tn_buf_addz(b, style[0] != '\0' ? "\033[0m" : "");
}

static void add_rule(
    tn_buf *b, const grid *g, const char *left, const char *middle, const char *right)
{
    tn_buf_addz(b, left);
    bool first = true, gap = false;
    for (size_t i = 0; i < g->n; i++) {
        if (g->cols[i].hidden && gap) {
            continue;
        }
        tn_buf_addz(b, first ? "" : middle);
        first = false;
        gap = g->cols[i].hidden;
        for (size_t k = 0; k < (gap ? 3 : g->cols[i].width + 2); k++) {
            tn_buf_addz(b, "─");
        }
    }
    tn_buf_addz(b, right);
    tn_buf_addc(b, '\n');
}

typedef tn_str (*text_of)(const grid *g, size_t col, const cell *row, const char **style);

static tn_str name_of(const grid *g, size_t col, const cell *row, const char **style)
{
    (void)row;
    *style = g->color ? "\033[1m" : "";
    return g->cols[col].name;
}

static tn_str type_of(const grid *g, size_t col, const cell *row, const char **style)
{
    (void)row;
    *style = g->color ? "\033[2m" : "";
    return g->cols[col].type;
}

static tn_str value_of(const grid *g, size_t col, const cell *row, const char **style)
{
    *style = g->color && row[col].null ? "\033[2m" : "";
    return row[col].text;
}

static void add_line(tn_buf *b, const grid *g, text_of fn, const cell *row)
{
    tn_buf_addz(b, "│");
    bool gap = false;
    for (size_t i = 0; i < g->n; i++) {
        const char *style;
        if (g->cols[i].hidden) {
            tn_buf_addz(b, gap ? "" : " … │");
            gap = true;
            continue;
        }
        gap = false;
        tn_str text = fn(g, i, row, &style);
        tn_buf_addc(b, ' ');
        add_cell(b, &g->cols[i], text, style);
        tn_buf_addz(b, " │");
    }
    tn_buf_addc(b, '\n');
}

static void add_last_line(tn_buf *b, const grid *g, const tn_rows_style *style)
{
    tn_buf_addf(b, "(" TN_STR_FMT " row%s", TN_STR_ARG(tn_cli_count(g->a, g->total)),
        g->total == 1 ? "" : "s");
    if (g->total > (int64_t)g->rows.n) {
        tn_buf_addf(
            b, ", " TN_STR_FMT " shown", TN_STR_ARG(tn_cli_count(g->a, (int64_t)g->rows.n)));
    }
    if (g->hidden > 0) {
        tn_buf_addf(b, ", %zu of %zu columns shown", g->n - g->hidden, g->n);
    }
    if (style->took_us > 0) {
        tn_buf_addf(b, ", %.3f s", (double)style->took_us / 1e6);
    }
    tn_buf_addz(b, ")\n");
}

tn_rc tn_grid_print(
    tn_rows *rows, const tn_rows_style *style, FILE *out, int64_t *ret_rows, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("grid", NULL);
    grid g = { .a = a, .color = style->color };
    begin(&g, rows);
    TN_TRY(read_rows(&g, rows, style, err));
    fit(&g, style->width > 0 ? (size_t)style->width : 0);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    add_rule(&b, &g, "┌", "┬", "┐");
    add_line(&b, &g, name_of, NULL);
    if (rows->result != NULL) {
        add_line(&b, &g, type_of, NULL);
    }
    add_rule(&b, &g, "├", "┼", "┤");
    for (size_t i = 0; i < g.rows.n; i++) {
        add_line(&b, &g, value_of, g.rows.v[i]);
    }
    add_rule(&b, &g, "└", "┴", "┘");
    add_last_line(&b, &g, style);
    if (fwrite(b.p, 1, b.n, out) != b.n) {
        return tn_fail(err, TN_E_IO, "the result cannot be written: the output is full or closed");
    }
    *ret_rows = g.total;
    return TN_OK;
}
