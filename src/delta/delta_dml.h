/* delta_dml.h: DELETE, UPDATE and MERGE of a Delta table. DuckDB finds the rows and makes the new ones; each statement is one commit.
 *
 * Conditions, values and the source are SQL text for the caller's connection. In them the target's columns are seen under opts.alias
 * (or without it). A condition that is NULL is not true. All expressions see the rows as they were before the statement.
 *
 * How rows go: tables with delta.enableDeletionVectors=true get deletion vectors (one file of them a commit) and only new rows are written;
 * other tables have the files that lose rows written anew. Files that lose all rows are removed. Files that the condition or the range of
 * a merge's keys rules out are not read. What is found is kept in a temporary table that DuckDB spills, so memory stays bounded.
 *
 * With delta.enableChangeDataFeed=true the commit has change data files (_change_data/, column _change_type) unless its files alone tell what
 * changed: only new rows, or only whole files gone.
 *
 * Refused before anything is written (TN_E_UNSUPPORTED, by name): append-only tables, and what appends refuse too.
 * A commit that won and touched what the statement has read makes it run again on the new version, until it wins or the program is interrupted
 * (opts.conflict_tries: so many times in all, then TN_E_CONFLICT); one that touched other files makes it try the next version, nothing is written anew. Tables that an expression or the source reads are not read again newer. On failure no version is added and no file is left.
 * TN_E_DATA: a new row violates NOT NULL or a constraint; several rows of the source want to change one row of the target.
 */
#ifndef TN_DELTA_DELTA_DML_H
#define TN_DELTA_DELTA_DML_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

enum { TN_MERGE_CLAUSES_MAX = 1000 };

typedef struct tn_delta_dml_opts {
    tn_str alias; /* of the target inside expressions; empty: "target" */
    /* MERGE: new columns and nested fields of the source become the table's; what * does not find in the source stays, or is NULL. */
    bool schema_evolution;
    int conflict_tries; /* 0: no limit */
    tn_str app_id;      /* idempotent: with txn_version; a version already written is skipped */
    int64_t txn_version;
    tn_val user_metadata;      /* dict or undefined: goes to commitInfo */
    int64_t target_file_bytes; /* 0: default */
} tn_delta_dml_opts;

typedef struct tn_delta_dml_result {
    int64_t version; /* the new version; the old one when nothing was changed */
    bool changed;    /* a version was written */
    bool skipped;    /* app_id/txn_version was there already */
    int64_t inserted, updated, deleted;
    int64_t copied; /* rows that did not change and were written anew with their file */
    int64_t files_added, files_removed, bytes_added;
    int64_t vectors_added; /* deletion vectors, those that replace one counted too */
} tn_delta_dml_result;

typedef struct tn_delta_set {
    tn_str column, value; /* value: SQL, or DEFAULT */
} tn_delta_set;
typedef tn_vec(tn_delta_set) tn_delta_sets;

/* where empty: all rows. opts may be NULL. */
tn_rc tn_delta_delete(tn_delta_table *t, tn_conn *conn, tn_str where, const tn_delta_dml_opts *opts,
    tn_delta_dml_result *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_update(tn_delta_table *t, tn_conn *conn, const tn_delta_sets *sets, tn_str where,
    const tn_delta_dml_opts *opts, tn_delta_dml_result *ret, tn_err *err) TN_MUSTUSE;

typedef enum tn_merge_when {
    TN_MERGE_MATCHED,
    TN_MERGE_NOT_MATCHED, /* of the source: may insert; its expressions see the source only */
    TN_MERGE_NOT_MATCHED_BY_SOURCE /* of the target: may update and delete; sees the target only */
} tn_merge_when;
typedef enum tn_merge_do {
    TN_MERGE_UPDATE,
    TN_MERGE_UPDATE_ALL, /* SET *: every column from the source's column of that name; with schema_evolution those that the source lacks stay */
    TN_MERGE_DELETE,
    TN_MERGE_INSERT,
    TN_MERGE_INSERT_ALL,
    TN_MERGE_NOTHING /* such rows stay, and later clauses do not get them */
} tn_merge_do;
typedef struct tn_merge_clause {
    tn_merge_when when;
    tn_merge_do what;
    tn_str condition; /* empty: always */
    tn_delta_sets
        sets; /* UPDATE, INSERT: columns left out stay, or have their default in a new row */
} tn_merge_clause;
typedef tn_vec(tn_merge_clause) tn_merge_clauses;

typedef struct tn_delta_merge_spec {
    tn_str source;       /* a SELECT; run once */
    tn_str source_alias; /* empty: "source" */
    tn_str on;
    tn_merge_clauses clauses; /* of each kind the first whose condition is true acts */
} tn_delta_merge_spec;
tn_rc tn_delta_merge(tn_delta_table *t, tn_conn *conn, const tn_delta_merge_spec *spec,
    const tn_delta_dml_opts *opts, tn_delta_dml_result *ret, tn_err *err) TN_MUSTUSE;

#endif
