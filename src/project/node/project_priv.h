/* project_priv.h: what all files of src/project share and nobody else sees: the state of a project, files, entries of properties files, values.
 *
 * Loading goes: load (configuration files), parse (files, macros and docs are found; properties, nodes, tests, sources, ...), graph (edges, order, checks).
 * load/load.c runs them in order.
 */
#ifndef TN_PROJECT_NODE_PROJECT_PRIV_H
#define TN_PROJECT_NODE_PROJECT_PRIV_H

#include "os/thread.h"
#include "project/context.h"
#include "project/project.h"
#include "text/yaml.h"

#define TN_FLAG_ANALYSES                                                                           \
    "REQUIRE_CORRECTED_ANALYSIS_FQNS" /* analyses have `analyses:` and an fqn without "analysis" */
#define TN_PROJECT_DBT_VERSION "1.12.6" /* whose manifests we write */

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
    unsigned behaviors_told; /* bits of behavior.c, atomic */
    bool
        lenient_vars; /* var() of what is not there gives none: for a command that needs no model */
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
void tn_load_flags(tn_project *p, const tn_project_opts *o);
/* Messages hide the values of secret variables from now on: of the environment, of p->cli_vars. */
void tn_keep_secrets(const tn_project *p);
bool tn_flag_has_variable(tn_str name); /* whether DBT_<name> sets a flag */
tn_rc tn_load_warn_options(tn_project *p, tn_err *err) TN_MUSTUSE;
/* primary_key.c: the columns that constraints or tests make a key of each model. */
void tn_infer_primary_keys(tn_project *p);
/* entry_check.c: what an entry of a kind that is only YAML may say; the columns of a time spine. */
/* A metric of the newer spelling: its kind's words and what the kind cannot do without. */
tn_rc tn_metric_check(tn_val entry, tn_err *err) TN_MUSTUSE;
tn_rc tn_entry_check(const tn_patch *patch, tn_node_kind kind, tn_err *err) TN_MUSTUSE;
/* entry_form.c: the keys of an entry and their types; form: the key of its list, or "SourcePatch". Of the patch: package, key, file and entry. */
tn_rc tn_entry_form_check(const tn_patch *patch, const char *form, tn_err *err) TN_MUSTUSE;
/* The fields of a form, to be taken one by one; *ret_open: it takes other keys, too. */
typedef struct tn_form_key {
    tn_str key, type;
    bool required;
} tn_form_key;
bool tn_form_named(tn_str name, tn_str *ret_fields, bool *ret_open);
bool tn_form_next(tn_str *fields, tn_form_key *ret);
/* Whether d has a form; else where it has not ("'docs']['show'") and why, in a. */
bool tn_form_fits(tn_arena *a, const char *form, tn_dict *d, tn_str *ret_at, tn_str *ret_why);
/* "Invalid <key> config given in <file> @ <key>: <entry> - at path [<at>]: <why>"; of the patch: the same. */
tn_rc tn_entry_refuse(const tn_patch *patch, const char *at, tn_str why, tn_err *err) TN_MUSTUSE;
tn_rc tn_entry_lacks(
    const tn_patch *patch, const char *at, const char *key, tn_err *err) TN_MUSTUSE;
tn_rc tn_time_spine_check(tn_project *p, const tn_node *n, tn_err *err) TN_MUSTUSE;
/* As numbers where both are, else as texts. */
int tn_model_version_cmp(tn_val x, tn_val y);
/* contract_sum.c: the checksum of an enforced contract that was patched by a property file; else None. */
tn_val tn_contract_sum(tn_arena *a, const tn_node *n);
/* The entry of a unit test with the keys that dbt writes, and its checksum. */
void tn_unit_form(tn_arena *a, tn_dict *d, const tn_node *n);
/* "'name' with version '2' in package or project 'p' " */
tn_str tn_target_text(tn_arena *a, tn_str package, tn_str name, tn_val version);
/* What dbt says of a node that names a target of that kind which is disabled or not there. */
tn_str tn_not_found_text(
    tn_arena *a, const tn_node *from, const char *kind, tn_str target, bool disabled);
tn_rc tn_find_node_error(const tn_project *p, const tn_node *from, tn_str kind, tn_str target,
    bool disabled, tn_err *err);

#endif
