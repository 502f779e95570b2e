/* delta_vacuum_find.c: what a VACUUM may remove, found in the table's folder.
 *
 * Top folders (partitions) are listed by several threads. A bucket is listed in pages; a folder of a disk has no pages. A bucket with very many folders
 * is cheaper to list as a whole.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/care/delta_vacuum.h"
#include "os/parallel.h"
#include "text/uri.h"

#define LOG_DIR "_delta_log/"
enum { PAGE_ITEMS = 50000, FOLDERS_MAX = 200 };

typedef struct lister {
    tn_delta_vacuum_run *v;
    tn_strs folders; /* below the root */
} lister;

tn_str tn_delta_vacuum_key(tn_arena *a, tn_str key)
{
    if (tn_str_find(key, TN_STR("//"), 0) == SIZE_MAX &&
        tn_str_find(key, TN_STR("./"), 0) == SIZE_MAX) {
        return key;
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_str rest = key;
    while (rest.n > 0) {
        tn_str part;
        tn_str tail;
        bool more = tn_str_cut(rest, '/', &part, &tail);
        rest = more ? tail : TN_STR("");
        if (part.n > 0 && !tn_str_is(part, ".")) {
            tn_buf_addz(&b, b.n > 0 ? "/" : "");
            tn_buf_add(&b, part);
        }
    }
    return tn_buf_str(&b);
}

bool tn_delta_vacuum_is_outside(tn_str place)
{
    return tn_delta_path_is_absolute(place) || tn_str_find(place, TN_STR(".."), 0) != SIZE_MAX;
}

/* Hidden: a part begins with '_' or '.', but is neither _change_data nor the folder of a partition column. */
static bool is_hidden(const tn_delta_meta *m, tn_str key)
{
    tn_str rest = key;
    while (rest.n > 0) {
        tn_str part;
        tn_str tail;
        tn_str column;
        tn_str value;
        bool folder = tn_str_cut(rest, '/', &part, &tail);
        rest = folder ? tail : TN_STR("");
        bool odd = part.n > 0 && (part.p[0] == '_' || part.p[0] == '.');
        bool partition = folder && tn_str_cut(part, '=', &column, &value) &&
                         tn_delta_partition_index(m, column) != SIZE_MAX;
        if (odd && !partition && !(folder && tn_str_is(part, "_change_data"))) {
            return true;
        }
    }
    return false;
}

/* "sub/" of "sub/_delta_log/..". */
static void take_table(tn_delta_vacuum_run *v, tn_str key)
{
    size_t at = tn_str_find(key, TN_STR("/" LOG_DIR), 0);
    if (at == SIZE_MAX) {
        return;
    }
    tn_str folder = tn_str_sub(key, 0, at + 1);
    if (v->tables.n == 0 || !tn_str_eq(tn_vec_last(&v->tables), folder)) {
        tn_vec_push(&v->tables, v->a, tn_str_dup(v->a, folder));
    }
}

static void take_items(tn_delta_vacuum_run *v, const tn_store_items *items)
{
    TN_LOCKED(&v->mutex);
    for (size_t i = 0; i < items->n; i++) {
        tn_store_item item = items->v[i];
        if (item.is_prefix) {
            continue;
        }
        take_table(v, item.key);
        if (item.mtime_us / 1000 < v->cut_ms && !is_hidden(&v->s->meta, item.key) &&
            !tn_delta_vacuum_needs(v, item.key)) {
            item.key = tn_str_dup(v->a, item.key);
            item.etag = TN_STR_NONE;
            tn_vec_push(&v->found, v->a, item);
        }
    }
}

static tn_rc list_folder(void *self, size_t i, tn_err *err)
{
    lister *l = self;
    bool paged = tn_uri_is_remote(l->v->t->store->root);
    tn_store_list_opts o = {
        .prefix = l->folders.v[i], .flat = true, .items_max = paged ? PAGE_ITEMS : 0
    };
    TN_AUTO_ARENA last = tn_arena_new("delta vacuum page", NULL);
    for (bool more = true; more;) {
        TN_AUTO_ARENA a = tn_arena_new("delta vacuum listing", NULL);
        tn_store_items items = { 0 };
        TN_TRY(tn_store_list(l->v->t->store, a, &o, &items, err));
        take_items(l->v, &items);
        more = paged && items.n >= PAGE_ITEMS;
        if (more) {
            o.start_after = tn_str_dup(last, tn_vec_last(&items).key);
        }
    }
    return TN_OK;
}

static bool in_table(const tn_strs *tables, tn_str key)
{
    for (size_t i = 0; i < tables->n; i++) {
        if (tn_str_starts(key, tables->v[i])) {
            return true;
        }
    }
    return false;
}

static int by_key(const void *x, const void *y)
{
    return tn_str_cmp(((const tn_store_item *)x)->key, ((const tn_store_item *)y)->key);
}

static void settle(tn_delta_vacuum_run *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->found.n; i++) {
        if (!in_table(&v->tables, v->found.v[i].key)) {
            v->found.v[kept++] = v->found.v[i];
        }
    }
    v->found.n = kept;
    if (kept > 1) {
        qsort(v->found.v, kept, sizeof v->found.v[0], by_key);
    }
}

tn_rc tn_delta_vacuum_list(tn_delta_vacuum_run *v, tn_err *err)
{
    lister l = { .v = v };
    tn_store_items top = { 0 };
    tn_store_list_opts o = { .flat = false };
    TN_TRY(tn_store_list(v->t->store, v->a, &o, &top, err));
    take_items(v, &top);
    for (size_t i = 0; i < top.n; i++) {
        tn_str inside = tn_str_concat(v->a, top.v[i].key, TN_STR("x"));
        if (top.v[i].is_prefix && !is_hidden(&v->s->meta, inside)) {
            tn_vec_push(&l.folders, v->a, top.v[i].key);
        }
    }
    if (l.folders.n > FOLDERS_MAX && tn_uri_is_remote(v->t->store->root)) {
        v->found.n = 0;
        l.folders.v[0] = TN_STR("");
        l.folders.n = 1;
    }
    TN_TRY(tn_parallel(l.folders.n, TN_DELTA_VACUUM_THREADS, list_folder, &l, err));
    settle(v);
    return TN_OK;
}
