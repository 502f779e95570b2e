/* http_reach.c: one connection step by step: name, TCP, TLS. It is what requests do, with the same certificates and proxy, taken apart. */
#include "http/http_impl.h"

static int64_t step_us(curl_off_t from, curl_off_t to)
{
    return to > 0 ? (int64_t)(to - from) : -1;
}

static void fill(CURL *c, tn_arena *a, const http_tls_seen *seen, tn_http_reach *r)
{
    curl_off_t name = 0, connect = 0, tls = 0;
    char *ip = NULL;
    curl_easy_getinfo(c, CURLINFO_NAMELOOKUP_TIME_T, &name);
    curl_easy_getinfo(c, CURLINFO_CONNECT_TIME_T, &connect);
    curl_easy_getinfo(c, CURLINFO_APPCONNECT_TIME_T, &tls);
    r->name_us = step_us(0, name);
    r->connect_us = step_us(name, connect);
    r->tls_us = step_us(connect, tls);
    if (curl_easy_getinfo(c, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip != NULL) {
        r->address = tn_str_dup(a, tn_str_of(ip));
    }
    if (seen->has_leaf) {
        r->tls_version = tn_str_dup(a, tn_str_of(seen->tls_version));
        r->signed_by = tn_str_dup(a, tn_str_of(seen->leaf_issuer));
        r->valid_until = tn_str_dup(a, tn_str_of(seen->leaf_until));
        r->days_valid = seen->leaf_days;
    }
}

tn_rc tn_http_reach_try(tn_http *h, tn_arena *a, tn_str url, tn_http_reach *ret, tn_err *err)
{
    http_handle x = { .curl = curl_easy_init() };
    TN_CHECK(x.curl != NULL);
    http_set_transport(h, &x, a);
    curl_easy_setopt(x.curl, CURLOPT_URL, tn_str_z(a, url));
    curl_easy_setopt(x.curl, CURLOPT_CONNECT_ONLY, 1L);
    CURLcode code = curl_easy_perform(x.curl);
    *ret = (tn_http_reach){ .name_us = -1 };
    fill(x.curl, a, &x.seen, ret);
    tn_rc rc = TN_OK;
    if (code != CURLE_OK) {
        rc = http_fail(code, x.detail[0] != '\0' ? x.detail : curl_easy_strerror(code), url,
            &h->opts, &x.seen, err);
    }
    curl_easy_cleanup(x.curl);
    return rc;
}
