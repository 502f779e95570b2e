/* parse_python.c: Python models are refused when they run, but their place in the graph is kept: dbt.ref('x') and dbt.source('a', 'b') with
 * literal names are found in the text, outside of comments, so that selection and order see them.
 */
#include "project/parse/parse_priv.h"

enum { PY_ARGS_MAX = 2 };

static size_t skip_blank(tn_str s, size_t at)
{
    while (at < s.n && strchr(" \t\r\n", s.p[at]) != NULL && s.p[at] != '\0') {
        at++;
    }
    return at;
}

/* ("a") or ("a", "b") at `at`: the number of texts, 0 when it is anything else. */
static size_t literal_args(tn_str s, size_t at, tn_str args[PY_ARGS_MAX])
{
    size_t n = 0;
    for (;;) {
        at = skip_blank(s, at + 1);
        if (n == PY_ARGS_MAX || at >= s.n || (s.p[at] != '\'' && s.p[at] != '"')) {
            return 0;
        }
        size_t end = tn_str_find_char(s, s.p[at], at + 1);
        if (end == SIZE_MAX) {
            return 0;
        }
        args[n++] = tn_str_sub(s, at + 1, end);
        at = skip_blank(s, end + 1);
        if (at >= s.n || (s.p[at] != ',' && s.p[at] != ')')) {
            return 0;
        }
        if (s.p[at] == ')') {
            return n;
        }
    }
}

static bool in_comment(tn_str s, size_t at)
{
    size_t line = tn_str_rfind_char(tn_str_sub(s, 0, at), '\n');
    line = line == SIZE_MAX ? 0 : line;
    return tn_str_find_char(tn_str_sub(s, line, at), '#', 0) != SIZE_MAX;
}

void tn_parse_python(tn_project *p, tn_node *n)
{
    static const char *const calls[] = { "dbt.ref(", "dbt.source(" };
    tn_str s = n->raw_code;
    for (size_t k = 0; k < TN_COUNTOF(calls); k++) {
        tn_str call = tn_str_of(calls[k]);
        for (size_t at = tn_str_find(s, call, 0); at != SIZE_MAX;
            at = tn_str_find(s, call, at + 1)) {
            tn_str args[PY_ARGS_MAX];
            size_t count = in_comment(s, at) ? 0 : literal_args(s, at + call.n - 1, args);
            if (k == 0 && count > 0) {
                tn_ref r = { .name = args[count - 1], .version = TN_VAL_UNDEF };
                r.package = count == 2 ? args[0] : TN_STR_NONE;
                tn_vec_push(&n->refs, p->arena, r);
            } else if (k == 1 && count == 2) {
                tn_source_ref r = { args[0], args[1] };
                tn_vec_push(&n->sources, p->arena, r);
            }
        }
    }
}
