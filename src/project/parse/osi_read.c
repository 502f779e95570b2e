/* osi_read.c: documents of the Open Semantic Interchange format, the *.json below `osi-paths` of the root project: each dataset becomes a semantic
 * model of the model whose table it names, each metric a metric, or three when it is a ratio.
 *
 * A field that is a primary key, a unique key or the many-side of a relationship is an entity, any other a dimension; times are days. What the
 * format says of a metric is SQL, which osi_sql.c looks at; what is no single aggregate and no ratio stays a text that is summed.
 */
#include "os/file.h"
#include "project/node/semantic_form.h"
#include "project/parse/osi_sql.h"
#include "project/parse/parse_priv.h"
#include "text/json.h"
#include "text/uri.h"

enum { DOCUMENT_BYTES_MAX = 64 << 20 };

typedef struct reader {
    tn_project *project;
    tn_arena *arena;
    tn_str path; /* to open, and for messages */
    tn_str rel;  /* below the project */
} reader;

static tn_rc refuse(const reader *r, const char *what, tn_str why, tn_err *err)
{
    return tn_fail(err, TN_E_PARSE, "%s '" TN_STR_FMT "'" TN_STR_FMT, what, TN_STR_ARG(r->path),
        TN_STR_ARG(why));
}

/* ---- datasets ---- */

/* The expression in plain SQL, or else the first. */
static tn_str expression_of(tn_val field)
{
    tn_val list = tn_val_at(tn_val_at(field, "expression"), "dialects");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        if (tn_str_is(tn_val_str_at(list.list->v[i], "dialect", TN_STR_NONE), "ANSI_SQL")) {
            return tn_val_str_at(list.list->v[i], "expression", TN_STR(""));
        }
    }
    return list.tag == TN_LIST && list.list->n > 0
               ? tn_val_str_at(list.list->v[0], "expression", TN_STR(""))
               : TN_STR("");
}

static bool listed(tn_val list, tn_str name)
{
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val one = list.list->v[i];
        if (one.tag == TN_LIST ? listed(one, name) : tn_str_eq(tn_val_as_str(one), name)) {
            return true;
        }
    }
    return false;
}

static bool is_foreign(tn_val whole, tn_str dataset, tn_str column)
{
    tn_val list = tn_val_at(whole, "relationships");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val r = list.list->v[i];
        if (tn_str_eq(tn_val_str_at(r, "from", TN_STR_NONE), dataset) &&
            listed(tn_val_at(r, "from_columns"), column)) {
            return true;
        }
    }
    return false;
}

/* NULL: it is a dimension. */
static const char *entity_type(tn_val whole, tn_val dataset, tn_str field)
{
    return listed(tn_val_at(dataset, "primary_key"), field)                        ? "primary"
           : listed(tn_val_at(dataset, "unique_keys"), field)                      ? "unique"
           : is_foreign(whole, tn_val_str_at(dataset, "name", TN_STR_NONE), field) ? "foreign"
                                                                                   : NULL;
}

static tn_val datatype_of(tn_arena *a, tn_val v)
{
    if (!tn_val_is_str(v)) {
        return TN_VAL_NONE;
    }
    return tn_str_is(tn_val_as_str(v), "DateTimeTz")
               ? tn_val_z("datetime_tz")
               : tn_val_str(tn_str_lower(a, tn_val_as_str(v)));
}

static tn_val element_of(tn_arena *a, tn_val field, const char *type)
{
    tn_val out = tn_val_dict(a), name = tn_val_at(field, "name");
    tn_str expr = expression_of(field);
    tn_dict_putz(out.dict, "name", name);
    tn_dict_putz(out.dict, "type", tn_val_z(type));
    tn_dict_putz(out.dict, "description", tn_val_at(field, "description"));
    tn_dict_putz(out.dict, "label", tn_val_at(field, "label"));
    tn_dict_putz(out.dict, "config", TN_VAL_NONE);
    if (!tn_str_eq(expr, tn_val_as_str(name))) {
        tn_dict_putz(out.dict, "expr", tn_val_str(expr));
    }
    return out;
}

static tn_val dimension_of(tn_arena *a, tn_val field)
{
    bool time = tn_val_truthy(tn_val_at(tn_val_at(field, "dimension"), "is_time"));
    tn_val out = element_of(a, field, time ? "time" : "categorical");
    tn_dict_putz(out.dict, "datatype", datatype_of(a, tn_val_at(field, "datatype")));
    if (time) {
        tn_val params = tn_val_dict(a);
        tn_dict_putz(params.dict, "time_granularity", tn_val_z("day"));
        tn_dict_putz(out.dict, "type_params", params);
    }
    return out;
}

/* "database.schema.table", "schema.table" or "table". */
static const tn_node *model_of(const reader *r, tn_str source)
{
    tn_str database = TN_STR(""), schema = TN_STR(""), table = source, first, rest, more;
    if (tn_str_cut(source, '.', &first, &rest)) {
        schema = first;
        table = rest;
        if (tn_str_cut(rest, '.', &schema, &more)) {
            database = first;
            table = more;
        } else {
            schema = first;
        }
    }
    for (size_t i = 0; i < r->project->nodes.n; i++) {
        const tn_node *n = r->project->nodes.v[i];
        if (n->kind == TN_NODE_MODEL && tn_str_eq_nocase(n->alias, table) &&
            tn_str_eq_nocase(n->schema, schema) && tn_str_eq_nocase(n->database, database)) {
            return n;
        }
    }
    return NULL;
}

static tn_rc add_node(const reader *r, tn_node_kind kind, tn_val entry, const tn_node *of,
    const char *what, tn_err *err)
{
    tn_project *p = r->project;
    tn_arena *a = r->arena;
    tn_node *n = tn_node_new(p, kind, p->package);
    n->name = n->alias = tn_val_str_at(entry, "name", TN_STR(""));
    n->path = n->original_file_path = r->rel;
    n->file = r->path;
    n->raw_line = 1;
    n->extra = entry;
    n->description = tn_val_str_at(entry, "description", TN_STR(""));
    n->config_call = tn_val_dict(a).dict;
    n->config = tn_config_defaults(a, kind);
    n->unrendered_config = tn_val_dict(a).dict;
    n->meta = tn_val_dict(a);
    n->enabled = true;
    n->unique_id = tn_str_printf(a, "%s." TN_STR_FMT "." TN_STR_FMT, tn_node_kind_name(kind),
        TN_STR_ARG(n->package_name), TN_STR_ARG(n->name));
    tn_vec_push(&n->fqn, a, n->package_name);
    tn_vec_push(&n->fqn, a, n->name);
    if (tn_map_find(&p->node_by_id, n->unique_id) != NULL) {
        return refuse(r, "OSI file",
            tn_str_printf(a,
                " defines %s '" TN_STR_FMT "' which conflicts with an existing %s in this project.",
                what, TN_STR_ARG(n->name), what),
            err);
    }
    if (of != NULL) {
        tn_vec_push(&n->refs, a, ((tn_ref){ .name = of->name, .version = TN_VAL_UNDEF }));
    }
    TN_TRY(tn_semantic_spell_out(p, n, err));
    if (kind == TN_NODE_METRIC) {
        tn_dict_putz(tn_val_at(n->extra, "type_params").dict, "metrics", TN_VAL_NONE);
    }
    return tn_node_add(p, n, err);
}

static tn_rc add_dataset(const reader *r, tn_val whole, tn_val dataset, tn_err *err)
{
    tn_arena *a = r->arena;
    tn_val entry = tn_val_dict(a), entities = tn_val_list(a), dimensions = tn_val_list(a),
           fields = tn_val_at(dataset, "fields");
    tn_str name = tn_val_str_at(dataset, "name", TN_STR("")),
           source = tn_val_str_at(dataset, "source", TN_STR(""));
    const tn_node *model = model_of(r, source);
    if (model == NULL) {
        return refuse(r, "OSI file",
            tn_str_printf(a,
                " contains dataset '" TN_STR_FMT "' (" TN_STR_FMT
                ") that does not match any dbt model in this project. Each OSI dataset must "
                "reference a table managed by a dbt model.",
                TN_STR_ARG(name), TN_STR_ARG(source)),
            err);
    }
    for (size_t i = 0; fields.tag == TN_LIST && i < fields.list->n; i++) {
        tn_val f = fields.list->v[i];
        const char *type = entity_type(whole, dataset, tn_val_str_at(f, "name", TN_STR("")));
        if (type != NULL) {
            tn_list_push(entities.list, element_of(a, f, type));
        } else {
            tn_list_push(dimensions.list, dimension_of(a, f));
        }
    }
    tn_dict_putz(entry.dict, "name", tn_val_str(name));
    tn_dict_putz(entry.dict, "model",
        tn_val_str(tn_str_printf(a, "ref('" TN_STR_FMT "')", TN_STR_ARG(model->name))));
    tn_dict_putz(entry.dict, "description", tn_val_at(dataset, "description"));
    tn_dict_putz(entry.dict, "entities", entities);
    tn_dict_putz(entry.dict, "dimensions", dimensions);
    return add_node(r, TN_NODE_SEMANTIC_MODEL, entry, model, "semantic model", err);
}

/* ---- metrics ---- */

static tn_str without_qualifier(tn_str s)
{
    size_t dot = tn_str_rfind_char(s, '.');
    return dot == SIZE_MAX ? s : tn_str_sub(s, dot + 1, s.n);
}

/* Whose the column is: the dataset that qualifies it, one that has a field of the name, or the first. */
static tn_str dataset_of(tn_val datasets, tn_str inner, tn_str column)
{
    size_t dot = tn_str_rfind_char(inner, '.');
    if (dot != SIZE_MAX) {
        return tn_str_sub(inner, 0, dot);
    }
    for (size_t i = 0; i < datasets.list->n; i++) {
        tn_val fields = tn_val_at(datasets.list->v[i], "fields");
        for (size_t k = 0; fields.tag == TN_LIST && k < fields.list->n; k++) {
            tn_val f = fields.list->v[k];
            if (tn_str_eq(tn_val_str_at(f, "name", TN_STR("")), column) ||
                tn_str_eq(without_qualifier(expression_of(f)), column)) {
                return tn_val_str_at(datasets.list->v[i], "name", TN_STR(""));
            }
        }
    }
    return datasets.list->n > 0 ? tn_val_str_at(datasets.list->v[0], "name", TN_STR(""))
                                : TN_STR("");
}

static tn_val metric_entry(
    tn_arena *a, tn_str name, const char *type, tn_val params, tn_val description)
{
    tn_val entry = tn_val_dict(a);
    tn_dict_putz(params.dict, "is_private", TN_VAL_FALSE);
    tn_dict_putz(entry.dict, "name", tn_val_str(name));
    tn_dict_putz(entry.dict, "type", tn_val_z(type));
    tn_dict_putz(entry.dict, "type_params", params);
    tn_dict_putz(entry.dict, "description", description);
    return entry;
}

static tn_rc add_simple(const reader *r, tn_str name, tn_str sql, const tn_osi_sql *known,
    tn_val datasets, tn_val description, tn_err *err)
{
    tn_arena *a = r->arena;
    tn_val params = tn_val_dict(a), by = tn_val_dict(a);
    tn_str first =
        datasets.list->n > 0 ? tn_val_str_at(datasets.list->v[0], "name", TN_STR("")) : TN_STR("");
    tn_dict_putz(params.dict, "expr", tn_val_str(known != NULL ? known->column : sql));
    tn_dict_putz(by.dict, "semantic_model",
        tn_val_str(known != NULL ? dataset_of(datasets, known->inner, known->column) : first));
    tn_dict_putz(by.dict, "agg", tn_val_z(known != NULL ? known->agg : "sum"));
    if (known != NULL && tn_val_is_given(known->percentile)) {
        tn_val more = tn_val_dict(a);
        tn_dict_putz(more.dict, "percentile", known->percentile);
        tn_dict_putz(by.dict, "agg_params", more);
    }
    tn_dict_putz(params.dict, "metric_aggregation_params", by);
    return add_node(r, TN_NODE_METRIC, metric_entry(a, name, "simple", params, description), NULL,
        "metric", err);
}

static tn_rc add_metric(
    const reader *r, tn_str name, tn_str sql, tn_val datasets, tn_val description, tn_err *err);

static tn_rc add_ratio(const reader *r, tn_str name, const tn_osi_sql *known, tn_val datasets,
    tn_val description, tn_err *err)
{
    tn_arena *a = r->arena;
    tn_str over = tn_str_printf(a, TN_STR_FMT "_numerator", TN_STR_ARG(name)),
           under = tn_str_printf(a, TN_STR_FMT "_denominator", TN_STR_ARG(name));
    TN_TRY(add_metric(r, over, known->numerator, datasets, TN_VAL_NONE, err));
    TN_TRY(add_metric(r, under, known->denominator, datasets, TN_VAL_NONE, err));
    tn_val params = tn_val_dict(a);
    tn_dict_putz(params.dict, "numerator", tn_val_str(over));
    tn_dict_putz(params.dict, "denominator", tn_val_str(under));
    return add_node(r, TN_NODE_METRIC, metric_entry(a, name, "ratio", params, description), NULL,
        "metric", err);
}

static tn_rc add_metric(
    const reader *r, tn_str name, tn_str sql, tn_val datasets, tn_val description, tn_err *err)
{
    tn_osi_sql known;
    tn_osi_shape shape = tn_osi_sql_read(r->arena, sql, &known);
    return shape == TN_OSI_RATIO
               ? add_ratio(r, name, &known, datasets, description, err)
               : add_simple(r, name, sql, shape == TN_OSI_AGGREGATE ? &known : NULL, datasets,
                     description, err);
}

/* ---- documents ---- */

static tn_rc lacks(const reader *r, const char *place, tn_err *err)
{
    return refuse(r, "Failed to parse OSI file",
        tn_str_printf(r->arena,
            ": 1 validation error for OSIDocument\n%s\n  field required (type=value_error.missing)",
            place),
        err);
}

/* What the format cannot do without. */
static tn_rc check_document(const reader *r, tn_val doc, tn_err *err)
{
    static const char *const needed[] = { "name", "source" };
    tn_val models = tn_val_at(doc, "semantic_model");
    char place[128];
    if (models.tag != TN_LIST) {
        return lacks(r, "semantic_model", err);
    }
    for (size_t i = 0; i < models.list->n; i++) {
        tn_val datasets = tn_val_at(models.list->v[i], "datasets");
        if (datasets.tag != TN_LIST) {
            (void)snprintf(place, sizeof place, "semantic_model -> %zu -> datasets", i);
            return lacks(r, place, err);
        }
        for (size_t k = 0; k < datasets.list->n; k++) {
            for (size_t m = 0; m < TN_COUNTOF(needed); m++) {
                if (!tn_val_is_str(tn_val_at(datasets.list->v[k], needed[m]))) {
                    (void)snprintf(place, sizeof place,
                        "semantic_model -> %zu -> datasets -> %zu -> %s", i, k, needed[m]);
                    return lacks(r, place, err);
                }
            }
        }
    }
    tn_str version = tn_val_str_at(doc, "version", TN_STR("0.1.1"));
    if (!tn_str_is(version, "0.1.0") && !tn_str_is(version, "0.1.1")) {
        return refuse(r, "OSI file",
            tn_str_printf(r->arena,
                " uses unsupported version '" TN_STR_FMT
                "'. Supported versions: ['0.1.0', '0.1.1']",
                TN_STR_ARG(version)),
            err);
    }
    return TN_OK;
}

static tn_rc read_document(const reader *r, tn_err *err)
{
    tn_str text;
    tn_val doc;
    tn_err why = TN_ERR_INIT;
    TN_TRY(tn_file_read(r->arena, r->path, DOCUMENT_BYTES_MAX, &text, err));
    if (tn_json_parse(r->arena, text, &doc, &why) != TN_OK) {
        return refuse(r, "Failed to parse OSI file", tn_str_printf(r->arena, ": %s", why.msg), err);
    }
    TN_TRY(check_document(r, doc, err));
    tn_val models = tn_val_at(doc, "semantic_model");
    for (size_t i = 0; i < models.list->n; i++) {
        tn_val datasets = tn_val_at(models.list->v[i], "datasets");
        for (size_t k = 0; k < datasets.list->n; k++) {
            TN_TRY(add_dataset(r, models.list->v[i], datasets.list->v[k], err));
        }
    }
    for (size_t i = 0; i < models.list->n; i++) {
        tn_val datasets = tn_val_at(models.list->v[i], "datasets"),
               metrics = tn_val_at(models.list->v[i], "metrics");
        for (size_t k = 0; metrics.tag == TN_LIST && k < metrics.list->n; k++) {
            tn_val m = metrics.list->v[k];
            TN_TRY(add_metric(r, tn_val_str_at(m, "name", TN_STR("")), expression_of(m), datasets,
                tn_val_at(m, "description"), err));
        }
    }
    return TN_OK;
}

/* ---- files ---- */

/* Paths of documents below a folder of the project; one folder under two names (of other case) is looked at once. */
static tn_rc collect(tn_project *p, tn_str folder, tn_strs *io_seen, tn_strs *into, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_str path = tn_project_file(a, p, folder), real;
    tn_file_infos all = { 0 };
    if (!tn_file_is_dir(path)) {
        return TN_OK;
    }
    TN_TRY(tn_file_real(a, path, &real, err));
    if (tn_strs_has(io_seen, real)) {
        return TN_OK;
    }
    tn_vec_push(io_seen, a, real);
    TN_TRY(tn_dir_list(a, path, true, &all, err));
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].kind == TN_FILE_REGULAR && tn_str_ends(all.v[i].name, TN_STR(".json"))) {
            tn_vec_push(into, a, tn_uri_join(a, folder, all.v[i].name));
        }
    }
    return TN_OK;
}

tn_rc tn_parse_osi(tn_project *p, tn_err *err)
{
    tn_val said = tn_val_at((tn_val){ .tag = TN_DICT, .dict = p->package->config }, "osi-paths");
    tn_strs folders = tn_value_strs(p->arena, said), seen = { 0 }, files = { 0 };
    if (!tn_val_is_given(said)) {
        tn_vec_push(&folders, p->arena, TN_STR("osi"));
        tn_vec_push(&folders, p->arena, TN_STR("OSI"));
    }
    for (size_t i = 0; i < folders.n; i++) {
        TN_TRY(collect(p, folders.v[i], &seen, &files, err));
    }
    tn_strs_sort(&files);
    for (size_t i = 0; i < files.n; i++) {
        tn_str path = tn_project_file(p->arena, p, files.v[i]), full;
        TN_TRY(tn_file_absolute(p->arena, path, &full, err));
        const reader r = { p, p->arena, full, files.v[i] };
        TN_TRY(read_document(&r, err));
    }
    return TN_OK;
}
