/* lake_sql.h: SQL over a lake: relations of an environment and Delta tables anywhere, read and written with ordinary statements.
 *
 * DuckDB runs the statements on the caller's in-memory connection. Before each one, the relations that it names become views there: pins of
 * the environment at their version, unpinned Delta tables at <lake>/<schema>/<name> at their newest, and places: delta."/path", delta.`s3://..`.
 * `t VERSION AS OF 3`, `t TIMESTAMP AS OF '..'` and `t AT (VERSION => 3)` read older versions.
 *
 * table_changes('t', from [, to]) and table_changes_by_path('..', from [, to]) are the change data feed of a table (lake_changes.c).
 *
 * Statements that change the lake are taken out and done here, each as one Delta commit, then pinned and published:
 *   CREATE [OR REPLACE] TABLE [IF NOT EXISTS] t [(columns)] [USING DELTA] [PARTITIONED BY (..)] [CLUSTER BY (..)] [LOCATION '..'] [COMMENT '..'] [TBLPROPERTIES (..)] [AS query]
 *   INSERT INTO | OVERWRITE [TABLE] t [PARTITION (p = value, q)] [(columns) | BY NAME] [REPLACE WHERE predicate] query (lake_insert_part.c)
 *   CREATE [OR REPLACE] VIEW v AS query, DROP TABLE | VIEW [IF EXISTS] t, RESTORE [TABLE] t TO VERSION AS OF n | TIMESTAMP AS OF '..'
 *   ALTER TABLE t CLUSTER BY (..) | NONE, OPTIMIZE t [FULL] [WHERE ..] [ZORDER BY (..)], REORG TABLE t [WHERE ..] APPLY (PURGE),
 *   VACUUM t [FULL | LITE] [RETAIN n HOURS] [DRY RUN], FSCK REPAIR TABLE t [DRY RUN], CREATE [OR REPLACE] TABLE t SHALLOW | DEEP CLONE s [VERSION AS OF n | TIMESTAMP AS OF ..]
 *   DESCRIBE HISTORY t, DESCRIBE DETAIL t
 *   UPDATE t SET .., DELETE FROM t [WHERE ..], TRUNCATE [TABLE] t, MERGE INTO t USING source ON .. WHEN .. (grammar: lake_dml.c)
 *   ALTER TABLE t .., COMMENT ON TABLE t | COLUMN t.c IS '..' (grammar: lake_alter.c; columns: lake_ddl.h)
 * Temporary tables are DuckDB's own.
 *
 * Ownership: the session borrows lake and connection; both outlive it. One thread at a time. A result's rows end with the next statement.
 */
#ifndef TN_LAKE_LAKE_SQL_H
#define TN_LAKE_LAKE_SQL_H

#include "lake/lake.h"

typedef struct tn_lake_sql tn_lake_sql;

typedef struct tn_lake_sql_opts {
    tn_str env;
    tn_str
        at; /* the lake as it was: a lake commit, tag, environment or time (tn_lake_ref_read); empty: as it is. Such a session changes nothing */
    int64_t at_version; /* Delta version that places are read at; -1: none */
    int64_t at_ms;      /* instant that places and unpinned tables are read at; INT64_MIN: none */
    bool places_only;   /* the root is no lake: no pins, only delta."..." */
    bool no_publish;    /* write tables, but neither pin them nor make the catalog */
    bool follow;        /* look for newer lake commits before each statement (a shell) */
} tn_lake_sql_opts;

#define TN_LAKE_SQL_OPTS_INIT ((tn_lake_sql_opts){ .at_version = -1, .at_ms = INT64_MIN })

typedef struct tn_lake_sql_result {
    tn_result *rows;    /* NULL: none; the caller frees it (before the connection) */
    bool is_list;       /* rows given as values instead (DESCRIBE HISTORY) */
    tn_val names, list; /* is_list: list of strings; list of tuples */
    tn_str note; /* one line for people: "created silver.x: 10 rows, version 0"; may be empty */
} tn_lake_sql_result;

tn_rc tn_lake_sql_open(tn_lake *l, tn_conn *conn, const tn_lake_sql_opts *opts, tn_lake_sql **ret,
    tn_err *err) TN_MUSTUSE;
void tn_lake_sql_close(tn_lake_sql *s); /* NULL is fine */
TN_DEFINE_AUTOPTR(tn_lake_sql, tn_lake_sql_close)

/* One statement without a semicolon. stream: rows come chunk by chunk (bounded memory). Texts live in a. */
tn_rc tn_lake_sql_run(tn_lake_sql *s, tn_arena *a, tn_str statement, bool stream,
    tn_lake_sql_result *ret, tn_err *err) TN_MUSTUSE;
/* Makes what the statement names readable and gives its text for DuckDB, without running it. *ret_query: it gives rows and may stand in parentheses. */
tn_rc tn_lake_sql_prepare(tn_lake_sql *s, tn_arena *a, tn_str statement, tn_str *ret_sql,
    bool *ret_query, tn_err *err) TN_MUSTUSE;

/* Cuts a script at its semicolons, as tn_sql_split does, but knows `name` too. Pieces point into the script; empty ones are dropped. */
tn_rc tn_lake_sql_split(tn_arena *a, tn_str script, tn_strs *ret, tn_err *err) TN_MUSTUSE;

/* Pins Delta tables' versions in an environment by one lake commit and makes the catalog anew. base: the head that the work began with.
 * A new environment begins with this. ret_commit may be NULL. */
tn_rc tn_lake_pin_tables(tn_lake *l, tn_str env, const tn_lake_head *base, const tn_pin *pins,
    size_t n, tn_str message, int64_t *ret_commit, tn_err *err) TN_MUSTUSE;

/* Where a table lies that people name: "schema.table" (the pin's place, else the default), a path, a URL, or delta."/path". */
typedef struct tn_lake_place {
    tn_str schema, name; /* empty for a place */
    tn_str location;     /* for tn_lake_table_open */
    const tn_pin *pin;   /* of the environment, or NULL */
} tn_lake_place;
tn_rc tn_lake_place_of(
    tn_arena *a, const tn_lake_head *head, tn_str word, tn_lake_place *ret, tn_err *err) TN_MUSTUSE;

#endif
