/* entry_form.c: the forms of entries of properties files and of configs: which keys each has, and of which type. dbt checks an entry against its
 * classes before it reads it, and tells of the first thing that is wrong in the words of JSON Schema; so does this.
 *
 *   form   "Name[+]: key[!]:type ..."      + takes other keys, too; ! must be there. Order is that of dbt's classes: the first error is told.
 *   type   one {"|" one} ["?"]              ? or null
 *   one    str | int | num | bool | obj (any mapping) | any | [type] | =word,word | Name of a form
 */
#include <math.h>

#include "project/node/project_priv.h"

enum { FORM_DEPTH_MAX = 16 };

#define COLUMN_PROPS                                                                               \
    "name!:str description:str meta:obj data_type:str? constraints:[obj] docs:Docs config:obj "    \
    "_extra:obj "
#define TEST_PROPS "data_tests:[obj|str] tests:[obj|str] "
#define INPUT "MetricInput|str"
#define CONFIG_HEAD                                                                                \
    "enabled:bool alias:str? schema:str? database:str? tags:[str] meta:obj group:str? "            \
    "static_analysis:str? materialized:str "
#define NODE_CONFIG                                                                                \
    CONFIG_HEAD                                                                                    \
    "incremental_strategy:str? persist_docs:obj post-hook:[Hook] pre-hook:[Hook] quoting:obj "     \
    "column_types:obj full_refresh:bool? unique_key:str|[str]? on_schema_change:str? "             \
    "on_configuration_change:=apply,continue,fail grants:obj packages:[str] docs:Docs "            \
    "contract:ContractConfig "
#define MEASURE "InputMeasure|str"

static const char *const forms[] = {
    "Docs: show:bool node_color:str? ",
    "Owner+: _extra:obj email:str|[str]? name:str? ",
    "Validity: is_start:bool is_end:bool ",
    "ColumnDimension: type!:str name:str? description:str? label:str? is_partition:bool config:obj "
    "validity_params:Validity? ",
    "ColumnEntity: type!:str name:str? description:str? label:str? config:obj ",
    "DerivedEntity: type!:str name:str? description:str? label:str? config:obj expr!:str ",
    "DerivedDimension: type!:str name:str description:str? label:str? is_partition:bool config:obj "
    "validity_params:Validity? expr!:str granularity:str? ",
    "Derived: entities:[DerivedEntity] dimensions:[DerivedDimension] ",
    "Column+: " COLUMN_PROPS TEST_PROPS "quote:bool? tags:[str] granularity:str? "
    "dimension:ColumnDimension|str? entity:ColumnEntity|str? ",
    "PlainColumn+: " COLUMN_PROPS,
    "IncludeExclude: include!:str|[str] exclude:[str] ",
    "Version: v!:int|num|str defined_in:str? description:str access:str? config:obj "
    "constraints:[obj] docs:Docs data_tests:[obj|str]? tests:[obj|str]? "
    "columns:[IncludeExclude|Column] deprecation_date:str? ",
    "CustomGranularity: name!:str column_name:str? ",
    "TimeSpine: standard_granularity_column!:str custom_granularities:[CustomGranularity] ",
    "SemanticResource: meta:obj ",
    "SemanticModelConfig: name:str? enabled:bool group:str? config:SemanticResource? ",
    "MetricInput: name!:str filter:str|[str]? alias:str? offset_window:str? offset_to_grain:str? ",
    "NonAdditive: name!:str window_agg!:str group_by:[str] ",
    "ConstantProperty: base_property!:str conversion_property!:str ",
    "Metric: name!:str type:str label:str? description:str filter:str|[str]? time_granularity:str? "
    "config:obj hidden:bool agg:str? percentile:num? percentile_type:str? join_to_timespine:bool? "
    "fill_nulls_with:int? expr:str|int? non_additive_dimension:NonAdditive? "
    "agg_time_dimension:str? window:str? grain_to_date:str? period_agg:str input_metric:" INPUT
    "? numerator:" INPUT "? denominator:" INPUT "? input_metrics:[" INPUT
    "]? entity:str? calculation:str? base_metric:" INPUT "? conversion_metric:" INPUT
    "? constant_properties:[ConstantProperty]? ",
    "InputMeasure: name!:str filter:str|[str]? alias:str? join_to_timespine:bool "
    "fill_nulls_with:int? ",
    "ConversionParams: base_measure!:" MEASURE " conversion_measure!:" MEASURE
    " entity!:str calculation:str window:str? constant_properties:[ConstantProperty]? ",
    "CumulativeParams: window:str? grain_to_date:str? period_agg:str ",
    "MetricParams: measure:" MEASURE "? numerator:" INPUT "? denominator:" INPUT
    "? expr:str|bool? window:str? grain_to_date:str? metrics:[" INPUT
    "]? conversion_type_params:ConversionParams? cumulative_type_params:CumulativeParams? ",
    "metrics: name!:str type:str label!:str description:str filter:str|[str]? "
    "time_granularity:str? config:obj type_params!:MetricParams meta:obj tags:[str] ",
    "SemanticDefaults: agg_time_dimension:str? ",
    "Entity: type!:str name!:str description:str? label:str? config:obj role:str? expr:str? ",
    "AggParams: percentile:num? use_discrete_percentile:bool use_approximate_percentile:bool ",
    "MeasureNonAdditive: name!:str window_choice!:str window_groupings:[str] ",
    "Measure: name!:str agg!:str description:str? label:str? expr:str|bool|int? "
    "agg_params:AggParams? non_additive_dimension:MeasureNonAdditive? agg_time_dimension:str? "
    "create_metric:bool config:obj ",
    "DimensionParams: time_granularity!:str validity_params:Validity? ",
    "Dimension: type!:str name!:str description:str? label:str? is_partition:bool config:obj "
    "type_params:DimensionParams? expr:str? ",
    "semantic_models: name!:str model!:str config:obj description:str? label:str? "
    "defaults:SemanticDefaults? entities:[Entity] measures:[Measure] dimensions:[Dimension] "
    "primary_entity:str? ",
    "QueryParams: metrics:[str] group_by:[str] where:str|[str]? order_by:[str] limit:int? ",
    "Export: name!:str config:obj ",
    "saved_queries: name!:str query_params!:QueryParams description:str? label:str? "
    "exports:[Export] config:obj tags:str|[str] ",
    "models+: " COLUMN_PROPS TEST_PROPS
    "columns:[Column] quote_columns:bool? access:str? latest_version:int|num|str? "
    "versions:[Version] deprecation_date:str? time_spine:TimeSpine? "
    "semantic_model:SemanticModelConfig|bool? primary_entity:str? agg_time_dimension:str? "
    "metrics:[Metric]? derived_semantics:Derived? ",
    "seeds+: " COLUMN_PROPS TEST_PROPS "columns:[Column] quote_columns:bool? access:str? ",
    "snapshots+: " COLUMN_PROPS TEST_PROPS "columns:[Column] quote_columns:bool? access:str? ",
    "analyses+: " COLUMN_PROPS "columns:[PlainColumn] access:str? ",
    "MacroArgument: name!:str type:str? description:str ",
    "macros+: " COLUMN_PROPS "arguments:[MacroArgument] ",
    "data_tests+: " COLUMN_PROPS,
    "Returns: data_type!:str description:str? ",
    "Argument: name!:str data_type!:str description:str? default_value:any ",
    "Overload: defined_in!:str arguments:[Argument] returns:Returns? description:str? ",
    "functions+: returns!:Returns " COLUMN_PROPS
    "access:str? arguments:[Argument] overloads:[Overload] ",
    "Quoting: database:bool? schema:bool? identifier:bool? column:bool? ",
    "Time: count:int? period:=minute,hour,day? ",
    "Freshness: warn_after:Time? error_after:Time? filter:str? ",
    "Partition+: _extra:obj name:str description:str data_type:str meta:obj ",
    "External+: _extra:obj location:str? file_format:str? row_format:str? tbl_properties:str? "
    "partitions:[Partition|str]? ",
    "SourceTable+: " COLUMN_PROPS TEST_PROPS
    "columns:[Column] loaded_at_field:str? loaded_at_field_present:bool? loaded_at_query:str? "
    "identifier:str? quoting:Quoting freshness:Freshness? external:External? tags:[str] ",
    "sources: name!:str description:str meta:obj database:str? schema:str? loader:str "
    "quoting:Quoting freshness:Freshness? loaded_at_field:str? loaded_at_field_present:bool? "
    "loaded_at_query:str? tables:[SourceTable] tags:[str] config:obj unrendered_database:str? "
    "unrendered_schema:str? ",
    "TablePatch: name!:str description:str? meta:obj? data_type:str? docs:Docs? "
    "loaded_at_field:str? loaded_at_field_present:bool? loaded_at_query:str? identifier:str? "
    "quoting:Quoting freshness:Freshness? external:External? tags:[str]? data_tests:[obj|str]? "
    "tests:[obj|str]? columns:[Column]? ",
    "SourcePatch: name!:str overrides!:str config:obj description:str? meta:obj? "
    "database:str? schema:str? loader:str? quoting:Quoting? freshness:Freshness? "
    "loaded_at_field:str? loaded_at_field_present:bool? loaded_at_query:str? "
    "tables:[TablePatch]? tags:[str]? ",
    "exposures: name!:str type!:=dashboard,notebook,analysis,ml,application owner!:Owner "
    "description:str label:str? maturity:=low,medium,high? meta:obj tags:[str] url:str? "
    "depends_on:[str] config:obj ",
    "groups: name!:str owner!:Owner description:str? config:obj ",
    "Hook: sql!:str transaction:bool index:int? ",
    "ContractConfig: enforced:bool alias_types:bool ",
    "VersionPointer: enabled:bool? alias:str? ",
    "SnapshotColumns: dbt_valid_to:str? dbt_valid_from:str? dbt_scd_id:str? dbt_updated_at:str? "
    "dbt_is_deleted:str? ",
    "SnowflakeFunction: quote_args:bool ",
    "NodeConfig+: " NODE_CONFIG,
    "ModelConfig+: " NODE_CONFIG
    "on_error:=skip_children,continue? latest_version_pointer:VersionPointer ",
    "SeedConfig+: " NODE_CONFIG "delimiter:str quote_columns:bool? ",
    "SnapshotConfig+: " NODE_CONFIG "strategy:str? target_schema:str? target_database:str? "
    "updated_at:str? check_cols:str|[str]? snapshot_meta_column_names:SnapshotColumns "
    "dbt_valid_to_current:str? ",
    "TestConfig+: " CONFIG_HEAD "severity:str store_failures:bool? store_failures_as:str? "
    "where:str? limit:int? fail_calc:str warn_if:str error_if:str ",
    "FunctionConfig+: " NODE_CONFIG "type:=scalar,aggregate,table "
    "volatility:=deterministic,stable,non-deterministic? runtime_version:str? entry_point:str? "
    "snowflake:SnowflakeFunction ",
    "SourceConfig+: enabled:bool loaded_at_field:str? loaded_at_query:str? meta:obj tags:[str] "
    "static_analysis:str? ",
    "ProjectQuoting: schema:bool? database:bool? project:bool? identifier:bool? "
    "snowflake_ignore_case:bool? ",
    "QueryComment: comment:str append:bool? job-label:bool ",
    "Project+: config-version:int? project-root:str? source-paths:[str]? model-paths:[str]? "
    "macro-paths:[str]? data-paths:[str]? seed-paths:[str]? test-paths:[str]? "
    "analysis-paths:[str]? docs-paths:[str]? asset-paths:[str]? function-paths:[str]? "
    "osi-paths:[str]? target-path:str? snapshot-paths:[str]? clean-targets:[str]? profile:str? "
    "log-path:str? packages-install-path:str? quoting:ProjectQuoting? on-run-start:str|[str]? "
    "on-run-end:str|[str]? require-dbt-version:[str]|str? dispatch:[obj] models:obj seeds:obj "
    "snapshots:obj analyses:obj sources:obj tests:obj data_tests:obj unit_tests:obj metrics:obj "
    "semantic-models:obj saved-queries:obj exposures:obj functions:obj vars:obj? "
    "query-comment:QueryComment|str? restrict-access:bool ",
    "WriteIntegration: name!:str catalog_type!:str external_volume:str? table_format:str? "
    "catalog_name:str? file_format:str? catalog_database:str? adapter_properties:obj ",
    "Catalog: name!:str active_write_integration:str? write_integrations:[WriteIntegration] ",
    "ExposureConfig+: enabled:bool tags:[str] meta:obj ",
    "UnitTestConfig+: tags:[str] meta:obj enabled:bool static_analysis:str? ",
};

/* Where a check stands, and what it found: path and why are of the first thing that is wrong. */
typedef struct form_check {
    tn_arena *a;
    tn_val path[FORM_DEPTH_MAX];
    size_t depth;
    tn_str why;
} form_check;

static bool fits(form_check *c, tn_str type, tn_val v);

static bool wrong(form_check *c, tn_val v, const char *what)
{
    c->why = tn_str_printf(c->a, TN_STR_FMT " %s", TN_STR_ARG(tn_val_to_repr(c->a, v)), what);
    return false;
}

/* The value one level down. */
static bool fits_below(form_check *c, tn_val step, tn_str type, tn_val v)
{
    if (c->depth == FORM_DEPTH_MAX) {
        return true;
    }
    c->path[c->depth++] = step;
    if (!fits(c, type, v)) {
        return false;
    }
    c->depth--;
    return true;
}

/* ---- forms ---- */

bool tn_form_named(tn_str name, tn_str *ret_fields, bool *ret_open)
{
    for (size_t i = 0; i < TN_COUNTOF(forms); i++) {
        tn_str form = tn_str_of(forms[i]);
        if (tn_str_starts(form, name) && (form.p[name.n] == ':' || form.p[name.n] == '+')) {
            *ret_open = form.p[name.n] == '+';
            *ret_fields = tn_str_sub(form, name.n + (*ret_open ? 3 : 2), form.n);
            return true;
        }
    }
    return false;
}

bool tn_form_next(tn_str *fields, tn_form_key *ret)
{
    tn_str word, rest;
    if (!tn_str_cut(*fields, ' ', &word, &rest)) {
        return false;
    }
    *fields = rest;
    (void)tn_str_cut(word, ':', &ret->key, &ret->type);
    ret->required = ret->key.p[ret->key.n - 1] == '!';
    ret->key.n -= ret->required;
    return true;
}

static bool has_field(tn_str fields, tn_val key)
{
    tn_form_key f;
    while (tn_form_next(&fields, &f)) {
        if (tn_val_is_str(key) && tn_str_eq(tn_val_as_str(key), f.key)) {
            return true;
        }
    }
    return false;
}

/* Keys that a closed form does not have, sorted as dbt does. */
static bool has_no_others(form_check *c, tn_str fields, const tn_dict *d)
{
    tn_strs others = { 0 };
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(d, &at)) != NULL) {
        if (!has_field(fields, it->key)) {
            tn_vec_push(&others, c->a, tn_val_to_str(c->a, it->key));
        }
    }
    if (others.n == 0) {
        return true;
    }
    tn_strs_sort(&others);
    tn_buf b = tn_buf_init(c->a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < others.n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_val_repr_to(&b, tn_val_str(others.v[i]));
    }
    c->why =
        tn_str_printf(c->a, "Additional properties are not allowed (" TN_STR_FMT " %s unexpected)",
            TN_STR_ARG(tn_buf_str(&b)), others.n == 1 ? "was" : "were");
    return false;
}

static bool fits_form(form_check *c, tn_str fields, bool open, tn_val v)
{
    if (v.tag != TN_DICT) {
        return wrong(c, v, "is not of type 'object'");
    }
    tn_form_key f;
    size_t known = 0;
    for (tn_str rest = fields; tn_form_next(&rest, &f);) {
        const tn_val *own = tn_dict_finds(v.dict, f.key);
        known += own != NULL;
        if (own != NULL && !fits_below(c, tn_val_str(f.key), f.type, *own)) {
            return false;
        }
    }
    if (!open && known < v.dict->live && !has_no_others(c, fields, v.dict)) {
        return false;
    }
    for (tn_str rest = fields; tn_form_next(&rest, &f);) {
        if (f.required && tn_dict_finds(v.dict, f.key) == NULL) {
            c->why =
                tn_str_printf(c->a, "'" TN_STR_FMT "' is a required property", TN_STR_ARG(f.key));
            return false;
        }
    }
    return true;
}

/* ---- types ---- */

static bool is_whole(tn_val v)
{
    return v.tag == TN_INT || v.tag == TN_BIGINT ||
           (v.tag == TN_FLOAT && isfinite(v.f) && v.f == floor(v.f));
}

static bool fits_words(form_check *c, tn_str words, tn_val v)
{
    tn_val list = tn_val_list(c->a);
    bool found = false;
    tn_str word, rest = words;
    while (rest.n > 0) {
        (void)tn_str_cut(rest, ',', &word, &rest);
        found = found || (tn_val_is_str(v) && tn_str_eq(tn_val_as_str(v), word));
        tn_list_push(list.list, tn_val_str(word));
    }
    return found || wrong(c, v,
                        tn_str_z(c->a, tn_str_concat(c->a, TN_STR("is not one of "),
                                           tn_val_to_repr(c->a, list))));
}

static bool fits_list(form_check *c, tn_str type, tn_val v)
{
    if (v.tag != TN_LIST) {
        return wrong(c, v, "is not of type 'array'");
    }
    for (size_t i = 0; i < v.list->n; i++) {
        if (!fits_below(c, tn_val_int((int64_t)i), type, v.list->v[i])) {
            return false;
        }
    }
    return true;
}

static bool fits_one(form_check *c, tn_str type, tn_val v)
{
    tn_str fields;
    bool open;
    if (type.p[0] == '[') {
        return fits_list(c, tn_str_sub(type, 1, type.n - 1), v);
    }
    if (type.p[0] == '=') {
        return fits_words(c, tn_str_sub(type, 1, type.n), v);
    }
    const struct {
        const char *name;
        bool fits;
        const char *what;
    } plain[] = { { "str", tn_val_is_str(v), "is not of type 'string'" },
        { "int", is_whole(v), "is not of type 'integer'" },
        { "num", is_whole(v) || v.tag == TN_FLOAT, "is not of type 'number'" },
        { "bool", v.tag == TN_BOOL, "is not of type 'boolean'" },
        { "obj", v.tag == TN_DICT, "is not of type 'object'" }, { "any", true, "" } };
    for (size_t i = 0; i < TN_COUNTOF(plain); i++) {
        if (tn_str_is(type, plain[i].name)) {
            return plain[i].fits || wrong(c, v, plain[i].what);
        }
    }
    TN_CHECK(tn_form_named(type, &fields, &open));
    return fits_form(c, fields, open, v);
}

/* The type before the first '|' that is in no brackets. */
static tn_str first_of(tn_str type)
{
    int open = 0;
    size_t n = 0;
    for (; n < type.n && (open > 0 || type.p[n] != '|'); n++) {
        open += (type.p[n] == '[') - (type.p[n] == ']');
    }
    return tn_str_sub(type, 0, n);
}

static bool fits(form_check *c, tn_str type, tn_val v)
{
    bool nullable = type.p[type.n - 1] == '?';
    type.n -= nullable;
    tn_str first = first_of(type);
    if (nullable && tn_val_is_none(v)) {
        return true;
    }
    if (!nullable && first.n == type.n) {
        return fits_one(c, type, v);
    }
    size_t depth = c->depth;
    for (;; first = first_of(type)) {
        if (fits_one(c, first, v)) {
            return true;
        }
        c->depth = depth;
        if (first.n == type.n) {
            return wrong(c, v, "is not valid under any of the given schemas");
        }
        type = tn_str_sub(type, first.n + 1, type.n);
    }
}

bool tn_form_fits(tn_arena *a, const char *form, tn_dict *d, tn_str *ret_at, tn_str *ret_why)
{
    form_check c = { .a = a };
    tn_val entry = { .tag = TN_DICT, .dict = d };
    tn_str fields;
    bool open;
    TN_CHECK(tn_form_named(tn_str_of(form), &fields, &open));
    if (fits_form(&c, fields, open, entry)) {
        return true;
    }
    tn_buf at = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < c.depth; i++) {
        tn_buf_addz(&at, i > 0 ? "][" : "");
        tn_val_repr_to(&at, c.path[i]);
    }
    *ret_at = tn_buf_str(&at);
    *ret_why = c.why;
    return false;
}

tn_rc tn_entry_form_check(const tn_patch *patch, const char *form, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("form", NULL);
    tn_str at, why;
    return tn_form_fits(scratch, form, patch->entry, &at, &why)
               ? TN_OK
               : tn_entry_refuse(patch, tn_str_z(scratch, at), why, err);
}
