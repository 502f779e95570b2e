/* jinja_native.c: where output goes. Rendering to text appends to one buffer; native rendering keeps the values apart and makes
 * one value of them at the end, as Jinja2's NativeEnvironment or as dbt's variant of it does. */
#include "jinja/state/jinja_run.h"

/* dbt's marks on a text, in tn_val.aux: what native rendering does with it. */
enum { MARK_NONE, MARK_TEXT, MARK_NATIVE, MARK_BOOL, MARK_NUMBER };

void tn_jinja_native_filters(tn_jinja_env *e);

/* Jinja2 holds two outputs as they are, since one alone keeps its value; once there are two it makes texts of them, and of each further one at
 * once. That is seen when a list is changed after it was output. */
static void stream(struct tn_jinja_state *st)
{
    tn_jvals *v = st->streamed;
    for (size_t i = v->n == 2 ? 0 : v->n - 1; i < v->n && v->n >= 2; i++) {
        if (!tn_val_is_str(v->v[i])) {
            v->v[i] = tn_val_str(tn_val_to_str(st->arena, v->v[i]));
        }
    }
}

void tn_jinja_emit(tn_jrun *r, tn_val v)
{
    struct tn_jinja_state *st = r->st;
    if (TN_UNLIKELY(st->natives != NULL)) {
        tn_vec_push(st->natives, st->arena, v);
        if (st->natives == st->streamed) {
            stream(st);
        }
    } else if (v.tag == TN_STR_V) {
        tn_buf_add_n(&st->out, v.s, v.n);
    } else if (v.tag != TN_UNDEF) {
        tn_val_str_to(&st->out, v);
    }
}

void tn_jinja_capture(struct tn_jinja_state *st, tn_jcapture *c)
{
    *c = (tn_jcapture){ .from = st->out.n, .outer = st->natives };
    st->natives = st->mode == TN_JMODE_NATIVE ? &c->own : NULL;
}

void tn_jinja_capture_drop(struct tn_jinja_state *st, tn_jcapture *c)
{
    st->natives = c->outer;
    tn_buf_truncate(&st->out, c->from);
}

tn_rc tn_jinja_captured(tn_jrun *r, tn_jcapture *c, tn_val *ret, tn_err *err)
{
    struct tn_jinja_state *st = r->st;
    if (st->out.full) {
        tn_jinja_capture_drop(st, c);
        return tn_fail(
            err, TN_E_LIMIT, "the rendered text is larger than %zu bytes", st->out.limit);
    }
    tn_str text = tn_str_sub(tn_buf_str(&st->out), c->from, st->out.n);
    *ret = text.n == 0 ? tn_val_z("") : tn_val_str_dup(r->ctx->arena, text);
    bool native = st->natives != NULL;
    tn_jinja_capture_drop(st, c);
    return native ? tn_jinja_native_join(r, &c->own, TN_JMODE_NATIVE, ret, err) : TN_OK;
}

/* ---- many outputs, one value ---- */

static tn_rc join_text(tn_jrun *r, const tn_jvals *v, tn_str *ret, tn_err *err)
{
    if (v->n == 1 && tn_val_is_str(v->v[0])) {
        *ret = tn_val_as_str(v->v[0]);
        return TN_OK;
    }
    tn_buf b = tn_buf_init(r->ctx->arena, r->st->out.limit);
    for (size_t i = 0; i < v->n; i++) {
        tn_val_str_to(&b, v->v[i]);
    }
    return tn_buf_finish(&b, "rendered text", ret, err);
}

static bool is_number(tn_val v)
{
    return v.tag == TN_INT || v.tag == TN_FLOAT || v.tag == TN_BIGINT;
}

static tn_rc join_quoted(tn_jrun *r, const tn_jvals *v, tn_val *ret, tn_err *err)
{
    tn_str text = TN_STR("");
    if (v->n != 1) {
        TN_TRY(join_text(r, v, &text, err));
        *ret = tn_val_str(text);
        return TN_OK;
    }
    tn_val one = v->v[0], got;
    unsigned mark = tn_val_is_str(one) ? one.aux : MARK_NONE;
    one.aux = mark != MARK_NONE ? 0 : one.aux;
    if (mark < MARK_NATIVE) {
        *ret = one;
        return TN_OK;
    }
    text = tn_val_as_str(one);
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
        text = tn_str_sub(text, 1, text.n);
    }
    if (!tn_jinja_literal_eval(r->ctx->arena, text, &got)) {
        got = one;
    }
    if ((mark == MARK_BOOL && got.tag != TN_BOOL) || (mark == MARK_NUMBER && !is_number(got))) {
        return tn_fail(err, TN_E_VALUE, "Could not convert value '" TN_STR_FMT "' into type '%s'",
            TN_STR_ARG(tn_val_as_str(one)), mark == MARK_BOOL ? "bool" : "number");
    }
    *ret = got;
    return TN_OK;
}

tn_rc tn_jinja_native_join(tn_jrun *r, const tn_jvals *v, tn_jmode mode, tn_val *ret, tn_err *err)
{
    if (mode == TN_JMODE_QUOTED) {
        return join_quoted(r, v, ret, err);
    }
    if (v->n == 0) {
        *ret = TN_VAL_NONE;
        return TN_OK;
    }
    if (v->n == 1 && !tn_val_is_str(v->v[0])) {
        *ret = v->v[0];
        return TN_OK;
    }
    tn_str text = TN_STR_NONE;
    TN_TRY(join_text(r, v, &text, err));
    bool indented = text.n > 0 &&
                    (text.p[0] == ' ' || text.p[0] == '\t'); /* no expression for Python's parser */
    if (indented || !tn_jinja_literal_eval(r->ctx->arena, text, ret)) {
        *ret = tn_val_str(text);
    }
    return TN_OK;
}

/* ---- dbt's filters ---- */

/* Only dbt's native rendering looks at marks; elsewhere the filters give the value back. */
static tn_rc mark_value(const tn_call *call, uint16_t mark, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "x", NULL };
    TN_TRY(tn_call_check(call, "filter", 1, 1, names, err));
    tn_jinja_ctx *ctx = call->interp;
    *ret = call->args[0];
    if (ctx != NULL && ctx->state != NULL && ctx->state->mode == TN_JMODE_QUOTED) {
        *ret = tn_val_str(tn_val_to_str(call->arena, *ret));
        ret->aux = mark;
    }
    return TN_OK;
}

static tn_rc as_text(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return mark_value(call, MARK_TEXT, ret, err);
}

static tn_rc as_native(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return mark_value(call, MARK_NATIVE, ret, err);
}

static tn_rc as_bool(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return mark_value(call, MARK_BOOL, ret, err);
}

static tn_rc as_number(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return mark_value(call, MARK_NUMBER, ret, err);
}

static tn_rc is_list(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "value", NULL };
    TN_TRY(tn_call_check(call, "is_list", 1, 1, names, err));
    *ret = tn_val_bool(tn_call_arg(call, 0, "value").tag == TN_LIST);
    return TN_OK;
}

void tn_jinja_native_filters(tn_jinja_env *e)
{
    tn_jinja_env_filter(e, "as_text", as_text, NULL);
    tn_jinja_env_filter(e, "as_native", as_native, NULL);
    tn_jinja_env_filter(e, "as_bool", as_bool, NULL);
    tn_jinja_env_filter(e, "as_number", as_number, NULL);
    tn_jinja_env_filter(e, "is_list", is_list, NULL);
}
