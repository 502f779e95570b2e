/* lake_place.c: which environment may write where. A table's place belongs to the environment that wrote there first; every other one
 * that has it pinned reads it, and writes its own table below _tarn/tables/<env>/ (docs/decisions/005-environments.md). */
#include "delta/delta_maint.h"
#include "lake/log/lake_file.h"
#include "os/parallel.h"

typedef struct reading { /* newest commits of other environments, several at once */
    tn_lake *l;
    tn_strs envs;
    const int64_t *commits;
    tn_arena **arenas; /* of each; threads must not share one */
    tn_pins *pins;
} reading;

static tn_rc read_one(void *self, size_t i, tn_err *err)
{
    reading *r = self;
    return tn_lake_commit_pins(r->l, r->arenas[i], r->commits[i], &r->pins[i], err);
}

static void take_places(tn_arena *a, tn_str env, const tn_pins *pins, tn_lake_takens *out)
{
    for (size_t i = 0; i < pins->n; i++) {
        if (pins->v[i].kind == TN_PIN_DELTA) {
            tn_lake_taken t = { tn_str_dup(a, pins->v[i].location), env,
                tn_str_eq(pins->v[i].owner, env) };
            tn_vec_push(out, a, t);
        }
    }
}

tn_rc tn_lake_taken_read(tn_lake *l, tn_arena *a, tn_str env, tn_lake_takens *ret, tn_err *err)
{
    enum { THREADS = 8 };
    tn_val envs = TN_VAL_UNDEF;
    tn_lake_takens out = { 0 };
    reading r = { .l = l };
    tn_vec(int64_t) commits = { 0 };
    TN_TRY(tn_lake_envs_recent(l, a, &envs, err));
    size_t at = 0;
    const tn_dict_item *it;
    while (envs.tag == TN_DICT && (it = tn_dict_next(envs.dict, &at)) != NULL) {
        if (!tn_str_eq(tn_val_as_str(it->key), env) && it->value.tag == TN_INT) {
            tn_vec_push(&r.envs, a, tn_val_as_str(it->key));
            tn_vec_push(&commits, a, it->value.i);
        }
    }
    r.commits = commits.v;
    r.arenas = tn_new_array(a, tn_arena *, r.envs.n + 1);
    r.pins = tn_new_array(a, tn_pins, r.envs.n + 1);
    for (size_t i = 0; i < r.envs.n; i++) {
        r.arenas[i] = tn_arena_new("taken", NULL);
    }
    tn_rc rc = tn_parallel(r.envs.n, l->far ? THREADS : 1, read_one, &r, err);
    for (size_t i = 0; i < r.envs.n; i++) {
        if (rc == TN_OK) {
            take_places(a, r.envs.v[i], &r.pins[i], &out);
        }
        tn_arena_free(r.arenas[i]);
    }
    TN_TRY(rc);
    *ret = out;
    return TN_OK;
}

/* The environment that writes at a location; NULL when env may. */
static const tn_lake_taken *taken_by(
    tn_str env, const tn_lake_takens *taken, const tn_pin *own, tn_str location)
{
    bool mine = own != NULL && own->kind == TN_PIN_DELTA && tn_str_eq(own->owner, env) &&
                tn_str_eq(own->location, location);
    for (size_t i = 0; i < taken->n; i++) {
        const tn_lake_taken *t = &taken->v[i];
        /* Two that wrote a new table at the same moment both call it theirs: the first by name keeps it. */
        if (tn_str_eq(t->location, location) &&
            (!mine || (t->owned && tn_str_cmp(t->env, env) < 0))) {
            return t;
        }
    }
    return NULL;
}

static tn_str place_of(tn_arena *a, const tn_pin *own, tn_str schema, tn_str name)
{
    return own != NULL && own->kind == TN_PIN_DELTA ? own->location
                                                    : tn_lake_default_location(a, schema, name);
}

tn_str tn_lake_write_location(tn_arena *a, tn_str env, const tn_lake_takens *taken,
    const tn_pin *own, tn_str schema, tn_str name, tn_str wanted)
{
    tn_str at = wanted.n > 0 ? wanted : place_of(a, own, schema, name);
    return taken_by(env, taken, own, at) != NULL
               ? tn_str_printf(a, TN_LAKE_TABLES_DIR "/" TN_STR_FMT "/" TN_STR_FMT "/" TN_STR_FMT,
                     TN_STR_ARG(env), TN_STR_ARG(schema), TN_STR_ARG(name))
               : at;
}

/* A table that is there already holds what was never published: its rows are replaced by the pinned ones. */
static tn_rc replace_rows(tn_lake *l, tn_conn *conn, const tn_pin *pin,
    const tn_delta_snapshot *from, tn_delta_table *to, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("replace", NULL);
    tn_str sql;
    tn_delta_write_result result;
    tn_delta_write_opts opts = { .mode = TN_DELTA_OVERWRITE,
        .schema_mode = TN_SCHEMA_OVERWRITE,
        .partition_by = tn_delta_snapshot_meta(from)->partition_columns,
        .properties = TN_VAL_UNDEF,
        .operation_parameters = TN_VAL_UNDEF,
        .user_metadata = TN_VAL_UNDEF };
    TN_TRY(tn_lake_pin_sql(l, conn, a, pin, &sql, err));
    return tn_delta_write(to, conn, sql, &opts, &result, err);
}

tn_rc tn_lake_bring(tn_lake *l, tn_conn *conn, const tn_pin *pin, tn_str location, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) from = NULL;
    TN_AUTOPTR(tn_delta_table) to = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    int64_t version = pin->version < 0 ? TN_DELTA_LATEST : pin->version;
    bool there = false;
    TN_TRY(tn_lake_table_open(l, pin->location, &from, err));
    TN_TRY(tn_lake_table_open(l, location, &to, err));
    TN_TRY(tn_delta_table_exists(to, &there, err));
    if (there) {
        TN_TRY(tn_delta_snapshot_open(from, conn, version, &s, err));
        return replace_rows(l, conn, pin, s, to, err);
    }
    tn_delta_clone_result cloned;
    tn_delta_clone_opts opts = { .version = version, .shallow = true };
    return tn_delta_clone(from, conn, &opts, to, &cloned, err);
}

tn_rc tn_lake_own_place(tn_lake *l, tn_arena *a, tn_conn *conn, const tn_lake_own *own,
    tn_str *io_location, tn_err *err)
{
    const tn_pin *pin = own->pin;
    tn_lake_takens taken = { 0 };
    TN_TRY(tn_lake_taken_read(l, a, own->env, &taken, err));
    tn_str at =
        tn_lake_write_location(a, own->env, &taken, pin, own->schema, own->name, *io_location);
    bool moves = pin != NULL && pin->kind == TN_PIN_DELTA && !tn_str_eq(*io_location, at) &&
                 tn_str_eq(pin->location, *io_location);
    if (moves && own->with_rows) {
        TN_TRY(tn_lake_bring(l, conn, pin, at, err));
    }
    *io_location = at;
    return TN_OK;
}
