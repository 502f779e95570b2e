/* arena.c: blocks that double, a list of children, a list of defers.
 *
 * An arena takes blocks from malloc and hands out 16-byte aligned pieces of the last one. A piece larger than a
 * quarter of the block size gets a block of its own, put behind the current one so that the current one stays in
 * use. Freeing runs the defers in reverse after the children are gone. Under ASan everything not handed out is
 * poisoned and each piece is followed by a red zone, so an overflow is reported at its line.
 */
#include "base/arena.h"

#include <pthread.h>
#include <stdarg.h>

#if defined(__SANITIZE_ADDRESS__)
#define TN_ASAN 1
#include <sanitizer/asan_interface.h>
#else
#define TN_ASAN 0
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, BLOCK_MIN = 4096 - 64, BLOCK_MAX = 1 << 20, RED_ZONE = TN_ASAN ? 16 : 0 };

typedef struct block {
    struct block *prev;
    size_t cap;
    size_t used;
    size_t pad; /* keeps the data 16-byte aligned */
} block;

typedef struct deferred {
    struct deferred *prev;
    tn_defer_fn fn;
    void *p;
} deferred;

struct tn_arena {
    const char *name;
    tn_arena *parent;
    tn_arena *first_child;
    tn_arena *next, *prev; /* siblings */
    block *top;
    deferred *defers;
    size_t block_next;
    size_t handed_out;
    pthread_mutex_t lock; /* guards first_child */
};

void tn_panic(const char *file, int line, const char *what)
{
    fprintf(stderr, "tarn: internal error at %s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}

static char *block_data(block *b)
{
    return (char *)(b + 1);
}

static block *block_new(const char *name, size_t cap)
{
    block *b = malloc(tn_size_add(sizeof(block), cap));
    if (b == NULL) {
        fprintf(stderr, "tarn: out of memory in '%s' (%zu bytes wanted)\n", name, cap);
        abort();
    }
    b->prev = NULL;
    b->cap = cap;
    b->used = 0;
    ASAN_POISON_MEMORY_REGION(block_data(b), cap);
    return b;
}

static void block_free(block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(block_data(b), b->cap);
    free(b);
}

static void link_child(tn_arena *parent, tn_arena *a)
{
    pthread_mutex_lock(&parent->lock);
    a->next = parent->first_child;
    if (a->next != NULL) {
        a->next->prev = a;
    }
    parent->first_child = a;
    pthread_mutex_unlock(&parent->lock);
}

static void unlink_child(tn_arena *a)
{
    tn_arena *parent = a->parent;
    pthread_mutex_lock(&parent->lock);
    if (a->prev != NULL) {
        a->prev->next = a->next;
    } else {
        parent->first_child = a->next;
    }
    if (a->next != NULL) {
        a->next->prev = a->prev;
    }
    pthread_mutex_unlock(&parent->lock);
    a->next = a->prev = NULL;
}

tn_arena *tn_arena_new(const char *name, tn_arena *parent)
{
    tn_arena *a = calloc(1, sizeof *a);
    if (a == NULL) {
        fprintf(stderr, "tarn: out of memory making arena '%s'\n", name);
        abort();
    }
    a->name = name;
    a->parent = parent;
    a->block_next = BLOCK_MIN;
    pthread_mutex_init(&a->lock, NULL);
    if (parent != NULL) {
        link_child(parent, a);
    }
    return a;
}

/* Children first, then defers in reverse: what a child holds may rest on what the parent deferred. */
static void release_contents(tn_arena *a)
{
    while (a->first_child != NULL) {
        tn_arena_free(a->first_child);
    }
    while (a->defers != NULL) {
        deferred *d = a->defers;
        a->defers = d->prev;
        d->fn(d->p);
    }
}

void tn_arena_free(tn_arena *a)
{
    if (a == NULL) {
        return;
    }
    if (a->parent != NULL) {
        unlink_child(a);
        a->parent = NULL;
    }
    release_contents(a);
    for (block *b = a->top; b != NULL;) {
        block *prev = b->prev;
        block_free(b);
        b = prev;
    }
    pthread_mutex_destroy(&a->lock);
    free(a);
}

void tn_arena_reset(tn_arena *a)
{
    release_contents(a);
    block *keep = a->top;
    if (keep != NULL) {
        for (block *b = keep->prev; b != NULL;) {
            block *prev = b->prev;
            block_free(b);
            b = prev;
        }
        keep->prev = NULL;
        keep->used = 0;
        ASAN_POISON_MEMORY_REGION(block_data(keep), keep->cap);
    }
    a->handed_out = 0;
}

static size_t round_up(size_t n)
{
    return tn_size_add(n, ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static void *piece(block *b, size_t size, size_t step)
{
    char *p = block_data(b) + b->used;
    b->used += step;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return p;
}

static block *add_block(tn_arena *a, size_t step)
{
    if (step > a->block_next / 4 &&
        a->top != NULL) { /* a large piece: its own block behind the top */
        block *b = block_new(a->name, step);
        b->prev = a->top->prev;
        a->top->prev = b;
        return b;
    }
    block *b = block_new(a->name, tn_max_size(a->block_next, step));
    b->prev = a->top;
    a->top = b;
    a->block_next = tn_min_size(a->block_next * 2, BLOCK_MAX);
    return b;
}

void *tn_arena_alloc(tn_arena *a, size_t size)
{
    size_t step = round_up(tn_size_add(size, RED_ZONE + (size == 0)));
    a->handed_out += size;
    block *b = a->top;
    if (b == NULL || b->cap - b->used < step) {
        b = add_block(a, step);
    }
    return piece(b, size, step);
}

void *tn_arena_zalloc(tn_arena *a, size_t size)
{
    return memset(tn_arena_alloc(a, size), 0, size);
}

void *tn_arena_grow(tn_arena *a, void *old, size_t old_size, size_t new_size)
{
    TN_CHECK(new_size >= old_size);
    block *b = a->top;
    if (old != NULL && b != NULL) {
        size_t old_step = round_up(tn_size_add(old_size, RED_ZONE + (old_size == 0)));
        size_t new_step = round_up(tn_size_add(new_size, RED_ZONE + (new_size == 0)));
        if ((char *)old + old_step == block_data(b) + b->used &&
            b->cap - b->used >= new_step - old_step) {
            b->used += new_step - old_step;
            a->handed_out += new_size - old_size;
            ASAN_UNPOISON_MEMORY_REGION(old, new_size);
            return old;
        }
    }
    void *p = tn_arena_alloc(a, new_size);
    if (old_size > 0) {
        memcpy(p, old, old_size);
    }
    return p;
}

char *tn_arena_strdup(tn_arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(tn_arena_alloc(a, n), s, n);
}

char *tn_arena_printf(tn_arena *a, const char *fmt, ...)
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
    return p;
}

void tn_arena_defer(tn_arena *a, tn_defer_fn fn, void *p)
{
    deferred *d = tn_arena_alloc(a, sizeof *d);
    *d = (deferred){ .prev = a->defers, .fn = fn, .p = p };
    a->defers = d;
}

size_t tn_arena_used(const tn_arena *a)
{
    return a->handed_out;
}

const char *tn_arena_name(const tn_arena *a)
{
    return a->name;
}
