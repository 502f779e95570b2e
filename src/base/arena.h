/* arena.h: memory whose pieces all die together.
 *
 * Ownership: an arena made with a parent is freed with the parent at the latest. Objects in an arena are
 * never freed one by one. Allocation never returns NULL: true out-of-memory aborts with the arena's name.
 * tn_arena_defer hangs things that are not memory (files, handles) on an arena; they run in reverse order
 * when the arena is freed or reset, children first.
 * Threads: an arena belongs to one thread at a time. Making or freeing a child locks the parent, so workers
 * may have children of one shared parent.
 * Under ASan, blocks are poisoned and each object has a red zone.
 */
#ifndef TN_BASE_ARENA_H
#define TN_BASE_ARENA_H

#include "base/base.h"

typedef struct tn_arena tn_arena;

tn_arena *tn_arena_new(
    const char *name, tn_arena *parent); /* name: a literal; parent may be NULL */
void tn_arena_free(tn_arena *a);         /* NULL is fine */
void tn_arena_reset(tn_arena *a);        /* runs defers, frees children, keeps one block */
TN_DEFINE_AUTOPTR(tn_arena, tn_arena_free)
#define TN_AUTO_ARENA TN_AUTOPTR(tn_arena)

void *tn_arena_alloc(tn_arena *a, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2)));
void *tn_arena_zalloc(tn_arena *a, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2)));
/* Grows an object; in place when it is the last one. old may be NULL when old_size is 0. */
void *tn_arena_grow(tn_arena *a, void *old, size_t old_size, size_t new_size)
    __attribute__((returns_nonnull));
char *tn_arena_strdup(tn_arena *a, const char *s) __attribute__((returns_nonnull));
char *tn_arena_printf(tn_arena *a, const char *fmt, ...) TN_PRINTF(2, 3)
    __attribute__((returns_nonnull));

typedef void (*tn_defer_fn)(void *p);
void tn_arena_defer(tn_arena *a, tn_defer_fn fn, void *p);

size_t tn_arena_used(const tn_arena *a); /* bytes handed out, children not counted */
const char *tn_arena_name(const tn_arena *a);

#define tn_new(a, type) ((type *)tn_arena_zalloc((a), sizeof(type)))
#define tn_new_array(a, type, n) ((type *)tn_arena_zalloc((a), tn_size_mul((n), sizeof(type))))

#endif
