/* jinja_exec.c: statements, and rendering a whole template.
 *
 * break, continue and return() travel as result codes (class FLOW); so cleaning up is the same for them as for errors.
 */
#include "jinja/state/jinja_run.h"

void tn_jinja_enter_scope(tn_jrun *r, const tn_jscope *sc)
{
    for (size_t i = 0; i < sc->n; i++) {
        const tn_jinit *in = &sc->inits[i];
        tn_val v = { .tag = TN_UNDEF };
        if (in->kind == TN_JINIT_ALIAS) {
            v = tn_jframe_at(r->frame, in->from.hops)->slots[in->from.slot];
        } else {
            v.flags = in->kind == TN_JINIT_RESOLVE ? TN_JSLOT_UNRESOLVED : TN_JSLOT_MISSING;
        }
        r->frame->slots[in->slot] = v;
    }
}

/* ---- assignment ---- */

static tn_rc assign_tuple(tn_jrun *r, const tn_jtarget *t, tn_val v, tn_err *err)
{
    tn_val l = TN_VAL_NONE;
    if (v.tag == TN_UNDEF) {
        return tn_fail(err, TN_E_VALUE, "not enough values to unpack (expected %zu, got 0)", t->n);
    }
    tn_rc rc = tn_jinja_iterate(r->ctx, v, &l, err);
    if (rc == TN_E_TYPE) {
        return tn_fail(err, rc, "cannot unpack non-iterable %s object", tn_val_type_name(v));
    }
    TN_TRY(rc);
    if (l.list->n > t->n) {
        return tn_fail(err, TN_E_VALUE, "too many values to unpack (expected %zu)", t->n);
    }
    if (l.list->n < t->n) {
        return tn_fail(err, TN_E_VALUE, "not enough values to unpack (expected %zu, got %zu)", t->n,
            l.list->n);
    }
    for (size_t i = 0; i < t->n; i++) {
        TN_TRY(tn_jinja_assign(r, t->v[i], l.list->v[i], err));
    }
    return TN_OK;
}

/* namespace.attr: only objects that say so can be assigned to. */
static tn_rc check_namespaces(tn_jrun *r, const tn_jtarget *t, tn_err *err)
{
    for (size_t i = 0; i < t->n; i++) {
        TN_TRY(check_namespaces(r, t->v[i], err));
    }
    if (t->kind != TN_JTARGET_ATTR) {
        return TN_OK;
    }
    tn_val ns = TN_VAL_NONE;
    r->pos = t->pos;
    TN_TRY(tn_jinja_slot(r, t->ref, &ns, err));
    return ns.tag == TN_OBJ && ns.obj->type->set_attr != NULL
               ? TN_OK
               : tn_fail(err, TN_E_TYPE, "cannot assign attribute on non-namespace object");
}

tn_rc tn_jinja_assign(tn_jrun *r, const tn_jtarget *t, tn_val v, tn_err *err)
{
    if (TN_LIKELY(t->kind == TN_JTARGET_NAME)) {
        tn_jframe_at(r->frame, t->ref.hops)->slots[t->ref.slot] = v;
        return TN_OK;
    }
    r->pos = t->pos;
    if (t->kind == TN_JTARGET_TUPLE) {
        return assign_tuple(r, t, v, err);
    }
    tn_val ns = TN_VAL_NONE;
    TN_TRY(tn_jinja_slot(r, t->ref, &ns, err));
    if (ns.tag != TN_OBJ || ns.obj->type->set_attr == NULL) {
        return tn_fail(err, TN_E_TYPE, "cannot assign attribute on non-namespace object");
    }
    return ns.obj->type->set_attr(ns.obj, t->attr, v, err);
}

static tn_rc run_set(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    if (s->set.target->kind != TN_JTARGET_NAME) {
        TN_TRY(check_namespaces(r, s->set.target, err));
    }
    TN_TRY(tn_jinja_x(r, s->set.expr, &v, err));
    return tn_jinja_assign(r, s->set.target, v, err);
}

/* The text of a body, through the filters. */
static tn_rc run_captured(tn_jrun *r, const tn_js *s, tn_val *ret, tn_err *err)
{
    tn_jcapture c;
    tn_jinja_enter_scope(r, &s->set.scope);
    tn_jinja_capture(r->st, &c);
    tn_rc rc = tn_jinja_run_body(r, s->set.body, err);
    if (rc != TN_OK) {
        tn_jinja_capture_drop(r->st, &c);
        return rc;
    }
    TN_TRY(tn_jinja_captured(r, &c, ret, err));
    if (s->set.expr == NULL) {
        return TN_OK;
    }
    tn_val was = r->captured;
    r->captured = *ret;
    rc = tn_jinja_x(r, s->set.expr, ret, err);
    r->captured = was;
    return rc;
}

static tn_rc run_setblock(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(run_captured(r, s, &v, err));
    TN_TRY(check_namespaces(r, s->set.target, err));
    return tn_jinja_assign(r, s->set.target, v, err);
}

static tn_rc run_filter(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(run_captured(r, s, &v, err));
    tn_jinja_emit(r, v);
    return TN_OK;
}

/* ---- blocks ---- */

static tn_rc run_if(tn_jrun *r, const tn_js *s, tn_err *err)
{
    for (;;) {
        tn_val test = TN_VAL_NONE;
        TN_TRY(tn_jinja_x(r, s->cond.test, &test, err));
        if (tn_val_truthy(test)) {
            return tn_jinja_run_body(r, s->cond.body, err);
        }
        const tn_js *other = s->cond.other;
        if (other == NULL || other->kind != TN_JS_IF || other->next != NULL) {
            return tn_jinja_run_body(r, other, err);
        }
        s = other;
    }
}

static tn_rc run_with(tn_jrun *r, const tn_jwith *w, tn_err *err)
{
    tn_jmark mark = tn_jstack_mark(r->st);
    tn_val *v = tn_jstack_take(r->st, w->n);
    for (size_t i = 0; i < w->n; i++) {
        v[i] = TN_VAL_NONE;
        TN_TRY(tn_jinja_x(r, w->values[i], &v[i], err));
    }
    tn_jinja_enter_scope(r, &w->scope);
    for (size_t i = 0; i < w->n; i++) {
        TN_TRY(tn_jinja_assign(r, w->targets[i], v[i], err));
    }
    tn_jstack_release(r->st, mark);
    return tn_jinja_run_body(r, w->body, err);
}

static tn_rc run_inner_scope(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val ignored = TN_VAL_NONE;
    tn_jinja_enter_scope(r, &s->set.scope);
    TN_TRY(tn_jinja_x(r, s->set.expr, &ignored, err));
    return tn_jinja_run_body(r, s->set.body, err);
}

static tn_rc run_block(tn_jrun *r, const tn_js *s, tn_err *err)
{
    if (s->block.fn == NULL) {
        tn_jinja_enter_scope(r, &s->block.scope);
        return tn_jinja_run_body(r, s->block.body, err);
    }
    tn_jmark mark = tn_jstack_mark(r->st);
    tn_jframe *was = r->frame;
    r->frame = tn_jframe_new(r, s->block.fn, NULL, was->module);
    tn_jinja_enter_scope(r, &s->block.fn->scope);
    tn_rc rc = tn_jinja_run_body(r, s->block.body, err);
    r->frame = was;
    tn_jstack_release(r->st, mark);
    return rc;
}

static tn_rc run_call(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val caller = tn_jinja_macro_value(r, s->call.caller), v = TN_VAL_NONE;
    TN_TRY(tn_jinja_x_call(r, s->call.call, &caller, &v, err));
    tn_jinja_emit(r, v);
    return TN_OK;
}

static tn_rc run_load(tn_jrun *r, const tn_js *s, tn_err *err)
{
    r->pos = s->pos;
    tn_rc rc = tn_fail(
        err, TN_E_UNSUPPORTED, "'%s' needs a template loader, and there is none", s->load.what);
    return tn_hint(
        err, rc, "write macros; every macro of the project can be called without an import");
}

/* ---- native output: Jinja2 folds neighbouring constants into one piece ---- */

static bool is_constant(const tn_js *s)
{
    return s != NULL && (s->kind == TN_JS_TEXT || (s->kind == TN_JS_OUTPUT && s->expr->folds));
}

static tn_rc emit_constants(tn_jrun *r, const tn_js **at, tn_err *err)
{
    tn_buf b = tn_buf_init(r->ctx->arena, r->st->out.limit);
    const tn_js *s = *at;
    for (bool odd = false;; s = s->next) {
        tn_val v = TN_VAL_NONE;
        if (s->kind == TN_JS_TEXT) {
            tn_buf_add(&b, s->text);
        } else {
            TN_TRY(tn_jinja_x(r, s->expr, &v, err));
            odd =
                v.tag == TN_UNDEF || v.tag == TN_OBJ; /* cannot be written as source: not folded */
        }
        if (s->kind != TN_JS_TEXT && !odd) {
            tn_val_str_to(&b, v);
        }
        if (!is_constant(s->next) || odd) {
            *at = s;
            tn_str text = TN_STR_NONE;
            TN_TRY(tn_buf_finish(&b, "rendered text", &text, err));
            if (!odd || text.n > 0) {
                tn_jinja_emit(r, tn_val_str(text));
            }
            if (odd) {
                tn_jinja_emit(r, v);
            }
            return TN_OK;
        }
    }
}

static tn_rc run_output(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, s->expr, &v, err));
    tn_jinja_emit(r, v);
    return TN_OK;
}

static tn_rc run_stmt(tn_jrun *r, const tn_js *s, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    switch ((tn_js_kind)s->kind) {
    case TN_JS_TEXT:
        tn_buf_add(&r->st->out, s->text);
        return TN_OK;
    case TN_JS_OUTPUT:
        return run_output(r, s, err);
    case TN_JS_DO:
        return tn_jinja_x(r, s->expr, &v, err);
    case TN_JS_IF:
        return run_if(r, s, err);
    case TN_JS_FOR:
        return tn_jinja_run_for(r, s, err);
    case TN_JS_SET:
        return run_set(r, s, err);
    case TN_JS_SETBLOCK:
        return run_setblock(r, s, err);
    case TN_JS_MACRO:
        v = tn_jinja_macro_value(r, s->macro);
        tn_jframe_at(r->frame, s->macro->self.hops)->slots[s->macro->self.slot] = v;
        return TN_OK;
    case TN_JS_CALL:
        return run_call(r, s, err);
    case TN_JS_FILTER:
        return run_filter(r, s, err);
    case TN_JS_WITH:
        return run_with(r, s->with, err);
    case TN_JS_SCOPE:
        return run_inner_scope(r, s, err);
    case TN_JS_BLOCK:
        return run_block(r, s, err);
    case TN_JS_LOAD:
        return run_load(r, s, err);
    case TN_JS_BREAK:
        return TN_E_BREAK;
    case TN_JS_CONTINUE:
        return TN_E_CONTINUE;
    }
    return tn_fail(err, TN_E_BUG, "unknown statement %d", s->kind);
}

tn_rc tn_jinja_run_body(tn_jrun *r, const tn_js *body, tn_err *err)
{
    if (TN_UNLIKELY(tn_jinja_stack_full(r->st->stack_base))) {
        return tn_fail(err, TN_E_LIMIT, "the template is nested too deep");
    }
    for (const tn_js *s = body; s != NULL; s = s->next) {
        if (TN_UNLIKELY(r->st->natives != NULL) && is_constant(s)) {
            TN_TRY(emit_constants(r, &s, err));
        } else {
            TN_TRY(run_stmt(r, s, err));
        }
    }
    return TN_OK;
}

/* ---- whole templates ---- */

/* What comes out of a template's own code: flow codes are errors here, errors get their place. */
static tn_rc settle(tn_jrun *r, tn_rc rc, tn_err *err)
{
    if (rc == TN_E_RETURN) {
        rc = tn_fail(err, TN_E_COMPILE, "return() is called outside of a macro");
    }
    if (rc != TN_OK) {
        tn_jinja_err_at(r->tmpl, r->pos, err);
    }
    return rc;
}

/* Runs a template in its own frame; body false: its expression, into *ret. */
static tn_rc run_template(const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err)
{
    struct tn_jinja_state *st = ctx->state;
    tn_jmark mark = tn_jstack_mark(st);
    tn_jmodule module = { .scope = NULL };
    tn_jrun r = { .ctx = ctx, .st = st, .tmpl = t, .captured = TN_VAL_NONE, .up = st->top };
    tn_jmodule *m = &module;
    if (t->root->captured) { /* macros may outlive this call */
        m = tn_new(ctx->arena, tn_jmodule);
    }
    r.frame = tn_jframe_new(&r, t->root, NULL, m);
    m->root = r.frame;
    st->top = &r;
    tn_jinja_enter_scope(&r, &t->root->scope);
    tn_rc rc = t->is_expr ? tn_jinja_x(&r, t->expr, ret, err) : tn_jinja_run_body(&r, t->body, err);
    rc = settle(&r, rc, err);
    st->top = r.up;
    tn_jstack_release(st, mark);
    return rc;
}

static tn_rc render(
    const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_jmode mode, tn_val *ret, tn_err *err)
{
    TN_CHECK(!t->is_expr);
    TN_TRY(tn_jinja_enter(ctx, err));
    struct tn_jinja_state *st = ctx->state;
    tn_jmode was = st->mode;
    tn_jvals values = { 0 };
    tn_jcapture c;
    tn_jrun r = { .ctx = ctx, .st = st, .tmpl = t };
    st->mode = TN_JMODE_TEXT;
    tn_jinja_capture(st, &c);
    st->mode = mode;
    tn_jvals *streamed = st->streamed;
    st->natives = st->streamed = mode == TN_JMODE_TEXT ? NULL : &values;
    tn_rc rc = run_template(t, ctx, ret, err);
    st->natives = NULL;
    tn_val v = TN_VAL_NONE;
    if (rc == TN_OK) {
        rc = mode == TN_JMODE_TEXT ? tn_jinja_captured(&r, &c, &v, err)
                                   : tn_jinja_native_join(&r, &values, mode, &v, err);
    }
    if (rc == TN_OK) {
        *ret = v;
    } else {
        tn_jinja_err_at(t, 0, err);
    }
    tn_jinja_capture_drop(st, &c);
    st->mode = was;
    st->streamed = streamed;
    tn_jinja_leave(ctx);
    return rc;
}

tn_rc tn_jinja_render(const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_str *ret, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(render(t, ctx, TN_JMODE_TEXT, &v, err));
    *ret = tn_val_as_str(v);
    return TN_OK;
}

tn_rc tn_jinja_render_native(const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err)
{
    return render(t, ctx, TN_JMODE_NATIVE, ret, err);
}

tn_rc tn_jinja_render_quoted(const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err)
{
    return render(t, ctx, TN_JMODE_QUOTED, ret, err);
}

tn_rc tn_jinja_eval(const tn_jinja_tmpl *expr, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err)
{
    TN_CHECK(expr->is_expr);
    TN_TRY(tn_jinja_enter(ctx, err));
    tn_val v = TN_VAL_NONE;
    tn_rc rc = run_template(expr, ctx, &v, err);
    tn_jinja_leave(ctx);
    if (rc == TN_OK) {
        *ret = v;
    }
    return rc;
}
