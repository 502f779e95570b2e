/* jinja_state.c: one context's state: entering and leaving, the value stack, frames and limits. */
#include "jinja/state/jinja_run.h"

enum { CHUNK_VALUES = 1000 };

static tn_jchunk *new_chunk(tn_arena *a, size_t cap)
{
    tn_jchunk *c = tn_arena_alloc(a, tn_size_add(sizeof *c, tn_size_mul(cap, sizeof(tn_val))));
    *c = (tn_jchunk){ .cap = cap };
    return c;
}

tn_rc tn_jinja_enter(tn_jinja_ctx *ctx, tn_err *err)
{
    struct tn_jinja_state *st = ctx->state;
    if (st == NULL) {
        st = ctx->state = tn_new(ctx->arena, struct tn_jinja_state);
        st->arena = ctx->arena;
        st->stack = new_chunk(ctx->arena, CHUNK_VALUES);
        st->out = tn_buf_init(ctx->arena, ctx->env->opts.limits.output_bytes_max);
    }
    if (st->active == 0) {
        st->steps = 0;
        st->depth = 0;
        st->stack_base = tn_jinja_stack_here();
        tn_buf_reset(&st->out);
        st->out.full = false;
    } else if (tn_jinja_stack_full(st->stack_base) ||
               st->active > 2 * ctx->env->opts.limits.depth_max) {
        return tn_fail(
            err, TN_E_LIMIT, "templates are nested too deep (is there an endless recursion?)");
    }
    st->active++;
    return TN_OK;
}

void tn_jinja_leave(tn_jinja_ctx *ctx)
{
    ctx->state->active--;
}

tn_val *tn_jstack_take(struct tn_jinja_state *st, size_t n)
{
    if (TN_UNLIKELY(n > st->stack->cap - st->stack->n)) {
        tn_jchunk *c = st->spare;
        if (c == NULL || c->cap < n) {
            c = new_chunk(st->arena, tn_max_size(n, CHUNK_VALUES));
        } else {
            st->spare = NULL;
        }
        c->n = 0;
        c->prev = st->stack;
        st->stack = c;
    }
    tn_val *v = st->stack->v + st->stack->n;
    st->stack->n += n;
    return v;
}

void tn_jstack_release(struct tn_jinja_state *st, tn_jmark mark)
{
    while (st->stack != mark.chunk) {
        st->spare =
            st->stack; /* one is kept: a call at a chunk's edge must not allocate each time */
        st->stack = st->stack->prev;
    }
    st->stack->n = mark.n;
}

tn_jframe *tn_jframe_new(tn_jrun *r, const tn_jfunc *fn, tn_jframe *outer, const tn_jmodule *module)
{
    _Static_assert(sizeof(tn_jframe) % sizeof(tn_val) == 8,
        "the frame's head takes two values with the padding");
    size_t head = (sizeof(tn_jframe) + sizeof(tn_val) - 1) / sizeof(tn_val), n = fn->names.n;
    tn_jframe *f = fn->captured ? tn_arena_alloc(r->ctx->arena, (head + n) * sizeof(tn_val))
                                : (tn_jframe *)(void *)tn_jstack_take(r->st, head + n);
    *f = (tn_jframe){ .outer = outer, .fn = fn, .module = module };
    for (size_t i = 0; i < n; i++) {
        f->slots[i] = (tn_val){ .tag = TN_UNDEF, .flags = TN_JSLOT_UNRESOLVED };
    }
    return f;
}

tn_rc tn_jinja_step(tn_jrun *r, tn_err *err)
{
    if (TN_UNLIKELY(++r->st->steps > r->ctx->env->opts.limits.steps_max)) {
        return tn_fail(err, TN_E_LIMIT,
            "the template takes more than %lld steps (is there an endless loop?)",
            (long long)r->ctx->env->opts.limits.steps_max);
    }
    if (TN_UNLIKELY(r->st->out.full)) {
        return tn_fail(
            err, TN_E_LIMIT, "the rendered text is larger than %zu bytes", r->st->out.limit);
    }
    return TN_OK;
}

tn_rc tn_jinja_deeper(tn_jrun *r, tn_err *err)
{
    if (TN_UNLIKELY(r->st->depth >= r->ctx->env->opts.limits.depth_max ||
                    tn_jinja_stack_full(r->st->stack_base))) {
        return tn_fail(err, TN_E_LIMIT,
            "macros are nested more than %d deep (is there an endless recursion?)", r->st->depth);
    }
    r->st->depth++;
    return TN_OK;
}

/* ---- names ---- */

static bool slot_outside(
    tn_jrun *r, const tn_jmodule *m, const tn_jfunc *fn, tn_str name, tn_val *ret)
{
    if (m->root != NULL && fn->outer == NULL &&
        m->root->fn != fn) { /* a block: variables of the template first */
        const tn_strs *names = &m->root->fn->names;
        for (size_t i = 0; i < m->root->fn->own; i++) {
            if (tn_str_eq(names->v[i], name) && !tn_jslot_marked(m->root->slots[i])) {
                *ret = m->root->slots[i];
                return true;
            }
        }
    }
    if (m->scope != NULL && m->scope(m->scope_self, r->ctx, name, ret)) {
        return true;
    }
    if (r->ctx->lookup != NULL && r->ctx->lookup(r->ctx->self, r->ctx, name, ret)) {
        return true;
    }
    const tn_val *v = tn_dict_finds(r->ctx->env->globals, name);
    if (v != NULL) {
        *ret = *v;
    }
    return v != NULL;
}

/* A slot without a value yet. What the context says is kept, so that each name is asked for once a frame. */
tn_rc tn_jinja_slot_slow(tn_jrun *r, tn_jframe *f, uint16_t slot, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_str name = f->fn->names.v[slot];
    tn_val v = TN_VAL_UNDEF;
    if ((f->slots[slot].flags & TN_JSLOT_UNRESOLVED) != 0 &&
        slot_outside(r, f->module, f->fn, name, &v)) {
        f->slots[slot] = v;
    } else {
        v = tn_val_undef(name);
        f->slots[slot] = (tn_val){ .tag = TN_UNDEF, .flags = TN_JSLOT_MISSING };
    }
    *ret = v;
    return TN_OK;
}
