/* config_written.c: config() as written, which is what state:modified compares: an env_var() or var() in it is no change when only its value is another.
 *
 * dbt has three sources, and which one it takes shows in unrendered_config (spelling of hooks, 'True' or true), so it is followed here:
 * what its static parser read of a model (values), else the text of the arguments of the first config() of the file, else, when there is no such
 * text (a dict as argument, config() in a macro, config.set), the values.
 */
#include "project/context/context_priv.h"

bool tn_config_compares_written(const tn_project *p)
{
    return tn_project_flag(p, "STATE_MODIFIED_COMPARE_MORE_UNRENDERED_VALUES", true);
}

static bool read_statically(const tn_project *p, const tn_node *n, const tn_jinja_tmpl *t)
{
    static const char *const names[] = { "ref", "source", "config" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_project_find_macro(p, n->package_name, tn_str_of(names[i])) != NULL) {
            return false;
        }
    }
    return n->kind == TN_NODE_MODEL && tn_project_flag(p, "STATIC_PARSER", true) &&
           tn_jinja_is_plain(t);
}

void tn_config_note_written(tn_project *p, tn_node *n, const tn_jinja_tmpl *t, tn_arena *scratch)
{
    tn_jinja_static_calls calls = { 0 };
    tn_strs names = { 0 };
    if (n->config_call == NULL || n->config_call->live == 0 || !tn_config_compares_written(p) ||
        tn_jinja_scan(scratch, t, &calls, &names, NULL) != TN_OK) {
        return;
    }
    n->config_plain = read_statically(p, n, t);
    for (size_t i = 0; i < calls.n; i++) {
        if (!tn_str_is(calls.v[i].name, "config")) {
            continue;
        }
        tn_val written =
            n->config_plain ? calls.v[i].kwargs : tn_jinja_call_written(p->arena, &calls.v[i]);
        if (n->config_written == NULL && written.dict->live > 0) {
            n->config_written = tn_val_dict(p->arena).dict;
        }
        tn_value_put_all(n->config_written, tn_val_dup(p->arena, written));
        if (!n->config_plain) {
            break;
        }
    }
}

/* dbt reads a model statically key by key, and lists what adds up from the second key on; without an entry in a properties file the values go over that. */
static const tn_dict *as_merged(const tn_project *p, const tn_dict *values)
{
    static const char *const lists[] = { "tags", "packages" };
    tn_dict *out = tn_val_dict(p->arena).dict;
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(values, &at)) != NULL) {
        bool adds = false;
        for (size_t i = 0; i < TN_COUNTOF(lists) && out->live > 0; i++) {
            adds = adds || tn_str_is(tn_val_as_str(it->key), lists[i]);
        }
        tn_dict_put(out, it->key, adds ? tn_value_listify(p->arena, it->value) : it->value);
    }
    return out;
}

const tn_dict *tn_config_written(const tn_project *p, const tn_node *n, const tn_dict *patch)
{
    if (n->config_written == NULL) {
        return n->config_call;
    }
    bool patched = n->config_plain && patch != NULL && patch->live > 0;
    return patched ? as_merged(p, n->config_written) : n->config_written;
}
