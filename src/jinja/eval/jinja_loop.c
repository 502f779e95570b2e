/* jinja_loop.c: for, and the `loop` variable.
 *
 * Elements are taken one at a time, as Python's iterators do: a list that grows in the body is walked to its new end, the filter
 * (`for x in xs if ...`) of an element is computed when its turn comes. loop.last and loop.nextitem look one element ahead,
 * loop.length of a filtered loop takes all that are left.
 */
#include "jinja/state/jinja_run.h"

typedef struct loop_obj {
    tn_obj base;
    tn_jrun *run; /* NULL once the loop is over */
    const tn_jfor *f;
    tn_jframe *outer; /* recursive: where the loop stands */
    tn_val src;       /* what is walked */
    size_t at;        /* element, or byte of a string */
    size_t live;      /* elements that a dict had */
    bool filtered;
    bool has_after, has_length, has_changed;
    int64_t index0;
    int64_t length;
    int depth0;
    tn_val before, current, after, changed;
} loop_obj;

static tn_rc begin(tn_jrun *r, loop_obj *l, const tn_jfor *f, tn_val v, tn_err *err)
{
    *l = (loop_obj){ .run = r, .f = f, .src = v, .filtered = f->test != NULL, .index0 = -1 };
    switch ((tn_tag)v.tag) {
    case TN_LIST:
    case TN_TUPLE:
    case TN_STR_V:
    case TN_UNDEF:
        return TN_OK;
    case TN_DICT:
    case TN_SET:
        l->live = v.dict->live;
        return TN_OK;
    default:
        return tn_jinja_iterate(r->ctx, v, &l->src, err);
    }
}

/* The next element of what is walked; *more false at the end. */
static tn_rc take(loop_obj *l, tn_val *ret, bool *more, tn_err *err)
{
    tn_val v = l->src;
    *more = true;
    if (tn_val_is_seq(v) && l->at < v.list->n) {
        *ret = v.list->v[l->at++];
        return TN_OK;
    }
    if (v.tag == TN_DICT || v.tag == TN_SET) {
        if (v.dict->live != l->live) {
            return tn_fail(err, TN_E_VALUE, "%s changed size during iteration",
                v.tag == TN_DICT ? "dictionary" : "Set");
        }
        const tn_dict_item *it = tn_dict_next(v.dict, &l->at);
        if (it != NULL) {
            *ret = it->key;
            return TN_OK;
        }
    }
    if (v.tag == TN_STR_V && l->at < v.n) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_n(v.s + l->at, v.n - l->at), &cp);
        *ret = tn_val_str(tn_str_n(v.s + l->at, n));
        l->at += n;
        return TN_OK;
    }
    *more = false;
    return TN_OK;
}

/* The next element that the filter lets through. */
static tn_rc next_passing(loop_obj *l, tn_val *ret, bool *more, tn_err *err)
{
    TN_TRY(take(l, ret, more, err));
    if (!l->filtered || !*more) {
        return TN_OK;
    }
    tn_jrun *r = l->run;
    for (; *more;) {
        tn_val yes = TN_VAL_NONE;
        TN_TRY(tn_jinja_step(r, err));
        tn_jinja_enter_scope(r, &l->f->test_scope);
        TN_TRY(tn_jinja_assign(r, l->f->test_target, *ret, err));
        TN_TRY(tn_jinja_x(r, l->f->test, &yes, err));
        if (tn_val_truthy(yes)) {
            break;
        }
        TN_TRY(take(l, ret, more, err));
    }
    return TN_OK;
}

static tn_rc advance(loop_obj *l, bool *more, tn_err *err)
{
    tn_val v = l->after;
    *more = true;
    if (l->has_after) {
        l->has_after = false;
    } else {
        TN_TRY(next_passing(l, &v, more, err));
    }
    if (*more) {
        l->index0++;
        l->before = l->current;
        l->current = v;
    }
    return TN_OK;
}

/* ---- the loop variable ---- */

static tn_rc peek(loop_obj *l, bool *ret_any, tn_err *err)
{
    if (!l->has_after && l->run != NULL) {
        tn_val v = TN_VAL_NONE;
        TN_TRY(next_passing(l, &v, &l->has_after, err));
        l->after = v;
    }
    *ret_any = l->has_after;
    return TN_OK;
}

static int64_t length_of(tn_val v)
{
    return v.tag == TN_DICT || v.tag == TN_SET ? (int64_t)v.dict->live
           : tn_val_is_seq(v)                  ? (int64_t)v.list->n
           : v.tag == TN_STR_V                 ? (int64_t)tn_utf8_len(tn_val_as_str(v))
                                               : 0;
}

static tn_rc find_length(loop_obj *l, tn_arena *a, tn_err *err)
{
    if (l->has_length) {
        return TN_OK;
    }
    l->length = length_of(l->src);
    if (l->filtered && l->run != NULL) {
        tn_val rest = tn_val_list(a), v = TN_VAL_NONE;
        for (bool more = true;;) {
            TN_TRY(next_passing(l, &v, &more, err));
            if (!more) {
                break;
            }
            tn_list_push(rest.list, v);
        }
        l->length = (int64_t)rest.list->n + l->index0 + 1 + l->has_after;
        l->src = rest;
        l->at = 0;
        l->filtered = false;
    }
    l->has_length = true;
    return TN_OK;
}

static tn_rc loop_cycle(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const loop_obj *l = self;
    if (call->argc == 0) {
        return tn_fail(err, TN_E_TYPE, "no items for cycling given");
    }
    *ret = call->args[(size_t)(l->index0 < 0 ? 0 : l->index0) % call->argc];
    return TN_OK;
}

static tn_rc loop_changed(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)err;
    loop_obj *l = self;
    tn_val now = tn_val_tuple(call->arena, call->args, call->argc);
    bool changed = !l->has_changed || !tn_val_eq(l->changed, now);
    l->changed = now;
    l->has_changed = true;
    *ret = tn_val_bool(changed);
    return TN_OK;
}

static tn_rc attr_sized(loop_obj *l, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    bool any = false;
    if (tn_str_is(name, "last") || tn_str_is(name, "nextitem")) {
        TN_TRY(peek(l, &any, err));
        *ret = name.p[0] == 'l' ? tn_val_bool(!any)
               : any            ? l->after
                                : tn_jinja_undef_hint(TN_STR("there is no next item"));
        return TN_OK;
    }
    bool length = tn_str_is(name, "length"), rev = tn_str_is(name, "revindex");
    if (length || rev || tn_str_is(name, "revindex0")) {
        TN_TRY(find_length(l, a, err));
        *ret = tn_val_int(length ? l->length : l->length - l->index0 - !rev);
    }
    return TN_OK;
}

static tn_rc loop_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    loop_obj *l = (loop_obj *)self;
    *ret = TN_VAL_UNDEF;
    if (tn_str_is(name, "index")) {
        *ret = tn_val_int(l->index0 + 1);
    } else if (tn_str_is(name, "index0")) {
        *ret = tn_val_int(l->index0);
    } else if (tn_str_is(name, "first")) {
        *ret = tn_val_bool(l->index0 == 0);
    } else if (tn_str_is(name, "previtem")) {
        *ret =
            l->index0 == 0 ? tn_jinja_undef_hint(TN_STR("there is no previous item")) : l->before;
    } else if (tn_str_is(name, "depth") || tn_str_is(name, "depth0")) {
        *ret = tn_val_int(l->depth0 + (name.n == 5));
    } else if (tn_str_is(name, "cycle")) {
        *ret = tn_val_fn(a, "cycle", loop_cycle, l);
    } else if (tn_str_is(name, "changed")) {
        *ret = tn_val_fn(a, "changed", loop_changed, l);
    } else {
        return attr_sized(l, a, name, ret, err);
    }
    return TN_OK;
}

static void loop_str(tn_obj *self, tn_buf *b)
{
    loop_obj *l = (loop_obj *)self;
    bool known = find_length(l, b->arena, NULL) == TN_OK;
    tn_buf_addf(b, "<LoopContext %lld/%lld>", (long long)l->index0 + 1,
        (long long)(known ? l->length : length_of(l->src)));
}

static bool loop_length(tn_obj *self, size_t *ret)
{
    loop_obj *l = (loop_obj *)self;
    bool known = l->has_length || !l->filtered;
    *ret = (size_t)(l->has_length ? l->length : length_of(l->src));
    return known;
}

static bool loop_truthy(tn_obj *self)
{
    (void)self;
    return true;
}

static tn_rc loop_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err);

static const tn_obj_type loop_type = { .name = "jinja2.runtime.LoopContext",
    .attr = loop_attr,
    .call = loop_call,
    .length = loop_length,
    .truthy = loop_truthy,
    .str = loop_str,
    .repr = loop_str };

/* ---- running ---- */

/* Jinja2 runs else when no turn reached the end of the body, so also after a break or continue in the first one. */
static tn_rc run_turns(tn_jrun *r, loop_obj *l, tn_err *err)
{
    const tn_jfor *f = l->f;
    bool full_turn = false;
    for (;;) {
        bool more = true;
        TN_TRY(tn_jinja_step(r, err));
        TN_TRY(advance(l, &more, err));
        if (!more) {
            break;
        }
        tn_jinja_enter_scope(r, &f->body_scope);
        if (f->extended) {
            r->frame->slots[f->loop_slot] = tn_val_obj(&l->base);
        }
        TN_TRY(tn_jinja_assign(r, f->target, l->current, err));
        tn_rc rc = tn_jinja_run_body(r, f->body, err);
        if (rc == TN_E_BREAK) {
            break;
        }
        if (rc != TN_OK && rc != TN_E_CONTINUE) {
            return rc;
        }
        full_turn |= rc == TN_OK;
    }
    if (full_turn || f->other == NULL) {
        return TN_OK;
    }
    tn_jinja_enter_scope(r, &f->other_scope);
    return tn_jinja_run_body(r, f->other, err);
}

static tn_rc run_loop(
    tn_jrun *r, const tn_jfor *f, tn_val v, tn_jframe *outer, int depth0, tn_err *err)
{
    loop_obj here;
    loop_obj *l =
        f->extended ? tn_new(r->ctx->arena, loop_obj) : &here; /* templates may keep `loop` */
    TN_TRY(begin(r, l, f, v, err));
    l->base.type = &loop_type;
    l->outer = outer;
    l->depth0 = depth0;
    tn_rc rc = run_turns(r, l, err);
    l->run = NULL;
    return rc;
}

/* A recursive loop is a function: its own frame, and a text as its value. */
static tn_rc run_recursive(tn_jrun *from, const tn_jfor *f, tn_val v, tn_jframe *outer, int depth0,
    tn_val *ret, tn_err *err)
{
    struct tn_jinja_state *st = from->st;
    tn_jrun r = *from;
    tn_jcapture c;
    TN_TRY(tn_jinja_deeper(&r, err));
    r.up = from;
    r.macro = NULL; /* counted once, in from */
    r.frame = tn_jframe_new(&r, f->fn, outer, outer->module);
    st->top = &r;
    tn_jinja_enter_scope(&r, &f->fn->scope);
    tn_jinja_capture(st, &c);
    tn_rc rc = run_loop(&r, f, v, outer, depth0, err);
    if (rc == TN_OK) {
        rc = tn_jinja_captured(&r, &c, ret, err);
    } else {
        tn_jinja_capture_drop(st, &c);
        from->pos = r.pos;
    }
    st->top = from;
    st->depth--;
    return rc;
}

/* loop(children) */
static tn_rc loop_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    loop_obj *l = (loop_obj *)self;
    if (!l->f->recursive || l->run == NULL) {
        return tn_fail(
            err, TN_E_TYPE, "The loop must have the 'recursive' marker to be called recursively.");
    }
    if (call->argc != 1 || call->kwargc != 0) {
        return tn_fail(err, TN_E_TYPE, "loop() takes one argument, the elements of the inner loop");
    }
    tn_jrun *top = l->run->st->top;
    if (top->tmpl != l->run->tmpl) {
        return tn_fail(err, TN_E_TYPE, "loop() can be called in its own template only");
    }
    return run_recursive(top, l->f, call->args[0], l->outer, l->depth0 + 1, ret, err);
}

tn_rc tn_jinja_run_for(tn_jrun *r, const tn_js *s, tn_err *err)
{
    const tn_jfor *f = s->loop;
    tn_val v = TN_VAL_NONE;
    TN_TRY(tn_jinja_x(r, f->iter, &v, err));
    r->pos = f->iter->pos;
    if (!f->recursive) {
        return run_loop(r, f, v, NULL, 0, err);
    }
    tn_val text = TN_VAL_NONE;
    TN_TRY(run_recursive(r, f, v, r->frame, 0, &text, err));
    tn_jinja_emit(r, text);
    return TN_OK;
}
