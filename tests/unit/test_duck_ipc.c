// layers: duck os text base
/* Arrow IPC streams: what we write we read back; what somebody has damaged is refused, never trusted. The last test is the
 * driver of tests/oracle/arrow_ipc_oracle.py. */
#include "tn_test.h"

#include <fcntl.h>

#include "duck/duck.h"
#include "duck/ipc_impl.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/random.h"

static void close_duck(void *d)
{
    tn_duck_close(d);
}

static void close_conn(void *c)
{
    tn_conn_close(c);
}

static tn_conn *open_conn(tn_arena *a, tn_err *err)
{
    tn_duck *d = NULL;
    tn_conn *c = NULL;
    TN_ASSERT_OK(tn_duck_open(&(tn_duck_opts){ .threads = 1 }, &d, err));
    tn_arena_defer(a, close_duck, d);
    TN_ASSERT_OK(tn_duck_connect(d, &c, err));
    tn_arena_defer(a, close_conn, c);
    return c;
}

static const char source[] = "SELECT i % 2 = 0 AS b, i::TINYINT AS i8, i::USMALLINT AS u16, "
                             "i::INTEGER AS i32, i * 1000000007 AS i64, i::UBIGINT AS u64, "
                             "i::FLOAT / 3 AS f, i::DOUBLE / 7 AS d, (i / 8)::DECIMAL(18,3) AS "
                             "d18, i::DECIMAL(38,10) AS d38, "
                             "CASE WHEN i % 3 > 0 THEN 'row ' || i END AS s, encode('b' || i) AS "
                             "bl, DATE '2024-01-01' + i::INT AS dt, "
                             "TIME '00:00:00' + to_seconds(i) AS t, TIMESTAMP '1969-01-01' + "
                             "to_microseconds(i * 1000003) AS ts, "
                             "(TIMESTAMP '2024-01-01' + to_hours(i))::TIMESTAMPTZ AS tz, "
                             "make_timestamp_ns(i * 1001) AS ns, to_months(i::INT) AS iv, "
                             "[i, NULL, i + 1] AS l, CASE WHEN i % 5 > 0 THEN range(i % 7) END AS "
                             "l2, {'a': i, 'b': {'c': 'x' || i, 'd': [i]}} AS st, "
                             "MAP {'k' || i: i, 'z': NULL} AS m, [i, NULL, i]::BIGINT[3] AS arr, "
                             "(CASE WHEN i % 2 = 0 THEN 'even' WHEN i % 3 = 0 THEN 'odd' "
                             "END)::ENUM('odd', 'even') AS e, [e, e] AS le, NULL::INTEGER AS n "
                             "FROM (SELECT range % 120 AS i FROM range(%s))";

static tn_str temp_path(tn_arena *a)
{
    return tn_str_printf(a, "%s/stream.arrows", tn_test_dir(a));
}

static void write_stream(
    tn_conn *c, tn_arena *a, const char *sql, tn_str path, int64_t rows, tn_err *err)
{
    TN_AUTOPTR(tn_result) r = NULL;
    int64_t n = -1;
    int fd = open(tn_str_z(a, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    TN_ASSERT(fd >= 0);
    TN_ASSERT_OK(tn_conn_stream(c, tn_str_of(sql), &r, err));
    TN_ASSERT_OK(tn_result_arrow_ipc_out(r, fd, &n, err));
    close(fd);
    TN_ASSERT_EQ_I(n, rows);
}

static tn_rc read_stream(tn_conn *c, tn_arena *a, tn_str path, int64_t *ret_n, tn_err *err)
{
    int fd = open(tn_str_z(a, path), O_RDONLY | O_CLOEXEC);
    TN_ASSERT(fd >= 0);
    tn_rc rc = tn_conn_arrow_ipc_in(c, TN_STR("dst"), fd, ret_n, err);
    close(fd);
    return rc;
}

static void round_trip(tn_arena *a, const char *rows, tn_err *err)
{
    tn_conn *c = open_conn(a, err);
    tn_str sql = tn_str_replace(a, tn_str_of(source), TN_STR("%s"), tn_str_of(rows));
    tn_str path = temp_path(a);
    int64_t want = 0, n = -1;
    TN_ASSERT(tn_str_to_i64(tn_str_of(rows), &want));
    TN_ASSERT_OK(tn_conn_exec(c, tn_str_concat(a, TN_STR("CREATE TABLE src AS "), sql), err));
    write_stream(c, a, "FROM src", path, want, err);
    TN_ASSERT_OK(read_stream(c, a, path, &n, err));
    TN_ASSERT_EQ_I(n, want);
    tn_val v = TN_VAL_UNDEF;
    TN_ASSERT_OK(tn_conn_scalar(
        c, a, TN_STR("SELECT count(*) FROM (FROM src EXCEPT ALL FROM dst)"), &v, err));
    TN_ASSERT_EQ_I(v.i, 0);
}

TN_TEST(round_trip_of_all_types)
{
    round_trip(arena, "5000", err);
}

TN_TEST(round_trip_without_rows)
{
    round_trip(arena, "0", err);
}

TN_TEST(what_is_no_stream_is_refused)
{
    static const char *const junk[] = { "", "hello", "\xff\xff\xff\xff",
        "\xff\xff\xff\xff\x01\x00\x00\x00x", "ARROW1\0\0" };
    tn_conn *c = open_conn(arena, err);
    for (size_t i = 0; i < TN_COUNTOF(junk); i++) {
        tn_str path = temp_path(arena);
        TN_ASSERT_OK(tn_file_write(path,
            tn_str_n(junk[i], i == 3   ? 9
                              : i == 4 ? 8
                                       : strlen(junk[i])),
            err));
        TN_ASSERT_RC(read_stream(c, arena, path, NULL, err), TN_E_DATA);
    }
    TN_ASSERT_HAS(err->hint, "pyarrow");
}

/* Every byte of a small stream takes a few other values; every prefix of it is read. Nothing may crash, and what is
 * accepted must be readable to the end. */
TN_TEST(damaged_streams_do_no_harm)
{
    tn_conn *c = open_conn(arena, err);
    tn_str path = temp_path(arena), good;
    tn_str sql = tn_str_replace(arena, tn_str_of(source), TN_STR("%s"), TN_STR("9"));
    write_stream(c, arena, tn_str_z(arena, sql), path, 9, err);
    TN_ASSERT_OK(tn_file_read(arena, path, 1 << 20, &good, err));
    int64_t step = tn_env_get("TN_DAMAGE_STEP").n > 0 ? 1 : 29;
    int refused = 0, accepted = 0;
    static const uint8_t masks[] = { 0xff, 0x01, 0x80 };
    for (size_t i = 0; i < good.n * 2; i += (size_t)step) {
        TN_AUTO_ARENA a = tn_arena_new("damage", NULL);
        tn_str bad = tn_str_dup(a, good);
        if (i < good.n) {
            ((char *)(uintptr_t)bad.p)[i] = (char)(bad.p[i] ^ (char)masks[i % 3]);
        } else {
            bad.n = i - good.n;
        }
        TN_ASSERT_OK(tn_file_write(path, bad, err));
        tn_rc rc = read_stream(c, a, path, NULL, err);
        refused += rc != TN_OK;
        accepted += rc == TN_OK;
        if (rc == TN_OK) {
            TN_AUTOPTR(tn_result) r = NULL;
            TN_ASSERT_OK(tn_conn_query(c, TN_STR("FROM dst"), &r, err));
            size_t n, rows = 0;
            do {
                TN_ASSERT_OK(tn_result_next(r, &n, err));
                for (size_t k = 0; k < n * tn_result_cols(r) && rows < 100; k++) {
                    tn_str text;
                    (void)tn_result_text(r, a, k % tn_result_cols(r), k / tn_result_cols(r), &text);
                }
                rows += n;
            } while (n > 0);
            TN_ASSERT_OK(tn_conn_exec(c, TN_STR("DROP TABLE dst"), err));
        }
    }
    if (refused < 50 || accepted < 5) {
        TN_FAIL("%d refused, %d accepted", refused, accepted);
    }
}

TN_TEST(lz4_frames)
{
    /* Made by the lz4 program: "abcabcabcabcabcabcabcabcabcabc" as one block; a match overlaps its own output. */
    static const uint8_t frame[] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0x0d, 0, 0, 0, 0x3f,
        'a', 'b', 'c', 0x03, 0x00, 0x03, 0x50, 'b', 'c', 'a', 'b', 'c', 0, 0, 0, 0 };
    uint8_t out[64];
    TN_ASSERT(ipc_lz4_frame(frame, sizeof frame, out, 30));
    TN_ASSERT_EQ_S(tn_str_n((char *)out, 30), "abcabcabcabcabcabcabcabcabcabc");
    TN_ASSERT(!ipc_lz4_frame(frame, sizeof frame, out, 29));
    TN_ASSERT(!ipc_lz4_frame(frame, sizeof frame, out, 31));
    for (size_t n = 0; n < sizeof frame; n++) {
        TN_ASSERT(!ipc_lz4_frame(frame, n, out, 30));
    }
    for (size_t i = 0; i < sizeof frame * 256; i++) {
        uint8_t bad[sizeof frame];
        memcpy(bad, frame, sizeof frame);
        bad[i / 256] = (uint8_t)i;
        (void)ipc_lz4_frame(bad, sizeof bad, out, 30);
    }
}

/* TN_ARROW_IN=file TN_ARROW_OUT=file: reads the one into a table and writes the table to the other. */
TN_TEST(oracle_driver)
{
    tn_str in = tn_env_get("TN_ARROW_IN"), out = tn_env_get("TN_ARROW_OUT");
    if (in.n == 0) {
        return;
    }
    tn_conn *c = open_conn(arena, err);
    int64_t n = -1;
    TN_ASSERT_OK(read_stream(c, arena, in, &n, err));
    write_stream(c, arena, "FROM dst", out, n, err);
}
