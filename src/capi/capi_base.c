/* capi_base.c: what all of the C API shares: errors, texts, options, streams that hold what they stand on. */
#include <errno.h>
#include <stdlib.h>

#include "capi/capi_impl.h"
#include "text/json.h"

#define TN_RC(name, number, class, retry, status, text) enum { RC_##name = number };
#include "base/rc.def"
#undef TN_RC
/* The header repeats the numbers for programs outside. */
#define SAME(name) _Static_assert((int)TARN_##name == (int)RC_##name, "tarn_code and rc.def differ")
SAME(USAGE);
SAME(SYNTAX);
SAME(TYPE);
SAME(NAME);
SAME(VALUE);
SAME(SQL);
SAME(DATA);
SAME(NOTFOUND);
SAME(EXISTS);
SAME(IO);
SAME(ACCESS);
SAME(BUSY);
SAME(NET);
SAME(TLS);
SAME(AUTH);
SAME(TIMEOUT);
SAME(AMBIGUOUS);
SAME(CONFLICT);
SAME(UNSUPPORTED);
SAME(CORRUPT);
SAME(LIMIT);
SAME(CANCELLED);
SAME(BUG);

const char *tarn_version(void)
{
    return TARN_VERSION;
}

const char *tarn_code_name(int code)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
#define TN_RC(name, number, class, retry, status, text) { number, #name },
#include "base/rc.def"
#undef TN_RC
    };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (names[i].number == code) {
            return names[i].name;
        }
    }
    return "?";
}

int tarn_code_retryable(int code)
{
    return tn_rc_retryable((tn_rc)code) ? 1 : 0;
}

void tarn_text_free(char *text)
{
    free(text);
}

int tn_capi_told(tn_rc rc, const tn_err *e, tarn_error *err)
{
    if (rc != TN_OK && err != NULL) {
        err->code = (int)rc;
        snprintf(err->message, sizeof err->message, "%s", e->msg);
        snprintf(err->hint, sizeof err->hint, "%s", e->hint);
    }
    return (int)rc;
}

char *tn_capi_text(tn_str s)
{
    char *copy = malloc(tn_size_add(s.n, 1));
    TN_CHECK(copy != NULL);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = 0;
    return copy;
}

tn_rc tn_capi_json(tn_arena *a, tn_val v, char **ret, tn_err *err)
{
    static const tn_json_style style = { .indent = 0 };
    tn_buf b = tn_buf_init(a, CAPI_JSON_BYTES_MAX);
    tn_json_print(&b, v, &style);
    tn_str text;
    TN_TRY(tn_buf_finish(&b, "the answer", &text, err));
    if (ret != NULL) {
        *ret = tn_capi_text(text);
    }
    return TN_OK;
}

void tn_capi_options(void *into, size_t size, const void *opts)
{
    memset(into, 0, size);
    if (opts != NULL) {
        size_t theirs;
        memcpy(&theirs, opts, sizeof theirs);
        memcpy(into, opts, tn_min_size(theirs, size));
    }
}

tn_strs tn_capi_strs(tn_arena *a, const char *const *v, size_t n)
{
    tn_strs out = { 0 };
    for (size_t i = 0; v != NULL && i < n; i++) {
        tn_vec_push(&out, a, tn_str_of(v[i]));
    }
    return out;
}

tn_val tn_capi_dict(tn_arena *a, const tarn_pair *v, size_t n)
{
    if (v == NULL || n == 0) {
        return TN_VAL_UNDEF;
    }
    tn_val d = tn_val_dict(a);
    for (size_t i = 0; i < n; i++) {
        tn_dict_puts(d.dict, tn_str_dup(a, tn_str_of(v[i].key)),
            v[i].value == NULL ? TN_VAL_NONE : tn_val_str_dup(a, tn_str_of(v[i].value)));
    }
    return d;
}

/* ---- streams ---- */

void tn_capi_release(struct ArrowArrayStream *stream)
{
    if (stream != NULL && stream->release != NULL) {
        stream->release(stream);
    }
}

typedef struct held_stream {
    struct ArrowArrayStream inner;
    tn_capi_drop drop;
    void *held;
} held_stream;

static int held_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    held_stream *h = s->private_data;
    return h->inner.get_schema(&h->inner, out);
}

static int held_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    held_stream *h = s->private_data;
    return h->inner.get_next(&h->inner, out);
}

static const char *held_error(struct ArrowArrayStream *s)
{
    held_stream *h = s->private_data;
    return h->inner.get_last_error(&h->inner);
}

static void held_release(struct ArrowArrayStream *s)
{
    held_stream *h = s->private_data;
    tn_capi_release(&h->inner);
    h->drop(h->held);
    free(h);
    s->release = NULL;
}

tn_rc tn_capi_stream(
    tn_result *rows, tn_capi_drop drop, void *held, struct ArrowArrayStream *ret, tn_err *err)
{
    held_stream *h = calloc(1, sizeof *h);
    TN_CHECK(h != NULL);
    tn_rc rc = tn_result_arrow_out(rows, &h->inner, err);
    if (rc != TN_OK) {
        tn_result_free(rows);
        drop(held);
        free(h);
        return rc;
    }
    h->drop = drop;
    h->held = held;
    *ret = (struct ArrowArrayStream){ .get_schema = held_schema,
        .get_next = held_next,
        .get_last_error = held_error,
        .release = held_release,
        .private_data = h };
    return TN_OK;
}
