// layers: base os text http
/* The HTTP client against a server that misbehaves on purpose. */
#include "http_script.h"
#include "tn_test.h"

#include "http/client.h"
#include "os/clock.h"
#include "os/file.h"

#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing:  a b \r\n\r\nhi"
#define SLOW_DOWN "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"
#define INTERNAL "HTTP/1.1 500 Internal\r\nContent-Length: 0\r\n\r\n"

typedef struct talk {
    tn_rc rc;
    tn_http_response response;
    int seen, connections;
} talk;

/* `times` requests of one client to a server with these answers; what the last one gave. */
static talk ask(tn_arena *arena, const char *const *answers, const char *method, size_t bytes_max,
    int times, tn_err *err)
{
    script_server server;
    talk t = { .rc = TN_OK };
    script_start(&server, answers);
    {
        TN_AUTOPTR(tn_http) h = NULL;
        tn_http_opts o = { .retries_max = 3 };
        TN_ASSERT_RC(tn_http_open(&o, &h, err), TN_OK);
        tn_http_request req = { .method = method,
            .url = tn_str_printf(arena, "http://127.0.0.1:%d/x?y=1", server.port),
            .body = strcmp(method, "PUT") == 0 ? TN_STR("body") : TN_STR_NONE,
            .bytes_max = bytes_max };
        for (int i = 0; i < times; i++) {
            t.rc = tn_http_send(h, arena, &req, &t.response, err);
        }
    }
    t.seen = server.seen;
    t.connections = server.connections;
    script_stop(&server);
    return t;
}

TN_TEST(an_answer_with_headers)
{
    static const char *const answers[] = { OK_HI, NULL };
    talk t = ask(arena, answers, "GET", 100, 1, err);
    TN_ASSERT_RC(t.rc, TN_OK);
    TN_ASSERT_EQ_I(t.response.status, 200);
    TN_ASSERT_EQ_S(t.response.body, "hi");
    TN_ASSERT_EQ_S(tn_http_header_get(&t.response.headers, "x-thing"), "a b");
    TN_ASSERT(!t.response.outcome_unknown);
}

TN_TEST(a_connection_serves_many_requests)
{
    static const char *const answers[] = { OK_HI, NULL };
    talk t = ask(arena, answers, "PUT", 100, 20, err);
    TN_ASSERT_EQ_I(t.seen, 20);
    TN_ASSERT_EQ_I(t.connections, 1);
}

TN_TEST(slow_down_is_tried_again_and_nothing_is_unknown)
{
    static const char *const answers[] = { SLOW_DOWN, SLOW_DOWN, OK_HI, NULL };
    talk t = ask(arena, answers, "PUT", 100, 1, err);
    TN_ASSERT_EQ_I(t.response.status, 200);
    TN_ASSERT_EQ_I(t.response.attempts, 3);
    TN_ASSERT(!t.response.outcome_unknown);
}

TN_TEST(a_lost_answer_is_remembered)
{
    static const char *const reset[] = { SCRIPT_RESET, OK_HI, NULL };
    talk t = ask(arena, reset, "PUT", 100, 1, err);
    TN_ASSERT_EQ_I(t.response.status, 200);
    TN_ASSERT(t.response.outcome_unknown);
    static const char *const internal[] = { INTERNAL, OK_HI, NULL };
    t = ask(arena, internal, "PUT", 100, 1, err);
    TN_ASSERT(t.response.outcome_unknown);
}

TN_TEST(attempts_end)
{
    static const char *const cut[] = { SCRIPT_RESET, NULL };
    talk t = ask(arena, cut, "GET", 100, 1, err);
    TN_ASSERT_RC(t.rc, TN_E_NET);
    TN_ASSERT_EQ_I(t.seen, 4);
    TN_ASSERT_HAS(err->msg, "after 4 attempts");
    static const char *const internal[] = { INTERNAL, NULL };
    t = ask(arena, internal, "GET", 100, 1, err);
    TN_ASSERT_RC(t.rc, TN_OK); /* the caller judges the last status */
    TN_ASSERT_EQ_I(t.response.status, 500);
}

TN_TEST(an_answer_may_be_too_long)
{
    static const char *const answers[] = { OK_HI, NULL };
    talk t = ask(arena, answers, "GET", 1, 1, err);
    TN_ASSERT_RC(t.rc, TN_E_LIMIT);
    TN_ASSERT_EQ_I(t.seen, 1);
    TN_ASSERT_RC(ask(arena, answers, "GET", 2, 1, err).rc, TN_OK);
}

TN_TEST(a_cut_body_is_no_answer)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nh", SCRIPT_RESET, OK_HI,
        NULL
    };
    /* The server waits for the next request on the same connection: the stall limit or its end must be noticed. */
    script_server server;
    script_start(&server, answers);
    TN_AUTOPTR(tn_http) h = NULL;
    tn_http_opts o = { .stall_ms = 1000 };
    TN_ASSERT_RC(tn_http_open(&o, &h, err), TN_OK);
    tn_http_request req = { .method = "GET",
        .url = tn_str_printf(arena, "http://127.0.0.1:%d/", server.port),
        .bytes_max = 100 };
    tn_http_response r = { 0 };
    TN_ASSERT_RC(tn_http_send(h, arena, &req, &r, err), TN_OK);
    TN_ASSERT_EQ_S(r.body, "hi");
    tn_http_close(TN_TAKE(h));
    script_stop(&server);
}

TN_TEST(a_closed_port_is_named)
{
    TN_AUTOPTR(tn_http) h = NULL;
    tn_http_opts o = { .retries_max = -1 };
    TN_ASSERT_RC(tn_http_open(&o, &h, err), TN_OK);
    tn_http_request req = {
        .method = "GET", .url = TN_STR("https://127.0.0.1:1/"), .bytes_max = 1
    };
    tn_http_response r = { 0 };
    TN_ASSERT_RC(tn_http_send(h, arena, &req, &r, err), TN_E_NET);
    TN_ASSERT_HAS(err->msg, "127.0.0.1:1");
    TN_ASSERT_EQ_I(r.attempts, 1);
    TN_ASSERT(!r.outcome_unknown);
}

/* The place's port ends like the proxy's. */
TN_TEST(a_proxy_that_is_not_there_is_named)
{
    tn_http_opts o = { .proxy = TN_STR("http://127.0.0.1:1"), .retries_max = -1 };
    TN_AUTOPTR(tn_http) h = NULL;
    TN_ASSERT_RC(tn_http_open(&o, &h, err), TN_OK);
    tn_http_request req = {
        .method = "GET", .url = TN_STR("http://127.0.0.1:53581/"), .bytes_max = 100
    };
    tn_http_response r = { 0 };
    TN_ASSERT_RC(tn_http_send(h, arena, &req, &r, err), TN_E_NET);
    TN_ASSERT_HAS(err->msg, "no connection to the proxy '127.0.0.1:1'");
}

TN_TEST(a_ca_file_without_certificates_is_refused)
{
    tn_str path = tn_str_printf(arena, "%s/ca.pem", tn_test_dir(arena));
    TN_ASSERT_RC(tn_file_write(path, TN_STR("no certificate\n"), err), TN_OK);
    TN_AUTOPTR(tn_http) h = NULL;
    tn_http_opts o = { .ca_file = path };
    TN_ASSERT_RC(tn_http_open(&o, &h, err), TN_E_TLS);
    TN_ASSERT_HAS(err->msg, "no certificate is in ca_file");
    o.ca_file = TN_STR("/no/such/file.pem");
    TN_ASSERT_RC(tn_http_open(&o, &h, err), TN_E_NOTFOUND);
}

TN_TEST(dates)
{
    TN_ASSERT_EQ_I(tn_http_time_us(TN_STR("Wed, 21 Oct 2015 07:28:00 GMT")), 1445412480000000);
    TN_ASSERT_EQ_I(tn_http_time_us(TN_STR("soon")), -1);
}
