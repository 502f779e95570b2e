/* macro.c: finding macros by name, package and adapter, and parsing them when they are first needed.
 *
 * Discovery only cuts files into blocks; nearly all of the built-in macros are never parsed in a run. Parsing happens under the
 * project's lock, into its own arena; the definition is immutable from then on.
 */
#include "base/log.h"
#include "base/nearest.h"
#include "project/node/project_priv.h"

tn_package *tn_project_package(const tn_project *p, tn_str name)
{
    return tn_map_find(&p->package_by_name, name);
}

static tn_macro *find_builtin(const tn_project *p, tn_str name)
{
    for (size_t i = 0; i < p->packages.n; i++) {
        tn_macro *m =
            p->packages.v[i]->builtin ? tn_map_find(&p->packages.v[i]->macros, name) : NULL;
        if (m != NULL) {
            return m;
        }
    }
    return NULL;
}

tn_macro *tn_project_find_macro_in(const tn_project *p, tn_str in_package, tn_str name)
{
    if (tn_str_is(in_package, "dbt")) {
        return find_builtin(p, name);
    }
    const tn_package *pkg = tn_project_package(p, in_package);
    return pkg != NULL ? tn_map_find(&pkg->macros, name) : NULL;
}

tn_macro *tn_project_find_macro(const tn_project *p, tn_str package, tn_str name)
{
    const tn_package *own = tn_project_package(p, package);
    tn_macro *m = own != NULL ? tn_map_find(&own->macros, name) : NULL;
    if (m == NULL) {
        m = tn_map_find(&p->package->macros, name);
    }
    return m != NULL ? m : find_builtin(p, name);
}

const char *const *tn_project_adapter_chain(const tn_project *p, size_t *ret_n)
{
    *ret_n = p->state->chain_n;
    return p->state->chain;
}

/* ---- dispatch ---- */

/* Packages to search for a namespace: what `dispatch:` says, else the root project and then the namespace itself. */
static tn_strs search_packages(const tn_project *p, tn_str namespace, tn_arena *a)
{
    tn_strs out = { 0 };
    for (size_t i = 0; p->dispatch.tag == TN_LIST && i < p->dispatch.list->n; i++) {
        tn_val d = p->dispatch.list->v[i];
        if (tn_str_eq(tn_val_str_at(d, "macro_namespace", TN_STR_NONE), namespace)) {
            return tn_value_strs(a, tn_val_at(d, "search_order"));
        }
    }
    tn_vec_push(&out, a, p->name);
    if (!tn_str_eq(namespace, p->name)) {
        tn_vec_push(&out, a, namespace);
    }
    return out;
}

static tn_rc dispatch_fail(const tn_project *p, tn_str name, const tn_strs *packages, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("dispatch", NULL);
    tn_buf tried = tn_buf_init(scratch, 4096);
    for (size_t i = 0; i < (packages->n > 0 ? packages->n : 1); i++) {
        for (size_t k = 0; k < p->state->chain_n; k++) {
            tn_buf_addf(&tried, "%s'", tried.n > 0 ? ", " : "");
            if (packages->n > 0) {
                tn_buf_addf(&tried, TN_STR_FMT ".", TN_STR_ARG(packages->v[i]));
            }
            tn_buf_addf(&tried, "%s__" TN_STR_FMT "'", p->state->chain[k], TN_STR_ARG(name));
        }
    }
    return tn_fail(err, TN_E_COMPILE,
        "In dispatch: No macro named '" TN_STR_FMT "' found within namespace: '" TN_STR_FMT
        "'\n    Searched for: " TN_STR_FMT,
        TN_STR_ARG(name),
        TN_STR_ARG(packages->n > 1   ? packages->v[1]
                   : packages->n > 0 ? packages->v[0]
                                     : TN_STR("None")),
        TN_STR_ARG(tn_buf_str(&tried)));
}

/* By its name alone: the root's, else an installed package's, else a built-in one. */
static tn_macro *macro_anywhere(const tn_project *p, tn_str name)
{
    tn_macro *m = tn_project_find_macro(p, p->name, name);
    bool builtin = m != NULL && tn_project_package(p, m->package_name)->builtin;
    for (size_t i = 0; (m == NULL || builtin) && i < p->packages.n; i++) {
        const tn_package *pkg = p->packages.v[i];
        tn_macro *own = pkg->builtin ? NULL : tn_map_find(&pkg->macros, name);
        m = own != NULL ? own : m;
        builtin = builtin && own == NULL;
    }
    return m;
}

tn_rc tn_project_dispatch(
    tn_project *p, tn_str package, tn_str name, tn_str namespace, tn_macro **ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("dispatch", NULL);
    if (tn_str_find_char(name, '.', 0) != SIZE_MAX) {
        tn_str ns, bare;
        tn_str_cut(name, '.', &ns, &bare);
        return tn_fail(err, TN_E_COMPILE,
            "In adapter.dispatch, got a macro name of \"" TN_STR_FMT
            "\", but \".\" is not a valid macro name component. Did you mean "
            "`adapter.dispatch(\"" TN_STR_FMT "\", macro_namespace=\"" TN_STR_FMT "\")`?",
            TN_STR_ARG(name), TN_STR_ARG(bare), TN_STR_ARG(ns));
    }
    tn_strs packages = { 0 };
    if (namespace.n > 0) {
        packages = search_packages(p, namespace, scratch);
    }
    for (size_t i = 0; i < (packages.n > 0 ? packages.n : 1); i++) {
        for (size_t k = 0; k < p->state->chain_n; k++) {
            tn_str full =
                tn_str_printf(scratch, "%s__" TN_STR_FMT, p->state->chain[k], TN_STR_ARG(name));
            tn_macro *m = packages.n > 0  ? tn_project_find_macro_in(p, packages.v[i], full)
                          : package.n > 0 ? tn_project_find_macro(p, package, full)
                                          : macro_anywhere(p, full);
            if (m != NULL) {
                *ret = m;
                return TN_OK;
            }
        }
    }
    return dispatch_fail(p, name, &packages, err);
}

/* ---- code ---- */

static tn_rc parse_macro(tn_project *p, tn_macro *m, tn_err *err)
{
    tn_jinja_tmpl *t;
    tn_jinja_src src = { tn_str_z(p->state->late, m->file), m->line };
    TN_TRY(tn_jinja_parse(p->state->env, p->state->late, m->text, src, &t, err));
    if (tn_jinja_macro_count(t) == 0) {
        tn_err_place(err, src.file, m->line, 1);
        return tn_fail(
            err, TN_E_SYNTAX, "no macro in the block of '" TN_STR_FMT "'", TN_STR_ARG(m->name));
    }
    m->code->def = tn_jinja_macro_at(t, 0);
    return TN_OK;
}

tn_rc tn_macro_def(tn_project *p, tn_macro *m, const tn_jinja_macro_def **ret, tn_err *err)
{
    TN_LOCKED(&p->state->lock);
    if (!m->code->tried) {
        tn_err first = TN_ERR_INIT;
        m->code->rc = parse_macro(p, m, &first);
        m->code->tried = true;
        if (m->code->rc != TN_OK) {
            m->code->err = tn_new(p->state->late, tn_err);
            *m->code->err = first;
        }
    }
    if (m->code->rc != TN_OK) {
        if (err != NULL) {
            *err = *m->code->err;
        }
        return m->code->rc;
    }
    *ret = m->code->def;
    return TN_OK;
}

/* Without the body: a manifest names the arguments of every macro there is, and a run calls few of them. */
tn_strs tn_macro_args(const tn_project *p, const tn_macro *m, tn_arena *a)
{
    tn_strs names = { 0 };
    tn_jinja_tmpl *t;
    tn_str alone = tn_str_printf(
        a, "{%% macro m" TN_STR_FMT " %%}{%% endmacro %%}", TN_STR_ARG(m->code->args));
    tn_jinja_src src = { tn_str_z(a, m->file), m->line };
    if (tn_jinja_parse(p->state->env, a, alone, src, &t, NULL) != TN_OK) {
        return names;
    }
    const tn_jinja_macro_def *def = tn_jinja_macro_at(t, 0);
    for (size_t i = 0; i < tn_jinja_macro_argc(def); i++) {
        bool has_default;
        tn_vec_push(&names, a, tn_jinja_macro_arg(def, i, &has_default));
    }
    return names;
}

/* ---- what a macro calls ---- */

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The literal that starts at or after `at`, past blanks; *ret_end: past its quote. */
static bool literal_at(tn_str s, size_t at, tn_str *ret, size_t *ret_end)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\n')) {
        at++;
    }
    if (at >= s.n || (s.p[at] != '\'' && s.p[at] != '"')) {
        return false;
    }
    size_t end = tn_min_size(tn_str_find_char(s, s.p[at], at + 1), s.n);
    *ret = tn_str_sub(s, at + 1, end);
    *ret_end = tn_min_size(end + 1, s.n);
    return true;
}

static void add_called(tn_project *p, const tn_macro *target, tn_strs *out)
{
    if (target != NULL) {
        tn_strs_add_new(out, p->state->late, target->unique_id);
    }
}

static size_t past_blanks(tn_str s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\n' || s.p[at] == '\t' || s.p[at] == '\r')) {
        at++;
    }
    return at;
}

/* The texts that are the arguments of a call of dispatch, by place or by name; false: the first is none. */
static bool dispatch_args(tn_str s, size_t open, tn_str *ret_name, tn_str *ret_namespace)
{
    size_t at = past_blanks(s, open + 1);
    *ret_name = *ret_namespace = TN_STR_NONE;
    for (int place = 0; place < 2 && at < s.n && s.p[at] != ')'; place++) {
        size_t end = at;
        while (end < s.n && name_char(s.p[end])) {
            end++;
        }
        size_t equals = past_blanks(s, end);
        bool named = end > at && equals < s.n && s.p[equals] == '=';
        bool is_name = named ? tn_str_is(tn_str_sub(s, at, end), "macro_name") : place == 0;
        if (!literal_at(s, named ? equals + 1 : at, is_name ? ret_name : ret_namespace, &end)) {
            break;
        }
        at = past_blanks(s, end);
        at = at < s.n && s.p[at] == ',' ? past_blanks(s, at + 1) : s.n;
    }
    return ret_name->n > 0;
}

/* adapter.dispatch('name', 'namespace') at `open` (its parenthesis): the macro of that name that its caller sees, as dbt has it, and the one
 * that it leads to. */
static void add_dispatched(tn_project *p, const tn_macro *m, size_t open, tn_strs *out)
{
    tn_str name, ns;
    if (!dispatch_args(m->text, open, &name, &ns)) {
        return;
    }
    const tn_macro *seen = tn_project_find_macro(p, m->package_name, name);
    if (!tn_str_eq(name, m->name)) {
        add_called(p, seen, out);
    }
    tn_macro *target = NULL;
    if (tn_project_dispatch(p, m->package_name, name, ns, &target, NULL) == TN_OK) {
        add_called(p, target, out);
    }
}

/* What a call names whose parenthesis is at `open`; filters name nothing. The method of a value that has a name is taken for a macro where there is
 * one called like it, as dbt does: x.replace() for dbt's replace. */
static void add_call(tn_project *p, const tn_macro *m, size_t open, tn_strs *out)
{
    tn_str s = m->text, ns, bare;
    size_t from = open;
    while (from > 0 && (name_char(s.p[from - 1]) || s.p[from - 1] == '.')) {
        from--;
    }
    size_t before = from;
    while (before > 0 && (s.p[before - 1] == ' ' || s.p[before - 1] == '\n')) {
        before--;
    }
    tn_str name = tn_str_sub(s, from, open);
    if (name.n == 0 || name.p[0] == '.' || (before > 0 && s.p[before - 1] == '|')) {
        return;
    }
    if (tn_str_is(name, "adapter.dispatch")) {
        add_dispatched(p, m, open, out);
    } else if (!tn_str_cut(name, '.', &ns, &bare)) {
        const tn_macro *target = tn_project_find_macro(p, m->package_name, name);
        add_called(p, target != m ? target : NULL, out);
    } else if (!tn_str_is(ns, "adapter") && tn_str_find_char(bare, '.', 0) == SIZE_MAX) {
        const tn_macro *target = tn_project_find_macro_in(p, ns, bare);
        add_called(p, target != NULL ? target : tn_project_find_macro(p, ns, bare), out);
    }
}

/* The names before '(' inside of the tags of a macro, outside of quotes: enough to find calls without parsing
 * 500 macros for one manifest. */
static void scan_calls(tn_project *p, tn_macro *m, tn_strs *out)
{
    tn_str s = m->text;
    bool inside = false;
    char quote = 0;
    size_t head = tn_str_find_char(s, '(', 0), tag = tn_str_find(s, TN_STR("%}"), 0);
    head = head < tag ? head : SIZE_MAX; /* a materialization has no parameters */
    for (size_t i = 0; i + 1 < s.n; i++) {
        char c = s.p[i];
        if (!inside && c == '{' && s.p[i + 1] == '#') {
            i = tn_min_size(tn_str_find(s, TN_STR("#}"), i + 2), s.n);
        } else if (!inside) {
            inside = c == '{' && (s.p[i + 1] == '{' || s.p[i + 1] == '%');
        } else if (quote != 0) {
            i += c == '\\';
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if ((c == '}' || c == '%') && s.p[i + 1] == '}') {
            inside = false;
        } else if (c == '(' && name_char(s.p[i - 1])) {
            if (i != head) {
                add_call(p, m, i, out);
            }
        }
    }
}

tn_rc tn_macro_depends(tn_project *p, tn_macro *m, tn_strs *ret_macro_ids, tn_err *err)
{
    (void)err;
    TN_LOCKED(&p->state->lock);
    if (!m->code->depends_made) {
        scan_calls(p, m, &m->code->depends);
        m->code->depends_made = true;
    }
    *ret_macro_ids = m->code->depends;
    return TN_OK;
}

/* The project's own macros before what every template has and macros of packages: they are what people misspell. */
tn_str tn_project_nearest_macro(const tn_project *p, tn_str name)
{
    tn_nearest near = tn_nearest_to(name);
    for (int own = 1; own >= 0; own--) {
        for (size_t i = 0; own == 0 && i < p->state->members.n; i++) { /* ref, var, log, ... */
            tn_nearest_try(&near, p->state->members.items[i].key);
        }
        for (size_t i = 0; i < p->macros.n; i++) {
            if (tn_str_eq(p->macros.v[i]->package_name, p->name) == (own == 1)) {
                tn_nearest_try(&near, p->macros.v[i]->name);
            }
        }
    }
    return near.best;
}
