/* delta_log.h: a table's log: which objects make up a version, the state they give, and the one function that makes a version visible.
 *
 * Reading:  list -> tn_delta_segment -> (checkpoint rows, commits) -> tn_delta_replay -> tn_delta_snapshot.
 * Writing:  COPY -> new files -> tn_delta_txn_plan -> tn_delta_commit_write.
 *
 * Ownership: everything in a snapshot lives in the snapshot's arena.
 */
#ifndef TN_DELTA_DELTA_LOG_H
#define TN_DELTA_DELTA_LOG_H

#include "delta/action/delta_action.h"
#include "delta/log/delta_sums.h"
#include "os/thread.h"

#define TN_DELTA_COMMIT_BYTES_MAX ((size_t)1 << 30)
#define TN_DELTA_HINT_BYTES_MAX ((size_t)1 << 20)
#define TN_DELTA_CHECKPOINT_BYTES_MAX ((size_t)4 << 30)

/* ---- tables, log ---- */
typedef struct tn_delta_found tn_delta_found;

struct tn_delta_table {
    tn_store *store;
    tn_mutex mutex; /* guards what follows */
    tn_delta_snapshot *
        latest; /* newest snapshot seen: a later open replays only what came after it; may be NULL */
    int64_t latest_us; /* when that was the newest, by the monotonic clock; INT64_MIN: not known */
    tn_delta_found
        *found;        /* of a far store: what a look for the table has shown (delta_recent.c) */
    tn_thread *behind; /* writes a checksum file; NULL: nothing to wait for */
    tn_delta_watch watch;
    void *watch_self;
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
    tn_str version_etag; /* of the same; empty: not known */
} tn_delta_segment;

tn_str tn_delta_bare_etag(tn_str etag); /* without its quotes */
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
    int64_t commit_mtime_ms;     /* of the commit's file; ABSENT when only a checkpoint is there */
    const tn_delta_segment *seg; /* of a far store: what it was read from; NULL: not known */
    tn_str commit_etag;          /* of the commit's file, without quotes; empty: not known */
    tn_str commit_hash;          /* as tn_delta_snapshot_hash gives it */
    int64_t checkpoint_version;  /* that it was read from; -1: none */
    int chain;                   /* how many older snapshots live on under this one */
};

/* The newest version; *ret NULL: there is no table. */
tn_rc tn_delta_snapshot_if_there(
    tn_delta_table *t, tn_conn *conn, tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* A version read without the checkpoints from `bad` on. */
tn_rc tn_delta_snapshot_before(tn_delta_table *t, tn_conn *conn, int64_t version, int64_t bad,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;

/* Remembers on this machine where the next listing of a far store's log may begin. */
void tn_delta_segment_note(tn_delta_table *t, const tn_delta_segment *seg);
/* Brings a segment's objects into this machine's cache, several at once. */
void tn_delta_segment_fetch(tn_delta_table *t, const tn_delta_segment *seg);
/* The version that a segment gives, or passing over checkpoints that cannot be read. */
tn_rc tn_delta_snapshot_of_segment(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_segment *seg, tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* The version after base (NULL: version 0) from the text of its commit, which was put at since_us. */
tn_rc tn_delta_snapshot_after(tn_delta_table *t, const tn_delta_snapshot *base, tn_str text,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* The handle's newest snapshot, seen at since_us. */
void tn_delta_table_saw(tn_delta_table *t, tn_delta_snapshot *s, int64_t since_us);
tn_str tn_delta_hash_of(tn_arena *a, tn_str commit_text);

/* ---- delta_recent.c: what a handle of a far store knows without asking ---- */
bool tn_delta_is_far(const tn_delta_table *t);
tn_delta_segment *tn_delta_segment_copy(tn_arena *a, const tn_delta_segment *seg);
/* What makes up that version is remembered on this machine (delta_memo.c). */
void tn_delta_memo_put(tn_delta_table *t, const tn_delta_segment *seg, tn_str hash);
/* A look for the newest version: seg NULL: there is no table. */
void tn_delta_found_put(tn_delta_table *t, const tn_delta_segment *seg, int64_t since_us);
void tn_delta_recent_free(tn_delta_table *t);
/* After our commit of `version` with that text on base: the handle knows the new version. */
void tn_delta_recent_commit(tn_delta_table *t, const tn_delta_snapshot *base, int64_t version,
    tn_str text, int64_t since_us);
/* That version, when it is what the handle has committed last: one reference; else NULL. */
tn_delta_snapshot *tn_delta_recent_version(tn_delta_table *t, int64_t version);
/* Puts an object that only helps, without waiting for it on a far store; the table's end waits. Failures are told to the log of the program. */
void tn_delta_put_behind(tn_delta_table *t, tn_str key, tn_str text);

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

#endif
