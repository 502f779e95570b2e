/* entry_check.c: what an entry of exposures, metrics and saved queries may say. dbt checks entries against its classes; the words of the last part of
 * a message are those of JSON Schema.
 */
#include "project/node/project_priv.h"

enum {
    METRIC_NAME_MAX = 250,
    SHOWN_BYTES_MAX = 3000, /* of an entry, so that the reason behind it is still in the message */
};

/* The entry as dbt has it when it looks at it: with where it is from, for what describes a resource of another file. */
static tn_val shown(tn_arena *a, const tn_patch *patch)
{
    static const char *const kinds[] = { "models", "seeds", "snapshots", "analyses", "macros",
        "functions", "data_tests" };
    tn_val out = tn_val_dict(a);
    tn_value_put_all(out.dict, (tn_val){ .tag = TN_DICT, .dict = patch->entry });
    for (size_t i = 0; i < TN_COUNTOF(kinds); i++) {
        if (strcmp(patch->key, kinds[i]) == 0) {
            tn_dict_putz(out.dict, "original_file_path", tn_val_str(patch->file));
            tn_dict_putz(out.dict, "yaml_key", tn_val_z(patch->key));
            tn_dict_putz(out.dict, "package_name", tn_val_str(patch->package->name));
        }
    }
    if (strcmp(patch->key, "sources") == 0 &&
        tn_dict_finds(patch->entry, TN_STR("overrides")) != NULL) {
        tn_dict_putz(out.dict, "path", tn_val_str(patch->file));
    }
    return out;
}

tn_rc tn_entry_refuse(const tn_patch *patch, const char *at, tn_str why, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("entry", NULL);
    tn_str text = tn_val_to_repr(scratch, shown(scratch, patch));
    if (text.n > SHOWN_BYTES_MAX) {
        text = tn_str_concat(scratch, tn_str_sub(text, 0, SHOWN_BYTES_MAX), TN_STR("..."));
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Invalid %s config given in " TN_STR_FMT " @ %s: " TN_STR_FMT
        " - at path [%s]: " TN_STR_FMT,
        patch->key, TN_STR_ARG(patch->file), patch->key, TN_STR_ARG(text), at, TN_STR_ARG(why));
}

tn_rc tn_entry_lacks(const tn_patch *patch, const char *at, const char *key, tn_err *err)
{
    char why[128];
    (void)snprintf(why, sizeof why, "'%s' is a required property", key);
    return tn_entry_refuse(patch, at, tn_str_of(why), err);
}

static bool known(tn_str key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (tn_str_is(key, *keys)) {
            return true;
        }
    }
    return false;
}

static tn_rc check_keys(
    const tn_patch *patch, const char *const *base, const char *const *more, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("keys", NULL);
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT);
    size_t at = 0, count = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(patch->raw, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (!known(key, base) && (more == NULL || !known(key, more))) {
            tn_buf_addf(&b, "%s'" TN_STR_FMT "'", count++ > 0 ? ", " : "", TN_STR_ARG(key));
        }
    }
    return count == 0
               ? TN_OK
               : tn_entry_refuse(patch, "",
                     tn_str_printf(scratch,
                         "Additional properties are not allowed (" TN_STR_FMT " %s unexpected)",
                         TN_STR_ARG(tn_buf_str(&b)), count == 1 ? "was" : "were"),
                     err);
}

/* config.enabled; dbt's message has no head. */
static tn_rc check_enabled(tn_val e, tn_err *err)
{
    tn_val v = tn_val_at(tn_val_at(e, "config"), "enabled");
    if (tn_val_is_undef(v) || v.tag == TN_BOOL) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("enabled", NULL);
    tn_str shown = tn_val_to_repr(scratch, v);
    return tn_fail(err, TN_E_COMPILE,
        "Validation Error\n  " TN_STR_FMT
        " is not of type 'boolean'\n\nFailed validating 'type' in "
        "schema['properties']['enabled']:\n    {'type': 'boolean', 'default': True}\n\nOn "
        "instance['enabled']:\n    " TN_STR_FMT,
        TN_STR_ARG(shown), TN_STR_ARG(shown));
}

/* ---- metrics ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One of dbt's words, in capitals or not; its message has no head. */
static tn_rc check_word(tn_val v, const char *list, const char *const *words, size_t n, tn_err *err)
{
    for (size_t i = 0; tn_val_is_str(v) && i < n; i++) {
        if (tn_str_eq_nocase(tn_val_as_str(v), tn_str_of(words[i]))) {
            return TN_OK;
        }
    }
    return !tn_val_is_str(v)
               ? TN_OK
               : tn_fail(err, TN_E_INVALID, "Invalid enum value: `" TN_STR_FMT "` in enum %s",
                     TN_STR_ARG(tn_val_as_str(v)), list);
}

static tn_rc check_metric_name(const tn_patch *patch, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("name", NULL);
    tn_str name = patch->name;
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT);
    bool plain = true;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        plain = plain &&
                (is_letter(c) || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80);
    }
    const struct {
        bool wrong;
        const char *what;
    } rules[] = { { tn_str_find_char(name, ' ', 0) != SIZE_MAX, "cannot contain spaces" },
        { name.n > METRIC_NAME_MAX, "cannot contain more than 250 characters" },
        { name.n == 0 || !is_letter(name.p[0]), "must begin with a letter" },
        { !plain, "must contain only letters, numbers and underscores" } };
    for (size_t i = 0; i < TN_COUNTOF(rules); i++) {
        if (rules[i].wrong) {
            tn_buf_addf(&b, "%s%s", b.n > 0 ? ", " : "", rules[i].what);
        }
    }
    return b.n == 0 ? TN_OK
                    : tn_entry_refuse(patch, "",
                          tn_str_printf(scratch,
                              "The metric name '" TN_STR_FMT "' is invalid.  It " TN_STR_FMT,
                              TN_STR_ARG(name), TN_STR_ARG(tn_buf_str(&b))),
                          err);
}

/* An aggregate is one of a semantic model: of the entry of a model, then. */
static tn_rc refuse_loose(const tn_patch *patch, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("metric", NULL);
    tn_val raw = { .tag = TN_DICT, .dict = patch->raw };
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Invalid metrics config given in " TN_STR_FMT " @ metrics: " TN_STR_FMT
        " - simple metrics in v2 YAML must be attached to semantic_model",
        TN_STR_ARG(patch->file), TN_STR_ARG(tn_val_to_repr(scratch, raw)));
}

tn_rc tn_metric_check(tn_val e, tn_err *err)
{
    static const char *const needed[][2] = { { "cumulative", "input_metric" },
        { "conversion", "base_metric" }, { "conversion", "conversion_metric" },
        { "conversion", "entity" } };
    static const char *const types[] = { "simple", "ratio", "cumulative", "derived", "conversion" };
    static const char *const aggs[] = { "sum", "min", "max", "count_distinct", "sum_boolean",
        "average", "percentile", "median", "count" };
    tn_str type = tn_val_str_at(e, "type", TN_STR("simple"));
    TN_TRY(check_word(tn_val_at(e, "type"), "MetricType", types, TN_COUNTOF(types), err));
    TN_TRY(check_word(tn_val_at(e, "agg"), "AggregationType", aggs, TN_COUNTOF(aggs), err));
    for (size_t i = 0; i < TN_COUNTOF(needed); i++) {
        if (tn_str_eq_nocase(type, tn_str_of(needed[i][0])) &&
            !tn_val_is_given(tn_val_at(e, needed[i][1]))) {
            return tn_fail(
                err, TN_E_INVALID, "%s is required for %s metrics.", needed[i][1], needed[i][0]);
        }
    }
    return TN_OK;
}

/* With type_params the older of the two forms of a metric, else the newer one, whose parameters are the entry's own keys. */
static tn_rc check_metric(const tn_patch *patch, tn_val e, tn_err *err)
{
    static const char *const base[] = { "name", "type", "label", "description", "filter",
        "time_granularity", "config", NULL };
    static const char *const new[] = { "hidden", "agg", "percentile", "percentile_type",
        "join_to_timespine", "fill_nulls_with", "expr", "non_additive_dimension",
        "agg_time_dimension", "window", "grain_to_date", "period_agg", "input_metric", "numerator",
        "denominator", "input_metrics", "entity", "calculation", "base_metric", "conversion_metric",
        "constant_properties", NULL };
    if (tn_val_at(e, "type_params").tag == TN_DICT) {
        TN_TRY(tn_entry_form_check(patch, "metrics", err));
        return check_metric_name(patch, err);
    }
    TN_TRY(check_keys(patch, base, new, err));
    TN_TRY(check_metric_name(patch, err));
    if (tn_str_is(tn_val_str_at(e, "type", TN_STR("simple")), "simple") &&
        !tn_val_is_str(tn_val_at(e, "agg"))) {
        return tn_entry_refuse(patch, "", TN_STR("Simple metrics must have an agg param."), err);
    }
    if (tn_val_is_given(tn_val_at(e, "agg"))) {
        return refuse_loose(patch, err);
    }
    return tn_metric_check(e, err);
}

/* ---- others ---- */

static tn_rc check_exposure(const tn_patch *patch, tn_val e, tn_err *err)
{
    tn_val owner = tn_val_at(e, "owner");
    return tn_val_is_given(tn_val_at(owner, "name")) || tn_val_is_given(tn_val_at(owner, "email"))
               ? TN_OK
               : tn_entry_refuse(patch, "",
                     TN_STR("Exposure owner must have at least one of 'name' or 'email'."), err);
}

tn_rc tn_entry_check(const tn_patch *patch, tn_node_kind kind, tn_err *err)
{
    tn_val e = { .tag = TN_DICT, .dict = patch->entry };
    switch (kind) {
    case TN_NODE_EXPOSURE:
        TN_TRY(check_exposure(patch, e, err));
        break;
    case TN_NODE_METRIC:
        TN_TRY(check_metric(patch, e, err));
        break;
    case TN_NODE_SEMANTIC_MODEL:
        TN_TRY(tn_entry_form_check(patch, "semantic_models", err));
        break;
    case TN_NODE_SAVED_QUERY:
        TN_TRY(tn_entry_form_check(patch, "saved_queries", err));
        break;
    default:
        return TN_OK;
    }
    return check_enabled(e, err);
}

/* ---- time spines ---- */

/* A time spine's columns are columns of the model, the standard one with its granularity. */
tn_rc tn_time_spine_check(tn_project *p, const tn_node *n, tn_err *err)
{
    tn_val spine = n->time_spine;
    if (spine.tag != TN_DICT) {
        return TN_OK;
    }
    tn_val names = tn_val_list(p->arena), gone = tn_val_list(p->arena);
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        tn_list_push(names.list, it->key);
    }
    tn_str standard = tn_val_str_at(spine, "standard_granularity_column", TN_STR(""));
    tn_val column = tn_val_at(n->columns, tn_str_z(p->arena, standard));
    if (column.tag != TN_DICT) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Time spine standard granularity column must be defined on the model. "
            "Got invalid column name '" TN_STR_FMT "' for model '" TN_STR_FMT
            "'. Valid names: " TN_STR_FMT ".",
            TN_STR_ARG(standard), TN_STR_ARG(n->name), TN_STR_ARG(tn_val_to_repr(p->arena, names)));
    }
    if (!tn_val_is_str(tn_val_at(column, "granularity"))) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Time spine standard granularity column must have a granularity "
            "defined. Please add one for column '" TN_STR_FMT "' in model '" TN_STR_FMT "'.",
            TN_STR_ARG(standard), TN_STR_ARG(n->name));
    }
    tn_val custom = tn_val_at(spine, "custom_granularities");
    for (size_t i = 0; custom.tag == TN_LIST && i < custom.list->n; i++) {
        tn_str own = tn_val_str_at(custom.list->v[i], "name", TN_STR(""));
        tn_str name = tn_val_str_at(custom.list->v[i], "column_name", own);
        if (tn_val_at(n->columns, tn_str_z(p->arena, name)).tag != TN_DICT) {
            tn_list_push(gone.list, tn_val_str(name));
        }
    }
    return gone.list->n == 0
               ? TN_OK
               : tn_fail(err, TN_E_COMPILE,
                     "Parsing Error\n  Time spine custom granularity columns do not exist in the "
                     "model. Columns not found: " TN_STR_FMT "; Available columns: " TN_STR_FMT,
                     TN_STR_ARG(tn_val_to_repr(p->arena, gone)),
                     TN_STR_ARG(tn_val_to_repr(p->arena, names)));
}
