/* delta_dv_write.c: writing deletion vectors; the format is drawn in delta_dv.c.
 *
 * All vectors of one commit share one file at the table's root, deletion_vector_<uuid>.bin; its name is z85 of the UUID in the
 * log. Only the portable form with the present magic number is written. Bitmaps are compressed with runs, as the reference does.
 * A Parquet file of more than 2^32 rows is refused: no writer makes one, and one bitmap is then enough.
 */
#include <roaring/roaring.h>

#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_stats.h"
#include "os/random.h"
#include "text/hash.h"
#include "text/json.h"

enum {
    MAGIC_PORTABLE = 1681511377,
    FILE_VERSION = 1,
    UUID_BYTES = 16,
    FRAME_BYTES = 16,
    PUT_TRIES_MAX = 5
};

struct tn_delta_rowset {
    roaring_bitmap_t *bits;
};

static void free_rowset(void *p)
{
    tn_delta_rowset *set = p;
    roaring_bitmap_free(set->bits);
}

tn_delta_rowset *tn_delta_rowset_new(tn_arena *a)
{
    tn_delta_rowset *set = tn_new(a, tn_delta_rowset);
    set->bits = roaring_bitmap_create();
    TN_CHECK(set->bits != NULL);
    tn_arena_defer(a, free_rowset, set);
    return set;
}

tn_rc tn_delta_rowset_add(tn_delta_rowset *set, uint64_t row, tn_err *err)
{
    if (row > UINT32_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "a data file has more than %llu rows", (unsigned long long)UINT32_MAX);
    }
    roaring_bitmap_add(set->bits, (uint32_t)row);
    return TN_OK;
}

int64_t tn_delta_rowset_count(const tn_delta_rowset *set)
{
    return (int64_t)roaring_bitmap_get_cardinality(set->bits);
}

/* ---- the file ---- */

static void put_le32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (char)(v >> 8 * i & 0xff);
    }
}

static void put_be32(char *p, uint32_t v)
{
    put_le32(p, __builtin_bswap32(v));
}

tn_delta_dv_file tn_delta_dv_file_init(tn_arena *a)
{
    uint8_t id[UUID_BYTES];
    tn_random_bytes(id, sizeof id);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* version 4, the usual variant */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    tn_str h = tn_hex(a, id, sizeof id);
    tn_delta_dv_file f = { .arena = a, .data = tn_buf_init(a, TN_DELTA_DV_BYTES_MAX) };
    tn_buf name = tn_buf_init(a, 64);
    tn_z85_encode(&name, id, sizeof id);
    f.name = tn_buf_str(&name);
    f.key = tn_str_printf(a, "deletion_vector_%.8s-%.4s-%.4s-%.4s-%.12s.bin", h.p, h.p + 8,
        h.p + 12, h.p + 16, h.p + 20);
    tn_buf_addc(&f.data, FILE_VERSION);
    return f;
}

tn_rc tn_delta_dv_append(
    tn_delta_dv_file *file, tn_delta_rowset *set, tn_delta_dv *ret, tn_err *err)
{
    (void)roaring_bitmap_run_optimize(set->bits);
    size_t bitmap = roaring_bitmap_portable_size_in_bytes(set->bits);
    size_t size = tn_size_add(bitmap, FRAME_BYTES);
    if (size > INT32_MAX || file->data.n > INT32_MAX) {
        return tn_fail(err, TN_E_LIMIT, "the deletion vectors of one commit are too large");
    }
    int32_t offset = (int32_t)file->data.n;
    char *p = tn_buf_reserve(&file->data, size + 8);
    if (p == NULL) {
        return tn_fail(err, TN_E_LIMIT, "the deletion vectors of one commit are too large");
    }
    put_be32(p, (uint32_t)size);
    char *data = p + 4;
    put_le32(data, MAGIC_PORTABLE);
    put_le32(data + 4, 1); /* one bitmap, the low half of its 64-bit count; */
    put_le32(data + 8, 0);
    put_le32(data + 12, 0); /* its rows' high 32 bits */
    size_t written = roaring_bitmap_portable_serialize(set->bits, data + FRAME_BYTES);
    TN_CHECK(written == bitmap);
    put_be32(data + size, tn_crc32(0, data, size));
    file->data.n += size + 8;
    *ret = (tn_delta_dv){ .storage = 'u',
        .path_or_inline = file->name,
        .offset = offset,
        .size_bytes = (int64_t)size,
        .cardinality = tn_delta_rowset_count(set) };
    return TN_OK;
}

/* The name is ours alone, so a put whose answer was lost is just made again; what stays unknown is a failure, not a doubt. */
tn_rc tn_delta_dv_put(const tn_delta_dv_file *file, tn_store *store, tn_err *err)
{
    tn_err why = TN_ERR_INIT;
    tn_rc rc = TN_E_AMBIGUOUS;
    for (int i = 0; rc == TN_E_AMBIGUOUS && i < PUT_TRIES_MAX; i++) {
        tn_err_clear(&why);
        rc = tn_store_put(store, file->key, tn_buf_str(&file->data), TN_PUT_OVERWRITE, &why);
    }
    if (rc == TN_OK) {
        return TN_OK;
    }
    rc = tn_err_pass(err, rc == TN_E_AMBIGUOUS ? TN_E_IO : rc, &why);
    return tn_while(err, rc, "writing deletion vectors");
}

/* ---- statistics beside a vector ---- */

/* The text is changed and not parsed and printed again: decimals would lose digits. A text without numRecords is given up,
 * since bounds whose rows nobody counted are of little use. */
tn_rc tn_delta_stats_loosen(
    tn_arena *a, const tn_delta_file *f, int64_t rows, tn_str *ret, tn_err *err)
{
    tn_str old = tn_str_trim(f->stats);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    if (old.n < 2 || old.p[0] != '{' || tn_delta_stats_rows(f) != rows) {
        tn_buf_addf(&b, "{\"numRecords\":%lld,\"tightBounds\":false}", (long long)rows);
        return tn_buf_finish(&b, "a file's statistics", ret, err);
    }
    /* Only the statement of all bounds can hold a boolean; a column of that name has none. */
    tn_str text =
        tn_str_replace(a, old, TN_STR("\"tightBounds\":true"), TN_STR("\"tightBounds\":false"));
    text =
        tn_str_replace(a, text, TN_STR("\"tightBounds\": true"), TN_STR("\"tightBounds\": false"));
    if (tn_str_find(text, TN_STR("\"tightBounds\":false"), 0) == SIZE_MAX &&
        tn_str_find(text, TN_STR("\"tightBounds\": false"), 0) == SIZE_MAX) {
        tn_buf_addz(&b, "{\"tightBounds\":false,");
        text = tn_str_sub(text, 1, text.n);
    }
    tn_buf_add(&b, text);
    return tn_buf_finish(&b, "a file's statistics", ret, err);
}
