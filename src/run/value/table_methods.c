/* table_methods.c: what templates call on a table: agate's methods that make another table of it, or show it. */
#include "run/value/table_impl.h"

typedef enum table_method {
    T_PRINT,
    T_PRINT_CSV,
    T_PRINT_JSON,
    T_TO_CSV,
    T_TO_JSON,
    T_SELECT,
    T_EXCLUDE,
    T_LIMIT,
    T_WHERE,
    T_FIND,
    T_ORDER_BY,
    T_DISTINCT,
    T_GROUP_BY,
    T_RENAME,
} table_method;

static const struct {
    const char *name;
    table_method method;
} table_methods[] = { { "print_table", T_PRINT }, { "print_csv", T_PRINT_CSV },
    { "print_json", T_PRINT_JSON }, { "to_csv", T_TO_CSV }, { "to_json", T_TO_JSON },
    { "select", T_SELECT }, { "exclude", T_EXCLUDE }, { "limit", T_LIMIT }, { "where", T_WHERE },
    { "find", T_FIND }, { "order_by", T_ORDER_BY }, { "distinct", T_DISTINCT },
    { "group_by", T_GROUP_BY }, { "rename", T_RENAME } };

typedef struct table_bound {
    const tn_table *t;
    table_method method;
} table_bound;

/* ---- columns ---- */

/* The table with only the columns whose places are in keep. */
static tn_val project_columns(tn_arena *a, const tn_table *t, const size_t *keep, size_t n)
{
    tn_val names = tn_val_list(a), rows = tn_val_list(a);
    tn_val *values = tn_new_array(a, tn_val, n + 1);
    for (size_t c = 0; c < n; c++) {
        tn_list_push(names.list, t->names.list->v[keep[c]]);
    }
    for (size_t r = 0; r < tn_table_rows(t); r++) {
        for (size_t c = 0; c < n; c++) {
            values[c] = tn_table_cell(t, r, keep[c]);
        }
        tn_list_push(rows.list, tn_val_tuple(a, values, n));
    }
    return tn_table_new(a, names, rows);
}

static bool wanted(tn_val key, tn_str name)
{
    if (!tn_val_is_seq(key)) {
        return tn_str_eq(tn_val_as_str(key), name);
    }
    for (size_t i = 0; i < key.list->n; i++) {
        if (tn_str_eq(tn_val_as_str(key.list->v[i]), name)) {
            return true;
        }
    }
    return false;
}

static tn_val pick_columns(tn_arena *a, const tn_table *t, tn_val key, bool exclude)
{
    size_t *keep = tn_new_array(a, size_t, tn_table_cols(t) + 1), n = 0, found;
    if (!exclude && tn_val_is_seq(key)) { /* in the order asked for */
        for (size_t i = 0; i < key.list->n && n < tn_table_cols(t); i++) {
            if (table_find_column(t, tn_val_as_str(key.list->v[i]), &found)) {
                keep[n++] = found;
            }
        }
        return project_columns(a, t, keep, n);
    }
    for (size_t c = 0; c < tn_table_cols(t); c++) {
        if (wanted(key, tn_val_as_str(t->names.list->v[c])) != exclude) {
            keep[n++] = c;
        }
    }
    return project_columns(a, t, keep, n);
}

static tn_val rename_columns(tn_arena *a, const tn_table *t, tn_val to)
{
    tn_val names = tn_val_list(a);
    for (size_t c = 0; c < tn_table_cols(t); c++) {
        tn_val old = t->names.list->v[c], now = old;
        if (to.tag == TN_DICT) {
            tn_val *found = tn_dict_find(to.dict, old);
            now = found != NULL ? *found : old;
        } else if (tn_val_is_seq(to) && c < to.list->n) {
            now = to.list->v[c];
        }
        tn_list_push(names.list, now);
    }
    return tn_table_new(a, names, t->rows);
}

/* ---- rows ---- */

tn_val table_with_rows(tn_arena *a, const tn_table *t, tn_val rows)
{
    tn_val v = tn_table_new(a, t->names, rows);
    ((tn_table *)(void *)v.obj)->kinds = t->kinds;
    return v;
}

bool table_can_call(tn_val v)
{
    return v.tag == TN_OBJ && v.obj->type->call != NULL;
}

static tn_rc call_with_row(
    const tn_call *call, const tn_table *t, size_t row, tn_val fn, tn_val *ret, tn_err *err)
{
    tn_val arg = table_row(call->arena, t, row);
    tn_call inner = { .arena = call->arena, .interp = call->interp, .args = &arg, .argc = 1 };
    *ret = TN_VAL_NONE;
    return fn.obj->type->call(fn.obj, &inner, ret, err);
}

static tn_rc column_of(const tn_table *t, tn_val key, size_t *ret, tn_err *err)
{
    if (key.tag == TN_INT && key.i >= 0 && (size_t)key.i < tn_table_cols(t)) {
        *ret = (size_t)key.i;
        return TN_OK;
    }
    if (tn_val_is_str(key) && table_find_column(t, tn_val_as_str(key), ret)) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("no column", NULL);
    return tn_fail(err, TN_E_NAME, "the table has no column '" TN_STR_FMT "'",
        TN_STR_ARG(tn_val_to_str(a, key)));
}

tn_rc table_key_of(
    const tn_call *call, const tn_table *t, size_t row, tn_val key, tn_val *ret, tn_err *err)
{
    size_t col;
    if (!tn_val_is_given(key)) {
        *ret = t->rows.list->v[row];
        return TN_OK;
    }
    if (table_can_call(key)) {
        return call_with_row(call, t, row, key, ret, err);
    }
    if (!tn_val_is_seq(key)) {
        TN_TRY(column_of(t, key, &col, err));
        *ret = tn_table_cell(t, row, col);
        return TN_OK;
    }
    tn_val parts = tn_val_list(call->arena);
    for (size_t i = 0; i < key.list->n; i++) {
        TN_TRY(column_of(t, key.list->v[i], &col, err));
        tn_list_push(parts.list, tn_table_cell(t, row, col));
    }
    *ret = tn_val_tuple(call->arena, parts.list->v, parts.list->n);
    return TN_OK;
}

/* None comes behind everything, in a tuple too. */
static tn_rc compare_keys(tn_val x, tn_val y, int *ret, tn_err *err)
{
    if (tn_val_is_none(x) || tn_val_is_none(y)) {
        *ret = (int)tn_val_is_none(x) - (int)tn_val_is_none(y);
        return TN_OK;
    }
    if (!tn_val_is_seq(x) || !tn_val_is_seq(y)) {
        return tn_val_cmp(x, y, ret, err);
    }
    *ret = 0;
    for (size_t i = 0; *ret == 0 && i < tn_min_size(x.list->n, y.list->n); i++) {
        TN_TRY(compare_keys(x.list->v[i], y.list->v[i], ret, err));
    }
    return TN_OK;
}

/* Rows are put in one by one behind those that are not greater (reverse: not less), so that equals stay in order. */
static tn_rc order_by(const tn_call *call, const tn_table *t, tn_val *ret, tn_err *err)
{
    tn_val by = tn_call_arg(call, 0, "key");
    bool reverse = tn_val_truthy(tn_call_arg(call, 1, "reverse"));
    tn_val rows = tn_val_list(call->arena), keys = tn_val_list(call->arena);
    for (size_t r = 0; r < tn_table_rows(t); r++) {
        tn_val key;
        TN_TRY(table_key_of(call, t, r, by, &key, err));
        size_t low = 0, high = rows.list->n;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            int cmp;
            TN_TRY(compare_keys(keys.list->v[mid], key, &cmp, err));
            bool before = reverse ? cmp >= 0 : cmp <= 0;
            low = before ? mid + 1 : low;
            high = before ? high : mid;
        }
        tn_list_insert(rows.list, low, t->rows.list->v[r]);
        tn_list_insert(keys.list, low, key);
    }
    *ret = table_with_rows(call->arena, t, rows);
    return TN_OK;
}

static tn_rc distinct(const tn_call *call, const tn_table *t, tn_val *ret, tn_err *err)
{
    tn_val by = tn_call_arg(call, 0, "key");
    tn_val rows = tn_val_list(call->arena), seen = tn_val_set(call->arena);
    for (size_t r = 0; r < tn_table_rows(t); r++) {
        tn_val key;
        TN_TRY(table_key_of(call, t, r, by, &key, err));
        if (tn_dict_find(seen.dict, key) == NULL) {
            tn_dict_put(seen.dict, key, TN_VAL_TRUE);
            tn_list_push(rows.list, t->rows.list->v[r]);
        }
    }
    *ret = table_with_rows(call->arena, t, rows);
    return TN_OK;
}

/* Of where() all rows that pass, of find() the first or None. */
static tn_rc where(const tn_call *call, const tn_table *t, bool first, tn_val *ret, tn_err *err)
{
    tn_val test = tn_call_arg(call, 0, "test"), rows = tn_val_list(call->arena);
    if (!table_can_call(test)) {
        return tn_fail(
            err, TN_E_TYPE, "%s() needs something that can be called", first ? "find" : "where");
    }
    for (size_t r = 0; r < tn_table_rows(t); r++) {
        tn_val keep;
        TN_TRY(call_with_row(call, t, r, test, &keep, err));
        if (tn_val_truthy(keep) && first) {
            *ret = table_row(call->arena, t, r);
            return TN_OK;
        }
        if (tn_val_truthy(keep)) {
            tn_list_push(rows.list, t->rows.list->v[r]);
        }
    }
    *ret = first ? TN_VAL_NONE : table_with_rows(call->arena, t, rows);
    return TN_OK;
}

/* An end of a slice as Python takes it: from behind when negative, within the rows. */
static int64_t bound(tn_val v, int64_t otherwise, int64_t n)
{
    int64_t i = v.tag != TN_INT ? otherwise : v.i < 0 ? v.i + n : v.i;
    return i < 0 ? 0 : i > n ? n : i;
}

/* limit(stop), limit(start, stop, step). */
static tn_rc limit(const tn_call *call, const tn_table *t, tn_val *ret, tn_err *err)
{
    tn_val start = tn_call_arg(call, 0, "start_or_stop"), stop = tn_call_arg(call, 1, "stop"),
           step = tn_call_arg(call, 2, "step"), rows = tn_val_list(call->arena);
    bool from = tn_val_truthy(stop) || tn_val_truthy(step);
    int64_t n = (int64_t)tn_table_rows(t),
            by = tn_val_truthy(step) && step.tag == TN_INT ? step.i : 1;
    if (by < 1) {
        return tn_fail(err, TN_E_VALUE, "limit() goes forwards: step is %lld", (long long)by);
    }
    int64_t end = bound(from ? stop : start, n, n);
    for (int64_t r = from ? bound(start, 0, n) : 0; r < end; r += by) {
        tn_list_push(rows.list, t->rows.list->v[r]);
    }
    *ret = table_with_rows(call->arena, t, rows);
    return TN_OK;
}

static size_t most(tn_val v, size_t otherwise)
{
    return v.tag == TN_INT && v.i > 0 ? (size_t)v.i : tn_val_is_none(v) ? 0 : otherwise;
}

static tn_rc table_call(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const table_bound *b = self;
    const tn_table *t = b->t;
    tn_arena *a = call->arena;
    switch (b->method) {
    case T_PRINT: {
        tn_buf out = tn_buf_init(a, TN_BUF_NO_LIMIT);
        tn_table_print(&out, t, most(tn_call_arg(call, 0, "max_rows"), 20),
            most(tn_call_arg(call, 1, "max_columns"), 6));
        (void)fwrite(out.p, 1, out.n, stdout);
        *ret = TN_VAL_NONE;
        return TN_OK;
    }
    case T_PRINT_CSV:
    case T_PRINT_JSON:
    case T_TO_CSV:
    case T_TO_JSON:
        *ret = TN_VAL_NONE;
        return table_write(call, t, b->method == T_PRINT_JSON || b->method == T_TO_JSON,
            b->method == T_TO_CSV || b->method == T_TO_JSON, err);
    case T_SELECT:
    case T_EXCLUDE:
        *ret = pick_columns(a, t, tn_call_arg(call, 0, "key"), b->method == T_EXCLUDE);
        return TN_OK;
    case T_LIMIT:
        return limit(call, t, ret, err);
    case T_WHERE:
    case T_FIND:
        return where(call, t, b->method == T_FIND, ret, err);
    case T_ORDER_BY:
        return order_by(call, t, ret, err);
    case T_DISTINCT:
        return distinct(call, t, ret, err);
    case T_GROUP_BY:
        return table_group_by(call, t, ret, err);
    case T_RENAME:
    default:
        *ret = rename_columns(a, t, tn_call_arg(call, 0, "column_names"));
        return TN_OK;
    }
}

tn_val table_method_find(tn_arena *a, const tn_table *t, tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(table_methods); i++) {
        if (tn_str_is(name, table_methods[i].name)) {
            table_bound *b = tn_new(a, table_bound);
            *b = (table_bound){ t, table_methods[i].method };
            return tn_val_fn(a, table_methods[i].name, table_call, b);
        }
    }
    return TN_VAL_UNDEF;
}
