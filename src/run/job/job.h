/* job.h: one rendering job at execution: a node (or an operation) with its template context, connection and statement results.
 *
 * A tn_job is used by one thread and lives in its own arena. It adds to the project's context what needs the database: adapter, api, this,
 * sql, statements' results, write.
 */
#ifndef TN_RUN_JOB_JOB_H
#define TN_RUN_JOB_JOB_H

#include "project/context.h"
#include "run/session/session.h"
#include "run/table.h"
#include "run/value/batch.h"
#include "run/value/relation.h"

/* A worker thread's connection and what is open on it. */
typedef struct tn_worker {
    tn_conn *conn;
    tn_arena
        *keep; /* what outlives a node: its result; only this worker's thread allocates in it */
    bool in_transaction;
    bool wrote;     /* in this transaction: it cannot be begun again unseen */
    tn_str held_by; /* whose the connection is or was last: "model.p.a"; in keep */
    char name[24];  /* "Thread-1 (worker)" */
    int number;
} tn_worker;

typedef struct tn_compiled_parent {
    tn_node *node;
    tn_str sql;
} tn_compiled_parent;

typedef struct tn_job {
    tn_session *session;
    tn_worker *worker;
    tn_arena *arena;
    tn_node *node; /* NULL: none */
    tn_pctx pctx;
    tn_val this_relation; /* or none */
    tn_str sql;           /* compiled code; p NULL before it is compiled */
    tn_dict *results;     /* statement name -> {response, data, table} */
    tn_dict *names;       /* more names for templates, or NULL: results, schemas, ... */
    tn_nodes ephemerals;  /* ephemeral nodes that ref() met, in order */
    tn_str comment;       /* of statements; empty: none (query_comment.c) */
    bool comment_behind, comment_made;
    tn_node *failed_ephemeral; /* the ephemeral ancestor that did not compile */
    tn_vec(
        tn_compiled_parent) compiled_parents; /* ephemeral ancestors with their own compiled SQL */
    tn_str written;                           /* what write() got last */
    bool no_ctes;                             /* compile: ephemeral parents are named only */
    bool empty;                               /* --empty: refs and sources give no rows */
    tn_batch
        window; /* of event time, to which inputs that have one are cut; start TN_TIME_NONE: all of it */
    tn_val batch;      /* microbatch: the model's `batch`, else undefined */
    tn_node **capture; /* when set, ref and source tell here whom they mean */
    const tn_map
        *mocked;     /* unit tests: unique_id -> name of the CTE that stands for it; NULL: none */
    tn_strs called;  /* ids of macros that running the node has called itself */
    tn_val keyed;    /* {constraints, columns} with the targets of foreign keys; undefined: none */
    tn_val response; /* of the last statement that was stored as 'main' */
} tn_job;

tn_rc tn_job_init(tn_job *j, tn_session *s, tn_worker *w, tn_node *node, tn_val selected_resources,
    tn_arena *a, tn_err *err) TN_MUSTUSE;
tn_job *tn_job_of(const tn_call *call);
/* Makes the job one of a batch: model.batch, and inputs with an event_time give only its rows. */
void tn_job_set_batch(tn_job *j, const tn_batch *batch, tn_batch_size size);

typedef struct tn_exec_opts {
    bool auto_begin;
    bool fetch;
    const tn_val *bindings;
    size_t binding_count;
} tn_exec_opts;
/* Runs SQL on the worker's connection. *ret_response is a dict {_message, rows_affected, code}, *ret_table a table (empty without fetch). */
tn_rc tn_job_execute(tn_job *j, tn_str sql, const tn_exec_opts *opts, tn_val *ret_response,
    tn_val *ret_table, tn_err *err) TN_MUSTUSE;
/* The statement with its query comment. */
tn_rc tn_job_comment(tn_job *j, tn_str sql, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_job_commit(tn_job *j, tn_err *err) TN_MUSTUSE;
void tn_job_rollback(tn_job *j); /* when a transaction is open; never fails */
/* Keeps what went well (rc is TN_OK), takes back what did not; returns how it ended. */
tn_rc tn_job_end(tn_job *j, tn_rc rc, tn_err *err) TN_MUSTUSE;

/* One statement, asked as often as the profile's retries.query_attempts says. */
tn_rc tn_job_query(
    tn_job *j, tn_str sql, const tn_exec_opts *opts, tn_result **ret, tn_err *err) TN_MUSTUSE;

/* ---- relations of nodes ---- */

/* Where the state of --defer has the job's node, rendered; p NULL: it has it not. */
tn_str tn_job_state_relation(tn_job *j);

/* Where the node is that this run builds, or else where the state of --defer has it: what is stored in the database names no other place. */
tn_relation *tn_job_built_relation(tn_job *j, const tn_node *n);
/* foreign_key.c: the targets of foreign keys in `model`, the dict of the job's node, and in j->keyed. */
tn_rc tn_job_foreign_keys(tn_job *j, tn_val model, tn_err *err) TN_MUSTUSE;

/* delta_scan('place') with a literal becomes the SELECT of our own reader. Returns sql itself when there is none. */
tn_rc tn_job_serve_delta(tn_job *j, tn_str sql, tn_str *ret, tn_err *err) TN_MUSTUSE;

/* The same, and Delta tables are read without files that the statement's conditions exclude (read_sql.c). For what is run, not for what is stored. */
tn_rc tn_job_read_sql(tn_job *j, tn_str sql, tn_str *ret, tn_err *err) TN_MUSTUSE;

/* The `adapter` object of a job. */
tn_val tn_adapter_new(tn_job *j);

/* The compiled SQL of the job's node: rendered, with ephemeral parents as CTEs in front. ret_ctes: list of {id, sql}. */
tn_rc tn_job_compile(tn_job *j, tn_val *ret_ctes, tn_err *err) TN_MUSTUSE;
/* The template alone: ephemeral parents are only named, as CTEs that are not there. */
tn_rc tn_job_render(tn_job *j, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* A unit test's SQL: its model with fixtures for inputs. *ret_node: the test as a node whose config holds what is expected. */
tn_rc tn_job_compile_unit_test(tn_session *s, tn_worker *w, tn_node *test,
    tn_val selected_resources, tn_arena *a, tn_node **ret_node, tn_str *ret_sql,
    tn_err *err) TN_MUSTUSE;
/* WITH name AS (sql) for each of the list put before sql, merged into its own WITH. */
tn_rc tn_inject_ctes(tn_arena *a, tn_str sql, tn_val ctes, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
