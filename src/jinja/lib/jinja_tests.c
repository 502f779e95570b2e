/* jinja_tests.c: the tests of Jinja2 (`x is name`). */
#include "jinja/lib/jinja_builtin.h"
#include "jinja/value/jinja_num.h"
#include "jinja/value/jinja_registry.h"

#define TEST(fn, answer)                                                                           \
    static tn_rc fn(void *self, const tn_call *c, tn_val *ret, tn_err *err)                        \
    {                                                                                              \
        (void)self, (void)err;                                                                     \
        tn_val v = c->argc > 0 ? c->args[0] : TN_VAL_UNDEF;                                        \
        *ret = tn_val_bool(answer);                                                                \
        return TN_OK;                                                                              \
    }

static bool is_callable(tn_val v)
{
    return v.tag == TN_OBJ && v.obj->type->call != NULL;
}

static bool is_iterable(tn_val v)
{
    switch (v.tag) {
    case TN_LIST:
    case TN_TUPLE:
    case TN_DICT:
    case TN_SET:
    case TN_STR_V:
    case TN_BYTES:
    case TN_UNDEF:
        return true;
    case TN_OBJ:
        return v.obj->type->iter != NULL;
    default:
        return false;
    }
}

/* What has a length and elements by place or key. */
static bool is_sequence(tn_val v)
{
    size_t n;
    switch (v.tag) {
    case TN_LIST:
    case TN_TUPLE:
    case TN_DICT:
    case TN_STR_V:
    case TN_BYTES:
    case TN_UNDEF:
        return true;
    case TN_OBJ:
        return v.obj->type->length != NULL && v.obj->type->item != NULL &&
               v.obj->type->length(v.obj, &n);
    default:
        return false;
    }
}

static bool is_same(tn_val x, tn_val y)
{
    if (x.tag != y.tag) {
        return false;
    }
    switch (x.tag) {
    case TN_LIST:
    case TN_TUPLE:
        return x.list == y.list;
    case TN_DICT:
    case TN_SET:
        return x.dict == y.dict;
    case TN_OBJ:
        return x.obj == y.obj;
    default:
        return tn_val_eq(x, y);
    }
}

static bool text_case(const tn_call *c, tn_val v, bool upper)
{
    tn_str s = tn_jlib_text(c->arena, v);
    bool any = false;
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        at += tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        bool up = tn_uni_is_upper(cp), low = tn_uni_is_lower(cp);
        if (upper ? low : up) {
            return false;
        }
        any = any || up || low;
    }
    return any;
}

TEST(t_defined, v.tag != TN_UNDEF)
TEST(t_undefined, v.tag == TN_UNDEF)
TEST(t_none, v.tag == TN_NONE)
TEST(t_boolean, v.tag == TN_BOOL)
TEST(t_true, v.tag == TN_BOOL && v.i == 1)
TEST(t_false, v.tag == TN_BOOL && v.i == 0)
TEST(t_integer, v.tag == TN_INT || v.tag == TN_BIGINT)
TEST(t_float, v.tag == TN_FLOAT)
TEST(t_number, tn_jlib_is_number(v))
TEST(t_string, v.tag == TN_STR_V)
TEST(t_mapping, v.tag == TN_DICT || (v.tag == TN_OBJ && v.obj->type->is_mapping))
TEST(t_sequence, is_sequence(v))
TEST(t_iterable, is_iterable(v))
TEST(t_callable, is_callable(v))
TEST(t_escaped, v.tag == TN_STR_V && (v.flags & TN_VF_SAFE))
TEST(t_lower, text_case(c, v, false))
TEST(t_upper, text_case(c, v, true))

static tn_rc two(const tn_call *c, const char *name, tn_err *err)
{
    return c->argc == 2 ? TN_OK
                        : tn_fail(err, TN_E_TYPE, "the test '%s' takes one argument, not %zu", name,
                              c->argc > 0 ? c->argc - 1 : 0);
}

/* The remainder of value by n, as an integer test needs it. */
static tn_rc remainder_of(const tn_call *c, tn_val n, tn_val *ret, tn_err *err)
{
    tn_jinja_ctx plain = { .arena = c->arena };
    tn_jinja_ctx *ctx = c->interp ? tn_jlib_ctx(c) : &plain;
    if (c->args[0].tag == TN_STR_V) {
        return tn_fail(err, TN_E_TYPE, "not all arguments converted during string formatting");
    }
    return tn_jinja_arith(ctx, TN_OP_MOD, c->args[0], n, ret, err);
}

static tn_rc t_divisibleby(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val r;
    TN_TRY(two(c, "divisibleby", err));
    TN_TRY(remainder_of(c, c->args[1], &r, err));
    *ret = tn_val_bool(tn_val_eq(r, tn_val_int(0)));
    return TN_OK;
}

static tn_rc t_odd(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val r;
    TN_TRY(remainder_of(c, tn_val_int(2), &r, err));
    *ret = tn_val_bool(tn_val_eq(r, tn_val_int(1)));
    return TN_OK;
}

static tn_rc t_even(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val r;
    TN_TRY(remainder_of(c, tn_val_int(2), &r, err));
    *ret = tn_val_bool(tn_val_eq(r, tn_val_int(0)));
    return TN_OK;
}

static tn_rc t_sameas(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    TN_TRY(two(c, "sameas", err));
    *ret = tn_val_bool(is_same(c->args[0], c->args[1]));
    return TN_OK;
}

static tn_rc t_in(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    bool found = false;
    tn_jinja_ctx plain = { .arena = c->arena };
    TN_TRY(two(c, "in", err));
    TN_TRY(tn_jinja_contains(
        c->interp ? tn_jlib_ctx(c) : &plain, c->args[0], c->args[1], &found, err));
    *ret = tn_val_bool(found);
    return TN_OK;
}

/* self: the operator, "==", "!=", ">", ">=", "<", "<=". */
static tn_rc t_compare(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const char *op = self;
    int cmp = 0;
    TN_TRY(two(c, op, err));
    if (op[0] == '=' || op[0] == '!') {
        *ret = tn_val_bool(tn_val_eq(c->args[0], c->args[1]) == (op[0] == '='));
        return TN_OK;
    }
    TN_TRY(tn_val_cmp(c->args[0], c->args[1], &cmp, err));
    *ret = tn_val_bool((op[0] == '>' ? cmp > 0 : cmp < 0) || (op[1] == '=' && cmp == 0));
    return TN_OK;
}

/* 'upper' is filter, 'odd' is test: self says which. */
static tn_rc t_known(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const tn_jinja_env *env = c->interp ? tn_jlib_ctx(c)->env : NULL;
    if (env == NULL || c->argc == 0) {
        return tn_fail(err, TN_E_BUG, "no environment to look the name up in");
    }
    const tn_map *table = strcmp(self, "filter") == 0 ? &env->filters : &env->tests;
    *ret = tn_val_bool(
        c->args[0].tag == TN_STR_V && tn_map_find(table, tn_val_as_str(c->args[0])) != NULL);
    return TN_OK;
}

void tn_jinja_builtin_tests(tn_jinja_env *e)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } plain[] = { { "defined", t_defined }, { "undefined", t_undefined }, { "none", t_none },
        { "boolean", t_boolean }, { "true", t_true }, { "false", t_false },
        { "integer", t_integer }, { "float", t_float }, { "number", t_number },
        { "string", t_string }, { "mapping", t_mapping }, { "sequence", t_sequence },
        { "iterable", t_iterable }, { "callable", t_callable }, { "escaped", t_escaped },
        { "lower", t_lower }, { "upper", t_upper }, { "divisibleby", t_divisibleby },
        { "odd", t_odd }, { "even", t_even }, { "sameas", t_sameas }, { "in", t_in } };
    static struct { /* not const only because the registry hands out plain pointers */
        const char *name;
        char op[3];
    } compare[] = { { "==", "==" }, { "eq", "==" }, { "equalto", "==" }, { "!=", "!=" },
        { "ne", "!=" }, { ">", ">" }, { "gt", ">" }, { "greaterthan", ">" }, { "ge", ">=" },
        { ">=", ">=" }, { "<", "<" }, { "lt", "<" }, { "lessthan", "<" }, { "<=", "<=" },
        { "le", "<=" } };
    for (size_t i = 0; i < TN_COUNTOF(plain); i++) {
        tn_jinja_env_test(e, plain[i].name, plain[i].fn, NULL);
    }
    static char filter[] = "filter", test[] = "test";
    tn_jinja_env_test(e, filter, t_known, filter);
    tn_jinja_env_test(e, test, t_known, test);
    for (size_t i = 0; i < TN_COUNTOF(compare); i++) {
        tn_jinja_env_test(e, compare[i].name, t_compare, compare[i].op);
    }
}
