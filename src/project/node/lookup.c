/* lookup.c: nodes, files and documentation of a project by their names, what is said of names that are not there, and notices. */
#include <stdio.h>

#include "project/node/project_priv.h"
#include "text/uri.h"

tn_notice *tn_project_note(
    tn_project *p, const char *event, tn_str file, int line, const char *fmt, ...)
{
    tn_buf b = tn_buf_init(p->arena, TN_BUF_NO_LIMIT);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    tn_notice n = {
        .event = event, .msg = tn_buf_str(&b), .file = file, .line = line, .data = TN_VAL_UNDEF
    };
    tn_vec_push(&p->notices, p->arena, n);
    return &p->notices.v[p->notices.n - 1];
}

tn_str tn_project_file(tn_arena *a, const tn_project *p, tn_str rel)
{
    return tn_uri_join(a, p->root, rel);
}

tn_jinja_env *tn_project_env(const tn_project *p)
{
    return p->state->env;
}

tn_jinja_env *tn_project_parse_env(const tn_project *p)
{
    return p->state->parse_env;
}

tn_node *tn_project_find(const tn_project *p, tn_str unique_id)
{
    return tn_map_find(&p->node_by_id, unique_id);
}

const tn_doc *tn_project_doc(const tn_project *p, tn_str from_package, tn_str package, tn_str name)
{
    TN_AUTO_ARENA scratch = tn_arena_new("doc", NULL);
    const tn_str tries[2] = { package.n > 0 ? package : from_package,
        package.n > 0 ? package : p->name };
    const tn_doc *d = NULL;
    for (int i = 0; i < 2 && d == NULL; i++) {
        d = tn_map_find(&p->docs, tn_str_printf(scratch, TN_STR_FMT "." TN_STR_FMT,
                                      TN_STR_ARG(tries[i]), TN_STR_ARG(name)));
    }
    for (size_t i = 0; i < p->docs.n && d == NULL && package.n == 0; i++) {
        const tn_doc *other = p->docs.items[i].value;
        d = other != NULL && tn_str_eq(other->name, name) ? other : NULL;
    }
    return d;
}

/* ---- what ref, source and function mean ---- */

static bool version_matches(const tn_node *n, tn_val version)
{
    if (tn_val_is_undef(version)) {
        /* Without a version: a plain model, or the latest version of a versioned one. */
        return tn_val_is_none(n->version) || tn_val_eq(n->version, n->latest_version);
    }
    if (tn_val_is_none(n->version)) {
        return false;
    }
    if (tn_val_eq(n->version, version)) {
        return true;
    }
    char a[64], b[64];
    TN_AUTO_ARENA scratch = tn_arena_new("version", NULL);
    int na = snprintf(a, sizeof a, TN_STR_FMT, TN_STR_ARG(tn_val_to_str(scratch, n->version)));
    int nb = snprintf(b, sizeof b, TN_STR_FMT, TN_STR_ARG(tn_val_to_str(scratch, version)));
    return na == nb && strcmp(a, b) == 0;
}

static tn_node *pick(
    const tn_project *p, const tn_nodes *list, tn_str from, tn_str package, tn_val version)
{
    bool own_first = tn_project_flag(p, "REQUIRE_REF_SEARCHES_NODE_PACKAGE_BEFORE_ROOT", false);
    tn_node *best = NULL;
    int best_rank = 3;
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        tn_node *n = list->v[i];
        if (!version_matches(n, version) ||
            (package.n > 0 && !tn_str_eq(n->package_name, package))) {
            continue;
        }
        int rank = tn_str_eq(n->package_name, from)      ? (own_first ? 0 : 1)
                   : tn_str_eq(n->package_name, p->name) ? (own_first ? 1 : 0)
                                                         : 2;
        rank = tn_str_eq(from, p->name) && rank == 1 ? 0 : rank;
        if (rank < best_rank) {
            best = n;
            best_rank = rank;
        }
    }
    return best;
}

tn_node *tn_project_find_ref(const tn_project *p, tn_str from_package, tn_str package, tn_str name,
    tn_val version, tn_node **ret_disabled)
{
    tn_node *n = pick(p, tn_map_find(&p->state->ref_index, name), from_package, package, version);
    if (n == NULL && ret_disabled != NULL) {
        *ret_disabled =
            pick(p, tn_map_find(&p->state->ref_disabled, name), from_package, package, version);
    }
    return n;
}

tn_node *tn_project_find_function(
    const tn_project *p, tn_str from_package, tn_str package, tn_str name, tn_node **ret_disabled)
{
    tn_node *n =
        pick(p, tn_map_find(&p->state->function_index, name), from_package, package, TN_VAL_UNDEF);
    if (n == NULL && ret_disabled != NULL) {
        *ret_disabled = pick(p, tn_map_find(&p->state->function_disabled, name), from_package,
            package, TN_VAL_UNDEF);
    }
    return n;
}

tn_node *tn_project_find_source(
    const tn_project *p, tn_str from_package, tn_str source, tn_str table, tn_node **ret_disabled)
{
    TN_AUTO_ARENA scratch = tn_arena_new("source", NULL);
    tn_str key =
        tn_str_printf(scratch, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(source), TN_STR_ARG(table));
    tn_node *n =
        pick(p, tn_map_find(&p->state->source_index, key), from_package, TN_STR_NONE, TN_VAL_UNDEF);
    if (n == NULL && ret_disabled != NULL) {
        *ret_disabled = pick(p, tn_map_find(&p->state->source_disabled, key), from_package,
            TN_STR_NONE, TN_VAL_UNDEF);
    }
    return n;
}

/* ---- edges ---- */

/* ---- names that are not there ---- */

tn_str tn_target_text(tn_arena *a, tn_str package, tn_str name, tn_val version)
{
    tn_buf b = tn_buf_init(a, 4096);
    tn_buf_addf(&b, "'" TN_STR_FMT "' ", TN_STR_ARG(name));
    if (!tn_val_is_undef(version)) {
        tn_buf_addf(&b, "with version '" TN_STR_FMT "' ", TN_STR_ARG(tn_val_to_str(a, version)));
    }
    if (package.n > 0) {
        tn_buf_addf(&b, "in package or project '" TN_STR_FMT "' ", TN_STR_ARG(package));
    }
    return tn_buf_str(&b);
}

tn_str tn_not_found_text(
    tn_arena *a, const tn_node *from, const char *kind, tn_str target, bool disabled)
{
    char type[32];
    (void)snprintf(type, sizeof type, "%s", tn_node_type_name(from));
    for (size_t i = 0; type[i] != '\0'; i++) { /* Python's title(): Sql_Operation */
        bool first = i == 0 || type[i - 1] == '_';
        type[i] = (char)(first && type[i] >= 'a' && type[i] <= 'z' ? type[i] - 32 : type[i]);
    }
    return tn_str_printf(a,
        "%s '" TN_STR_FMT "' (" TN_STR_FMT ") depends on a %s named " TN_STR_FMT "which %s", type,
        TN_STR_ARG(from->unique_id), TN_STR_ARG(from->original_file_path), kind, TN_STR_ARG(target),
        disabled ? "is disabled" : "was not found");
}

tn_rc tn_find_node_error(const tn_project *p, const tn_node *from, tn_str kind, tn_str target,
    bool disabled, tn_err *err)
{
    (void)p;
    TN_AUTO_ARENA scratch = tn_arena_new("not found", NULL);
    tn_str text = tn_target_text(scratch, TN_STR_NONE, target, TN_VAL_UNDEF);
    tn_rc rc = tn_fail(err, TN_E_COMPILE, TN_STR_FMT,
        TN_STR_ARG(tn_not_found_text(scratch, from, tn_str_z(scratch, kind), text, disabled)));
    tn_err_place(err, tn_str_z(scratch, from->file), 0, 0);
    return rc;
}
