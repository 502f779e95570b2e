/* store.c: opening by URL, reference counts, the checks that every store shares, and stores below a prefix of another. */
#include "store/store.h"

#include "os/file.h"
#include "os/thread.h"
#include "text/uri.h"

enum { SCHEMES_MAX = 16, KEY_BYTES_MAX = 4096 };

static struct {
    tn_mutex lock;
    struct {
        const char *name;
        tn_store_opener open;
    } v[SCHEMES_MAX];
    size_t n;
} schemes = { .lock = TN_MUTEX_INIT };

void tn_store_register(const char *scheme, tn_store_opener opener)
{
    TN_LOCKED(&schemes.lock);
    size_t at = 0;
    while (at < schemes.n && !tn_str_is(tn_str_of(schemes.v[at].name), scheme)) {
        at++;
    }
    TN_CHECK(at < SCHEMES_MAX);
    schemes.v[at].name = scheme;
    schemes.v[at].open = opener;
    schemes.n = tn_max_size(schemes.n, at + 1);
}

static tn_store_opener find_opener(tn_str scheme)
{
    TN_LOCKED(&schemes.lock);
    for (size_t i = 0; i < schemes.n; i++) {
        if (tn_str_is(scheme, schemes.v[i].name)) {
            return schemes.v[i].open;
        }
    }
    return NULL;
}

static tn_str without_slashes(tn_str s)
{
    while (s.n > 0 && s.p[0] == '/') {
        s = tn_str_sub(s, 1, s.n);
    }
    while (s.n > 0 && s.p[s.n - 1] == '/') {
        s.n--;
    }
    return s;
}

static tn_rc open_mem(const tn_uri *uri, tn_store **ret, tn_err *err)
{
    tn_str prefix = without_slashes(uri->path);
    if (prefix.n == 0) {
        return tn_store_open_mem(uri->host, ret, err);
    }
    TN_AUTOPTR(tn_store) tree = NULL;
    TN_TRY(tn_store_open_mem(uri->host, &tree, err));
    return tn_store_sub(tree, prefix, ret, err);
}

tn_rc tn_store_open(tn_str url, const tn_store_opts *opts, tn_store **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store open", NULL);
    static const tn_store_opts none;
    opts = opts ? opts : &none;
    if (url.n == 0) {
        return tn_fail(err, TN_E_VALUE, "the location is empty");
    }
    tn_uri uri;
    TN_TRY(tn_uri_parse(a, url, &uri, err));
    tn_store_opener opener = find_opener(uri.scheme);
    if (opener != NULL) {
        return opener(url, opts, ret, err);
    }
    if (uri.scheme.n == 0) {
        return tn_store_open_local(url, opts, ret, err);
    }
    if (tn_str_is(uri.scheme, "file")) {
        return tn_store_open_local(uri.path, opts, ret, err);
    }
    if (tn_str_is(uri.scheme, "mem")) {
        return open_mem(&uri, ret, err);
    }
    return tn_hint(err,
        tn_fail(err, TN_E_UNSUPPORTED, "no kind of store is known for '" TN_STR_FMT "://'",
            TN_STR_ARG(uri.scheme)),
        "use a path or a URL of a known kind");
}

tn_store *tn_store_ref(tn_store *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void tn_store_unref(tn_store *s)
{
    if (s != NULL && __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        s->ops->close(s);
    }
}

/* ---- checks ---- */

/* No part of a key may be empty, '.' or '..': such a key would mean another place on disk than on a bucket. The last
 * part of a list prefix may be empty. */
static tn_rc check_key(tn_str key, bool is_prefix, tn_err *err)
{
    if (key.n > KEY_BYTES_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "a key of %zu bytes is longer than %d", key.n, KEY_BYTES_MAX);
    }
    bool bad = (!is_prefix && key.n == 0) || tn_str_find_char(key, '\0', 0) != SIZE_MAX;
    for (size_t from = 0; !bad && from < key.n;) {
        size_t slash = tn_str_find_char(key, '/', from);
        bool last = slash == SIZE_MAX;
        tn_str part = tn_str_sub(key, from, last ? key.n : slash);
        bad = part.n == 0 ||
              ((!is_prefix || !last) && (tn_str_is(part, ".") || tn_str_is(part, "..")));
        from = last ? key.n : slash + 1;
        bad = bad || (!is_prefix && !last && from == key.n);
    }
    if (bad) {
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is no key of a store", TN_STR_ARG(key));
    }
    return TN_OK;
}

tn_rc tn_store_get(tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err)
{
    TN_TRY(check_key(key, false, err));
    return s->ops->get(s, a, key, bytes_max, ret, err);
}

tn_rc tn_store_get_range(
    tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    TN_TRY(check_key(key, false, err));
    if (from < 0) {
        return tn_fail(err, TN_E_VALUE, "a range of '" TN_STR_FMT "' starts before its first byte",
            TN_STR_ARG(key));
    }
    return s->ops->get_range(s, a, key, from, n, ret, err);
}

tn_rc tn_store_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    TN_TRY(check_key(key, false, err));
    return s->ops->put(s, key, data, mode, err);
}

tn_rc tn_store_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret, tn_err *err)
{
    TN_TRY(check_key(opts->prefix, true, err));
    tn_store_items items = { .v = NULL };
    TN_TRY(s->ops->list(s, a, opts, &items, err));
    if (opts->items_max > 0 && items.n > opts->items_max) {
        items.n = opts->items_max;
    }
    *ret = items;
    return TN_OK;
}

tn_rc tn_store_head(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    TN_TRY(check_key(key, false, err));
    return s->ops->head(s, a, key, ret, err);
}

tn_rc tn_store_remove(tn_store *s, tn_str key, tn_err *err)
{
    TN_TRY(check_key(key, false, err));
    return s->ops->remove(s, key, err);
}

tn_rc tn_store_remove_many(tn_store *s, const tn_str *keys, size_t n, tn_err *err)
{
    for (size_t i = 0; i < n; i++) {
        TN_TRY(check_key(keys[i], false, err));
    }
    if (s->ops->remove_many != NULL) {
        return s->ops->remove_many(s, keys, n, err);
    }
    for (size_t i = 0; i < n; i++) {
        TN_TRY(s->ops->remove(s, keys[i], err));
    }
    return TN_OK;
}

tn_str tn_store_locate(tn_store *s, tn_arena *a, tn_str key)
{
    return s->ops->locate(s, a, key);
}

tn_rc tn_store_prepare(tn_store *s, tn_str key, tn_err *err)
{
    TN_TRY(check_key(key, false, err));
    return s->ops->prepare(s, key, err);
}

tn_rc tn_store_open_beside(tn_store *s, tn_str url, tn_store **ret, tn_err *err)
{
    tn_store_opts opts = { .options = s->ops->options != NULL ? s->ops->options(s) : TN_VAL_UNDEF };
    return tn_store_open(url, &opts, ret, err);
}

/* ---- a folder of another store ---- */

typedef struct sub_store {
    tn_store base;
    tn_arena *arena;
    tn_store *outer;
    tn_str prefix; /* with its slash at the end */
} sub_store;

static sub_store *sub_of(tn_store *s)
{
    return (sub_store *)s;
}

static tn_str full(tn_store *s, tn_arena *a, tn_str key)
{
    return tn_str_concat(a, sub_of(s)->prefix, key);
}

static tn_rc sub_get(
    tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err)
{
    return tn_store_get(sub_of(s)->outer, a, full(s, a, key), bytes_max, ret, err);
}

static tn_rc sub_get_range(
    tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    return tn_store_get_range(sub_of(s)->outer, a, full(s, a, key), from, n, ret, err);
}

static tn_rc sub_get_part(tn_store *s, tn_arena *a, const tn_store_item *item, int64_t from,
    size_t n, tn_str *ret, tn_err *err)
{
    tn_store *outer = sub_of(s)->outer;
    tn_store_item whole = *item;
    whole.key = full(s, a, item->key);
    return outer->ops->get_part != NULL
               ? outer->ops->get_part(outer, a, &whole, from, n, ret, err)
               : tn_store_get_range(outer, a, whole.key, from, n, ret, err);
}

static tn_rc sub_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store key", NULL);
    return tn_store_put(sub_of(s)->outer, full(s, a, key), data, mode, err);
}

static tn_rc sub_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret, tn_err *err)
{
    tn_store_list_opts outer = *opts;
    tn_store_items items = { .v = NULL };
    outer.prefix = full(s, a, opts->prefix);
    outer.start_after = opts->start_after.n > 0 ? full(s, a, opts->start_after) : TN_STR_NONE;
    TN_TRY(tn_store_list(sub_of(s)->outer, a, &outer, &items, err));
    for (size_t i = 0; i < items.n; i++) {
        items.v[i].key = tn_str_sub(items.v[i].key, sub_of(s)->prefix.n, items.v[i].key.n);
    }
    *ret = items;
    return TN_OK;
}

static tn_rc sub_head(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    tn_store_item item;
    TN_TRY(tn_store_head(sub_of(s)->outer, a, full(s, a, key), &item, err));
    item.key = tn_str_dup(a, key);
    *ret = item;
    return TN_OK;
}

static tn_rc sub_remove(tn_store *s, tn_str key, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store key", NULL);
    return tn_store_remove(sub_of(s)->outer, full(s, a, key), err);
}

static tn_rc sub_remove_many(tn_store *s, const tn_str *keys, size_t n, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store keys", NULL);
    tn_strs whole = { 0 };
    for (size_t i = 0; i < n; i++) {
        tn_vec_push(&whole, a, full(s, a, keys[i]));
    }
    return tn_store_remove_many(sub_of(s)->outer, whole.v, n, err);
}

static tn_str sub_locate(tn_store *s, tn_arena *a, tn_str key)
{
    tn_str whole = full(s, a, key);
    if (key.n == 0) {
        whole.n--; /* the prefix ends in '/', a root does not */
    }
    return tn_store_locate(sub_of(s)->outer, a, whole);
}

static tn_rc sub_prepare(tn_store *s, tn_str key, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store key", NULL);
    return tn_store_prepare(sub_of(s)->outer, full(s, a, key), err);
}

static void sub_close(tn_store *s)
{
    tn_store_unref(sub_of(s)->outer);
    tn_arena_free(sub_of(s)->arena);
}

static tn_str sub_cache_id(tn_store *s, tn_arena *a, tn_str key)
{
    tn_store *outer = sub_of(s)->outer;
    return outer->ops->cache_id != NULL ? outer->ops->cache_id(outer, a, full(s, a, key))
                                        : TN_STR_NONE;
}

static tn_val sub_options(tn_store *s)
{
    tn_store *outer = sub_of(s)->outer;
    return outer->ops->options != NULL ? outer->ops->options(outer) : TN_VAL_UNDEF;
}

static const tn_store_ops sub_ops = {
    .name = "sub",
    .get = sub_get,
    .get_range = sub_get_range,
    .get_part = sub_get_part,
    .put = sub_put,
    .list = sub_list,
    .head = sub_head,
    .remove = sub_remove,
    .remove_many = sub_remove_many,
    .locate = sub_locate,
    .prepare = sub_prepare,
    .close = sub_close,
    .cache_id = sub_cache_id,
    .options = sub_options,
};

tn_rc tn_store_sub(tn_store *s, tn_str prefix, tn_store **ret, tn_err *err)
{
    prefix = without_slashes(prefix);
    if (prefix.n == 0) {
        *ret = tn_store_ref(s);
        return TN_OK;
    }
    TN_TRY(check_key(prefix, false, err));
    tn_arena *a = tn_arena_new("store sub", NULL);
    sub_store *sub = tn_new(a, sub_store);
    sub->arena = a;
    sub->outer = tn_store_ref(s);
    sub->prefix = tn_str_concat(a, prefix, TN_STR("/"));
    sub->base.ops = &sub_ops;
    sub->base.refs = 1;
    sub->base.root = tn_str_dup(a, tn_store_locate(s, a, prefix));
    *ret = &sub->base;
    return TN_OK;
}

/* ---- objects that come in parts ---- */

/* The store that holds the object itself. */
static tn_store *holder(tn_store *s, tn_arena *a, tn_str *key)
{
    for (; s->ops == &sub_ops; s = sub_of(s)->outer) {
        *key = full(s, a, *key);
    }
    return s;
}

static tn_rc put_parts(
    tn_store *s, tn_arena *a, tn_str key, const tn_parts *from, tn_put_mode mode, tn_err *err)
{
    if (s->ops->put_parts != NULL) {
        return s->ops->put_parts(s, key, from, mode, err);
    }
    tn_str data;
    TN_TRY(from->read(from->self, a, 0, (size_t)from->bytes, &data, err));
    return s->ops->put(s, key, data, mode, err);
}

static tn_rc read_file(
    const void *self, tn_arena *a, int64_t at, size_t n, tn_str *ret, tn_err *err)
{
    tn_str path = *(const tn_str *)self;
    TN_TRY(tn_file_read_range(a, path, at, n, ret, err));
    return ret->n == n ? TN_OK
                       : tn_fail(err, TN_E_IO, "'" TN_STR_FMT "' became shorter while it was sent",
                             TN_STR_ARG(path));
}

tn_rc tn_store_put_file(tn_store *s, tn_str key, tn_str path, tn_put_mode mode, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store file", NULL);
    TN_TRY(check_key(key, false, err));
    tn_file_info info;
    TN_TRY(tn_file_stat(a, path, &info, err));
    tn_parts from = { .read = read_file, .self = &path, .bytes = info.size };
    s = holder(s, a, &key);
    return put_parts(s, a, key, &from, mode, err);
}

typedef struct original {
    tn_store *store;
    tn_store_item item;
} original;

static tn_rc read_original(
    const void *self, tn_arena *a, int64_t at, size_t n, tn_str *ret, tn_err *err)
{
    const original *o = self;
    const tn_store_ops *ops = o->store->ops;
    TN_TRY(ops->get_part != NULL ? ops->get_part(o->store, a, &o->item, at, n, ret, err)
                                 : ops->get_range(o->store, a, o->item.key, at, n, ret, err));
    return ret->n == n
               ? TN_OK
               : tn_fail(err, TN_E_CORRUPT, "'" TN_STR_FMT "' was replaced while it was read",
                     TN_STR_ARG(tn_store_locate(o->store, a, o->item.key)));
}

tn_rc tn_store_copy(tn_store *s, tn_str key, tn_store *from, tn_str from_key, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store copy", NULL);
    TN_TRY(check_key(key, false, err));
    TN_TRY(check_key(from_key, false, err));
    s = holder(s, a, &key);
    from = holder(from, a, &from_key);
    tn_err why = TN_ERR_INIT;
    tn_rc rc = s->ops->copy != NULL ? s->ops->copy(s, key, from, from_key, &why) : TN_E_UNSUPPORTED;
    if (rc != TN_E_UNSUPPORTED) {
        return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
    }
    original o = { .store = from };
    TN_TRY(from->ops->head(from, a, from_key, &o.item, err));
    tn_parts parts = { .read = read_original, .self = &o, .bytes = o.item.size };
    return put_parts(s, a, key, &parts, TN_PUT_OVERWRITE, err);
}
