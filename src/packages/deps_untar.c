/* deps_untar.c: .tar.gz archives: gzip by zlib, then 512-byte blocks: a header (ustar), the file's bytes filled up to a block.
 *
 *     0 name[100]  124 size[12, octal]  156 type  345 prefix[155]
 *
 * Types read: '0' and NUL (file), '5' (folder), 'L' (GNU: the next name), 'x' (pax: "path=" of the next). Links and devices are left out.
 */
#include <zlib.h>

#include "os/file.h"
#include "packages/deps.h"
#include "text/uri.h"

enum { BLOCK = 512, CHUNK = 64 << 10, UNPACKED_BYTES_MAX = 1 << 30 };

static tn_rc gunzip(tn_arena *a, tn_str packed, tn_str *ret, tn_err *err)
{
    z_stream z = { 0 };
    tn_buf b = tn_buf_init(a, UNPACKED_BYTES_MAX);
    char *chunk = tn_arena_alloc(a, CHUNK);
    if (packed.n > UINT32_MAX || inflateInit2(&z, MAX_WBITS + 16) != Z_OK) {
        return tn_fail(err, TN_E_LIMIT, "the archive is too big");
    }
    z.next_in = (Bytef *)(uintptr_t)packed.p;
    z.avail_in = (uInt)packed.n;
    int rc = Z_OK;
    while (rc == Z_OK) {
        z.next_out = (Bytef *)chunk;
        z.avail_out = CHUNK;
        rc = inflate(&z, Z_NO_FLUSH);
        tn_buf_add(&b, tn_str_n(chunk, CHUNK - z.avail_out));
    }
    (void)inflateEnd(&z);
    return rc == Z_STREAM_END ? tn_buf_finish(&b, "the archive", ret, err)
                              : tn_fail(err, TN_E_DATA, "this is no whole gzip archive");
}

static int64_t octal(tn_str s)
{
    int64_t v = 0;
    for (size_t i = 0; i < s.n && v < INT64_MAX >> 4; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '7') {
            v = v * 8 + (s.p[i] - '0');
        } else if (s.p[i] != ' ') {
            break;
        }
    }
    return v;
}

static tn_str field(tn_str block, size_t at, size_t n)
{
    tn_str s = tn_str_sub(block, at, at + n);
    size_t end = tn_str_find_char(s, '\0', 0);
    return end == SIZE_MAX ? s : tn_str_sub(s, 0, end);
}

/* "27 path=a/b.sql\n": length, key, value. */
static tn_str pax_path(tn_str records)
{
    tn_str line;
    while (records.n > 0) {
        (void)tn_str_cut(records, '\n', &line, &records);
        size_t at = tn_str_find(line, TN_STR(" path="), 0);
        if (at != SIZE_MAX) {
            return tn_str_sub(line, at + 6, line.n);
        }
    }
    return TN_STR_NONE;
}

static bool stays_below(tn_str name)
{
    tn_str part, rest = name;
    bool good = name.n > 0 && name.p[0] != '/';
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '/', &part, &rest);
        good = good && !tn_str_is(part, "..");
    }
    return good;
}

typedef struct untarring {
    tn_arena *arena;
    tn_str folder, top, long_name;
} untarring;

static tn_rc put_entry(untarring *u, tn_str name, char type, tn_str data, tn_err *err)
{
    tn_str first, rest;
    while (tn_str_starts(name, TN_STR("./"))) {
        name = tn_str_sub(name, 2, name.n);
    }
    if (name.n == 0 || (type != '0' && type != '\0' && type != '5')) {
        return TN_OK;
    }
    if (!stays_below(name)) {
        return tn_fail(err, TN_E_DATA,
            "the archive has a name that leads out of it: '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    (void)tn_str_cut(name, '/', &first, &rest);
    if (u->top.n > 0 && !tn_str_eq(u->top, first)) {
        return tn_fail(err, TN_E_DATA,
            "the archive must hold one folder, but has '" TN_STR_FMT "' and '" TN_STR_FMT "'",
            TN_STR_ARG(u->top), TN_STR_ARG(first));
    }
    u->top = first;
    tn_str path = tn_uri_join(u->arena, u->folder, name);
    if (type == '5') {
        return tn_dir_make(path, err);
    }
    TN_TRY(tn_dir_make(tn_path_dir(path), err));
    return tn_file_write(path, data, err);
}

static tn_rc take_block(untarring *u, tn_str all, size_t *io_at, bool *ret_end, tn_err *err)
{
    tn_str head = tn_str_sub(all, *io_at, *io_at + BLOCK);
    char type = head.p[156];
    *ret_end = head.p[0] == '\0';
    if (*ret_end) {
        return TN_OK;
    }
    int64_t size = octal(field(head, 124, 12));
    size_t from = *io_at + BLOCK;
    if (size < 0 || (uint64_t)size > all.n - from) {
        return tn_fail(err, TN_E_DATA, "the archive is cut off");
    }
    tn_str data = tn_str_sub(all, from, from + (size_t)size);
    *io_at = from + ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
    if (type == 'L') {
        u->long_name = field(data, 0, data.n);
        return TN_OK;
    }
    if (type == 'x') {
        u->long_name = pax_path(data);
        return TN_OK;
    }
    tn_str prefix = field(head, 345, 155), name = field(head, 0, 100);
    name = u->long_name.n > 0 ? u->long_name
           : prefix.n > 0 && tn_str_starts(field(head, 257, 6), TN_STR("ustar"))
               ? tn_uri_join(u->arena, prefix, name)
               : name;
    u->long_name = TN_STR_NONE;
    return put_entry(u, name, type, data, err);
}

tn_rc tn_untar(tn_arena *a, tn_str packed, tn_str folder, tn_str *ret_top, tn_err *err)
{
    tn_str all;
    untarring u = { .arena = a, .folder = folder };
    TN_TRY(gunzip(a, packed, &all, err));
    bool end = false;
    for (size_t at = 0; !end && at + BLOCK <= all.n;) {
        TN_TRY(take_block(&u, all, &at, &end, err));
    }
    if (u.top.n == 0) {
        return tn_fail(err, TN_E_DATA, "the archive is empty");
    }
    *ret_top = tn_str_dup(a, u.top);
    return TN_OK;
}
