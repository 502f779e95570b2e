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
#include "delta/action/delta_dv.h"
#include "delta/action/delta_action.h"
#include "text/hash.h"
#include "text/uri.h"

enum {
    MAGIC_PORTABLE = 1681511377,
    MAGIC_NATIVE = 1681511376,
    UUID_Z85_BYTES = 20,
    FILE_VERSION = 1
};
enum {
    COOKIE_PLAIN = 12346,
    COOKIE_RUNS = 12347,
    CONTAINERS_MAX = 65536,
    OFFSETS_FROM = 4,
    ARRAY_VALUES_MAX = 4096,
    BITSET_BYTES = 8192
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

static bool take_u16(reader *r, uint32_t *ret)
{
    if (r->n < 2) {
        return false;
    }
    *ret = (uint32_t)r->p[0] | (uint32_t)r->p[1] << 8;
    r->p += 2;
    r->n -= 2;
    return true;
}

/* Rows come in ascending order, whatever the kind of container: anything else is damage. */
static tn_rc take_row(row_list *rows, uint64_t row, tn_err *err)
{
    if (rows->n > 0 && row <= rows->v[rows->n - 1]) {
        return broken(err, "its rows are not in order");
    }
    if (rows->n == ROWS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "a deletion vector marks more than %llu rows",
            (unsigned long long)ROWS_MAX);
    }
    push_row(rows, row);
    return TN_OK;
}

static tn_rc take_array(reader *r, uint64_t base, uint32_t count, row_list *rows, tn_err *err)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t v;
        if (!take_u16(r, &v)) {
            return broken(err, "an array ends too early");
        }
        TN_TRY(take_row(rows, base | v, err));
    }
    return TN_OK;
}

static tn_rc take_runs(reader *r, uint64_t base, row_list *rows, tn_err *err)
{
    uint32_t count;
    if (!take_u16(r, &count)) {
        return broken(err, "a list of runs ends too early");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from;
        uint32_t more;
        if (!take_u16(r, &from) || !take_u16(r, &more) || from + more > UINT16_MAX) {
            return broken(err, "bad run");
        }
        for (uint32_t v = from; v <= from + more; v++) {
            TN_TRY(take_row(rows, base | v, err));
        }
    }
    return TN_OK;
}

static tn_rc take_bitset(reader *r, uint64_t base, row_list *rows, tn_err *err)
{
    if (r->n < BITSET_BYTES) {
        return broken(err, "a bitset ends too early");
    }
    for (uint32_t i = 0; i < BITSET_BYTES; i++) {
        for (uint32_t bits = r->p[i]; bits != 0; bits &= bits - 1) {
            TN_TRY(take_row(rows, base | (8 * i + (uint32_t)__builtin_ctz(bits)), err));
        }
    }
    r->p += BITSET_BYTES;
    r->n -= BITSET_BYTES;
    return TN_OK;
}

/* One 32-bit bitmap:  u32 cookie 12346 | u32 count
 *                 or  u16 cookie 12347 | u16 count - 1 | (count + 7) / 8 bytes of flags, one a container: is it runs?
 *  then count * ( u16 key | u16 cardinality - 1 ), then count * u32 offsets (with cookie 12347 only from 4 containers on), then
 *  the containers: runs ( u16 n | n * ( u16 from | u16 length - 1 ) ), array of u16 up to 4096 values, else 8192 bytes of bits.
 * It is read here rather than by the library, whose reading trusts counts and orders in the data. */
static tn_rc take_bitmap(reader *r, uint32_t high, row_list *rows, tn_err *err)
{
    uint32_t cookie;
    uint32_t count = 0;
    if (!take_u32(r, &cookie)) {
        return broken(err, "a bitmap ends too early");
    }
    bool runs = (cookie & 0xffff) == COOKIE_RUNS;
    if (runs) {
        count = (cookie >> 16) + 1;
    } else if (cookie != COOKIE_PLAIN || !take_u32(r, &count) || count > CONTAINERS_MAX) {
        return broken(err, "not a Roaring bitmap");
    }
    const uint8_t *flags = r->p;
    size_t flag_bytes = runs ? (count + 7) / 8 : 0;
    size_t offset_bytes = !runs || count >= OFFSETS_FROM ? 4 * (size_t)count : 0;
    if (r->n < flag_bytes + 4 * (size_t)count + offset_bytes) {
        return broken(err, "a bitmap ends too early");
    }
    reader heads = { .p = r->p + flag_bytes, .n = 4 * (size_t)count };
    r->p += flag_bytes + heads.n + offset_bytes;
    r->n -= flag_bytes + heads.n + offset_bytes;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = 0;
        uint32_t cardinality = 0;
        (void)take_u16(&heads, &key);
        (void)take_u16(&heads, &cardinality);
        uint64_t base = (uint64_t)high << 32 | (uint64_t)key << 16;
        if (runs && (flags[i / 8] >> (i % 8) & 1) != 0) {
            TN_TRY(take_runs(r, base, rows, err));
        } else if (cardinality + 1 <= ARRAY_VALUES_MAX) {
            TN_TRY(take_array(r, base, cardinality + 1, rows, err));
        } else {
            TN_TRY(take_bitset(r, base, rows, err));
        }
    }
    return TN_OK;
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

tn_rc tn_delta_dv_place(tn_arena *a, const tn_delta_dv *dv, tn_str *ret, tn_err *err)
{
    if (dv->storage == 'u') {
        return uuid_path(a, dv->path_or_inline, ret, err);
    }
    if (dv->storage == 'p') {
        return tn_delta_path_decode(a, dv->path_or_inline, ret, err);
    }
    *ret = TN_STR("");
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
    TN_TRY(tn_store_open_beside(store, tn_path_dir(path), &other, err));
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
