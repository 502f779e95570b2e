/* runner.h: the state of one run, shared by its files (private to src/run). What workers change is under `lock`. */
#ifndef TN_RUN_RUNNER_H
#define TN_RUN_RUNNER_H

#include "run/job.h"
#include "run/lake_target.h"
#include "run/run.h"

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
    tn_val keyed;     /* of a model with foreign keys: {constraints, columns} with their targets */
    tn_val overloads; /* of a function: list as in the manifest, with compiled bodies */
    tn_val overload_results;               /* {successful, failed}, lists of file names */
    tn_val table;                          /* show: the rows */
    size_t index;                          /* the number on the console */
    int64_t max_loaded_us, snapshotted_us; /* freshness */
    bool finished;                         /* under the lock: the result is what it will be */
    bool yielded; /* skipped because another run works on it or on what it reads: no failure */
} tn_node_result;

typedef enum tn_publish {
    TN_PUBLISH_ON_SUCCESS,
    TN_PUBLISH_EACH_NODE,
    TN_PUBLISH_MANUAL
} tn_publish;

typedef struct tn_runner {
    tn_arena *arena;
    tn_project *project;
    const tn_run_opts *opts;
    tn_events *events;
    tn_session *session;
    tn_nodes plan;    /* what is run, parents first; ephemeral models are not in it */
    tn_nodes inlined; /* ephemeral models that were selected: nothing to run, but told of */
    bool *kept; /* by node->index: an ephemeral model whose compiled text is written; under lock */
    tn_node_result *results; /* by place in plan */
    uint32_t *place;         /* node->index -> place in plan, UINT32_MAX */
    tn_val selected_resources;
    tn_vec(tn_node_result) hooks;
    tn_worker *workers;
    size_t worker_count;
    tn_mutex lock;
    tn_cond changed;
    size_t *waiting; /* by place: planned parents that are not done */
    size_t next_number;
    size_t done;
    size_t running;
    size_t order_count; /* results in the order of finishing */
    uint32_t *order;
    bool stop; /* fail-fast or interrupt: start nothing more */
    bool interrupted;
    int64_t started_us;
    tn_batch window;     /* --event-time-start, --event-time-end; TN_TIME_NONE: not given */
    tn_batch sample;     /* --sample: inputs with an event time are cut to it */
    tn_publish publish;  /* of a lake: the profile's */
    int64_t lake_commit; /* newest one of this run; -1: none */
    tn_str catalog;
    struct tn_live *live;          /* the status line; NULL: none */
    struct tn_lake_ticket *ticket; /* of a run that changes a lake; NULL: none */
    bool has_rivals;               /* another run was at some of the plan's relations first */
    enum { TN_BUSY_WAIT, TN_BUSY_FAIL, TN_BUSY_SKIP } on_busy;
} tn_runner;

/* run.c: the connections that nodes run on, as many as threads or nodes there are. */
tn_rc tn_runner_open_workers(tn_runner *run, tn_err *err) TN_MUSTUSE;

/* node_run.c: compiles and carries out one node on a worker; fills everything of *r but its place. Never fails: errors are results. */
void tn_runner_node(tn_runner *run, tn_worker *w, tn_node_result *r);
void tn_runner_skip(tn_runner *run, tn_node_result *r);
/* Its parts, for batches too. batch: the label of one, or empty. */
void tn_runner_artifact(tn_runner *run, tn_arena *a, const char *folder, const tn_node *n,
    tn_str batch, tn_str text, tn_str *ret_path);
tn_rc tn_runner_materialize(tn_runner *run, tn_job *j, const char *name, tn_err *err) TN_MUSTUSE;
void tn_runner_keep_error(
    tn_runner *run, tn_job *j, tn_node_result *r, tn_rc rc, const tn_err *err);
/* version_pointer.c: of the latest version of a model that has been built, the view under its name, when it is asked for. */
tn_rc tn_runner_version_pointer(tn_runner *run, tn_job *j, tn_err *err) TN_MUSTUSE;
bool tn_runner_empty(const tn_runner *run); /* --empty */
/* window.c */
tn_rc tn_runner_windows(tn_runner *run, tn_err *err) TN_MUSTUSE;
/* microbatch.c */
tn_rc tn_microbatch_run(tn_runner *run, tn_worker *w, tn_node_result *r, tn_err *err) TN_MUSTUSE;
/* function.c: compiles the overloads of a function into r->overloads; makes the function and each of them. */
tn_rc tn_function_compile(
    tn_runner *run, tn_worker *w, tn_job *j, tn_node_result *r, tn_err *err) TN_MUSTUSE;
tn_rc tn_function_make(
    tn_runner *run, tn_worker *w, tn_job *j, tn_node_result *r, tn_err *err) TN_MUSTUSE;
/* ephemeral_text.c: writes the compiled text of ephemeral models that j's node reads; compiles those of run->inlined that no node has compiled. */
void tn_runner_keep_ephemerals(tn_runner *run, tn_job *j);
void tn_runner_inlined(tn_runner *run, tn_worker *w);
/* Runs one on-run-start or on-run-end text. */
tn_rc tn_runner_hooks(
    tn_runner *run, tn_worker *w, bool at_end, bool *ret_failed, tn_err *err) TN_MUSTUSE;

bool tn_runner_stores_failures(
    const tn_runner *run, const tn_node *n); /* a test whose rows are kept */
/* Whether something of the node's name is in its schema when it has been carried out. */
bool tn_runner_places(const tn_runner *run, const tn_node *n);

/* freshness.c */
bool tn_freshness_wanted(const tn_node *n);
tn_rc tn_freshness_run(tn_runner *run, tn_job *j, tn_node_result *r, tn_err *err) TN_MUSTUSE;
tn_rc tn_freshness_write(tn_runner *run, tn_err *err) TN_MUSTUSE;

/* publish.c */
tn_rc tn_runner_publish_mode(tn_runner *run, tn_err *err) TN_MUSTUSE;
/* After each node, outside of the lock: with `publish: each_node`, what has passed so far becomes visible. */
void tn_runner_publish_now(tn_runner *run, const tn_node_result *r);
tn_rc tn_runner_publish(tn_runner *run, tn_run_report *ret, tn_err *err) TN_MUSTUSE;

/* turn.c: runs of several hosts at the same relations, one at a time (lake/lake_lease.h). */
tn_rc tn_runner_take_turn(tn_runner *run, tn_err *err) TN_MUSTUSE;
/* Before a node: waits for its turn. False: it is not to be run, and *r says why. */
bool tn_runner_await_turn(tn_runner *run, tn_worker *w, tn_node_result *r);
bool tn_runner_changes_tables(const tn_runner *run);

/* run_record.c: leaves the run's record in the lake. rc, why: what came of publishing. */
void tn_runner_record(tn_runner *run, const tn_run_report *report, tn_rc rc, const tn_err *why);

/* node_notes.c: what a catalog shows as comments: of the relation; of columns (dict name -> text). */
tn_str tn_node_note(tn_arena *a, const tn_node *n);
tn_val tn_node_column_notes(tn_arena *a, const tn_node *n);

/* order.c: places in the plan, in the order in which they may start: first come, first served; those that became ready together by their depth,
 * then by unique_id. */
typedef tn_vec(uint32_t) tn_places;
typedef struct tn_order {
    tn_runner *run;
    tn_places *children; /* by place: what waits for it; one edge twice is waited for twice */
    uint32_t *depth;     /* by place: the longest way from a node that waits for none */
    tn_places ready;     /* taken from `head` on, by the caller */
    size_t head;
} tn_order;
/* Fills run->waiting too. */
tn_order tn_order_begin(tn_runner *run);
/* The place is done: what waited for it alone is ready. */
void tn_order_done(tn_order *o, uint32_t place);

/* schedule.c */
/* Runs the plan on all workers; returns when all is done or stopped. */
tn_rc tn_runner_schedule(tn_runner *run, tn_err *err) TN_MUSTUSE;

/* sql_place.c: where in the compiled code the database's message points. False: it does not say, or the line is not the code's. */
typedef struct tn_sql_spot {
    size_t line, col; /* from 1; bytes */
    tn_str text;      /* the line */
} tn_sql_spot;
bool tn_sql_place(tn_str message, tn_str code, tn_sql_spot *ret);

/* live.c: the status line of a terminal. All but begin and end under the run's lock. */
typedef struct tn_live tn_live;
void tn_live_begin(tn_runner *run);
void tn_live_starts(tn_runner *run, const tn_worker *w, uint32_t place);
void tn_live_ends(tn_runner *run, const tn_worker *w, uint32_t place);
void tn_live_show(tn_runner *run); /* when it is time */
void tn_live_end(tn_runner *run);

/* run_report.c: lines on the console and run_results.json. */
void tn_report_start(tn_runner *run, const tn_node_result *r);
/* Debug events of orchestrators: NodeCompiling, NodeExecuting. */
void tn_report_stage(tn_runner *run, const tn_node_result *r, bool executing);
void tn_report_end(tn_runner *run, const tn_node_result *r);
/* Ephemeral models: the events of nodes that were only compiled. */
void tn_report_inlined(tn_runner *run);
/* r->index: of the overload, from 1; skipped: made by the run before a retry. */
void tn_report_overload(
    tn_runner *run, const tn_node_result *r, tn_str name, size_t total, bool end);
/* r->index: of the batch, from 1. */
void tn_report_batch(tn_runner *run, const tn_node_result *r, tn_str name, size_t total, bool end);
void tn_report_hook(tn_runner *run, const tn_node_result *r, size_t index, size_t total, bool end);
void tn_report_found(tn_runner *run);
void tn_report_seeds(tn_runner *run); /* --show: some of the rows of each */
void tn_report_summary(tn_runner *run, tn_run_report *ret);
tn_rc tn_report_write(tn_runner *run, tn_err *err) TN_MUSTUSE;
const char *tn_status_name(tn_status s);
tn_val tn_node_result_val(
    tn_runner *run, tn_arena *a, const tn_node_result *r); /* an entry of run_results.json */
/* The same with its node, as hooks see it: an object with to_dict() (result_object.c). */
tn_val tn_result_object(tn_runner *run, tn_arena *a, const tn_node_result *r);
tn_str tn_hook_name(tn_arena *a, const tn_node *n);  /* p-on-run-end-0 is p.on-run-end.0 */
tn_str tn_node_where(tn_arena *a, const tn_node *n); /* "model orders (models/orders.sql)" */

#endif
