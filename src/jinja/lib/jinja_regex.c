/* jinja_regex.c: regular expressions in Python's dialect through PCRE2.
 *
 * The two dialects are near. What differs is translated: \Z (the very end), {,n}, \uXXXX, the flags (?a) and (?u), and escapes
 * that only one of them knows. Matching has limits, so that no pattern can run away. Memory comes from the arena. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "jinja/lib/jinja_regex.h"

#include <pcre2.h>

#include "base/buf.h"

enum { MATCH_LIMIT = 10000000, DEPTH_LIMIT = 200000, HEAP_LIMIT_KB = 65536, PATTERN_MAX = 65536 };

struct tn_jregex {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    size_t groups;
};

static void *take(PCRE2_SIZE n, void *arena)
{
    return tn_arena_alloc(arena, n);
}

static void leave(void *p, void *arena)
{
    (void)p, (void)arena; /* the arena frees everything at once */
}

/* ---- translation ---- */
typedef struct translator {
    tn_str s;
    size_t at;
    tn_buf *b;
    tn_err *err;
    int64_t *flags;
} translator;

static tn_rc bad_escape(const translator *t, char c)
{
    return tn_fail(t->err, TN_E_VALUE, "bad escape \\%c at position %zu", c, t->at);
}

static tn_rc code_point(translator *t, size_t digits)
{
    uint32_t cp = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = t->at + 2 + i < t->s.n ? t->s.p[t->at + 2 + i] : 'z';
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) {
            return tn_fail(t->err, TN_E_VALUE, "incomplete escape \\%c at position %zu",
                t->s.p[t->at + 1], t->at);
        }
        cp = cp * 16 + (uint32_t)d;
    }
    tn_buf_addf(t->b, "\\x{%x}", cp);
    t->at += 2 + digits;
    return TN_OK;
}

static tn_rc escape(translator *t, bool in_class)
{
    if (t->at + 1 >= t->s.n) {
        return tn_fail(t->err, TN_E_VALUE, "bad escape (end of pattern) at position %zu", t->at);
    }
    char c = t->s.p[t->at + 1];
    if (c == 'u' || c == 'U' || c == 'x') {
        return code_point(t, c == 'u' ? 4 : c == 'U' ? 8 : 2);
    }
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && strchr(in_class ? "abdDsSwWfnrtv" : "AabBdDsSwWZfnrtv", c) == NULL) {
        return bad_escape(t, c);
    }
    tn_buf_addc(t->b, '\\');
    if (c == 'v') {
        tn_buf_addz(t->b, "x0b");
    } else {
        tn_buf_addc(t->b, c == 'Z' ? 'z' : c);
    }
    t->at += 2;
    return TN_OK;
}

static tn_rc char_class(translator *t)
{
    size_t start = t->at;
    tn_buf_addc(t->b, t->s.p[t->at++]);
    if (t->at < t->s.n && t->s.p[t->at] == '^') {
        tn_buf_addc(t->b, t->s.p[t->at++]);
    }
    bool first = true;
    while (t->at < t->s.n && (first || t->s.p[t->at] != ']')) {
        char c = t->s.p[t->at];
        if (c == '\\') {
            TN_TRY(escape(t, true));
        } else {
            if (c == '[' || (first && c == ']')) {
                tn_buf_addc(t->b, '\\'); /* [: is no class of POSIX in Python */
            }
            tn_buf_addc(t->b, c);
            t->at++;
        }
        first = false;
    }
    if (t->at >= t->s.n) {
        return tn_fail(t->err, TN_E_VALUE, "unterminated character set at position %zu", start);
    }
    tn_buf_addc(t->b, t->s.p[t->at++]);
    return TN_OK;
}

/* (?aiLmsux) at the start: PCRE2 has no a, u and L. True when the text at t->at was one. */
static bool global_flags(translator *t)
{
    static const struct {
        char c;
        int flag;
    } known[] = { { 'a', TN_RE_A }, { 'i', TN_RE_I }, { 'm', TN_RE_M }, { 's', TN_RE_S },
        { 'u', TN_RE_U }, { 'x', TN_RE_X } };
    size_t at = t->at + 2;
    int64_t flags = 0;
    for (; at < t->s.n && t->s.p[at] != ')'; at++) {
        size_t k = 0;
        while (k < TN_COUNTOF(known) && known[k].c != t->s.p[at]) {
            k++;
        }
        if (k == TN_COUNTOF(known)) {
            return false;
        }
        flags |= known[k].flag;
    }
    if (at >= t->s.n || at == t->at + 2) {
        return false;
    }
    *t->flags |= flags;
    t->at = at + 1;
    return true;
}

static tn_rc translate(translator *t)
{
    while (t->at < t->s.n) {
        char c = t->s.p[t->at];
        tn_str rest = tn_str_sub(t->s, t->at, t->s.n);
        if (c == '\\') {
            TN_TRY(escape(t, false));
        } else if (c == '[') {
            TN_TRY(char_class(t));
        } else if (t->at == 0 && tn_str_starts(rest, TN_STR("(?")) && global_flags(t)) {
            continue;
        } else if (tn_str_starts(rest, TN_STR("{,")) && rest.n > 2 && rest.p[2] >= '0' &&
                   rest.p[2] <= '9') {
            tn_buf_addz(t->b, "{0,");
            t->at += 2;
        } else if (tn_str_starts(rest, TN_STR("(*"))) {
            return tn_fail(t->err, TN_E_VALUE, "nothing to repeat at position %zu",
                t->at + 1); /* PCRE2's verbs */
        } else {
            tn_buf_addc(t->b, c);
            t->at++;
        }
    }
    return TN_OK;
}

tn_rc tn_jregex_compile(tn_arena *a, tn_str pattern, int64_t flags, tn_jregex **ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    translator t = { .s = pattern, .b = &b, .err = err, .flags = &flags };
    if (pattern.n > PATTERN_MAX) {
        return tn_fail(err, TN_E_LIMIT, "a regular expression of more than %d bytes", PATTERN_MAX);
    }
    TN_TRY(translate(&t));
    uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | ((flags & TN_RE_A) ? 0 : PCRE2_UCP);
    options |= ((flags & TN_RE_I) ? PCRE2_CASELESS : 0) | ((flags & TN_RE_M) ? PCRE2_MULTILINE : 0);
    options |= ((flags & TN_RE_S) ? PCRE2_DOTALL : 0) | ((flags & TN_RE_X) ? PCRE2_EXTENDED : 0);
    pcre2_general_context *general = pcre2_general_context_create(take, leave, a);
    pcre2_compile_context *cc = pcre2_compile_context_create(general);
    pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
    int code = 0;
    PCRE2_SIZE where = 0;
    tn_jregex *re = tn_new(a, tn_jregex);
    re->code = pcre2_compile((PCRE2_SPTR)(b.n ? b.p : ""), b.n, options, &code, &where, cc);
    if (re->code == NULL) {
        PCRE2_UCHAR msg[200] = { 0 };
        pcre2_get_error_message(code, msg, sizeof msg);
        return tn_fail(err, TN_E_VALUE,
            "in the regular expression '" TN_STR_FMT "': %s at position %zu", TN_STR_ARG(pattern),
            (const char *)msg, (size_t)where);
    }
    re->limits = pcre2_match_context_create(general);
    pcre2_set_match_limit(re->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(re->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(re->limits, HEAP_LIMIT_KB);
    re->data = pcre2_match_data_create_from_pattern(re->code, general);
    uint32_t groups = 0;
    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    re->groups = groups;
    *ret = re;
    return TN_OK;
}

size_t tn_jregex_groups(const tn_jregex *re)
{
    return re->groups;
}

tn_rc tn_jregex_exec(const tn_jregex *re, tn_arena *a, tn_str s, size_t from, tn_jregex_how how,
    bool not_empty, tn_jspan **ret, tn_err *err)
{
    uint32_t options = how == TN_RE_SEARCH ? 0 : PCRE2_ANCHORED;
    options |= how == TN_RE_FULLMATCH ? PCRE2_ENDANCHORED : 0;
    options |= not_empty ? PCRE2_NOTEMPTY_ATSTART : 0;
    int n = pcre2_match(
        re->code, (PCRE2_SPTR)(s.n ? s.p : ""), s.n, from, options, re->data, re->limits);
    if (n == PCRE2_ERROR_NOMATCH) {
        *ret = NULL;
        return TN_OK;
    }
    if (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT || n == PCRE2_ERROR_HEAPLIMIT) {
        return tn_fail(err, TN_E_LIMIT, "the regular expression needs too many steps on this text");
    }
    if (n < 0) {
        PCRE2_UCHAR msg[200] = { 0 };
        pcre2_get_error_message(n, msg, sizeof msg);
        return tn_fail(err, TN_E_VALUE, "regular expression: %s", (const char *)msg);
    }
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(re->data);
    tn_jspan *spans = tn_new_array(a, tn_jspan, re->groups + 1);
    for (size_t i = 0; i <= re->groups; i++) {
        bool set = i < (size_t)n && v[2 * i] != PCRE2_UNSET;
        spans[i] = set ? (tn_jspan){ v[2 * i], v[2 * i + 1] } : (tn_jspan){ SIZE_MAX, SIZE_MAX };
    }
    *ret = spans;
    return TN_OK;
}

tn_rc tn_jregex_split(tn_arena *a, const char *pattern, tn_str s, tn_list *l, tn_err *err)
{
    tn_jregex *re;
    TN_TRY(tn_jregex_compile(a, tn_str_of(pattern), 0, &re, err));
    size_t last = 0, from = 0;
    bool not_empty = false;
    for (;;) {
        tn_jspan *m;
        TN_TRY(tn_jregex_exec(re, a, s, from, TN_RE_SEARCH, not_empty, &m, err));
        if (m == NULL) {
            break;
        }
        tn_list_push(l, tn_val_str(tn_str_sub(s, last, m[0].from)));
        for (size_t i = 1; i <= re->groups; i++) {
            tn_list_push(l, m[i].from == SIZE_MAX ? TN_VAL_NONE
                                                  : tn_val_str(tn_str_sub(s, m[i].from, m[i].to)));
        }
        last = from = m[0].to;
        not_empty = m[0].from == m[0].to;
    }
    tn_list_push(l, tn_val_str(tn_str_sub(s, last, s.n)));
    return TN_OK;
}

size_t tn_jregex_group(const tn_jregex *re, tn_str name)
{
    char z[64];
    if (name.n >= sizeof z) {
        return 0;
    }
    memcpy(z, name.p, name.n);
    z[name.n] = 0;
    int n = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)z);
    return n > 0 ? (size_t)n : 0;
}

tn_str tn_jregex_name(const tn_jregex *re, size_t group)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *row = table + i * size;
        if ((size_t)(row[0] << 8 | row[1]) == group) {
            return tn_str_of((const char *)row + 2);
        }
    }
    return TN_STR_NONE;
}
