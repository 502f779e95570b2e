/* land_zip.c: reading members of zip archives, as in PKWARE's APPNOTE 6.3.
 *
 *   end of central directory   PK\5\6: +8 entries(2) +10 total(2) +12 size(4) +16 offset(4) +20 comment length(2); searched from the file's end
 *   zip64 locator              PK\6\7, 20 bytes before it: +8 offset(8) of  PK\6\6: +32 entries(8) +40 size(8) +48 offset(8)
 *   central header             PK\1\2, 46 bytes: +8 flags +10 method +16 crc +20 packed +24 size +28 name +30 extra +32 comment +42 offset
 *   local header               PK\3\4, 30 bytes: +26 name length +28 extra length, then the data
 *   zip64 extra field          id 1: size, packed, offset (8 each), only those that are 0xFFFFFFFF in the header
 *
 * Everything comes from outside: each offset and length is checked before use, the CRC after unpacking, and a member cannot
 * unpack to more than it declares.
 */
#include <zlib.h>

#include "lake/land/land_input.h"
#include "os/file.h"

enum {
    EOCD_BYTES = 22,
    TAIL_BYTES = EOCD_BYTES + 65535 + 20,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    CENTRAL_MAX = 512 << 20,
    CHUNK = 256 << 10,
    NAME_MAX_BYTES = 4096,
};

static uint32_t u16(const char *p)
{
    return (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8;
}

static uint32_t u32(const char *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static int64_t i64(const char *p)
{
    uint64_t v = (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
    return v > INT64_MAX ? -1 : (int64_t)v;
}

static tn_rc broken(tn_err *err, tn_str path, const char *what)
{
    return tn_fail(err, TN_E_CORRUPT, "'" TN_STR_FMT "' is not a readable zip archive: %s",
        TN_STR_ARG(path), what);
}

typedef struct directory {
    int64_t entries, size, offset;
} directory;

static tn_rc find_directory(tn_arena *a, tn_str path, directory *ret, tn_err *err)
{
    tn_file_info info;
    TN_TRY(tn_file_stat(a, path, &info, err));
    int64_t from = info.size > TAIL_BYTES ? info.size - TAIL_BYTES : 0;
    tn_str tail;
    TN_TRY(tn_file_read_range(a, path, from, (size_t)(info.size - from), &tail, err));
    size_t at = SIZE_MAX;
    for (size_t i = tail.n >= EOCD_BYTES ? tail.n - EOCD_BYTES + 1 : 0; i > 0; i--) {
        if (memcmp(tail.p + i - 1, "PK\5\6", 4) == 0) {
            at = i - 1;
            break;
        }
    }
    if (at == SIZE_MAX) {
        return broken(err, path, "it has no end record");
    }
    directory d = { .entries = u16(tail.p + at + 10),
        .size = u32(tail.p + at + 12),
        .offset = u32(tail.p + at + 16) };
    if ((d.entries == 0xFFFF || d.size == 0xFFFFFFFF || d.offset == 0xFFFFFFFF) && at >= 20 &&
        memcmp(tail.p + at - 20, "PK\6\7", 4) == 0) {
        tn_str big;
        TN_TRY(tn_file_read_range(a, path, i64(tail.p + at - 12), 56, &big, err));
        if (big.n < 56 || memcmp(big.p, "PK\6\6", 4) != 0) {
            return broken(err, path, "its zip64 end record is damaged");
        }
        d = (directory){
            .entries = i64(big.p + 32), .size = i64(big.p + 40), .offset = i64(big.p + 48)
        };
    }
    if (d.size < 0 || d.offset < 0 || d.entries < 0 || d.size > CENTRAL_MAX ||
        d.offset > info.size - d.size) {
        return broken(err, path, "its directory lies outside of the file");
    }
    *ret = d;
    return TN_OK;
}

static void read_zip64_extra(tn_str extra, tn_zip_member *m, bool size, bool packed, bool offset)
{
    while (extra.n >= 4) {
        size_t n = u16(extra.p + 2);
        if (n > extra.n - 4) {
            return;
        }
        if (u16(extra.p) == 1) {
            tn_str v = tn_str_sub(extra, 4, 4 + n);
            int64_t *fields[] = { size ? &m->size : NULL, packed ? &m->packed : NULL,
                offset ? &m->offset : NULL };
            for (size_t i = 0; i < TN_COUNTOF(fields); i++) {
                if (fields[i] != NULL && v.n >= 8) {
                    *fields[i] = i64(v.p);
                    v = tn_str_sub(v, 8, v.n);
                }
            }
            return;
        }
        extra = tn_str_sub(extra, 4 + n, extra.n);
    }
}

static tn_rc read_entry(tn_arena *a, tn_str path, tn_str *rest, tn_zip_members *out, tn_err *err)
{
    const char *p = rest->p;
    if (rest->n < CENTRAL_BYTES || memcmp(p, "PK\1\2", 4) != 0) {
        return broken(err, path, "its directory is damaged");
    }
    size_t name_n = u16(p + 28), extra_n = u16(p + 30), comment_n = u16(p + 32);
    size_t whole = CENTRAL_BYTES + name_n + extra_n + comment_n;
    if (whole > rest->n || name_n > NAME_MAX_BYTES) {
        return broken(err, path, "its directory is cut short");
    }
    tn_zip_member m = {
        .name = tn_str_dup(a, tn_str_n(p + CENTRAL_BYTES, name_n)),
        .method = (int)u16(p + 10),
        .encrypted = (u16(p + 8) & 1) != 0,
        .crc = u32(p + 16),
        .packed = u32(p + 20),
        .size = u32(p + 24),
        .offset = u32(p + 42),
    };
    read_zip64_extra(tn_str_n(p + CENTRAL_BYTES + name_n, extra_n), &m, m.size == 0xFFFFFFFF,
        m.packed == 0xFFFFFFFF, m.offset == 0xFFFFFFFF);
    if (m.size < 0 || m.packed < 0 || m.offset < 0) {
        return broken(err, path, "a member has an impossible size");
    }
    if (m.name.n > 0 && m.name.p[m.name.n - 1] != '/') {
        tn_vec_push(out, a, m);
    }
    *rest = tn_str_sub(*rest, whole, rest->n);
    return TN_OK;
}

tn_rc tn_zip_list(tn_arena *a, tn_str path, tn_zip_members *ret, tn_err *err)
{
    directory d = { 0 };
    TN_TRY(find_directory(a, path, &d, err));
    tn_str rest;
    TN_TRY(tn_file_read_range(a, path, d.offset, (size_t)d.size, &rest, err));
    tn_zip_members out = { 0 };
    for (int64_t i = 0; i < d.entries; i++) {
        TN_TRY(read_entry(a, path, &rest, &out, err));
    }
    *ret = out;
    return TN_OK;
}

/* ---- unpacking ---- */

typedef struct unpacker {
    tn_str path;
    const tn_zip_member *m;
    tn_str to;
    tn_buf out;
    uint32_t crc;
    int64_t written;
} unpacker;

static tn_rc flush_out(unpacker *u, tn_err *err)
{
    u->crc = (uint32_t)crc32(u->crc, (const Bytef *)u->out.p, (uInt)u->out.n);
    u->written += (int64_t)u->out.n;
    if (u->written > u->m->size) {
        return broken(err, u->path, "a member unpacks to more than it declares");
    }
    TN_TRY(tn_file_append(u->to, tn_buf_str(&u->out), err));
    tn_buf_reset(&u->out);
    return TN_OK;
}

static tn_rc inflate_chunk(unpacker *u, z_stream *z, tn_str in, bool *ret_end, tn_err *err)
{
    z->next_in = (Bytef *)(uintptr_t)in.p;
    z->avail_in = (uInt)in.n;
    do {
        char *room = tn_buf_reserve(&u->out, CHUNK);
        TN_CHECK(room != NULL);
        z->next_out = (Bytef *)room;
        z->avail_out = CHUNK;
        int rc = inflate(z, Z_NO_FLUSH);
        u->out.n += CHUNK - z->avail_out;
        TN_TRY(flush_out(u, err));
        if (rc == Z_STREAM_END) {
            *ret_end = true;
            return TN_OK;
        }
        if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return broken(err, u->path, "a member's data is damaged");
        }
    } while (z->avail_in > 0 || z->avail_out == 0);
    return TN_OK;
}

static inline void z_stream_cleanup(z_stream *z)
{
    inflateEnd(z);
}

static tn_rc unpack_deflated(unpacker *u, int64_t from, tn_err *err)
{
    TN_AUTO(z_stream) z = { 0 };
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        return tn_fail(err, TN_E_BUG, "zlib cannot start");
    }
    bool end = false;
    for (int64_t left = u->m->packed; left > 0 && !end;) {
        TN_AUTO_ARENA a = tn_arena_new("zip chunk", NULL);
        tn_str in;
        TN_TRY(
            tn_file_read_range(a, u->path, from, (size_t)(left < CHUNK ? left : CHUNK), &in, err));
        if (in.n == 0) {
            break;
        }
        from += (int64_t)in.n;
        left -= (int64_t)in.n;
        TN_TRY(inflate_chunk(u, &z, in, &end, err));
    }
    return end ? TN_OK : broken(err, u->path, "a member is cut short");
}

static tn_rc unpack_stored(unpacker *u, int64_t from, tn_err *err)
{
    for (int64_t left = u->m->packed; left > 0;) {
        TN_AUTO_ARENA a = tn_arena_new("zip chunk", NULL);
        tn_str in;
        TN_TRY(
            tn_file_read_range(a, u->path, from, (size_t)(left < CHUNK ? left : CHUNK), &in, err));
        if (in.n == 0) {
            return broken(err, u->path, "a member is cut short");
        }
        tn_buf_add(&u->out, in);
        TN_TRY(flush_out(u, err));
        from += (int64_t)in.n;
        left -= (int64_t)in.n;
    }
    return TN_OK;
}

tn_rc tn_zip_extract(tn_str path, const tn_zip_member *m, tn_str to, tn_err *err)
{
    if (m->encrypted || (m->method != 0 && m->method != 8)) {
        tn_rc rc =
            tn_fail(err, TN_E_UNSUPPORTED, "member '" TN_STR_FMT "' of '" TN_STR_FMT "' is %s",
                TN_STR_ARG(m->name), TN_STR_ARG(path),
                m->encrypted ? "encrypted" : "compressed in a way other than deflate");
        return tn_hint(err, rc, "unpack the archive first and land the files");
    }
    TN_AUTO_ARENA a = tn_arena_new("zip member", NULL);
    tn_str local;
    TN_TRY(tn_file_read_range(a, path, m->offset, LOCAL_BYTES, &local, err));
    if (local.n < LOCAL_BYTES || memcmp(local.p, "PK\3\4", 4) != 0) {
        return broken(err, path, "a member's header is damaged");
    }
    int64_t from = m->offset + LOCAL_BYTES + u16(local.p + 26) + u16(local.p + 28);
    unpacker u = { .path = path, .m = m, .to = to, .out = tn_buf_init(a, TN_BUF_NO_LIMIT) };
    TN_TRY(tn_file_write(to, TN_STR_NONE, err));
    TN_TRY(m->method == 8 ? unpack_deflated(&u, from, err) : unpack_stored(&u, from, err));
    if (u.written != m->size || u.crc != m->crc) {
        return broken(err, path, "a member's checksum is wrong");
    }
    return TN_OK;
}
