/* buf.c: growing bytes; the arena's tail grows in place when the buffer is its last object. */
#include "base/buf.h"

tn_buf tn_buf_init(tn_arena *a, size_t limit)
{
    return (tn_buf){ .arena = a, .limit = limit };
}

static bool make_room(tn_buf *b, size_t n)
{
    if (b->full || n > b->limit - tn_min_size(b->n, b->limit)) {
        b->full = true;
        return false;
    }
    if (b->cap - b->n < n + 1) { /* one byte for the closing NUL */
        size_t want = tn_max_size(b->cap * 2, tn_max_size(b->n + n + 1, 64));
        b->p = tn_arena_grow(b->arena, b->p, b->cap, want);
        b->cap = want;
    }
    return true;
}

void tn_buf_add_n(tn_buf *b, const void *p, size_t n)
{
    if (n > 0 && make_room(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

void tn_buf_add(tn_buf *b, tn_str s)
{
    tn_buf_add_n(b, s.p, s.n);
}

void tn_buf_addz(tn_buf *b, const char *z)
{
    tn_buf_add_n(b, z, strlen(z));
}

void tn_buf_addc(tn_buf *b, char c)
{
    if (make_room(b, 1)) {
        b->p[b->n++] = c;
    }
}

void tn_buf_add_repeat(tn_buf *b, char c, size_t count)
{
    if (count > 0 && make_room(b, count)) {
        memset(b->p + b->n, c, count);
        b->n += count;
    }
}

void tn_buf_vaddf(tn_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    TN_CHECK(n >= 0);
    if (make_room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
        b->n += (size_t)n;
    }
}

void tn_buf_addf(tn_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(b, fmt, ap);
    va_end(ap);
}

void tn_buf_add_i64(tn_buf *b, int64_t v)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    if (v < 0) {
        digits[--at] = '-';
    }
    tn_buf_add_n(b, digits + at, sizeof digits - at);
}

void tn_buf_reset(tn_buf *b)
{
    b->n = 0;
    b->full = false;
}

void tn_buf_truncate(tn_buf *b, size_t n)
{
    TN_CHECK(n <= b->n);
    b->n = n;
}

char *tn_buf_reserve(tn_buf *b, size_t n)
{
    return make_room(b, n) ? b->p + b->n : NULL;
}

tn_rc tn_buf_finish(tn_buf *b, const char *what, tn_str *ret, tn_err *err)
{
    if (b->full) {
        return tn_fail(err, TN_E_LIMIT, "%s is larger than %zu bytes", what, b->limit);
    }
    if (b->p == NULL) {
        b->p = tn_arena_zalloc(b->arena, 1);
        b->cap = 1;
    }
    b->p[b->n] = '\0';
    *ret = tn_str_n(b->p, b->n);
    return TN_OK;
}
