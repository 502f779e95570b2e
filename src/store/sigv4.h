/* sigv4.h: signatures of requests, version 4 (AWS4-HMAC-SHA256). Pure: no clock, no network. */
#ifndef TN_STORE_SIGV4_H
#define TN_STORE_SIGV4_H

#include "base/buf.h"
#include "base/vec.h"

enum { TN_SIGV4_DATE_BYTES = 16 }; /* "20150830T123600Z" */
#define TN_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

typedef struct tn_sigv4_pair {
    tn_str name, value; /* as they are, not encoded */
} tn_sigv4_pair;
typedef tn_vec(tn_sigv4_pair) tn_sigv4_pairs;

typedef struct tn_sigv4_request {
    const char *method;
    tn_str path;            /* encoded, starts with '/' */
    tn_sigv4_pairs query;   /* in any order */
    tn_sigv4_pairs headers; /* all that are to be signed: host and x-amz-date among them */
    tn_str payload_hash;    /* hex SHA-256 of the body, or TN_SIGV4_UNSIGNED */
} tn_sigv4_request;

typedef struct tn_sigv4_key {
    tn_str key_id, secret, region, service;
} tn_sigv4_key;

/* The value of the Authorization header. date: TN_SIGV4_DATE_BYTES bytes, as in x-amz-date. */
tn_str tn_sigv4_authorization(
    tn_arena *a, const tn_sigv4_key *key, tn_str date, const tn_sigv4_request *req);
/* The first thing that is hashed; for tests and for messages about signatures that do not match. */
tn_str tn_sigv4_canonical(tn_arena *a, const tn_sigv4_request *req, tn_str *ret_signed_headers);
/* The query as it is signed, which is also how it must be sent: sorted, encoded, "a=1&b=". */
tn_str tn_sigv4_query(tn_arena *a, const tn_sigv4_pairs *query);
/* A key or path, '/' kept. */
tn_str tn_sigv4_path(tn_arena *a, tn_str path);
/* Microseconds since 1970 as "20150830T123600Z". */
tn_str tn_sigv4_date(tn_arena *a, int64_t us);

#endif
