/* land_read.h: the SELECT that reads the inputs of one landing. */
#ifndef TN_LAKE_LAND_READ_H
#define TN_LAKE_LAND_READ_H

#include "lake/land/land_input.h"

typedef struct tn_land_read {
    const tn_land_opts *opts;
    tn_land_format format; /* never AUTO */
    tn_land_files files;
    const tn_delta_type *table; /* schema of the existing table, or NULL */
    tn_val loaded_at;           /* datetime UTC */
    bool sample_all;            /* look at every row before deciding on types */
    tn_str rejects, scans;      /* names of the temporary tables of rejected csv rows */
    tn_str stdin_table;         /* Arrow input decoded into this table */
    bool renamed; /* some files are shown under another name: TN_LAND_FILES_TABLE says which */
} tn_land_read;

#define TN_LAND_FILE_COLUMN "__tarn_file"
#define TN_LAND_FILES_TABLE "__tarn_land_files"

/* *ret_inferred: names of the columns whose types DuckDB guessed (dict as a set). */
tn_rc tn_land_read_sql(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_str *ret_sql,
    tn_val *ret_inferred, tn_err *err) TN_MUSTUSE;
/* --normalize-names on one name; `index` names an empty one. */
tn_str tn_land_plain_name(tn_arena *a, tn_str name, size_t index);

/* ---- rejected rows of the csv reader ---- */
typedef struct tn_land_rejects {
    int64_t rows;      /* distinct file and line */
    bool guessed_type; /* a cast to a guessed type failed: reading with sample_all may cure it */
    tn_str told;       /* the first few, one a line */
} tn_land_rejects;
tn_rc tn_land_rejects_read(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_val inferred,
    tn_land_rejects *ret, tn_err *err) TN_MUSTUSE;
/* SELECT of the rejected rows for the table <name>__rejected. */
tn_str tn_land_rejects_sql(const tn_land_read *r, tn_arena *a);

/* A csv that has no dialect: reads each file as text with the plain dialect, only to fill the tables of rejected rows. */
tn_rc tn_land_csv_blame(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_err *err) TN_MUSTUSE;

/* Lines of NDJSON files that are no JSON: moved to a table of rejected rows (same shape), good lines to cleaned files that replace r->files. */
tn_rc tn_land_ndjson_aside(tn_land_read *r, tn_conn *conn, tn_arena *a, tn_str temp_dir,
    int64_t *ret_rejected, tn_err *err) TN_MUSTUSE;
/* SQL: the name to show of a file path, and the join that it needs after the FROM. */
void tn_land_add_shown(tn_buf *b, const tn_land_read *r, tn_str file_expr);
void tn_land_add_shown_join(tn_buf *b, const tn_land_read *r, tn_str file_expr);

/* land_merge.c: the rows of a temporary table (its quoted name) into the table by opts->key. snap NULL: the table is made. app_id may be empty. */
tn_rc tn_land_merge(tn_delta_table *table, const tn_delta_snapshot *snap, tn_conn *conn,
    tn_arena *a, tn_str rows, const tn_land_opts *opts, tn_str app_id, tn_land_result *ret,
    tn_err *err) TN_MUSTUSE;

#endif
