/* table_set.c: agate's TableSet, which group_by() makes: tables under their keys in the order in which the keys come. What makes a table of a table
 * makes a set of a set. Unlike a dict it is iterated by its tables. */
#include "run/value/table_impl.h"

typedef struct table_set {
    tn_obj base;
    tn_dict *tables; /* key: table */
    tn_val key_name, key_type;
    const tn_table *sample;
} table_set;

static const tn_obj_type table_set_type;

static tn_val set_new(tn_arena *a, tn_dict *tables, const table_set *like)
{
    table_set *s = tn_new(a, table_set);
    *s = *like;
    s->base = (tn_obj){ &table_set_type };
    s->tables = tables;
    return tn_val_obj(&s->base);
}

/* The key of a function is text, as agate's Text reads it. */
static tn_val as_text(tn_arena *a, tn_val v)
{
    static const char *const nothing[] = { "", "na", "n/a", "none", "null", "." };
    if (tn_val_is_none(v)) {
        return v;
    }
    tn_str text = tn_val_to_str(a, v), bare = tn_str_trim(text);
    for (size_t i = 0; i < TN_COUNTOF(nothing); i++) {
        if (tn_str_eq_nocase(bare, tn_str_of(nothing[i]))) {
            return TN_VAL_NONE;
        }
    }
    return tn_val_str(text);
}

tn_rc table_group_by(const tn_call *call, const tn_table *t, tn_val *ret, tn_err *err)
{
    tn_arena *a = call->arena;
    tn_val key = tn_call_arg(call, 0, "key"), name = tn_call_arg(call, 1, "key_name");
    bool by_function = table_can_call(key);
    if (!by_function && !tn_val_is_str(key)) {
        return tn_fail(err, TN_E_TYPE,
            "group_by() needs a column's name or something that can be "
            "called");
    }
    size_t col = 0;
    if (!by_function && !table_find_column(t, tn_val_as_str(key), &col)) {
        return tn_fail(err, TN_E_NAME, "group_by: no such column: '" TN_STR_FMT "'",
            TN_STR_ARG(tn_val_as_str(key)));
    }
    tn_val groups = tn_val_dict(a), tables = tn_val_dict(a);
    for (size_t r = 0; r < t->rows.list->n; r++) {
        tn_val k;
        TN_TRY(table_key_of(call, t, r, key, &k, err));
        k = by_function ? as_text(a, k) : k;
        tn_val *rows = tn_dict_find(groups.dict, k);
        if (rows == NULL) {
            tn_dict_put(groups.dict, k, tn_val_list(a));
            rows = tn_dict_find(groups.dict, k);
        }
        tn_list_push(rows->list, t->rows.list->v[r]);
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(groups.dict, &at)) != NULL) {
        tn_dict_put(tables.dict, it->key, table_with_rows(a, t, it->value));
    }
    table_set like = { .key_name = tn_val_truthy(name) ? name
                                   : by_function       ? tn_val_z("group")
                                                       : key,
        .key_type = table_type(a, by_function ? TN_COL_TEXT : t->kinds[col]),
        .sample = t };
    *ret = set_new(a, tables.dict, &like);
    return TN_OK;
}

/* ---- as a sequence and as a mapping ---- */

static tn_val parts(const table_set *s, tn_arena *a, bool keys, bool values)
{
    tn_val out = tn_val_list(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(s->tables, &at)) != NULL) {
        tn_val pair[2] = { it->key, it->value };
        tn_list_push(out.list, keys && values ? tn_val_tuple(a, pair, 2)
                               : keys         ? it->key
                                              : it->value);
    }
    return tn_val_tuple(a, out.list->v, out.list->n);
}

static tn_rc set_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    (void)err;
    const table_set *s = (const table_set *)(void *)self;
    if (key.tag == TN_INT) { /* a place, even where keys are numbers */
        tn_val values = parts(s, a, false, true);
        int64_t n = (int64_t)values.list->n, i = key.i < 0 ? key.i + n : key.i;
        *ret = i >= 0 && i < n ? values.list->v[i] : TN_VAL_UNDEF;
        return TN_OK;
    }
    tn_val *found = tn_dict_find(s->tables, key);
    *ret = found != NULL ? *found : TN_VAL_UNDEF;
    return TN_OK;
}

static tn_rc set_iter(tn_obj *self, tn_arena *a, tn_val *ret, tn_err *err)
{
    (void)err;
    *ret = parts((const table_set *)(void *)self, a, false, true);
    return TN_OK;
}

static bool set_length(tn_obj *self, size_t *ret)
{
    *ret = ((const table_set *)(void *)self)->tables->live;
    return true;
}

/* ---- methods ---- */

typedef struct set_bound {
    const table_set *s;
    tn_str method;
} set_bound;

/* The method of each of its tables. */
static tn_rc set_through(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const set_bound *b = self;
    tn_val tables = tn_val_dict(call->arena);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(b->s->tables, &at)) != NULL) {
        tn_obj *one = it->value.obj; /* a table, or a set of groups within the group */
        tn_val fn, made = TN_VAL_NONE;
        TN_TRY(one->type->attr(one, call->arena, b->method, &fn, err));
        TN_TRY(fn.obj->type->call(fn.obj, call, &made, err));
        tn_dict_put(tables.dict, it->key, made);
    }
    *ret = set_new(call->arena, tables.dict, b->s);
    return TN_OK;
}

static tn_rc set_call(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)err;
    const set_bound *b = self;
    if (tn_str_is(b->method, "keys")) {
        *ret = parts(b->s, call->arena, true, false);
    } else if (tn_str_is(b->method, "values")) {
        *ret = parts(b->s, call->arena, false, true);
    } else if (tn_str_is(b->method, "items")) {
        *ret = parts(b->s, call->arena, true, true);
    } else if (tn_str_is(b->method, "dict")) {
        size_t at = 0;
        const tn_dict_item *it;
        *ret = tn_val_dict(call->arena);
        while ((it = tn_dict_next(b->s->tables, &at)) != NULL) {
            tn_dict_put(ret->dict, it->key, it->value);
        }
    } else {
        tn_val *found = tn_dict_find(b->s->tables, tn_call_arg(call, 0, "key"));
        tn_val otherwise = tn_call_arg(call, 1, "default");
        *ret = found != NULL ? *found : tn_val_truthy(otherwise) ? otherwise : TN_VAL_NONE;
    }
    return TN_OK;
}

static tn_rc set_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    static const char *const own[] = { "keys", "values", "items", "dict", "get" };
    static const char *const through[] = { "select", "exclude", "limit", "where", "order_by",
        "distinct", "group_by" };
    const table_set *s = (const table_set *)(void *)self;
    *ret = tn_str_is(name, "key_name")   ? s->key_name
           : tn_str_is(name, "key_type") ? s->key_type
           : tn_str_is(name, "column_names")
               ? tn_val_tuple(a, s->sample->names.list->v, s->sample->names.list->n)
           : tn_str_is(name, "column_types") ? table_types(a, s->sample)
                                             : TN_VAL_UNDEF;
    set_bound *b = tn_new(a, set_bound);
    *b = (set_bound){ s, tn_str_dup(a, name) };
    for (size_t i = 0; i < TN_COUNTOF(own); i++) {
        *ret = tn_str_is(name, own[i]) ? tn_val_fn(a, own[i], set_call, b) : *ret;
    }
    for (size_t i = 0; i < TN_COUNTOF(through); i++) {
        *ret = tn_str_is(name, through[i]) ? tn_val_fn(a, through[i], set_through, b) : *ret;
    }
    return TN_OK;
}

/* How many rows each has. */
static void set_str(tn_obj *self, tn_buf *b)
{
    const table_set *s = (const table_set *)(void *)self;
    tn_val names = tn_val_list(b->arena), rows = tn_val_list(b->arena);
    tn_list_push(names.list, tn_val_z("table"));
    tn_list_push(names.list, tn_val_z("rows"));
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(s->tables, &at)) != NULL) {
        size_t n = 0;
        (void)it->value.obj->type->length(it->value.obj, &n);
        tn_val row[2] = { it->key, tn_val_str(tn_str_printf(b->arena, "%zu", n)) };
        tn_list_push(rows.list, tn_val_tuple(b->arena, row, 2));
    }
    tn_table *t;
    if (tn_val_is_table(tn_table_new(b->arena, names, rows), &t)) {
        tn_table_print(b, t, 20, 0);
    }
}

static tn_val set_dup(tn_obj *self, tn_arena *a)
{
    const table_set *s = (const table_set *)(void *)self;
    tn_val tables = tn_val_dup(a, (tn_val){ .tag = TN_DICT, .dict = s->tables });
    table_set like = { .key_name = tn_val_dup(a, s->key_name),
        .key_type = tn_val_dup(a, s->key_type) };
    tn_table none = *s->sample;
    none.rows = tn_val_list(a);
    tn_val sample = tn_val_dup(a, tn_val_obj(&none.base));
    like.sample = (const tn_table *)(void *)sample.obj;
    return set_new(a, tables.dict, &like);
}

static const tn_obj_type table_set_type = { .name = "agate.TableSet",
    .attr = set_attr,
    .dup = set_dup,
    .item = set_item,
    .iter = set_iter,
    .length = set_length,
    .str = set_str,
    .repr = set_str };
