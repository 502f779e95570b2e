/* map.h: string keys to pointers, open addressing, insertion ordered, in an arena.
 *
 * Keys are borrowed: they must live as long as the map. Iterate over map->items[0..n) for insertion order;
 * a removed item has value NULL (so values are never NULL). A zeroed tn_map with `arena` set is empty and ready.
 */
#ifndef TN_BASE_MAP_H
#define TN_BASE_MAP_H

#include "base/str.h"

typedef struct tn_map_item {
    tn_str key;
    uint64_t hash;
    void *value;
} tn_map_item;

typedef struct tn_map {
    tn_arena *arena;
    tn_map_item *items;
    size_t n; /* slots in items, removed ones included */
    size_t live;
    size_t cap;
    uint32_t *index;
    size_t index_cap;
} tn_map;

tn_map tn_map_init(tn_arena *a);
void *tn_map_find(const tn_map *m, tn_str key);      /* NULL when absent */
void tn_map_put(tn_map *m, tn_str key, void *value); /* replaces in place, value not NULL */
bool tn_map_remove(tn_map *m, tn_str key);

#endif
