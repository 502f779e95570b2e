/* jinja_registry.h: an environment: its filters and tests by name, as values and as calls; private to src/jinja. */
#ifndef TN_JINJA_VALUE_JINJA_REGISTRY_H
#define TN_JINJA_VALUE_JINJA_REGISTRY_H

#include "jinja/jinja.h"

/* A filter or test as it was registered. */
typedef struct tn_jbuiltin {
    const char *name;
    tn_call_fn fn;
    void *self;
} tn_jbuiltin;

struct tn_jinja_env {
    tn_arena *arena;
    tn_jinja_env_opts opts;
    tn_map filters; /* tn_jbuiltin */
    tn_map tests;
    tn_dict *globals;
};

/* A registered filter or test as a callable value; false when there is none. Call it with tn_jinja_call, the value first. */
bool tn_jinja_find_filter(tn_jinja_ctx *ctx, tn_str name, tn_val *ret);
bool tn_jinja_find_test(tn_jinja_ctx *ctx, tn_str name, tn_val *ret);
tn_rc tn_jinja_call_test(tn_jinja_ctx *ctx, tn_str test, const tn_val *args, size_t argc, bool *ret,
    tn_err *err) TN_MUSTUSE;

#endif
