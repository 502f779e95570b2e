/* select_nearest.c: what a criterion that matches nothing may have meant. */
#include "base/nearest.h"
#include "project/select/select_method.h"
#include "project/selector.h"

static tn_str without_operators(tn_str s)
{
    size_t from = 0, to = s.n;
    while (from < to &&
           (s.p[from] == '+' || s.p[from] == '@' || (s.p[from] >= '0' && s.p[from] <= '9'))) {
        from++;
    }
    size_t plus = tn_str_rfind_char(s, '+');
    while (plus != SIZE_MAX && plus >= from && to > plus &&
           (s.p[to - 1] == '+' || (s.p[to - 1] >= '0' && s.p[to - 1] <= '9'))) {
        to--;
    }
    return tn_str_sub(s, from, to);
}

static void try_all(tn_nearest *near, const tn_strs *words)
{
    for (size_t i = 0; i < words->n; i++) {
        tn_nearest_try(near, words->v[i]);
    }
}

tn_str tn_select_nearest(const tn_project *p, tn_str criterion)
{
    tn_str word = without_operators(criterion), method = TN_STR("fqn"), rest;
    if (tn_str_cut(word, ':', &method, &rest)) {
        word = rest;
    } else {
        method = TN_STR("fqn");
    }
    tn_nearest near = tn_nearest_to(word);
    if (!tn_select_method_known(method) && !tn_str_starts(method, TN_STR("config."))) {
        near = tn_nearest_to(method);
        for (size_t i = 0; tn_select_method_name(i) != NULL; i++) {
            tn_nearest_try(&near, tn_str_of(tn_select_method_name(i)));
        }
        return near.best;
    }
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (tn_str_is(method, "tag")) {
            try_all(&near, &n->tags);
        } else if (tn_str_is(method, "source")) {
            tn_nearest_try(&near, n->source != NULL ? n->source->source_name : TN_STR_NONE);
        } else if (tn_str_is(method, "path") || tn_str_is(method, "file")) {
            tn_nearest_try(&near, n->original_file_path);
        } else if (tn_str_is(method, "fqn")) {
            tn_nearest_try(&near, n->name);
            try_all(&near, &n->fqn);
        } else if (tn_str_is(method, "package")) {
            tn_nearest_try(&near, n->package_name);
        } else if (tn_str_is(method, "group")) {
            tn_nearest_try(&near, n->group);
        }
    }
    return near.best;
}
