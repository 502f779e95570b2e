/* val_dict.c: lists, dicts and sets; deep copies and freezing.
 *
 * A dict is an array of items in insertion order and an open-addressing index of item numbers (+1, 0 = empty). A removed item stays in place,
 * marked dead, until the next rebuild. Small dicts (up to 8 slots) have no index and are searched in line.
 */
#include "base/val.h"

enum { INLINE_SLOTS = 8 };

static tn_list *list_new(tn_arena *a, size_t cap)
{
    tn_list *l = tn_new(a, tn_list);
    l->arena = a;
    if (cap > 0) {
        l->v = tn_new_array(a, tn_val, cap);
        l->cap = cap;
    }
    return l;
}

tn_val tn_val_list(tn_arena *a)
{
    return (tn_val){ .tag = TN_LIST, .list = list_new(a, 0) };
}

tn_val tn_val_tuple(tn_arena *a, const tn_val *v, size_t n)
{
    tn_list *l = list_new(a, n);
    if (n > 0) {
        memcpy(l->v, v, n * sizeof *v);
    }
    l->n = n;
    l->frozen = true;
    return (tn_val){ .tag = TN_TUPLE, .list = l };
}

tn_val tn_val_dict(tn_arena *a)
{
    tn_dict *d = tn_new(a, tn_dict);
    d->arena = a;
    return (tn_val){ .tag = TN_DICT, .dict = d };
}

tn_val tn_val_set(tn_arena *a)
{
    tn_val v = tn_val_dict(a);
    v.tag = TN_SET;
    return v;
}

/* ---- lists ---- */

void tn_list_insert(tn_list *l, size_t at, tn_val v)
{
    TN_CHECK(!l->frozen && at <= l->n);
    if (l->n == l->cap) {
        size_t next = tn_max_size(l->cap * 2, 4);
        l->v =
            tn_arena_grow(l->arena, l->v, l->cap * sizeof *l->v, tn_size_mul(next, sizeof *l->v));
        l->cap = next;
    }
    memmove(l->v + at + 1, l->v + at, (l->n - at) * sizeof *l->v);
    l->v[at] = v;
    l->n++;
}

void tn_list_push(tn_list *l, tn_val v)
{
    tn_list_insert(l, l->n, v);
}

void tn_list_remove(tn_list *l, size_t at)
{
    TN_CHECK(!l->frozen && at < l->n);
    memmove(l->v + at, l->v + at + 1, (l->n - at - 1) * sizeof *l->v);
    l->n--;
}

/* ---- dicts ---- */

static size_t find_item(const tn_dict *d, tn_val key, uint64_t hash, size_t *ret_index_at)
{
    if (d->index_cap == 0) {
        for (size_t i = 0; i < d->slots; i++) {
            if (!d->items[i].dead && d->items[i].hash == hash && tn_val_eq(d->items[i].key, key)) {
                return i;
            }
        }
        return SIZE_MAX;
    }
    size_t mask = d->index_cap - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t ref = d->index[at];
        if (ref == 0) {
            if (ret_index_at != NULL) {
                *ret_index_at = at;
            }
            return SIZE_MAX;
        }
        const tn_dict_item *it = &d->items[ref - 1];
        if (!it->dead && it->hash == hash && tn_val_eq(it->key, key)) {
            return ref - 1;
        }
    }
}

static void rebuild(tn_dict *d)
{
    size_t w = 0;
    for (size_t i = 0; i < d->slots; i++) {
        if (!d->items[i].dead) {
            d->items[w++] = d->items[i];
        }
    }
    d->slots = w;
    if (w < INLINE_SLOTS) {
        d->index_cap = 0;
        return;
    }
    size_t want = 32;
    while (want < (w + 1) * 2) {
        want *= 2;
    }
    d->index = tn_new_array(d->arena, uint32_t, want);
    d->index_cap = want;
    for (size_t i = 0; i < w; i++) {
        size_t at = d->items[i].hash & (want - 1);
        while (d->index[at] != 0) {
            at = (at + 1) & (want - 1);
        }
        d->index[at] = (uint32_t)(i + 1);
    }
}

tn_val *tn_dict_find(const tn_dict *d, tn_val key)
{
    if (d->live == 0 || !tn_val_hashable(key)) {
        return NULL;
    }
    size_t i = find_item(d, key, tn_val_hash(key), NULL);
    return i == SIZE_MAX ? NULL : &d->items[i].value;
}

tn_val *tn_dict_finds(const tn_dict *d, tn_str key)
{
    return tn_dict_find(d, tn_val_str(key));
}

void tn_dict_put(tn_dict *d, tn_val key, tn_val value)
{
    TN_CHECK(!d->frozen && tn_val_hashable(key));
    bool crowded =
        d->index_cap == 0 ? d->slots >= INLINE_SLOTS : (d->slots + 1) * 3 > d->index_cap * 2;
    if (crowded) {
        rebuild(d);
    }
    uint64_t hash = tn_val_hash(key);
    size_t index_at = SIZE_MAX;
    size_t i = find_item(d, key, hash, &index_at);
    if (i != SIZE_MAX) {
        d->items[i].value = value;
        return;
    }
    if (d->slots == d->cap) {
        size_t next = tn_max_size(d->cap * 2, 4);
        d->items = tn_arena_grow(
            d->arena, d->items, d->cap * sizeof *d->items, tn_size_mul(next, sizeof *d->items));
        d->cap = next;
    }
    d->items[d->slots++] = (tn_dict_item){ .key = key, .value = value, .hash = hash };
    d->live++;
    if (d->index_cap != 0) {
        d->index[index_at] = (uint32_t)d->slots;
    }
}

void tn_dict_puts(tn_dict *d, tn_str key, tn_val value)
{
    tn_dict_put(d, tn_val_str(key), value);
}

void tn_dict_putz(tn_dict *d, const char *key, tn_val value)
{
    tn_dict_put(d, tn_val_z(key), value);
}

bool tn_dict_remove(tn_dict *d, tn_val key)
{
    TN_CHECK(!d->frozen);
    if (d->live == 0 || !tn_val_hashable(key)) {
        return false;
    }
    size_t i = find_item(d, key, tn_val_hash(key), NULL);
    if (i == SIZE_MAX) {
        return false;
    }
    d->items[i].dead = true;
    d->live--;
    return true;
}

const tn_dict_item *tn_dict_next(const tn_dict *d, size_t *at)
{
    while (*at < d->slots) {
        const tn_dict_item *it = &d->items[(*at)++];
        if (!it->dead) {
            return it;
        }
    }
    return NULL;
}

/* ---- configuration look-ups ---- */

tn_val tn_val_at(tn_val v, const char *key)
{
    const tn_val *found = v.tag == TN_DICT ? tn_dict_finds(v.dict, tn_str_of(key)) : NULL;
    return found != NULL ? *found : TN_VAL_UNDEF;
}

tn_str tn_val_str_at(tn_val v, const char *key, tn_str dflt)
{
    tn_val x = tn_val_at(v, key);
    return x.tag == TN_STR_V ? tn_val_as_str(x) : dflt;
}

bool tn_val_bool_at(tn_val v, const char *key, bool dflt)
{
    tn_val x = tn_val_at(v, key);
    return x.tag == TN_BOOL ? x.i != 0 : dflt;
}

int64_t tn_val_int_at(tn_val v, const char *key, int64_t dflt)
{
    tn_val x = tn_val_at(v, key);
    return x.tag == TN_INT ? x.i : dflt;
}

/* ---- whole trees ---- */

static tn_val dup_list(tn_arena *a, tn_val v)
{
    tn_list *l = list_new(a, v.list->n);
    for (size_t i = 0; i < v.list->n; i++) {
        l->v[i] = tn_val_dup(a, v.list->v[i]);
    }
    l->n = v.list->n;
    l->frozen = v.tag == TN_TUPLE;
    return (tn_val){ .tag = v.tag, .list = l };
}

static tn_val dup_dict(tn_arena *a, tn_val v)
{
    tn_val copy = tn_val_dict(a);
    copy.tag = v.tag;
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(v.dict, &at)) != NULL) {
        tn_dict_put(copy.dict, tn_val_dup(a, it->key), tn_val_dup(a, it->value));
    }
    return copy;
}

tn_val tn_val_dup(tn_arena *a, tn_val v)
{
    switch ((tn_tag)v.tag) {
    case TN_UNDEF:
    case TN_STR_V:
    case TN_BYTES:
    case TN_BIGINT:
    case TN_DECIMAL:
        v.s = tn_str_z(a, tn_str_n(v.s, v.n));
        return v;
    case TN_LIST:
    case TN_TUPLE:
        return dup_list(a, v);
    case TN_DICT:
    case TN_SET:
        return dup_dict(a, v);
    case TN_OBJ:
        return v.obj->type->dup != NULL ? v.obj->type->dup(v.obj, a) : v;
    default:
        return v;
    }
}

const tn_obj *tn_val_shared_obj(tn_val v)
{
    const tn_obj *found = NULL;
    if (v.tag == TN_OBJ) {
        return v.obj->type->dup == NULL ? v.obj : NULL;
    }
    if (v.tag == TN_LIST || v.tag == TN_TUPLE) {
        for (size_t i = 0; i < v.list->n && found == NULL; i++) {
            found = tn_val_shared_obj(v.list->v[i]);
        }
    } else if (v.tag == TN_DICT || v.tag == TN_SET) {
        size_t at = 0;
        const tn_dict_item *it;
        while (found == NULL && (it = tn_dict_next(v.dict, &at)) != NULL) {
            found = tn_val_shared_obj(it->key);
            found = found != NULL ? found : tn_val_shared_obj(it->value);
        }
    }
    return found;
}

void tn_val_freeze(tn_val v)
{
    if (v.tag == TN_LIST || v.tag == TN_TUPLE) {
        v.list->frozen = true;
        for (size_t i = 0; i < v.list->n; i++) {
            tn_val_freeze(v.list->v[i]);
        }
    } else if (v.tag == TN_DICT || v.tag == TN_SET) {
        v.dict->frozen = true;
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(v.dict, &at)) != NULL) {
            tn_val_freeze(it->value);
        }
    }
}
