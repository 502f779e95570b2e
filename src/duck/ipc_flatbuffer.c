/* ipc_flatbuffer.c: reading flatbuffers without trusting them.
 *
 * A table starts with an int32: how far before it its vtable is. The vtable holds uint16s: own bytes, table bytes, then for each slot
 * the offset of its value in the table (0: absent). Strings, vectors and tables are reached through a uint32 that counts
 * from its own place. Vectors and strings start with a uint32 count.
 */
#include "duck/ipc_impl.h"

static bool inside(fb *b, size_t at, size_t n)
{
    if (at > b->n || n > b->n - at) {
        b->bad = true;
    }
    return !b->bad;
}

int64_t fb_int(fb *b, size_t at, unsigned bytes)
{
    uint64_t v = 0;
    if (!inside(b, at, bytes)) {
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++) {
        v |= (uint64_t)b->p[at + i] << (8 * i);
    }
    unsigned unused = 64 - 8 * bytes;
    return (int64_t)(v << unused) >> unused;
}

static size_t fb_unsigned(fb *b, size_t at, unsigned bytes)
{
    uint64_t mask = bytes == 2 ? 0xffff : 0xffffffff;
    return (size_t)((uint64_t)fb_int(b, at, bytes) & mask);
}

size_t fb_table_at(fb *b, size_t at)
{
    size_t to = at + fb_unsigned(b, at, 4);
    return inside(b, to, 4) ? to : 0;
}

size_t fb_root(fb *b)
{
    return fb_table_at(b, 0);
}

size_t fb_slot(fb *b, size_t table, unsigned slot)
{
    int64_t vtable = (int64_t)table - fb_int(b, table, 4);
    if (b->bad || vtable < 0 || !inside(b, (size_t)vtable, 4)) {
        b->bad = true;
        return 0;
    }
    size_t entry = 4 + 2 * (size_t)slot;
    if (entry + 2 > fb_unsigned(b, (size_t)vtable, 2)) {
        return 0;
    }
    size_t offset = fb_unsigned(b, (size_t)vtable + entry, 2);
    return offset == 0 || !inside(b, table + offset, 1) ? 0 : table + offset;
}

int64_t fb_slot_int(fb *b, size_t table, unsigned slot, unsigned bytes, int64_t dflt)
{
    size_t at = fb_slot(b, table, slot);
    return at == 0 ? dflt : fb_int(b, at, bytes);
}

size_t fb_slot_table(fb *b, size_t table, unsigned slot)
{
    size_t at = fb_slot(b, table, slot);
    return at == 0 ? 0 : fb_table_at(b, at);
}

size_t fb_slot_vector(fb *b, size_t table, unsigned slot, size_t element, size_t *ret_n)
{
    *ret_n = 0;
    size_t at = fb_slot_table(b, table, slot);
    if (at == 0) {
        return 0;
    }
    size_t n = fb_unsigned(b, at, 4);
    if (!inside(b, at + 4, n * element)) { /* n is below 2^32, elements are small: no overflow */
        return 0;
    }
    *ret_n = n;
    return at + 4;
}

tn_str fb_slot_str(fb *b, size_t table, unsigned slot)
{
    size_t n;
    size_t at = fb_slot_vector(b, table, slot, 1, &n);
    return at == 0 ? TN_STR_NONE : tn_str_n((const char *)b->p + at, n);
}
