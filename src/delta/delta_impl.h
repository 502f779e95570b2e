/* delta_impl.h: what the files of src/delta share and nobody else sees.
 *
 * Data flow of reading:  list -> tn_delta_segment -> (checkpoint rows, commits) -> tn_delta_replay -> tn_delta_snapshot.
 * Data flow of writing:  COPY -> tn_delta_new_files -> tn_delta_txn_plan -> tn_delta_commit_write (the only function that
 * makes a version visible).
 *
 * Ownership: everything in a snapshot lives in the snapshot's arena; a parsed commit lives in the arena given to
 * the parser. Keys of the store are relative to the table's root ("_delta_log/00000000000000000000.json").
 */
#ifndef TN_DELTA_DELTA_IMPL_H
#define TN_DELTA_DELTA_IMPL_H

#include "delta/delta.h"
#include "delta/delta_sums.h"
#include "os/thread.h"

#define TN_DELTA_ABSENT INT64_MIN /* a number that an action does not carry */

/* Limits on what comes from outside. */
#define TN_DELTA_COMMIT_BYTES_MAX ((size_t)1 << 30)
#define TN_DELTA_HINT_BYTES_MAX ((size_t)1 << 20)
#define TN_DELTA_DV_BYTES_MAX ((size_t)1 << 30)
#define TN_DELTA_CHECKPOINT_BYTES_MAX ((size_t)4 << 30)
#define TN_DELTA_SQL_BYTES_MAX ((size_t)1 << 30)
enum { TN_DELTA_TYPE_DEPTH_MAX = 64, TN_DELTA_FIELDS_MAX = 100000, TN_DELTA_PARTS_MAX = 100000 };

/* ---- actions of one commit or checkpoint ---- */
typedef struct tn_delta_txn {
    tn_str app_id;
    int64_t version;
    int64_t last_updated;
} tn_delta_txn;
typedef tn_vec(tn_delta_txn) tn_delta_txns;

typedef struct tn_delta_domain {
    tn_str domain, configuration;
    bool removed;
} tn_delta_domain;
typedef tn_vec(tn_delta_domain) tn_delta_domains;

typedef struct tn_delta_actions {
    int64_t version;
    bool has_protocol, has_meta, has_info;
    tn_delta_protocol protocol;
    tn_delta_meta meta;
    tn_delta_files adds;
    tn_delta_removes removes;
    tn_delta_files cdcs; /* change data: path, partition_values and size */
    tn_delta_txns txns;
    tn_delta_domains domains;
    tn_strs sidecars;     /* paths, checkpoints only */
    int64_t in_commit_ms; /* commitInfo.inCommitTimestamp or TN_DELTA_ABSENT */
    bool blind_append;    /* commitInfo.isBlindAppend */
    tn_str txn_id;        /* commitInfo.txnId */
    tn_str operation;     /* commitInfo.operation */
    tn_str info;          /* raw JSON of commitInfo */
} tn_delta_actions;

/* Parses NDJSON; appends to *acts (zeroed by the caller at first; strings are copied into a). `what` names the text in errors. */
tn_rc tn_delta_actions_parse(
    tn_arena *a, tn_str text, const char *what, tn_delta_actions *acts, tn_err *err) TN_MUSTUSE;
tn_delta_actions tn_delta_actions_empty(void);

/* Printing: one line each, with the newline. */
void tn_delta_print_protocol(tn_buf *b, const tn_delta_protocol *p);
void tn_delta_print_meta(tn_buf *b, const tn_delta_meta *m);
void tn_delta_print_add(tn_buf *b, const tn_delta_file *f);
void tn_delta_print_cdc(tn_buf *b, const tn_delta_file *f);
void tn_delta_print_remove(tn_buf *b, const tn_delta_remove *r);
void tn_delta_print_txn(tn_buf *b, const tn_delta_txn *t);
void tn_delta_print_domain(tn_buf *b, const tn_delta_domain *d);
tn_delta_remove tn_delta_remove_of(const tn_delta_file *f, int64_t now_ms);

/* The identity of a file in replay: canonical decoded path, and the deletion vector's id after a newline. */
tn_rc tn_delta_file_key(
    tn_arena *a, tn_str path, const tn_delta_dv *dv, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Decoded path or URL: "p=a b/x.parquet", "/abs/x.parquet", "s3://bucket/k". */
tn_rc tn_delta_path_decode(tn_arena *a, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE;

/* Where DuckDB finds a path of the log (encoded as in an action). */
tn_rc tn_delta_locate(
    tn_store *store, tn_arena *a, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Looks at an object by its decoded path: a key below the root, or an absolute path or URL. */
tn_rc tn_delta_object_head(
    tn_store *store, tn_arena *a, tn_str place, tn_store_item *ret, tn_err *err) TN_MUSTUSE;
/* A quoted literal of a location for read_parquet, with '*', '?' and '[' taken as themselves. */
void tn_delta_sql_location(tn_buf *b, tn_str location);

/* ---- tables, log ---- */
struct tn_delta_table {
    tn_store *store;
    tn_mutex mutex; /* guards latest */
    tn_delta_snapshot *
        latest; /* newest snapshot seen: a later open replays only what came after it; may be NULL */
};

typedef struct tn_delta_log_file {
    int64_t version;
    int64_t from; /* of a compacted file: its first version, `version` is its last; -1: a commit */
    tn_str key, etag; /* etag: may be empty */
    int64_t size, mtime_ms;
} tn_delta_log_file;
typedef tn_vec(tn_delta_log_file) tn_delta_log_files;

typedef struct tn_delta_segment {
    int64_t version;            /* what the segment gives */
    int64_t checkpoint_version; /* -1: none */
    tn_store_items checkpoint;  /* one, or all parts */
    bool checkpoint_is_json;
    tn_delta_log_files commits; /* ascending, checkpoint_version + 1 .. version */
    tn_delta_log_files shorter; /* the same by compacted files where these fit; empty: none does */
    int64_t
        version_mtime_ms; /* of the commit file of `version`; ABSENT when only a checkpoint is there */
} tn_delta_segment;

tn_str tn_delta_commit_key(tn_arena *a, int64_t version);
/* Lists the log and picks checkpoint and commits. Checkpoints newer than or equal to bad_checkpoint are left out (INT64_MAX: none is
 * bad). from >= 0: the caller has that version already and wants only commits after it (then checkpoints are left out). */
tn_rc tn_delta_segment_find(tn_delta_table *t, tn_arena *a, int64_t version, int64_t bad_checkpoint,
    tn_delta_segment *ret, tn_err *err) TN_MUSTUSE;
/* Commits after `from`, in order, as far as they are there. */
tn_rc tn_delta_commits_after(
    tn_delta_table *t, tn_arena *a, int64_t from, tn_delta_log_files *ret, tn_err *err) TN_MUSTUSE;
/* All commit files that are there, ascending. */
tn_rc tn_delta_commits_all(
    tn_delta_table *t, tn_arena *a, tn_delta_log_files *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_commit_read(
    tn_delta_table *t, tn_arena *a, int64_t version, tn_delta_actions *ret, tn_err *err) TN_MUSTUSE;

struct tn_delta_snapshot {
    tn_arena *arena;
    int refs;
    tn_store *store;
    int64_t version;
    tn_delta_protocol protocol;
    tn_delta_meta meta;
    tn_delta_files files;
    tn_delta_removes tombstones;
    tn_map txns;    /* app id -> tn_delta_txn */
    tn_map domains; /* name -> tn_delta_domain */
    int64_t bytes;
    tn_delta_sums sums;
    int64_t timestamp_ms;
    int64_t in_commit_ms;
    int64_t commit_mtime_ms;    /* of the commit's file; ABSENT when only a checkpoint is there */
    int64_t checkpoint_version; /* that it was read from; -1: none */
    int chain;                  /* how many older snapshots live on under this one */
};

/* The same version read without the checkpoints from `bad` on. */
tn_rc tn_delta_snapshot_before(tn_delta_table *t, tn_conn *conn, int64_t version, int64_t bad,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;

/* ---- features ---- */
tn_rc tn_delta_check_readable(const tn_delta_protocol *p, tn_err *err) TN_MUSTUSE;
/* Names the first writer feature that this library cannot honour yet. */
tn_rc tn_delta_check_writable(
    const tn_delta_protocol *p, const tn_delta_meta *m, tn_err *err) TN_MUSTUSE;
bool tn_delta_has_feature(const tn_delta_protocol *p, const char *feature);
typedef enum tn_delta_mapping { TN_MAPPING_NONE, TN_MAPPING_NAME, TN_MAPPING_ID } tn_delta_mapping;
tn_delta_mapping tn_delta_mapping_of(const tn_delta_protocol *p, const tn_delta_meta *m);
tn_str tn_delta_physical_name(const tn_delta_field *f, tn_delta_mapping mapping);
tn_str tn_delta_property(const tn_delta_meta *m, const char *key); /* empty when absent */
bool tn_delta_property_is(const tn_delta_meta *m, const char *key, const char *value);
/* "interval 1 week" and the like; dflt when absent or not understood. */
int64_t tn_delta_interval_ms(const tn_delta_meta *m, const char *key, int64_t dflt);
/* The place of a partition column, or SIZE_MAX. */
size_t tn_delta_partition_index(const tn_delta_meta *m, tn_str name);

/* ---- schema ---- */
bool tn_delta_type_is(const tn_delta_type *t, const char *primitive);
int tn_delta_type_int_rank(const tn_delta_type *t); /* byte 1, short 2, integer 3, long 4; else 0 */
bool tn_delta_type_is_decimal(const tn_delta_type *t, int64_t *ret_precision, int64_t *ret_scale);
bool tn_delta_type_eq(const tn_delta_type *x,
    const tn_delta_type *y); /* names ignoring case; nullability and metadata do not count */
bool tn_delta_type_has(const tn_delta_type *t, const char *primitive); /* anywhere inside */
/* The first primitive inside that this library does not know; NULL: all are known. */
const tn_delta_type *tn_delta_type_unknown(const tn_delta_type *t);
tn_delta_type *tn_delta_primitive(tn_arena *a, tn_str name);
/* A deep copy, metadata too, that may be changed without touching a snapshot. */
tn_delta_type *tn_delta_type_copy(tn_arena *a, const tn_delta_type *t);
tn_delta_field *tn_delta_field_find(
    const tn_delta_type *t, tn_str name); /* ignoring case (ASCII), NULL when absent */
/* The SQL type of the data in files: names of nested fields physical, void as VARCHAR. */
void tn_delta_type_to_physical_sql(tn_buf *b, const tn_delta_type *t, tn_delta_mapping mapping);

/* ---- deletion vectors ---- */
/* Row numbers in ascending order. */
tn_rc tn_delta_dv_read(tn_store *store, tn_arena *a, const tn_delta_dv *dv, uint64_t **ret,
    size_t *ret_n, tn_err *err) TN_MUSTUSE;
/* Where its file lies: a key below the root, or an absolute path or URL; empty for one in the log itself. */
tn_rc tn_delta_dv_place(tn_arena *a, const tn_delta_dv *dv, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* uniqueId of the protocol: type, path, "@offset". */
tn_str tn_delta_dv_id(tn_arena *a, const tn_delta_dv *dv);

/* ---- pruning ---- */
/* A partition value of the log as SQL of the column's type. A timestamp without zone is taken as UTC. */
void tn_delta_partition_sql(tn_buf *b, const tn_delta_type *t, tn_val v);
/* keep[i] = false for files that cannot hold a row of the predicate. conn NULL or a predicate that is not understood: all true. */
tn_rc tn_delta_prune(const tn_delta_snapshot *s, tn_conn *conn, tn_arena *a, tn_str where,
    bool *keep, tn_err *err) TN_MUSTUSE;

/* DuckDB's tree of a predicate; undefined when it does not take it. */
tn_val tn_delta_where_tree(tn_conn *conn, tn_arena *a, tn_str where);
/* The text of such a tree, or of a part of one; empty when DuckDB gives none. */
tn_str tn_delta_where_text(tn_conn *conn, tn_arena *a, tn_val tree);

/* ---- statistics ---- */
/* column_statistics of COPY's RETURN_STATS (dict: quoted dotted path -> dict) to the JSON of add.stats. always: dotted names of columns that
 * have statistics whatever the table's properties say (clustering columns), or NULL. */
void tn_delta_stats_print(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping,
    const tn_strs *always, int64_t rows, tn_val column_statistics);
/* numRecords, or -1 when the statistics do not say. */
/* stats_parsed of a checkpoint, every leaf a text as DuckDB prints it (dict under physical names; NULL: unknown), to the JSON of add.stats. Empty:
 * there are none. */
tn_str tn_delta_stats_of_texts(
    tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping, tn_val texts);
int64_t tn_delta_stats_rows(const tn_delta_file *f);
/* A partition value's text as DuckDB casts it to the text that the log holds. */
tn_val tn_delta_partition_text(tn_arena *a, const tn_delta_type *t, tn_val duck);

/* ---- committing ---- */
typedef struct tn_delta_txn_plan {
    int64_t read_version;          /* -1: a new table */
    const tn_delta_snapshot *base; /* of read_version; NULL: a new table */
    tn_str operation;
    tn_str
        isolation; /* as commitInfo names it; empty: what delta.isolationLevel says, else WriteSerializable */
    tn_val operation_parameters; /* dict of strings of JSON */
    tn_val operation_metrics;    /* dict of strings */
    tn_val user_metadata;
    bool blind_append;         /* reads nothing of the table, only adds */
    bool reads_all;            /* what it does depends on every file */
    const tn_map *reads_files; /* decoded paths of the files it depends on, or NULL */
    bool (*reads_add)(void *self,
        const tn_delta_file
            *f); /* whether it would have read a file that a winner added; NULL: no */
    void *reads_self;
    const tn_delta_protocol *protocol; /* new or NULL */
    const tn_delta_meta *meta;         /* new or NULL */
    bool backfill;     /* adds only repeat files of base, which get row ids: see delta_rows.h */
    bool rows_renamed; /* copies rows without their row ids */
    tn_delta_files adds;
    tn_delta_removes removes;
    tn_delta_files cdcs;
    tn_delta_txns txns;
    tn_delta_domains domains;
} tn_delta_txn_plan;

/* Writes the commit as the next version, again and again past winners that do not collide. Fails with the table untouched, or
 * TN_E_AMBIGUOUS when nobody can say. inCommitTimestamps, row ids and N.crc are its own affair. */
tn_rc tn_delta_commit_write(
    tn_delta_table *t, const tn_delta_txn_plan *plan, int64_t *ret_version, tn_err *err) TN_MUSTUSE;

/* After a commit: writes a checkpoint when the table's interval says so. Failures are logged, never returned. */
void tn_delta_after_commit(
    tn_delta_table *t, tn_conn *conn, int64_t version, const tn_delta_meta *meta);

/* An overwrite of a part of a table that is there: opts->replace_where or opts->dynamic_partitions. */
tn_rc tn_delta_replace(tn_delta_table *t, tn_conn *conn, tn_str select_sql,
    const tn_delta_write_opts *opts, tn_delta_write_result *ret, tn_err *err) TN_MUSTUSE;

#include "delta/delta_target.h" /* needs what stands above */

#endif
