/* jinja_eval.c: the value of an expression.
 *
 * One switch; each case is a small function. Before something that can fail, r->pos is set to its place, so that an error that comes up
 * through here can be shown in the source without any bookkeeping on the way down.
 */
#include <math.h>

#include "jinja/state/jinja_run.h"

/* ---- containers ---- */

static tn_rc x_items(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val l = tn_val_list(r->ctx->arena);
    for (size_t i = 0; i < x->items.n; i++) {
        tn_val v = TN_VAL_NONE;
        TN_TRY(tn_jinja_x(r, x->items.v[i], &v, err));
        tn_list_push(l.list, v);
    }
    *ret = x->kind == TN_JX_LIST ? l : tn_val_tuple(r->ctx->arena, l.list->v, l.list->n);
    return TN_OK;
}

static tn_rc x_dict(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val d = tn_val_dict(r->ctx->arena);
    for (size_t i = 0; i < x->items.n; i += 2) {
        tn_val key = TN_VAL_NONE, v = TN_VAL_NONE;
        TN_TRY(tn_jinja_x(r, x->items.v[i], &key, err));
        TN_TRY(tn_jinja_x(r, x->items.v[i + 1], &v, err));
        if (!tn_val_hashable(key)) {
            r->pos = x->items.v[i]->pos;
            return tn_fail(err, TN_E_TYPE, "unhashable type: '%s'", tn_val_type_name(key));
        }
        tn_dict_put(d.dict, key, v);
    }
    *ret = d;
    return TN_OK;
}

/* a ~ b ~ c: the texts put together, once. */
static tn_rc x_concat(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    size_t from = r->st->out.n;
    tn_jmark mark = tn_jstack_mark(r->st);
    tn_val *v = tn_jstack_take(r->st, x->items.n);
    for (size_t i = 0; i < x->items.n; i++) {
        v[i] = TN_VAL_NONE;
    }
    for (size_t i = 0; i < x->items.n; i++) {
        TN_TRY(tn_jinja_x(r, x->items.v[i], &v[i], err));
    }
    for (size_t i = 0; i < x->items.n;
        i++) { /* the output's free end serves as the place to build it */
        tn_val_str_to(&r->st->out, v[i]);
    }
    tn_jstack_release(r->st, mark);
    r->pos = x->pos;
    if (r->st->out.full) {
        return tn_fail(
            err, TN_E_LIMIT, "the rendered text is larger than %zu bytes", r->st->out.limit);
    }
    *ret = tn_val_str_dup(r->ctx->arena, tn_str_sub(tn_buf_str(&r->st->out), from, r->st->out.n));
    tn_buf_truncate(&r->st->out, from);
    return TN_OK;
}

/* ---- operators ---- */

static tn_rc x_arith(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val a = TN_VAL_NONE, b = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->on.a, &a, err));
    TN_TRY(tn_jinja_x(r, x->on.b, &b, err));
    if (a.tag == TN_INT && b.tag == TN_INT && x->op <= TN_OP_MUL) {
        int64_t i = 0;
        bool over = x->op == TN_OP_ADD   ? __builtin_add_overflow(a.i, b.i, &i)
                    : x->op == TN_OP_SUB ? __builtin_sub_overflow(a.i, b.i, &i)
                                         : __builtin_mul_overflow(a.i, b.i, &i);
        if (!over) {
            *ret = tn_val_int(i);
            return TN_OK;
        }
    }
    r->pos = x->pos;
    bool formats = x->op == TN_OP_MOD && a.tag == TN_STR_V; /* '%s' % x prints an undefined x */
    if (a.tag == TN_UNDEF || (b.tag == TN_UNDEF && !formats)) {
        return tn_jinja_undef_fail(a.tag == TN_UNDEF ? a : b, err);
    }
    return tn_jinja_arith(r->ctx, (tn_jinja_op)x->op, a, b, ret, err);
}

static tn_rc x_sign(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->on.a, &v, err));
    r->pos = x->pos;
    if (v.tag == TN_UNDEF) {
        return tn_jinja_undef_fail(v, err);
    }
    if (x->kind == TN_JX_NEG) {
        return tn_jinja_negate(r->ctx, v, ret, err);
    }
    if (v.tag < TN_BOOL || (v.tag > TN_DECIMAL && v.tag != TN_DELTA)) {
        return tn_fail(err, TN_E_TYPE, "bad operand type for unary +: '%s'", tn_val_type_name(v));
    }
    *ret = v.tag == TN_BOOL ? tn_val_int(v.i) : v;
    return TN_OK;
}

static tn_rc compare(tn_jrun *r, tn_jcmp op, tn_val a, tn_val b, bool *ret, tn_err *err)
{
    int order = 0;
    switch (op) {
    case TN_JCMP_EQ:
        *ret = tn_val_eq(a, b);
        return TN_OK;
    case TN_JCMP_NE:
        *ret = !tn_val_eq(a, b);
        return TN_OK;
    case TN_JCMP_IN:
    case TN_JCMP_NOTIN:
        TN_TRY(tn_jinja_contains(r->ctx, a, b, ret, err));
        *ret = *ret == (op == TN_JCMP_IN);
        return TN_OK;
    case TN_JCMP_LT:
    case TN_JCMP_LE:
    case TN_JCMP_GT:
    case TN_JCMP_GE:
        break;
    }
    if (a.tag == TN_UNDEF || b.tag == TN_UNDEF) {
        return tn_jinja_undef_fail(a.tag == TN_UNDEF ? a : b, err);
    }
    bool nan = (a.tag == TN_FLOAT && isnan(a.f)) || (b.tag == TN_FLOAT && isnan(b.f));
    tn_rc rc = tn_val_cmp(a, b, &order, err);
    if (rc == TN_E_TYPE) {
        static const char *const signs[] = {
            [TN_JCMP_LT] = "<", [TN_JCMP_LE] = "<=", [TN_JCMP_GT] = ">", [TN_JCMP_GE] = ">="
        };
        return tn_fail(err, TN_E_TYPE, "'%s' not supported between instances of '%s' and '%s'",
            signs[op], tn_val_type_name(a), tn_val_type_name(b));
    }
    TN_TRY(rc);
    *ret = !nan && (op == TN_JCMP_LT      ? order < 0
                       : op == TN_JCMP_LE ? order <= 0
                       : op == TN_JCMP_GT ? order > 0
                                          : order >= 0);
    return TN_OK;
}

/* a < b < c: each operand once, as far as it holds. */
static tn_rc x_compare(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val a = TN_VAL_NONE, b = TN_VAL_NONE;
    bool yes = true;
    TN_TRY(tn_jinja_x(r, x->cmp.v[0], &a, err));
    for (size_t i = 0; i < x->cmp.n && yes; i++) {
        TN_TRY(tn_jinja_x(r, x->cmp.v[i + 1], &b, err));
        r->pos = x->pos;
        TN_TRY(compare(r, (tn_jcmp)x->cmp.ops[i], a, b, &yes, err));
        a = b;
    }
    *ret = tn_val_bool(yes);
    return TN_OK;
}

static tn_rc x_cond(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val test = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->on.b, &test, err));
    if (tn_val_truthy(test)) {
        return tn_jinja_x(r, x->on.a, ret, err);
    }
    if (x->on.c != NULL) {
        return tn_jinja_x(r, x->on.c, ret, err);
    }
    *ret = tn_jinja_undef_hint(tn_str_printf(r->ctx->arena,
        "the inline if-expression on line %d evaluated to false and no else section was defined.",
        tn_jinja_place(r->tmpl, x->pos).line));
    return TN_OK;
}

/* ---- access ---- */

static tn_rc x_attr(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val of = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->attr.of, &of, err));
    if (of.tag == TN_DICT && x->op == 0) { /* no method of that name: the item at once */
        const tn_val *v = tn_dict_finds(of.dict, x->attr.name);
        *ret = v != NULL ? *v : tn_jinja_undef_attr(r->ctx, of, x->attr.name);
        return TN_OK;
    }
    r->pos = x->pos;
    return tn_jinja_get_attr(r->ctx, of, x->attr.name, ret, err);
}

static tn_rc x_item(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val of = TN_VAL_NONE, key = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->on.a, &of, err));
    TN_TRY(tn_jinja_x(r, x->on.b, &key, err));
    r->pos = x->pos;
    return tn_jinja_get_item(r->ctx, of, key, ret, err);
}

static tn_rc x_slice(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val of = TN_VAL_NONE, at[3] = { TN_VAL_NONE, TN_VAL_NONE, TN_VAL_NONE };
    const tn_jx *parts[3] = { x->slice.start, x->slice.stop, x->slice.step };
    TN_TRY(tn_jinja_x(r, x->slice.of, &of, err));
    for (size_t i = 0; i < 3; i++) {
        if (parts[i] != NULL) {
            TN_TRY(tn_jinja_x(r, parts[i], &at[i], err));
        }
        if (at[i].tag == TN_UNDEF) {
            r->pos = parts[i]->pos;
            return tn_fail(err, TN_E_TYPE,
                "slice indices must be integers or None or have an __index__ method");
        }
    }
    r->pos = x->pos;
    if (of.tag == TN_UNDEF) {
        return r->ctx->env->opts.undefined_chain ? (*ret = of, TN_OK)
                                                 : tn_jinja_undef_fail(of, err);
    }
    return tn_jinja_slice(r->ctx, of, at[0], at[1], at[2], ret, err);
}

static tn_rc x_captured(tn_jrun *r, tn_val *ret)
{
    *ret = r->captured;
    return TN_OK;
}

static tn_rc x_logic(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    tn_val v = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, x->on.a, &v, err));
    if (x->kind == TN_JX_NOT) {
        *ret = tn_val_bool(!tn_val_truthy(v));
        return TN_OK;
    }
    if (tn_val_truthy(v) == (x->kind == TN_JX_OR)) {
        *ret = v;
        return TN_OK;
    }
    return tn_jinja_x(r, x->on.b, ret, err);
}

tn_rc tn_jinja_x(tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err)
{
    if (TN_UNLIKELY(tn_jinja_stack_full(r->st->stack_base))) {
        r->pos = x->pos;
        return tn_fail(err, TN_E_LIMIT, "the expression is nested too deep");
    }
    switch ((tn_jx_kind)x->kind) {
    case TN_JX_CONST:
        *ret = x->value;
        return TN_OK;
    case TN_JX_NAME:
        r->pos = x->pos;
        return tn_jinja_slot(r, x->name.ref, ret, err);
    case TN_JX_LIST:
    case TN_JX_TUPLE:
        return x_items(r, x, ret, err);
    case TN_JX_DICT:
        return x_dict(r, x, ret, err);
    case TN_JX_NOT:
    case TN_JX_AND:
    case TN_JX_OR:
        return x_logic(r, x, ret, err);
    case TN_JX_NEG:
    case TN_JX_POS:
        return x_sign(r, x, ret, err);
    case TN_JX_COMPARE:
        return x_compare(r, x, ret, err);
    case TN_JX_CONCAT:
        return x_concat(r, x, ret, err);
    case TN_JX_ARITH:
        return x_arith(r, x, ret, err);
    case TN_JX_COND:
        return x_cond(r, x, ret, err);
    case TN_JX_ATTR:
        return x_attr(r, x, ret, err);
    case TN_JX_ITEM:
        return x_item(r, x, ret, err);
    case TN_JX_SLICE:
        return x_slice(r, x, ret, err);
    case TN_JX_CALL:
    case TN_JX_FILTER:
    case TN_JX_TEST:
        return tn_jinja_x_call(r, x, NULL, ret, err);
    case TN_JX_CAPTURED:
        return x_captured(r, ret);
    }
    return tn_fail(err, TN_E_BUG, "unknown expression %d", x->kind);
}
