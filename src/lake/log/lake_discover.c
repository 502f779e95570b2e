/* lake_discover.c: Delta tables lying at <schema>/<name>: the schemas are listed, then the tables of all, then each table is asked for its log; of a far lake
 * several at once. */
#include "lake/log/lake_file.h"
#include "os/file.h"
#include "os/parallel.h"
#include "text/uri.h"

enum { THREADS = 8 };

/* One listing of many; threads must not share an arena. */
typedef struct look {
    tn_arena *arena;
    tn_str prefix;
    size_t items_max;
    tn_store_items items;
} look;
typedef tn_vec(look) looks;

typedef struct search {
    tn_lake *l;
    looks looks;
    bool lenient; /* what cannot be listed is empty */
} search;

static tn_rc list_one(void *self, size_t i, tn_err *err)
{
    search *s = self;
    look *k = &s->looks.v[i];
    tn_err why = TN_ERR_INIT;
    tn_store_list_opts lo = { .prefix = k->prefix, .items_max = k->items_max };
    tn_rc rc = tn_store_list(s->l->store, k->arena, &lo, &k->items, &why);
    if (rc == TN_E_NOTFOUND || (rc != TN_OK && s->lenient && rc != TN_E_CANCELLED)) {
        k->items = (tn_store_items){ 0 };
        return TN_OK;
    }
    return rc == TN_OK ? rc : tn_err_pass(err, rc, &why);
}

static void free_look(void *p)
{
    tn_arena_free(p);
}

static void add_look(search *s, tn_arena *a, tn_str prefix, size_t items_max)
{
    look k = { .arena = tn_arena_new("discover", NULL), .prefix = prefix, .items_max = items_max };
    tn_arena_defer(a, free_look, k.arena);
    tn_vec_push(&s->looks, a, k);
}

static tn_rc list_all(search *s, tn_err *err)
{
    return tn_parallel(s->looks.n, s->l->far ? THREADS : 1, list_one, s, err);
}

/* The last component of a prefix item: "silver/prices/" -> "prices". */
static tn_str leaf(tn_str key)
{
    while (key.n > 0 && key.p[key.n - 1] == '/') {
        key.n--;
    }
    return tn_path_base(key);
}

/* The folder's name, when it can be that of a schema or a table; else empty. */
static tn_str name_of(const tn_store_item *item)
{
    tn_str name = leaf(item->key);
    return item->is_prefix && tn_lake_plain_name(name) ? name : TN_STR_NONE;
}

static bool is_known(const tn_pins *known, const tn_pin *p)
{
    const tn_pin *k = known != NULL ? tn_pins_find(known, p->schema, p->name) : NULL;
    return k != NULL;
}

tn_rc tn_lake_discover(tn_lake *l, tn_arena *a, const tn_pins *known, tn_pins *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("discover", NULL);
    search root = { .l = l }, schemas = { .l = l }, tables = { .l = l, .lenient = true };
    tn_pins found = { 0 }, out = { 0 };
    add_look(&root, scratch, TN_STR_NONE, 0);
    TN_TRY(list_all(&root, err));
    for (size_t i = 0; i < root.looks.v[0].items.n; i++) {
        tn_str name = name_of(&root.looks.v[0].items.v[i]);
        if (name.n > 0 && !tn_str_is(name, TN_LAKE_CATALOG_DIR)) {
            add_look(&schemas, scratch, tn_str_concat(scratch, name, TN_STR("/")), 0);
        }
    }
    TN_TRY(list_all(&schemas, err));
    for (size_t i = 0; i < schemas.looks.n; i++) {
        const look *k = &schemas.looks.v[i];
        for (size_t j = 0; j < k->items.n; j++) {
            tn_pin p = { .schema = leaf(k->prefix), .kind = TN_PIN_DELTA, .version = -1 };
            p.name = name_of(&k->items.v[j]);
            if (p.name.n > 0 && !is_known(known, &p)) {
                p.location = tn_lake_default_location(scratch, p.schema, p.name);
                tn_vec_push(&found, scratch, p);
                add_look(&tables, scratch,
                    tn_str_concat(scratch, p.location, TN_STR("/_delta_log/")), 1);
            }
        }
    }
    TN_TRY(list_all(&tables, err));
    for (size_t i = 0; i < found.n; i++) {
        if (tables.looks.v[i].items.n > 0) {
            tn_pin p = found.v[i];
            p.schema = tn_str_dup(a, p.schema);
            p.name = tn_str_dup(a, p.name);
            p.location = tn_str_dup(a, p.location);
            tn_vec_push(&out, a, p);
        }
    }
    *ret = out;
    return TN_OK;
}

tn_rc tn_lake_relations(
    tn_lake *l, tn_arena *a, tn_str env, tn_pins *ret, size_t *ret_pinned, tn_err *err)
{
    tn_lake_head head;
    tn_pins found;
    TN_TRY(tn_lake_head_read(l, a, env, &head, err));
    TN_TRY(tn_lake_discover(l, a, &head.pins, &found, err));
    tn_pins out = head.pins;
    size_t pinned = out.n;
    for (size_t i = 0; i < found.n; i++) {
        tn_vec_push(&out, a, found.v[i]);
    }
    *ret = out;
    *ret_pinned = pinned;
    return TN_OK;
}
