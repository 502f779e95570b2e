/* lake_ddl.h: parts of CREATE TABLE and ALTER TABLE: types, columns, properties, read from tokens.
 *
 * Types are DuckDB's and Spark's: BIGINT, VARCHAR, DECIMAL(9, 2), INTEGER[], STRUCT(a INTEGER), and STRING, LONG, BYTE, SHORT, BINARY, TIMESTAMP_NTZ,
 * STRUCT<a: INT>, ARRAY<INT>, MAP<STRING, INT>. TIMESTAMP is DuckDB's, without zone; with zone: TIMESTAMPTZ or TIMESTAMP_LTZ.
 */
#ifndef TN_LAKE_LAKE_DDL_H
#define TN_LAKE_LAKE_DDL_H

#include "delta/delta_alter.h"
#include "text/sqltoken.h"

typedef struct tn_ddl {
    tn_arena *a;
    tn_conn *conn; /* knows DuckDB's types */
    const tn_tokens *t;
    size_t at; /* next token */
} tn_ddl;

bool tn_ddl_take(tn_ddl *d, const char *words); /* moves behind them when they are there */
/* "x is expected at 'y'" */
tn_rc tn_ddl_unexpected(const tn_ddl *d, const char *wanted, tn_err *err);
tn_rc tn_ddl_string(tn_ddl *d, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_ddl_name(tn_ddl *d, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* a.b.c */
tn_rc tn_ddl_path(tn_ddl *d, tn_strs *ret, tn_err *err) TN_MUSTUSE;
/* (expression): the text inside. */
tn_rc tn_ddl_parens(tn_ddl *d, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* The text of tokens [from, to). */
tn_str tn_ddl_slice(const tn_ddl *d, size_t from, size_t to);
tn_rc tn_ddl_type(tn_ddl *d, tn_delta_type **ret, tn_err *err) TN_MUSTUSE;
/* name type [NOT NULL] [COMMENT '..'] [DEFAULT e] [GENERATED ..] [FIRST | AFTER c]; constraints: dict that CHECK (..) goes to as table properties, or undefined. */
tn_rc tn_ddl_column(
    tn_ddl *d, tn_delta_new_column *ret, tn_val constraints, tn_err *err) TN_MUSTUSE;
/* (columns and CONSTRAINT name CHECK (..)) of CREATE TABLE. */
tn_rc tn_ddl_columns(tn_ddl *d, tn_delta_type *schema, tn_val constraints, tn_err *err) TN_MUSTUSE;
/* ('k' = 'v', a.b = v, ..) */
tn_rc tn_ddl_properties(tn_ddl *d, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* A property's key: 'a.b' or a.b. */
tn_rc tn_ddl_key(tn_ddl *d, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
