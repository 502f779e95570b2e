/* context.h: what templates see. One implementation of the members that need no database, for the parse pass and for execution.
 *
 * A tn_pctx is made for one rendering job (a node, a hook, an operation) in that job's arena and used by one thread. It owns a
 * tn_jinja_ctx whose `self` is the tn_pctx. A name is looked up: hooks->lookup (run's adapter, this, sql, statement state, ...; may override
 * anything), macros (the node's package, the root, package namespaces, built-in ones), then the members below.
 *
 * Members here: var env_var target env log print return fromjson tojson fromyaml toyaml set set_strict zip zip_strict local_md5 modules
 * exceptions flags invocation_id invocation_args_dict run_started_at project_name builtins dbt_version model node config validation ref
 * source metric function doc graph context render schema database execute selected_resources thread_id debug write try_or_compiler_error
 * diff_of_two_dicts dbt_metadata_envs pre_hooks post_hooks.
 * At parse also: adapter api this load_result store_result store_raw_result statement-less stubs (they give none, '' or empty lists).
 */
#ifndef TN_PROJECT_CONTEXT_H
#define TN_PROJECT_CONTEXT_H

#include "project/project.h"

typedef struct tn_pctx tn_pctx;

/* Any entry may be NULL. */
typedef struct tn_pctx_hooks {
    /* Asked first for each name; false: not known here. */
    bool (*lookup)(tn_pctx *c, tn_str name, tn_val *ret);
    /* ref(), source() and function() after the target was found and, at execution, checked to be among the node's parents. */
    tn_rc (*ref)(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err);
    tn_rc (*source)(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err);
    tn_rc (*function)(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err);
    /* log(msg, info), print(msg) and exceptions.warn(msg). Without them: tn_log. */
    void (*log)(tn_pctx *c, tn_str msg, bool info);
    void (*print)(tn_pctx *c, tn_str msg);
    void (*warn)(tn_pctx *c, const char *event, const char *code, tn_str msg);
} tn_pctx_hooks;

struct tn_pctx {
    tn_project *project;
    tn_arena *arena;
    tn_node *node;  /* NULL for operations without one */
    tn_str package; /* whose macros come first; the node's */
    bool execute; /* false: the parse pass; ref/source/config/env_var are recorded into `record` */
    const tn_pctx_hooks *hooks;
    void *self; /* for the hooks */
    tn_jinja_ctx jinja;
    tn_val
        model; /* the `model` dict: made on first use from node; run may put its own (compiled_code, ...) here */
    tn_val selected_resources; /* list of unique ids; undefined: empty */
    tn_dict *
        overrides; /* names that win over all (unit tests' overrides, generic test kwargs), "package.macro" too; or NULL */
    struct tn_pctx_record *record; /* parse only */
    tn_strs *
        called; /* ids of macros that the node's template calls itself, and those that a test's materialization does; NULL: nobody asks */
    struct tn_pctx_state *state; /* private: bound macros, made members */
};

/* node may be NULL; hooks may be NULL. The pctx must not move afterwards. */
tn_rc tn_pctx_init(tn_pctx *c, tn_project *p, tn_node *node, bool execute,
    const tn_pctx_hooks *hooks, void *self, tn_arena *a, tn_err *err) TN_MUSTUSE;

/* Renders text (a node's raw_code, a hook). Errors carry src's file and line. */
tn_rc tn_pctx_render(
    tn_pctx *c, tn_str text, tn_jinja_src src, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_pctx_render_native(
    tn_pctx *c, tn_str text, tn_jinja_src src, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* The context's value of a name (a macro, a member), or undefined. */
tn_val tn_pctx_get(tn_pctx *c, tn_str name);
/* A macro as a callable of this context (cached). */
tn_rc tn_pctx_bind(tn_pctx *c, tn_macro *m, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* Calls the macro that `name` means here; TN_E_NAME when there is none. */
tn_rc tn_pctx_call(tn_pctx *c, tn_str name, const tn_val *args, size_t argc, const tn_kwarg *kw,
    size_t kwc, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_pctx_call_macro(tn_pctx *c, tn_macro *m, const tn_val *args, size_t argc,
    const tn_kwarg *kw, size_t kwc, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* adapter.behavior; c: the context that runs, or NULL while the project is read. */
tn_val tn_context_behavior(tn_arena *a, tn_project *p, tn_pctx *c);
/* adapter.dispatch('name', 'namespace') as a callable. */
tn_rc tn_pctx_dispatch(
    tn_pctx *c, tn_str name, tn_str namespace, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* The context of a running C function: call->interp's pctx. */
static inline tn_pctx *tn_pctx_of(const tn_call *call)
{
    return (tn_pctx *)((tn_jinja_ctx *)call->interp)->self;
}
/* doc('x') of a package; NULL: there is none. */
const struct tn_doc *tn_project_doc(
    const tn_project *p, tn_str from_package, tn_str package, tn_str name);
/* A thread whose macros named `graph` holds it, as they may change it. { TN_GRAPH_PAUSED(p); ... } lets others have it while this thread waits
 * for something long; values of the graph must not be looked at meanwhile. Nothing, when the thread does not hold it. */
typedef struct tn_graph_pause {
    struct tn_graph_share *share;
    unsigned held;
} tn_graph_pause;
tn_graph_pause tn_graph_pause_begin(tn_project *p);
void tn_graph_pause_end(tn_graph_pause *pause);
#define TN_GRAPH_PAUSED(p)                                                                         \
    TN_UNUSED __attribute__((cleanup(tn_graph_pause_end))) tn_graph_pause tn_graph_paused_ =       \
        tn_graph_pause_begin(p)

#endif
