/* lake_place.c: which environment may write where. A table's place belongs to the environment that wrote there first; every other one
 * that has it pinned reads it, and writes its own table below _tarn/tables/<env>/ (docs/decisions/005-environments.md). */
#include "lake/lake_file.h"

tn_rc tn_lake_taken_read(
    tn_lake *l, tn_arena *a, tn_str env, tn_lake_takens *ret, tn_err *err)
{
    tn_val envs = TN_VAL_UNDEF;
    tn_lake_takens out = { 0 };
    TN_TRY(tn_lake_envs(l, a, &envs, err));
    size_t at = 0;
    const tn_dict_item *it;
    while (envs.tag == TN_DICT && (it = tn_dict_next(envs.dict, &at)) != NULL) {
        tn_str other = tn_val_as_str(it->key);
        tn_pins pins = { 0 };
        if (tn_str_eq(other, env) || it->value.tag != TN_INT) {
            continue;
        }
        TN_TRY(tn_lake_commit_pins(l, a, it->value.i, &pins, err));
        for (size_t i = 0; i < pins.n; i++) {
            if (pins.v[i].kind == TN_PIN_DELTA) {
                tn_lake_taken t = { pins.v[i].location, other, tn_str_eq(pins.v[i].owner, other) };
                tn_vec_push(&out, a, t);
            }
        }
    }
    *ret = out;
    return TN_OK;
}

static bool is_taken(
    tn_str env, const tn_lake_takens *taken, const tn_pin *own, tn_str location)
{
    bool mine = own != NULL && own->kind == TN_PIN_DELTA && tn_str_eq(own->owner, env) &&
                tn_str_eq(own->location, location);
    for (size_t i = 0; i < taken->n; i++) {
        const tn_lake_taken *t = &taken->v[i];
        /* Two that wrote a new table at the same moment both call it theirs: the first by name keeps it. */
        if (tn_str_eq(t->location, location) &&
            (!mine || (t->owned && tn_str_cmp(t->env, env) < 0))) {
            return true;
        }
    }
    return false;
}

tn_str tn_lake_write_location(tn_arena *a, tn_str env, const tn_lake_takens *taken,
    const tn_pin *own, tn_str schema, tn_str name, tn_str wanted)
{
    tn_str at = wanted.n > 0                                   ? wanted
                : own != NULL && own->kind == TN_PIN_DELTA ? own->location
                                                           : tn_lake_default_location(a, schema, name);
    return is_taken(env, taken, own, at)
               ? tn_str_printf(a, TN_LAKE_TABLES_DIR "/" TN_STR_FMT "/" TN_STR_FMT "/" TN_STR_FMT,
                     TN_STR_ARG(env), TN_STR_ARG(schema), TN_STR_ARG(name))
               : at;
}
