/* jinja_walk.c: see jinja_walk.h. The orders of visiting are those of Jinja2's node fields, because what counts as "read
 * before set" depends on them (an assignment's target comes before its value). */
#include "jinja/parse/jinja_walk.h"

bool tn_jargs_each(const tn_jargs *args, tn_jx_fn fn, void *self)
{
    for (size_t i = 0; i < args->n; i++) {
        if (!fn(self, args->v[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < args->kwn; i++) {
        if (!fn(self, args->kw[i].value)) {
            return false;
        }
    }
    return (args->star == NULL || fn(self, args->star)) &&
           (args->star2 == NULL || fn(self, args->star2));
}

static bool each_of(tn_jx *const *v, size_t n, tn_jx_fn fn, void *self)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] != NULL && !fn(self, v[i])) {
            return false;
        }
    }
    return true;
}

bool tn_jx_each(const tn_jx *x, tn_jx_fn fn, void *self)
{
    switch ((tn_jx_kind)x->kind) {
    case TN_JX_CONST:
    case TN_JX_NAME:
    case TN_JX_CAPTURED:
        return true;
    case TN_JX_LIST:
    case TN_JX_TUPLE:
    case TN_JX_DICT:
    case TN_JX_CONCAT:
        return each_of(x->items.v, x->items.n, fn, self);
    case TN_JX_NOT:
    case TN_JX_NEG:
    case TN_JX_POS:
    case TN_JX_AND:
    case TN_JX_OR:
    case TN_JX_ARITH:
    case TN_JX_ITEM:
        return each_of((tn_jx *const[]){ x->on.a, x->on.b }, 2, fn, self);
    case TN_JX_COND:
        return each_of((tn_jx *const[]){ x->on.b, x->on.a, x->on.c }, 3, fn, self);
    case TN_JX_COMPARE:
        return each_of(x->cmp.v, x->cmp.n + 1, fn, self);
    case TN_JX_ATTR:
        return fn(self, x->attr.of);
    case TN_JX_SLICE:
        return each_of(
            (tn_jx *const[]){ x->slice.of, x->slice.start, x->slice.stop, x->slice.step }, 4, fn,
            self);
    case TN_JX_CALL:
    case TN_JX_FILTER:
    case TN_JX_TEST:
        return fn(self, x->call.of) && tn_jargs_each(x->call.args, fn, self);
    }
    return true;
}

/* ---- reads before sets ---- */

typedef struct look {
    const char *name;
    bool found;
    bool declared;
} look;

static bool look_body(look *l, const tn_js *s);

static bool look_expr(void *self, tn_jx *x)
{
    look *l = self;
    if (x->kind == TN_JX_NAME && tn_str_is(x->name.name, l->name)) {
        l->found = true;
        return false;
    }
    return tn_jx_each(x, look_expr, self);
}

static bool look_optional(look *l, tn_jx *x)
{
    return x == NULL || look_expr(l, x);
}

bool tn_jinja_target_has(const tn_jtarget *t, const char *name)
{
    if (t->kind == TN_JTARGET_NAME && tn_str_is(t->name, name)) {
        return true;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (tn_jinja_target_has(t->v[i], name)) {
            return true;
        }
    }
    return false;
}

/* False ends the walk: found, or set and so no longer of interest. */
static bool look_target(look *l, const tn_jtarget *t)
{
    l->declared = tn_jinja_target_has(t, l->name);
    return !l->declared;
}

static bool look_macro(look *l, const tn_jinja_macro_def *m)
{
    for (size_t i = 0; i < m->n; i++) {
        if (tn_str_is(m->params[i].name, l->name)) {
            l->declared = true;
            return false;
        }
    }
    for (size_t i = 0; i < m->n; i++) {
        if (!look_optional(l, m->params[i].dflt)) {
            return false;
        }
    }
    return look_body(l, m->body);
}

static bool look_with(look *l, const tn_jwith *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (!look_target(l, w->targets[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < w->n; i++) {
        if (!look_expr(l, w->values[i])) {
            return false;
        }
    }
    return look_body(l, w->body);
}

static bool look_stmt(look *l, const tn_js *s)
{
    switch ((tn_js_kind)s->kind) {
    case TN_JS_TEXT:
    case TN_JS_BREAK:
    case TN_JS_CONTINUE:
    case TN_JS_BLOCK:
        return true;
    case TN_JS_OUTPUT:
    case TN_JS_DO:
        return look_expr(l, s->expr);
    case TN_JS_IF:
        return look_expr(l, s->cond.test) && look_body(l, s->cond.body) &&
               look_body(l, s->cond.other);
    case TN_JS_FOR:
        return look_target(l, s->loop->target) && look_expr(l, s->loop->iter) &&
               look_body(l, s->loop->body) && look_body(l, s->loop->other) &&
               look_optional(l, s->loop->test);
    case TN_JS_SET:
        return look_target(l, s->set.target) && look_expr(l, s->set.expr);
    case TN_JS_SETBLOCK:
        return look_target(l, s->set.target) && look_optional(l, s->set.expr) &&
               look_body(l, s->set.body);
    case TN_JS_MACRO:
        return look_macro(l, s->macro);
    case TN_JS_CALL:
        return look_expr(l, s->call.call) && look_macro(l, s->call.caller);
    case TN_JS_FILTER:
    case TN_JS_SCOPE:
        return look_body(l, s->set.body) && look_optional(l, s->set.expr);
    case TN_JS_WITH:
        return look_with(l, s->with);
    case TN_JS_LOAD:
        return look_expr(l, s->load.name);
    }
    return true;
}

static bool look_body(look *l, const tn_js *s)
{
    for (; s != NULL; s = s->next) {
        if (!look_stmt(l, s)) {
            return false;
        }
    }
    return true;
}

bool tn_jinja_reads(const tn_js *body, const char *name)
{
    look l = { .name = name };
    look_body(&l, body);
    return l.found;
}

/* ---- assignments ---- */

/* The bodies that a statement holds, at most three. */
static size_t bodies_of(const tn_js *s, const tn_js *out[3])
{
    switch ((tn_js_kind)s->kind) {
    case TN_JS_IF:
        out[0] = s->cond.body;
        out[1] = s->cond.other;
        return 2;
    case TN_JS_FOR:
        out[0] = s->loop->body;
        out[1] = s->loop->other;
        return 2;
    case TN_JS_SETBLOCK:
    case TN_JS_FILTER:
    case TN_JS_SCOPE:
        out[0] = s->set.body;
        return 1;
    case TN_JS_MACRO:
        out[0] = s->macro->body;
        return 1;
    case TN_JS_CALL:
        out[0] = s->call.caller->body;
        return 1;
    case TN_JS_WITH:
        out[0] = s->with->body;
        return 1;
    case TN_JS_BLOCK:
        out[0] = s->block.body;
        return 1;
    default:
        return 0;
    }
}

bool tn_jinja_sets(const tn_js *body, const char *name, uint32_t *ret_pos)
{
    for (const tn_js *s = body; s != NULL; s = s->next) {
        const tn_jtarget *t = s->kind == TN_JS_FOR                                ? s->loop->target
                              : s->kind == TN_JS_SET || s->kind == TN_JS_SETBLOCK ? s->set.target
                                                                                  : NULL;
        if (t != NULL && tn_jinja_target_has(t, name)) {
            *ret_pos = t->pos;
            return true;
        }
        const tn_js *inner[3];
        size_t n = bodies_of(s, inner);
        for (size_t i = 0; i < n; i++) {
            if (tn_jinja_sets(inner[i], name, ret_pos)) {
                return true;
            }
        }
    }
    return false;
}

bool tn_jinja_has_scoped_block(const tn_js *body)
{
    for (const tn_js *s = body; s != NULL; s = s->next) {
        const tn_js *inner[3];
        size_t n = bodies_of(s, inner);
        if (s->kind == TN_JS_BLOCK && s->block.fn == NULL) {
            return true;
        }
        for (size_t i = 0; i < n; i++) {
            if (tn_jinja_has_scoped_block(inner[i])) {
                return true;
            }
        }
    }
    return false;
}
