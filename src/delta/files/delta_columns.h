/* delta_columns.h: what single columns ask of a writer, and the protocol that follows from a table's metadata.
 *
 * Every row that is written passes tn_delta_target_make and tn_delta_files_write, which call what is here; so appends, overwrites, changes of rows
 * and packing all honour it.
 */
#ifndef TN_DELTA_DELTA_COLUMNS_H
#define TN_DELTA_DELTA_COLUMNS_H

#include "delta/files/delta_target.h"

/* ---- protocol ---- */
/* What a table with this metadata needs, on top of `old` (NULL: a new table). Properties delta.feature.NAME, delta.minReaderVersion and
 * delta.minWriterVersion are taken out of the configuration and obeyed. The result is old itself when that is enough; else the features in the
 * form of the reference: an old-style version where one means exactly these features, lists otherwise. An unknown feature is refused. */
tn_rc tn_delta_protocol_make(tn_arena *a, const tn_delta_protocol *old, tn_delta_meta *m,
    tn_delta_protocol *ret, bool *ret_changed, tn_err *err) TN_MUSTUSE;

/* The same without a feature. */
void tn_delta_protocol_drop(
    tn_arena *a, const tn_delta_protocol *old, tn_str feature, tn_delta_protocol *ret);

/* ---- rows as files hold them ---- */
/* The rows of to->select (columns of the schema by name, then to->extra) as files hold them: physical names, no void columns, variants as
 * their two parts. */
tn_rc tn_delta_physical_select(
    tn_arena *a, const tn_delta_target *to, tn_str *ret, tn_err *err) TN_MUSTUSE;

/* ---- expressions of the metadata (constraints, generated columns, defaults): Spark's SQL ---- */
/* As DuckDB's. strict: only functions and casts that are known to mean the same are taken, anything else is TN_E_UNSUPPORTED with the expression; else
 * what is not known stays as it is. schema tells the types of columns; NULL: an expression without columns. */
tn_rc tn_delta_expr_sql(tn_arena *a, tn_str spark, const tn_delta_type *schema, bool strict,
    tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Whether the expression names the column (ignoring case). */
bool tn_delta_expr_uses(tn_arena *a, tn_str spark, tn_str column);
/* An expression as users of DuckDB write it, as text for the metadata: "a b" becomes `a b`. */
tn_str tn_delta_expr_store(tn_arena *a, tn_str duck);

/* ---- rows ---- */
typedef struct tn_delta_given {
    tn_conn *conn;
    tn_str select;               /* the caller's */
    const tn_delta_type *source; /* its columns */
    const tn_delta_write_opts *opts;
} tn_delta_given;
/* Makes to->select from the caller's, with values filled in and checks; refuses what cannot be computed. */
tn_rc tn_delta_select_make(
    tn_arena *a, const tn_delta_given *rows, tn_delta_target *to, tn_err *err) TN_MUSTUSE;

/* ---- values that the writer finds: defaults, generated columns, identity ---- */
tn_str tn_delta_field_generation(const tn_delta_field *f); /* Spark's SQL; empty: not generated */
tn_str tn_delta_field_default(const tn_delta_field *f);
bool tn_delta_field_is_identity(const tn_delta_field *f);
bool tn_delta_field_takes_identity(const tn_delta_field *f); /* BY DEFAULT: values may be given */
/* The column may be left out although it cannot be NULL or has a value of its own. */
bool tn_delta_field_fills_itself(const tn_delta_field *f);
/* Some column is generated or an identity. */
bool tn_delta_schema_computes(const tn_delta_type *schema);
/* "CAST(default AS type)", or NULL of the type where there is none. */
tn_rc tn_delta_missing_sql(tn_buf *b, const tn_delta_field *f, tn_err *err) TN_MUSTUSE;
/* "CAST((expression) AS type)" over the columns of the schema. */
tn_rc tn_delta_generated_sql(
    tn_buf *b, const tn_delta_type *schema, const tn_delta_field *f, tn_err *err) TN_MUSTUSE;
/* The next value and the step, beyond the high-water mark. */
tn_rc tn_delta_identity_next(
    const tn_delta_field *f, int64_t *ret_next, int64_t *ret_step, tn_err *err) TN_MUSTUSE;
/* After `count` values from the next one on: the new high-water mark in the metadata, which is changed by copy. */
tn_rc tn_delta_identity_took(
    tn_arena *a, tn_delta_meta *m, size_t column, int64_t count, tn_err *err) TN_MUSTUSE;

#endif
