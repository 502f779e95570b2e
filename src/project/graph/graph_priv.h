/* graph_priv.h: from nodes to a graph that holds, inside of src/project. */
#ifndef TN_PROJECT_GRAPH_GRAPH_PRIV_H
#define TN_PROJECT_GRAPH_GRAPH_PRIV_H

#include "project/parse/parse_priv.h"

tn_rc tn_resolve_graph(tn_project *p, tn_err *err) TN_MUSTUSE;
void tn_graph_edge(tn_project *p, tn_node *n, tn_node *parent); /* no doubles */
tn_rc tn_link_metrics(tn_project *p, tn_err *err) TN_MUSTUSE;
/* node_check.c: what nodes of the finished graph must say. */
tn_rc tn_check_nodes(tn_project *p, tn_err *err) TN_MUSTUSE;
/* semantic_rules.c: what is wrong with the semantic models is in p->problems. */
tn_rc tn_check_semantics(tn_project *p, tn_err *err) TN_MUSTUSE;

#endif
