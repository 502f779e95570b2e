/* jinja_scope.c: which variable a name means, decided once after parsing, by Jinja2's own rules (its idtracking):
 *
 * A scope is gone through twice. First all its statements are looked at, without entering inner scopes, to learn the names:
 *   read first, not known outside     looked up in the context when the scope is entered ("resolve")
 *   set first, known outside          starts as a copy of the outer variable ("alias"): set never changes the outer one
 *   set first, not known outside      missing until it is set
 *   set in a branch of an if          as above, but resolved in the context when no outer scope knows it
 *   parameters, loop variables        given by the call or loop
 * Then each name gets its slot, and inner scopes are treated the same way, with this scope as their outer one. Since an outer
 * scope is known in full before an inner one is looked at, a macro sees what its template sets later.
 *
 * Also here, since they need the same walk: filters and tests are bound to functions, `loop` and `caller` are found, break and
 * continue are checked, and the expressions that Jinja2 folds while compiling are marked.
 */
#include "jinja/parse/jinja_lex.h"
#include "jinja/parse/jinja_walk.h"

typedef enum sym_kind { SYM_PARAM, SYM_RESOLVE, SYM_ALIAS, SYM_MISSING } sym_kind;

typedef struct sym {
    tn_str name;
    sym_kind kind;
    uint16_t slot;
    tn_jref from;
    bool stored;
} sym;

typedef struct scope {
    struct scope *outer;
    tn_jfunc *fn;
    tn_map syms;
    tn_vec(sym *) stored; /* in the order of first assignment */
} scope;

typedef struct binder {
    tn_arena *a;       /* of the template */
    tn_arena *scratch; /* of this pass */
    tn_jinja_tmpl *t;
    tn_err *err;
    scope *sc;
    tn_map free;  /* names that come from the context */
    bool soft;    /* in an if: filters may be unknown until they are reached */
    bool in_loop; /* break and continue have a loop of this function around them */
    int depth;
    const char *stack_base;
    tn_rc rc; /* of walks whose callbacks can only stop */
} binder;

static tn_rc bind_body(binder *b, tn_js *body);
static tn_rc bind_expr(binder *b, tn_jx *x);

static scope *open_scope(binder *b, tn_jfunc *fn)
{
    scope *sc = tn_new(b->scratch, scope);
    bool starts_anew = fn->outer == NULL && b->sc != NULL && b->sc->fn != fn; /* a block */
    *sc = (scope){ .outer = starts_anew ? NULL : b->sc, .fn = fn, .syms = tn_map_init(b->scratch) };
    return sc;
}

/* The symbol as seen from sc, and how many functions outward it lives. */
static sym *find_sym(scope *sc, tn_str name, uint16_t *hops)
{
    *hops = 0;
    for (; sc != NULL; sc = sc->outer) {
        sym *s = tn_map_find(&sc->syms, name);
        if (s != NULL) {
            return s;
        }
        *hops = (uint16_t)(*hops + (sc->outer != NULL && sc->outer->fn != sc->fn));
    }
    return NULL;
}

static sym *define(binder *b, tn_str name, sym_kind kind)
{
    sym *s = tn_map_find(&b->sc->syms, name);
    if (s == NULL) {
        s = tn_new(b->scratch, sym);
        s->name = name;
        s->slot = (uint16_t)b->sc->fn->names.n;
        tn_vec_push(&b->sc->fn->names, b->a, name);
        tn_map_put(&b->sc->syms, name, s);
        if (b->sc->fn->names.n > TN_JINJA_SLOTS_MAX && b->rc == TN_OK) {
            b->rc = tn_fail(
                b->err, TN_E_LIMIT, "the template has more than %d names", TN_JINJA_SLOTS_MAX);
        }
    }
    s->kind = kind;
    return s;
}

static void mark_stored(binder *b, sym *s)
{
    if (!s->stored) {
        s->stored = true;
        tn_vec_push(&b->sc->stored, b->scratch, s);
    }
}

/* How the name starts in this scope when it is set here: a copy from outside, or something else. */
static void alias_or(binder *b, sym *s, sym_kind otherwise)
{
    uint16_t hops = 0;
    bool crosses = b->sc->outer != NULL && b->sc->outer->fn != b->sc->fn;
    sym *o = b->sc->outer != NULL ? find_sym(b->sc->outer, s->name, &hops) : NULL;
    s->kind = o != NULL ? SYM_ALIAS : otherwise;
    if (o != NULL) {
        s->from = (tn_jref){ .hops = (uint16_t)(hops + crosses), .slot = o->slot };
    }
}

static void sym_load(binder *b, tn_str name)
{
    uint16_t hops;
    if (find_sym(b->sc, name, &hops) == NULL) {
        define(b, name, SYM_RESOLVE);
    }
}

static void sym_store(binder *b, tn_str name)
{
    sym *s = tn_map_find(&b->sc->syms, name);
    if (s == NULL) {
        s = define(b, name, SYM_MISSING);
        alias_or(b, s, SYM_MISSING);
    }
    mark_stored(b, s);
}

static uint16_t sym_param(binder *b, tn_str name)
{
    sym *s = define(b, name, SYM_PARAM);
    mark_stored(b, s);
    return s->slot;
}

/* ---- first: learn the names of a scope ---- */

static void learn_body(binder *b, const tn_js *s);

static bool learn_expr(void *self, tn_jx *x)
{
    binder *b = self;
    if (tn_jinja_stack_full(b->stack_base)) {
        b->rc = tn_fail(b->err, TN_E_LIMIT, "an expression is too long");
        tn_jinja_err_at(b->t, x->pos, b->err);
        return false;
    }
    if (x->kind == TN_JX_NAME) {
        sym_load(b, x->name.name);
    }
    return tn_jx_each(x, learn_expr, self);
}

static void learn_target(binder *b, const tn_jtarget *t, bool param)
{
    if (t->kind == TN_JTARGET_TUPLE) {
        for (size_t i = 0; i < t->n; i++) {
            learn_target(b, t->v[i], param);
        }
    } else if (t->kind == TN_JTARGET_ATTR) {
        sym_load(b, t->name);
    } else if (param) {
        sym_param(b, t->name);
    } else {
        sym_store(b, t->name);
    }
}

/* Names that only some branches set are, before that, what the outside knows, else what the context has. */
static void learn_if(binder *b, const tn_js *s)
{
    size_t before = b->sc->stored.n;
    for (; s != NULL; s = s->cond.other) {
        learn_expr(b, s->cond.test);
        learn_body(b, s->cond.body);
        if (s->cond.other == NULL || s->cond.other->kind != TN_JS_IF ||
            s->cond.other->next != NULL) {
            learn_body(b, s->cond.other);
            break;
        }
    }
    for (size_t i = before; i < b->sc->stored.n; i++) {
        alias_or(b, b->sc->stored.v[i], SYM_RESOLVE);
    }
}

static void learn_stmt(binder *b, const tn_js *s)
{
    switch ((tn_js_kind)s->kind) {
    case TN_JS_TEXT:
    case TN_JS_BREAK:
    case TN_JS_CONTINUE:
    case TN_JS_BLOCK:
    case TN_JS_SCOPE:
        break;
    case TN_JS_OUTPUT:
    case TN_JS_DO:
        learn_expr(b, s->expr);
        break;
    case TN_JS_IF:
        learn_if(b, s);
        break;
    case TN_JS_FOR:
        learn_expr(b, s->loop->iter);
        break;
    case TN_JS_SET:
        learn_expr(b, s->set.expr);
        learn_target(b, s->set.target, false);
        break;
    case TN_JS_SETBLOCK:
        learn_target(b, s->set.target, false);
        break;
    case TN_JS_MACRO:
        sym_store(b, s->macro->name);
        break;
    case TN_JS_CALL:
        learn_expr(b, s->call.call);
        break;
    case TN_JS_FILTER:
        learn_expr(b, s->set.expr);
        break;
    case TN_JS_WITH:
        for (size_t i = 0; i < s->with->n; i++) {
            learn_expr(b, s->with->values[i]);
        }
        break;
    case TN_JS_LOAD:
        learn_expr(b, s->load.name);
        for (size_t i = 0; i < s->load.names.n; i++) {
            sym_store(b, s->load.names.v[i]);
        }
        break;
    }
}

static void learn_body(binder *b, const tn_js *s)
{
    for (; s != NULL && b->rc == TN_OK; s = s->next) {
        learn_stmt(b, s);
    }
}

/* ---- then: give each name its slot ---- */

static tn_jref ref_of(binder *b, tn_str name)
{
    uint16_t hops = 0;
    sym *s = find_sym(b->sc, name, &hops);
    if (s == NULL) { /* arguments of a set block's filters are not looked at before */
        s = define(b, name, SYM_RESOLVE);
        hops = 0;
    }
    return (tn_jref){ .hops = hops, .slot = s->slot };
}

static void bind_target(binder *b, tn_jtarget *t)
{
    if (t->kind != TN_JTARGET_TUPLE) {
        t->ref = ref_of(b, t->name);
    }
    for (size_t i = 0; i < t->n; i++) {
        bind_target(b, t->v[i]);
    }
}

static tn_rc bind_builtin(binder *b, tn_jx *x)
{
    bool filter = x->kind == TN_JX_FILTER;
    x->call.fn = tn_map_find(filter ? &b->t->env->filters : &b->t->env->tests, x->call.name);
    if (x->call.fn == NULL && !b->soft) {
        return tn_jinja_syntax(b->t, x->pos, b->err, "%s",
            tn_arena_printf(b->scratch, "No %s named '" TN_STR_FMT "'.", filter ? "filter" : "test",
                TN_STR_ARG(x->call.name)));
    }
    return TN_OK;
}

/* Jinja2's optimizer leaves filters that get the context to the rendering, and those whose result it cannot write as source. */
static bool never_folds(tn_str filter)
{
    static const char *const names[] = { "map", "select", "reject", "selectattr", "rejectattr",
        "as_text", "as_native", "as_bool", "as_number" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(filter, names[i])) {
            return true;
        }
    }
    return false;
}

typedef struct operands {
    binder *b;
    bool fold;
} operands;

static bool bind_operand(void *self, tn_jx *x)
{
    operands *o = self;
    o->b->rc = bind_expr(o->b, x);
    o->fold = o->fold && x->folds;
    return o->b->rc == TN_OK;
}

static tn_rc bind_expr(binder *b, tn_jx *x)
{
    if (tn_jinja_stack_full(b->stack_base)) {
        tn_rc rc = tn_fail(b->err, TN_E_LIMIT, "an expression is too long");
        tn_jinja_err_at(b->t, x->pos, b->err);
        return rc;
    }
    bool soft = b->soft;
    b->soft = soft || x->kind == TN_JX_COND;
    operands o = { .b = b,
        .fold = x->kind != TN_JX_NAME && x->kind != TN_JX_CALL && x->kind != TN_JX_CAPTURED };
    if (x->kind == TN_JX_NAME) {
        x->name.ref = ref_of(b, x->name.name);
    } else if (x->kind == TN_JX_FILTER || x->kind == TN_JX_TEST) {
        TN_TRY(bind_builtin(b, x));
        o.fold = x->call.fn != NULL && !never_folds(x->call.name);
    }
    if (!tn_jx_each(x, bind_operand, &o)) {
        return b->rc;
    }
    b->soft = soft;
    x->folds = o.fold;
    return b->rc;
}

/* What must be done each time the scope is entered. A function's frame starts with all slots unresolved. */
static void finish_scope(binder *b, tn_jscope *out)
{
    tn_vec(tn_jinit) v = { 0 };
    bool outermost = b->sc->outer == NULL || b->sc->outer->fn != b->sc->fn;
    for (size_t i = 0; i < b->sc->syms.n; i++) {
        const sym *s = b->sc->syms.items[i].value;
        tn_jinit init = { .slot = s->slot, .from = s->from };
        if (s->kind == SYM_RESOLVE && tn_map_find(&b->free, s->name) == NULL) {
            tn_map_put(&b->free, s->name, b); /* a set: any value but NULL */
            tn_vec_push(&b->t->free_names, b->a, s->name);
        }
        if (s->kind == SYM_PARAM || (s->kind == SYM_RESOLVE && (outermost || !s->stored))) {
            continue;
        }
        init.kind = s->kind == SYM_ALIAS     ? TN_JINIT_ALIAS
                    : s->kind == SYM_MISSING ? TN_JINIT_MISSING
                                             : TN_JINIT_RESOLVE;
        tn_vec_push(&v, b->a, init);
    }
    *out = (tn_jscope){ .inits = v.v, .n = v.n };
    b->sc = b->sc->outer;
}

/* A scope inside the current function around one body. */
static tn_rc bind_inner(binder *b, tn_js *body, tn_jx *with, tn_jscope *out)
{
    bool soft = b->soft;
    b->soft = false;
    b->sc = open_scope(b, b->sc->fn);
    learn_body(b, body);
    TN_TRY(b->rc);
    TN_TRY(bind_body(b, body));
    if (with != NULL) {
        TN_TRY(bind_expr(b, with));
    }
    finish_scope(b, out);
    b->soft = soft;
    return TN_OK;
}

static tn_rc bind_macro(binder *b, tn_jinja_macro_def *m)
{
    binder was = *b;
    for (size_t i = 0; i < m->n; i++) {
        m->explicit_caller |= tn_str_is(m->params[i].name, "caller");
    }
    m->fn = tn_new(b->a, tn_jfunc);
    m->fn->outer = b->sc->fn;
    b->sc->fn->captured = true;
    b->soft = b->in_loop = false;
    b->sc = open_scope(b, m->fn);
    for (size_t i = 0; i < m->n; i++) {
        m->params[i].slot = sym_param(b, m->params[i].name);
    }
    bool own_kwargs = tn_map_find(&b->sc->syms, TN_STR("kwargs")) != NULL;
    bool own_varargs = tn_map_find(&b->sc->syms, TN_STR("varargs")) != NULL;
    for (size_t i = 0; i < m->n; i++) {
        if (m->params[i].dflt != NULL) {
            learn_expr(b, m->params[i].dflt);
        }
    }
    learn_body(b, m->body);
    m->uses_caller = tn_jinja_reads(m->body, "caller");
    m->uses_kwargs = !own_kwargs && tn_jinja_reads(m->body, "kwargs");
    m->uses_varargs = !own_varargs && tn_jinja_reads(m->body, "varargs");
    for (size_t i = 0; i < m->n; i++) {
        if (m->uses_caller && tn_str_is(m->params[i].name, "caller") && m->params[i].dflt == NULL) {
            return tn_jinja_syntax(b->t, m->pos, b->err, "%s",
                "When defining macros or call blocks the special \"caller\" argument must be "
                "omitted or be given a "
                "default.");
        }
    }
    if (m->uses_caller && !m->explicit_caller) {
        m->caller_slot = sym_param(b, TN_STR("caller"));
    }
    if (m->uses_kwargs) {
        m->kwargs_slot = sym_param(b, TN_STR("kwargs"));
    }
    if (m->uses_varargs) {
        m->varargs_slot = sym_param(b, TN_STR("varargs"));
    }
    TN_TRY(b->rc);
    for (size_t i = 0; i < m->n; i++) {
        if (m->params[i].dflt != NULL) {
            TN_TRY(bind_expr(b, m->params[i].dflt));
        }
    }
    TN_TRY(bind_body(b, m->body));
    finish_scope(b, &m->fn->scope);
    b->soft = was.soft;
    b->in_loop = was.in_loop;
    return b->rc;
}

static tn_jtarget *copy_target(tn_arena *a, const tn_jtarget *t)
{
    tn_jtarget *c = tn_new(a, tn_jtarget);
    *c = *t;
    if (t->n > 0) {
        c->v = tn_new_array(a, tn_jtarget *, t->n);
        for (size_t i = 0; i < t->n; i++) {
            c->v[i] = copy_target(a, t->v[i]);
        }
    }
    return c;
}

static tn_rc bind_loop_test(binder *b, tn_jfor *f, tn_jfunc *fn)
{
    b->sc = open_scope(b, fn);
    f->test_target = copy_target(b->a, f->target);
    learn_target(b, f->test_target, true);
    learn_expr(b, f->test);
    TN_TRY(b->rc);
    bind_target(b, f->test_target);
    TN_TRY(bind_expr(b, f->test));
    finish_scope(b, &f->test_scope);
    return TN_OK;
}

static tn_rc bind_loop_body(binder *b, tn_jfor *f, tn_jfunc *fn)
{
    b->sc = open_scope(b, fn);
    if (f->extended) {
        f->loop_slot = sym_param(b, TN_STR("loop"));
    }
    learn_target(b, f->target, true);
    learn_body(b, f->body);
    TN_TRY(b->rc);
    bind_target(b, f->target);
    b->in_loop = true;
    TN_TRY(bind_body(b, f->body));
    finish_scope(b, &f->body_scope);
    return TN_OK;
}

static tn_rc bind_for(binder *b, tn_js *s)
{
    tn_jfor *f = s->loop;
    bool soft = b->soft, in_loop = b->in_loop;
    uint32_t pos = s->pos;
    TN_TRY(bind_expr(b, f->iter));
    f->extended =
        f->recursive || tn_jinja_reads(f->body, "loop") || tn_jinja_has_scoped_block(f->body);
    if (tn_jinja_target_has(f->target, "loop") || tn_jinja_sets(f->body, "loop", &pos) ||
        tn_jinja_sets(f->other, "loop", &pos)) {
        return tn_jinja_syntax(
            b->t, pos, b->err, "%s", "Can't assign to special loop variable in for-loop target");
    }
    tn_jfunc *fn = b->sc->fn;
    if (f->recursive) {
        fn = f->fn = tn_new(b->a, tn_jfunc);
        fn->outer = b->sc->fn;
        b->sc->fn->captured = true;
        fn->captured = true;
        in_loop = b->in_loop;
        b->in_loop = false;
        b->sc = open_scope(b, fn); /* holds nothing itself: makes the crossing visible */
    }
    b->soft = false;
    if (f->test != NULL) {
        TN_TRY(bind_loop_test(b, f, fn));
    }
    bool outside = b->in_loop;
    TN_TRY(bind_loop_body(b, f, fn));
    b->in_loop = outside;
    b->sc = open_scope(b, fn);
    learn_body(b, f->other);
    TN_TRY(b->rc);
    TN_TRY(bind_body(b, f->other));
    finish_scope(b, &f->other_scope);
    if (f->recursive) {
        finish_scope(b, &fn->scope);
    }
    b->soft = soft;
    b->in_loop = in_loop;
    return TN_OK;
}

static tn_rc bind_with(binder *b, tn_jwith *w)
{
    for (size_t i = 0; i < w->n; i++) {
        TN_TRY(bind_expr(b, w->values[i]));
    }
    bool soft = b->soft;
    b->soft = false;
    b->sc = open_scope(b, b->sc->fn);
    for (size_t i = 0; i < w->n; i++) {
        learn_target(b, w->targets[i], true);
    }
    learn_body(b, w->body);
    TN_TRY(b->rc);
    for (size_t i = 0; i < w->n; i++) {
        bind_target(b, w->targets[i]);
    }
    TN_TRY(bind_body(b, w->body));
    finish_scope(b, &w->scope);
    b->soft = soft;
    return TN_OK;
}

static tn_rc bind_block(binder *b, tn_js *s)
{
    if (s->block.fn == NULL) {
        return bind_inner(b, s->block.body, NULL, &s->block.scope);
    }
    scope *outer = b->sc;
    bool soft = b->soft, in_loop = b->in_loop;
    b->soft = b->in_loop = false;
    b->sc = open_scope(b, s->block.fn); /* has no outer scope: names come from the context */
    learn_body(b, s->block.body);
    TN_TRY(b->rc);
    TN_TRY(bind_body(b, s->block.body));
    finish_scope(b, &s->block.fn->scope);
    b->sc = outer;
    b->soft = soft;
    b->in_loop = in_loop;
    return TN_OK;
}

static tn_rc bind_if(binder *b, tn_js *s)
{
    bool soft = b->soft;
    b->soft = true;
    for (; s != NULL; s = s->cond.other) {
        TN_TRY(bind_expr(b, s->cond.test));
        TN_TRY(bind_body(b, s->cond.body));
        if (s->cond.other == NULL || s->cond.other->kind != TN_JS_IF ||
            s->cond.other->next != NULL) {
            TN_TRY(bind_body(b, s->cond.other));
            break;
        }
    }
    b->soft = soft;
    return TN_OK;
}

static tn_rc bind_stmt(binder *b, tn_js *s)
{
    switch ((tn_js_kind)s->kind) {
    case TN_JS_TEXT:
        return TN_OK;
    case TN_JS_OUTPUT:
    case TN_JS_DO:
        return bind_expr(b, s->expr);
    case TN_JS_IF:
        return bind_if(b, s);
    case TN_JS_FOR:
        return bind_for(b, s);
    case TN_JS_SET:
        TN_TRY(bind_expr(b, s->set.expr));
        bind_target(b, s->set.target);
        return TN_OK;
    case TN_JS_SETBLOCK:
        TN_TRY(bind_inner(b, s->set.body, s->set.expr, &s->set.scope));
        bind_target(b, s->set.target);
        return TN_OK;
    case TN_JS_FILTER:
        return bind_inner(b, s->set.body, s->set.expr, &s->set.scope);
    case TN_JS_SCOPE:
        return bind_inner(b, s->set.body, s->set.expr, &s->set.scope);
    case TN_JS_MACRO:
        s->macro->self = ref_of(b, s->macro->name);
        return bind_macro(b, s->macro);
    case TN_JS_CALL:
        TN_TRY(bind_expr(b, s->call.call));
        return bind_macro(b, s->call.caller);
    case TN_JS_WITH:
        return bind_with(b, s->with);
    case TN_JS_BLOCK:
        return bind_block(b, s);
    case TN_JS_LOAD:
        return bind_expr(b, s->load.name);
    case TN_JS_BREAK:
    case TN_JS_CONTINUE:
        if (!b->in_loop) {
            return tn_jinja_syntax(b->t, s->pos, b->err, "%s",
                s->kind == TN_JS_BREAK ? "'break' outside loop"
                                       : "'continue' not properly in loop");
        }
        return TN_OK;
    }
    return TN_OK;
}

static tn_rc bind_body(binder *b, tn_js *body)
{
    if (tn_jinja_stack_full(b->stack_base)) {
        return tn_fail(b->err, TN_E_LIMIT, "the template is nested too deep");
    }
    for (tn_js *s = body; s != NULL; s = s->next) {
        TN_TRY(bind_stmt(b, s));
    }
    return b->rc;
}

tn_rc tn_jinja_resolve_tree(tn_arena *a, tn_jinja_tmpl *t, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("jinja names", NULL);
    t->root = tn_new(a, tn_jfunc);
    binder b = { .a = a,
        .scratch = scratch,
        .t = t,
        .err = err,
        .free = tn_map_init(scratch),
        .stack_base = tn_jinja_stack_here() };
    b.sc = open_scope(&b, t->root);
    if (t->is_expr) {
        learn_expr(&b, t->expr);
        TN_TRY(b.rc);
        TN_TRY(bind_expr(&b, t->expr));
    } else {
        learn_body(&b, t->body);
        TN_TRY(b.rc);
        t->root->own = t->root->names.n;
        TN_TRY(bind_body(&b, t->body));
    }
    finish_scope(&b, &t->root->scope);
    for (tn_js *s = t->body; s != NULL; s = s->next) {
        if (s->kind == TN_JS_MACRO) {
            tn_vec_push(&t->macros, a, s->macro);
        }
    }
    return b.rc;
}
