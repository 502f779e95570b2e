/* jinja_lib.c: the small tools of the built-in library: arguments, elements of any iterable, sorting, generators, views. */
#include "jinja/value/jinja_lib.h"

#include "base/buf.h"
#include "text/timetext.h"

/* ---- text and arguments ---- */
tn_str tn_jlib_text(tn_arena *a, tn_val v)
{
    if (v.tag == TN_STR_V) {
        return tn_val_as_str(v);
    }
    return v.tag == TN_UNDEF ? TN_STR_NONE : tn_val_to_str(a, v);
}

tn_rc tn_jlib_finish(tn_buf *b, tn_val *ret, tn_err *err)
{
    tn_str s;
    TN_TRY(tn_buf_finish(b, "the text of a template expression", &s, err));
    *ret = tn_val_str(s);
    return TN_OK;
}

tn_val tn_jlib_safe(tn_val v)
{
    v.flags |= TN_VF_SAFE;
    return v;
}

tn_rc tn_jlib_fail_undef(tn_err *err, tn_val v)
{
    return tn_jinja_undef_fail(v, err);
}

bool tn_jlib_is_int(tn_val v)
{
    return v.tag == TN_INT || v.tag == TN_BOOL;
}

bool tn_jlib_is_number(tn_val v)
{
    return v.tag == TN_INT || v.tag == TN_BOOL || v.tag == TN_FLOAT || v.tag == TN_BIGINT ||
           v.tag == TN_DECIMAL;
}

tn_rc tn_jlib_str_arg(
    const tn_call *c, size_t place, const char *name, const char *what, tn_str *ret, tn_err *err)
{
    tn_val v = tn_call_arg(c, place, name);
    if (v.tag == TN_STR_V) {
        *ret = tn_val_as_str(v);
        return TN_OK;
    }
    if (v.tag == TN_UNDEF && !tn_call_has(c, place, name)) {
        return tn_fail(err, TN_E_TYPE, "%s() needs the argument '%s'", what, name);
    }
    return v.tag == TN_UNDEF ? tn_jlib_fail_undef(err, v)
                             : tn_fail(err, TN_E_TYPE, "%s() argument must be str, not %s", what,
                                   tn_val_type_name(v));
}

tn_rc tn_jlib_int_arg(const tn_call *c, size_t place, const char *name, int64_t *ret, tn_err *err)
{
    if (!tn_call_has(c, place, name)) {
        return TN_OK;
    }
    tn_val v = tn_call_arg(c, place, name);
    if (v.tag == TN_UNDEF) {
        return tn_jlib_fail_undef(err, v);
    }
    if (v.tag == TN_BIGINT) {
        return tn_fail(err, TN_E_VALUE, "Python int too large to convert to C ssize_t");
    }
    if (!tn_jlib_is_int(v)) {
        return tn_fail(
            err, TN_E_TYPE, "'%s' object cannot be interpreted as an integer", tn_val_type_name(v));
    }
    *ret = v.i;
    return TN_OK;
}

bool tn_jlib_bool_arg(const tn_call *c, size_t place, const char *name, bool dflt)
{
    return tn_call_has(c, place, name) ? tn_val_truthy(tn_call_arg(c, place, name)) : dflt;
}

/* ---- elements ---- */
tn_list *tn_jlib_list_new(tn_arena *a)
{
    return tn_val_list(a).list;
}

static tn_val dict_part(tn_arena *a, const tn_dict *d, char kind)
{
    tn_val l = tn_val_list(a);
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(d, &at)) != NULL;) {
        tn_list_push(l.list, kind == 'k'   ? it->key
                             : kind == 'v' ? it->value
                                           : tn_jlib_pair(a, it->key, it->value));
    }
    return l;
}

static tn_val characters(tn_arena *a, tn_str s)
{
    tn_val l = tn_val_list(a);
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        tn_list_push(l.list, tn_val_str(tn_str_n(s.p + at, n)));
        at += n;
    }
    return l;
}

tn_rc tn_jlib_list_of(tn_arena *a, tn_val v, tn_val *ret, tn_err *err)
{
    switch (v.tag) {
    case TN_LIST:
    case TN_TUPLE:
        *ret = v;
        return TN_OK;
    case TN_DICT:
    case TN_SET:
        *ret = dict_part(a, v.dict, 'k');
        return TN_OK;
    case TN_STR_V:
        *ret = characters(a, tn_val_as_str(v));
        return TN_OK;
    case TN_UNDEF: /* Jinja's Undefined is an empty sequence */
        *ret = tn_val_list(a);
        return TN_OK;
    case TN_BYTES:
        *ret = tn_val_list(a);
        for (size_t i = 0; i < v.n; i++) {
            tn_list_push(ret->list, tn_val_int((unsigned char)v.s[i]));
        }
        return TN_OK;
    case TN_OBJ:
        if (v.obj->type->iter != NULL) {
            return v.obj->type->iter(v.obj, a, ret, err);
        }
        break;
    default:
        break;
    }
    return tn_fail(err, TN_E_TYPE, "'%s' object is not iterable", tn_val_type_name(v));
}

tn_rc tn_jlib_items(tn_arena *a, tn_val v, const tn_list **ret, tn_err *err)
{
    tn_val list;
    TN_TRY(tn_jlib_list_of(a, v, &list, err));
    *ret = list.list;
    return TN_OK;
}

tn_rc tn_jlib_length(tn_val v, int64_t *ret, tn_err *err)
{
    size_t n = 0;
    switch (v.tag) {
    case TN_LIST:
    case TN_TUPLE:
        n = v.list->n;
        break;
    case TN_DICT:
    case TN_SET:
        n = v.dict->live;
        break;
    case TN_STR_V:
        n = tn_utf8_len(tn_val_as_str(v));
        break;
    case TN_BYTES:
        n = v.n;
        break;
    case TN_UNDEF:
        break;
    case TN_OBJ:
        if (v.obj->type->length != NULL && v.obj->type->length(v.obj, &n)) {
            break;
        }
        return tn_fail(err, TN_E_TYPE, "object of type '%s' has no len()", tn_val_type_name(v));
    default:
        return tn_fail(err, TN_E_TYPE, "object of type '%s' has no len()", tn_val_type_name(v));
    }
    *ret = (int64_t)n;
    return TN_OK;
}

/* ---- sorting: merge sort on places, since Python's sort is stable ---- */
typedef struct sorter {
    const tn_val *keys;
    bool reverse;
    tn_err *err;
    size_t *from;
    size_t *to;
} sorter;

/* Like Python, only '<' is asked: y < x means that y goes first. */
static tn_rc goes_first(const sorter *s, size_t y, size_t x, bool *ret)
{
    int cmp = 0;
    TN_TRY(s->reverse ? tn_val_cmp(s->keys[x], s->keys[y], &cmp, s->err)
                      : tn_val_cmp(s->keys[y], s->keys[x], &cmp, s->err));
    *ret = cmp < 0;
    return TN_OK;
}

static tn_rc merge(sorter *s, size_t lo, size_t mid, size_t hi)
{
    size_t i = lo, j = mid;
    for (size_t k = lo; k < hi; k++) {
        bool right = i >= mid;
        if (!right && j < hi) {
            TN_TRY(goes_first(s, s->from[j], s->from[i], &right));
        }
        s->to[k] = right ? s->from[j++] : s->from[i++];
    }
    return TN_OK;
}

tn_rc tn_jlib_sort(tn_arena *a, tn_val *v, const tn_val *keys, size_t n, bool reverse, tn_err *err)
{
    sorter s = { .keys = keys ? keys : v, .reverse = reverse, .err = err };
    s.from = tn_new_array(a, size_t, n + 1);
    s.to = tn_new_array(a, size_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        s.from[i] = i;
    }
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            TN_TRY(merge(&s, lo, tn_min_size(lo + width, n), tn_min_size(lo + 2 * width, n)));
        }
        size_t *t = s.from;
        s.from = s.to;
        s.to = t;
    }
    tn_val *sorted = tn_new_array(a, tn_val, n + 1);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = v[s.from[i]];
    }
    if (n > 0) {
        memcpy(v, sorted, n * sizeof *v);
    }
    return TN_OK;
}

/* ---- strings ---- */
void tn_jlib_escape_to(tn_buf *b, tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            tn_buf_addz(b, "&amp;");
            break;
        case '<':
            tn_buf_addz(b, "&lt;");
            break;
        case '>':
            tn_buf_addz(b, "&gt;");
            break;
        case '\'':
            tn_buf_addz(b, "&#39;");
            break;
        case '"':
            tn_buf_addz(b, "&#34;");
            break;
        default:
            tn_buf_addc(b, s.p[i]);
            break;
        }
    }
}

static bool is_line_end(uint32_t cp)
{
    return (cp >= '\n' && cp <= '\r') || (cp >= 0x1c && cp <= 0x1e) || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

tn_rc tn_jlib_splitlines(tn_arena *a, tn_str s, bool keep, tn_list *l)
{
    (void)a;
    size_t start = 0, at = 0;
    while (at < s.n) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (is_line_end(cp)) {
            n += cp == '\r' && at + 1 < s.n && s.p[at + 1] == '\n' ? 1 : 0;
            tn_list_push(l, tn_val_str(tn_str_sub(s, start, keep ? at + n : at)));
            start = at + n;
        }
        at += n;
    }
    if (start < s.n) {
        tn_list_push(l, tn_val_str(tn_str_sub(s, start, s.n)));
    }
    return TN_OK;
}

tn_str tn_jlib_strip(tn_str s, int sides)
{
    size_t from = 0, to = s.n;
    while ((sides & 1) && from < s.n) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, from, s.n), &cp);
        if (!tn_uni_is_space(cp)) {
            break;
        }
        from += n;
    }
    while ((sides & 2) && to > from) {
        size_t at = to - 1;
        while (at > from && ((unsigned char)s.p[at] & 0xC0) == 0x80) {
            at--;
        }
        uint32_t cp;
        tn_utf8_decode(tn_str_sub(s, at, to), &cp);
        if (!tn_uni_is_space(cp)) {
            break;
        }
        to = at;
    }
    return tn_str_sub(s, from, to);
}

/* ---- generators ---- */
typedef struct generator {
    tn_obj base;
    tn_list *list;
    size_t at;
} generator;

static tn_rc gen_iter(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err)
{
    (void)err;
    generator *g = (generator *)self;
    tn_val rest = tn_val_list(a);
    for (; g->at < g->list->n; g->at++) {
        tn_list_push(rest.list, g->list->v[g->at]);
    }
    *ret_list = rest;
    return TN_OK;
}

static bool gen_truthy(tn_obj *self)
{
    (void)self;
    return true;
}

static void gen_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addf(b, "<generator object at %p>", (void *)self);
}

static const tn_obj_type GENERATOR = {
    .name = "generator", .iter = gen_iter, .truthy = gen_truthy, .str = gen_str
};

tn_val tn_jlib_gen(tn_arena *a, tn_list *l)
{
    generator *g = tn_new(a, generator);
    g->base.type = &GENERATOR;
    g->list = l;
    return tn_val_obj(&g->base);
}

bool tn_jlib_gen_next(tn_val v, tn_val *ret, bool *ret_is_gen)
{
    *ret_is_gen = v.tag == TN_OBJ && v.obj->type == &GENERATOR;
    generator *g = *ret_is_gen ? (generator *)v.obj : NULL;
    if (g == NULL || g->at >= g->list->n) {
        return false;
    }
    *ret = g->list->v[g->at++];
    return true;
}

/* ---- views of dicts ---- */
typedef struct dict_view {
    tn_obj base;
    tn_dict *dict;
    char kind;
} dict_view;

static tn_rc view_iter(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err)
{
    (void)err;
    const dict_view *v = (const dict_view *)self;
    *ret_list = dict_part(a, v->dict, v->kind);
    return TN_OK;
}

static bool view_length(tn_obj *self, size_t *ret)
{
    *ret = ((const dict_view *)self)->dict->live;
    return true;
}

static void view_str(tn_obj *self, tn_buf *b)
{
    const dict_view *v = (const dict_view *)self;
    TN_AUTO_ARENA a = tn_arena_new("view", NULL);
    tn_buf_addf(b, "%s(", self->type->name);
    tn_val_repr_to(b, dict_part(a, v->dict, v->kind));
    tn_buf_addc(b, ')');
}

static bool view_eq(tn_obj *self, tn_val other)
{
    if (other.tag != TN_OBJ || other.obj->type != self->type ||
        ((const dict_view *)self)->kind == 'v') {
        return other.tag == TN_OBJ && other.obj == self;
    }
    const tn_dict *x = ((const dict_view *)self)->dict, *y = ((const dict_view *)other.obj)->dict;
    bool items = ((const dict_view *)self)->kind == 'i';
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(x, &at)) != NULL;) {
        const tn_val *found = tn_dict_find(y, it->key);
        if (found == NULL || (items && !tn_val_eq(*found, it->value))) {
            return false;
        }
    }
    return x->live == y->live;
}

static const tn_obj_type KEYS = {
    .name = "dict_keys", .iter = view_iter, .length = view_length, .str = view_str, .eq = view_eq
};
static const tn_obj_type VALUES = {
    .name = "dict_values", .iter = view_iter, .length = view_length, .str = view_str, .eq = view_eq
};
static const tn_obj_type ITEMS = {
    .name = "dict_items", .iter = view_iter, .length = view_length, .str = view_str, .eq = view_eq
};

tn_val tn_jlib_view(tn_arena *a, tn_dict *d, char kind)
{
    dict_view *v = tn_new(a, dict_view);
    v->base.type = kind == 'k' ? &KEYS : kind == 'v' ? &VALUES : &ITEMS;
    v->dict = d;
    v->kind = kind;
    return tn_val_obj(&v->base);
}

/* ---- slices ---- */
static tn_rc slice_int(tn_val v, int64_t *ret, bool *ret_given, tn_err *err)
{
    *ret_given = v.tag != TN_NONE && v.tag != TN_UNDEF;
    if (!*ret_given) {
        return TN_OK;
    }
    if (v.tag == TN_BIGINT) {
        *ret = v.s[0] == '-' ? INT64_MIN / 2 : INT64_MAX / 2;
        return TN_OK;
    }
    if (!tn_jlib_is_int(v)) {
        return tn_fail(
            err, TN_E_TYPE, "slice indices must be integers or None or have an __index__ method");
    }
    *ret = v.i < INT64_MIN / 2 ? INT64_MIN / 2 : v.i > INT64_MAX / 2 ? INT64_MAX / 2 : v.i;
    return TN_OK;
}

static int64_t clamp(int64_t i, int64_t len, int64_t lo, int64_t hi)
{
    i = i < 0 ? i + len : i;
    return i < lo ? lo : i > hi ? hi : i;
}

tn_rc tn_jlib_slice_indices(tn_val start, tn_val stop, tn_val step, int64_t len, int64_t *ret_start,
    int64_t *ret_step, int64_t *ret_n, tn_err *err)
{
    int64_t by = 1, from = 0, to = 0;
    bool has_step, has_start, has_stop;
    TN_TRY(slice_int(step, &by, &has_step, err));
    TN_TRY(slice_int(start, &from, &has_start, err));
    TN_TRY(slice_int(stop, &to, &has_stop, err));
    if (by == 0) {
        return tn_fail(err, TN_E_VALUE, "slice step cannot be zero");
    }
    int64_t lo = by > 0 ? 0 : -1, hi = by > 0 ? len : len - 1;
    from = has_start ? clamp(from, len, lo, hi) : by > 0 ? lo : hi;
    to = has_stop ? clamp(to, len, lo, hi) : by > 0 ? hi : lo;
    int64_t n = by > 0 ? (to > from ? (to - from - 1) / by + 1 : 0)
                       : (from > to ? (from - to - 1) / -by + 1 : 0);
    *ret_start = from;
    *ret_step = by;
    *ret_n = n;
    return TN_OK;
}
