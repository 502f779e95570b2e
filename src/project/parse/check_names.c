/* check_names.c: names that are told or refused once the graph is known: two resources of one name, names with spaces, refs that leave a package
 * for the project, macros whose YAML says other arguments than their code. What flags of dbt_project.yml decide is looked up here. */
#include "project/deprecation.h"
#include "project/parse/parse_priv.h"

/* ---- one name, two resources ---- */

static tn_rc note_same_name(tn_project *p, const tn_node *a, const tn_node *b, tn_err *err)
{
    if (tn_project_flag(p, "REQUIRE_UNIQUE_PROJECT_RESOURCE_NAMES", false)) {
        return tn_double_node(a, b, err);
    }
    tn_val data = tn_val_dict(p->arena);
    tn_dict_putz(data.dict, "resource_name", tn_val_str(b->name));
    tn_dict_putz(data.dict, "unique_id1", tn_val_str(a->unique_id));
    tn_dict_putz(data.dict, "unique_id2", tn_val_str(b->unique_id));
    tn_dict_putz(data.dict, "package_name", tn_val_str(b->package_name));
    tn_deprecate_with(p, "DuplicateNameDistinctNodeTypesDeprecation", data,
        "Found resources with the same name '" TN_STR_FMT "' in package '" TN_STR_FMT
        "': '" TN_STR_FMT "' and '" TN_STR_FMT
        "'. Please update one of the resources to have a unique name.",
        TN_STR_ARG(b->name), TN_STR_ARG(b->package_name), TN_STR_ARG(a->unique_id),
        TN_STR_ARG(b->unique_id));
    return TN_OK;
}

static tn_rc check_unique(tn_project *p, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("unique names", NULL);
    tn_map seen = tn_map_init(scratch);
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_node *n = p->nodes.v[i];
        if (!tn_node_is_refable(n) || !tn_val_is_none(n->version)) {
            continue;
        }
        tn_str key = tn_str_printf(
            scratch, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(n->package_name), TN_STR_ARG(n->name));
        const tn_node *old = tn_map_find(&seen, key);
        if (old != NULL) {
            TN_TRY(note_same_name(p, old, n, err));
        }
        tn_map_put(&seen, key, n);
    }
    return TN_OK;
}

/* ---- spaces ---- */

static bool in_nodes(const tn_node *n)
{
    return tn_node_is_refable(n) || n->kind == TN_NODE_TEST || n->kind == TN_NODE_ANALYSIS;
}

/* Names with spaces that were found: an error that lists them, or a deprecation that names the first, and with --debug each. */
typedef struct spaced_names {
    tn_project *p;
    bool required; /* names without spaces */
    bool debug;
    tn_buf list;
    tn_str file; /* of the first */
    int64_t count;
} spaced_names;

static spaced_names spaced_names_of(tn_project *p, const char *flag, bool required)
{
    return (spaced_names){ .p = p,
        .required = tn_project_flag(p, flag, required),
        .debug = tn_project_flag(p, "DEBUG", false),
        .list = tn_buf_init(p->arena, TN_BUF_NO_LIMIT) };
}

static void add_spaced(spaced_names *s, tn_str unique_id, tn_str file)
{
    if (!s->required && (s->count == 0 || s->debug)) {
        tn_project_note(s->p, "SpacesInResourceNameDeprecation", file, 0,
            "Found spaces in the name of `" TN_STR_FMT "`", TN_STR_ARG(unique_id));
    }
    tn_buf_addf(&s->list, "  * '" TN_STR_FMT "' (" TN_STR_FMT ")\n", TN_STR_ARG(unique_id),
        TN_STR_ARG(file));
    s->file = s->count == 0 ? file : s->file;
    s->count++;
}

static tn_rc end_spaced(spaced_names *s, const char *what, tn_err *err)
{
    if (s->count > 0 && s->required) {
        return tn_fail(err, TN_E_COMPILE,
            "Resource names cannot contain spaces:\n" TN_STR_FMT
            "Please rename the invalid %s(s) so that their name(s) do not contain any spaces.",
            TN_STR_ARG(tn_buf_str(&s->list)), what);
    }
    if (s->count > 0) {
        tn_deprecate(s->p, "ResourceNamesWithSpacesDeprecation", s->file,
            "Spaces found in %lld resource name(s). This is deprecated, and may lead to errors "
            "when using dbt.%s",
            (long long)s->count, s->debug ? "" : " Run again with `--debug` to see them all.");
    }
    return TN_OK;
}

static bool has_space(tn_str name)
{
    return tn_str_find_char(name, ' ', 0) != SIZE_MAX;
}

static tn_rc check_spaces(tn_project *p, tn_err *err)
{
    spaced_names s = spaced_names_of(p, "REQUIRE_RESOURCE_NAMES_WITHOUT_SPACES", true);
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (in_nodes(n) && has_space(n->name)) {
            add_spaced(&s, n->unique_id, n->original_file_path);
        }
    }
    return end_spaced(&s, "model", err);
}

/* Sources are told once for all of their tables, and before semantic models. */
static tn_rc check_source_spaces(tn_project *p, tn_err *err)
{
    spaced_names s =
        spaced_names_of(p, "REQUIRE_SOURCE_AND_SEMANTIC_MODEL_NAMES_WITHOUT_SPACES", false);
    tn_map seen = tn_map_init(p->arena);
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->kind == TN_NODE_SOURCE && n->source != NULL && has_space(n->source->source_name) &&
            tn_map_find(&seen, n->source->source_name) == NULL) {
            tn_map_put(&seen, n->source->source_name, p);
            add_spaced(&s,
                tn_str_printf(p->arena, "source." TN_STR_FMT "." TN_STR_FMT,
                    TN_STR_ARG(n->package_name), TN_STR_ARG(n->source->source_name)),
                n->original_file_path);
        }
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->kind == TN_NODE_SEMANTIC_MODEL && has_space(n->name)) {
            add_spaced(&s, n->unique_id, n->original_file_path);
        }
    }
    return end_spaced(&s, "resource", err);
}

/* ---- refs out of a package ---- */

void tn_note_ref_of_root(tn_project *p, const tn_node *n, const tn_node *target, tn_str package)
{
    if (tn_project_flag(p, "REQUIRE_REF_SEARCHES_NODE_PACKAGE_BEFORE_ROOT", false) ||
        tn_str_eq(n->package_name, p->name) || !tn_str_eq(target->package_name, p->name) ||
        tn_str_eq(package, p->name)) {
        return;
    }
    tn_notice *notice =
        tn_project_note(p, "PackageNodeDependsOnRootProjectNode", n->original_file_path, 0,
            "The node '" TN_STR_FMT "'in package '" TN_STR_FMT
            "' depends on the root project node '" TN_STR_FMT
            "'.This may lead to unexpected cycles downstream. Please set the "
            "'require_ref_searches_node_package_before_root' behavior change flag to True to avoid "
            "this issue.For more information, see the documentation at "
            "https://docs.getdbt.com/reference/global-configs/"
            "behavior-changes#package-ref-search-order",
            TN_STR_ARG(n->name), TN_STR_ARG(n->package_name), TN_STR_ARG(target->unique_id));
    notice->code = "I077";
    notice->data = tn_val_dict(p->arena);
    tn_dict_putz(notice->data.dict, "node_name", tn_val_str(n->name));
    tn_dict_putz(notice->data.dict, "package_name", tn_val_str(n->package_name));
    tn_dict_putz(notice->data.dict, "root_project_unique_id", tn_val_str(target->unique_id));
}

/* ---- arguments of macros ---- */

/* type := name | list[type] | optional[type] | dict[type,type]. What is left of the text; p NULL: no type. */
static tn_str past_type(tn_str s)
{
    static const struct {
        const char *name;
        int parts;
    } types[] = { { "str", 0 }, { "string", 0 }, { "bool", 0 }, { "int", 0 }, { "integer", 0 },
        { "float", 0 }, { "any", 0 }, { "list", 1 }, { "dict", 2 }, { "optional", 1 },
        { "relation", 0 }, { "column", 0 } };
    size_t n = 0;
    int parts = -1;
    while (n < s.n && s.p[n] >= 'a' && s.p[n] <= 'z') {
        n++;
    }
    for (size_t i = 0; i < TN_COUNTOF(types); i++) {
        parts = tn_str_is(tn_str_sub(s, 0, n), types[i].name) ? types[i].parts : parts;
    }
    s = tn_str_sub(s, n, s.n);
    for (int i = 0; i < parts; i++) {
        if (s.n == 0 || s.p[0] != (i == 0 ? '[' : ',')) {
            return TN_STR_NONE;
        }
        s = past_type(tn_str_sub(s, 1, s.n));
        if (s.p == NULL) {
            return TN_STR_NONE;
        }
    }
    if (parts < 0 || (parts > 0 && (s.n == 0 || s.p[0] != ']'))) {
        return TN_STR_NONE;
    }
    return parts > 0 ? tn_str_sub(s, 1, s.n) : s;
}

static bool is_type(tn_arena *a, tn_str given)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < given.n; i++) {
        if (given.p[i] != ' ' && given.p[i] != '\t') {
            tn_buf_add(&b, tn_str_sub(given, i, i + 1));
        }
    }
    tn_str left = past_type(tn_buf_str(&b));
    return b.n == 0 || (left.p != NULL && left.n == 0);
}

static void note_macro(tn_project *p, const tn_macro *m, tn_str text)
{
    tn_val data = tn_val_dict(p->arena);
    tn_dict_putz(data.dict, "msg", tn_val_str(text));
    tn_dict_putz(data.dict, "macro_unique_id", tn_val_str(m->unique_id));
    tn_dict_putz(data.dict, "macro_file_path", tn_val_str(m->path));
    tn_notice *notice =
        tn_project_note(p, "InvalidMacroAnnotation", m->path, 0, TN_STR_FMT, TN_STR_ARG(text));
    notice->code = "I076";
    notice->data = data;
}

void tn_check_macro_arguments(tn_project *p, const tn_macro *m)
{
    tn_arena *a = p->arena;
    if (!tn_project_flag(p, "VALIDATE_MACRO_ARGS", true) || m->arguments.tag != TN_LIST ||
        m->arguments.list->n == 0) {
        return;
    }
    const tn_list *said = m->arguments.list;
    tn_strs names = tn_macro_args(p, m, a);
    for (size_t i = 0; i < said->n && i < names.n; i++) {
        tn_str name = tn_val_str_at(said->v[i], "name", TN_STR(""));
        if (!tn_str_eq(name, names.v[i])) {
            note_macro(p, m,
                tn_str_printf(a,
                    "Argument " TN_STR_FMT " in yaml for macro " TN_STR_FMT
                    " does not match the jinja definition.",
                    TN_STR_ARG(name), TN_STR_ARG(m->name)));
        }
    }
    if (said->n != names.n) {
        note_macro(p, m,
            tn_str_printf(a,
                "The number of arguments in the yaml for macro " TN_STR_FMT
                " does not match the jinja definition.",
                TN_STR_ARG(m->name)));
    }
    for (size_t i = 0; i < said->n; i++) {
        if (!is_type(a, tn_val_str_at(said->v[i], "type", TN_STR("")))) {
            note_macro(p, m,
                tn_str_printf(a,
                    "Argument " TN_STR_FMT " in the yaml for macro " TN_STR_FMT
                    " has an invalid type.",
                    TN_STR_ARG(tn_val_str_at(said->v[i], "name", TN_STR(""))),
                    TN_STR_ARG(m->name)));
        }
    }
}

tn_rc tn_check_names(tn_project *p, tn_err *err)
{
    TN_TRY(check_unique(p, err));
    TN_TRY(check_spaces(p, err));
    return check_source_spaces(p, err);
}
