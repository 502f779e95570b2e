// layers: base os text store duck delta lake
/* The lake's log: commits, merging, conflicts, environments, races of threads and processes, lost answers and failing stores. */
#include "tn_test.h"

#include <sys/wait.h>

#include "lake/lake_env.h"
#include "lake/log/lake_file.h"
#include "os/thread.h"

static void close_lake(void *l)
{
    tn_lake_close(l);
}

static tn_lake *open_lake(tn_arena *arena, const char *url)
{
    tn_lake *l;
    tn_lake_opts o = { .storage = TN_VAL_UNDEF, .create = true };
    TN_ASSERT_OK(tn_lake_open(tn_str_of(url), &o, &l, &tn_tests.err));
    tn_arena_defer(arena, close_lake, l);
    return l;
}

static tn_lake *memory_lake(tn_arena *arena, const char *name)
{
    tn_store_mem_forget(tn_str_of(name));
    return open_lake(arena, tn_arena_printf(arena, "mem://%s", name));
}

static tn_pin delta_pin(const char *schema, const char *name, int64_t version)
{
    return (tn_pin){ .schema = tn_str_of(schema),
        .name = tn_str_of(name),
        .kind = TN_PIN_DELTA,
        .location = tn_str_of(name),
        .version = version };
}

static tn_rc put_pin(tn_lake *l, tn_arena *arena, const char *env, const tn_lake_head *base,
    tn_pin pin, bool newest_wins, int64_t *ret)
{
    tn_lake_change ch = {
        .info = TN_VAL_UNDEF, .message = TN_STR("test"), .newest_wins = newest_wins
    };
    tn_vec_push(&ch.put, arena, pin);
    return tn_lake_commit_write(l, tn_str_of(env), base, &ch, ret, &tn_tests.err);
}

static tn_lake_head head_of(tn_lake *l, tn_arena *arena, const char *env)
{
    tn_lake_head h;
    TN_ASSERT_OK(tn_lake_head_read(l, arena, tn_str_of(env), &h, &tn_tests.err));
    return h;
}

static int64_t version_of(tn_lake *l, tn_arena *arena)
{
    tn_lake_head h = head_of(l, arena, "prod");
    const tn_pin *p = tn_pins_find(&h.pins, TN_STR("s"), TN_STR("a"));
    TN_ASSERT(p != NULL);
    return p->version;
}

TN_TEST(an_empty_lake_has_no_environment)
{
    tn_lake *l = memory_lake(arena, "empty");
    TN_ASSERT_EQ_I(head_of(l, arena, "prod").commit, -1);
    tn_val envs, log;
    TN_ASSERT_OK(tn_lake_envs(l, arena, &envs, err));
    TN_ASSERT_EQ_I(envs.dict->live, 0);
    TN_ASSERT_OK(tn_lake_log(l, arena, TN_STR_NONE, 0, &log, err));
    TN_ASSERT_EQ_I(log.list->n, 0);
    int64_t c;
    TN_ASSERT_RC(tn_lake_rollback(l, TN_STR("prod"), -1, &c, err), TN_E_NOTFOUND);
    TN_ASSERT_RC(tn_lake_env_create(l, TN_STR("x"), TN_STR("prod"), &c, err), TN_E_NOTFOUND);
    tn_pins pins;
    TN_ASSERT_RC(tn_lake_commit_pins(l, arena, 0, &pins, err), TN_E_NOTFOUND);
}

TN_TEST(all_kinds_of_pins_come_back)
{
    tn_lake *l = memory_lake(arena, "kinds");
    tn_lake_head base = head_of(l, arena, "prod");
    tn_lake_change ch = { .info = tn_val_dict(arena), .message = TN_STR("say \"hi\"\nthere") };
    tn_dict_putz(ch.info.dict, "run_id", tn_val_z("r1"));
    tn_vec_push(&ch.put, arena, delta_pin("silver", "a b.c", 7));
    tn_pin view = { .schema = TN_STR("silver"),
        .name = TN_STR("v"),
        .kind = TN_PIN_VIEW,
        .sql = TN_STR("SELECT '\xc3\xa4' AS x"),
        .comment = TN_STR("c"),
        .node = TN_STR("model.p.v") };
    tn_pin external = { .schema = TN_STR("silver"),
        .name = TN_STR("e"),
        .kind = TN_PIN_EXTERNAL,
        .sql = TN_STR("SELECT * FROM read_parquet('x')"),
        .location = TN_STR("/x") };
    tn_vec_push(&ch.put, arena, view);
    tn_vec_push(&ch.put, arena, external);
    int64_t commit;
    TN_ASSERT_OK(tn_lake_commit_write(l, TN_STR("prod"), &base, &ch, &commit, err));
    TN_ASSERT_EQ_I(commit, 0);
    tn_lake_head h = head_of(l, arena, "prod");
    TN_ASSERT_EQ_I(h.commit, 0);
    TN_ASSERT_EQ_I(h.pins.n, 3);
    const tn_pin *p = tn_pins_find(&h.pins, TN_STR("SILVER"), TN_STR("A B.C"));
    TN_ASSERT(p != NULL);
    TN_ASSERT_EQ_I(p->version, 7);
    p = tn_pins_find(&h.pins, TN_STR("silver"), TN_STR("v"));
    TN_ASSERT(tn_pins_same(p, &view));
    TN_ASSERT_EQ_S(p->node, "model.p.v");
    TN_ASSERT(tn_pins_same(tn_pins_find(&h.pins, TN_STR("silver"), TN_STR("e")), &external));
    tn_val log;
    TN_ASSERT_OK(tn_lake_log(l, arena, TN_STR("prod"), 0, &log, err));
    TN_ASSERT_EQ_I(log.list->n, 1);
    TN_ASSERT_EQ_S(tn_val_str_at(log.list->v[0], "message", TN_STR_NONE), "say \"hi\"\nthere");
    TN_ASSERT_EQ_S(tn_val_str_at(tn_val_at(log.list->v[0], "info"), "run_id", TN_STR_NONE), "r1");
    TN_ASSERT_EQ_I(tn_val_int_at(log.list->v[0], "pins", -1), 3);
}

TN_TEST(what_changes_nothing_writes_nothing)
{
    tn_lake *l = memory_lake(arena, "same");
    tn_lake_head base = head_of(l, arena, "prod");
    int64_t c;
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "t", 1), false, &c));
    base = head_of(l, arena, "prod");
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "t", 1), false, &c));
    TN_ASSERT_EQ_I(c, 0);
    TN_ASSERT_EQ_I(head_of(l, arena, "prod").commit, 0);
}

TN_TEST(different_relations_merge_and_the_same_one_conflicts)
{
    tn_lake *l = memory_lake(arena, "merge");
    tn_lake_head base = head_of(l, arena, "prod");
    int64_t c;
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 1), false, &c));
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "b", 1), false, &c));
    TN_ASSERT_EQ_I(c, 1);
    TN_ASSERT_EQ_I(head_of(l, arena, "prod").pins.n, 2);
    TN_ASSERT_RC(
        put_pin(l, arena, "prod", &base, delta_pin("S", "A", 2), false, &c), TN_E_CONFLICT);
    TN_ASSERT_HAS(err->msg, "S.A");
    TN_ASSERT_HAS(err->msg, "lake commit 1");
    TN_ASSERT_EQ_I(version_of(l, arena), 1);
    tn_err_clear(err);
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 1), false,
        &c)); /* to the same thing: no conflict */
    TN_ASSERT_EQ_I(c, 1);
}

TN_TEST(of_two_appends_the_higher_version_wins)
{
    tn_lake *l = memory_lake(arena, "newest");
    tn_lake_head base = head_of(l, arena, "prod");
    int64_t c;
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 5), true, &c));
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 4), true, &c));
    TN_ASSERT_EQ_I(version_of(l, arena), 5);
    TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 6), true, &c));
    TN_ASSERT_EQ_I(version_of(l, arena), 6);
    tn_pin other = delta_pin("s", "a", 9);
    other.location = TN_STR("elsewhere");
    TN_ASSERT_RC(put_pin(l, arena, "prod", &base, other, true, &c), TN_E_CONFLICT);
}

TN_TEST(dropping_and_environments)
{
    tn_lake *l = memory_lake(arena, "envs");
    tn_lake_head none = head_of(l, arena, "prod");
    int64_t c;
    TN_ASSERT_OK(put_pin(l, arena, "prod", &none, delta_pin("s", "a", 1), false, &c));
    TN_ASSERT_OK(tn_lake_env_create(l, TN_STR("alice"), TN_STR("prod"), &c, err));
    TN_ASSERT_EQ_I(c, 1);
    TN_ASSERT_RC(tn_lake_env_create(l, TN_STR("alice"), TN_STR("prod"), &c, err), TN_E_EXISTS);
    tn_err_clear(err);
    tn_lake_head alice = head_of(l, arena, "alice");
    tn_lake_change drop = { .info = TN_VAL_UNDEF };
    tn_vec_push(&drop.drop, arena, TN_STR("S.A"));
    TN_ASSERT_OK(tn_lake_commit_write(l, TN_STR("alice"), &alice, &drop, &c, err));
    TN_ASSERT_EQ_I(head_of(l, arena, "alice").pins.n, 0);
    TN_ASSERT_EQ_I(head_of(l, arena, "prod").pins.n, 1);
    tn_val envs;
    TN_ASSERT_OK(tn_lake_envs(l, arena, &envs, err));
    TN_ASSERT_EQ_I(envs.dict->live, 2);
    TN_ASSERT_EQ_I(tn_val_int_at(envs, "prod", -1), 0);
    TN_ASSERT_EQ_I(tn_val_int_at(envs, "alice", -1), 2);
    TN_ASSERT_OK(tn_lake_rollback(l, TN_STR("alice"), -1, &c, err));
    TN_ASSERT_EQ_I(head_of(l, arena, "alice").pins.n, 1);
    TN_ASSERT_RC(tn_lake_rollback(l, TN_STR("alice"), 0, &c, err), TN_E_VALUE); /* prod's */
    tn_err_clear(err);
    TN_ASSERT_RC(tn_lake_rollback(l, TN_STR("prod"), -1, &c, err), TN_E_NOTFOUND);
}

TN_TEST(names_that_cannot_be_environments)
{
    tn_lake *l = memory_lake(arena, "names");
    tn_lake_head none = head_of(l, arena, "prod");
    static const char *const bad[] = { "", "a/b", ".x", "../up" };
    int64_t c;
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        TN_ASSERT_RC(
            put_pin(l, arena, bad[i], &none, delta_pin("s", "a", 1), false, &c), TN_E_VALUE);
        tn_err_clear(err);
    }
}

TN_TEST(damaged_commits_and_wrong_hints)
{
    tn_lake *l = memory_lake(arena, "damage");
    tn_lake_head none = head_of(l, arena, "prod");
    int64_t c;
    TN_ASSERT_OK(put_pin(l, arena, "prod", &none, delta_pin("s", "a", 1), false, &c));
    static const char *const hints[] = { "", "x", "999", "-5", "99999999999999999999999", "0" };
    for (size_t i = 0; i < TN_COUNTOF(hints); i++) {
        TN_ASSERT_OK(tn_store_put(tn_lake_store(l), TN_STR("_tarn/log/_last"), tn_str_of(hints[i]),
            TN_PUT_OVERWRITE, err));
        TN_ASSERT_EQ_I(head_of(l, arena, "prod").commit, 0);
    }
    TN_ASSERT_OK(tn_store_put(
        tn_lake_store(l), TN_STR("_tarn/log/notes.txt"), TN_STR("x"), TN_PUT_OVERWRITE, err));
    static const struct {
        const char *text;
        tn_rc rc;
    } cases[] = { { "{", TN_E_CORRUPT }, { "[]", TN_E_CORRUPT }, { "", TN_E_CORRUPT },
        { "{\"format\": 2}", TN_E_UNSUPPORTED },
        { "{\"format\": 1, \"heads\": {\"prod\": 1}, \"pins\": [{\"schema\": \"s\"}]}",
            TN_E_CORRUPT },
        { "{\"format\": 1, \"heads\": {\"prod\": 1}, \"pins\": [{\"schema\": \"s\", \"name\": "
          "\"n\", \"kind\": \"new\", \"sql\": \"x\"}]}",
            TN_E_CORRUPT } };
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        TN_ASSERT_OK(tn_store_put(tn_lake_store(l), TN_STR("_tarn/log/00000000000000000001.json"),
            tn_str_of(cases[i].text), TN_PUT_OVERWRITE, err));
        tn_lake_head h;
        TN_ASSERT_RC(tn_lake_head_read(l, arena, TN_STR("prod"), &h, err), cases[i].rc);
        tn_err_clear(err);
    }
}

/* ---- races ---- */

enum { WRITERS = 6, TURNS = 20 };

typedef struct racer {
    tn_lake *lake;
    int number;
    int failed;
} racer;

static void race(void *p)
{
    racer *r = p;
    for (int i = 0; i < TURNS; i++) {
        TN_AUTO_ARENA a = tn_arena_new("racer", NULL);
        tn_lake_head base;
        tn_err e = TN_ERR_INIT;
        int64_t c;
        tn_lake_change ch = { .info = TN_VAL_UNDEF };
        tn_vec_push(&ch.put, a, delta_pin("s", tn_arena_printf(a, "t%d_%d", r->number, i), i));
        bool ok = tn_lake_head_read(r->lake, a, TN_STR("prod"), &base, &e) == TN_OK &&
                  tn_lake_commit_write(r->lake, TN_STR("prod"), &base, &ch, &c, &e) == TN_OK;
        r->failed += !ok;
    }
}

static void check_race(tn_lake *l, tn_arena *arena, tn_err *err)
{
    tn_lake_head h = head_of(l, arena, "prod");
    TN_ASSERT_EQ_I(h.pins.n, WRITERS * TURNS);
    TN_ASSERT_EQ_I(h.commit, WRITERS * TURNS - 1);
    tn_val log;
    TN_ASSERT_OK(tn_lake_log(l, arena, TN_STR_NONE, 0, &log, err));
    TN_ASSERT_EQ_I(log.list->n, WRITERS * TURNS);
    for (size_t i = 0; i < log.list->n; i++) { /* an unbroken line of parents */
        tn_val parent = tn_val_at(log.list->v[i], "parent");
        int64_t commit = tn_val_int_at(log.list->v[i], "commit", -1);
        TN_ASSERT_EQ_I(parent.tag == TN_INT ? parent.i : -1, commit - 1);
    }
}

TN_TEST(threads_lose_nothing)
{
    tn_lake *l = memory_lake(arena, "threads");
    racer r[WRITERS];
    tn_thread *t[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        r[i] = (racer){ .lake = l, .number = i };
        TN_ASSERT_OK(tn_thread_start(race, &r[i], "racer", &t[i], err));
    }
    for (int i = 0; i < WRITERS; i++) {
        tn_thread_join(t[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        TN_ASSERT_EQ_I(r[i].failed, 0);
    }
    check_race(l, arena, err);
}

TN_TEST(processes_lose_nothing)
{
    char *dir = tn_test_dir(arena);
    pid_t child[WRITERS];
    fflush(stdout);
    for (int i = 0; i < WRITERS; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            tn_lake_opts o = { .storage = TN_VAL_UNDEF, .create = true };
            racer r = { .number = i };
            if (tn_lake_open(tn_str_of(dir), &o, &r.lake, NULL) != TN_OK) {
                _exit(1);
            }
            race(&r);
            _exit(r.failed == 0 ? 0 : 2);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;
        TN_ASSERT_EQ_I(waitpid(child[i], &status, 0), child[i]);
        TN_ASSERT_EQ_I(status, 0);
    }
    check_race(open_lake(arena, dir), arena, err);
}

/* ---- faults ---- */

static tn_store *make_faulty(tn_lake *l)
{
    tn_store *faulty;
    TN_ASSERT_OK(tn_store_faulty(l->store, &faulty, &tn_tests.err));
    tn_store_unref(l->store);
    l->store = faulty;
    return faulty;
}

TN_TEST(a_lost_answer_is_settled_by_looking)
{
    static const tn_rc codes[] = { TN_E_AMBIGUOUS, TN_E_NET, TN_E_TIMEOUT, TN_E_IO };
    for (size_t i = 0; i < TN_COUNTOF(codes); i++) {
        tn_lake *l = memory_lake(arena, "lost");
        tn_store *f = make_faulty(l);
        tn_lake_head base = head_of(l, arena, "prod");
        int64_t c;
        tn_store_faulty_set(
            f, (tn_store_fault){ .k = 1, .rc = codes[i], .after = true, .op = "put" });
        TN_ASSERT_OK(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 1), false, &c));
        TN_ASSERT_EQ_I(c, 0);
        base = head_of(l, arena, "prod");
        tn_store_faulty_set(
            f, (tn_store_fault){ .k = 1, .rc = codes[i], .after = false, .op = "put" });
        TN_ASSERT_RC(put_pin(l, arena, "prod", &base, delta_pin("s", "a", 2), false, &c), codes[i]);
        tn_err_clear(err);
        TN_ASSERT_EQ_I(head_of(l, arena, "prod").commit, 0);
    }
}

TN_TEST(every_request_may_fail)
{
    for (int64_t k = 1;; k++) {
        tn_lake *l = memory_lake(arena, "torture");
        tn_lake_head none = head_of(l, arena, "prod");
        int64_t c, made = -1;
        TN_ASSERT_OK(put_pin(l, arena, "prod", &none, delta_pin("s", "a", 1), false, &c));
        TN_ASSERT_OK(tn_lake_env_create(l, TN_STR("dev"), TN_STR("prod"), &c, err));
        tn_lake_head base = head_of(l, arena, "prod");
        tn_store *f = make_faulty(l);
        tn_store_faulty_set(f, (tn_store_fault){ .k = k, .rc = TN_E_NET });
        tn_rc rc = put_pin(l, arena, "prod", &base, delta_pin("s", "a", 2), false, &made);
        bool fired = tn_store_faulty_calls(f) >= k;
        tn_store_faulty_set(f, (tn_store_fault){ .k = 0 });
        tn_err_clear(err);
        tn_lake_head after = head_of(l, arena, "prod");
        int64_t version = tn_pins_find(&after.pins, TN_STR("s"), TN_STR("a"))->version;
        TN_ASSERT_EQ_I(version, rc == TN_OK ? 2 : 1);
        TN_ASSERT_EQ_I(made, rc == TN_OK ? after.commit : -1);
        TN_ASSERT_EQ_I(head_of(l, arena, "dev").pins.n, 1);
        if (!fired) {
            TN_ASSERT(k > 3);
            break;
        }
    }
}
