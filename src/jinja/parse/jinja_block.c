/* jinja_block.c: the top-level blocks of a file, found without parsing expressions, by the rules of dbt's extractor:
 *
 *   tag      {% name [block name] ... %}   strings hide a closing brace
 *   {{ }}    skipped to }} , strings hide it; {# #} skipped; {% raw %} skipped to {% endraw %}
 *   block    from an opening tag of a wanted kind to the next end tag of the same kind
 *   if, for  are counted: a block inside of them is an error, so is an end without a start
 *
 * White space before {%- and after -%} belongs to the tag, as in dbt.
 */
#include "jinja/parse/jinja_lex.h"
#include "jinja/parse/jinja_tmpl.h"

enum { OPEN_MAX = 1000 };

typedef struct tag {
    tn_str type; /* "macro", "endmacro", "if", ... */
    tn_str name; /* the word after it, or empty */
    size_t start, end;
    size_t brace;      /* of {% */
    size_t inner_from; /* the tag's text after type and name, up to the closing brace */
    size_t inner_to;
} tag;

typedef struct scan {
    tn_arena *a;
    tn_str s;
    size_t at;
    tn_jinja_src src;
    tn_err *err;
} scan;

static tn_rc fail(const scan *sc, size_t pos, const char *what)
{
    tn_jinja_tmpl t = { .text = sc->s,
        .file = sc->src.file != NULL ? sc->src.file : "<template>",
        .line = sc->src.line > 0 ? sc->src.line : 1 };
    tn_rc rc = tn_fail(sc->err, TN_E_SYNTAX, "%s", what);
    tn_jinja_err_at(&t, (uint32_t)pos, sc->err);
    return rc;
}

static bool is_word(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static size_t skip_space(tn_str s, size_t at)
{
    while (at < s.n) {
        uint32_t cp = 0;
        size_t took = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (!tn_jinja_is_space(cp)) {
            break;
        }
        at += took;
    }
    return at;
}

static bool at_text(tn_str s, size_t at, const char *z)
{
    size_t n = strlen(z);
    return at + n <= s.n && memcmp(s.p + at, z, n) == 0;
}

static tn_str word_at(tn_str s, size_t at)
{
    size_t end = at;
    while (end < s.n && is_word(s.p[end], end == at)) {
        end++;
    }
    return tn_str_sub(s, at, end);
}

/* The end of a closing -%} (with the white space after it) or %}, or 0. */
static size_t close_at(tn_str s, size_t at)
{
    return at_text(s, at, "-%}") ? skip_space(s, at + 3) : at_text(s, at, "%}") ? at + 2 : 0;
}

/* `{%` or `{%-` at `at`, then white space: where its first word would be. */
static size_t after_brace(tn_str s, size_t at)
{
    return skip_space(s, at + 2 + (at + 2 < s.n && s.p[at + 2] == '-'));
}

/* Past the string whose quote is at `at`; SIZE_MAX when it is not closed. */
static size_t string_end(tn_str s, size_t at)
{
    char quote = s.p[at];
    for (size_t p = at + 1; p < s.n; p++) {
        if (s.p[p] == '\\') {
            p++;
        } else if (s.p[p] == quote) {
            return p + 1;
        }
    }
    return SIZE_MAX;
}

/* From `at` past the first closed string, as dbt searches it: an unclosed quote is passed over. */
static tn_rc skip_string(scan *sc, size_t from)
{
    for (size_t p = from; p < sc->s.n; p++) {
        if (sc->s.p[p] == '\'' || sc->s.p[p] == '"') {
            size_t end = string_end(sc->s, p);
            if (end != SIZE_MAX) {
                sc->at = end;
                return TN_OK;
            }
        }
    }
    return fail(sc, from, "unexpected end of file: a string is not closed");
}

static tn_rc skip_expr(scan *sc, size_t open)
{
    sc->at = skip_space(sc->s, open + 2);
    for (;;) {
        size_t p = sc->at;
        while (p < sc->s.n && sc->s.p[p] != '\'' && sc->s.p[p] != '"' && !at_text(sc->s, p, "}}")) {
            p++;
        }
        if (p >= sc->s.n) {
            return fail(sc, open, "unexpected end of file, expected '}}'");
        }
        if (sc->s.p[p] == '}') {
            sc->at = p + 2;
            return TN_OK;
        }
        TN_TRY(skip_string(sc, p));
    }
}

static tn_rc skip_comment(scan *sc, size_t open)
{
    size_t end = tn_str_find(sc->s, TN_STR("#}"), open + 2);
    if (end == SIZE_MAX) {
        return fail(sc, open, "unexpected end of file, expected '#}'");
    }
    sc->at = end + 2;
    return TN_OK;
}

/* {% raw %} ... {% endraw %}: one piece. */
static tn_rc skip_raw(scan *sc, size_t open)
{
    size_t p = open;
    bool opened = false;
    for (; (p = tn_str_find(sc->s, TN_STR("{%"), p)) != SIZE_MAX; p += 2) {
        const char *want = opened ? "endraw" : "raw";
        size_t q = after_brace(sc->s, p);
        size_t end =
            at_text(sc->s, q, want) ? close_at(sc->s, skip_space(sc->s, q + strlen(want))) : 0;
        if (end != 0 && opened) {
            sc->at = end;
            return TN_OK;
        }
        opened |= end != 0;
    }
    return fail(sc, open, "unexpected end of file, expected '{% raw %}...{% endraw %}'");
}

static tn_rc skip_to_close(scan *sc, tag *t)
{
    for (;;) {
        size_t p = sc->at;
        while (p < sc->s.n && sc->s.p[p] != '\'' && sc->s.p[p] != '"' && close_at(sc->s, p) == 0) {
            p++;
        }
        if (p >= sc->s.n) {
            return fail(sc, t->brace, "unexpected end of file, expected tag close (\"%}\")");
        }
        if (sc->s.p[p] != '\'' && sc->s.p[p] != '"') {
            t->inner_to = p;
            sc->at = close_at(sc->s, p);
            return TN_OK;
        }
        TN_TRY(skip_string(sc, p));
    }
}

/* White space before {%- is the tag's, as far as nothing else has taken it. */
static size_t start_of(const scan *sc, size_t brace, size_t floor)
{
    bool strips = brace + 2 < sc->s.n && sc->s.p[brace + 2] == '-';
    size_t start = brace;
    while (strips && start > floor) {
        size_t from = start - 1;
        while (from > floor && start - from < 4 && ((unsigned char)sc->s.p[from] & 0xc0) == 0x80) {
            from--;
        }
        uint32_t cp = 0;
        if (tn_utf8_decode(tn_str_sub(sc->s, from, start), &cp) != start - from ||
            !tn_jinja_is_space(cp)) {
            break;
        }
        start = from;
    }
    return start;
}

/* The next tag; *more false at the end of the file. */
static tn_rc next_tag(scan *sc, tag *t, bool *more)
{
    size_t floor = sc->at;
    for (size_t p = sc->at; (p = tn_str_find_char(sc->s, '{', p)) != SIZE_MAX;) {
        char c = p + 1 < sc->s.n ? sc->s.p[p + 1] : '\0';
        tn_str type = c == '%' ? word_at(sc->s, after_brace(sc->s, p)) : TN_STR_NONE;
        if (c == '{' || c == '#') {
            TN_TRY(c == '{' ? skip_expr(sc, p) : skip_comment(sc, p));
            p = floor = sc->at;
            continue;
        }
        if (type.n == 0) {
            p++;
            continue;
        }
        *t = (tag){ .type = type, .brace = p, .start = start_of(sc, p, floor) };
        *more = true;
        if (tn_str_is(type, "raw")) {
            TN_TRY(skip_raw(sc, p));
        } else {
            size_t after = (size_t)(type.p - sc->s.p) + type.n, q = skip_space(sc->s, after);
            t->name = q > after ? word_at(sc->s, q) : TN_STR_NONE;
            t->inner_from = sc->at = t->name.n > 0 ? q + t->name.n : after;
            TN_TRY(skip_to_close(sc, t));
        }
        t->end = sc->at;
        return TN_OK;
    }
    *more = false;
    return TN_OK;
}

/* ---- blocks ---- */

static const struct {
    const char *type;
    tn_jinja_block_kind kind;
} kinds_of[] = {
    { "macro", TN_BLOCK_MACRO },
    { "test", TN_BLOCK_TEST },
    { "data_test", TN_BLOCK_TEST },
    { "materialization", TN_BLOCK_MATERIALIZATION },
    { "snapshot", TN_BLOCK_SNAPSHOT },
    { "docs", TN_BLOCK_DOCS },
};

static bool kind_of(tn_str type, unsigned kinds, tn_jinja_block_kind *ret)
{
    for (size_t i = 0; i < TN_COUNTOF(kinds_of); i++) {
        if (tn_str_is(type, kinds_of[i].type) && (kinds >> kinds_of[i].kind & 1u) != 0) {
            *ret = kinds_of[i].kind;
            return true;
        }
    }
    return false;
}

/* `, adapter='duckdb'` -> duckdb; else default. */
static tn_str adapter_of(tn_str args)
{
    for (size_t p = 0; (p = tn_str_find(args, TN_STR("adapter"), p)) != SIZE_MAX; p++) {
        size_t q = skip_space(args, p + 7);
        if (q >= args.n || args.p[q] != '=' || (p > 0 && is_word(args.p[p - 1], false))) {
            continue;
        }
        q = skip_space(args, q + 1);
        if (q < args.n && (args.p[q] == '\'' || args.p[q] == '"')) {
            size_t end = string_end(args, q);
            if (end != SIZE_MAX) {
                return tn_str_sub(args, q + 1, end - 1);
            }
        }
    }
    return TN_STR("default");
}

static tn_str block_name(tn_arena *a, tn_jinja_block_kind kind, tn_str name, tn_str args)
{
    if (kind == TN_BLOCK_TEST) {
        return tn_str_printf(a, "test_" TN_STR_FMT, TN_STR_ARG(name));
    }
    if (kind == TN_BLOCK_MATERIALIZATION) {
        return tn_str_printf(a, "materialization_" TN_STR_FMT "_" TN_STR_FMT, TN_STR_ARG(name),
            TN_STR_ARG(adapter_of(args)));
    }
    return name;
}

typedef struct finder {
    scan sc;
    unsigned kinds;
    tn_jinja_blocks *out;
    tag open; /* the block that waits for its end */
    bool is_open;
    tn_jinja_block_kind kind;
    uint8_t flow[OPEN_MAX]; /* open if ('i') and for ('f') tags */
    size_t flow_n;
    size_t last;          /* text before this is in blocks already */
    size_t line_at, line; /* counted so far */
} finder;

static int line_of(finder *f, size_t pos)
{
    for (; f->line_at < pos; f->line_at++) {
        f->line += f->sc.s.p[f->line_at] == '\n';
    }
    return (int)f->line;
}

static void add_data(finder *f, size_t to)
{
    tn_str text = tn_str_sub(f->sc.s, f->last, to);
    if ((f->kinds >> TN_BLOCK_DATA & 1u) != 0 && text.n > 0) {
        tn_jinja_block b = {
            .kind = TN_BLOCK_DATA, .full = text, .contents = text, .line = line_of(f, f->last)
        };
        tn_vec_push(f->out, f->sc.a, b);
    }
    f->last = to;
}

static tn_rc count_flow(finder *f, const tag *t)
{
    bool is_if = tn_str_is(t->type, "if"), is_for = tn_str_is(t->type, "for");
    if (is_if || is_for) {
        if (f->flow_n == OPEN_MAX) {
            return fail(&f->sc, t->brace, "if and for tags are nested too deep");
        }
        f->flow[f->flow_n++] = is_if ? 'i' : 'f';
        return TN_OK;
    }
    bool endif = tn_str_is(t->type, "endif");
    if (!endif && !tn_str_is(t->type, "endfor")) {
        return TN_OK;
    }
    if (f->flow_n == 0) {
        return fail(&f->sc, t->brace,
            endif ? "Got an unexpected control flow end tag, got endif but never saw a preceding if"
                  : "Got an unexpected control flow end tag, got endfor but never saw a preceding "
                    "for");
    }
    char open = (char)f->flow[--f->flow_n];
    if (open != (endif ? 'i' : 'f')) {
        return fail(&f->sc, t->brace,
            endif ? "Got an unexpected control flow end tag, got endif but expected endfor next"
                  : "Got an unexpected control flow end tag, got endfor but expected endif next");
    }
    return TN_OK;
}

static tn_rc open_block(finder *f, const tag *t, tn_jinja_block_kind kind)
{
    if (f->flow_n > 0) {
        return fail(&f->sc, t->brace,
            "Got a block definition inside control flow. All dbt block definitions must be at the "
            "top level");
    }
    if (f->is_open) {
        return fail(&f->sc, t->brace,
            tn_arena_printf(f->sc.a,
                "Got nested tags: " TN_STR_FMT
                " (started at %d) did not have a matching {%% end" TN_STR_FMT
                " %%} before a subsequent " TN_STR_FMT " was found",
                TN_STR_ARG(f->open.type), line_of(f, f->open.brace), TN_STR_ARG(f->open.type),
                TN_STR_ARG(t->type)));
    }
    add_data(f, t->start);
    f->open = *t;
    f->kind = kind;
    f->is_open = true;
    return TN_OK;
}

static void close_block(finder *f, const tag *t)
{
    const tag *o = &f->open;
    tn_str s = f->sc.s, args = tn_str_trim(tn_str_sub(s, o->inner_from, o->inner_to));
    tn_jinja_block b = { .kind = f->kind,
        .full = tn_str_sub(s, o->start, t->end),
        .contents = tn_str_sub(s, o->end, t->start),
        .args = args,
        .name = block_name(f->sc.a, f->kind, o->name, args),
        .line = line_of(f, o->brace) };
    tn_vec_push(f->out, f->sc.a, b);
    f->last = t->end;
    f->is_open = false;
}

static void add_stray(finder *f, const tag *t)
{
    if ((f->kinds >> TN_BLOCK_STRAY & 1u) != 0) {
        tn_jinja_block b = { .kind = TN_BLOCK_STRAY,
            .name = t->type,
            .full = tn_str_sub(f->sc.s, t->start, t->end),
            .line = line_of(f, t->brace) };
        tn_vec_push(f->out, f->sc.a, b);
    }
}

static bool ends_open_block(const finder *f, const tag *t)
{
    return f->is_open && t->type.n > 3 && memcmp(t->type.p, "end", 3) == 0 &&
           tn_str_eq(tn_str_sub(t->type, 3, t->type.n), f->open.type);
}

tn_rc tn_jinja_extract_kinds(
    tn_arena *a, tn_str text, tn_jinja_src src, unsigned kinds, tn_jinja_blocks *ret, tn_err *err)
{
    if (text.n > TN_JINJA_TEXT_MAX) {
        return tn_fail(err, TN_E_LIMIT, "the file is larger than %d bytes", TN_JINJA_TEXT_MAX);
    }
    tn_jinja_blocks found = { 0 };
    finder f = { .sc = { .a = a, .s = text, .src = src, .err = err },
        .kinds = kinds,
        .out = &found,
        .line = (size_t)(src.line > 0 ? src.line : 1) };
    for (;;) {
        tag t = { 0 };
        bool more = false;
        tn_jinja_block_kind kind = TN_BLOCK_DATA;
        TN_TRY(next_tag(&f.sc, &t, &more));
        if (!more) {
            break;
        }
        TN_TRY(count_flow(&f, &t));
        if (kind_of(t.type, kinds, &kind)) {
            TN_TRY(open_block(&f, &t, kind));
        } else if (ends_open_block(&f, &t)) {
            close_block(&f, &t);
        } else if (!f.is_open) {
            add_stray(&f, &t);
        }
    }
    if (f.is_open) {
        return fail(&f.sc, f.open.brace,
            tn_arena_printf(a,
                "Reached EOF without finding a close tag for " TN_STR_FMT
                " (searched from line %d)",
                TN_STR_ARG(f.open.type), line_of(&f, f.open.brace)));
    }
    add_data(&f, text.n);
    *ret = found;
    return TN_OK;
}

tn_rc tn_jinja_extract_blocks(
    tn_arena *a, tn_str text, tn_jinja_src src, tn_jinja_blocks *ret, tn_err *err)
{
    unsigned kinds = 1u << TN_BLOCK_MACRO | 1u << TN_BLOCK_TEST | 1u << TN_BLOCK_MATERIALIZATION |
                     1u << TN_BLOCK_SNAPSHOT | 1u << TN_BLOCK_DOCS;
    return tn_jinja_extract_kinds(a, text, src, kinds, ret, err);
}
