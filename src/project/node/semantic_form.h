/* semantic_form.h: entries of YAML spelled out: every key that dbt's class has, in its order, null or its default where nothing was said.
 *
 * A form is a table of keys. Filling one from what a form made gives the same again, so the manifest's entries are what semantic_manifest.json
 * is filled from.
 */
#ifndef TN_PROJECT_SEMANTIC_FORM_H
#define TN_PROJECT_SEMANTIC_FORM_H

#include "project/node/project_priv.h"

typedef enum tn_form_kind {
    TN_FORM_ANY,  /* as it is, or null */
    TN_FORM_TEXT, /* as text, or null */
    TN_FORM_OR,   /* as it is, or the text `dflt` */
    TN_FORM_WORD, /* a word of a list, written in capitals or not: in lower case; else `dflt`, or null */
    TN_FORM_FALSE, /* true or false; false when not said */
    TN_FORM_NO,    /* false, whatever was said */
    TN_FORM_LIST,  /* a list, empty when not said */
    TN_FORM_ONE,   /* an entry of form `of`, or null; a text is its name */
    TN_FORM_EACH,  /* a list of them */
    TN_FORM_EACH_OR_NULL,
    TN_FORM_FILTER, /* a text or texts -> {"where_filters": [{"where_sql_template": text}]} */
    TN_FORM_WINDOW, /* "7 days" -> {"count": 7, "granularity": "day"} */
    TN_FORM_META,   /* {"meta": {...}}; null when it is null */
    TN_FORM_DICT,   /* a dict, empty when not said */
} tn_form_kind;

typedef struct tn_form tn_form;
typedef struct tn_form_field {
    const char *name;
    tn_form_kind kind;
    const tn_form *of;
    const char *dflt;
} tn_form_field;

struct tn_form {
    const tn_form_field *fields;
    size_t count;
};

#define TN_FORM(fields) { fields, TN_COUNTOF(fields) }

extern const tn_form tn_form_measure_input, tn_form_metric_input, tn_form_type_params;

tn_val tn_form_fill(tn_arena *a, const tn_form *f, tn_val from);
/* A metric, semantic model or saved query: the entry that the manifest shows, from the YAML. n->config is resolved. */
tn_rc tn_semantic_spell_out(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* {"alias", "schema_name", "database", "relation_name"} of a model. */
tn_val tn_semantic_relation(tn_arena *a, const tn_node *n);
/* `time_spine` of a model, null when it is none. */
tn_val tn_time_spine_of(tn_arena *a, tn_val v);
/* `dimension` and `entity` of a model's column; a text, the type, is as it is. */
tn_val tn_column_dimension_of(tn_arena *a, tn_val column);
tn_val tn_column_entity_of(tn_arena *a, tn_val column);
/* ---- model_semantics.c ---- */
/* Whether a model's entry makes it a semantic model. */
bool tn_model_has_semantics(tn_val entry);
/* What it says of it, as an entry of `semantic_models`, with descriptions that are not rendered. */
tn_val tn_model_semantics(tn_arena *a, tn_val entry, tn_str model);
/* An entry of its `metrics` as one of the list `metrics`; a simple one knows its semantic model and its time dimension. */
tn_val tn_model_metric(tn_arena *a, tn_val entry, tn_val metric, tn_str model);
/* After the graph is linked: where the semantic model's rows are. */
void tn_semantic_place(tn_project *p, tn_node *n);

#endif
