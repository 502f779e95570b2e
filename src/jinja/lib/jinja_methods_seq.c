/* jinja_methods_seq.c: the methods of list, tuple, dict and set. A frozen container (data of the project that several threads
 * read) refuses to change. What is put into a container of another arena is copied there, so that it lives as long. */
#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"

static tn_rc frozen(const char *type, tn_err *err)
{
    return tn_hint(err,
        tn_fail(err, TN_E_TYPE, "this %s belongs to the project and cannot be changed", type),
        "change a copy of it: x.copy(), or x | list");
}

static tn_arena *home_of(tn_val v)
{
    switch ((tn_tag)v.tag) {
    case TN_LIST:
    case TN_TUPLE:
        return v.list->arena;
    case TN_DICT:
    case TN_SET:
        return v.dict->arena;
    default:
        return NULL;
    }
}

/* v as it can be put into a container of the arena `home`. What lives there already stays what it is, not a copy. */
static tn_rc keep(tn_arena *home, const tn_call *c, tn_val v, tn_val *ret, tn_err *err)
{
    if (home == c->arena || home_of(v) == home) {
        *ret = v;
        return TN_OK;
    }
    const tn_obj *shared = tn_val_shared_obj(v);
    if (shared != NULL) {
        return tn_hint(err,
            tn_fail(err, TN_E_TYPE, "a value of type '%s' cannot be kept for other nodes",
                shared->type->name),
            "keep what it says: its text, or a list or dict of its values");
    }
    *ret = tn_val_dup(home, v);
    return TN_OK;
}

#define MUST_CHANGE(container, type)                                                               \
    do {                                                                                           \
        if ((container)->frozen) {                                                                 \
            return frozen(type, err);                                                              \
        }                                                                                          \
    } while (0)

/* ---- list ---- */
static tn_rc l_append(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    tn_val v;
    MUST_CHANGE(self.list, "list");
    TN_TRY(keep(self.list->arena, c, c->args[0], &v, err));
    tn_list_push(self.list, v);
    return TN_OK;
}

static tn_rc l_extend(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    const tn_list *l;
    MUST_CHANGE(self.list, "list");
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &l, err));
    size_t n = l->n; /* a list may be extended by itself */
    if (self.list->n + n > TN_JLIB_ITEMS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "a list of more than %zu elements", TN_JLIB_ITEMS_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        tn_val v;
        TN_TRY(keep(self.list->arena, c, l->v[i], &v, err));
        tn_list_push(self.list, v);
    }
    return TN_OK;
}

static size_t clamp_index(int64_t i, size_t n)
{
    i = i < 0 ? i + (int64_t)n : i;
    return i<0 ? 0 : i>(int64_t) n ? n : (size_t)i;
}

static tn_rc l_insert(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    int64_t at = 0;
    MUST_CHANGE(self.list, "list");
    TN_TRY(tn_jlib_int_arg(c, 0, "index", &at, err));
    tn_val v;
    TN_TRY(keep(self.list->arena, c, c->args[1], &v, err));
    tn_list_insert(self.list, clamp_index(at, self.list->n), v);
    return TN_OK;
}

static tn_rc l_pop(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t at = -1;
    MUST_CHANGE(self.list, "list");
    TN_TRY(tn_jlib_int_arg(c, 0, "index", &at, err));
    if (self.list->n == 0) {
        return tn_fail(err, TN_E_VALUE, "pop from empty list");
    }
    at = at < 0 ? at + (int64_t)self.list->n : at;
    if (at < 0 || at >= (int64_t)self.list->n) {
        return tn_fail(err, TN_E_VALUE, "pop index out of range");
    }
    tn_val v = self.list->v[at];
    tn_list_remove(self.list, (size_t)at);
    *ret = v;
    return TN_OK;
}

static size_t find_value(const tn_list *l, tn_val v, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (tn_val_eq(l->v[i], v)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static tn_rc l_remove(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.list, "list");
    size_t at = find_value(self.list, c->args[0], 0, self.list->n);
    if (at == SIZE_MAX) {
        return tn_fail(err, TN_E_VALUE, "list.remove(x): x not in list");
    }
    tn_list_remove(self.list, at);
    return TN_OK;
}

static tn_rc l_clear(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret, (void)c;
    MUST_CHANGE(self.list, "list");
    self.list->n = 0;
    return TN_OK;
}

static tn_rc l_index(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t from = 0, to = (int64_t)self.list->n;
    TN_TRY(tn_jlib_int_arg(c, 1, "start", &from, err));
    TN_TRY(tn_jlib_int_arg(c, 2, "stop", &to, err));
    size_t at = find_value(
        self.list, c->args[0], clamp_index(from, self.list->n), clamp_index(to, self.list->n));
    if (at == SIZE_MAX) {
        if (self.tag == TN_TUPLE) {
            return tn_fail(err, TN_E_VALUE, "tuple.index(x): x not in tuple");
        }
        tn_str s = tn_val_to_repr(c->arena, c->args[0]);
        return tn_fail(err, TN_E_VALUE, TN_STR_FMT " is not in list", TN_STR_ARG(s));
    }
    *ret = tn_val_int((int64_t)at);
    return TN_OK;
}

static tn_rc l_count(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    int64_t n = 0;
    for (size_t i = 0; i < self.list->n; i++) {
        n += tn_val_eq(self.list->v[i], c->args[0]) ? 1 : 0;
    }
    *ret = tn_val_int(n);
    return TN_OK;
}

static tn_rc l_sort(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.list, "list");
    tn_val key = tn_call_arg(c, 0, "key");
    tn_val *keys = NULL;
    size_t n = self.list->n;
    if (key.tag != TN_UNDEF && key.tag != TN_NONE) {
        keys = tn_new_array(c->arena, tn_val, n + 1);
        for (size_t i = 0; i < n; i++) {
            TN_TRY(tn_jinja_call(tn_jlib_ctx(c), key, &self.list->v[i], 1, NULL, 0, &keys[i], err));
        }
    }
    return tn_jlib_sort(
        c->arena, self.list->v, keys, n, tn_jlib_bool_arg(c, 1, "reverse", false), err);
}

static tn_rc l_reverse(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret, (void)c;
    MUST_CHANGE(self.list, "list");
    for (size_t i = 0, j = self.list->n; i + 1 < j; i++) {
        tn_val t = self.list->v[i];
        self.list->v[i] = self.list->v[--j];
        self.list->v[j] = t;
    }
    return TN_OK;
}

static tn_rc l_copy(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_val l = tn_val_list(c->arena);
    for (size_t i = 0; i < self.list->n; i++) {
        tn_list_push(l.list, self.list->v[i]);
    }
    *ret = l;
    return TN_OK;
}

static const char *const SORT_NAMES[] = { "key", "reverse", NULL };

const tn_jlib_method tn_jlib_list_methods[] = {
    { "append", l_append, 1, 1, NULL },
    { "extend", l_extend, 1, 1, NULL },
    { "insert", l_insert, 2, 2, NULL },
    { "pop", l_pop, 0, 1, NULL },
    { "remove", l_remove, 1, 1, NULL },
    { "clear", l_clear, 0, 0, NULL },
    { "index", l_index, 1, 3, NULL },
    { "count", l_count, 1, 1, NULL },
    { "sort", l_sort, 0, 0, SORT_NAMES },
    { "reverse", l_reverse, 0, 0, NULL },
    { "copy", l_copy, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};

const tn_jlib_method tn_jlib_tuple_methods[] = {
    { "index", l_index, 1, 3, NULL },
    { "count", l_count, 1, 1, NULL },
    { NULL, NULL, 0, 0, NULL },
};

/* ---- dict ---- */
static tn_rc hashable(tn_val v, tn_err *err)
{
    return tn_val_hashable(v)
               ? TN_OK
               : tn_fail(err, TN_E_TYPE, "unhashable type: '%s'", tn_val_type_name(v));
}

static tn_rc key_error(const tn_call *c, tn_val key, tn_err *err)
{
    tn_str s = tn_val_to_repr(c->arena, key);
    return tn_fail(err, TN_E_VALUE, "KeyError: " TN_STR_FMT, TN_STR_ARG(s));
}

static tn_rc d_get(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_TRY(hashable(c->args[0], err));
    const tn_val *v = tn_dict_find(self.dict, c->args[0]);
    *ret = v != NULL ? *v : c->argc > 1 ? c->args[1] : TN_VAL_NONE;
    return TN_OK;
}

static tn_rc d_keys(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    *ret = tn_jlib_view(c->arena, self.dict, 'k');
    return TN_OK;
}

static tn_rc d_values(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    *ret = tn_jlib_view(c->arena, self.dict, 'v');
    return TN_OK;
}

static tn_rc d_items(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    *ret = tn_jlib_view(c->arena, self.dict, 'i');
    return TN_OK;
}

static tn_rc put(tn_dict *d, const tn_call *c, tn_val key, tn_val value, tn_err *err)
{
    tn_val k, v;
    TN_TRY(keep(d->arena, c, key, &k, err));
    TN_TRY(keep(d->arena, c, value, &v, err));
    tn_dict_put(d, k, v);
    return TN_OK;
}

static tn_rc put_pair(tn_dict *d, const tn_call *c, tn_val pair, size_t place, tn_err *err)
{
    const tn_list *kv;
    if (tn_jlib_items(c->arena, pair, &kv, NULL) != TN_OK) {
        return tn_fail(err, TN_E_TYPE,
            "cannot convert dictionary update sequence element #%zu to a sequence", place);
    }
    if (kv->n != 2) {
        return tn_fail(err, TN_E_VALUE,
            "dictionary update sequence element #%zu has length %zu; 2 is required", place, kv->n);
    }
    TN_TRY(hashable(kv->v[0], err));
    return put(d, c, kv->v[0], kv->v[1], err);
}

/* dict(x) and d.update(x): x is a dict or an iterable of pairs; then the keywords. */
static tn_rc d_update(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.dict, "dict");
    if (c->argc > 1) {
        return tn_fail(err, TN_E_TYPE, "update expected at most 1 argument, got %zu", c->argc);
    }
    if (c->argc == 1 && c->args[0].tag == TN_DICT) {
        size_t at = 0;
        for (const tn_dict_item *it;
            c->args[0].dict != self.dict && (it = tn_dict_next(c->args[0].dict, &at)) != NULL;) {
            TN_TRY(put(self.dict, c, it->key, it->value, err));
        }
    } else if (c->argc == 1) {
        const tn_list *l;
        TN_TRY(tn_jlib_items(c->arena, c->args[0], &l, err));
        for (size_t i = 0; i < l->n; i++) {
            TN_TRY(put_pair(self.dict, c, l->v[i], i, err));
        }
    }
    for (size_t i = 0; i < c->kwargc; i++) {
        TN_TRY(put(self.dict, c, tn_val_str(c->kwargs[i].name), c->kwargs[i].value, err));
    }
    return TN_OK;
}

static tn_rc d_pop(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    MUST_CHANGE(self.dict, "dict");
    TN_TRY(hashable(c->args[0], err));
    const tn_val *found = tn_dict_find(self.dict, c->args[0]);
    if (found == NULL && c->argc < 2) {
        return key_error(c, c->args[0], err);
    }
    tn_val v = found != NULL ? *found : c->args[1];
    if (found != NULL) {
        tn_dict_remove(self.dict, c->args[0]);
    }
    *ret = v;
    return TN_OK;
}

static tn_rc d_popitem(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    MUST_CHANGE(self.dict, "dict");
    const tn_dict_item *last = NULL;
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(self.dict, &at)) != NULL;) {
        last = it;
    }
    if (last == NULL) {
        return tn_fail(err, TN_E_VALUE, "KeyError: 'popitem(): dictionary is empty'");
    }
    tn_val pair = tn_jlib_pair(c->arena, last->key, last->value);
    tn_dict_remove(self.dict, last->key);
    *ret = pair;
    return TN_OK;
}

static tn_rc d_setdefault(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_TRY(hashable(c->args[0], err));
    const tn_val *v = tn_dict_find(self.dict, c->args[0]);
    if (v == NULL) {
        MUST_CHANGE(self.dict, "dict");
        TN_TRY(put(self.dict, c, c->args[0], c->argc > 1 ? c->args[1] : TN_VAL_NONE, err));
        v = tn_dict_find(self.dict, c->args[0]);
    }
    *ret = *v;
    return TN_OK;
}

static tn_rc d_copy(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_val d = self.tag == TN_SET ? tn_val_set(c->arena) : tn_val_dict(c->arena);
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(self.dict, &at)) != NULL;) {
        tn_dict_put(d.dict, it->key, it->value);
    }
    *ret = d;
    return TN_OK;
}

static tn_rc d_clear(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.dict, self.tag == TN_SET ? "set" : "dict");
    const tn_list *keys;
    TN_TRY(tn_jlib_items(c->arena, self, &keys, err));
    for (size_t i = 0; i < keys->n; i++) {
        tn_dict_remove(self.dict, keys->v[i]);
    }
    return TN_OK;
}

static tn_rc d_fromkeys(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    const tn_list *keys;
    tn_val d = tn_val_dict(c->arena);
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &keys, err));
    for (size_t i = 0; i < keys->n; i++) {
        TN_TRY(hashable(keys->v[i], err));
        tn_dict_put(d.dict, keys->v[i], c->argc > 1 ? c->args[1] : TN_VAL_NONE);
    }
    *ret = d;
    return TN_OK;
}

const tn_jlib_method tn_jlib_dict_methods[] = {
    { "get", d_get, 1, 2, NULL },
    { "keys", d_keys, 0, 0, NULL },
    { "values", d_values, 0, 0, NULL },
    { "items", d_items, 0, 0, NULL },
    { "update", d_update, 0, SIZE_MAX, NULL },
    { "pop", d_pop, 1, 2, NULL },
    { "popitem", d_popitem, 0, 0, NULL },
    { "setdefault", d_setdefault, 1, 2, NULL },
    { "copy", d_copy, 0, 0, NULL },
    { "clear", d_clear, 0, 0, NULL },
    { "fromkeys", d_fromkeys, 1, 2, NULL },
    { NULL, NULL, 0, 0, NULL },
};

/* ---- set ---- */
static tn_rc s_add(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.dict, "set");
    TN_TRY(hashable(c->args[0], err));
    TN_TRY(put(self.dict, c, c->args[0], TN_VAL_NONE, err));
    return TN_OK;
}

static tn_rc s_discard(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.dict, "set");
    TN_TRY(hashable(c->args[0], err));
    tn_dict_remove(self.dict, c->args[0]);
    return TN_OK;
}

static tn_rc s_remove(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)ret;
    MUST_CHANGE(self.dict, "set");
    TN_TRY(hashable(c->args[0], err));
    return tn_dict_remove(self.dict, c->args[0]) ? TN_OK : key_error(c, c->args[0], err);
}

static tn_rc s_pop(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c;
    MUST_CHANGE(self.dict, "set");
    size_t at = 0;
    const tn_dict_item *it = tn_dict_next(self.dict, &at);
    if (it == NULL) {
        return tn_fail(err, TN_E_VALUE, "KeyError: 'pop from an empty set'");
    }
    tn_val v = it->key;
    tn_dict_remove(self.dict, v);
    *ret = v;
    return TN_OK;
}

/* Any iterable as a set of its own. */
static tn_rc set_of(const tn_call *c, tn_val v, tn_val *ret, tn_err *err)
{
    const tn_list *l;
    tn_val s = tn_val_set(c->arena);
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    for (size_t i = 0; i < l->n; i++) {
        TN_TRY(hashable(l->v[i], err));
        tn_dict_put(s.dict, l->v[i], TN_VAL_NONE);
    }
    *ret = s;
    return TN_OK;
}

/* Adds the keys of x for which y's membership is `in`; y NULL: all. */
static void pick(tn_dict *to, const tn_dict *x, const tn_dict *y, bool in)
{
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(x, &at)) != NULL;) {
        if (y == NULL || (tn_dict_find(y, it->key) != NULL) == in) {
            tn_dict_put(to, it->key, TN_VAL_NONE);
        }
    }
}

/* what: | & - ^ */
static tn_rc combine(tn_val self, const tn_call *c, char what, tn_val *ret, tn_err *err)
{
    tn_val r;
    TN_TRY(set_of(c, self, &r, err));
    for (size_t i = 0; i < c->argc; i++) {
        tn_val other, next = tn_val_set(c->arena);
        TN_TRY(set_of(c, c->args[i], &other, err));
        pick(next.dict, r.dict, what == '|' ? NULL : other.dict, what == '&');
        if (what == '|' || what == '^') {
            pick(next.dict, other.dict, r.dict, false);
        }
        r = next;
    }
    *ret = r;
    return TN_OK;
}

#define COMBINE(fn, what)                                                                          \
    static tn_rc fn(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)                       \
    {                                                                                              \
        return combine(self, c, what, ret, err);                                                   \
    }
COMBINE(s_union, '|')
COMBINE(s_intersection, '&')
COMBINE(s_difference, '-')
COMBINE(s_symmetric, '^')

/* The same, into the set itself. */
static tn_rc combine_into(tn_val self, const tn_call *c, char what, tn_err *err)
{
    tn_val r, none;
    MUST_CHANGE(self.dict, "set");
    TN_TRY(combine(self, c, what, &r, err));
    TN_TRY(d_clear(self, c, &none, err));
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(r.dict, &at)) != NULL;) {
        TN_TRY(put(self.dict, c, it->key, TN_VAL_NONE, err));
    }
    return TN_OK;
}

#define COMBINE_INTO(fn, what)                                                                     \
    static tn_rc fn(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)                       \
    {                                                                                              \
        (void)ret;                                                                                 \
        return combine_into(self, c, what, err);                                                   \
    }
COMBINE_INTO(s_update, '|')
COMBINE_INTO(s_intersection_update, '&')
COMBINE_INTO(s_difference_update, '-')
COMBINE_INTO(s_symmetric_update, '^')

static bool covers(const tn_dict *big, const tn_dict *small)
{
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(small, &at)) != NULL;) {
        if (tn_dict_find(big, it->key) == NULL) {
            return false;
        }
    }
    return true;
}

static tn_rc s_issubset(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val other;
    TN_TRY(set_of(c, c->args[0], &other, err));
    *ret = tn_val_bool(covers(other.dict, self.dict));
    return TN_OK;
}

static tn_rc s_issuperset(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val other;
    TN_TRY(set_of(c, c->args[0], &other, err));
    *ret = tn_val_bool(covers(self.dict, other.dict));
    return TN_OK;
}

static tn_rc s_isdisjoint(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val other, both = tn_val_set(c->arena);
    TN_TRY(set_of(c, c->args[0], &other, err));
    pick(both.dict, self.dict, other.dict, true);
    *ret = tn_val_bool(both.dict->live == 0);
    return TN_OK;
}

const tn_jlib_method tn_jlib_set_methods[] = {
    { "add", s_add, 1, 1, NULL },
    { "discard", s_discard, 1, 1, NULL },
    { "remove", s_remove, 1, 1, NULL },
    { "pop", s_pop, 0, 0, NULL },
    { "clear", d_clear, 0, 0, NULL },
    { "copy", d_copy, 0, 0, NULL },
    { "union", s_union, 0, 100, NULL },
    { "intersection", s_intersection, 0, 100, NULL },
    { "difference", s_difference, 0, 100, NULL },
    { "symmetric_difference", s_symmetric, 1, 1, NULL },
    { "update", s_update, 0, 100, NULL },
    { "intersection_update", s_intersection_update, 0, 100, NULL },
    { "difference_update", s_difference_update, 0, 100, NULL },
    { "symmetric_difference_update", s_symmetric_update, 1, 1, NULL },
    { "issubset", s_issubset, 1, 1, NULL },
    { "issuperset", s_issuperset, 1, 1, NULL },
    { "isdisjoint", s_isdisjoint, 1, 1, NULL },
    { NULL, NULL, 0, 0, NULL },
};
