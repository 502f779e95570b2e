/* sigv4.c: see sigv4.h. The rules that servers check: everything is sorted by bytes, encoded exactly once, hashed. */
#include "store/sigv4.h"

#include <stdlib.h>

#include "text/hash.h"
#include "text/timetext.h"
#include "text/uri.h"

enum { DAY_BYTES = 8, CANONICAL_BYTES_MAX = 16 << 20 };

static int by_name_then_value(const void *p, const void *q)
{
    const tn_sigv4_pair *x = p, *y = q;
    int c = tn_str_cmp(x->name, y->name);
    return c != 0 ? c : tn_str_cmp(x->value, y->value);
}

static tn_sigv4_pairs sorted(tn_arena *a, const tn_sigv4_pairs *pairs)
{
    tn_sigv4_pairs out = { 0 };
    for (size_t i = 0; i < pairs->n; i++) {
        tn_vec_push(&out, a, pairs->v[i]);
    }
    if (out.n > 1) {
        qsort(out.v, out.n, sizeof *out.v, by_name_then_value);
    }
    return out;
}

static tn_str encoded(tn_arena *a, tn_str s, const char *keep)
{
    tn_buf b = tn_buf_init(a, CANONICAL_BYTES_MAX);
    tn_percent_encode(&b, s, keep, false);
    return tn_buf_str(&b);
}

tn_str tn_sigv4_path(tn_arena *a, tn_str path)
{
    return encoded(a, path, "/");
}

tn_str tn_sigv4_query(tn_arena *a, const tn_sigv4_pairs *query)
{
    tn_sigv4_pairs coded = { 0 };
    for (size_t i = 0; i < query->n; i++) {
        tn_sigv4_pair p = { .name = encoded(a, query->v[i].name, ""),
            .value = encoded(a, query->v[i].value, "") };
        tn_vec_push(&coded, a, p);
    }
    coded = sorted(a, &coded);
    tn_buf b = tn_buf_init(a, CANONICAL_BYTES_MAX);
    for (size_t i = 0; i < coded.n; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT "=" TN_STR_FMT, i > 0 ? "&" : "",
            TN_STR_ARG(coded.v[i].name), TN_STR_ARG(coded.v[i].value));
    }
    return tn_buf_str(&b);
}

/* Without white space on both ends, runs of blanks inside as one. */
static void add_header_value(tn_buf *b, tn_str value)
{
    value = tn_str_trim(value);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != ' ' || value.p[i - 1] != ' ') {
            tn_buf_addc(b, value.p[i]);
        }
    }
}

tn_str tn_sigv4_canonical(tn_arena *a, const tn_sigv4_request *req, tn_str *ret_signed_headers)
{
    tn_sigv4_pairs headers = { 0 };
    for (size_t i = 0; i < req->headers.n; i++) {
        tn_sigv4_pair p = { .name = tn_str_lower(a, req->headers.v[i].name),
            .value = req->headers.v[i].value };
        tn_vec_push(&headers, a, p);
    }
    headers = sorted(a, &headers);
    tn_buf b = tn_buf_init(a, CANONICAL_BYTES_MAX), names = tn_buf_init(a, CANONICAL_BYTES_MAX);
    tn_buf_addf(&b, "%s\n" TN_STR_FMT "\n" TN_STR_FMT "\n", req->method, TN_STR_ARG(req->path),
        TN_STR_ARG(tn_sigv4_query(a, &req->query)));
    for (size_t i = 0; i < headers.n; i++) {
        tn_buf_add(&b, headers.v[i].name);
        tn_buf_addc(&b, ':');
        add_header_value(&b, headers.v[i].value);
        tn_buf_addc(&b, '\n');
        tn_buf_addf(&names, "%s" TN_STR_FMT, i > 0 ? ";" : "", TN_STR_ARG(headers.v[i].name));
    }
    *ret_signed_headers = tn_buf_str(&names);
    tn_buf_addf(&b, "\n" TN_STR_FMT "\n" TN_STR_FMT, TN_STR_ARG(*ret_signed_headers),
        TN_STR_ARG(req->payload_hash));
    return tn_buf_str(&b);
}

static tn_str bytes_of(const uint8_t *p)
{
    return tn_str_n((const char *)p, 32);
}

tn_str tn_sigv4_authorization(
    tn_arena *a, const tn_sigv4_key *key, tn_str date, const tn_sigv4_request *req)
{
    tn_str names;
    tn_str canonical = tn_sigv4_canonical(a, req, &names);
    tn_str day = tn_str_sub(date, 0, DAY_BYTES);
    tn_str scope = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT "/" TN_STR_FMT "/aws4_request",
        TN_STR_ARG(day), TN_STR_ARG(key->region), TN_STR_ARG(key->service));
    tn_str text = tn_str_printf(a, "AWS4-HMAC-SHA256\n" TN_STR_FMT "\n" TN_STR_FMT "\n" TN_STR_FMT,
        TN_STR_ARG(date), TN_STR_ARG(scope), TN_STR_ARG(tn_sha256_hex(a, canonical)));
    uint8_t of_day[32], of_region[32], of_service[32], signing[32], signature[32];
    tn_hmac_sha256(tn_str_concat(a, TN_STR("AWS4"), key->secret), day, of_day);
    tn_hmac_sha256(bytes_of(of_day), key->region, of_region);
    tn_hmac_sha256(bytes_of(of_region), key->service, of_service);
    tn_hmac_sha256(bytes_of(of_service), TN_STR("aws4_request"), signing);
    tn_hmac_sha256(bytes_of(signing), text, signature);
    return tn_str_printf(a,
        "AWS4-HMAC-SHA256 Credential=" TN_STR_FMT "/" TN_STR_FMT ", SignedHeaders=" TN_STR_FMT
        ", Signature=" TN_STR_FMT,
        TN_STR_ARG(key->key_id), TN_STR_ARG(scope), TN_STR_ARG(names),
        TN_STR_ARG(tn_hex(a, signature, sizeof signature)));
}

tn_str tn_sigv4_date(tn_arena *a, int64_t us)
{
    tn_civil c = tn_civil_of_micros(us);
    return tn_str_printf(
        a, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
}
