/* context_members.c: the functions of the context that need no database: var, env_var, log, return, tojson, zip, ... One object each for
 * the whole project; which context calls is in call->interp.
 */
#include "base/log.h"
#include "os/proc.h"
#include "os/random.h"
#include "project/context/context_priv.h"
#include "project/deprecation.h"
#include "project/manifest.h"
#include "text/hash.h"
#include "text/json.h"

/* ---- var, env_var ---- */

static const tn_dict *vars_of(const tn_pctx *c)
{
    if (c->state->vars != NULL) {
        return c->state->vars;
    }
    const tn_package *pkg = tn_project_package(c->project, c->package);
    return pkg != NULL && pkg->vars != NULL ? pkg->vars : c->project->package->vars;
}

static tn_rc var_missing(tn_pctx *c, tn_str name, tn_err *err)
{
    tn_buf b = tn_buf_init(c->arena, TN_BUF_NO_LIMIT);
    tn_json_style style = { .indent = 4, .sort_keys = true, .ascii = true };
    const tn_dict *vars = vars_of(c);
    tn_json_print(&b, (tn_val){ .tag = TN_DICT, .dict = (tn_dict *)(uintptr_t)vars }, &style);
    tn_str node = c->node != NULL ? c->node->name : TN_STR("<Configuration>");
    return tn_fail(err, TN_E_COMPILE,
        "Required var '" TN_STR_FMT "' not found in config:\nVars supplied to " TN_STR_FMT
        " = " TN_STR_FMT,
        TN_STR_ARG(name), TN_STR_ARG(node),
        TN_STR_ARG(tn_vars_hide(c->arena, vars, tn_buf_str(&b))));
}

/* A text with Jinja in it is a template of its own, rendered where it is asked for; not in YAML of resources, where dbt hands it over as it is. */
static tn_rc var_value(tn_pctx *c, tn_str name, tn_val v, tn_val *ret, tn_err *err)
{
    *ret = v;
    if (!tn_val_is_str(v) || c->state->no_macros || !tn_text_has_jinja(tn_val_as_str(v))) {
        return TN_OK;
    }
    tn_str s, place = tn_str_printf(c->arena, "<var " TN_STR_FMT ">", TN_STR_ARG(name));
    TN_TRY(tn_pctx_render(
        c, tn_val_as_str(v), (tn_jinja_src){ tn_str_z(c->arena, place), 0 }, &s, err));
    *ret = tn_val_str(s);
    return TN_OK;
}

static tn_rc var_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "var_name", "default", NULL };
    TN_TRY(tn_call_check(call, "var", 1, 2, names, err));
    tn_pctx *c = tn_pctx_of(call);
    tn_val name = tn_call_arg(call, 0, "var_name");
    const tn_dict *vars = vars_of(c);
    const tn_val *v = vars != NULL && tn_val_hashable(name) ? tn_dict_find(vars, name) : NULL;
    if (v != NULL) {
        return var_value(c, tn_val_to_str(c->arena, name), *v, ret, err);
    } else if (tn_call_has(call, 1, "default")) {
        *ret = tn_call_arg(call, 1, "default");
    } else if (c->project->state->lenient_vars ||
               (!c->execute && !c->state->no_macros && !c->state->needs_vars)) {
        *ret = TN_VAL_NONE; /* parsing a node: it is an error of that node only, when it runs */
    } else {
        return var_missing(c, tn_val_to_str(c->arena, name), err);
    }
    return TN_OK;
}

static tn_rc var_has(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "var_name", NULL };
    TN_TRY(tn_call_check(call, "has_var", 1, 1, names, err));
    const tn_dict *vars = vars_of(tn_pctx_of(call));
    tn_val name = tn_call_arg(call, 0, "var_name");
    *ret = tn_val_bool(vars != NULL && tn_val_hashable(name) && tn_dict_find(vars, name) != NULL);
    return TN_OK;
}

static tn_rc var_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_str_is(name, "has_var") ? tn_val_fn(a, "has_var", var_has, NULL) : tn_val_undef(name);
    return TN_OK;
}

static const tn_obj_type var_type = { .name = "Var", .call = var_call, .attr = var_attr };

#define SECRET_START "$$$DBT_SECRET_START$$$"
#define SECRET_END "$$$DBT_SECRET_END$$$"

/* In profiles.yml a secret goes through Jinja as a placeholder, so that no filter can leak a part of it. */
static tn_rc env_secret(tn_pctx *c, tn_str name, tn_str value, tn_val *ret, tn_err *err)
{
    if (!c->state->secrets) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Secret env vars are allowed only in profiles.yml or packages.yml. "
            "Found '" TN_STR_FMT "' referenced elsewhere.",
            TN_STR_ARG(name));
    }
    tn_log_secret_named(value);
    *ret =
        tn_val_str(tn_str_printf(c->arena, SECRET_START TN_STR_FMT SECRET_END, TN_STR_ARG(name)));
    return TN_OK;
}

tn_str tn_secret_restore(tn_arena *a, tn_str s)
{
    for (;;) {
        size_t from = tn_str_find(s, TN_STR(SECRET_START), 0);
        size_t end = from == SIZE_MAX ? SIZE_MAX : tn_str_find(s, TN_STR(SECRET_END), from);
        if (end == SIZE_MAX) {
            return s;
        }
        tn_str name = tn_str_sub(s, from + sizeof SECRET_START - 1, end);
        tn_str value = tn_env_get(tn_str_z(a, name));
        s = tn_str_printf(a, TN_STR_FMT TN_STR_FMT TN_STR_FMT, TN_STR_ARG(tn_str_sub(s, 0, from)),
            TN_STR_ARG(value), TN_STR_ARG(tn_str_sub(s, end + sizeof SECRET_END - 1, s.n)));
    }
}

static tn_rc fn_env_var(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "var", "default", NULL };
    TN_TRY(tn_call_check(call, "env_var", 1, 2, names, err));
    tn_pctx *c = tn_pctx_of(call);
    tn_str name = tn_val_as_str(tn_call_arg(call, 0, "var"));
    tn_str value = tn_env_get(tn_str_z(c->arena, name));
    bool secret = tn_str_starts(name, TN_STR(TN_SECRET_PREFIX));
    if (secret && (value.p != NULL || !c->state->secrets)) {
        return env_secret(c, name, value, ret, err);
    }
    tn_val dflt = tn_call_arg(call, 1, "default");
    if (value.p != NULL) {
        *ret = tn_val_str(tn_str_dup(c->arena, value));
    } else if (!tn_val_is_undef(dflt) && !tn_val_is_none(dflt)) {
        *ret = dflt;
    } else {
        return tn_fail(err, TN_E_COMPILE, "Env var required but not provided: '" TN_STR_FMT "'",
            TN_STR_ARG(name));
    }
    return TN_OK;
}

/* ---- messages ---- */

static tn_str message_of(tn_pctx *c, tn_val v)
{
    return tn_val_is_str(v) ? tn_val_as_str(v) : tn_val_to_str(c->arena, v);
}

/* log() and print() of a node that is parsed: told with the warnings of loading. */
static bool said_at_parse(tn_pctx *c, tn_said said, tn_str msg)
{
    if (c->execute || c->record == NULL) {
        return false;
    }
    tn_project_note(c->project, "JinjaLogInfo", TN_STR_NONE, 0, TN_STR_FMT, TN_STR_ARG(msg))->said =
        said;
    return true;
}

static tn_rc fn_log(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "msg", "info", NULL };
    TN_TRY(tn_call_check(call, "log", 1, 2, names, err));
    tn_pctx *c = tn_pctx_of(call);
    tn_str msg = message_of(c, tn_call_arg(call, 0, "msg"));
    bool info = tn_val_truthy(tn_call_arg(call, 1, "info"));
    if (c->hooks != NULL && c->hooks->log != NULL) {
        c->hooks->log(c, msg, info);
    } else if (!said_at_parse(c, info ? TN_SAID_LOG : TN_SAID_DEBUG, msg)) {
        tn_log(info ? TN_LOG_INFO : TN_LOG_DEBUG, "jinja", TN_STR_FMT, TN_STR_ARG(msg));
    }
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc fn_print(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "msg", NULL };
    TN_TRY(tn_call_check(call, "print", 1, 1, names, err));
    tn_pctx *c = tn_pctx_of(call);
    tn_str msg = message_of(c, tn_call_arg(call, 0, "msg"));
    if (c->hooks != NULL && c->hooks->print != NULL) {
        c->hooks->print(c, msg);
    } else if (!said_at_parse(c, TN_SAID_PRINT, msg)) {
        tn_log(TN_LOG_INFO, "jinja", TN_STR_FMT, TN_STR_ARG(msg));
    }
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc fn_return(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret;
    static const char *const names[] = { "data", NULL };
    TN_TRY(tn_call_check(call, "return", 0, 1, names, err));
    tn_val v = tn_call_arg(call, 0, "data");
    if (!tn_call_has(call, 0, "data")) {
        v = TN_VAL_NONE;
    }
    return tn_jinja_return(call->interp, v);
}

static tn_rc fn_nothing(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = tn_val_z("");
    return TN_OK;
}

/* ---- JSON and YAML ---- */

static tn_rc fn_tojson(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "value", "default", "sort_keys", NULL };
    TN_TRY(tn_call_check(call, "tojson", 1, 3, names, err));
    tn_json_style style = { .py_separators = true,
        .ascii = true,
        .allow_nan = true,
        .sort_keys = tn_val_truthy(tn_call_arg(call, 2, "sort_keys")) };
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    tn_val v = tn_call_arg(call, 0, "value");
    if (tn_val_is_undef(v)) {
        v = tn_call_arg(call, 1, "default");
        *ret = tn_val_is_undef(v) ? TN_VAL_NONE : v;
        return TN_OK;
    }
    tn_json_print(&b, v, &style);
    *ret = tn_val_str(tn_buf_str(&b));
    return TN_OK;
}

static tn_rc fn_fromjson(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "string", "default", NULL };
    TN_TRY(tn_call_check(call, "fromjson", 1, 2, names, err));
    tn_val dflt = tn_call_arg(call, 1, "default");
    if (tn_json_parse(call->arena, tn_val_as_str(tn_call_arg(call, 0, "string")), ret, NULL) !=
        TN_OK) {
        *ret = tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
    }
    return TN_OK;
}

static tn_rc fn_toyaml(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "value", "default", "sort_keys", NULL };
    TN_TRY(tn_call_check(call, "toyaml", 1, 3, names, err));
    tn_val value = tn_call_arg(call, 0, "value"), dflt = tn_call_arg(call, 1, "default");
    if (!tn_yaml_can_print(value)) {
        *ret = tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
        return TN_OK;
    }
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    tn_yaml_print(&b, value, tn_val_truthy(tn_call_arg(call, 2, "sort_keys")));
    *ret = tn_val_str(tn_buf_str(&b));
    return TN_OK;
}

static tn_rc fn_fromyaml(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "value", "default", NULL };
    TN_TRY(tn_call_check(call, "fromyaml", 1, 2, names, err));
    tn_val dflt = tn_call_arg(call, 1, "default");
    if (tn_yaml_parse(call->arena, tn_val_as_str(tn_call_arg(call, 0, "value")), NULL, ret, NULL) !=
        TN_OK) {
        *ret = tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
    }
    return TN_OK;
}

/* ---- set, zip ---- */

static tn_rc make_set(const tn_call *call, bool strict, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "value", "default", NULL };
    TN_TRY(tn_call_check(call, strict ? "set_strict" : "set", 1, strict ? 1 : 2, names, err));
    tn_val list, set = tn_val_set(call->arena);
    tn_rc rc =
        tn_jinja_iterate(call->interp, tn_call_arg(call, 0, "value"), &list, strict ? err : NULL);
    for (size_t i = 0; rc == TN_OK && i < list.list->n; i++) {
        if (!tn_val_hashable(list.list->v[i])) {
            rc = strict ? tn_fail(err, TN_E_TYPE, "unhashable type: '%s'",
                              tn_val_type_name(list.list->v[i]))
                        : TN_E_TYPE;
            break;
        }
        tn_dict_put(set.dict, list.list->v[i], TN_VAL_NONE);
    }
    if (rc != TN_OK && strict) {
        return rc;
    }
    tn_val dflt = tn_call_arg(call, 1, "default");
    *ret = rc == TN_OK ? set : tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
    return TN_OK;
}

static tn_rc fn_set(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return make_set(call, false, ret, err);
}

static tn_rc fn_set_strict(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return make_set(call, true, ret, err);
}

static tn_rc make_zip(const tn_call *call, bool strict, tn_val *ret, tn_err *err)
{
    tn_val lists[16];
    size_t n = SIZE_MAX;
    if (call->argc > TN_COUNTOF(lists)) {
        return tn_fail(err, TN_E_LIMIT, "zip of more than %zu sequences", TN_COUNTOF(lists));
    }
    for (size_t i = 0; i < call->argc; i++) {
        tn_rc rc = tn_jinja_iterate(call->interp, call->args[i], &lists[i], strict ? err : NULL);
        if (rc != TN_OK && strict) {
            return rc;
        }
        if (rc != TN_OK) {
            tn_val dflt = tn_call_arg(call, call->argc, "default");
            *ret = tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
            return TN_OK;
        }
        n = tn_min_size(n, lists[i].list->n);
    }
    tn_val out = tn_val_list(call->arena);
    for (size_t i = 0; call->argc > 0 && i < n; i++) {
        tn_val row[TN_COUNTOF(lists)];
        for (size_t k = 0; k < call->argc; k++) {
            row[k] = lists[k].list->v[i];
        }
        tn_list_push(out.list, tn_val_tuple(call->arena, row, call->argc));
    }
    *ret = out;
    return TN_OK;
}

static tn_rc fn_zip(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return make_zip(call, false, ret, err);
}

static tn_rc fn_zip_strict(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return make_zip(call, true, ret, err);
}

/* ---- small ones ---- */

static tn_rc fn_local_md5(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "value", NULL };
    TN_TRY(tn_call_check(call, "local_md5", 1, 1, names, err));
    *ret = tn_val_str(
        tn_md5_hex(call->arena, tn_val_to_str(call->arena, tn_call_arg(call, 0, "value"))));
    return TN_OK;
}

static tn_rc fn_render(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "string", NULL };
    TN_TRY(tn_call_check(call, "render", 1, 1, names, err));
    tn_str s;
    tn_pctx *c = tn_pctx_of(call);
    TN_TRY(tn_pctx_render(c, tn_val_to_str(c->arena, tn_call_arg(call, 0, "string")),
        (tn_jinja_src){ "<render>", 0 }, &s, err));
    *ret = tn_val_str(s);
    return TN_OK;
}

static tn_rc fn_try_or_error(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    if (call->argc < 2) {
        return tn_fail(err, TN_E_TYPE, "try_or_compiler_error needs a message and a function");
    }
    tn_rc rc = tn_jinja_call(call->interp, call->args[1], call->args + 2, call->argc - 2,
        call->kwargs, call->kwargc, ret, NULL);
    return rc == TN_OK ? TN_OK
                       : tn_fail(err, TN_E_COMPILE, TN_STR_FMT,
                             TN_STR_ARG(tn_val_to_str(call->arena, call->args[0])));
}

static tn_rc fn_diff_dicts(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "dict_a", "dict_b", NULL };
    TN_TRY(tn_call_check(call, "diff_of_two_dicts", 2, 2, names, err));
    tn_val a = tn_call_arg(call, 0, "dict_a"), b = tn_call_arg(call, 1, "dict_b"),
           out = tn_val_dict(call->arena);
    size_t at = 0;
    const tn_dict_item *it;
    while (a.tag == TN_DICT && (it = tn_dict_next(a.dict, &at)) != NULL) {
        const tn_val *other = b.tag == TN_DICT ? tn_dict_find(b.dict, it->key) : NULL;
        tn_val missing = tn_val_list(call->arena);
        tn_val own = tn_value_listify(call->arena, it->value);
        for (size_t i = 0; i < own.list->n; i++) {
            bool found = false;
            tn_val theirs =
                other != NULL ? tn_value_listify(call->arena, *other) : tn_val_list(call->arena);
            for (size_t k = 0; k < theirs.list->n; k++) {
                found = found || tn_str_eq_nocase(tn_val_as_str(own.list->v[i]),
                                     tn_val_as_str(theirs.list->v[k]));
            }
            if (!found) {
                tn_list_push(missing.list, own.list->v[i]);
            }
        }
        if (missing.list->n > 0) {
            tn_dict_put(out.dict, it->key, missing);
        }
    }
    *ret = out;
    return TN_OK;
}

static tn_rc fn_doc(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_pctx *c = tn_pctx_of(call);
    if (call->argc < 1 || call->argc > 2) {
        return tn_fail(err, TN_E_TYPE, "doc() takes at most two arguments (%zu given)", call->argc);
    }
    tn_str package = call->argc == 2 ? tn_val_as_str(call->args[0]) : TN_STR_NONE;
    tn_str name = tn_val_as_str(call->args[call->argc - 1]);
    const tn_doc *doc = tn_project_doc(c->project, c->package, package, name);
    if (doc == NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "Documentation for '" TN_STR_FMT "' depends on doc '" TN_STR_FMT
            "' which was not found",
            TN_STR_ARG(c->node != NULL ? c->node->unique_id : TN_STR("<configuration>")),
            TN_STR_ARG(name));
    }
    *ret = tn_val_str(doc->contents);
    return TN_OK;
}

/* validation.any[basestring]: a value that is checked when config.get() is given one; any type is let through, as dbt's `any` warns only for
 * what is none of the types. */
static tn_rc validator_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = TN_VAL_NONE;
    return TN_OK;
}

static tn_rc validator_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    (void)a, (void)key, (void)err;
    *ret = tn_val_obj(self);
    return TN_OK;
}

static tn_rc validator_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)name, (void)err;
    *ret = tn_val_obj(self);
    return TN_OK;
}

static const tn_obj_type validator_type = {
    .name = "ValidationAny", .call = validator_call, .item = validator_item, .attr = validator_attr
};

/* ---- filters for YAML values ---- */

static tn_rc filter_as(const tn_call *call, int kind, tn_val *ret, tn_err *err)
{
    tn_val v = call->argc > 0 ? call->args[0] : TN_VAL_UNDEF, lit;
    *ret = v;
    tn_pctx *c = call->interp != NULL ? tn_pctx_of(call) : NULL;
    if (c == NULL || c->state == NULL || !c->state->native) {
        return TN_OK;
    }
    if (tn_val_is_str(v) && tn_jinja_literal_eval(call->arena, tn_val_as_str(v), &lit)) {
        *ret = lit;
    }
    bool good = kind == 'n' ||
                (kind == 'b' ? ret->tag == TN_BOOL : ret->tag == TN_INT || ret->tag == TN_FLOAT);
    (void)err;
    if (!good) { /* wrong only when it is the whole: {{ target.name == 'dev' | as_bool }} compares texts */
        c->state->unconverted = v;
        c->state->unconverted_to = kind == 'b' ? "bool" : "number";
        *ret = v;
    }
    return TN_OK;
}

static tn_rc filter_as_bool(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return filter_as(call, 'b', ret, err);
}

static tn_rc filter_as_number(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return filter_as(call, '0', ret, err);
}

static tn_rc filter_as_native(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return filter_as(call, 'n', ret, err);
}

static tn_rc filter_as_text(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_val v = call->argc > 0 ? call->args[0] : TN_VAL_UNDEF;
    *ret = tn_val_is_str(v) ? v : tn_val_str(tn_val_to_str(call->arena, v));
    return TN_OK;
}

static tn_rc filter_is_list(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_bool(call->argc > 0 && call->args[0].tag == TN_LIST);
    return TN_OK;
}

void tn_context_filters(tn_jinja_env *e)
{
    tn_jinja_env_filter(e, "as_bool", filter_as_bool, NULL);
    tn_jinja_env_filter(e, "as_number", filter_as_number, NULL);
    tn_jinja_env_filter(e, "as_native", filter_as_native, NULL);
    tn_jinja_env_filter(e, "as_text", filter_as_text, NULL);
    tn_jinja_env_filter(e, "is_list", filter_is_list, NULL);
}

/* ---- the table ---- */

static void put_member(tn_project *p, const char *name, tn_val v)
{
    tn_val *slot = tn_new(p->arena, tn_val);
    *slot = v;
    tn_map_put(&p->state->members, tn_str_of(name), slot);
}

tn_val tn_context_obj(tn_arena *a, const tn_obj_type *type)
{
    tn_obj *o = tn_new(a, tn_obj);
    o->type = type;
    return tn_val_obj(o);
}

/* A function of modules.itertools: using one is deprecated. */
typedef struct old_function {
    tn_obj base;
    tn_obj *inner;
} old_function;

static tn_rc old_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_obj *inner = ((old_function *)(void *)self)->inner;
    tn_pctx *c = tn_pctx_of(call);
    if (!c->execute) { /* a template is parsed before it runs, and parsing is where warnings are told */
        tn_deprecate(c->project, "ModulesItertoolsUsageDeprecation", TN_STR_NONE,
            "Usage of itertools modules is deprecated. Please use the built-in functions instead.");
    }
    return inner->type->call(inner, call, ret, err);
}

static tn_rc old_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    tn_obj *inner = ((old_function *)(void *)self)->inner;
    *ret = TN_VAL_UNDEF;
    return inner->type->attr != NULL ? inner->type->attr(inner, a, name, ret, err) : TN_OK;
}

static const tn_obj_type old_function_type = {
    .name = "function", .call = old_call, .attr = old_attr
};

static tn_val old_module(tn_arena *a)
{
    tn_dict *members = tn_jinja_itertools_members(a), *d = tn_val_dict(a).dict;
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(members, &at)) != NULL) {
        old_function *f = tn_new(a, old_function);
        *f = (old_function){ { &old_function_type }, it->value.obj };
        tn_dict_put(d, it->key, tn_val_obj(&f->base));
    }
    return tn_val_module(a, "itertools", d);
}

static void put_values(tn_project *p)
{
    tn_arena *a = p->arena;
    put_member(p, "target", p->profile.target);
    put_member(p, "env", p->profile.target);
    put_member(p, "project_name", tn_val_str(p->name));
    put_member(p, "invocation_id", tn_val_str(p->invocation_id));
    put_member(p, "invocation_args_dict",
        tn_val_is_undef(p->invocation_args) ? tn_val_dict(a) : p->invocation_args);
    put_member(
        p, "run_started_at", (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_UTC, .i = p->started_us });
    put_member(p, "dbt_version", tn_val_z("1.12.6"));
    put_member(p, "flags", tn_val_module(a, "Flags", p->flags));
    put_member(p, "thread_id", tn_val_z("MainThread"));
    put_member(p, "dbt_metadata_envs", tn_custom_env(a));
    tn_val modules = tn_val_dict(a), validation = tn_val_dict(a);
    tn_dict_putz(modules.dict, "datetime", tn_jinja_module_datetime(a));
    tn_dict_putz(modules.dict, "pytz", tn_jinja_module_pytz(a));
    tn_dict_putz(modules.dict, "re", tn_jinja_module_re(a));
    tn_dict_putz(modules.dict, "itertools", old_module(a));
    put_member(p, "modules", tn_val_module(a, "modules", modules.dict));
    tn_dict_putz(validation.dict, "any", tn_context_obj(a, &validator_type));
    put_member(p, "validation", tn_val_module(a, "validation", validation.dict));
    put_member(p, "basestring", tn_val_z("basestring"));
    put_member(p, "var", tn_context_obj(a, &var_type));
    put_member(p, "config", tn_context_config(p));
}

void tn_context_members(tn_project *p)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } functions[] = { { "env_var", fn_env_var }, { "log", fn_log }, { "print", fn_print },
        { "return", fn_return }, { "tojson", fn_tojson }, { "fromjson", fn_fromjson },
        { "toyaml", fn_toyaml }, { "fromyaml", fn_fromyaml }, { "set", fn_set },
        { "set_strict", fn_set_strict }, { "zip", fn_zip }, { "zip_strict", fn_zip_strict },
        { "local_md5", fn_local_md5 }, { "render", fn_render },
        { "try_or_compiler_error", fn_try_or_error }, { "diff_of_two_dicts", fn_diff_dicts },
        { "doc", fn_doc }, { "debug", fn_nothing }, { "write", fn_nothing } };
    for (size_t i = 0; i < TN_COUNTOF(functions); i++) {
        put_member(
            p, functions[i].name, tn_val_fn(p->arena, functions[i].name, functions[i].fn, NULL));
    }
    put_values(p);
    tn_context_refs(p);
    tn_context_exceptions(p);
    tn_context_stubs(p);
}
