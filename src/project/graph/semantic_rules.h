/* semantic_rules.h: what the rules over semantic models, metrics and saved queries share.
 *
 * Each rule of dbt's validation is one function that reads the whole project and tells what it finds in dbt's words. They run in dbt's
 * order, so that findings come in the order in which dbt tells them. Values have the form of manifest.json: every key is there, none may be null.
 */
#ifndef TN_PROJECT_GRAPH_SEMANTIC_RULES_H
#define TN_PROJECT_GRAPH_SEMANTIC_RULES_H

#include "project/graph/graph_priv.h"

typedef struct tn_semantics {
    tn_project *p;
    tn_arena *arena;
    tn_nodes models, metrics, queries;
    tn_strs grains; /* that time spines of the project define */
} tn_semantics;

typedef void (*tn_semantic_rule)(tn_semantics *s);

void tn_semantic_error(tn_semantics *s, const char *fmt, ...) TN_PRINTF(2, 3);
void tn_semantic_warning(tn_semantics *s, const char *fmt, ...) TN_PRINTF(2, 3);

/* The list below `key`: elements, and one of them. A key that holds no list has none. */
size_t tn_semantic_count(tn_val owner, const char *key);
tn_val tn_semantic_nth(tn_val owner, const char *key, size_t i);

tn_str tn_semantic_name(tn_val element);
/* Types are written in capitals, too. */
bool tn_semantic_is(tn_val element, const char *key, const char *value);
bool tn_semantic_has(tn_val owner, const char *key, tn_str name);
bool tn_semantic_grain(tn_str name); /* one that needs no time spine of the project's */
void tn_semantic_check_name(tn_semantics *s, tn_str name);

/* semantic_measure_rules.c */
void tn_rule_percentiles(tn_semantics *s);
void tn_rule_counts(tn_semantics *s);
void tn_rule_measures_once(tn_semantics *s);
void tn_rule_non_additive(tn_semantics *s);
/* semantic_model_rules.c */
void tn_rule_validity(tn_semantics *s);
void tn_rule_dimensions_agree(tn_semantics *s);
void tn_rule_elements_agree(tn_semantics *s);
void tn_rule_natural_entities(tn_semantics *s);
void tn_rule_reserved_words(tn_semantics *s);
void tn_rule_pairs(tn_semantics *s);
/* semantic_label_rules.c */
void tn_rule_metric_labels(tn_semantics *s);
void tn_rule_model_labels(tn_semantics *s);
void tn_rule_entity_labels(tn_semantics *s);
/* semantic_metric_rules.c */
void tn_rule_derived(tn_semantics *s);
void tn_rule_aliases(tn_semantics *s);
void tn_rule_cumulative(tn_semantics *s);
void tn_rule_conversion(tn_semantics *s);
void tn_rule_simple_exprs(tn_semantics *s);
void tn_rule_nested_windows(tn_semantics *s);
/* semantic_time_rules.c */
void tn_rule_time_spines(tn_semantics *s);
void tn_rule_time_grains(tn_semantics *s);
/* semantic_filter_rules.c */
void tn_rule_filters(tn_semantics *s);
void tn_rule_saved_queries(tn_semantics *s);

#endif
