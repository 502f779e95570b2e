/* session.h: the DuckDB database of a run: opened from the profile, one connection a worker, and what is known about its relations.
 *
 * type duckdb: the file at `path`, with the profile's settings, extensions, secrets and attachments, as dbt-duckdb opens it.
 * type tarn: a database in memory whose relations are views of the lake's pins; see lake_target.h for what a run adds to it.
 *
 * The relation cache says what exists without asking the database; macros ask it through adapter.get_relation. Thread-safe.
 */
#ifndef TN_RUN_SESSION_SESSION_H
#define TN_RUN_SESSION_SESSION_H

#include "base/map.h"
#include "duck/duck.h"
#include "os/thread.h"
#include "project/project.h"
#include "run/events.h"

typedef struct tn_session {
    tn_arena *arena;
    tn_arena *known; /* of the maps below: what their lock guards has an arena of its own */
    tn_project *project;
    tn_events *events;
    tn_duck *duck;
    bool closed;                 /* --no-introspect: templates may not ask the database */
    tn_str database;             /* the name of the main database in DuckDB */
    tn_str path;                 /* file; empty: in memory */
    bool is_lake;                /* type tarn */
    struct tn_lake_target *lake; /* type tarn, else NULL */
    bool disable_transactions;
    tn_str external_root;
    tn_val storage;          /* tn_lake_storage_of the profile */
    tn_map relations;        /* lower "db.schema.name" -> type text */
    tn_map schemas_seen;     /* lower "db.schema" whose relations are in the cache */
    tn_map selected;         /* unique_ids of the run's nodes; filled for --favor-state */
    tn_map warned;           /* texts of warn_once */
    tn_map keys;             /* lower "db.schema.name" -> its key constraints when the run began */
    bool foreign_keys_about; /* some table has one, or a model declares one */
    tn_mutex
        foreign_key_lock; /* held while a model with keys is built where foreign keys are about */
    tn_mutex lock;        /* of relations, schemas_seen and warned */
    tn_mutex delta_lock;  /* one opener of a Delta snapshot at a time a location */
} tn_session;

tn_rc tn_session_open(tn_project *p, tn_arena *a, tn_events *events, tn_str memory_limit,
    tn_session **ret, tn_err *err) TN_MUSTUSE;
/* A connection with the profile's session settings. */
tn_rc tn_session_connect(tn_session *s, tn_conn **ret, tn_err *err) TN_MUSTUSE;

/* ---- the cache ---- */
/* Reads what exists in the database's schemas. */
tn_rc tn_session_cache_fill(tn_session *s, tn_conn *c, tn_err *err) TN_MUSTUSE;
bool tn_session_cache_find(tn_session *s, tn_str database, tn_str schema, tn_str name,
    tn_str *ret_type, tn_str *ret_exact_name);
void tn_session_cache_add(tn_session *s, tn_str database, tn_str schema, tn_str name, tn_str type);
void tn_session_cache_drop(tn_session *s, tn_str database, tn_str schema, tn_str name);
void tn_session_cache_drop_schema(tn_session *s, tn_str database, tn_str schema);
/* All cached relations of a schema: (name, type) pairs as a list of tuples in a. */
tn_val tn_session_cache_list(tn_session *s, tn_arena *a, tn_str database, tn_str schema);
bool tn_session_has_schema(tn_session *s, tn_str database, tn_str schema);
void tn_session_add_schema(tn_session *s, tn_str database, tn_str schema);

/* ---- key constraints (key_constraint.c) ---- */
tn_rc tn_session_keys_fill(tn_session *s, tn_conn *c, tn_err *err) TN_MUSTUSE;
void tn_session_keys_plan(tn_session *s, const tn_nodes *nodes); /* before nodes run */
/* "primary_key", "unique", "foreign_key": what the table had when the run began. */
tn_val tn_session_keys_of(
    const tn_session *s, tn_arena *a, tn_str database, tn_str schema, tn_str name);
/* True when the node is to be built under foreign_key_lock. */
bool tn_session_keys_one_at_a_time(const tn_session *s, const tn_node *n);

bool tn_session_warn_first(tn_session *s, tn_str text); /* true the first time */

#endif
