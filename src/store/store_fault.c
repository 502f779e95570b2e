/* store_fault.c: a store around another that fails on request: before the request is carried out (it never happened) or
 * after (it happened, but the answer was lost). Tests walk k = 1, 2, ... until nothing fails any more. */
#include "os/thread.h"
#include "store/store.h"

typedef struct fault_store {
    tn_store base;
    tn_arena *arena;
    tn_store *inner;
    tn_mutex lock;
    tn_store_fault fault;
    int64_t calls;
} fault_store;

static fault_store *faulty(tn_store *s)
{
    return (fault_store *)s;
}

/* Counts the request; true when this one is to fail, *ret then holds how. */
static bool is_due(tn_store *s, const char *op, tn_store_fault *ret)
{
    fault_store *f = faulty(s);
    TN_LOCKED(&f->lock);
    f->calls++;
    tn_str wanted = f->fault.op != NULL ? tn_str_of(f->fault.op) : TN_STR("");
    bool changes =
        strcmp(op, "put") == 0 || strcmp(op, "remove") == 0 || strcmp(op, "prepare") == 0;
    bool meant = wanted.n == 0 || tn_str_is(wanted, op) || (changes && tn_str_is(wanted, "change"));
    if (f->fault.k <= 0 || !meant || --f->fault.k > 0) {
        return false;
    }
    *ret = f->fault;
    return true;
}

static tn_rc lost(const tn_store_fault *fault, const char *op, tn_str key, tn_err *err)
{
    return tn_fail(err, fault->rc, "scripted fault %s %s of '" TN_STR_FMT "'",
        fault->after ? "after" : "before", op, TN_STR_ARG(key));
}

/* Runs a changing request unless it is to fail before it. For reading requests before and after are the same. */
#define WITH_FAULT(op, key, call)                                                                  \
    tn_store_fault due;                                                                            \
    if (!is_due(s, (op), &due)) {                                                                  \
        return (call);                                                                             \
    }                                                                                              \
    if (due.after) {                                                                               \
        TN_TRY(call);                                                                              \
    }                                                                                              \
    return lost(&due, (op), (key), err)

static tn_rc fault_get(
    tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err)
{
    tn_store_fault due;
    if (!is_due(s, "get", &due)) {
        return tn_store_get(faulty(s)->inner, a, key, bytes_max, ret, err);
    }
    return lost(&due, "get", key, err);
}

static tn_rc fault_get_range(
    tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    tn_store_fault due;
    if (!is_due(s, "get", &due)) {
        return tn_store_get_range(faulty(s)->inner, a, key, from, n, ret, err);
    }
    return lost(&due, "get", key, err);
}

static tn_rc fault_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    WITH_FAULT("put", key, tn_store_put(faulty(s)->inner, key, data, mode, err));
}

static tn_rc fault_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret, tn_err *err)
{
    tn_store_fault due;
    if (!is_due(s, "list", &due)) {
        return tn_store_list(faulty(s)->inner, a, opts, ret, err);
    }
    return lost(&due, "list", opts->prefix, err);
}

static tn_rc fault_head(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    tn_store_fault due;
    if (!is_due(s, "head", &due)) {
        return tn_store_head(faulty(s)->inner, a, key, ret, err);
    }
    return lost(&due, "head", key, err);
}

static tn_rc fault_remove(tn_store *s, tn_str key, tn_err *err)
{
    WITH_FAULT("remove", key, tn_store_remove(faulty(s)->inner, key, err));
}

static tn_str fault_locate(tn_store *s, tn_arena *a, tn_str key)
{
    return tn_store_locate(faulty(s)->inner, a, key);
}

static tn_rc fault_prepare(tn_store *s, tn_str key, tn_err *err)
{
    WITH_FAULT("prepare", key, tn_store_prepare(faulty(s)->inner, key, err));
}

static void fault_close(tn_store *s)
{
    tn_store_unref(faulty(s)->inner);
    tn_arena_free(faulty(s)->arena);
}

static const tn_store_ops fault_ops = {
    .name = "fault",
    .get = fault_get,
    .get_range = fault_get_range,
    .put = fault_put,
    .list = fault_list,
    .head = fault_head,
    .remove = fault_remove,
    .locate = fault_locate,
    .prepare = fault_prepare,
    .close = fault_close,
};

tn_rc tn_store_faulty(tn_store *inner, tn_store **ret, tn_err *err)
{
    (void)err;
    tn_arena *a = tn_arena_new("store fault", NULL);
    fault_store *f = tn_new(a, fault_store);
    f->arena = a;
    f->inner = tn_store_ref(inner);
    f->lock = (tn_mutex)TN_MUTEX_INIT;
    f->base.ops = &fault_ops;
    f->base.refs = 1;
    f->base.root = tn_str_dup(a, inner->root);
    *ret = &f->base;
    return TN_OK;
}

void tn_store_faulty_set(tn_store *s, tn_store_fault fault)
{
    TN_CHECK(s->ops == &fault_ops);
    TN_LOCKED(&faulty(s)->lock);
    faulty(s)->fault = fault;
}

bool tn_store_faulty_fired(tn_store *s)
{
    fault_store *f = faulty(s);
    TN_LOCKED(&f->lock);
    return f->fault.k <= 0;
}

int64_t tn_store_faulty_calls(tn_store *s)
{
    TN_CHECK(s->ops == &fault_ops);
    TN_LOCKED(&faulty(s)->lock);
    return faulty(s)->calls;
}
