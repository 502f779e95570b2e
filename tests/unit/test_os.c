// layers: base os
// Files that are whole or absent, put-if-absent among many threads, folders, globs, locks, children.
#include <fcntl.h>
#include <sys/stat.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/parallel.h"
#include "os/proc.h"
#include "os/random.h"
#include "os/thread.h"
#include "tn_test.h"

static tn_str in(tn_arena *a, const char *dir, const char *name)
{
    return tn_str_printf(a, "%s/%s", dir, name);
}

TN_TEST(atomic_write_replaces_whole_and_keeps_the_mode)
{
    char *dir = tn_test_dir(arena);
    tn_str f = in(arena, dir, "f"), got;
    TN_ASSERT_OK(tn_file_write(f, TN_STR("old"), err));
    chmod(f.p, 0640);
    TN_ASSERT_OK(tn_file_write_atomic(f, TN_STR("new and longer"), err));
    TN_ASSERT_OK(tn_file_read(arena, f, 100, &got, err));
    TN_ASSERT_EQ_S(got, "new and longer");
    struct stat st;
    TN_ASSERT(stat(f.p, &st) == 0 && (st.st_mode & 0777) == 0640);
    tn_file_infos list;
    TN_ASSERT_OK(tn_dir_list(arena, tn_str_of(dir), false, &list, err));
    TN_ASSERT_EQ_I(list.n, 1); /* no temporary file stays */
}

TN_TEST(every_failing_system_call_leaves_before_or_after)
{
    char *dir = tn_test_dir(arena);
    tn_str f = in(arena, dir, "f"), got;
    bool done = false;
    for (int64_t k = 1; !done; k++) {
        TN_ASSERT(k < 50);
        TN_ASSERT_OK(tn_file_write(f, TN_STR("before"), err));
        tn_file_fault_at(k);
        tn_rc rc = tn_file_write_atomic(f, TN_STR("after"), NULL);
        done = tn_file_fault_calls() < k;
        tn_file_fault_at(0);
        TN_ASSERT(done == (rc == TN_OK));
        TN_ASSERT_OK(tn_file_read(arena, f, 100, &got, err));
        TN_ASSERT(tn_str_is(got, "before") || tn_str_is(got, "after"));
        tn_file_infos list;
        TN_ASSERT_OK(tn_dir_list(arena, tn_str_of(dir), false, &list, err));
        TN_ASSERT_EQ_I(list.n, 1);
    }
}

typedef struct counted {
    tn_mutex mutex;
    int calls[500];
    size_t fail_at;
} counted;

static tn_rc count_call(void *self, size_t i, tn_err *err)
{
    counted *c = self;
    TN_LOCKED(&c->mutex);
    c->calls[i]++;
    return i == c->fail_at ? tn_fail(err, TN_E_NET, "call %zu", i) : TN_OK;
}

TN_TEST(parallel_calls_each_number_once_and_stops_at_a_failure)
{
    counted c = { .mutex = TN_MUTEX_INIT, .fail_at = SIZE_MAX };
    TN_ASSERT_OK(tn_parallel(0, 8, count_call, &c, err));
    TN_ASSERT_OK(tn_parallel(500, 8, count_call, &c, err));
    for (size_t i = 0; i < 500; i++) {
        TN_ASSERT_EQ_I(c.calls[i], 1);
    }
    c.fail_at = 3;
    TN_ASSERT_RC(tn_parallel(500, 1, count_call, &c, err), TN_E_NET);
    TN_ASSERT_EQ_S(tn_str_of(err->msg), "call 3");
    TN_ASSERT_EQ_I(c.calls[4], 1);
    TN_ASSERT_RC(tn_parallel(500, 1000, count_call, &c, err), TN_E_NET);
}

TN_TEST(errors_have_code_path_and_cause)
{
    char *dir = tn_test_dir(arena);
    tn_str got;
    TN_ASSERT_RC(tn_file_read(arena, in(arena, dir, "none"), 10, &got, err), TN_E_NOTFOUND);
    TN_ASSERT_HAS(tn_str_of(err->msg), "none': No such file");
    TN_ASSERT_RC(tn_file_read(arena, tn_str_of(dir), 10, &got, err), TN_E_IO);
    TN_ASSERT_OK(tn_file_write(in(arena, dir, "big"), TN_STR("12345678901"), err));
    TN_ASSERT_RC(tn_file_read(arena, in(arena, dir, "big"), 10, &got, err), TN_E_LIMIT);
    TN_ASSERT_RC(tn_file_read(arena, tn_str_n("a\0b", 3), 10, &got, err), TN_E_LIMIT);
    TN_ASSERT_RC(tn_dir_make(in(arena, dir, "big/sub"), err), TN_E_NOTFOUND);
    TN_ASSERT_RC(tn_file_remove(in(arena, dir, "none"), err), TN_E_NOTFOUND);
    TN_ASSERT_OK(tn_file_remove_tree(in(arena, dir, "none"), err));
}

typedef struct racer {
    tn_str path;
    int id;
    tn_rc rc;
} racer;

static void race(void *p)
{
    racer *r = p;
    char text[16];
    int n = snprintf(text, sizeof text, "%d", r->id);
    r->rc = tn_file_write_absent(r->path, tn_str_n(text, (size_t)n), NULL);
}

TN_TEST(put_if_absent_has_one_winner)
{
    char *dir = tn_test_dir(arena);
    for (int turn = 0; turn < 30; turn++) {
        racer r[8];
        tn_thread *t[8];
        tn_str path = tn_str_printf(arena, "%s/%d", dir, turn);
        for (int i = 0; i < 8; i++) {
            r[i] = (racer){ .path = path, .id = i };
            TN_ASSERT_OK(tn_thread_start(race, &r[i], "racer", &t[i], err));
        }
        int winners = 0, winner = -1;
        for (int i = 0; i < 8; i++) {
            tn_thread_join(t[i]);
            if (r[i].rc == TN_OK) {
                winners++;
                winner = i;
            } else {
                TN_ASSERT_EQ_I(r[i].rc, TN_E_EXISTS);
            }
        }
        TN_ASSERT_EQ_I(winners, 1);
        tn_str got;
        TN_ASSERT_OK(tn_file_read(arena, path, 100, &got, err));
        TN_ASSERT_EQ_S(got, tn_str_printf(arena, "%d", winner));
    }
}

TN_TEST(glob_matches_as_a_shell_does)
{
    char *dir = tn_test_dir(arena);
    static const char *const files[] = { "a/x.csv", "a/y.csv", "a/b/z.csv", "a/.hidden.csv",
        "a/x.json", "c=1/[odd].csv" };
    for (size_t i = 0; i < TN_COUNTOF(files); i++) {
        tn_str f = in(arena, dir, files[i]);
        TN_ASSERT_OK(tn_dir_make(tn_str_sub(f, 0, tn_str_rfind_char(f, '/')), err));
        TN_ASSERT_OK(tn_file_write(f, TN_STR(""), err));
    }
    static const struct {
        const char *pattern;
        size_t n;
    } cases[] = { { "a/*.csv", 2 }, { "**/*.csv", 4 }, { "a/[xy].csv", 2 }, { "a/[!x].csv", 1 },
        { "*/?.json", 1 }, { "c=*/*", 1 }, { "a/.h*", 1 }, { "nothing/*", 0 },
        { "c=1/[[]odd].csv", 1 }, { "**/z.csv", 1 } };
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        tn_strs got;
        TN_ASSERT_OK(tn_file_glob(arena, in(arena, dir, cases[i].pattern), &got, err));
        if (got.n != cases[i].n) {
            TN_FAIL("%s gives %zu names, not %zu", cases[i].pattern, got.n, cases[i].n);
        }
    }
}

TN_TEST(absolute_folds_dots)
{
    tn_str got;
    TN_ASSERT_OK(tn_file_absolute(arena, TN_STR("/a/./b/../c//d"), &got, err));
    TN_ASSERT_EQ_S(got, "/a/c/d");
    TN_ASSERT_OK(tn_file_absolute(arena, TN_STR("/../.."), &got, err));
    TN_ASSERT_EQ_S(got, "/");
}

TN_TEST(lock_is_exclusive_until_dropped)
{
    char *dir = tn_test_dir(arena);
    tn_file_lock *a, *b;
    TN_ASSERT_OK(tn_file_lock_take(arena, in(arena, dir, "lock"), 0, &a, err));
    TN_ASSERT_RC(tn_file_lock_take(arena, in(arena, dir, "lock"), 30, &b, err), TN_E_BUSY);
    tn_file_lock_drop(a);
    TN_ASSERT_OK(tn_file_lock_take(arena, in(arena, dir, "lock"), 0, &b, err));
}

TN_TEST(child_gets_input_and_gives_output_and_status)
{
    const char *const cat[] = { "cat", NULL },
                      *const fail[] = { "sh", "-c", "echo no; exit 3", NULL },
                      *const none[] = { "no-such-program", NULL };
    tn_str big = tn_str_n(tn_arena_zalloc(arena, 300000), 300000), out;
    int status;
    TN_ASSERT_OK(tn_proc_run(arena, cat, big, 1 << 20, &status, &out, err));
    TN_ASSERT_EQ_I(out.n, 300000);
    TN_ASSERT_OK(tn_proc_run(arena, fail, TN_STR_NONE, 100, &status, &out, err));
    TN_ASSERT_EQ_I(status, 3);
    TN_ASSERT_EQ_S(out, "no\n");
    TN_ASSERT_RC(tn_proc_run(arena, none, TN_STR_NONE, 100, &status, &out, err), TN_E_NOTFOUND);
}

TN_TEST(random_is_seedable_and_uuids_are_version_4)
{
    tn_random_seed(42);
    uint64_t a = tn_random_u64();
    tn_random_seed(42);
    TN_ASSERT_EQ_I(tn_random_u64(), a);
    tn_random_seed(0);
    tn_str u = tn_uuid4(arena);
    TN_ASSERT(u.n == 36 && u.p[14] == '4' && strchr("89ab", u.p[19]) != NULL);
    TN_ASSERT(!tn_str_eq(u, tn_uuid4(arena)));
}

TN_TEST(clock_can_be_fixed)
{
    tn_clock_fix(1700000000000000);
    TN_ASSERT_EQ_I(tn_clock_now_ms(), 1700000000000);
    tn_clock_fix(0);
    TN_ASSERT(tn_clock_now_ms() > 1700000000000);
}
