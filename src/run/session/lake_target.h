/* lake_target.h: where models go with `type: tarn`: Delta tables and pins in place of tables of a database file.
 *
 * A run reads the environment's pins as views of its in-memory database. A model that is built writes a Delta version (a candidate), its view
 * in the session moves to it, so that children and tests read the candidate; the pins of the environment change only when
 * tn_lake_target_publish writes one lake commit. A candidate whose tests failed is not published; before the next run builds it again
 * the table is restored to its pin, so that an increment starts from what readers see.
 */
#ifndef TN_RUN_SESSION_LAKE_TARGET_H
#define TN_RUN_SESSION_LAKE_TARGET_H

#include "lake/lake.h"
#include "lake/lake_narrow.h"
#include "lake/lake_remote.h"
#include "run/session/session.h"

typedef struct tn_lake_target tn_lake_target;

/* One change of a Delta table: a write, a merge, ... */
typedef struct tn_delta_work {
    tn_rc (*run)(void *self, tn_delta_table *table, tn_conn *c, int64_t *ret_version, tn_err *err);
    void *self;
    bool builds_on; /* rows that are there stay or are looked at: a rejected candidate goes first */
} tn_delta_work;

typedef struct tn_lake_write {
    tn_str schema, name; /* the relation */
    tn_str node;         /* unique_id */
    tn_str location;     /* relative to the lake, absolute or a URL; empty: <schema>/<name> */
    tn_str comment;
    tn_delta_work work;
} tn_lake_write;

tn_rc tn_lake_target_open(tn_session *s, tn_conn *c, tn_lake_target **ret, tn_err *err) TN_MUSTUSE;
/* Tells the session's cache which of its views are Delta tables: to templates they are tables. */
void tn_lake_target_mark(tn_lake_target *t);
/* Where the database misses a relation that could not be read when the run began, a hint says why. t NULL: does nothing. */
void tn_lake_target_explain(const tn_lake_target *t, tn_err *err);
/* Makes a candidate of the table's version after w->work and moves the session's view to it. One thread at a time a relation. */
tn_rc tn_lake_target_write(
    tn_lake_target *t, tn_conn *c, tn_arena *a, const tn_lake_write *w, tn_err *err) TN_MUSTUSE;
/* Notes a view or an external relation as candidate: sql is the SELECT behind it. */
void tn_lake_target_note(tn_lake_target *t, tn_pin_kind kind, tn_str schema, tn_str name,
    tn_str node, tn_str sql, tn_str comment);
void tn_lake_target_forget(
    tn_lake_target *t, tn_str schema, tn_str name); /* the relation was dropped */
/* Publishes the candidates of nodes for which passed() says true. ret_commit -1: nothing to publish. */
tn_rc tn_lake_target_publish(tn_lake_target *t, tn_arena *a,
    bool (*passed)(void *self, tn_str node), void *self, tn_val info, tn_str message,
    int64_t *ret_commit, tn_str *ret_catalog, tn_err *err) TN_MUSTUSE;

/* Takes over the environment's newest pin of a relation, which another run has published: what is built of it now starts from there. */
tn_rc tn_lake_target_refresh(
    tn_lake_target *t, tn_conn *c, tn_str schema, tn_str name, tn_err *err) TN_MUSTUSE;
int64_t tn_lake_target_commit(const tn_lake_target *t); /* the head that the run began with */
tn_lake *tn_lake_target_lake(tn_lake_target *t);
tn_str tn_lake_target_env(const tn_lake_target *t);

/* What the run reads as the relation: a Delta table's snapshot, which stays to the run's end, or a view's SELECT. False: neither. */
bool tn_lake_target_find(
    tn_lake_target *t, tn_conn *c, tn_str schema, tn_str name, tn_narrow_found *ret);

/* Delta tables outside of pins: is one there, the SELECT that reads a place (version TN_DELTA_LATEST or a number), a change of it. */
tn_rc tn_place_exists(tn_session *s, tn_str location, bool *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_place_open(tn_session *s, tn_conn *c, tn_str location, int64_t version,
    tn_delta_snapshot **ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_place_scan(tn_session *s, tn_conn *c, tn_arena *a, tn_str location, int64_t version,
    tn_str *ret_sql, tn_err *err) TN_MUSTUSE;
tn_rc tn_place_write(
    tn_session *s, tn_conn *c, tn_str location, const tn_delta_work *work, tn_err *err) TN_MUSTUSE;

#endif
