/* lake_narrow.h: a query opens only the files that its predicates may be true for ("data skipping").
 *
 * A view over a Delta table names all of its files, and DuckDB opens each to see in its footer whether it matters. The log knows that already. tn_narrow
 * searches DuckDB's tree of a query (json_serialize_sql) for Delta tables and for what WHERE and ON demand of their rows, through subqueries, CTEs, set
 * operations and views (lake_narrow_scope.c); where files fall out, the table's name in the text becomes a scan of those that are left.
 *
 * Only proof counts: what is not understood keeps all files. The new text gives the same rows. In rare cases it cannot be bound (a column written as
 * schema.table.column): callers then run the text as it was.
 */
#ifndef TN_LAKE_LAKE_NARROW_H
#define TN_LAKE_LAKE_NARROW_H

#include "delta/delta.h"

typedef struct tn_narrow_found {   /* what a name means: one of the two */
    const tn_delta_snapshot *snap; /* borrowed; stays as long as the query runs */
    tn_str view;                   /* the SELECT behind a view */
} tn_narrow_found;

typedef struct tn_narrow_names {
    /* part: database (may be empty), schema, name. False: none of ours. */
    bool (*find)(void *self, tn_arena *a, const tn_str part[3], tn_narrow_found *ret);
    /* The table that delta_scan('place') reads; NULL where there is no such function. */
    const tn_delta_snapshot *(*place)(void *self, tn_str place);
    void *self;
} tn_narrow_names;

/* query: one SELECT statement (or parenthesised, WITH, FROM, ..). False: there is nothing to gain. */
bool tn_narrow(tn_conn *conn, tn_arena *a, tn_str query, const tn_narrow_names *names, tn_str *ret);
/* The same, with a condition that the rows of a plain "SELECT .. FROM .. AS alias" must meet besides; what it says of other relations is no matter. */
bool tn_narrow_where(tn_conn *conn, tn_arena *a, tn_str query, tn_str where,
    const tn_narrow_names *names, tn_str *ret);
/* Where the query begins in INSERT INTO .. SELECT, CREATE [TEMP] TABLE .. AS, EXPLAIN and queries themselves; SIZE_MAX: in no place that is known. */
size_t tn_narrow_begin(tn_arena *a, tn_str statement);

#endif
