/* jinja_macro.c: macros as values, and calling them.
 *
 * A macro keeps the frame that it was defined in, so that it sees the variables around it as they are when it is called. A bound
 * macro (tn_jinja_macro_bind) has instead a frame in which nothing is set: all its outer names come from the context. The body of
 * a call block is a macro without a name; return() goes through it to the macro that called it.
 */
#include "jinja/state/jinja_run.h"

typedef struct macro_obj {
    tn_obj base;
    const tn_jinja_macro_def *m;
    tn_jinja_ctx *ctx;
    tn_jframe *outer;
    const tn_jmodule *module;
    bool bound;
} macro_obj;

/* To Jinja2 a macro of dbt has a prefix. */
static const char *name_for_message(tn_arena *a, const tn_jinja_macro_def *m)
{
    const char *prefix = m->tmpl->env->opts.dbt_tags ? "dbt_macro__" : "";
    return m->is_caller ? "None"
                        : tn_arena_printf(a, "'%s" TN_STR_FMT "'", prefix, TN_STR_ARG(m->name));
}

/* ---- arguments ---- */

static const tn_val *find_kwarg(const tn_call *c, tn_str name)
{
    for (size_t i = 0; i < c->kwargc; i++) {
        if (tn_str_eq(c->kwargs[i].name, name)) {
            return &c->kwargs[i].value;
        }
    }
    return NULL;
}

/* Was this keyword taken by a parameter (or is it the caller)? */
static bool kwarg_taken(const tn_jinja_macro_def *m, const tn_call *c, tn_str name)
{
    for (size_t i = c->argc; i < m->n; i++) {
        if (tn_str_eq(m->params[i].name, name)) {
            return true;
        }
    }
    return m->uses_caller && !m->explicit_caller && tn_str_is(name, "caller");
}

static tn_rc take_rest(const tn_jrun *r, const tn_jinja_macro_def *m, const tn_call *c, tn_err *err)
{
    tn_arena *a = r->ctx->arena;
    tn_val rest = m->uses_kwargs ? tn_val_dict(a) : TN_VAL_NONE;
    for (size_t i = 0; i < c->kwargc; i++) {
        if (kwarg_taken(m, c, c->kwargs[i].name)) {
            continue;
        }
        if (!m->uses_kwargs && tn_str_is(c->kwargs[i].name, "caller")) {
            return tn_fail(err, TN_E_TYPE,
                "macro %s was invoked with two values for the special caller argument. This is "
                "most likely a bug.",
                name_for_message(a, m));
        }
        if (!m->uses_kwargs) {
            return tn_fail(err, TN_E_TYPE, "macro %s takes no keyword argument '" TN_STR_FMT "'",
                name_for_message(a, m), TN_STR_ARG(c->kwargs[i].name));
        }
        tn_dict_puts(rest.dict, c->kwargs[i].name, c->kwargs[i].value);
    }
    if (m->uses_kwargs) {
        r->frame->slots[m->kwargs_slot] = rest;
    }
    if (m->uses_varargs) {
        bool more = c->argc > m->n;
        r->frame->slots[m->varargs_slot] =
            tn_val_tuple(a, more ? c->args + m->n : NULL, more ? c->argc - m->n : 0);
    } else if (c->argc > m->n) {
        return tn_fail(err, TN_E_TYPE, "macro %s takes not more than %zu argument(s)",
            name_for_message(a, m), m->n);
    }
    return TN_OK;
}

static tn_rc take_args(tn_jrun *r, const tn_jinja_macro_def *m, const tn_call *c, tn_err *err)
{
    tn_val *slots = r->frame->slots;
    for (size_t i = 0; i < m->n; i++) {
        const tn_val *v = i < c->argc ? &c->args[i] : find_kwarg(c, m->params[i].name);
        slots[m->params[i].slot] =
            v != NULL ? *v : (tn_val){ .tag = TN_UNDEF, .flags = TN_JSLOT_MISSING };
    }
    if (m->uses_caller && !m->explicit_caller) {
        const tn_val *v = find_kwarg(c, TN_STR("caller"));
        slots[m->caller_slot] =
            v != NULL && v->tag != TN_NONE ? *v : tn_jinja_undef_hint(TN_STR("No caller defined"));
    }
    return take_rest(r, m, c, err);
}

/* Defaults are computed in the macro's own scope, in order, when they are needed. */
static tn_rc fill_defaults(tn_jrun *r, const tn_jinja_macro_def *m, tn_err *err)
{
    for (size_t i = 0; i < m->n; i++) {
        tn_val *slot = &r->frame->slots[m->params[i].slot];
        if (!tn_jslot_marked(*slot)) {
            continue;
        }
        tn_val v = TN_VAL_NONE;
        if (m->params[i].dflt != NULL) {
            TN_TRY(tn_jinja_x(r, m->params[i].dflt, &v, err));
        } else {
            v = tn_jinja_undef_hint(tn_str_printf(r->ctx->arena,
                "parameter '" TN_STR_FMT "' was not provided", TN_STR_ARG(m->params[i].name)));
        }
        *slot = v;
    }
    return TN_OK;
}

/* ---- calling ---- */

enum { SHOWN_MACROS_MAX = 24 };

/* "> in macro x (file)", "> called by macro y (file)", as dbt shows its stack. */
static void add_to_trace(const tn_jinja_macro_def *m, tn_err *err)
{
    if (err == NULL || m->is_caller) {
        return;
    }
    size_t shown = 0;
    for (const char *p = err->msg; (p = strstr(p, "\n> ")) != NULL; p++) {
        shown++;
    }
    if (shown < SHOWN_MACROS_MAX) {
        tn_err_append(err, "\n> %s macro " TN_STR_FMT " (%s)", shown == 0 ? "in" : "called by",
            TN_STR_ARG(m->name), m->tmpl->file);
    } else if (shown == SHOWN_MACROS_MAX) {
        tn_err_append(err, "\n> ...");
    }
}

static tn_rc run_macro(
    tn_jrun *r, const macro_obj *o, const tn_call *call, tn_val *ret, tn_err *err)
{
    const tn_jinja_macro_def *m = o->m;
    struct tn_jinja_state *st = r->st;
    tn_jmark mark = tn_jstack_mark(st);
    tn_jcapture c;
    r->frame = tn_jframe_new(r, m->fn, o->outer, o->module);
    tn_jinja_enter_scope(r, &m->fn->scope);
    tn_rc rc = take_args(r, m, call, err);
    if (rc != TN_OK) { /* the caller's mistake is shown at the caller's place */
        tn_jstack_release(st, mark);
        return rc;
    }
    tn_val v = TN_VAL_NONE;
    st->top = r;
    tn_jinja_capture(st, &c);
    rc = fill_defaults(r, m, err);
    rc = rc == TN_OK ? tn_jinja_run_body(r, m->body, err) : rc;
    if (rc == TN_OK) {
        rc = tn_jinja_captured(r, &c, &v, err);
    } else {
        tn_jinja_capture_drop(st, &c);
        if (rc == TN_E_RETURN && !m->is_caller) {
            v = st->returned;
            rc = TN_OK;
        }
    }
    st->top = r->up;
    tn_jstack_release(st, mark);
    if (rc == TN_OK) {
        *ret = v;
    } else if (rc != TN_E_RETURN) {
        tn_jinja_err_at(m->tmpl, r->pos, err);
        add_to_trace(m, err);
    }
    return rc;
}

/* The macro's own context gives the names; the state (depth, output, stack) is that of whoever calls. */
static tn_rc macro_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const macro_obj *o = (const macro_obj *)self;
    tn_jinja_ctx *from = call->interp;
    struct tn_jinja_state *own = o->ctx->state;
    bool foreign = from != NULL && from != o->ctx && from->state != NULL && from->state->active > 0;
    if (foreign) {
        o->ctx->state = from->state;
    }
    tn_rc rc = tn_jinja_enter(o->ctx, err);
    if (rc == TN_OK) {
        struct tn_jinja_state *st = o->ctx->state;
        tn_jrun r = { .ctx = o->ctx,
            .st = st,
            .tmpl = o->m->tmpl,
            .macro = o->m,
            .pos = o->m->pos,
            .captured = TN_VAL_NONE,
            .up = st->top };
        tn_jmode mode = st->mode;
        st->mode = o->bound ? TN_JMODE_TEXT : mode;
        rc = tn_jinja_deeper(&r, err);
        if (rc == TN_OK) {
            rc = run_macro(&r, o, call, ret, err);
            st->depth--;
        }
        st->mode = mode;
        tn_jinja_leave(o->ctx);
    }
    if (foreign) {
        o->ctx->state = own;
    }
    return rc;
}

/* ---- the value ---- */

static tn_rc macro_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const tn_jinja_macro_def *m = ((const macro_obj *)self)->m;
    *ret = TN_VAL_UNDEF;
    if (tn_str_is(name, "name")) {
        *ret = m->is_caller ? TN_VAL_NONE : tn_val_str(m->name);
    } else if (tn_str_is(name, "arguments")) {
        tn_val l = tn_val_list(a);
        for (size_t i = 0; i < m->n; i++) {
            tn_list_push(l.list, tn_val_str(m->params[i].name));
        }
        *ret = tn_val_tuple(a, l.list->v, l.list->n);
    } else if (tn_str_is(name, "catch_kwargs")) {
        *ret = tn_val_bool(m->uses_kwargs);
    } else if (tn_str_is(name, "catch_varargs")) {
        *ret = tn_val_bool(m->uses_varargs);
    } else if (tn_str_is(name, "caller")) {
        *ret = tn_val_bool(m->uses_caller);
    } else if (tn_str_is(name, "explicit_caller")) {
        *ret = tn_val_bool(m->explicit_caller);
    }
    return TN_OK;
}

static void macro_str(tn_obj *self, tn_buf *b)
{
    const tn_jinja_macro_def *m = ((const macro_obj *)self)->m;
    if (m->is_caller) {
        tn_buf_addz(b, "<Macro anonymous>");
    } else {
        tn_buf_addf(b, "<Macro '" TN_STR_FMT "'>", TN_STR_ARG(m->name));
    }
}

static const tn_obj_type macro_type = { .name = "jinja2.runtime.Macro",
    .attr = macro_attr,
    .call = macro_call,
    .str = macro_str,
    .repr = macro_str };

tn_val tn_jinja_macro_value(tn_jrun *r, const tn_jinja_macro_def *m)
{
    macro_obj *o = tn_new(r->ctx->arena, macro_obj);
    *o = (macro_obj){ .base = { &macro_type },
        .m = m,
        .ctx = r->ctx,
        .outer = r->frame,
        .module = r->frame->module };
    return tn_val_obj(&o->base);
}

tn_val tn_jinja_macro_bind(tn_arena *a, const tn_jinja_macro_def *m, tn_jinja_ctx *ctx,
    tn_jinja_lookup scope, void *scope_self)
{
    TN_CHECK(
        m->fn->outer == m->tmpl->root); /* a macro of the template itself, not one inside another */
    tn_jmodule *module = tn_new(a, tn_jmodule);
    const tn_jfunc *root = m->tmpl->root;
    tn_jframe *f = tn_arena_alloc(a, sizeof *f + root->names.n * sizeof(tn_val));
    *f = (tn_jframe){ .fn = root, .module = module };
    for (size_t i = 0; i < root->names.n; i++) {
        f->slots[i] = (tn_val){ .tag = TN_UNDEF, .flags = TN_JSLOT_UNRESOLVED };
    }
    *module = (tn_jmodule){ .scope = scope, .scope_self = scope_self };
    macro_obj *o = tn_new(a, macro_obj);
    *o = (macro_obj){
        .base = { &macro_type }, .m = m, .ctx = ctx, .outer = f, .module = module, .bound = true
    };
    return tn_val_obj(&o->base);
}
