// layers: base os text http store
/* The store on buckets against scripted answers: batches, uploads of files in parts and their end, session tokens, host style, proxies. */
#include "http_script.h"
#include "tn_test.h"

#include "os/file.h"
#include "store/store_s3.h"

#define EMPTY(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"
#define OK_204 "HTTP/1.1 204 No Content\r\n\r\n"

static script_server server;

typedef struct extra {
    const char *name, *value;
} extra;

static tn_val options_for(tn_arena *a, const char *endpoint, const extra *more)
{
    tn_val o = tn_val_dict(a);
    tn_dict_putz(o.dict, "endpoint", tn_val_z(endpoint));
    tn_dict_putz(o.dict, "allow_http", tn_val_z("true"));
    tn_dict_putz(o.dict, "key_id", tn_val_z("AKID"));
    tn_dict_putz(o.dict, "secret", tn_val_z("hush-hush"));
    tn_dict_putz(o.dict, "max_retries", tn_val_int(3));
    tn_dict_putz(o.dict, "conditional_put", tn_val_z("etag"));
    for (; more != NULL && more->name != NULL; more++) {
        tn_dict_putz(o.dict, more->name, tn_val_z(more->value));
    }
    return o;
}

static tn_store *open_at(
    tn_arena *a, const char *const *answers, const char *endpoint, const extra *more)
{
    script_start(&server, answers);
    const char *here = tn_arena_printf(a, "http://127.0.0.1:%d", server.port);
    tn_store_opts so = { .options = options_for(a, endpoint != NULL ? endpoint : here, more) };
    tn_store *s = NULL;
    TN_ASSERT_RC(tn_store_open_s3(TN_STR("s3://bucket/p"), &so, &s, NULL), TN_OK);
    return s;
}

static void done(tn_store *s)
{
    tn_store_unref(s);
    script_stop(&server);
}

static const char *xml_answer(tn_arena *a, const char *xml)
{
    return tn_arena_printf(a, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(xml), xml);
}

static const tn_str two_keys[] = { { "a&b", 3 }, { "c", 1 } };

TN_TEST(a_batch_is_one_request)
{
    const char *answers[] = { xml_answer(arena, "<DeleteResult></DeleteResult>"), NULL };
    tn_store *s = open_at(arena, answers, NULL, NULL);
    TN_ASSERT_RC(tn_store_remove_many(s, two_keys, 2, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 1);
    TN_ASSERT_HAS(server.requests[0], "POST /bucket?delete= HTTP/1.1");
    TN_ASSERT_HAS(server.requests[0], "content-md5: ");
    TN_ASSERT_HAS(server.requests[0], "<Key>p/a&amp;b</Key>");
    done(s);
}

TN_TEST(what_a_batch_could_not_remove_is_named)
{
    const char *answers[] = {
        xml_answer(arena, "<DeleteResult><Error><Key>p/x</Key><Code>NoSuchKey</Code></Error>"
                          "<Error><Key>p/c</Key><Code>AccessDenied</Code>"
                          "<Message>no</Message></Error></DeleteResult>"),
        NULL
    };
    tn_store *s = open_at(arena, answers, NULL, NULL);
    TN_ASSERT_RC(tn_store_remove_many(s, two_keys, 2, err), TN_E_AUTH);
    TN_ASSERT_HAS(err->msg, "1 of the objects could not be removed");
    TN_ASSERT_HAS(err->msg, "p/c");
    done(s);
}

TN_TEST(a_server_without_batches_gets_single_requests)
{
    static const char *const answers[] = { EMPTY("501 Not Implemented"), OK_204, OK_204, NULL };
    tn_store *s = open_at(arena, answers, NULL, NULL);
    TN_ASSERT_RC(tn_store_remove_many(s, two_keys, 2, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 3);
    TN_ASSERT_HAS(server.requests[1], "DELETE /bucket/p/a%26b HTTP/1.1");
    done(s);
}

TN_TEST(a_key_that_xml_cannot_carry_is_removed_alone)
{
    static const char *const answers[] = { OK_204, NULL };
    static const tn_str keys[] = { { "a\001b", 3 }, { "c", 1 } };
    tn_store *s = open_at(arena, answers, NULL, NULL);
    TN_ASSERT_RC(tn_store_remove_many(s, keys, 2, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 2);
    TN_ASSERT_HAS(server.requests[0], "DELETE /bucket/p/a%01b HTTP/1.1");
    done(s);
}

TN_TEST(a_session_token_is_sent_and_signed)
{
    static const char *const answers[] = { EMPTY("200 OK"), NULL };
    static const extra token[] = { { "AWS_SESSION_TOKEN", "tok-en" }, { NULL, NULL } };
    tn_store *s = open_at(arena, answers, NULL, token);
    TN_ASSERT_RC(tn_store_put(s, TN_STR("k"), TN_STR("d"), TN_PUT_OVERWRITE, err), TN_OK);
    TN_ASSERT_HAS(server.requests[0], "x-amz-security-token: tok-en");
    TN_ASSERT_HAS(server.requests[0],
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
    done(s);
}

TN_TEST(a_proxy_is_asked_and_the_bucket_is_in_the_host)
{
    static const char *const answers[] = { EMPTY("200 OK"), NULL };
    extra more[] = { { "proxy", NULL }, { "url_style", "vhost" }, { NULL, NULL } };
    script_start(&server, answers);
    more[0].value = tn_arena_printf(arena, "http://127.0.0.1:%d", server.port);
    tn_store_opts so = { .options = options_for(arena, "http://store.example:9000", more) };
    tn_store *s = NULL;
    TN_ASSERT_RC(tn_store_open_s3(TN_STR("s3://bucket/p"), &so, &s, err), TN_OK);
    TN_ASSERT_RC(tn_store_put(s, TN_STR("k"), TN_STR("d"), TN_PUT_OVERWRITE, err), TN_OK);
    TN_ASSERT_HAS(server.requests[0], "PUT http://bucket.store.example:9000/p/k HTTP/1.1");
    TN_ASSERT_HAS(server.requests[0], "Host: bucket.store.example:9000");
    done(s);
}

TN_TEST(a_small_file_is_one_put)
{
    static const char *const answers[] = { EMPTY("200 OK"), NULL };
    tn_str dir;
    TN_ASSERT_RC(tn_file_temp_dir(arena, "s3", &dir, err), TN_OK);
    tn_str path = tn_str_concat(arena, dir, TN_STR("/f"));
    TN_ASSERT_RC(tn_file_write(path, TN_STR("content"), err), TN_OK);
    tn_store *s = open_at(arena, answers, NULL, NULL);
    TN_ASSERT_RC(tn_store_put_file(s, TN_STR("k"), path, TN_PUT_IF_ABSENT, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 1);
    TN_ASSERT_HAS(server.requests[0], "if-none-match: *");
    TN_ASSERT_HAS(server.requests[0], "content");
    done(s);
    TN_ASSERT_RC(tn_store_open_mem(TN_STR("putfile"), &s, err), TN_OK);
    tn_str got;
    TN_ASSERT_RC(tn_store_put_file(s, TN_STR("k"), path, TN_PUT_IF_ABSENT, err), TN_OK);
    TN_ASSERT_RC(tn_store_get(s, arena, TN_STR("k"), 100, &got, err), TN_OK);
    TN_ASSERT_EQ_S(got, "content");
    TN_ASSERT_RC(tn_store_remove_many(s, two_keys, 2, err), TN_OK);
    tn_store_unref(s);
    TN_ASSERT_RC(tn_file_remove_tree(dir, err), TN_OK);
}
