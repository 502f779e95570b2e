/* catalog_macro.h: the catalog as a macro of the project gives it: get_catalog or get_catalog_relations, or one of their parts.
 *
 * dbt asks get_catalog_relations where nodes are selected, at most 100 of them, and get_catalog otherwise; once a database each.
 */
#ifndef TN_RUN_LOOK_CATALOG_MACRO_H
#define TN_RUN_LOOK_CATALOG_MACRO_H

#include "project/project.h"
#include "run/events.h"
#include "run/session/session.h"

/* A row of the catalog: a list of values in this order. */
enum {
    TN_CAT_DATABASE,
    TN_CAT_SCHEMA,
    TN_CAT_TABLE,
    TN_CAT_TYPE,
    TN_CAT_NOTE,
    TN_CAT_COLUMN,
    TN_CAT_INDEX,
    TN_CAT_COLUMN_TYPE,
    TN_CAT_COLUMN_NOTE,
    TN_CAT_OWNER, /* from here on: of macros only */
    TN_CAT_STATS, /* {'size': {id, label, value, description, include}}; undefined: none */
    TN_CAT_COUNT
};

/* Whether a package that is not built in has a macro that gives the catalog or a part of it. */
bool tn_catalog_has_macro(const tn_project *p);

typedef struct tn_catalog_ask {
    tn_session *session;
    tn_events *events;
    const tn_nodes *nodes; /* whose relations are looked for: nodes and sources */
    bool by_relations;
} tn_catalog_ask;
/* *ret_rows: rows of all databases; *ret_errors: texts of what failed, each told as a warning (an error where flags say so). Both in a. */
tn_rc tn_catalog_ask_macro(tn_arena *a, const tn_catalog_ask *ask, tn_val *ret_rows,
    tn_val *ret_errors, tn_err *err) TN_MUSTUSE;

#endif
