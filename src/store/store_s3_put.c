/* store_s3_put.c: writing objects: in one request, or in parts when large; put-if-absent by If-None-Match: *, or as store_s3_condition.c has found.
 *
 * A put whose answer got lost may have been carried out. An overwrite is simply sent again. A put-if-absent that is sent again may then lose
 * against itself, so "it exists" after an attempt with unknown outcome is TN_E_AMBIGUOUS: the caller reads back and compares.
 */
#include "base/log.h"
#include "os/clock.h"
#include "os/random.h"
#include "store/store_s3_impl.h"
#include "store/store_s3_xml.h"

enum {
    ANSWER_BYTES_MAX = 1 << 20,
    CONFLICT_RETRIES_MAX = 8,
    CONFLICT_WAIT_MS = 50,
    PARTS_MAX = 10000
};
#define PART_BYTES ((size_t)16 << 20)
#define ONE_PUT_BYTES_MAX ((size_t)64 << 20)

/* Judges the answer to the request that makes the object visible. */
static tn_rc judge(s3_store *s, tn_arena *a, const tn_http_response *r, tn_str key, bool absent,
    bool unknown, tn_err *err)
{
    if (r->status >= 200 && r->status < 300) {
        return TN_OK;
    }
    if (absent && (r->status == 412 || r->status == 409)) {
        tn_rc rc = unknown ? TN_E_AMBIGUOUS : TN_E_EXISTS;
        return tn_fail(err, rc,
            unknown ? "'s3://" TN_STR_FMT "/" TN_STR_FMT
                      "' is there, but an answer was lost: it may be ours"
                    : "'s3://" TN_STR_FMT "/" TN_STR_FMT "' is there already",
            TN_STR_ARG(s->config.bucket), TN_STR_ARG(key));
    }
    tn_rc rc = s3_fail(s, a, r, key, err);
    if (rc == TN_E_UNSUPPORTED && absent) {
        return tn_hint(err, rc,
            "this store has no conditional puts (If-None-Match), which shared writing needs");
    }
    if (absent && unknown) {
        return tn_while(err, tn_fail(err, TN_E_AMBIGUOUS, "the server answers %d", r->status),
            "it is unknown whether 's3://" TN_STR_FMT "/" TN_STR_FMT "' was written",
            TN_STR_ARG(s->config.bucket), TN_STR_ARG(key));
    }
    return rc;
}

static tn_rc send_visible(
    s3_store *s, tn_arena *a, const s3_call *call, bool absent, tn_http_response *ret, tn_err *err)
{
    bool unknown = false;
    for (int i = 0;; i++) {
        tn_http_response r = { 0 };
        tn_err why = TN_ERR_INIT;
        tn_rc rc = s3_send(s, a, call, &r, &why);
        unknown = unknown || r.outcome_unknown;
        if (rc != TN_OK) {
            tn_err_pass(err, rc, &why);
            if (absent && unknown && rc != TN_E_CANCELLED) {
                return tn_fail(err, TN_E_AMBIGUOUS,
                    "it is unknown whether 's3://" TN_STR_FMT "/" TN_STR_FMT "' was written: %s",
                    TN_STR_ARG(s->config.bucket), TN_STR_ARG(call->key), why.msg);
            }
            return rc;
        }
        /* 409: another conditional put of this key is under way; its end decides. */
        if (absent && r.status == 409 && i < CONFLICT_RETRIES_MAX) {
            tn_clock_sleep_us(
                (int64_t)(tn_random_unit() * (double)CONFLICT_WAIT_MS * 1000) * (i + 1));
            continue;
        }
        *ret = r;
        return judge(s, a, &r, call->key, absent, unknown, err);
    }
}

/* ---- put-if-absent, in the way that the store has ---- */

static tn_rc send_by_header(
    s3_store *s, tn_arena *a, const s3_call *call, tn_http_response *ret, tn_err *err)
{
    s3_call conditional = *call;
    s3_pair(a, &conditional.headers, "if-none-match", TN_STR("*"));
    return send_visible(s, a, &conditional, true, ret, err);
}

static tn_rc head_of(
    s3_store *s, tn_arena *a, const s3_call *put, tn_http_response *ret, tn_err *err)
{
    s3_call head = { .method = "HEAD", .key = put->key, .until_us = put->until_us };
    TN_TRY(s3_send(s, a, &head, ret, err));
    return ret->status == 200 || ret->status == 404 ? TN_OK : s3_fail(s, a, ret, put->key, err);
}

/* Without conditional puts: is it there? If not, put; then look whether it is ours that stands there. */
static tn_rc look_and_send(
    s3_store *s, tn_arena *a, const s3_call *call, tn_http_response *ret, tn_err *err)
{
    tn_http_response before, after;
    TN_TRY(head_of(s, a, call, &before, err));
    if (before.status == 200) {
        return tn_fail(err, TN_E_EXISTS, "'s3://" TN_STR_FMT "/" TN_STR_FMT "' is there already",
            TN_STR_ARG(s->config.bucket), TN_STR_ARG(call->key));
    }
    TN_TRY(send_visible(s, a, call, true, ret, err));
    tn_str etag = tn_http_header_get(&ret->headers, "etag");
    tn_rc rc = head_of(s, a, call, &after, NULL);
    if (rc != TN_OK || after.status != 200 ||
        (etag.n > 0 && !tn_str_eq(etag, tn_http_header_get(&after.headers, "etag")))) {
        return tn_hint(err,
            tn_fail(err, TN_E_AMBIGUOUS,
                "'s3://" TN_STR_FMT "/" TN_STR_FMT "' was put, and another object stands there now",
                TN_STR_ARG(s->config.bucket), TN_STR_ARG(call->key)),
            "somebody writes there without the lease, or a request was under way for very long");
    }
    return TN_OK;
}

static tn_rc send_under_lease(
    s3_store *s, tn_arena *a, const s3_call *call, tn_http_response *ret, tn_err *err)
{
    s3_lease lease;
    TN_TRY(s3_lease_take(s, a, call->key, &lease, err));
    s3_call timed = *call;
    timed.until_us = lease.until_us;
    tn_rc rc = look_and_send(s, a, &timed, ret, err);
    if (rc == TN_OK || rc == TN_E_EXISTS) { /* else a request may still be under way */
        s3_lease_drop(s, a, &lease);
    }
    return rc;
}

/* The request that makes an object visible, whole or joined from parts. */
static tn_rc send_last(
    s3_store *s, tn_arena *a, const s3_call *call, bool absent, tn_http_response *ret, tn_err *err)
{
    s3_way way = S3_WAY_UNKNOWN;
    if (absent) {
        TN_TRY(s3_way_find(s, a, &way, err));
    }
    return way == S3_WAY_HEADER  ? send_by_header(s, a, call, ret, err)
           : way == S3_WAY_LEASE ? send_under_lease(s, a, call, ret, err)
           : way == S3_WAY_ALONE ? look_and_send(s, a, call, ret, err)
                                 : send_visible(s, a, call, false, ret, err);
}

static tn_rc put_whole(s3_store *s, tn_arena *a, tn_str key, tn_str data, bool absent,
    tn_http_headers *ret_headers, tn_err *err)
{
    s3_transfer way = { .verb = "uploading", .name = key, .total = (int64_t)data.n };
    s3_call call = { .method = "PUT",
        .key = key,
        .body = data,
        .bytes_max = ANSWER_BYTES_MAX,
        .transfer = data.n > 0 ? &way : NULL };
    tn_http_response r = { 0 };
    tn_rc rc = send_last(s, a, &call, absent, &r, err);
    s3_transfer_end(&way);
    *ret_headers = r.headers;
    return rc;
}

tn_rc s3_put_by_header(s3_store *s, tn_arena *a, tn_str key, tn_str data, tn_err *err)
{
    s3_call call = { .method = "PUT", .key = key, .body = data, .bytes_max = ANSWER_BYTES_MAX };
    tn_http_response r;
    return send_by_header(s, a, &call, &r, err);
}

/* ---- in parts ---- */

static tn_rc upload_leaf(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    (void)err;
    if (depth == 2 && tn_str_is(path[1], "UploadId")) {
        *(tn_str *)self = text;
    }
    return TN_OK;
}

static tn_rc begin_upload(s3_store *s, tn_arena *a, tn_str key, tn_str *ret_id, tn_err *err)
{
    s3_call call = { .method = "POST", .key = key, .bytes_max = ANSWER_BYTES_MAX };
    s3_pair(a, &call.query, "uploads", TN_STR_NONE);
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    if (r.status != 200) {
        return s3_fail(s, a, &r, key, err);
    }
    tn_str id = TN_STR_NONE;
    TN_TRY(s3_xml_walk(a, r.body, upload_leaf, &id, err));
    if (id.n == 0) {
        return tn_fail(err, TN_E_CORRUPT, "the server began an upload without an id");
    }
    *ret_id = id;
    return TN_OK;
}

static void abort_upload(s3_store *s, tn_arena *a, tn_str key, tn_str id)
{
    s3_call call = { .method = "DELETE", .key = key, .bytes_max = ANSWER_BYTES_MAX };
    s3_pair(a, &call.query, "uploadId", id);
    tn_http_response r;
    tn_err why = TN_ERR_INIT;
    if (s3_send(s, a, &call, &r, &why) != TN_OK || (r.status >= 300 && r.status != 404)) {
        tn_log(TN_LOG_WARN, "store",
            "parts of an unfinished upload to '" TN_STR_FMT "' may be left in the bucket",
            TN_STR_ARG(key));
    }
}

typedef struct upload {
    tn_str key, id;
    s3_transfer *way;
} upload;

static tn_rc put_part(s3_store *s, tn_arena *a, const upload *up, size_t number, tn_str data,
    tn_buf *list, tn_err *err)
{
    s3_call call = { .method = "PUT",
        .key = up->key,
        .body = data,
        .bytes_max = ANSWER_BYTES_MAX,
        .transfer = up->way };
    s3_pair(a, &call.query, "partNumber", tn_str_printf(a, "%zu", number));
    s3_pair(a, &call.query, "uploadId", up->id);
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    if (r.status != 200) {
        return s3_fail(s, a, &r, up->key, err);
    }
    tn_str etag =
        tn_str_replace(a, tn_http_header_get(&r.headers, "etag"), TN_STR("\""), TN_STR("&quot;"));
    tn_buf_addf(list, "<Part><PartNumber>%zu</PartNumber><ETag>" TN_STR_FMT "</ETag></Part>",
        number, TN_STR_ARG(etag));
    return TN_OK;
}

static tn_rc put_all_parts(
    s3_store *s, const upload *up, const tn_parts *from, size_t part, tn_buf *list, tn_err *err)
{
    size_t bytes = (size_t)from->bytes;
    for (size_t at = 0, number = 1; at < bytes; at += part, number++) {
        TN_AUTO_ARENA scratch = tn_arena_new("s3 part", NULL);
        size_t n = tn_min_size(part, bytes - at);
        tn_str data;
        TN_TRY(from->read(from->self, scratch, (int64_t)at, n, &data, err));
        TN_TRY(put_part(s, scratch, up, number, data, list, err));
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "': %zu of %zu MiB are uploaded",
            TN_STR_ARG(up->key), (at + n) >> 20, bytes >> 20);
    }
    return TN_OK;
}

static tn_rc put_in_parts(s3_store *s, tn_arena *a, const upload *up, const tn_parts *from,
    size_t part, bool absent, tn_err *err)
{
    tn_buf list = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&list, "<CompleteMultipartUpload>");
    TN_TRY(put_all_parts(s, up, from, part, &list, err));
    tn_buf_addz(&list, "</CompleteMultipartUpload>");
    s3_call call = {
        .method = "POST", .key = up->key, .body = tn_buf_str(&list), .bytes_max = ANSWER_BYTES_MAX
    };
    s3_pair(a, &call.query, "uploadId", up->id);
    tn_http_response r;
    TN_TRY(send_last(s, a, &call, absent, &r, err));
    /* Completion may take long: the server sends 200 first and says later that it failed. */
    s3_error e = s3_error_of(a, r.body);
    if (e.code.n > 0) {
        return tn_fail(err, absent ? TN_E_AMBIGUOUS : TN_E_NET,
            "joining the parts of '" TN_STR_FMT "' failed: " TN_STR_FMT, TN_STR_ARG(up->key),
            TN_STR_ARG(e.code));
    }
    return TN_OK;
}

static tn_rc upload_parts(s3_store *s, tn_arena *a, tn_str key, const tn_parts *from, size_t part,
    bool absent, tn_err *err)
{
    s3_transfer told = { .verb = "uploading", .name = key, .total = from->bytes };
    upload up = { .key = key, .way = &told };
    s3_way way;
    if (absent) {
        TN_TRY(s3_way_find(s, a, &way, err)); /* before gigabytes are sent */
    }
    TN_TRY(begin_upload(s, a, key, &up.id, err));
    tn_rc rc = put_in_parts(
        s, a, &up, from, tn_max_size(part, (size_t)from->bytes / PARTS_MAX + 1), absent, err);
    s3_transfer_end(&told);
    if (rc != TN_OK && rc != TN_E_AMBIGUOUS) {
        abort_upload(s, a, key, up.id);
    }
    return rc;
}

tn_rc s3_put(tn_store *store, tn_str key, tn_str data, tn_put_mode mode, tn_err *err)
{
    s3_store *s = (s3_store *)store;
    TN_AUTO_ARENA a = tn_arena_new("s3 put", NULL);
    bool absent = mode == TN_PUT_IF_ABSENT;
    tn_str full = s3_full_key(s, a, key);
    if (data.n <= ONE_PUT_BYTES_MAX) {
        tn_http_headers headers;
        TN_TRY(put_whole(s, a, full, data, absent, &headers, err));
        if (absent) { /* it will not change, and who commits soon reads what he wrote */
            tn_store_written(store, key, tn_http_header_get(&headers, "etag"), data);
        }
        return TN_OK;
    }
    tn_parts from = tn_parts_of(&data);
    return upload_parts(s, a, full, &from, PART_BYTES, absent, err);
}

tn_rc s3_put_parts(tn_store *store, tn_str key, const tn_parts *from, tn_put_mode mode, tn_err *err)
{
    s3_store *s = (s3_store *)store;
    TN_AUTO_ARENA a = tn_arena_new("s3 put parts", NULL);
    if (from->bytes <= (int64_t)PART_BYTES) {
        tn_str data;
        TN_TRY(from->read(from->self, a, 0, (size_t)from->bytes, &data, err));
        return s3_put(store, key, data, mode, err);
    }
    return upload_parts(
        s, a, s3_full_key(s, a, key), from, PART_BYTES, mode == TN_PUT_IF_ABSENT, err);
}

tn_rc s3_put_cut(s3_store *s, tn_str key, tn_str data, size_t part, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("s3 put cut", NULL);
    tn_parts from = tn_parts_of(&data);
    return upload_parts(s, a, s3_full_key(s, a, key), &from, part, true, err);
}
