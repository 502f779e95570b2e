/* store_mem.c: stores in memory, one tree a name, shared by all who open that name in this process.
 *
 * A tree is a sorted array of objects behind one lock. Each object has an arena of its own, because objects are
 * replaced and removed one by one while the tree lives on. Trees stay to the end of the process.
 */
#include "os/clock.h"
#include "os/thread.h"
#include "store/store.h"

typedef struct mem_object {
    tn_arena *arena;
    tn_str key;
    tn_str data;
    int64_t mtime_us;
    int64_t version;
} mem_object;

typedef struct mem_tree {
    tn_mutex lock;
    tn_arena *arena;
    tn_str name;
    tn_vec(mem_object *) objects; /* sorted by key */
    int64_t writes;
    struct mem_tree *next;
} mem_tree;

typedef struct mem_store {
    tn_store base;
    tn_arena *arena;
    mem_tree *tree;
} mem_store;

static struct {
    tn_mutex lock;
    mem_tree *first;
} trees = { .lock = TN_MUTEX_INIT };

static mem_tree *tree_of(tn_store *s)
{
    return ((mem_store *)s)->tree;
}

/* The place of key, or where it would go; *ret_found says which. Call with the lock held. */
static size_t seek(const mem_tree *t, tn_str key, bool *ret_found)
{
    size_t lo = 0, hi = t->objects.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tn_str_cmp(t->objects.v[mid]->key, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *ret_found = lo < t->objects.n && tn_str_eq(t->objects.v[lo]->key, key);
    return lo;
}

static tn_rc find(tn_store *s, tn_str key, mem_object **ret, tn_err *err)
{
    bool found;
    size_t at = seek(tree_of(s), key, &found);
    if (!found) {
        return tn_fail(err, TN_E_NOTFOUND, "'" TN_STR_FMT "/" TN_STR_FMT "' is not there",
            TN_STR_ARG(s->root), TN_STR_ARG(key));
    }
    *ret = tree_of(s)->objects.v[at];
    return TN_OK;
}

static tn_rc mem_get(
    tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err)
{
    TN_LOCKED(&tree_of(s)->lock);
    mem_object *o;
    TN_TRY(find(s, key, &o, err));
    if (o->data.n > bytes_max) {
        return tn_fail(err, TN_E_LIMIT, "'" TN_STR_FMT "' has %zu bytes, more than %zu",
            TN_STR_ARG(key), o->data.n, bytes_max);
    }
    *ret = tn_str_dup(a, o->data);
    return TN_OK;
}

static tn_rc mem_get_range(
    tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    TN_LOCKED(&tree_of(s)->lock);
    mem_object *o;
    TN_TRY(find(s, key, &o, err));
    size_t start = tn_min_size((size_t)from, o->data.n);
    size_t take = tn_min_size(n, o->data.n - start);
    *ret = tn_str_dup(a, tn_str_sub(o->data, start, start + take));
    return TN_OK;
}

static mem_object *new_object(mem_tree *t, tn_str key, tn_str data)
{
    tn_arena *a = tn_arena_new("mem object", NULL);
    mem_object *o = tn_new(a, mem_object);
    o->arena = a;
    o->key = tn_str_dup(a, key);
    o->data = tn_str_dup(a, data);
    o->mtime_us = tn_clock_now_us();
    o->version = ++t->writes;
    return o;
}

static tn_rc mem_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    mem_tree *t = tree_of(s);
    TN_LOCKED(&t->lock);
    bool found;
    size_t at = seek(t, key, &found);
    if (found && mode == TN_PUT_IF_ABSENT) {
        return tn_fail(err, TN_E_EXISTS, "'" TN_STR_FMT "/" TN_STR_FMT "' is there already",
            TN_STR_ARG(s->root), TN_STR_ARG(key));
    }
    mem_object *o = new_object(t, key, data);
    if (found) {
        tn_arena_free(t->objects.v[at]->arena);
        t->objects.v[at] = o;
        return TN_OK;
    }
    tn_vec_push(&t->objects, t->arena, o);
    memmove(
        t->objects.v + at + 1, t->objects.v + at, (t->objects.n - 1 - at) * sizeof(mem_object *));
    t->objects.v[at] = o;
    return TN_OK;
}

static void describe(tn_arena *a, const mem_object *o, tn_store_item *ret)
{
    *ret = (tn_store_item){
        .key = tn_str_dup(a, o->key), .size = (int64_t)o->data.n, .mtime_us = o->mtime_us
    };
    ret->etag = tn_str_printf(a, "%llx", (unsigned long long)o->version);
}

static tn_rc mem_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret, tn_err *err)
{
    (void)err;
    mem_tree *t = tree_of(s);
    TN_LOCKED(&t->lock);
    tn_store_items items = { .v = NULL };
    bool found;
    for (size_t i = seek(t, opts->prefix, &found); i < t->objects.n; i++) {
        const mem_object *o = t->objects.v[i];
        if (!tn_str_starts(o->key, opts->prefix)) {
            break;
        }
        tn_store_item item;
        size_t slash = opts->flat ? SIZE_MAX : tn_str_find_char(o->key, '/', opts->prefix.n);
        if (slash != SIZE_MAX) {
            tn_str folder = tn_str_sub(o->key, 0, slash + 1);
            if (tn_str_cmp(folder, opts->start_after) <= 0 ||
                (items.n > 0 && tn_str_eq(tn_vec_last(&items).key, folder))) {
                continue;
            }
            item = (tn_store_item){ .key = tn_str_dup(a, folder), .is_prefix = true };
        } else if (tn_str_cmp(o->key, opts->start_after) <= 0) {
            continue;
        } else {
            describe(a, o, &item);
        }
        tn_vec_push(&items, a, item);
    }
    *ret = items;
    return TN_OK;
}

static tn_rc mem_head(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    TN_LOCKED(&tree_of(s)->lock);
    mem_object *o;
    TN_TRY(find(s, key, &o, err));
    describe(a, o, ret);
    return TN_OK;
}

static tn_rc mem_remove(tn_store *s, tn_str key, tn_err *err)
{
    (void)err;
    mem_tree *t = tree_of(s);
    TN_LOCKED(&t->lock);
    bool found;
    size_t at = seek(t, key, &found);
    if (found) {
        tn_arena_free(t->objects.v[at]->arena);
        t->objects.n--;
        memmove(
            t->objects.v + at, t->objects.v + at + 1, (t->objects.n - at) * sizeof(mem_object *));
    }
    return TN_OK;
}

static tn_str mem_locate(tn_store *s, tn_arena *a, tn_str key)
{
    return key.n > 0
               ? tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(s->root), TN_STR_ARG(key))
               : tn_str_dup(a, s->root);
}

static tn_rc mem_prepare(tn_store *s, tn_str key, tn_err *err)
{
    return tn_hint(err,
        tn_fail(err, TN_E_UNSUPPORTED,
            "'" TN_STR_FMT "/" TN_STR_FMT "' is in memory, where DuckDB cannot write a file",
            TN_STR_ARG(s->root), TN_STR_ARG(key)),
        "use a folder");
}

static void mem_close(tn_store *s)
{
    tn_arena_free(((mem_store *)s)->arena);
}

static const tn_store_ops mem_ops = {
    .name = "mem",
    .get = mem_get,
    .get_range = mem_get_range,
    .put = mem_put,
    .list = mem_list,
    .head = mem_head,
    .remove = mem_remove,
    .locate = mem_locate,
    .prepare = mem_prepare,
    .close = mem_close,
};

static mem_tree *find_tree(tn_str name)
{
    mem_tree *t = trees.first;
    while (t != NULL && !tn_str_eq(t->name, name)) {
        t = t->next;
    }
    return t;
}

static mem_tree *find_or_make_tree(tn_str name)
{
    TN_LOCKED(&trees.lock);
    mem_tree *t = find_tree(name);
    if (t == NULL) {
        tn_arena *a = tn_arena_new("mem tree", NULL);
        t = tn_new(a, mem_tree);
        t->lock = (tn_mutex)TN_MUTEX_INIT;
        t->arena = a;
        t->name = tn_str_dup(a, name);
        t->next = trees.first;
        trees.first = t;
    }
    return t;
}

tn_rc tn_store_open_mem(tn_str name, tn_store **ret, tn_err *err)
{
    if (name.n == 0) {
        return tn_fail(err, TN_E_VALUE, "a store in memory needs a name: mem://name");
    }
    tn_arena *a = tn_arena_new("store mem", NULL);
    mem_store *s = tn_new(a, mem_store);
    s->arena = a;
    s->tree = find_or_make_tree(name);
    s->base.ops = &mem_ops;
    s->base.refs = 1;
    s->base.root = tn_str_printf(a, "mem://" TN_STR_FMT, TN_STR_ARG(name));
    *ret = &s->base;
    return TN_OK;
}

void tn_store_mem_forget(tn_str name)
{
    TN_LOCKED(&trees.lock);
    mem_tree *t = find_tree(name);
    if (t == NULL) {
        return;
    }
    tn_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->objects.n; i++) {
        tn_arena_free(t->objects.v[i]->arena);
    }
    t->objects.n = 0;
    tn_mutex_unlock(&t->lock);
}
