/* vec.c: the one growth rule of tn_vec: double, at least 8; lists of strings. */
#include "base/vec.h"

void tn_vec_grow_(void **v, size_t *cap, size_t item_size, tn_arena *arena, size_t want)
{
    if (want <= *cap) {
        return;
    }
    size_t next = tn_max_size(tn_max_size(*cap * 2, want), 8);
    *v = tn_arena_grow(arena, *v, tn_size_mul(*cap, item_size), tn_size_mul(next, item_size));
    *cap = next;
}

bool tn_strs_has(const tn_strs *l, tn_str s)
{
    for (size_t i = 0; i < l->n; i++) {
        if (tn_str_eq(l->v[i], s)) {
            return true;
        }
    }
    return false;
}

void tn_strs_add_new(tn_strs *l, tn_arena *a, tn_str s)
{
    if (!tn_strs_has(l, s)) {
        tn_vec_push(l, a, s);
    }
}
