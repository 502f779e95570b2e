/* sqltoken.c: see sqltoken.h. Lexical rules are DuckDB's (PostgreSQL's), plus `name` as Spark writes it:
 *
 *   name    [A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*  |  "..." ("" inside)  |  `...` (`` inside)
 *   string  '...' ('' inside)  |  E'...' (\' inside too)  |  $tag$ ... $tag$
 *   comment -- to the end of the line  |  slash star ... star slash, nesting
 */
#include "text/sqltoken.h"

static bool starts_name(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static unsigned char at(tn_str s, size_t i)
{
    return i < s.n ? (unsigned char)s.p[i] : 0;
}

/* i stands on the opening quote: behind the closing one, or SIZE_MAX. */
static size_t skip_quoted(tn_str s, size_t i, char quote, bool backslash)
{
    for (size_t k = i + 1; k < s.n; k++) {
        if (backslash && s.p[k] == '\\') {
            k++;
        } else if (s.p[k] == quote) {
            if (at(s, k + 1) != (unsigned char)quote) {
                return k + 1;
            }
            k++;
        }
    }
    return SIZE_MAX;
}

static size_t skip_block_comment(tn_str s, size_t i)
{
    int depth = 0;
    while (i < s.n) {
        if (at(s, i) == '/' && at(s, i + 1) == '*') {
            depth++;
            i += 2;
        } else if (at(s, i) == '*' && at(s, i + 1) == '/') {
            i += 2;
            if (--depth == 0) {
                return i;
            }
        } else {
            i++;
        }
    }
    return SIZE_MAX;
}

/* $tag$ ... $tag$; i when there is no such string here (a parameter like $1). */
static size_t skip_dollar(tn_str s, size_t i)
{
    size_t k = i + 1;
    while (starts_name(at(s, k)) || (k > i + 1 && is_digit(at(s, k)))) {
        k++;
    }
    if (at(s, k) != '$') {
        return i;
    }
    tn_str tag = tn_str_sub(s, i, k + 1);
    size_t end = tn_str_find(s, tag, k + 1);
    return end == SIZE_MAX ? SIZE_MAX : end + tag.n;
}

static size_t skip_number(tn_str s, size_t i)
{
    while (is_digit(at(s, i)) || at(s, i) == '_' || starts_name(at(s, i)) ||
           (at(s, i) == '.' && is_digit(at(s, i + 1))) ||
           ((at(s, i) == '+' || at(s, i) == '-') && (at(s, i - 1) == 'e' || at(s, i - 1) == 'E') &&
               is_digit(at(s, i + 1)))) {
        i++;
    }
    return i;
}

static size_t skip_word(tn_str s, size_t i)
{
    while (starts_name(at(s, i)) || is_digit(at(s, i)) || at(s, i) == '$') {
        i++;
    }
    return i;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* The end of what starts at i; *ret_kind says what, -1 for blanks and comments. SIZE_MAX: left open. */
static size_t one_token(tn_str s, size_t i, int *ret_kind)
{
    unsigned char c = at(s, i), d = at(s, i + 1);
    *ret_kind = -1;
    if (is_blank(c)) {
        return i + 1;
    }
    if (c == '-' && d == '-') {
        size_t end = tn_str_find_char(s, '\n', i);
        return end == SIZE_MAX ? s.n : end + 1;
    }
    if (c == '/' && d == '*') {
        return skip_block_comment(s, i);
    }
    if (c == '\'' || ((c == 'e' || c == 'E') && d == '\'')) {
        *ret_kind = TN_TOKEN_STRING;
        return c == '\'' ? skip_quoted(s, i, '\'', false) : skip_quoted(s, i + 1, '\'', true);
    }
    if (c == '"' || c == '`') {
        *ret_kind = TN_TOKEN_QUOTED;
        return skip_quoted(s, i, (char)c, false);
    }
    if (c == '$') {
        size_t end = skip_dollar(s, i);
        *ret_kind = end == i ? TN_TOKEN_SIGN : TN_TOKEN_STRING;
        return end == i ? i + 1 : end;
    }
    if (starts_name(c)) {
        *ret_kind = TN_TOKEN_WORD;
        return skip_word(s, i);
    }
    *ret_kind = is_digit(c) ? TN_TOKEN_NUMBER : TN_TOKEN_SIGN;
    return is_digit(c) ? skip_number(s, i) : i + 1;
}

tn_rc tn_sql_tokens(tn_arena *a, tn_str sql, tn_tokens *ret, tn_err *err)
{
    tn_tokens out = { 0 };
    for (size_t i = 0; i < sql.n;) {
        int kind;
        size_t end = one_token(sql, i, &kind);
        if (end == SIZE_MAX) {
            return tn_fail(err, TN_E_SYNTAX,
                "a string, a quoted name or a comment is not closed: " TN_STR_FMT,
                TN_STR_ARG(tn_str_sub(sql, i, i + 40)));
        }
        if (kind >= 0) {
            if (out.n >= TN_SQL_TOKENS_MAX) {
                return tn_fail(err, TN_E_LIMIT, "a statement cannot have more than %d words",
                    TN_SQL_TOKENS_MAX);
            }
            tn_vec_push(&out, a,
                ((tn_token){ .kind = (tn_token_kind)kind, .text = tn_str_sub(sql, i, end) }));
        }
        i = end;
    }
    *ret = out;
    return TN_OK;
}

bool tn_token_is(const tn_tokens *t, size_t i, const char *word)
{
    if (i >= t->n) {
        return false;
    }
    const tn_token *k = &t->v[i];
    return (k->kind == TN_TOKEN_WORD || k->kind == TN_TOKEN_SIGN) &&
           tn_str_eq_nocase(k->text, tn_str_of(word));
}

bool tn_token_are(const tn_tokens *t, size_t i, const char *words)
{
    tn_str rest = tn_str_of(words), word;
    while (rest.n > 0) {
        (void)tn_str_cut(rest, ' ', &word, &rest);
        bool plain = i < t->n && (t->v[i].kind == TN_TOKEN_WORD || t->v[i].kind == TN_TOKEN_SIGN);
        if (!plain || !tn_str_eq_nocase(t->v[i].text, word)) {
            return false;
        }
        i++;
    }
    return true;
}

bool tn_token_is_name(const tn_tokens *t, size_t i)
{
    return i < t->n && (t->v[i].kind == TN_TOKEN_WORD || t->v[i].kind == TN_TOKEN_QUOTED);
}

tn_str tn_token_value(tn_arena *a, const tn_token *t)
{
    tn_str s = t->text;
    bool quoted = t->kind == TN_TOKEN_QUOTED || (t->kind == TN_TOKEN_STRING && s.p[0] == '\'');
    if (!quoted) {
        return s;
    }
    char quote = s.p[0];
    tn_str inner = tn_str_sub(s, 1, s.n - 1);
    char twice[2] = { quote, quote };
    return tn_str_replace(a, inner, tn_str_n(twice, 2), tn_str_n(&quote, 1));
}

size_t tn_token_close(const tn_tokens *t, size_t i)
{
    int depth = 0;
    for (; i < t->n; i++) {
        if (t->v[i].kind == TN_TOKEN_SIGN) {
            depth += t->v[i].text.p[0] == '(';
            depth -= t->v[i].text.p[0] == ')';
            if (depth == 0) {
                return i;
            }
        }
    }
    return SIZE_MAX;
}

bool tn_token_dotted(tn_arena *a, const tn_tokens *t, size_t *at, tn_strs *ret_parts)
{
    tn_strs parts = { 0 };
    size_t i = *at;
    while (tn_token_is_name(t, i)) {
        tn_vec_push(&parts, a, tn_token_value(a, &t->v[i]));
        i++;
        if (!tn_token_is(t, i, ".")) {
            break;
        }
        i++;
    }
    if (parts.n == 0) {
        return false;
    }
    *ret_parts = parts;
    *at = i;
    return true;
}
