/* lake_session.h: the state of a SQL session, shared by lake_sql.c (reading) and lake_sql_write.c (changing). */
#ifndef TN_LAKE_LAKE_SESSION_H
#define TN_LAKE_LAKE_SESSION_H

#include "lake/lake_sql.h"
#include "lake/log/lake_file.h"
#include "text/sqltoken.h"

struct tn_lake_sql {
    tn_arena *arena;
    tn_arena *head_arena; /* of head and made; new for each head */
    tn_lake *lake;
    tn_conn *conn;
    tn_lake_sql_opts opts;
    tn_lake_head head;
    tn_map made;       /* view name as quoted SQL, lower case -> present */
    tn_map snapshots;  /* the same of views over Delta tables -> tn_delta_snapshot */
    tn_map schemas;    /* schemas made in the session, lower case */
    tn_str use_schema; /* after USE; empty: none */
    /* Of a bucket, for one statement (lake_sql_names.c); in head_arena. */
    bool folders_known;
    tn_map folders; /* "schema/" -> present */
    tn_map probed;  /* "schema/name" -> bool */
    tn_str skipped; /* why a named relation could not be made readable; empty: none */
};

/* A statement's target, resolved. */
typedef struct tn_sql_target {
    tn_lake_place at;
    tn_str shown; /* for messages: "silver.prices" or the place */
    bool
        local; /* not the lake's: a temporary table, another catalog, or a name that only DuckDB knows */
} tn_sql_target;
/* Reads a name at *at (moved behind it). */
tn_rc tn_sql_target_at(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, size_t *at,
    tn_sql_target *ret, tn_err *err) TN_MUSTUSE;
/* "(a, s.b)" at *at (moved behind it): dotted names. */
tn_rc tn_sql_take_paths(
    tn_arena *a, const tn_tokens *t, size_t *at, tn_strs *ret, tn_err *err) TN_MUSTUSE;
/* Rest of the statement from token i on, as text; attaches what it names. */
tn_rc tn_sql_rest(tn_lake_sql *s, tn_arena *a, tn_str statement, const tn_tokens *t, size_t i,
    tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Forgets the view of a relation, so that its next use sees the newest state; reads the head again. */
tn_rc tn_sql_refresh(tn_lake_sql *s, tn_err *err) TN_MUSTUSE;

/* table_changes( or table_changes_by_path( at token i: its SELECT in parentheses; *at is moved behind the call. */
bool tn_sql_is_changes(const tn_tokens *t, size_t i);
tn_rc tn_sql_changes(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, size_t *at, tn_str *ret,
    tn_err *err) TN_MUSTUSE;

/* ---- lake_sql_names.c ---- */
/* Lower case: what the statement itself introduces as a name of a relation. */
tn_map tn_sql_aliases(tn_arena *a, const tn_tokens *t);
/* The dotted name at token i is a column of one of them, not a relation. */
bool tn_sql_is_member(tn_arena *a, const tn_map *aliases, const tn_tokens *t, size_t i);
/* A table that nobody pins lies at <schema>/<name>. */
bool tn_sql_lies_in_lake(tn_lake_sql *s, tn_arena *a, tn_str schema, tn_str name);
/* Before a statement: others may have made tables since. */
void tn_sql_forget_probes(tn_lake_sql *s);

/* An older version that stands behind a name (lake_sql_travel.c): t VERSION AS OF 3, t TIMESTAMP AS OF '..', t AT (VERSION => 3). */
typedef struct tn_sql_travel {
    bool wanted;
    int64_t version; /* -1: by time */
    int64_t ms;
} tn_sql_travel;
/* What stands at *at behind a relation's name; *at is moved behind it. */
tn_rc tn_sql_read_travel(
    tn_arena *a, const tn_tokens *t, size_t *at, tn_sql_travel *ret, tn_err *err) TN_MUSTUSE;

/* The query with each Delta table that its WHERE speaks of replaced by a scan of the files that may have such rows; false: there is nothing to gain. */
bool tn_sql_prune(tn_lake_sql *s, tn_arena *a, tn_str sql, tn_str *ret);
/* The same of a query that will be written somewhere: it is known to make sense, or it is the query itself. where: rows that do not meet it are not wanted
 * (tn_narrow_where); empty: all are. */
tn_str tn_sql_pruned(tn_lake_sql *s, tn_arena *a, tn_str query, tn_str where);
/* The name of a session's view: with the database, as after USE of an attached one plain names would be looked for there. */
tn_str tn_sql_relation_text(tn_arena *a, tn_str schema, tn_str name);

/* True in *ret_done when the statement changes the lake (or tells about it) and was done here. */
tn_rc tn_lake_sql_write(tn_lake_sql *s, tn_arena *a, tn_str statement, const tn_tokens *t,
    tn_lake_sql_result *ret, bool *ret_done, tn_err *err) TN_MUSTUSE;
/* UPDATE, DELETE, TRUNCATE, MERGE. */
tn_rc tn_lake_sql_dml(tn_lake_sql *s, tn_arena *a, tn_str statement, const tn_tokens *t,
    tn_lake_sql_result *ret, bool *ret_done, tn_err *err) TN_MUSTUSE;
/* OPTIMIZE, VACUUM, RESTORE, CREATE TABLE .. CLONE, ALTER TABLE .. CLUSTER BY. */
tn_rc tn_lake_sql_maint(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, tn_lake_sql_result *ret,
    bool *ret_done, tn_err *err) TN_MUSTUSE;
/* PARTITION and REPLACE WHERE of an INSERT. */
typedef struct tn_sql_part {
    tn_strs names, values; /* PARTITION: columns with a value, which is SQL */
    bool dynamic;          /* PARTITION: a name without value */
    bool replace;          /* REPLACE WHERE was there */
    tn_str where;          /* what both say; empty: nothing */
} tn_sql_part;
/* Each does nothing when its word is not at *at, else moves it behind. */
tn_rc tn_sql_take_partition(
    tn_arena *a, const tn_tokens *t, size_t *at, tn_sql_part *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_sql_take_replace(
    const tn_tokens *t, size_t *at, tn_sql_part *part, tn_err *err) TN_MUSTUSE;
const tn_str *tn_sql_part_value(const tn_sql_part *part, tn_str column); /* NULL: none given */
void tn_sql_part_options(const tn_sql_part *part, bool overwrite, tn_delta_write_opts *opts);
/* Pins the version that a statement has written, unless the target is a place. did: "insert into". */
tn_rc tn_sql_publish(tn_lake_sql *s, tn_arena *a, const tn_sql_target *target, int64_t version,
    const char *did, tn_err *err) TN_MUSTUSE;
/* SHOW TABLES becomes a query over the relations; other statements stay as they are. */
tn_rc tn_lake_sql_show(tn_arena *a, const tn_tokens *t, tn_str *statement, tn_err *err) TN_MUSTUSE;
/* What to write in place of a failed statement that other engines have; returns rc. */
tn_rc tn_lake_sql_hint(const tn_tokens *t, tn_rc rc, tn_err *err);
tn_rc tn_lake_sql_describe(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, tn_lake_sql_result *ret,
    bool *ret_done, tn_err *err) TN_MUSTUSE;

#endif
