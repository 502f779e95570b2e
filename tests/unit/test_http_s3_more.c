// layers: base os text http store
/* The store on buckets against scripted answers: batches, uploads of files in parts and their end, session tokens, host style, proxies. */
#include "http_script.h"
#include "tn_test.h"

#include "os/file.h"
#include "os/proc.h"
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

/* ---- objects kept on this machine ---- */

#define OBJECT "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontent"

static tn_str own_cache(tn_arena *a)
{
    tn_str dir;
    TN_ASSERT_RC(tn_file_temp_dir(a, "s3-cache", &dir, NULL), TN_OK);
    TN_ASSERT_RC(tn_env_set("XDG_CACHE_HOME", dir, NULL), TN_OK);
    return dir;
}

static void damage(tn_arena *a, tn_str dir)
{
    tn_file_infos all;
    tn_str objects = tn_str_concat(a, dir, TN_STR("/tarn/objects"));
    TN_ASSERT_RC(tn_dir_list(a, objects, false, &all, NULL), TN_OK);
    TN_ASSERT_EQ_I(all.n, 2); /* the bytes and their sum */
    for (size_t i = 0; i < all.n; i++) {
        if (!tn_str_ends(all.v[i].name, TN_STR(".sum"))) {
            tn_str path = tn_str_printf(
                a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(objects), TN_STR_ARG(all.v[i].name));
            TN_ASSERT_RC(tn_file_write(path, TN_STR("c0ntent"), NULL), TN_OK);
        }
    }
}

TN_TEST(what_never_changes_is_fetched_once)
{
    static const char *const answers[] = { OBJECT, NULL };
    tn_str dir = own_cache(arena), got;
    tn_store *s = open_at(arena, answers, NULL, NULL);
    tn_store_item item = { .key = TN_STR("log/1.json"), .etag = TN_STR("\"e\""), .size = 7 };
    for (int i = 0; i < 3; i++) {
        TN_ASSERT_RC(tn_store_get_kept(s, arena, &item, 100, &got, err), TN_OK);
        TN_ASSERT_EQ_S(got, "content");
    }
    TN_ASSERT_EQ_I(server.seen, 1);
    damage(arena, dir);
    TN_ASSERT_RC(tn_store_get_kept(s, arena, &item, 100, &got, err), TN_OK);
    TN_ASSERT_EQ_S(got, "content");
    TN_ASSERT_EQ_I(server.seen, 2);
    item.etag = TN_STR("\"other\""); /* made anew under the same name */
    TN_ASSERT_RC(tn_store_get_kept(s, arena, &item, 100, &got, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 3);
    item.etag = TN_STR_NONE; /* nothing says which one it is */
    TN_ASSERT_RC(tn_store_get_kept(s, arena, &item, 100, &got, err), TN_OK);
    TN_ASSERT_EQ_I(server.seen, 4);
    done(s);
    TN_ASSERT_RC(tn_file_remove_tree(dir, err), TN_OK);
}

TN_TEST(several_are_read_at_once_and_a_failure_is_told)
{
    static const char *const answers[] = { OBJECT, NULL };
    tn_str dir = own_cache(arena), got[20];
    tn_store *s = open_at(arena, answers, NULL, NULL);
    tn_store_item items[20];
    for (int i = 0; i < 20; i++) {
        items[i] = (tn_store_item){
            .key = tn_str_printf(arena, "log/%d", i), .etag = TN_STR("e"), .size = 7
        };
    }
    tn_store_prefetch(s, items, 1);
    tn_store_prefetch(s, items, 1); /* it is there already */
    TN_ASSERT_EQ_I(server.seen, 1);
    TN_ASSERT_RC(tn_store_get_kept(s, arena, &items[0], 100, &got[0], err), TN_OK);
    TN_ASSERT_EQ_S(got[0], "content");
    TN_ASSERT_EQ_I(server.seen, 1);
    done(s);
    static const char *const missing[] = { EMPTY("404 Not Found"), NULL };
    s = open_at(arena, missing, NULL, NULL);
    items[0].etag = TN_STR("another");
    TN_ASSERT_RC(tn_store_get_kept_many(s, arena, items, 1, 100, got, err), TN_E_NOTFOUND);
    TN_ASSERT_RC(tn_store_get_kept_many(s, arena, items, 0, 100, got, err), TN_OK);
    done(s);
    TN_ASSERT_RC(tn_store_open_mem(TN_STR("many"), &s, err), TN_OK);
    for (int i = 0; i < 20; i++) {
        TN_ASSERT_RC(tn_store_put(s, items[i].key, items[i].key, TN_PUT_OVERWRITE, err), TN_OK);
    }
    TN_ASSERT_RC(tn_store_get_kept_many(s, arena, items, 20, 100, got, err), TN_OK);
    for (int i = 0; i < 20; i++) {
        TN_ASSERT(tn_str_eq(got[i], items[i].key));
    }
    tn_store_unref(s);
    TN_ASSERT_RC(tn_file_remove_tree(dir, err), TN_OK);
}

TN_TEST(what_was_written_is_not_fetched_and_notes_are_kept)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nETag: \"mine\"\r\nContent-Length: 0\r\n\r\n", NULL
    };
    tn_str dir = own_cache(arena), got;
    tn_store *s = open_at(arena, answers, NULL, NULL);
    TN_ASSERT_RC(tn_store_put(s, TN_STR("k"), TN_STR("text"), TN_PUT_IF_ABSENT, err), TN_OK);
    tn_store_item item = { .key = TN_STR("k"), .etag = TN_STR("\"mine\""), .size = 4 };
    TN_ASSERT_RC(tn_store_get_kept(s, arena, &item, 100, &got, err), TN_OK);
    TN_ASSERT_EQ_S(got, "text");
    TN_ASSERT_EQ_I(server.seen, 1);
    TN_ASSERT_EQ_I(tn_store_note_get(s, "here"), -1);
    tn_store_note_put(s, "here", 42);
    TN_ASSERT_EQ_I(tn_store_note_get(s, "here"), 42);
    TN_ASSERT_EQ_I(tn_store_note_get(s, "there"), -1);
    done(s);
    TN_ASSERT_RC(tn_file_remove_tree(dir, err), TN_OK);
}

/* ---- keys that a machine is lent ---- */

#define LENT                                                                                       \
    "{\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"lent-secret\",\"Token\":\"lent-token\"}"

static tn_rc lent_config(tn_arena *a, const char *provider, tn_s3_config *ret, tn_err *err)
{
    tn_val o = tn_val_dict(a);
    TN_ASSERT_RC(tn_env_set("AWS_SHARED_CREDENTIALS_FILE", TN_STR("/nonexistent"), NULL), TN_OK);
    TN_ASSERT_RC(tn_env_set("AWS_CONFIG_FILE", TN_STR("/nonexistent"), NULL), TN_OK);
    tn_dict_putz(o.dict, "provider", tn_val_z(provider));
    return tn_s3_config_read(a, TN_STR("s3://bucket/p"), o, ret, err);
}

TN_TEST(a_container_lends_a_key)
{
    const char *answers[] = { xml_answer(arena, LENT), NULL };
    tn_s3_config c;
    script_start(&server, answers);
    tn_str url = tn_str_printf(arena, "http://127.0.0.1:%d/creds", server.port);
    TN_ASSERT_RC(tn_env_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, err), TN_OK);
    TN_ASSERT_RC(tn_env_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", TN_STR("agent-tok"), err), TN_OK);
    TN_ASSERT_RC(lent_config(arena, "config", &c, err), TN_OK);
    TN_ASSERT_EQ_S(c.key_id, "ASIA");
    TN_ASSERT_EQ_S(c.session_token, "lent-token");
    TN_ASSERT_HAS(c.key_source, "container");
    TN_ASSERT_HAS(server.requests[0], "GET /creds HTTP/1.1");
    TN_ASSERT_HAS(server.requests[0], "authorization: agent-tok");
    TN_ASSERT_RC(
        tn_env_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", TN_STR("http://evil.example/creds"), err),
        TN_OK);
    TN_ASSERT_RC(lent_config(arena, "config", &c, err), TN_E_AUTH);
    TN_ASSERT_HAS(err->msg, "plain http to another machine");
    TN_ASSERT_RC(tn_env_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", TN_STR(""), NULL), TN_OK);
    script_stop(&server);
}

TN_TEST(an_instance_lends_a_key)
{
    const char *answers[] = { xml_answer(arena, "tok"), xml_answer(arena, "my-role\n"),
        xml_answer(arena, LENT), NULL };
    tn_s3_config c;
    script_start(&server, answers);
    tn_str base = tn_str_printf(arena, "http://127.0.0.1:%d", server.port);
    TN_ASSERT_RC(tn_env_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", base, err), TN_OK);
    TN_ASSERT_RC(lent_config(arena, "credential_chain", &c, err), TN_OK);
    TN_ASSERT_EQ_S(c.secret, "lent-secret");
    TN_ASSERT_HAS(server.requests[0], "PUT /latest/api/token HTTP/1.1");
    TN_ASSERT_HAS(server.requests[1], "x-aws-ec2-metadata-token: tok");
    TN_ASSERT_HAS(server.requests[2], "GET /latest/meta-data/iam/security-credentials/my-role");
    TN_ASSERT_RC(tn_env_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", TN_STR(""), NULL), TN_OK);
    script_stop(&server);
}
