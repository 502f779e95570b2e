/* select_method.h: what one selection method matches, private to src/project. */
#ifndef TN_PROJECT_SELECT_METHOD_H
#define TN_PROJECT_SELECT_METHOD_H

#include "project/selector.h"

bool tn_select_method_known(tn_str method);  /* without ".args" */
const char *tn_select_method_name(size_t i); /* each in turn; NULL after the last */
const char *tn_select_methods(void);         /* for hints */
tn_str tn_select_default_method(tn_str value);
/* method may have arguments: "config.materialized", "state.modified". */
tn_rc tn_select_match(tn_project *p, const tn_node *n, tn_str method, tn_str value, bool *ret,
    tn_err *err) TN_MUSTUSE;
/* A definition of selectors.yml. */
tn_rc tn_select_definition(tn_project *p, tn_arena *a, tn_val def, int depth, tn_node_set *set,
    tn_strs *unmatched, tn_err *err) TN_MUSTUSE;

#endif
