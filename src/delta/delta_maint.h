/* delta_maint.h: looking after a Delta table: OPTIMIZE, VACUUM, cleaning the log, RESTORE, CLONE, checking.
 *
 * All work on the newest version. What changes rows' places but no rows (OPTIMIZE) commits with dataChange=false under snapshot isolation: appends at
 * the same time are no conflict; a writer that removed one of the rewritten files is (TN_E_CONFLICT, nothing is lost, the new files are removed).
 * Metrics are dicts with Spark's names, so that history reads alike.
 *
 * Ownership: results live in the arena given. Sizes in bytes, ages in milliseconds. Errors as in delta.h.
 */
#ifndef TN_DELTA_DELTA_MAINT_H
#define TN_DELTA_DELTA_MAINT_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

/* ---- OPTIMIZE ---- */
typedef struct tn_delta_optimize_opts {
    tn_str where;              /* SQL over partition columns only; empty: the whole table */
    tn_strs zorder_by;         /* columns; none: files are packed as they are */
    int64_t target_file_bytes; /* 0: delta.targetFileSize, else 256 MiB */
    int64_t min_file_bytes;    /* smaller files are packed; 0: three quarters of the target */
    bool
        full; /* a clustered table: files that were ordered by other columns are ordered anew too */
    int64_t
        cube_bytes; /* a clustered table: sets of ordered files of that size stay as they are; 0: 4 target sizes */
    bool
        purge; /* REORG .. APPLY (PURGE): rewrite the files that have a deletion vector, without the deleted rows, and no other */
    tn_val user_metadata; /* dict or undefined: goes to commitInfo */
} tn_delta_optimize_opts;

typedef struct tn_delta_optimize_result {
    int64_t version;      /* the new one; the old one when there was nothing to do */
    int64_t read_version; /* that it began with; others may have written in between */
    bool changed;
    int64_t files_added, files_removed, bytes_added, bytes_removed;
    int64_t files_considered, files_skipped, partitions, vectors_removed, rows;
    tn_val metrics; /* as in commitInfo; undefined when nothing changed */
} tn_delta_optimize_result;

/* Packs small files and files with deletion vectors (more than 5 % of the rows deleted) into files near the target size, one partition at a time.
 * With zorder_by all files of the partitions are rewritten in Z-order of the columns, which must not be partition columns.
 * A clustered table (delta_cluster.h) takes neither where nor zorder_by: files that were never ordered, and those of cubes that are not full yet, are ordered
 * along a Hilbert curve of its columns and become one cube or more; full cubes, files of other providers and files ordered by other columns are left alone.
 * purge takes no zorder_by; what it rewrites of a clustered table counts as unordered until the next OPTIMIZE. */
tn_rc tn_delta_optimize(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_optimize_opts *opts, tn_delta_optimize_result *ret, tn_err *err) TN_MUSTUSE;

/* "104857600", "100mb", "1 GB", "64k" (of 1024 each); false for anything else. */
bool tn_delta_bytes_parse(tn_str s, int64_t *ret);

/* ---- VACUUM ---- */
typedef struct tn_delta_vacuum_opts {
    int64_t retention_ms;   /* -1: delta.deletedFileRetentionDuration, else 7 days */
    bool dry_run;           /* only say what would be removed */
    bool allow_short;       /* a retention shorter than the table's */
    bool lite;              /* look for files in the log, not in the folder */
    const int64_t *protect; /* versions whose files stay, besides those of the newest version */
    size_t protect_n;
    tn_strs protect_places; /* files that others need, as tn_delta_outside_places gives them */
} tn_delta_vacuum_opts;

typedef struct tn_delta_vacuum_result {
    int64_t files, bytes; /* removed, or to be removed */
    int64_t failed;       /* could not be removed; the others were */
    int64_t log_files;    /* removed by tn_delta_log_cleanup, which follows */
    int64_t version;      /* newest, after the entries in the log */
    int64_t read_version; /* that it began with */
    tn_strs paths;        /* keys below the table, sorted */
} tn_delta_vacuum_result;

/* Removes files that neither the newest version, nor a protected one, nor a tombstone younger than the retention names, and that are older than the
 * retention themselves: a file that a running writer has not committed yet is younger. Names that begin with '_' or '.' are left alone,
 * _change_data and folders of partitions excepted; so are tables inside of the table's folder. A protected version that cannot be read any more is an
 * error. Entries VACUUM START and VACUUM END go to the log when there is something to remove.
 *
 * lite: only files that a commit removed, or wrote as change data, are looked at, commit by commit since the last vacuum: no listing, however many files there are,
 * and files that no commit ever named stay. TN_E_USAGE when commits since then have been cleaned away. */
tn_rc tn_delta_vacuum(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_vacuum_opts *opts, tn_delta_vacuum_result *ret, tn_err *err) TN_MUSTUSE;

/* How long files that the newest version does not name are kept for readers: delta.deletedFileRetentionDuration, else 7 days. */
int64_t tn_delta_retention_ms(const tn_delta_snapshot *s);

/* Appends the files and vectors that a snapshot names outside of its own root (a shallow clone's), decoded, to *ret. */
tn_rc tn_delta_outside_places(
    const tn_delta_snapshot *s, tn_arena *a, tn_strs *ret, tn_err *err) TN_MUSTUSE;

/* Removes commits and checkpoints older than delta.logRetentionDuration (30 days, to the day), as far as a readable checkpoint stands in for them and no
 * protected version needs them, and sidecars older than a day that no checkpoint names. Gives the number of removed objects. Does nothing when delta.enableExpiredLogCleanup is false. */
tn_rc tn_delta_log_cleanup(tn_delta_table *t, tn_conn *conn, const int64_t *protect,
    size_t protect_n, int64_t *ret_removed, tn_err *err) TN_MUSTUSE;

/* ---- log compaction ---- */
typedef struct tn_delta_compact_result {
    int64_t from, to, bytes;
    bool written; /* false: nothing to do, or it was there */
} tn_delta_compact_result;

/* Writes the commits from..to as one file that readers may take in their place (-1: from the newest checkpoint, to the newest version). */
tn_rc tn_delta_log_compact(tn_delta_table *t, int64_t from, int64_t to,
    tn_delta_compact_result *ret, tn_err *err) TN_MUSTUSE;

/* ---- RESTORE ---- */
typedef struct tn_delta_restore_opts {
    int64_t version;      /* or -1: */
    int64_t timestamp_ms; /* the newest version at that instant */
    bool allow_missing;   /* go on when files of the old version are gone: their rows are lost */
} tn_delta_restore_opts;

typedef struct tn_delta_restore_result {
    int64_t version, restored_version;
    int64_t files_restored, files_removed, files_missing, bytes_restored, bytes_removed;
} tn_delta_restore_result;

tn_rc tn_delta_restore_to(tn_delta_table *t, tn_conn *conn, const tn_delta_restore_opts *opts,
    tn_delta_restore_result *ret, tn_err *err) TN_MUSTUSE;

/* ---- CLONE ---- */
typedef struct tn_delta_clone_opts {
    int64_t version;      /* of the source; TN_DELTA_LATEST, or -1 with */
    bool by_time;         /* the newest version at */
    int64_t timestamp_ms; /* that instant */
    bool
        shallow; /* the clone names the source's files by absolute paths; VACUUM of the source does not know of them. Else files are copied */
    bool
        replace; /* a table that is there gets one more version: its history, id, name and description stay */
} tn_delta_clone_opts;

typedef struct tn_delta_clone_result {
    int64_t version, source_version, files, bytes;
    int64_t files_added, files_removed; /* replace: what is in both tables already is neither */
} tn_delta_clone_result;

/* Makes the table `to` with the state of a version of `from`. TN_E_EXISTS when `to` is there, unless it is to be replaced. A table that is replaced keeps its
 * own features, in-commit timestamps, row tracking and application transactions, and takes over schema, properties and features of the source. Refused: a
 * table onto itself, another mode of column mapping, an append-only table. */
tn_rc tn_delta_clone(tn_delta_table *from, tn_conn *conn, const tn_delta_clone_opts *opts,
    tn_delta_table *to, tn_delta_clone_result *ret, tn_err *err) TN_MUSTUSE;

/* ---- row tracking ---- */

/* Switches delta.enableRowTracking on for a live table: the feature, ids for the files that are there (ROW TRACKING BACKFILL), the property. Writers at the
 * same time are no hindrance but for other changes of the metadata. Does nothing when it is on. */
tn_rc tn_delta_row_tracking_enable(
    tn_delta_table *t, tn_conn *conn, int64_t *ret_version, tn_err *err) TN_MUSTUSE;

/* ---- repairing ---- */
typedef struct tn_delta_repair_opts {
    bool dry_run;   /* only say what would be taken out */
    bool allow_all; /* also when no file of the table is left: else TN_E_USAGE */
} tn_delta_repair_opts;

typedef struct tn_delta_lost { /* an entry of the log whose files are not all there */
    tn_str path, vector;       /* decoded; vector empty: none */
    bool path_missing, vector_missing;
} tn_delta_lost;
typedef tn_vec(tn_delta_lost) tn_delta_losses;

typedef struct tn_delta_repair_result {
    int64_t version, read_version; /* equal when nothing was lost, or nothing was done */
    int64_t bytes;                 /* of the lost files, by the log */
    tn_delta_losses lost;          /* in the order of the log */
} tn_delta_repair_result;

/* Takes entries whose data file or vector file is not there out of the log, in one commit (operation FSCK): their rows are lost, all others can be read
 * again. A store that gives any other answer than "not there" is an error, and nothing is done. */
tn_rc tn_delta_repair(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_repair_opts *opts, tn_delta_repair_result *ret, tn_err *err) TN_MUSTUSE;

/* ---- checking ---- */
typedef struct tn_delta_finding {
    bool error;       /* else a warning */
    const char *what; /* a short fixed name: "missing file", "row count", ... */
    tn_str path;      /* of the file or log object; may be empty */
    tn_str detail;
} tn_delta_finding;
typedef tn_vec(tn_delta_finding) tn_delta_findings;

typedef struct tn_delta_check_opts {
    bool skip_data; /* look at the log only, at no data file */
    bool values;    /* read the columns too and hold them against the statistics */
} tn_delta_check_opts;

typedef struct tn_delta_check_result {
    int64_t version; /* -1: it cannot be read */
    int64_t files, rows, commits;
    tn_delta_findings findings;
} tn_delta_check_result;

/* Looks at everything that the newest version rests on. Findings are a result, not an error; an error means that the check itself could not run. */
tn_rc tn_delta_check(tn_delta_table *t, tn_conn *conn, tn_arena *a, const tn_delta_check_opts *opts,
    tn_delta_check_result *ret, tn_err *err) TN_MUSTUSE;

#endif
