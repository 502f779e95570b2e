/* doc_blocks.c: which doc blocks a description consists of, as dbt sees it: by the text alone. An expression counts that is a call of doc() and nothing else,
 * {{ doc('name') }} or {{ doc('package', 'name') }}, with literals; one that is worked on ({{ doc('x') | upper }}) is not followed.
 */
#include "project/context.h"
#include "project/parse/parse_priv.h"

/* Where the literal at `at` ends: past its second quote; 0: there is none. */
static size_t literal_end(tn_str s, size_t at)
{
    if (at >= s.n || (s.p[at] != '\'' && s.p[at] != '"')) {
        return 0;
    }
    size_t end = at + 1;
    while (end < s.n && s.p[end] != s.p[at]) {
        end += s.p[end] == '\\' ? 2 : 1;
    }
    return end < s.n ? end + 1 : 0;
}

/* The literals between the parentheses of doc(...); others are passed over, as dbt does. */
static size_t literals_of(tn_str args, tn_str ret[2])
{
    size_t found = 0;
    while (args.n > 0) {
        size_t end = 0;
        char quote = 0;
        for (; end < args.n && (quote != 0 || args.p[end] != ','); end++) {
            char c = args.p[end];
            quote = quote == 0 && (c == '\'' || c == '"') ? c : c == quote ? 0 : quote;
        }
        tn_str one = tn_str_trim(tn_str_sub(args, 0, end));
        if (one.n > 1 && literal_end(one, 0) == one.n && found < 2) {
            ret[found++] = tn_str_sub(one, 1, one.n - 1);
        }
        args = end < args.n ? tn_str_sub(args, end + 1, args.n) : TN_STR("");
    }
    return found;
}

static void add_block(tn_project *p, tn_str package, tn_str expression, tn_val list)
{
    tn_str literals[2] = { TN_STR_NONE, TN_STR_NONE };
    if (!tn_str_starts(expression, TN_STR("doc"))) {
        return;
    }
    tn_str call = tn_str_trim(tn_str_sub(expression, 3, expression.n));
    if (call.n < 2 || call.p[0] != '(' ||
        tn_str_find_char(call, ')', 0) != call.n - 1) { /* more follows, or stands inside */
        return;
    }
    size_t n = literals_of(tn_str_sub(call, 1, call.n - 1), literals);
    const tn_doc *doc =
        n == 0 ? NULL
               : tn_project_doc(p, package, n == 2 ? literals[0] : TN_STR_NONE, literals[n - 1]);
    if (doc != NULL) {
        tn_list_push(list.list, tn_val_str(doc->unique_id));
    }
}

tn_val tn_doc_blocks_of(tn_project *p, tn_str package, tn_str text)
{
    tn_val list = tn_val_list(p->arena);
    for (size_t at = 0; (at = tn_str_find(text, TN_STR("{{"), at)) != SIZE_MAX;) {
        size_t end = tn_str_find(text, TN_STR("}}"), at + 2);
        if (end == SIZE_MAX) {
            break;
        }
        tn_str inside = tn_str_sub(text, at + 2, end);
        inside = tn_str_starts(inside, TN_STR("-")) ? tn_str_sub(inside, 1, inside.n) : inside;
        inside = tn_str_ends(inside, TN_STR("-")) ? tn_str_sub(inside, 0, inside.n - 1) : inside;
        add_block(p, package, tn_str_trim(inside), list);
        at = end + 2;
    }
    return list;
}
