/* table.c: the objects behind table.h: Table, MappedSequence of rows or columns, Row, Column. */
#include "run/value/table_impl.h"
#include "text/json.h"

typedef enum seq_kind { SEQ_ROWS, SEQ_COLUMNS, SEQ_ROW, SEQ_COLUMN } seq_kind;

/* Rows, columns, one row or one column of a table: agate calls each a mapped sequence. */
typedef struct mapped {
    tn_obj base;
    const tn_table *t;
    seq_kind kind;
    size_t index; /* of the row or column */
} mapped;

static const tn_obj_type mapped_type;

static tn_val mapped_new(tn_arena *a, const tn_table *t, seq_kind kind, size_t index)
{
    mapped *m = tn_new(a, mapped);
    *m = (mapped){ { &mapped_type }, t, kind, index };
    return tn_val_obj(&m->base);
}

static size_t mapped_length(const mapped *m)
{
    return m->kind == SEQ_ROWS || m->kind == SEQ_COLUMN ? tn_table_rows(m->t) : tn_table_cols(m->t);
}

tn_val table_row(tn_arena *a, const tn_table *t, size_t row)
{
    return mapped_new(a, t, SEQ_ROW, row);
}

static tn_val mapped_at(const mapped *m, tn_arena *a, size_t i)
{
    switch (m->kind) {
    case SEQ_ROWS:
        return mapped_new(a, m->t, SEQ_ROW, i);
    case SEQ_COLUMNS:
        return mapped_new(a, m->t, SEQ_COLUMN, i);
    case SEQ_ROW:
        return tn_table_cell(m->t, m->index, i);
    case SEQ_COLUMN:
    default:
        return tn_table_cell(m->t, i, m->index);
    }
}

bool table_find_column(const tn_table *t, tn_str name, size_t *ret)
{
    for (size_t i = 0; i < tn_table_cols(t); i++) {
        if (tn_str_eq(tn_val_as_str(t->names.list->v[i]), name)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool mapped_find(const mapped *m, tn_val key, size_t *ret)
{
    if (key.tag == TN_INT) {
        int64_t n = (int64_t)mapped_length(m), i = key.i < 0 ? key.i + n : key.i;
        *ret = (size_t)i;
        return i >= 0 && i < n;
    }
    return tn_val_is_str(key) && (m->kind == SEQ_COLUMNS || m->kind == SEQ_ROW) &&
           table_find_column(m->t, tn_val_as_str(key), ret);
}

static tn_rc mapped_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    (void)err;
    const mapped *m = (const mapped *)(void *)self;
    size_t i;
    *ret = mapped_find(m, key, &i) ? mapped_at(m, a, i) : TN_VAL_UNDEF;
    return TN_OK;
}

static tn_rc mapped_iter(tn_obj *self, tn_arena *a, tn_val *ret, tn_err *err)
{
    (void)err;
    const mapped *m = (const mapped *)(void *)self;
    *ret = tn_val_list(a);
    for (size_t i = 0; i < mapped_length(m); i++) {
        tn_list_push(ret->list, mapped_at(m, a, i));
    }
    return TN_OK;
}

static bool mapped_len(tn_obj *self, size_t *ret)
{
    *ret = mapped_length((const mapped *)(void *)self);
    return true;
}

/* keys of a row or of columns: the names; of rows: none. */
static tn_val mapped_keys(const mapped *m, tn_arena *a)
{
    if (m->kind != SEQ_ROW && m->kind != SEQ_COLUMNS) {
        return TN_VAL_NONE;
    }
    return tn_val_tuple(a, m->t->names.list->v, tn_table_cols(m->t));
}

typedef enum seq_method {
    S_VALUES,
    S_KEYS,
    S_ITEMS,
    S_DICT,
    S_GET,
    S_DISTINCT,
    S_NOT_NULL,
    S_INDEX,
    S_COUNT
} seq_method;

static const struct {
    const char *name;
    seq_method method;
} seq_methods[] = { { "values", S_VALUES }, { "keys", S_KEYS }, { "items", S_ITEMS },
    { "dict", S_DICT }, { "get", S_GET }, { "values_distinct", S_DISTINCT },
    { "values_without_nulls", S_NOT_NULL }, { "index", S_INDEX }, { "count", S_COUNT } };

typedef struct seq_bound {
    const mapped *m;
    seq_method method;
} seq_bound;

static tn_val tuple_of(tn_arena *a, tn_val list)
{
    return tn_val_tuple(a, list.list->v, list.list->n);
}

static tn_rc seq_call(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const seq_bound *s = self;
    const mapped *m = s->m;
    tn_arena *a = call->arena;
    size_t i, n = mapped_length(m);
    tn_val out = tn_val_list(a);
    switch (s->method) {
    case S_KEYS:
        *ret = mapped_keys(m, a);
        return TN_OK;
    case S_GET:
        *ret = mapped_find(m, tn_call_arg(call, 0, "key"), &i) ? mapped_at(m, a, i)
                                                               : tn_call_arg(call, 1, "default");
        *ret = tn_val_is_undef(*ret) ? TN_VAL_NONE : *ret;
        return TN_OK;
    case S_DICT: {
        tn_val d = tn_val_dict(a);
        for (i = 0; i < n && (m->kind == SEQ_ROW || m->kind == SEQ_COLUMNS); i++) {
            tn_dict_put(d.dict, m->t->names.list->v[i], mapped_at(m, a, i));
        }
        *ret = d;
        return TN_OK;
    }
    case S_INDEX:
    case S_COUNT: {
        tn_val wanted = tn_call_arg(call, 0, "value");
        int64_t found = 0, first = -1;
        for (i = 0; i < n; i++) {
            if (tn_val_eq(mapped_at(m, a, i), wanted)) {
                found++;
                first = first < 0 ? (int64_t)i : first;
            }
        }
        if (s->method == S_INDEX && first < 0) {
            return tn_fail(err, TN_E_VALUE, "value is not in the sequence");
        }
        *ret = tn_val_int(s->method == S_INDEX ? first : found);
        return TN_OK;
    }
    default:
        break;
    }
    tn_val seen = tn_val_set(a);
    for (i = 0; i < n; i++) {
        tn_val v = mapped_at(m, a, i);
        if (s->method == S_ITEMS) {
            tn_val pair[2] = { m->kind == SEQ_ROW || m->kind == SEQ_COLUMNS
                                   ? m->t->names.list->v[i]
                                   : tn_val_int((int64_t)i),
                v };
            tn_list_push(out.list, tn_val_tuple(a, pair, 2));
        } else if (s->method == S_DISTINCT && tn_dict_find(seen.dict, v) != NULL) {
            continue;
        } else if (s->method != S_NOT_NULL || !tn_val_is_none(v)) {
            tn_list_push(out.list, v);
        }
        if (s->method == S_DISTINCT) {
            tn_dict_put(seen.dict, v, TN_VAL_TRUE);
        }
    }
    *ret = s->method == S_ITEMS ? out : tuple_of(a, out);
    return TN_OK;
}

tn_val table_type(tn_arena *a, tn_table_kind kind)
{
    static const char *const names[] = { "Text", "Integer", "Number", "Date", "DateTime",
        "Boolean" };
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "name", tn_val_z(names[kind]));
    return d;
}

tn_val table_types(tn_arena *a, const tn_table *t)
{
    tn_val types = tn_val_list(a);
    for (size_t c = 0; c < tn_table_cols(t); c++) {
        tn_list_push(types.list, table_type(a, t->kinds[c]));
    }
    return types;
}

static tn_rc mapped_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const mapped *m = (const mapped *)(void *)self;
    *ret = TN_VAL_UNDEF;
    if (m->kind == SEQ_COLUMN && tn_str_is(name, "name")) {
        *ret = m->t->names.list->v[m->index];
        return TN_OK;
    }
    if (m->kind == SEQ_COLUMN && tn_str_is(name, "index")) {
        *ret = tn_val_int((int64_t)m->index);
        return TN_OK;
    }
    if (m->kind == SEQ_COLUMN && tn_str_is(name, "data_type")) {
        *ret = table_type(a, m->t->kinds[m->index]);
        return TN_OK;
    }
    for (size_t i = 0; i < TN_COUNTOF(seq_methods); i++) {
        if (tn_str_is(name, seq_methods[i].name)) {
            seq_bound *s = tn_new(a, seq_bound);
            *s = (seq_bound){ m, seq_methods[i].method };
            *ret = tn_val_fn(a, seq_methods[i].name, seq_call, s);
        }
    }
    return TN_OK;
}

static void mapped_str(tn_obj *self, tn_buf *b)
{
    const mapped *m = (const mapped *)(void *)self;
    static const char *const names[] = { "agate.MappedSequence", "agate.MappedSequence",
        "agate.Row", "agate.Column" };
    tn_buf_addf(b, "<%s: (", names[m->kind]);
    size_t n = mapped_length(m);
    for (size_t i = 0; i < tn_min_size(n, 5); i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_val_repr_to(b, mapped_at(m, b->arena, i));
    }
    tn_buf_addz(b, n > 5 ? ", ...)>" : ")>");
}

static bool mapped_eq(tn_obj *self, tn_val other)
{
    const mapped *m = (const mapped *)(void *)self;
    if (other.tag == TN_OBJ) {
        return other.obj == self;
    }
    if (!tn_val_is_seq(other) || other.list->n != mapped_length(m) ||
        (m->kind != SEQ_ROW && m->kind != SEQ_COLUMN)) {
        return false;
    }
    for (size_t i = 0; i < other.list->n; i++) {
        if (!tn_val_eq(other.list->v[i], mapped_at(m, m->t->arena, i))) {
            return false;
        }
    }
    return true;
}

static tn_val table_dup(tn_obj *self, tn_arena *a)
{
    const tn_table *t = (const tn_table *)(void *)self;
    tn_val copy = tn_table_new(a, tn_val_dup(a, t->names), tn_val_dup(a, t->rows));
    tn_table *made = (tn_table *)(void *)copy.obj;
    memcpy(made->kinds, t->kinds, tn_table_cols(t) * sizeof *t->kinds);
    return copy;
}

/* With its table; of a row, with the row alone, since rows are kept one by one. */
static tn_val mapped_dup(tn_obj *self, tn_arena *a)
{
    const mapped *m = (const mapped *)(void *)self;
    tn_table part = *m->t;
    if (m->kind == SEQ_ROW) {
        part.rows = tn_val_list(a);
        tn_list_push(part.rows.list, m->t->rows.list->v[m->index]);
    }
    tn_val copy = table_dup(&part.base, a);
    return mapped_new(
        a, (const tn_table *)(void *)copy.obj, m->kind, m->kind == SEQ_ROW ? 0 : m->index);
}

static const tn_obj_type mapped_type = { .name = "agate.MappedSequence",
    .attr = mapped_attr,
    .dup = mapped_dup,
    .item = mapped_item,
    .iter = mapped_iter,
    .length = mapped_len,
    .str = mapped_str,
    .repr = mapped_str,
    .eq = mapped_eq };

/* ---- tables ---- */

static tn_table_kind kind_of(tn_val v)
{
    switch (v.tag) {
    case TN_INT:
    case TN_BIGINT:
        return TN_COL_INTEGER;
    case TN_DECIMAL:
    case TN_FLOAT:
        return TN_COL_NUMBER;
    case TN_BOOL:
        return TN_COL_BOOLEAN;
    case TN_DATE:
        return TN_COL_DATE;
    case TN_DATETIME:
        return TN_COL_DATETIME;
    default:
        return TN_COL_TEXT;
    }
}

tn_val tn_table_new(tn_arena *a, tn_val names, tn_val rows)
{
    tn_table *t = tn_new(a, tn_table);
    size_t cols = names.list->n;
    *t = (tn_table){ .base = { &tn_table_type },
        .arena = a,
        .names = names,
        .rows = rows,
        .kinds = tn_new_array(a, tn_table_kind, cols + 1) };
    for (size_t c = 0; c < cols; c++) {
        t->kinds[c] = TN_COL_INTEGER;
        for (size_t r = 0; r < rows.list->n; r++) {
            tn_val v = rows.list->v[r].list->v[c];
            if (!tn_val_is_none(v)) {
                t->kinds[c] = kind_of(v);
                break;
            }
        }
    }
    return tn_val_obj(&t->base);
}

bool tn_val_is_table(tn_val v, tn_table **ret)
{
    if (v.tag != TN_OBJ || v.obj->type != &tn_table_type) {
        return false;
    }
    *ret = (tn_table *)(void *)v.obj;
    return true;
}

/* The text of a float as Python's Decimal prints what it reads there: 1e-07 as 1E-7, 1e-05 as 0.00001. */
static tn_str decimal_of_float(tn_arena *a, tn_str repr)
{
    tn_str mantissa, power, digits, fraction;
    int64_t e = 0;
    bool minus = tn_str_starts(repr, TN_STR("-"));
    if (!tn_str_cut(minus ? tn_str_sub(repr, 1, repr.n) : repr, 'e', &mantissa, &power) ||
        !tn_str_to_i64(
            tn_str_starts(power, TN_STR("+")) ? tn_str_sub(power, 1, power.n) : power, &e)) {
        return tn_str_dup(a, repr);
    }
    if (!tn_str_cut(mantissa, '.', &digits, &fraction)) {
        digits = mantissa;
        fraction = TN_STR("");
    }
    const char *sign = minus ? "-" : "";
    bool plain = e <= (int64_t)fraction.n && e >= -6;
    if (!plain) {
        return tn_str_printf(a, "%s" TN_STR_FMT "E%+lld", sign, TN_STR_ARG(mantissa), (long long)e);
    }
    static const char zeros[] = "00000";
    if (e < 0) { /* of two places at least */
        return tn_str_printf(a, "%s0.%.*s" TN_STR_FMT TN_STR_FMT, sign, (int)(-e - 1), zeros,
            TN_STR_ARG(digits), TN_STR_ARG(fraction));
    }
    return tn_str_printf(
        a, "%s" TN_STR_FMT TN_STR_FMT, sign, TN_STR_ARG(digits), TN_STR_ARG(fraction));
}

/* A cell of a result as dbt gives it to macros. */
static tn_val result_value(tn_arena *a, tn_val v)
{
    if (v.tag == TN_FLOAT) {
        tn_buf b = tn_buf_init(a, 64);
        tn_float_repr_to(&b, v.f);
        return tn_val_decimal(decimal_of_float(a, tn_buf_str(&b)));
    }
    if (v.tag == TN_DICT || tn_val_is_seq(v)) {
        tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
        const tn_json_style style = { .py_separators = true, .ascii = true, .allow_nan = true };
        tn_json_print(&b, v, &style);
        return tn_val_str(tn_str_dup(a, tn_buf_str(&b)));
    }
    return v;
}

tn_rc tn_table_fetch(tn_result *r, tn_arena *a, tn_val *ret, tn_err *err)
{
    size_t cols = tn_result_cols(r), n = 0;
    tn_val names = tn_val_list(a), rows = tn_val_list(a);
    for (size_t c = 0; c < cols; c++) {
        tn_list_push(names.list, tn_val_str(tn_str_dup(a, tn_result_name(r, c))));
    }
    tn_val *values = tn_new_array(a, tn_val, cols + 1);
    for (;;) {
        tn_rc rc = tn_result_next(r, &n, err);
        if (rc != TN_OK || n == 0) {
            *ret = rc == TN_OK ? tn_table_new(a, names, rows) : *ret;
            return rc;
        }
        if (rows.list->n + n > TN_TABLE_ROWS_MAX) {
            return tn_fail(err, TN_E_LIMIT, "a query of a template gave more than %d rows",
                (int)TN_TABLE_ROWS_MAX);
        }
        for (size_t i = 0; i < n; i++) {
            for (size_t c = 0; c < cols; c++) {
                values[c] = result_value(a, tn_result_cell(r, a, c, i));
            }
            tn_list_push(rows.list, tn_val_tuple(a, values, cols));
        }
    }
}

static tn_rc table_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const tn_table *t = (const tn_table *)(void *)self;
    *ret = TN_VAL_UNDEF;
    if (tn_str_is(name, "rows")) {
        *ret = mapped_new(a, t, SEQ_ROWS, 0);
    } else if (tn_str_is(name, "columns")) {
        *ret = mapped_new(a, t, SEQ_COLUMNS, 0);
    } else if (tn_str_is(name, "column_names")) {
        *ret = tn_val_tuple(a, t->names.list->v, tn_table_cols(t));
    } else if (tn_str_is(name, "column_types")) {
        *ret = table_types(a, t);
    }
    if (tn_val_is_undef(*ret)) {
        *ret = table_method_find(a, t, name);
    }
    return TN_OK;
}

/* table[0] is a row, table['x'] a column, as in agate. */
static tn_rc table_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    const tn_table *t = (const tn_table *)(void *)self;
    tn_val seq = mapped_new(a, t, tn_val_is_str(key) ? SEQ_COLUMNS : SEQ_ROWS, 0);
    return mapped_item(seq.obj, a, key, ret, err);
}

static tn_rc table_iter(tn_obj *self, tn_arena *a, tn_val *ret, tn_err *err)
{
    tn_val seq = mapped_new(a, (const tn_table *)(void *)self, SEQ_ROWS, 0);
    return mapped_iter(seq.obj, a, ret, err);
}

static bool table_len(tn_obj *self, size_t *ret)
{
    *ret = tn_table_rows((const tn_table *)(void *)self);
    return true;
}

static void table_str(tn_obj *self, tn_buf *b)
{
    const tn_table *t = (const tn_table *)(void *)self;
    static const char *const names[] = { "Text", "Integer", "Number", "Date", "DateTime",
        "Boolean" };
    tn_buf_addz(b, "| column | data_type |\n| ------ | --------- |\n");
    for (size_t c = 0; c < tn_table_cols(t); c++) {
        tn_buf_addf(b, "| " TN_STR_FMT " | %s |\n", TN_STR_ARG(tn_val_as_str(t->names.list->v[c])),
            names[t->kinds[c]]);
    }
}

const tn_obj_type tn_table_type = { .name = "agate.Table",
    .attr = table_attr,
    .dup = table_dup,
    .item = table_item,
    .iter = table_iter,
    .length = table_len,
    .str = table_str,
    .repr = table_str };
