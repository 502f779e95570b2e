/* jinja_filters.c: the register of filters, and those on numbers and single values. Sequences: jinja_filters_seq.c, text:
 * jinja_filters_text.c, HTML: jinja_filters_html.c. */
#include "jinja/lib/jinja_filters.h"
#include "jinja/lib/jinja_builtin.h"

#include <math.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "jinja/value/jinja_num.h"
#include "text/json.h"

void tn_jinja_builtin_filters(tn_jinja_env *e)
{
#define ONE(fn) tn_jinja_env_filter(e, #fn, tn_jfilter_##fn, NULL);
#define ALIAS(name, fn) tn_jinja_env_filter(e, name, tn_jfilter_##fn, NULL);
    TN_JINJA_FILTERS(ONE, ALIAS)
#undef ONE
#undef ALIAS
}

tn_rc tn_jfilter_abs(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("abs", 1, NULL);
    switch (v.tag) {
    case TN_FLOAT:
        *ret = tn_val_float(fabs(v.f));
        return TN_OK;
    case TN_BOOL:
    case TN_INT:
    case TN_BIGINT:
    case TN_DECIMAL:
    case TN_DELTA: {
        tn_jinja_ctx ctx = { .arena = c->arena };
        bool neg = v.tag == TN_BIGINT || v.tag == TN_DECIMAL ? v.n > 0 && v.s[0] == '-' : v.i < 0;
        tn_val same = v.tag == TN_BOOL ? tn_val_int(v.i) : v;
        if (!neg) {
            *ret = same;
            return TN_OK;
        }
        return tn_jinja_negate(&ctx, v, ret, err);
    }
    case TN_UNDEF:
        return tn_jlib_fail_undef(err, v);
    default:
        return tn_fail(err, TN_E_TYPE, "bad operand type for abs(): '%s'", tn_val_type_name(v));
    }
}

/* Attributes only, never elements: what x.name gives for a method of a dict. */
tn_rc tn_jfilter_attr(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("attr", 2, "name");
    tn_str name = tn_jlib_text(c->arena, tn_call_arg(c, 1, "name"));
    if (v.tag == TN_OBJ && v.obj->type->attr != NULL) {
        return v.obj->type->attr(v.obj, c->arena, name, ret, err);
    }
    if (v.tag == TN_DICT || v.tag == TN_OBJ) {
        return tn_jinja_method(tn_jlib_ctx(c), v, name, ret, err);
    }
    return tn_jinja_get_attr(tn_jlib_ctx(c), v, name, ret, err);
}

tn_rc tn_jfilter_length(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("length", 1, NULL);
    int64_t n = 0;
    TN_TRY(tn_jlib_length(v, &n, err));
    *ret = tn_val_int(n);
    return TN_OK;
}

tn_rc tn_jfilter_default(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("default", 3, "default_value", "boolean");
    bool all_false = tn_jlib_bool_arg(c, 2, "boolean", false);
    if (v.tag != TN_UNDEF && (!all_false || tn_val_truthy(v))) {
        *ret = v;
    } else {
        *ret = tn_call_has(c, 1, "default_value") ? tn_call_arg(c, 1, "default_value")
                                                  : tn_val_str(TN_STR(""));
    }
    return TN_OK;
}

/* float(v) of Python; false when it would raise TypeError or ValueError. */
static bool as_float(tn_val v, double *ret)
{
    return v.tag == TN_STR_V ? tn_jlib_float_of_text(tn_val_as_str(v), ret)
                             : tn_jlib_to_f64(v, ret);
}

tn_rc tn_jfilter_filesizeformat(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    static const char *const names[2][8] = { { "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" },
        { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" } };
    TN_JFILTER_BEGIN("filesizeformat", 2, "binary");
    bool binary = tn_jlib_bool_arg(c, 1, "binary", false);
    double bytes = 0, base = binary ? 1024 : 1000, unit = base;
    if (!as_float(v, &bytes)) {
        tn_str s = tn_val_to_repr(c->arena, v);
        return tn_fail(
            err, TN_E_VALUE, "could not convert string to float: " TN_STR_FMT, TN_STR_ARG(s));
    }
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    if (bytes == 1) {
        tn_buf_addz(&b, "1 Byte");
    } else if (bytes < base) {
        tn_buf_addf(&b, "%lld Bytes", (long long)bytes);
    } else {
        size_t i = 0;
        for (unit *= base; i < 7 && !(bytes < unit); i++) {
            unit *= base;
        }
        tn_buf_addf(&b, "%.1f %s", base * bytes / unit, names[binary][i]);
    }
    return tn_jlib_finish(&b, ret, err);
}

tn_rc tn_jfilter_float(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("float", 2, "default");
    double f = 0;
    if (v.tag == TN_UNDEF) {
        return tn_jlib_fail_undef(err, v);
    }
    if (as_float(v, &f)) {
        *ret = tn_val_float(f);
    } else {
        *ret = tn_call_has(c, 1, "default") ? tn_call_arg(c, 1, "default") : tn_val_float(0.0);
    }
    return TN_OK;
}

static bool int_of_decimal(tn_arena *a, tn_val v, tn_val *ret)
{
    tn_dec d;
    if (!tn_dec_of_val(a, v, &d) || d.kind != TN_DEC_FINITE || d.e > 5000 || d.e < -100000) {
        return false;
    }
    *ret = tn_big_val(a, tn_dec_trunc(a, d));
    return true;
}

tn_rc tn_jfilter_int(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("int", 3, "default", "base");
    int64_t base = 10;
    double f = 0;
    tn_val dflt = tn_call_has(c, 1, "default") ? tn_call_arg(c, 1, "default") : tn_val_int(0);
    TN_TRY(tn_jlib_int_arg(c, 2, "base", &base, err));
    switch (v.tag) {
    case TN_UNDEF:
        return tn_jlib_fail_undef(err, v);
    case TN_BOOL:
        *ret = tn_val_int(v.i);
        return TN_OK;
    case TN_INT:
    case TN_BIGINT:
        *ret = v;
        return TN_OK;
    case TN_FLOAT:
        if (isinf(v.f)) { /* Jinja2 catches no OverflowError here */
            return tn_fail(err, TN_E_VALUE, "cannot convert float infinity to integer");
        }
        *ret = isnan(v.f) ? dflt : tn_jlib_int_of_f64(c->arena, v.f);
        return TN_OK;
    case TN_DECIMAL:
        *ret = int_of_decimal(c->arena, v, ret) ? *ret : dflt;
        return TN_OK;
    case TN_STR_V:
        if (base >= 0 && base <= 36 && base != 1 &&
            tn_jlib_int_of_text(c->arena, tn_val_as_str(v), (int)base, ret)) {
            return TN_OK;
        }
        if (tn_jlib_float_of_text(tn_val_as_str(v), &f) && isfinite(f)) {
            *ret = tn_jlib_int_of_f64(c->arena, f);
            return TN_OK;
        }
        break;
    default:
        break;
    }
    *ret = dflt;
    return TN_OK;
}

tn_rc tn_jfilter_format(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    if (c->argc == 0) {
        return tn_fail(err, TN_E_TYPE, "format() needs a value");
    }
    if (c->argc > 1 && c->kwargc > 0) {
        return tn_fail(
            err, TN_E_VALUE, "can't handle positional and keyword arguments at the same time");
    }
    tn_val arg;
    if (c->kwargc > 0) {
        arg = tn_val_dict(c->arena);
        for (size_t i = 0; i < c->kwargc; i++) {
            tn_dict_puts(arg.dict, c->kwargs[i].name, c->kwargs[i].value);
        }
    } else {
        arg = tn_val_tuple(c->arena, c->args + 1, c->argc - 1);
    }
    return tn_jinja_percent(tn_jlib_ctx(c), tn_jlib_text(c->arena, c->args[0]), arg, ret, err);
}

tn_rc tn_jfilter_items(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("items", 1, NULL);
    tn_list *l = tn_jlib_list_new(c->arena);
    if (v.tag == TN_DICT) {
        size_t at = 0;
        for (const tn_dict_item *it; (it = tn_dict_next(v.dict, &at)) != NULL;) {
            tn_list_push(l, tn_jlib_pair(c->arena, it->key, it->value));
        }
    } else if (v.tag != TN_UNDEF) {
        return tn_fail(err, TN_E_TYPE, "Can only get item pairs from a mapping.");
    }
    *ret = tn_jlib_gen(c->arena, l);
    return TN_OK;
}

tn_rc tn_jfilter_list(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("list", 1, NULL);
    const tn_list *l;
    tn_val r = tn_val_list(c->arena);
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    for (size_t i = 0; i < l->n; i++) {
        tn_list_push(r.list, l->v[i]);
    }
    *ret = r;
    return TN_OK;
}

tn_rc tn_jfilter_pprint(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("pprint", 1, NULL);
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    tn_jlib_pprint(&b, v, 80);
    return tn_jlib_finish(&b, ret, err);
}

/* Good enough for a random element: a counter and the address of the call through splitmix64. */
static uint64_t some_number(const void *where)
{
    static _Atomic uint64_t counter;
    uint64_t z =
        (atomic_fetch_add(&counter, 1) + 1) * 0x9e3779b97f4a7c15u + (uint64_t)(uintptr_t)where;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

tn_rc tn_jfilter_random(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("random", 1, NULL);
    const tn_list *l;
    TN_TRY(tn_jlib_items(c->arena, v, &l, err));
    *ret = l->n == 0 ? tn_jinja_undef_hint(TN_STR("No random item, sequence was empty."))
                     : l->v[some_number(l) % l->n];
    return TN_OK;
}

tn_rc tn_jfilter_round(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("round", 3, "precision", "method");
    int64_t precision = 0;
    tn_str method = TN_STR("common");
    TN_TRY(tn_jlib_int_arg(c, 1, "precision", &precision, err));
    if (tn_call_has(c, 2, "method")) {
        method = tn_jlib_text(c->arena, tn_call_arg(c, 2, "method"));
    }
    if (tn_str_is(method, "common")) {
        return tn_jlib_round(c->arena, v, true, precision, ret, err);
    }
    bool up = tn_str_is(method, "ceil");
    if (!up && !tn_str_is(method, "floor")) {
        return tn_fail(err, TN_E_VALUE, "method must be common, ceil or floor");
    }
    double f = 0;
    if (!tn_jlib_is_number(v) || !tn_jlib_to_f64(v, &f)) {
        return v.tag == TN_UNDEF
                   ? tn_jlib_fail_undef(err, v)
                   : tn_fail(err, TN_E_TYPE, "must be real number, not %s", tn_val_type_name(v));
    }
    double scale = pow(10, (double)precision);
    *ret = tn_val_float((up ? ceil(f * scale) : floor(f * scale)) / scale);
    return TN_OK;
}

tn_rc tn_jfilter_string(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("string", 1, NULL);
    *ret = v.tag == TN_STR_V ? v : tn_val_str(tn_jlib_text(c->arena, v));
    return TN_OK;
}

/* JSON that is safe inside of HTML: < > & ' are written as escapes. */
void tn_jlib_html_json(tn_buf *b, tn_str json)
{
    for (size_t i = 0; i < json.n; i++) {
        char ch = json.p[i];
        if (ch == '<' || ch == '>' || ch == '&' || ch == '\'') {
            tn_buf_addf(b, "\\u%04x", (unsigned)ch);
        } else {
            tn_buf_addc(b, ch);
        }
    }
}

/* What json.dumps of Python cannot write: its type's name, else NULL. */
static const char *not_json(tn_val v, int depth)
{
    if (depth > 200) {
        return "too deeply nested list";
    }
    size_t at = 0;
    switch (v.tag) {
    case TN_UNDEF:
        return "Undefined";
    case TN_LIST:
    case TN_TUPLE:
        for (size_t i = 0; i < v.list->n; i++) {
            const char *bad = not_json(v.list->v[i], depth + 1);
            if (bad != NULL) {
                return bad;
            }
        }
        return NULL;
    case TN_DICT:
        for (const tn_dict_item *it; (it = tn_dict_next(v.dict, &at)) != NULL;) {
            const char *bad = not_json(it->value, depth + 1);
            if (bad != NULL) {
                return bad;
            }
        }
        return NULL;
    case TN_NONE:
    case TN_BOOL:
    case TN_INT:
    case TN_FLOAT:
    case TN_BIGINT:
    case TN_STR_V:
        return NULL;
    default:
        return tn_val_type_name(v);
    }
}

tn_rc tn_jfilter_tojson(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("tojson", 2, "indent");
    int64_t indent = 0;
    if (tn_call_arg(c, 1, "indent").tag != TN_NONE) {
        TN_TRY(tn_jlib_int_arg(c, 1, "indent", &indent, err));
    }
    const char *bad = not_json(v, 0);
    if (bad != NULL) {
        return tn_fail(err, TN_E_TYPE, "Object of type %s is not JSON serializable", bad);
    }
    tn_json_style style = { .indent = (int)(indent < 0     ? 0
                                            : indent > 100 ? 100
                                                           : indent),
        .sort_keys = true,
        .ascii = true,
        .py_separators = true,
        .allow_nan = true };
    tn_buf json = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX),
           b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    tn_json_print(&json, v, &style);
    tn_jlib_html_json(&b, tn_buf_str(&json));
    b.full = b.full || json.full;
    tn_val r;
    TN_TRY(tn_jlib_finish(&b, &r, err));
    *ret = tn_jlib_safe(r);
    return TN_OK;
}
