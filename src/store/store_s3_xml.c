/* store_s3_xml.c: see store_s3_xml.h. What servers send is not trusted: every mistake is TN_E_CORRUPT. */
#include "store/store_s3_xml.h"

typedef struct walker {
    tn_arena *a;
    tn_str xml;
    size_t at;
    tn_str path[S3_XML_DEPTH_MAX];
    size_t depth;
    tn_buf text;
    tn_err *err;
} walker;

static tn_rc corrupt(walker *w, const char *what)
{
    return tn_fail(
        w->err, TN_E_CORRUPT, "the server's XML is damaged at byte %zu: %s", w->at, what);
}

static tn_rc number_entity(walker *w, tn_str ref)
{
    bool hex = ref.n > 2 && (ref.p[1] | 0x20) == 'x';
    uint32_t cp = 0;
    for (size_t i = hex ? 2 : 1; i < ref.n; i++) {
        char c = ref.p[i];
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
                         : hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
                             ? (uint32_t)((c | 0x20) - 'a' + 10)
                             : 99;
        if (digit == 99 || cp > 0x10FFFF) {
            return corrupt(w, "a bad character reference");
        }
        cp = cp * (hex ? 16 : 10) + digit;
    }
    if (ref.n < 2 || cp == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) {
        return corrupt(w, "a bad character reference");
    }
    char out[4];
    tn_buf_add_n(&w->text, out, tn_utf8_encode(cp, out));
    return TN_OK;
}

static tn_rc entity(walker *w)
{
    static const struct {
        const char *name;
        char c;
    } known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' } };
    size_t end = tn_str_find_char(w->xml, ';', w->at);
    if (end == SIZE_MAX || end - w->at > 12) {
        return corrupt(w, "an entity without an end");
    }
    tn_str ref = tn_str_sub(w->xml, w->at + 1, end);
    if (ref.n > 0 && ref.p[0] == '#') {
        TN_TRY(number_entity(w, ref));
        w->at = end + 1;
        return TN_OK;
    }
    for (size_t i = 0; i < TN_COUNTOF(known); i++) {
        if (tn_str_is(ref, known[i].name)) {
            tn_buf_addc(&w->text, known[i].c);
            w->at = end + 1;
            return TN_OK;
        }
    }
    return corrupt(w, "an unknown entity");
}

static tn_rc take_text(walker *w)
{
    while (w->at < w->xml.n && w->xml.p[w->at] != '<') {
        if (w->xml.p[w->at] == '&') {
            TN_TRY(entity(w));
        } else {
            tn_buf_addc(&w->text, w->xml.p[w->at++]);
        }
    }
    return TN_OK;
}

static tn_str local_name(tn_str tag)
{
    size_t n = 0;
    while (n < tag.n && tag.p[n] != ' ' && tag.p[n] != '\t' && tag.p[n] != '\n' &&
           tag.p[n] != '\r' && tag.p[n] != '/') {
        n++;
    }
    tag.n = n;
    size_t colon = tn_str_find_char(tag, ':', 0);
    return colon == SIZE_MAX ? tag : tn_str_sub(tag, colon + 1, tag.n);
}

static tn_rc close_element(walker *w, tn_str name, s3_xml_fn fn, void *self)
{
    if (w->depth == 0 || !tn_str_eq(w->path[w->depth - 1], name)) {
        return corrupt(w, "an element ends that has not begun");
    }
    TN_TRY(fn(self, w->path, w->depth, tn_str_dup(w->a, tn_buf_str(&w->text)), w->err));
    w->depth--;
    tn_buf_reset(&w->text);
    return TN_OK;
}

/* At '<'. */
static tn_rc take_tag(walker *w, s3_xml_fn fn, void *self)
{
    tn_str rest = tn_str_sub(w->xml, w->at, w->xml.n);
    bool comment = tn_str_starts(rest, TN_STR("<!--"));
    if (comment || tn_str_starts(rest, TN_STR("<?"))) {
        tn_str ending = comment ? TN_STR("-->") : TN_STR("?>");
        size_t end = tn_str_find(w->xml, ending, w->at + 2);
        if (end == SIZE_MAX) {
            return corrupt(w, "a comment without an end");
        }
        w->at = end + ending.n;
        return TN_OK;
    }
    if (tn_str_starts(rest, TN_STR("<!"))) {
        return corrupt(w, "a declaration, which no bucket sends");
    }
    size_t end = tn_str_find_char(w->xml, '>', w->at);
    if (end == SIZE_MAX || end == w->at + 1) {
        return corrupt(w, "a tag without an end");
    }
    tn_str tag = tn_str_sub(w->xml, w->at + 1, end);
    w->at = end + 1;
    if (tag.p[0] == '/') {
        return close_element(w, local_name(tn_str_sub(tag, 1, tag.n)), fn, self);
    }
    if (w->depth == S3_XML_DEPTH_MAX) {
        return corrupt(w, "elements are nested too deep");
    }
    w->path[w->depth++] = local_name(tag);
    tn_buf_reset(&w->text);
    if (tag.p[tag.n - 1] == '/') {
        return close_element(w, w->path[w->depth - 1], fn, self);
    }
    return TN_OK;
}

tn_rc s3_xml_walk(tn_arena *a, tn_str xml, s3_xml_fn fn, void *self, tn_err *err)
{
    walker w = { .a = a, .xml = xml, .err = err };
    w.text = tn_buf_init(a, xml.n + 8);
    while (w.at < xml.n) {
        TN_TRY(take_text(&w));
        if (w.at < xml.n) {
            TN_TRY(take_tag(&w, fn, self));
        }
    }
    return w.depth == 0 ? TN_OK : corrupt(&w, "it ends in the middle");
}
