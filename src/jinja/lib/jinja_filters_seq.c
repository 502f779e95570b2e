/* jinja_filters_seq.c: the filters on sequences. What is a generator in Jinja2 is one here (made at once, used up by the first
 * loop over it). */
#include "base/buf.h"
#include "jinja/lib/jinja_filters.h"
#include "jinja/value/jinja_registry.h"

/* ---- attributes of elements: 'a.b.0' ---- */
typedef struct getter {
    tn_jinja_ctx *ctx;
    const tn_call *c;
    tn_val attribute; /* none: the element itself */
    tn_val dflt;      /* none: no default */
    bool lower;       /* strings without regard of case */
} getter;

static tn_rc get_path(const getter *g, tn_str path, tn_val item, tn_val *ret, tn_err *err)
{
    tn_str part, rest = path;
    bool more = true;
    while (more) {
        int64_t i = 0;
        more = tn_str_cut(rest, '.', &part, &rest);
        bool digits = part.n > 0;
        for (size_t k = 0; k < part.n; k++) {
            digits = digits && part.p[k] >= '0' && part.p[k] <= '9';
        }
        tn_val key = digits && tn_str_to_i64(part, &i) ? tn_val_int(i) : tn_val_str(part);
        TN_TRY(tn_jinja_get_item(g->ctx, item, key, &item, err));
        if (item.tag == TN_UNDEF && g->dflt.tag != TN_NONE) {
            item = g->dflt;
        }
    }
    *ret = item;
    return TN_OK;
}

static tn_val folded(const getter *g, tn_val v)
{
    return g->lower && v.tag == TN_STR_V
               ? tn_val_str(tn_jlib_recase(g->c->arena, tn_val_as_str(v), TN_CASE_LOWER))
               : v;
}

static tn_rc get_raw(const getter *g, tn_val item, tn_val *ret, tn_err *err)
{
    if (g->attribute.tag == TN_NONE || g->attribute.tag == TN_UNDEF) {
        *ret = item;
        return TN_OK;
    }
    if (g->attribute.tag == TN_STR_V) {
        return get_path(g, tn_val_as_str(g->attribute), item, ret, err);
    }
    tn_val got;
    TN_TRY(tn_jinja_get_item(g->ctx, item, g->attribute, &got, err));
    *ret = got.tag == TN_UNDEF && g->dflt.tag != TN_NONE ? g->dflt : got;
    return TN_OK;
}

static tn_rc get(const getter *g, tn_val item, tn_val *ret, tn_err *err)
{
    tn_val v;
    TN_TRY(get_raw(g, item, &v, err));
    *ret = folded(g, v);
    return TN_OK;
}

static getter getter_of(const tn_call *c, tn_val attribute, bool case_sensitive)
{
    return (getter){ .ctx = tn_jlib_ctx(c),
        .c = c,
        .attribute = attribute,
        .dflt = TN_VAL_NONE,
        .lower = !case_sensitive };
}

static tn_rc keys_of(const getter *g, const tn_list *l, tn_val **ret, tn_err *err)
{
    tn_val *keys = tn_new_array(g->c->arena, tn_val, l->n + 1);
    for (size_t i = 0; i < l->n; i++) {
        TN_TRY(get(g, l->v[i], &keys[i], err));
    }
    *ret = keys;
    return TN_OK;
}

static tn_val *copy_of(const tn_call *c, const tn_list *l)
{
    tn_val *v = tn_new_array(c->arena, tn_val, l->n + 1);
    if (l->n > 0) {
        memcpy(v, l->v, l->n * sizeof *v);
    }
    return v;
}

static tn_val list_of(const tn_call *c, const tn_val *v, size_t n)
{
    tn_val l = tn_val_list(c->arena);
    for (size_t i = 0; i < n; i++) {
        tn_list_push(l.list, v[i]);
    }
    return l;
}

/* ---- cutting ---- */
tn_rc tn_jfilter_batch(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("batch", 3, "linecount", "fill_with");
    const tn_list *l;
    int64_t size = 0;
    tn_val fill = tn_call_arg(c, 2, "fill_with");
    TN_TRY(tn_jlib_int_arg(c, 1, "linecount", &size, err));
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    if (size < 0 || size > (int64_t)TN_JLIB_ITEMS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "batches of %lld elements", (long long)size);
    }
    tn_list *out = tn_jlib_list_new(c->arena), *now = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < l->n; i++) {
        if ((int64_t)now->n == size) {
            tn_list_push(out, tn_jlib_list_val(now));
            now = tn_jlib_list_new(c->arena);
        }
        tn_list_push(now, l->v[i]);
    }
    if (now->n > 0) {
        while (fill.tag != TN_NONE && fill.tag != TN_UNDEF && (int64_t)now->n < size) {
            tn_list_push(now, fill);
        }
        tn_list_push(out, tn_jlib_list_val(now));
    }
    *ret = tn_jlib_gen(c->arena, out);
    return TN_OK;
}

tn_rc tn_jfilter_slice(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("slice", 3, "slices", "fill_with");
    const tn_list *l;
    int64_t slices = 0;
    tn_val fill = tn_call_arg(c, 2, "fill_with");
    TN_TRY(tn_jlib_int_arg(c, 1, "slices", &slices, err));
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    if (slices == 0) {
        return tn_fail(err, TN_E_VALUE, "integer division or modulo by zero");
    }
    if (slices > (int64_t)TN_JLIB_ITEMS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "more than %zu slices", TN_JLIB_ITEMS_MAX);
    }
    tn_list *out = tn_jlib_list_new(c->arena);
    size_t n = slices < 0 ? 0 : (size_t)slices, each = n ? l->n / n : 0,
           with_extra = n ? l->n % n : 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t take = each + (i < with_extra ? 1 : 0);
        tn_val part = list_of(c, l->v + at, take);
        if (fill.tag != TN_NONE && fill.tag != TN_UNDEF && i >= with_extra) {
            tn_list_push(part.list, fill);
        }
        tn_list_push(out, part);
        at += take;
    }
    *ret = tn_jlib_gen(c->arena, out);
    return TN_OK;
}

tn_rc tn_jfilter_first(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("first", 1, NULL);
    const tn_list *l;
    bool is_gen;
    if (tn_jlib_gen_next(v, ret, &is_gen)) {
        return TN_OK;
    }
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    *ret = l->n > 0 ? l->v[0] : tn_jinja_undef_hint(TN_STR("No first item, sequence was empty."));
    return TN_OK;
}

tn_rc tn_jfilter_last(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("last", 1, NULL);
    const tn_list *l;
    if (v.tag == TN_OBJ && v.obj->type->length == NULL) {
        return tn_fail(err, TN_E_TYPE, "'%s' object is not reversible", tn_val_type_name(v));
    }
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    *ret = l->n > 0 ? l->v[l->n - 1]
                    : tn_jinja_undef_hint(TN_STR("No last item, sequence was empty."));
    return TN_OK;
}

tn_rc tn_jfilter_reverse(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("reverse", 1, NULL);
    if (v.tag == TN_STR_V) {
        tn_val r;
        tn_jinja_ctx ctx = { .arena = c->arena };
        TN_TRY(tn_jinja_slice(&ctx, v, TN_VAL_NONE, TN_VAL_NONE, tn_val_int(-1), &r, err));
        *ret = r;
        return TN_OK;
    }
    const tn_list *l;
    if (tn_jlib_items(c->arena, v, &l, NULL) != TN_OK) {
        return tn_fail(err, TN_E_VALUE, "argument must be iterable");
    }
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = l->n; i-- > 0;) {
        tn_list_push(out, l->v[i]);
    }
    bool listed = v.tag == TN_SET || (v.tag == TN_OBJ && v.obj->type->length == NULL);
    *ret = listed ? tn_jlib_list_val(out) : tn_jlib_gen(c->arena, out);
    return TN_OK;
}

tn_rc tn_jfilter_join(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("join", 3, "d", "attribute");
    const tn_list *l;
    getter g = getter_of(c, tn_call_arg(c, 2, "attribute"), true);
    tn_str sep = tn_jlib_text(c->arena, tn_call_arg(c, 1, "d"));
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t i = 0; i < l->n; i++) {
        tn_val item;
        TN_TRY(get(&g, l->v[i], &item, err));
        if (i > 0) {
            tn_buf_add(&b, sep);
        }
        if (item.tag != TN_UNDEF) {
            tn_val_str_to(&b, item);
        }
    }
    return tn_jlib_finish(&b, ret, err);
}

/* ---- map, select, reject ---- */
static tn_rc call_named(const tn_call *c, const tn_map *table, const char *kind, tn_str name,
    tn_call *inner, tn_val *ret, tn_err *err)
{
    const tn_jbuiltin *b = tn_map_find(table, name);
    if (b == NULL) {
        return tn_fail(err, TN_E_NAME, "No %s named '" TN_STR_FMT "'.", kind, TN_STR_ARG(name));
    }
    (void)c;
    tn_val r = TN_VAL_NONE;
    TN_TRY(b->fn(b->self, inner, &r, err));
    *ret = r;
    return TN_OK;
}

static const tn_kwarg *kwarg(const tn_call *c, const char *name)
{
    for (size_t i = 0; i < c->kwargc; i++) {
        if (tn_str_is(c->kwargs[i].name, name)) {
            return &c->kwargs[i];
        }
    }
    return NULL;
}

static tn_rc map_attribute(const tn_call *c, const tn_list *l, tn_list *out, tn_err *err)
{
    getter g = getter_of(c, kwarg(c, "attribute")->value, true);
    const tn_kwarg *dflt = kwarg(c, "default");
    for (size_t i = 0; i < c->kwargc; i++) {
        if (!tn_str_is(c->kwargs[i].name, "attribute") &&
            !tn_str_is(c->kwargs[i].name, "default")) {
            return tn_fail(err, TN_E_TYPE, "Unexpected keyword argument '" TN_STR_FMT "'",
                TN_STR_ARG(c->kwargs[i].name));
        }
    }
    if (dflt != NULL) {
        g.dflt = dflt->value;
    }
    for (size_t i = 0; i < l->n; i++) {
        tn_val v;
        TN_TRY(get(&g, l->v[i], &v, err));
        tn_list_push(out, v);
    }
    return TN_OK;
}

/* Jinja2's map and select look whether there is a value at all before they walk it: none, 0 and false give nothing. */
static tn_rc items_of_any(const tn_call *c, const tn_list **ret, tn_err *err)
{
    tn_val v = c->argc > 0 ? c->args[0] : TN_VAL_UNDEF;
    bool nothing = tn_val_is_none(v) || v.tag == TN_BOOL || v.tag == TN_INT || v.tag == TN_FLOAT;
    if (nothing && !tn_val_truthy(v)) {
        *ret = tn_jlib_list_new(c->arena);
        return TN_OK;
    }
    return tn_jlib_items(c->arena, v, ret, err);
}

tn_rc tn_jfilter_map(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    const tn_list *l;
    tn_list *out = tn_jlib_list_new(c->arena);
    TN_TRY(items_of_any(c, &l, err));
    if (c->argc == 1 && kwarg(c, "attribute") != NULL) {
        TN_TRY(map_attribute(c, l, out, err));
    } else if (c->argc < 2) {
        return tn_fail(err, TN_E_TYPE, "map requires a filter argument");
    } else {
        tn_val *args = tn_new_array(c->arena, tn_val, c->argc);
        memcpy(args + 1, c->args + 2, (c->argc - 2) * sizeof *args);
        tn_call inner = *c;
        inner.args = args;
        inner.argc = c->argc - 1;
        tn_str name = tn_jlib_text(c->arena, c->args[1]);
        for (size_t i = 0; i < l->n; i++) {
            tn_val v;
            args[0] = l->v[i];
            TN_TRY(call_named(c, &tn_jlib_ctx(c)->env->filters, "filter", name, &inner, &v, err));
            tn_list_push(out, v);
        }
    }
    *ret = tn_jlib_gen(c->arena, out);
    return TN_OK;
}

/* `places`: arguments before the name of the test: 1 (the value), or 2 (and an attribute). */
static tn_rc choose(const tn_call *c, bool by_attribute, bool wanted, tn_val *ret, tn_err *err)
{
    const tn_list *l;
    size_t places = by_attribute ? 2 : 1;
    if (c->argc < places) {
        return tn_fail(err, TN_E_TYPE, "Missing parameter for attribute name");
    }
    getter g = getter_of(c, by_attribute ? c->args[1] : TN_VAL_NONE, true);
    TN_TRY(items_of_any(c, &l, err));
    bool tested = c->argc > places;
    tn_call inner = *c;
    tn_val *args = tn_new_array(c->arena, tn_val, c->argc + 1);
    if (tested) {
        memcpy(args + 1, c->args + places + 1, (c->argc - places - 1) * sizeof *args);
        inner.args = args;
        inner.argc = c->argc - places;
    }
    tn_str name = tested ? tn_jlib_text(c->arena, c->args[places]) : TN_STR_NONE;
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < l->n; i++) {
        tn_val answer;
        TN_TRY(get(&g, l->v[i], &args[0], err));
        answer = args[0];
        if (tested) {
            TN_TRY(call_named(c, &tn_jlib_ctx(c)->env->tests, "test", name, &inner, &answer, err));
        }
        if (tn_val_truthy(answer) == wanted) {
            tn_list_push(out, l->v[i]);
        }
    }
    *ret = tn_jlib_gen(c->arena, out);
    return TN_OK;
}

tn_rc tn_jfilter_select(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return choose(c, false, true, ret, err);
}

tn_rc tn_jfilter_reject(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return choose(c, false, false, ret, err);
}

tn_rc tn_jfilter_selectattr(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return choose(c, true, true, ret, err);
}

tn_rc tn_jfilter_rejectattr(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return choose(c, true, false, ret, err);
}

/* ---- order ---- */
/* 'a,b.c' sorts by several attributes. The key is a list even of one: lists compare with == first, so that two equal values
 * that have no order (None) are no error, as in Jinja2. */
static tn_rc multi_keys(const getter *g, const tn_list *l, tn_val **ret, tn_err *err)
{
    bool several = g->attribute.tag == TN_STR_V &&
                   tn_str_find_char(tn_val_as_str(g->attribute), ',', 0) != SIZE_MAX;
    tn_val *keys = tn_new_array(g->c->arena, tn_val, l->n + 1);
    for (size_t i = 0; i < l->n; i++) {
        tn_str part, rest = several ? tn_val_as_str(g->attribute) : TN_STR_NONE;
        bool more = true;
        keys[i] = tn_val_list(g->c->arena);
        while (more) {
            tn_val v;
            more = several && tn_str_cut(rest, ',', &part, &rest);
            TN_TRY(several ? get_path(g, part, l->v[i], &v, err) : get_raw(g, l->v[i], &v, err));
            tn_list_push(keys[i].list, folded(g, v));
        }
    }
    *ret = keys;
    return TN_OK;
}

tn_rc tn_jfilter_sort(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("sort", 4, "reverse", "case_sensitive", "attribute");
    const tn_list *l;
    tn_val *keys;
    getter g = getter_of(
        c, tn_call_arg(c, 3, "attribute"), tn_jlib_bool_arg(c, 2, "case_sensitive", false));
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    TN_TRY(multi_keys(&g, l, &keys, err));
    tn_val *items = copy_of(c, l);
    TN_TRY(
        tn_jlib_sort(c->arena, items, keys, l->n, tn_jlib_bool_arg(c, 1, "reverse", false), err));
    *ret = list_of(c, items, l->n);
    return TN_OK;
}

tn_rc tn_jfilter_unique(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("unique", 3, "case_sensitive", "attribute");
    const tn_list *l;
    tn_val *keys, seen = tn_val_set(c->arena);
    getter g = getter_of(
        c, tn_call_arg(c, 2, "attribute"), tn_jlib_bool_arg(c, 1, "case_sensitive", false));
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    TN_TRY(keys_of(&g, l, &keys, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < l->n; i++) {
        if (!tn_val_hashable(keys[i])) {
            return tn_fail(err, TN_E_TYPE, "unhashable type: '%s'", tn_val_type_name(keys[i]));
        }
        if (tn_dict_find(seen.dict, keys[i]) == NULL) {
            tn_dict_put(seen.dict, keys[i], TN_VAL_NONE);
            tn_list_push(out, l->v[i]);
        }
    }
    *ret = tn_jlib_gen(c->arena, out);
    return TN_OK;
}

static tn_rc extreme(const tn_call *c, const char *name, bool max, tn_val *ret, tn_err *err)
{
    void *self = NULL;
    TN_JFILTER_BEGIN(name, 3, "case_sensitive", "attribute");
    const tn_list *l;
    tn_val *keys;
    getter g = getter_of(
        c, tn_call_arg(c, 2, "attribute"), tn_jlib_bool_arg(c, 1, "case_sensitive", false));
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    TN_TRY(keys_of(&g, l, &keys, err));
    if (l->n == 0) {
        *ret = tn_jinja_undef_hint(TN_STR("No aggregated item, sequence was empty."));
        return TN_OK;
    }
    size_t best = 0;
    for (size_t i = 1; i < l->n; i++) {
        int cmp = 0;
        TN_TRY(tn_val_cmp(keys[i], keys[best], &cmp, err));
        best = (max ? cmp > 0 : cmp < 0) ? i : best;
    }
    *ret = l->v[best];
    return TN_OK;
}

tn_rc tn_jfilter_min(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return extreme(c, "min", false, ret, err);
}

tn_rc tn_jfilter_max(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return extreme(c, "max", true, ret, err);
}

tn_rc tn_jfilter_sum(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("sum", 3, "attribute", "start");
    const tn_list *l;
    getter g = getter_of(c, tn_call_arg(c, 1, "attribute"), true);
    tn_val total = tn_call_has(c, 2, "start") ? tn_call_arg(c, 2, "start") : tn_val_int(0);
    tn_jinja_ctx plain = { .arena = c->arena };
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    for (size_t i = 0; i < l->n; i++) {
        tn_val item;
        TN_TRY(get(&g, l->v[i], &item, err));
        TN_TRY(tn_jinja_arith(
            c->interp ? tn_jlib_ctx(c) : &plain, TN_OP_ADD, total, item, &total, err));
    }
    *ret = total;
    return TN_OK;
}

tn_rc tn_jfilter_dictsort(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("dictsort", 4, "case_sensitive", "by", "reverse");
    tn_str by =
        tn_call_has(c, 2, "by") ? tn_jlib_text(c->arena, tn_call_arg(c, 2, "by")) : TN_STR("key");
    bool value = tn_str_is(by, "value");
    if (!value && !tn_str_is(by, "key")) {
        return tn_fail(err, TN_E_VALUE, "You can only sort by either \"key\" or \"value\"");
    }
    if (v.tag != TN_DICT) {
        return v.tag == TN_UNDEF ? tn_jlib_fail_undef(err, v)
                                 : tn_fail(err, TN_E_NAME, "'%s' object has no attribute 'items'",
                                       tn_val_type_name(v));
    }
    getter g =
        getter_of(c, tn_val_int(value ? 1 : 0), tn_jlib_bool_arg(c, 1, "case_sensitive", false));
    tn_val pairs = tn_val_list(c->arena);
    tn_val *keys = tn_new_array(c->arena, tn_val, v.dict->live + 1);
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(v.dict, &at)) != NULL;) {
        keys[pairs.list->n] = folded(&g, value ? it->value : it->key);
        tn_list_push(pairs.list, tn_jlib_pair(c->arena, it->key, it->value));
    }
    bool reverse = tn_jlib_bool_arg(c, 3, "reverse", false);
    TN_TRY(tn_jlib_sort(c->arena, pairs.list->v, keys, pairs.list->n, reverse, err));
    *ret = pairs;
    return TN_OK;
}

/* ---- groupby: pairs that also have the attributes grouper and list ---- */
typedef struct group {
    tn_obj base;
    tn_val pair;
} group;

static tn_rc group_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    const tn_list *l = ((const group *)self)->pair.list;
    *ret = tn_str_is(name, "grouper") ? l->v[0]
           : tn_str_is(name, "list")  ? l->v[1]
                                      : tn_val_undef(name);
    return TN_OK;
}

static tn_rc group_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    const tn_list *l = ((const group *)self)->pair.list;
    if (key.tag == TN_STR_V) {
        return group_attr(self, a, tn_val_as_str(key), ret, err);
    }
    int64_t i = tn_jlib_is_int(key) ? key.i : 99;
    i = i < 0 ? i + 2 : i;
    *ret = i == 0 || i == 1 ? l->v[i] : TN_VAL_UNDEF;
    return TN_OK;
}

static tn_rc group_iter(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err)
{
    (void)a, (void)err;
    *ret_list = ((const group *)self)->pair;
    return TN_OK;
}

static bool group_length(tn_obj *self, size_t *ret)
{
    (void)self;
    *ret = 2;
    return true;
}

static void group_str(tn_obj *self, tn_buf *b)
{
    tn_val_repr_to(b, ((const group *)self)->pair);
}

static bool group_eq(tn_obj *self, tn_val other)
{
    tn_val o = other.tag == TN_OBJ && other.obj->type == self->type
                   ? ((const group *)other.obj)->pair
                   : other;
    return tn_val_eq(((const group *)self)->pair, o);
}

static const tn_obj_type GROUP = { .name = "_GroupTuple",
    .attr = group_attr,
    .item = group_item,
    .iter = group_iter,
    .length = group_length,
    .str = group_str,
    .eq = group_eq };

tn_rc tn_jfilter_groupby(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("groupby", 4, "attribute", "default", "case_sensitive");
    const tn_list *l;
    tn_val *keys;
    getter g = getter_of(
        c, tn_call_arg(c, 1, "attribute"), tn_jlib_bool_arg(c, 3, "case_sensitive", false));
    if (tn_call_has(c, 2, "default")) {
        g.dflt = tn_call_arg(c, 2, "default");
    }
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    TN_TRY(keys_of(&g, l, &keys, err));
    tn_val *items = copy_of(c, l);
    TN_TRY(tn_jlib_sort(c->arena, items, keys, l->n, false, err));
    tn_val out = tn_val_list(c->arena), last = TN_VAL_NONE;
    tn_list *now = NULL;
    for (size_t i = 0; i < l->n; i++) {
        tn_val key;
        TN_TRY(get(&g, items[i], &key, err));
        if (now == NULL || !tn_val_eq(key, last)) {
            tn_val shown; /* as the first element has it */
            TN_TRY(get_raw(&g, items[i], &shown, err));
            now = tn_jlib_list_new(c->arena);
            group *one = tn_new(c->arena, group);
            one->base.type = &GROUP;
            one->pair = tn_jlib_pair(c->arena, shown, tn_jlib_list_val(now));
            tn_list_push(out.list, tn_val_obj(&one->base));
            last = key;
        }
        tn_list_push(now, items[i]);
    }
    *ret = out;
    return TN_OK;
}
