/* str.h: a borrowed run of bytes, by value. Not NUL-terminated; print with TN_STR_FMT.
 *
 * A tn_str never owns memory: it lives as long as the arena or buffer it points into. p may be NULL when n
 * is 0. Text is UTF-8; functions that count characters say so.
 */
#ifndef TN_BASE_STR_H
#define TN_BASE_STR_H

#include "base/arena.h"
#include "base/base.h"

typedef struct tn_str {
    const char *p;
    size_t n;
} tn_str;

#define TN_STR(lit) ((tn_str){ .p = (lit), .n = sizeof(lit) - 1 }) /* literals only */
#define TN_STR_NONE ((tn_str){ .p = NULL, .n = 0 })
#define TN_STR_FMT "%.*s"
#define TN_STR_ARG(s) (int)((s).n), ((s).p ? (s).p : "")

static inline tn_str tn_str_of(const char *z)
{
    return (tn_str){ .p = z, .n = z ? strlen(z) : 0 };
}

static inline tn_str tn_str_n(const char *p, size_t n)
{
    return (tn_str){ .p = p, .n = n };
}

static inline bool tn_str_eq(tn_str a, tn_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool tn_str_is(tn_str a, const char *z)
{
    return tn_str_eq(a, tn_str_of(z));
}

bool tn_str_eq_nocase(tn_str a, tn_str b); /* ASCII */
int tn_str_cmp(tn_str a, tn_str b);        /* by bytes */
bool tn_str_starts(tn_str s, tn_str prefix);
bool tn_str_ends(tn_str s, tn_str suffix);
/* First place at or after `from`, or SIZE_MAX. */
size_t tn_str_find(tn_str s, tn_str needle, size_t from);
size_t tn_str_find_char(tn_str s, char c, size_t from);
size_t tn_str_rfind_char(tn_str s, char c);          /* last place, or SIZE_MAX */
tn_str tn_str_sub(tn_str s, size_t from, size_t to); /* clamped */
tn_str tn_str_trim(tn_str s);                        /* ASCII white space on both ends */
/* Cuts at the first sep: true and both sides when found; else false, *head = s, *tail empty. */
bool tn_str_cut(tn_str s, char sep, tn_str *head, tn_str *tail);

tn_str tn_str_dup(tn_arena *a, tn_str s); /* the copy is NUL-terminated one byte past its end */
char *tn_str_z(tn_arena *a, tn_str s);
tn_str tn_str_printf(tn_arena *a, const char *fmt, ...) TN_PRINTF(2, 3);
tn_str tn_str_concat(tn_arena *a, tn_str x, tn_str y);
tn_str tn_str_lower(tn_arena *a, tn_str s); /* ASCII */
tn_str tn_str_upper(tn_arena *a, tn_str s); /* ASCII */
tn_str tn_str_replace(tn_arena *a, tn_str s, tn_str from, tn_str to);

/* Whole-string conversions: false when anything but the number is there or it does not fit. */
bool tn_str_to_i64(tn_str s, int64_t *ret);
bool tn_str_to_f64(tn_str s, double *ret);

uint64_t tn_str_hash(tn_str s);

/* UTF-8. decode: bytes taken (1..4), or 0 when s is empty; a bad byte yields U+FFFD and takes one. */
size_t tn_utf8_decode(tn_str s, uint32_t *ret_cp);
size_t tn_utf8_encode(uint32_t cp, char out[4]);
size_t tn_utf8_len(tn_str s);                  /* code points */
size_t tn_utf8_offset(tn_str s, size_t index); /* byte offset of the index-th code point, clamped */
bool tn_utf8_valid(tn_str s);

#endif
