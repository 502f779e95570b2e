/* project_form.c: the types of dbt_project.yml's keys, checked after rendering as dbt checks them against its class of projects. Keys that are null are
 * as if they were not there. */
#include "project/load/load_priv.h"

/* Its entries name a namespace and where macros of it are looked for. */
static tn_rc check_dispatch(tn_arena *a, tn_val list, tn_err *err)
{
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val e = list.list->v[i];
        if (tn_val_is_undef(tn_val_at(e, "macro_namespace")) ||
            tn_val_at(e, "search_order").tag != TN_LIST) {
            return tn_fail(err, TN_E_VALUE,
                "at path []: Invalid project dispatch config: " TN_STR_FMT,
                TN_STR_ARG(tn_val_to_repr(a, e)));
        }
    }
    return TN_OK;
}

tn_rc tn_project_form_check(const tn_dict *config, const char *file, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("project form", NULL);
    tn_val given = tn_val_dict(scratch);
    tn_str at_path, why;
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(config, &at)) != NULL) {
        if (tn_val_is_given(it->value)) {
            tn_dict_put(given.dict, it->key, it->value);
        }
    }
    tn_rc rc = TN_OK;
    if (!tn_form_fits(scratch, "Project", given.dict, &at_path, &why)) {
        rc = tn_fail(err, TN_E_VALUE, "at path [" TN_STR_FMT "]: " TN_STR_FMT, TN_STR_ARG(at_path),
            TN_STR_ARG(why));
    }
    rc = rc == TN_OK ? check_dispatch(scratch, tn_val_at(given, "dispatch"), err) : rc;
    tn_val version = tn_val_at(given, "config-version");
    if (rc == TN_OK && version.tag == TN_INT && version.i != 2) {
        rc = tn_fail(err, TN_E_COMPILE,
            "Internal Error\n  Got an unexpected project version=%lld, expected 2",
            (long long)version.i);
    }
    if (rc != TN_OK) {
        tn_err_place(err, file, 1, 1);
    }
    return rc;
}
