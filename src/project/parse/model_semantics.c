/* model_semantics.c: what a model's own entry says of semantics: `semantic_model:`, `entity:` and `dimension:` of its columns,
 * `derived_semantics:` and `metrics:`. It is spelled as entries of the lists `semantic_models:` and `metrics:`, which is what all the rest knows.
 *
 * Names and descriptions that are not given are the column's; the column itself becomes `expr` of what is called otherwise. Versions of models
 * have no semantics, in dbt neither.
 */
#include "project/node/semantic_form.h"
#include "project/parse/parse_priv.h"

static void put_given(tn_dict *into, const char *key, tn_val v)
{
    if (tn_val_is_given(v)) {
        tn_dict_putz(into, key, v);
    }
}

static void put_same(tn_dict *into, tn_val from, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        put_given(into, *keys, tn_val_at(from, *keys));
    }
}

/* {"meta": meta} */
static tn_val config_with(tn_arena *a, tn_val meta)
{
    tn_val out = tn_val_dict(a);
    tn_dict_putz(out.dict, "meta", tn_value_or_dict(a, meta));
    return out;
}

/* ---- columns ---- */

/* An element that a column is, as far as entities and dimensions are alike. */
static tn_val element_of(tn_arena *a, tn_val column, tn_val said)
{
    static const char *const same[] = { "type", "label", "description", NULL };
    tn_val out = tn_val_dict(a), name = tn_val_at(column, "name");
    tn_dict_putz(out.dict, "name", name);
    put_given(out.dict, "description", tn_val_at(column, "description"));
    if (tn_val_is_str(said)) {
        tn_dict_putz(out.dict, "type", said);
        return out;
    }
    put_same(out.dict, said, same);
    put_given(out.dict, "name", tn_val_at(said, "name"));
    if (!tn_val_eq(tn_val_at(out, "name"), name)) {
        tn_dict_putz(out.dict, "expr", name);
    }
    return out;
}

/* `meta` of an entity stands in place of the column's. */
static tn_val entity_of(tn_arena *a, tn_val column, tn_val said)
{
    tn_val out = element_of(a, column, said);
    tn_val own = tn_val_at(tn_val_at(said, "config"), "meta");
    tn_val above = tn_val_at(tn_val_at(column, "config"), "meta");
    tn_dict_putz(out.dict, "config", config_with(a, tn_val_is_given(own) ? own : above));
    return out;
}

static void put_granularity(tn_arena *a, tn_dict *into, tn_val grain, tn_val validity)
{
    if (tn_val_is_given(grain)) {
        tn_val params = tn_val_dict(a);
        tn_dict_putz(params.dict, "time_granularity", grain);
        put_given(params.dict, "validity_params", validity);
        tn_dict_putz(into, "type_params", params);
    }
}

/* `meta` of a dimension lies over the column's; one that is only a type has no granularity. */
static tn_val dimension_of(tn_arena *a, tn_val column, tn_val said)
{
    tn_val out = element_of(a, column, said), meta = tn_val_dict(a);
    tn_value_put_all(meta.dict, tn_val_at(tn_val_at(column, "config"), "meta"));
    if (said.tag == TN_DICT) {
        tn_value_put_all(meta.dict, tn_val_at(tn_val_at(said, "config"), "meta"));
        put_given(out.dict, "is_partition", tn_val_at(said, "is_partition"));
        put_granularity(
            a, out.dict, tn_val_at(column, "granularity"), tn_val_at(said, "validity_params"));
    }
    tn_dict_putz(out.dict, "config", config_with(a, meta));
    return out;
}

/* ---- derived_semantics ---- */

static tn_val derived_of(tn_arena *a, tn_val said, bool dimension)
{
    static const char *const same[] = { "name", "type", "description", "label", "expr",
        "is_partition", NULL };
    tn_val out = tn_val_dict(a);
    put_same(out.dict, said, same);
    if (dimension) {
        put_granularity(
            a, out.dict, tn_val_at(said, "granularity"), tn_val_at(said, "validity_params"));
    }
    tn_dict_putz(out.dict, "config", config_with(a, tn_val_at(tn_val_at(said, "config"), "meta")));
    return out;
}

static void add_derived(tn_arena *a, tn_list *into, tn_val entry, const char *key)
{
    tn_val list = tn_val_at(tn_val_at(entry, "derived_semantics"), key);
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_list_push(into, derived_of(a, list.list->v[i], strcmp(key, "dimensions") == 0));
    }
}

/* ---- the entries ---- */

bool tn_model_has_semantics(tn_val entry)
{
    tn_val said = tn_val_at(entry, "semantic_model"), on = tn_val_at(said, "enabled");
    return said.tag == TN_BOOL ? tn_val_truthy(said)
                               : said.tag == TN_DICT && (tn_val_is_undef(on) || tn_val_truthy(on));
}

/* As dbt has it, `enabled` and `group` count only beside a `config`. */
static tn_val model_config(tn_arena *a, tn_val said)
{
    static const char *const same[] = { "enabled", "group", NULL };
    tn_val out = tn_val_dict(a), own = tn_val_at(said, "config");
    if (own.tag == TN_DICT) {
        tn_dict_putz(out.dict, "enabled", TN_VAL_TRUE);
        put_same(out.dict, said, same);
        tn_dict_putz(out.dict, "meta", tn_value_or_dict(a, tn_val_at(own, "meta")));
    }
    return out;
}

static tn_str semantic_name(tn_val entry, tn_str model)
{
    return tn_val_str_at(tn_val_at(entry, "semantic_model"), "name", model);
}

tn_val tn_model_semantics(tn_arena *a, tn_val entry, tn_str model)
{
    tn_val columns = tn_columns_of(a, tn_val_at(entry, "columns"));
    tn_val out = tn_val_dict(a), entities = tn_val_list(a), dimensions = tn_val_list(a),
           defaults = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(columns.dict, &at)) != NULL) {
        tn_val entity = tn_val_at(it->value, "entity"),
               dimension = tn_val_at(it->value, "dimension");
        if (tn_val_is_given(entity)) {
            tn_list_push(entities.list, entity_of(a, it->value, entity));
        }
        if (tn_val_is_given(dimension)) {
            tn_list_push(dimensions.list, dimension_of(a, it->value, dimension));
        }
    }
    add_derived(a, entities.list, entry, "entities");
    add_derived(a, dimensions.list, entry, "dimensions");
    tn_dict_putz(out.dict, "name", tn_val_str(semantic_name(entry, model)));
    tn_dict_putz(out.dict, "model",
        tn_val_str(tn_str_printf(a, "ref('" TN_STR_FMT "')", TN_STR_ARG(model))));
    tn_dict_putz(
        out.dict, "description", tn_val_str(tn_val_str_at(entry, "description", TN_STR(""))));
    put_given(defaults.dict, "agg_time_dimension", tn_val_at(entry, "agg_time_dimension"));
    tn_dict_putz(out.dict, "defaults", defaults);
    put_given(out.dict, "primary_entity", tn_val_at(entry, "primary_entity"));
    tn_dict_putz(out.dict, "entities", entities);
    tn_dict_putz(out.dict, "dimensions", dimensions);
    tn_dict_putz(out.dict, "config", model_config(a, tn_val_at(entry, "semantic_model")));
    return out;
}

tn_val tn_model_metric(tn_arena *a, tn_val entry, tn_val metric, tn_str model)
{
    tn_val out = tn_val_dict(a);
    tn_value_put_all(out.dict, metric);
    if (tn_str_is(tn_val_str_at(metric, "type", TN_STR("simple")), "simple")) {
        tn_dict_putz(out.dict, "semantic_model", tn_val_str(semantic_name(entry, model)));
        if (!tn_val_truthy(tn_val_at(metric, "agg_time_dimension"))) {
            put_given(out.dict, "agg_time_dimension", tn_val_at(entry, "agg_time_dimension"));
        }
    }
    return out;
}
