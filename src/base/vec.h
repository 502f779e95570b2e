/* vec.h: a typed growing array in an arena: typedef tn_vec(int) int_vec; tn_vec_push(&v, arena, 3). */
#ifndef TN_BASE_VEC_H
#define TN_BASE_VEC_H

#include "base/arena.h"
#include "base/str.h"

#define tn_vec(T)                                                                                  \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n;                                                                                  \
        size_t cap;                                                                                \
    }

#define tn_vec_reserve(vec, arena, want)                                                           \
    tn_vec_grow_((void **)&(vec)->v, &(vec)->cap, sizeof(*(vec)->v), (arena), (want))

#define tn_vec_push(vec, arena, item)                                                              \
    do {                                                                                           \
        if ((vec)->n == (vec)->cap) {                                                              \
            tn_vec_reserve((vec), (arena), (vec)->n + 1);                                          \
        }                                                                                          \
        (vec)->v[(vec)->n++] = (item);                                                             \
    } while (0)

#define tn_vec_pop(vec) ((vec)->v[--(vec)->n])
#define tn_vec_last(vec) ((vec)->v[(vec)->n - 1])

void tn_vec_grow_(void **v, size_t *cap, size_t item_size, tn_arena *arena, size_t want);

typedef tn_vec(tn_str) tn_strs;
bool tn_strs_has(const tn_strs *l, tn_str s);
void tn_strs_add_new(tn_strs *l, tn_arena *a, tn_str s); /* unless it is in the list already */

#endif
