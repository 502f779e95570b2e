/* jinja_itertools.c: the module itertools. Its generators are made at once, so the endless ones (count, cycle, repeat without
 * times) end after ENDLESS_MAX elements: templates cut them by zip, islice or a break. */
#include "base/buf.h"
#include "jinja/value/jinja_lib.h"

enum { ENDLESS_MAX = 100000, RESULTS_MAX = 1000000, SEQUENCES_MAX = 64 };

#define FN(name) static tn_rc it_##name(void *self, const tn_call *c, tn_val *ret, tn_err *err)

static tn_rc finish(const tn_call *c, tn_list *l, tn_val *ret)
{
    *ret = tn_jlib_gen(c->arena, l);
    return TN_OK;
}

static tn_rc too_many(tn_err *err)
{
    return tn_fail(err, TN_E_LIMIT, "itertools would give more than %d elements", RESULTS_MAX);
}

FN(chain)
{
    (void)self;
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < c->argc; i++) {
        const tn_list *l;
        TN_TRY(tn_jlib_items(c->arena, c->args[i], &l, err));
        for (size_t k = 0; k < l->n; k++) {
            tn_list_push(out, l->v[k]);
        }
    }
    return finish(c, out, ret);
}

static tn_rc chain_from_iterable(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const tn_list *l;
    TN_TRY(tn_call_check(c, "from_iterable", 1, 1, NULL, err));
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &l, err));
    tn_call inner = *c;
    inner.args = l->v;
    inner.argc = l->n;
    return it_chain(self, &inner, ret, err);
}

/* ---- choosing ---- */
static tn_val pick(tn_arena *a, const tn_list *pool, const size_t *at, size_t n)
{
    tn_val *v = tn_new_array(a, tn_val, n + 1);
    for (size_t i = 0; i < n; i++) {
        v[i] = pool->v[at[i]];
    }
    return tn_val_tuple(a, v, n);
}

FN(product)
{
    (void)self;
    const tn_list *pools[SEQUENCES_MAX];
    size_t at[SEQUENCES_MAX] = { 0 }, n = 0;
    int64_t repeat = 1;
    for (size_t i = 0; i < c->kwargc; i++) {
        if (!tn_str_is(c->kwargs[i].name, "repeat") || !tn_jlib_is_int(c->kwargs[i].value)) {
            return tn_fail(err, TN_E_TYPE, "product() takes sequences and repeat=<int>");
        }
        repeat = c->kwargs[i].value.i;
    }
    if (repeat < 0 || (size_t)repeat * c->argc > SEQUENCES_MAX) {
        return repeat < 0 ? tn_fail(err, TN_E_VALUE, "repeat argument cannot be negative")
                          : too_many(err);
    }
    tn_list *out = tn_jlib_list_new(c->arena);
    for (int64_t r = 0; r < repeat; r++) {
        for (size_t i = 0; i < c->argc; i++) {
            if (r == 0) {
                TN_TRY(tn_jlib_items(c->arena, c->args[i], &pools[n], err));
            } else {
                pools[n] = pools[i];
            }
            if (pools[n++]->n == 0) {
                return finish(c, out, ret);
            }
        }
    }
    for (bool more = true; more;) {
        tn_val *v = tn_new_array(c->arena, tn_val, n + 1);
        for (size_t i = 0; i < n; i++) {
            v[i] = pools[i]->v[at[i]];
        }
        tn_list_push(out, tn_val_tuple(c->arena, v, n));
        if (out->n > RESULTS_MAX) {
            return too_many(err);
        }
        more = false;
        for (size_t i = n; i-- > 0 && !more;) {
            at[i] = (at[i] + 1) % pools[i]->n;
            more = at[i] != 0;
        }
    }
    return finish(c, out, ret);
}

static tn_rc choose_args(const tn_call *c, const char *name, const tn_list **ret_pool,
    size_t *ret_r, bool must, tn_err *err)
{
    int64_t r = -1;
    TN_TRY(tn_call_check(c, name, must ? 2 : 1, 2, TN_JLIB_NAMES("iterable", "r"), err));
    TN_TRY(tn_jlib_items(c->arena, tn_call_arg(c, 0, "iterable"), ret_pool, err));
    bool given = tn_call_has(c, 1, "r") && tn_call_arg(c, 1, "r").tag != TN_NONE;
    if (given) {
        TN_TRY(tn_jlib_int_arg(c, 1, "r", &r, err));
        if (r < 0) {
            return tn_fail(err, TN_E_VALUE, "r must be non-negative");
        }
    }
    if (r > RESULTS_MAX) {
        return too_many(err);
    }
    *ret_r = given ? (size_t)r : (*ret_pool)->n;
    return TN_OK;
}

static tn_rc combine(const tn_call *c, const char *name, bool again, tn_val *ret, tn_err *err)
{
    const tn_list *pool;
    size_t r;
    TN_TRY(choose_args(c, name, &pool, &r, true, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    if (again ? pool->n == 0 && r > 0 : r > pool->n) {
        return finish(c, out, ret);
    }
    size_t *at = tn_new_array(c->arena, size_t, r + 1);
    for (size_t i = 0; i < r; i++) {
        at[i] = again ? 0 : i;
    }
    for (;;) {
        tn_list_push(out, pick(c->arena, pool, at, r));
        if (out->n > RESULTS_MAX) {
            return too_many(err);
        }
        size_t i = r;
        while (i > 0 && at[i - 1] == (again ? pool->n - 1 : i - 1 + pool->n - r)) {
            i--;
        }
        if (i == 0) {
            return finish(c, out, ret);
        }
        at[i - 1]++;
        for (size_t k = i; k < r; k++) {
            at[k] = again ? at[i - 1] : at[k - 1] + 1;
        }
    }
}

FN(combinations)
{
    (void)self;
    return combine(c, "combinations", false, ret, err);
}

FN(combinations_with_replacement)
{
    (void)self;
    return combine(c, "combinations_with_replacement", true, ret, err);
}

/* Places in lexicographic order; a place may stand once in a permutation. */
FN(permutations)
{
    (void)self;
    const tn_list *pool;
    size_t r;
    TN_TRY(choose_args(c, "permutations", &pool, &r, false, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    size_t n = pool->n;
    if (r > n) {
        return finish(c, out, ret);
    }
    size_t *at = tn_new_array(c->arena, size_t, n + 1),
           *left = tn_new_array(c->arena, size_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        at[i] = i;
        left[i] = n - i;
    }
    tn_list_push(out, pick(c->arena, pool, at, r));
    for (size_t i = r; i-- > 0;) {
        if (--left[i] == 0) {
            size_t first = at[i];
            memmove(at + i, at + i + 1, (n - i - 1) * sizeof *at);
            at[n - 1] = first;
            left[i] = n - i;
            continue;
        }
        size_t t = at[i];
        at[i] = at[n - left[i]];
        at[n - left[i]] = t;
        tn_list_push(out, pick(c->arena, pool, at, r));
        if (out->n > RESULTS_MAX) {
            return too_many(err);
        }
        i = r;
    }
    return finish(c, out, ret);
}

/* ---- side by side ---- */
FN(zip_longest)
{
    (void)self;
    const tn_list **l = tn_new_array(c->arena, const tn_list *, c->argc + 1);
    tn_val fill = TN_VAL_NONE;
    size_t longest = 0;
    for (size_t i = 0; i < c->kwargc; i++) {
        if (!tn_str_is(c->kwargs[i].name, "fillvalue")) {
            return tn_fail(err, TN_E_TYPE, "zip_longest() got an unexpected keyword argument");
        }
        fill = c->kwargs[i].value;
    }
    for (size_t i = 0; i < c->argc; i++) {
        TN_TRY(tn_jlib_items(c->arena, c->args[i], &l[i], err));
        longest = tn_max_size(longest, l[i]->n);
    }
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t k = 0; k < longest; k++) {
        tn_val *v = tn_new_array(c->arena, tn_val, c->argc + 1);
        for (size_t i = 0; i < c->argc; i++) {
            v[i] = k < l[i]->n ? l[i]->v[k] : fill;
        }
        tn_list_push(out, tn_val_tuple(c->arena, v, c->argc));
    }
    return finish(c, out, ret);
}

FN(pairwise)
{
    (void)self;
    const tn_list *l;
    TN_TRY(tn_call_check(c, "pairwise", 1, 1, NULL, err));
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &l, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i + 1 < l->n; i++) {
        tn_list_push(out, tn_jlib_pair(c->arena, l->v[i], l->v[i + 1]));
    }
    return finish(c, out, ret);
}

FN(compress)
{
    (void)self;
    const tn_list *l, *which;
    TN_TRY(tn_call_check(c, "compress", 2, 2, TN_JLIB_NAMES("data", "selectors"), err));
    TN_TRY(tn_jlib_items(c->arena, tn_call_arg(c, 0, "data"), &l, err));
    TN_TRY(tn_jlib_items(c->arena, tn_call_arg(c, 1, "selectors"), &which, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < l->n && i < which->n; i++) {
        if (tn_val_truthy(which->v[i])) {
            tn_list_push(out, l->v[i]);
        }
    }
    return finish(c, out, ret);
}

/* ---- cutting ---- */
static tn_rc slice_arg(tn_val v, int64_t dflt, int64_t *ret, tn_err *err)
{
    if (v.tag == TN_NONE || v.tag == TN_UNDEF) {
        *ret = dflt;
        return TN_OK;
    }
    if (!tn_jlib_is_int(v) || v.i < 0) {
        return tn_fail(err, TN_E_VALUE,
            "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.");
    }
    *ret = v.i;
    return TN_OK;
}

FN(islice)
{
    (void)self;
    const tn_list *l;
    int64_t start = 0, stop = 0, step = 1;
    TN_TRY(tn_call_check(c, "islice", 2, 4, NULL, err));
    if (c->argc == 2) {
        TN_TRY(slice_arg(c->args[1], INT64_MAX, &stop, err));
    } else {
        TN_TRY(slice_arg(c->args[1], 0, &start, err));
        TN_TRY(slice_arg(c->args[2], INT64_MAX, &stop, err));
        TN_TRY(slice_arg(c->argc > 3 ? c->args[3] : TN_VAL_NONE, 1, &step, err));
        if (step == 0) {
            return tn_fail(
                err, TN_E_VALUE, "Step for islice() must be a positive integer or None.");
        }
    }
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &l, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    for (int64_t i = start; i < stop && i < (int64_t)l->n; i += step) {
        tn_list_push(out, l->v[i]);
        if (step > (int64_t)l->n) {
            break;
        }
    }
    return finish(c, out, ret);
}

static tn_rc call_one(const tn_call *c, tn_val fn, tn_val arg, tn_val *ret, tn_err *err)
{
    if (fn.tag == TN_NONE) {
        *ret = arg;
        return TN_OK;
    }
    return tn_jinja_call(tn_jlib_ctx(c), fn, &arg, 1, NULL, 0, ret, err);
}

/* what: 't' takewhile, 'd' dropwhile, 'f' filterfalse. */
static tn_rc by_predicate(const tn_call *c, const char *name, char what, tn_val *ret, tn_err *err)
{
    const tn_list *l;
    TN_TRY(tn_call_check(c, name, 2, 2, NULL, err));
    TN_TRY(tn_jlib_items(c->arena, c->args[1], &l, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    bool dropping = what == 'd';
    for (size_t i = 0; i < l->n; i++) {
        tn_val answer = TN_VAL_TRUE;
        if (what != 'd' || dropping) {
            TN_TRY(call_one(c, c->args[0], l->v[i], &answer, err));
        }
        bool yes = tn_val_truthy(answer);
        if (what == 't' && !yes) {
            break;
        }
        dropping = dropping && yes;
        if (what == 't' || (what == 'd' && !dropping) || (what == 'f' && !yes)) {
            tn_list_push(out, l->v[i]);
        }
    }
    return finish(c, out, ret);
}

FN(takewhile)
{
    (void)self;
    return by_predicate(c, "takewhile", 't', ret, err);
}

FN(dropwhile)
{
    (void)self;
    return by_predicate(c, "dropwhile", 'd', ret, err);
}

FN(filterfalse)
{
    (void)self;
    return by_predicate(c, "filterfalse", 'f', ret, err);
}

/* ---- making ---- */
FN(repeat)
{
    (void)self;
    int64_t times = ENDLESS_MAX;
    TN_TRY(tn_call_check(c, "repeat", 1, 2, TN_JLIB_NAMES("object", "times"), err));
    TN_TRY(tn_jlib_int_arg(c, 1, "times", &times, err));
    if (times > RESULTS_MAX) {
        return too_many(err);
    }
    tn_list *out = tn_jlib_list_new(c->arena);
    for (int64_t i = 0; i < times; i++) {
        tn_list_push(out, tn_call_arg(c, 0, "object"));
    }
    return finish(c, out, ret);
}

FN(count)
{
    (void)self;
    TN_TRY(tn_call_check(c, "count", 0, 2, TN_JLIB_NAMES("start", "step"), err));
    tn_val v = tn_call_has(c, 0, "start") ? tn_call_arg(c, 0, "start") : tn_val_int(0);
    tn_val by = tn_call_has(c, 1, "step") ? tn_call_arg(c, 1, "step") : tn_val_int(1);
    tn_list *out = tn_jlib_list_new(c->arena);
    for (int i = 0; i < ENDLESS_MAX; i++) {
        tn_list_push(out, v);
        TN_TRY(tn_jinja_arith(tn_jlib_ctx(c), TN_OP_ADD, v, by, &v, err));
    }
    return finish(c, out, ret);
}

FN(cycle)
{
    (void)self;
    const tn_list *l;
    TN_TRY(tn_call_check(c, "cycle", 1, 1, NULL, err));
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &l, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; l->n > 0 && i < ENDLESS_MAX; i++) {
        tn_list_push(out, l->v[i % l->n]);
    }
    return finish(c, out, ret);
}

FN(accumulate)
{
    (void)self;
    const tn_list *l;
    TN_TRY(tn_call_check(c, "accumulate", 1, 2, TN_JLIB_NAMES("iterable", "func", "initial"), err));
    TN_TRY(tn_jlib_items(c->arena, tn_call_arg(c, 0, "iterable"), &l, err));
    tn_val fn = tn_call_arg(c, 1, "func"), total = tn_call_arg(c, 2, "initial");
    bool any = tn_call_has(c, 2, "initial") && total.tag != TN_NONE;
    tn_list *out = tn_jlib_list_new(c->arena);
    if (any) {
        tn_list_push(out, total);
    }
    for (size_t i = 0; i < l->n; i++) {
        tn_val both[2] = { total, l->v[i] };
        if (!any) {
            total = l->v[i];
            any = true;
        } else if (fn.tag == TN_UNDEF || fn.tag == TN_NONE) {
            TN_TRY(tn_jinja_arith(tn_jlib_ctx(c), TN_OP_ADD, total, l->v[i], &total, err));
        } else {
            TN_TRY(tn_jinja_call(tn_jlib_ctx(c), fn, both, 2, NULL, 0, &total, err));
        }
        tn_list_push(out, total);
    }
    return finish(c, out, ret);
}

FN(starmap)
{
    (void)self;
    const tn_list *l;
    TN_TRY(tn_call_check(c, "starmap", 2, 2, NULL, err));
    TN_TRY(tn_jlib_items(c->arena, c->args[1], &l, err));
    tn_list *out = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < l->n; i++) {
        const tn_list *args;
        tn_val v;
        TN_TRY(tn_jlib_items(c->arena, l->v[i], &args, err));
        TN_TRY(tn_jinja_call(tn_jlib_ctx(c), c->args[0], args->v, args->n, NULL, 0, &v, err));
        tn_list_push(out, v);
    }
    return finish(c, out, ret);
}

FN(groupby)
{
    (void)self;
    const tn_list *l;
    TN_TRY(tn_call_check(c, "groupby", 1, 2, TN_JLIB_NAMES("iterable", "key"), err));
    TN_TRY(tn_jlib_items(c->arena, tn_call_arg(c, 0, "iterable"), &l, err));
    tn_val fn = tn_call_has(c, 1, "key") ? tn_call_arg(c, 1, "key") : TN_VAL_NONE,
           last = TN_VAL_NONE;
    tn_list *out = tn_jlib_list_new(c->arena), *now = NULL;
    for (size_t i = 0; i < l->n; i++) {
        tn_val key;
        TN_TRY(call_one(c, fn, l->v[i], &key, err));
        if (now == NULL || !tn_val_eq(key, last)) {
            now = tn_jlib_list_new(c->arena);
            tn_list_push(out, tn_jlib_pair(c->arena, key, tn_jlib_gen(c->arena, now)));
            last = key;
        }
        tn_list_push(now, l->v[i]);
    }
    return finish(c, out, ret);
}

FN(tee)
{
    (void)self;
    const tn_list *l;
    int64_t n = 2;
    TN_TRY(tn_call_check(c, "tee", 1, 2, TN_JLIB_NAMES("iterable", "n"), err));
    TN_TRY(tn_jlib_int_arg(c, 1, "n", &n, err));
    TN_TRY(tn_jlib_items(c->arena, tn_call_arg(c, 0, "iterable"), &l, err));
    if (n < 0 || n > 1000) {
        return tn_fail(err, TN_E_VALUE, "n must be from 0 to 1000");
    }
    tn_list *copies = tn_jlib_list_new(c->arena);
    for (int64_t i = 0; i < n; i++) {
        tn_list *copy = tn_jlib_list_new(c->arena);
        for (size_t k = 0; k < l->n; k++) {
            tn_list_push(copy, l->v[k]);
        }
        tn_list_push(copies, tn_jlib_gen(c->arena, copy));
    }
    *ret = tn_val_tuple(c->arena, copies->v, copies->n);
    return TN_OK;
}

/* chain has a method of its own. */
typedef struct chain_fn {
    tn_obj base;
    tn_val from_iterable;
} chain_fn;

static tn_rc chain_call(tn_obj *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return it_chain(self, c, ret, err);
}

static tn_rc chain_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    *ret = tn_str_is(name, "from_iterable") ? ((const chain_fn *)self)->from_iterable
                                            : tn_val_undef(name);
    return TN_OK;
}

static void chain_str(tn_obj *self, tn_buf *b)
{
    (void)self;
    tn_buf_addz(b, "<class 'itertools.chain'>");
}

static const tn_obj_type CHAIN = {
    .name = "type", .attr = chain_attr, .call = chain_call, .str = chain_str
};

tn_dict *tn_jinja_itertools_members(tn_arena *a)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } fns[] = { { "product", it_product }, { "combinations", it_combinations },
        { "combinations_with_replacement", it_combinations_with_replacement },
        { "permutations", it_permutations }, { "zip_longest", it_zip_longest },
        { "pairwise", it_pairwise }, { "compress", it_compress }, { "islice", it_islice },
        { "takewhile", it_takewhile }, { "dropwhile", it_dropwhile },
        { "filterfalse", it_filterfalse }, { "repeat", it_repeat }, { "count", it_count },
        { "cycle", it_cycle }, { "accumulate", it_accumulate }, { "starmap", it_starmap },
        { "groupby", it_groupby }, { "tee", it_tee } };
    tn_val d = tn_val_dict(a);
    chain_fn *chain = tn_new(a, chain_fn);
    chain->base.type = &CHAIN;
    chain->from_iterable = tn_val_fn(a, "from_iterable", chain_from_iterable, NULL);
    tn_dict_putz(d.dict, "chain", tn_val_obj(&chain->base));
    for (size_t i = 0; i < TN_COUNTOF(fns); i++) {
        tn_dict_putz(d.dict, fns[i].name, tn_val_fn(a, fns[i].name, fns[i].fn, NULL));
    }
    return d.dict;
}

tn_val tn_jinja_module_itertools(tn_arena *a)
{
    return tn_val_module(a, "itertools", tn_jinja_itertools_members(a));
}
