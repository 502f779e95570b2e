// layers: base text jinja
/* fuzz_jinja.c: a template of any bytes is parsed, looked at, cut into blocks and rendered, with tight limits. It may fail; it may not crash,
 * leak or take long. The context has one value of each kind, so that mutated snippets find something to work on. */
#include "fuzz.h"

#include "jinja/jinja.h"

static bool lookup(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    (void)ctx;
    const tn_val *v = tn_dict_finds(self, name);
    if (v != NULL) {
        *ret = *v;
    }
    return v != NULL;
}

static tn_rc fn_return(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret, (void)err;
    return tn_jinja_return(call->interp, tn_call_arg(call, 0, "data"));
}

static tn_dict *context(tn_arena *a)
{
    tn_dict *d = tn_val_dict(a).dict;
    tn_val list = tn_val_list(a), inner = tn_val_dict(a);
    tn_list_push(list.list, tn_val_int(1));
    tn_list_push(list.list, tn_val_z("two"));
    tn_dict_putz(inner.dict, "k", list);
    tn_dict_putz(d, "x", tn_val_int(5));
    tn_dict_putz(d, "s", tn_val_z("text \xc3\xa9"));
    tn_dict_putz(d, "xs", list);
    tn_dict_putz(d, "l", list);
    tn_dict_putz(d, "d", inner);
    tn_dict_putz(d, "f", tn_val_float(1.5));
    tn_dict_putz(d, "n", TN_VAL_NONE);
    tn_dict_putz(d, "t", TN_VAL_TRUE);
    tn_dict_putz(d, "return", tn_val_fn(a, "return", fn_return, NULL));
    return d;
}

static void check(tn_jinja_env *env, tn_arena *a, tn_str text)
{
    tn_jinja_src src = { .file = "fuzz" };
    tn_jinja_tmpl *t = NULL;
    tn_jinja_blocks blocks = { 0 };
    tn_jinja_static_calls calls = { 0 };
    tn_strs names = { 0 };
    tn_str out = TN_STR_NONE;
    tn_val v = TN_VAL_NONE;
    tn_err err = TN_ERR_INIT;
    if (tn_jinja_extract_blocks(a, text, src, &blocks, &err) != TN_OK) {
        TN_CHECK(err.msg[0] != '\0');
    }
    if (tn_jinja_parse(env, a, text, src, &t, &err) != TN_OK) {
        TN_CHECK(err.msg[0] != '\0' && err.line > 0);
        return;
    }
    if (tn_jinja_scan(a, t, &calls, &names, &err) != TN_OK) {
        return;
    }
    tn_jinja_ctx ctx = tn_jinja_ctx_init(env, a, lookup, context(a));
    tn_rc rc = tn_jinja_render(t, &ctx, &out, &err);
    TN_CHECK(rc == TN_OK || (tn_rc_class(rc) != TN_CLASS_FLOW && err.line > 0));
    rc = tn_jinja_render_native(t, &ctx, &v, NULL);
    TN_CHECK(tn_rc_class(rc) != TN_CLASS_FLOW && rc != TN_E_BUG);
    rc = tn_jinja_render_quoted(t, &ctx, &v, NULL);
    TN_CHECK(tn_rc_class(rc) != TN_CLASS_FLOW && rc != TN_E_BUG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TN_AUTO_ARENA a = tn_arena_new("fuzz", NULL);
    tn_jinja_env_opts opts = { .dbt_tags = true,
        .limits = { .output_bytes_max = 100000, .depth_max = 30, .steps_max = 5000 } };
    opts.undefined_chain = size > 0 && data[0] % 2 == 1;
    check(tn_jinja_env_new(a, &opts), a, tn_str_n((const char *)data, size));
    return 0;
}
