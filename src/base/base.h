/* base.h: what every file of tarn may count on: fixed-width types, attributes, checks, size arithmetic.
 *
 * TN_CHECK stays on in release builds and aborts with the place: it guards what only a programmer can
 * get wrong. TN_DCHECK is the same in debug builds only. Neither is for input: bad input is a tn_err.
 */
#ifndef TN_BASE_BASE_H
#define TN_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/banned.h"

#define TN_MUSTUSE __attribute__((warn_unused_result))
#define TN_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define TN_NORETURN __attribute__((noreturn))
#define TN_UNUSED __attribute__((unused))
#define TN_COUNTOF(a) (sizeof(a) / sizeof((a)[0]))
#define TN_LIKELY(x) __builtin_expect(!!(x), 1)
#define TN_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Runs `type##_cleanup(&var)` when the variable leaves its scope. A type that wants TN_AUTO defines
 * `static inline void type##_cleanup(type *p)`; for a handle type (a pointer) name the typedef of the struct
 * and declare `TN_AUTOPTR(type) x = ...;`, which calls `type##_cleanup_ptr(type **)`. */
#define TN_AUTO(type) __attribute__((cleanup(type##_cleanup))) type
#define TN_AUTOPTR(type) __attribute__((cleanup(type##_cleanup_ptr))) type *
/* Defines type##_cleanup_ptr from a destructor that accepts NULL. */
#define TN_DEFINE_AUTOPTR(type, destroy)                                                           \
    static inline void type##_cleanup_ptr(type **p)                                                \
    {                                                                                              \
        destroy(*p);                                                                               \
    }
/* Hands a handle over to the caller: the local variable becomes NULL, so that its cleanup does nothing. */
#define TN_TAKE(p)                                                                                 \
    (__extension__({                                                                               \
        __typeof__(p) tn_taken_ = (p);                                                             \
        (p) = NULL;                                                                                \
        tn_taken_;                                                                                 \
    }))

TN_NORETURN void tn_panic(const char *file, int line, const char *what);
#define TN_CHECK(cond) (TN_LIKELY(cond) ? (void)0 : tn_panic(__FILE__, __LINE__, #cond))
#ifdef NDEBUG
#define TN_DCHECK(cond) ((void)0)
#else
#define TN_DCHECK(cond) TN_CHECK(cond)
#endif

static inline size_t tn_size_add(size_t a, size_t b)
{
    size_t r;
    TN_CHECK(!__builtin_add_overflow(a, b, &r));
    return r;
}

static inline size_t tn_size_mul(size_t a, size_t b)
{
    size_t r;
    TN_CHECK(!__builtin_mul_overflow(a, b, &r));
    return r;
}

static inline size_t tn_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t tn_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
