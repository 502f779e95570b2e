/* node.h: the resources of a project: models, seeds, snapshots, tests, sources, exposures, ... and macros.
 *
 * Everything here lives in the project's arena and is read-only once tn_project_load has returned, so that worker threads may
 * share it. Strings that are absent are empty (p may be NULL). Field names and meanings follow dbt 1.12's manifest.
 */
#ifndef TN_PROJECT_NODE_H
#define TN_PROJECT_NODE_H

#include "base/map.h"
#include "base/val.h"
#include "base/vec.h"

typedef enum tn_node_kind {
    TN_NODE_MODEL,
    TN_NODE_SEED,
    TN_NODE_SNAPSHOT,
    TN_NODE_TEST, /* generic when test != NULL, else singular */
    TN_NODE_ANALYSIS,
    TN_NODE_OPERATION, /* one entry of on-run-start / on-run-end */
    TN_NODE_SOURCE,
    TN_NODE_EXPOSURE,
    TN_NODE_METRIC,
    TN_NODE_SEMANTIC_MODEL,
    TN_NODE_SAVED_QUERY,
    TN_NODE_UNIT_TEST,
    TN_NODE_FUNCTION,
    TN_NODE_KINDS
} tn_node_kind;

const char *tn_node_kind_name(
    tn_node_kind k); /* "model", "seed", ..., "semantic_model": dbt's resource_type */
bool tn_node_kind_find(tn_str name, tn_node_kind *ret);

typedef struct tn_node tn_node;
typedef tn_vec(tn_node *) tn_nodes;
typedef struct tn_macro tn_macro;
typedef tn_vec(tn_macro *) tn_macros;
typedef struct tn_package tn_package;

/* One ref(): package "" when not given; version "" when not given (as text: "2"). */
typedef struct tn_ref {
    tn_str package;
    tn_str name;
    tn_val version; /* int, str or undefined */
} tn_ref;
typedef tn_vec(tn_ref) tn_refs;

typedef struct tn_source_ref {
    tn_str source;
    tn_str table;
} tn_source_ref;
typedef tn_vec(tn_source_ref) tn_source_refs;

/* What makes a test generic. */
typedef struct tn_test_info {
    tn_str name;      /* "unique" */
    tn_str namespace; /* "dbt_utils"; "" when called without a package */
    tn_dict
        *kwargs; /* as in the manifest: model is the text "{{ get_where_subquery(ref('x')) }}" */
    tn_str column_name;
    tn_str file_key_name; /* "models.orders" */
    tn_node *attached;    /* the node that is tested; NULL for a source of ... none */
    tn_str short_name;    /* name before truncation: the full generated name */
    bool macro_missing;   /* the test that it calls is not there */
} tn_test_info;

typedef struct tn_source_info {
    tn_str source_name;
    tn_str source_description;
    tn_str loader;
    tn_str identifier;
    tn_str loaded_at_field;
    tn_str loaded_at_query;
    tn_val freshness; /* dict {warn_after, error_after, filter} or none */
    tn_val external;  /* dict or none */
    tn_val quoting;   /* dict */
    tn_val source_meta;
    tn_val raw_database, raw_schema; /* as written, for state comparison; undefined: not given */
} tn_source_info;

struct tn_node {
    tn_node_kind kind;
    uint32_t index; /* place in project->nodes; disabled ones: UINT32_MAX */
    bool enabled;
    tn_str unique_id; /* "model.jaffle_shop.orders" */
    tn_str name;
    tn_str package_name;
    tn_strs fqn;
    tn_str path;               /* below the resource folder: "staging/stg_orders.sql" */
    tn_str original_file_path; /* below the package root: "models/staging/stg_orders.sql" */
    tn_str file;               /* as opened; for messages and for reading seeds */
    tn_str patch_path;         /* "jaffle://models/schema.yml" */
    tn_str language;           /* "sql" or "python" */
    tn_str database;
    tn_str schema;
    tn_str alias; /* sources: the identifier */
    tn_str
        relation_name; /* quoted: "db"."schema"."alias"; "" for ephemeral models, tests that store nothing, ... */
    tn_str raw_code;
    int raw_line;         /* line of the file on which raw_code starts (1 unless it is a block) */
    tn_str checksum;      /* sha256 hex, or the path for a large seed */
    tn_str checksum_name; /* "sha256", "path", "none" */
    tn_dict *
        config; /* merged, complete: enabled, materialized, tags, meta, pre-hook, post-hook, ... and extra keys */
    tn_dict *unrendered_config;
    tn_dict *config_call; /* what config() in the file gave */
    tn_dict *
        config_written; /* config()'s arguments as text, for unrendered_config; NULL: config_call serves (config_written.c) */
    bool config_plain;  /* as dbt's static parser read them: values, not text */
    tn_strs tags;       /* config's tags plus, for columns' tests, theirs */
    tn_val meta;        /* dict */
    tn_val
        columns; /* dict: name -> {name, description, data_type, meta, constraints, quote, tags, ...} */
    tn_str description;
    int hook_index;     /* of an operation among those of its package and end of the run */
    tn_val doc_blocks;  /* list: unique ids of the doc blocks in the description; or undefined */
    tn_val constraints; /* list */
    tn_val
        time_spine; /* of a model: {standard_granularity_column, custom_granularities}, else not a dict */
    tn_val primary_key; /* of a model: list of columns that its constraints or tests make a key */
    tn_val version;     /* int or str, else none */
    tn_val latest_version;
    tn_val deprecation_date; /* of a model: a TN_DATETIME with a zone, else not one */
    tn_str access;           /* "protected", ... (models) */
    tn_str group;
    tn_val
        extra; /* the YAML entry of kinds that are only kept: exposures, metrics, unit tests, ...; of a function {returns, arguments, overloads}; else none */
    tn_test_info *test;
    tn_source_info *source;
    tn_refs refs;
    tn_source_refs sources;
    tn_refs metrics;   /* metric() calls */
    tn_refs functions; /* function() calls: package and name */
    tn_strs macros;    /* depends_on.macros */
    tn_nodes parents;  /* depends_on.nodes, in order of mention, no doubles */
    tn_nodes children;
    uint32_t rank;  /* place in the topological order */
    tn_str refused; /* not empty: why it cannot be run (a Python model) */
    int64_t created_us;
};

/* By unique_id. */
void tn_nodes_sort(tn_node **v, size_t n);
/* A node as the dict that templates see as `model` and the manifest prints (fresh, mutable, in `a`). */
tn_val tn_node_dict(tn_arena *a, const tn_node *n);
/* config value by key, or undefined. */
tn_val tn_node_config(const tn_node *n, const char *key);
tn_str tn_node_config_str(const tn_node *n, const char *key, tn_str dflt);
bool tn_node_has_tag(const tn_node *n, tn_str tag);
/* A model with the strategy microbatch: incremental, or external with format delta. Its configs are checked when the project is loaded. */
bool tn_node_is_microbatch(const tn_node *n);
bool tn_node_is_ephemeral(const tn_node *n);
bool tn_node_is_refable(const tn_node *n); /* model, seed, snapshot */

struct tn_macro {
    tn_str name; /* "generate_schema_name", "test_unique", "materialization_table_default" */
    tn_str package_name;
    tn_str unique_id; /* "macro.dbt.run_query" */
    tn_str path;      /* below the package root */
    tn_str file;      /* for messages */
    tn_str text;      /* from the opening tag to the end of the closing tag */
    int line;
    tn_str description;
    tn_val meta;
    tn_val docs;
    tn_val arguments; /* list */
    tn_str patch_path;
    struct tn_macro_code *code; /* private: parsed on first use */
};

/* resource_type: the kind's name, "sql_operation" of a query of the command line. */
const char *tn_node_type_name(const tn_node *n);

#endif
