/* store_s3_condition.c: in which way a bucket puts an object only if it is absent.
 *
 * A store that takes If-None-Match and ignores it would lose commits silently, so it is asked before the first such put: one name is put twice.
 * What was found is noted on this machine, for each endpoint and bucket:
 *
 *     <cache>/tarn/conditional/<sha256 of endpoint/bucket, 32 hex digits>       "honours If-None-Match" or "ignores If-None-Match"
 *
 * A store that is refused is asked again each time, since it may have been renewed. The other ways are the user's explicit choice:
 * conditional_put: lease, and allow_unsafe_rename (deltalake's name) for a single writer.
 */
#include "base/log.h"
#include "os/file.h"
#include "os/random.h"
#include "store/store_s3_impl.h"
#include "text/uri.h"

enum { NOTE_BYTES_MAX = 64, ANSWER_BYTES_MAX = 1 << 20 };
#define HONOURS "honours If-None-Match\n"
#define IGNORES "ignores If-None-Match\n"

static tn_str note_path(s3_store *s, tn_arena *a)
{
    return tn_store_cache_path(a, "conditional",
        tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(tn_s3_endpoint(a, &s->config)),
            TN_STR_ARG(s->config.bucket)));
}

static void write_note(tn_str note, tn_str text)
{
    if (note.n > 0 && (tn_dir_make(tn_path_dir(note), NULL) != TN_OK ||
                          tn_file_write(note, text, NULL) != TN_OK)) {
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "' cannot be written", TN_STR_ARG(note));
    }
}

/* Three small requests. *ret: it honours the header; false also when it does not know it (501). */
static tn_rc probe(s3_store *s, tn_arena *a, bool *ret, tn_err *err)
{
    tn_str key = s3_full_key(
        s, a, tn_str_printf(a, "_tarn_probe-%016llx", (unsigned long long)tn_random_u64()));
    tn_err first = TN_ERR_INIT, second = TN_ERR_INIT;
    tn_rc rc = s3_put_by_header(s, a, key, TN_STR("1"), &first);
    if (rc == TN_E_UNSUPPORTED) {
        *ret = false;
        return TN_OK;
    }
    if (rc != TN_OK) {
        return tn_err_pass(err, rc, &first);
    }
    rc = s3_put_by_header(s, a, key, TN_STR("2"), &second);
    s3_call gone = { .method = "DELETE", .key = key, .bytes_max = ANSWER_BYTES_MAX };
    tn_http_response r;
    if (s3_send(s, a, &gone, &r, NULL) != TN_OK || r.status >= 300) {
        tn_log(TN_LOG_DEBUG, "store", "'" TN_STR_FMT "' is left in the bucket", TN_STR_ARG(key));
    }
    if (rc != TN_OK && rc != TN_E_EXISTS && rc != TN_E_AMBIGUOUS) {
        return tn_while(err, tn_err_pass(err, rc, &second), "asking for conditional puts");
    }
    *ret = rc != TN_OK;
    return TN_OK;
}

static tn_rc honours(s3_store *s, tn_arena *a, bool *ret, tn_err *err)
{
    const tn_s3_config *c = &s->config;
    if (c->conditional == TN_S3_HONOURS || c->conditional == TN_S3_NEVER) {
        *ret = c->conditional == TN_S3_HONOURS;
        return TN_OK;
    }
    tn_str note = note_path(s, a), text = TN_STR_NONE;
    if (note.n > 0 && tn_file_read(a, note, NOTE_BYTES_MAX, &text, NULL) == TN_OK) {
        bool has_another_way = c->conditional == TN_S3_LEASE || c->single_writer;
        if (tn_str_is(text, HONOURS) || (tn_str_is(text, IGNORES) && has_another_way)) {
            *ret = tn_str_is(text, HONOURS);
            return TN_OK;
        }
    }
    TN_TRY(probe(s, a, ret, err));
    write_note(note, *ret ? TN_STR(HONOURS) : TN_STR(IGNORES));
    return TN_OK;
}

static tn_rc refuse(s3_store *s, tn_arena *a, tn_err *err)
{
    tn_fail(err, TN_E_UNSUPPORTED,
        "the store at " TN_STR_FMT "%s: commits of several writers would overwrite each other",
        TN_STR_ARG(tn_s3_endpoint(a, &s->config)),
        s->config.conditional == TN_S3_NEVER
            ? " has no conditional puts (conditional_put: disabled)"
            : " ignores If-None-Match");
    return tn_hint(err, TN_E_UNSUPPORTED,
        "use a store with conditional puts (S3, MinIO); or choose conditional_put: lease for all "
        "writers, or AWS_S3_ALLOW_UNSAFE_RENAME=true when there is only one");
}

tn_rc s3_way_find(s3_store *s, tn_arena *a, s3_way *ret, tn_err *err)
{
    {
        TN_LOCKED(&s->lock);
        if (s->way != S3_WAY_UNKNOWN) {
            *ret = s->way;
            return TN_OK;
        }
    }
    const tn_s3_config *c = &s->config;
    bool yes;
    TN_TRY(honours(s, a, &yes, err));
    s3_way way = yes                             ? S3_WAY_HEADER
                 : c->conditional == TN_S3_LEASE ? S3_WAY_LEASE
                 : c->single_writer              ? S3_WAY_ALONE
                                                 : S3_WAY_UNKNOWN;
    if (way == S3_WAY_UNKNOWN) {
        return refuse(s, a, err);
    }
    TN_LOCKED(&s->lock);
    if (s->way == S3_WAY_UNKNOWN && way == S3_WAY_ALONE) {
        tn_log(TN_LOG_WARN, "store",
            "the store at " TN_STR_FMT " has no conditional puts: nobody else may write there now "
            "(allow_unsafe_rename)",
            TN_STR_ARG(tn_s3_endpoint(a, c)));
    }
    s->way = way;
    *ret = way;
    return TN_OK;
}
