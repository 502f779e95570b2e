// layers: base os text store duck delta
/* Tables on a far store: what is asked for once a statement, what a commit teaches its handle, what this machine remembers of a version. The store is a
 * folder that calls itself far and counts. */
#include "tn_test.h"

#include "delta/delta.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/hash.h"

static const tn_store_ops *near_ops;
static tn_store_ops far_ops;
static int asked; /* listings and whole reads */

static tn_rc count_list(
    tn_store *s, tn_arena *a, const tn_store_list_opts *o, tn_store_items *ret, tn_err *err)
{
    (void)__atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    TN_TRY(near_ops->list(s, a, o, ret, err));
    for (size_t i = 0; i < ret->n; i++) { /* as a bucket does: the MD5 of the bytes, in quotes */
        tn_str text;
        if (near_ops->get(s, a, ret->v[i].key, (size_t)1 << 20, &text, NULL) == TN_OK) {
            ret->v[i].etag =
                tn_str_printf(a, "\"" TN_STR_FMT "\"", TN_STR_ARG(tn_md5_hex(a, text)));
        }
    }
    return TN_OK;
}

static tn_rc count_get(tn_store *s, tn_arena *a, tn_str key, size_t max, tn_str *ret, tn_err *err)
{
    (void)__atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    return near_ops->get(s, a, key, max, ret, err);
}

static tn_str id_of(tn_store *s, tn_arena *a, tn_str key)
{
    return tn_str_printf(a, "far:" TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(s->root), TN_STR_ARG(key));
}

typedef struct fixture {
    tn_duck *duck;
    tn_conn *conn;
    tn_store *store;
} fixture;

static void close_fixture(void *p)
{
    fixture *f = p;
    tn_store_unref(f->store);
    tn_conn_close(f->conn);
    tn_duck_close(f->duck);
}

static fixture *open_far(tn_arena *arena, tn_err *err)
{
    fixture *f = tn_new(arena, fixture);
    const char *dir = tn_test_dir(arena);
    tn_arena_defer(arena, close_fixture, f);
    TN_ASSERT_OK(tn_env_set("XDG_CACHE_HOME", tn_str_printf(arena, "%s/cache", dir), err));
    tn_duck_opts opts = { .threads = 1 };
    TN_ASSERT_OK(tn_duck_open(&opts, &f->duck, err));
    TN_ASSERT_OK(tn_duck_connect(f->duck, &f->conn, err));
    TN_ASSERT_OK(tn_store_open(tn_str_printf(arena, "%s/t", dir), NULL, &f->store, err));
    near_ops = f->store->ops;
    far_ops = *near_ops;
    far_ops.cache_id = id_of;
    far_ops.list = count_list;
    far_ops.get = count_get;
    f->store->ops = &far_ops;
    return f;
}

static tn_delta_table *handle(fixture *f, tn_arena *arena)
{
    tn_delta_table *t;
    TN_ASSERT_OK(tn_delta_table_open(f->store, &t, &tn_tests.err));
    tn_arena_defer(arena, (tn_defer_fn)tn_delta_table_close, t);
    return t;
}

static tn_rc put(fixture *f, tn_delta_table *t, tn_delta_mode mode, const char *sql)
{
    tn_delta_write_opts o = { .mode = mode, .looked = true };
    tn_delta_write_result r;
    return tn_delta_write(t, f->conn, tn_str_of(sql), &o, &r, &tn_tests.err);
}

static tn_delta_snapshot *keep(tn_arena *arena, tn_delta_snapshot *s)
{
    tn_arena_defer(arena, (tn_defer_fn)tn_delta_snapshot_unref, s);
    return s;
}

static tn_delta_snapshot *fresh(fixture *f, tn_arena *arena)
{
    tn_delta_snapshot *s;
    TN_ASSERT_OK(
        tn_delta_snapshot_open(handle(f, arena), f->conn, TN_DELTA_LATEST, &s, &tn_tests.err));
    return keep(arena, s);
}

static int64_t sum_of(fixture *f, tn_arena *arena, const tn_delta_snapshot *s)
{
    tn_str sql;
    tn_val v;
    TN_ASSERT_OK(tn_delta_scan_sql(s, arena, NULL, &sql, &tn_tests.err));
    sql = tn_str_printf(arena, "SELECT sum(i)::BIGINT FROM (" TN_STR_FMT ")", TN_STR_ARG(sql));
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena, sql, &v, &tn_tests.err));
    return v.i;
}

static void take(void *self, tn_delta_snapshot *s)
{
    tn_delta_snapshot **last = self;
    tn_delta_snapshot_unref(*last);
    *last = tn_delta_snapshot_ref(s);
}

TN_TEST(a_commit_tells_its_handle_the_version_that_a_reader_sees)
{
    fixture *f = open_far(arena, err);
    TN_AUTOPTR(tn_delta_snapshot) told = NULL;
    tn_delta_table *t = handle(f, arena);
    static const char *const WRITES[] = { "SELECT 1::BIGINT AS i", "SELECT 10::BIGINT AS i",
        "SELECT 100::BIGINT AS i" };
    tn_delta_table_watch(t, take, &told);
    for (size_t i = 0; i < TN_COUNTOF(WRITES); i++) {
        TN_ASSERT_OK(put(f, t, i == 2 ? TN_DELTA_OVERWRITE : TN_DELTA_APPEND, WRITES[i]));
        tn_delta_snapshot *seen = fresh(f, arena);
        TN_ASSERT(told != NULL);
        TN_ASSERT_EQ_I(tn_delta_snapshot_version(told), i);
        TN_ASSERT_EQ_I(tn_delta_snapshot_version(seen), i);
        TN_ASSERT_EQ_I(tn_delta_snapshot_file_count(told), tn_delta_snapshot_file_count(seen));
        TN_ASSERT_EQ_I(tn_delta_snapshot_bytes(told), tn_delta_snapshot_bytes(seen));
        TN_ASSERT_EQ_S(tn_delta_snapshot_hash(told), tn_delta_snapshot_hash(seen));
        TN_ASSERT_EQ_I(tn_delta_snapshot_hash(told).n, 16);
        TN_ASSERT_EQ_S(
            tn_delta_snapshot_meta(told)->schema_json, tn_delta_snapshot_meta(seen)->schema_json);
        TN_ASSERT_EQ_I(sum_of(f, arena, told), sum_of(f, arena, seen));
        TN_ASSERT_EQ_I(
            tn_delta_snapshot_tombstones(told)->n, tn_delta_snapshot_tombstones(seen)->n);
    }
}

TN_TEST(one_statement_lists_the_log_once)
{
    fixture *f = open_far(arena, err);
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 1::BIGINT AS i"));
    tn_delta_table *t = handle(f, arena);
    bool there = false;
    tn_delta_snapshot *s;
    bool ask = true;
    TN_ASSERT_OK(tn_delta_table_exists(t, &there, err));
    TN_ASSERT(there);
    int before = asked;
    TN_ASSERT_OK(tn_delta_snapshot_recent(t, f->conn, &s, &ask, err));
    keep(arena, s);
    TN_ASSERT(!ask);
    TN_ASSERT_OK(put(f, t, TN_DELTA_APPEND, "SELECT 2::BIGINT AS i"));
    TN_ASSERT_EQ_I(asked - before, 1); /* the commit that it reads */
    TN_ASSERT_EQ_I(sum_of(f, arena, fresh(f, arena)), 3);
    /* A table that is not there. */
    TN_ASSERT_OK(tn_file_remove_tree(f->store->root, err));
    t = handle(f, arena);
    TN_ASSERT_OK(tn_delta_table_exists(t, &there, err));
    TN_ASSERT(!there);
    before = asked;
    TN_ASSERT_OK(put(f, t, TN_DELTA_CREATE, "SELECT 5::BIGINT AS i"));
    TN_ASSERT_EQ_I(asked - before, 0);
}

TN_TEST(what_was_seen_a_moment_ago_loses_to_nobody)
{
    fixture *f = open_far(arena, err);
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 1::BIGINT AS i"));
    tn_delta_table *old = handle(f, arena);
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(old, f->conn, TN_DELTA_LATEST, &s, err));
    keep(arena, s);
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_OVERWRITE, "SELECT 10::BIGINT AS i"));
    TN_ASSERT_OK(put(f, old, TN_DELTA_OVERWRITE, "SELECT 100::BIGINT AS i"));
    TN_ASSERT_EQ_I(sum_of(f, arena, fresh(f, arena)), 100);
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 1000::BIGINT AS i"));
    TN_ASSERT_OK(put(f, old, TN_DELTA_APPEND, "SELECT 10000::BIGINT AS i"));
    tn_delta_snapshot *now = fresh(f, arena);
    TN_ASSERT_EQ_I(sum_of(f, arena, now), 11100);
    TN_ASSERT_EQ_I(tn_delta_snapshot_version(now), 4);
    /* Who has not said that he has looked overlooks nothing that was written before. */
    TN_ASSERT_OK(tn_delta_snapshot_open(old, f->conn, TN_DELTA_LATEST, &s, err));
    keep(arena, s);
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 5::BIGINT AS i"));
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE };
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(old, f->conn, TN_STR("SELECT 7::BIGINT AS i"), &o, &r, err));
    TN_ASSERT_EQ_I(sum_of(f, arena, fresh(f, arena)), 7);
    /* Somebody makes the table that a look did not find. */
    TN_ASSERT_OK(tn_file_remove_tree(f->store->root, err));
    tn_delta_table *none = handle(f, arena);
    bool there;
    TN_ASSERT_OK(tn_delta_table_exists(none, &there, err));
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_CREATE, "SELECT 1::BIGINT AS i"));
    TN_ASSERT_OK(put(f, none, TN_DELTA_APPEND, "SELECT 2::BIGINT AS i"));
    TN_ASSERT_EQ_I(sum_of(f, arena, fresh(f, arena)), 3);
}

TN_TEST(a_version_that_is_remembered_is_opened_without_asking)
{
    fixture *f = open_far(arena, err);
    for (int i = 0; i < 12; i++) { /* past a checkpoint */
        TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 1::BIGINT AS i"));
    }
    tn_str hash = tn_delta_snapshot_hash(fresh(f, arena));
    TN_ASSERT_EQ_I(hash.n, 16);
    tn_delta_snapshot *s;
    for (int round = 0; round < 3; round++) {
        int before = asked;
        TN_ASSERT_OK(tn_delta_snapshot_open_known(handle(f, arena), f->conn, 11, hash, &s, err));
        keep(arena, s);
        TN_ASSERT_EQ_I(asked - before, round == 0 ? 1 : 0);
        TN_ASSERT_EQ_I(sum_of(f, arena, s), 12);
        TN_ASSERT_EQ_S(tn_delta_snapshot_hash(s), hash);
    }
    /* What is remembered of a version is of no use for another table in its place. */
    TN_ASSERT_OK(tn_file_remove_tree(f->store->root, err));
    for (int i = 0; i < 12; i++) {
        TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 2::BIGINT AS i"));
    }
    tn_str other = tn_delta_snapshot_hash(fresh(f, arena));
    TN_ASSERT(!tn_str_eq(other, hash));
    TN_ASSERT_OK(tn_delta_snapshot_open_known(handle(f, arena), f->conn, 11, other, &s, err));
    TN_ASSERT_EQ_I(sum_of(f, arena, keep(arena, s)), 24);
}

TN_TEST(a_damaged_memory_is_passed_over)
{
    fixture *f = open_far(arena, err);
    tn_delta_snapshot *s;
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 1::BIGINT AS i"));
    TN_ASSERT_OK(put(f, handle(f, arena), TN_DELTA_APPEND, "SELECT 1::BIGINT AS i"));
    tn_str hash = tn_delta_snapshot_hash(fresh(f, arena));
    static const char *const TEXTS[] = { "", "\n", "1\t-1\t0\t0\t\n", "x", "1\t-1\t0\t0\te\nq\t1\n",
        "1\t-1\t0\t0\t\nc\t1\t10\t0\te\t_delta_log/00000000000000000001.json\n",
        "1\t0\t0\t0\t\np\t10\te\t_delta_log/gone.checkpoint.parquet\n", "7\t-1\t0\t0\t\n" };
    for (size_t i = 0; i < TN_COUNTOF(TEXTS); i++) {
        tn_store_text_put(f->store,
            tn_str_printf(arena, "_delta_log segment 1 " TN_STR_FMT, TN_STR_ARG(hash)),
            tn_str_of(TEXTS[i]));
        TN_ASSERT_OK(tn_delta_snapshot_open_known(handle(f, arena), f->conn, 1, hash, &s, err));
        TN_ASSERT_EQ_I(sum_of(f, arena, keep(arena, s)), 2);
    }
}
