/* store_s3.h: buckets: s3://bucket/prefix on S3, MinIO and their kin. See docs/manual/buckets.md for the options.
 *
 * Options come from, in this order: the dict of options (names of tarn's profile, of deltalake's storage options and of dbt-duckdb's secrets,
 * in any case; `secrets` in it is a list of such dicts of which the one with the longest matching scope counts), the environment (AWS_*,
 * TARN_CA_FILE), the shared credentials and configuration files of a profile, who lends keys (a process, a role, the container, the instance). Without any
 * key requests are not signed. A store renews a lent key by itself before it runs out.
 */
#ifndef TN_STORE_STORE_S3_H
#define TN_STORE_STORE_S3_H

#include "store/store.h"

/* What is known or wished about If-None-Match (conditional_put). */
typedef enum tn_s3_conditional {
    TN_S3_ASK,     /* the store is asked once whether it honours the header */
    TN_S3_HONOURS, /* "etag": it does */
    TN_S3_LEASE, /* "lease": it is asked, and where it does not, a lease object takes the header's place */
    TN_S3_NEVER, /* "disabled": it does not */
} tn_s3_conditional;

typedef struct tn_s3_config {
    tn_str bucket, prefix; /* prefix: without slashes at its ends; may be empty */
    tn_str host;           /* host[:port] of the endpoint; empty: Amazon's of the region */
    tn_str region;
    tn_str key_id, secret, session_token; /* secret ones are registered with tn_log_secret */
    tn_str ca_file, client_cert, client_key, proxy;
    tn_str no_proxy;    /* hosts that are reached without it; empty: the environment's */
    int64_t renew_us;   /* the key is lent, and to be read again then (wall clock); 0: never */
    int64_t connect_ms; /* 0: default */
    int64_t stall_ms;   /* likewise */
    const char
        *key_source; /* for messages: "the options", "the environment", ... or NULL: no key */
    bool use_ssl, verify_tls, path_style, unsigned_payload;
    tn_s3_conditional conditional;
    bool
        single_writer; /* allow_unsafe_rename: nobody else writes, if the store has no conditional puts */
    int retries_max;
} tn_s3_config;

/* Adds "s3" and "s3a" to the known schemes. At the start of the program, before threads. */
void tn_store_s3_register(void);
tn_rc tn_s3_config_read(
    tn_arena *a, tn_str url, tn_val options, tn_s3_config *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_store_open_s3(
    tn_str url, const tn_store_opts *opts, tn_store **ret, tn_err *err) TN_MUSTUSE;
/* All certificates to trust, PEM: ca_file's (a file or a folder; may be empty) and the system's. */
tn_rc tn_s3_ca_bundle(tn_arena *a, tn_str ca_file, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* "https://host:port" as requests go to it, without the bucket. */
tn_str tn_s3_endpoint(tn_arena *a, const tn_s3_config *c);

#endif
