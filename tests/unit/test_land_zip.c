// layers: base os text store duck delta lake
/* Zip archives written here by hand: read back, damaged in every way, never read past their end. Also gzip files and first lines. */
#include "tn_test.h"

#include "lake/land/land_input.h"
#include "os/file.h"
#include "text/hash.h"

static void put16(tn_buf *b, unsigned v)
{
    tn_buf_addc(b, (char)(v & 0xff));
    tn_buf_addc(b, (char)(v >> 8 & 0xff));
}

static void put32(tn_buf *b, uint32_t v)
{
    put16(b, v & 0xffff);
    put16(b, v >> 16);
}

static void put64(tn_buf *b, uint64_t v)
{
    put32(b, (uint32_t)v);
    put32(b, (uint32_t)(v >> 32));
}

/* One stored member; zip64: sizes and offset only in the extra field. */
static tn_str archive_of(tn_arena *arena, const char *name, tn_str data, bool zip64)
{
    tn_buf b = tn_buf_init(arena, 1 << 20);
    uint32_t crc = tn_crc32(0, data.p, data.n), n = (uint32_t)data.n;
    size_t name_n = strlen(name);
    tn_buf_addz(&b, "PK\3\4");
    put16(&b, 20), put16(&b, 0), put16(&b, 0), put32(&b, 0), put32(&b, crc), put32(&b, n),
        put32(&b, n);
    put16(&b, (unsigned)name_n), put16(&b, 0);
    tn_buf_addz(&b, name);
    tn_buf_add(&b, data);
    size_t central = b.n;
    tn_buf_addz(&b, "PK\1\2");
    put16(&b, 45), put16(&b, 20), put16(&b, 0), put16(&b, 0), put32(&b, 0), put32(&b, crc);
    put32(&b, zip64 ? 0xffffffff : n), put32(&b, zip64 ? 0xffffffff : n);
    put16(&b, (unsigned)name_n), put16(&b, zip64 ? 28 : 0), put16(&b, 0), put16(&b, 0),
        put16(&b, 0), put32(&b, 0);
    put32(&b, zip64 ? 0xffffffff : 0);
    tn_buf_addz(&b, name);
    if (zip64) {
        put16(&b, 1), put16(&b, 24), put64(&b, n), put64(&b, n), put64(&b, 0);
    }
    size_t end = b.n;
    if (zip64) {
        tn_buf_addz(&b, "PK\6\6");
        put64(&b, 44), put16(&b, 45), put16(&b, 45), put32(&b, 0), put32(&b, 0), put64(&b, 1),
            put64(&b, 1), put64(&b, end - central), put64(&b, central);
        tn_buf_addz(&b, "PK\6\7");
        put32(&b, 0), put64(&b, end), put32(&b, 1);
    }
    tn_buf_addz(&b, "PK\5\6");
    put16(&b, 0), put16(&b, 0), put16(&b, zip64 ? 0xffff : 1), put16(&b, zip64 ? 0xffff : 1);
    put32(&b, zip64 ? 0xffffffff : (uint32_t)(end - central)),
        put32(&b, zip64 ? 0xffffffff : (uint32_t)central);
    put16(&b, 0);
    return tn_buf_str(&b);
}

static tn_str file_with(tn_arena *arena, const char *dir, const char *name, tn_str bytes)
{
    tn_str path = tn_str_printf(arena, "%s/%s", dir, name);
    TN_ASSERT_OK(tn_file_write(path, bytes, &tn_tests.err));
    return path;
}

TN_TEST(a_member_comes_back)
{
    char *dir = tn_test_dir(arena);
    for (int zip64 = 0; zip64 < 2; zip64++) {
        tn_str path = file_with(
            arena, dir, "a.zip", archive_of(arena, "in/x.csv", TN_STR("a,b\n1,2\n"), zip64));
        tn_zip_members m;
        TN_ASSERT_OK(tn_zip_list(arena, path, &m, err));
        TN_ASSERT_EQ_I(m.n, 1);
        TN_ASSERT_EQ_S(m.v[0].name, "in/x.csv");
        TN_ASSERT_EQ_I(m.v[0].size, 8);
        tn_str to = tn_str_printf(arena, "%s/out", dir), text;
        TN_ASSERT_OK(tn_zip_extract(path, &m.v[0], to, err));
        TN_ASSERT_OK(tn_file_read(arena, to, 100, &text, err));
        TN_ASSERT_EQ_S(text, "a,b\n1,2\n");
    }
}

TN_TEST(what_is_no_archive)
{
    char *dir = tn_test_dir(arena);
    tn_zip_members m;
    TN_ASSERT_RC(
        tn_zip_list(arena, file_with(arena, dir, "e", TN_STR_NONE), &m, err), TN_E_CORRUPT);
    TN_ASSERT_RC(tn_zip_list(arena, file_with(arena, dir, "t", TN_STR("a,b\n1,2\n")), &m, err),
        TN_E_CORRUPT);
    tn_str empty = TN_STR("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    TN_ASSERT_OK(tn_zip_list(arena, file_with(arena, dir, "z", empty), &m, err));
    TN_ASSERT_EQ_I(m.n, 0);
}

/* Every byte in turn takes other values, and the archive is cut at every place: an error or the right bytes, nothing else. */
TN_TEST(damage_is_an_error_or_harmless)
{
    char *dir = tn_test_dir(arena);
    tn_str data = TN_STR("a,b\n1,2\n3,4\n");
    tn_str to = tn_str_printf(arena, "%s/out", dir);
    static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
    for (int zip64 = 0; zip64 < 2; zip64++) {
        tn_str good = archive_of(arena, "x.csv", data, zip64);
        for (size_t at = 0; at < good.n * (TN_COUNTOF(values) + 1); at++) {
            TN_AUTO_ARENA a = tn_arena_new("damage", NULL);
            char *bytes = tn_str_z(a, good);
            bool cut = at >= good.n * TN_COUNTOF(values);
            if (!cut) {
                bytes[at / TN_COUNTOF(values)] = (char)values[at % TN_COUNTOF(values)];
            }
            tn_str path = file_with(
                a, dir, "d.zip", tn_str_n(bytes, cut ? at - good.n * TN_COUNTOF(values) : good.n));
            tn_zip_members m;
            if (tn_zip_list(a, path, &m, NULL) != TN_OK || m.n == 0) {
                continue;
            }
            tn_str text;
            if (tn_zip_extract(path, &m.v[0], to, NULL) == TN_OK) {
                TN_ASSERT_OK(tn_file_read(a, to, 100, &text, err));
                TN_ASSERT(tn_str_eq(text, data) || text.n == 0);
            }
        }
    }
}

TN_TEST(gzip_files_are_whole_or_refused)
{
    /* printf 'a,b\n1,2\n' | gzip -n */
    static const char gz[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\xd4\x49\xe2\x32\xd4\x31\xe2\x02\x00";
    char *dir = tn_test_dir(arena);
    tn_buf b = tn_buf_init(arena, 1000);
    tn_buf_add_n(&b, gz, sizeof gz - 1);
    uint32_t crc = tn_crc32(0, "a,b\n1,2\n", 8);
    put32(&b, crc), put32(&b, 8);
    tn_str good = tn_buf_str(&b);
    TN_ASSERT_OK(tn_land_check_gzip(file_with(arena, dir, "g.gz", good), TN_STR("g"), err));
    tn_str twice = tn_str_concat(arena, good, good);
    TN_ASSERT_OK(tn_land_check_gzip(file_with(arena, dir, "g.gz", twice), TN_STR("g"), err));
    TN_ASSERT_OK(tn_land_check_gzip(
        file_with(arena, dir, "g.gz", tn_str_concat(arena, good, TN_STR("\0\0\0"))), TN_STR("g"),
        err));
    for (size_t n = 1; n < good.n; n++) {
        TN_ASSERT_RC(tn_land_check_gzip(
                         file_with(arena, dir, "g.gz", tn_str_sub(good, 0, n)), TN_STR("g"), err),
            TN_E_DATA);
        TN_ASSERT_RC(
            tn_land_check_gzip(
                file_with(arena, dir, "g.gz", tn_str_sub(twice, 0, good.n + n)), TN_STR("g"), err),
            TN_E_DATA);
        tn_err_clear(err);
    }
    tn_str text;
    bool known;
    TN_ASSERT_OK(tn_land_peek(arena, file_with(arena, dir, "g.gz", good), &text, &known, err));
    TN_ASSERT(known);
    TN_ASSERT_EQ_S(text, "a,b\n1,2\n");
}

TN_TEST(line_endings_and_first_lines)
{
    TN_ASSERT_EQ_I(tn_land_newline_of(TN_STR("a,b\r\n1,2\r\n")), TN_LAND_CRLF);
    TN_ASSERT_EQ_I(tn_land_newline_of(TN_STR("a,b\n1,2\r\n")), TN_LAND_LF);
    TN_ASSERT_EQ_I(tn_land_newline_of(TN_STR("a,b\r1,2")), TN_LAND_CR);
    TN_ASSERT_EQ_I(tn_land_newline_of(TN_STR("a,b")), TN_LAND_NO_NEWLINE);
    TN_ASSERT_EQ_I(tn_land_newline_of(TN_STR("\"a\n\",b\r\n")), TN_LAND_CRLF);
    TN_ASSERT_EQ_S(tn_land_first_line(TN_STR("\xef\xbb\xbf"
                                             "a,b\r\n1")),
        "a,b");
    TN_ASSERT_EQ_S(tn_land_first_line(TN_STR("")), "");
}
