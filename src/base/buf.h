/* buf.h: a growing byte buffer in an arena with a limit named at birth.
 *
 * Errors are sticky: once the limit is passed, appends do nothing and tn_buf_finish fails with TN_E_LIMIT, so
 * callers append freely and check once.
 */
#ifndef TN_BASE_BUF_H
#define TN_BASE_BUF_H

#include <stdarg.h>

#include "base/err.h"
#include "base/str.h"

typedef struct tn_buf {
    tn_arena *arena;
    char *p;
    size_t n;
    size_t cap;
    size_t limit;
    bool full;
} tn_buf;

#define TN_BUF_NO_LIMIT ((size_t)1 << 40)

tn_buf tn_buf_init(tn_arena *a, size_t limit); /* limit in bytes */
void tn_buf_add(tn_buf *b, tn_str s);
void tn_buf_addz(tn_buf *b, const char *z);
void tn_buf_addc(tn_buf *b, char c);
void tn_buf_add_n(tn_buf *b, const void *p, size_t n);
void tn_buf_addf(tn_buf *b, const char *fmt, ...) TN_PRINTF(2, 3);
void tn_buf_vaddf(tn_buf *b, const char *fmt, va_list ap) TN_PRINTF(2, 0);
void tn_buf_add_i64(tn_buf *b, int64_t v);
void tn_buf_add_repeat(tn_buf *b, char c, size_t count);
void tn_buf_reset(tn_buf *b); /* keeps the memory */
void tn_buf_truncate(tn_buf *b, size_t n);
char *tn_buf_reserve(
    tn_buf *b, size_t n); /* room for n more bytes, or NULL past the limit; then b->n += used */

static inline tn_str tn_buf_str(const tn_buf *b) /* valid until the next append */
{
    return tn_str_n(b->p, b->n);
}
/* The text, NUL-terminated past its end; fails when the limit was passed. `what` names it in the error. */
tn_rc tn_buf_finish(tn_buf *b, const char *what, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
