/* delta_curve.c: Z-order and the Hilbert curve as SQL.
 *
 * The range of a value is found by a tree of CASEs (256 ranges: 0.2 us a row and column measured; 1024 cost four times that and no
 * pruning would be sharper, since a file holds many cells). For the Z-order its leaves hold the bits already spread, so that adding them up
 * interleaves them; for the Hilbert curve they hold the range's number, and a function of ours makes the place on the curve of all of them.
 *
 * Hilbert index (J. Skilling, "Programming the Hilbert curve", AIP Conf. Proc. 707, 2004): the coordinates are turned in place into the index's
 * transposed bits: undo the rotations from the highest bit down, then Gray-encode; interleaving them gives the index.
 */
#include "delta/care/delta_curve.h"
#include "delta/action/delta_action.h"

#include "text/sqltext.h"

#define HILBERT_FN "_tarn_hilbert"

enum { CURVE_BITS = 8, CURVE_RANGES = 1 << CURVE_BITS, SAMPLE_ROWS = 65536 };

/* ---- the curve ---- */

static void unrotate(uint32_t *x, size_t n, uint32_t q)
{
    uint32_t p = q - 1;
    for (size_t i = 0; i < n; i++) {
        if (x[i] & q) {
            x[0] ^= p;
        } else {
            uint32_t t = (x[0] ^ x[i]) & p;
            x[0] ^= t;
            x[i] ^= t;
        }
    }
}

static void gray_encode(uint32_t *x, size_t n, uint32_t top)
{
    uint32_t t = 0;
    for (size_t i = 1; i < n; i++) {
        x[i] ^= x[i - 1];
    }
    for (uint32_t q = top; q > 1; q >>= 1) {
        t ^= x[n - 1] & q ? q - 1 : 0;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] ^= t;
    }
}

uint64_t tn_hilbert_index(const uint32_t *point, size_t n, int bits)
{
    uint32_t x[TN_CURVE_COLUMNS_MAX];
    TN_CHECK(n > 0 && n <= TN_CURVE_COLUMNS_MAX && bits > 0 && (int)n * bits <= 64);
    memcpy(x, point, n * sizeof *x);
    uint32_t top = 1u << (bits - 1);
    for (uint32_t q = top; q > 1; q >>= 1) {
        unrotate(x, n, q);
    }
    gray_encode(x, n, top);
    uint64_t index = 0;
    for (int bit = bits - 1; bit >= 0; bit--) {
        for (size_t i = 0; i < n; i++) {
            index = index << 1 | (x[i] >> bit & 1);
        }
    }
    return index;
}

static uint64_t hilbert_call(const uint32_t *args, size_t n)
{
    return tn_hilbert_index(args, n, CURVE_BITS);
}

/* ---- ranges ---- */

/* A sample's quantiles of each column: a list of lists of texts, ascending and different. */
static tn_rc read_bounds(tn_conn *conn, tn_arena *a, tn_str scan, const tn_curve_columns *columns,
    tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT ");
    for (size_t i = 0; i < columns->n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_buf_addf(&b,
            "list_transform(list_sort(list_distinct(quantile_disc(c%zu, "
            "list_transform(range(1, %d), lambda x: x / %d)))), lambda x: x::VARCHAR)",
            i, CURVE_RANGES, CURVE_RANGES);
    }
    tn_buf_addz(&b, " FROM (SELECT ");
    for (size_t i = 0; i < columns->n; i++) {
        tn_buf_addf(
            &b, "%s" TN_STR_FMT " AS c%zu", i > 0 ? ", " : "", TN_STR_ARG(columns->v[i].sql), i);
    }
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addf(&b, ")) USING SAMPLE reservoir(%d ROWS)", SAMPLE_ROWS);
    tn_str sql;
    tn_val rows;
    TN_TRY(tn_buf_finish(&b, "the quantiles' SELECT", &sql, err));
    TN_TRY(tn_conn_rows(conn, a, sql, 1, &rows, NULL, err));
    *ret = rows.list->v[0];
    return TN_OK;
}

typedef struct tree {
    tn_buf *b;
    tn_curve curve;
    const tn_list *bounds;
    const tn_curve_column *what;
    size_t column, columns;
} tree;

/* Each bit at its place among n columns' bits. */
static uint64_t spread(uint64_t scaled, size_t column, size_t n)
{
    uint64_t out = 0;
    for (size_t bit = 0; bit < CURVE_BITS; bit++) {
        out |= (scaled >> bit & 1) << (bit * n + (n - 1 - column));
    }
    return out;
}

/* Range `id`, stretched to all bits. */
static void add_leaf(const tree *t, size_t id)
{
    size_t ids = t->bounds->n + 1;
    uint64_t scaled = ids > 1 ? (uint64_t)id * (CURVE_RANGES - 1) / (ids - 1) : 0;
    if (t->curve == TN_CURVE_HILBERT) {
        tn_buf_addf(t->b, "%llu::UINTEGER", (unsigned long long)scaled);
    } else {
        tn_buf_addf(
            t->b, "%llu::UBIGINT", (unsigned long long)spread(scaled, t->column, t->columns));
    }
}

/* Ranges [lo, hi]: id k holds the values from bound k-1 up to bound k. NULL fails each comparison and so comes first. */
static void add_tree(const tree *t, size_t lo, size_t hi)
{
    if (lo == hi) {
        add_leaf(t, lo);
        return;
    }
    size_t mid = (lo + hi + 1) / 2;
    tn_buf_addf(t->b, "CASE WHEN " TN_STR_FMT " >= CAST(", TN_STR_ARG(t->what->sql));
    tn_sql_literal(t->b, tn_val_as_str(t->bounds->v[mid - 1]));
    tn_buf_addf(t->b, " AS " TN_STR_FMT ") THEN ", TN_STR_ARG(t->what->type));
    add_tree(t, mid, hi);
    tn_buf_addz(t->b, " ELSE ");
    add_tree(t, lo, mid - 1);
    tn_buf_addz(t->b, " END");
}

tn_rc tn_delta_curve_order(tn_conn *conn, tn_arena *a, tn_curve curve, tn_str scan,
    const tn_curve_columns *columns, tn_buf *b, tn_err *err)
{
    static const tn_list none = { .n = 0 };
    tn_val bounds;
    if (columns->n == 1) {
        tn_buf_addf(b, " ORDER BY " TN_STR_FMT " NULLS FIRST", TN_STR_ARG(columns->v[0].sql));
        return TN_OK;
    }
    if (curve == TN_CURVE_HILBERT) {
        TN_TRY(tn_conn_add_function(conn, HILBERT_FN, hilbert_call, err));
    }
    TN_TRY(read_bounds(conn, a, scan, columns, &bounds, err));
    tn_buf_addz(b, curve == TN_CURVE_HILBERT ? " ORDER BY " HILBERT_FN "(" : " ORDER BY (");
    for (size_t i = 0; i < columns->n; i++) {
        tn_val column = bounds.list->v[i]; /* NULL when the column has no value */
        tree t = { .b = b,
            .curve = curve,
            .bounds = tn_val_is_seq(column) ? column.list : &none,
            .what = &columns->v[i],
            .column = i,
            .columns = columns->n };
        tn_buf_addz(b, i == 0 ? "" : curve == TN_CURVE_HILBERT ? ", " : " + ");
        add_tree(&t, 0, t.bounds->n);
    }
    tn_buf_addc(b, ')');
    return TN_OK;
}
