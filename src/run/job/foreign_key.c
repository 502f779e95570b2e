/* foreign_key.c: `to` of a model's foreign keys, ref('x') or source('a', 'b'), becomes the relation when the model is compiled: what macros see as
 * model.constraints and model.columns, and what the manifest of a run shows. A target that this run does not build is where --defer finds it.
 */
#include "run/job/job.h"

static bool needs_target(tn_val c)
{
    tn_str to = tn_str_trim(tn_val_str_at(c, "to", TN_STR_NONE));
    return tn_str_is(tn_val_str_at(c, "type", TN_STR_NONE), "foreign_key") && to.n > 0 &&
           to.p[to.n - 1] == ')';
}

static bool any_needs(tn_val list)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        if (needs_target(list.list->v[i])) {
            return true;
        }
    }
    return false;
}

static bool column_needs(tn_val columns)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (columns.tag == TN_DICT && (it = tn_dict_next(columns.dict, &at)) != NULL) {
        if (any_needs(tn_val_at(it->value, "constraints"))) {
            return true;
        }
    }
    return false;
}

static tn_rc resolve_one(tn_job *j, tn_val c, tn_err *err)
{
    tn_node *target = NULL;
    tn_str to = tn_str_trim(tn_val_str_at(c, "to", TN_STR_NONE)), unused;
    j->capture = &target;
    tn_rc rc =
        tn_pctx_render(&j->pctx, tn_str_printf(j->arena, "{{ " TN_STR_FMT " }}", TN_STR_ARG(to)),
            (tn_jinja_src){ "<constraint>", 0 }, &unused, err);
    j->capture = NULL;
    TN_TRY(rc);
    if (target != NULL) {
        tn_relation *r = tn_job_built_relation(j, target);
        tn_dict_putz(c.dict, "to", tn_val_str(tn_relation_render(j->arena, r)));
    }
    return TN_OK;
}

static tn_rc resolve_all(tn_job *j, tn_val list, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        if (needs_target(list.list->v[i])) {
            TN_TRY(resolve_one(j, list.list->v[i], err));
        }
    }
    return TN_OK;
}

tn_rc tn_job_foreign_keys(tn_job *j, tn_val model, tn_err *err)
{
    const tn_node *n = j->node;
    if (n->kind != TN_NODE_MODEL || (!any_needs(n->constraints) && !column_needs(n->columns))) {
        return TN_OK;
    }
    tn_val constraints = tn_val_dup(j->arena, tn_val_at(model, "constraints")),
           columns = tn_val_dup(j->arena, tn_val_at(model, "columns"));
    TN_TRY(resolve_all(j, constraints, err));
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(columns.dict, &at)) != NULL) {
        TN_TRY(resolve_all(j, tn_val_at(it->value, "constraints"), err));
    }
    tn_dict_putz(model.dict, "constraints", constraints);
    tn_dict_putz(model.dict, "columns", columns);
    j->keyed = tn_val_dict(j->arena);
    tn_dict_putz(j->keyed.dict, "constraints", constraints);
    tn_dict_putz(j->keyed.dict, "columns", columns);
    return TN_OK;
}
