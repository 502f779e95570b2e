/* lake.c: opening a lake and its tables. The lake's log is in lake_log.c, what readers open in lake_catalog.c. */
#include "lake/lake.h"
#include "lake/log/lake_log.h"
#include "os/file.h"
#include "text/uri.h"

enum { NUMBER_DIGITS = 20 };

tn_rc tn_lake_open(tn_str url, const tn_lake_opts *opts, tn_lake **ret, tn_err *err)
{
    tn_arena *a = tn_arena_new("lake", NULL);
    tn_lake *l = tn_new(a, tn_lake);
    l->arena = a;
    l->remote = tn_uri_is_remote(url);
    l->lock = (tn_mutex)TN_MUTEX_INIT;
    l->seen_us = INT64_MIN;
    l->storage = opts != NULL && !tn_val_is_undef(opts->storage) ? tn_val_dup(a, opts->storage)
                                                                 : TN_VAL_UNDEF;
    tn_rc rc = TN_OK;
    if (l->remote) {
        l->root = tn_str_dup(a, url);
    } else {
        tn_uri uri;
        rc = tn_uri_parse(a, url, &uri, err);
        if (rc == TN_OK) {
            rc = tn_file_absolute(a, uri.path, &l->root, err);
        }
    }
    while (rc == TN_OK && l->root.n > 1 && l->root.p[l->root.n - 1] == '/') {
        l->root.n--;
    }
    if (rc == TN_OK) {
        tn_store_opts so = { .options = l->storage, .create = opts != NULL && opts->create };
        rc = tn_store_open(l->root, &so, &l->store, err);
    }
    if (rc == TN_OK && l->remote) {
        l->root = l->store->root; /* one spelling: s3://bucket/prefix */
        l->far = l->store->ops->cache_id != NULL;
    }
    if (rc != TN_OK) {
        tn_arena_free(a);
        rc = tn_while(err, rc, "opening the lake '" TN_STR_FMT "'", TN_STR_ARG(url));
        return rc == TN_E_NOTFOUND && !tn_uri_is_remote(url)
                   ? tn_hint(
                         err, rc, "make the folder, or name another lake with --lake or TARN_LAKE")
                   : rc;
    }
    *ret = l;
    return TN_OK;
}

void tn_lake_close(tn_lake *l)
{
    if (l != NULL) {
        tn_lake_seen_free(l);
        tn_lake_known_free(l);
        tn_store_unref(l->store);
        tn_arena_free(l->arena);
    }
}

tn_str tn_lake_root(const tn_lake *l)
{
    return l->root;
}

tn_store *tn_lake_store(tn_lake *l)
{
    return l->store;
}

tn_str tn_lake_default_location(tn_arena *a, tn_str schema, tn_str name)
{
    return tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(schema), TN_STR_ARG(name));
}

tn_str tn_lake_absolute(tn_arena *a, const tn_lake *l, tn_str location)
{
    tn_str s = location;
    if (!tn_str_starts(s, TN_STR("/")) && !tn_uri_is_remote(s)) {
        s = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(l->root), TN_STR_ARG(s));
    }
    while (s.n > 1 && s.p[s.n - 1] == '/') {
        s.n--;
    }
    return s;
}

bool tn_lake_inside_root(const tn_lake *l, tn_str location, tn_str *ret_key)
{
    if (location.n > 0 && location.p[0] != '/' && !tn_uri_is_remote(location)) {
        *ret_key = location;
        return true;
    }
    if (tn_str_starts(location, l->root) && location.n > l->root.n &&
        location.p[l->root.n] == '/') {
        *ret_key = tn_str_sub(location, l->root.n + 1, location.n);
        return true;
    }
    return false;
}

tn_str tn_lake_numbered_key(tn_arena *a, tn_str dir, int64_t number)
{
    return tn_str_printf(
        a, TN_STR_FMT "%0*lld.json", TN_STR_ARG(dir), NUMBER_DIGITS, (long long)number);
}

bool tn_lake_number_of(tn_str dir, tn_str key, int64_t *ret)
{
    tn_str name = tn_str_sub(key, dir.n, key.n);
    return name.n == NUMBER_DIGITS + 5 && tn_str_ends(name, TN_STR(".json")) &&
           tn_str_to_i64(tn_str_sub(name, 0, NUMBER_DIGITS), ret);
}

tn_rc tn_lake_table_open(tn_lake *l, tn_str location, tn_delta_table **ret, tn_err *err)
{
    TN_AUTOPTR(tn_store) store = NULL;
    tn_str key;
    if (tn_lake_inside_root(l, location, &key)) {
        TN_TRY(tn_store_sub(l->store, key, &store, err));
    } else {
        tn_store_opts so = { .options = l->storage }; /* a write makes the folder */
        TN_TRY(tn_store_open(location, &so, &store, err));
    }
    TN_TRY(tn_delta_table_open(store, ret, err));
    tn_lake_watch(l, *ret);
    return TN_OK;
}

bool tn_lake_plain_name(tn_str name)
{
    return name.n > 0 && name.n <= 200 && name.p[0] != '_' && name.p[0] != '.' &&
           memchr(name.p, '/', name.n) == NULL && memchr(name.p, '\0', name.n) == NULL;
}
