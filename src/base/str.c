/* str.c: work on borrowed byte runs. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

bool tn_str_eq_nocase(tn_str a, tn_str b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i])) {
            return false;
        }
    }
    return true;
}

int tn_str_cmp(tn_str a, tn_str b)
{
    size_t n = tn_min_size(a.n, b.n);
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (c != 0) {
        return c < 0 ? -1 : 1;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool tn_str_starts(tn_str s, tn_str prefix)
{
    return s.n >= prefix.n && tn_str_eq(tn_str_n(s.p, prefix.n), prefix);
}

bool tn_str_ends(tn_str s, tn_str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

size_t tn_str_find(tn_str s, tn_str needle, size_t from)
{
    if (from > s.n || needle.n > s.n - from) {
        return SIZE_MAX;
    }
    if (needle.n == 0) {
        return from;
    }
    const char *hit = memmem(s.p + from, s.n - from, needle.p, needle.n);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.p);
}

size_t tn_str_find_char(tn_str s, char c, size_t from)
{
    if (from >= s.n) {
        return SIZE_MAX;
    }
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.p);
}

size_t tn_str_rfind_char(tn_str s, char c)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == c) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

tn_str tn_str_sub(tn_str s, size_t from, size_t to)
{
    to = tn_min_size(to, s.n);
    from = tn_min_size(from, to);
    return s.p == NULL ? TN_STR_NONE : tn_str_n(s.p + from, to - from);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

tn_str tn_str_trim(tn_str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

bool tn_str_cut(tn_str s, char sep, tn_str *head, tn_str *tail)
{
    size_t at = tn_str_find_char(s, sep, 0);
    if (at == SIZE_MAX) {
        *head = s;
        *tail = TN_STR_NONE;
        return false;
    }
    *head = tn_str_n(s.p, at);
    *tail = tn_str_n(s.p + at + 1, s.n - at - 1);
    return true;
}

tn_str tn_str_dup(tn_arena *a, tn_str s)
{
    return tn_str_n(tn_str_z(a, s), s.n);
}

char *tn_str_z(tn_arena *a, tn_str s)
{
    char *p = tn_arena_alloc(a, tn_size_add(s.n, 1));
    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    p[s.n] = '\0';
    return p;
}

tn_str tn_str_printf(tn_arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    TN_CHECK(n >= 0);
    char *p = tn_arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return tn_str_n(p, (size_t)n);
}

tn_str tn_str_concat(tn_arena *a, tn_str x, tn_str y)
{
    char *p = tn_arena_alloc(a, tn_size_add(tn_size_add(x.n, y.n), 1));
    if (x.n > 0) {
        memcpy(p, x.p, x.n);
    }
    if (y.n > 0) {
        memcpy(p + x.n, y.p, y.n);
    }
    p[x.n + y.n] = '\0';
    return tn_str_n(p, x.n + y.n);
}

tn_str tn_str_lower(tn_arena *a, tn_str s)
{
    char *p = tn_str_z(a, s);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = (char)((unsigned char)p[i] < 128 ? tolower((unsigned char)p[i]) : p[i]);
    }
    return tn_str_n(p, s.n);
}

tn_str tn_str_upper(tn_arena *a, tn_str s)
{
    char *p = tn_str_z(a, s);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = (char)((unsigned char)p[i] < 128 ? toupper((unsigned char)p[i]) : p[i]);
    }
    return tn_str_n(p, s.n);
}

tn_str tn_str_replace(tn_arena *a, tn_str s, tn_str from, tn_str to)
{
    TN_CHECK(from.n > 0);
    size_t count = 0;
    for (size_t at = tn_str_find(s, from, 0); at != SIZE_MAX;
        at = tn_str_find(s, from, at + from.n)) {
        count++;
    }
    if (count == 0) {
        return s;
    }
    size_t n = tn_size_add(s.n - count * from.n, tn_size_mul(count, to.n));
    char *p = tn_arena_alloc(a, n + 1);
    char *w = p;
    size_t prev = 0;
    for (size_t at = tn_str_find(s, from, 0); at != SIZE_MAX; at = tn_str_find(s, from, prev)) {
        memcpy(w, s.p + prev, at - prev);
        w += at - prev;
        if (to.n > 0) {
            memcpy(w, to.p, to.n);
        }
        w += to.n;
        prev = at + from.n;
    }
    memcpy(w, s.p + prev, s.n - prev);
    p[n] = '\0';
    return tn_str_n(p, n);
}

bool tn_str_to_i64(tn_str s, int64_t *ret)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (i == s.n) {
        return false;
    }
    int64_t v = 0;
    for (; i < s.n; i++) {
        int d = s.p[i] - '0';
        if (d < 0 || d > 9 || __builtin_mul_overflow(v, 10, &v) ||
            (negative ? __builtin_sub_overflow(v, d, &v) : __builtin_add_overflow(v, d, &v))) {
            return false;
        }
    }
    *ret = v;
    return true;
}

bool tn_str_to_f64(tn_str s, double *ret)
{
    char stack[64];
    if (s.n == 0 || is_blank(s.p[0])) {
        return false;
    }
    char *z = stack;
    if (s.n >= sizeof stack) { /* rare: a very long literal */
        z = malloc(s.n + 1);
        TN_CHECK(z != NULL);
    }
    memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    char *end = NULL;
    double v = strtod(z, &end);
    bool ok = end == z + s.n;
    if (z != stack) {
        free(z);
    }
    if (ok) {
        *ret = v;
    }
    return ok;
}

uint64_t tn_str_hash(tn_str s)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ (uint64_t)s.n;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t w;
        memcpy(&w, s.p + i, 8);
        h = (h ^ w) * 0xFF51AFD7ED558CCDu;
        h ^= h >> 32;
    }
    uint64_t tail = 0;
    for (size_t k = 0; i + k < s.n; k++) {
        tail |= (uint64_t)(unsigned char)s.p[i + k] << (8 * k);
    }
    h = (h ^ tail) * 0xC4CEB9FE1A85EC53u;
    return h ^ (h >> 29);
}

size_t tn_utf8_decode(tn_str s, uint32_t *ret_cp)
{
    if (s.n == 0) {
        return 0;
    }
    const unsigned char *p = (const unsigned char *)s.p;
    uint32_t c = p[0];
    size_t want = c < 0x80                ? 1
                  : c >= 0xC2 && c < 0xE0 ? 2
                  : c >= 0xE0 && c < 0xF0 ? 3
                  : c >= 0xF0 && c < 0xF5 ? 4
                                          : 0;
    if (want == 0 || want > s.n) {
        *ret_cp = 0xFFFD;
        return 1;
    }
    uint32_t cp = want == 1 ? c : want == 2 ? c & 0x1F : want == 3 ? c & 0x0F : c & 0x07;
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            *ret_cp = 0xFFFD;
            return 1;
        }
        cp = cp << 6 | (p[i] & 0x3F);
    }
    if ((want == 3 && cp < 0x800) || (want == 4 && (cp < 0x10000 || cp > 0x10FFFF)) ||
        (cp >= 0xD800 && cp < 0xE000)) {
        *ret_cp = 0xFFFD;
        return 1;
    }
    *ret_cp = cp;
    return want;
}

size_t tn_utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

size_t tn_utf8_len(tn_str s)
{
    size_t count = 0;
    while (s.n > 0) {
        uint32_t cp;
        size_t k = tn_utf8_decode(s, &cp);
        s = tn_str_n(s.p + k, s.n - k);
        count++;
    }
    return count;
}

size_t tn_utf8_offset(tn_str s, size_t index)
{
    size_t at = 0;
    while (index > 0 && at < s.n) {
        uint32_t cp;
        at += tn_utf8_decode(tn_str_n(s.p + at, s.n - at), &cp);
        index--;
    }
    return at;
}

bool tn_utf8_valid(tn_str s)
{
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t k = tn_utf8_decode(tn_str_n(s.p + at, s.n - at), &cp);
        if (k == 1 && (unsigned char)s.p[at] >= 0x80) {
            return false;
        }
        at += k;
    }
    return true;
}
