/* engine_env.c: dbt's variables under both of their names, DBT_X and DBT_ENGINE_X: one stands for the other, and where both are set the latter counts. A
 * DBT_ENGINE_X that dbt does not know is somebody else's: the prefix is dbt's own.
 */
#include "os/proc.h"
#include "project/deprecation.h"
#include "project/node/project_priv.h"

static const char engine_prefix[] = "DBT_ENGINE_", old_prefix[] = "DBT_";

/* Variables that are no flags, and that dbt has all the same. */
static bool is_known(tn_str name)
{
    static const char *const others[] = { "ARTIFACT_STATE_PATH", "CLEAN_PROJECT_FILES_ONLY",
        "DEFER_TO_STATE", "DOWNLOAD_DIR", "EXCLUDE_RESOURCE_TYPES", "EXPORT_SAVED_QUERIES",
        "FAVOR_STATE_MODE", "HOST", "INCLUDE_SAVED_QUERY", "INVOCATION_ENV", "NO_PRINT",
        "PACKAGE_HUB_URL", "PP_FILE_DIFF_TEST", "PP_TEST", "RECORDED_FILE_PATH", "RESOURCE_TYPES",
        "TEST_STATE_MODIFIED" };
    bool known = tn_flag_has_variable(name);
    for (size_t i = 0; i < TN_COUNTOF(others) && !known; i++) {
        known = tn_str_is(name, others[i]);
    }
    return known;
}

static void note_variable(void *self, tn_str name, tn_str value)
{
    tn_project *p = self;
    (void)value;
    if (!tn_str_starts(name, tn_str_of(engine_prefix)) ||
        is_known(tn_str_sub(name, sizeof engine_prefix - 1, name.n))) {
        return;
    }
    tn_val data = tn_val_dict(p->arena);
    tn_dict_putz(data.dict, "env_var", tn_val_str(tn_str_dup(p->arena, name)));
    tn_dict_putz(data.dict, "reserved_prefix", tn_val_z(engine_prefix));
    tn_deprecate_with(p, "EnvironmentVariableNamespaceDeprecation", data,
        "Found custom environment variable `" TN_STR_FMT
        "` in the environment. The prefix `%s` is reserved for dbt engine environment variables. "
        "Custom environment variables with the prefix `%s` may cause collisions and runtime "
        "errors.",
        TN_STR_ARG(name), engine_prefix, engine_prefix);
}

void tn_note_environment(tn_project *p)
{
    tn_env_each(note_variable, p);
}

typedef struct twin_set {
    tn_arena *arena;
    tn_strs names; /* without a prefix, of variables that are set */
} twin_set;

static void find_twin(void *self, tn_str name, tn_str value)
{
    twin_set *s = self;
    const char *prefix = tn_str_starts(name, tn_str_of(engine_prefix)) ? engine_prefix : old_prefix;
    tn_str bare = tn_str_starts(name, tn_str_of(prefix))
                      ? tn_str_sub(name, tn_str_of(prefix).n, name.n)
                      : TN_STR_NONE;
    (void)value;
    if (bare.n > 0 && is_known(bare)) {
        tn_strs_add_new(&s->names, s->arena, tn_str_dup(s->arena, bare));
    }
}

tn_rc tn_engine_env_mirror(tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("variables", NULL);
    twin_set s = { .arena = a };
    tn_env_each(find_twin, &s);
    for (size_t i = 0; i < s.names.n; i++) {
        const char *now =
                       tn_arena_printf(a, "%s" TN_STR_FMT, engine_prefix, TN_STR_ARG(s.names.v[i])),
                   *old = tn_arena_printf(a, "%s" TN_STR_FMT, old_prefix, TN_STR_ARG(s.names.v[i]));
        tn_str value = tn_env_get(now);
        TN_TRY(value.p != NULL ? tn_env_set(old, tn_str_dup(a, value), err)
                               : tn_env_set(now, tn_str_dup(a, tn_env_get(old)), err));
    }
    return TN_OK;
}
