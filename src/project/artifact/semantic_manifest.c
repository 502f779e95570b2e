/* semantic_manifest.c: semantic_manifest.json, filled from the entries of the manifest. */
#include "project/manifest.h"
#include "project/node/semantic_form.h"
#include "text/json.h"

/* ---- the forms of MetricFlow's classes where they differ from the manifest's ---- */

static const tn_form_field entity_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "description", TN_FORM_ANY, NULL, NULL }, { "type", TN_FORM_WORD, NULL, NULL },
    { "role", TN_FORM_ANY, NULL, NULL }, { "expr", TN_FORM_ANY, NULL, NULL },
    { "metadata", TN_FORM_ANY, NULL, NULL }, { "label", TN_FORM_ANY, NULL, NULL },
    { "config", TN_FORM_META, NULL, NULL } };
static const tn_form entity_form = TN_FORM(entity_fields);

static const tn_form_field measure_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "agg", TN_FORM_WORD, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "create_metric", TN_FORM_FALSE, NULL, NULL }, { "expr", TN_FORM_ANY, NULL, NULL },
    { "agg_params", TN_FORM_ANY, NULL, NULL }, { "metadata", TN_FORM_ANY, NULL, NULL },
    { "non_additive_dimension", TN_FORM_ANY, NULL, NULL },
    { "agg_time_dimension", TN_FORM_ANY, NULL, NULL }, { "label", TN_FORM_ANY, NULL, NULL },
    { "config", TN_FORM_META, NULL, NULL } };
static const tn_form measure_form = TN_FORM(measure_fields);

static const tn_form_field dimension_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "description", TN_FORM_ANY, NULL, NULL }, { "type", TN_FORM_WORD, NULL, NULL },
    { "datatype", TN_FORM_ANY, NULL, NULL }, { "is_partition", TN_FORM_FALSE, NULL, NULL },
    { "type_params", TN_FORM_ANY, NULL, NULL }, { "expr", TN_FORM_ANY, NULL, NULL },
    { "metadata", TN_FORM_ANY, NULL, NULL }, { "label", TN_FORM_ANY, NULL, NULL },
    { "config", TN_FORM_META, NULL, NULL } };
static const tn_form dimension_form = TN_FORM(dimension_fields);

static const tn_form_field model_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "defaults", TN_FORM_ANY, NULL, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "node_relation", TN_FORM_ANY, NULL, NULL }, { "primary_entity", TN_FORM_ANY, NULL, NULL },
    { "entities", TN_FORM_EACH, &entity_form, NULL },
    { "measures", TN_FORM_EACH, &measure_form, NULL },
    { "dimensions", TN_FORM_EACH, &dimension_form, NULL }, { "label", TN_FORM_ANY, NULL, NULL },
    { "metadata", TN_FORM_ANY, NULL, NULL }, { "config", TN_FORM_META, NULL, NULL } };
static const tn_form model_form = TN_FORM(model_fields);

static const tn_form_field metric_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "description", TN_FORM_ANY, NULL, NULL }, { "type", TN_FORM_WORD, NULL, NULL },
    { "datatype", TN_FORM_ANY, NULL, NULL },
    { "type_params", TN_FORM_ONE, &tn_form_type_params, NULL },
    { "filter", TN_FORM_FILTER, NULL, NULL }, { "metadata", TN_FORM_ANY, NULL, NULL },
    { "label", TN_FORM_ANY, NULL, NULL }, { "config", TN_FORM_META, NULL, NULL },
    { "time_granularity", TN_FORM_ANY, NULL, NULL } };
static const tn_form metric_form = TN_FORM(metric_fields);

static const tn_form_field query_fields[] = { { "metrics", TN_FORM_LIST, NULL, NULL },
    { "group_by", TN_FORM_LIST, NULL, NULL }, { "order_by", TN_FORM_LIST, NULL, NULL },
    { "limit", TN_FORM_ANY, NULL, NULL }, { "where", TN_FORM_FILTER, NULL, NULL } };
static const tn_form query_form = TN_FORM(query_fields);

static const tn_form_field export_config_fields[] = { { "export_as", TN_FORM_ANY, NULL, NULL },
    { "schema_name", TN_FORM_ANY, NULL, NULL }, { "alias", TN_FORM_ANY, NULL, NULL } };
static const tn_form export_config_form = TN_FORM(export_config_fields);

static const tn_form_field export_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "config", TN_FORM_ONE, &export_config_form, NULL } };
static const tn_form export_form = TN_FORM(export_fields);

static const tn_form_field saved_query_fields[] = { { "name", TN_FORM_ANY, NULL, NULL },
    { "query_params", TN_FORM_ONE, &query_form, NULL }, { "description", TN_FORM_ANY, NULL, NULL },
    { "metadata", TN_FORM_ANY, NULL, NULL }, { "label", TN_FORM_ANY, NULL, NULL },
    { "exports", TN_FORM_EACH, &export_form, NULL }, { "tags", TN_FORM_LIST, NULL, NULL } };
static const tn_form saved_query_form = TN_FORM(saved_query_fields);

/* ---- the file ---- */

static void write_kind(tn_project *p, tn_json_writer *w, tn_node_kind kind, const tn_form *form)
{
    tn_jw_arr(w);
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (p->nodes.v[i]->kind == kind) {
            TN_AUTO_ARENA a = tn_arena_new("semantic manifest", NULL);
            tn_jw_val(w, tn_form_fill(a, form, tn_node_dict(a, p->nodes.v[i])));
        }
    }
    tn_jw_arr_end(w);
}

static tn_val time_spine(tn_arena *a, const tn_node *n)
{
    tn_val out = tn_val_dict(a), column = tn_val_dict(a);
    tn_str name = tn_val_str_at(n->time_spine, "standard_granularity_column", TN_STR_NONE);
    const tn_val *is = n->columns.tag == TN_DICT ? tn_dict_finds(n->columns.dict, name) : NULL;
    tn_dict_putz(column.dict, "name", tn_val_str(name));
    tn_dict_putz(
        column.dict, "time_granularity", is != NULL ? tn_val_at(*is, "granularity") : TN_VAL_NONE);
    tn_dict_putz(out.dict, "node_relation", tn_semantic_relation(a, n));
    tn_dict_putz(out.dict, "primary_column", column);
    tn_dict_putz(
        out.dict, "custom_granularities", tn_val_at(n->time_spine, "custom_granularities"));
    return out;
}

/* A model of this name was the time spine before models could say that they are one. */
static tn_val old_time_spine(tn_arena *a, const tn_node *n)
{
    tn_val out = tn_val_dict(a);
    tn_dict_putz(out.dict, "location", tn_val_str(n->relation_name));
    tn_dict_putz(out.dict, "column_name", tn_val_z("date_day"));
    tn_dict_putz(out.dict, "grain", tn_val_z("day"));
    return out;
}

static tn_val project_configuration(const tn_project *p, tn_arena *a)
{
    tn_val out = tn_val_dict(a), version = tn_val_dict(a), spines = tn_val_list(a),
           old = tn_val_list(a);
    bool any = false;
    for (size_t i = 0; i < p->nodes.n; i++) {
        any = any || p->nodes.v[i]->kind == TN_NODE_SEMANTIC_MODEL;
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->kind == TN_NODE_MODEL && n->time_spine.tag == TN_DICT) {
            tn_list_push(spines.list, time_spine(a, n));
        } else if (any && n->kind == TN_NODE_MODEL && tn_str_is(n->name, "metricflow_time_spine")) {
            tn_list_push(old.list, old_time_spine(a, n));
        }
    }
    /* The version of the format: that of the metricflow package of dbt 1.12.6. */
    tn_dict_putz(version.dict, "major_version", tn_val_z("0"));
    tn_dict_putz(version.dict, "minor_version", tn_val_z("213"));
    tn_dict_putz(version.dict, "patch_version", tn_val_z("0"));
    tn_dict_putz(out.dict, "time_spine_table_configurations", old);
    tn_dict_putz(out.dict, "metadata", TN_VAL_NONE);
    tn_dict_putz(out.dict, "dsi_package_version", version);
    tn_dict_putz(out.dict, "time_spines", spines);
    return out;
}

void tn_semantic_manifest_write(tn_project *p, tn_buf *b)
{
    TN_AUTO_ARENA a = tn_arena_new("semantic manifest", NULL);
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "semantic_models");
    write_kind(p, &w, TN_NODE_SEMANTIC_MODEL, &model_form);
    tn_jw_key(&w, "metrics");
    write_kind(p, &w, TN_NODE_METRIC, &metric_form);
    tn_jw_key(&w, "project_configuration");
    tn_jw_val(&w, project_configuration(p, a));
    tn_jw_key(&w, "saved_queries");
    write_kind(p, &w, TN_NODE_SAVED_QUERY, &saved_query_form);
    tn_jw_obj_end(&w);
}
