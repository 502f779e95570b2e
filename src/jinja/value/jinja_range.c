/* jinja_range.c: the value that range() gives: numbers that are not held. */
#include "base/buf.h"
#include "jinja/value/jinja_lib.h"

typedef struct range {
    tn_obj base;
    int64_t start, step, stop, n;
} range;

static tn_rc range_iter(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err)
{
    (void)err;
    const range *r = (const range *)self;
    tn_val l = tn_val_list(a);
    for (int64_t i = 0, v = r->start; i < r->n; i++, v += r->step) {
        tn_list_push(l.list, tn_val_int(v));
    }
    *ret_list = l;
    return TN_OK;
}

static bool range_length(tn_obj *self, size_t *ret)
{
    *ret = (size_t)((const range *)self)->n;
    return true;
}

static tn_rc range_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    const range *r = (const range *)self;
    *ret = tn_str_is(name, "start")  ? tn_val_int(r->start)
           : tn_str_is(name, "stop") ? tn_val_int(r->stop)
           : tn_str_is(name, "step") ? tn_val_int(r->step)
                                     : tn_val_undef(name);
    return TN_OK;
}

static tn_rc range_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    const range *r = (const range *)self;
    if (!tn_jlib_is_int(key)) {
        return range_attr(self, a, tn_val_as_str(key), ret, err);
    }
    int64_t i = key.i < 0 ? key.i + r->n : key.i;
    *ret = i >= 0 && i < r->n ? tn_val_int(r->start + i * r->step) : TN_VAL_UNDEF;
    return TN_OK;
}

static void range_str(tn_obj *self, tn_buf *b)
{
    const range *r = (const range *)self;
    tn_buf_addf(b, "range(%lld, %lld", (long long)r->start, (long long)r->stop);
    if (r->step != 1) {
        tn_buf_addf(b, ", %lld", (long long)r->step);
    }
    tn_buf_addc(b, ')');
}

static bool range_eq(tn_obj *self, tn_val other)
{
    const range *x = (const range *)self;
    if (!tn_jlib_is_range(other)) {
        return false;
    }
    const range *y = (const range *)other.obj;
    return x->n == y->n &&
           (x->n == 0 || (x->start == y->start && (x->n == 1 || x->step == y->step)));
}

static const tn_obj_type RANGE = { .name = "range",
    .attr = range_attr,
    .item = range_item,
    .iter = range_iter,
    .length = range_length,
    .str = range_str,
    .eq = range_eq };

bool tn_jlib_is_range(tn_val v)
{
    return v.tag == TN_OBJ && v.obj->type == &RANGE;
}

tn_val tn_jlib_range_of(tn_arena *a, int64_t start, int64_t stop, int64_t step, int64_t n)
{
    range *r = tn_new(a, range);
    r->base.type = &RANGE;
    r->start = start;
    r->stop = stop;
    r->step = step;
    r->n = n;
    return tn_val_obj(&r->base);
}

tn_rc tn_jlib_range_slice(
    tn_arena *a, tn_val v, int64_t start, int64_t step, int64_t n, tn_val *ret)
{
    const range *r = (const range *)v.obj;
    int64_t from = r->start + start * r->step, by = r->step * step;
    *ret = tn_jlib_range_of(a, from, from + n * by, by, n);
    return TN_OK;
}
