// layers: base text
#include "tn_test.h"

#include "text/glob.h"
#include "text/uri.h"

static tn_str norm(tn_arena *arena, const char *path)
{
    return tn_path_norm(arena, tn_str_of(path));
}

TN_TEST(uri_schemes)
{
    tn_uri u;
    TN_ASSERT_OK(tn_uri_parse(arena, TN_STR("/a/b c%20.parquet"), &u, err));
    TN_ASSERT_EQ_S(u.scheme, "");
    TN_ASSERT_EQ_S(u.path, "/a/b c%20.parquet");
    TN_ASSERT_OK(tn_uri_parse(arena, TN_STR("S3://bucket/p/k%20y"), &u, err));
    TN_ASSERT_EQ_S(u.scheme, "s3");
    TN_ASSERT_EQ_S(u.host, "bucket");
    TN_ASSERT_EQ_S(u.path, "p/k%20y");
    TN_ASSERT_OK(tn_uri_parse(arena, TN_STR("file:///tmp/a%20b"), &u, err));
    TN_ASSERT_EQ_S(u.path, "/tmp/a b");
    TN_ASSERT_OK(tn_uri_parse(arena, TN_STR("file:/tmp/x"), &u, err));
    TN_ASSERT_EQ_S(u.path, "/tmp/x");
    TN_ASSERT_OK(tn_uri_parse(arena, TN_STR("https://h:90/p/q?a=b"), &u, err));
    TN_ASSERT_EQ_S(u.host, "h:90");
    TN_ASSERT_EQ_S(u.path, "p/q");
    TN_ASSERT_EQ_S(u.query, "a=b");
    TN_ASSERT_RC(tn_uri_parse(arena, TN_STR("file://otherhost/x"), &u, err), TN_E_VALUE);
    TN_ASSERT(tn_uri_is_remote(TN_STR("s3://b/k")));
    TN_ASSERT(!tn_uri_is_remote(TN_STR("file:///x")));
    TN_ASSERT(!tn_uri_is_remote(TN_STR("C:/x")));
}

TN_TEST(uri_paths)
{
    TN_ASSERT_EQ_S(tn_uri_join(arena, TN_STR("s3://b/p/"), TN_STR("k")), "s3://b/p/k");
    TN_ASSERT_EQ_S(tn_uri_join(arena, TN_STR("a"), TN_STR("b")), "a/b");
    TN_ASSERT_EQ_S(tn_uri_join(arena, TN_STR("a"), TN_STR("/b")), "/b");
    TN_ASSERT_EQ_S(tn_uri_join(arena, TN_STR("a"), TN_STR("s3://b/k")), "s3://b/k");
    TN_ASSERT_EQ_S(tn_path_base(TN_STR("a/b.c")), "b.c");
    TN_ASSERT_EQ_S(tn_path_dir(TN_STR("a/b.c")), "a");
    TN_ASSERT_EQ_S(tn_path_dir(TN_STR("/b")), "/");
    TN_ASSERT_EQ_S(tn_path_ext(TN_STR("a.b/c.tar.gz")), "gz");
    TN_ASSERT_EQ_S(tn_path_ext(TN_STR("a.b/.c")), "");
    TN_ASSERT_EQ_S(tn_path_stem(TN_STR("a.b/c.sql")), "a.b/c");
    TN_ASSERT_EQ_S(norm(arena, "/a/./b//../c"), "/a/c");
    TN_ASSERT_EQ_S(norm(arena, "../../a/../b"), "../../b");
    TN_ASSERT_EQ_S(norm(arena, "/../a"), "/a");
    TN_ASSERT_EQ_S(norm(arena, "a/.."), ".");
}

TN_TEST(uri_percent)
{
    tn_buf b = tn_buf_init(arena, 1000);
    tn_percent_encode(&b, TN_STR("p=a b/\xc3\xa9%"), "/=", true);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "p=a%20b/\xc3\xa9%25");
    tn_buf_reset(&b);
    tn_percent_encode(&b, TN_STR("a/\xc3\xa9"), "", false);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "a%2F%C3%A9");
    tn_str s;
    TN_ASSERT_OK(tn_percent_decode(arena, TN_STR("a%2fb%zz%4"), &s, err));
    TN_ASSERT_EQ_S(s, "a/b%zz%4");
    tn_buf_reset(&b);
    tn_hive_escape(&b, TN_STR("a b/c%d=\xc3\xa9:?#"));
    TN_ASSERT_EQ_S(tn_buf_str(&b), "a b%2Fc%25d%3D\xc3\xa9%3A%3F%23");
}

TN_TEST(glob_fnmatch)
{
    TN_ASSERT(tn_fnmatch(TN_STR("a*b?c"), TN_STR("a/x/bYc")));
    TN_ASSERT(tn_fnmatch(TN_STR("[a-c]x[!0-9]"), TN_STR("bxz")));
    TN_ASSERT(!tn_fnmatch(TN_STR("[a-c]x[!0-9]"), TN_STR("bx7")));
    TN_ASSERT(tn_fnmatch(TN_STR("*"), TN_STR("")));
    TN_ASSERT(!tn_fnmatch(TN_STR("a"), TN_STR("ab")));
    TN_ASSERT(tn_fnmatch(TN_STR("[]a]"), TN_STR("]")));
    TN_ASSERT(tn_fnmatch(TN_STR("[x"), TN_STR("[x")));
    TN_ASSERT(tn_fnmatch(TN_STR("?"), TN_STR("\xc3\xa9")));
}

TN_TEST(glob_paths)
{
    TN_ASSERT(tn_pathmatch(TN_STR("m/*.sql"), TN_STR("m/a.sql")));
    TN_ASSERT(!tn_pathmatch(TN_STR("m/*.sql"), TN_STR("m/x/a.sql")));
    TN_ASSERT(tn_pathmatch(TN_STR("m/**/*.sql"), TN_STR("m/x/y/a.sql")));
    TN_ASSERT(tn_pathmatch(TN_STR("m/**/*.sql"), TN_STR("m/a.sql")));
    TN_ASSERT(tn_pathmatch(TN_STR("**/a*c"), TN_STR("x/y/abbc")));
    TN_ASSERT(!tn_pathmatch(TN_STR("a?c"), TN_STR("a/c")));
    TN_ASSERT(tn_glob_has_magic(TN_STR("a*")));
    TN_ASSERT(!tn_glob_has_magic(TN_STR("a")));
}
