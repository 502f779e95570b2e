/* jinja_unicode.c: case and classes of characters beyond ASCII. The tables are those of the C library's built-in C.UTF-8
 * locale, opened once as an object of its own: the program's locale plays no part. */
#include <pthread.h>
#include <wctype.h>

#include "base/buf.h"
#include "jinja/value/jinja_lib.h"
#include <locale.h>

static locale_t utf8_locale;
static pthread_once_t utf8_once = PTHREAD_ONCE_INIT;

static void open_locale(void)
{
    utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8_locale == (locale_t)0) {
        utf8_locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
    }
    TN_CHECK(utf8_locale != (locale_t)0);
}

static locale_t locale(void)
{
    pthread_once(&utf8_once, open_locale);
    return utf8_locale;
}

bool tn_uni_is_space(uint32_t cp)
{
    return cp == ' ' || (cp >= 9 && cp <= 13) || (cp >= 0x1c && cp <= 0x1f) || cp == 0x85 ||
           cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
           cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

uint32_t tn_uni_upper(uint32_t cp)
{
    if (cp < 0x80) {
        return cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
    }
    return (uint32_t)towupper_l((wint_t)cp, locale());
}

uint32_t tn_uni_lower(uint32_t cp)
{
    if (cp < 0x80) {
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    }
    return (uint32_t)towlower_l((wint_t)cp, locale());
}

bool tn_uni_is_digit(uint32_t cp)
{
    if (cp < 0x80) {
        return cp >= '0' && cp <= '9';
    }
    static const uint32_t zeros[] = { 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6,
        0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810, 0xff10 };
    for (size_t i = 0; i < TN_COUNTOF(zeros); i++) {
        if (cp >= zeros[i] && cp < zeros[i] + 10) {
            return true;
        }
    }
    return cp == 0xb2 || cp == 0xb3 || cp == 0xb9 || cp == 0x2070 ||
           (cp >= 0x2074 && cp <= 0x2079) || (cp >= 0x2080 && cp <= 0x2089);
}

bool tn_uni_is_alpha(uint32_t cp)
{
    if (cp < 0x80) {
        return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
    }
    return iswalpha_l((wint_t)cp, locale()) != 0 && !tn_uni_is_digit(cp);
}

bool tn_uni_is_alnum(uint32_t cp)
{
    return tn_uni_is_alpha(cp) || tn_uni_is_digit(cp);
}

bool tn_uni_is_upper(uint32_t cp)
{
    return cp < 0x80 ? cp >= 'A' && cp <= 'Z' : iswupper_l((wint_t)cp, locale()) != 0;
}

bool tn_uni_is_lower(uint32_t cp)
{
    return cp < 0x80 ? cp >= 'a' && cp <= 'z' : cp == 0xdf || iswlower_l((wint_t)cp, locale()) != 0;
}

static void add_cp(tn_buf *b, uint32_t cp)
{
    char out[4];
    tn_buf_add_n(b, out, tn_utf8_encode(cp, out));
}

/* Characters whose capital is more than one character. */
static bool add_special_upper(tn_buf *b, uint32_t cp, bool title)
{
    static const struct {
        uint32_t cp;
        const char *upper, *title;
    } special[] = { { 0xdf, "SS", "Ss" }, { 0x149, "\xCA\xBCN", "\xCA\xBCN" },
        { 0xfb00, "FF", "Ff" }, { 0xfb01, "FI", "Fi" }, { 0xfb02, "FL", "Fl" },
        { 0xfb03, "FFI", "Ffi" }, { 0xfb04, "FFL", "Ffl" } };
    for (size_t i = 0; cp > 0x7f && i < TN_COUNTOF(special); i++) {
        if (special[i].cp == cp) {
            tn_buf_addz(b, title ? special[i].title : special[i].upper);
            return true;
        }
    }
    return false;
}

tn_str tn_jlib_recase(tn_arena *a, tn_str s, tn_jlib_case how)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    bool word = false; /* inside a word, for title */
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        bool cased = tn_uni_is_upper(cp) || tn_uni_is_lower(cp);
        bool up = how == TN_CASE_UPPER || (how == TN_CASE_TITLE && !word) ||
                  (how == TN_CASE_CAPITAL && at == 0) ||
                  (how == TN_CASE_SWAP && tn_uni_is_lower(cp));
        bool same = how == TN_CASE_SWAP && !cased;
        if (how == TN_CASE_FOLD && cp == 0xdf) {
            tn_buf_addz(&b, "ss");
        } else if (cp == 0xfffd && n == 1) {
            tn_buf_addc(&b, s.p[at]); /* a bad byte stays what it is */
        } else if (same || !up ||
                   !add_special_upper(&b, cp, how != TN_CASE_UPPER && how != TN_CASE_SWAP)) {
            add_cp(&b, same ? cp : up ? tn_uni_upper(cp) : tn_uni_lower(cp));
        }
        word = cased;
        at += n;
    }
    return tn_buf_str(&b);
}
