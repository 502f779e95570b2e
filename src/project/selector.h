/* selector.h: --select, --exclude, --selector: from a text to a set of nodes.
 *
 * Grammar: [n+|+|@]method:value[+|+n], white space = union, comma = intersection; * ? [] wildcards. Methods: fqn tag group access source path
 * file package config.<key> test_name test_type resource_type exposure metric version unit_test semantic_model saved_query selector;
 * state, result and source_status compare with the artifacts of --state (previous.h). Without a method: file for *.sql, *.csv, ..., path when it has a '/', else fqn.
 */
#ifndef TN_PROJECT_SELECTOR_H
#define TN_PROJECT_SELECTOR_H

#include "project/project.h"

typedef enum tn_indirect {
    TN_INDIRECT_EAGER,
    TN_INDIRECT_CAUTIOUS,
    TN_INDIRECT_BUILDABLE,
    TN_INDIRECT_EMPTY
} tn_indirect;

typedef struct tn_select {
    tn_strs select; /* each may hold several specs; empty: everything */
    tn_strs exclude;
    tn_str selector; /* name of a selectors.yml entry; "" none */
    tn_indirect indirect;
    uint32_t
        kinds; /* bit set of 1u << tn_node_kind that the command works on; 0: all but analyses (what `ls` shows) */
} tn_select;

bool tn_indirect_find(tn_str name, tn_indirect *ret);

/* One bit a node of p->nodes. */
typedef struct tn_node_set {
    uint64_t *bits;
    size_t n; /* nodes */
} tn_node_set;
static inline bool tn_node_set_has(const tn_node_set *s, const tn_node *n)
{
    return n->index < s->n && (s->bits[n->index >> 6] >> (n->index & 63) & 1) != 0;
}
size_t tn_node_set_count(const tn_node_set *s);

/* Selected nodes in topological order. A spec that matches nothing is noted in *ret_unmatched (may be NULL), as dbt warns. */
tn_rc tn_select_run(tn_project *p, tn_arena *a, const tn_select *sel, tn_nodes *ret,
    tn_node_set *ret_set, tn_strs *ret_unmatched, tn_err *err) TN_MUSTUSE;

/* The name that a criterion without a match may have meant: of a node, tag, source, package or method; empty: none is near. */
tn_str tn_select_nearest(const tn_project *p, tn_str criterion);

#endif
