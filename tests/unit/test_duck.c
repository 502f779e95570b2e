// layers: duck os text base
/* Sessions: statements, errors, streams, locks, interrupts, progress, extensions. */
#include "tn_test.h"

#include <sys/wait.h>

#include "base/log.h"
#include "duck/duck.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/thread.h"
#include "text/sqltext.h"

static void close_duck(void *d)
{
    tn_duck_close(d);
}

static void close_conn(void *c)
{
    tn_conn_close(c);
}

static tn_duck *open_duck(tn_arena *a, const char *path, tn_err *err)
{
    tn_duck *d = NULL;
    TN_ASSERT_OK(tn_duck_open(&(tn_duck_opts){ .path = tn_str_of(path), .threads = 2 }, &d, err));
    tn_arena_defer(a, close_duck, d);
    return d;
}

static tn_conn *connect_to(tn_arena *a, tn_duck *d, tn_err *err)
{
    tn_conn *c = NULL;
    TN_ASSERT_OK(tn_duck_connect(d, &c, err));
    tn_arena_defer(a, close_conn, c);
    return c;
}

static tn_conn *open_conn(tn_arena *a, tn_err *err)
{
    return connect_to(a, open_duck(a, NULL, err), err);
}

static tn_str scalar_repr(tn_conn *c, tn_arena *a, const char *sql, tn_err *err)
{
    tn_val v = TN_VAL_UNDEF;
    TN_ASSERT_OK(tn_conn_scalar(c, a, tn_str_of(sql), &v, err));
    return tn_val_to_repr(a, v);
}

TN_TEST(the_library_is_the_pinned_one)
{
    TN_ASSERT_EQ_S(tn_duck_version(), "v1.5.5");
}

TN_TEST(runs_several_statements_and_gives_the_last_result)
{
    tn_conn *c = open_conn(arena, err);
    TN_AUTOPTR(tn_result) r = NULL;
    TN_ASSERT_OK(tn_conn_query(c,
        TN_STR(
            "CREATE TABLE t(i INTEGER); INSERT INTO t VALUES (1), (2); SELECT sum(i) AS s FROM t"),
        &r, err));
    TN_ASSERT_EQ_I(tn_result_cols(r), 1);
    TN_ASSERT_EQ_S(tn_result_name(r, 0), "s");
    TN_ASSERT_EQ_S(tn_result_type(r, 0), "HUGEINT");
    TN_ASSERT_EQ_S(tn_result_verb(r), "SELECT");
    TN_ASSERT(tn_result_is_rows(r));
    TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT sum(i) FROM t", err), "3");
}

typedef struct renewing {
    int calls;
    tn_rc rc;
    int64_t next_us;
} renewing;

static tn_rc renew(void *self, tn_conn *conn, int64_t *ret_next_us, tn_err *err)
{
    renewing *r = self;
    r->calls++;
    TN_TRY(tn_conn_exec(conn, TN_STR("CREATE OR REPLACE TABLE renewed AS SELECT 1 AS one"), err));
    if (r->rc != TN_OK) {
        return tn_fail(err, r->rc, "nobody is there");
    }
    *ret_next_us = r->next_us;
    return TN_OK;
}

TN_TEST(what_runs_out_is_renewed_before_a_statement)
{
    tn_duck *d = open_duck(arena, "", err);
    tn_conn *c = connect_to(arena, d, err), *other = connect_to(arena, d, err);
    renewing r = { .next_us = 0 };
    tn_duck_renewal due = { .name = TN_STR("it"), .fn = renew, .self = &r };
    tn_val v;
    due.at_us = tn_clock_now_us() + 3600000000;
    due.arena = tn_arena_new("renewal", NULL);
    tn_duck_renew(c, &due);
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("SELECT 1"), err));
    TN_ASSERT_EQ_I(r.calls, 0);
    due.at_us = tn_clock_now_us() - 1;
    due.arena = tn_arena_new("renewal", NULL);
    tn_duck_renew(c, &due); /* takes the place of the first */
    TN_ASSERT_OK(tn_conn_scalar(other, arena, TN_STR("SELECT one FROM renewed"), &v, err));
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("SELECT 1"), err));
    TN_ASSERT_EQ_I(r.calls, 1); /* never again, it said */
    r.rc = TN_E_NET;
    due.arena = tn_arena_new("renewal", NULL);
    tn_duck_renew(c, &due);
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("SELECT 1"), err)); /* begins all the same */
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("SELECT 1"), err)); /* and it is left alone for a while */
    TN_ASSERT_EQ_I(r.calls, 2);
}

TN_TEST(changed_rows_and_verbs)
{
    tn_conn *c = open_conn(arena, err);
    static const struct {
        const char *sql;
        const char *verb;
        int changed;
        bool rows;
    } cases[] = {
        { "CREATE TABLE t AS SELECT range AS i FROM range(5)", "CREATE", 5, false },
        { "INSERT INTO t VALUES (7), (8)", "INSERT", 2, false },
        { "UPDATE t SET i = i + 1 WHERE i < 3", "UPDATE", 3, false },
        { "DELETE FROM t WHERE i > 5", "DELETE", 2, false },
        { "MERGE INTO t USING (SELECT 1 AS i) s ON t.i = s.i WHEN MATCHED THEN UPDATE SET i = 9",
            "MERGE", 1, false },
        { "CREATE VIEW v AS SELECT 1", "CREATE", 0, false },
        { "DROP VIEW v", "DROP", 0, false },
        { "EXPLAIN SELECT 1", "EXPLAIN", 0, true },
        { "SELECT 1", "SELECT", 0, true },
        { "", "OK", 0, false },
        { " -- nothing\n ;", "OK", 0, false },
    };
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        TN_AUTOPTR(tn_result) r = NULL;
        TN_ASSERT_OK(tn_conn_query(c, tn_str_of(cases[i].sql), &r, err));
        TN_ASSERT_EQ_S(tn_result_verb(r), cases[i].verb);
        TN_ASSERT_EQ_I(tn_result_changed(r), cases[i].changed);
        if (tn_result_is_rows(r) != cases[i].rows) {
            TN_FAIL("rows of %s", cases[i].sql);
        }
    }
}

TN_TEST(errors_keep_duckdbs_words_and_place)
{
    tn_conn *c = open_conn(arena, err);
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("SELECT *\nFROM nowhere"), err), TN_E_SQL);
    TN_ASSERT(tn_str_starts(
        tn_str_of(err->msg), TN_STR("Catalog Error: Table with name nowhere does not exist!")));
    TN_ASSERT_HAS(err->msg, "LINE 2: FROM nowhere");
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("SELEC 1"), err), TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "Parser Error: syntax error at or near \"SELEC\"");
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("SELECT 'x'::INTEGER"), err), TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "Conversion Error: ");
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("SELECT 1\0 + 1"), err), TN_E_SYNTAX);
}

TN_TEST(errors_never_show_a_secret)
{
    tn_log_secret(TN_STR("hunter2-hunter2"));
    tn_conn *c = open_conn(arena, err);
    TN_ASSERT_RC(tn_conn_exec(c, TN_STR("SELECT 'hunter2-hunter2'::INTEGER"), err), TN_E_SQL);
    TN_ASSERT(tn_str_find(tn_str_of(err->msg), TN_STR("hunter2"), 0) == SIZE_MAX);
    TN_ASSERT_HAS(err->msg, "*****");
}

TN_TEST(a_stream_uses_little_memory_and_reports_late_errors)
{
    tn_conn *c = open_conn(arena, err);
    TN_ASSERT_OK(tn_conn_set(c, "memory_limit", tn_val_z("100MB"), true, err));
    TN_AUTOPTR(tn_result) r = NULL;
    /* 40 million rows are 320 MB: they only pass when they are never all there. */
    TN_ASSERT_OK(tn_conn_stream(c, TN_STR("SELECT range AS i FROM range(40000000)"), &r, err));
    size_t n;
    int64_t rows = 0;
    do {
        TN_ASSERT_OK(tn_result_next(r, &n, err));
        TN_ASSERT(n <= 2048);
        if (n > 0) {
            TN_ASSERT_EQ_I(tn_result_cell(r, arena, 0, 0).i, rows);
        }
        rows += (int64_t)n;
    } while (n > 0);
    TN_ASSERT_EQ_I(rows, 40000000);
    TN_AUTOPTR(tn_result) late = NULL;
    TN_ASSERT_OK(tn_conn_stream(c,
        TN_STR("SELECT CASE WHEN range = 99999 THEN error('too late') ELSE 'x' END FROM "
               "range(100000)"),
        &late, err));
    tn_rc rc;
    do {
        rc = tn_result_next(late, &n, err);
    } while (rc == TN_OK && n > 0);
    TN_ASSERT_EQ_I(rc, TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "too late");
}

TN_TEST(the_next_statement_ends_a_stream)
{
    tn_conn *c = open_conn(arena, err);
    TN_AUTOPTR(tn_result) r = NULL;
    TN_ASSERT_OK(
        tn_conn_stream(c, TN_STR("SELECT 1; SELECT range AS i FROM range(1000000)"), &r, err));
    size_t n;
    TN_ASSERT_OK(tn_result_next(r, &n, err));
    TN_ASSERT(n > 0);
    TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT 42", err), "42");
    /* What is left of the stream is an error or nothing, never a wrong row. */
    tn_rc rc = tn_result_next(r, &n, err);
    TN_ASSERT(rc != TN_OK || n == 0 || tn_result_cell(r, arena, 0, 0).i == 2048);
}

TN_TEST(rows_and_describe)
{
    tn_conn *c = open_conn(arena, err);
    tn_val rows = TN_VAL_UNDEF, names = TN_VAL_UNDEF, columns = TN_VAL_UNDEF;
    TN_ASSERT_OK(tn_conn_rows(
        c, arena, TN_STR("SELECT i, 'x' || i AS s FROM range(3) r(i)"), 3, &rows, &names, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, rows), "[(0, 'x0'), (1, 'x1'), (2, 'x2')]");
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, names), "['i', 's']");
    TN_ASSERT_RC(tn_conn_rows(c, arena, TN_STR("FROM range(4)"), 3, &rows, NULL, err), TN_E_LIMIT);
    TN_ASSERT_OK(tn_conn_describe(c, arena,
        TN_STR("SELECT 1 AS a, [1.5] AS b, {'k': NULL::DATE} AS \"c d\""), &columns, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, columns),
        "[('a', 'INTEGER'), ('b', 'DECIMAL(2,1)[]'), ('c d', 'STRUCT(k DATE)')]");
    TN_ASSERT_RC(
        tn_conn_describe(c, arena, TN_STR("SELECT * FROM nowhere"), &columns, err), TN_E_SQL);
    TN_ASSERT_OK(tn_conn_exec(
        c, TN_STR("CREATE TABLE p AS SELECT 'a' AS k, 1 AS v UNION ALL SELECT 'b', 2"), err));
    TN_ASSERT_OK(tn_conn_describe(c, arena, TN_STR("PIVOT p ON k USING sum(v)"), &columns, err));
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, columns), "[('a', 'HUGEINT'), ('b', 'HUGEINT')]");
    TN_AUTOPTR(tn_result) r = NULL;
    TN_ASSERT_OK(tn_conn_stream(c, TN_STR("PIVOT p ON k USING sum(v)"), &r, err));
    TN_ASSERT_EQ_I(tn_result_cols(r), 2);
    tn_val none = TN_VAL_NONE;
    TN_ASSERT_OK(tn_conn_scalar(c, arena, TN_STR("SELECT 1 WHERE false"), &none, err));
    TN_ASSERT(tn_val_is_undef(none));
}

TN_TEST(transactions)
{
    tn_conn *c = open_conn(arena, err);
    TN_ASSERT_OK(tn_conn_rollback(c, err));
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("CREATE TABLE t(i INTEGER)"), err));
    TN_ASSERT_OK(tn_conn_begin(c, err));
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("INSERT INTO t VALUES (1)"), err));
    TN_ASSERT_OK(tn_conn_rollback(c, err));
    TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT count(*) FROM t", err), "0");
    TN_ASSERT_OK(tn_conn_begin(c, err));
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("INSERT INTO t VALUES (1)"), err));
    TN_ASSERT_OK(tn_conn_commit(c, err));
    TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT count(*) FROM t", err), "1");
    TN_ASSERT_RC(tn_conn_commit(c, err), TN_E_SQL);
}

TN_TEST(settings_at_open_and_later)
{
    TN_AUTOPTR(tn_duck) d = NULL;
    tn_val config = tn_val_dict(arena);
    tn_dict_putz(config.dict, "preserve_insertion_order", TN_VAL_FALSE);
    tn_duck_opts opts = { .threads = 3,
        .memory_limit = TN_STR("1GB"),
        .temp_directory = tn_str_of(tn_test_dir(arena)),
        .config = config };
    TN_ASSERT_OK(tn_duck_open(&opts, &d, err));
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_ASSERT_OK(tn_duck_connect(d, &c, err));
    TN_ASSERT_EQ_S(
        scalar_repr(c, arena,
            "SELECT [current_setting('threads')::VARCHAR, current_setting('memory_limit'),"
            "current_setting('preserve_insertion_order')::VARCHAR, "
            "current_setting('autoinstall_known_extensions')::VARCHAR]",
            err),
        "['3', '953.6 MiB', 'false', 'false']");
    TN_ASSERT_OK(tn_conn_set_threads(c, 1, err));
    TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT current_setting('threads')", err), "1");
    tn_dict_putz(config.dict, "no_such_setting", tn_val_int(1));
    tn_duck *bad = NULL;
    TN_ASSERT_RC(tn_duck_open(&opts, &bad, err), TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "no_such_setting");
    TN_ASSERT(bad == NULL);
}

/* ---- other processes ---- */

TN_TEST(a_locked_file_names_its_holder)
{
    char *path = tn_arena_printf(arena, "%s/x.duckdb", tn_test_dir(arena));
    int ready[2], done[2];
    TN_ASSERT(pipe(ready) == 0 && pipe(done) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        tn_duck *d = NULL;
        char c =
            tn_duck_open(&(tn_duck_opts){ .path = tn_str_of(path) }, &d, NULL) == TN_OK ? 'y' : 'n';
        (void)!write(ready[1], &c, 1);
        close(done[1]);
        (void)!read(done[0], &c, 1); /* until the parent closes its end */
        _exit(0);
    }
    char c = 0;
    TN_ASSERT(read(ready[0], &c, 1) == 1 && c == 'y');
    tn_duck *d = NULL;
    tn_rc rc = tn_duck_open(&(tn_duck_opts){ .path = tn_str_of(path) }, &d, err);
    tn_conn *mem = open_conn(arena, NULL);
    tn_err attach_err = TN_ERR_INIT;
    tn_rc attach =
        tn_conn_exec(mem, tn_str_printf(arena, "ATTACH '%s' AS x (READ_ONLY)", path), &attach_err);
    close(done[1]);
    waitpid(pid, NULL, 0);
    TN_ASSERT_EQ_I(rc, TN_E_BUSY);
    TN_ASSERT(d == NULL);
    TN_ASSERT_HAS(err->msg, "Could not set lock on file");
    TN_ASSERT_HAS(err->hint, tn_arena_printf(arena, "PID %d", (int)pid));
    TN_ASSERT_EQ_I(attach, TN_E_BUSY);
    for (int i = 0; i < 4; i++) {
        close(i < 2 ? ready[i] : done[i - 2]);
    }
}

TN_TEST(a_file_database_keeps_its_rows)
{
    char *path = tn_arena_printf(arena, "%s/x.duckdb", tn_test_dir(arena));
    for (int round = 0; round < 2; round++) {
        TN_AUTOPTR(tn_duck) d = NULL;
        TN_AUTOPTR(tn_conn) c = NULL;
        TN_ASSERT_OK(tn_duck_open(
            &(tn_duck_opts){ .path = tn_str_of(path), .read_only = round == 1 }, &d, err));
        TN_ASSERT_OK(tn_duck_connect(d, &c, err));
        if (round == 0) {
            TN_ASSERT_OK(tn_conn_exec(c, TN_STR("CREATE TABLE t AS SELECT 5 AS i"), err));
        } else {
            TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT i FROM t", err), "5");
            TN_ASSERT_RC(tn_conn_exec(c, TN_STR("INSERT INTO t VALUES (1)"), err), TN_E_SQL);
            TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT [INTERVAL 1 DAY]", err), "['1 day']");
        }
    }
    tn_duck *d = NULL;
    tn_str absent = tn_str_printf(arena, "%s/no/such/folder/x.duckdb", tn_test_dir(arena));
    TN_ASSERT_RC(tn_duck_open(&(tn_duck_opts){ .path = absent }, &d, err), TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "no/such/folder");
}

/* ---- interrupt and progress ---- */

typedef struct watcher {
    tn_conn *conn;
    bool stop;
    bool interrupt;
    double progress_max;
} watcher;

static void watch(void *p)
{
    watcher *w = p;
    int64_t start = tn_clock_mono_us();
    while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
        double percent = tn_conn_progress(w->conn);
        percent = percent > w->progress_max ? percent : w->progress_max;
        __atomic_store(&w->progress_max, &percent, __ATOMIC_RELEASE);
        if (w->interrupt && tn_clock_mono_us() - start > 50000) {
            tn_conn_interrupt(w->conn);
        }
        tn_clock_sleep_us(2000);
    }
}

TN_TEST(an_interrupt_from_another_thread_ends_the_statement)
{
    tn_conn *c = open_conn(arena, err);
    watcher w = { .conn = c, .interrupt = true };
    tn_thread *t = NULL;
    TN_ASSERT_OK(tn_thread_start(watch, &w, "watch", &t, err));
    tn_rc rc = tn_conn_exec(c,
        TN_STR(
            "SELECT count(*) FROM range(1000000000) a(i), range(1000) b(j) WHERE (i * j) % 7 = 3"),
        err);
    __atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
    tn_thread_join(t);
    TN_ASSERT_EQ_I(rc, TN_E_CANCELLED);
    TN_ASSERT_EQ_S(scalar_repr(c, arena, "SELECT 1", err), "1"); /* the connection lives on */
}

TN_TEST(progress_is_seen_from_another_thread)
{
    tn_conn *c = open_conn(arena, err);
    TN_ASSERT_OK(
        tn_conn_exec(c, TN_STR("CREATE TABLE big AS SELECT range AS i FROM range(3000000)"), err));
    TN_ASSERT_OK(tn_conn_progress_on(c, err));
    watcher w = { .conn = c, .progress_max = -1 };
    tn_thread *t = NULL;
    TN_ASSERT_OK(tn_thread_start(watch, &w, "watch", &t, err));
    tn_rc rc = TN_OK;
    double seen = -1;
    for (int i = 0; i < 100 && rc == TN_OK && seen <= 0; i++) { /* until the watcher had its turn */
        rc = tn_conn_exec(c, TN_STR("SELECT max(md5(md5(i::VARCHAR))) FROM big"), err);
        __atomic_load(&w.progress_max, &seen, __ATOMIC_ACQUIRE);
    }
    __atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
    tn_thread_join(t);
    TN_ASSERT_EQ_I(rc, TN_OK);
    TN_ASSERT(w.progress_max > 0 && w.progress_max <= 100);
}

TN_TEST(many_threads_have_a_connection_each)
{
    tn_duck *d = open_duck(arena, NULL, err);
    tn_conn *c = connect_to(arena, d, err);
    TN_ASSERT_OK(tn_conn_exec(c,
        TN_STR("CREATE TABLE t AS SELECT i, [i::UUID::VARCHAR] AS l FROM "
               "(SELECT lpad(i::VARCHAR, 32, '0') AS i FROM range(5000) r(i))"),
        err));
    enum { N = 4 };
    extern void tn_test_reader(void *p);
    tn_thread *threads[N];
    for (int i = 0; i < N; i++) {
        TN_ASSERT_OK(tn_thread_start(tn_test_reader, d, "reader", &threads[i], err));
    }
    for (int i = 0; i < N; i++) {
        tn_thread_join(threads[i]);
    }
}

void tn_test_reader(void *p);
void tn_test_reader(void *p)
{
    TN_AUTO_ARENA a = tn_arena_new("reader", NULL);
    TN_AUTOPTR(tn_conn) c = NULL;
    TN_AUTOPTR(tn_result) r = NULL;
    TN_CHECK(tn_duck_connect(p, &c, NULL) == TN_OK);
    TN_CHECK(tn_conn_stream(c,
                 TN_STR("SELECT i::UUID AS u, [i::UUID] AS l, i::UUID::VARCHAR AS t FROM t"), &r,
                 NULL) == TN_OK);
    size_t n;
    do {
        TN_CHECK(tn_result_next(r, &n, NULL) == TN_OK);
        for (size_t i = 0; i < n; i++) {
            tn_str u, t;
            TN_CHECK(tn_result_text(r, a, 0, i, &u) && tn_result_text(r, a, 2, i, &t) &&
                     tn_str_eq(u, t));
        }
        tn_arena_reset(a);
    } while (n > 0);
}

/* ---- extensions ---- */

TN_TEST(installing_what_is_built_in_does_nothing)
{
    tn_conn *c = open_conn(arena, err);
    static const char *const quiet[] = { "INSTALL json", "LOAD json", "FORCE INSTALL 'parquet'",
        "install icu; load ICU", "INSTALL parquet FROM core", "LOAD \"json\"", "UPDATE EXTENSIONS",
        "-- c\nINSTALL core_functions; SELECT 1" };
    for (size_t i = 0; i < TN_COUNTOF(quiet); i++) {
        TN_ASSERT_OK(tn_conn_exec(c, tn_str_of(quiet[i]), err));
    }
    bool handled = true;
    TN_ASSERT_OK(tn_duck_intercept(c, TN_STR("SELECT 'INSTALL x'"), &handled, err));
    TN_ASSERT(!handled);
    TN_ASSERT_EQ_S(
        scalar_repr(c, arena, "INSTALL json; SELECT 'LOAD nothing; INSTALL nothing'", err),
        "'LOAD nothing; INSTALL nothing'");
}

TN_TEST(an_unknown_extension_is_never_asked_of_the_network)
{
    tn_conn *c = open_conn(arena, err);
    static const char *const refused[] = { "INSTALL spatial_x", "LOAD spatial_x",
        "INSTALL h3_x FROM community", "SELECT 1; LOAD '../x'" };
    for (size_t i = 0; i < TN_COUNTOF(refused) - 1; i++) {
        TN_ASSERT_RC(tn_conn_exec(c, tn_str_of(refused[i]), err), TN_E_NOTFOUND);
        TN_ASSERT_HAS(err->msg, "extensions");
        TN_ASSERT_HAS(err->hint, "TARN_EXTENSION_DIR");
    }
    TN_ASSERT(tn_conn_exec(c, tn_str_of(refused[3]), err) != TN_OK);
    TN_ASSERT_RC(
        tn_conn_exec(c, TN_STR("INSTALL '/tmp/x.duckdb_extension'"), err), TN_E_UNSUPPORTED);
}

TN_TEST(bundled_extensions_load_when_they_are_there)
{
    tn_conn *c = open_conn(arena, err);
    tn_str dir;
    if (tn_duck_extension_dir(arena, &dir, NULL) != TN_OK) {
        return; /* a build without the wheels */
    }
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("INSTALL httpfs; LOAD httpfs; LOAD httpfs"), err));
    TN_ASSERT_EQ_S(
        scalar_repr(c, arena,
            "SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'httpfs'", err),
        "True");
    TN_ASSERT_OK(tn_duck_load(c, TN_STR("HTTPS"), err));
}

TN_TEST(a_setting_is_there_before_its_extension)
{
    static const char now[] = "SELECT current_setting('ca_cert_file') || (SELECT count(*) FROM "
                              "duckdb_extensions() WHERE loaded AND extension_name = 'httpfs')";
    tn_conn *c = open_conn(arena, err);
    TN_ASSERT_OK(tn_conn_set_ahead(c, "ca_cert_file", TN_STR("/first"), err));
    TN_ASSERT_OK(tn_conn_set_ahead(c, "ca_cert_file", TN_STR("/then"), err));
    TN_ASSERT_EQ_S(scalar_repr(c, arena, now, err), "'/then0'");
    if (tn_duck_load(c, TN_STR("httpfs"), NULL) != TN_OK) {
        return; /* no extensions beside this build */
    }
    TN_ASSERT_EQ_S(scalar_repr(c, arena, now, err), "'/then1'");
    TN_ASSERT_OK(tn_conn_set_ahead(c, "ca_cert_file", TN_STR("/last"), err));
    TN_ASSERT_EQ_S(scalar_repr(c, arena, now, err), "'/last1'");
}

TN_TEST(bundled_extensions_are_loaded_when_a_statement_needs_them)
{
    tn_conn *c = open_conn(arena, err);
    tn_str dir;
    if (tn_duck_extension_dir(arena, &dir, NULL) != TN_OK) {
        return;
    }
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("SET http_retries = 0"), err));
    TN_ASSERT_RC(
        tn_conn_exec(c, TN_STR("FROM read_csv('http://127.0.0.1:1/x.csv')"), err), TN_E_SQL);
    TN_ASSERT(tn_str_find(tn_str_of(err->msg), TN_STR("Missing Extension"), 0) == SIZE_MAX);
}

TN_TEST(copy_returns_its_statistics_as_values)
{
    tn_conn *c = open_conn(arena, err);
    char *dir = tn_test_dir(arena);
    tn_val rows = TN_VAL_UNDEF, names = TN_VAL_UNDEF;
    tn_str sql = tn_str_printf(arena,
        "COPY (SELECT i, i::DECIMAL(12,2) AS d, i %% 2 AS p FROM range(10) r(i)) TO '%s/t' "
        "(FORMAT parquet, PARTITION_BY (p), WRITE_PARTITION_COLUMNS true, RETURN_STATS true)",
        dir);
    TN_ASSERT_OK(tn_conn_rows(c, arena, sql, 10, &rows, &names, err));
    TN_ASSERT_EQ_I(rows.list->n, 2);
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, names),
        "['filename', 'count', 'file_size_bytes', 'footer_size_bytes', 'column_statistics', "
        "'partition_keys']");
    const tn_list *row = rows.list->v[0].list;
    TN_ASSERT_EQ_I(row->v[1].i, 5);
    tn_val stats = tn_val_at(row->v[4], "\"i\"");
    TN_ASSERT_EQ_S(tn_val_str_at(stats, "null_count", TN_STR_NONE), "0");
    TN_ASSERT(tn_val_str_at(stats, "max", TN_STR_NONE).n == 1);
    TN_ASSERT(tn_val_str_at(row->v[5], "p", TN_STR_NONE).n == 1);
}

TN_TEST(long_work_gives_its_result_or_its_error)
{
    tn_conn *c = connect_to(arena, open_duck(arena, ":memory:", err), err);
    TN_AUTOPTR(tn_result) r = NULL;
    TN_AUTOPTR(tn_result) none = NULL;
    TN_ASSERT_OK(
        tn_conn_work(c, TN_STR("CREATE TABLE t AS SELECT i FROM range(3000000) r(i)"), &none, err));
    TN_ASSERT_OK(tn_conn_work(c, TN_STR("SELECT sum(i) FROM t"), &r, err));
    size_t n;
    TN_ASSERT_OK(tn_result_next(r, &n, err));
    TN_ASSERT_EQ_I(n, 1);
    TN_ASSERT_RC(tn_conn_work(c, TN_STR("SELECT nothing FROM t"), &none, err), TN_E_SQL);
    tn_err_clear(err);
    TN_ASSERT_RC(
        tn_conn_work(c, TN_STR("SELECT error('row ' || i) FROM t WHERE i = 2999999"), &none, err),
        TN_E_SQL);
    TN_ASSERT_HAS(err->msg, "row 2999999");
}

TN_TEST(a_select_is_a_tree_and_the_tree_a_text)
{
    tn_conn *c = connect_to(arena, open_duck(arena, ":memory:", err), err);
    tn_val tree = tn_conn_tree(c, arena, TN_STR("SELECT 1 AS x FROM t WHERE a > 'it''s'"), true);
    TN_ASSERT_EQ_S(tn_val_str_at(tn_tree_node(tree), "type", TN_STR_NONE), "SELECT_NODE");
    TN_ASSERT_HAS(tn_str_z(arena, tn_conn_tree_text(c, arena, tree)), "(a > 'it''s')");
    tn_val two = tn_conn_tree(c, arena, TN_STR("SELECT 1; SELECT 2"), false);
    TN_ASSERT(tn_val_is_undef(tn_tree_node(two)));
    TN_ASSERT_EQ_I(tn_val_at(two, "statements").list->n, 2);
    TN_ASSERT(tn_val_is_undef(tn_tree_node(tn_conn_tree(c, arena, TN_STR("SELECT FROM"), true))));
    TN_ASSERT_EQ_S(tn_conn_tree_text(c, arena, TN_VAL_NONE), "");
    TN_ASSERT_OK(tn_conn_exec(c, TN_STR("SET default_collation = 'nocase'"), err));
    TN_ASSERT(tn_val_is_undef(tn_conn_tree(c, arena, TN_STR("SELECT 1"), true)));
    TN_ASSERT(!tn_val_is_undef(tn_tree_node(tn_conn_tree(c, arena, TN_STR("SELECT 1"), false))));
}
