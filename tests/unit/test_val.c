// layers: base
// Values: Python's truth, equality, order, hashing and printing.
#include "base/val.h"
#include "tn_test.h"

static tn_val date_val(int64_t days)
{
    return (tn_val){ .tag = TN_DATE, .i = days };
}

static tn_val bigint(const char *digits)
{
    tn_val v = tn_val_z(digits);
    v.tag = TN_BIGINT;
    return v;
}

TN_TEST(equal_numbers_are_equal_keys)
{
    tn_val d = tn_val_dict(arena);
    tn_dict_put(d.dict, tn_val_int(1), tn_val_z("one"));
    TN_ASSERT_EQ_S(tn_val_as_str(*tn_dict_find(d.dict, TN_VAL_TRUE)), "one");
    TN_ASSERT_EQ_S(tn_val_as_str(*tn_dict_find(d.dict, tn_val_float(1.0))), "one");
    TN_ASSERT_EQ_S(tn_val_as_str(*tn_dict_find(d.dict, tn_val_decimal(TN_STR("1.00")))), "one");
    TN_ASSERT(tn_dict_find(d.dict, tn_val_z("1")) == NULL);
    tn_dict_put(d.dict, TN_VAL_TRUE, tn_val_z("true")); /* replaces the value, keeps the key */
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, d), "{1: 'true'}");
}

TN_TEST(numbers_compare_exactly)
{
    int c;
    TN_ASSERT_OK(tn_val_cmp(bigint("9223372036854775808"), tn_val_int(INT64_MAX), &c, err));
    TN_ASSERT_EQ_I(c, 1);
    TN_ASSERT_OK(
        tn_val_cmp(tn_val_decimal(TN_STR("0.30")), tn_val_decimal(TN_STR("0.3")), &c, err));
    TN_ASSERT_EQ_I(c, 0);
    TN_ASSERT_OK(tn_val_cmp(tn_val_decimal(TN_STR("-2.5")), tn_val_int(-2), &c, err));
    TN_ASSERT_EQ_I(c, -1);
    TN_ASSERT(tn_val_eq(tn_val_int(9007199254740993), bigint("9007199254740993")));
    TN_ASSERT(!tn_val_eq(tn_val_int(9007199254740993), tn_val_float(9007199254740992.0)));
    TN_ASSERT(tn_val_eq(tn_val_int(INT64_MIN), tn_val_float(-9223372036854775808.0)));
    TN_ASSERT_OK(tn_val_cmp(tn_val_float(-1.5), tn_val_int(-1), &c, err));
    TN_ASSERT_EQ_I(c, -1);
    TN_ASSERT(!tn_val_eq(tn_val_float(NAN), tn_val_float(NAN)));
    TN_ASSERT_RC(tn_val_cmp(tn_val_int(1), tn_val_z("1"), &c, err), TN_E_TYPE);
    TN_ASSERT_EQ_S(tn_str_of(err->msg), "'<' not supported between instances of 'int' and 'str'");
}

TN_TEST(truth)
{
    TN_ASSERT(!tn_val_truthy(TN_VAL_NONE) && !tn_val_truthy(TN_VAL_UNDEF) &&
              !tn_val_truthy(tn_val_z("")));
    TN_ASSERT(!tn_val_truthy(tn_val_float(0)) && !tn_val_truthy(tn_val_decimal(TN_STR("0.00"))) &&
              !tn_val_truthy(tn_val_list(arena)));
    TN_ASSERT(tn_val_truthy(tn_val_z("0")) && tn_val_truthy(tn_val_float(NAN)) &&
              tn_val_truthy(tn_val_decimal(TN_STR("0.01"))));
}

TN_TEST(dict_keeps_order_over_many_changes)
{
    tn_val d = tn_val_dict(arena);
    for (int i = 0; i < 500; i++) {
        tn_dict_puts(d.dict, tn_str_printf(arena, "k%d", i), tn_val_int(i));
    }
    for (int i = 0; i < 490; i++) {
        TN_ASSERT(tn_dict_remove(d.dict, tn_val_str(tn_str_printf(arena, "k%d", i))));
    }
    for (int i = 0; i < 2000;
        i++) { /* put and remove again and again: the slots must not run away */
        tn_dict_putz(d.dict, "x", tn_val_int(i));
        TN_ASSERT(tn_dict_remove(d.dict, tn_val_z("x")));
    }
    TN_ASSERT_EQ_I(d.dict->live, 10);
    TN_ASSERT(d.dict->cap < 2000);
    tn_dict_putz(d.dict, "k490", tn_val_z("first still"));
    TN_ASSERT_EQ_I(tn_val_int_at(d, "k499", -1), 499);
    size_t at = 0;
    TN_ASSERT_EQ_S(tn_val_as_str(tn_dict_next(d.dict, &at)->key), "k490");
}

TN_TEST(prints_as_python_does)
{
    tn_val items[] = { tn_val_z("it's"), tn_val_float(1e16), tn_val_float(0.1), tn_val_float(1e-5),
        tn_val_float(-0.0), TN_VAL_NONE, TN_VAL_TRUE, tn_val_decimal(TN_STR("1.50")),
        date_val(19754), tn_val_z("a\n\"é\x01") };
    tn_val l = tn_val_tuple(arena, items, TN_COUNTOF(items));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, l), "(\"it's\", 1e+16, 0.1, 1e-05, -0.0, None, True, "
                                             "Decimal('1.50'), datetime.date(2024, 2, 1), "
                                             "'a\\n\"é\\x01')");
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, tn_val_tuple(arena, items, 1)), "(\"it's\",)");
    TN_ASSERT_EQ_S(
        tn_val_to_str(arena, tn_val_float(123456789012345680.0)), "1.2345678901234568e+17");
    TN_ASSERT_EQ_S(tn_val_to_str(arena, tn_val_float(100.0)), "100.0");
    tn_val t = { .tag = TN_DATETIME, .n = TN_ZONE_UTC, .i = -1 };
    TN_ASSERT_EQ_S(tn_val_to_str(arena, t), "1969-12-31 23:59:59.999999+00:00");
    tn_val delta = { .tag = TN_DELTA, .i = -1000000 };
    TN_ASSERT_EQ_S(tn_val_to_str(arena, delta), "-1 day, 23:59:59");
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, delta), "datetime.timedelta(days=-1, seconds=86399)");
}

TN_TEST(dup_is_deep_and_thaws)
{
    tn_val d = tn_val_dict(arena), l = tn_val_list(arena);
    tn_list_push(l.list, tn_val_z("x"));
    tn_dict_putz(d.dict, "list", l);
    tn_val_freeze(d);
    TN_ASSERT(l.list->frozen);
    tn_arena *other = tn_arena_new("other", arena);
    tn_val copy = tn_val_dup(other, d);
    TN_ASSERT(tn_val_eq(copy, d));
    tn_list_push(tn_val_at(copy, "list").list, tn_val_int(2));
    TN_ASSERT(!tn_val_eq(copy, d));
    TN_ASSERT_EQ_I(l.list->n, 1);
}

static tn_rc add_one(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "x", "step", NULL };
    (void)self;
    TN_TRY(tn_call_check(call, "add_one", 1, 2, names, err));
    tn_val step = tn_call_has(call, 1, "step") ? tn_call_arg(call, 1, "step") : tn_val_int(1);
    *ret = tn_val_int(tn_call_arg(call, 0, "x").i + step.i);
    return TN_OK;
}

TN_TEST(calls_by_place_and_name)
{
    tn_val f = tn_val_fn(arena, "add_one", add_one, NULL);
    tn_val args[] = { tn_val_int(5) };
    tn_kwarg step = { TN_STR("step"), tn_val_int(3) }, bad = { TN_STR("stop"), tn_val_int(3) },
             twice = { TN_STR("x"), tn_val_int(3) };
    tn_val r;
    tn_call c = { .arena = arena, .args = args, .argc = 1, .kwargs = &step, .kwargc = 1 };
    TN_ASSERT_OK(f.obj->type->call(f.obj, &c, &r, err));
    TN_ASSERT_EQ_I(r.i, 8);
    c.kwargs = &bad;
    TN_ASSERT_RC(f.obj->type->call(f.obj, &c, &r, err), TN_E_TYPE);
    TN_ASSERT_HAS(tn_str_of(err->msg), "unexpected keyword argument 'stop'");
    c.kwargs = &twice;
    TN_ASSERT_RC(f.obj->type->call(f.obj, &c, &r, err), TN_E_TYPE);
    TN_ASSERT_HAS(tn_str_of(err->msg), "multiple values");
    c = (tn_call){ .arena = arena };
    TN_ASSERT_RC(f.obj->type->call(f.obj, &c, &r, err), TN_E_TYPE);
    TN_ASSERT_HAS(tn_str_of(err->msg), "missing required argument 'x'");
}
