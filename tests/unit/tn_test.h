/* tn_test.h: the harness of the unit tests. A test file is a program: include this once, write tests, done.
 *
 *     // layers: base text            (first lines; which libraries to link, default all)
 *     #include "tn_test.h"
 *     TN_TEST(parses_a_number)
 *     {
 *         int64_t v;
 *         TN_ASSERT_RC(tn_x_parse(arena, TN_STR("42"), &v, err), TN_OK);
 *         TN_ASSERT_EQ_I(v, 42);
 *     }
 *
 * Each test gets a fresh `arena` (freed after it) and an empty `err`. A failed assertion prints its place, ends
 * that test and the next one runs. Assertions work in helper functions too, but in the main thread only:
 * elsewhere they end the program. `PROGRAM TEXT` runs the tests whose names contain TEXT, `PROGRAM --list`
 * prints the names. The last line is `N passed, N failed`; the exit status is 1 when a test failed or none ran.
 */
#ifndef TN_TEST_H
#define TN_TEST_H

#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct tn_test_case {
    const char *name;
    void (*run)(tn_arena *arena, tn_err *err);
    struct tn_test_case *next;
} tn_test_case;

static struct {
    tn_test_case *first;
    tn_test_case **last;
    const char *running;
    jmp_buf out;
    tn_err err;
} tn_tests = { .last = NULL };
/* Aligned: mold puts a single byte of thread-local data at the very end of a page, and the program then cannot be loaded. */
static __thread bool tn_test_main_thread __attribute__((aligned(64)));

static TN_UNUSED void tn_test_add(tn_test_case *c)
{
    *(tn_tests.last ? tn_tests.last : &tn_tests.first) = c;
    tn_tests.last = &c->next;
}

#define TN_TEST(test_name)                                                                         \
    static void test_name(tn_arena *arena, tn_err *err);                                           \
    __attribute__((constructor)) static void tn_add_##test_name(void)                              \
    {                                                                                              \
        static tn_test_case c = { .name = #test_name, .run = test_name };                          \
        tn_test_add(&c);                                                                           \
    }                                                                                              \
    static void test_name(TN_UNUSED tn_arena *arena, TN_UNUSED tn_err *err)

TN_NORETURN static TN_UNUSED void tn_test_stop(void)
{
    fflush(stdout);
    if (!tn_test_main_thread) {
        abort();
    }
    longjmp(tn_tests.out, 1);
}

#define TN_FAIL(...)                                                                               \
    do {                                                                                           \
        printf("%s:%d: %s: ", __FILE__, __LINE__, tn_tests.running);                               \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        tn_test_stop();                                                                            \
    } while (0)

#define TN_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            TN_FAIL("not true: %s", #cond);                                                        \
        }                                                                                          \
    } while (0)

#define TN_ASSERT_EQ_I(got, want)                                                                  \
    do {                                                                                           \
        intmax_t tn_got_ = (intmax_t)(got), tn_want_ = (intmax_t)(want);                           \
        if (tn_got_ != tn_want_) {                                                                 \
            TN_FAIL("%s is %" PRIdMAX ", not %" PRIdMAX, #got, tn_got_, tn_want_);                 \
        }                                                                                          \
    } while (0)

#define TN_ASSERT_EQ_F(got, want, within)                                                          \
    do {                                                                                           \
        double tn_got_ = (got), tn_want_ = (want);                                                 \
        if (!(fabs(tn_got_ - tn_want_) <= (within))) {                                             \
            TN_FAIL("%s is %.17g, not %.17g", #got, tn_got_, tn_want_);                            \
        }                                                                                          \
    } while (0)

static TN_UNUSED tn_str tn_test_from_str(tn_str s)
{
    return s;
}

static TN_UNUSED tn_str tn_test_from_z(const char *z)
{
    return tn_str_of(z);
}

/* A tn_str, char * or const char * as tn_str. */
#define TN_TEST_STR(x)                                                                             \
    _Generic((x), tn_str: tn_test_from_str, char *: tn_test_from_z, const char *: tn_test_from_z)(x)

#define TN_ASSERT_EQ_S(got, want)                                                                  \
    do {                                                                                           \
        tn_str tn_got_ = TN_TEST_STR(got), tn_want_ = TN_TEST_STR(want);                           \
        if (!tn_str_eq(tn_got_, tn_want_)) {                                                       \
            TN_FAIL("%s differs\n   got: [%.*s]\n  want: [%.*s]", #got, TN_STR_ARG(tn_got_),       \
                TN_STR_ARG(tn_want_));                                                             \
        }                                                                                          \
    } while (0)

/* The text contains the part. */
#define TN_ASSERT_HAS(text, part)                                                                  \
    do {                                                                                           \
        tn_str tn_got_ = TN_TEST_STR(text), tn_want_ = TN_TEST_STR(part);                          \
        if (memmem(tn_got_.p, tn_got_.n, tn_want_.p, tn_want_.n) == NULL) {                        \
            TN_FAIL("%s has no [%.*s]\n   got: [%.*s]", #text, TN_STR_ARG(tn_want_),               \
                TN_STR_ARG(tn_got_));                                                              \
        }                                                                                          \
    } while (0)

/* The call's result code; prints the test's err when it is another. */
#define TN_ASSERT_RC(call, want)                                                                   \
    do {                                                                                           \
        tn_rc tn_got_ = (call), tn_want_ = (want);                                                 \
        if (tn_got_ != tn_want_) {                                                                 \
            TN_FAIL("%s is %d, not %d: %s", #call, (int)tn_got_, (int)tn_want_, tn_tests.err.msg); \
        }                                                                                          \
    } while (0)

#define TN_ASSERT_OK(call) TN_ASSERT_RC(call, TN_OK)

static TN_UNUSED int tn_test_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static TN_UNUSED void tn_test_remove(void *path)
{
    nftw(path, tn_test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder that is removed with the arena. */
static TN_UNUSED char *tn_test_dir(tn_arena *arena)
{
    const char *root = getenv("TMPDIR");
    char *path = tn_arena_printf(arena, "%s/tn-test-XXXXXX", root ? root : "/tmp");
    if (mkdtemp(path) == NULL) {
        TN_FAIL("cannot make the folder '%s'", path);
    }
    tn_arena_defer(arena, tn_test_remove, path);
    return path;
}

static void tn_test_aborted(int sig)
{
    (void)sig;
    static const char what[] = "aborted in the test ";
    if (tn_tests.running != NULL) {
        (void)!write(STDERR_FILENO, what, sizeof what - 1);
        (void)!write(STDERR_FILENO, tn_tests.running, strlen(tn_tests.running));
        (void)!write(STDERR_FILENO, "\n", 1);
    }
}

static bool tn_test_run(tn_test_case *c)
{
    tn_arena *volatile arena = tn_arena_new("test", NULL);
    tn_tests.running = c->name;
    tn_err_clear(&tn_tests.err);
    volatile bool passed = false;
    if (setjmp(tn_tests.out) == 0) {
        c->run(arena, &tn_tests.err);
        passed = true;
    }
    tn_arena_free(arena);
    return passed;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    bool list = strcmp(only, "--list") == 0;
    int passed = 0, failed = 0;
    tn_test_main_thread = true;
    signal(SIGABRT, tn_test_aborted);
    for (tn_test_case *c = tn_tests.first; c != NULL; c = c->next) {
        if (list) {
            puts(c->name);
        } else if (strstr(c->name, only) != NULL) {
            *(tn_test_run(c) ? &passed : &failed) += 1;
        }
    }
    if (!list) {
        printf("%d passed, %d failed\n", passed, failed);
    }
    return list || (failed == 0 && passed > 0) ? 0 : 1;
}

#endif
