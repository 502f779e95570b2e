/* change.h: changing the rows of a Delta table. Each call is one commit, or none: on failure no version is added and no file is left.
 *
 *     tarn_write_options w = TARN_WRITE_INIT;
 *     w.mode = TARN_APPEND;
 *     tarn_outcome out;
 *     if (tarn_write(table, &rows, &w, &out, &err) != 0) { ... }
 *
 * All work on the newest version, whatever state the handle holds, and leave the handle at the version that they have made. Conditions and values are DuckDB's SQL.
 * Writers in other threads, processes and hosts may work at the same time: appends never collide; changes of rows that lose a race run again and
 * give up with TARN_CONFLICT, which names the commit that won.
 */
#ifndef TARN_CHANGE_H
#define TARN_CHANGE_H

#include <tarn/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a change did. */
typedef struct tarn_outcome {
    int64_t version; /* of the table now */
    int64_t changed; /* 1: that version is new */
    int64_t created; /* 1: the table is new */
    int64_t
        skipped; /* 1: the table was there (TARN_IGNORE), or app_version had been written already */
    int64_t inserted, updated, deleted; /* rows; a write inserts */
    int64_t copied; /* rows that did not change and were written anew with their file */
    int64_t files_added, files_removed, bytes_added, vectors_added;
    int64_t source_rows; /* write, merge from a stream: rows that it had; else -1 */
    int64_t reserved[3];
} tarn_outcome;

/* What all changes can be told; a NULL pointer means none of it. */
typedef struct tarn_commit_options {
    size_t size;
    const tarn_pair *metadata; /* goes into the commit beside its operation */
    size_t metadata_n;
    const char *
        app_id; /* idempotent: with app_version. A version that is not above the newest one written under app_id is skipped */
    int64_t app_version;
    int64_t target_file_bytes;
    int tries; /* how often a change of rows runs in all when others win; 0: as often as it takes */
} tarn_commit_options;
#define TARN_COMMIT_INIT TARN_INIT(tarn_commit_options)

typedef enum tarn_mode {
    TARN_ERROR = 0, /* TARN_EXISTS when there is a table */
    TARN_APPEND = 1,
    TARN_OVERWRITE = 2,
    TARN_IGNORE = 3 /* nothing is done when there is a table */
} tarn_mode;

typedef enum tarn_schema_mode {
    TARN_SCHEMA_STRICT = 0,   /* columns of the rows must be the table's; missing ones are NULL */
    TARN_SCHEMA_MERGE = 1,    /* new columns are added */
    TARN_SCHEMA_OVERWRITE = 2 /* with TARN_OVERWRITE: the rows' schema becomes the table's */
} tarn_schema_mode;

typedef struct tarn_write_options {
    size_t size;
    int mode;                        /* tarn_mode */
    int schema_mode;                 /* tarn_schema_mode */
    const char *const *partition_by; /* of a new table; else none, or the same */
    size_t partition_by_n;
    const char *
        predicate; /* TARN_OVERWRITE: only rows for which it is true are replaced, and each new row must satisfy it */
    int dynamic_partitions; /* TARN_OVERWRITE: only the partitions that the new rows have are replaced */
    const char *name, *description; /* of a new table */
    const tarn_pair *properties;    /* of a new table: delta.enableDeletionVectors, ... */
    size_t properties_n;
    const tarn_commit_options *commit;
    const char *const *
        cluster_by; /* of a new table: liquid clustering, kept up by tarn_optimize; not with partition_by */
    size_t cluster_by_n;
    /* Of a new table: its schema as in the Delta log ({"type":"struct","fields":[..]}), with nullability and metadata; the rows have some or all of its
     * columns. NULL: the rows' columns. */
    const char *schema_json;
} tarn_write_options;
#define TARN_WRITE_INIT TARN_INIT(tarn_write_options)

/* A table without rows, of options->schema_json. When there is one: TARN_ERROR fails, TARN_IGNORE and
 * TARN_APPEND leave it, TARN_OVERWRITE makes it anew with the schema and options given. */
TARN_API int tarn_create(
    tarn_table *table, const tarn_write_options *options, tarn_outcome *ret, tarn_error *err);
/* Columns are matched by name, ignoring case. options may be NULL: TARN_ERROR. ret may be NULL, here and below. */
TARN_API int tarn_write(tarn_table *table, struct ArrowArrayStream *stream,
    const tarn_write_options *options, tarn_outcome *ret, tarn_error *err);
/* The same with the rows of a SELECT in DuckDB's SQL: "FROM read_parquet('*.parquet')". */
TARN_API int tarn_write_select(tarn_table *table, const char *select,
    const tarn_write_options *options, tarn_outcome *ret, tarn_error *err);

/* where NULL: all rows. commit may be NULL. */
TARN_API int tarn_delete(tarn_table *table, const char *where, const tarn_commit_options *commit,
    tarn_outcome *ret, tarn_error *err);
/* sets: column and its new value in SQL. */
TARN_API int tarn_update(tarn_table *table, const tarn_pair *sets, size_t sets_n, const char *where,
    const tarn_commit_options *commit, tarn_outcome *ret, tarn_error *err);

typedef enum tarn_when {
    TARN_WHEN_MATCHED = 0,
    TARN_WHEN_NOT_MATCHED = 1,          /* rows of the source: may be inserted */
    TARN_WHEN_NOT_MATCHED_BY_SOURCE = 2 /* rows of the table: may be updated and deleted */
} tarn_when;
typedef enum tarn_do {
    TARN_DO_UPDATE = 0,
    TARN_DO_UPDATE_ALL = 1, /* every column from the source's column of that name */
    TARN_DO_DELETE = 2,
    TARN_DO_INSERT = 3,
    TARN_DO_INSERT_ALL = 4,
    TARN_DO_NOTHING = 5 /* such rows stay, and later clauses do not get them */
} tarn_do;
typedef struct tarn_merge_clause {
    int when;              /* tarn_when */
    int what;              /* tarn_do */
    const char *condition; /* NULL: always */
    const tarn_pair
        *sets; /* update, insert: column and value; those left out stay, or are NULL in a new row */
    size_t sets_n;
} tarn_merge_clause;

typedef struct tarn_merge_options {
    size_t size;
    const char *on;                          /* the predicate that matches */
    const char *target_alias, *source_alias; /* NULL: "target", "source" */
    const tarn_merge_clause *clauses; /* of each kind the first whose condition is true acts */
    size_t clauses_n;
    const tarn_commit_options *commit;
    int schema_evolution; /* 1: columns that only the source has are added to the table */
} tarn_merge_options;
#define TARN_MERGE_INIT TARN_INIT(tarn_merge_options)

/* TARN_DATA when several rows of the source want to change one row of the table. */
TARN_API int tarn_merge(tarn_table *table, struct ArrowArrayStream *source,
    const tarn_merge_options *options, tarn_outcome *ret, tarn_error *err);
TARN_API int tarn_merge_select(tarn_table *table, const char *select,
    const tarn_merge_options *options, tarn_outcome *ret, tarn_error *err);

#ifdef __cplusplus
}
#endif

#endif
