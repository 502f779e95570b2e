/* doctor_s3.c: the way to a bucket, step by step: settings, name, connection, TLS, credentials, clock; and uploads in parts. */
#include <stdlib.h>

#include "os/clock.h"
#include "os/random.h"
#include "store/doctor_impl.h"
#include "store/store_s3_impl.h"

enum { DAYS_WARN = 14, PART_BYTES = 5 << 20 };
enum { CLOCK_WARN_S = 60, CLOCK_REFUSED_S = 900 };

static const char *const REACH[] = { "name", "connection", "tls", "credentials", "clock", "list",
    "put", "get", "put-if-absent", "parts", "latency", "delete" };

/* Everything from that check on cannot be looked at. */
static void skip_from(doctor *d, const char *name)
{
    bool on = false;
    for (size_t i = 0; i < TN_COUNTOF(REACH); i++) {
        on = on || strcmp(REACH[i], name) == 0;
        if (on) {
            doctor_skip(d, REACH[i], "not looked at: the checks before failed");
        }
    }
}

static void add(
    doctor *d, const char *name, tn_probe_state state, int64_t us, tn_str says, const char *remedy)
{
    tn_probe_add(d->out, d->a,
        (tn_probe){
            .name = name, .state = state, .says = says, .remedy = tn_str_of(remedy), .us = us });
}

/* ---- settings ---- */

static bool check_settings(doctor *d, tn_s3_config *c)
{
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_s3_config_read(d->a, d->url, d->options, c, &why);
    if (rc != TN_OK) {
        tn_probe_fail(d->out, d->a, "settings", -1, &why);
        skip_from(d, "name");
        return false;
    }
    tn_str says = tn_str_printf(d->a,
        "bucket '" TN_STR_FMT "' at " TN_STR_FMT ", region " TN_STR_FMT
        ", %s style, key from %s%s" TN_STR_FMT,
        TN_STR_ARG(c->bucket), TN_STR_ARG(tn_s3_endpoint(d->a, c)), TN_STR_ARG(c->region),
        c->path_style ? "path" : "vhost", c->key_source != NULL ? c->key_source : "nowhere",
        c->ca_file.n > 0 ? ", ca_file " : "", TN_STR_ARG(c->ca_file));
    bool open = !c->use_ssl || !c->verify_tls;
    add(d, "settings", open ? TN_PROBE_WARN : TN_PROBE_OK, -1, says,
        !c->use_ssl      ? "plain http: keys and data are readable on the way; use https"
        : !c->verify_tls ? "certificates are not checked (verify_tls: false): give ca_file instead"
                         : "");
    return true;
}

/* ---- name, connection, TLS ---- */

static void tell_tls(doctor *d, const tn_s3_config *c, const tn_http_reach *r)
{
    if (!c->use_ssl) {
        doctor_skip(d, "tls", "plain http");
        return;
    }
    tn_str says = tn_str_printf(d->a,
        TN_STR_FMT ", certificate signed by '" TN_STR_FMT "', valid until " TN_STR_FMT
                   " (%d days)%s",
        TN_STR_ARG(r->tls_version), TN_STR_ARG(r->signed_by), TN_STR_ARG(r->valid_until),
        r->days_valid, c->verify_tls ? "" : "; NOT checked");
    bool soon = r->days_valid < DAYS_WARN;
    add(d, "tls", soon || !c->verify_tls ? TN_PROBE_WARN : TN_PROBE_OK, r->tls_us, says,
        soon ? "renew the server's certificate" : "");
}

static bool check_connection(doctor *d, s3_store *s)
{
    const tn_s3_config *c = &s->config;
    tn_http_reach r = { .name_us = -1 };
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_http_reach_try(s->http, d->a, s3_origin(s, d->a), &r, &why);
    /* The step at which it ended is the first that has no time. */
    bool named = rc == TN_OK || r.name_us >= 0;
    bool connected = rc == TN_OK || (named && (r.connect_us >= 0 || rc == TN_E_TLS));
    if (!named) {
        tn_probe_fail(d->out, d->a, "name", -1, &why);
        skip_from(d, "connection");
        return false;
    }
    add(d, "name", TN_PROBE_OK, r.name_us,
        r.address.n > 0 ? tn_str_printf(d->a, "leads to " TN_STR_FMT, TN_STR_ARG(r.address))
                        : TN_STR("is known"),
        "");
    if (!connected) {
        tn_probe_fail(d->out, d->a, "connection", -1, &why);
        skip_from(d, "tls");
        return false;
    }
    add(d, "connection", TN_PROBE_OK, r.connect_us, TN_STR("the port is open"), "");
    if (rc != TN_OK) {
        tn_probe_fail(d->out, d->a, "tls", r.tls_us, &why);
        skip_from(d, "credentials");
        return false;
    }
    tell_tls(d, c, &r);
    return true;
}

/* ---- credentials and clock: one signed request says both ---- */

static tn_str span(tn_arena *a, int64_t s)
{
    return s >= 2 * 86400  ? tn_str_printf(a, "%lld days", (long long)(s / 86400))
           : s >= 2 * 3600 ? tn_str_printf(a, "%lld hours", (long long)(s / 3600))
           : s >= 2 * 60   ? tn_str_printf(a, "%lld minutes", (long long)(s / 60))
                           : tn_str_printf(a, "%lld s", (long long)s);
}

static void check_clock(doctor *d, int64_t theirs_us, int64_t asked_us, int64_t took_us)
{
    if (theirs_us < 0) {
        doctor_skip(d, "clock", "the server does not tell its time");
        return;
    }
    int64_t s = (asked_us + took_us / 2 - theirs_us) / 1000000; /* its Date has whole seconds */
    tn_str says = llabs(s) <= 1
                      ? TN_STR("agrees with the server's")
                      : tn_str_printf(d->a, "this machine is " TN_STR_FMT " %s the server",
                            TN_STR_ARG(span(d->a, llabs(s))), s > 0 ? "ahead of" : "behind");
    bool far = llabs(s) > CLOCK_WARN_S;
    add(d, "clock", far ? TN_PROBE_WARN : TN_PROBE_OK, -1, says,
        !far ? ""
        : llabs(s) > CLOCK_REFUSED_S
            ? "set the clock (ntp): tarn signs with the server's time, but DuckDB's reads and "
              "other programs are refused (RequestTimeTooSkewed)"
            : "set the clock (ntp): beyond 15 minutes servers refuse signatures");
}

static bool check_credentials(doctor *d, s3_store *s)
{
    s3_call call = { .method = "GET", .bytes_max = TN_HTTP_ERROR_BYTES_MAX };
    s3_pair(d->a, &call.query, "list-type", TN_STR("2"));
    s3_pair(d->a, &call.query, "max-keys", TN_STR("1"));
    s3_pair(d->a, &call.query, "prefix", s->dir);
    tn_http_response r = { 0 };
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us(), asked = tn_clock_now_us();
    tn_rc rc = s3_send(s, d->a, &call, &r, &why);
    int64_t took = tn_clock_mono_us() - began;
    rc = rc == TN_OK ? s3_check_listing(s, d->a, &r, &why) : rc;
    if (rc == TN_E_AUTH && tn_str_is(s3_error_of(d->a, r.body).code, "AccessDenied") &&
        s->config.key_source != NULL) {
        (void)tn_hint(&why, rc,
            "the server knows the key (from %s), which may not list the bucket: it needs "
            "s3:ListBucket",
            s->config.key_source);
    }
    if (rc == TN_E_NET && s->config.use_ssl && s->config.client_cert.n == 0) {
        (void)tn_hint(&why, rc,
            "TLS was fine and then the server hung up: it may want a client certificate "
            "(client_cert, client_key)");
    }
    if (rc != TN_OK) {
        tn_probe_fail(d->out, d->a, "credentials", took, &why);
        check_clock(d, tn_http_time_us(tn_http_header_get(&r.headers, "date")), asked, took);
        skip_from(d, "list");
        return false;
    }
    add(d, "credentials", TN_PROBE_OK, took,
        s->config.key_source == NULL
            ? TN_STR("none are given, and the bucket may be listed by anyone")
            : TN_STR("the bucket is there and the key may list it"),
        "");
    check_clock(d, tn_http_time_us(tn_http_header_get(&r.headers, "date")), asked, took);
    return true;
}

bool doctor_reach_s3(doctor *d, tn_store **ret)
{
    tn_s3_config c;
    if (!check_settings(d, &c)) {
        return false;
    }
    TN_AUTOPTR(tn_store) store = NULL;
    tn_err why = TN_ERR_INIT;
    tn_val options = tn_val_is_none(d->options) || d->options.tag != TN_DICT
                         ? tn_val_dict(d->a)
                         : tn_val_dup(d->a, d->options);
    if (tn_val_is_undef(tn_val_at(options, "max_retries"))) {
        tn_dict_putz(options.dict, "max_retries", tn_val_int(1));
    }
    tn_store_opts opts = { .options = options };
    if (tn_store_open_s3(d->url, &opts, &store, &why) != TN_OK) {
        tn_probe_fail(d->out, d->a, "tls", -1, &why); /* ca_file cannot be read */
        skip_from(d, "credentials");
        return false;
    }
    s3_store *s = (s3_store *)store;
    if (!check_connection(d, s) || !check_credentials(d, s)) {
        return false;
    }
    *ret = TN_TAKE(store);
    return true;
}

/* ---- put-if-absent by other means ---- */

const char *doctor_stand_in(doctor *d, int *ret_racers)
{
    enum { LEASE_RACERS = 3 }; /* each turn takes seconds */
    s3_way way = S3_WAY_UNKNOWN;
    if (s3_way_find((s3_store *)d->store, d->a, &way, NULL) != TN_OK || way == S3_WAY_HEADER) {
        return NULL; /* the race will tell */
    }
    *ret_racers = way == S3_WAY_LEASE ? LEASE_RACERS : 0;
    return way == S3_WAY_LEASE
               ? "the store has no conditional puts; a lease stands in, with which every commit "
                 "takes seconds and all writers must be tarn's with the same setting"
               : "the store has no conditional puts; there may be one writer only "
                 "(allow_unsafe_rename)";
}

/* ---- uploads in parts ---- */

void doctor_check_parts(doctor *d)
{
    s3_store *s = (s3_store *)d->store;
    tn_err why = TN_ERR_INIT;
    int64_t began = tn_clock_mono_us();
    size_t n = PART_BYTES + 1;
    char *bytes = tn_arena_alloc(d->a, n);
    memset(bytes, 'x', n);
    tn_str key = doctor_key(d, "parts");
    tn_store_item item = { .size = -1 };
    tn_rc rc = s3_put_cut(s, key, tn_str_n(bytes, n), PART_BYTES, &why);
    rc = rc == TN_OK ? tn_store_head(d->store, d->a, key, &item, &why) : rc;
    if (rc == TN_OK && item.size != (int64_t)n) {
        rc = tn_fail(&why, TN_E_CORRUPT, "an upload in parts has %lld bytes of %zu",
            (long long)item.size, n);
    }
    int64_t us = tn_clock_mono_us() - began;
    if (rc != TN_OK) {
        tn_probe_fail(d->out, d->a, "parts", us, &why);
        return;
    }
    add(d, "parts", TN_PROBE_OK, us,
        tn_str_printf(d->a, "an upload of 5 MiB in two parts took %.0f ms", (double)us / 1000), "");
}
