/* run.h: carries a plan out: compiles, builds and tests nodes on worker threads, writes artifacts, publishes.
 *
 * tn_run_execute is what build, run, test, seed, snapshot, compile and show are made of. It prints through tn_events (the only console
 * writer of this layer, whose sink the command line gives), and returns counts. A failed node is no error of the call: see
 * tn_run_report.failed.
 *
 * Ownership: everything is made in opts' arena or children of it; one child arena per node, freed when the node is done.
 */
#ifndef TN_RUN_RUN_H
#define TN_RUN_RUN_H

#include "project/project.h"
#include "project/selector.h"
#include "run/events.h"

typedef enum tn_verb {
    TN_VERB_BUILD,
    TN_VERB_RUN,
    TN_VERB_TEST,
    TN_VERB_SEED,
    TN_VERB_SNAPSHOT,
    TN_VERB_COMPILE,
    TN_VERB_SHOW,
    TN_VERB_FRESHNESS,
    TN_VERB_CLONE,
} tn_verb;

typedef struct tn_run_opts {
    tn_verb verb;
    tn_select select;
    const tn_strs *only;    /* retry: exactly these unique ids in place of `select`; NULL: none */
    const tn_dict *batches; /* retry: unique id -> batch_results of the run before; NULL: none */
    const tn_dict
        *overloads;   /* retry: unique id -> overload_results of the run before; NULL: none */
    int64_t began_us; /* retry: when the run before began; 0: now */
    bool fail_fast;
    bool write_json;    /* manifest.json, run_results.json */
    bool bare;          /* compile, show: the SQL or the rows without a line above them */
    bool as_json;       /* compile, show: --output json */
    bool unprinted;     /* compile: the SQL is not shown */
    bool no_ctes;       /* compile: without the SQL of ephemeral parents */
    bool show_seeds;    /* print rows of seeds at the end */
    bool introspect;    /* compile may query the database */
    int64_t show_limit; /* show: rows; -1: all */
    tn_str
        on_busy; /* of a lake, a node that another run is at: wait, fail, skip; empty: the profile's */
    tn_str output;       /* freshness: where sources.json goes; empty: the target folder */
    tn_str memory_limit; /* of DuckDB; empty: the profile's */
    tn_str lake;         /* overrides the profile's lake (type tarn) */
    tn_dict *args;       /* run_results.json "args" */
} tn_run_opts;

typedef struct tn_run_report {
    int64_t selected;
    int64_t pass, warn, error, skip, no_op;
    int64_t partial; /* counted in error too */
    bool failed;     /* a node failed or errored: exit status 1 */
    bool interrupted;
    int64_t lake_commit; /* -1: none was made */
    tn_str published;    /* what readers open: catalog or read copy; empty: none */
} tn_run_report;

tn_rc tn_run_execute(tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_events *events,
    tn_run_report *ret, tn_err *err) TN_MUSTUSE;

/* What tn_run_execute would do with the same options, and why, as text or JSON; nothing is run or written. */
tn_rc tn_run_plan(tn_project *p, const tn_run_opts *opts, tn_events *events, bool json, tn_buf *ret,
    tn_err *err) TN_MUSTUSE;

/* `run-operation`: calls a macro with a dict of arguments in a transaction. */
tn_rc tn_run_operation(tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_str macro,
    tn_val args, tn_events *events, tn_err *err) TN_MUSTUSE;

/* `run-operation --sql`: the inline query of the project, in a transaction. */
tn_rc tn_run_operation_sql(
    tn_project *p, tn_arena *a, const tn_run_opts *opts, tn_events *events, tn_err *err) TN_MUSTUSE;

/* "Found 5 models, ...". */
void tn_run_tell_found(tn_project *p, tn_events *events);
/* Warns of selection criteria that match nothing (an error with --warn-error). */
tn_rc tn_run_warn_unmatched(
    tn_project *p, tn_events *events, const tn_strs *unmatched, tn_err *err) TN_MUSTUSE;
/* Writes target/manifest.json (what parse and ls do). */
tn_rc tn_run_write_manifest(tn_project *p, tn_events *events, tn_err *err) TN_MUSTUSE;
/* semantic_manifest.json: goes with every manifest.json, and tn_run_write_manifest writes it too. */
tn_rc tn_run_write_semantics(tn_project *p, tn_events *events, tn_err *err) TN_MUSTUSE;
/* graph_summary.json: of every command that works on the graph; no event tells of it, as dbt's does not. */
tn_rc tn_run_write_graph(tn_project *p, bool test_edges, tn_err *err) TN_MUSTUSE;
typedef struct tn_catalog_opts {
    const tn_nodes *only; /* of these; NULL: all; with none of them the database is not asked */
    bool by_relations;    /* a macro of the project's is asked for relations, not for schemas */
} tn_catalog_opts;
typedef struct tn_catalog_report {
    tn_str path;   /* in arena */
    size_t errors; /* of macros; they are told and in the file */
} tn_catalog_report;
/* Writes target/catalog.json: columns of the nodes' and sources' relations as the database or a macro of the project's has them. */
tn_rc tn_run_write_catalog(tn_project *p, tn_arena *arena, tn_events *events,
    const tn_catalog_opts *opts, tn_catalog_report *ret, tn_err *err) TN_MUSTUSE;
/* index.html and the project's assets in the target folder. */
tn_rc tn_docs_write_site(const tn_project *p, tn_err *err) TN_MUSTUSE;
/* static_index.html: the site with the manifest.json and catalog.json that are in the target folder inside. */
tn_rc tn_docs_write_static(const tn_project *p, tn_err *err) TN_MUSTUSE;

/* The connection test of `debug`. */
tn_rc tn_run_ping(tn_project *p, tn_arena *a, tn_err *err) TN_MUSTUSE;

#endif
