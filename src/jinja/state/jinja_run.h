/* jinja_run.h: the running interpreter, private to src/jinja.
 *
 * One state a context: the output, the value stack, limits, and the chain of runs. A *run* is one activation of a template, macro
 * or recursive loop: its frame of slots and where it is in the source. Text goes to one buffer for all of them: what captures
 * (macro, set block) remembers where it began and cuts its part off, so text is copied once.
 *
 * Slots hold values, or one of two marks that look like undefined values: unresolved (ask the context when it is read) and
 * missing (reads as undefined). Frames and arguments live on the value stack, frames that a macro may outlive in the arena.
 */
#ifndef TN_JINJA_STATE_JINJA_RUN_H
#define TN_JINJA_STATE_JINJA_RUN_H

#include "jinja/parse/jinja_tmpl.h"
#include "jinja/value/jinja_lib.h"

enum { TN_JSLOT_UNRESOLVED = 0x40, TN_JSLOT_MISSING = 0x80, TN_JSLOT_MARK = 0xc0 };

static inline bool tn_jslot_marked(tn_val v)
{
    return v.tag == TN_UNDEF && (v.flags & TN_JSLOT_MARK) != 0;
}

/* Where names of a template's own outermost scope come from besides its frame. */
typedef struct tn_jmodule {
    tn_jinja_lookup scope; /* of a bound macro, or NULL */
    void *scope_self;
    struct tn_jframe *root; /* blocks look here first */
} tn_jmodule;

typedef struct tn_jframe {
    struct tn_jframe *outer;
    const tn_jfunc *fn;
    const tn_jmodule *module;
    tn_val slots[];
} tn_jframe;

typedef struct tn_jrun {
    tn_jinja_ctx *ctx;
    struct tn_jinja_state *st;
    const tn_jinja_tmpl *tmpl;
    const tn_jinja_macro_def *macro; /* NULL: the template itself */
    tn_jframe *frame;
    uint32_t pos;    /* of what is being done */
    tn_val captured; /* for TN_JX_CAPTURED */
    struct tn_jrun *up;
} tn_jrun;

/* How text becomes a value. */
typedef enum tn_jmode { TN_JMODE_TEXT, TN_JMODE_NATIVE, TN_JMODE_QUOTED } tn_jmode;
typedef tn_vec(tn_val) tn_jvals;

typedef struct tn_jchunk {
    struct tn_jchunk *prev;
    size_t n;
    size_t cap;
    tn_val v[];
} tn_jchunk;

struct tn_jinja_state {
    tn_arena *arena;
    tn_buf out;
    tn_jvals *natives;  /* where output goes in native rendering, else NULL */
    tn_jvals *streamed; /* the values of the render itself: see tn_jinja_emit */
    tn_jmode mode;
    tn_jchunk *stack;
    tn_jchunk *spare;
    tn_jrun *top;
    int depth;
    int64_t steps;
    tn_val returned; /* of return() */
    const char *stack_base;
    int active; /* renders inside one another */
};

/* ---- state (jinja_state.c) ---- */
/* Begins and ends any use of a context from outside; nested uses share the state. */
tn_rc tn_jinja_enter(tn_jinja_ctx *ctx, tn_err *err) TN_MUSTUSE;
void tn_jinja_leave(tn_jinja_ctx *ctx);
/* Room for n values, and giving back everything taken since the mark. */
tn_val *tn_jstack_take(struct tn_jinja_state *st, size_t n);
typedef struct tn_jmark {
    tn_jchunk *chunk;
    size_t n;
} tn_jmark;
static inline tn_jmark tn_jstack_mark(const struct tn_jinja_state *st)
{
    return (tn_jmark){ st->stack, st->stack->n };
}
void tn_jstack_release(struct tn_jinja_state *st, tn_jmark mark);
tn_jframe *tn_jframe_new(
    tn_jrun *r, const tn_jfunc *fn, tn_jframe *outer, const tn_jmodule *module);
/* One more loop turn or call; fails at the limit. */
tn_rc tn_jinja_step(tn_jrun *r, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_deeper(tn_jrun *r, tn_err *err) TN_MUSTUSE; /* st->depth-- afterwards */

/* ---- output (jinja_native.c) ---- */
typedef struct tn_jcapture {
    size_t from;
    tn_jvals *outer;
    tn_jvals own;
} tn_jcapture;
/* Everything emitted between the two becomes one value: a text, or in native mode what its parts make. */
void tn_jinja_capture(struct tn_jinja_state *st, tn_jcapture *c);
tn_rc tn_jinja_captured(tn_jrun *r, tn_jcapture *c, tn_val *ret, tn_err *err) TN_MUSTUSE;
void tn_jinja_capture_drop(struct tn_jinja_state *st, tn_jcapture *c);
void tn_jinja_emit(tn_jrun *r, tn_val v);
tn_rc tn_jinja_native_join(
    tn_jrun *r, const tn_jvals *v, tn_jmode mode, tn_val *ret, tn_err *err) TN_MUSTUSE;

/* ---- evaluation ---- */
tn_rc tn_jinja_x(
    tn_jrun *r, const tn_jx *x, tn_val *ret, tn_err *err) TN_MUSTUSE;           /* jinja_eval.c */
tn_rc tn_jinja_run_body(tn_jrun *r, const tn_js *body, tn_err *err) TN_MUSTUSE; /* jinja_exec.c */
tn_rc tn_jinja_assign(
    tn_jrun *r, const tn_jtarget *t, tn_val v, tn_err *err) TN_MUSTUSE;     /* jinja_exec.c */
void tn_jinja_enter_scope(tn_jrun *r, const tn_jscope *sc);                 /* jinja_exec.c */
tn_rc tn_jinja_run_for(tn_jrun *r, const tn_js *s, tn_err *err) TN_MUSTUSE; /* jinja_loop.c */
tn_val tn_jinja_macro_value(tn_jrun *r, const tn_jinja_macro_def *m);       /* jinja_macro.c */
tn_rc tn_jinja_call_value(tn_jinja_ctx *ctx, tn_val fn, const tn_call *call, tn_val *ret,
    tn_err *err) TN_MUSTUSE; /* jinja_call.c */
/* The call of a CALL node, with `caller` put in as a keyword when it is not NULL. */
tn_rc tn_jinja_x_call(
    tn_jrun *r, const tn_jx *x, const tn_val *caller, tn_val *ret, tn_err *err) TN_MUSTUSE;

tn_rc tn_jinja_slot_slow(
    tn_jrun *r, tn_jframe *f, uint16_t slot, tn_val *ret, tn_err *err) TN_MUSTUSE;

static inline tn_jframe *tn_jframe_at(tn_jframe *f, uint16_t hops)
{
    while (hops-- > 0) {
        f = f->outer;
    }
    return f;
}

static inline tn_rc tn_jinja_slot(tn_jrun *r, tn_jref ref, tn_val *ret, tn_err *err)
{
    tn_jframe *f = tn_jframe_at(r->frame, ref.hops);
    tn_val v = f->slots[ref.slot];
    if (TN_UNLIKELY(tn_jslot_marked(v))) {
        return tn_jinja_slot_slow(r, f, ref.slot, ret, err);
    }
    *ret = v;
    return TN_OK;
}

#endif
