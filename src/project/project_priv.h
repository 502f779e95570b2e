/* project_priv.h: what the files of src/project share and nobody else sees.
 *
 * Loading goes: profile.c and project_file.c (configuration), discover.c (files, macros, docs), properties.c (YAML of resources),
 * parse_node.c (models and friends), generic_test.c, parse_other.c (sources, exposures, ...), graph.c (edges, order). load.c runs them in order.
 */
#ifndef TN_PROJECT_PROJECT_PRIV_H
#define TN_PROJECT_PROJECT_PRIV_H

#include "os/thread.h"
#include "project/context.h"
#include "project/project.h"
#include "text/yaml.h"

/* A file that discovery found. */
typedef struct tn_source_file {
    tn_package *package;
    tn_str dir;      /* the resource folder it was found in: "models" */
    tn_str rel;      /* below dir: "staging/stg_orders.sql" */
    tn_str original; /* below the package root: "models/staging/stg_orders.sql" */
    tn_str open;     /* path to open */
    tn_str text;     /* read for .sql, .yml and .md; seeds are only hashed */
    int64_t size;
} tn_source_file;
typedef tn_vec(tn_source_file) tn_source_files;

/* One entry of a properties file: models:, seeds:, snapshots:, analyses:, ... */
typedef struct tn_patch {
    tn_package *package;
    const char *key; /* "models" */
    tn_str name;
    tn_dict *entry; /* rendered, except for tests and descriptions */
    tn_dict *raw;   /* as written, for places */
    tn_str file;    /* original file path */
    tn_str rel;     /* below the resource folder (for fqns) */
    tn_str open;
    const tn_yaml_places *places;
    int line;
    bool used;
    tn_node *node;  /* what it describes, when found */
    tn_val version; /* the version of a versioned model, else undefined */
} tn_patch;
typedef tn_vec(tn_patch *) tn_patches;

/* Private part of a project. */
typedef struct tn_graph_share tn_graph_share;

typedef struct tn_project_state {
    tn_jinja_env *env;
    tn_jinja_env *parse_env;
    tn_mutex lock;  /* guards `late` and what is made in it */
    tn_arena *late; /* macro templates */
    tn_graph_share *graph;
    tn_map listings;     /* folder -> tn_file_infos *: what it has */
    tn_map members;      /* context members that are the same for all contexts: name -> tn_val * */
    tn_map ref_index;    /* name -> tn_nodes *, enabled */
    tn_map ref_disabled; /* name -> tn_nodes *, disabled */
    tn_map source_index; /* "source.table" -> tn_nodes * */
    tn_map source_disabled;
    tn_map function_index; /* name -> tn_nodes *, enabled */
    tn_map function_disabled;
    tn_str inline_sql;
    bool *
        inline_failed; /* of the caller, to be set when it is the reason of a failure; may be NULL */
    tn_source_files sql_models, seeds, snapshots, tests, analyses, yamls, docs, functions;
    tn_map fixtures; /* of unit tests: "package.name" -> tn_source_file *, not read */
    tn_patches patches;
    tn_map patch_index;               /* "key.name" -> tn_patches * */
    tn_dict *defaults[TN_NODE_KINDS]; /* configs without any setting, made on first use */
    int64_t macro_serial;
    const tn_val *default_selector; /* of selectors.yml, or NULL */
    const char *chain[3];
    size_t chain_n;
} tn_project_state;

struct tn_macro_code {
    bool tried;
    tn_rc rc;
    tn_err *err; /* of a failed parse */
    const tn_jinja_macro_def *def;
    tn_str args; /* of the opening tag, after the name: "(a, b=1)" */
    tn_jinja_block_kind kind;
    bool depends_made;
    tn_strs depends;
};

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
    const tn_dict *vars; /* instead of the package's (before packages exist) */
    tn_val target;       /* undefined: the project's */
    tn_val doc_blocks;   /* list: ids of what doc() has given; undefined: nobody asks */
    tn_val test_kwargs;
    bool test_kwargs_made;
    unsigned depth; /* templates and macros of this context that run */
    bool has_graph; /* its thread holds the graph since one of them named it */
};

/* ---- `graph` (graph_share.c) ---- */
tn_graph_share *tn_graph_share_new(tn_arena *a);
/* The dict as the project alone makes it. */
tn_val tn_project_graph(tn_project *p, tn_arena *a);
/* The shared one. Inside of enter and leave, which frame all that C runs of a context, the thread holds it until the last leave. */
tn_val tn_pctx_graph(tn_pctx *c);
void tn_pctx_enter(tn_pctx *c);
/* ret, or NULL: a value that C gets; made free of the graph. */
void tn_pctx_leave(tn_pctx *c, tn_val *ret);

/* ---- value helpers (config_value.c) ---- */
bool tn_text_has_jinja(tn_str s);
int tn_text_line(tn_str file_text, tn_str part);
typedef tn_rc (*tn_render_fn)(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err);
/* A copy of nested YAML with every text passed through fn (path: the keys above it), dates as ISO text, as dbt's deep_map_render. */
tn_rc tn_value_render(
    tn_arena *a, tn_val v, tn_render_fn fn, void *self, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_val tn_value_listify(tn_arena *a, tn_val v);
tn_val tn_value_or_dict(tn_arena *a, tn_val v);    /* v, or an empty dict when it is none */
tn_val tn_value_or_list(tn_arena *a, tn_val v);    /* v, or an empty list when it is none */
void tn_value_put_all(tn_dict *into, tn_val from); /* nothing, when from is no dict */
tn_strs tn_value_strs(tn_arena *a, tn_val v);      /* a text or a list of texts */
tn_val tn_strs_list(tn_arena *a, const tn_strs *l);
void tn_strs_sort(tn_strs *l);
tn_str tn_strs_join(tn_arena *a, const tn_strs *l, const char *sep);
tn_dict *tn_value_dict_at(tn_val v, const char *key); /* NULL when absent or no dict */
/* Where an entry of a YAML mapping stands. */
int tn_place_line(const tn_yaml_places *places, const tn_dict *d, const char *key);

/* ---- config (config_merge.c) ---- */
tn_dict *tn_config_defaults(tn_arena *a, tn_node_kind kind);
/* One level over another by dbt's merge rules (tags, meta, hooks add up; the rest replaces). */
tn_rc tn_config_update(tn_arena *a, tn_dict *into, const tn_dict *level, tn_err *err) TN_MUSTUSE;
/* One config() call may spell its hooks in one way only. */
tn_rc tn_config_call_check(const tn_dict *call, tn_err *err) TN_MUSTUSE;
void tn_config_call_merge(tn_arena *a, tn_dict *into, const tn_dict *call);
/* dbt_project.yml, patch and config() together; sets n->config and what follows from it (tags, meta, enabled, group, access). */
tn_rc tn_config_resolve(tn_project *p, tn_node *n, const tn_dict *patch, const tn_dict *written,
    tn_err *err) TN_MUSTUSE; /* written: the patch before rendering; NULL: the same */
/* config_check.c: refuses values of one node's config that cannot be. */
tn_rc tn_config_check(const tn_node *n, tn_err *err) TN_MUSTUSE;
tn_val tn_config_hooks(tn_arena *a, tn_val v);
void tn_config_note_unused(tn_project *p);

/* ---- loading steps ---- */
tn_rc tn_load_profile(
    tn_project *p, const tn_project_opts *o, tn_str profile_name, tn_err *err) TN_MUSTUSE;
tn_rc tn_load_packages(tn_project *p, const tn_project_opts *o, tn_err *err) TN_MUSTUSE;
tn_rc tn_read_project_yaml(tn_project *p, tn_str root, tn_package *pkg, tn_err *err) TN_MUSTUSE;
tn_rc tn_render_package(tn_project *p, tn_package *pkg, tn_err *err) TN_MUSTUSE;
tn_rc tn_load_selectors(tn_project *p, tn_err *err) TN_MUSTUSE;
void tn_load_flags(tn_project *p, const tn_project_opts *o);
bool tn_flag_has_variable(tn_str name); /* whether DBT_<name> sets a flag */
tn_rc tn_load_warn_options(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_discover(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_load_properties(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_nodes(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_functions(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_sources(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_others(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_generic_tests(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_resolve_graph(tn_project *p, tn_err *err) TN_MUSTUSE;

void tn_graph_edge(tn_project *p, tn_node *n, tn_node *parent); /* no doubles */
tn_rc tn_link_metrics(tn_project *p, tn_err *err) TN_MUSTUSE;
/* primary_key.c: the columns that constraints or tests make a key of each model. */
void tn_infer_primary_keys(tn_project *p);

/* ---- checks ---- */
/* entry_check.c: what an entry of a kind that is only YAML may say; the columns of a time spine. */
tn_rc tn_entry_check(const tn_patch *patch, tn_node_kind kind, tn_err *err) TN_MUSTUSE;
/* "Invalid <key> config given in <file> @ <key>: <entry> - at path [<at>]: <why>"; of the patch: key, file and raw. */
tn_rc tn_entry_refuse(const tn_patch *patch, const char *at, tn_str why, tn_err *err) TN_MUSTUSE;
tn_rc tn_entry_lacks(
    const tn_patch *patch, const char *at, const char *key, tn_err *err) TN_MUSTUSE;
tn_rc tn_time_spine_check(tn_project *p, const tn_node *n, tn_err *err) TN_MUSTUSE;
/* check_names.c: names, by the rules that flags choose; before there is a graph. */
tn_rc tn_check_names(tn_project *p, tn_err *err) TN_MUSTUSE;
/* n's ref without the project's name (package: the one that it names) reaches target. */
void tn_note_ref_of_root(tn_project *p, const tn_node *n, const tn_node *target, tn_str package);
/* The arguments that properties say of a macro, beside those of its code. */
void tn_check_macro_arguments(tn_project *p, const tn_macro *m);
/* node_check.c: what nodes of the finished graph must say. */
tn_rc tn_check_nodes(tn_project *p, tn_err *err) TN_MUSTUSE;
/* materialization.c: deprecates those of packages that stand for built-in ones. */
void tn_note_replaced_materializations(tn_project *p);
/* No JavaScript, and arguments with a default are the last ones. */
tn_rc tn_check_functions(const tn_project *p, tn_err *err) TN_MUSTUSE;
/* semantic_rules.c: what is wrong with the semantic models is in p->problems. */
tn_rc tn_check_semantics(tn_project *p, tn_err *err) TN_MUSTUSE;

/* ---- nodes ---- */
tn_node *tn_node_new(tn_project *p, tn_node_kind kind, tn_package *pkg);
/* Into nodes (or disabled ones), the indexes; fails for a double unique_id. */
tn_rc tn_node_add(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* "dbt found two ... with the name ...". */
tn_rc tn_double_node(const tn_node *a, const tn_node *b, tn_err *err) TN_MUSTUSE;
/* A node of a file with its text, checksum and names, and not yet added. */
tn_node *tn_node_of_file(tn_project *p, tn_node_kind kind, const tn_source_file *f);
/* Notes what its template calls: refs, sources, functions, macros, config(). */
tn_rc tn_parse_template(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Config, what the entry of a properties file (may be NULL) says, place and hooks; then it is added. */
tn_rc tn_node_finish(tn_project *p, tn_node *n, tn_patch *patch, tn_err *err) TN_MUSTUSE;
void tn_fqn_of(tn_project *p, tn_package *pkg, tn_str rel, tn_str name, tn_strs *ret);
/* Literal arguments of ref() and source(); false: they need the interpreter. */
bool tn_static_ref(tn_arena *a, const tn_jinja_static_call *c, tn_ref *ret);
bool tn_static_source(tn_arena *a, const tn_jinja_static_call *c, tn_source_ref *ret);
/* parse_unit_test.c: checks a unit test and adds it, once for each version of its model. */
tn_rc tn_unit_test_add(tn_project *p, tn_node *n, const tn_patch *patch, tn_err *err) TN_MUSTUSE;
void tn_parse_python(tn_project *p, tn_node *n); /* refs and sources of a Python model */
tn_rc tn_parse_hooks(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Constraints of a column or a model as dbt spells them out. */
tn_val tn_constraints_of(tn_arena *a, tn_val list, bool of_model);
/* Checks a model's constraints; the targets of foreign keys become its parents. */
tn_rc tn_parse_constraints(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Columns of a properties entry as the manifest has them. */
tn_val tn_columns_of(tn_arena *a, tn_val list);
/* The description of an entry, rendered; what its text is, where it has none, and in *ret_blocks (or NULL) the unique ids of the doc blocks that it is made of. */
tn_rc tn_render_desc(tn_project *p, const tn_patch *patch, tn_val entry, tn_str *ret,
    tn_val *ret_blocks, tn_err *err) TN_MUSTUSE;
/* The descriptions of columns (a dict) or arguments (a list), in place. */
tn_rc tn_render_descs(tn_project *p, const tn_patch *patch, tn_val entries, tn_err *err) TN_MUSTUSE;
void tn_take_record(tn_project *p, tn_node *n, struct tn_pctx_record *r);
tn_rc tn_patch_apply(tn_project *p, tn_node *n, const tn_patch *patch, tn_err *err) TN_MUSTUSE;
/* As numbers where both are, else as texts. */
int tn_model_version_cmp(tn_val x, tn_val y);
tn_val tn_version_columns(tn_arena *a, tn_val model, tn_val version);
tn_dict *tn_patch_config(tn_project *p, const tn_patch *patch);
/* The same before its templates are rendered: what unrendered_config is made of. */
tn_dict *tn_patch_config_written(tn_project *p, const tn_patch *patch);
/* The entry of `key` that describes a resource of that name in that package; NULL when there is none. */
tn_rc tn_patch_find(tn_project *p, const char *key, const tn_package *pkg, tn_str name,
    tn_patch **ret, tn_err *err) TN_MUSTUSE;
/* config_written.c: what unrendered_config has of config(): its text, with state_modified_compare_more_unrendered_values. */
bool tn_config_compares_written(const tn_project *p);
/* Sets n->config_written of a template whose config() was called. */
void tn_config_note_written(tn_project *p, tn_node *n, const tn_jinja_tmpl *t, tn_arena *scratch);
/* The dict to lay over dbt_project.yml and the properties file (NULL: there is none). */
const tn_dict *tn_config_written(const tn_project *p, const tn_node *n, const tn_dict *patch);
tn_rc tn_record_init(tn_project *p, tn_pctx *c, tn_node *n, struct tn_pctx_record *r,
    tn_arena *scratch, tn_err *err) TN_MUSTUSE;

/* ---- context ---- */
void tn_context_members(tn_project *p); /* fills state->members */
void tn_context_stubs(tn_project
        *p); /* adapter, api, ... of the parse pass, into state->members under "parse:<name>" */
void tn_context_refs(tn_project *p);
/* What metric() gives (metric_ref.c): a name while the project is read, then the metric. */
tn_val tn_metric_name_ref(tn_arena *a, tn_str package, tn_str name);
tn_val tn_metric_node_ref(tn_arena *a, const tn_node *n);
/* What ref.config is (context_runtime.c). */
tn_val tn_context_runtime_config(tn_arena *a, const tn_project *p);
void tn_context_exceptions(tn_project *p);
/* parse_node.c: told to who asked whether the query of the command line is what failed. */
void tn_project_inline_failed(tn_project *p, bool failed);
/* contract_sum.c: the checksum of an enforced contract that was patched by a property file; else None. */
tn_val tn_contract_sum(tn_arena *a, const tn_node *n);
/* The entry of a unit test with the keys that dbt writes, and its checksum. */
void tn_unit_form(tn_arena *a, tn_dict *d, const tn_node *n);

/* contract_error.c: exceptions.raise_contract_error(yaml_columns, sql_columns) */
tn_rc tn_raise_contract_error(void *self, const tn_call *call, tn_val *ret, tn_err *err) TN_MUSTUSE;
void tn_context_filters(tn_jinja_env *e); /* as_bool, as_number, as_native, as_text */
tn_val tn_context_config(tn_project *p);  /* the config object */
tn_val tn_context_obj(tn_arena *a, const tn_obj_type *type); /* without state */
tn_val tn_stub_relation(
    tn_arena *a, tn_project *p, tn_str database, tn_str schema, tn_str identifier);
/* YAML values: no macros, native, `vars` of the package. secrets: for profiles.yml and packages.yml. */
tn_rc tn_yaml_context(
    tn_pctx *c, tn_project *p, tn_package *pkg, bool secrets, tn_arena *a, tn_err *err) TN_MUSTUSE;
tn_rc tn_test_kwargs(tn_pctx *c, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_str tn_secret_restore(tn_arena *a, tn_str s); /* placeholders of secret variables -> values */
tn_rc tn_find_node_error(const tn_project *p, const tn_node *from, tn_str kind, tn_str target,
    bool disabled, tn_err *err);

#endif
