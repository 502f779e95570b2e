/* osi_document.c: osi_document.json, semantic models in the Open Semantic Interchange format (0.1.1):
 *
 *     {"version", "dialects", "semantic_model": [{"name",
 *       "datasets": [{"name", "source", "primary_key", "unique_keys", "description", "fields": [{"name", "expression", "dimension", ...}]}],
 *       "relationships": [{"name", "from", "to", "from_columns", "to_columns"}], "metrics": [{"name", "expression", "description"}]}]}
 *
 * A dataset is a semantic model, its fields are entities, dimensions and measures; two datasets with an entity of one name are related. What is
 * null is left out. Conversion and private metrics have no place in it, cumulative ones lose their windows: these are the issues.
 */
#include "project/artifact/osi.h"
#include "text/json.h"

#define DIALECT "ANSI_SQL"

typedef struct document {
    tn_arena *arena;
    tn_strs *issues;
} document;

static void add_issue(const document *d, const char *what, tn_str name, const char *rest)
{
    tn_vec_push(d->issues, d->arena,
        tn_str_printf(d->arena, "%s '" TN_STR_FMT "' was %s", what, TN_STR_ARG(name), rest));
}

static void put_given(tn_dict *into, const char *key, tn_val v)
{
    if (tn_val_is_given(v)) {
        tn_dict_putz(into, key, v);
    }
}

static tn_val expression(tn_arena *a, tn_val sql)
{
    tn_val out = tn_val_dict(a), one = tn_val_dict(a), list = tn_val_list(a);
    tn_dict_putz(one.dict, "dialect", tn_val_z(DIALECT));
    tn_dict_putz(one.dict, "expression", sql);
    tn_list_push(list.list, one);
    tn_dict_putz(out.dict, "dialects", list);
    return out;
}

/* expr, or the name of what has none. */
static tn_val column_of(tn_val element)
{
    tn_val expr = tn_val_at(element, "expr");
    return tn_val_is_given(expr) ? expr : tn_val_at(element, "name");
}

static bool of_type(tn_val element, const char *type)
{
    return tn_str_is(tn_val_str_at(element, "type", TN_STR_NONE), type);
}

/* ---- datasets ---- */

/* The format's names of types. */
static tn_val datatype(tn_val own)
{
    static const char *const names[][2] = { { "string", "String" }, { "integer", "Integer" },
        { "decimal", "Decimal" }, { "float", "Float" }, { "boolean", "Boolean" },
        { "date", "Date" }, { "time", "Time" }, { "datetime", "DateTime" },
        { "datetime_tz", "DateTimeTz" }, { "opaque", "Opaque" } };
    for (size_t i = 0; tn_val_is_str(own) && i < TN_COUNTOF(names); i++) {
        if (tn_str_is(tn_val_as_str(own), names[i][0])) {
            return tn_val_z(names[i][1]);
        }
    }
    return TN_VAL_NONE;
}

static void add_fields(tn_arena *a, tn_list *into, tn_val model, const char *key)
{
    tn_val list = tn_val_at(model, key);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val e = list.list->v[i], f = tn_val_dict(a);
        tn_dict_putz(f.dict, "name", tn_val_at(e, "name"));
        tn_dict_putz(f.dict, "expression", expression(a, column_of(e)));
        if (strcmp(key, "dimensions") == 0) {
            tn_val d = tn_val_dict(a);
            tn_dict_putz(d.dict, "is_time", tn_val_bool(of_type(e, "time")));
            tn_dict_putz(f.dict, "dimension", d);
            put_given(f.dict, "datatype", datatype(tn_val_at(e, "datatype")));
        }
        put_given(f.dict, "label", tn_val_at(e, "label"));
        put_given(f.dict, "description", tn_val_at(e, "description"));
        tn_list_push(into, f);
    }
}

static tn_val one_of(tn_arena *a, tn_val v)
{
    tn_val list = tn_val_list(a);
    tn_list_push(list.list, v);
    return list;
}

static void put_keys(tn_arena *a, tn_dict *into, tn_val model)
{
    tn_val list = tn_val_at(model, "entities"), primary = TN_VAL_NONE, unique = tn_val_list(a);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val e = list.list->v[i];
        if (of_type(e, "primary")) {
            primary = one_of(a, column_of(e));
        } else if (of_type(e, "unique")) {
            tn_list_push(unique.list, one_of(a, column_of(e)));
        }
    }
    put_given(into, "primary_key", primary);
    put_given(into, "unique_keys", unique.list->n > 0 ? unique : TN_VAL_NONE);
}

static tn_val dataset(tn_arena *a, tn_val model)
{
    tn_val out = tn_val_dict(a), fields = tn_val_list(a);
    tn_dict_putz(out.dict, "name", tn_val_at(model, "name"));
    tn_dict_putz(out.dict, "source", tn_val_at(tn_val_at(model, "node_relation"), "relation_name"));
    put_keys(a, out.dict, model);
    put_given(out.dict, "description", tn_val_at(model, "description"));
    add_fields(a, fields.list, model, "entities");
    add_fields(a, fields.list, model, "dimensions");
    add_fields(a, fields.list, model, "measures");
    put_given(out.dict, "fields", fields.list->n > 0 ? fields : TN_VAL_NONE);
    return out;
}

/* ---- relationships ---- */

/* An entity of a dataset. */
typedef struct end {
    tn_str dataset;
    tn_val column;
    bool one; /* primary or unique: the side of one */
} end;
typedef tn_vec(end) ends;

/* From the side of many to the side of one; two of a kind by their names. */
static tn_val relationship(tn_arena *a, tn_str entity, const end *x, const end *y)
{
    bool turned = x->one != y->one ? x->one : tn_str_cmp(x->dataset, y->dataset) > 0;
    const end *from = turned ? y : x, *to = turned ? x : y;
    tn_val out = tn_val_dict(a);
    tn_dict_putz(out.dict, "name",
        tn_val_str(tn_str_printf(a, TN_STR_FMT "__" TN_STR_FMT "__" TN_STR_FMT,
            TN_STR_ARG(from->dataset), TN_STR_ARG(to->dataset), TN_STR_ARG(entity))));
    tn_dict_putz(out.dict, "from", tn_val_str(from->dataset));
    tn_dict_putz(out.dict, "to", tn_val_str(to->dataset));
    tn_dict_putz(out.dict, "from_columns", one_of(a, from->column));
    tn_dict_putz(out.dict, "to_columns", one_of(a, to->column));
    return out;
}

static void collect_ends(const document *d, tn_val model, tn_map *into)
{
    tn_val list = tn_val_at(model, "entities");
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val e = list.list->v[i];
        tn_str name = tn_val_str_at(e, "name", TN_STR(""));
        if (of_type(e, "natural")) {
            add_issue(d, "Entity", name,
                "excluded from the OSI document: natural entities have no equivalent in the OSI "
                "format.");
            continue;
        }
        ends *all = tn_map_find(into, name);
        if (all == NULL) {
            all = tn_new(d->arena, ends);
            tn_map_put(into, name, all);
        }
        tn_vec_push(all, d->arena,
            ((end){ tn_val_str_at(model, "name", TN_STR("")), column_of(e),
                of_type(e, "primary") || of_type(e, "unique") }));
    }
}

static tn_val relationships(const document *d, tn_val models)
{
    tn_val out = tn_val_list(d->arena);
    tn_map by_entity = tn_map_init(d->arena);
    for (size_t i = 0; i < models.list->n; i++) {
        collect_ends(d, models.list->v[i], &by_entity);
    }
    for (size_t k = 0; k < by_entity.n; k++) {
        const ends *all = by_entity.items[k].value;
        for (size_t i = 0; i < all->n; i++) {
            for (size_t j = i + 1; j < all->n; j++) {
                if (!tn_str_eq(all->v[i].dataset, all->v[j].dataset)) {
                    tn_list_push(out.list,
                        relationship(d->arena, by_entity.items[k].key, &all->v[i], &all->v[j]));
                }
            }
        }
    }
    return out;
}

/* ---- metrics ---- */

static tn_rc metrics_of(
    const document *d, const tn_project *p, tn_val models, tn_val *ret, tn_err *err)
{
    tn_osi_metrics m;
    TN_TRY(tn_osi_metrics_init(&m, d->arena, p, models, err));
    *ret = tn_val_list(d->arena);
    for (size_t i = 0; i < m.list.list->n; i++) {
        tn_val metric = m.list.list->v[i], out = tn_val_dict(d->arena);
        tn_str name = tn_val_str_at(metric, "name", TN_STR("")), sql;
        if (of_type(metric, "conversion")) {
            add_issue(d, "Metric", name,
                "excluded from the OSI document: conversion metrics cannot be represented in the "
                "OSI format.");
            continue;
        }
        if (tn_val_truthy(tn_val_at(tn_val_at(metric, "type_params"), "is_private"))) {
            add_issue(d, "Metric", name,
                "excluded from the OSI document: private metrics are not included in OSI output.");
            continue;
        }
        if (of_type(metric, "cumulative")) {
            add_issue(d, "Metric", name,
                "included in the OSI document, but its cumulative window and grain semantics "
                "cannot be represented.");
        }
        TN_TRY(tn_osi_metric_sql(&m, metric, &sql, err));
        tn_dict_putz(out.dict, "name", tn_val_str(name));
        tn_dict_putz(out.dict, "expression", expression(d->arena, tn_val_str(sql)));
        put_given(out.dict, "description", tn_val_at(metric, "description"));
        tn_list_push(ret->list, out);
    }
    return TN_OK;
}

/* ---- the file ---- */

tn_rc tn_osi_document_write(
    const tn_project *p, tn_arena *a, tn_buf *b, tn_strs *ret_issues, tn_err *err)
{
    const document d = { a, ret_issues };
    tn_val models = tn_val_list(a), metrics, top = tn_val_dict(a), whole = tn_val_dict(a),
           datasets = tn_val_list(a);
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (p->nodes.v[i]->kind == TN_NODE_SEMANTIC_MODEL) {
            tn_list_push(models.list, tn_osi_model(a, p->nodes.v[i]));
        }
    }
    tn_val related = relationships(&d, models);
    TN_TRY(metrics_of(&d, p, models, &metrics, err));
    for (size_t i = 0; i < models.list->n; i++) { /* measures are settled by now */
        tn_list_push(datasets.list, dataset(a, models.list->v[i]));
    }
    tn_dict_putz(whole.dict, "name", tn_val_z("semantic_model"));
    tn_dict_putz(whole.dict, "datasets", datasets);
    put_given(whole.dict, "relationships", related.list->n > 0 ? related : TN_VAL_NONE);
    put_given(whole.dict, "metrics", metrics.list->n > 0 ? metrics : TN_VAL_NONE);
    tn_dict_putz(top.dict, "version", tn_val_z("0.1.1"));
    tn_dict_putz(top.dict, "dialects", one_of(a, tn_val_z(DIALECT)));
    tn_dict_putz(top.dict, "semantic_model", one_of(a, whole));
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_val(&w, top);
    return TN_OK;
}
