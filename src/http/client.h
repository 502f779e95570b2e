/* client.h: HTTP/1.1 requests over pooled connections (libcurl), with TLS that says what is wrong.
 *
 * A client is shared by threads; each request takes one of its handles, whose connection stays open for the next request.
 * Certificates are checked against the system's and, in addition, against ca_file (a PEM file, or a folder of them).
 *
 * Errors of the transport: TN_E_TLS (certificates, answered at once and never tried again), TN_E_NET (name, connection), TN_E_TIMEOUT,
 * TN_E_LIMIT (answer longer than bytes_max), TN_E_CANCELLED (Ctrl-C). An answer with any status is TN_OK: the caller judges it.
 *
 * Retries: 429, 500, 502, 503, 504, resets, timeouts and refused connections, with full jitter (a random wait below a bound that doubles from
 * 100 ms to 5 s). `outcome_unknown` in the response says that an attempt before the last may have been carried out.
 * Times are milliseconds. Response texts live in the arena given.
 */
#ifndef TN_HTTP_CLIENT_H
#define TN_HTTP_CLIENT_H

#include "base/val.h"
#include "base/vec.h"

typedef struct tn_http tn_http;

typedef struct tn_http_opts {
    tn_str ca_file;     /* PEM file or folder; empty: the system's certificates only */
    tn_str client_cert; /* PEM; empty: none */
    tn_str client_key;  /* PEM; empty: in client_cert */
    tn_str proxy;       /* URL; empty: http_proxy, https_proxy and no_proxy of the environment */
    tn_str
        direct; /* hosts that are reached without the proxy, "a.example,.b.example"; empty: no_proxy */
    bool no_proxy;      /* none, whatever the environment says */
    bool no_verify;     /* certificates are not checked; the caller has warned */
    int64_t connect_ms; /* 0: 10 s */
    int64_t stall_ms;   /* no byte for so long ends an attempt; 0: 30 s */
    int retries_max;    /* attempts after the first; 0: 6, -1: none */
} tn_http_opts;

typedef struct tn_http_header {
    tn_str name; /* in responses lower case */
    tn_str value;
} tn_http_header;
typedef tn_vec(tn_http_header) tn_http_headers;

typedef struct tn_http_request tn_http_request;
struct tn_http_request {
    const char *method; /* a literal */
    tn_str url;         /* encoded; sent as it is */
    tn_http_headers headers;
    tn_str body;
    size_t
        bytes_max; /* of the answer's body; error bodies may have TN_HTTP_ERROR_BYTES_MAX at least */
    int64_t until_us; /* tn_clock_mono_us: no attempt begins or goes on after it; 0: no such end */
    /* Called before each attempt to add headers that belong to it (a signature holds the time). May be NULL. */
    tn_rc (*sign)(
        void *self, const tn_http_request *req, tn_arena *a, tn_http_headers *add, tn_err *err);
    void *self;
    /* How far an attempt is, some times a second: bytes of the body sent and received, and how many there will be (0: not known). May be NULL. */
    void (*progress)(void *progress_self, int64_t sent, int64_t received, int64_t receives);
    void *progress_self;
};
enum { TN_HTTP_ERROR_BYTES_MAX = 1 << 20 };

typedef struct tn_http_response {
    int status;
    tn_http_headers headers;
    tn_str body;
    int attempts;
    bool outcome_unknown; /* an attempt that gave no usable answer may have been carried out */
} tn_http_response;

tn_rc tn_http_open(const tn_http_opts *opts, tn_http **ret, tn_err *err) TN_MUSTUSE;
void tn_http_close(tn_http *h); /* NULL is fine; no request is running */
TN_DEFINE_AUTOPTR(tn_http, tn_http_close)
/* Sends until there is an answer that another attempt would not better. On failure ret->attempts and ret->outcome_unknown are set, nothing else. */
tn_rc tn_http_send(tn_http *h, tn_arena *a, const tn_http_request *req, tn_http_response *ret,
    tn_err *err) TN_MUSTUSE;
tn_str tn_http_header_get(const tn_http_headers *h, const char *lower_name); /* empty when absent */
int64_t tn_http_time_us(tn_str date); /* "Wed, 21 Oct 2015 07:28:00 GMT"; -1: no date */

/* How far one connection comes, step by step; for people who look for what is wrong. */
typedef struct tn_http_reach {
    tn_str address;  /* where the name leads; empty: not resolved */
    int64_t name_us; /* what each step took; -1: it was not done */
    int64_t connect_us;
    int64_t tls_us;
    tn_str tls_version; /* "TLSv1.3"; empty: plain http */
    tn_str signed_by, valid_until;
    int days_valid;
} tn_http_reach;
/* Opens a connection to the URL's host and closes it; no request is sent and nothing is tried again. ret is filled as far as it came, on
 * failure too. */
tn_rc tn_http_reach_try(
    tn_http *h, tn_arena *a, tn_str url, tn_http_reach *ret, tn_err *err) TN_MUSTUSE;

/* All certificates that count, PEM: those of ca_file (file or folder) and the system's. TN_E_TLS when ca_file holds none. */
tn_rc tn_http_ca_bundle(tn_arena *a, tn_str ca_file, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
