// layers: store os text base
/* One suite for every kind of store, so that local, mem, a sub store and one behind the fault layer cannot drift apart; then
 * what only one kind has; then races. */
#include "tn_test.h"

#include "os/file.h"
#include "os/thread.h"
#include "store/store.h"

static void unref(void *s)
{
    tn_store_unref(s);
}

typedef enum kind { LOCAL, MEM, SUB_OF_MEM, SUB_OF_LOCAL, FAULTY_LOCAL, KINDS } kind;

static tn_store *open_url(tn_arena *a, const char *url, tn_err *err)
{
    tn_store *s = NULL;
    TN_ASSERT_OK(tn_store_open(tn_str_of(url), &(tn_store_opts){ .create = false }, &s, err));
    tn_arena_defer(a, unref, s);
    return s;
}

static tn_store *open_kind(tn_arena *a, kind k, tn_err *err)
{
    tn_store *s = NULL, *outer;
    tn_store_mem_forget(TN_STR("suite"));
    switch (k) {
    case MEM:
        return open_url(a, "mem://suite", err);
    case SUB_OF_MEM:
        outer = open_url(a, "mem://suite/outer", err);
        TN_ASSERT_OK(tn_store_put(outer, TN_STR("outside"), TN_STR("x"), TN_PUT_OVERWRITE, err));
        TN_ASSERT_OK(tn_store_sub(outer, TN_STR("sub/folder/"), &s, err));
        break;
    case SUB_OF_LOCAL:
        TN_ASSERT_OK(tn_store_sub(open_url(a, tn_test_dir(a), err), TN_STR("sub"), &s, err));
        break;
    case FAULTY_LOCAL:
        TN_ASSERT_OK(tn_store_faulty(open_url(a, tn_test_dir(a), err), &s, err));
        break;
    default:
        return open_url(a, tn_arena_printf(a, "%s/not/there/yet", tn_test_dir(a)), err);
    }
    tn_arena_defer(a, unref, s);
    return s;
}

static void put(tn_store *s, const char *key, const char *data, tn_err *err)
{
    TN_ASSERT_OK(tn_store_put(s, tn_str_of(key), tn_str_of(data), TN_PUT_OVERWRITE, err));
}

static tn_str get(tn_store *s, tn_arena *a, const char *key, tn_err *err)
{
    tn_str data = TN_STR("?");
    TN_ASSERT_OK(tn_store_get(s, a, tn_str_of(key), 1 << 20, &data, err));
    return data;
}

/* The keys of a listing with blanks between them; sizes of objects are checked on the way. */
static tn_str keys(tn_store *s, tn_arena *a, tn_store_list_opts opts, tn_err *err)
{
    tn_store_items items = { .v = NULL };
    TN_ASSERT_OK(tn_store_list(s, a, &opts, &items, err));
    tn_buf b = tn_buf_init(a, 1 << 20);
    for (size_t i = 0; i < items.n; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT, i > 0 ? " " : "", TN_STR_ARG(items.v[i].key));
        bool folder = items.v[i].key.p[items.v[i].key.n - 1] == '/';
        TN_ASSERT_EQ_I(items.v[i].is_prefix, folder);
        TN_ASSERT(folder || (items.v[i].size == 1 && items.v[i].mtime_us > 0));
    }
    return tn_buf_str(&b);
}

#define EACH_KIND(s)                                                                               \
    for (kind k = LOCAL; k < KINDS; k++)                                                           \
        for (tn_store *s = open_kind(arena, k, err); s != NULL; s = NULL)

TN_TEST(put_get_head_remove)
{
    EACH_KIND(s)
    {
        tn_str data;
        tn_store_item item = { .size = -1 };
        TN_ASSERT_RC(tn_store_get(s, arena, TN_STR("a/b"), 100, &data, err), TN_E_NOTFOUND);
        TN_ASSERT_RC(tn_store_head(s, arena, TN_STR("a/b"), &item, err), TN_E_NOTFOUND);
        TN_ASSERT_OK(tn_store_remove(s, TN_STR("a/b"), err));
        put(s, "a/b", "hello", err);
        TN_ASSERT_EQ_S(get(s, arena, "a/b", err), "hello");
        put(s, "a/b", "", err);
        TN_ASSERT_EQ_S(get(s, arena, "a/b", err), "");
        put(s, "a/b", "hello world", err);
        TN_ASSERT_OK(tn_store_head(s, arena, TN_STR("a/b"), &item, err));
        TN_ASSERT_EQ_I(item.size, 11);
        TN_ASSERT_EQ_S(item.key, "a/b");
        TN_ASSERT(item.etag.n > 0);
        TN_ASSERT_RC(tn_store_head(s, arena, TN_STR("a"), &item, err), TN_E_NOTFOUND);
        TN_ASSERT_RC(tn_store_get(s, arena, TN_STR("a/b"), 10, &data, err), TN_E_LIMIT);
        TN_ASSERT_OK(tn_store_get_range(s, arena, TN_STR("a/b"), 6, 3, &data, err));
        TN_ASSERT_EQ_S(data, "wor");
        TN_ASSERT_OK(tn_store_get_range(s, arena, TN_STR("a/b"), 6, 300, &data, err));
        TN_ASSERT_EQ_S(data, "world");
        TN_ASSERT_OK(tn_store_get_range(s, arena, TN_STR("a/b"), 50, 3, &data, err));
        TN_ASSERT_EQ_S(data, "");
        TN_ASSERT_RC(tn_store_get_range(s, arena, TN_STR("a/b"), -1, 3, &data, err), TN_E_VALUE);
        TN_ASSERT_OK(tn_store_remove(s, TN_STR("a/b"), err));
        TN_ASSERT_RC(tn_store_get(s, arena, TN_STR("a/b"), 100, &data, err), TN_E_NOTFOUND);
    }
}

/* More than two parts of file.c, so that their joints are met. */
TN_TEST(copies_from_any_kind_to_any)
{
    size_t n = ((size_t)33 << 20) + 5;
    char *p = tn_arena_alloc(arena, n);
    for (size_t i = 0; i < n; i++) {
        p[i] = (char)(((uint32_t)i * 2246822519u) >> 11);
    }
    tn_str big = tn_str_n(p, n), got;
    for (kind from = LOCAL; from < KINDS; from++) {
        for (kind to = LOCAL; to < KINDS; to++) {
            TN_AUTO_ARENA a = tn_arena_new("test copies", NULL);
            if ((from == MEM || from == SUB_OF_MEM) && (to == MEM || to == SUB_OF_MEM)) {
                continue; /* one tree, forgotten with each */
            }
            tn_store *x = open_kind(a, from, err), *y = open_kind(a, to, err);
            put(x, "a", "small", err);
            TN_ASSERT_OK(tn_store_copy(y, TN_STR("f/b"), x, TN_STR("a"), err));
            TN_ASSERT_EQ_S(get(y, a, "f/b", err), "small");
            put(x, "a", "", err);
            TN_ASSERT_OK(tn_store_copy(y, TN_STR("f/b"), x, TN_STR("a"), err));
            TN_ASSERT_EQ_S(get(y, a, "f/b", err), "");
            TN_ASSERT_RC(tn_store_copy(y, TN_STR("c"), x, TN_STR("none"), err), TN_E_NOTFOUND);
            TN_ASSERT_RC(tn_store_copy(y, TN_STR("../c"), x, TN_STR("a"), err), TN_E_VALUE);
            if (from == LOCAL || to == LOCAL) {
                TN_ASSERT_OK(tn_store_put(x, TN_STR("big"), big, TN_PUT_OVERWRITE, err));
                TN_ASSERT_OK(tn_store_copy(y, TN_STR("big2"), x, TN_STR("big"), err));
                TN_ASSERT_OK(tn_store_get(y, a, TN_STR("big2"), n + 1, &got, err));
                TN_ASSERT(tn_str_eq(got, big));
            }
        }
    }
}

TN_TEST(put_if_absent)
{
    EACH_KIND(s)
    {
        TN_ASSERT_OK(tn_store_put(s, TN_STR("log/1.json"), TN_STR("mine"), TN_PUT_IF_ABSENT, err));
        TN_ASSERT_RC(tn_store_put(s, TN_STR("log/1.json"), TN_STR("yours"), TN_PUT_IF_ABSENT, err),
            TN_E_EXISTS);
        TN_ASSERT_EQ_S(get(s, arena, "log/1.json", err), "mine");
        put(s, "log/1.json", "anyone's", err);
        TN_ASSERT_EQ_S(get(s, arena, "log/1.json", err), "anyone's");
    }
}

TN_TEST(listings)
{
    static const char *const all[] = { "_delta_log/00000000000000000000.json",
        "_delta_log/00000000000000000001.json",
        "_delta_log/00000000000000000010.checkpoint.parquet", "_delta_log/_last_checkpoint",
        "a.parquet", "a/b/c", "a/b/d", "a/e", "a-b", "ab", "p=1/x.parquet", "\xc3\xa4" };
    EACH_KIND(s)
    {
        for (size_t i = 0; i < TN_COUNTOF(all); i++) {
            put(s, all[i], "x", err);
        }
        TN_ASSERT_EQ_S(keys(s, arena, (tn_store_list_opts){ .prefix = TN_STR("") }, err),
            "_delta_log/ a-b a.parquet a/ ab p=1/ \xc3\xa4");
        TN_ASSERT_EQ_S(
            keys(s, arena, (tn_store_list_opts){ .flat = true, .prefix = TN_STR("a") }, err),
            "a-b a.parquet a/b/c a/b/d a/e ab");
        TN_ASSERT_EQ_S(keys(s, arena, (tn_store_list_opts){ .prefix = TN_STR("a") }, err),
            "a-b a.parquet a/ ab");
        TN_ASSERT_EQ_S(
            keys(s, arena, (tn_store_list_opts){ .prefix = TN_STR("a/") }, err), "a/b/ a/e");
        TN_ASSERT_EQ_S(
            keys(s, arena, (tn_store_list_opts){ .prefix = TN_STR("a/b") }, err), "a/b/");
        TN_ASSERT_EQ_S(keys(s, arena,
                           (tn_store_list_opts){ .prefix = TN_STR("_delta_log/0000"),
                               .flat = true,
                               .start_after = TN_STR("_delta_log/00000000000000000000.json") },
                           err),
            "_delta_log/00000000000000000001.json "
            "_delta_log/00000000000000000010.checkpoint.parquet");
        TN_ASSERT_EQ_S(keys(s, arena,
                           (tn_store_list_opts){
                               .flat = true, .start_after = TN_STR("a/b/c"), .items_max = 2 },
                           err),
            "a/b/d a/e");
        TN_ASSERT_EQ_S(keys(s, arena, (tn_store_list_opts){ .start_after = TN_STR("a/") }, err),
            "ab p=1/ \xc3\xa4");
        TN_ASSERT_EQ_S(
            keys(s, arena, (tn_store_list_opts){ .prefix = TN_STR("nothing/"), .flat = true }, err),
            "");
        TN_ASSERT_EQ_S(
            keys(s, arena, (tn_store_list_opts){ .prefix = TN_STR("a.parquet/") }, err), "");
    }
}

TN_TEST(keys_that_mean_other_places_are_refused)
{
    static const char *const bad[] = { "", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/." };
    EACH_KIND(s)
    {
        for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
            tn_str data;
            TN_ASSERT_RC(
                tn_store_put(s, tn_str_of(bad[i]), TN_STR("x"), TN_PUT_OVERWRITE, err), TN_E_VALUE);
            TN_ASSERT_RC(tn_store_get(s, arena, tn_str_of(bad[i]), 10, &data, err), TN_E_VALUE);
            TN_ASSERT_RC(tn_store_remove(s, tn_str_of(bad[i]), err), TN_E_VALUE);
        }
        TN_ASSERT_RC(
            tn_store_put(s, TN_STR("a\0b"), TN_STR("x"), TN_PUT_OVERWRITE, err), TN_E_VALUE);
        tn_store_items items;
        TN_ASSERT_RC(
            tn_store_list(s, arena, &(tn_store_list_opts){ .prefix = TN_STR("../x") }, &items, err),
            TN_E_VALUE);
        put(s, "..a/.b./c..", "x", err); /* dots inside of names are fine */
    }
}

TN_TEST(local_places)
{
    char *dir = tn_test_dir(arena);
    tn_store *s = open_url(arena, tn_arena_printf(arena, "file://%s/my%%20lake/", dir), err);
    TN_ASSERT_EQ_S(s->root, tn_arena_printf(arena, "%s/my lake", dir));
    TN_ASSERT_EQ_S(tn_store_locate(s, arena, TN_STR("t/x.parquet")),
        tn_arena_printf(arena, "%s/my lake/t/x.parquet", dir));
    TN_ASSERT_EQ_S(tn_store_locate(s, arena, TN_STR("")), s->root);
    TN_ASSERT(!tn_file_exists(s->root));
    TN_ASSERT_OK(tn_store_prepare(s, TN_STR("t/p=1/x.parquet"), err));
    TN_ASSERT(tn_file_is_dir(tn_str_printf(arena, "%s/my lake/t/p=1", dir)));
    tn_store *sub = NULL;
    TN_ASSERT_OK(tn_store_sub(s, TN_STR("t"), &sub, err));
    tn_arena_defer(arena, unref, sub);
    TN_ASSERT_EQ_S(sub->root, tn_arena_printf(arena, "%s/my lake/t", dir));
    put(sub, "k", "v", err);
    TN_ASSERT_EQ_S(get(s, arena, "t/k", err), "v");
    TN_AUTOPTR(tn_store) made = NULL;
    TN_ASSERT_OK(tn_store_open(
        tn_str_printf(arena, "%s/new/root", dir), &(tn_store_opts){ .create = true }, &made, err));
    TN_ASSERT(tn_file_is_dir(made->root));
    tn_store *file = NULL;
    TN_ASSERT_RC(
        tn_store_open(tn_str_printf(arena, "%s/my lake/t/k", dir), NULL, &file, err), TN_E_VALUE);
}

TN_TEST(unfinished_writes_and_dead_links_are_not_listed)
{
    char *dir = tn_test_dir(arena);
    tn_store *s = open_url(arena, dir, err);
    TN_ASSERT_OK(tn_file_write(tn_str_printf(arena, "%s/.tmp-12-00ab", dir), TN_STR("half"), err));
    TN_ASSERT_OK(tn_file_write(tn_str_printf(arena, "%s/.hidden", dir), TN_STR("x"), err));
    TN_ASSERT_OK(tn_dir_make(tn_str_printf(arena, "%s/real", dir), err));
    put(s, "real/x", "x", err);
    TN_ASSERT(symlink("nowhere", tn_arena_printf(arena, "%s/dead", dir)) == 0);
    TN_ASSERT(symlink("real", tn_arena_printf(arena, "%s/link", dir)) == 0);
    TN_ASSERT(symlink("real/x", tn_arena_printf(arena, "%s/linked_file", dir)) == 0);
    TN_ASSERT_EQ_S(keys(s, arena, (tn_store_list_opts){ .flat = true }, err),
        ".hidden link/x linked_file real/x");
    TN_ASSERT(symlink("..", tn_arena_printf(arena, "%s/real/loop", dir)) == 0);
    tn_store_items items;
    TN_ASSERT_RC(
        tn_store_list(s, arena, &(tn_store_list_opts){ .flat = true }, &items, err), TN_E_LIMIT);
}

TN_TEST(mem_trees_are_shared_by_name)
{
    tn_store *a = open_url(arena, "mem://shared", err), *b = open_url(arena, "mem://shared/x", err);
    put(b, "k", "v", err);
    TN_ASSERT_EQ_S(get(a, arena, "x/k", err), "v");
    TN_ASSERT_EQ_S(tn_store_locate(b, arena, TN_STR("k")), "mem://shared/x/k");
    TN_ASSERT_RC(tn_store_prepare(b, TN_STR("k"), err), TN_E_UNSUPPORTED);
    tn_store *c = open_url(arena, "mem://other", err);
    tn_str data;
    TN_ASSERT_RC(tn_store_get(c, arena, TN_STR("x/k"), 10, &data, err), TN_E_NOTFOUND);
    tn_store_mem_forget(TN_STR("shared"));
    TN_ASSERT_RC(tn_store_get(a, arena, TN_STR("x/k"), 10, &data, err), TN_E_NOTFOUND);
}

static tn_rc open_special(tn_str url, const tn_store_opts *opts, tn_store **ret, tn_err *err)
{
    (void)opts;
    TN_CHECK(tn_str_is(url, "special://x/y"));
    return tn_store_open_mem(TN_STR("special"), ret, err);
}

TN_TEST(schemes)
{
    tn_store *s = NULL;
    TN_ASSERT_RC(tn_store_open(TN_STR("special://x/y"), NULL, &s, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "special://");
    TN_ASSERT_RC(tn_store_open(TN_STR(""), NULL, &s, err), TN_E_VALUE);
    TN_ASSERT(s == NULL);
    tn_store_register("special", open_special);
    TN_ASSERT_EQ_S(open_url(arena, "special://x/y", err)->root, "mem://special");
}

TN_TEST(faults_come_when_they_are_due)
{
    tn_store *inner = open_kind(arena, MEM, err), *s = NULL;
    TN_ASSERT_OK(tn_store_faulty(inner, &s, err));
    tn_arena_defer(arena, unref, s);
    tn_store_faulty_set(s, (tn_store_fault){ .k = 2, .rc = TN_E_IO, .op = "put" });
    put(s, "a", "1", err);
    TN_ASSERT_EQ_S(get(s, arena, "a", err), "1");
    TN_ASSERT_RC(tn_store_put(s, TN_STR("b"), TN_STR("2"), TN_PUT_IF_ABSENT, err), TN_E_IO);
    TN_ASSERT_HAS(err->msg, "scripted fault before put of 'b'");
    tn_str data;
    TN_ASSERT_RC(tn_store_get(s, arena, TN_STR("b"), 10, &data, err), TN_E_NOTFOUND);
    TN_ASSERT_OK(tn_store_put(s, TN_STR("b"), TN_STR("2"), TN_PUT_IF_ABSENT, err)); /* once only */
    tn_store_faulty_set(s, (tn_store_fault){ .k = 1, .rc = TN_E_AMBIGUOUS, .after = true });
    TN_ASSERT_RC(tn_store_put(s, TN_STR("c"), TN_STR("3"), TN_PUT_IF_ABSENT, err), TN_E_AMBIGUOUS);
    TN_ASSERT_EQ_S(get(s, arena, "c", err), "3"); /* the answer was lost, the object is there */
    tn_store_faulty_set(s, (tn_store_fault){ .k = 1, .rc = TN_E_AMBIGUOUS, .after = true });
    TN_ASSERT_RC(tn_store_put(s, TN_STR("c"), TN_STR("4"), TN_PUT_IF_ABSENT, err), TN_E_EXISTS);
    TN_ASSERT_EQ_I(tn_store_faulty_calls(s), 8);
}

/* ---- races ---- */

enum { RACERS = 8, ROUNDS = 40 };

typedef struct racer {
    tn_store *store;
    int id;
    int won;
    bool failed;
} racer;

static void race(void *p)
{
    racer *r = p;
    TN_AUTO_ARENA a = tn_arena_new("racer", NULL);
    for (int round = 0; round < ROUNDS; round++) {
        tn_str key = tn_str_printf(a, "_delta_log/%020d.json", round);
        tn_rc rc = tn_store_put(
            r->store, key, tn_str_printf(a, "{\"writer\": %d}", r->id), TN_PUT_IF_ABSENT, NULL);
        r->won += rc == TN_OK;
        r->failed = r->failed || (rc != TN_OK && rc != TN_E_EXISTS);
        tn_str seen;
        /* Whoever won: from now on the object is there, whole. */
        r->failed = r->failed || tn_store_get(r->store, a, key, 100, &seen, NULL) != TN_OK ||
                    seen.p[seen.n - 1] != '}';
    }
}

TN_TEST(exactly_one_of_many_writers_wins)
{
    static const kind kinds[] = { LOCAL, MEM };
    for (size_t i = 0; i < TN_COUNTOF(kinds); i++) {
        tn_store *s = open_kind(arena, kinds[i], err);
        racer racers[RACERS];
        tn_thread *threads[RACERS];
        int won = 0;
        for (int k = 0; k < RACERS; k++) {
            racers[k] = (racer){ .store = tn_store_ref(s), .id = k };
            TN_ASSERT_OK(tn_thread_start(race, &racers[k], "racer", &threads[k], err));
        }
        for (int k = 0; k < RACERS; k++) {
            tn_thread_join(threads[k]);
            tn_store_unref(racers[k].store);
            won += racers[k].won;
            TN_ASSERT(!racers[k].failed);
        }
        TN_ASSERT_EQ_I(won, ROUNDS);
        tn_store_items items;
        TN_ASSERT_OK(tn_store_list(s, arena, &(tn_store_list_opts){ .flat = true }, &items, err));
        TN_ASSERT_EQ_I(items.n, ROUNDS);
    }
}
