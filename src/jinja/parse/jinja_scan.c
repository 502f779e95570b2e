/* jinja_scan.c: what can be said of a template without rendering it: the calls of bare names with literal arguments
 * (ref('a'), config(materialized='view')) and the names that it takes from outside. */
#include "jinja/parse/jinja_tmpl.h"
#include "jinja/parse/jinja_walk.h"

typedef struct looker {
    tn_arena *a;
    tn_jinja_static_calls *calls;
    const tn_jinja_tmpl *t;
    int unsure; /* inside of a condition, a loop or a macro: may run never or often */
    size_t line_at;
    int line;
    const char *stack_base;
    bool too_deep;
} looker;

static void look_body(looker *l, const tn_js *s);

/* The value of a literal expression; false when it is none. */
static bool literal(tn_arena *a, const tn_jx *x, tn_val *ret)
{
    tn_val v = TN_VAL_NONE;
    switch ((tn_jx_kind)x->kind) {
    case TN_JX_CONST:
        *ret = x->value;
        return true;
    case TN_JX_NEG:
        if (!literal(a, x->on.a, &v) || (v.tag != TN_INT && v.tag != TN_FLOAT) ||
            (v.tag == TN_INT && v.i == INT64_MIN)) {
            return false;
        }
        *ret = v.tag == TN_INT ? tn_val_int(-v.i) : tn_val_float(-v.f);
        return true;
    case TN_JX_LIST:
    case TN_JX_TUPLE: {
        tn_val list = tn_val_list(a);
        for (size_t i = 0; i < x->items.n; i++) {
            if (!literal(a, x->items.v[i], &v)) {
                return false;
            }
            tn_list_push(list.list, v);
        }
        *ret = x->kind == TN_JX_LIST ? list : tn_val_tuple(a, list.list->v, list.list->n);
        return true;
    }
    case TN_JX_DICT: {
        tn_val dict = tn_val_dict(a), key = TN_VAL_NONE;
        for (size_t i = 0; i < x->items.n; i += 2) {
            if (!literal(a, x->items.v[i], &key) || !literal(a, x->items.v[i + 1], &v) ||
                !tn_val_hashable(key)) {
                return false;
            }
            tn_dict_put(dict.dict, key, v);
        }
        *ret = dict;
        return true;
    }
    default:
        return false;
    }
}

static int line_of(looker *l, uint32_t pos)
{
    if (pos < l->line_at) { /* rare: a call's place is after its arguments' */
        l->line_at = 0;
        l->line = l->t->line;
    }
    for (; l->line_at < pos && l->line_at < l->t->text.n; l->line_at++) {
        l->line += l->t->text.p[l->line_at] == '\n';
    }
    return l->line;
}

static void add_call(looker *l, const tn_jx *x)
{
    const tn_jargs *args = x->call.args;
    tn_jinja_static_call c = { .name = x->call.of->name.name,
        .line = line_of(l, x->pos),
        .expr = x,
        .args = tn_val_list(l->a),
        .kwargs = tn_val_dict(l->a) };
    c.literal = l->unsure == 0 && args->star == NULL && args->star2 == NULL;
    tn_val v = TN_VAL_NONE;
    for (size_t i = 0; i < args->n && c.literal; i++) {
        c.literal = literal(l->a, args->v[i], &v);
        tn_list_push(c.args.list, v);
    }
    for (size_t i = 0; i < args->kwn && c.literal; i++) {
        c.literal = literal(l->a, args->kw[i].value, &v);
        tn_dict_puts(c.kwargs.dict, args->kw[i].name, v);
    }
    if (!c.literal) {
        c.args = c.kwargs = TN_VAL_NONE;
    }
    tn_vec_push(l->calls, l->a, c);
}

static bool look_expr(void *self, tn_jx *x)
{
    looker *l = self;
    if (tn_jinja_stack_full(l->stack_base)) {
        l->too_deep = true;
        return false;
    }
    if (x->kind == TN_JX_CALL && x->call.of->kind == TN_JX_NAME) {
        add_call(l, x);
    }
    if (x->kind == TN_JX_AND || x->kind == TN_JX_OR) {
        look_expr(l, x->on.a);
        l->unsure++;
        look_expr(l, x->on.b);
        l->unsure--;
        return true;
    }
    bool cond = x->kind == TN_JX_COND;
    l->unsure += cond;
    tn_jx_each(x, look_expr, l);
    l->unsure -= cond;
    return true;
}

static void look_optional(looker *l, tn_jx *x)
{
    if (x != NULL) {
        look_expr(l, x);
    }
}

static void look_unsure(looker *l, const tn_js *body)
{
    l->unsure++;
    look_body(l, body);
    l->unsure--;
}

static void look_macro(looker *l, const tn_jinja_macro_def *m)
{
    l->unsure++;
    for (size_t i = 0; i < m->n; i++) {
        look_optional(l, m->params[i].dflt);
    }
    look_body(l, m->body);
    l->unsure--;
}

static void look_stmt(looker *l, const tn_js *s)
{
    switch ((tn_js_kind)s->kind) {
    case TN_JS_TEXT:
    case TN_JS_BREAK:
    case TN_JS_CONTINUE:
        break;
    case TN_JS_OUTPUT:
    case TN_JS_DO:
        look_expr(l, s->expr);
        break;
    case TN_JS_IF:
        look_expr(l, s->cond.test);
        look_unsure(l, s->cond.body);
        look_unsure(l, s->cond.other);
        break;
    case TN_JS_FOR:
        look_expr(l, s->loop->iter);
        l->unsure++;
        look_optional(l, s->loop->test);
        look_body(l, s->loop->body);
        look_body(l, s->loop->other);
        l->unsure--;
        break;
    case TN_JS_SET:
        look_expr(l, s->set.expr);
        break;
    case TN_JS_SETBLOCK:
    case TN_JS_FILTER:
    case TN_JS_SCOPE:
        look_optional(l, s->set.expr);
        look_body(l, s->set.body);
        break;
    case TN_JS_MACRO:
        look_macro(l, s->macro);
        break;
    case TN_JS_CALL:
        look_expr(l, s->call.call);
        look_macro(l, s->call.caller);
        break;
    case TN_JS_WITH:
        for (size_t i = 0; i < s->with->n; i++) {
            look_expr(l, s->with->values[i]);
        }
        look_body(l, s->with->body);
        break;
    case TN_JS_BLOCK:
        look_body(l, s->block.body);
        break;
    case TN_JS_LOAD:
        look_expr(l, s->load.name);
        break;
    }
}

static void look_body(looker *l, const tn_js *s)
{
    for (; s != NULL; s = s->next) {
        look_stmt(l, s);
    }
}

tn_rc tn_jinja_scan(tn_arena *a, const tn_jinja_tmpl *t, tn_jinja_static_calls *ret_calls,
    tn_strs *ret_free_names, tn_err *err)
{
    tn_jinja_static_calls calls = { 0 };
    tn_strs names = { 0 };
    looker l = {
        .a = a, .calls = &calls, .t = t, .line = t->line, .stack_base = tn_jinja_stack_here()
    };
    if (t->is_expr) {
        look_expr(&l, t->expr);
    } else {
        look_body(&l, t->body);
    }
    if (l.too_deep) {
        return tn_fail(err, TN_E_LIMIT, "the template is nested too deep");
    }
    for (size_t i = 0; i < t->free_names.n; i++) {
        tn_vec_push(&names, a, t->free_names.v[i]);
    }
    *ret_calls = calls;
    *ret_free_names = names;
    return TN_OK;
}
