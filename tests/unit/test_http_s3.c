// layers: base os text http store
/* The store on buckets against scripted answers: what a lost answer means, pages, corrections, hostile lists, names of options. */
#include "http_script.h"
#include "tn_test.h"

#include "os/proc.h"
#include "store/store_s3.h"
#include "store/store_s3_xml.h"

#define EMPTY(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"

static script_server server;
static bool trusting = true; /* the store is not asked first whether it honours If-None-Match */

static tn_val options_for(tn_arena *a)
{
    tn_val o = tn_val_dict(a);
    tn_dict_putz(o.dict, "AWS_ENDPOINT_URL",
        tn_val_str(tn_str_printf(a, "http://127.0.0.1:%d", server.port)));
    tn_dict_putz(o.dict, "AWS_ALLOW_HTTP", tn_val_z("true"));
    tn_dict_putz(o.dict, "key_id", tn_val_z("AKID"));
    tn_dict_putz(o.dict, "secret", tn_val_z("hush-hush"));
    tn_dict_putz(o.dict, "max_retries", tn_val_int(3));
    if (trusting) {
        tn_dict_putz(o.dict, "conditional_put", tn_val_z("etag"));
    }
    return o;
}

static tn_store *open_store(tn_arena *a, const char *const *answers)
{
    script_start(&server, answers);
    tn_store_opts so = { .options = options_for(a) };
    tn_store *s = NULL;
    TN_ASSERT_RC(tn_store_open_s3(TN_STR("s3://bucket/some/prefix/"), &so, &s, NULL), TN_OK);
    return s;
}

static void done(tn_store *s)
{
    tn_store_unref(s);
    script_stop(&server);
}

static tn_rc put_absent(tn_arena *a, const char *const *answers, int *ret_requests, tn_err *err)
{
    tn_store *s = open_store(a, answers);
    tn_rc rc = tn_store_put(s, TN_STR("k"), TN_STR("data"), TN_PUT_IF_ABSENT, err);
    TN_ASSERT_HAS(server.requests[0], "PUT /bucket/some/prefix/k HTTP/1.1");
    TN_ASSERT_HAS(server.requests[0], "if-none-match: *");
    TN_ASSERT_HAS(server.requests[0], "Credential=AKID/");
    *ret_requests = server.seen;
    done(s);
    return rc;
}

TN_TEST(put_if_absent)
{
    int n;
    static const char *const won[] = { EMPTY("200 OK"), NULL };
    TN_ASSERT_RC(put_absent(arena, won, &n, err), TN_OK);
    static const char *const lost[] = { EMPTY("412 Precondition Failed"), NULL };
    TN_ASSERT_RC(put_absent(arena, lost, &n, err), TN_E_EXISTS);
    TN_ASSERT_EQ_I(n, 1);
    static const char *const busy[] = { EMPTY("409 Conflict"), EMPTY("200 OK"), NULL };
    TN_ASSERT_RC(put_absent(arena, busy, &n, err), TN_OK);
    TN_ASSERT_EQ_I(n, 2);
    static const char *const slow[] = { EMPTY("503 Slow Down"), EMPTY("412 Precondition Failed"),
        NULL };
    TN_ASSERT_RC(put_absent(arena, slow, &n, err), TN_E_EXISTS); /* the first was not carried out */
}

TN_TEST(a_put_whose_answer_was_lost_is_ambiguous)
{
    int n;
    static const char *const reset[] = { SCRIPT_RESET, EMPTY("412 Precondition Failed"), NULL };
    TN_ASSERT_RC(put_absent(arena, reset, &n, err), TN_E_AMBIGUOUS);
    static const char *const internal[] = { EMPTY("500 Oops"), EMPTY("412 Precondition Failed"),
        NULL };
    TN_ASSERT_RC(put_absent(arena, internal, &n, err), TN_E_AMBIGUOUS);
    static const char *const dead[] = { SCRIPT_RESET, NULL };
    TN_ASSERT_RC(put_absent(arena, dead, &n, err), TN_E_AMBIGUOUS);
    static const char *const again[] = { SCRIPT_RESET, EMPTY("200 OK"), NULL };
    TN_ASSERT_RC(put_absent(arena, again, &n, err), TN_OK);
}

TN_TEST(a_store_that_ignores_conditions_is_refused)
{
    TN_ASSERT_RC(tn_env_set("XDG_CACHE_HOME", tn_str_of(tn_test_dir(arena)), err), TN_OK);
    static const char *const ignores[] = { EMPTY("200 OK"), EMPTY("200 OK"),
        EMPTY("204 No Content"), NULL };
    trusting = false;
    tn_store *s = open_store(arena, ignores);
    TN_ASSERT_RC(
        tn_store_put(s, TN_STR("k"), TN_STR("data"), TN_PUT_IF_ABSENT, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "ignores If-None-Match");
    TN_ASSERT_EQ_I(server.seen, 3);
    TN_ASSERT_HAS(server.requests[2], "DELETE /bucket/some/prefix/_tarn_probe-");
    done(s);
    static const char *const honours[] = { EMPTY("200 OK"), EMPTY("412 Precondition Failed"),
        EMPTY("204 No Content"), EMPTY("200 OK"), NULL };
    s = open_store(arena, honours);
    TN_ASSERT_RC(tn_store_put(s, TN_STR("k"), TN_STR("data"), TN_PUT_IF_ABSENT, err), TN_OK);
    TN_ASSERT_RC(tn_store_put(s, TN_STR("l"), TN_STR("data"), TN_PUT_IF_ABSENT, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 5); /* asked once */
    done(s);
    trusting = true;
}

TN_TEST(a_store_without_conditional_puts_is_named)
{
    int n;
    static const char *const no[] = { EMPTY("501 Not Implemented"), NULL };
    TN_ASSERT_RC(put_absent(arena, no, &n, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->hint, "If-None-Match");
}

static const char *list_answer(tn_arena *a, const char *xml)
{
    return tn_arena_printf(a, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(xml), xml);
}

TN_TEST(pages_are_joined_and_sorted)
{
    const char *answers[] = {
        list_answer(arena,
            "<?xml version=\"1.0\"?><ListBucketResult "
            "xmlns=\"x\"><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b=</"
            "NextContinuationToken><EncodingType>url</EncodingType><Contents><Key>some/prefix/d/"
            "z+1%2B.json</Key><Size>5</Size>"
            "<LastModified>2024-01-02T03:04:05.678Z</LastModified><ETag>&quot;e&quot;</ETag></"
            "Contents><CommonPrefixes><Prefix>some/prefix/d/"
            "a%2Fb/</Prefix></CommonPrefixes></ListBucketResult>"),
        list_answer(arena, "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>some/"
                           "prefix/d/zz</Key><Size>0</Size></Contents><Contents>"
                           "<Key>some/prefix/d/</Key><Size>0</Size></Contents></ListBucketResult>"),
        NULL
    };
    tn_store *s = open_store(arena, answers);
    tn_store_list_opts lo = { .prefix = TN_STR("d/") };
    tn_store_items items = { .v = NULL };
    TN_ASSERT_RC(tn_store_list(s, arena, &lo, &items, err), TN_OK);
    TN_ASSERT_EQ_I(items.n, 3);
    TN_ASSERT_EQ_S(items.v[0].key, "d/a/b/");
    TN_ASSERT(items.v[0].is_prefix);
    TN_ASSERT_EQ_S(items.v[1].key, "d/z 1+.json");
    TN_ASSERT_EQ_I(items.v[1].size, 5);
    TN_ASSERT_EQ_I(items.v[1].mtime_us, 1704164645678000);
    TN_ASSERT_EQ_S(items.v[1].etag, "\"e\"");
    TN_ASSERT_EQ_S(items.v[2].key, "d/zz");
    TN_ASSERT_HAS(server.requests[0], "prefix=some%2Fprefix%2Fd%2F");
    TN_ASSERT_HAS(server.requests[0], "delimiter=%2F");
    TN_ASSERT_HAS(server.requests[1], "continuation-token=a%26b%3D");
    done(s);
}

TN_TEST(a_list_that_does_not_end_is_refused)
{
    const char *answers[] = {
        list_answer(arena,
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</"
            "NextContinuationToken></ListBucketResult>"),
        NULL
    };
    tn_store *s = open_store(arena, answers);
    tn_store_list_opts lo = { .flat = true };
    tn_store_items items;
    TN_ASSERT_RC(tn_store_list(s, arena, &lo, &items, err), TN_E_CORRUPT);
    done(s);
}

TN_TEST(the_clock_and_the_region_are_corrected)
{
    static const char *const answers[] = { "HTTP/1.1 403 Forbidden\r\nDate: Wed, 21 Oct 2015 "
                                           "07:28:00 GMT\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\nx-amz-bucket-region: "
        "eu-west-7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", NULL };
    tn_store *s = open_store(arena, answers);
    tn_str got;
    TN_ASSERT_RC(tn_store_get(s, arena, TN_STR("k"), 10, &got, err), TN_OK);
    TN_ASSERT_EQ_S(got, "hi");
    TN_ASSERT_EQ_I(server.seen, 3);
    TN_ASSERT_HAS(server.requests[1], "x-amz-date: 20151021T0728");
    TN_ASSERT_HAS(server.requests[2], "/eu-west-7/s3/aws4_request");
    done(s);
}

/* ---- XML ---- */

static tn_rc ignore(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    (void)path, (void)depth, (void)err;
    *(tn_str *)self = text;
    return TN_OK;
}

TN_TEST(hostile_xml)
{
    static const char *const bad[] = { "<a>", "<a></b>", "</a>", "<a", "<>", "<a>&bomb;</a>",
        "<a>&#0;</a>", "<a>&#x110000;</a>", "<a>&#99999999999;</a>", "<a>&",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<!-- ", "<a><b></a></b>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        tn_str text;
        TN_ASSERT_RC(s3_xml_walk(arena, tn_str_of(bad[i]), ignore, &text, err), TN_E_CORRUPT);
    }
    tn_str text;
    TN_ASSERT_RC(s3_xml_walk(arena, TN_STR("<?x?><!-- c --><a b=\"1\">&lt;&#65;&#x42;&amp;</a>"),
                     ignore, &text, err),
        TN_OK);
    TN_ASSERT_EQ_S(text, "<AB&");
}

/* ---- options ---- */

static tn_rc read_options(tn_arena *a, const char *const *pairs, tn_s3_config *ret, tn_err *err)
{
    tn_val o = tn_val_dict(a);
    for (size_t i = 0; pairs[i] != NULL; i += 2) {
        tn_dict_putz(o.dict, pairs[i], tn_val_z(pairs[i + 1]));
    }
    return tn_s3_config_read(a, TN_STR("s3://bucket/p"), o, ret, err);
}

TN_TEST(names_of_other_programs)
{
    tn_s3_config c;
    static const char *const deltalake[] = { "AWS_ENDPOINT_URL", "https://minio:9000/",
        "aws_access_key_id", "k", "AWS_SECRET_ACCESS_KEY", "secret-one",
        "AWS_S3_ALLOW_UNSAFE_RENAME", "true", "AWS_REGION", "eu-1", NULL };
    TN_ASSERT_RC(read_options(arena, deltalake, &c, err), TN_OK);
    TN_ASSERT_EQ_S(c.host, "minio:9000");
    TN_ASSERT_EQ_S(c.secret, "secret-one");
    TN_ASSERT_EQ_S(c.region, "eu-1");
    TN_ASSERT(c.use_ssl && c.path_style && c.verify_tls);
    static const char *const duckdb[] = { "type", "s3", "key_id", "k", "secret", "secret-two",
        "endpoint", "minio:9000", "url_style", "vhost", "use_ssl", "false", NULL };
    TN_ASSERT_RC(read_options(arena, duckdb, &c, err), TN_OK);
    TN_ASSERT(!c.use_ssl && !c.path_style);
    TN_ASSERT_EQ_S(tn_s3_endpoint(arena, &c), "http://minio:9000");
}

TN_TEST(times_ways_and_what_is_refused)
{
    tn_s3_config c;
    static const char *const patient[] = { "timeout", "2 minutes", "connect_timeout", "500ms",
        "max_retries", "0", "conditional_put", "lease", "proxy_excludes", "a.example",
        "AWS_S3_ADDRESSING_STYLE", "virtual", "endpoint", "https://h", NULL };
    TN_ASSERT_RC(read_options(arena, patient, &c, err), TN_OK);
    TN_ASSERT_EQ_I(c.stall_ms, 120000);
    TN_ASSERT_EQ_I(c.connect_ms, 500);
    TN_ASSERT_EQ_I(c.retries_max, -1);
    TN_ASSERT(c.conditional == TN_S3_LEASE && !c.single_writer && !c.path_style);
    TN_ASSERT_EQ_S(c.no_proxy, "a.example");
    static const char *const plain[] = { "timeout", "30", "conditional_put", "ETag",
        "AWS_S3_ALLOW_UNSAFE_RENAME", "yes", "addressing_style", "auto", "endpoint", "https://h",
        "server_side_encryption", "false", NULL };
    TN_ASSERT_RC(read_options(arena, plain, &c, err), TN_OK);
    TN_ASSERT_EQ_I(c.stall_ms, 30000);
    TN_ASSERT(c.conditional == TN_S3_HONOURS && c.single_writer && c.path_style);
    static const char *const bad[][3] = { { "timeout", "0s", NULL },
        { "timeout", "5 parsecs", NULL }, { "timeout", "s", NULL },
        { "conditional_put", "maybe", NULL }, { "max_retries", "-1", NULL },
        { "url_style", "odd", NULL } };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        TN_ASSERT_RC(read_options(arena, bad[i], &c, err), TN_E_VALUE);
    }
    static const char *const refused[] = { "AWS_SERVER_SIDE_ENCRYPTION", "aws:kms", NULL };
    TN_ASSERT_RC(read_options(arena, refused, &c, err), TN_E_UNSUPPORTED);
    TN_ASSERT_HAS(err->msg, "'AWS_SERVER_SIDE_ENCRYPTION' is not supported");
}

TN_TEST(plain_http_must_be_wanted)
{
    tn_s3_config c;
    static const char *const silent[] = { "endpoint", "http://minio:9000", NULL };
    TN_ASSERT_RC(read_options(arena, silent, &c, err), TN_E_VALUE);
    TN_ASSERT_HAS(err->hint, "allow_http");
    static const char *const said[] = { "endpoint", "http://minio:9000", "allow_http", "True",
        NULL };
    TN_ASSERT_RC(read_options(arena, said, &c, err), TN_OK);
    static const char *const unclear[] = { "use_ssl", "perhaps", NULL };
    TN_ASSERT_RC(read_options(arena, unclear, &c, err), TN_E_VALUE);
    static const char *const half[] = { "key_id", "k", NULL };
    TN_ASSERT_RC(read_options(arena, half, &c, err), TN_E_AUTH);
}

TN_TEST(the_longest_scope_wins)
{
    tn_val list = tn_val_list(arena), o = tn_val_dict(arena);
    static const char *const scopes[][2] = { { "s3://", "one" }, { "s3://bucket/p", "two" },
        { "s3://other", "three" } };
    for (size_t i = 0; i < TN_COUNTOF(scopes); i++) {
        tn_val s = tn_val_dict(arena);
        tn_dict_putz(s.dict, "type", tn_val_z("s3"));
        tn_dict_putz(s.dict, "scope", tn_val_z(scopes[i][0]));
        tn_dict_putz(s.dict, "key_id", tn_val_z(scopes[i][1]));
        tn_dict_putz(s.dict, "secret", tn_val_z("hush-hush"));
        tn_list_push(list.list, s);
    }
    tn_dict_putz(o.dict, "secrets", list);
    tn_s3_config c;
    TN_ASSERT_RC(tn_s3_config_read(arena, TN_STR("s3://bucket/p/q"), o, &c, err), TN_OK);
    TN_ASSERT_EQ_S(c.key_id, "two");
    TN_ASSERT_RC(tn_s3_config_read(arena, TN_STR("s3://abc"), o, &c, err), TN_OK);
    TN_ASSERT_EQ_S(c.key_id, "one");
}

TN_TEST(places)
{
    tn_s3_config c;
    TN_ASSERT_RC(tn_s3_config_read(arena, TN_STR("s3://ab/x"), TN_VAL_UNDEF, &c, err), TN_E_VALUE);
    TN_ASSERT_RC(
        tn_s3_config_read(arena, TN_STR("s3://a b c/x"), TN_VAL_UNDEF, &c, err), TN_E_VALUE);
    TN_ASSERT_RC(tn_s3_config_read(arena, TN_STR("s3:///x"), TN_VAL_UNDEF, &c, err), TN_E_VALUE);
    TN_ASSERT_RC(tn_s3_config_read(arena, TN_STR("s3://abc//x/y//"), TN_VAL_UNDEF, &c, err), TN_OK);
    TN_ASSERT_EQ_S(c.prefix, "x/y");
}
