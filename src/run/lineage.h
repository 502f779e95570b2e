/* lineage.h: what a relation is made of and what is made of it: tables from the graph, columns from what the compiled SQL means.
 *
 * Column lineage asks DuckDB's own binder: the relations that a model reads are made as empty tables with the columns they will have, its
 * compiled SQL is bound against them (json_serialize_plan without the optimizer), and the plan is walked from the tables up. So names,
 * stars, USING, CTEs, views of subqueries and unions mean what they mean to the database. Models are bound in the order of the graph,
 * which gives the columns of each to its children; nothing needs to be built. Columns of sources come from the database, else from
 * their location, else from their YAML; those of seeds from the file.
 *
 * What cannot be known is said: `problem` of a node holds why its columns have no origins (a Python model, SQL that reads a
 * CSV file by itself, SQL that does not bind). An origin is "direct" in OpenLineage's sense: the value is the other's (identity), is
 * computed from it (transformation) or from many of its rows (aggregation); window functions depend on what they are partitioned and
 * ordered by, CASE on its conditions. What only decides which rows there are (WHERE, JOIN, GROUP BY) is kept apart, in `rows`.
 *
 * Everything lives in the arena given.
 */
#ifndef TN_RUN_LINEAGE_H
#define TN_RUN_LINEAGE_H

#include "project/project.h"
#include "run/events.h"

typedef enum tn_how {
    TN_HOW_IDENTITY,
    TN_HOW_TRANSFORMATION,
    TN_HOW_AGGREGATION,
    TN_HOW_FILTER, /* these three decide rows, not values */
    TN_HOW_JOIN,
    TN_HOW_GROUP,
} tn_how;
const char *tn_how_name(tn_how h); /* "identity", ... */

typedef struct tn_origin {
    const tn_node *node; /* NULL: no resource of the project, see relation */
    tn_str relation;     /* a table or file that SQL names by itself */
    tn_str column;
    tn_how how;
} tn_origin;
typedef tn_vec(tn_origin) tn_origins;

typedef struct tn_lineage_column {
    tn_str name, type;
    tn_origins from;
} tn_lineage_column;

typedef struct tn_lineage_node {
    const tn_node *node;
    tn_lineage_column *columns;
    size_t n;
    tn_origins rows;
    tn_str problem; /* empty: all is known */
} tn_lineage_node;

typedef struct tn_lineage {
    tn_lineage_node *nodes; /* parents first */
    size_t n;
    tn_map by_id;
} tn_lineage;

/* Of `wanted` and all that is above them. Opens the profile's database, as compile does. */
tn_rc tn_lineage_read(tn_project *p, tn_arena *a, tn_events *events, const tn_nodes *wanted,
    tn_lineage *ret, tn_err *err) TN_MUSTUSE;

/* Tests and operations are made of nodes too, but nothing is made of them: lineage leaves them out. */
static inline bool tn_lineage_has(const tn_node *n)
{
    return n->index != UINT32_MAX && n->kind != TN_NODE_TEST && n->kind != TN_NODE_UNIT_TEST &&
           n->kind != TN_NODE_OPERATION;
}

/* ---- lineage_plan.c ---- */
typedef struct tn_plan_columns {
    tn_origins *v;
    size_t n;
} tn_plan_columns;
/* The columns that a plan (json_serialize_plan, one of "plans") gives. relations: tn_relation_key -> tn_node. Fails with
 * TN_E_UNSUPPORTED for an operator it does not know. */
tn_rc tn_plan_lineage(tn_arena *a, tn_val plan, const tn_map *relations, tn_plan_columns *ret,
    tn_origins *ret_rows, tn_err *err) TN_MUSTUSE;

/* ---- lineage_print.c: a graph of relations or of columns, seen from some of its points ---- */
typedef enum tn_lineage_form {
    TN_LINEAGE_TEXT,
    TN_LINEAGE_JSON,
    TN_LINEAGE_DOT,
    TN_LINEAGE_MERMAID
} tn_lineage_form;
bool tn_lineage_form_find(tn_str name, tn_lineage_form *ret);

typedef struct tn_lineage_view {
    const tn_node *node;
    tn_str column; /* empty: the relation, or with all_columns each of its columns */
    bool all_columns;
    bool up, down;
    int64_t depth; /* steps from the node; -1: all */
    tn_lineage_form form;
} tn_lineage_view;
/* columns: NULL for lineage of relations. Fails with TN_E_NOTFOUND when the node has no such column. */
tn_rc tn_lineage_print(const tn_project *p, const tn_lineage *columns, const tn_lineage_view *view,
    tn_buf *b, tn_err *err) TN_MUSTUSE;

#endif
