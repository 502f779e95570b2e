/* lake_known.c: versions of tables that this handle of a far lake has committed itself, so that publishing them asks for nothing; and what is told of
 * a version in a pin. */
#include "lake/lake_remote.h"
#include "lake/log/lake_file.h"
#include "os/parallel.h"
#include "text/hash.h"
#include "text/json.h"

enum {
    CRC_BYTES_MAX = 16 << 20,
    HASH_DIGITS = 16,
    ASKED_MAX = 200,
    THREADS = 8,
    FILES_MAX = 300000
};

/* ---- committed here ---- */

/* Big tables are read again: their lists of files would fill the memory. */
static void remember(void *self, tn_delta_snapshot *s)
{
    tn_lake *l = self;
    size_t files = tn_delta_snapshot_file_count(s);
    TN_LOCKED(&l->lock);
    for (size_t i = 0; i < TN_LAKE_KNOWN_MAX && files <= FILES_MAX; i++) { /* the oldest go first */
        tn_delta_snapshot **old = &l->known[(l->known_at + i) % TN_LAKE_KNOWN_MAX];
        size_t n = *old != NULL ? tn_delta_snapshot_file_count(*old) : 0;
        if (i == 0 || l->known_files + files > FILES_MAX) {
            tn_delta_snapshot_unref(*old);
            *old = NULL;
            l->known_files -= n;
        }
    }
    if (files <= FILES_MAX) {
        l->known[l->known_at++ % TN_LAKE_KNOWN_MAX] = tn_delta_snapshot_ref(s);
        l->known_files += files;
    }
}

void tn_lake_watch(tn_lake *l, tn_delta_table *t)
{
    if (l->far) {
        tn_delta_table_watch(t, remember, l);
    }
}

tn_delta_snapshot *tn_lake_known(tn_lake *l, const tn_pin *p)
{
    TN_AUTO_ARENA a = tn_arena_new("known", NULL);
    tn_str root = l->far ? tn_lake_absolute(a, l, p->location) : TN_STR_NONE;
    TN_LOCKED(&l->lock);
    for (size_t i = 0; i < TN_LAKE_KNOWN_MAX;
        i++) { /* the newest of several is met in any order: versions differ */
        tn_delta_snapshot *s = l->known[i];
        if (s != NULL && tn_delta_snapshot_version(s) == p->version &&
            tn_str_eq(tn_delta_snapshot_root(s), root)) {
            return tn_delta_snapshot_ref(s);
        }
    }
    return NULL;
}

void tn_lake_known_free(tn_lake *l)
{
    for (size_t i = 0; i < TN_LAKE_KNOWN_MAX; i++) {
        tn_delta_snapshot_unref(l->known[i]);
        l->known[i] = NULL;
    }
}

/* ---- what a pin says of its version ---- */

static tn_str hash_schema(tn_arena *a, tn_str json)
{
    return tn_str_sub(tn_sha256_hex(a, json), 0, HASH_DIGITS);
}

void tn_lake_pin_describe(tn_arena *a, const tn_delta_snapshot *s, tn_pin *pin)
{
    pin->schema_hash = hash_schema(a, tn_delta_snapshot_meta(s)->schema_json);
    pin->commit_hash = tn_str_dup(a, tn_delta_snapshot_hash(s));
}

/* The schema's hash from the version's checksum file; empty when that is not there. One request. */
static tn_str ask_schema(tn_lake *l, tn_arena *a, const tn_pin *p)
{
    tn_str key, text;
    tn_val v;
    tn_err ignored = TN_ERR_INIT;
    if (p->version < 0 || !tn_lake_inside_root(l, p->location, &key)) {
        return TN_STR_NONE;
    }
    key = tn_str_printf(
        a, TN_STR_FMT "/_delta_log/%020lld.crc", TN_STR_ARG(key), (long long)p->version);
    if (tn_store_get(l->store, a, key, CRC_BYTES_MAX, &text, &ignored) != TN_OK ||
        tn_json_parse(a, text, &v, &ignored) != TN_OK) {
        return TN_STR_NONE;
    }
    tn_str schema = tn_val_str_at(tn_val_at(v, "metadata"), "schemaString", TN_STR_NONE);
    return schema.n > 0 ? hash_schema(a, schema) : schema;
}

typedef struct asking {
    tn_lake *l;
    tn_pin **pins;
    char (*hashes)[HASH_DIGITS]; /* of each; not an arena, which threads must not share */
    bool *found;
} asking;

static tn_rc ask_one(void *self, size_t i, tn_err *err)
{
    (void)err;
    asking *x = self;
    TN_AUTO_ARENA a = tn_arena_new("schema hash", NULL);
    tn_str hash = ask_schema(x->l, a, x->pins[i]);
    x->found[i] = hash.n == HASH_DIGITS;
    if (x->found[i]) {
        memcpy(x->hashes[i], hash.p, HASH_DIGITS);
    }
    return TN_OK;
}

void tn_lake_describe_pins(tn_lake *l, tn_arena *a, tn_pins *pins)
{
    tn_vec(tn_pin *) ask = { 0 };
    for (size_t i = 0; i < pins->n; i++) {
        tn_pin *p = &pins->v[i];
        if (p->kind != TN_PIN_DELTA || p->schema_hash.n > 0 || p->commit_hash.n > 0) {
            continue;
        }
        TN_AUTOPTR(tn_delta_snapshot) s = tn_lake_known(l, p);
        if (s != NULL) {
            tn_lake_pin_describe(a, s, p);
        } else {
            tn_vec_push(&ask, a, p);
        }
    }
    if (ask.n == 0 || ask.n > ASKED_MAX) {
        return;
    }
    asking x = { .l = l,
        .pins = ask.v,
        .hashes = tn_arena_alloc(a, ask.n * sizeof x.hashes[0]),
        .found = tn_new_array(a, bool, ask.n) };
    (void)!tn_parallel(ask.n, l->far ? THREADS : 1, ask_one, &x, NULL);
    for (size_t i = 0; i < ask.n; i++) {
        if (x.found[i]) {
            ask.v[i]->schema_hash = tn_str_n(x.hashes[i], HASH_DIGITS);
        }
    }
}

/* ---- opening ---- */

tn_rc tn_lake_pin_open(
    tn_lake *l, tn_conn *conn, const tn_pin *pin, tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(tn_lake_remote_prepare(conn, pin->location, l->storage, err));
    tn_delta_snapshot *known = pin->version >= 0 ? tn_lake_known(l, pin) : NULL;
    if (known != NULL) {
        *ret = known;
        return TN_OK;
    }
    TN_TRY(tn_lake_table_open(l, pin->location, &table, err));
    if (pin->version >= 0 && pin->commit_hash.n > 0) {
        return tn_delta_snapshot_open_known(table, conn, pin->version, pin->commit_hash, ret, err);
    }
    return tn_delta_snapshot_open(
        table, conn, pin->version < 0 ? TN_DELTA_LATEST : pin->version, ret, err);
}

typedef struct warming {
    tn_lake *l;
    const tn_pins *pins;
} warming;

static tn_rc warm_one(void *self, size_t i, tn_err *err)
{
    (void)err;
    const warming *w = self;
    const tn_pin *p = &w->pins->v[i];
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_AUTOPTR(tn_delta_snapshot) known = NULL;
    if (p->kind != TN_PIN_DELTA || p->version < 0 || p->commit_hash.n == 0) {
        return TN_OK;
    }
    known = tn_lake_known(w->l, p);
    if (known == NULL && tn_lake_table_open(w->l, p->location, &table, NULL) == TN_OK) {
        tn_delta_warm(table, p->version, p->commit_hash);
    }
    return TN_OK;
}

void tn_lake_warm(tn_lake *l, const tn_pins *pins)
{
    warming w = { .l = l, .pins = pins };
    if (l->far && pins->n > 1) {
        (void)!tn_parallel(pins->n, THREADS, warm_one, &w, NULL);
    }
}
