/* store_s3_remove.c: removing objects: one, or a thousand a request (DeleteObjects).
 *
 * The body of a batch is XML with a checksum that S3 demands (Content-MD5). Keys that XML 1.0 cannot carry (control characters) are removed one
 * by one, and so is everything at servers that do not know the request. The answer names only what failed (Quiet).
 */
#include "base/log.h"
#include "store/store_s3_impl.h"
#include "store/store_s3_xml.h"
#include "text/hash.h"

enum { ANSWER_BYTES_MAX = 4 << 20, BATCH_MAX = 1000, BATCH_BYTES_MAX = 16 << 20 };

tn_rc s3_remove(tn_store *store, tn_str key, tn_err *err)
{
    s3_store *s = (s3_store *)store;
    TN_AUTO_ARENA a = tn_arena_new("s3 remove", NULL);
    s3_call call = { .method = "DELETE", .key = s3_full_key(s, a, key) };
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    if ((r.status >= 200 && r.status < 300) ||
        (r.status == 404 && !tn_str_is(s3_error_of(a, r.body).code, "NoSuchBucket"))) {
        return TN_OK;
    }
    return s3_fail(s, a, &r, call.key, err);
}

/* ---- many ---- */

static bool fits_xml(tn_str key)
{
    for (size_t i = 0; i < key.n; i++) {
        if ((unsigned char)key.p[i] < 0x20) {
            return false;
        }
    }
    return tn_utf8_valid(key);
}

static void add_xml(tn_buf *b, tn_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            tn_buf_addz(b, "&amp;");
            break;
        case '<':
            tn_buf_addz(b, "&lt;");
            break;
        case '>':
            tn_buf_addz(b, "&gt;");
            break;
        default:
            tn_buf_addc(b, text.p[i]);
        }
    }
}

typedef struct refused {
    tn_str key, code, message; /* of the first one */
    size_t n;
    tn_str now_key, now_code, now_message;
} refused;

static tn_rc refused_leaf(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    (void)err;
    refused *r = self;
    if (depth == 3 && tn_str_is(path[1], "Error")) {
        if (tn_str_is(path[2], "Key")) {
            r->now_key = text;
        } else if (tn_str_is(path[2], "Code")) {
            r->now_code = text;
        } else if (tn_str_is(path[2], "Message")) {
            r->now_message = text;
        }
    } else if (depth == 2 && tn_str_is(path[1], "Error") && !tn_str_is(r->now_code, "NoSuchKey") &&
               r->n++ == 0) {
        r->key = r->now_key;
        r->code = r->now_code;
        r->message = r->now_message;
    }
    return TN_OK;
}

static tn_rc judge(s3_store *s, tn_arena *a, const tn_http_response *resp, tn_err *err)
{
    refused r = { .n = 0 };
    TN_TRY(s3_xml_walk(a, resp->body, refused_leaf, &r, err));
    if (r.n == 0) {
        return TN_OK;
    }
    tn_rc rc = tn_str_is(r.code, "AccessDenied") ? TN_E_AUTH : TN_E_IO;
    return tn_fail(err, rc,
        "%zu of the objects could not be removed, the first is 's3://" TN_STR_FMT "/" TN_STR_FMT
        "': " TN_STR_FMT " " TN_STR_FMT,
        r.n, TN_STR_ARG(s->config.bucket), TN_STR_ARG(r.key), TN_STR_ARG(r.code),
        TN_STR_ARG(r.message));
}

static tn_rc remove_batch(s3_store *s, const tn_str *keys, size_t n, bool *ret_known, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("s3 remove", NULL);
    tn_buf b = tn_buf_init(a, BATCH_BYTES_MAX);
    tn_buf_addz(&b, "<Delete><Quiet>true</Quiet>");
    for (size_t i = 0; i < n; i++) {
        tn_buf_addz(&b, "<Object><Key>");
        add_xml(&b, s3_full_key(s, a, keys[i]));
        tn_buf_addz(&b, "</Key></Object>");
    }
    tn_buf_addz(&b, "</Delete>");
    s3_call call = { .method = "POST", .bytes_max = ANSWER_BYTES_MAX };
    TN_TRY(tn_buf_finish(&b, "a list of keys", &call.body, err));
    uint8_t digest[16];
    tn_md5(call.body, digest);
    s3_pair(a, &call.query, "delete", TN_STR_NONE);
    s3_pair(a, &call.headers, "content-md5",
        tn_base64(a, tn_str_n((const char *)digest, sizeof digest)));
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    *ret_known = r.status != 400 && r.status != 404 && r.status != 405 && r.status != 501;
    if (tn_str_is(s3_error_of(a, r.body).code, "NoSuchBucket")) {
        *ret_known = true;
    }
    if (r.status != 200) {
        return s3_fail(s, a, &r, TN_STR_NONE, err);
    }
    return judge(s, a, &r, err);
}

static tn_rc remove_each(tn_store *store, const tn_str *keys, size_t n, tn_err *err)
{
    for (size_t i = 0; i < n; i++) {
        TN_TRY(s3_remove(store, keys[i], err));
    }
    return TN_OK;
}

tn_rc s3_remove_many(tn_store *store, const tn_str *keys, size_t n, tn_err *err)
{
    s3_store *s = (s3_store *)store;
    TN_AUTO_ARENA a = tn_arena_new("s3 keys", NULL);
    tn_strs plain = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (fits_xml(keys[i])) {
            tn_vec_push(&plain, a, keys[i]);
        } else {
            TN_TRY(s3_remove(store, keys[i], err));
        }
    }
    for (size_t i = 0; i < plain.n; i += BATCH_MAX) {
        size_t some = tn_min_size(BATCH_MAX, plain.n - i);
        bool known = true;
        tn_err why = TN_ERR_INIT;
        tn_rc rc = some > 1 ? remove_batch(s, plain.v + i, some, &known, &why)
                            : s3_remove(store, plain.v[i], &why);
        if (rc != TN_OK && !known) {
            tn_log(TN_LOG_DEBUG, "store", "the server takes no batches: %s", why.msg);
            rc = remove_each(store, plain.v + i, some, &why);
        }
        if (rc != TN_OK) {
            return tn_err_pass(err, rc, &why);
        }
    }
    return TN_OK;
}
