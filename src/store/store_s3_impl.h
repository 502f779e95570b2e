/* store_s3_impl.h: private to src/store/store_s3*.c: one bucket, one signed call. */
#ifndef TN_STORE_STORE_S3_IMPL_H
#define TN_STORE_STORE_S3_IMPL_H

#include "http/client.h"
#include "os/thread.h"
#include "store/sigv4.h"
#include "store/store_s3.h"

/* How an object is put only if it is absent. */
typedef enum s3_way {
    S3_WAY_UNKNOWN,
    S3_WAY_HEADER, /* the store honours If-None-Match */
    S3_WAY_LEASE,  /* it does not: look and put, under a lease */
    S3_WAY_ALONE,  /* it does not, and nobody else writes: look and put */
} s3_way;

typedef struct s3_keys {
    tn_str key_id, secret, token;
} s3_keys;

typedef struct s3_store {
    tn_store base;
    tn_arena *arena;
    tn_val options; /* as opened */
    tn_s3_config config;
    tn_http *http;
    tn_str dir; /* prefix with its slash, or empty */
    tn_mutex lock;
    tn_str region;    /* may be corrected by the server; under the lock */
    int64_t skew_us;  /* server's clock minus ours; under the lock */
    s3_keys keys;     /* under the lock; the strings stay */
    int64_t renew_us; /* when they are asked for again; 0: never; under the lock */
    tn_mutex renewing;
    s3_way way; /* of putting if absent, once known; under the lock */
} s3_store;

/* ---- store_s3_transfer.c: how far long transfers are ---- */
/* One object on its way, in one request or many at once. Below S3_TRANSFER_BYTES_MIN nothing is told. */
typedef struct s3_transfer {
    const char *verb;
    tn_str name;
    int64_t total; /* bytes; 0: as the first answer says */
    int64_t done;  /* atomic */
} s3_transfer;
enum { S3_TRANSFER_BYTES_MIN = 8 << 20 };
/* What one request of it has moved so far; an attempt that begins anew takes back what the last one had. */
typedef struct s3_moved {
    s3_transfer *of;
    int64_t bytes;
} s3_moved;
void s3_moved_tell(void *moved, int64_t sent, int64_t received, int64_t receives);
void s3_transfer_end(s3_transfer *t);

typedef struct s3_call {
    const char *method;
    tn_str key; /* with the prefix; p NULL: the bucket itself */
    tn_sigv4_pairs query;
    tn_sigv4_pairs headers; /* signed, lower case */
    tn_str body;
    size_t bytes_max;
    int64_t until_us;      /* as in tn_http_request */
    s3_transfer *transfer; /* NULL: not told */
} s3_call;

/* What an error document says. */
typedef struct s3_error {
    tn_str code, message, region;
} s3_error;

static inline void s3_pair(tn_arena *a, tn_sigv4_pairs *to, const char *name, tn_str value)
{
    tn_sigv4_pair p = { .name = tn_str_of(name), .value = value };
    tn_vec_push(to, a, p);
}

/* Signs, sends, corrects clock and region once. TN_OK with any status. On failure ret->outcome_unknown is set. */
tn_rc s3_send(
    s3_store *s, tn_arena *a, const s3_call *call, tn_http_response *ret, tn_err *err) TN_MUSTUSE;
s3_error s3_error_of(tn_arena *a, tn_str body);
/* The code, message and hint for an answer that is not 2xx. A missing bucket is TN_E_IO: unlike a missing folder it is not an empty store. */
tn_rc s3_fail(
    s3_store *s, tn_arena *a, const tn_http_response *r, tn_str key, tn_err *err) TN_MUSTUSE;
/* "https://host[:port]" that requests go to: in virtual-host style the bucket is part of the name. */
tn_str s3_origin(s3_store *s, tn_arena *a);
/* Something answers there that is no S3 store. */
tn_rc s3_fail_stranger(s3_store *s, tn_arena *a, int status, tn_err *err) TN_MUSTUSE;
tn_str s3_full_key(s3_store *s, tn_arena *a, tn_str key);

/* ---- store_s3_list.c ---- */
/* Whether the answer to ListObjectsV2 is one: neither a refusal nor something that is no S3 store. */
tn_rc s3_check_listing(s3_store *s, tn_arena *a, const tn_http_response *r, tn_err *err) TN_MUSTUSE;
tn_rc s3_list(tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret,
    tn_err *err) TN_MUSTUSE;
/* ---- store_s3_put.c ---- */
tn_rc s3_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err) TN_MUSTUSE;
tn_rc s3_put_parts(
    tn_store *s, tn_str key, const tn_parts *from, tn_put_mode mode, tn_err *err) TN_MUSTUSE;
/* A put-if-absent in parts whatever its size; a part but the last has 5 MiB at least. */
tn_rc s3_put_cut(s3_store *s, tn_str key, tn_str data, size_t part, tn_err *err) TN_MUSTUSE;
/* ---- store_s3_copy.c ---- */
tn_rc s3_copy(tn_store *s, tn_str key, tn_store *from, tn_str from_key, tn_err *err) TN_MUSTUSE;
/* One put with If-None-Match and nothing else: what the question to a store is made of. */
tn_rc s3_put_by_header(s3_store *s, tn_arena *a, tn_str key, tn_str data, tn_err *err) TN_MUSTUSE;
/* ---- store_s3_condition.c ---- */
/* How this store puts if absent; the first call may ask it. TN_E_UNSUPPORTED: it cannot, and no other way was chosen. */
tn_rc s3_way_find(s3_store *s, tn_arena *a, s3_way *ret, tn_err *err) TN_MUSTUSE;
/* ---- store_s3_lease.c ---- */
typedef struct s3_lease {
    tn_str key, token;
    int64_t until_us; /* tn_clock_mono_us: what is done under it ends before */
} s3_lease;
/* The lease of the folder that key is in. Waits for others; takes two seconds when there are none. TN_E_BUSY after minutes. */
tn_rc s3_lease_take(s3_store *s, tn_arena *a, tn_str key, s3_lease *ret, tn_err *err) TN_MUSTUSE;
void s3_lease_drop(s3_store *s, tn_arena *a, const s3_lease *l);
/* ---- store_s3_remove.c ---- */
tn_rc s3_remove(tn_store *s, tn_str key, tn_err *err) TN_MUSTUSE;
tn_rc s3_remove_many(tn_store *s, const tn_str *keys, size_t n, tn_err *err) TN_MUSTUSE;
/* ---- store_s3_lent.c: keys that somebody lends, for a time ---- */
typedef struct s3_lent {
    tn_str key_id, secret, token;
    const char *source; /* NULL: nobody was asked */
    int64_t expires_us; /* wall clock; 0: it does not say */
    int64_t renew_us;   /* when to ask again; 0: never */
} s3_lent;
/* Who is asked, in this order: the process; the role, by its token file or by key_id; the container; the instance. */
typedef struct s3_lender {
    tn_str process;                                /* credential_process */
    tn_str role, session, external_id, token_file; /* of a role */
    tn_str key_id, secret, token;                  /* who takes on the role */
    tn_str sts_endpoint, region, ca_file, proxy, no_proxy;
    bool no_verify, ask_instance;
} s3_lender;
/* Asks, or gives what was lent before and is still good. source NULL: there is nobody to ask. */
tn_rc s3_lent_keys(tn_arena *a, const s3_lender *from, s3_lent *ret, tn_err *err) TN_MUSTUSE;
void s3_lent_forget(tn_str key_id); /* the server does not take it any more */
/* The time of an Expiration; 0: none. */
int64_t s3_lent_expiry(tn_str text);
/* ---- store_s3_metadata.c ---- */
/* Keys of the container or instance. A container is asked when the environment names its service; an instance when wanted, or named. */
tn_rc s3_lent_by_machine(tn_arena *a, bool ask_instance, s3_lent *ret, tn_err *err) TN_MUSTUSE;
/* {"AccessKeyId": .., "SecretAccessKey": .., "Token" or "SessionToken": .., "Expiration": ..} */
tn_rc s3_lent_document(tn_arena *a, tn_str text, s3_lent *ret, tn_err *err) TN_MUSTUSE;
/* ---- store_s3_sts.c ---- */
tn_rc s3_lent_by_role(tn_arena *a, const s3_lender *from, s3_lent *ret, tn_err *err) TN_MUSTUSE;
/* ---- store_s3_keys.c ---- */
/* The key to sign with now; a lent one is renewed before it runs out. Strings live as long as the store. */
s3_keys s3_keys_now(s3_store *s);
/* The server has refused a key as run out or unknown: true when another was found where that one came from. */
bool s3_keys_replace(s3_store *s, tn_str refused_id);
/* ---- store_s3.c ---- */
bool s3_is(const tn_store *s); /* a bucket's store itself, not one below a prefix of it */

#endif
