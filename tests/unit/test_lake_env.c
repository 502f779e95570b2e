// layers: base os text store duck delta lake
/* Branches of a lake, names for points of its history, what cleaning keeps, tickets. */
#include "tn_test.h"

#include "lake/lake_env.h"
#include "lake/lake_gc.h"
#include "lake/lake_lease.h"
#include "lake/log/lake_file.h"
#include "os/clock.h"
#include "os/thread.h"

static void close_lake(void *l)
{
    tn_lake_close(l);
}

static tn_lake *memory_lake(tn_arena *arena, const char *name)
{
    tn_lake *l;
    tn_lake_opts o = { .storage = TN_VAL_UNDEF, .create = true };
    tn_store_mem_forget(tn_str_of(name));
    TN_ASSERT_OK(
        tn_lake_open(tn_str_of(tn_arena_printf(arena, "mem://%s", name)), &o, &l, &tn_tests.err));
    tn_arena_defer(arena, close_lake, l);
    return l;
}

static tn_lake_head head_of(tn_lake *l, tn_arena *arena, const char *env)
{
    tn_lake_head h;
    TN_ASSERT_OK(tn_lake_head_read(l, arena, tn_str_of(env), &h, &tn_tests.err));
    return h;
}

static int64_t pin(tn_lake *l, tn_arena *arena, const char *env, const char *name, int64_t version)
{
    tn_lake_head base = head_of(l, arena, env);
    tn_lake_change ch = { .info = TN_VAL_UNDEF, .message = TN_STR("test") };
    tn_pin p = { .schema = TN_STR("s"),
        .name = tn_str_of(name),
        .kind = TN_PIN_DELTA,
        .location = tn_str_printf(arena, "s/%s", name),
        .version = version };
    int64_t commit;
    tn_vec_push(&ch.put, arena, p);
    TN_ASSERT_OK(tn_lake_commit_write(l, tn_str_of(env), &base, &ch, &commit, &tn_tests.err));
    return commit;
}

static int64_t version_in(tn_lake *l, tn_arena *arena, const char *env, const char *name)
{
    tn_lake_head h = head_of(l, arena, env);
    const tn_pin *p = tn_pins_find(&h.pins, TN_STR("s"), tn_str_of(name));
    return p == NULL ? -1 : p->version;
}

static int64_t branch(tn_lake *l, tn_arena *arena, const char *from)
{
    int64_t c;
    (void)arena;
    TN_ASSERT_OK(tn_lake_env_create(l, TN_STR("alice"), tn_str_of(from), &c, &tn_tests.err));
    return c;
}

/* ---- branches ---- */

TN_TEST(a_branch_is_promoted)
{
    tn_lake *l = memory_lake(arena, "promote");
    pin(l, arena, "prod", "a", 1);
    pin(l, arena, "prod", "b", 1);
    branch(l, arena, "prod");
    pin(l, arena, "alice", "a", 2);
    tn_lake_moves m;
    TN_ASSERT_OK(tn_lake_env_promote(l, arena, TN_STR("alice"), TN_STR("prod"), true, &m, err));
    TN_ASSERT_EQ_I(m.changed.n, 1);
    TN_ASSERT_EQ_I(version_in(l, arena, "prod", "a"), 1);
    TN_ASSERT_OK(tn_lake_env_promote(l, arena, TN_STR("alice"), TN_STR("prod"), false, &m, err));
    TN_ASSERT_EQ_I(version_in(l, arena, "prod", "a"), 2);
    TN_ASSERT_EQ_I(version_in(l, arena, "prod", "b"), 1);
    int64_t done = m.commit;
    TN_ASSERT_EQ_I(head_of(l, arena, "alice").base.commit, done);
    TN_ASSERT_OK(tn_lake_env_promote(l, arena, TN_STR("alice"), TN_STR("prod"), false, &m, err));
    TN_ASSERT_EQ_I(m.changed.n, 0);
    TN_ASSERT_EQ_I(m.commit, done);
    pin(l, arena, "alice", "b", 5); /* and again, without a rebase */
    TN_ASSERT_OK(tn_lake_env_promote(l, arena, TN_STR("alice"), TN_STR("prod"), false, &m, err));
    TN_ASSERT_EQ_I(version_in(l, arena, "prod", "b"), 5);
}

TN_TEST(a_base_that_moved_is_refused_until_rebased)
{
    tn_lake *l = memory_lake(arena, "moved");
    tn_lake_moves m;
    pin(l, arena, "prod", "a", 1);
    pin(l, arena, "prod", "b", 1);
    branch(l, arena, "prod");
    pin(l, arena, "alice", "a", 2);
    int64_t newer = pin(l, arena, "prod", "b", 9);
    TN_ASSERT_RC(tn_lake_env_promote(l, arena, TN_STR("alice"), TN_STR("prod"), false, &m, err),
        TN_E_CONFLICT);
    TN_ASSERT(strstr(err->msg, "s.b") != NULL);
    tn_err_clear(err);
    TN_ASSERT_OK(tn_lake_env_rebase(l, arena, TN_STR("alice"), TN_BOTH_REFUSE, &m, err));
    TN_ASSERT_EQ_I(m.changed.n, 1);
    TN_ASSERT_EQ_I(version_in(l, arena, "alice", "b"), 9);
    TN_ASSERT_EQ_I(version_in(l, arena, "alice", "a"), 2);
    TN_ASSERT_EQ_I(head_of(l, arena, "alice").base.commit, newer);
    TN_ASSERT_OK(tn_lake_env_promote(l, arena, TN_STR("alice"), TN_STR("prod"), false, &m, err));
    TN_ASSERT_EQ_I(version_in(l, arena, "prod", "a"), 2);
    TN_ASSERT_EQ_I(version_in(l, arena, "prod", "b"), 9);
}

TN_TEST(what_both_changed_is_the_users_choice)
{
    for (int both = TN_BOTH_REFUSE; both <= TN_BOTH_THEIRS; both++) {
        tn_lake *l = memory_lake(arena, "both");
        tn_lake_moves m;
        pin(l, arena, "prod", "a", 1);
        branch(l, arena, "prod");
        pin(l, arena, "alice", "a", 2);
        pin(l, arena, "prod", "a", 3);
        tn_rc rc = tn_lake_env_rebase(l, arena, TN_STR("alice"), (tn_lake_both)both, &m, err);
        TN_ASSERT_EQ_I(rc, both == TN_BOTH_REFUSE ? TN_E_CONFLICT : TN_OK);
        tn_err_clear(err);
        TN_ASSERT_EQ_I(version_in(l, arena, "alice", "a"), both == TN_BOTH_THEIRS ? 3 : 2);
    }
}

TN_TEST(a_dropped_environment_is_gone_and_its_name_free)
{
    tn_lake *l = memory_lake(arena, "drop");
    int64_t c;
    tn_val envs;
    pin(l, arena, "prod", "a", 1);
    branch(l, arena, "prod");
    TN_ASSERT_OK(tn_lake_env_drop(l, TN_STR("alice"), false, &c, err));
    TN_ASSERT_EQ_I(head_of(l, arena, "alice").commit, -1);
    TN_ASSERT_OK(tn_lake_envs(l, arena, &envs, err));
    TN_ASSERT_EQ_I(envs.dict->live, 1);
    TN_ASSERT_RC(tn_lake_env_drop(l, TN_STR("alice"), false, &c, err), TN_E_NOTFOUND);
    tn_err_clear(err);
    pin(l, arena, "prod", "a", 2); /* the newest commit must not bring it back */
    TN_ASSERT_EQ_I(head_of(l, arena, "alice").commit, -1);
    branch(l, arena, "prod");
    TN_ASSERT_EQ_I(version_in(l, arena, "alice", "a"), 2);
}

/* ---- points in history ---- */

TN_TEST(words_name_points_in_history)
{
    tn_lake *l = memory_lake(arena, "words");
    tn_lake_ref r;
    int64_t hour = (int64_t)3600 * 1000000;
    int64_t t0 = (int64_t)1767225600 * 1000000; /* 2026-01-01 */
    for (int i = 0; i < 5; i++) {
        tn_clock_fix(t0 + i * hour);
        pin(l, arena, "prod", "a", i);
        pin(l, arena, "dev", "a", 100 + i);
    }
    TN_ASSERT_OK(tn_lake_tag_create(l, TN_STR("q1"), 4, TN_STR("report"), err));
    tn_clock_fix(0);
    struct {
        const char *word;
        int64_t version;
    } cases[] = { { "prod", 4 }, { "dev", 104 }, { "6", 3 }, { "q1", 2 }, { "2026-01-01 00:00", 0 },
        { "2026-01-01T02:59:59Z", 2 }, { "2026-06-01", 4 } };
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        TN_ASSERT_OK(tn_lake_ref_read(l, arena, TN_STR("prod"), tn_str_of(cases[i].word), &r, err));
        TN_ASSERT_EQ_I(r.pins.v[0].version, cases[i].version);
    }
    TN_ASSERT_OK(tn_lake_ref_read(l, arena, TN_STR("dev"), TN_STR("2026-01-01 01:30"), &r, err));
    TN_ASSERT_EQ_I(r.pins.v[0].version, 101);
    static const char *const unknown[] = { "q2", "99", "2025-12-31", "no such thing" };
    for (size_t i = 0; i < TN_COUNTOF(unknown); i++) {
        TN_ASSERT_RC(tn_lake_ref_read(l, arena, TN_STR("prod"), tn_str_of(unknown[i]), &r, err),
            TN_E_NOTFOUND);
        tn_err_clear(err);
    }
}

TN_TEST(tags_are_unique_and_no_other_word)
{
    tn_lake *l = memory_lake(arena, "tags");
    tn_lake_tags tags;
    pin(l, arena, "prod", "a", 1);
    TN_ASSERT_OK(tn_lake_tag_create(l, TN_STR("one"), 0, TN_STR(""), err));
    TN_ASSERT_RC(tn_lake_tag_create(l, TN_STR("one"), 0, TN_STR(""), err), TN_E_EXISTS);
    TN_ASSERT_RC(tn_lake_tag_create(l, TN_STR("prod"), 0, TN_STR(""), err), TN_E_EXISTS);
    TN_ASSERT_RC(tn_lake_tag_create(l, TN_STR("two"), 7, TN_STR(""), err), TN_E_NOTFOUND);
    static const char *const bad[] = { "", "12", "2026-01-01", "a/b", ".x", "_x" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        tn_err_clear(err);
        TN_ASSERT_RC(tn_lake_tag_create(l, tn_str_of(bad[i]), 0, TN_STR(""), err), TN_E_VALUE);
    }
    tn_err_clear(err);
    TN_ASSERT_OK(tn_lake_tags_read(l, arena, &tags, err));
    TN_ASSERT_EQ_I(tags.n, 1);
    TN_ASSERT_OK(tn_lake_tag_remove(l, TN_STR("one"), err));
    TN_ASSERT_RC(tn_lake_tag_remove(l, TN_STR("one"), err), TN_E_NOTFOUND);
}

/* ---- cleaning: against a model that keeps every commit's pins and when it was in force ---- */

typedef struct model_commit {
    int64_t number, parent, ms;
    int env;
    int64_t versions[4];
    bool there; /* pinned at all */
} model_commit;

static bool model_needs(
    const model_commit *cs, size_t n, const bool *kept, int64_t version, int table)
{
    for (size_t i = 0; i < n; i++) {
        if (kept[i] && cs[i].versions[table] == version) {
            return true;
        }
    }
    return false;
}

TN_TEST(cleaning_keeps_what_the_model_keeps)
{
    enum { COMMITS = 120, TABLES = 4, ENVS = 3 };
    static const char *const envs[ENVS] = { "prod", "dev", "alice" };
    static const char *const tables[TABLES] = { "a", "b", "c", "d" };
    int64_t minute = 60000;
    for (unsigned seed = 1; seed <= 5; seed++) {
        tn_lake *l = memory_lake(arena, "model");
        model_commit cs[COMMITS];
        bool kept[COMMITS] = { false };
        int64_t heads[ENVS] = { -1, -1, -1 };
        unsigned x = seed;
        int64_t now = (int64_t)1767225600000;
        for (size_t i = 0; i < COMMITS; i++) {
            x = x * 1103515245u + 12345u;
            int env = (int)((x >> 16) % ENVS);
            x = x * 1103515245u + 12345u;
            int table = (int)((x >> 16) % TABLES);
            now += (int64_t)((x >> 8) % 30) * minute;
            tn_clock_fix(now * 1000);
            cs[i] = (model_commit){ .parent = heads[env], .ms = now, .env = env };
            for (int t = 0; t < TABLES; t++) {
                cs[i].versions[t] = heads[env] >= 0 ? cs[heads[env]].versions[t] : -1;
            }
            cs[i].versions[table] = (int64_t)i;
            cs[i].number = pin(l, arena, envs[env], tables[table], (int64_t)i);
            TN_ASSERT_EQ_I(cs[i].number, (int64_t)i);
            heads[env] = (int64_t)i;
        }
        TN_ASSERT_OK(tn_lake_tag_create(l, TN_STR("keep"), 7, TN_STR(""), err));
        int64_t retention = 200 * minute;
        for (size_t i = 0; i < COMMITS; i++) {
            bool recent = cs[i].ms >= now - retention;
            kept[i] = kept[i] || recent || i == 7;
            if (recent && cs[i].parent >= 0) {
                kept[cs[i].parent] = true;
            }
        }
        for (int e = 0; e < ENVS; e++) {
            kept[heads[e]] = true;
        }
        tn_pins needs;
        TN_ASSERT_OK(tn_lake_needs_read(l, arena, retention, &needs, err));
        size_t expected = 0;
        for (int t = 0; t < TABLES; t++) {
            for (int64_t v = 0; v < COMMITS; v++) {
                bool there = false;
                for (size_t k = 0; k < needs.n; k++) {
                    there =
                        there || (needs.v[k].version == v && tn_str_is(needs.v[k].name, tables[t]));
                }
                bool wanted = model_needs(cs, COMMITS, kept, v, t);
                TN_ASSERT_EQ_I(there, wanted);
                expected += wanted;
            }
        }
        TN_ASSERT_EQ_I(needs.n, expected);
        tn_lake_gc_result r;
        tn_lake_gc_opts o = { .retention_ms = retention };
        TN_ASSERT_OK(tn_lake_gc(l, NULL, arena, &o, &r, err));
        tn_clock_fix(0);
        for (size_t i = 0; i < COMMITS; i++) {
            tn_pins pins;
            tn_rc rc = tn_lake_commit_pins(l, arena, (int64_t)i, &pins, err);
            TN_ASSERT_EQ_I(rc == TN_OK, kept[i]);
            tn_err_clear(err);
        }
        for (int e = 0; e < ENVS; e++) { /* and all goes on */
            TN_ASSERT_EQ_I(head_of(l, arena, envs[e]).commit, heads[e]);
        }
        tn_val log;
        TN_ASSERT_OK(tn_lake_log(l, arena, TN_STR_NONE, 0, &log, err));
        TN_ASSERT_EQ_I((int64_t)log.list->n, r.commits_kept);
        TN_ASSERT_EQ_I(pin(l, arena, "prod", "a", 1000), COMMITS);
    }
}

/* ---- tickets ---- */

static tn_lake_ticket *take(tn_lake *l, tn_arena *arena, const char *resource, int64_t ttl_ms)
{
    tn_lake_ticket *t;
    tn_lake_ticket_opts o = { .what = TN_STR("test"), .ttl_ms = ttl_ms };
    tn_vec_push(&o.resources, arena, tn_str_of(resource));
    TN_ASSERT_OK(tn_lake_ticket_take(l, &o, &t, &tn_tests.err));
    return t;
}

static bool blocked(tn_lake_ticket *t, tn_arena *arena, const char *resource)
{
    bool b;
    tn_lake_holder h;
    TN_ASSERT_OK(tn_lake_ticket_blocked(t, arena, tn_str_of(resource), &b, &h, &tn_tests.err));
    return b;
}

TN_TEST(the_older_ticket_has_the_turn)
{
    tn_lake *l = memory_lake(arena, "tickets");
    tn_lake_ticket *one = take(l, arena, "x", 0);
    tn_lake_ticket *two = take(l, arena, "x", 0);
    tn_lake_ticket *three = take(l, arena, "y", 0);
    TN_ASSERT(tn_lake_ticket_number(two) > tn_lake_ticket_number(one));
    TN_ASSERT(!blocked(one, arena, "x"));
    TN_ASSERT(blocked(two, arena, "x"));
    TN_ASSERT(!blocked(two, arena, "y"));
    TN_ASSERT(!blocked(three, arena, "y"));
    TN_ASSERT_RC(tn_lake_ticket_wait(two, TN_STR("x"), 0, err), TN_E_CONFLICT);
    tn_err_clear(err);
    tn_lake_ticket_release(one);
    TN_ASSERT(!blocked(two, arena, "x"));
    int64_t last = tn_lake_ticket_number(three);
    tn_lake_ticket_release(two);
    tn_lake_ticket_release(three);
    one = take(l, arena, "x", 0); /* numbers go on */
    TN_ASSERT(tn_lake_ticket_number(one) > last);
    tn_lake_ticket_release(one);
}

TN_TEST(a_released_ticket_with_the_highest_number_blocks_nobody)
{
    tn_lake *l = memory_lake(arena, "tickets released");
    tn_lake_ticket *one = take(l, arena, "x", 0);
    tn_lake_ticket *two = take(l, arena, "x", 0);
    TN_ASSERT(blocked(two, arena, "x"));
    tn_lake_ticket_release(one);
    tn_lake_ticket_release(two);
    tn_lake_ticket *three = take(l, arena, "x", 0);
    TN_ASSERT(!blocked(three, arena, "x"));
    tn_lake_ticket_release(three);
}

/* What a holder that was killed leaves behind. */
static void leave_dead_ticket(tn_lake *l, tn_arena *arena, int64_t number, int64_t age_ms)
{
    int64_t now = tn_clock_now_us();
    tn_clock_fix(now - age_ms * 1000);
    TN_ASSERT_OK(
        tn_store_put(l->store, tn_str_printf(arena, "_tarn/leases/%020lld.json", (long long)number),
            tn_str_printf(arena,
                "{\"format\":1,\"ticket\":%lld,\"what\":\"test\",\"host\":\"gone\",\"pid\":1,"
                "\"ttl_ms\":3600000,\"resources\":[\"x\"]}\n",
                (long long)number),
            TN_PUT_IF_ABSENT, &tn_tests.err));
    tn_clock_fix(0);
}

TN_TEST(a_dead_holder_loses_its_turn)
{
    tn_lake *l = memory_lake(arena, "tickets dead");
    leave_dead_ticket(l, arena, 3, 7200000);
    leave_dead_ticket(l, arena, 4, 1800000);
    tn_lake_ticket *t = take(l, arena, "x", 0);
    TN_ASSERT_EQ_I(tn_lake_ticket_number(t), 5);
    bool b;
    tn_lake_holder h;
    TN_ASSERT_OK(tn_lake_ticket_blocked(t, arena, TN_STR("x"), &b, &h, err));
    TN_ASSERT(b); /* the second is not dead yet */
    TN_ASSERT_EQ_I(h.ticket, 4);
    tn_lake_ticket_release(t);
}

static int64_t lease_mtime_us(tn_lake *l, tn_arena *arena, tn_str key)
{
    tn_store_item item = { 0 };
    TN_ASSERT_OK(tn_store_head(l->store, arena, key, &item, &tn_tests.err));
    return item.mtime_us;
}

/* Renewed every two seconds: a machine that stands still for four would let it die. */
TN_TEST(a_ticket_is_renewed_and_one_that_was_buried_says_so)
{
    enum { TTL_MS = 6000 };
    tn_lake *l = memory_lake(arena, "tickets renewed");
    tn_lake_ticket *one = take(l, arena, "x", TTL_MS);
    tn_str key =
        tn_str_printf(arena, "_tarn/leases/%020lld.json", (long long)tn_lake_ticket_number(one));
    int64_t taken = lease_mtime_us(l, arena, key);
    while (lease_mtime_us(l, arena, key) == taken) {
        tn_clock_sleep_us(10000);
    }
    tn_lake_ticket *two = take(l, arena, "x", 0);
    TN_ASSERT(blocked(two, arena, "x"));
    TN_ASSERT_OK(tn_lake_ticket_check(one, err));
    TN_ASSERT_OK(tn_store_remove(l->store, key, err));
    TN_ASSERT_RC(tn_lake_ticket_check(one, err), TN_E_CONFLICT);
    tn_err_clear(err);
    TN_ASSERT(!blocked(two, arena, "x"));
    tn_clock_sleep_us((int64_t)TTL_MS * 1000 / 3 + 200000); /* its holder looks after it again */
    TN_ASSERT(!blocked(two, arena, "x"));
    tn_lake_ticket_release(one);
    tn_lake_ticket_release(two);
}

typedef struct contender {
    tn_lake *l;
    int *inside, *most, *done;
    tn_mutex *mutex;
} contender;

static void contend(void *p)
{
    contender *c = p;
    TN_AUTO_ARENA a = tn_arena_new("contender", NULL);
    for (int i = 0; i < 5; i++) {
        tn_lake_ticket *t;
        tn_err e = TN_ERR_INIT;
        tn_lake_ticket_opts o = { .what = TN_STR("test") };
        tn_vec_push(&o.resources, a, TN_STR("x"));
        TN_ASSERT_OK(tn_lake_ticket_take(c->l, &o, &t, &e));
        TN_ASSERT_OK(tn_lake_ticket_wait(t, TN_STR("x"), -1, &e));
        tn_mutex_lock(c->mutex);
        *c->inside += 1;
        *c->most = *c->inside > *c->most ? *c->inside : *c->most;
        tn_mutex_unlock(c->mutex);
        tn_clock_sleep_us(2000);
        tn_mutex_lock(c->mutex);
        *c->inside -= 1;
        *c->done += 1;
        tn_mutex_unlock(c->mutex);
        tn_lake_ticket_release(t);
    }
}

TN_TEST(one_at_a_time_among_threads)
{
    enum { N = 6 };
    tn_lake *l = memory_lake(arena, "tickets race");
    tn_mutex m = TN_MUTEX_INIT;
    int inside = 0;
    int most = 0;
    int done = 0;
    contender c = { l, &inside, &most, &done, &m };
    tn_thread *threads[N];
    for (int i = 0; i < N; i++) {
        TN_ASSERT_OK(tn_thread_start(contend, &c, "contender", &threads[i], err));
    }
    for (int i = 0; i < N; i++) {
        tn_thread_join(threads[i]);
    }
    TN_ASSERT_EQ_I(most, 1);
    TN_ASSERT_EQ_I(done, N * 5);
}
