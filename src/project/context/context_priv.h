/* context_priv.h: templates and configs inside of src/project: records of the parse pass, the members of contexts, merging of configs, places. */
#ifndef TN_PROJECT_CONTEXT_CONTEXT_PRIV_H
#define TN_PROJECT_CONTEXT_CONTEXT_PRIV_H

#include "project/node/project_priv.h"

/* What the parse pass notes while a template renders. */
struct tn_pctx_record {
    tn_arena *arena; /* where the records live: the project's */
    tn_dict *config_call;
    tn_refs refs;
    tn_source_refs sources;
    tn_refs metrics;
    tn_refs functions;
    tn_strs macros;
    bool failed_static;
};

struct tn_pctx_state {
    tn_map bound;       /* unique_id -> tn_val *: macros as callables */
    tn_val unconverted; /* what as_bool or as_number could not make one; undefined: nothing */
    const char *unconverted_to;
    bool native;         /* rendering a YAML value: as_bool and friends convert */
    bool secrets;        /* env_var may give secrets (profiles.yml) */
    bool no_macros;      /* configuration files see no macros */
    bool needs_vars;     /* var() of what is not there fails, though nothing is executed */
    const tn_dict *vars; /* instead of the package's (before packages exist) */
    tn_val target;       /* undefined: the project's */
    tn_val test_kwargs;
    bool test_kwargs_made;
    unsigned depth; /* templates and macros of this context that run */
    bool has_graph; /* its thread holds the graph since one of them named it */
};

/* ---- `graph` (graph_share.c, graph_dict.c) ---- */
tn_graph_share *tn_graph_share_new(tn_arena *a);
/* The dict as the project alone makes it. */
tn_val tn_project_graph(tn_project *p, tn_arena *a);
/* The shared one. Inside of enter and leave, which frame all that C runs of a context, the thread holds it until the last leave. */
tn_val tn_pctx_graph(tn_pctx *c);
void tn_pctx_enter(tn_pctx *c);
/* ret, or NULL: a value that C gets; made free of the graph. */
void tn_pctx_leave(tn_pctx *c, tn_val *ret);

/* ---- config (config_merge.c) ---- */
tn_dict *tn_config_defaults(tn_arena *a, tn_node_kind kind);
/* One level over another by dbt's merge rules (tags, meta, hooks add up; the rest replaces). */
tn_rc tn_config_update(tn_arena *a, tn_dict *into, const tn_dict *level, tn_err *err) TN_MUSTUSE;
/* dbt_project.yml, patch and config() together; sets n->config and what follows from it (tags, meta, enabled, group, access). */
tn_rc tn_config_resolve(tn_project *p, tn_node *n, const tn_dict *patch, const tn_dict *written,
    tn_err *err) TN_MUSTUSE; /* written: the patch before rendering; NULL: the same */
/* A group's config, into an empty dict: it stands under models in dbt_project.yml, as groups have no section of their own. */
tn_rc tn_config_of_group(tn_project *p, const tn_package *package, const tn_strs *fqn,
    const tn_dict *patch, tn_dict *into, tn_err *err) TN_MUSTUSE;
/* config_check.c: refuses values of one node's config that cannot be. */
tn_rc tn_config_check(const tn_node *n, tn_err *err) TN_MUSTUSE;
/* config_fit.c: n->config's values as dbt's class of that config has them, before hooks are made. */
tn_rc tn_config_fit(tn_arena *a, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Refuses what has not the form of the class. */
tn_rc tn_config_form_check(const tn_node *n, tn_err *err) TN_MUSTUSE;
/* "Field "<key>" of type <type> in <klass> has invalid value <v>" */
tn_rc tn_config_refuse(
    const char *klass, const char *key, const char *type, tn_val v, tn_err *err) TN_MUSTUSE;
tn_val tn_config_hooks(tn_arena *a, tn_val v);
/* One config() call may spell its hooks in one way only. */
tn_rc tn_config_call_check(const tn_dict *call, tn_err *err) TN_MUSTUSE;
void tn_config_call_merge(tn_arena *a, tn_dict *into, const tn_dict *call);
void tn_config_note_unused(tn_project *p);
/* config_written.c: what unrendered_config has of config(): its text, with state_modified_compare_more_unrendered_values. */
bool tn_config_compares_written(const tn_project *p);
/* Sets n->config_written of a template whose config() was called. */
void tn_config_note_written(tn_project *p, tn_node *n, const tn_jinja_tmpl *t, tn_arena *scratch);
/* The dict to lay over dbt_project.yml and the properties file (NULL: there is none). */
const tn_dict *tn_config_written(const tn_project *p, const tn_node *n, const tn_dict *patch);

/* ---- members of contexts ---- */
/* adapter, api, ... of the parse pass, into state->members under "parse:<name>" */
void tn_context_stubs(tn_project *p);
void tn_context_refs(tn_project *p);
/* What metric() gives (metric_ref.c): a name while the project is read, then the metric. */
tn_val tn_metric_name_ref(tn_arena *a, tn_str package, tn_str name);
tn_val tn_metric_node_ref(tn_arena *a, const tn_node *n);
/* What ref.config is (context_runtime.c). */
tn_val tn_context_runtime_config(tn_arena *a, const tn_project *p);
void tn_context_exceptions(tn_project *p);
/* contract_error.c: exceptions.raise_contract_error(yaml_columns, sql_columns) */
tn_rc tn_raise_contract_error(void *self, const tn_call *call, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_val tn_context_config(tn_project *p);                     /* the config object */
tn_val tn_context_obj(tn_arena *a, const tn_obj_type *type); /* without state */
tn_val tn_stub_relation(
    tn_arena *a, tn_project *p, tn_str database, tn_str schema, tn_str identifier);
/* YAML values: no macros, native, `vars` of the package. secrets: for profiles.yml and packages.yml. */
tn_rc tn_yaml_context(
    tn_pctx *c, tn_project *p, tn_package *pkg, bool secrets, tn_arena *a, tn_err *err) TN_MUSTUSE;
tn_rc tn_test_kwargs(tn_pctx *c, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_str tn_secret_restore(tn_arena *a, tn_str s); /* placeholders of secret variables -> values */
void tn_context_members(tn_project *p);          /* fills state->members */
void tn_context_filters(tn_jinja_env *e);        /* as_bool, as_number, as_native, as_text */

#endif
