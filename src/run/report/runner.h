/* runner.h: the state of one run, shared by its files (private to src/run). What workers change is under `lock`. */
#ifndef TN_RUN_REPORT_RUNNER_H
#define TN_RUN_REPORT_RUNNER_H

#include "run/job/job.h"
#include "run/run.h"
#include "run/session/lake_target.h"
#include "run/value/node_result.h"

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

/* live.c: the status line of a terminal. All but begin and end under the run's lock. */
typedef struct tn_live tn_live;
void tn_live_begin(tn_runner *run);
void tn_live_starts(tn_runner *run, const tn_worker *w, uint32_t place);
void tn_live_ends(tn_runner *run, const tn_worker *w, uint32_t place);
void tn_live_show(tn_runner *run); /* when it is time */
void tn_live_end(tn_runner *run);

/* run_report.c: lines on the console and run_results.json. */
/* Told before a worker begins something under this name. */
void tn_report_connection(tn_runner *run, tn_worker *w, tn_str name);
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
tn_val tn_node_result_val(
    tn_runner *run, tn_arena *a, const tn_node_result *r); /* an entry of run_results.json */
/* The same with its node, as hooks see it: an object with to_dict() (result_object.c). */
tn_val tn_result_object(tn_runner *run, tn_arena *a, const tn_node_result *r);
tn_str tn_hook_name(tn_arena *a, const tn_node *n); /* p-on-run-end-0 is p.on-run-end.0 */

#endif
