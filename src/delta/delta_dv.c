/* delta_dv.c: deletion vectors ("Deletion Vector Format").
 *
 * Where: 'i' = z85 text in the action; 'u' = prefix and z85 of a UUID, a file deletion_vector_<uuid>.bin under the table;
 * 'p' = an absolute URL.
 * File:  u8 version (1); then at `offset`:  u32 BE size | size bytes of data | u32 BE CRC-32 of the data.
 * Data:  u32 LE magic 1681511377 | u64 LE count | count * ( u32 LE high 32 bits | 32-bit Roaring, portable format ).
 *        Magic 1681511376 ("native", old): u32 count | count * ( u32 size | Roaring ), the high part is the place. The protocol's
 *        own inline example is of this kind with its numbers big-endian; both orders are read.
 * Every size is checked before it is used: a table comes from outside.
 */
#include <roaring/roaring.h>

#include "delta/delta_impl.h"
#include "text/hash.h"
#include "text/uri.h"

enum {
    MAGIC_PORTABLE = 1681511377,
    MAGIC_NATIVE = 1681511376,
    UUID_Z85_BYTES = 20,
    FILE_VERSION = 1
};
#define ROWS_MAX ((uint64_t)1 << 31)

typedef struct reader {
    const uint8_t *p;
    size_t n;
} reader;

static bool take_u32(reader *r, uint32_t *ret)
{
    if (r->n < 4) {
        return false;
    }
    *ret = (uint32_t)r->p[0] | (uint32_t)r->p[1] << 8 | (uint32_t)r->p[2] << 16 |
           (uint32_t)r->p[3] << 24;
    r->p += 4;
    r->n -= 4;
    return true;
}

static bool take_u64(reader *r, uint64_t *ret)
{
    uint32_t lo;
    uint32_t hi;
    if (!take_u32(r, &lo) || !take_u32(r, &hi)) {
        return false;
    }
    *ret = (uint64_t)hi << 32 | lo;
    return true;
}

static uint32_t be32(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | (uint32_t)u[3];
}

tn_str tn_delta_dv_id(tn_arena *a, const tn_delta_dv *dv)
{
    if (dv->offset >= 0) {
        return tn_str_printf(
            a, "%c" TN_STR_FMT "@%d", dv->storage, TN_STR_ARG(dv->path_or_inline), dv->offset);
    }
    return tn_str_printf(a, "%c" TN_STR_FMT, dv->storage, TN_STR_ARG(dv->path_or_inline));
}

/* ---- bitmaps ---- */

typedef struct row_list {
    tn_arena *arena;
    uint64_t *v;
    size_t n, cap;
} row_list;

static tn_rc broken(tn_err *err, const char *what)
{
    return tn_fail(err, TN_E_CORRUPT, "a deletion vector is damaged: %s", what);
}

static void push_row(row_list *rows, uint64_t row)
{
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? 2 * rows->cap : 256;
        rows->v = tn_arena_grow(
            rows->arena, rows->v, rows->cap * sizeof *rows->v, tn_size_mul(cap, sizeof *rows->v));
        rows->cap = cap;
    }
    rows->v[rows->n++] = row;
}

/* Values one by one: the library's bulk functions trust the counts in the data, which come from outside. */
static tn_rc take_values(const roaring_bitmap_t *bitmap, uint32_t high, row_list *rows, tn_err *err)
{
    roaring_uint32_iterator_t it;
    roaring_init_iterator(bitmap, &it);
    while (it.has_value) {
        uint64_t row = (uint64_t)high << 32 | it.current_value;
        if (rows->n > 0 && row <= rows->v[rows->n - 1]) {
            return broken(err, "its rows are not in order");
        }
        if (rows->n == ROWS_MAX) {
            return tn_fail(err, TN_E_LIMIT, "a deletion vector marks more than %llu rows",
                (unsigned long long)ROWS_MAX);
        }
        push_row(rows, row);
        (void)roaring_advance_uint32_iterator(&it);
    }
    return TN_OK;
}

/* Reads one 32-bit bitmap and appends its values, each with `high` above it. */
static tn_rc take_bitmap(reader *r, uint32_t high, row_list *rows, tn_err *err)
{
    size_t size = roaring_bitmap_portable_deserialize_size((const char *)r->p, r->n);
    if (size == 0 || size > r->n) {
        return broken(err, "a bitmap ends too early");
    }
    roaring_bitmap_t *bitmap = roaring_bitmap_portable_deserialize_safe((const char *)r->p, r->n);
    if (bitmap == NULL) {
        return broken(err, "not a Roaring bitmap");
    }
    tn_rc rc = take_values(bitmap, high, rows, err);
    roaring_bitmap_free(bitmap);
    r->p += size;
    r->n -= size;
    return rc;
}

static tn_rc take_portable(reader *r, row_list *rows, tn_err *err)
{
    uint64_t count;
    if (!take_u64(r, &count) || count > r->n / 4) {
        return broken(err, "bad count of bitmaps");
    }
    for (uint64_t i = 0; i < count; i++) {
        uint32_t high;
        if (!take_u32(r, &high) || high > INT32_MAX) {
            return broken(err, "bad key of a bitmap");
        }
        TN_TRY(take_bitmap(r, high, rows, err));
    }
    return TN_OK;
}

static bool take_ordered(reader *r, bool big_endian, uint32_t *ret)
{
    if (!take_u32(r, ret)) {
        return false;
    }
    *ret = big_endian ? __builtin_bswap32(*ret) : *ret;
    return true;
}

static tn_rc take_native(reader *r, bool big_endian, row_list *rows, tn_err *err)
{
    uint32_t count;
    if (!take_ordered(r, big_endian, &count) || count > r->n / 4) {
        return broken(err, "bad count of bitmaps");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size;
        if (!take_ordered(r, big_endian, &size) || size > r->n) {
            return broken(err, "bad size of a bitmap");
        }
        reader one = { .p = r->p, .n = size };
        TN_TRY(take_bitmap(&one, i, rows, err));
        r->p += size;
        r->n -= size;
    }
    return TN_OK;
}

static tn_rc decode(
    tn_arena *a, tn_str data, const tn_delta_dv *dv, uint64_t **ret, size_t *ret_n, tn_err *err)
{
    reader r = { .p = (const uint8_t *)data.p, .n = data.n };
    row_list rows = { .arena = a };
    uint32_t magic;
    if (!take_u32(&r, &magic)) {
        return broken(err, "it is too short");
    }
    if (magic == MAGIC_PORTABLE) {
        TN_TRY(take_portable(&r, &rows, err));
    } else if (magic == MAGIC_NATIVE || __builtin_bswap32(magic) == MAGIC_NATIVE) {
        TN_TRY(take_native(&r, magic != MAGIC_NATIVE, &rows, err));
    } else {
        return broken(err, "unknown magic number");
    }
    if (dv->cardinality >= 0 && rows.n != (uint64_t)dv->cardinality) {
        return tn_fail(err, TN_E_CORRUPT,
            "a deletion vector marks %zu rows, its description says %lld", rows.n,
            (long long)dv->cardinality);
    }
    *ret = rows.v;
    *ret_n = rows.n;
    return TN_OK;
}

/* ---- places ---- */

static tn_rc uuid_path(tn_arena *a, tn_str text, tn_str *ret, tn_err *err)
{
    tn_str raw;
    if (text.n < UUID_Z85_BYTES ||
        !tn_z85_decode(a, tn_str_sub(text, text.n - UUID_Z85_BYTES, text.n), &raw)) {
        return broken(err, "its file name is not z85");
    }
    tn_str prefix = tn_str_sub(text, 0, text.n - UUID_Z85_BYTES);
    tn_str h = tn_hex(a, (const uint8_t *)raw.p, 16);
    *ret = tn_str_printf(a, TN_STR_FMT "%sdeletion_vector_%.8s-%.4s-%.4s-%.4s-%.12s.bin",
        TN_STR_ARG(prefix), prefix.n > 0 ? "/" : "", h.p, h.p + 8, h.p + 12, h.p + 16, h.p + 20);
    return TN_OK;
}

/* Opens the place that an absolute URL names, as a store of its folder and a key in it. */
static tn_rc absolute_get(
    tn_store *store, tn_arena *a, tn_str url, int64_t from, size_t n, tn_str *ret, tn_err *err)
{
    tn_str path;
    TN_TRY(tn_delta_path_decode(a, url, &path, err));
    tn_str root = tn_store_locate(store, a, TN_STR(""));
    root = tn_str_ends(root, TN_STR("/")) ? tn_str_sub(root, 0, root.n - 1) : root;
    if (tn_str_starts(path, root) && path.n > root.n && path.p[root.n] == '/') {
        return tn_store_get_range(
            store, a, tn_str_sub(path, root.n + 1, path.n), from, n, ret, err);
    }
    TN_AUTOPTR(tn_store) other = NULL;
    TN_TRY(tn_store_open(tn_path_dir(path), NULL, &other, err));
    return tn_store_get_range(other, a, tn_path_base(path), from, n, ret, err);
}

static tn_rc read_from_file(
    tn_store *store, tn_arena *a, const tn_delta_dv *dv, tn_str *ret, tn_err *err)
{
    int64_t from = dv->offset < 0 ? 1 : dv->offset;
    size_t want = (size_t)dv->size_bytes + 8;
    tn_str block;
    if (dv->storage == 'u') {
        tn_str key;
        TN_TRY(uuid_path(a, dv->path_or_inline, &key, err));
        TN_TRY(tn_store_get_range(store, a, key, from, want, &block, err));
    } else {
        TN_TRY(absolute_get(store, a, dv->path_or_inline, from, want, &block, err));
    }
    if (block.n < want || be32(block.p) != (uint32_t)dv->size_bytes) {
        return broken(err, "its size differs from the description");
    }
    tn_str data = tn_str_sub(block, 4, 4 + (size_t)dv->size_bytes);
    if (tn_crc32(0, data.p, data.n) != be32(block.p + 4 + dv->size_bytes)) {
        return broken(err, "its checksum is wrong");
    }
    *ret = data;
    return TN_OK;
}

tn_rc tn_delta_dv_read(
    tn_store *store, tn_arena *a, const tn_delta_dv *dv, uint64_t **ret, size_t *ret_n, tn_err *err)
{
    if (dv->size_bytes < 0 || (uint64_t)dv->size_bytes > TN_DELTA_DV_BYTES_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "a deletion vector of %lld bytes", (long long)dv->size_bytes);
    }
    tn_str data;
    if (dv->storage == 'i') {
        if (!tn_z85_decode(a, dv->path_or_inline, &data)) {
            return broken(err, "its inline text is not z85");
        }
        data = tn_str_sub(data, 0, tn_min_size(data.n, (size_t)dv->size_bytes));
    } else {
        tn_rc rc = read_from_file(store, a, dv, &data, err);
        if (rc != TN_OK) {
            return tn_while(
                err, rc, "deletion vector '" TN_STR_FMT "'", TN_STR_ARG(dv->path_or_inline));
        }
    }
    return decode(a, data, dv, ret, ret_n, err);
}
