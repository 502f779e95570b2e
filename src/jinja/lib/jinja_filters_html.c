/* jinja_filters_html.c: the filters that make or read HTML and URLs. */
#include "base/buf.h"
#include "jinja/lib/jinja_filters.h"
#include "jinja/lib/jinja_regex.h"

static tn_rc safe_text(tn_buf *b, tn_val *ret, tn_err *err)
{
    tn_val r;
    TN_TRY(tn_jlib_finish(b, &r, err));
    *ret = tn_jlib_safe(r);
    return TN_OK;
}

tn_rc tn_jfilter_forceescape(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("forceescape", 1, NULL);
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    tn_jlib_escape_to(&b, tn_jlib_text(c->arena, v));
    return safe_text(&b, ret, err);
}

tn_rc tn_jfilter_escape(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("escape", 1, NULL);
    if (v.tag == TN_STR_V && (v.flags & TN_VF_SAFE)) {
        *ret = v;
        return TN_OK;
    }
    return tn_jfilter_forceescape(self, c, ret, err);
}

tn_rc tn_jfilter_safe(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("safe", 1, NULL);
    *ret = tn_jlib_safe(v.tag == TN_STR_V ? v : tn_val_str(tn_jlib_text(c->arena, v)));
    return TN_OK;
}

/* ---- striptags ---- */
/* Without what stands between open and close, again and again. */
static tn_str without(tn_arena *a, tn_str s, const char *open, const char *close)
{
    for (;;) {
        size_t from = tn_str_find(s, tn_str_of(open), 0);
        size_t to = from == SIZE_MAX ? SIZE_MAX : tn_str_find(s, tn_str_of(close), from);
        if (to == SIZE_MAX) {
            return s;
        }
        s = tn_str_concat(a, tn_str_sub(s, 0, from), tn_str_sub(s, to + strlen(close), s.n));
    }
}

static const struct {
    const char *name;
    uint32_t cp;
} ENTITIES[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
    { "nbsp", 0xa0 }, { "copy", 0xa9 }, { "reg", 0xae }, { "trade", 0x2122 }, { "hellip", 0x2026 },
    { "mdash", 0x2014 }, { "ndash", 0x2013 }, { "lsquo", 0x2018 }, { "rsquo", 0x2019 },
    { "ldquo", 0x201c }, { "rdquo", 0x201d }, { "laquo", 0xab }, { "raquo", 0xbb },
    { "euro", 0x20ac }, { "pound", 0xa3 }, { "yen", 0xa5 }, { "cent", 0xa2 }, { "sect", 0xa7 },
    { "deg", 0xb0 }, { "plusmn", 0xb1 }, { "times", 0xd7 }, { "divide", 0xf7 }, { "micro", 0xb5 },
    { "middot", 0xb7 }, { "bull", 0x2022 }, { "auml", 0xe4 }, { "ouml", 0xf6 }, { "uuml", 0xfc },
    { "Auml", 0xc4 }, { "Ouml", 0xd6 }, { "Uuml", 0xdc }, { "szlig", 0xdf }, { "eacute", 0xe9 },
    { "egrave", 0xe8 }, { "agrave", 0xe0 }, { "ccedil", 0xe7 }, { "ntilde", 0xf1 } };

static size_t entity(tn_str s, uint32_t *ret_cp)
{
    size_t end = tn_str_find_char(s, ';', 1);
    if (end == SIZE_MAX || end > 32) {
        return 0;
    }
    tn_str name = tn_str_sub(s, 1, end);
    if (name.n > 1 && name.p[0] == '#') {
        bool hex = name.p[1] == 'x' || name.p[1] == 'X';
        uint32_t cp = 0;
        for (size_t i = hex ? 2 : 1; i < name.n; i++) {
            char c = name.p[i];
            uint32_t d = c >= '0' && c <= '9'          ? (uint32_t)(c - '0')
                         : hex && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : hex && c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                       : 99;
            if (d == 99 || cp > 0x10ffff) {
                return 0;
            }
            cp = cp * (hex ? 16 : 10) + d;
        }
        *ret_cp = cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff) ? 0xfffd : cp;
        return end + 1;
    }
    for (size_t i = 0; i < TN_COUNTOF(ENTITIES); i++) {
        if (tn_str_is(name, ENTITIES[i].name)) {
            *ret_cp = ENTITIES[i].cp;
            return end + 1;
        }
    }
    return 0;
}

tn_rc tn_jfilter_striptags(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("striptags", 1, NULL);
    tn_str s = without(c->arena, tn_jlib_text(c->arena, v), "<!--", "-->");
    s = without(c->arena, s, "<", ">");
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    bool gap = false;
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (tn_uni_is_space(cp)) {
            gap = b.n > 0;
            at += n;
            continue;
        }
        if (gap) {
            tn_buf_addc(&b, ' ');
            gap = false;
        }
        size_t taken = cp == '&' ? entity(tn_str_sub(s, at, s.n), &cp) : 0;
        if (taken > 0) {
            char out[4];
            tn_buf_add_n(&b, out, tn_utf8_encode(cp, out));
        } else {
            tn_buf_add(&b, tn_str_sub(s, at, at + n));
        }
        at += taken > 0 ? taken : n;
    }
    return tn_jlib_finish(&b, ret, err);
}

/* ---- URLs ---- */
static void quote_url(tn_buf *b, tn_str s, bool query)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                     (ch >= '0' && ch <= '9') || (ch != 0 && strchr("-._~", ch) != NULL) ||
                     (ch == '/' && !query);
        if (plain) {
            tn_buf_addc(b, (char)ch);
        } else if (ch == ' ' && query) {
            tn_buf_addc(b, '+');
        } else {
            tn_buf_addf(b, "%%%02X", ch);
        }
    }
}

tn_rc tn_jfilter_urlencode(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("urlencode", 1, NULL);
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    const tn_list *l;
    if (v.tag == TN_DICT) {
        v = tn_jlib_view(c->arena, v.dict, 'i');
    }
    if (v.tag == TN_STR_V || tn_jlib_items(c->arena, v, &l, NULL) != TN_OK) {
        quote_url(&b, tn_jlib_text(c->arena, v), false);
        return tn_jlib_finish(&b, ret, err);
    }
    for (size_t i = 0; i < l->n; i++) {
        const tn_list *kv;
        TN_TRY(tn_jlib_items(c->arena, l->v[i], &kv, err));
        if (kv->n != 2) {
            return tn_fail(err, TN_E_VALUE,
                kv->n < 2 ? "not enough values to unpack (expected 2, got %zu)"
                          : "too many values to unpack (expected 2)",
                kv->n);
        }
        tn_buf_addz(&b, i > 0 ? "&" : "");
        quote_url(&b, tn_jlib_text(c->arena, kv->v[0]), true);
        tn_buf_addc(&b, '=');
        quote_url(&b, tn_jlib_text(c->arena, kv->v[1]), true);
    }
    return tn_jlib_finish(&b, ret, err);
}

static void add_escaped(tn_arena *a, tn_buf *b, tn_val v)
{
    if (v.tag == TN_STR_V && (v.flags & TN_VF_SAFE)) {
        tn_buf_add(b, tn_val_as_str(v));
    } else {
        tn_jlib_escape_to(b, tn_jlib_text(a, v));
    }
}

tn_rc tn_jfilter_xmlattr(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("xmlattr", 2, "autospace");
    if (v.tag != TN_DICT) {
        return tn_fail(err, TN_E_NAME, "'%s' object has no attribute 'items'", tn_val_type_name(v));
    }
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    bool space = tn_jlib_bool_arg(c, 1, "autospace", true);
    size_t at = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(v.dict, &at)) != NULL;) {
        if (it->value.tag == TN_NONE || it->value.tag == TN_UNDEF) {
            continue;
        }
        tn_str key = tn_jlib_text(c->arena, it->key);
        for (size_t i = 0; i < key.n; i++) {
            if (key.p[i] == '/' || key.p[i] == '>' || key.p[i] == '=' ||
                tn_uni_is_space((unsigned char)key.p[i])) {
                return tn_fail(err, TN_E_VALUE,
                    "Invalid character in attribute name: '" TN_STR_FMT "'", TN_STR_ARG(key));
            }
        }
        tn_buf_addz(&b, b.n > 0 || space ? " " : "");
        add_escaped(c->arena, &b, it->key);
        tn_buf_addz(&b, "=\"");
        add_escaped(c->arena, &b, it->value);
        tn_buf_addc(&b, '"');
    }
    return tn_jlib_finish(&b, ret, err);
}

/* ---- urlize ---- */
typedef struct urlizer {
    const tn_call *c;
    tn_jregex *http, *mail, *head, *tail, *tail_mail;
    int64_t limit; /* -1: none */
    tn_str rel, target;
    const tn_list *schemes;
    tn_err *err;
} urlizer;

static size_t count(tn_str s, const char *part)
{
    size_t n = 0, len = strlen(part);
    for (size_t at = 0; (at = tn_str_find(s, tn_str_of(part), at)) != SIZE_MAX; at += len) {
        n++;
    }
    return n;
}

static bool matches(
    const urlizer *u, const tn_jregex *re, tn_str s, tn_jregex_how how, tn_jspan *ret)
{
    tn_jspan *m = NULL;
    if (tn_jregex_exec(re, u->c->arena, s, 0, how, false, &m, NULL) != TN_OK || m == NULL) {
        return false;
    }
    *ret = m[0];
    return true;
}

/* Closing brackets that the link opened belong to it: they move from the tail back to the middle. */
static void balance(
    const urlizer *u, tn_str *middle, tn_str *tail, const char *open, const char *close)
{
    size_t opened = count(*middle, open), closed = count(*middle, close);
    if (opened <= closed) {
        return;
    }
    for (size_t n = tn_min_size(opened, count(*tail, close)); n > 0; n--) {
        size_t end = tn_str_find(*tail, tn_str_of(close), 0) + strlen(close);
        *middle = tn_str_concat(u->c->arena, *middle, tn_str_sub(*tail, 0, end));
        *tail = tn_str_sub(*tail, end, tail->n);
    }
}

static tn_str shortened(const urlizer *u, tn_str s)
{
    if (u->limit < 0 || (int64_t)tn_utf8_len(s) <= u->limit) {
        return s;
    }
    return tn_str_concat(
        u->c->arena, tn_str_sub(s, 0, tn_utf8_offset(s, (size_t)u->limit)), TN_STR("..."));
}

static void add_link(
    const urlizer *u, tn_buf *b, const char *scheme, tn_str href, bool attributes, tn_str text)
{
    tn_buf_addf(b, "<a href=\"%s", scheme);
    tn_buf_add(b, href);
    tn_buf_addz(b, "\"");
    if (attributes && u->rel.n > 0) {
        tn_buf_addz(b, " rel=\"");
        tn_jlib_escape_to(b, u->rel);
        tn_buf_addz(b, "\"");
    }
    if (attributes && u->target.n > 0) {
        tn_buf_addz(b, " target=\"");
        tn_jlib_escape_to(b, u->target);
        tn_buf_addz(b, "\"");
    }
    tn_buf_addz(b, ">");
    tn_buf_add(b, text);
    tn_buf_addz(b, "</a>");
}

static void add_middle(const urlizer *u, tn_buf *b, tn_str s)
{
    tn_jspan m;
    bool mailto = tn_str_starts(s, TN_STR("mailto:"));
    if (matches(u, u->http, s, TN_RE_MATCH, &m)) {
        bool scheme = tn_str_starts(s, TN_STR("https://")) || tn_str_starts(s, TN_STR("http://"));
        add_link(u, b, scheme ? "" : "https://", s, true, shortened(u, s));
        return;
    }
    if (mailto && matches(u, u->mail, tn_str_sub(s, 7, s.n), TN_RE_MATCH, &m)) {
        add_link(u, b, "", s, false, tn_str_sub(s, 7, s.n));
        return;
    }
    if (tn_str_find_char(s, '@', 0) != SIZE_MAX && !tn_str_starts(s, TN_STR("www.")) &&
        s.p[0] != '@' && tn_str_find_char(s, ':', 0) == SIZE_MAX &&
        matches(u, u->mail, s, TN_RE_MATCH, &m)) {
        add_link(u, b, "mailto:", s, false, s);
        return;
    }
    for (size_t i = 0; u->schemes != NULL && i < u->schemes->n; i++) {
        tn_str scheme = tn_val_as_str(u->schemes->v[i]);
        if (!tn_str_eq(s, scheme) && tn_str_starts(s, scheme)) {
            add_link(u, b, "", s, true, s);
            return;
        }
    }
    tn_buf_add(b, s);
}

static void add_word(const urlizer *u, tn_buf *b, tn_str word)
{
    tn_jspan m;
    tn_str head = TN_STR_NONE, middle = word, tail = TN_STR_NONE;
    if (matches(u, u->head, middle, TN_RE_MATCH, &m)) {
        head = tn_str_sub(middle, 0, m.to);
        middle = tn_str_sub(middle, m.to, middle.n);
    }
    if (tn_str_ends(middle, TN_STR(")")) || tn_str_ends(middle, TN_STR(">")) ||
        tn_str_ends(middle, TN_STR(".")) || tn_str_ends(middle, TN_STR(",")) ||
        tn_str_ends(middle, TN_STR("\n")) || tn_str_ends(middle, TN_STR("&gt;"))) {
        if (matches(u, u->tail, middle, TN_RE_SEARCH, &m)) {
            tail = tn_str_sub(middle, m.from, middle.n);
            middle = tn_str_sub(middle, 0, m.from);
        }
    }
    balance(u, &middle, &tail, "(", ")");
    balance(u, &middle, &tail, "<", ">");
    balance(u, &middle, &tail, "&lt;", "&gt;");
    tn_buf_add(b, head);
    add_middle(u, b, middle);
    tn_buf_add(b, tail);
}

static tn_rc urlizer_init(urlizer *u, tn_err *err)
{
    static const char http[] =
        "^((https?://|www\\.)(([\\w%-]+\\.)+)?([a-z]{2,63}|xn--[\\w%]{2,59})|"
        "([\\w%-]{2,63}\\.)+(com|net|int|edu|gov|org|info|mil)|"
        "(https?://)((([\\d]{1,3})(\\.[\\d]{1,3}){3})|"
        "(\\[([\\da-f]{0,4}:){2}([\\da-f]{0,4}:?){1,6}])))"
        "(?::[\\d]{1,5})?(?:[/?#]\\S*)?$";
    static const char mail[] = "^\\S+@\\w[\\w.-]*\\.\\w+$";
    tn_arena *a = u->c->arena;
    TN_TRY(tn_jregex_compile(a, tn_str_of(http), TN_RE_I, &u->http, err));
    TN_TRY(tn_jregex_compile(a, tn_str_of(mail), 0, &u->mail, err));
    TN_TRY(tn_jregex_compile(a, TN_STR("^([(<]|&lt;)+"), 0, &u->head, err));
    return tn_jregex_compile(a, TN_STR("([)>.,\\n]|&gt;)+$"), 0, &u->tail, err);
}

/* The words of rel, sorted and without doubles, with what nofollow and the policy add. */
static tn_rc rel_words(const tn_call *c, bool nofollow, tn_str *ret, tn_err *err)
{
    tn_val words = tn_val_set(c->arena);
    tn_str rest = tn_jlib_strip(tn_jlib_text(c->arena, tn_call_arg(c, 4, "rel")), 3), word;
    if (tn_call_arg(c, 4, "rel").tag == TN_NONE) {
        rest = TN_STR_NONE;
    }
    for (bool more = rest.n > 0; more;) {
        more = tn_str_cut(rest, ' ', &word, &rest);
        if (word.n > 0) {
            tn_dict_put(words.dict, tn_val_str(word), TN_VAL_NONE);
        }
    }
    if (nofollow) {
        tn_dict_put(words.dict, tn_val_str(TN_STR("nofollow")), TN_VAL_NONE);
    }
    tn_dict_put(words.dict, tn_val_str(TN_STR("noopener")), TN_VAL_NONE);
    const tn_list *l;
    TN_TRY(tn_jlib_items(c->arena, words, &l, err));
    TN_TRY(tn_jlib_sort(c->arena, l->v, NULL, l->n, false, err));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t i = 0; i < l->n; i++) {
        tn_buf_addz(&b, i > 0 ? " " : "");
        tn_buf_add(&b, tn_val_as_str(l->v[i]));
    }
    *ret = tn_buf_str(&b);
    return TN_OK;
}

tn_rc tn_jfilter_urlize(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("urlize", 6, "trim_url_limit", "nofollow", "target", "rel", "extra_schemes");
    urlizer u = { .c = c, .limit = -1, .err = err };
    TN_TRY(urlizer_init(&u, err));
    if (tn_call_arg(c, 1, "trim_url_limit").tag != TN_NONE) {
        TN_TRY(tn_jlib_int_arg(c, 1, "trim_url_limit", &u.limit, err));
    }
    TN_TRY(rel_words(c, tn_jlib_bool_arg(c, 2, "nofollow", false), &u.rel, err));
    tn_val target = tn_call_arg(c, 3, "target"), schemes = tn_call_arg(c, 5, "extra_schemes");
    u.target = target.tag == TN_STR_V ? tn_val_as_str(target) : TN_STR_NONE;
    if (schemes.tag != TN_UNDEF && schemes.tag != TN_NONE) {
        TN_TRY(tn_jlib_items(c->arena, schemes, &u.schemes, err));
    }
    tn_buf text = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX),
           b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    add_escaped(c->arena, &text, v);
    tn_list *words = tn_jlib_list_new(c->arena);
    TN_TRY(tn_jregex_split(c->arena, "(\\s+)", tn_buf_str(&text), words, err));
    for (size_t i = 0; i < words->n; i++) {
        add_word(&u, &b, tn_val_as_str(words->v[i]));
    }
    return tn_jlib_finish(&b, ret, err);
}
