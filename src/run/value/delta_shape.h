/* delta_shape.h: what a model says of its Delta table beyond the rows: descriptions (persist_docs), constraints (an enforced contract), properties,
 * clustering.
 *
 * A table that is written as a whole gets all of it in the same version. A table that grows gets what has changed in versions of their own, without
 * data; where nothing has changed none is written. Constraints that Delta does not have (unique, primary_key, foreign_key) are left to tests.
 */
#ifndef TN_RUN_VALUE_DELTA_SHAPE_H
#define TN_RUN_VALUE_DELTA_SHAPE_H

#include "delta/delta.h"
#include "project/node.h"

typedef struct tn_delta_shape {
    bool declared;  /* anything at all */
    bool describes; /* the description is the model's, be it empty */
    tn_str description;
    tn_val comments;  /* dict: column -> text */
    tn_strs not_null; /* columns */
    tn_strs cluster_by;
    tn_val properties; /* dict; constraints are in it, as delta.constraints.NAME */
} tn_delta_shape;

/* properties: those that the model's config gives, a dict or none. */
void tn_delta_shape_of(const tn_node *n, tn_val properties, tn_arena *a, tn_delta_shape *ret);
/* The options of a write that makes the table anew. */
tn_rc tn_delta_shape_apply(const tn_delta_shape *shape, tn_conn *c, tn_arena *a, tn_str sql,
    tn_delta_write_opts *opts, tn_err *err) TN_MUSTUSE;
/* Changes of the metadata of a table that is there. */
tn_rc tn_delta_shape_settle(const tn_delta_shape *shape, tn_delta_table *table, tn_conn *c,
    tn_arena *a, int64_t *ret_version, tn_err *err) TN_MUSTUSE;

#endif
