// layers: store os text base
/* Faults of the file system and of stores, one at a time: the k-th call fails, for k = 1, 2, ... until all calls pass. An object
 * is then old or new and always whole; what was acknowledged stays; what was refused was not written. Run by test_store.sh. */
#include "tn_test.h"

#include "os/file.h"
#include "store/store.h"

static void unref(void *s)
{
    tn_store_unref(s);
}

static tn_store *open_dir(tn_arena *a, tn_err *err)
{
    tn_store *s = NULL;
    TN_ASSERT_OK(tn_store_open(tn_str_of(tn_test_dir(a)), NULL, &s, err));
    tn_arena_defer(a, unref, s);
    return s;
}

enum { K_MAX = 200 };

/* Runs the body with the k-th file call failing; `faulted` tells whether there were that many calls. */
#define EACH_FILE_CALL(k, faulted)                                                                 \
    bool faulted = true;                                                                           \
    for (int k = 1; faulted && k < K_MAX; k++)

static bool fault_fired(int k) /* the count starts anew with tn_file_fault_at */
{
    bool fired = tn_file_fault_calls() >= k;
    tn_file_fault_at(0);
    return fired;
}

static tn_str content(tn_store *s, tn_arena *a, const char *key)
{
    tn_str data = TN_STR("<absent>");
    tn_rc rc = tn_store_get(s, a, tn_str_of(key), 1 << 20, &data, NULL);
    TN_ASSERT(rc == TN_OK || rc == TN_E_NOTFOUND);
    return data;
}

static void check_nothing_else(tn_store *s, tn_arena *a, size_t most, tn_err *err)
{
    tn_store_items items;
    TN_ASSERT_OK(tn_store_list(s, a, &(tn_store_list_opts){ .flat = true }, &items, err));
    TN_ASSERT(items.n <= most);
}

TN_TEST(overwrite_is_old_or_new)
{
    EACH_FILE_CALL(k, faulted)
    {
        TN_AUTO_ARENA a = tn_arena_new("case", arena);
        tn_store *s = open_dir(a, err);
        TN_ASSERT_OK(tn_store_put(s, TN_STR("d/x"), TN_STR("old"), TN_PUT_OVERWRITE, err));
        tn_file_fault_at(k);
        tn_rc rc = tn_store_put(s, TN_STR("d/x"), TN_STR("new!"), TN_PUT_OVERWRITE, err);
        faulted = fault_fired(k);
        tn_str now = content(s, a, "d/x");
        TN_ASSERT(tn_str_is(now, "new!") || (rc != TN_OK && tn_str_is(now, "old")));
        check_nothing_else(s, a, 1, err);
        TN_ASSERT(faulted || rc == TN_OK);
    }
}

TN_TEST(put_if_absent_is_there_or_not)
{
    int ambiguous = 0, refused = 0;
    EACH_FILE_CALL(k, faulted)
    {
        TN_AUTO_ARENA a = tn_arena_new("case", arena);
        tn_store *s = open_dir(a, err);
        tn_file_fault_at(k);
        tn_rc rc =
            tn_store_put(s, TN_STR("_delta_log/0.json"), TN_STR("mine"), TN_PUT_IF_ABSENT, err);
        faulted = fault_fired(k);
        tn_str now = content(s, a, "_delta_log/0.json");
        ambiguous += rc == TN_E_AMBIGUOUS;
        refused += rc != TN_OK && rc != TN_E_AMBIGUOUS;
        TN_ASSERT(rc != TN_OK || tn_str_is(now, "mine"));
        TN_ASSERT(rc == TN_OK || rc == TN_E_AMBIGUOUS || tn_str_is(now, "<absent>"));
        check_nothing_else(s, a, 1, err);
        TN_ASSERT(faulted || rc == TN_OK);
    }
    TN_ASSERT(ambiguous > 0 && refused > 0);
}

TN_TEST(reads_are_right_or_fail)
{
    EACH_FILE_CALL(k, faulted)
    {
        TN_AUTO_ARENA a = tn_arena_new("case", arena);
        tn_store *s = open_dir(a, err);
        TN_ASSERT_OK(tn_store_put(s, TN_STR("d/x"), TN_STR("x"), TN_PUT_OVERWRITE, err));
        TN_ASSERT_OK(tn_store_put(s, TN_STR("d/e/y"), TN_STR("y"), TN_PUT_OVERWRITE, err));
        tn_file_fault_at(k);
        tn_store_items items = { .v = NULL };
        tn_store_item item;
        tn_str data;
        tn_rc list = tn_store_list(s, a, &(tn_store_list_opts){ .flat = true }, &items, err);
        tn_rc get = tn_store_get(s, a, TN_STR("d/x"), 10, &data, err);
        tn_rc head = tn_store_head(s, a, TN_STR("d/e/y"), &item, err);
        tn_rc removed = tn_store_remove(s, TN_STR("d/x"), err);
        faulted = fault_fired(k);
        TN_ASSERT(list != TN_OK || items.n == 2);
        TN_ASSERT(get == TN_OK ? tn_str_is(data, "x") : get == TN_E_IO);
        TN_ASSERT(head == TN_OK ? item.size == 1 : head == TN_E_IO);
        TN_ASSERT(removed != TN_OK || tn_str_is(content(s, a, "d/x"), "<absent>"));
        TN_ASSERT(faulted || (list == TN_OK && get == TN_OK && head == TN_OK && removed == TN_OK));
    }
}

/* A log writer as it should be: put-if-absent, and after a lost answer a look at who won. */
static tn_rc commit_one(
    tn_store *s, tn_arena *a, int version, int writer, bool *ret_mine, tn_err *err)
{
    tn_str key = tn_str_printf(a, "_delta_log/%020d.json", version);
    tn_str mine = tn_str_printf(a, "writer %d of %d", writer, version), there;
    tn_rc rc = tn_store_put(s, key, mine, TN_PUT_IF_ABSENT, err);
    if (rc == TN_E_AMBIGUOUS) {
        rc = tn_store_get(s, a, key, 100, &there, err);
        if (rc == TN_E_NOTFOUND) {
            *ret_mine = false;
            return TN_OK;
        }
        TN_TRY(rc);
        *ret_mine = tn_str_eq(there, mine);
        return TN_OK;
    }
    *ret_mine = rc == TN_OK;
    return rc == TN_E_EXISTS ? TN_OK : rc;
}

static void commits_with_fault(tn_arena *a, int k, bool after, bool *ret_fired, tn_err *err)
{
    enum { COMMITS = 4 };
    tn_store *s = NULL, *inner = open_dir(a, err);
    TN_ASSERT_OK(tn_store_faulty(inner, &s, err));
    tn_arena_defer(a, unref, s);
    tn_store_faulty_set(
        s, (tn_store_fault){ .k = k, .rc = after ? TN_E_AMBIGUOUS : TN_E_NET, .after = after });
    int acknowledged = 0, tries = 0, version = 0;
    for (; acknowledged < COMMITS && tries < 4 * COMMITS; tries++) {
        bool mine = false;
        tn_rc rc = commit_one(s, a, version, tries, &mine, err);
        TN_ASSERT(rc == TN_OK || rc == TN_E_NET || rc == TN_E_AMBIGUOUS);
        if (mine) {
            tn_str want = tn_str_printf(a, "writer %d of %d", tries, version);
            TN_ASSERT_EQ_S(
                content(inner, a, tn_arena_printf(a, "_delta_log/%020d.json", version)), want);
            acknowledged++;
        }
        tn_store_item item;
        bool taken = tn_store_head(inner, a, tn_str_printf(a, "_delta_log/%020d.json", version),
                         &item, NULL) == TN_OK;
        version += mine || taken;
    }
    TN_ASSERT_EQ_I(acknowledged, COMMITS);
    *ret_fired = tn_store_faulty_calls(s) >= k;
}

TN_TEST(no_acknowledged_commit_is_lost)
{
    for (int after = 0; after < 2; after++) {
        bool fired = true;
        for (int k = 1; fired && k < K_MAX; k++) {
            TN_AUTO_ARENA a = tn_arena_new("case", arena);
            commits_with_fault(a, k, after != 0, &fired, err);
        }
        TN_ASSERT(!fired);
    }
}
