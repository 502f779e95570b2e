/* load_priv.h: the configuration files, inside of src/project. */
#ifndef TN_PROJECT_LOAD_LOAD_PRIV_H
#define TN_PROJECT_LOAD_LOAD_PRIV_H

#include "project/graph/graph_priv.h"

tn_rc tn_load_profile(
    tn_project *p, const tn_project_opts *o, tn_str profile_name, tn_err *err) TN_MUSTUSE;
tn_rc tn_load_packages(tn_project *p, const tn_project_opts *o, tn_err *err) TN_MUSTUSE;
tn_rc tn_read_project_yaml(tn_project *p, tn_str root, tn_package *pkg, tn_err *err) TN_MUSTUSE;
tn_rc tn_render_package(tn_project *p, tn_package *pkg, tn_err *err) TN_MUSTUSE;
/* project_form.c: refuses keys of a rendered dbt_project.yml that have not their type. */
tn_rc tn_project_form_check(const tn_dict *config, const char *file, tn_err *err) TN_MUSTUSE;
tn_rc tn_load_selectors(tn_project *p, tn_err *err) TN_MUSTUSE;
/* Checks catalogs.yml, and refuses the catalogs in it: the adapter has none. */
tn_rc tn_load_catalogs(tn_project *p, tn_err *err) TN_MUSTUSE;
/* Completes p->invocation_args: every flag as it counts, and the folders. */
void tn_fill_invocation_args(tn_project *p, const tn_project_opts *o);

#endif
