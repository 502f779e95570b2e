/* store_s3_put.c: writing objects: in one request, or in parts when large; put-if-absent by If-None-Match: *.
 *
 * A put whose answer got lost may have been carried out. An overwrite is simply sent again. A put-if-absent that is sent again may then lose
 * against itself, so "it exists" after an attempt with unknown outcome is TN_E_AMBIGUOUS: the caller reads back and compares.
 */
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/random.h"
#include "store/store_s3_impl.h"
#include "store/store_s3_xml.h"
#include "text/hash.h"
#include "text/uri.h"

enum {
    ANSWER_BYTES_MAX = 1 << 20,
    CONFLICT_RETRIES_MAX = 8,
    CONFLICT_WAIT_MS = 50,
    PARTS_MAX = 10000
};
#define PART_BYTES ((size_t)32 << 20)
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
            if (err != NULL) {
                *err = why;
            }
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

static tn_rc put_whole(s3_store *s, tn_arena *a, tn_str key, tn_str data, bool absent,
    tn_http_headers *ret_headers, tn_err *err)
{
    s3_call call = { .method = "PUT", .key = key, .body = data, .bytes_max = ANSWER_BYTES_MAX };
    if (absent) {
        s3_pair(a, &call.headers, "if-none-match", TN_STR("*"));
    }
    tn_http_response r;
    TN_TRY(send_visible(s, a, &call, absent, &r, err));
    *ret_headers = r.headers;
    return TN_OK;
}

/* ---- does the store honour If-None-Match? ---- */

/* Where it is noted that a bucket does: a store that ignored the header would lose commits silently. */
static tn_str note_path(s3_store *s, tn_arena *a)
{
    tn_str cache = tn_env_get("XDG_CACHE_HOME"), home = tn_env_get("HOME");
    if (cache.n == 0 && home.n == 0) {
        return TN_STR_NONE;
    }
    tn_str what = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT,
        TN_STR_ARG(tn_s3_endpoint(a, &s->config)), TN_STR_ARG(s->config.bucket));
    return tn_str_printf(a, TN_STR_FMT "%s/tarn/conditional/" TN_STR_FMT,
        TN_STR_ARG(cache.n > 0 ? cache : home), cache.n > 0 ? "" : "/.cache",
        TN_STR_ARG(tn_str_sub(tn_sha256_hex(a, what), 0, 32)));
}

static tn_rc probe(s3_store *s, tn_arena *a, tn_err *err)
{
    tn_str key = s3_full_key(
        s, a, tn_str_printf(a, "_tarn_probe-%016llx", (unsigned long long)tn_random_u64()));
    tn_http_headers ignored;
    TN_TRY(put_whole(s, a, key, TN_STR("1"), true, &ignored, err));
    tn_err second = TN_ERR_INIT;
    tn_rc rc = put_whole(s, a, key, TN_STR("2"), true, &ignored, &second);
    s3_call gone = { .method = "DELETE", .key = key, .bytes_max = ANSWER_BYTES_MAX };
    tn_http_response r;
    if (s3_send(s, a, &gone, &r, NULL) != TN_OK || r.status >= 300) {
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "' is left in the bucket", TN_STR_ARG(key));
    }
    if (rc == TN_OK) {
        return tn_hint(err,
            tn_fail(err, TN_E_UNSUPPORTED,
                "the store at " TN_STR_FMT
                " ignores If-None-Match: commits of several writers would overwrite each other",
                TN_STR_ARG(tn_s3_endpoint(a, &s->config))),
            "use a store with conditional puts (S3, MinIO)");
    }
    if (rc != TN_E_EXISTS && rc != TN_E_AMBIGUOUS) {
        return tn_while(err, tn_fail(err, rc, "%s", second.msg), "asking for conditional puts");
    }
    return TN_OK;
}

/* Once for each bucket and machine: three small requests before the first put-if-absent. */
static tn_rc check_conditional(s3_store *s, tn_arena *a, tn_err *err)
{
    {
        TN_LOCKED(&s->lock);
        if (s->probed || s->config.trust_conditional_puts) {
            return TN_OK;
        }
    }
    tn_str note = note_path(s, a);
    if (note.n == 0 || !tn_file_exists(note)) {
        TN_TRY(probe(s, a, err));
        if (note.n > 0 &&
            (tn_dir_make(tn_path_dir(note), NULL) != TN_OK ||
                tn_file_write(note, TN_STR("honours If-None-Match\n"), NULL) != TN_OK)) {
            tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "' cannot be written", TN_STR_ARG(note));
        }
    }
    TN_LOCKED(&s->lock);
    s->probed = true;
    return TN_OK;
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
} upload;

static tn_rc put_part(s3_store *s, tn_arena *a, const upload *up, size_t number, tn_str data,
    tn_buf *list, tn_err *err)
{
    s3_call call = { .method = "PUT", .key = up->key, .body = data, .bytes_max = ANSWER_BYTES_MAX };
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

/* Where the parts come from: memory, or a file of which one part at a time is read. */
typedef struct source {
    tn_str data; /* p NULL: the file at path */
    tn_str path;
    size_t bytes;
} source;

static tn_rc read_part(
    const source *from, tn_arena *a, size_t at, size_t n, tn_str *ret, tn_err *err)
{
    if (from->data.p != NULL) {
        *ret = tn_str_sub(from->data, at, at + n);
        return TN_OK;
    }
    TN_TRY(tn_file_read_range(a, from->path, (int64_t)at, n, ret, err));
    return ret->n == n ? TN_OK
                       : tn_fail(err, TN_E_IO, "'" TN_STR_FMT "' became shorter while it was sent",
                             TN_STR_ARG(from->path));
}

static tn_rc put_all_parts(
    s3_store *s, const upload *up, const source *from, size_t part, tn_buf *list, tn_err *err)
{
    for (size_t at = 0, number = 1; at < from->bytes; at += part, number++) {
        TN_AUTO_ARENA scratch = tn_arena_new("s3 part", NULL);
        size_t n = tn_min_size(part, from->bytes - at);
        tn_str data;
        TN_TRY(read_part(from, scratch, at, n, &data, err));
        TN_TRY(put_part(s, scratch, up, number, data, list, err));
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "': %zu of %zu MiB are uploaded",
            TN_STR_ARG(up->key), (at + n) >> 20, from->bytes >> 20);
    }
    return TN_OK;
}

static tn_rc put_in_parts(s3_store *s, tn_arena *a, const upload *up, const source *from,
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
    if (absent) {
        s3_pair(a, &call.headers, "if-none-match", TN_STR("*"));
    }
    tn_http_response r;
    TN_TRY(send_visible(s, a, &call, absent, &r, err));
    /* Completion may take long: the server sends 200 first and says later that it failed. */
    s3_error e = s3_error_of(a, r.body);
    if (e.code.n > 0) {
        return tn_fail(err, absent ? TN_E_AMBIGUOUS : TN_E_NET,
            "joining the parts of '" TN_STR_FMT "' failed: " TN_STR_FMT, TN_STR_ARG(up->key),
            TN_STR_ARG(e.code));
    }
    return TN_OK;
}

static tn_rc upload_parts(
    s3_store *s, tn_arena *a, tn_str key, const source *from, size_t part, bool absent, tn_err *err)
{
    upload up = { .key = key };
    TN_TRY(begin_upload(s, a, key, &up.id, err));
    tn_rc rc =
        put_in_parts(s, a, &up, from, tn_max_size(part, from->bytes / PARTS_MAX + 1), absent, err);
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
    if (absent) {
        TN_TRY(check_conditional(s, a, err));
    }
    if (data.n <= ONE_PUT_BYTES_MAX) {
        tn_http_headers headers;
        TN_TRY(put_whole(s, a, full, data, absent, &headers, err));
        if (absent) { /* it will not change, and who commits soon reads what he wrote */
            tn_store_written(store, key, tn_http_header_get(&headers, "etag"), data);
        }
        return TN_OK;
    }
    source from = { .data = data, .bytes = data.n };
    return upload_parts(s, a, full, &from, PART_BYTES, absent, err);
}

tn_rc s3_put_file(tn_store *store, tn_str key, tn_str path, tn_put_mode mode, tn_err *err)
{
    s3_store *s = (s3_store *)store;
    TN_AUTO_ARENA a = tn_arena_new("s3 put file", NULL);
    tn_file_info info;
    tn_str data;
    TN_TRY(tn_file_stat(a, path, &info, err));
    if (info.size <= (int64_t)PART_BYTES) {
        TN_TRY(tn_file_read(a, path, PART_BYTES, &data, err));
        return s3_put(store, key, data, mode, err);
    }
    bool absent = mode == TN_PUT_IF_ABSENT;
    if (absent) {
        TN_TRY(check_conditional(s, a, err));
    }
    source from = { .path = path, .bytes = (size_t)info.size };
    return upload_parts(s, a, s3_full_key(s, a, key), &from, PART_BYTES, absent, err);
}

tn_rc s3_put_parts(s3_store *s, tn_str key, tn_str data, size_t part, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("s3 put parts", NULL);
    source from = { .data = data, .bytes = data.n };
    return upload_parts(s, a, s3_full_key(s, a, key), &from, part, true, err);
}
