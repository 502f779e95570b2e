/* lake.h: a lake is a root; its log pins, for each environment, which version of each relation readers see.
 *
 * On disk (docs/formats/lake.md): _tarn/log/%020d.json, one lake commit each, contiguous from 0, made with put-if-absent. A commit holds the
 * complete pins of one environment after it, and `heads`: the newest commit of every environment, so that one read of the newest commit and
 * at most one more finds any environment. catalog/<env>.duckdb is generated from the pins and swapped in by rename.
 *
 * Exactly one function makes a set of tables visible: tn_lake_commit_write. Two runs of one environment that changed different relations are
 * merged; if both changed the same relation to something else, the later one fails with TN_E_CONFLICT, naming it, and nothing is published.
 *
 * Ownership: tn_lake is shared by threads (open/close); heads and pins live in the arena given. Relations are "schema.name" in a lake; names are
 * matched without regard to case, as DuckDB does.
 */
#ifndef TN_LAKE_LAKE_H
#define TN_LAKE_LAKE_H

#include "delta/delta.h"
#include "duck/duck.h"
#include "store/store.h"

typedef struct tn_lake tn_lake;

typedef enum tn_pin_kind {
    TN_PIN_DELTA, /* location + version */
    TN_PIN_VIEW,  /* sql: a SELECT over other relations of the same environment ("schema"."name") */
    TN_PIN_EXTERNAL, /* sql: a SELECT that reads files: SELECT * FROM read_parquet('...') */
} tn_pin_kind;

typedef struct tn_pin {
    tn_str schema, name;
    tn_pin_kind kind;
    tn_str location; /* Delta: relative to the lake's root, or absolute */
    int64_t version; /* Delta */
    tn_str sql;      /* view, external */
    tn_str
        schema_hash; /* Delta: of the version's schema, as far as it is known; a commit fills it in */
    tn_str commit_hash; /* Delta: tn_delta_snapshot_hash of the version, as far as it is known */
    tn_str comment;     /* shown to readers; may be empty */
    tn_val columns;     /* dict: column -> comment, or undefined */
    tn_str node;        /* unique_id that made it; may be empty */
    tn_str
        owner; /* Delta: the environment that writes at `location`; in a change, empty: the one that is changed */
} tn_pin;
typedef tn_vec(tn_pin) tn_pins; /* in an order in which views can be created */

typedef struct tn_lake_base { /* what an environment was made from, or last rebased on */
    tn_str env;               /* empty: it was not made from another */
    int64_t commit;
} tn_lake_base;

typedef enum tn_lake_views { /* of the environment's catalog */
    TN_VIEWS_PINNED,         /* all tables together, as the newest lake commit has them */
    TN_VIEWS_LATEST,         /* each table as it is when it is read, by DuckDB's delta extension */
} tn_lake_views;

typedef struct tn_lake_head {
    int64_t commit; /* -1: the environment has no commit yet */
    int64_t parent; /* its commit before that; -1: that was the first */
    tn_pins pins;
    tn_lake_base base;
    tn_lake_views views;
} tn_lake_head;

typedef struct tn_lake_opts {
    tn_val storage; /* storage options, or undefined */
    bool create;    /* make the root when it is absent */
} tn_lake_opts;

tn_rc tn_lake_open(tn_str url, const tn_lake_opts *opts, tn_lake **ret, tn_err *err) TN_MUSTUSE;
void tn_lake_close(tn_lake *l); /* NULL is fine */
TN_DEFINE_AUTOPTR(tn_lake, tn_lake_close)
tn_str tn_lake_root(const tn_lake *l); /* absolute */
tn_store *tn_lake_store(tn_lake *l);   /* borrowed */

/* ---- pins and commits ---- */
tn_rc tn_lake_head_read(
    tn_lake *l, tn_arena *a, tn_str env, tn_lake_head *ret, tn_err *err) TN_MUSTUSE;
/* The same as this handle has seen it in the last seconds, without asking a bucket again: for a second look within one command, and after a commit. A writer
 * that goes on from it learns by its put-if-absent when it was too old. */
tn_rc tn_lake_head_recent(
    tn_lake *l, tn_arena *a, tn_str env, tn_lake_head *ret, tn_err *err) TN_MUSTUSE;
const tn_pin *tn_pins_find(const tn_pins *pins, tn_str schema, tn_str name); /* NULL when absent */
bool tn_pins_same(
    const tn_pin *a, const tn_pin *b); /* what a reader sees is the same; NULL is an absent one */
/* The pins of one lake commit, by its number. */
tn_rc tn_lake_commit_pins(
    tn_lake *l, tn_arena *a, int64_t commit, tn_pins *ret, tn_err *err) TN_MUSTUSE;

typedef struct tn_lake_change {
    tn_pins put;    /* new or replaced pins */
    tn_strs drop;   /* "schema.name" to forget */
    tn_val info;    /* dict: run_id, command, nodes, tests, lineage, code_hash, ...; or undefined */
    tn_str message; /* one line for the log; may be empty */
    bool
        newest_wins; /* of two versions of one Delta table the higher is right (appends): no conflict */
    bool exactly;      /* TN_E_CONFLICT when the environment's head is not `base` any more */
    tn_lake_base base; /* env empty: as it was */
    bool drop_env;     /* the environment ends with this commit */
    bool set_views;    /* views counts from now on; else as it was */
    tn_lake_views views;
} tn_lake_change;
/* base: the head that the work was based on. A change that changes nothing writes nothing and returns base's commit. */
tn_rc tn_lake_commit_write(tn_lake *l, tn_str env, const tn_lake_head *base,
    const tn_lake_change *change, int64_t *ret_commit, tn_err *err) TN_MUSTUSE;
/* Newest first: dicts {commit, parent, env, timestamp (ms), message, writer, pins (count), changed: [...]}; env empty: all; limit 0: all. */
tn_rc tn_lake_log(
    tn_lake *l, tn_arena *a, tn_str env, size_t limit, tn_val *ret_list, tn_err *err) TN_MUSTUSE;
/* One of its entries, by number. */
tn_rc tn_lake_log_entry(
    tn_lake *l, tn_arena *a, int64_t commit, tn_val *ret_dict, tn_err *err) TN_MUSTUSE;
/* Publishes an older commit's pins again as a new commit. commit -1: the parent of the head. */
tn_rc tn_lake_rollback(
    tn_lake *l, tn_str env, int64_t commit, int64_t *ret_commit, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_envs(
    tn_lake *l, tn_arena *a, tn_val *ret_dict, tn_err *err) TN_MUSTUSE; /* env -> newest commit */
tn_rc tn_lake_envs_recent(tn_lake *l, tn_arena *a, tn_val *ret_dict,
    tn_err *err) TN_MUSTUSE; /* as tn_lake_head_recent has it */

/* ---- tables ---- */
/* Where a relation's Delta table lies by default: "<schema>/<name>" under the root. */
tn_str tn_lake_default_location(tn_arena *a, tn_str schema, tn_str name);
/* The places that other environments have pinned, so that none of them is written. */
typedef struct tn_lake_taken {
    tn_str location, env;
    bool owned; /* env is the pin's owner */
} tn_lake_taken;
typedef tn_vec(tn_lake_taken) tn_lake_takens;
tn_rc tn_lake_taken_read(
    tn_lake *l, tn_arena *a, tn_str env, tn_lake_takens *ret, tn_err *err) TN_MUSTUSE;
/* Where env may write schema.name that it wants at `wanted` (empty: where its pin `own` is, else the default place): that place,
 * or "_tarn/tables/<env>/<schema>/<name>" when another environment has it pinned and env does not own it. own may be NULL. */
tn_str tn_lake_write_location(tn_arena *a, tn_str env, const tn_lake_takens *taken,
    const tn_pin *own, tn_str schema, tn_str name, tn_str wanted);
/* The same for what would be written at *io_location, with `taken` read. Where the place is pin's and env may not have it, the table begins
 * in env's own place as a shallow clone of the pinned version (no data is copied) when with_rows says so. */
typedef struct tn_lake_own {
    tn_str env;
    const tn_pin *pin; /* what env sees as the relation, or NULL */
    tn_str schema, name;
    bool with_rows;
} tn_lake_own;
tn_rc tn_lake_own_place(tn_lake *l, tn_arena *a, tn_conn *conn, const tn_lake_own *own,
    tn_str *io_location, tn_err *err) TN_MUSTUSE;
/* Makes the table at `location` begin as pin's version. */
tn_rc tn_lake_bring(
    tn_lake *l, tn_conn *conn, const tn_pin *pin, tn_str location, tn_err *err) TN_MUSTUSE;
/* location: relative to the root, an absolute path or a URL. The table may be absent (see tn_delta_table_exists). */
tn_rc tn_lake_table_open(tn_lake *l, tn_str location, tn_delta_table **ret, tn_err *err) TN_MUSTUSE;
/* Says in a pin what is known of its version: schema_hash and commit_hash. */
void tn_lake_pin_describe(tn_arena *a, const tn_delta_snapshot *s, tn_pin *pin);
/* Delta tables lying under the root at <schema>/<name>, pinned or not: a pin without version (-1) each. known (may be NULL): relations that are not looked at
 * and not told of. */
tn_rc tn_lake_discover(
    tn_lake *l, tn_arena *a, const tn_pins *known, tn_pins *ret, tn_err *err) TN_MUSTUSE;
/* Delta tables that the lake holds and the environment's pins, as one list: pins first, then unpinned tables (version -1). */
tn_rc tn_lake_relations(
    tn_lake *l, tn_arena *a, tn_str env, tn_pins *ret, size_t *ret_pinned, tn_err *err) TN_MUSTUSE;
/* The version that a Delta pin means. What was committed here, or is remembered on this machine, asks a bucket for nothing. */
tn_rc tn_lake_pin_open(
    tn_lake *l, tn_conn *conn, const tn_pin *pin, tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
/* The SELECT that reads a pin (Delta: the scan of its version). */
tn_rc tn_lake_pin_sql(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_pin *pin, tn_str *ret_sql,
    tn_err *err) TN_MUSTUSE;
/* Makes schemas and views of all pins in the connection's current database (an in-memory session). Views that cannot be made are
 * skipped and noted in ret_skipped (list of "schema.name: why") when it is not NULL. Delta pins without version get the one that was found. */
tn_rc tn_lake_attach(tn_lake *l, tn_conn *conn, tn_pins *pins, tn_val *ret_skipped, tn_arena *a,
    tn_err *err) TN_MUSTUSE;

/* ---- what readers open ---- */
/* Generates catalog/<env>.duckdb and catalog/<env>.init.sql from a head: built aside, flushed, swapped in. */
tn_rc tn_lake_catalog_publish(tn_lake *l, tn_str env, const tn_lake_head *head, tn_str *ret_path,
    tn_arena *a, tn_err *err) TN_MUSTUSE;
/* A bucket's init.sql is put again by the next publication even if this machine has put the same text lately. */
void tn_lake_catalog_forget(tn_lake *l, tn_str env);
/* The same three things in a folder of the caller's, for readers elsewhere: <env>.duckdb, <env>.init.sql, and the extensions that its views
 * need (a bucket: httpfs; following views: delta). */
tn_rc tn_lake_catalog_export(
    tn_lake *l, tn_str env, tn_str folder, tn_str *ret_path, tn_arena *a, tn_err *err) TN_MUSTUSE;
/* How the environment's catalog shows tables from its next lake commit on; makes one when it was otherwise. */
tn_rc tn_lake_views_set(tn_lake *l, tn_str env, tn_lake_views views, tn_err *err) TN_MUSTUSE;
/* The read copy of a .duckdb file: copied aside, flushed, renamed over copy_path. The caller has checkpointed; nobody writes meanwhile. */
tn_rc tn_lake_read_copy(tn_str db_path, tn_str copy_path, tn_err *err) TN_MUSTUSE;
/* "<path stem>.read.duckdb" */
tn_str tn_lake_read_copy_path(tn_arena *a, tn_str db_path);

#endif
