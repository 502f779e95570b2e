/* delta_alter.h: ALTER TABLE: changes of a table's metadata, each one commit without data files.
 *
 * Names are looked up ignoring case; a path goes into structs by field names and into arrays and maps by "element", "key" and "value".
 * What the change asks of the protocol is added to it as the reference does. A statement that finds nothing to change writes no version.
 * Where rows have to be looked at (SET NOT NULL, ADD CONSTRAINT) a row that does not fit is TN_E_DATA. Another writer that changed the metadata first makes the
 * change run again on the new version.
 *
 * Errors: NAME (no such column), UNSUPPORTED (with what would be needed: column mapping for DROP and RENAME, a wider type, ..), EXISTS, VALUE.
 */
#ifndef TN_DELTA_DELTA_ALTER_H
#define TN_DELTA_DELTA_ALTER_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

typedef enum tn_delta_alter_kind {
    TN_ALTER_ADD_COLUMNS,
    TN_ALTER_DROP_COLUMNS,  /* needs column mapping */
    TN_ALTER_RENAME_COLUMN, /* needs column mapping */
    TN_ALTER_COLUMN_TYPE,   /* to a wider one; needs delta.enableTypeWidening=true */
    TN_ALTER_SET_NOT_NULL,
    TN_ALTER_DROP_NOT_NULL,
    TN_ALTER_SET_DEFAULT,
    TN_ALTER_DROP_DEFAULT,
    TN_ALTER_COLUMN_COMMENT,
    TN_ALTER_MOVE_COLUMN, /* FIRST, AFTER */
    TN_ALTER_SET_PROPERTIES,
    TN_ALTER_UNSET_PROPERTIES,
    TN_ALTER_ADD_CONSTRAINT,
    TN_ALTER_DROP_CONSTRAINT,
    TN_ALTER_TABLE_COMMENT,
    TN_ALTER_DROP_FEATURE,
} tn_delta_alter_kind;

typedef enum tn_delta_place { TN_PLACE_LAST, TN_PLACE_FIRST, TN_PLACE_AFTER } tn_delta_place;

typedef struct tn_delta_new_column {
    tn_strs path; /* of the struct it goes into; empty: the table */
    tn_delta_field field;
    tn_delta_place place;
    tn_str after;
} tn_delta_new_column;
typedef tn_vec(tn_delta_new_column) tn_delta_new_columns;
typedef tn_vec(tn_strs) tn_delta_paths;

typedef struct tn_delta_alter {
    tn_delta_alter_kind kind;
    tn_delta_new_columns add;  /* ADD_COLUMNS */
    tn_delta_paths columns;    /* DROP_COLUMNS: all; the others: the first */
    tn_str name;               /* RENAME_COLUMN: new name; constraints: their name; DROP_FEATURE */
    tn_str text;               /* comment; default and constraint: Spark's SQL */
    const tn_delta_type *type; /* COLUMN_TYPE */
    tn_delta_place place;      /* MOVE_COLUMN */
    tn_str after;
    tn_val properties; /* SET_PROPERTIES: dict of strings */
    tn_strs keys;      /* UNSET_PROPERTIES */
    bool
        if_exists; /* DROP_COLUMNS, UNSET_PROPERTIES, DROP_CONSTRAINT; ADD_COLUMNS: if not exists */
} tn_delta_alter;

typedef struct tn_delta_alter_result {
    int64_t version; /* the new one; the old one when nothing was changed */
    bool changed;
} tn_delta_alter_result;

tn_rc tn_delta_alter_run(tn_delta_table *t, tn_conn *conn, const tn_delta_alter *change,
    tn_delta_alter_result *ret, tn_err *err) TN_MUSTUSE;

/* ---- making columns of a new table ---- */
/* Metadata of a field; expr: SQL as DuckDB's users write it, kept as Spark's ("a b" becomes `a b`). */
void tn_delta_field_set_comment(tn_arena *a, tn_delta_field *f, tn_str text);
/* The expression must be one that this program can compute. */
tn_rc tn_delta_field_set_default(
    tn_arena *a, tn_delta_field *f, tn_str expr, tn_err *err) TN_MUSTUSE;
void tn_delta_field_set_generated(tn_arena *a, tn_delta_field *f, tn_str expr);
typedef struct tn_delta_identity {
    int64_t start, step;
    bool by_default; /* values may be given */
} tn_delta_identity;
/* Only for BIGINT (TN_E_TYPE). */
tn_rc tn_delta_field_set_identity(
    tn_delta_field *f, const tn_delta_identity *id, tn_err *err) TN_MUSTUSE;
/* A constraint's or default's text as the metadata keeps it. */
tn_str tn_delta_sql_for_metadata(tn_arena *a, tn_str sql);

/* SQL for DuckDB of what DEFAULT means for a column; NULL where it has none. *ret_computed: it is a generated column. */
tn_rc tn_delta_column_default(tn_arena *a, const tn_delta_type *schema, tn_str column,
    tn_str *ret_sql, bool *ret_computed, tn_err *err) TN_MUSTUSE;

#endif
