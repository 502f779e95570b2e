/* parse_template.c: what a node's template and its hooks call.
 *
 * A template is rendered once with execute=false, only to see which ref, source, config and macros it calls. Most models call nothing else
 * and only with literals: then a look at the parsed template is enough and nothing is rendered.
 */
#include "project/parse/parse_priv.h"

/* ---- recording ---- */

tn_rc tn_record_init(
    tn_project *p, tn_pctx *c, tn_node *n, struct tn_pctx_record *r, tn_arena *scratch, tn_err *err)
{
    *r = (struct tn_pctx_record){ .arena = p->arena, .config_call = tn_val_dict(p->arena).dict };
    TN_TRY(tn_pctx_init(c, p, n, false, NULL, NULL, scratch, err));
    c->record = r;
    return TN_OK;
}

void tn_take_record(tn_project *p, tn_node *n, struct tn_pctx_record *r)
{
    for (size_t i = 0; i < r->refs.n; i++) {
        tn_vec_push(&n->refs, p->arena, r->refs.v[i]);
    }
    for (size_t i = 0; i < r->sources.n; i++) {
        tn_vec_push(&n->sources, p->arena, r->sources.v[i]);
    }
    for (size_t i = 0; i < r->metrics.n; i++) {
        tn_vec_push(&n->metrics, p->arena, r->metrics.v[i]);
    }
    for (size_t i = 0; i < r->functions.n; i++) {
        tn_vec_push(&n->functions, p->arena, r->functions.v[i]);
    }
    for (size_t i = 0; i < r->macros.n; i++) {
        tn_strs_add_new(&n->macros, p->arena, r->macros.v[i]);
    }
}

/* ---- the static look ---- */

static bool overridden(const tn_project *p, tn_str package, const char *name)
{
    const tn_macro *m = tn_project_find_macro(p, package, tn_str_of(name));
    return m != NULL;
}

static bool static_names(const tn_strs *names)
{
    static const char *const known[] = { "ref", "source", "config", "this", "target" };
    for (size_t i = 0; i < names->n; i++) {
        bool good = false;
        for (size_t k = 0; k < TN_COUNTOF(known); k++) {
            good = good || tn_str_is(names->v[i], known[k]);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

bool tn_static_ref(tn_arena *a, const tn_jinja_static_call *c, tn_ref *ret)
{
    tn_ref ref = { .version = TN_VAL_UNDEF };
    size_t n = c->args.list->n;
    if (n < 1 || n > 2) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!tn_val_is_str(c->args.list->v[i])) {
            return false;
        }
    }
    ref.name = tn_str_dup(a, tn_val_as_str(c->args.list->v[n - 1]));
    ref.package = n == 2 ? tn_str_dup(a, tn_val_as_str(c->args.list->v[0])) : TN_STR_NONE;
    size_t at = 0;
    const tn_dict_item *it;
    while (c->kwargs.tag == TN_DICT && (it = tn_dict_next(c->kwargs.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (!tn_str_is(key, "v") && !tn_str_is(key, "version")) {
            return false;
        }
        ref.version = tn_val_dup(a, it->value);
    }
    *ret = ref;
    return true;
}

static bool take_static_ref(tn_project *p, const tn_jinja_static_call *c, struct tn_pctx_record *r)
{
    tn_ref ref;
    if (!tn_static_ref(p->arena, c, &ref)) {
        return false;
    }
    tn_vec_push(&r->refs, p->arena, ref);
    return true;
}

bool tn_static_source(tn_arena *a, const tn_jinja_static_call *c, tn_source_ref *ret)
{
    const tn_list *args = c->args.list;
    if (args->n != 2 || !tn_val_is_str(args->v[0]) || !tn_val_is_str(args->v[1])) {
        return false;
    }
    *ret = (tn_source_ref){ tn_str_dup(a, tn_val_as_str(args->v[0])),
        tn_str_dup(a, tn_val_as_str(args->v[1])) };
    return true;
}

static bool take_static_source(
    tn_project *p, const tn_jinja_static_call *c, struct tn_pctx_record *r)
{
    tn_source_ref s;
    if (!tn_static_source(p->arena, c, &s)) {
        return false;
    }
    tn_vec_push(&r->sources, p->arena, s);
    return true;
}

static bool take_static_config(
    tn_project *p, const tn_jinja_static_call *c, struct tn_pctx_record *r)
{
    tn_val opts = c->args.list->n == 1 ? c->args.list->v[0] : c->kwargs;
    if (c->args.list->n > 1 || opts.tag != TN_DICT ||
        (c->args.list->n == 1 && c->kwargs.tag == TN_DICT && c->kwargs.dict->live > 0) ||
        tn_config_call_check(opts.dict, NULL) != TN_OK) {
        return false;
    }
    tn_config_call_merge(p->arena, r->config_call, tn_val_dup(p->arena, opts).dict);
    return true;
}

/* True when everything that the template could tell is in *r already. */
static bool look_static(tn_project *p, const tn_node *n, const tn_jinja_tmpl *t,
    struct tn_pctx_record *r, tn_arena *scratch)
{
    tn_jinja_static_calls calls = { 0 };
    tn_strs names = { 0 };
    if (tn_jinja_scan(scratch, t, &calls, &names, NULL) != TN_OK || !static_names(&names) ||
        tn_str_find(n->raw_code, TN_STR("config."), 0) != SIZE_MAX) { /* config.set() sets, too */
        return false;
    }
    if (overridden(p, n->package_name, "ref") || overridden(p, n->package_name, "source") ||
        overridden(p, n->package_name, "config")) {
        return false;
    }
    struct tn_pctx_record got = { .arena = p->arena, .config_call = tn_val_dict(p->arena).dict };
    for (size_t i = 0; i < calls.n; i++) {
        const tn_jinja_static_call *c = &calls.v[i];
        if (!c->literal || c->args.tag != TN_LIST) {
            return false;
        }
        bool good = tn_str_is(c->name, "ref")      ? take_static_ref(p, c, &got)
                    : tn_str_is(c->name, "source") ? take_static_source(p, c, &got)
                    : tn_str_is(c->name, "config") ? take_static_config(p, c, &got)
                                                   : false;
        if (!good) {
            return false;
        }
    }
    *r = got;
    return true;
}

/* config.get and the like need the interpreter; so does anything that the look does not understand. */
tn_rc tn_parse_template(tn_project *p, tn_node *n, tn_err *err)
{
    if (!tn_text_has_jinja(n->raw_code)) {
        n->config_call = tn_val_dict(p->arena).dict;
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("parse node", NULL);
    tn_pctx c;
    struct tn_pctx_record r;
    tn_jinja_src src = { tn_str_z(p->arena, n->file), n->raw_line };
    TN_TRY(tn_record_init(p, &c, n, &r, scratch, err));
    tn_jinja_tmpl *t;
    TN_TRY(tn_jinja_parse(p->state->parse_env, scratch, n->raw_code, src, &t, err));
    if (!look_static(p, n, t, &r, scratch)) {
        tn_str unused;
        tn_rc rc = tn_jinja_render(t, &c.jinja, &unused, err);
        if (rc != TN_OK && err != NULL &&
            tn_str_starts(tn_str_of(err->msg), TN_STR("Parsing Error"))) {
            return rc;
        }
        if (rc != TN_OK) {
            return tn_while(err, rc, "Compilation Error in %s " TN_STR_FMT " (" TN_STR_FMT ")",
                tn_node_kind_name(n->kind), TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path));
        }
    }
    n->config_call = r.config_call;
    tn_config_note_written(p, n, t, scratch);
    tn_take_record(p, n, &r);
    return TN_OK;
}

/* Seeds are where the graph begins: what their hooks name would have to be there before. */
static tn_rc refuse_seed_hooks(tn_project *p, const tn_node *n, tn_err *err)
{
    static const char *const keys[][2] = { { "pre-hook", "pre_hook" },
        { "post-hook", "post_hook" } };
    tn_buf b = tn_buf_init(p->arena, TN_BUF_NO_LIMIT);
    for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
        tn_val hooks = tn_node_config(n, keys[k][0]);
        for (size_t i = 0; hooks.tag == TN_LIST && i < hooks.list->n; i++) {
            tn_buf_addf(&b, "\n- %s: \"" TN_STR_FMT "\"", keys[k][1],
                TN_STR_ARG(tn_val_str_at(hooks.list->v[i], "sql", TN_STR_NONE)));
        }
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Seeds cannot depend on other nodes. dbt detected a seed with a pre- or "
        "post-hook\n"
        "that calls 'ref', 'source', or 'metric', either directly or indirectly via other "
        "macros.\n\nError raised for '" TN_STR_FMT "', which has these hooks defined: " TN_STR_FMT,
        TN_STR_ARG(n->unique_id), TN_STR_ARG(tn_buf_str(&b)));
}

/* Hooks are rendered too, since they may ref. */
tn_rc tn_parse_hooks(tn_project *p, tn_node *n, tn_err *err)
{
    static const char *const keys[] = { "pre-hook", "post-hook" };
    for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
        tn_val hooks = tn_node_config(n, keys[k]);
        for (size_t i = 0; hooks.tag == TN_LIST && i < hooks.list->n; i++) {
            tn_str sql = tn_val_str_at(hooks.list->v[i], "sql", TN_STR_NONE), unused;
            if (!tn_text_has_jinja(sql)) {
                continue;
            }
            TN_AUTO_ARENA scratch = tn_arena_new("parse hook", NULL);
            tn_pctx c;
            struct tn_pctx_record r;
            TN_TRY(tn_record_init(p, &c, n, &r, scratch, err));
            tn_rc rc = tn_pctx_render(
                &c, sql, (tn_jinja_src){ tn_str_z(p->arena, n->file), 1 }, &unused, err);
            if (rc != TN_OK) {
                return tn_while(
                    err, rc, "%s of '" TN_STR_FMT "'", keys[k], TN_STR_ARG(n->unique_id));
            }
            if (n->kind == TN_NODE_SEED && (r.refs.n > 0 || r.sources.n > 0)) {
                return refuse_seed_hooks(p, n, err);
            }
            tn_take_record(p, n, &r);
        }
    }
    return TN_OK;
}
