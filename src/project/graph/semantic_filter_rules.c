/* semantic_filter_rules.c: filters of metrics and what saved queries ask for are templates of calls: Dimension('order__status'),
 * TimeDimension('order__ordered_at', 'day'), Entity('order'), Metric('orders', group_by=['order']), with .grain(), .date_part() and
 * .descending() behind them. They are rendered to see what they name:
 *
 *     name = [entity "__"] element ["__" granularity]        of a Dimension and a TimeDimension: exactly one entity, but metric_time has none
 */
#include "project/graph/semantic_rules.h"

typedef enum item_kind { ITEM_DIMENSION, ITEM_TIME, ITEM_ENTITY, ITEM_METRIC } item_kind;

typedef struct item {
    tn_obj base;
    item_kind kind;
    bool may_descend;
    tn_str name;
    tn_str grain;   /* asked for beside the name; empty: none */
    tn_str element; /* of the name */
    tn_str groups;  /* of a Metric, and the path to others: as they are written */
    tn_str part;
    bool has_groups;
} item;

typedef tn_vec(item *) items;

typedef struct reader {
    tn_semantics *s;
    tn_jinja_env *env;
    items found;
    bool unknown; /* the template reads a name that is nothing */
    bool ordered; /* what is read is an order: it may be descending */
} reader;

/* ---- calls ---- */

static const tn_obj_type item_type;

static tn_rc set_grain(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "grain", 1, 1, NULL, err));
    item *it = self;
    if (tn_val_is_str(call->args[0])) {
        it->grain = tn_val_as_str(call->args[0]);
    }
    *ret = tn_val_obj(&it->base);
    return TN_OK;
}

static tn_rc set_part(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const parts[] = { "year", "quarter", "month", "day", "dow", "doy" };
    TN_TRY(tn_call_check(call, "date_part", 1, 1, NULL, err));
    item *it = self;
    for (size_t i = 0; i < TN_COUNTOF(parts); i++) {
        if (tn_str_eq_nocase(tn_val_as_str(call->args[0]), tn_str_of(parts[i]))) {
            it->part = tn_str_of(parts[i]);
        }
    }
    *ret = tn_val_obj(&it->base);
    return it->part.n > 0 ? TN_OK : tn_fail(err, TN_E_VALUE, "not a valid date part");
}

static tn_rc set_descending(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "descending", 1, 1, NULL, err));
    *ret = tn_val_obj(&((item *)self)->base);
    return TN_OK;
}

static tn_rc item_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const item *it = (const item *)self;
    bool dated = it->kind == ITEM_DIMENSION || it->kind == ITEM_TIME;
    bool descends = it->may_descend && tn_str_is(name, "descending");
    *ret = dated && tn_str_is(name, "grain")       ? tn_val_fn(a, "grain", set_grain, self)
           : dated && tn_str_is(name, "date_part") ? tn_val_fn(a, "date_part", set_part, self)
           : descends ? tn_val_fn(a, "descending", set_descending, self)
                      : tn_val_undef(name);
    return TN_OK;
}

static void item_str(tn_obj *self, tn_buf *b)
{
    tn_buf_add(b, ((const item *)self)->name);
}

static const tn_obj_type item_type = { .name = "Dimension", .attr = item_attr, .str = item_str };

static tn_rc make_item(
    reader *r, const tn_call *call, item_kind kind, const char *first, item **ret, tn_err *err)
{
    tn_val name = tn_call_arg(call, 0, first);
    if (!tn_val_is_str(name)) {
        return tn_fail(err, TN_E_TYPE, "a name is a text");
    }
    item *it = tn_new(r->s->arena, item);
    *it = (item){
        .base = { &item_type }, .kind = kind, .may_descend = r->ordered, .name = tn_val_as_str(name)
    };
    tn_vec_push(&r->found, r->s->arena, it);
    *ret = it;
    return TN_OK;
}

static tn_rc make_dimension(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "name", "entity_path", NULL };
    item *it = NULL;
    TN_TRY(tn_call_check(call, "Dimension", 1, 2, names, err));
    TN_TRY(make_item(self, call, ITEM_DIMENSION, "name", &it, err));
    *ret = tn_val_obj(&it->base);
    return TN_OK;
}

static tn_rc make_time(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "time_dimension_name", "time_granularity_name",
        "entity_path", "descending", "date_part_name", NULL };
    item *it = NULL;
    TN_TRY(tn_call_check(call, "TimeDimension", 1, 5, names, err));
    TN_TRY(make_item(self, call, ITEM_TIME, "time_dimension_name", &it, err));
    it->grain = tn_val_as_str(tn_call_arg(call, 1, "time_granularity_name"));
    *ret = tn_val_obj(&it->base);
    return TN_OK;
}

static tn_rc make_entity(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "entity_name", "entity_path", NULL };
    item *it = NULL;
    TN_TRY(tn_call_check(call, "Entity", 1, 2, names, err));
    TN_TRY(make_item(self, call, ITEM_ENTITY, "entity_name", &it, err));
    *ret = tn_val_obj(&it->base);
    return TN_OK;
}

static tn_rc make_metric(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "metric_name", "group_by", NULL };
    item *it = NULL;
    TN_TRY(tn_call_check(call, "Metric", 1, 2, names, err));
    TN_TRY(make_item(self, call, ITEM_METRIC, "metric_name", &it, err));
    tn_val groups = tn_call_arg(call, 1, "group_by");
    it->has_groups = tn_val_truthy(groups);
    it->groups = it->has_groups ? tn_val_to_repr(((reader *)self)->s->arena, groups) : TN_STR("");
    *ret = tn_val_obj(&it->base);
    return TN_OK;
}

/* ---- names ---- */

/* The name's granularity, and how many entities stand before its element. */
static tn_str split_name(const tn_semantics *s, item *it, bool own_grains, size_t *ret_entities)
{
    tn_str parts[16], rest = it->name, grain = TN_STR("");
    size_t n = 0, at;
    while (n < TN_COUNTOF(parts) - 1 && (at = tn_str_find(rest, TN_STR("__"), 0)) != SIZE_MAX) {
        parts[n++] = tn_str_sub(rest, 0, at);
        rest = tn_str_sub(rest, at + 2, rest.n);
    }
    parts[n++] = rest;
    bool is_grain = tn_semantic_grain(rest);
    for (size_t i = 0; own_grains && i < s->grains.n; i++) {
        is_grain |= tn_str_eq(s->grains.v[i], rest);
    }
    if (n > 1 && is_grain) {
        grain = parts[--n];
    }
    it->element = parts[n - 1];
    *ret_entities = n - 1;
    return grain;
}

/* What is wrong with a name, as a text; empty: nothing. */
static tn_str check_item(tn_semantics *s, item *it)
{
    size_t entities = 0;
    bool dated = it->kind == ITEM_TIME || it->grain.n > 0 || it->part.n > 0;
    tn_str in_name = split_name(s, it, dated, &entities);
    tn_str shown = tn_val_to_repr(s->arena, tn_val_str(it->name));
    if (it->kind == ITEM_METRIC) {
        it->element = it->name;
        return it->has_groups
                   ? TN_STR("")
                   : TN_STR("`group_by` parameter is required for Metric in where filter. This is "
                            "needed to determine 1) the granularity to aggregate the metric to and "
                            "2) how to join the metric to the rest of the query.");
    }
    if (it->kind == ITEM_ENTITY) {
        return in_name.n == 0 ? TN_STR("")
                              : tn_str_printf(s->arena,
                                    "Name is in an incorrect format: " TN_STR_FMT
                                    ". It should not contain a time grain suffix.",
                                    TN_STR_ARG(shown));
    }
    if (entities != 1 && !tn_str_is(it->element, "metric_time")) {
        return tn_str_printf(s->arena,
            "Name is in an incorrect format: " TN_STR_FMT
            ". It should be of the form: <primary entity name>__<dimension_name>",
            TN_STR_ARG(shown));
    }
    if (dated && in_name.n > 0 && it->grain.n > 0 && !tn_str_eq(in_name, it->grain)) {
        return tn_str_printf(s->arena,
            "Received different grains in `time_dimension_name` parameter ('" TN_STR_FMT
            "') and `time_granularity_name` parameter ('" TN_STR_FMT
            "'). Remove the grain suffix (`" TN_STR_FMT
            "`) from the time dimension name and use the `time_granularity_name` parameter to "
            "specify the intendend grain.",
            TN_STR_ARG(it->name), TN_STR_ARG(it->grain), TN_STR_ARG(in_name));
    }
    return TN_STR("");
}

/* Asked before the names that are there; it knows none itself. */
static bool note_name(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    static const char *const known[] = { "Dimension", "TimeDimension", "Entity", "Metric", "range",
        "dict", "lipsum", "cycler", "joiner", "namespace" };
    (void)ctx;
    (void)ret;
    bool there = false;
    for (size_t i = 0; i < TN_COUNTOF(known) && !there; i++) {
        there = tn_str_is(name, known[i]);
    }
    ((reader *)self)->unknown |= !there;
    return false;
}

static bool renders(reader *r, tn_str text)
{
    tn_jinja_tmpl *t = NULL;
    tn_str sql;
    r->found.n = 0;
    r->unknown = false;
    if (tn_jinja_parse(r->env, r->s->arena, text, (tn_jinja_src){ "filter", 1 }, &t, NULL) !=
        TN_OK) {
        return false;
    }
    tn_jinja_ctx ctx = tn_jinja_ctx_init(r->env, r->s->arena, note_name, r);
    return tn_jinja_render(t, &ctx, &sql, NULL) == TN_OK && !r->unknown;
}

/* What is wrong with a template; empty: nothing, and r->found is what it names. */
static tn_str check_template(reader *r, tn_str text)
{
    tn_str wrong = TN_STR("");
    if (!renders(r, text)) {
        return tn_str_concat(r->s->arena, TN_STR("Error while parsing Jinja template:\n"), text);
    }
    for (size_t i = 0; i < r->found.n && wrong.n == 0; i++) {
        wrong = check_item(r->s, r->found.v[i]);
    }
    return wrong;
}

/* ---- filters ---- */

#define EXCEPTION "metricflow_semantic_interfaces.call_parameter_sets.ParseJinjaObjectException: "

/* Granularities that a template asks for and nobody knows are only warned of. */
static void check_grains(reader *r, const char *kind, tn_str owner)
{
    tn_semantics *s = r->s;
    for (size_t i = 0; i < r->found.n; i++) {
        tn_str grain = tn_str_lower(s->arena, r->found.v[i]->grain);
        bool known = grain.n == 0 || tn_semantic_grain(grain);
        tn_buf all = tn_buf_init(s->arena, TN_BUF_NO_LIMIT);
        for (size_t k = 0; k < s->grains.n; k++) {
            known |= tn_str_eq(s->grains.v[k], grain);
            tn_buf_addf(&all, ", '" TN_STR_FMT "'", TN_STR_ARG(s->grains.v[k]));
        }
        if (!known) {
            tn_semantic_warning(s,
                "Filter for SemanticManifestNodeType.%s `" TN_STR_FMT "` is not valid. `" TN_STR_FMT
                "` is not a valid granularity name. Valid granularity options: ['nanosecond', "
                "'microsecond', 'millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', "
                "'quarter', 'year'" TN_STR_FMT "]",
                kind, TN_STR_ARG(owner), TN_STR_ARG(grain), TN_STR_ARG(tn_buf_str(&all)));
        }
    }
}

static tn_str indented(tn_semantics *s, tn_str text)
{
    return tn_str_concat(
        s->arena, TN_STR("    "), tn_str_replace(s->arena, text, TN_STR("\n"), TN_STR("\n    ")));
}

/* All filters of one place; `what`: "filter of metric `m`". */
static void check_filter(reader *r, tn_val filter, tn_str what, tn_str metric)
{
    tn_semantics *s = r->s;
    tn_buf wrong = tn_buf_init(s->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < tn_semantic_count(filter, "where_filters"); i++) {
        tn_str text = tn_val_str_at(
            tn_semantic_nth(filter, "where_filters", i), "where_sql_template", TN_STR(""));
        tn_str told = check_template(r, text);
        if (told.n > 0) {
            tn_buf_addf(&wrong, "\nFilter:\n" TN_STR_FMT "\nError Message:\n" TN_STR_FMT,
                TN_STR_ARG(indented(s, text)), TN_STR_ARG(indented(s, told)));
        }
    }
    if (wrong.n > 0) {
        tn_semantic_error(s,
            "An error occurred while trying to parse " TN_STR_FMT " - " EXCEPTION
            "Encountered error(s) while parsing:\n" TN_STR_FMT,
            TN_STR_ARG(what), TN_STR_ARG(tn_buf_str(&wrong)));
        return;
    }
    for (size_t i = 0; i < tn_semantic_count(filter, "where_filters"); i++) {
        (void)check_template(r, tn_val_str_at(tn_semantic_nth(filter, "where_filters", i),
                                    "where_sql_template", TN_STR("")));
        check_grains(r, "METRIC", metric);
    }
}

static void check_metric(reader *r, const tn_node *n)
{
    static const char *const halves[] = { "numerator", "denominator" };
    tn_arena *a = r->s->arena;
    tn_val params = tn_val_at(n->extra, "type_params"), measure = tn_val_at(params, "measure");
    check_filter(r, tn_val_at(n->extra, "filter"),
        tn_str_printf(a, "filter of metric `" TN_STR_FMT "`", TN_STR_ARG(n->name)), n->name);
    check_filter(r, tn_val_at(measure, "filter"),
        tn_str_printf(a, "filter of measure input `" TN_STR_FMT "` on metric `" TN_STR_FMT "`",
            TN_STR_ARG(tn_semantic_name(measure)), TN_STR_ARG(n->name)),
        n->name);
    for (size_t i = 0; i < TN_COUNTOF(halves); i++) {
        check_filter(r, tn_val_at(tn_val_at(params, halves[i]), "filter"),
            tn_str_printf(
                a, "the %s filter on metric `" TN_STR_FMT "`", halves[i], TN_STR_ARG(n->name)),
            n->name);
    }
    for (size_t i = 0; i < tn_semantic_count(params, "metrics"); i++) {
        tn_val input = tn_semantic_nth(params, "metrics", i);
        check_filter(r, tn_val_at(input, "filter"),
            tn_str_printf(a, "filter for input metric `" TN_STR_FMT "` on metric `" TN_STR_FMT "`",
                TN_STR_ARG(tn_semantic_name(input)), TN_STR_ARG(n->name)),
            n->name);
    }
}

/* ---- saved queries ---- */

static void check_query_filters(reader *r, const tn_node *n)
{
    tn_val where = tn_val_at(tn_val_at(n->extra, "query_params"), "where");
    for (size_t i = 0; i < tn_semantic_count(where, "where_filters"); i++) {
        tn_str told = check_template(r, tn_val_str_at(tn_semantic_nth(where, "where_filters", i),
                                            "where_sql_template", TN_STR("")));
        if (told.n > 0) {
            tn_semantic_error(r->s,
                "An error occurred while trying to parse a filter in saved query `" TN_STR_FMT
                "` - " EXCEPTION TN_STR_FMT "\n",
                TN_STR_ARG(n->name), TN_STR_ARG(told));
        } else {
            check_grains(r, "SAVED_QUERY", n->name);
        }
    }
}

static bool can_group(const tn_semantics *s, tn_str name)
{
    if (tn_str_is(name, "metric_time")) {
        return true;
    }
    for (size_t i = 0; i < s->metrics.n; i++) {
        if (tn_str_eq(s->metrics.v[i]->name, name)) {
            return true;
        }
    }
    for (size_t i = 0; i < s->models.n; i++) {
        if (tn_semantic_has(s->models.v[i]->extra, "dimensions", name) ||
            tn_semantic_has(s->models.v[i]->extra, "entities", name)) {
            return true;
        }
    }
    return false;
}

static void check_groups(reader *r, const tn_node *n)
{
    tn_semantics *s = r->s;
    tn_val params = tn_val_at(n->extra, "query_params");
    for (size_t i = 0; i < tn_semantic_count(params, "group_by"); i++) {
        tn_str text = tn_val_as_str(tn_semantic_nth(params, "group_by", i));
        tn_str told =
            check_template(r, tn_str_printf(s->arena, "{{" TN_STR_FMT "}}", TN_STR_ARG(text)));
        if (told.n > 0) {
            tn_semantic_error(s,
                "An error occurred while trying to parse a group-by in saved query `" TN_STR_FMT
                "` - " EXCEPTION TN_STR_FMT "\n",
                TN_STR_ARG(n->name), TN_STR_ARG(told));
        } else if (r->found.n != 1 || !can_group(s, r->found.v[0]->element)) {
            tn_semantic_error(
                s, "`" TN_STR_FMT "` is not a valid group-by name.", TN_STR_ARG(text));
        }
    }
}

static void check_limit(reader *r, const tn_node *n)
{
    int64_t limit = tn_val_int_at(tn_val_at(n->extra, "query_params"), "limit", 0);
    if (limit < 0) {
        tn_semantic_error(r->s, "Invalid limit value: %lld (should be >= 0)", (long long)limit);
    }
}

/* ---- what orders a saved query ---- */

/* What the one item of a text is, as a text that is equal for equal items; empty after telling that there is none. */
static tn_str item_of(reader *r, const tn_node *n, tn_str text)
{
    tn_semantics *s = r->s;
    tn_str template = tn_str_printf(s->arena, "{{ " TN_STR_FMT " }}", TN_STR_ARG(text));
    if (!renders(r, template) || r->found.n != 1) {
        tn_semantic_error(s,
            "An error occurred while parsing a field in '" TN_STR_FMT
            "'. Note that metrics need to be specified using the object-builder syntax "
            "(`Metric('metric_name')`) and if `.descending(...)` is specified, it should be at the "
            "end. - metricflow_semantic_interfaces.parsing.text_input.ti_exceptions."
            "QueryItemJinjaException: Error while processing Jinja template:\n" TN_STR_FMT "\n",
            TN_STR_ARG(n->name), TN_STR_ARG(indented(s, template)));
        return TN_STR("");
    }
    const item *it = r->found.v[0];
    return tn_str_printf(s->arena, "%d " TN_STR_FMT " " TN_STR_FMT " " TN_STR_FMT " " TN_STR_FMT,
        (int)it->kind, TN_STR_ARG(it->name), TN_STR_ARG(it->grain), TN_STR_ARG(it->part),
        TN_STR_ARG(it->groups));
}

/* Metrics and groups that the query has; false: one is none, so that orders cannot be told right. */
static bool items_of(reader *r, const tn_node *n, tn_val params, tn_map *ret)
{
    bool all = true;
    for (size_t i = 0; i < tn_semantic_count(params, "metrics"); i++) {
        tn_str name = tn_val_as_str(tn_semantic_nth(params, "metrics", i));
        tn_str call = tn_str_printf(r->s->arena, "Metric('" TN_STR_FMT "')", TN_STR_ARG(name));
        tn_str key = item_of(r, n, call);
        tn_map_put(ret, key, r);
        all &= key.n > 0;
    }
    for (size_t i = 0; i < tn_semantic_count(params, "group_by"); i++) {
        tn_str key = item_of(r, n, tn_val_as_str(tn_semantic_nth(params, "group_by", i)));
        tn_map_put(ret, key, r);
        all &= key.n > 0;
    }
    return all;
}

static void check_orders(reader *r, const tn_node *n)
{
    tn_val params = tn_val_at(n->extra, "query_params");
    tn_map known = tn_map_init(r->s->arena);
    size_t count = tn_semantic_count(params, "order_by");
    r->ordered = false;
    if (count == 0 || !items_of(r, n, params, &known)) {
        return;
    }
    r->ordered = true;
    for (size_t i = 0; i < count; i++) {
        tn_str text = tn_val_as_str(tn_semantic_nth(params, "order_by", i));
        tn_str key = item_of(r, n, text);
        if (key.n > 0 && tn_map_find(&known, key) == NULL) {
            tn_semantic_error(r->s,
                TN_STR_FMT " does not match any of the listed metrics or group-by items. ",
                TN_STR_ARG(text));
        }
    }
    r->ordered = false;
}

/* ---- all ---- */

static reader *reader_new(tn_semantics *s)
{
    reader *r = tn_new(s->arena, reader);
    tn_jinja_env_opts opts = { 0 };
    *r = (reader){ .s = s, .env = tn_jinja_env_new(s->arena, &opts) };
    static const struct {
        const char *name;
        tn_call_fn make;
    } calls[] = { { "Dimension", make_dimension }, { "TimeDimension", make_time },
        { "Entity", make_entity }, { "Metric", make_metric } };
    for (size_t i = 0; i < TN_COUNTOF(calls); i++) {
        tn_jinja_env_global(
            r->env, calls[i].name, tn_val_fn(s->arena, calls[i].name, calls[i].make, r));
    }
    return r;
}

void tn_rule_filters(tn_semantics *s)
{
    reader *r = reader_new(s);
    for (size_t i = 0; i < s->metrics.n; i++) {
        check_metric(r, s->metrics.v[i]);
    }
    for (size_t i = 0; i < s->queries.n; i++) {
        check_query_filters(r, s->queries.v[i]);
    }
}

void tn_rule_saved_queries(tn_semantics *s)
{
    reader *r = reader_new(s);
    for (size_t i = 0; i < s->queries.n; i++) {
        check_groups(r, s->queries.v[i]);
        check_orders(r, s->queries.v[i]);
        check_limit(r, s->queries.v[i]);
    }
}
