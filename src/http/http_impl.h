/* http_impl.h: private to src/http. */
#ifndef TN_HTTP_HTTP_IMPL_H
#define TN_HTTP_HTTP_IMPL_H

#include <curl/curl.h>

#include "http/client.h"

enum { HTTP_TLS_TEXT_MAX = 512 };

/* What the check of a server's certificate found, for the message. */
typedef struct http_tls_seen {
    bool failed;
    int code; /* X509_V_ERR_... */
    char subject[HTTP_TLS_TEXT_MAX];
    char issuer[HTTP_TLS_TEXT_MAX];
    char expired[64];
} http_tls_seen;

/* Hangs the observer on a handle; seen must outlive its connections. */
void http_tls_watch(CURL *curl, http_tls_seen *seen);
/* Message and hint for a failed transfer. url, ca_file: for the text. */
tn_rc http_fail(CURLcode code, const char *detail, tn_str url, tn_str ca_file,
    const http_tls_seen *seen, tn_err *err);
/* "host:port" of a URL. */
tn_str http_place(tn_str url);

#endif
