/* map.c: items in insertion order plus an open-addressing index of item numbers.
 *
 * index[h] holds item number + 1, 0 = empty. Removed items stay in the index as tombstones (value NULL) until the
 * next rebuild, which happens when the index is two thirds full.
 */
#include "base/map.h"

tn_map tn_map_init(tn_arena *a)
{
    return (tn_map){ .arena = a };
}

static size_t slot_of(const tn_map *m, tn_str key, uint64_t hash, bool *found)
{
    size_t mask = m->index_cap - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t ref = m->index[at];
        if (ref == 0) {
            *found = false;
            return at;
        }
        const tn_map_item *it = &m->items[ref - 1];
        if (it->hash == hash && it->value != NULL && tn_str_eq(it->key, key)) {
            *found = true;
            return at;
        }
    }
}

static void rebuild(tn_map *m)
{
    size_t w = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->items[i].value != NULL) {
            m->items[w++] = m->items[i];
        }
    }
    m->n = w;
    size_t want = 16;
    while (want < (w + 1) * 2) {
        want *= 2;
    }
    m->index = tn_new_array(m->arena, uint32_t, want);
    m->index_cap = want;
    for (size_t i = 0; i < w; i++) {
        size_t at = m->items[i].hash & (want - 1);
        while (m->index[at] != 0) {
            at = (at + 1) & (want - 1);
        }
        m->index[at] = (uint32_t)(i + 1);
    }
}

void *tn_map_find(const tn_map *m, tn_str key)
{
    if (m->index_cap == 0) {
        return NULL;
    }
    bool found;
    size_t at = slot_of(m, key, tn_str_hash(key), &found);
    return found ? m->items[m->index[at] - 1].value : NULL;
}

void tn_map_put(tn_map *m, tn_str key, void *value)
{
    TN_CHECK(value != NULL);
    if (m->index_cap == 0 || (m->n + 1) * 3 > m->index_cap * 2) {
        rebuild(m);
    }
    uint64_t hash = tn_str_hash(key);
    bool found;
    size_t at = slot_of(m, key, hash, &found);
    if (found) {
        m->items[m->index[at] - 1].value = value;
        return;
    }
    if (m->n == m->cap) {
        size_t next = tn_max_size(m->cap * 2, 8);
        m->items =
            tn_arena_grow(m->arena, m->items, m->cap * sizeof *m->items, next * sizeof *m->items);
        m->cap = next;
    }
    m->items[m->n++] = (tn_map_item){ .key = key, .hash = hash, .value = value };
    m->index[at] = (uint32_t)m->n;
    m->live++;
}

bool tn_map_remove(tn_map *m, tn_str key)
{
    if (m->index_cap == 0) {
        return false;
    }
    bool found;
    size_t at = slot_of(m, key, tn_str_hash(key), &found);
    if (found) {
        m->items[m->index[at] - 1].value = NULL;
        m->live--;
    }
    return found;
}
