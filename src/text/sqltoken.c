/* sqltoken.c: see sqltoken.h. Lexical rules are sqlscan.h's, plus `name` as Spark writes it. */
#include "text/sqltoken.h"

#include "text/sqlscan.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char at(tn_str s, size_t i)
{
    return i < s.n ? s.p[i] : '\0';
}

static size_t skip_number(tn_str s, size_t i)
{
    while ((sqlscan_is_name(at(s, i)) && at(s, i) != '$') ||
           (at(s, i) == '.' && is_digit(at(s, i + 1))) ||
           ((at(s, i) == '+' || at(s, i) == '-') && (at(s, i - 1) == 'e' || at(s, i - 1) == 'E') &&
               is_digit(at(s, i + 1)))) {
        i++;
    }
    return i;
}

/* The end of what starts at i; *ret_kind says what, -1 for blanks and comments. SIZE_MAX: left open. */
static size_t one_token(tn_str s, size_t i, int *ret_kind)
{
    char c = at(s, i), d = at(s, i + 1);
    *ret_kind = -1;
    if (sqlscan_is_blank(c)) {
        return i + 1;
    }
    if (c == '-' && d == '-') {
        return sqlscan_line_comment(s, i);
    }
    if (c == '/' && d == '*') {
        return sqlscan_block_comment(s, i);
    }
    if (c == '\'' || ((c == 'e' || c == 'E') && d == '\'')) {
        *ret_kind = TN_TOKEN_STRING;
        return c == '\'' ? sqlscan_quoted(s, i, false) : sqlscan_quoted(s, i + 1, true);
    }
    if (c == '"' || c == '`') {
        *ret_kind = TN_TOKEN_QUOTED;
        return sqlscan_quoted(s, i, false);
    }
    if (c == '$') {
        size_t end = sqlscan_dollar(s, i);
        *ret_kind = end == i + 1 ? TN_TOKEN_SIGN : TN_TOKEN_STRING;
        return end;
    }
    if (is_digit(c)) {
        *ret_kind = TN_TOKEN_NUMBER;
        return skip_number(s, i);
    }
    *ret_kind = sqlscan_is_name(c) ? TN_TOKEN_WORD : TN_TOKEN_SIGN;
    return sqlscan_is_name(c) ? sqlscan_name(s, i) : i + 1;
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

static bool is_word(const tn_tokens *t, size_t i, tn_str word)
{
    return i < t->n && (t->v[i].kind == TN_TOKEN_WORD || t->v[i].kind == TN_TOKEN_SIGN) &&
           tn_str_eq_nocase(t->v[i].text, word);
}

bool tn_token_is(const tn_tokens *t, size_t i, const char *word)
{
    return is_word(t, i, tn_str_of(word));
}

bool tn_token_is_any(const tn_tokens *t, size_t i, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (tn_token_is(t, i, *words)) {
            return true;
        }
    }
    return false;
}

bool tn_token_are(const tn_tokens *t, size_t i, const char *words)
{
    tn_str rest = tn_str_of(words), word;
    while (rest.n > 0) {
        (void)tn_str_cut(rest, ' ', &word, &rest);
        if (!is_word(t, i++, word)) {
            return false;
        }
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
