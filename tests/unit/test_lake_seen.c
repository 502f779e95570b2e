// layers: base os text store duck delta lake
/* What a handle of a far lake remembers of its log: fewer requests, and never a lost commit. And which names in SQL are asked for at all. */
#include "tn_test.h"

#include "lake/lake_env.h"
#include "lake/lake_gc.h"
#include "lake/log/lake_log.h"
#include "lake/sql/lake_session.h"

static void close_lake(void *l)
{
    tn_lake_close(l);
}

/* A handle of its own on the same lake in memory, which behaves as if asking cost something. */
static tn_lake *far_lake(tn_arena *arena, const char *name)
{
    tn_lake *l;
    tn_lake_opts o = { .storage = TN_VAL_UNDEF, .create = true };
    tn_str url = tn_str_printf(arena, "mem://%s", name);
    TN_ASSERT_OK(tn_lake_open(url, &o, &l, &tn_tests.err));
    tn_arena_defer(arena, close_lake, l);
    tn_store *counted;
    TN_ASSERT_OK(tn_store_faulty(l->store, &counted, &tn_tests.err));
    tn_store_unref(l->store);
    l->store = counted;
    l->far = true;
    return l;
}

static tn_lake_head read_head(tn_lake *l, tn_arena *arena, bool recent)
{
    tn_lake_head h;
    TN_ASSERT_OK(recent ? tn_lake_head_recent(l, arena, TN_STR("prod"), &h, &tn_tests.err)
                        : tn_lake_head_read(l, arena, TN_STR("prod"), &h, &tn_tests.err));
    return h;
}

static tn_rc put(tn_lake *l, tn_arena *arena, const tn_lake_head *base, const char *name,
    int64_t version, int64_t *ret)
{
    tn_lake_change ch = { .info = TN_VAL_UNDEF, .message = TN_STR("test") };
    tn_pin pin = { .schema = TN_STR("s"),
        .name = tn_str_of(name),
        .kind = TN_PIN_DELTA,
        .location = tn_str_of(name),
        .schema_hash = TN_STR("known"),
        .version = version };
    tn_vec_push(&ch.put, arena, pin);
    return tn_lake_commit_write(l, TN_STR("prod"), base, &ch, ret, &tn_tests.err);
}

TN_TEST(a_second_look_and_a_commit_ask_for_nothing_twice)
{
    tn_store_mem_forget(TN_STR("seen"));
    tn_lake *l = far_lake(arena, "seen");
    tn_lake_head head = read_head(l, arena, false);
    int64_t c, before = tn_store_faulty_calls(l->store);
    TN_ASSERT_OK(put(l, arena, &head, "a", 1, &c));
    TN_ASSERT_EQ_I(tn_store_faulty_calls(l->store) - before, 2); /* commit 0 and the hint */
    before = tn_store_faulty_calls(l->store);
    head = read_head(l, arena, true);
    TN_ASSERT_EQ_I(head.pins.n, 1);
    TN_ASSERT_OK(put(l, arena, &head, "a", 2, &c));
    TN_ASSERT_EQ_I(read_head(l, arena, true).pins.v[0].version, 2);
    TN_ASSERT_EQ_I(tn_store_faulty_calls(l->store) - before, 1);
}

TN_TEST(another_writer_is_seen_by_a_look_and_never_overwritten)
{
    tn_store_mem_forget(TN_STR("seen"));
    tn_lake *one = far_lake(arena, "seen"), *two = far_lake(arena, "seen");
    tn_lake_head old = read_head(one, arena, false), now = read_head(two, arena, false);
    int64_t c;
    TN_ASSERT_OK(put(two, arena, &now, "b", 7, &c));
    TN_ASSERT_EQ_I(read_head(one, arena, true).commit, -1);
    TN_ASSERT_OK(put(one, arena, &old, "a", 1, &c));
    TN_ASSERT_EQ_I(c, 1);
    TN_ASSERT_EQ_I(read_head(one, arena, true).pins.n, 2);
    TN_ASSERT_EQ_I(read_head(two, arena, false).pins.n, 2);
    /* The same relation to something else: the later one is told. */
    now = read_head(two, arena, true);
    old = read_head(one, arena, true);
    TN_ASSERT_OK(put(one, arena, &old, "a", 2, &c));
    TN_ASSERT_RC(put(two, arena, &now, "a", 3, &c), TN_E_CONFLICT);
}

TN_TEST(cleaning_leaves_numbers_that_a_writer_may_take_for_free)
{
    tn_store_mem_forget(TN_STR("seen"));
    tn_lake *slow = far_lake(arena, "seen"), *quick = far_lake(arena, "seen");
    tn_lake_head head = read_head(slow, arena, false);
    int64_t c;
    TN_ASSERT_OK(put(slow, arena, &head, "a", 1, &c));
    for (int64_t v = 1; v <= 3; v++) {
        head = read_head(quick, arena, false);
        TN_ASSERT_OK(put(quick, arena, &head, "b", v, &c));
    }
    tn_lake_gc_opts o = { .retention_ms = -1000 };
    tn_lake_gc_result r;
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    tn_duck_opts d = { .config = TN_VAL_UNDEF };
    TN_ASSERT_OK(tn_duck_open(&d, &duck, err));
    TN_ASSERT_OK(tn_duck_connect(duck, &conn, err));
    TN_ASSERT_OK(tn_lake_gc(quick, conn, arena, &o, &r, err));
    TN_ASSERT_EQ_I(r.commits_removed, 0);
    head = read_head(slow, arena, true); /* still commit 0: its put of 1 must lose */
    TN_ASSERT_EQ_I(head.commit, 0);
    TN_ASSERT_OK(put(slow, arena, &head, "a", 2, &c));
    TN_ASSERT_EQ_I(c, 4);
    TN_ASSERT_EQ_I(read_head(quick, arena, false).pins.n, 2);
}

/* ---- names ---- */

/* The names before a dot that the lake is asked for, in order. */
static tn_str asked(tn_arena *arena, const char *sql)
{
    tn_tokens t;
    tn_buf b = tn_buf_init(arena, 4096);
    TN_ASSERT_OK(tn_sql_tokens(arena, tn_str_of(sql), &t, &tn_tests.err));
    tn_map aliases = tn_sql_aliases(arena, &t);
    for (size_t i = 0; i < t.n;) {
        tn_strs parts;
        size_t from = i;
        if (!tn_token_is_name(&t, i) || !tn_token_dotted(arena, &t, &i, &parts)) {
            i++;
        } else if (parts.n > 1 && !tn_sql_is_member(arena, &aliases, &t, from)) {
            tn_buf_addf(&b, "%s" TN_STR_FMT "." TN_STR_FMT, b.n > 0 ? " " : "",
                TN_STR_ARG(parts.v[0]), TN_STR_ARG(parts.v[1]));
        }
    }
    return tn_buf_str(&b);
}

TN_TEST(columns_of_aliases_are_not_asked_for)
{
    static const char *const CASES[][2] = {
        { "select s.id, s.v from raw.x s where s.id = 1 order by s.a, s.b", "raw.x" },
        { "select x.id from raw.x join raw.y AS y on x.id = y.id", "raw.x raw.y" },
        { "merge into t.x t using (select 1 as id) s on s.id = t.id when matched then update set "
          "v = s.v when not matched then insert (id, v) values (s.id, s.v)",
            "t.x" },
        { "with s as (select * from raw.a) select count(s.id), sum(s.v) from s", "raw.a" },
        /* an alias that is a schema, too: behind FROM and JOIN and in a FROM's list a relation is meant */
        { "select raw.id from raw.x raw, raw.y y", "raw.x raw.y" },
        { "select 1 from raw.x raw join raw.y on raw.x = 1, raw.z", "raw.x raw.y raw.z" },
        { "select (select max(raw.a) from raw.z) from raw.x as raw", "raw.z raw.x" },
        { "select * from (raw.x raw join raw.y on true)", "raw.x raw.y" },
        { "select 1 from a.b x where exists (from x.y)", "a.b x.y" },
        /* what the statement does not introduce may be anything */
        { "select payload.id from raw.x", "payload.id raw.x" },
        { "update t.x set v = s.v from (select 1 v) as s", "t.x" },
        { "delete from t.x using t.y, s.z as s where s.z = 1", "t.x t.y s.z" },
        { "insert into t.x select S.id from \"raw\".x as s", "t.x raw.x" },
        { "describe raw.x", "raw.x" },
    };
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        TN_ASSERT_EQ_S(asked(arena, CASES[i][0]), CASES[i][1]);
    }
}
