/* delta_action.h: what stands in a commit or checkpoint: actions, read from lines and printed as lines, and the paths in them.
 *
 * Ownership: what a parser gives lives in the arena given to it. Paths in actions are percent-encoded and relative to the table's root, or
 * absolute; keys of the store are relative to the root ("_delta_log/00000000000000000000.json").
 */
#ifndef TN_DELTA_DELTA_ACTION_H
#define TN_DELTA_DELTA_ACTION_H

#include "delta/delta.h"

#define TN_DELTA_ABSENT INT64_MIN /* a number that an action does not carry */
#define TN_DELTA_SQL_BYTES_MAX ((size_t)1 << 30)

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

/* ---- paths ---- */
/* The identity of a file in replay: canonical decoded path, and the deletion vector's id after a newline. */
tn_rc tn_delta_file_key(
    tn_arena *a, tn_str path, const tn_delta_dv *dv, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Decoded path or URL: "p=a b/x.parquet", "/abs/x.parquet", "s3://bucket/k". */
tn_rc tn_delta_path_decode(tn_arena *a, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE;

/* A decoded path that is no key below the root: an absolute path or a URL. */
bool tn_delta_path_is_absolute(tn_str place);

/* Where DuckDB finds a path of the log (encoded as in an action). */
tn_rc tn_delta_locate(
    tn_store *store, tn_arena *a, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Looks at an object by its decoded path: a key below the root, or an absolute path or URL. */
tn_rc tn_delta_object_head(
    tn_store *store, tn_arena *a, tn_str place, tn_store_item *ret, tn_err *err) TN_MUSTUSE;
/* A quoted literal of a location for read_parquet, with '*', '?' and '[' taken as themselves. */
void tn_delta_sql_location(tn_buf *b, tn_str location);
/* An SQL expression for the list of them. patterns: each as tn_delta_sql_location writes it, else as it is. */
void tn_delta_sql_locations(tn_buf *b, const tn_strs *locations, bool patterns);

#endif
