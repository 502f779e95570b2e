/* delta_prune.h: files that a predicate cannot touch. */
#ifndef TN_DELTA_DELTA_PRUNE_H
#define TN_DELTA_DELTA_PRUNE_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

/* keep[i] = false for files that cannot hold a row of the predicate. conn NULL or a predicate that is not understood: all true. */
tn_rc tn_delta_prune(const tn_delta_snapshot *s, tn_conn *conn, tn_arena *a, tn_str where,
    bool *keep, tn_err *err) TN_MUSTUSE;

/* DuckDB's tree of a predicate; undefined when it does not take it. */
tn_val tn_delta_where_tree(tn_conn *conn, tn_arena *a, tn_str where);
/* The text of such a tree, or of a part of one; empty when DuckDB gives none. */
tn_str tn_delta_where_text(tn_conn *conn, tn_arena *a, tn_val tree);

#endif
