/* http_tls.c: which certificates count, and what to say when one does not.
 *
 * libcurl reports a bad chain as "unable to get local issuer certificate". Users need to know which authority signed the certificate and where to
 * put its file, so OpenSSL's check is watched and its findings are kept for the message.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "http/http_impl.h"
#include "os/file.h"
#include "os/proc.h"

enum { CA_BYTES_MAX = 16 << 20 };

/* ---- the certificates that are trusted ---- */

static const char *const system_bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

static bool is_pem(tn_str text)
{
    return tn_str_find(text, TN_STR("-----BEGIN CERTIFICATE-----"), 0) != SIZE_MAX ||
           tn_str_find(text, TN_STR("-----BEGIN TRUSTED CERTIFICATE-----"), 0) != SIZE_MAX;
}

static tn_rc add_folder(tn_buf *b, tn_arena *a, tn_str dir, tn_err *err)
{
    tn_file_infos entries;
    TN_TRY(tn_dir_list(a, dir, false, &entries, err));
    for (size_t i = 0; i < entries.n; i++) {
        tn_str path = tn_str_printf(
            a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(dir), TN_STR_ARG(entries.v[i].name));
        tn_str text;
        if (!tn_file_is_dir(path) && tn_file_read(a, path, CA_BYTES_MAX, &text, NULL) == TN_OK &&
            is_pem(text)) {
            tn_buf_add(b, text);
            tn_buf_addc(b, '\n');
        }
    }
    return TN_OK;
}

tn_rc tn_http_ca_bundle(tn_arena *a, tn_str ca_file, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, CA_BYTES_MAX);
    if (ca_file.n > 0) {
        tn_rc rc = TN_OK;
        if (tn_file_is_dir(ca_file)) {
            rc = add_folder(&b, a, ca_file, err);
        } else {
            tn_str text;
            rc = tn_file_read(a, ca_file, CA_BYTES_MAX, &text, err);
            if (rc == TN_OK) {
                tn_buf_add(&b, text);
                tn_buf_addc(&b, '\n');
            }
        }
        if (rc != TN_OK) {
            rc = tn_while(err, rc, "reading the certificates to trust (ca_file)");
            return tn_hint(err, rc,
                "it is the option ca_file, --ca-file, TARN_CA_FILE or AWS_CA_BUNDLE that names it");
        }
        if (!is_pem(tn_buf_str(&b))) {
            return tn_hint(err,
                tn_fail(err, TN_E_TLS, "no certificate is in ca_file '" TN_STR_FMT "'",
                    TN_STR_ARG(ca_file)),
                "it must be PEM text with -----BEGIN CERTIFICATE-----");
        }
    }
    tn_str system = tn_env_get("SSL_CERT_FILE");
    for (size_t i = 0; system.n == 0 && i < TN_COUNTOF(system_bundles); i++) {
        if (tn_file_exists(tn_str_of(system_bundles[i]))) {
            system = tn_str_of(system_bundles[i]);
        }
    }
    tn_str text;
    if (system.n > 0 && tn_file_read(a, system, CA_BYTES_MAX, &text, NULL) == TN_OK) {
        if (b.n > 0 && tn_str_find(text, tn_buf_str(&b), 0) != SIZE_MAX) {
            b = tn_buf_init(a, CA_BYTES_MAX); /* a bundle that was made here before has them */
        }
        tn_buf_add(&b, text);
    }
    return tn_buf_finish(&b, "the certificates to trust", ret, err);
}

/* ---- watching the check ---- */

static void name_text(X509_NAME *name, char *out, size_t n)
{
    /* The common name says most; without one, everything on one line. */
    if (X509_NAME_get_text_by_NID(name, NID_commonName, out, (int)n) <= 0) {
        X509_NAME_oneline(name, out, (int)n);
    }
}

static void date_text(const ASN1_TIME *t, char *out, size_t n)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL) {
        ASN1_TIME_print(bio, t);
        int got = BIO_read(bio, out, (int)n - 1);
        out[got > 0 ? got : 0] = '\0';
        BIO_free(bio);
    }
}

static void add_name(char *out, size_t bytes, const char *name, int n)
{
    size_t at = strlen(out);
    if (n > 0 && at + (size_t)n + 8 < bytes) {
        (void)snprintf(out + at, bytes - at, "%s'%.*s'", at > 0 ? ", " : "", n, name);
    }
}

static void note_names(http_tls_seen *seen, X509 *cert)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    char *out = seen->leaf_names;
    out[0] = '\0';
    for (int i = 0; all != NULL && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        char ip[INET6_ADDRSTRLEN];
        if (g->type == GEN_DNS) {
            add_name(out, sizeof seen->leaf_names,
                (const char *)ASN1_STRING_get0_data(g->d.dNSName),
                ASN1_STRING_length(g->d.dNSName));
        } else if (g->type == GEN_IPADD) {
            int family = ASN1_STRING_length(g->d.iPAddress) == 4 ? AF_INET : AF_INET6;
            if (inet_ntop(family, ASN1_STRING_get0_data(g->d.iPAddress), ip, sizeof ip) != NULL) {
                add_name(out, sizeof seen->leaf_names, ip, (int)strlen(ip));
            }
        }
    }
    GENERAL_NAMES_free(all);
}

static void note_leaf(http_tls_seen *seen, X509 *cert)
{
    note_names(seen, cert);
    int seconds = 0;
    seen->has_leaf = true;
    name_text(X509_get_issuer_name(cert), seen->leaf_issuer, sizeof seen->leaf_issuer);
    date_text(X509_get0_notAfter(cert), seen->leaf_until, sizeof seen->leaf_until);
    (void)ASN1_TIME_diff(&seen->leaf_days, &seconds, NULL, X509_get0_notAfter(cert));
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    http_tls_seen *seen = ssl != NULL ? SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) : NULL;
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    if (seen != NULL && cert != NULL && X509_STORE_CTX_get_error_depth(store) == 0) {
        note_leaf(seen, cert);
        (void)snprintf(seen->tls_version, sizeof seen->tls_version, "%s", SSL_get_version(ssl));
    }
    if (ok || seen == NULL || cert == NULL || seen->failed) {
        return ok;
    }
    seen->failed = true;
    seen->code = X509_STORE_CTX_get_error(store);
    name_text(X509_get_subject_name(cert), seen->subject, sizeof seen->subject);
    name_text(X509_get_issuer_name(cert), seen->issuer, sizeof seen->issuer);
    date_text(X509_get0_notAfter(cert), seen->expired, sizeof seen->expired);
    return ok;
}

static CURLcode on_context(CURL *curl, void *ctx, void *seen)
{
    (void)curl;
    SSL_CTX_set_app_data((SSL_CTX *)ctx, seen);
    SSL_CTX_set_verify((SSL_CTX *)ctx, SSL_CTX_get_verify_mode((SSL_CTX *)ctx), on_verify);
    return CURLE_OK;
}

void http_tls_watch(CURL *curl, http_tls_seen *seen)
{
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, seen);
}

/* ---- what to say ---- */

tn_str http_place(tn_str url)
{
    size_t from = tn_str_find(url, TN_STR("://"), 0);
    tn_str rest = from == SIZE_MAX ? url : tn_str_sub(url, from + 3, url.n);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?') {
        end++;
    }
    return tn_str_sub(rest, 0, end);
}

static tn_rc fail_certificate(
    const char *detail, tn_str place, tn_str ca_file, const http_tls_seen *seen, tn_err *err)
{
    if (!seen->failed) {
        if (strstr(detail, "subject") != NULL && seen->leaf_names[0] != '\0') {
            tn_fail(err, TN_E_TLS,
                "the certificate of '" TN_STR_FMT "' is for %s, not for that name",
                TN_STR_ARG(place), seen->leaf_names);
            return tn_hint(err, TN_E_TLS,
                "use one of its names in the endpoint, or give the server a certificate that has "
                "this one (subjectAltName)");
        }
        tn_fail(err, TN_E_TLS, "the certificate of '" TN_STR_FMT "' is refused: %s",
            TN_STR_ARG(place), detail);
        return tn_hint(err, TN_E_TLS,
            "the name in the endpoint must be one of the certificate's names (subjectAltName)");
    }
    if (seen->code == X509_V_ERR_CERT_HAS_EXPIRED) {
        tn_fail(err, TN_E_TLS, "the certificate '%s' of '" TN_STR_FMT "' has expired on %s",
            seen->subject, TN_STR_ARG(place), seen->expired);
        return tn_hint(err, TN_E_TLS, "renew it on the server, or look at this machine's clock");
    }
    if (seen->code == X509_V_ERR_CERT_NOT_YET_VALID) {
        tn_fail(err, TN_E_TLS, "the certificate '%s' of '" TN_STR_FMT "' is not valid yet",
            seen->subject, TN_STR_ARG(place));
        return tn_hint(err, TN_E_TLS, "look at the clocks of this machine and of the server");
    }
    if (ca_file.n > 0) {
        tn_fail(err, TN_E_TLS,
            "the certificate of '" TN_STR_FMT
            "' is signed by '%s', which is not in ca_file '" TN_STR_FMT
            "' and not among the system's certificates (%s)",
            TN_STR_ARG(place), seen->issuer, TN_STR_ARG(ca_file),
            X509_verify_cert_error_string(seen->code));
    } else {
        tn_fail(err, TN_E_TLS,
            "the certificate of '" TN_STR_FMT
            "' is signed by '%s', which is not among the system's certificates (%s)",
            TN_STR_ARG(place), seen->issuer, X509_verify_cert_error_string(seen->code));
    }
    return tn_hint(err, TN_E_TLS,
        "give the file of that authority's certificate as ca_file, --ca-file or TARN_CA_FILE");
}

static tn_rc fail_handshake(const char *detail, tn_str place, tn_err *err)
{
    tn_fail(err, TN_E_TLS, "no TLS connection to '" TN_STR_FMT "': %s", TN_STR_ARG(place), detail);
    if (strstr(detail, "wrong version number") != NULL || strstr(detail, "packet length") != NULL) {
        return tn_hint(err, TN_E_TLS,
            "the server seems to speak plain http: give the endpoint as http://... with "
            "allow_http");
    }
    if (strstr(detail, "certificate required") != NULL ||
        strstr(detail, "bad certificate") != NULL) {
        return tn_hint(
            err, TN_E_TLS, "the server wants a client certificate: client_cert and client_key");
    }
    return TN_E_TLS;
}

/* The proxy that requests to this URL go by, when there is one; no_proxy is not asked. */
static tn_str proxy_for(tn_str url, const tn_http_opts *o)
{
    static const char *const secure[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    static const char *const plain[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
    bool tls = tn_str_starts(url, TN_STR("https:"));
    tn_str found = o->no_proxy ? TN_STR_NONE : o->proxy;
    size_t n = tls ? TN_COUNTOF(secure) : TN_COUNTOF(plain);
    for (size_t i = 0; !o->no_proxy && found.n == 0 && i < n; i++) {
        found = tn_env_get(tls ? secure[i] : plain[i]);
    }
    size_t at = tn_str_find_char(found, '@', 0); /* what stands before is a password */
    return at == SIZE_MAX ? found : tn_str_sub(found, at + 1, found.n);
}

static bool has_port(tn_str place, tn_str port)
{
    return tn_str_ends(place, port) && place.n > port.n && place.p[place.n - port.n - 1] == ':';
}

static tn_rc fail_connect(const char *detail, tn_str url, const tn_http_opts *opts, tn_err *err)
{
    tn_str place = http_place(url), proxy = http_place(proxy_for(url, opts)), host, port;
    /* libcurl names the port at which it failed. */
    char words[64];
    bool by_proxy = proxy.n > 0 && tn_str_cut(proxy, ':', &host, &port) &&
                    snprintf(words, sizeof words, "port " TN_STR_FMT " ", TN_STR_ARG(port)) > 0 &&
                    strstr(detail, words) != NULL && !has_port(place, port);
    if (by_proxy) {
        tn_fail(err, TN_E_NET, "no connection to the proxy '" TN_STR_FMT "': %s", TN_STR_ARG(proxy),
            detail);
        return tn_hint(err, TN_E_NET,
            "is the proxy running? It is from the option proxy or from https_proxy; hosts in "
            "no_proxy are reached without it");
    }
    tn_fail(err, TN_E_NET, "no connection to '" TN_STR_FMT "': %s", TN_STR_ARG(place), detail);
    return tn_hint(err, TN_E_NET, "is the server running and the port right");
}

tn_rc http_fail(CURLcode code, const char *detail, tn_str url, const tn_http_opts *opts,
    const http_tls_seen *seen, tn_err *err)
{
    tn_str place = http_place(url);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail_certificate(detail, place, opts->ca_file, seen, err);
    case CURLE_SSL_CONNECT_ERROR:
        return fail_handshake(detail, place, err);
    case CURLE_SSL_CERTPROBLEM:
        return tn_fail(err, TN_E_TLS, "the client certificate cannot be used: %s", detail);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return tn_fail(err, TN_E_TLS, "'" TN_STR_FMT "': %s", TN_STR_ARG(place), detail);
    case CURLE_COULDNT_RESOLVE_HOST:
        return tn_hint(err,
            tn_fail(err, TN_E_NET, "the name in '" TN_STR_FMT "' cannot be resolved",
                TN_STR_ARG(place)),
            "check the endpoint and this machine's name service");
    case CURLE_COULDNT_RESOLVE_PROXY:
        return tn_hint(err, tn_fail(err, TN_E_NET, "the proxy cannot be resolved: %s", detail),
            "look at the option proxy and at https_proxy");
    case CURLE_COULDNT_CONNECT:
        return fail_connect(detail, url, opts, err);
    case CURLE_OPERATION_TIMEDOUT:
        return tn_fail(
            err, TN_E_TIMEOUT, "'" TN_STR_FMT "' does not answer: %s", TN_STR_ARG(place), detail);
    case CURLE_ABORTED_BY_CALLBACK:
        return tn_fail(err, TN_E_CANCELLED, "interrupted");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is no http or https URL: %s",
            TN_STR_ARG(url), detail);
    default:
        if (strstr(detail, "certificate required") !=
            NULL) { /* TLS 1.3 says it after the handshake */
            return fail_handshake(detail, place, err);
        }
        return tn_fail(err, TN_E_NET, "the connection to '" TN_STR_FMT "' failed: %s",
            TN_STR_ARG(place), detail);
    }
}
