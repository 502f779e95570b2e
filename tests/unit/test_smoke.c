// layers: base
/* Proves the harness itself: each test has its own arena and err, and the comparisons compare. */
#include "tn_test.h"

#include "base/buf.h"

TN_TEST(arena_is_fresh)
{
    TN_ASSERT_EQ_I(tn_arena_used(arena), 0);
    memset(tn_arena_alloc(arena, 100), 1, 100);
    TN_ASSERT(tn_arena_used(arena) >= 100);
}

TN_TEST(arena_is_fresh_again)
{
    TN_ASSERT_EQ_I(tn_arena_used(arena), 0);
}

TN_TEST(err_starts_empty_and_keeps_the_message)
{
    TN_ASSERT_EQ_I(err->rc, TN_OK);
    TN_ASSERT_RC(tn_fail(err, TN_E_NOTFOUND, "no table '%s'", "prices"), TN_E_NOTFOUND);
    TN_ASSERT_EQ_S(err->msg, "no table 'prices'");
}

TN_TEST(strings_of_all_kinds_compare)
{
    char z[] = "abc";
    TN_ASSERT_EQ_S(z, "abc");
    TN_ASSERT_EQ_S(TN_STR("abc"), z);
    TN_ASSERT_HAS(TN_STR("a long text"), "long");
    TN_ASSERT_EQ_F(0.1 + 0.2, 0.3, 1e-12);
}

TN_TEST(folder_is_made)
{
    char *dir = tn_test_dir(arena);
    TN_ASSERT_EQ_I(access(dir, W_OK), 0);
}
