/* jinja_env.c: environments, and templates as their users see them. */
#include "jinja/lib/jinja_builtin.h"
#include "jinja/parse/jinja_tmpl.h"

enum { DEPTH_MAX = 400 };
#define OUTPUT_BYTES_MAX ((size_t)64 << 20)
#define STEPS_MAX ((int64_t)200000000)

/* ---- environment ---- */

void tn_jinja_native_filters(tn_jinja_env *e); /* jinja_native.c */

tn_jinja_env *tn_jinja_env_new(tn_arena *a, const tn_jinja_env_opts *opts)
{
    tn_jinja_env *e = tn_new(a, tn_jinja_env);
    e->arena = a;
    if (opts != NULL) {
        e->opts = *opts;
    }
    tn_jinja_limits *l = &e->opts.limits;
    l->output_bytes_max = l->output_bytes_max > 0 ? l->output_bytes_max : OUTPUT_BYTES_MAX;
    l->depth_max = l->depth_max > 0 ? l->depth_max : DEPTH_MAX;
    l->steps_max = l->steps_max > 0 ? l->steps_max : STEPS_MAX;
    e->filters = tn_map_init(a);
    e->tests = tn_map_init(a);
    e->globals = tn_val_dict(a).dict;
    tn_jinja_builtin_filters(e);
    tn_jinja_builtin_tests(e);
    tn_jinja_builtin_globals(e);
    if (e->opts.dbt_tags) {
        tn_jinja_native_filters(e);
    }
    return e;
}

tn_jinja_ctx tn_jinja_ctx_init(tn_jinja_env *e, tn_arena *a, tn_jinja_lookup lookup, void *self)
{
    return (tn_jinja_ctx){ .env = e, .arena = a, .lookup = lookup, .self = self };
}

/* ---- parsing ---- */

/* A copy whose line ends are \n; one line end at the very end is dropped, as Jinja2 does by default. */
static tn_str own_text(tn_arena *a, tn_str s, bool keep_newline)
{
    char *p = tn_arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\r') {
            p[n++] = '\n';
            i += i + 1 < s.n && s.p[i + 1] == '\n';
        } else {
            p[n++] = s.p[i];
        }
    }
    n -= !keep_newline && n > 0 && p[n - 1] == '\n';
    p[n] = '\0';
    return tn_str_n(p, n);
}

static tn_rc parse(tn_jinja_env *e, tn_arena *a, tn_str text, tn_jinja_src src, bool expr,
    tn_jinja_tmpl **ret, tn_err *err)
{
    if (text.n > TN_JINJA_TEXT_MAX) {
        return tn_fail(err, TN_E_LIMIT, "the template is larger than %d bytes", TN_JINJA_TEXT_MAX);
    }
    tn_jinja_tmpl *t = tn_new(a, tn_jinja_tmpl);
    t->env = e;
    t->text = own_text(a, text, e->opts.keep_trailing_newline);
    t->file = src.file != NULL ? src.file : "<template>";
    t->line = src.line > 0 ? src.line : 1;
    t->is_expr = expr;
    tn_rc rc = tn_jinja_parse_tree(a, t, err);
    rc = rc == TN_OK ? tn_jinja_resolve_tree(a, t, err) : rc;
    if (rc != TN_OK) {
        tn_jinja_err_at(t, 0, err);
        return rc;
    }
    *ret = t;
    return TN_OK;
}

tn_rc tn_jinja_parse(
    tn_jinja_env *e, tn_arena *a, tn_str text, tn_jinja_src src, tn_jinja_tmpl **ret, tn_err *err)
{
    return parse(e, a, text, src, false, ret, err);
}

tn_rc tn_jinja_parse_expr(
    tn_jinja_env *e, tn_arena *a, tn_str text, tn_jinja_src src, tn_jinja_tmpl **ret, tn_err *err)
{
    return parse(e, a, text, src, true, ret, err);
}

/* ---- macros of a template ---- */

size_t tn_jinja_macro_count(const tn_jinja_tmpl *t)
{
    return t->macros.n;
}

const tn_jinja_macro_def *tn_jinja_macro_at(const tn_jinja_tmpl *t, size_t i)
{
    return t->macros.v[i];
}

tn_val tn_jinja_macro_list(const tn_jinja_macro_def *m, tn_arena *a, tn_str param)
{
    tn_val out = tn_val_list(a);
    for (size_t i = 0; i < m->n; i++) {
        const tn_jx *x = tn_str_eq(m->params[i].name, param) ? m->params[i].dflt : NULL;
        for (size_t k = 0; x != NULL && x->kind == TN_JX_LIST && k < x->items.n; k++) {
            const tn_jx *one = x->items.v[k];
            if (one->kind == TN_JX_CONST && tn_val_is_str(one->value)) {
                tn_list_push(out.list, one->value);
            }
        }
    }
    return out;
}

tn_str tn_jinja_macro_name(const tn_jinja_macro_def *m)
{
    return m->name;
}

size_t tn_jinja_macro_argc(const tn_jinja_macro_def *m)
{
    return m->n;
}

tn_str tn_jinja_macro_arg(const tn_jinja_macro_def *m, size_t i, bool *ret_has_default)
{
    if (ret_has_default != NULL) {
        *ret_has_default = m->params[i].dflt != NULL;
    }
    return m->params[i].name;
}
