/* delta_cluster_impl.h: clustering columns resolved against a schema. */
#ifndef TN_DELTA_DELTA_CLUSTER_IMPL_H
#define TN_DELTA_DELTA_CLUSTER_IMPL_H

#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"

typedef struct tn_cluster_column {
    tn_str name;      /* as it was given */
    tn_str sql, type; /* "a" or "s"."b"; the SQL type */
    tn_strs physical; /* path in files */
} tn_cluster_column;
typedef tn_vec(tn_cluster_column) tn_cluster_columns;

tn_rc tn_delta_cluster_resolve(tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping,
    const tn_strs *names, tn_cluster_columns *ret, tn_err *err) TN_MUSTUSE;
tn_delta_domain tn_delta_cluster_domain(tn_arena *a, const tn_cluster_columns *columns);

#endif
