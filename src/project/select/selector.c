/* selector.c: selection: parsing of specs, graph operators, set operations, indirect selection of tests.
 *
 *   spec   := [ "@" | [digits] "+" ] [ method ":" ] value [ "+" [digits] ]
 *   arg    := spec { "," spec }      intersection
 *   args   := arg { " " arg }        union
 *
 * Sets are bit sets over project->nodes. What one method matches is in select_method.c.
 */
#include "project/selector.h"

#include "project/node/project_priv.h"
#include "project/select/select_method.h"
#include "text/glob.h"

/* ---- sets ---- */

static tn_node_set set_new(tn_arena *a, const tn_project *p)
{
    return (tn_node_set){ tn_new_array(a, uint64_t, p->nodes.n / 64 + 1), p->nodes.n };
}

static void set_add(tn_node_set *s, const tn_node *n)
{
    s->bits[n->index >> 6] |= (uint64_t)1 << (n->index & 63);
}

static void set_drop(tn_node_set *s, const tn_node *n)
{
    s->bits[n->index >> 6] &= ~((uint64_t)1 << (n->index & 63));
}

static void set_or(tn_node_set *into, const tn_node_set *s)
{
    for (size_t i = 0; i <= into->n / 64; i++) {
        into->bits[i] |= s->bits[i];
    }
}

static void set_and(tn_node_set *into, const tn_node_set *s)
{
    for (size_t i = 0; i <= into->n / 64; i++) {
        into->bits[i] &= s->bits[i];
    }
}

static void set_minus(tn_node_set *into, const tn_node_set *s)
{
    for (size_t i = 0; i <= into->n / 64; i++) {
        into->bits[i] &= ~s->bits[i];
    }
}

size_t tn_node_set_count(const tn_node_set *s)
{
    size_t n = 0;
    for (size_t i = 0; i <= s->n / 64; i++) {
        n += (size_t)__builtin_popcountll(s->bits[i]);
    }
    return n;
}

bool tn_indirect_find(tn_str name, tn_indirect *ret)
{
    static const char *const names[] = { "eager", "cautious", "buildable", "empty" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i])) {
            *ret = (tn_indirect)i;
            return true;
        }
    }
    return false;
}

/* ---- one spec ---- */

typedef struct spec {
    bool childrens_parents; /* @ */
    bool parents, children;
    int64_t parents_depth, children_depth; /* -1: all */
    tn_str method;                         /* "config.materialized" */
    tn_str value;
} spec;

static bool all_digits(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool known_method(tn_str s)
{
    tn_str head, rest;
    tn_str_cut(s, '.', &head, &rest);
    return tn_select_method_known(head);
}

static tn_rc bad_spec(tn_str text, const char *why, tn_err *err)
{
    tn_rc rc = tn_fail(
        err, TN_E_USAGE, "Invalid selector spec '" TN_STR_FMT "': %s", TN_STR_ARG(text), why);
    return tn_hint(err, rc,
        "[n+|@]method:value[+n], for example: tag:nightly, +orders, path:models/staging, orders+1");
}

static tn_rc parse_spec(tn_str text, spec *ret, tn_err *err)
{
    spec s = { .parents_depth = -1, .children_depth = -1 };
    tn_str t = text;
    if (t.n > 0 && t.p[0] == '@') {
        s.childrens_parents = true;
        t = tn_str_sub(t, 1, t.n);
    }
    size_t plus = tn_str_find_char(t, '+', 0);
    if (plus != SIZE_MAX && all_digits(tn_str_sub(t, 0, plus))) {
        s.parents = true;
        if (plus > 0 && !tn_str_to_i64(tn_str_sub(t, 0, plus), &s.parents_depth)) {
            return bad_spec(text, "the depth is too large", err);
        }
        t = tn_str_sub(t, plus + 1, t.n);
    }
    plus = tn_str_rfind_char(t, '+');
    if (plus != SIZE_MAX && all_digits(tn_str_sub(t, plus + 1, t.n))) {
        s.children = true;
        if (plus + 1 < t.n && !tn_str_to_i64(tn_str_sub(t, plus + 1, t.n), &s.children_depth)) {
            return bad_spec(text, "the depth is too large", err);
        }
        t = tn_str_sub(t, 0, plus);
    }
    if (s.childrens_parents && s.children) {
        return bad_spec(text, "\"@\" prefix and \"+\" suffix are incompatible", err);
    }
    size_t colon = tn_str_find_char(t, ':', 0);
    if (colon != SIZE_MAX) {
        s.method = tn_str_sub(t, 0, colon);
        s.value = tn_str_sub(t, colon + 1, t.n);
        if (!known_method(s.method)) {
            tn_rc rc = tn_fail(err, TN_E_USAGE, "'" TN_STR_FMT "' is not a valid method name",
                TN_STR_ARG(s.method));
            return tn_hint(err, rc, "methods: %s", tn_select_methods());
        }
    } else {
        s.value = t;
        s.method = tn_select_default_method(t);
    }
    if (s.value.n == 0) {
        return bad_spec(text, "there is no value", err);
    }
    *ret = s;
    return TN_OK;
}

/* ---- walking ---- */

/* The neighbours of one node that the set does not have yet: into the set and the next level. */
static void step(tn_arena *a, const tn_nodes *edges, tn_node_set *set, tn_nodes *next)
{
    for (size_t k = 0; k < edges->n; k++) {
        if (!tn_node_set_has(set, edges->v[k])) {
            set_add(set, edges->v[k]);
            tn_vec_push(next, a, edges->v[k]);
        }
    }
}

static void walk(tn_arena *a, const tn_project *p, tn_node_set *set, bool up, int64_t depth)
{
    tn_nodes level = { 0 };
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (tn_node_set_has(set, p->nodes.v[i])) {
            tn_vec_push(&level, a, p->nodes.v[i]);
        }
    }
    for (int64_t d = 0; level.n > 0 && (depth < 0 || d < depth); d++) {
        tn_nodes next = { 0 };
        for (size_t i = 0; i < level.n; i++) {
            step(a, up ? &level.v[i]->parents : &level.v[i]->children, set, &next);
        }
        level = next;
    }
}

static tn_rc run_spec(tn_project *p, tn_arena *a, tn_str text, int depth, tn_node_set *ret,
    tn_strs *unmatched, tn_err *err);

/* selector:NAME, which may have wildcards: all that match, together. */
static tn_rc collect_selectors(tn_project *p, tn_arena *a, tn_str name, int depth, tn_node_set *set,
    tn_strs *unmatched, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    bool found = false;
    while (p->selectors.tag == TN_DICT && (it = tn_dict_next(p->selectors.dict, &at)) != NULL) {
        if (tn_fnmatch(name, tn_val_as_str(it->key))) {
            tn_node_set one = set_new(a, p);
            TN_TRY(tn_select_definition(p, a, it->value, depth + 1, &one, unmatched, err));
            set_or(set, &one);
            found = true;
        }
    }
    return found ? TN_OK
                 : tn_fail(err, TN_E_USAGE, "Could not find selector named " TN_STR_FMT,
                       TN_STR_ARG(name));
}

static tn_rc collect(tn_project *p, tn_arena *a, const spec *s, int depth, tn_node_set *set,
    tn_strs *unmatched, tn_err *err)
{
    if (tn_str_is(s->method, "selector")) {
        return collect_selectors(p, a, s->value, depth, set, unmatched, err);
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        bool hit = false;
        TN_TRY(tn_select_match(p, p->nodes.v[i], s->method, s->value, &hit, err));
        if (hit) {
            set_add(set, p->nodes.v[i]);
        }
    }
    return TN_OK;
}

static tn_rc run_spec(tn_project *p, tn_arena *a, tn_str text, int depth, tn_node_set *ret,
    tn_strs *unmatched, tn_err *err)
{
    spec s = { 0 };
    TN_TRY(parse_spec(text, &s, err));
    tn_node_set set = set_new(a, p);
    TN_TRY(collect(p, a, &s, depth, &set, unmatched, err));
    if (tn_node_set_count(&set) == 0 && unmatched != NULL) {
        tn_vec_push(unmatched, a, text);
    }
    tn_node_set picked = set_new(a, p);
    set_or(&picked, &set);
    if (s.childrens_parents) {
        walk(a, p, &set, false, -1);
        walk(a, p, &set, true, -1);
    }
    if (s.parents) {
        tn_node_set up = set_new(a, p);
        set_or(&up, &picked);
        walk(a, p, &up, true, s.parents_depth);
        set_or(&set, &up);
    }
    if (s.children) {
        tn_node_set down = set_new(a, p);
        set_or(&down, &picked);
        walk(a, p, &down, false, s.children_depth);
        set_or(&set, &down);
    }
    *ret = set;
    return TN_OK;
}

/* ---- indirect selection of tests ---- */

static bool is_test(const tn_node *n)
{
    return n->kind == TN_NODE_TEST || n->kind == TN_NODE_UNIT_TEST;
}

static bool all_parents_in(const tn_node *n, const tn_node_set *set)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        if (!tn_node_set_has(set, n->parents.v[i])) {
            return false;
        }
    }
    return true;
}

/* The set, all that its nodes are made from, and every source: what `buildable` lets tests lean on. */
static tn_node_set with_ancestors(tn_arena *a, const tn_project *p, const tn_node_set *set)
{
    tn_node_set all = set_new(a, p);
    set_or(&all, set);
    walk(a, p, &all, true, -1);
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (p->nodes.v[i]->kind == TN_NODE_SOURCE) {
            set_add(&all, p->nodes.v[i]);
        }
    }
    return all;
}

/* Tests of selected nodes. eager: any parent is selected; cautious: all are; buildable: all are selected, ancestors of selected ones
 * or sources; empty: none. Tests that were named themselves stay in every mode. */
static void add_tests(tn_arena *a, const tn_project *p, tn_node_set *set, tn_indirect mode)
{
    if (mode == TN_INDIRECT_EMPTY) {
        return;
    }
    tn_node_set buildable = mode == TN_INDIRECT_BUILDABLE ? with_ancestors(a, p, set) : *set;
    tn_nodes found = { 0 };
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (!tn_node_set_has(set, n) || is_test(n)) {
            continue;
        }
        for (size_t k = 0; k < n->children.n; k++) {
            tn_node *t = n->children.v[k];
            if (is_test(t) && (mode == TN_INDIRECT_EAGER || all_parents_in(t, &buildable))) {
                tn_vec_push(&found, a, t);
            }
        }
    }
    for (size_t i = 0; i < found.n; i++) {
        set_add(set, found.v[i]);
    }
}

/* What a criterion selects, and the tests of that. A selector of selectors.yml has chosen its tests already: what it excluded stays out. */
static tn_rc run_with_tests(tn_project *p, tn_arena *a, tn_str text, int depth, tn_indirect mode,
    tn_node_set *ret, tn_strs *unmatched, tn_err *err)
{
    spec s = { 0 };
    TN_TRY(parse_spec(text, &s, err));
    TN_TRY(run_spec(p, a, text, depth, ret, unmatched, err));
    if (!tn_str_is(s.method, "selector")) {
        add_tests(a, p, ret, mode);
    }
    return TN_OK;
}

/* ---- arguments ---- */

static tn_rc run_arg(tn_project *p, tn_arena *a, tn_str arg, int depth, tn_indirect mode,
    tn_node_set *into, tn_strs *unmatched, tn_err *err)
{
    tn_node_set both = { 0 };
    tn_str rest = arg, part;
    bool first = true;
    do {
        tn_node_set one;
        tn_str_cut(rest, ',', &part, &rest);
        TN_TRY(run_with_tests(p, a, part, depth, mode, &one, unmatched, err));
        if (first) {
            both = one;
        } else {
            set_and(&both, &one);
        }
        first = false;
    } while (rest.n > 0);
    set_or(into, &both);
    return TN_OK;
}

static tn_rc run_args(tn_project *p, tn_arena *a, const tn_strs *args, tn_indirect mode,
    tn_node_set *into, tn_strs *unmatched, tn_err *err)
{
    for (size_t i = 0; i < args->n; i++) {
        tn_str rest = args->v[i], part;
        while (rest.n > 0) {
            tn_str_cut(rest, ' ', &part, &rest);
            part = tn_str_trim(part);
            if (part.n > 0) {
                TN_TRY(run_arg(p, a, part, 0, mode, into, unmatched, err));
            }
        }
    }
    return TN_OK;
}

/* ---- selectors.yml ---- */

enum { SELECTOR_DEPTH_MAX = 50 };

static tn_rc definition_list(tn_project *p, tn_arena *a, tn_val list, bool all, int depth,
    tn_node_set *set, tn_strs *un, tn_err *err)
{
    bool first = true;
    tn_node_set minus = set_new(a, p);
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_node_set one = set_new(a, p);
        tn_val item = list.list->v[i], exclude = tn_val_at(item, "exclude");
        if (exclude.tag == TN_LIST && tn_val_is_undef(tn_val_at(item, "method"))) {
            TN_TRY(definition_list(p, a, exclude, false, depth + 1, &minus, un, err));
            continue;
        }
        TN_TRY(tn_select_definition(p, a, item, depth + 1, &one, un, err));
        if (first || !all) {
            set_or(set, &one);
        } else {
            set_and(set, &one);
        }
        first = false;
    }
    set_minus(set, &minus);
    return TN_OK;
}

static tn_rc definition_method(
    tn_project *p, tn_arena *a, tn_val def, int depth, tn_node_set *set, tn_strs *un, tn_err *err)
{
    tn_str method = tn_val_str_at(def, "method", TN_STR_NONE);
    tn_val pd = tn_val_at(def, "parents_depth"), cd = tn_val_at(def, "children_depth");
    tn_buf b = tn_buf_init(a, 4096);
    if (tn_val_bool_at(def, "childrens_parents", false)) {
        tn_buf_addc(&b, '@');
    }
    if (tn_val_bool_at(def, "parents", false)) {
        tn_buf_addf(
            &b, TN_STR_FMT "+", TN_STR_ARG(pd.tag == TN_INT ? tn_val_to_str(a, pd) : TN_STR_NONE));
    }
    tn_buf_addf(&b, TN_STR_FMT ":" TN_STR_FMT, TN_STR_ARG(method),
        TN_STR_ARG(tn_val_to_str(a, tn_val_at(def, "value"))));
    if (tn_val_bool_at(def, "children", false)) {
        tn_buf_addf(
            &b, "+" TN_STR_FMT, TN_STR_ARG(cd.tag == TN_INT ? tn_val_to_str(a, cd) : TN_STR_NONE));
    }
    tn_node_set one;
    tn_indirect mode = TN_INDIRECT_EAGER;
    tn_str given = tn_val_str_at(def, "indirect_selection", TN_STR("eager"));
    if (!tn_indirect_find(given, &mode)) {
        return tn_fail(
            err, TN_E_USAGE, "'" TN_STR_FMT "' is no indirect_selection", TN_STR_ARG(given));
    }
    TN_TRY(run_with_tests(p, a, tn_buf_str(&b), depth, mode, &one, un, err));
    tn_node_set minus = set_new(a, p);
    TN_TRY(definition_list(p, a, tn_val_at(def, "exclude"), false, depth + 1, &minus, un, err));
    set_minus(&one, &minus);
    set_or(set, &one);
    return TN_OK;
}

tn_rc tn_select_definition(tn_project *p, tn_arena *a, tn_val def, int depth, tn_node_set *set,
    tn_strs *unmatched, tn_err *err)
{
    if (depth > SELECTOR_DEPTH_MAX) {
        return tn_fail(err, TN_E_LIMIT, "selectors.yml: selectors are nested deeper than %d levels",
            SELECTOR_DEPTH_MAX);
    }
    if (tn_val_is_str(def)) {
        return run_arg(p, a, tn_val_as_str(def), depth, TN_INDIRECT_EAGER, set, unmatched, err);
    }
    tn_val v = tn_val_at(def, "union");
    if (!tn_val_is_undef(v)) {
        return definition_list(p, a, v, false, depth, set, unmatched, err);
    }
    v = tn_val_at(def, "intersection");
    if (!tn_val_is_undef(v)) {
        return definition_list(p, a, v, true, depth, set, unmatched, err);
    }
    if (!tn_val_is_undef(tn_val_at(def, "method"))) {
        return definition_method(p, a, def, depth, set, unmatched, err);
    }
    if (def.tag == TN_DICT && def.dict->live == 1) {
        size_t at = 0;
        const tn_dict_item *it = tn_dict_next(def.dict, &at);
        tn_str spec_text = tn_str_printf(a, TN_STR_FMT ":" TN_STR_FMT,
            TN_STR_ARG(tn_val_as_str(it->key)), TN_STR_ARG(tn_val_to_str(a, it->value)));
        return run_arg(p, a, spec_text, depth, TN_INDIRECT_EAGER, set, unmatched, err);
    }
    return tn_fail(err, TN_E_USAGE,
        "selectors.yml: a definition must be a text, a method, a union or an intersection");
}

/* ---- all of it ---- */

static tn_rc base_set(tn_project *p, tn_arena *a, const tn_select *sel, tn_node_set *set,
    tn_strs *unmatched, tn_err *err)
{
    if (sel->selector.n > 0) {
        const tn_val *def =
            p->selectors.tag == TN_DICT ? tn_dict_finds(p->selectors.dict, sel->selector) : NULL;
        if (def == NULL) {
            return tn_fail(err, TN_E_USAGE,
                "Could not find selector named " TN_STR_FMT
                ", expected one of those in selectors.yml",
                TN_STR_ARG(sel->selector));
        }
        return tn_select_definition(p, a, *def, 0, set, unmatched, err);
    }
    if (sel->select.n > 0) {
        return run_args(p, a, &sel->select, sel->indirect, set, unmatched, err);
    }
    const tn_val *dflt = p->state->default_selector;
    if (dflt != NULL && sel->exclude.n == 0) {
        return tn_select_definition(p, a, *dflt, 0, set, unmatched, err);
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (p->nodes.v[i]->kind != TN_NODE_OPERATION) {
            set_add(set, p->nodes.v[i]);
        }
    }
    return TN_OK;
}

tn_rc tn_select_run(tn_project *p, tn_arena *a, const tn_select *sel, tn_nodes *ret,
    tn_node_set *ret_set, tn_strs *ret_unmatched, tn_err *err)
{
    tn_node_set set = set_new(a, p), minus = set_new(a, p);
    tn_nodes out = { 0 };
    TN_TRY(base_set(p, a, sel, &set, ret_unmatched, err));
    TN_TRY(run_args(p, a, &sel->exclude, TN_INDIRECT_EAGER, &minus, NULL, err));
    set_minus(&set, &minus);
    if (sel->selector.n == 0 &&
        (sel->indirect == TN_INDIRECT_CAUTIOUS || sel->indirect == TN_INDIRECT_BUILDABLE)) {
        add_tests(a, p, &set, sel->indirect); /* tests whose parents came from different specs */
        set_minus(&set, &minus);
    }
    uint32_t kinds = sel->kinds != 0 ? sel->kinds : ~(1u << TN_NODE_ANALYSIS);
    for (size_t i = 0; i < p->order.n; i++) {
        tn_node *n = p->order.v[i];
        bool wanted = n->kind != TN_NODE_OPERATION && (kinds >> n->kind & 1) != 0;
        if (tn_node_set_has(&set, n) && wanted) {
            tn_vec_push(&out, a, n);
        } else {
            set_drop(&set, n);
        }
    }
    *ret = out;
    if (ret_set != NULL) {
        *ret_set = set;
    }
    return TN_OK;
}
