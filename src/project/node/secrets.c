/* secrets.c: what no message may show: the values of variables whose name starts with DBT_ENV_SECRET. Those of the environment are hidden everywhere,
 * however short they are. Short ones of --vars ("1") are hidden where variables are shown; a whole log without the digit would be of no use. */
#include "base/log.h"
#include "os/proc.h"
#include "project/node/project_priv.h"

static bool is_secret(tn_str name)
{
    return tn_str_starts(name, TN_STR(TN_SECRET_PREFIX));
}

static void keep(void *self, tn_str name, tn_str value)
{
    (void)self;
    if (is_secret(name)) {
        tn_log_secret_named(value);
    }
}

/* The next secret among the variables. */
static bool next_secret(const tn_dict *vars, size_t *at, tn_str *ret)
{
    const tn_dict_item *it;
    while (vars != NULL && (it = tn_dict_next(vars, at)) != NULL) {
        if (tn_val_is_str(it->key) && tn_val_is_str(it->value) &&
            is_secret(tn_val_as_str(it->key)) && tn_str_trim(tn_val_as_str(it->value)).n > 0) {
            *ret = tn_val_as_str(it->value);
            return true;
        }
    }
    return false;
}

void tn_keep_secrets(const tn_project *p)
{
    size_t at = 0;
    tn_str secret;
    tn_env_each(keep, NULL);
    while (next_secret(p->cli_vars, &at, &secret)) {
        tn_log_secret(secret);
    }
}

tn_str tn_vars_hide(tn_arena *a, const tn_dict *vars, tn_str text)
{
    size_t at = 0;
    tn_str secret;
    while (next_secret(vars, &at, &secret)) {
        text = tn_str_replace(a, text, secret, TN_STR("*****"));
    }
    return text;
}
