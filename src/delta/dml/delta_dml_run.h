/* delta_dml_run.h: one run of DELETE, UPDATE or MERGE against one snapshot.
 *
 *     open (refusals, pruning) -> rows found, in a temporary table -> bitmaps -> new files, deletion vectors -> commit
 *
 * The temporary table `hits`: _tarn_f (place in `files`; NULL: a new row), _tarn_r (row in the file), _tarn_k (number of the
 * act, from 1) and, when some act writes rows, the new row as _tarn_v0, _tarn_v1, ... in the order and types of the schema.
 */
#ifndef TN_DELTA_DELTA_DML_RUN_H
#define TN_DELTA_DELTA_DML_RUN_H

#include "delta/action/delta_dv.h"
#include "delta/delta_dml.h"
#include "delta/log/delta_log.h"

typedef struct tn_dml_act {
    tn_merge_when when;
    enum { TN_ACT_DELETE, TN_ACT_UPDATE, TN_ACT_INSERT } what;
    int64_t rows;      /* done by it */
    const bool *given; /* of each column: the statement says its value; NULL: of none */
} tn_dml_act;

typedef struct tn_dml {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_dml_opts *opts;
    const tn_delta_snapshot *s;
    const tn_delta_snapshot *base; /* as it was read; s may have more columns (tn_dml_evolve) */
    tn_str alias;
    tn_str where;         /* what the statement reads of the table, as far as it says; empty: all */
    bool reads_all;       /* an empty where is meant */
    tn_str cover;         /* tn_dml_cover: partition values decide; empty: they do not */
    bool *keep;           /* of each file of the snapshot */
    tn_vec(size_t) files; /* the kept ones' places in the snapshot */
    tn_str enum_type;     /* ENUM of the kept files' locations */
    tn_str hits;          /* quoted name of the temporary table; empty: none yet */
    bool writes;          /* hits has new rows */
    bool feed; /* the change data feed is on: hits has the old rows too, as _tarn_o0, .. */
    tn_vec(tn_dml_act) acts;
    tn_str operation;
    tn_val parameters;
    bool overwrites;                   /* a part of the table: metrics are those of a write, too */
    const tn_delta_protocol *protocol; /* new or NULL */
    const tn_delta_meta *meta;         /* new or NULL */
    const tn_str *
        missing; /* of each column: SQL of the value of a new row that is not given, and of DEFAULT */
    int64_t source_rows; /* MERGE */
    int64_t started_us, scanned_us;
    /* what comes of it */
    tn_delta_files data, adds;
    tn_delta_removes removes;
    tn_delta_dv_file dvs;
    bool dvs_there;
    int64_t dv_added, dv_updated, dv_removed;
    int64_t deleted, updated, inserted, copied;
    int64_t bytes_removed, bytes_added;
    const tn_delta_files *fresh;  /* overwrites: the files of the rows given */
    tn_delta_files changes;       /* change data */
    int64_t new_files, new_bytes; /* overwrites: of the rows given */
} tn_dml;

/* Checks that the table may be changed. what: "UPDATE" and the like. */
tn_rc tn_dml_open(tn_dml *d, const char *what, tn_err *err) TN_MUSTUSE;
/* Picks the files that d->where leaves. */
tn_rc tn_dml_pick(tn_dml *d, tn_err *err) TN_MUSTUSE;
/* When the values of partition columns alone say whether `where` is true of a row: picks exactly the files whose rows it takes. */
tn_rc tn_dml_cover_where(tn_dml *d, tn_str where, bool *ret_exact, tn_err *err) TN_MUSTUSE;
/* Picks the files in the same partitions as these. */
tn_rc tn_dml_cover_partitions(tn_dml *d, const tn_delta_files *like, tn_err *err) TN_MUSTUSE;
/* After either: whether it takes a file. */
tn_rc tn_dml_covered(const tn_dml *d, const tn_delta_file *f, bool *ret, tn_err *err) TN_MUSTUSE;
/* The rows of the picked files for which `where` is true, as d->hits; sets NULL: nothing is written for them. */
tn_rc tn_dml_find_rows(tn_dml *d, tn_str where, const tn_delta_sets *sets, tn_err *err) TN_MUSTUSE;
/* The SELECT over the picked files (or those of `only`) with the file columns. */
tn_rc tn_dml_scan(tn_dml *d, const bool *only, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* SQL of the place of a row's file among d->files; alias: of the scan. */
void tn_dml_add_file(const tn_dml *d, tn_buf *b, tn_str alias);
/* "CAST((value) AS type)" */
void tn_dml_add_value(tn_buf *b, const tn_delta_type *type, tn_str value);
/* Fills d->missing; before the statement is made. */
tn_rc tn_dml_find_missing(tn_dml *d, tn_err *err) TN_MUSTUSE;
/* A value as given, with DEFAULT as what it stands for. */
tn_str tn_dml_value(const tn_dml *d, size_t column, tn_str value);
/* Which columns of the schema sets say the value of; DEFAULT leaves it to the table. */
const bool *tn_dml_given(const tn_dml *d, const tn_delta_sets *sets);
/* Values that are given to columns which take none: an identity that is updated, or always made by the table. */
tn_rc tn_dml_check_given(const tn_dml *d, const tn_dml_act *act, tn_err *err) TN_MUSTUSE;
/* Gives the new rows in hits the values of generated and identity columns; new high-water marks go to d->meta. */
tn_rc tn_dml_fill(tn_dml *d, tn_err *err) TN_MUSTUSE;
/* The value that sets give a column, or NULL. */
const tn_str *tn_dml_set_of(const tn_delta_sets *sets, tn_str column);
/* Columns of sets exist and are named once. */
tn_rc tn_dml_check_sets(const tn_dml *d, const tn_delta_sets *sets, tn_err *err) TN_MUSTUSE;
tn_str tn_dml_temp_name(tn_arena *a, const char *kind);
void tn_dml_drop(tn_conn *conn, tn_str name);
/* A long statement without rows. */
tn_rc tn_dml_work(tn_conn *conn, tn_str sql, tn_err *err) TN_MUSTUSE;

/* Bitmaps, files, vectors: everything up to the commit, from hits (or all files go, when there are no hits). */
tn_rc tn_dml_apply(tn_dml *d, tn_err *err) TN_MUSTUSE;
tn_rc tn_dml_apply_all(tn_dml *d, tn_err *err) TN_MUSTUSE;
/* Files just written become part of the commit, and are removed when it does not come about. */
void tn_dml_take_files(tn_dml *d, const tn_delta_files *files);
void tn_dml_discard(tn_dml *d);
bool tn_dml_is_empty(const tn_dml *d);
tn_val tn_dml_metrics(const tn_dml *d);

/* Gives the table what these columns of the source (a quoted relation) have besides; d->s is then wider than the snapshot. */
tn_rc tn_dml_evolve(tn_dml *d, tn_str source, const tn_strs *columns, tn_err *err) TN_MUSTUSE;
/* A value of the source as the table's struct: fields that it lacks are those of `old` (SQL; empty: NULL). from NULL: as it is. */
void tn_dml_add_wider(
    tn_buf *b, const tn_delta_type *to, const tn_delta_type *from, tn_str expr, tn_str old);
/* ", old row" for hits when the feed is on; there: the target is in sight. */
void tn_dml_add_old_row(const tn_dml *d, tn_buf *b, bool there);
bool tn_dml_feed_is_on(const tn_delta_meta *m);
/* The change data files, when the commit needs some. partly: a file lost some of its rows. */
tn_rc tn_dml_write_feed(tn_dml *d, bool partly, tn_err *err) TN_MUSTUSE;

/* Runs `body` on the newest snapshot, commits what comes of it, and again after a conflict. */
typedef tn_rc (*tn_dml_body)(void *self, tn_dml *d, tn_err *err);
tn_rc tn_dml_run(tn_delta_table *t, tn_conn *conn, const tn_delta_dml_opts *opts, tn_dml_body body,
    void *self, tn_delta_dml_result *ret, tn_err *err) TN_MUSTUSE;

#endif
