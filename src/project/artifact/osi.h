/* osi.h: what the parts of the OSI document share: filters (osi_filter.c), metrics as SQL expressions (osi_metric.c), the document
 * (osi_document.c). The rules are those of MetricFlow's converter, which dbt calls.
 */
#ifndef TN_PROJECT_OSI_H
#define TN_PROJECT_OSI_H

#include "project/manifest.h"
#include "project/node/semantic_form.h"

typedef struct tn_osi_filters tn_osi_filters;
tn_osi_filters *tn_osi_filters_new(tn_arena *a);
/* {"where_filters": [...]} or none as SQL; "" when there is none. What is returned lives in the filters' arena. */
tn_rc tn_osi_filter_sql(tn_osi_filters *f, tn_val filter, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* "(x) AND (y)", or the one that is not empty. */
tn_str tn_osi_filter_both(tn_arena *a, tn_str x, tn_str y);

/* All semantic models, and metrics in the spelling that knows no measures. */
typedef struct tn_osi_metrics {
    tn_arena *arena;
    tn_osi_filters *filters;
    tn_map measures; /* name -> tn_osi_measure * */
    tn_map by_name;  /* metric -> tn_val * */
    tn_val
        list; /* of {name, description, type, type_params, filter}: the project's, then those that measures of others became */
} tn_osi_metrics;
typedef struct tn_osi_measure {
    tn_val of; /* as the document has it: counts and truths are sums of a CASE */
    tn_str model;
} tn_osi_measure;
/* Semantic models with their names in lower case and their measures as they are summed. */
tn_val tn_osi_model(tn_arena *a, const tn_node *n);
tn_rc tn_osi_metrics_init(
    tn_osi_metrics *m, tn_arena *a, const tn_project *p, tn_val models, tn_err *err) TN_MUSTUSE;
/* The SQL expression of one of them, those that it is made from put into it. */
tn_rc tn_osi_metric_sql(tn_osi_metrics *m, tn_val metric, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
