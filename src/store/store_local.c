/* store_local.c: a folder as a store. A key is the path below the root.
 *
 * Writes go through file.c, which makes an object appear whole (temp name, fsync, rename or link). Its temp names start
 * with ".tmp-" and are never listed. Folders are made when a put needs them and are never removed: an empty
 * folder is invisible in a flat listing, as on a bucket.
 */
#include "os/file.h"
#include "store/store.h"
#include "text/uri.h"

enum { FOLDER_DEPTH_MAX = 32 }; /* below the 40 links that the kernel follows */

static bool is_temp_name(tn_str name) /* as file.c makes them */
{
    return tn_str_starts(name, TN_STR(".tmp-"));
}

typedef struct local_store {
    tn_store base;
    tn_arena *arena;
    tn_str dir; /* root with a slash at its end */
} local_store;

static tn_str path_of(tn_store *s, tn_arena *a, tn_str key)
{
    return tn_str_concat(a, ((local_store *)s)->dir, key);
}

static tn_rc local_get(
    tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err)
{
    return tn_file_read(a, path_of(s, a, key), bytes_max, ret, err);
}

static tn_rc local_get_range(
    tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    return tn_file_read_range(a, path_of(s, a, key), from, n, ret, err);
}

static tn_rc write_once(tn_str path, const tn_parts *from, tn_put_mode mode, tn_err *err)
{
    if (mode == TN_PUT_OVERWRITE) {
        return tn_file_write_parts(path, from, false, err);
    }
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_file_write_parts(path, from, true, &why);
    if (rc == TN_E_IO && tn_file_exists(path)) {
        /* The link may have been made and only the flush of the folder have failed. */
        return tn_fail(err, TN_E_AMBIGUOUS, "'" TN_STR_FMT "' may have been written: %s",
            TN_STR_ARG(path), why.msg);
    }
    return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
}

/* The folder is there nearly always, so it is made only after a write has failed for the lack of it. */
static tn_rc local_put_parts(
    tn_store *s, tn_str key, const tn_parts *from, tn_put_mode mode, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store key", NULL);
    tn_str path = path_of(s, a, key);
    tn_err first = TN_ERR_INIT;
    tn_rc rc = write_once(path, from, mode, &first);
    if (rc == TN_E_NOTFOUND) {
        TN_TRY(tn_dir_make(tn_path_dir(path), err));
        return write_once(path, from, mode, err);
    }
    return rc == TN_OK ? rc : tn_err_pass(err, rc, &first);
}

static tn_rc local_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    tn_parts from = tn_parts_of(&data);
    return local_put_parts(s, key, &from, mode, err);
}

static tn_rc local_head(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err)
{
    tn_file_info info;
    tn_str path = path_of(s, a, key);
    TN_TRY(tn_file_stat(a, path, &info, err));
    if (info.kind == TN_FILE_DIR) {
        return tn_fail(
            err, TN_E_NOTFOUND, "'" TN_STR_FMT "' is a folder, not an object", TN_STR_ARG(path));
    }
    *ret =
        (tn_store_item){ .key = tn_str_dup(a, key), .size = info.size, .mtime_us = info.mtime_us };
    ret->etag = tn_str_printf(
        a, "%llx-%llx", (unsigned long long)info.size, (unsigned long long)info.mtime_us);
    return TN_OK;
}

static tn_rc local_remove(tn_store *s, tn_str key, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store key", NULL);
    tn_err gone = TN_ERR_INIT;
    tn_rc rc = tn_file_remove(path_of(s, a, key), &gone);
    return rc == TN_OK || rc == TN_E_NOTFOUND ? TN_OK : tn_err_pass(err, rc, &gone);
}

static tn_str local_locate(tn_store *s, tn_arena *a, tn_str key)
{
    return key.n > 0 ? path_of(s, a, key) : tn_str_dup(a, s->root);
}

static tn_rc local_prepare(tn_store *s, tn_str key, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("store key", NULL);
    return tn_dir_make(tn_path_dir(path_of(s, a, key)), err);
}

/* ---- listing ---- */

typedef struct listing {
    tn_store *store;
    tn_arena *arena;
    const tn_store_list_opts *opts;
    tn_store_items items;
    tn_err *err;
} listing;

/* Nothing below this folder can come after start_after: it sorts before it as a whole. */
static bool folder_is_done(const listing *l, tn_str folder_key)
{
    tn_str after = l->opts->start_after;
    return tn_str_cmp(folder_key, after) < 0 && !tn_str_starts(after, folder_key);
}

static tn_rc list_folder(listing *l, tn_str folder, tn_str name_prefix, int depth);

static tn_rc list_entry(listing *l, tn_str folder, const tn_file_info *entry, int depth)
{
    const tn_store_list_opts *o = l->opts;
    tn_str key = tn_str_concat(l->arena, folder, entry->name);
    tn_file_info info = *entry;
    if (info.kind == TN_FILE_LINK) {
        /* A link counts as what it points at; one that points nowhere is not an object. */
        if (tn_file_stat(l->arena, path_of(l->store, l->arena, key), &info, NULL) != TN_OK) {
            return TN_OK;
        }
    }
    if (info.kind == TN_FILE_DIR) {
        tn_str sub = tn_str_concat(l->arena, key, TN_STR("/"));
        if (folder_is_done(l, sub)) {
            return TN_OK;
        }
        if (o->flat) {
            return list_folder(l, sub, TN_STR_NONE, depth + 1);
        }
        if (tn_str_cmp(sub, o->start_after) > 0) {
            tn_vec_push(&l->items, l->arena, ((tn_store_item){ .key = sub, .is_prefix = true }));
        }
        return TN_OK;
    }
    if (tn_str_cmp(key, o->start_after) > 0) {
        tn_vec_push(&l->items, l->arena,
            ((tn_store_item){ .key = key, .size = info.size, .mtime_us = info.mtime_us }));
    }
    return TN_OK;
}

/* Lists the folder (its key ends with '/', or is empty for the root) as far as names start with name_prefix. */
static tn_rc list_folder(listing *l, tn_str folder, tn_str name_prefix, int depth)
{
    if (depth > FOLDER_DEPTH_MAX) {
        return tn_hint(l->err,
            tn_fail(l->err, TN_E_LIMIT, "folders below '" TN_STR_FMT "' are nested deeper than %d",
                TN_STR_ARG(folder), FOLDER_DEPTH_MAX),
            "look for a link that points to one of its own parents");
    }
    tn_file_infos infos = { .v = NULL };
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_dir_list(l->arena, path_of(l->store, l->arena, folder), false, &infos, &why);
    if (rc == TN_E_NOTFOUND) {
        return TN_OK; /* an absent folder is an empty one; it may also have vanished while we walked */
    }
    if (rc != TN_OK) {
        return tn_err_pass(l->err, rc, &why);
    }
    for (size_t i = 0; i < infos.n; i++) {
        if (tn_str_starts(infos.v[i].name, name_prefix) && !is_temp_name(infos.v[i].name)) {
            TN_TRY(list_entry(l, folder, &infos.v[i], depth));
        }
    }
    return TN_OK;
}

static int by_key(const void *x, const void *y)
{
    return tn_str_cmp(((const tn_store_item *)x)->key, ((const tn_store_item *)y)->key);
}

static tn_rc local_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret, tn_err *err)
{
    listing l = { .store = s, .arena = a, .opts = opts, .err = err };
    size_t slash = tn_str_rfind_char(opts->prefix, '/');
    size_t cut = slash == SIZE_MAX ? 0 : slash + 1;
    TN_TRY(list_folder(
        &l, tn_str_sub(opts->prefix, 0, cut), tn_str_sub(opts->prefix, cut, opts->prefix.n), 0));
    if (l.items.n > 1) {
        qsort(l.items.v, l.items.n, sizeof(tn_store_item), by_key);
    }
    *ret = l.items;
    return TN_OK;
}

static void local_close(tn_store *s)
{
    tn_arena_free(((local_store *)s)->arena);
}

static tn_rc local_copy(tn_store *s, tn_str key, tn_store *from, tn_str from_key, tn_err *err);

static const tn_store_ops local_ops = {
    .name = "local",
    .get = local_get,
    .get_range = local_get_range,
    .put = local_put,
    .put_parts = local_put_parts,
    .copy = local_copy,
    .list = local_list,
    .head = local_head,
    .remove = local_remove,
    .locate = local_locate,
    .prepare = local_prepare,
    .close = local_close,
};

static tn_rc local_copy(tn_store *s, tn_str key, tn_store *from, tn_str from_key, tn_err *err)
{
    if (from->ops != &local_ops) {
        return TN_E_UNSUPPORTED;
    }
    TN_AUTO_ARENA a = tn_arena_new("store copy", NULL);
    TN_TRY(local_prepare(s, key, err));
    return tn_file_copy(path_of(from, a, from_key), path_of(s, a, key), err);
}

tn_rc tn_store_open_local(tn_str path, const tn_store_opts *opts, tn_store **ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("store open", NULL);
    tn_str root;
    TN_TRY(tn_file_absolute(scratch, path, &root, err));
    if (opts != NULL && opts->create) {
        TN_TRY(tn_dir_make(root, err));
    } else if (tn_file_exists(root) && !tn_file_is_dir(root)) {
        return tn_fail(
            err, TN_E_VALUE, "'" TN_STR_FMT "' is a file, not a folder", TN_STR_ARG(root));
    }
    while (root.n > 0 && root.p[root.n - 1] == '/') {
        root.n--;
    }
    tn_arena *a = tn_arena_new("store local", NULL);
    local_store *s = tn_new(a, local_store);
    s->arena = a;
    s->dir = tn_str_concat(a, root, TN_STR("/"));
    s->base.ops = &local_ops;
    s->base.refs = 1;
    s->base.root = root.n > 0 ? tn_str_dup(a, root) : TN_STR("/");
    *ret = &s->base;
    return TN_OK;
}
