/* jinja_globals.c: the globals of Jinja2: range, dict, namespace, cycler, joiner, lipsum. */
#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"

enum { RANGE_MAX = 100000 }; /* MAX_RANGE of Jinja2's sandbox */

/* ---- range ---- */
static tn_rc g_range(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t start = 0, stop = 0, step = 1;
    TN_TRY(tn_call_check(c, "range", 1, 3, NULL, err));
    for (size_t i = 0; i < c->argc; i++) {
        if (c->args[i].tag == TN_UNDEF) {
            return tn_jlib_fail_undef(err, c->args[i]);
        }
    }
    TN_TRY(tn_jlib_int_arg(c, 0, "start", &start, err));
    TN_TRY(tn_jlib_int_arg(c, 1, "stop", &stop, err));
    TN_TRY(tn_jlib_int_arg(c, 2, "step", &step, err));
    if (c->argc == 1) {
        stop = start;
        start = 0;
    }
    if (step == 0) {
        return tn_fail(err, TN_E_VALUE, "range() arg 3 must not be zero");
    }
    __int128 gap = step > 0 ? (__int128)stop - start : (__int128)start - stop;
    __int128 by = step > 0 ? step : -(__int128)step;
    __int128 n = gap > 0 ? (gap - 1) / by + 1 : 0;
    if (n > RANGE_MAX) {
        return tn_fail(err, TN_E_LIMIT,
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", RANGE_MAX);
    }
    *ret = tn_jlib_range_of(c->arena, start, stop, step, (int64_t)n);
    return TN_OK;
}

/* ---- dict ---- */
static tn_rc fill_dict(const tn_call *c, tn_val d, tn_err *err)
{
    tn_val none = TN_VAL_NONE;
    for (const tn_jlib_method *m = tn_jlib_dict_methods; m->name != NULL; m++) {
        if (strcmp(m->name, "update") == 0) {
            return m->fn(d, c, &none, err);
        }
    }
    return tn_fail(err, TN_E_BUG, "no dict.update");
}

static tn_rc g_dict(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val d = tn_val_dict(c->arena);
    TN_TRY(fill_dict(c, d, err));
    *ret = d;
    return TN_OK;
}

/* ---- namespace ---- */
typedef struct space {
    tn_obj base;
    tn_dict *members;
} space;

static tn_rc space_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    const tn_val *v = tn_dict_finds(((const space *)self)->members, name);
    *ret = v != NULL ? *v : tn_val_undef(name);
    return TN_OK;
}

static tn_rc space_set(tn_obj *self, tn_str name, tn_val v, tn_err *err)
{
    (void)err;
    tn_dict *d = ((const space *)self)->members;
    tn_val *old = tn_dict_finds(d, name);
    if (old != NULL) {
        *old = v;
    } else {
        tn_dict_put(d, tn_val_str_dup(d->arena, name), v);
    }
    return TN_OK;
}

static void space_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addz(b, "<Namespace ");
    tn_val_repr_to(b, (tn_val){ .tag = TN_DICT, .dict = ((const space *)self)->members });
    tn_buf_addc(b, '>');
}

static const tn_obj_type NAMESPACE = {
    .name = "Namespace", .attr = space_attr, .set_attr = space_set, .str = space_str
};

static tn_rc g_namespace(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    space *s = tn_new(c->arena, space);
    s->base.type = &NAMESPACE;
    s->members = tn_val_dict(c->arena).dict;
    TN_TRY(fill_dict(c, (tn_val){ .tag = TN_DICT, .dict = s->members }, err));
    *ret = tn_val_obj(&s->base);
    return TN_OK;
}

/* ---- cycler ---- */
typedef struct cycler {
    tn_obj base;
    tn_val items; /* a tuple */
    size_t pos;
} cycler;

static tn_rc cycler_next(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    cycler *y = (cycler *)self.obj;
    *ret = y->items.list->v[y->pos];
    y->pos = (y->pos + 1) % y->items.list->n;
    return TN_OK;
}

static tn_rc cycler_reset(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err, (void)ret;
    ((cycler *)self.obj)->pos = 0;
    return TN_OK;
}

static const tn_jlib_method CYCLER_METHODS[] = {
    { "next", cycler_next, 0, 0, NULL },
    { "reset", cycler_reset, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};

static tn_rc cycler_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const cycler *y = (const cycler *)self;
    if (tn_jlib_bind_named(a, CYCLER_METHODS, name, tn_val_obj(self), ret)) {
        return TN_OK;
    }
    *ret = tn_str_is(name, "current") ? y->items.list->v[y->pos]
           : tn_str_is(name, "pos")   ? tn_val_int((int64_t)y->pos)
           : tn_str_is(name, "items") ? y->items
                                      : tn_val_undef(name);
    return TN_OK;
}

static const tn_obj_type CYCLER = { .name = "Cycler", .attr = cycler_attr };

static tn_rc g_cycler(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    if (c->argc == 0) {
        return tn_fail(err, TN_E_TYPE, "at least one item has to be provided");
    }
    cycler *y = tn_new(c->arena, cycler);
    y->base.type = &CYCLER;
    y->items = tn_val_tuple(c->arena, c->args, c->argc);
    *ret = tn_val_obj(&y->base);
    return TN_OK;
}

/* ---- joiner ---- */
typedef struct joiner {
    tn_obj base;
    tn_val sep;
    bool used;
} joiner;

static tn_rc joiner_call(tn_obj *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    joiner *j = (joiner *)self;
    *ret = j->used ? j->sep : tn_val_str(TN_STR(""));
    j->used = true;
    return TN_OK;
}

static const tn_obj_type JOINER = { .name = "Joiner", .call = joiner_call };

static tn_rc g_joiner(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    TN_TRY(tn_call_check(c, "joiner", 0, 1, TN_JLIB_NAMES("sep"), err));
    joiner *j = tn_new(c->arena, joiner);
    j->base.type = &JOINER;
    j->sep = tn_call_has(c, 0, "sep") ? tn_call_arg(c, 0, "sep") : tn_val_str(TN_STR(", "));
    *ret = tn_val_obj(&j->base);
    return TN_OK;
}

/* ---- lipsum: filler text, the same for the same arguments ---- */
static const char *const WORDS[] = { "lorem", "ipsum", "dolor", "sit", "amet", "consectetur",
    "adipiscing", "elit", "sed", "nunc", "vitae", "massa", "porta", "nec", "urna", "felis",
    "mauris", "ligula", "sapien", "tempus", "viverra", "orci" };

static tn_rc g_lipsum(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t n = 5, min = 20, max = 100;
    TN_TRY(tn_call_check(c, "lipsum", 0, 4, TN_JLIB_NAMES("n", "html", "min", "max"), err));
    TN_TRY(tn_jlib_int_arg(c, 0, "n", &n, err));
    TN_TRY(tn_jlib_int_arg(c, 2, "min", &min, err));
    TN_TRY(tn_jlib_int_arg(c, 3, "max", &max, err));
    bool html = tn_jlib_bool_arg(c, 1, "html", true);
    if (n > 1000 || max > 10000) {
        return tn_fail(err, TN_E_LIMIT, "lipsum makes at most 1000 paragraphs of 10000 words");
    }
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    uint64_t seed = 1;
    for (int64_t i = 0; i < n; i++) {
        tn_buf_addz(&b, i > 0 ? (html ? "\n" : "\n\n") : "");
        tn_buf_addz(&b, html ? "<p>" : "");
        for (int64_t w = 0, want = (min + max) / 2; w < want; w++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            tn_str word = tn_str_of(WORDS[(seed >> 33) % TN_COUNTOF(WORDS)]);
            tn_buf_addz(&b, w > 0 ? " " : "");
            tn_buf_add(&b, w == 0 ? tn_jlib_recase(c->arena, word, TN_CASE_CAPITAL) : word);
        }
        tn_buf_addz(&b, html ? ".</p>" : ".");
    }
    tn_val r;
    TN_TRY(tn_jlib_finish(&b, &r, err));
    *ret = html ? tn_jlib_safe(r) : r;
    return TN_OK;
}

/* The functions have no state: one object each serves all environments. */
typedef struct global_fn {
    tn_obj base;
    const char *name;
    tn_call_fn fn;
} global_fn;

static tn_rc global_call(tn_obj *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return ((const global_fn *)self)->fn(NULL, c, ret, err);
}

static void global_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addf(b, "<class '%s'>", ((const global_fn *)self)->name);
}

static const tn_obj_type GLOBAL = { .name = "type", .call = global_call, .str = global_str };

void tn_jinja_builtin_globals(tn_jinja_env *e)
{
    static global_fn fns[] = { { { &GLOBAL }, "range", g_range }, { { &GLOBAL }, "dict", g_dict },
        { { &GLOBAL }, "namespace", g_namespace }, { { &GLOBAL }, "cycler", g_cycler },
        { { &GLOBAL }, "joiner", g_joiner }, { { &GLOBAL }, "lipsum", g_lipsum } };
    for (size_t i = 0; i < TN_COUNTOF(fns); i++) {
        tn_jinja_env_global(e, fns[i].name, tn_val_obj(&fns[i].base));
    }
}
