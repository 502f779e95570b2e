/* semantic_rules.c: rules over semantic models, metrics and saved queries together, the ones of dbt's validation that speak of names, primary
 * entities and time dimensions. What they find is told before the project is refused.
 */
#include "project/graph/graph_priv.h"

typedef struct findings {
    tn_project *p;
    tn_arena *arena;
} findings;

static void found(findings *f, const char *fmt, ...) TN_PRINTF(2, 3);
static void found(findings *f, const char *fmt, ...)
{
    tn_buf b = tn_buf_init(f->p->arena, TN_BUF_NO_LIMIT);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    tn_vec_push(&f->p->problems, f->p->arena, tn_buf_str(&b));
}

/* ---- names ---- */

/* Lower case letters, digits and single underscores, a letter first and no underscore last, two at least. */
static bool valid_name(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        bool edge = i == 0 || i + 1 == s.n || (i + 1 < s.n && s.p[i + 1] == '_');
        if (!letter && (!digit || i == 0) && (c != '_' || edge)) {
            return false;
        }
    }
    return s.n >= 2;
}

static void check_name(findings *f, tn_str name)
{
    static const char *const grains[] = { "NANOSECOND", "MICROSECOND", "MILLISECOND", "SECOND",
        "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR" };
    if (!valid_name(name)) {
        found(f,
            "Invalid name `" TN_STR_FMT
            "` - names may only contain lower case letters, numbers, and underscores. "
            "Additionally, names must start with a lower case letter, cannot end with an "
            "underscore, cannot contain dunders (double underscores, or __), and must be at least "
            "2 characters long.",
            TN_STR_ARG(name));
    }
    for (size_t i = 0; i < TN_COUNTOF(grains); i++) {
        if (tn_str_eq_nocase(name, tn_str_of(grains[i]))) {
            found(f,
                "Invalid name `" TN_STR_FMT
                "` - names cannot match reserved time granularity keywords (['NANOSECOND', "
                "'MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', "
                "'QUARTER', 'YEAR'])",
                TN_STR_ARG(name));
        }
    }
    if (tn_str_eq_nocase(name, TN_STR("metric_time"))) {
        found(f,
            "Invalid name `" TN_STR_FMT
            "` - this name is reserved by MetricFlow. Reason: Used as the query input for creating "
            "time series metrics from measures with different time dimension names.",
            TN_STR_ARG(name));
    }
}

static void check_elements(findings *f, const tn_node *n)
{
    static const char *const kinds[][2] = { { "measures", "measure" }, { "entities", "entity" },
        { "dimensions", "dimension" } };
    tn_map seen = tn_map_init(f->arena);
    for (size_t k = 0; k < TN_COUNTOF(kinds); k++) {
        tn_val list = tn_val_at(n->extra, kinds[k][0]);
        for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
            tn_str name = tn_val_str_at(list.list->v[i], "name", TN_STR(""));
            const size_t *before = tn_map_find(&seen, name);
            if (before != NULL) {
                found(f,
                    "In semantic model `" TN_STR_FMT "`, can't use name `" TN_STR_FMT
                    "` for a %s when it was already used for a %s",
                    TN_STR_ARG(n->name), TN_STR_ARG(name), kinds[k][1], kinds[*before][1]);
            } else {
                size_t *first = tn_new(f->arena, size_t);
                *first = k;
                tn_map_put(&seen, name, first);
            }
            check_name(f, name);
        }
    }
}

/* ---- entities and time ---- */

/* Types are written in capitals, too. */
static bool of_type(tn_val element, const char *type)
{
    return tn_str_eq_nocase(tn_val_str_at(element, "type", TN_STR_NONE), tn_str_of(type));
}

static void check_primary(findings *f, const tn_node *n)
{
    tn_val list = tn_val_at(n->extra, "entities"), dimensions = tn_val_at(n->extra, "dimensions");
    tn_str own = tn_val_str_at(n->extra, "primary_entity", TN_STR_NONE), first = TN_STR_NONE;
    tn_buf names = tn_buf_init(f->arena, TN_BUF_NO_LIMIT);
    size_t count = 0;
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        if (of_type(list.list->v[i], "primary")) {
            tn_str name = tn_val_str_at(list.list->v[i], "name", TN_STR(""));
            first = count == 0 ? name : first;
            tn_buf_addf(&names, "%s" TN_STR_FMT, count++ > 0 ? ", " : "", TN_STR_ARG(name));
        }
    }
    if (count > 1) {
        found(f,
            "Semantic models can have only one primary entity. The semantic model `" TN_STR_FMT
            "` has %zu: " TN_STR_FMT,
            TN_STR_ARG(n->name), count, TN_STR_ARG(tn_buf_str(&names)));
    }
    if (count > 0 && own.n > 0) {
        found(f,
            "The semantic model `" TN_STR_FMT "` has an entity named `" TN_STR_FMT
            "` with type primary but it also has the `primary_entity` field set to `" TN_STR_FMT
            "`. Both should not be present in the model.",
            TN_STR_ARG(n->name), TN_STR_ARG(first), TN_STR_ARG(own));
    }
    if (count == 0 && own.n == 0 && dimensions.tag == TN_LIST && dimensions.list->n > 0) {
        found(f,
            "The semantic model " TN_STR_FMT
            " contains dimensions, but it does not define a primary entity. Either add an entity "
            "with type PRIMARY or set a value for the primary_entity key.",
            TN_STR_ARG(n->name));
    }
}

static bool has_time_dimension(const tn_node *n, tn_str name)
{
    tn_val list = tn_val_at(n->extra, "dimensions");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val d = list.list->v[i];
        if (tn_str_eq(tn_val_str_at(d, "name", TN_STR_NONE), name) && of_type(d, "time")) {
            return true;
        }
    }
    return false;
}

static void check_times(findings *f, const tn_node *n)
{
    tn_str dflt = tn_val_str_at(tn_val_at(n->extra, "defaults"), "agg_time_dimension", TN_STR_NONE);
    tn_val list = tn_val_at(n->extra, "measures");
    if (dflt.n > 0 && !has_time_dimension(n, dflt)) {
        found(f,
            "Default aggregation time dimension was specified as '" TN_STR_FMT
            "' which doesn't exist as a time dimension in semantic model named '" TN_STR_FMT "'.",
            TN_STR_ARG(dflt), TN_STR_ARG(n->name));
    }
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_str time = tn_val_str_at(list.list->v[i], "agg_time_dimension", TN_STR_NONE);
        if (time.n > 0 && !has_time_dimension(n, time)) {
            found(f,
                "In semantic model '" TN_STR_FMT "', measure '" TN_STR_FMT
                "' has the aggregation time dimension set to '" TN_STR_FMT
                "', which is not a valid time dimension in the semantic model",
                TN_STR_ARG(n->name),
                TN_STR_ARG(tn_val_str_at(list.list->v[i], "name", TN_STR_NONE)), TN_STR_ARG(time));
        }
    }
}

/* ---- all ---- */

/* Days, or finer; or the model that was the time spine before there was a key for it. */
static bool is_spine(const tn_node *n)
{
    static const char *const fine[] = { "nanosecond", "microsecond", "millisecond", "second",
        "minute", "hour", "day" };
    if (n->kind != TN_NODE_MODEL) {
        return false;
    }
    if (n->time_spine.tag != TN_DICT) {
        return tn_str_is(n->name, "metricflow_time_spine");
    }
    TN_AUTO_ARENA scratch = tn_arena_new("spine", NULL);
    tn_str column = tn_val_str_at(n->time_spine, "standard_granularity_column", TN_STR(""));
    tn_str grain =
        tn_val_str_at(tn_val_at(n->columns, tn_str_z(scratch, column)), "granularity", TN_STR_NONE);
    for (size_t i = 0; i < TN_COUNTOF(fine); i++) {
        if (tn_str_eq_nocase(grain, tn_str_of(fine[i]))) {
            return true;
        }
    }
    return tn_str_is(n->name, "metricflow_time_spine");
}

static void check_node(findings *f, const tn_node *n)
{
    if (n->kind == TN_NODE_SEMANTIC_MODEL) {
        check_name(f, n->name);
        check_elements(f, n);
        check_primary(f, n);
        check_times(f, n);
    } else if (n->kind == TN_NODE_METRIC || n->kind == TN_NODE_SAVED_QUERY) {
        check_name(f, n->name);
    }
}

tn_rc tn_check_semantics(tn_project *p, tn_err *err)
{
    size_t models = 0, metrics = 0, spines = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        models += p->nodes.v[i]->kind == TN_NODE_SEMANTIC_MODEL;
        metrics += p->nodes.v[i]->kind == TN_NODE_METRIC;
        spines += is_spine(p->nodes.v[i]);
    }
    if (models > 0 && spines == 0) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  The semantic layer requires a time spine model with granularity DAY "
            "or smaller in the project, but none was found. Guidance on creating this model can be "
            "found on our docs site "
            "(https://docs.getdbt.com/docs/build/metricflow-time-spine).");
    }
    if (models == 0 || metrics == 0) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("semantics", NULL);
    findings f = { p, scratch };
    for (size_t i = 0; i < p->nodes.n; i++) {
        check_node(&f, p->nodes.v[i]);
    }
    return p->problems.n == 0 ? TN_OK
                              : tn_fail(err, TN_E_COMPILE,
                                    "Parsing Error\n  Semantic Manifest validation failed.");
}
