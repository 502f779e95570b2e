/* flags.c: what templates see as flags.X and what the program itself asks: dbt's flags with their types and defaults.
 *
 * A flag comes from, the later over the earlier: the default; `flags:` of dbt_project.yml; the environment (DBT_NAME, DBT_ENGINE_NAME); the command
 * line. Behaviour flags ("require_...") come from `flags:` only, as in dbt. LOG_LEVEL_FILE, LOG_FORMAT_FILE and USE_COLORS_FILE follow their console
 * twins until they are given.
 */
#include "os/proc.h"
#include "project/node/project_priv.h"
#include "text/yaml.h"

typedef enum flag_kind {
    FLAG_BOOL,
    FLAG_INT,
    FLAG_TEXT,
    FLAG_YAML,      /* a dict; text of the environment and the command line is YAML */
    FLAG_BEHAVIOUR, /* of dbt_project.yml alone */
    FLAG_FIXED      /* what nothing sets any more */
} flag_kind;

typedef struct flag_def {
    const char *name;
    flag_kind kind;
    const char *dflt; /* of a FLAG_BOOL "1" or "0"; NULL: none */
} flag_def;

static const flag_def defs[] = {
    { "CACHE_SELECTED_ONLY", FLAG_BOOL, "0" },
    { "DEBUG", FLAG_BOOL, "0" },
    { "DEFER", FLAG_BOOL, "0" },
    { "DEFER_STATE", FLAG_TEXT, NULL },
    { "EMPTY", FLAG_BOOL, "0" },
    { "EVENT_TIME_END", FLAG_TEXT, NULL },
    { "EVENT_TIME_START", FLAG_TEXT, NULL },
    { "FAIL_FAST", FLAG_BOOL, "0" },
    { "FAVOR_STATE", FLAG_BOOL, "0" },
    { "FULL_REFRESH", FLAG_BOOL, "0" },
    { "HINTS_ENABLED", FLAG_BOOL, "1" },
    { "INDIRECT_SELECTION", FLAG_TEXT, "eager" },
    { "INTROSPECT", FLAG_BOOL, "1" },
    { "LOG_CACHE_EVENTS", FLAG_BOOL, "0" },
    { "LOG_FILE_MAX_BYTES", FLAG_INT, "10485760" },
    { "LOG_FORMAT", FLAG_TEXT, "default" },
    { "LOG_FORMAT_FILE", FLAG_TEXT, "debug" },
    { "LOG_LEVEL", FLAG_TEXT, "info" },
    { "LOG_LEVEL_FILE", FLAG_TEXT, "debug" },
    { "LOG_PATH", FLAG_TEXT, NULL },
    { "MACRO_DEBUGGING", FLAG_BOOL, "0" },
    { "MAXIMUM_SEED_SIZE_MIB", FLAG_INT, "1" },
    { "PARTIAL_PARSE", FLAG_BOOL, "1" },
    { "PARTIAL_PARSE_FILE_DIFF", FLAG_BOOL, "1" },
    { "PARTIAL_PARSE_FILE_PATH", FLAG_TEXT, NULL },
    { "POPULATE_CACHE", FLAG_BOOL, "1" },
    { "PRINT", FLAG_BOOL, "1" },
    { "PRINTER_WIDTH", FLAG_INT, "80" },
    { "PROFILE", FLAG_TEXT, NULL },
    { "PROFILES_DIR", FLAG_TEXT, NULL },
    { "PROJECT_DIR", FLAG_TEXT, NULL },
    { "QUIET", FLAG_BOOL, "0" },
    { "SAMPLE", FLAG_TEXT, NULL },
    { "SEND_ANONYMOUS_USAGE_STATS", FLAG_BOOL, "0" },
    { "SHOW_ALL_DEPRECATIONS", FLAG_BOOL, "0" },
    { "SHOW_RESOURCE_REPORT", FLAG_BOOL, "0" },
    { "SINGLE_THREADED", FLAG_BOOL, "0" },
    { "SNOWFLAKE_PROJECTS_OTEL", FLAG_BOOL, "0" },
    { "SQLPARSE", FLAG_YAML, "{MAX_GROUPING_DEPTH: null, MAX_GROUPING_TOKENS: null}" },
    { "STATE", FLAG_TEXT, NULL },
    { "STATIC_PARSER", FLAG_BOOL, "1" },
    { "STORE_FAILURES", FLAG_BOOL, "0" },
    { "STRICT_MODE", FLAG_FIXED, "0" },
    { "TARGET", FLAG_TEXT, NULL },
    { "TARGET_PATH", FLAG_TEXT, NULL },
    { "UPLOAD_TO_ARTIFACTS_INGEST_API", FLAG_BOOL, "0" },
    { "USE_COLORS", FLAG_BOOL, "1" },
    { "USE_COLORS_FILE", FLAG_BOOL, "1" },
    { "USE_EXPERIMENTAL_PARSER", FLAG_BOOL, "0" },
    { "USE_FAST_TEST_EDGES", FLAG_BOOL, "0" },
    { "USE_V2_PARSER", FLAG_BOOL, "0" },
    { "V2_PARSER", FLAG_TEXT, "dbt-core-experimental-parser parse" },
    { "VERSION_CHECK", FLAG_BOOL, "1" },
    { "WARN_ERROR", FLAG_BOOL, NULL },
    { "WARN_ERROR_OPTIONS", FLAG_TEXT, NULL },
    { "WHICH", FLAG_TEXT, NULL },
    { "WRITE_JSON", FLAG_BOOL, "1" },
    { "ALLOW_JINJA_FILE_EXTENSIONS", FLAG_BEHAVIOUR, "0" },
    { "ENABLE_GROUPED_WARN_ERROR_PARSER_LOGS", FLAG_BEHAVIOUR, "0" },
    { "LATEST_VERSION_POINTER_ENABLED_BY_DEFAULT", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_ALL_WARNINGS_HANDLED_BY_WARN_ERROR", FLAG_BEHAVIOUR, "1" },
    { "REQUIRE_BATCHED_EXECUTION_FOR_CUSTOM_MICROBATCH_STRATEGY", FLAG_BEHAVIOUR, "1" },
    { "REQUIRE_CORRECTED_ANALYSIS_FQNS", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_EVENT_NAMES_IN_DEPRECATIONS", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_EXPLICIT_PACKAGE_OVERRIDES_FOR_BUILTIN_MATERIALIZATIONS", FLAG_BEHAVIOUR, "1" },
    { "REQUIRE_GENERIC_TEST_ARGUMENTS_PROPERTY", FLAG_BEHAVIOUR, "1" },
    { "REQUIRE_NESTED_CUMULATIVE_TYPE_PARAMS", FLAG_BEHAVIOUR, "1" },
    { "REQUIRE_REF_SEARCHES_NODE_PACKAGE_BEFORE_ROOT", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_RESOURCE_NAMES_WITHOUT_SPACES", FLAG_BEHAVIOUR, "1" },
    { "REQUIRE_SOURCE_AND_SEMANTIC_MODEL_NAMES_WITHOUT_SPACES", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_SQL_HEADER_IN_TEST_CONFIGS", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_UNIQUE_PROJECT_RESOURCE_NAMES", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_VALID_SCHEMA_FROM_GENERATE_SCHEMA_NAME", FLAG_BEHAVIOUR, "0" },
    { "REQUIRE_YAML_CONFIGURATION_FOR_MF_TIME_SPINES", FLAG_BEHAVIOUR, "1" },
    { "SKIP_NODES_IF_ON_RUN_START_FAILS", FLAG_BEHAVIOUR, "1" },
    { "SOURCE_FRESHNESS_RUN_PROJECT_HOOKS", FLAG_BEHAVIOUR, "1" },
    { "STATE_MODIFIED_COMPARE_MORE_UNRENDERED_VALUES", FLAG_BEHAVIOUR, "1" },
    { "STATE_MODIFIED_COMPARE_VARS", FLAG_BEHAVIOUR, "0" },
    { "SUPPORT_CUSTOM_REF_KWARGS", FLAG_BEHAVIOUR, "0" },
    { "USE_CATALOGS_V2", FLAG_BEHAVIOUR, "0" },
    { "VALIDATE_MACRO_ARGS", FLAG_BEHAVIOUR, "1" },
};

static const flag_def *find_def(tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(defs); i++) {
        if (tn_str_is(name, defs[i].name)) {
            return &defs[i];
        }
    }
    return NULL;
}

static bool has_variable(const flag_def *d)
{
    return d->kind != FLAG_BEHAVIOUR && d->kind != FLAG_FIXED;
}

bool tn_flag_has_variable(tn_str name)
{
    const flag_def *d = find_def(name);
    return d != NULL && has_variable(d);
}

/* A text as a flag of this kind has it: click reads booleans so. */
static tn_val typed(tn_arena *a, flag_kind kind, tn_str text)
{
    static const char *const yes[] = { "1", "true", "yes", "on", "t", "y" };
    int64_t number;
    if (kind == FLAG_TEXT) {
        return tn_val_str_dup(a, text);
    }
    if (kind == FLAG_YAML) {
        tn_val v;
        return tn_yaml_parse(a, text, NULL, &v, NULL) == TN_OK ? v : tn_val_str_dup(a, text);
    }
    if (kind == FLAG_INT) {
        return tn_str_to_i64(text, &number) ? tn_val_int(number) : tn_val_str_dup(a, text);
    }
    for (size_t i = 0; i < TN_COUNTOF(yes); i++) {
        if (tn_str_eq_nocase(text, tn_str_of(yes[i]))) {
            return TN_VAL_TRUE;
        }
    }
    return TN_VAL_FALSE;
}

typedef struct flag_set {
    tn_arena *arena;
    tn_dict *flags;
    tn_map given; /* name -> anything: not only a default */
} flag_set;

static void put(flag_set *s, tn_str name, tn_val v)
{
    const flag_def *d = find_def(name);
    if (d != NULL && (d->kind == FLAG_INT || d->kind == FLAG_YAML) && tn_val_is_str(v)) {
        v = typed(s->arena, d->kind, tn_val_as_str(v));
    }
    tn_dict_puts(s->flags, name, v);
    tn_map_put(&s->given, name, s);
}

static void take_env_flag(void *self, tn_str name, tn_str value)
{
    flag_set *s = self;
    static const char *const prefixes[] = { "DBT_ENGINE_", "DBT_" };
    for (size_t i = 0; i < TN_COUNTOF(prefixes); i++) {
        tn_str prefix = tn_str_of(prefixes[i]);
        if (!tn_str_starts(name, prefix)) {
            continue;
        }
        tn_str flag = tn_str_dup(s->arena, tn_str_sub(name, prefix.n, name.n));
        const flag_def *d = find_def(flag);
        if (d != NULL && has_variable(d) && value.n > 0) {
            put(s, flag, typed(s->arena, d->kind, value));
        }
        return;
    }
}

static void take_all(flag_set *s, const tn_dict *from)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (from != NULL && (it = tn_dict_next(from, &at)) != NULL) {
        if (tn_val_is_str(it->key)) {
            put(s, tn_str_upper(s->arena, tn_val_as_str(it->key)), it->value);
        }
    }
}

static void follow(flag_set *s, const char *lead, const char *behind)
{
    if (tn_map_find(&s->given, tn_str_of(lead)) != NULL &&
        tn_map_find(&s->given, tn_str_of(behind)) == NULL) {
        tn_val all = { .tag = TN_DICT, .dict = s->flags };
        tn_dict_putz(s->flags, behind, tn_val_at(all, lead));
    }
}

void tn_load_flags(tn_project *p, const tn_project_opts *o)
{
    flag_set s = { p->arena, tn_val_dict(p->arena).dict, tn_map_init(p->arena) };
    for (size_t i = 0; i < TN_COUNTOF(defs); i++) {
        tn_dict_putz(s.flags, defs[i].name,
            defs[i].dflt == NULL ? TN_VAL_NONE
                                 : typed(p->arena, defs[i].kind, tn_str_of(defs[i].dflt)));
    }
    tn_val raw = { .tag = TN_DICT, .dict = p->package != NULL ? p->package->raw : NULL };
    take_all(&s, raw.dict != NULL ? tn_value_dict_at(raw, "flags") : NULL);
    tn_env_each(take_env_flag, &s);
    take_all(&s, o->flags);
    follow(&s, "USE_COLORS", "USE_COLORS_FILE");
    follow(&s, "LOG_LEVEL", "LOG_LEVEL_FILE");
    follow(&s, "LOG_FORMAT", "LOG_FORMAT_FILE");
    p->flags = s.flags;
}
