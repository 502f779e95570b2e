/* osi_sql.c: what an expression of a metric in an OSI document is: one aggregate of a column, a ratio, or something else. A text is read as words,
 * which are written again in one spelling: keywords and functions in capitals, one blank around operators, none inside of brackets.
 *
 *     SUM | AVG | MIN | MAX | COUNT ( x )     COUNT(DISTINCT x)     SUM(CASE WHEN x THEN 1 ELSE 0 END)
 *     PERCENTILE_CONT | PERCENTILE_DISC (p) WITHIN GROUP (ORDER BY x)     x / y
 */
#include "project/parse/osi_sql.h"

#include "base/buf.h"
#include "base/vec.h"

typedef enum word_kind { NAME, QUOTED, TEXT, NUMBER, SIGN } word_kind;
typedef struct word {
    word_kind kind;
    tn_str is; /* a name in quotes: what is in them */
} word;
typedef tn_vec(word) words;
/* Words from, up to and without to. */
typedef struct span {
    const word *v;
    size_t from, to;
} span;

/* ---- words ---- */

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Up to the closing quote, doubled ones left inside; SIZE_MAX when there is none. */
static size_t quote_end(tn_str s, size_t at)
{
    char q = s.p[at];
    for (size_t i = at + 1; i < s.n; i++) {
        if (s.p[i] == q && i + 1 < s.n && s.p[i + 1] == q) {
            i++;
        } else if (s.p[i] == q) {
            return i + 1;
        }
    }
    return SIZE_MAX;
}

static size_t word_end(tn_str s, size_t at, word_kind *ret)
{
    static const char *const pairs[] = { "<=", ">=", "<>", "!=", "||", "::", "->" };
    char c = s.p[at];
    size_t i = at;
    if (c == '\'' || c == '"' || c == '`') {
        *ret = c == '\'' ? TEXT : QUOTED;
        return quote_end(s, at);
    }
    if (digit(c) || (c == '.' && at + 1 < s.n && digit(s.p[at + 1]))) {
        *ret = NUMBER;
        while (i < s.n && (name_char(s.p[i]) || s.p[i] == '.')) {
            i++;
        }
        return i;
    }
    if (name_char(c)) {
        *ret = NAME;
        while (i < s.n && name_char(s.p[i])) {
            i++;
        }
        return i;
    }
    *ret = SIGN;
    for (size_t k = 0; k < TN_COUNTOF(pairs); k++) {
        if (tn_str_starts(tn_str_sub(s, at, s.n), tn_str_of(pairs[k]))) {
            return at + 2;
        }
    }
    return at + 1;
}

/* false: a quote or a bracket is not closed. */
static bool read_words(tn_arena *a, tn_str s, words *ret)
{
    int depth = 0;
    for (size_t i = 0; i < s.n;) {
        word w;
        if (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')) {
            i++;
            continue;
        }
        size_t end = word_end(s, i, &w.kind);
        if (end == SIZE_MAX) {
            return false;
        }
        w.is = w.kind == QUOTED ? tn_str_sub(s, i + 1, end - 1) : tn_str_sub(s, i, end);
        depth += tn_str_is(w.is, "(") ? 1 : tn_str_is(w.is, ")") ? -1 : 0;
        if (depth < 0) {
            return false;
        }
        tn_vec_push(ret, a, w);
        i = end;
    }
    return depth == 0 && ret->n > 0;
}

static bool is(span s, size_t at, const char *name)
{
    return at >= s.from && at < s.to && s.v[at].kind != QUOTED && s.v[at].kind != TEXT &&
           tn_str_eq_nocase(s.v[at].is, tn_str_of(name));
}

/* ---- writing ---- */

static bool keyword(tn_str s)
{
    static const char *const known[] = { "and", "or", "not", "in", "is", "null", "like", "ilike",
        "between", "case", "when", "then", "else", "end", "distinct", "cast", "as", "true", "false",
        "interval", "over", "partition", "by", "order", "asc", "desc", "within", "group", "filter",
        "where" };
    for (size_t i = 0; i < TN_COUNTOF(known); i++) {
        if (tn_str_eq_nocase(s, tn_str_of(known[i]))) {
            return true;
        }
    }
    return false;
}

/* A sign between two things, not before one. */
static bool unary(span s, size_t at)
{
    return (is(s, at, "-") || is(s, at, "+")) &&
           (at == s.from ||
               (s.v[at - 1].kind == SIGN && !is(s, at - 1, ")") && !is(s, at - 1, "*")) ||
               (s.v[at - 1].kind == NAME && keyword(s.v[at - 1].is)));
}

static bool blank_before(span s, size_t at)
{
    bool called = s.v[at - 1].kind == NAME && !keyword(s.v[at - 1].is);
    if (is(s, at, ",") || is(s, at, ")") || is(s, at, ".") || is(s, at - 1, ".") ||
        is(s, at - 1, "(") || is(s, at, "::") || is(s, at - 1, "::") || unary(s, at - 1)) {
        return false;
    }
    return !is(s, at, "(") || (!called && !is(s, at - 1, "cast"));
}

static tn_str written(tn_arena *a, span s)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = s.from; i < s.to; i++) {
        const word *w = &s.v[i];
        bool upper =
            w->kind == NAME && (keyword(w->is) || (is(s, i + 1, "(") && !is(s, i - 1, ".")));
        tn_buf_addz(&b, i > s.from && blank_before(s, i) ? " " : "");
        if (w->kind == QUOTED) {
            tn_buf_addf(&b, "\"" TN_STR_FMT "\"", TN_STR_ARG(w->is));
        } else {
            tn_buf_add(&b, is(s, i, "!=") ? TN_STR("<>") : upper ? tn_str_upper(a, w->is) : w->is);
        }
    }
    return tn_buf_str(&b);
}

/* ---- shapes ---- */

/* Where the bracket that opens at `at` closes. */
static size_t close_of(span s, size_t at)
{
    int depth = 0;
    for (size_t i = at; i < s.to; i++) {
        depth += is(s, i, "(") ? 1 : is(s, i, ")") ? -1 : 0;
        if (depth == 0) {
            return i;
        }
    }
    return s.to;
}

/* `name ( ... )` and nothing else; ret: what is in the brackets. */
static bool whole_call(span s, const char *name, span *ret)
{
    if (!is(s, s.from, name) || !is(s, s.from + 1, "(") || close_of(s, s.from + 1) + 1 != s.to) {
        return false;
    }
    *ret = (span){ s.v, s.from + 2, s.to - 1 };
    return ret->from < ret->to;
}

/* The last of the words at depth 0; s.to: none is there. */
static size_t last_of(span s, const char *const *names)
{
    int depth = 0;
    size_t found = s.to;
    for (size_t i = s.from; i < s.to; i++) {
        depth += is(s, i, "(") || is(s, i, "case") ? 1 : 0;
        for (const char *const *n = names; depth == 0 && *n != NULL; n++) {
            found = is(s, i, *n) && !unary(s, i) ? i : found;
        }
        depth -= is(s, i, ")") || is(s, i, "end") ? 1 : 0;
    }
    return found;
}

/* The column without what it is qualified with; of an expression what follows its last dot. */
static tn_str column_of(tn_arena *a, span s)
{
    bool path = (s.to - s.from) % 2 == 1;
    for (size_t i = s.from; path && i < s.to; i++) {
        bool name = s.v[i].kind == QUOTED || (s.v[i].kind == NAME && !keyword(s.v[i].is));
        path = (i - s.from) % 2 == 0 ? name : is(s, i, ".");
    }
    tn_str text = path ? s.v[s.to - 1].is : written(a, s);
    for (size_t i = text.n; !path && i > 0; i--) {
        if (text.p[i - 1] == '.') {
            return tn_str_sub(text, i, text.n);
        }
    }
    return text;
}

/* SUM(CASE WHEN x THEN 1 ELSE 0 END) is a sum of truths; another CASE is none that one knows. */
static bool sum_of_case(tn_arena *a, span in, tn_osi_sql *ret)
{
    static const char *const when[] = { "when", NULL }, *const then[] = { "then", NULL };
    span body = { in.v, in.from + 1, in.to - 1 };
    size_t first = last_of(body, when), at = last_of(body, then);
    if (first != body.from || at + 4 != body.to || !is(body, at + 1, "1") ||
        !is(body, at + 2, "else") || !is(body, at + 3, "0")) {
        return false;
    }
    ret->agg = "sum_boolean";
    ret->column = written(a, (span){ in.v, first + 1, at });
    return true;
}

static bool percentile_of(tn_arena *a, span s, tn_osi_sql *ret)
{
    bool cont = is(s, s.from, "percentile_cont");
    size_t end = is(s, s.from + 1, "(") ? close_of(s, s.from + 1) : s.to;
    span group = { s.v, end + 2, s.to }, in;
    double p;
    if ((!cont && !is(s, s.from, "percentile_disc")) || end != s.from + 3 ||
        !is(s, end + 1, "within") || !whole_call(group, "group", &in) ||
        !is(in, in.from, "order") || !is(in, in.from + 1, "by") ||
        !tn_str_to_f64(s.v[s.from + 2].is, &p)) {
        return false;
    }
    static const char *const ends[] = { ",", "asc", "desc", NULL };
    span col = { s.v, in.from + 2, in.to };
    size_t stop = last_of(col, ends);
    col.to = stop > col.from ? stop : col.to;
    ret->column = column_of(a, col);
    ret->agg = p == 0.5 && cont ? "median" : "percentile";
    ret->percentile = p == 0.5 && cont ? TN_VAL_NONE : tn_val_float(p);
    return true;
}

static bool aggregate_of(tn_arena *a, span s, tn_osi_sql *ret)
{
    static const char *const plain[][2] = { { "sum", "sum" }, { "avg", "average" },
        { "min", "min" }, { "max", "max" }, { "count", "count" } };
    static const char *const comma[] = { ",", NULL };
    span in;
    for (size_t i = 0; i < TN_COUNTOF(plain); i++) {
        if (!whole_call(s, plain[i][0], &in)) {
            continue;
        }
        if (i == 0 && is(in, in.from, "case") && is(in, in.to - 1, "end")) {
            ret->inner = written(a, in);
            return sum_of_case(a, in, ret);
        }
        ret->agg = plain[i][1];
        if (is(in, in.from, "distinct")) {
            in.from++;
            ret->agg = "count_distinct";
        }
        ret->column = column_of(a, in);
        ret->inner = written(a, in);
        return in.from < in.to && last_of(in, comma) == in.to;
    }
    return percentile_of(a, s, ret);
}

static span unwrapped(span s)
{
    bool wrapped = is(s, s.from, "(") && close_of(s, s.from) + 1 == s.to;
    return wrapped ? (span){ s.v, s.from + 1, s.to - 1 } : s;
}

/* The last of what binds weakest is a division. */
static bool ratio_of(tn_arena *a, span s, tn_osi_sql *ret)
{
    static const char *const weaker[] = { "+", "-", "=", "<", ">", "<=", ">=", "<>", "!=", "||",
        "and", "or", "not", "in", "is", "like", "between", ",", NULL };
    static const char *const same[] = { "*", "/", "%", NULL };
    size_t at = last_of(s, same);
    if (last_of(s, weaker) != s.to || at == s.to || !is(s, at, "/") || at == s.from ||
        at + 1 == s.to) {
        return false;
    }
    ret->numerator = written(a, unwrapped((span){ s.v, s.from, at }));
    ret->denominator = written(a, unwrapped((span){ s.v, at + 1, s.to }));
    return true;
}

tn_osi_shape tn_osi_sql_read(tn_arena *a, tn_str sql, tn_osi_sql *ret)
{
    words all = { 0 };
    *ret = (tn_osi_sql){ .percentile = TN_VAL_NONE };
    if (!read_words(a, sql, &all)) {
        return TN_OSI_OTHER;
    }
    span s = { all.v, 0, all.n };
    return aggregate_of(a, s, ret) ? TN_OSI_AGGREGATE
           : ratio_of(a, s, ret)   ? TN_OSI_RATIO
                                   : TN_OSI_OTHER;
}
