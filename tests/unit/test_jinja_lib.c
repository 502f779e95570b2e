/* The built-in library where the oracle cannot look: limits, frozen data, decimals, literals. What templates print is compared
 * with Jinja2 by tests/oracle/jinja_oracle.py (snippets lib_*). */
#include "jinja_test.h"

#include "jinja/lib/jinja_builtin.h"
#include "jinja/value/jinja_lib.h"
#include "jinja/value/jinja_num.h"

/* Renders with one variable more: x. */
static tn_rc with_x(tn_arena *a, const char *text, tn_val x, tn_str *ret, tn_err *err)
{
    tn_jinja_env *env = jt_env(a);
    tn_jinja_tmpl *t = NULL;
    tn_dict *d = jt_context(a, "{}");
    tn_dict_putz(d, "x", x);
    tn_jinja_ctx ctx = tn_jinja_ctx_init(env, a, jt_lookup, d);
    TN_TRY(tn_jinja_parse(env, a, tn_str_of(text), (tn_jinja_src){ .file = "t" }, &t, err));
    return tn_jinja_render(t, &ctx, ret, err);
}

#define WITH_X(text, x, want)                                                                      \
    do {                                                                                           \
        tn_str got_ = TN_STR_NONE;                                                                 \
        TN_ASSERT_OK(with_x(arena, (text), (x), &got_, err));                                      \
        TN_ASSERT_EQ_S(got_, (want));                                                              \
    } while (0)

TN_TEST(sizes_have_limits)
{
    JT_FAILS("{{ 'x' * 10 ** 9 }}", "{}", TN_E_LIMIT, "more than");
    JT_FAILS("{{ [1] * 10 ** 9 }}", "{}", TN_E_LIMIT, "more than");
    JT_FAILS("{{ range(10 ** 9) }}", "{}", TN_E_LIMIT, "Range too big");
    JT_FAILS("{{ 10 ** (10 ** 7) }}", "{}", TN_E_LIMIT, "digits");
    JT_FAILS("{{ '%2000000d' % 1 }}", "{}", TN_E_LIMIT, "width");
    JT_FAILS("{{ '{:2000000}'.format(1) }}", "{}", TN_E_LIMIT, "width");
    JT_FAILS("{{ 'a'.center(10 ** 9) }}", "{}", TN_E_LIMIT, "more than");
    JT_FAILS("{{ 'a'|indent(10 ** 9) }}", "{}", TN_E_LIMIT, "indent");
}

TN_TEST(patterns_cannot_run_away)
{
    tn_val text = tn_val_z("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
           m = tn_jinja_module_re(arena);
    tn_val both = tn_val_dict(arena);
    tn_dict_putz(both.dict, "re", m);
    tn_dict_putz(both.dict, "s", text);
    tn_str got;
    TN_ASSERT_RC(with_x(arena, "{{ x.re.match('(a|a|aa)+$', x.s) }}", both, &got, err), TN_E_LIMIT);
    TN_ASSERT_RC(with_x(arena, "{{ x.re.match('(*NO_JIT)a', x.s) }}", both, &got, err), TN_E_VALUE);
}

TN_TEST(frozen_containers_do_not_change)
{
    tn_val l = tn_val_list(arena), d = tn_val_dict(arena);
    tn_str got;
    tn_val_freeze(l);
    tn_val_freeze(d);
    TN_ASSERT_RC(with_x(arena, "{{ x.append(1) }}", l, &got, err), TN_E_TYPE);
    TN_ASSERT_HAS(err->hint, "copy");
    TN_ASSERT_RC(with_x(arena, "{{ x.update(a=1) }}", d, &got, err), TN_E_TYPE);
    TN_ASSERT_RC(with_x(arena, "{{ x.setdefault('a', 1) }}", d, &got, err), TN_E_TYPE);
    TN_ASSERT_EQ_I(l.list->n, 0);
    WITH_X("{% set c = x.copy() %}{% do c.append(1) %}{{ c }}{{ x }}", l, "[1][]");
}

TN_TEST(decimals_have_28_digits)
{
    tn_val d = tn_val_decimal(TN_STR("148.50"));
    WITH_X("{{ x }} {{ x + 1 }} {{ x * 2 }} {{ x / 3 }} {{ -x }} {{ x // 7 }} {{ x % 7 }} {{ x ** "
           "2 }}",
        d, "148.50 149.50 297.00 49.50 -148.50 21 1.50 22052.2500");
    WITH_X("{{ 1 / (x - x + 3) }} {{ x - x }} {{ '{:.1f} {:,.3f} {:>8} {:e} {:.0%}'.format(x, x * "
           "100, x, x, x / 100) }}",
        d, "0.3333333333333333333333333333 0.00 148.5 14,850.000   148.50 1.4850e+2 148%");
    WITH_X("{{ x.quantize(x) }} {{ x.normalize() }} {{ x|int }} {{ x|float }} {{ x|round(1) }} {{ "
           "(x * -1)|abs }}",
        d, "148.50 148.5 148 148.5 148.5 148.50");
    tn_str got;
    TN_ASSERT_RC(with_x(arena, "{{ x + 1.5 }}", d, &got, err), TN_E_TYPE);
    TN_ASSERT_HAS(err->msg, "unsupported operand");
    TN_ASSERT_RC(with_x(arena, "{{ x / 0 }}", d, &got, err), TN_E_VALUE);
    TN_ASSERT_HAS(err->msg, "DivisionByZero");
}

TN_TEST(decimal_text_round_trips)
{
    static const char *const same[] = { "0", "-0", "0.00", "1E+3", "1.5E-9", "0.000001", "1E-7",
        "123.4500", "NaN", "-Infinity" };
    for (size_t i = 0; i < TN_COUNTOF(same); i++) {
        tn_dec x;
        TN_ASSERT(tn_dec_parse(arena, tn_str_of(same[i]), &x));
        TN_ASSERT_EQ_S(tn_val_as_str(tn_dec_val(arena, x)), same[i]);
    }
    tn_dec x;
    TN_ASSERT(!tn_dec_parse(arena, TN_STR("1.2.3"), &x));
    TN_ASSERT(!tn_dec_parse(arena, TN_STR(""), &x));
    TN_ASSERT_EQ_S(tn_val_as_str(tn_dec_val(arena, tn_dec_of_f64(arena, 0.1))),
        "0.1000000000000000055511151231257827021181583404541015625");
}

TN_TEST(long_division_gives_back_its_input)
{
    tn_big x, y, q, r;
    TN_ASSERT(tn_big_of_text(
        arena, TN_STR("-999999999999999999000000000000000000999999999999999999"), &x));
    TN_ASSERT(tn_big_of_text(arena, TN_STR("999999999999999999999999999"), &y));
    tn_big_floordiv(arena, x, y, &q, &r);
    tn_big back = tn_big_add(arena, tn_big_mul(arena, q, y), r);
    TN_ASSERT_EQ_S(tn_big_text(arena, back), tn_big_text(arena, x));
    TN_ASSERT(!r.neg && tn_big_cmp_abs(r, y) < 0);
    TN_ASSERT_EQ_I(tn_big_val(arena, tn_big_of_i64(arena, INT64_MIN)).i, INT64_MIN);
}

TN_TEST(literals)
{
    tn_val v;
    TN_ASSERT(tn_jinja_literal_eval(arena, TN_STR("{'a': [1, (2.5,), None], 'b': {True}}"), &v));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, v), "{'a': [1, (2.5,), None], 'b': {True}}");
    static const char *const bad[] = { "", "a", "1+2", "1j", "[", "[1", "{1:}", "'a", "'a\n'",
        "f'x'", "--1", "...", "1 2", "'a' b'c'", "(1", "[1]]", "b'\xc3\xa4'" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        if (tn_jinja_literal_eval(arena, tn_str_of(bad[i]), &v)) {
            TN_FAIL("'%s' is taken for a literal", bad[i]);
        }
    }
    char deep[4001];
    memset(deep, '[', 4000);
    TN_ASSERT(!tn_jinja_literal_eval(arena, tn_str_n(deep, 4000), &v));
}

TN_TEST(zones_are_read_from_files)
{
    tn_val d = tn_val_dict(arena);
    tn_dict_putz(d.dict, "pytz", tn_jinja_module_pytz(arena));
    tn_dict_putz(d.dict, "dt", tn_jinja_module_datetime(arena));
    tn_str got;
    TN_ASSERT_RC(
        with_x(arena, "{{ x.pytz.timezone('../../etc/passwd') }}", d, &got, err), TN_E_VALUE);
    TN_ASSERT_RC(
        with_x(arena, "{{ x.pytz.timezone('/etc/localtime') }}", d, &got, err), TN_E_VALUE);
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0) {
        WITH_X("{{ x.pytz.timezone('Europe/Berlin').localize(x.dt.datetime(2060, 7, 1)) }}", d,
            "2060-07-01 00:00:00+02:00");
    }
}

TN_TEST(generators_are_used_up)
{
    JT_RENDERS("{% set g = [1, 2]|map('string') %}{{ g|first }}{{ g|list }}{{ g|list }}", "{}",
        "1['2'][]");
}
