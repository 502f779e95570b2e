/* care.h: looking after a Delta table: packing files, removing old ones, going back, checkpoints, checking.
 *
 * All work on the newest version and leave the handle at the version that they have made. ret_json (may be NULL) gets a JSON object of counts; its keys
 * are named with each call, and more may come.
 */
#ifndef TARN_CARE_H
#define TARN_CARE_H

#include <tarn/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tarn_optimize_options {
    size_t size;
    const char *where;            /* over partition columns; NULL: the whole table */
    const char *const *zorder_by; /* none: files are packed as they are */
    size_t zorder_by_n;
    int64_t target_file_bytes; /* 0: delta.targetFileSize, else 256 MiB */
    int64_t min_file_bytes;    /* smaller files are packed; 0: three quarters of the target */
    const tarn_pair *metadata; /* goes into the commit */
    size_t metadata_n;
    int full;  /* a clustered table: what was ordered by other columns is ordered anew too */
    int purge; /* rewrite the files that have a deletion vector, without the deleted rows, and no other; not with zorder_by */
} tarn_optimize_options;
#define TARN_OPTIMIZE_INIT TARN_INIT(tarn_optimize_options)
/* Keys: version, changed, files_added, files_removed, bytes_added, bytes_removed, files_considered, files_skipped, partitions, deletion_vectors_removed, rows. */
TARN_API int tarn_optimize(
    tarn_table *table, const tarn_optimize_options *options, char **ret_json, tarn_error *err);

typedef struct tarn_vacuum_options {
    size_t size;
    int64_t retention_ms; /* 0: the table's, else 7 days. For no time at all: 1 */
    int dry_run;          /* only say what would be removed */
    int allow_short; /* a retention shorter than the table's: nobody writes or reads old versions now */
    int lite;        /* look for files in the log, not in the folder */
} tarn_vacuum_options;
#define TARN_VACUUM_INIT TARN_INIT(tarn_vacuum_options)
/* Keys: dry_run, lite, version, files, bytes, failed, log_files, paths (below the table). */
TARN_API int tarn_vacuum(
    tarn_table *table, const tarn_vacuum_options *options, char **ret_json, tarn_error *err);

/* A new version with the rows of an older one. allow_missing: go on when files are gone; their rows are lost.
 * Keys: version, restored_version, files_restored, files_removed, files_missing, bytes_restored, bytes_removed. */
TARN_API int tarn_restore(
    tarn_table *table, const tarn_at *at, int allow_missing, char **ret_json, tarn_error *err);

/* A checkpoint of the handle's state. */
TARN_API int tarn_checkpoint(tarn_table *table, tarn_error *err);
/* Removes commits and checkpoints past delta.logRetentionDuration. ret_removed may be NULL. */
TARN_API int tarn_log_cleanup(tarn_table *table, int64_t *ret_removed, tarn_error *err);

/* Writes the commits from..to (-1: from the newest checkpoint, to the newest version) as one file that readers may take in their place.
 * Keys: from, to, bytes, written. */
TARN_API int tarn_log_compact(
    tarn_table *table, int64_t from, int64_t to, char **ret_json, tarn_error *err);

/* What ALTER TABLE can, one commit: the text behind the table's name, for example
 *   ADD COLUMNS (note VARCHAR COMMENT '..', n BIGINT NOT NULL DEFAULT 0)    DROP COLUMN c    RENAME COLUMN a TO b    ALTER COLUMN c TYPE BIGINT
 *   SET TBLPROPERTIES ('k' = 'v')    ADD CONSTRAINT c CHECK (x > 0)    DROP CONSTRAINT c    CLUSTER BY (a, b)    COMMENT 'of the table'
 * docs/manual/sql.md has all. */
TARN_API int tarn_alter(tarn_table *table, const char *change, tarn_error *err);

#define TARN_CLONE_SHALLOW 1 /* it names the same files and copies none */
#define TARN_CLONE_REPLACE                                                                         \
    2 /* a table that is there gets the state as its next version; else it must not be there */
/* Makes the table at `url` with the handle's state. how: the flags above, or 0. Keys: version, source_version, files, files_added, files_removed, bytes, shallow. */
TARN_API int tarn_clone(
    tarn_table *table, const char *url, int how, char **ret_json, tarn_error *err);

/* Replays the log and looks at every file; values: also reads all rows and holds them against the statistics. Damage is a result, not an error.
 * Keys: version, files, rows, commits, ok (no error), findings [{severity (error, warning), what, path, detail}]. */
TARN_API int tarn_check(tarn_table *table, int values, char **ret_json, tarn_error *err);

/* Takes entries whose files are gone out of the log: their rows are lost, all others can be read again. flags: 0 or TARN_REPAIR_DRY_RUN | TARN_REPAIR_ALL (also when
 * no file is left). Keys: dry_run, version, changed, bytes, lost [{path, path_missing, deletion_vector, deletion_vector_missing}]. */
#define TARN_REPAIR_DRY_RUN 1
#define TARN_REPAIR_ALL 2
TARN_API int tarn_repair(tarn_table *table, int flags, char **ret_json, tarn_error *err);

#ifdef __cplusplus
}
#endif

#endif
