/* parse_function.c: functions of the database (UDFs): files of the function folders with what the `functions:` entries say of them.
 *
 * A function is made of one file. An overload is another file with other arguments that its root's entry names by `defined_in`: it is no node of
 * its own, its body and what the body refers to become the root's, so that both are made together and order and lineage hold.
 */
#include "project/parse/parse_priv.h"

typedef struct function_file {
    tn_node *node;
    tn_patch *patch;
    const tn_node *root; /* of an overload; NULL: a function of its own */
} function_file;
typedef tn_vec(function_file) function_files;

/* ---- what an entry says ---- */

static tn_val copied(tn_arena *a, tn_val from, const char *const *keys)
{
    tn_val out = tn_val_dict(a);
    for (; *keys != NULL; keys++) {
        tn_val v = tn_val_at(from, *keys);
        tn_dict_putz(out.dict, *keys, tn_val_is_undef(v) ? TN_VAL_NONE : v);
    }
    return out;
}

static tn_val returns_of(tn_arena *a, tn_val entry)
{
    static const char *const keys[] = { "data_type", "description", NULL };
    tn_val returns = tn_val_at(entry, "returns");
    return returns.tag == TN_DICT ? copied(a, returns, keys) : TN_VAL_NONE;
}

static tn_val arguments_of(tn_arena *a, tn_val entry)
{
    static const char *const keys[] = { "name", "data_type", "description", "default_value", NULL };
    tn_val out = tn_val_list(a), list = tn_val_at(entry, "arguments");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_list_push(out.list, copied(a, list.list->v[i], keys));
    }
    return out;
}

/* ---- overloads ---- */

static function_file *file_named(function_files *all, tn_str package, tn_str name)
{
    for (size_t i = 0; i < all->n; i++) {
        const tn_node *n = all->v[i].node;
        if (tn_str_eq(n->name, name) && tn_str_eq(n->package_name, package)) {
            return &all->v[i];
        }
    }
    return NULL;
}

static bool has_ref(const tn_refs *list, const tn_ref *r)
{
    for (size_t i = 0; i < list->n; i++) {
        const tn_ref *o = &list->v[i];
        bool same_version = tn_val_is_undef(o->version) ? tn_val_is_undef(r->version)
                                                        : tn_val_eq(o->version, r->version);
        if (tn_str_eq(o->name, r->name) && tn_str_eq(o->package, r->package) && same_version) {
            return true;
        }
    }
    return false;
}

/* What the body of an overload refers to, for the order. */
static void merge_calls(tn_arena *a, tn_node *root, const tn_node *overload)
{
    for (size_t i = 0; i < overload->refs.n; i++) {
        if (!has_ref(&root->refs, &overload->refs.v[i])) {
            tn_vec_push(&root->refs, a, overload->refs.v[i]);
        }
    }
    for (size_t i = 0; i < overload->functions.n; i++) {
        if (!has_ref(&root->functions, &overload->functions.v[i])) {
            tn_vec_push(&root->functions, a, overload->functions.v[i]);
        }
    }
    for (size_t i = 0; i < overload->sources.n; i++) {
        const tn_source_ref *s = &overload->sources.v[i];
        bool known = false;
        for (size_t k = 0; k < root->sources.n; k++) {
            known = known || (tn_str_eq(root->sources.v[k].source, s->source) &&
                                 tn_str_eq(root->sources.v[k].table, s->table));
        }
        if (!known) {
            tn_vec_push(&root->sources, a, *s);
        }
    }
}

static tn_rc find_overload(
    function_files *all, const function_file *root, tn_str name, function_file **ret, tn_err *err)
{
    const tn_node *n = root->node;
    if (tn_str_eq(name, n->name)) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Function '" TN_STR_FMT
            "' cannot list itself in overloads (defined_in: '" TN_STR_FMT "').",
            TN_STR_ARG(n->name), TN_STR_ARG(name));
    }
    *ret = file_named(all, n->package_name, name);
    if (*ret == NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Function overload '" TN_STR_FMT
            "' (defined_in) not found. Expected a SQL file at functions/" TN_STR_FMT ".sql",
            TN_STR_ARG(name), TN_STR_ARG(name));
    }
    if ((*ret)->root != NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Function overload '" TN_STR_FMT
            "' (defined_in) is already used by '" TN_STR_FMT
            "'. Each overload file can only belong to one root function.",
            TN_STR_ARG(name), TN_STR_ARG((*ret)->root->unique_id));
    }
    return TN_OK;
}

static tn_rc absorb_overloads(tn_project *p, function_files *all, function_file *root, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val entry = { .tag = TN_DICT, .dict = root->patch->entry };
    tn_val list = tn_val_at(entry, "overloads"), out = tn_val_at(root->node->extra, "overloads");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        static const char *const keys[] = { "defined_in", "arguments", "returns", "description",
            NULL };
        function_file *found = NULL;
        TN_TRY(find_overload(
            all, root, tn_val_as_str(tn_val_at(list.list->v[i], "defined_in")), &found, err));
        tn_val o = copied(a, list.list->v[i], keys);
        tn_dict_putz(o.dict, "arguments", arguments_of(a, list.list->v[i]));
        tn_dict_putz(o.dict, "returns", returns_of(a, list.list->v[i]));
        tn_dict_putz(o.dict, "raw_body", tn_val_str(found->node->raw_code));
        tn_dict_putz(o.dict, "compiled_body", TN_VAL_NONE);
        tn_list_push(out.list, o);
        merge_calls(a, root->node, found->node);
        found->root = root->node;
    }
    return TN_OK;
}

/* ---- all ---- */

static tn_rc read_function(tn_project *p, const tn_source_file *f, function_files *all, tn_err *err)
{
    tn_node *n = tn_node_of_file(p, TN_NODE_FUNCTION, f);
    tn_patch *patch;
    TN_TRY(tn_patch_find(p, "functions", f->package, n->name, &patch, err));
    n->language = tn_str_ends(f->rel, TN_STR(".py"))   ? TN_STR("python")
                  : tn_str_ends(f->rel, TN_STR(".js")) ? TN_STR("javascript")
                                                       : TN_STR("sql");
    n->extra = tn_val_dict(p->arena);
    tn_val entry = TN_VAL_UNDEF, returns = tn_val_dict(p->arena);
    tn_dict_putz(returns.dict, "data_type", tn_val_z("INVALID_TYPE")); /* dbt's, without an entry */
    tn_dict_putz(returns.dict, "description", TN_VAL_NONE);
    if (patch != NULL) {
        entry = (tn_val){ .tag = TN_DICT, .dict = patch->entry };
        returns = returns_of(p->arena, entry);
    }
    tn_dict_putz(n->extra.dict, "returns", returns);
    tn_dict_putz(n->extra.dict, "arguments", arguments_of(p->arena, entry));
    tn_dict_putz(n->extra.dict, "overloads", tn_val_list(p->arena));
    TN_TRY(tn_parse_template(p, n, err));
    function_file file = { .node = n, .patch = patch };
    tn_vec_push(all, p->arena, file);
    return TN_OK;
}

tn_rc tn_parse_functions(tn_project *p, tn_err *err)
{
    const tn_source_files *files = &p->state->functions;
    function_files all = { 0 };
    for (size_t i = 0; i < files->n; i++) {
        TN_TRY(read_function(p, &files->v[i], &all, err));
    }
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].patch != NULL) {
            TN_TRY(absorb_overloads(p, &all, &all.v[i], err));
        }
    }
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].root == NULL) {
            TN_TRY(tn_node_finish(p, all.v[i].node, all.v[i].patch, err));
        }
    }
    return TN_OK;
}

/* ---- checks ---- */

static tn_rc check_function(const tn_project *p, const tn_node *n, tn_err *err)
{
    tn_val arguments = tn_val_at(n->extra, "arguments");
    bool defaulted = false;
    if (tn_str_is(n->language, "javascript")) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  [ERROR]: Function '" TN_STR_FMT
            "' uses JavaScript, which is not supported on '" TN_STR_FMT "'. ",
            TN_STR_ARG(n->name), TN_STR_ARG(p->profile.type));
    }
    for (size_t i = 0; i < arguments.list->n; i++) {
        tn_val a = arguments.list->v[i];
        bool none = tn_val_is_none(tn_val_at(a, "default_value"));
        if (none && defaulted) {
            return tn_fail(err, TN_E_COMPILE,
                "Parsing Error\n  Non-defaulted argument '" TN_STR_FMT "' of function '" TN_STR_FMT
                "' comes after a defaulted argument. Non-defaulted arguments cannot come after "
                "defaulted arguments. ",
                TN_STR_ARG(tn_val_str_at(a, "name", TN_STR_NONE)), TN_STR_ARG(n->name));
        }
        defaulted = !none;
    }
    return TN_OK;
}

tn_rc tn_check_functions(const tn_project *p, tn_err *err)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (p->nodes.v[i]->kind == TN_NODE_FUNCTION) {
            TN_TRY(check_function(p, p->nodes.v[i], err));
        }
    }
    return TN_OK;
}
