/* version_pointer.c: the view over the latest version of a model, under the model's name without a version.
 *
 * A model asks for it with the config latest_version_pointer, a project with the flag latest_version_pointer_enabled_by_default. The view is
 * made by the materialization `view` for a node of its own that is in no manifest: the model's, with another alias and SQL, and without
 * hooks and comments. */
#include "run/report/runner.h"

static bool wanted(const tn_runner *run, const tn_node *n)
{
    if (n->kind != TN_NODE_MODEL || !tn_val_truthy(n->version) ||
        !tn_val_eq(n->version, n->latest_version)) {
        return false;
    }
    tn_val asked = tn_val_at(tn_node_config(n, "latest_version_pointer"), "enabled");
    return tn_val_is_given(asked)
               ? tn_val_truthy(asked)
               : tn_project_flag(run->project, "LATEST_VERSION_POINTER_ENABLED_BY_DEFAULT", false);
}

static tn_rc alias_of(tn_job *j, tn_str *ret, tn_err *err)
{
    tn_val custom = tn_val_at(tn_node_config(j->node, "latest_version_pointer"), "alias");
    custom = tn_val_is_undef(custom) ? TN_VAL_NONE : custom;
    tn_val args[2] = { custom, j->pctx.model }, alias;
    TN_TRY(tn_pctx_call(
        &j->pctx, TN_STR("generate_latest_version_pointer_alias"), args, 2, NULL, 0, &alias, err));
    *ret = tn_str_trim(tn_val_to_str(j->arena, alias));
    return TN_OK;
}

static tn_node *pointer_node(const tn_job *j, tn_str alias, tn_str sql)
{
    tn_node *n = tn_new(j->arena, tn_node);
    *n = *j->node;
    tn_val config = tn_val_dup(j->arena, (tn_val){ .tag = TN_DICT, .dict = j->node->config });
    tn_dict_putz(config.dict, "pre-hook", tn_val_list(j->arena));
    tn_dict_putz(config.dict, "post-hook", tn_val_list(j->arena));
    tn_dict_putz(config.dict, "persist_docs", tn_val_dict(j->arena));
    n->config = config.dict;
    n->alias = alias;
    n->raw_code = sql;
    n->unique_id = tn_str_printf(
        j->arena, TN_STR_FMT "__latest_version_pointer", TN_STR_ARG(j->node->unique_id));
    n->relation_name = tn_relation_render(
        j->arena, tn_relation_new(j->arena, n->database, n->schema, alias, "view"));
    return n;
}

tn_rc tn_runner_version_pointer(tn_runner *run, tn_job *j, tn_err *err)
{
    if (!wanted(run, j->node)) {
        return TN_OK;
    }
    if (j->session
            ->is_lake) { /* what a lake publishes are its nodes: it would be seen by this run only */
        tn_event(run->events, TN_EV_WARN, "Note", "Z050", TN_VAL_UNDEF,
            "[WARNING]: latest_version_pointer of '" TN_STR_FMT
            "': a lake publishes the versions only",
            TN_STR_ARG(j->node->name));
        return TN_OK;
    }
    tn_str alias;
    TN_TRY(alias_of(j, &alias, err));
    if (tn_str_eq_nocase(alias, j->node->alias)) {
        return tn_fail(err, TN_E_DATA,
            "Cannot create latest version pointer: the latest version of '" TN_STR_FMT
            "' is already aliased to '" TN_STR_FMT
            "'. Set `latest_version_pointer: enabled: false` or remove the conflicting alias.",
            TN_STR_ARG(j->node->name), TN_STR_ARG(alias));
    }
    tn_str sql =
        tn_str_printf(j->arena, "select * from " TN_STR_FMT, TN_STR_ARG(j->node->relation_name));
    tn_job pointer;
    TN_TRY(tn_job_init(&pointer, j->session, j->worker, pointer_node(j, alias, sql),
        j->pctx.selected_resources, j->arena, err));
    TN_TRY(tn_job_compile(&pointer, NULL, err));
    return tn_runner_materialize(run, &pointer, "view", err);
}
