/* node_result.c: see node_result.h. */
#include "run/value/node_result.h"

#include "text/timetext.h"

const char *tn_status_name(tn_status s)
{
    static const char *const names[] = { "none", "success", "pass", "warn", "fail", "error",
        "skipped", "no-op", "partial success" };
    return names[s];
}

tn_str tn_node_where(tn_arena *a, const tn_node *n)
{
    return tn_str_printf(a, "%s " TN_STR_FMT " (" TN_STR_FMT ")", tn_node_type_name(n),
        TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path));
}

tn_str tn_report_time(tn_arena *a, int64_t us, const char *suffix)
{
    tn_buf b = tn_buf_init(a, 64);
    if (us > 0) {
        tn_iso_micros(&b, us, 6, 'T', suffix);
    }
    return tn_buf_str(&b);
}

tn_str tn_report_materialized(const tn_node *n)
{
    return tn_node_config_str(n, "materialized", TN_STR("view"));
}

const char *tn_report_status(const tn_node_result *r)
{
    if (r->node->kind == TN_NODE_SOURCE && r->status == TN_ST_FAIL) {
        return "error";
    }
    if (r->node->kind == TN_NODE_SOURCE && r->status == TN_ST_ERROR) {
        return "runtime error";
    }
    return tn_status_name(r->status);
}

double tn_report_seconds(const tn_node_result *r)
{
    return (double)(r->finished_us - r->started_us) / 1e6;
}

/* What has no relation of its own shows none; a unit test only the schema of its model. */
static tn_val relation_info(tn_arena *a, const tn_node *n)
{
    tn_val d = tn_val_dict(a);
    bool unit = n->kind == TN_NODE_UNIT_TEST,
         none = n->kind == TN_NODE_EXPOSURE || n->kind == TN_NODE_SAVED_QUERY;
    tn_str empty = TN_STR("");
    tn_dict_putz(
        d.dict, "alias", tn_val_str(unit || none || n->kind == TN_NODE_SOURCE ? empty : n->alias));
    tn_dict_putz(d.dict, "database", tn_val_str(unit || none ? empty : n->database));
    tn_dict_putz(d.dict, "relation_name", tn_val_str(unit || none ? empty : n->relation_name));
    tn_dict_putz(d.dict, "schema", tn_val_str(none ? empty : n->schema));
    return d;
}

/* A unit test that was carried out is shown as the node that dbt makes of it. */
static void as_built_unit_test(tn_arena *a, tn_val info, const tn_node *n)
{
    tn_val rel = tn_val_at(info, "node_relation");
    tn_dict_putz(info.dict, "materialized", tn_val_z("unit"));
    tn_dict_putz(info.dict, "node_path",
        tn_val_str(tn_str_printf(a, "models/" TN_STR_FMT ".sql", TN_STR_ARG(n->name))));
    tn_dict_putz(rel.dict, "alias", tn_val_str(n->name));
    tn_dict_putz(rel.dict, "database", tn_val_str(n->database));
}

tn_val tn_report_node_info(tn_arena *a, const tn_node_result *r, const char *status)
{
    const tn_node *n = r->node;
    tn_val d = tn_val_dict(a), meta = tn_node_config(n, "meta");
    bool bare = n->kind == TN_NODE_UNIT_TEST || n->kind == TN_NODE_EXPOSURE ||
                n->kind == TN_NODE_SAVED_QUERY || n->kind == TN_NODE_SOURCE;
    int64_t finished = status != NULL && r->status != TN_ST_SKIPPED ? r->finished_us : 0;
    tn_dict_putz(d.dict, "materialized", tn_val_str(bare ? TN_STR("") : tn_report_materialized(n)));
    tn_dict_putz(d.dict, "meta", meta.tag == TN_DICT ? meta : tn_val_dict(a));
    tn_dict_putz(d.dict, "node_checksum", tn_val_str(n->checksum));
    tn_dict_putz(d.dict, "node_finished_at", tn_val_str(tn_report_time(a, finished, "")));
    tn_dict_putz(d.dict, "node_name", tn_val_str(n->name));
    tn_dict_putz(d.dict, "node_path", tn_val_str(n->path));
    tn_dict_putz(d.dict, "node_relation", relation_info(a, n));
    tn_dict_putz(d.dict, "node_started_at",
        tn_val_str(tn_report_time(a, status != NULL ? r->started_us : 0, "")));
    tn_dict_putz(d.dict, "node_status", tn_val_z(status != NULL ? status : "None"));
    tn_dict_putz(d.dict, "resource_type", tn_val_z(tn_node_type_name(n)));
    tn_dict_putz(d.dict, "unique_id", tn_val_str(n->unique_id));
    if (n->kind == TN_NODE_UNIT_TEST && status == NULL && r->status != TN_ST_ERROR) {
        as_built_unit_test(a, d, n);
    }
    return d;
}

tn_val tn_report_data(tn_arena *a, const tn_node_result *r, const char *status)
{
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "node_info", tn_report_node_info(a, r, status));
    return data;
}
