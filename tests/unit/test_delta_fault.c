// layers: base os text store duck delta
/* The k-th request of a write fails, for k = 1, 2, ... until none is left to fail; once before it is carried out and once
 * after. A reader then sees the table before or after, never between, and an acknowledged write is there. */
#include "delta_fixture.h"

#include "os/thread.h"

static tn_rc try_put(fixture *f, tn_delta_mode mode, const char *sql, tn_err *err)
{
    tn_delta_write_opts o = { .mode = mode };
    tn_delta_write_result r;
    return tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err);
}

/* sum(id) as a reader sees it that has nothing to do with the writer; -1: no table. */
static int64_t sum_seen(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_table *t;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    tn_delta_snapshot *s = NULL;
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, &why);
    if (rc == TN_E_NOTFOUND) {
        tn_delta_table_close(t);
        return -1;
    }
    tn_str sql = TN_STR_NONE;
    tn_rc scanned = rc == TN_OK ? tn_delta_scan_sql(s, arena, NULL, &sql, &why) : rc;
    tn_delta_snapshot_unref(s);
    tn_delta_table_close(t);
    if (scanned != TN_OK) {
        TN_FAIL("the table cannot be read: %s", why.msg);
    }
    tn_val v;
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena, "SELECT sum(id)::BIGINT FROM (" TN_STR_FMT ")", TN_STR_ARG(sql)), &v,
        err));
    return v.i;
}

static size_t data_files(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_file_infos all = { 0 };
    TN_ASSERT_OK(tn_dir_list(arena, f->dir, true, &all, err));
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        n += tn_str_starts(all.v[i].name, TN_STR("part-")) ? 1 : 0;
    }
    return n;
}

static void run(tn_arena *arena, tn_delta_mode mode, const char *sql, int64_t before, int64_t after,
    tn_rc fault_rc, bool carried_out, tn_err *err)
{
    fixture *f = open_fixture(arena, err);
    bool faulted = true;
    for (int64_t k = 1; faulted; k++) {
        open_at(f, "t", err);
        if (before >= 0) {
            for (int i = 0; i < 10; i++) { /* the next version is 10: with a checkpoint */
                TN_ASSERT_OK(try_put(f, TN_DELTA_APPEND, "SELECT 1 AS id", err));
            }
        }
        int64_t calls = tn_store_faulty_calls(f->faulty);
        tn_store_faulty_set(
            f->faulty, (tn_store_fault){ .k = k, .rc = fault_rc, .after = carried_out });
        tn_err why = TN_ERR_INIT;
        tn_rc rc = try_put(f, mode, sql, &why);
        faulted = tn_store_faulty_calls(f->faulty) - calls >= k;
        tn_store_faulty_set(f->faulty, (tn_store_fault){ .k = 0 });
        int64_t seen = sum_seen(f, arena, err);
        if (rc == TN_OK && seen != after) {
            TN_FAIL("call %" PRId64 ": acknowledged, but the sum is %" PRId64, k, seen);
        }
        if (rc != TN_OK && rc != TN_E_AMBIGUOUS && seen != before) {
            TN_FAIL("call %" PRId64 ": failed (%s), but the sum is %" PRId64, k, why.msg, seen);
        }
        TN_ASSERT(seen == before || seen == after);
        if (rc != TN_OK && rc != TN_E_AMBIGUOUS && before >= 0 && data_files(f, arena, err) > 11) {
            TN_FAIL("call %" PRId64 ": failed, but files are left", k);
        }
        TN_ASSERT(faulted || rc == TN_OK);
        /* The writer can go on. */
        TN_ASSERT_OK(try_put(f, TN_DELTA_OVERWRITE, "SELECT 500 AS id", err));
        TN_ASSERT_EQ_I(sum_seen(f, arena, err), 500);
    }
}

TN_TEST(append_fails_before)
{
    run(arena, TN_DELTA_APPEND, "SELECT 90 AS id", 10, 100, TN_E_IO, false, err);
}
TN_TEST(append_fails_after)
{
    run(arena, TN_DELTA_APPEND, "SELECT 90 AS id", 10, 100, TN_E_IO, true, err);
}
TN_TEST(append_answer_lost)
{
    run(arena, TN_DELTA_APPEND, "SELECT 90 AS id", 10, 100, TN_E_AMBIGUOUS, true, err);
}
TN_TEST(append_request_lost)
{
    run(arena, TN_DELTA_APPEND, "SELECT 90 AS id", 10, 100, TN_E_AMBIGUOUS, false, err);
}
TN_TEST(overwrite_fails)
{
    run(arena, TN_DELTA_OVERWRITE, "SELECT 7 AS id", 10, 7, TN_E_NET, false, err);
}
TN_TEST(create_fails)
{
    run(arena, TN_DELTA_CREATE, "SELECT 7 AS id", -1, 7, TN_E_NET, true, err);
}

/* ---- races ---- */

typedef struct racer {
    tn_duck *duck;
    tn_str dir;
    int done;
    char why[500];
} racer;

enum { RACERS = 4, RACE_APPENDS = 8 };

static void race(void *p)
{
    racer *r = p;
    tn_conn *conn = NULL;
    tn_store *store = NULL;
    tn_delta_table *t = NULL;
    tn_err err = TN_ERR_INIT;
    tn_rc rc = tn_duck_connect(r->duck, &conn, &err);
    rc = rc == TN_OK ? tn_store_open(r->dir, NULL, &store, &err) : rc;
    rc = rc == TN_OK ? tn_delta_table_open(store, &t, &err) : rc;
    for (int i = 0; rc == TN_OK && i < RACE_APPENDS; i++) {
        tn_delta_write_opts o = { .mode = TN_DELTA_APPEND };
        tn_delta_write_result got;
        rc = tn_delta_write(t, conn, TN_STR("SELECT 1 AS id"), &o, &got, &err);
        r->done += rc == TN_OK;
    }
    snprintf(r->why, sizeof r->why, "%.499s", err.msg);
    tn_delta_table_close(t);
    tn_store_unref(store);
    tn_conn_close(conn);
}

TN_TEST(all_appends_of_racing_writers_are_there)
{
    fixture *f = open_fixture(arena, err);
    open_at(f, "t", err);
    racer racers[RACERS];
    tn_thread *threads[RACERS];
    memset(racers, 0, sizeof racers);
    for (int i = 0; i < RACERS; i++) {
        racers[i].duck = f->duck;
        racers[i].dir = f->dir;
        TN_ASSERT_OK(tn_thread_start(race, &racers[i], "race", &threads[i], err));
    }
    for (int i = 0; i < RACERS; i++) {
        tn_thread_join(threads[i]);
    }
    for (int i = 0; i < RACERS; i++) {
        if (racers[i].done != RACE_APPENDS) {
            TN_FAIL("writer %d did %d of %d: %s", i, racers[i].done, RACE_APPENDS, racers[i].why);
        }
    }
    TN_ASSERT_EQ_I(sum_seen(f, arena, err), RACERS * RACE_APPENDS);
}
