/* delta.h: a Delta Lake table in a store: read its log, describe how to scan it, write new versions.
 *
 * tn_delta_snapshot is immutable, ref-counted and shared by threads: the state of one version (protocol, metadata, live files).
 * Data files are written and read by DuckDB (a tn_conn of the caller); this layer writes only the log, checkpoints and the like.
 * Exactly one function makes data visible: tn_delta_commit_write.
 *
 * Errors: NOTFOUND (no table there; no such version), UNSUPPORTED (a protocol feature, named), CORRUPT (a log that cannot be), CONFLICT (a
 * commit that won and collides, named), EXISTS (create on an existing table), DATA (a row that violates NOT NULL or a constraint).
 */
#ifndef TN_DELTA_DELTA_H
#define TN_DELTA_DELTA_H

#include "base/map.h"
#include "base/val.h"
#include "base/vec.h"
#include "duck/duck.h"
#include "store/store.h"

#define TN_DELTA_LATEST ((int64_t)-1)

/* ---- schema ---- */
typedef enum tn_delta_kind { TN_DT_PRIMITIVE, TN_DT_STRUCT, TN_DT_ARRAY, TN_DT_MAP } tn_delta_kind;
typedef struct tn_delta_type tn_delta_type;
typedef struct tn_delta_field {
    tn_str name;
    tn_delta_type *type;
    bool nullable;
    tn_val metadata; /* dict */
} tn_delta_field;
typedef tn_vec(tn_delta_field) tn_delta_fields;
struct tn_delta_type {
    tn_delta_kind kind;
    tn_str name;            /* primitive: "long", "decimal(10,2)", "timestamp_ntz", ... */
    tn_delta_fields fields; /* struct */
    tn_delta_type *element; /* array element, map value */
    tn_delta_type *key;     /* map */
    bool contains_null;     /* array elements, map values */
};
tn_rc tn_delta_schema_parse(tn_arena *a, tn_str json, tn_delta_type **ret, tn_err *err) TN_MUSTUSE;
void tn_delta_schema_print(tn_buf *b, const tn_delta_type *t); /* schemaString */
/* DuckDB's SQL type text of a Delta type and back; a type that Delta does not have (HUGEINT, UBIGINT, ...) is TN_E_UNSUPPORTED with a hint. */
void tn_delta_type_to_sql(tn_buf *b, const tn_delta_type *t);
tn_rc tn_delta_type_from_sql(
    tn_arena *a, tn_str sql_type, tn_delta_type **ret, tn_err *err) TN_MUSTUSE;

/* A SELECT without rows of the columns that a writer gives (all but generated and identity ones); empty when there are none. */
tn_str tn_delta_no_rows_sql(tn_arena *a, const tn_delta_type *schema);

/* ---- actions ---- */
typedef struct tn_delta_protocol {
    int reader, writer;
    tn_strs reader_features, writer_features;
} tn_delta_protocol;

typedef struct tn_delta_meta {
    tn_str id, name, description, format_provider;
    tn_str schema_json;
    tn_delta_type *schema;
    tn_strs partition_columns;
    tn_val configuration; /* dict of strings */
    int64_t created_ms;   /* INT64_MIN: absent */
} tn_delta_meta;

typedef struct tn_delta_dv {
    char storage; /* 0: none; 'u', 'i', 'p' */
    tn_str path_or_inline;
    int32_t offset; /* -1: absent */
    int64_t size_bytes, cardinality;
} tn_delta_dv;

typedef struct tn_delta_file { /* an add */
    tn_str path;               /* as in the log, encoded */
    tn_val partition_values;   /* dict: name -> string or None */
    int64_t size, mtime_ms;
    tn_str stats; /* JSON text, empty when absent */
    tn_val tags;  /* dict or undefined */
    tn_delta_dv dv;
    int64_t base_row_id, default_row_commit_version; /* INT64_MIN: absent */
    tn_str clustering_provider;
    bool data_change;
} tn_delta_file;
typedef tn_vec(tn_delta_file) tn_delta_files;

typedef struct tn_delta_remove {
    tn_str path;
    int64_t deleted_ms;
    bool data_change, extended;
    tn_val partition_values;
    int64_t size; /* -1: absent */
    tn_delta_dv dv;
} tn_delta_remove;
typedef tn_vec(tn_delta_remove) tn_delta_removes;

/* ---- a table and its snapshots ---- */
typedef struct tn_delta_table tn_delta_table; /* store + caches; shareable */
typedef struct tn_delta_snapshot tn_delta_snapshot;

/* Does not touch the store. The table's root is the store's root. */
tn_rc tn_delta_table_open(tn_store *store, tn_delta_table **ret, tn_err *err) TN_MUSTUSE;
void tn_delta_table_close(tn_delta_table *t);
TN_DEFINE_AUTOPTR(tn_delta_table, tn_delta_table_close)
tn_rc tn_delta_table_exists(tn_delta_table *t, bool *ret, tn_err *err) TN_MUSTUSE;
/* conn reads Parquet checkpoints and big logs. version TN_DELTA_LATEST or a number. */
tn_rc tn_delta_snapshot_open(tn_delta_table *t, tn_conn *conn, int64_t version,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* A version whose commit is known by its hash (tn_delta_snapshot_hash): on a far store what makes it up is remembered on this machine, and opening it again
 * asks for nothing. Another hash there than the one that is wanted is no error. */
tn_rc tn_delta_snapshot_open_known(tn_delta_table *t, tn_conn *conn, int64_t version, tn_str hash,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* Brings what makes up that version from a far store to this machine, so that opening it asks for nothing; needs no connection, so that many tables are
 * brought at once. Never fails: what could not be had is asked for, and told of, when the version is opened. */
void tn_delta_warm(tn_delta_table *t, int64_t version, tn_str hash);
/* For a piece of work that has a handle of its own: the latest version; on a far store what this handle has looked for or written in the last seconds counts,
 * without asking again. *ret NULL: there is no table. *ret_asked (may be NULL) false: who then loses to a winner opens the latest version and tries again
 * before he complains. */
tn_rc tn_delta_snapshot_recent(tn_delta_table *t, tn_conn *conn, tn_delta_snapshot **ret,
    bool *ret_asked, tn_err *err) TN_MUSTUSE;
/* Tells of each version that this handle commits, as long as its state follows from what was read; the snapshot is the callee's for the call only. */
typedef void (*tn_delta_watch)(void *self, tn_delta_snapshot *s);
void tn_delta_table_watch(tn_delta_table *t, tn_delta_watch fn, void *self);
tn_rc tn_delta_snapshot_at_time(tn_delta_table *t, tn_conn *conn, int64_t timestamp_ms,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
tn_delta_snapshot *tn_delta_snapshot_ref(tn_delta_snapshot *s);
void tn_delta_snapshot_unref(tn_delta_snapshot *s);
TN_DEFINE_AUTOPTR(tn_delta_snapshot, tn_delta_snapshot_unref)

int64_t tn_delta_snapshot_version(const tn_delta_snapshot *s);
tn_str tn_delta_snapshot_root(const tn_delta_snapshot *s); /* of its table */
/* The first 16 hexadecimal digits of the SHA-256 of the version's commit file: no other version of any table has them. Empty: it was not read. */
tn_str tn_delta_snapshot_hash(const tn_delta_snapshot *s);
const tn_delta_protocol *tn_delta_snapshot_protocol(const tn_delta_snapshot *s);
const tn_delta_meta *tn_delta_snapshot_meta(const tn_delta_snapshot *s);
size_t tn_delta_snapshot_file_count(const tn_delta_snapshot *s);
const tn_delta_file *tn_delta_snapshot_file(const tn_delta_snapshot *s, size_t i);
/* Where the file is, as DuckDB opens it: an absolute path or a URL. */
tn_rc tn_delta_file_location(const tn_delta_snapshot *s, tn_arena *a, const tn_delta_file *f,
    tn_str *ret, tn_err *err) TN_MUSTUSE;
const tn_delta_removes *tn_delta_snapshot_tombstones(const tn_delta_snapshot *s);
int64_t tn_delta_snapshot_txn(const tn_delta_snapshot *s, tn_str app_id); /* -1: none */
int64_t tn_delta_snapshot_bytes(const tn_delta_snapshot *s);
int64_t tn_delta_snapshot_rows(const tn_delta_snapshot *s); /* -1 when a file has no stats */
int64_t tn_delta_snapshot_timestamp_ms(const tn_delta_snapshot *s);

/* ---- reading ---- */
typedef struct tn_delta_scan_opts {
    tn_str
        where; /* SQL predicate for pruning only (the caller's query still filters); empty: none */
    bool add_file_columns; /* also filename and file_row_number as _tarn_file, _tarn_row */
    bool
        add_row_ids; /* also each row's id and commit version (row tracking) as _tarn_id, _tarn_version; NULL where a file has none */
    tn_conn *
        conn; /* parses `where` and looks into footers where the log does not say enough; NULL: no pruning */
    bool
        portable; /* the text is to be run by other sessions (a catalog): do not count on this session's TimeZone */
    const bool *only; /* of each file of the snapshot: is it wanted? NULL: all are */
} tn_delta_scan_opts;
/* SQL text of a relation ("SELECT ... FROM read_parquet([...])") that yields exactly the table's rows and columns, runnable by plain DuckDB with
 * the parquet extension. An empty table yields a SELECT of typed NULLs WHERE false. */
tn_rc tn_delta_scan_sql(const tn_delta_snapshot *s, tn_arena *a, const tn_delta_scan_opts *opts,
    tn_str *ret_sql, tn_err *err) TN_MUSTUSE;

/* keep[i] = false for files that cannot hold a row for which a predicate is true, others stay as they are. tree: DuckDB's (json_serialize_sql), whose column
 * names are the table's, with the relation's name before them or not. */
void tn_delta_prune_tree(const tn_delta_snapshot *s, tn_val tree, bool *keep);

/* ---- writing ---- */
typedef enum tn_delta_mode { TN_DELTA_CREATE, TN_DELTA_APPEND, TN_DELTA_OVERWRITE } tn_delta_mode;
typedef enum tn_delta_schema_mode {
    TN_SCHEMA_STRICT,
    TN_SCHEMA_MERGE,
    TN_SCHEMA_OVERWRITE
} tn_delta_schema_mode;

typedef struct tn_delta_write_opts {
    tn_delta_mode mode; /* APPEND and OVERWRITE create an absent table */
    tn_delta_schema_mode schema_mode;
    tn_strs
        partition_by; /* for a new table, or with schema overwrite; else must be empty or equal */
    tn_strs
        cluster_by; /* for a new table, or with schema overwrite; else must be empty or equal (delta_cluster.h) */
    tn_val properties;        /* dict: table properties for a new table, or undefined */
    tn_str name, description; /* for a new table */
    /* With schema mode overwrite: the table is made anew with these properties, name and description, as CREATE OR REPLACE does; else an overwrite
     * keeps them. */
    bool replace_table;
    /* The schema of a new or replaced table, with nullability and metadata of its columns; the SELECT gives some or all of its columns. NULL: the
     * SELECT's columns. */
    const tn_delta_type *schema;
    tn_str app_id; /* idempotent write: with txn_version; a version already written is skipped */
    int64_t txn_version;
    tn_str operation;            /* commitInfo.operation; empty: derived */
    tn_val operation_parameters; /* dict or undefined */
    tn_val user_metadata;        /* dict or undefined: goes to commitInfo */
    int64_t target_file_bytes;   /* 0: default */
    /* OVERWRITE of a part. replace_where: an SQL predicate over the table's columns; rows for which it is true go, the new rows take their place, and
     * each of them must satisfy it (else TN_E_DATA) unless replace_unchecked. dynamic_partitions: only the partitions that the new rows have are
     * replaced (without partition columns: the whole table). Not both, and not with schema mode overwrite (TN_E_USAGE). Writers that touch
     * other rows or partitions do not conflict. On an absent table either is a plain write. */
    tn_str replace_where; /* empty: none */
    bool replace_unchecked;
    bool dynamic_partitions;
    /* Called once when the data files are written and before anything is committed; a failure aborts the write and removes the files.
     * conn is the one that ran the SELECT (land looks at its table of rejected rows here). NULL: none. */
    tn_rc (*before_commit)(void *self, tn_conn *conn, int64_t rows, tn_err *err);
    void *before_commit_self;
    /* The caller has looked at the table by this handle as part of the same piece of work (tn_delta_table_exists, tn_delta_snapshot_recent): on a far store
     * that look counts. */
    bool looked;
} tn_delta_write_opts;

typedef struct tn_delta_write_result {
    int64_t version; /* the new version; the old one when nothing was written (skipped) */
    int64_t rows, files, bytes;
    int64_t deleted; /* replace_where, dynamic_partitions: rows that went */
    bool skipped;    /* app_id/txn_version was there already */
    bool created;
} tn_delta_write_result;
/* Runs the SELECT on conn, writes its rows as Parquet under the table and commits. A retry after a lost race rewrites no data file (blind
 * append); an overwrite that lost to a conflicting commit is TN_E_CONFLICT. On any failure no version is added and written files are removed. */
tn_rc tn_delta_write(tn_delta_table *t, tn_conn *conn, tn_str select_sql,
    const tn_delta_write_opts *opts, tn_delta_write_result *ret, tn_err *err) TN_MUSTUSE;
/* New version with the state of an older one, metadata only. */
tn_rc tn_delta_restore(tn_delta_table *t, tn_conn *conn, int64_t version, int64_t *ret_version,
    tn_err *err) TN_MUSTUSE;
tn_rc tn_delta_checkpoint(
    tn_delta_table *t, tn_conn *conn, const tn_delta_snapshot *s, tn_err *err) TN_MUSTUSE;
/* Newest first; each entry is a dict: version, timestamp (ms), operation, operationParameters, operationMetrics, ... limit 0: all. */
tn_rc tn_delta_history(
    tn_delta_table *t, tn_arena *a, size_t limit, tn_val *ret_list, tn_err *err) TN_MUSTUSE;

#endif
