/* project.h: a dbt project as values: profile, dbt_project.yml, packages, nodes, macros and the graph. No database, no writing.
 *
 * tn_project_load reads all files, parses and resolves: what `dbt parse` does. The result belongs to the arena given and is read-only
 * afterwards (worker threads share it); the one exception, macro templates parsed on first use, locks inside.
 * Errors carry file, line and column; wording follows dbt's where users look for it.
 *
 * See also: node.h (what a node has), context.h (what templates see), selector.h (--select), manifest.h (manifest.json, ls).
 */
#ifndef TN_PROJECT_PROJECT_H
#define TN_PROJECT_PROJECT_H

#include "jinja/jinja.h"
#include "project/node.h"

enum {
    TN_PROJECT_FILE_BYTES_MAX = 64 << 20, /* of one .sql, .yml or .md file */
    TN_PROJECT_NODES_MAX = 1000000,
};

/* How far a load came: for those who must say which file is to blame. */
typedef struct tn_load_reached {
    bool project_file; /* dbt_project.yml was read */
    bool profile;      /* and the profile */
    bool project;      /* and dbt_project.yml is rendered */
    tn_err
        profile_err; /* of the profile that the options name, when dbt_project.yml cannot be read */
} tn_load_reached;

#define TN_SECRET_PREFIX                                                                           \
    "DBT_ENV_SECRET" /* variables of the environment, and of --vars, that nobody may be told */

typedef struct tn_project_opts {
    tn_str
        project_dir; /* "": DBT_PROJECT_DIR, else the current folder or the nearest parent with a dbt_project.yml */
    tn_str
        profiles_dir; /* "": DBT_PROFILES_DIR, else the current folder when it has a profiles.yml, else ~/.dbt */
    tn_str profile;     /* "": dbt_project.yml's */
    tn_str target;      /* "": DBT_TARGET, else the profile's */
    tn_str vars;        /* --vars as YAML text; "" none */
    tn_str target_path; /* "": DBT_TARGET_PATH, dbt_project.yml, "target" */
    tn_str log_path;
    int threads; /* 0: the profile's */
    tn_dict *
        flags; /* NAME (upper case) -> value as the command line gave them: FULL_REFRESH, WHICH, ...; NULL none. Defaults, DBT_<NAME> of
                            the environment and dbt_project.yml's `flags:` are filled in below them */
    tn_val
        invocation_args; /* invocation_args_dict of templates: its vars are put here as a dict; undefined: empty */
    tn_str invocation_id; /* "": a new UUID */
    tn_str inline_sql;    /* show --inline: becomes the node tn_project.inline_query */
    bool *
        ret_inline_failed; /* set when the project cannot be loaded because of inline_sql; NULL: not asked */
    struct tn_project **
        ret_partial; /* set on failure once flags and log path are known, for those who tell of it; NULL: not asked */
    bool profile_only; /* debug: stop after profile and dbt_project.yml */
    bool no_version_check;
    tn_load_reached *reached; /* NULL: not asked */
} tn_project_opts;

/* What a template said while it was parsed, by log() and print(). */
typedef enum tn_said { TN_SAID_NOTHING, TN_SAID_LOG, TN_SAID_DEBUG, TN_SAID_PRINT } tn_said;

/* A warning or note for the user, in the order found. Printing is the caller's. */
typedef struct tn_notice {
    const char *
        event; /* "UnusedResourceConfigPath", "NodeNotFoundOrDisabled", "GenericTestDeprecation", ... */
    tn_str msg;
    tn_str file;
    int line;
    const char *code; /* of a plain warning; NULL: a deprecation's own, or none */
    tn_val data;      /* the event's data; undefined: none */
    tn_said said;     /* not TN_SAID_NOTHING: msg is no warning */
} tn_notice;
typedef tn_vec(tn_notice) tn_notices;

typedef struct tn_profile {
    tn_str name;        /* profile_name */
    tn_str target_name; /* "dev" */
    tn_str type;        /* "duckdb" or "tarn" */
    tn_str database;
    tn_str schema;
    tn_str path; /* type duckdb: as given, ":memory:" by default; type tarn: the lake */
    int threads;
    tn_dict
        *credentials; /* rendered, every key as in profiles.yml (secrets included: never print) */
    tn_val target;    /* the `target` of templates: frozen dict without secrets */
    tn_str file;      /* profiles.yml that was read */
} tn_profile;

/* The credentials as a dict; undefined: none were read. */
static inline tn_val tn_profile_credentials(const tn_profile *p)
{
    return p->credentials != NULL ? (tn_val){ .tag = TN_DICT, .dict = p->credentials }
                                  : TN_VAL_UNDEF;
}

struct tn_package {
    tn_str name;
    tn_str root; /* folder, absolute or relative to the current folder */
    tn_str version;
    tn_dict *config; /* rendered dbt_project.yml */
    tn_dict *raw;    /* as written (unrendered) */
    bool builtin;    /* "dbt", "dbt_duckdb": from res/ */
    tn_strs model_paths, seed_paths, test_paths, snapshot_paths, macro_paths, analysis_paths,
        docs_paths, asset_paths, function_paths;
    tn_val on_run_start, on_run_end; /* lists of text, unrendered */
    tn_map macros;                   /* name -> tn_macro */
    tn_dict *vars; /* what {{ var() }} of this package's nodes sees, all precedence applied */
};
typedef tn_vec(tn_package *) tn_packages;

typedef struct tn_project {
    tn_arena *arena;
    tn_str name;
    tn_str root;        /* folder of dbt_project.yml */
    tn_str target_path; /* absolute or below root */
    tn_str log_path;
    tn_profile profile;
    tn_package *package;  /* the root package */
    tn_packages packages; /* root first, then installed ones, then dbt_<adapter>, dbt */
    tn_map package_by_name;
    tn_nodes nodes; /* enabled: order of files; sources, exposures, ... too */
    tn_map node_by_id;
    tn_nodes disabled;
    tn_node *inline_query; /* of inline_sql; NULL: none. It is among nodes, as an analysis */
    tn_nodes order;        /* enabled nodes, parents before children; ties by unique_id */
    tn_macros macros;
    tn_map macro_by_id;
    tn_map docs;      /* "pkg.name" -> tn_doc */
    tn_val groups;    /* list of dicts as in the manifest */
    tn_val selectors; /* selectors.yml as dict name -> definition */
    tn_val quoting;   /* dict database/schema/identifier -> bool */
    tn_val
        query_comment; /* undefined: default comment; none: off; dict {comment, append} or text */
    tn_val dispatch;   /* list of {macro_namespace, search_order} */
    tn_strs clean_targets;
    tn_str packages_install_path;
    tn_dict *cli_vars;
    tn_dict *flags; /* what templates see as flags.X */
    tn_val invocation_args;
    tn_str invocation_id;
    int64_t started_us; /* run_started_at, UTC */
    tn_str project_id;  /* md5 of the name */
    tn_notices notices;
    tn_strs problems;             /* what the check of semantic models found, beside its error */
    tn_val deprecations;          /* dict event -> how often (deprecation.h) */
    struct tn_previous *previous; /* --state (previous.h); NULL: none */
    struct tn_previous *deferred; /* --defer: refs fall back to its relations; NULL: no deferral */
    bool favor_state; /* --favor-state: even when the relation is there, unless selected */
    struct tn_project_state *state; /* private */
} tn_project;

static inline tn_val tn_project_flags(const tn_project *p)
{
    return (tn_val){ .tag = TN_DICT, .dict = p->flags };
}

/* A flag that is on or off: "FAIL_FAST". */
static inline bool tn_project_flag(const tn_project *p, const char *name, bool dflt)
{
    return tn_val_bool_at(tn_project_flags(p), name, dflt);
}

typedef struct tn_doc {
    tn_str name, package_name, path, original_file_path, contents, unique_id;
} tn_doc;

/* dbt_project.yml and flags alone, for the installer of packages: neither profile nor nodes. */
tn_rc tn_project_open_bare(
    tn_arena *a, const tn_project_opts *opts, tn_project **ret, tn_err *err) TN_MUSTUSE;
/* A YAML file of packages: with env_var() and var() done, and as written. */
tn_rc tn_project_read_packages(
    tn_project *p, tn_str path, tn_val *ret_rendered, tn_val *ret_raw, tn_err *err) TN_MUSTUSE;
/* Letters, digits and underscores, no digit first. */
bool tn_project_name_valid(tn_str s);
/* The folder in which profiles.yml is or would be: as given, DBT_PROFILES_DIR, here when it has one, ~/.dbt. */
tn_str tn_project_profiles_dir(tn_arena *a, tn_str given);

tn_rc tn_project_load(
    tn_arena *a, const tn_project_opts *opts, tn_project **ret, tn_err *err) TN_MUSTUSE;

tn_node *tn_project_find(
    const tn_project *p, tn_str unique_id); /* enabled; NULL when there is none */
tn_package *tn_project_package(const tn_project *p, tn_str name);
/* The node that ref() of `from_package` means; NULL when not found. *ret_disabled: the disabled node it would be (may be NULL). */
tn_node *tn_project_find_ref(const tn_project *p, tn_str from_package, tn_str package, tn_str name,
    tn_val version, tn_node **ret_disabled);
tn_node *tn_project_find_source(
    const tn_project *p, tn_str from_package, tn_str source, tn_str table, tn_node **ret_disabled);
/* The same for function(). */
tn_node *tn_project_find_function(
    const tn_project *p, tn_str from_package, tn_str package, tn_str name, tn_node **ret_disabled);
/* Path below the project root (or absolute), as text that can be opened. */
tn_str tn_project_file(tn_arena *a, const tn_project *p, tn_str rel);
/* The notice, for what else is to be said of it before the next one. */
tn_notice *tn_project_note(
    tn_project *p, const char *event, tn_str file, int line, const char *fmt, ...) TN_PRINTF(5, 6);

/* What --warn-error and --warn-error-options make of a warning; event: "NodeNotFoundOrDisabled", "LogTestResult", ... */
typedef enum tn_warn_fate { TN_WARN_SHOWN, TN_WARN_ERROR, TN_WARN_SILENT } tn_warn_fate;
tn_warn_fate tn_project_warn_fate(const tn_project *p, const char *event);

/* ---- inputs of unit tests ---- */
/* ref('x') or source('s', 't') with literal arguments. */
typedef struct tn_unit_input {
    bool is_ref, is_source;
    tn_ref ref;
    tn_source_ref source;
} tn_unit_input;
/* Anything else is an error of class PARSE. */
tn_rc tn_unit_input_read(
    tn_project *p, tn_arena *a, tn_str input, tn_unit_input *ret, tn_err *err) TN_MUSTUSE;
tn_node *tn_unit_input_find(tn_project *p, const tn_node *test, const tn_unit_input *in);

/* ---- macros ---- */
/* `package` is the package of the node that renders: its own macros, then the root's, then the built-in ones. NULL when there is none. */
tn_macro *tn_project_find_macro(const tn_project *p, tn_str package, tn_str name);
tn_str tn_project_nearest_macro(const tn_project *p, tn_str name); /* for a typo; empty: none */
tn_macro *tn_project_find_macro_in(
    const tn_project *p, tn_str in_package, tn_str name); /* "dbt" means all built-in ones */
/* adapter.dispatch: namespace "" when not given, package "" when any will do. Fails with the names that were tried, as dbt does. */
tn_rc tn_project_dispatch(tn_project *p, tn_str package, tn_str name, tn_str namespace,
    tn_macro **ret, tn_err *err) TN_MUSTUSE;
/* materialization_<name>_<adapter|default> by dbt's priority (materialization.c). NULL when there is none. */
tn_macro *tn_project_find_materialization(const tn_project *p, tn_str package, tn_str name);
/* That it takes models in this language: its supported_languages. */
tn_rc tn_materialization_takes(tn_project *p, tn_macro *m, tn_str language, tn_err *err) TN_MUSTUSE;
/* "duckdb" or "tarn" then "duckdb", then "default". */
const char *const *tn_project_adapter_chain(const tn_project *p, size_t *ret_n);
/* The parsed definition (thread-safe, parsed on first use). */
tn_rc tn_macro_def(
    tn_project *p, tn_macro *m, const tn_jinja_macro_def **ret, tn_err *err) TN_MUSTUSE;
/* The names in the signature; none when it cannot be parsed. */
tn_strs tn_macro_args(const tn_project *p, const tn_macro *m, tn_arena *a);
/* unique_ids of the macros that it calls. */
tn_rc tn_macro_depends(tn_project *p, tn_macro *m, tn_strs *ret_macro_ids, tn_err *err) TN_MUSTUSE;

/* The environments of the interpreter; shared, filters set. */
tn_jinja_env *tn_project_env(const tn_project *p); /* execution: undefined attributes are errors */
tn_jinja_env *tn_project_parse_env(const tn_project *p); /* parse time */

/* Whether microbatch models are built in batches: always with dbt's macro; with a macro of the user's under its name as the flag
 * require_batched_execution_for_custom_microbatch_strategy says. */
bool tn_project_runs_batches(const tn_project *p);
/* A text that shows variables, without the values of those among them that are secret, however short. */
tn_str tn_vars_hide(tn_arena *a, const tn_dict *vars, tn_str text);

/* ---- values that follow from a node's config ---- */
/* generate_schema_name and friends with the overrides applied, as at parse (used for tests' and snapshots' places too). */
tn_rc tn_project_place(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* What meta.external_location of a source says, with {name}, {identifier}, {schema} and meta's keys filled in: a quoted path or a function
 * call as it stands in FROM; empty when the source is no file (or needs a plugin). */
tn_rc tn_source_location(tn_arena *a, const tn_node *n, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Which parts of a source's place are quoted: all that it does not say of, whatever the project's `quoting` is. */
tn_val tn_source_quoting(tn_arena *a, const tn_node *n);
/* "db"."schema"."name" by the project's quoting; a `quoting` dict overrides parts of it (undefined: none). */
tn_str tn_project_relation_name(tn_arena *a, const tn_project *p, tn_val quoting, tn_str database,
    tn_str schema, tn_str identifier);

#endif
