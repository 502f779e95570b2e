/* parse_priv.h: from files to nodes, inside of src/project. */
#ifndef TN_PROJECT_PARSE_PARSE_PRIV_H
#define TN_PROJECT_PARSE_PARSE_PRIV_H

#include "project/context/context_priv.h"

tn_rc tn_discover(tn_project *p, tn_err *err) TN_MUSTUSE;
/* list: the ids of the doc blocks that a description as written consists of */
tn_val tn_doc_blocks_of(tn_project *p, tn_str package, tn_str text);
tn_str tn_source_stem(const tn_project *p, tn_str path); /* the name of the node in this file */
tn_rc tn_load_properties(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_nodes(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_functions(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_sources(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_others(tn_project *p, tn_err *err) TN_MUSTUSE;
/* osi_read.c: the root project's documents of the Open Semantic Interchange format; after models have their places. */
tn_rc tn_parse_osi(tn_project *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_parse_generic_tests(tn_project *p, tn_err *err) TN_MUSTUSE;
/* check_names.c: names, by the rules that flags choose; before there is a graph. */
tn_rc tn_check_names(tn_project *p, tn_err *err) TN_MUSTUSE;
/* The arguments that properties say of a macro, beside those of its code. */
void tn_check_macro_arguments(tn_project *p, const tn_macro *m);
/* No JavaScript, and arguments with a default are the last ones. */
tn_rc tn_check_functions(const tn_project *p, tn_err *err) TN_MUSTUSE;
tn_node *tn_node_new(tn_project *p, tn_node_kind kind, tn_package *pkg);
/* Into nodes (or disabled ones), the indexes; fails for a double unique_id. */
tn_rc tn_node_add(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* "dbt found two ... with the name ...". */
tn_rc tn_double_node(const tn_node *a, const tn_node *b, tn_err *err) TN_MUSTUSE;
/* A node of a file with its text, checksum and names, and not yet added. */
tn_node *tn_node_of_file(tn_project *p, tn_node_kind kind, const tn_source_file *f);
/* Notes what its template calls: refs, sources, functions, macros, config(). */
tn_rc tn_parse_template(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Config, what the entry of a properties file (may be NULL) says, place and hooks; then it is added. */
tn_rc tn_node_finish(tn_project *p, tn_node *n, tn_patch *patch, tn_err *err) TN_MUSTUSE;
void tn_fqn_of(tn_project *p, tn_package *pkg, tn_str rel, tn_str name, tn_strs *ret);
/* Literal arguments of ref() and source(); false: they need the interpreter. */
bool tn_static_ref(tn_arena *a, const tn_jinja_static_call *c, tn_ref *ret);
bool tn_static_source(tn_arena *a, const tn_jinja_static_call *c, tn_source_ref *ret);
/* parse_unit_test.c: checks a unit test and adds it, once for each version of its model. */
tn_rc tn_unit_test_add(tn_project *p, tn_node *n, const tn_patch *patch, tn_err *err) TN_MUSTUSE;
void tn_parse_python(tn_project *p, tn_node *n); /* refs and sources of a Python model */
tn_rc tn_parse_hooks(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Constraints of a column or a model as dbt spells them out. */
tn_val tn_constraints_of(tn_arena *a, tn_val list, bool of_model);
/* Checks a model's constraints; the targets of foreign keys become its parents. */
tn_rc tn_parse_constraints(tn_project *p, tn_node *n, tn_err *err) TN_MUSTUSE;
/* Columns of a properties entry as the manifest has them. */
tn_val tn_columns_of(tn_arena *a, tn_val list);
/* The description of an entry, rendered; what its text is, where it has none, and in *ret_blocks (or NULL) the unique ids of the doc blocks that it is made of. */
tn_rc tn_render_desc(tn_project *p, const tn_patch *patch, tn_val entry, tn_str *ret,
    tn_val *ret_blocks, tn_err *err) TN_MUSTUSE;
/* The descriptions of columns (a dict) or arguments (a list), in place. */
tn_rc tn_render_descs(tn_project *p, const tn_patch *patch, tn_val entries, tn_err *err) TN_MUSTUSE;
void tn_take_record(tn_project *p, tn_node *n, struct tn_pctx_record *r);
tn_rc tn_patch_apply(tn_project *p, tn_node *n, const tn_patch *patch, tn_err *err) TN_MUSTUSE;
tn_val tn_version_columns(tn_arena *a, tn_val model, tn_val version);
tn_dict *tn_patch_config(tn_project *p, const tn_patch *patch);
/* The same before its templates are rendered: what unrendered_config is made of. */
tn_dict *tn_patch_config_written(tn_project *p, const tn_patch *patch);
/* The entry of `key` that describes a resource of that name in that package; NULL when there is none. */
tn_rc tn_patch_find(tn_project *p, const char *key, const tn_package *pkg, tn_str name,
    tn_patch **ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_record_init(tn_project *p, tn_pctx *c, tn_node *n, struct tn_pctx_record *r,
    tn_arena *scratch, tn_err *err) TN_MUSTUSE;
/* n's ref without the project's name (package: the one that it names) reaches target. */
void tn_note_ref_of_root(tn_project *p, const tn_node *n, const tn_node *target, tn_str package);
/* materialization.c: deprecates those of packages that stand for built-in ones. */
void tn_note_replaced_materializations(tn_project *p);
/* parse_node.c: told to who asked whether the query of the command line is what failed. */
void tn_project_inline_failed(tn_project *p, bool failed);

#endif
