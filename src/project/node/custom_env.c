/* custom_env.c: the variables of the environment that artifacts repeat: DBT_ENV_CUSTOM_ENV_*. */
#include "os/proc.h"
#include "project/manifest.h"
#include "project/node/project_priv.h"

typedef struct env_collect {
    tn_arena *arena;
    tn_dict *env;
} env_collect;

static void take_custom_env(void *self, tn_str name, tn_str value)
{
    env_collect *e = self;
    tn_str prefix = TN_STR("DBT_ENV_CUSTOM_ENV_");
    if (tn_str_starts(name, prefix)) {
        tn_dict_puts(e->env, tn_str_dup(e->arena, tn_str_sub(name, prefix.n, name.n)),
            tn_val_str_dup(e->arena, value));
    }
}

tn_val tn_custom_env(tn_arena *a)
{
    tn_val env = tn_val_dict(a);
    env_collect e = { a, env.dict };
    tn_env_each(take_custom_env, &e);
    return env;
}
