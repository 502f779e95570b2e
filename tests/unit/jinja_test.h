/* jinja_test.h: what the tests of the Jinja interpreter share: rendering a text with a context written as JSON. */
#ifndef TN_JINJA_TEST_H
#define TN_JINJA_TEST_H

#include "jinja/jinja.h"
#include "text/json.h"
#include "tn_test.h"

static TN_UNUSED bool jt_lookup(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    (void)ctx;
    tn_val *v = tn_dict_finds(self, name);
    if (v != NULL) {
        *ret = *v;
    }
    return v != NULL;
}

static TN_UNUSED tn_rc jt_return(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret, (void)err;
    return tn_jinja_return(call->interp, tn_call_arg(call, 0, "data"));
}

/* A dict of the JSON text, with return(). */
static TN_UNUSED tn_dict *jt_context(tn_arena *a, const char *json)
{
    tn_val v = TN_VAL_NONE;
    tn_err err = TN_ERR_INIT;
    TN_ASSERT_OK(tn_json_parse(a, tn_str_of(json), &v, &err));
    tn_dict_putz(v.dict, "return", tn_val_fn(a, "return", jt_return, NULL));
    return v.dict;
}

static TN_UNUSED tn_rc jt_try(
    tn_arena *a, tn_jinja_env *env, const char *text, const char *json, tn_str *ret, tn_err *err)
{
    tn_jinja_tmpl *t = NULL;
    tn_jinja_ctx ctx = tn_jinja_ctx_init(env, a, jt_lookup, jt_context(a, json));
    TN_TRY(
        tn_jinja_parse(env, a, tn_str_of(text), (tn_jinja_src){ .file = "models/t.sql" }, &t, err));
    return tn_jinja_render(t, &ctx, ret, err);
}

static TN_UNUSED tn_jinja_env *jt_env(tn_arena *a)
{
    return tn_jinja_env_new(a, &(tn_jinja_env_opts){ .dbt_tags = true });
}

#define JT_RENDERS(text, json, want)                                                               \
    do {                                                                                           \
        tn_str jt_got_ = TN_STR_NONE;                                                              \
        TN_ASSERT_OK(jt_try(arena, jt_env(arena), (text), (json), &jt_got_, err));                 \
        TN_ASSERT_EQ_S(jt_got_, (want));                                                           \
    } while (0)

#define JT_FAILS(text, json, rc, part)                                                             \
    do {                                                                                           \
        tn_str jt_got_ = TN_STR_NONE;                                                              \
        TN_ASSERT_RC(jt_try(arena, jt_env(arena), (text), (json), &jt_got_, err), (rc));           \
        TN_ASSERT_HAS((const char *)err->msg, (part));                                             \
    } while (0)

#endif
