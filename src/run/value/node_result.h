/* node_result.h: what came out of a node, and how events show it (private to src/run). */
#ifndef TN_RUN_VALUE_NODE_RESULT_H
#define TN_RUN_VALUE_NODE_RESULT_H

#include "project/node.h"

typedef enum tn_status {
    TN_ST_NONE,    /* not run yet */
    TN_ST_SUCCESS, /* models, seeds, snapshots, operations */
    TN_ST_PASS,    /* tests */
    TN_ST_WARN,
    TN_ST_FAIL, /* a test's rows */
    TN_ST_ERROR,
    TN_ST_SKIPPED,
    TN_ST_NO_OP,
    TN_ST_PARTIAL, /* a microbatch model of which some batches failed */
} tn_status;

/* What came out of a node. Texts live in `arena`: the worker's own, for workers run side by side; the run's arena is for its lock's holder. */
typedef struct tn_node_result {
    tn_node *node;
    tn_arena *arena;
    tn_status status;
    tn_str message;          /* p NULL: none */
    int64_t failures;        /* -1: none */
    tn_val adapter_response; /* dict */
    tn_str compiled_code;    /* p NULL: not compiled */
    tn_str compiled_path;
    tn_val extra_ctes;
    tn_str relation_name;
    tn_str thread;
    int64_t started_us, compile_end_us, execute_start_us, finished_us;
    tn_str error_kind;    /* "Runtime Error", "Compilation Error", "Database Error" */
    tn_val batch_results; /* microbatch: {successful, failed}, lists of [start, end] */
    tn_strs
        called; /* ids of macros that the node has called: the manifest's depends_on has them besides what reading the project found */
    tn_val keyed;     /* of a model with foreign keys: {constraints, columns} with their targets */
    tn_val overloads; /* of a function: list as in the manifest, with compiled bodies */
    tn_val overload_results;               /* {successful, failed}, lists of file names */
    tn_val table;                          /* show: the rows */
    size_t index;                          /* the number on the console */
    int64_t max_loaded_us, snapshotted_us; /* freshness */
    bool finished;                         /* under the lock: the result is what it will be */
    bool yielded; /* skipped because another run works on it or on what it reads: no failure */
} tn_node_result;

const char *tn_status_name(tn_status s);
tn_str tn_node_where(tn_arena *a, const tn_node *n); /* "model orders (models/orders.sql)" */
/* dbt's node_info of an event. status: "started", "success", ...; NULL: "None", as of events about a node that is over, without times. */
tn_val tn_report_node_info(tn_arena *a, const tn_node_result *r, const char *status);
/* {node_info: ...}, to be filled with what else the event says. */
tn_val tn_report_data(tn_arena *a, const tn_node_result *r, const char *status);
/* result.status as events have it: that of a source is "error" when it is stale, "runtime error" when it could not be asked. */
const char *tn_report_status(const tn_node_result *r);
tn_str tn_report_materialized(const tn_node *n);
double tn_report_seconds(const tn_node_result *r);
/* An ISO time, "" for 0. */
tn_str tn_report_time(tn_arena *a, int64_t us, const char *suffix);

#endif
