/* sql_place.c: where in a node's compiled SQL the database found an error.
 *
 * DuckDB quotes the line of the statement that it was given and puts a caret below; the statement is a materialization's, around the
 * compiled code, so its line number says nothing to the user. The quoted text is looked for in the compiled code. Long lines are quoted
 * in part, with "..." at the cut.
 */
#include "run/value/sql_place.h"

enum { DIGITS_MAX = 9 };

typedef struct quote {
    tn_str text;
    size_t caret; /* offset in text */
    size_t line;  /* in the statement */
} quote;

/* "LINE 2:     select nope" and the caret's line after it. */
static bool find_quote(tn_str msg, quote *ret)
{
    tn_str rest = msg, line;
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        tn_str s = tn_str_trim(line);
        size_t indent = (size_t)(s.p - line.p), colon = tn_str_find_char(s, ':', 0);
        int64_t number;
        if (!tn_str_starts(s, TN_STR("LINE ")) || colon == SIZE_MAX || colon > 5 + DIGITS_MAX ||
            !tn_str_to_i64(tn_str_sub(s, 5, colon), &number)) {
            continue;
        }
        tn_str below;
        (void)tn_str_cut(rest, '\n', &below, &rest);
        size_t caret = tn_str_find_char(below, '^', 0), start = indent + colon + 2;
        if (caret == SIZE_MAX || caret < start || start > line.n) {
            return false;
        }
        *ret = (quote){ tn_str_sub(line, start, line.n), caret - start, (size_t)number };
        return true;
    }
    return false;
}

/* Without what DuckDB or the materialization put around it. */
static void strip(quote *q)
{
    static const tn_str dots = { "...", 3 };
    size_t from = 0, to = q->text.n;
    if (tn_str_starts(q->text, dots)) {
        from = dots.n;
    }
    if (to - from >= dots.n && tn_str_ends(q->text, dots)) {
        to -= dots.n;
    }
    while (from < to && (q->text.p[from] == ' ' || q->text.p[from] == '\t')) {
        from++;
    }
    while (to > from && (q->text.p[to - 1] == ' ' || q->text.p[to - 1] == '\r')) {
        to--;
    }
    q->caret = q->caret > from ? q->caret - from : 0;
    q->text = tn_str_sub(q->text, from, to);
}

static size_t apart(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

bool tn_sql_place(tn_str message, tn_str code, tn_sql_spot *ret)
{
    quote q;
    if (!find_quote(message, &q)) {
        return false;
    }
    strip(&q);
    tn_str rest = code, line;
    bool found = false;
    for (size_t number = 1; rest.n > 0 && q.text.n > 0; number++) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        size_t at = tn_str_find(line, q.text, 0);
        /* of equal lines the one whose number is nearest: statements begin with a line or two of their own */
        if (at != SIZE_MAX && (!found || apart(number, q.line) < apart(ret->line, q.line))) {
            *ret = (tn_sql_spot){ .line = number, .col = at + q.caret + 1, .text = line };
            found = true;
        }
    }
    return found;
}
