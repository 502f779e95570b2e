/* http_impl.h: private to src/http. */
#ifndef TN_HTTP_HTTP_IMPL_H
#define TN_HTTP_HTTP_IMPL_H

#include <curl/curl.h>

#include "http/client.h"
#include "os/thread.h"

enum { HTTP_TLS_TEXT_MAX = 512, HTTP_HANDLES_MAX = 64 };

/* What the check of a server's certificate found, for the message. */
typedef struct http_tls_seen {
    bool failed;
    int code; /* X509_V_ERR_... */
    char subject[HTTP_TLS_TEXT_MAX];
    char issuer[HTTP_TLS_TEXT_MAX];
    char expired[64];
    bool has_leaf; /* the server's own certificate was looked at */
    char tls_version[16];
    char leaf_issuer[HTTP_TLS_TEXT_MAX];
    char leaf_until[64];
    int leaf_days;                      /* until it expires */
    char leaf_names[HTTP_TLS_TEXT_MAX]; /* whom it is for: "'minio.example', '10.0.0.7'" */
} http_tls_seen;

typedef struct http_handle {
    CURL *curl;
    bool busy;
    char detail[CURL_ERROR_SIZE];
    http_tls_seen seen;
} http_handle;

struct tn_http {
    tn_arena *arena;
    tn_http_opts opts;
    tn_str bundle; /* PEM */
    tn_mutex lock;
    tn_cond freed;
    http_handle *handles[HTTP_HANDLES_MAX];
    size_t n;
};

/* What every transfer of the client has in common: times, proxy, certificates. x->curl is fresh or reset. */
void http_set_transport(tn_http *h, http_handle *x, tn_arena *a);

/* Hangs the observer on a handle; seen must outlive its connections. */
void http_tls_watch(CURL *curl, http_tls_seen *seen);
/* Message and hint for a failed transfer. url, opts: for the text. */
tn_rc http_fail(CURLcode code, const char *detail, tn_str url, const tn_http_opts *opts,
    const http_tls_seen *seen, tn_err *err);
/* "host:port" of a URL. */
tn_str http_place(tn_str url);

#endif
