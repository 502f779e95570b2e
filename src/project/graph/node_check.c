/* node_check.c: what nodes of the finished graph must say for the project to be run, as with dbt: configs of snapshots and microbatch models, groups
 * and access, entries that mean a disabled model. What one value of a config may be is config_check.c's, and is asked before there is a graph.
 */
#include "project/deprecation.h"
#include "project/graph/graph_priv.h"
#include "text/timetext.h"

bool tn_node_is_microbatch(const tn_node *n)
{
    tn_str how = tn_node_config_str(n, "materialized", TN_STR_NONE);
    bool grows = tn_str_is(how, "incremental") ||
                 (tn_str_is(how, "external") &&
                     tn_str_is(tn_node_config_str(n, "format", TN_STR_NONE), "delta"));
    return n->kind == TN_NODE_MODEL && grows &&
           tn_str_is(tn_node_config_str(n, "incremental_strategy", TN_STR_NONE), "microbatch");
}

static bool is_set(const tn_node *n, const char *key)
{
    return tn_val_truthy(tn_node_config(n, key));
}

/* As it stands, without a kind of error: dbt's validation is none of its own errors. */
static tn_rc refuse(const char *text, tn_err *err)
{
    return tn_fail(err, TN_E_INVALID, "%s", text);
}

static tn_rc check_snapshot(const tn_node *n, tn_err *err)
{
    tn_str strategy = tn_node_config_str(n, "strategy", TN_STR_NONE);
    tn_val cols = tn_node_config(n, "check_cols");
    if (strategy.n == 0 || !is_set(n, "unique_key")) {
        return refuse("Snapshots must be configured with a 'strategy' and 'unique_key'.", err);
    }
    if (tn_str_is(strategy, "check")) {
        if (!tn_val_truthy(cols)) {
            return refuse("A snapshot configured with the check strategy must specify a check_cols "
                          "configuration.",
                err);
        }
        if (tn_val_is_str(cols) && !tn_str_is(tn_val_as_str(cols), "all")) {
            return tn_fail(err, TN_E_INVALID,
                "Invalid value for 'check_cols': " TN_STR_FMT
                ". Expected 'all' or a list of strings.",
                TN_STR_ARG(tn_val_as_str(cols)));
        }
    } else if (tn_str_is(strategy, "timestamp")) {
        if (!is_set(n, "updated_at")) {
            return refuse(
                "A snapshot configured with the timestamp strategy must specify an updated_at "
                "configuration.",
                err);
        }
        if (tn_val_truthy(cols)) {
            return refuse("A 'timestamp' snapshot should not have 'check_cols'", err);
        }
    }
    if (!tn_str_is(tn_node_config_str(n, "materialized", TN_STR("snapshot")), "snapshot")) {
        return refuse("A snapshot must have a materialized value of 'snapshot'", err);
    }
    return TN_OK;
}

static tn_rc microbatch_needs(const tn_node *n, const char *what, tn_err *err)
{
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Microbatch model '" TN_STR_FMT "' must provide %s", TN_STR_ARG(n->name),
        what);
}

static bool is_time(tn_val v)
{
    int64_t us;
    bool zone;
    int offset;
    return v.tag == TN_DATE || v.tag == TN_DATETIME ||
           (tn_val_is_str(v) && tn_parse_timestamp(tn_val_as_str(v), &us, &zone, &offset));
}

static tn_rc check_microbatch(const tn_project *p, const tn_node *n, tn_err *err)
{
    tn_val begin = tn_node_config(n, "begin"), size = tn_node_config(n, "batch_size");
    static const char *const sizes[] = { "hour", "day", "month", "year" };
    bool known = false;
    if (tn_node_config_str(n, "event_time", TN_STR_NONE).n == 0) {
        return microbatch_needs(n,
            "an 'event_time' (string) config that indicates the name of the event time column.",
            err);
    }
    if (!tn_val_truthy(begin)) {
        return microbatch_needs(n,
            "a 'begin' (datetime) config that indicates the earliest timestamp the microbatch "
            "model should be built from.",
            err);
    }
    if (!is_time(begin)) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Microbatch model '" TN_STR_FMT
            "' must provide a 'begin' config of valid datetime (ISO format), but got: " TN_STR_FMT
            ".",
            TN_STR_ARG(n->name), TN_STR_ARG(tn_val_to_str(p->arena, begin)));
    }
    for (size_t i = 0; i < TN_COUNTOF(sizes); i++) {
        known = known || (tn_val_is_str(size) && tn_str_is(tn_val_as_str(size), sizes[i]));
    }
    if (!known) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Microbatch model '" TN_STR_FMT
            "' must provide a 'batch_size' config that is one of ['hour', 'day', 'month', 'year'], "
            "but got: " TN_STR_FMT ".",
            TN_STR_ARG(n->name), TN_STR_ARG(tn_val_to_str(p->arena, size)));
    }
    return TN_OK;
}

/* No batch can be cut out of inputs that have no event_time. */
static void note_unfiltered(tn_project *p, const tn_node *n)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        if (is_set(n->parents.v[i], "event_time")) {
            return;
        }
    }
    tn_project_note(p, "MicrobatchModelNoEventTimeInputs", n->original_file_path, 0,
        "The microbatch model '" TN_STR_FMT
        "' has no 'ref' or 'source' input with an 'event_time' configuration. \nThis means no "
        "filtering can be applied and can result in unexpected duplicate records in the resulting "
        "microbatch model.",
        TN_STR_ARG(n->name));
}

/* An entry that says enabled, for several disabled nodes of one name: none of them is meant more than another. */
static tn_rc check_disabled(tn_project *p, tn_err *err)
{
    for (size_t i = 0; i < p->state->patches.n; i++) {
        const tn_patch *patch = p->state->patches.v[i];
        tn_val entry = { .tag = TN_DICT, .dict = patch->entry };
        size_t found = 0;
        if (strcmp(patch->key, "models") != 0 || !tn_val_is_undef(patch->version) ||
            !tn_val_truthy(tn_val_at(tn_val_at(entry, "config"), "enabled")) ||
            (patch->node != NULL && patch->node->enabled)) {
            continue;
        }
        for (size_t k = 0; k < p->disabled.n; k++) {
            const tn_node *n = p->disabled.v[k];
            found += n->kind == TN_NODE_MODEL && tn_str_eq(n->name, patch->name) &&
                     tn_str_eq(n->package_name, patch->package->name);
        }
        if (found > 1) {
            return tn_fail(err, TN_E_PARSE,
                "Found %zu matching disabled nodes for model '" TN_STR_FMT
                "'. Multiple nodes for the same unique id cannot be enabled in the schema file. "
                "They must be enabled in `dbt_project.yml` or in the sql files.",
                found, TN_STR_ARG(patch->name));
        }
    }
    return TN_OK;
}

static bool has_own_microbatch_macro(const tn_project *p)
{
    for (size_t i = 0; i < p->packages.n; i++) {
        const tn_package *g = p->packages.v[i];
        if (!g->builtin &&
            tn_map_find(&g->macros, TN_STR("get_incremental_microbatch_sql")) != NULL) {
            return true;
        }
    }
    return false;
}

bool tn_project_runs_batches(const tn_project *p)
{
    return tn_project_flag(p, "REQUIRE_BATCHED_EXECUTION_FOR_CUSTOM_MICROBATCH_STRATEGY", true) ||
           !has_own_microbatch_macro(p);
}

static void note_unbatched(tn_project *p)
{
    bool some = false;
    for (size_t i = 0; i < p->nodes.n && !some; i++) {
        some = tn_node_is_microbatch(p->nodes.v[i]);
    }
    if (some && !tn_project_runs_batches(p)) {
        tn_deprecate(p, "MicrobatchMacroOutsideOfBatchesDeprecation", TN_STR_NONE,
            "The use of a custom microbatch macro outside of batched execution is deprecated. To "
            "use it with batched execution, set "
            "`flags.require_batched_execution_for_custom_microbatch_strategy` to `True` in "
            "`dbt_project.yml`. In the future this will be the default behavior.");
    }
}

/* DuckDB has one writer for a table: batches go one after the other, as in dbt-duckdb. */
static void note_concurrent_batches(tn_project *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_val v = tn_node_config(p->nodes.v[i], "concurrent_batches");
        count += tn_node_is_microbatch(p->nodes.v[i]) && tn_project_runs_batches(p) &&
                 v.tag == TN_BOOL && v.i != 0;
    }
    if (count > 0) {
        tn_project_note(p, "InvalidConcurrentBatchesConfig", TN_STR_NONE, 0,
            "Found %zu microbatch model%s with the `concurrent_batches` config set to true, but "
            "the duckdb adapter does not support running batches concurrently. Batches will be run "
            "sequentially.",
            count, count == 1 ? "" : "s");
    }
}

static tn_str group_name(const tn_project *p, size_t i)
{
    return tn_val_str_at(p->groups.list->v[i], "name", TN_STR_NONE);
}

static bool is_group(const tn_project *p, tn_str name)
{
    bool found = false;
    for (size_t i = 0; i < p->groups.list->n && !found; i++) {
        found = tn_str_eq(group_name(p, i), name);
    }
    return found;
}

/* A group that nobody defines, and a public model that nobody can read. */
static tn_rc check_group(const tn_project *p, const tn_node *n, tn_err *err)
{
    if (is_group(p, n->group)) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("groups", NULL);
    tn_strs names = { 0 };
    for (size_t i = 0; i < p->groups.list->n; i++) {
        tn_vec_push(&names, scratch, group_name(p, i));
    }
    tn_strs_sort(&names);
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error in %s " TN_STR_FMT " (" TN_STR_FMT ")\n  Invalid group '" TN_STR_FMT
        "', expected one of " TN_STR_FMT,
        tn_node_kind_name(n->kind), TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path),
        TN_STR_ARG(n->group), TN_STR_ARG(tn_val_to_repr(scratch, tn_strs_list(scratch, &names))));
}

static tn_rc check_access(const tn_node *n, tn_err *err)
{
    if (n->kind == TN_NODE_MODEL && tn_str_is(n->access, "public") && tn_node_is_ephemeral(n)) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Node " TN_STR_FMT
            " with 'ephemeral' materialization has an invalid value (public) for the access field",
            TN_STR_ARG(n->unique_id));
    }
    return TN_OK;
}

tn_rc tn_check_nodes(tn_project *p, tn_err *err)
{
    tn_note_replaced_materializations(p);
    TN_TRY(check_disabled(p, err));
    note_concurrent_batches(p);
    note_unbatched(p);
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->group.n > 0) {
            TN_TRY(check_group(p, n, err));
        }
        TN_TRY(check_access(n, err));
        if (n->kind == TN_NODE_SNAPSHOT) {
            TN_TRY(check_snapshot(n, err));
        } else if (tn_node_is_microbatch(n) && tn_project_runs_batches(p)) {
            TN_TRY(check_microbatch(p, n, err));
            note_unfiltered(p, n);
        }
    }
    return TN_OK;
}
