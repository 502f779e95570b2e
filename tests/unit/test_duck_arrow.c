// layers: duck os text base
/* Arrow out of one table into another: types and rows must be the same, in whole tables, empty ones and sliced batches. */
#include "tn_test.h"

#include "duck/arrow_abi.h"
#include "duck/duck.h"

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
    TN_ASSERT_OK(tn_duck_open(&(tn_duck_opts){ .threads = 2 }, &d, err));
    tn_arena_defer(a, close_duck, d);
    TN_ASSERT_OK(tn_duck_connect(d, &c, err));
    tn_arena_defer(a, close_conn, c);
    return c;
}

/* Columns that Arrow holds without loss; %s is a number from 0 up. */
static const char source[] = "SELECT i % 2 = 0 AS b, i::TINYINT AS i8, i::USMALLINT AS u16, "
                             "i::INTEGER AS i32, i::BIGINT * 1000000007 AS i64, "
                             "i::UBIGINT AS u64, i::FLOAT / 3 AS f, i::DOUBLE / 7 AS d, (i / "
                             "4)::DECIMAL(4,1) AS d4, (i / 8)::DECIMAL(18,3) AS d18, "
                             "i::DECIMAL(38,10) AS d38, CASE WHEN i % 3 > 0 THEN 'row ' || i END "
                             "AS s, repeat('\xc3\xa9', (i % 40)::INT) AS long_s, "
                             "encode('b' || i) AS bl, DATE '2024-01-01' + i::INT AS dt, TIME "
                             "'00:00:00' + to_seconds(i) AS t, "
                             "TIMESTAMP '1969-01-01' + to_microseconds(i * 1000003) AS ts, "
                             "(TIMESTAMP '2024-01-01' + to_hours(i))::TIMESTAMPTZ AS tz, "
                             "make_timestamp_ns(i * 1001) AS ns, make_timestamp_ms(i * "
                             "1000)::TIMESTAMP_S AS tss, to_months(i::INT) + to_days(3) AS iv, "
                             "[i, NULL, i + 1] AS l, CASE WHEN i % 5 > 0 THEN range(i % 7) END AS "
                             "l2, {'a': i, 'b': {'c': 'x' || i, 'd': [i]}} AS st, "
                             "MAP {'k' || i: i, 'z': NULL} AS m, [i, NULL, i]::BIGINT[3] AS arr, "
                             "(CASE WHEN i % 2 = 0 THEN 'even' WHEN i % 3 = 0 THEN 'odd' "
                             "END)::ENUM('odd', 'even') AS e, NULL::INTEGER AS n "
                             "FROM (SELECT range % 120 AS i FROM range(%s))";

static void round_trip(tn_arena *a, const char *rows, bool stream, tn_err *err)
{
    tn_conn *c = open_conn(a, err);
    tn_val v = TN_VAL_UNDEF;
    tn_str sql = tn_str_replace(a, tn_str_of(source), TN_STR("%s"), tn_str_of(rows));
    TN_ASSERT_OK(tn_conn_exec(c, tn_str_concat(a, TN_STR("CREATE TABLE src AS "), sql), err));
    TN_ASSERT_OK(tn_conn_scalar(c, a, TN_STR("SELECT count(*) FROM src"), &v, err));
    tn_result *r = NULL;
    TN_ASSERT_OK((stream ? tn_conn_stream : tn_conn_query)(c, TN_STR("FROM src"), &r, err));
    struct ArrowArrayStream s;
    TN_ASSERT_OK(tn_result_arrow_out(r, &s, err));
    int64_t n = -1;
    TN_ASSERT_OK(tn_conn_arrow_in(c, TN_STR("dst"), &s, &n, err));
    TN_ASSERT(s.release == NULL);
    TN_ASSERT_EQ_I(n, v.i);
    TN_ASSERT_OK(tn_conn_scalar(
        c, a, TN_STR("SELECT count(*) FROM (FROM src EXCEPT ALL FROM dst)"), &v, err));
    TN_ASSERT_EQ_I(v.i, 0);
    TN_ASSERT_OK(tn_conn_scalar(c, a,
        TN_STR("SELECT list((a.column_name, a.data_type, b.data_type)) FROM "
               "(SELECT * FROM duckdb_columns() WHERE table_name = 'src') a JOIN (SELECT * FROM "
               "duckdb_columns() WHERE table_name = 'dst') b "
               "USING (column_index) WHERE a.data_type <> b.data_type AND a.data_type NOT LIKE "
               "'ENUM%'"),
        &v, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(a, v), "None");
}

TN_TEST(round_trip_of_all_types)
{
    round_trip(arena, "10000", false, err);
}

TN_TEST(round_trip_of_an_empty_table)
{
    round_trip(arena, "0", false, err);
}

/* ---- a stream of one large batch: what pyarrow gives ---- */

typedef struct one_batch {
    struct ArrowArray array;
    bool given;
    bool fail;
    int released;
} one_batch;

enum { BIG = 100000 };

static int32_t big_ints[BIG + 5];
static int32_t big_offsets[BIG + 6];
static const char big_text[] = "abcdefghij";

static void release_array(struct ArrowArray *a)
{
    a->release = NULL;
    ((one_batch *)a->private_data)->released++;
}

static void release_nothing(struct ArrowArray *a)
{
    a->release = NULL;
}

static void release_schema(struct ArrowSchema *s)
{
    s->release = NULL;
}

static struct ArrowSchema fields[] = {
    { .format = "i", .name = "i", .flags = ARROW_FLAG_NULLABLE, .release = release_schema },
    { .format = "u", .name = "", .flags = ARROW_FLAG_NULLABLE, .release = release_schema },
    { .format = "i", .name = "inner", .flags = ARROW_FLAG_NULLABLE, .release = release_schema },
    { .format = "+s", .name = "st", .flags = ARROW_FLAG_NULLABLE, .release = release_schema },
    { .format = "+s", .name = "mid", .flags = ARROW_FLAG_NULLABLE, .release = release_schema },
    { .format = "+s", .name = "deep", .flags = ARROW_FLAG_NULLABLE, .release = release_schema },
};
static struct ArrowSchema *inner_fields[] = { &fields[2] };
static struct ArrowSchema *mid_fields[] = { &fields[4] };
static struct ArrowSchema *all_fields[] = { &fields[0], &fields[1], &fields[3], &fields[5] };

static int batch_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    (void)s;
    fields[3].n_children = fields[4].n_children = fields[5].n_children = 1;
    fields[3].children = fields[4].children = inner_fields;
    fields[5].children = mid_fields;
    *out = (struct ArrowSchema){ .format = "+s",
        .name = "",
        .n_children = 4,
        .children = all_fields,
        .release = release_schema };
    return 0;
}

static int batch_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    one_batch *b = s->private_data;
    if (b->given && b->fail) {
        return 5;
    }
    *out = (struct ArrowArray){ .release = NULL };
    if (!b->given) {
        *out = b->array;
        b->given = true;
    }
    return 0;
}

static const char *batch_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "the wire is cut";
}

static void batch_stream_release(struct ArrowArrayStream *s)
{
    s->release = NULL;
}

static const void *int_buffers[] = { NULL, big_ints };
static const void *text_buffers[] = { NULL, big_offsets, big_text };
static const void *no_buffers[] = { NULL };
static struct ArrowArray inner_column = {
    .length = BIG + 5, .n_buffers = 2, .buffers = int_buffers, .release = release_nothing
};
static struct ArrowArray *inner_columns[] = { &inner_column };
/* Of every three values one is null. */
static uint8_t mid_bits[BIG / 8 + 2];
static const void *mid_buffers[] = { mid_bits };
static struct ArrowArray mid_column = { .length = BIG + 3,
    .null_count = -1,
    .offset = 1,
    .n_buffers = 1,
    .buffers = mid_buffers,
    .n_children = 1,
    .children = inner_columns,
    .release = release_nothing };
static struct ArrowArray *mid_columns[] = { &mid_column };
static struct ArrowArray columns[] = {
    { .length = BIG,
        .offset = 3,
        .n_buffers = 2,
        .buffers = int_buffers,
        .release = release_nothing },
    { .length = BIG,
        .offset = 3,
        .n_buffers = 3,
        .buffers = text_buffers,
        .release = release_nothing },
    { .length = BIG,
        .offset = 3,
        .n_buffers = 1,
        .buffers = no_buffers,
        .n_children = 1,
        .children = inner_columns,
        .release = release_nothing },
    { .length = BIG,
        .offset = 2, /* the struct in it begins at 1, so that value 3 is the first again */
        .n_buffers = 1,
        .buffers = no_buffers,
        .n_children = 1,
        .children = mid_columns,
        .release = release_nothing },
};
static struct ArrowArray *all_columns[] = { &columns[0], &columns[1], &columns[2], &columns[3] };

static struct ArrowArrayStream one_batch_stream(one_batch *b)
{
    for (int i = 0; i < BIG + 5; i++) {
        big_ints[i] = i;
        big_offsets[i] = i % 8;
        big_offsets[i + 1] = i % 8 + 1;
    }
    for (int i = 0; i < BIG + 4; i++) {
        mid_bits[i / 8] |= (uint8_t)((i % 3 != 0) << (i % 8));
    }
    /* Offsets must not go down: every text is one letter of the first eight, or empty where they wrap. */
    for (int i = 0; i < BIG + 6; i++) {
        big_offsets[i] = i < 10 ? i : 10;
    }
    b->array = (struct ArrowArray){ .length = BIG,
        .n_buffers = 1,
        .buffers = no_buffers,
        .n_children = 4,
        .children = all_columns,
        .release = release_array,
        .private_data = b };
    return (struct ArrowArrayStream){ .get_schema = batch_schema,
        .get_next = batch_next,
        .get_last_error = batch_error,
        .release = batch_stream_release,
        .private_data = b };
}

TN_TEST(large_batches_with_offsets_are_sliced)
{
    tn_conn *c = open_conn(arena, err);
    one_batch b = { .given = false };
    struct ArrowArrayStream s = one_batch_stream(&b);
    int64_t n = 0;
    TN_ASSERT_OK(tn_conn_arrow_in(c, TN_STR("main.\"big table\""), &s, &n, err));
    TN_ASSERT_EQ_I(n, BIG);
    TN_ASSERT_EQ_I(b.released, 1);
    tn_val v = TN_VAL_UNDEF;
    TN_ASSERT_OK(tn_conn_scalar(c, arena,
        TN_STR("SELECT [count(*), min(i), max(i), count(*) FILTER (i = st.inner), "
               "count(DISTINCT i)] FROM \"big table\""),
        &v, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, v), "[100000, 3, 100002, 100000, 100000]");
    TN_ASSERT_OK(tn_conn_scalar(c, arena,
        TN_STR("SELECT [count(deep.mid.inner), count(*) FILTER (deep.mid.inner = i), count(*) "
               "FILTER (deep.mid IS NULL AND i % 3 = 0)] FROM \"big table\""),
        &v, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, v), "[66666, 66666, 33334]");
    TN_ASSERT_OK(tn_conn_scalar(
        c, arena, TN_STR("SELECT string_agg(column1, '' ORDER BY i) FROM \"big table\""), &v, err));
    TN_ASSERT_EQ_S(tn_val_as_str(v), "defghij");
}

TN_TEST(a_stream_that_fails_leaves_no_table)
{
    tn_conn *c = open_conn(arena, err);
    one_batch b = { .fail = true };
    struct ArrowArrayStream s = one_batch_stream(&b);
    TN_ASSERT_RC(tn_conn_arrow_in(c, TN_STR("t"), &s, NULL, err), TN_E_DATA);
    TN_ASSERT_HAS(err->msg, "the wire is cut");
    TN_ASSERT(s.release == NULL);
    TN_ASSERT_EQ_I(b.released, 1);
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("FROM t"), err), TN_E_SQL);
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("CREATE TABLE t(x INTEGER)"), err));
    b = (one_batch){ .given = false };
    s = one_batch_stream(&b);
    TN_ASSERT_RC(tn_conn_arrow_in(c, TN_STR("t"), &s, NULL, err), TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "already exists");
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("FROM t"), err)); /* the other's table is still there */
}
