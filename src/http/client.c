/* client.c: the pool of handles, one attempt, and the attempts of one request. Words of failures are in http_tls.c. */
#include "http/client.h"

#include "base/log.h"
#include "http/http_impl.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/random.h"

enum {
    HEADERS_MAX = 256,
    HEADER_BYTES_MAX = 64 << 10,
    CONNECT_MS = 10000,
    STALL_MS = 30000,
    RETRIES_MAX = 6,
    WAIT_FIRST_MS = 100,
    WAIT_MAX_MS = 5000,
    DNS_RETRIES_MAX = 1,
};

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void)
{
    TN_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

tn_rc tn_http_open(const tn_http_opts *opts, tn_http **ret, tn_err *err)
{
    (void)pthread_once(&started, start);
    tn_arena *a = tn_arena_new("http", NULL);
    tn_http *h = tn_new(a, tn_http);
    h->arena = a;
    h->lock = (tn_mutex)TN_MUTEX_INIT;
    h->freed = (tn_cond)TN_COND_INIT;
    h->opts = (tn_http_opts){
        .ca_file = tn_str_dup(a, opts->ca_file),
        .client_cert = tn_str_dup(a, opts->client_cert),
        .client_key = tn_str_dup(a, opts->client_key),
        .proxy = tn_str_dup(a, opts->proxy),
        .direct = tn_str_dup(a, opts->direct),
        .no_proxy = opts->no_proxy,
        .no_verify = opts->no_verify,
        .connect_ms = opts->connect_ms > 0 ? opts->connect_ms : CONNECT_MS,
        .stall_ms = opts->stall_ms > 0 ? opts->stall_ms : STALL_MS,
        .retries_max = opts->retries_max == 0 ? RETRIES_MAX : opts->retries_max,
    };
    tn_rc rc = opts->no_verify ? TN_OK : tn_http_ca_bundle(a, opts->ca_file, &h->bundle, err);
    if (rc != TN_OK) {
        tn_arena_free(a);
        return rc;
    }
    *ret = h;
    return TN_OK;
}

void tn_http_close(tn_http *h)
{
    if (h == NULL) {
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        TN_DCHECK(!h->handles[i]->busy);
        curl_easy_cleanup(h->handles[i]->curl);
    }
    tn_arena_free(h->arena);
}

/* ---- the pool ---- */

static http_handle *find_free(tn_http *h) /* the lock is held */
{
    for (size_t i = 0; i < h->n; i++) {
        if (!h->handles[i]->busy) {
            return h->handles[i];
        }
    }
    if (h->n == HTTP_HANDLES_MAX) {
        return NULL;
    }
    http_handle *made = tn_new(h->arena, http_handle);
    made->curl = curl_easy_init();
    TN_CHECK(made->curl != NULL);
    h->handles[h->n++] = made;
    return made;
}

static http_handle *take(tn_http *h)
{
    TN_LOCKED(&h->lock);
    http_handle *x;
    while ((x = find_free(h)) == NULL) {
        tn_cond_wait(&h->freed, &h->lock);
    }
    x->busy = true;
    return x;
}

static void give_back(tn_http *h, http_handle *x)
{
    curl_easy_reset(x->curl); /* its connection stays */
    TN_LOCKED(&h->lock);
    x->busy = false;
    tn_cond_signal(&h->freed);
}

/* ---- one attempt ---- */

typedef struct attempt {
    tn_arena *a;
    CURL *curl;
    tn_http_headers headers;
    tn_buf body;
    size_t bytes_max;
    bool too_long;
} attempt;

static size_t on_header(char *p, size_t size, size_t n, void *self)
{
    attempt *t = self;
    tn_str line = tn_str_n(p, size * n), name, value;
    if (tn_str_starts(line, TN_STR("HTTP/"))) {
        t->headers.n = 0; /* of a proxy's answer, or of 100 Continue */
        return line.n;
    }
    if (t->headers.n >= HEADERS_MAX || line.n > HEADER_BYTES_MAX) {
        return 0;
    }
    if (tn_str_cut(line, ':', &name, &value)) {
        tn_http_header h = { .name = tn_str_lower(t->a, tn_str_trim(name)),
            .value = tn_str_dup(t->a, tn_str_trim(value)) };
        tn_vec_push(&t->headers, t->a, h);
    }
    return line.n;
}

static size_t on_body(char *p, size_t size, size_t n, void *self)
{
    attempt *t = self;
    size_t bytes = size * n;
    if (t->body.p == NULL) {
        long status = 0;
        curl_off_t length = -1;
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        size_t max =
            status >= 300 ? tn_max_size(t->bytes_max, TN_HTTP_ERROR_BYTES_MAX) : t->bytes_max;
        t->body = tn_buf_init(t->a, tn_size_add(max, 1)); /* and a zero byte behind it */
        if (length > 0 && (uint64_t)length <= max) {
            (void)tn_buf_reserve(&t->body, (size_t)length + 1);
        }
    }
    t->too_long = bytes >= t->body.limit - t->body.n;
    if (t->too_long) {
        return 0;
    }
    tn_buf_add_n(&t->body, p, bytes);
    return bytes;
}

static int on_progress(
    void *self, curl_off_t receives, curl_off_t received, curl_off_t sends, curl_off_t sent)
{
    const tn_http_request *req = self; /* NULL: a connection without a request */
    (void)sends;
    if (req != NULL && req->progress != NULL) {
        req->progress(req->progress_self, sent, received, receives);
    }
    return tn_interrupted() ? 1 : 0;
}

void http_set_transport(tn_http *h, http_handle *x, tn_arena *a)
{
    CURL *c = x->curl;
    const tn_http_opts *o = &h->opts;
    x->detail[0] = '\0';
    x->seen.failed = false;
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->detail);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)((o->stall_ms + 999) / 1000));
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    if (o->proxy.n > 0) {
        curl_easy_setopt(c, CURLOPT_PROXY, tn_str_z(a, o->proxy));
    }
    if (o->direct.n > 0) {
        curl_easy_setopt(c, CURLOPT_NOPROXY, tn_str_z(a, o->direct));
    }
    if (o->no_proxy) {
        curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    }
    if (o->no_verify) {
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (h->bundle.n > 0) {
        struct curl_blob blob = {
            .data = (void *)(uintptr_t)h->bundle.p, .len = h->bundle.n, .flags = CURL_BLOB_NOCOPY
        };
        curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (o->client_cert.n > 0) {
        tn_str key = o->client_key.n > 0 ? o->client_key : o->client_cert;
        curl_easy_setopt(c, CURLOPT_SSLCERT, tn_str_z(a, o->client_cert));
        curl_easy_setopt(c, CURLOPT_SSLKEY, tn_str_z(a, key));
    }
    http_tls_watch(c, &x->seen);
}

static struct curl_slist *add_headers(
    struct curl_slist *list, tn_arena *a, const tn_http_headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        /* "name;" is libcurl's way to send a header without a value. */
        const char *line = h->v[i].value.n > 0
                               ? tn_arena_printf(a, TN_STR_FMT ": " TN_STR_FMT,
                                     TN_STR_ARG(h->v[i].name), TN_STR_ARG(h->v[i].value))
                               : tn_arena_printf(a, TN_STR_FMT ";", TN_STR_ARG(h->v[i].name));
        list = curl_slist_append(list, line);
        TN_CHECK(list != NULL);
    }
    return list;
}

static bool is_over(const tn_http_request *req)
{
    return req->until_us > 0 && tn_clock_mono_us() >= req->until_us;
}

static void set_request(CURL *c, tn_arena *a, const tn_http_request *req)
{
    if (req->until_us > 0) {
        int64_t left_ms = (req->until_us - tn_clock_mono_us()) / 1000;
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left_ms > 0 ? (long)left_ms : 1L);
    }
    curl_easy_setopt(c, CURLOPT_URL, tn_str_z(a, req->url));
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)req);
    bool sends = strcmp(req->method, "PUT") == 0 || strcmp(req->method, "POST") == 0;
    if (sends) {
        curl_easy_setopt(c, CURLOPT_POST, 1L);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, req->body.n > 0 ? req->body.p : "");
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n);
    }
    if (strcmp(req->method, "HEAD") == 0) {
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, req->method);
    }
}

/* *ret_sent: the request may have reached the server. */
static tn_rc send_once(tn_http *h, tn_arena *a, const tn_http_request *req,
    tn_http_response *response, bool *ret_sent, bool *ret_dns, tn_err *err)
{
    tn_http_headers extra = { 0 };
    *ret_sent = false;
    *ret_dns = false;
    if (is_over(req)) {
        return tn_fail(err, TN_E_TIMEOUT, "the time that it had is over");
    }
    if (req->sign != NULL) {
        TN_TRY(req->sign(req->self, req, a, &extra, err));
    }
    http_handle *x = take(h);
    attempt t = { .a = a, .curl = x->curl, .bytes_max = req->bytes_max };
    http_set_transport(h, x, a);
    set_request(x->curl, a, req);
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    list = add_headers(add_headers(list, a, &req->headers), a, &extra);
    curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(x->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(x->curl, CURLOPT_HEADERDATA, &t);
    curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, &t);
    CURLcode code = curl_easy_perform(x->curl);
    tn_rc rc = TN_OK;
    if (code == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
        *response = (tn_http_response){ .status = (int)status, .headers = t.headers };
        if (t.body.p != NULL) {
            response->body = tn_buf_str(&t.body);
            tn_buf_addc(&t.body, '\0');
        }
    } else if (t.too_long) {
        rc = tn_fail(err, TN_E_LIMIT, "the answer is longer than %zu bytes", req->bytes_max);
    } else {
        long request_bytes = 0;
        curl_easy_getinfo(x->curl, CURLINFO_REQUEST_SIZE, &request_bytes);
        *ret_sent = request_bytes > 0;
        *ret_dns = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
        rc = http_fail(code, x->detail[0] != '\0' ? x->detail : curl_easy_strerror(code), req->url,
            &h->opts, &x->seen, err);
    }
    curl_slist_free_all(list);
    give_back(h, x);
    return rc;
}

/* ---- the attempts of one request ---- */

static bool status_is_passing(int status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* A random wait, so that clients that failed together do not come back together. */
static void wait_before(int attempt_number)
{
    int64_t bound = WAIT_FIRST_MS;
    for (int i = 1; i < attempt_number && bound < WAIT_MAX_MS; i++) {
        bound *= 2;
    }
    bound = bound > WAIT_MAX_MS ? WAIT_MAX_MS : bound;
    int64_t left = (int64_t)((double)bound * tn_random_unit()) + 1;
    for (; left > 0 && !tn_interrupted(); left -= 50) {
        tn_clock_sleep_us((left < 50 ? left : 50) * 1000);
    }
}

tn_rc tn_http_send(
    tn_http *h, tn_arena *a, const tn_http_request *req, tn_http_response *ret, tn_err *err)
{
    bool unknown = false;
    int dns = 0;
    for (int n = 1;; n++) {
        tn_http_response r = { 0 };
        tn_err why = TN_ERR_INIT;
        bool sent = false, is_dns = false;
        tn_rc rc = send_once(h, a, req, &r, &sent, &is_dns, &why);
        dns += is_dns ? 1 : 0;
        bool again = rc == TN_OK ? status_is_passing(r.status)
                                 : (rc == TN_E_NET || rc == TN_E_TIMEOUT) && dns <= DNS_RETRIES_MAX;
        if (!again || n > h->opts.retries_max || tn_interrupted() || is_over(req)) {
            ret->attempts = n;
            ret->outcome_unknown = unknown || (rc != TN_OK && sent);
            if (rc != TN_OK) {
                (void)tn_err_pass(err, rc, &why);
                return n > 1 ? tn_while(err, rc, "after %d attempts", n) : rc;
            }
            r.attempts = n;
            r.outcome_unknown = unknown;
            *ret = r;
            return TN_OK;
        }
        /* 429 and 503 say that nothing was done; any other failure leaves it open. */
        unknown = unknown || (rc == TN_OK ? r.status != 429 && r.status != 503 : sent);
        tn_log(TN_LOG_DEBUG, "http", "%s " TN_STR_FMT ": attempt %d: %s, trying again", req->method,
            TN_STR_ARG(http_place(req->url)), n,
            rc == TN_OK ? tn_arena_printf(a, "status %d", r.status) : why.msg);
        wait_before(n);
    }
}

tn_str tn_http_header_get(const tn_http_headers *h, const char *lower_name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (tn_str_is(h->v[i].name, lower_name)) {
            return h->v[i].value;
        }
    }
    return TN_STR_NONE;
}

int64_t tn_http_time_us(tn_str date)
{
    char text[64];
    if (date.n == 0 || date.n >= sizeof text) {
        return -1;
    }
    memcpy(text, date.p, date.n);
    text[date.n] = '\0';
    time_t t = curl_getdate(text, NULL);
    return t < 0 ? -1 : (int64_t)t * 1000000;
}
