// layers: base os text http store
/* The published vectors of signature version 4 and of its S3 examples, and what they do not cover: blanks, order, encoding. */
#include "store/sigv4.h"
#include "text/hash.h"
#include "tn_test.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void add(tn_arena *a, tn_sigv4_pairs *to, const char *name, const char *value)
{
    tn_sigv4_pair p = { .name = tn_str_of(name), .value = tn_str_of(value) };
    tn_vec_push(to, a, p);
}

static tn_str signature_of(tn_str authorization)
{
    size_t at = tn_str_find(authorization, TN_STR("Signature="), 0);
    return at == SIZE_MAX ? TN_STR_NONE : tn_str_sub(authorization, at + 10, authorization.n);
}

/* ---- the general suite ---- */

static const tn_sigv4_key suite = { .key_id = { "AKIDEXAMPLE", 11 },
    .secret = { "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40 },
    .region = { "us-east-1", 9 },
    .service = { "service", 7 } };

static tn_sigv4_request suite_request(tn_arena *a, const char *method)
{
    tn_sigv4_request r = {
        .method = method, .path = TN_STR("/"), .payload_hash = TN_STR(EMPTY_HASH)
    };
    add(a, &r.headers, "Host", "example.amazonaws.com");
    add(a, &r.headers, "X-Amz-Date", "20150830T123600Z");
    return r;
}

static tn_str sign_suite(tn_arena *a, const tn_sigv4_request *r)
{
    return tn_sigv4_authorization(a, &suite, TN_STR("20150830T123600Z"), r);
}

TN_TEST(get_vanilla)
{
    tn_arena *a = arena;
    tn_sigv4_request r = suite_request(a, "GET");
    TN_ASSERT_EQ_S(sign_suite(a, &r),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TN_TEST(query_in_order_of_keys)
{
    tn_arena *a = arena;
    tn_sigv4_request r = suite_request(a, "GET");
    add(a, &r.query, "Param2", "value2");
    add(a, &r.query, "Param1", "value1");
    TN_ASSERT_EQ_S(signature_of(sign_suite(a, &r)),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TN_TEST(post_vanilla)
{
    tn_arena *a = arena;
    tn_sigv4_request r = suite_request(a, "POST");
    TN_ASSERT_EQ_S(signature_of(sign_suite(a, &r)),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

/* ---- the examples of S3 ---- */

static const tn_sigv4_key s3_key = { .key_id = { "AKIAIOSFODNN7EXAMPLE", 20 },
    .secret = { "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 40 },
    .region = { "us-east-1", 9 },
    .service = { "s3", 2 } };

static tn_sigv4_request s3_request(
    tn_arena *a, const char *method, const char *path, const char *hash)
{
    tn_sigv4_request r = {
        .method = method, .path = tn_str_of(path), .payload_hash = tn_str_of(hash)
    };
    add(a, &r.headers, "host", "examplebucket.s3.amazonaws.com");
    add(a, &r.headers, "x-amz-content-sha256", hash);
    add(a, &r.headers, "x-amz-date", "20130524T000000Z");
    return r;
}

static tn_str sign_s3(tn_arena *a, const tn_sigv4_request *r)
{
    return signature_of(tn_sigv4_authorization(a, &s3_key, TN_STR("20130524T000000Z"), r));
}

TN_TEST(s3_ranged_get)
{
    tn_arena *a = arena;
    tn_sigv4_request r = s3_request(a, "GET", "/test.txt", EMPTY_HASH);
    add(a, &r.headers, "range", "bytes=0-9");
    TN_ASSERT_EQ_S(
        sign_s3(a, &r), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TN_TEST(s3_put)
{
    tn_arena *a = arena;
    tn_str hash = tn_sha256_hex(a, TN_STR("Welcome to Amazon S3."));
    tn_str path = tn_sigv4_path(a, TN_STR("/test$file.text"));
    TN_ASSERT_EQ_S(path, "/test%24file.text");
    tn_sigv4_request r = s3_request(a, "PUT", tn_str_z(a, path), tn_str_z(a, hash));
    add(a, &r.headers, "date", "Fri, 24 May 2013 00:00:00 GMT");
    add(a, &r.headers, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    TN_ASSERT_EQ_S(
        sign_s3(a, &r), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TN_TEST(s3_key_without_value)
{
    tn_arena *a = arena;
    tn_sigv4_request r = s3_request(a, "GET", "/", EMPTY_HASH);
    add(a, &r.query, "lifecycle", "");
    TN_ASSERT_EQ_S(
        sign_s3(a, &r), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TN_TEST(s3_list)
{
    tn_arena *a = arena;
    tn_sigv4_request r = s3_request(a, "GET", "/", EMPTY_HASH);
    add(a, &r.query, "prefix", "J");
    add(a, &r.query, "max-keys", "2");
    TN_ASSERT_EQ_S(
        sign_s3(a, &r), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* ---- beyond the vectors ---- */

TN_TEST(values_are_folded)
{
    tn_arena *a = arena;
    tn_sigv4_request r = { .method = "GET", .path = TN_STR("/"), .payload_hash = TN_STR("x") };
    add(a, &r.headers, "My-Header1", "  a   b   c ");
    tn_str names;
    TN_ASSERT_EQ_S(
        tn_sigv4_canonical(a, &r, &names), "GET\n/\n\nmy-header1:a b c\n\nmy-header1\nx");
    TN_ASSERT_EQ_S(names, "my-header1");
}

TN_TEST(query_is_encoded_before_it_is_sorted)
{
    tn_arena *a = arena;
    tn_sigv4_pairs q = { 0 };
    add(a, &q, "prefix", "d=1/b c+\xc3\xa9");
    add(a, &q, "list-type", "2");
    add(a, &q, "uploads", "");
    TN_ASSERT_EQ_S(tn_sigv4_query(a, &q), "list-type=2&prefix=d%3D1%2Fb%20c%2B%C3%A9&uploads=");
}

TN_TEST(date_text)
{
    tn_arena *a = arena;
    TN_ASSERT_EQ_S(tn_sigv4_date(a, 1440938160123456), "20150830T123600Z");
}
