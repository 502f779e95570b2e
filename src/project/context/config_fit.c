/* config_fit.c: values of a config become what dbt's config classes hold: a text where a text is wanted (materialized: 5 is '5'), a number where a
 * number is; what cannot become that is refused as dbt refuses the field of the class. The forms are those of entry_form.c.
 */
#include "project/context/context_priv.h"

static const char *const classes[TN_NODE_KINDS] = {
    [TN_NODE_MODEL] = "ModelConfig",
    [TN_NODE_SEED] = "SeedConfig",
    [TN_NODE_SNAPSHOT] = "SnapshotConfig",
    [TN_NODE_TEST] = "TestConfig",
    [TN_NODE_ANALYSIS] = "NodeConfig",
    [TN_NODE_OPERATION] = "NodeConfig",
    [TN_NODE_SOURCE] = "SourceConfig",
    [TN_NODE_EXPOSURE] = "ExposureConfig",
    [TN_NODE_UNIT_TEST] = "UnitTestConfig",
    [TN_NODE_FUNCTION] = "FunctionConfig",
};

/* dbt's name of a field's type, where one is told. */
static const char *type_name(tn_form_key f)
{
    static const char *const names[][2] = { { "on_configuration_change",
                                                "OnConfigurationChangeOption" },
        { "on_error", "Optional[ModelOnErrorOptions]" }, { "type", "FunctionType" },
        { "volatility", "Optional[FunctionVolatility]" }, { "pre-hook", "List[Hook]" },
        { "post-hook", "List[Hook]" } };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(f.key, names[i][0])) {
            return names[i][1];
        }
    }
    if (tn_str_is(f.type, "[str]")) {
        return "List[str]";
    }
    return tn_str_is(f.type, "int?") ? "Optional[int]" : "Dict[str, Any]";
}

tn_rc tn_config_refuse(const char *klass, const char *key, const char *type, tn_val v, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("refuse", NULL);
    tn_str shown = tn_val_to_repr(scratch, v);
    return tn_fail(err, TN_E_PARSE, "Field \"%s\" of type %s in %s has invalid value " TN_STR_FMT,
        key, type, klass, TN_STR_ARG(shown));
}

static tn_rc refuse_field(tn_node_kind kind, tn_form_key f, tn_val v, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("field", NULL);
    bool hook = tn_str_ends(f.key, TN_STR("-hook"));
    const char *key =
        hook ? (f.key.p[1] == 'r' ? "pre_hook" : "post_hook") : tn_str_z(scratch, f.key);
    return tn_config_refuse(classes[kind], key, type_name(f), v, err);
}

static tn_val as_text(tn_arena *a, tn_val v)
{
    return tn_val_is_str(v) || tn_val_is_undef(v) ? v : tn_val_str(tn_val_to_str(a, v));
}

/* A list of texts; the given one, when it is that already. */
static tn_val as_texts(tn_arena *a, tn_val v)
{
    bool same = v.tag == TN_LIST;
    for (size_t i = 0; same && i < v.list->n; i++) {
        same = tn_val_is_str(v.list->v[i]);
    }
    if (same) {
        return v;
    }
    tn_val list = tn_value_listify(a, v), out = tn_val_list(a);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_list_push(out.list, as_text(a, list.list->v[i]));
    }
    return out;
}

static bool as_whole(tn_val v, tn_val *ret)
{
    int64_t n;
    if (v.tag == TN_INT || v.tag == TN_BIGINT) {
        *ret = v;
        return true;
    }
    if (v.tag == TN_BOOL) {
        *ret = tn_val_int(v.i != 0);
        return true;
    }
    if (tn_val_is_str(v) && tn_str_to_i64(tn_str_trim(tn_val_as_str(v)), &n)) {
        *ret = tn_val_int(n);
        return true;
    }
    return false;
}

static bool is_word(tn_str words, tn_val v)
{
    tn_str word, rest = words;
    while (tn_val_is_str(v) && rest.n > 0) {
        (void)tn_str_cut(rest, ',', &word, &rest);
        if (tn_str_eq(tn_val_as_str(v), word)) {
            return true;
        }
    }
    return false;
}

/* Each is a text or has one. Texts that are mappings in JSON are left: they are read later. */
static tn_rc check_hooks(tn_node_kind kind, tn_form_key f, tn_val v, tn_err *err)
{
    for (size_t i = 0; v.tag == TN_LIST && i < v.list->n; i++) {
        tn_val h = v.list->v[i];
        if (h.tag == TN_DICT && tn_dict_finds(h.dict, TN_STR("sql")) == NULL) {
            return refuse_field(kind, f, v, err);
        }
        if (h.tag != TN_DICT && !tn_val_is_str(h) && !tn_val_is_undef(h)) {
            return tn_fail(err, TN_E_INVALID,
                "the JSON object must be str, bytes or bytearray, not %s", tn_val_type_name(h));
        }
    }
    return TN_OK;
}

static tn_rc fit_one(
    tn_arena *a, tn_node_kind kind, tn_form_key f, tn_val v, tn_val *ret, tn_err *err)
{
    bool nullable = f.type.p[f.type.n - 1] == '?', fits = true;
    tn_str type = tn_str_sub(f.type, 0, f.type.n - nullable);
    *ret = v;
    if (tn_val_is_undef(v) || (nullable && tn_val_is_none(v))) {
        return TN_OK;
    }
    if (tn_str_is(type, "[Hook]")) {
        return check_hooks(kind, f, v, err);
    }
    if (tn_str_is(type, "str") || (tn_str_is(type, "str|[str]") && !tn_val_is_seq(v))) {
        *ret = as_text(a, v);
    } else if (tn_str_is(type, "[str]") || tn_str_is(type, "str|[str]")) {
        fits = !tn_val_is_none(v);
        *ret = fits ? as_texts(a, v) : v;
    } else if (tn_str_is(type, "int")) {
        fits = as_whole(v, ret);
    } else if (tn_str_is(type, "obj")) {
        fits = v.tag == TN_DICT;
    } else if (type.p[0] == '=') {
        fits = is_word(tn_str_sub(type, 1, type.n), v);
    }
    return fits ? TN_OK : refuse_field(kind, f, v, err);
}

/* A model's freshness is none without build_after. */
static void drop_freshness(tn_node *n)
{
    tn_val after = tn_val_at(tn_node_config(n, "freshness"), "build_after");
    if (n->kind == TN_NODE_MODEL && tn_val_is_undef(after)) {
        tn_dict_putz(n->config, "freshness", TN_VAL_NONE);
    }
}

tn_rc tn_config_fit(tn_arena *a, tn_node *n, tn_err *err)
{
    tn_str fields;
    bool open;
    if (classes[n->kind] == NULL) {
        return TN_OK;
    }
    TN_CHECK(tn_form_named(tn_str_of(classes[n->kind]), &fields, &open));
    drop_freshness(n);
    tn_form_key f;
    while (tn_form_next(&fields, &f)) {
        const tn_val *own = tn_dict_finds(n->config, f.key);
        tn_val fit;
        if (own == NULL) {
            continue;
        }
        TN_TRY(fit_one(a, n->kind, f, *own, &fit, err));
        if (fit.tag != own->tag || fit.list != own->list) {
            tn_dict_puts(n->config, f.key, fit);
        }
    }
    return TN_OK;
}

static tn_rc check_build_after(const tn_node *n, tn_err *err)
{
    tn_val after = tn_val_at(tn_node_config(n, "freshness"), "build_after");
    tn_val period = tn_val_at(after, "period"), count = tn_val_at(after, "count");
    bool fits = !tn_val_is_given(period) || is_word(TN_STR("minute,hour,day"), period);
    fits = fits && (!tn_val_is_given(count) || as_whole(count, &count));
    return fits || after.tag != TN_DICT
               ? TN_OK
               : tn_config_refuse("ModelFreshness", "build_after", "ModelBuildAfter", after, err);
}

tn_rc tn_config_form_check(const tn_node *n, tn_err *err)
{
    if (classes[n->kind] == NULL) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("config form", NULL);
    tn_str at, why;
    if (n->kind == TN_NODE_MODEL) {
        TN_TRY(check_build_after(n, err));
    }
    if (tn_form_fits(scratch, classes[n->kind], n->config, &at, &why)) {
        return TN_OK;
    }
    return n->kind == TN_NODE_SOURCE /* whose check dbt does elsewhere: without a head */
               ? tn_fail(err, TN_E_INVALID, TN_STR_FMT, TN_STR_ARG(why))
               : tn_fail(err, TN_E_PARSE, "at path [" TN_STR_FMT "]: " TN_STR_FMT, TN_STR_ARG(at),
                     TN_STR_ARG(why));
}
