/* serve_folder.c: the server behind serve_folder.h: a few threads that accept, read one request head and answer it. */
#include "serve/serve_folder.h"

#include "os/file.h"
#include "os/proc.h"
#include "os/thread.h"
#include "text/uri.h"

enum {
    SERVERS = 8, /* browsers open six connections, some of them idle */
    HEAD_BYTES_MAX = 16 << 10,
    ACCEPT_MS = 200,
    IO_MS = 5000,
};
static const size_t file_bytes_max = (size_t)1 << 30;

static const struct {
    const char *ext, *type;
} types[] = { { "html", "text/html; charset=utf-8" }, { "json", "application/json" },
    { "js", "text/javascript; charset=utf-8" }, { "css", "text/css; charset=utf-8" },
    { "svg", "image/svg+xml" }, { "png", "image/png" }, { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" }, { "gif", "image/gif" }, { "ico", "image/x-icon" },
    { "webp", "image/webp" }, { "sql", "text/plain; charset=utf-8" },
    { "txt", "text/plain; charset=utf-8" }, { "md", "text/plain; charset=utf-8" },
    { "pdf", "application/pdf" } };

static const char *type_of(tn_str path)
{
    tn_str ext = tn_path_ext(path);
    for (size_t i = 0; i < TN_COUNTOF(types); i++) {
        if (tn_str_eq_nocase(ext, tn_str_of(types[i].ext))) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* Resolved by the system: a link may not lead out of the folder. */
static bool stays_inside(tn_arena *a, tn_str folder, tn_str path)
{
    tn_str root, file;
    return tn_file_real(a, folder, &root, NULL) == TN_OK &&
           tn_file_real(a, path, &file, NULL) == TN_OK &&
           tn_str_starts(file, tn_str_concat(a, root, TN_STR("/")));
}

bool tn_serve_path(tn_arena *a, tn_str folder, tn_str target, tn_str *ret)
{
    tn_str path, part, rest;
    size_t end = 0;
    while (end < target.n && target.p[end] != '?' && target.p[end] != '#') {
        end++;
    }
    if (target.n == 0 || target.p[0] != '/' ||
        tn_percent_decode(a, tn_str_sub(target, 0, end), &path, NULL) != TN_OK) {
        return false;
    }
    if (tn_str_find_char(path, '\0', 0) != SIZE_MAX ||
        tn_str_find_char(path, '\\', 0) != SIZE_MAX) {
        return false;
    }
    if (tn_str_ends(path, TN_STR("/"))) {
        path = tn_str_concat(a, path, TN_STR("index.html"));
    }
    rest = tn_str_sub(path, 1, path.n);
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '/', &part, &rest);
        if (part.n == 0 || part.p[0] == '.') {
            return false;
        }
    }
    *ret = tn_str_printf(a, TN_STR_FMT TN_STR_FMT, TN_STR_ARG(folder), TN_STR_ARG(path));
    tn_file_info info;
    return tn_file_stat(a, *ret, &info, NULL) == TN_OK && info.kind == TN_FILE_REGULAR &&
           stays_inside(a, folder, *ret);
}

/* ---- one connection ---- */

static bool read_head(int fd, char *p, size_t max, tn_str *ret)
{
    size_t n = 0;
    for (;;) {
        size_t k = n < max ? tn_listen_receive(fd, p + n, max - n) : 0;
        if (k == 0) {
            return false;
        }
        n += k;
        *ret = tn_str_n(p, n);
        if (tn_str_find(*ret, TN_STR("\r\n\r\n"), 0) != SIZE_MAX ||
            tn_str_find(*ret, TN_STR("\n\n"), 0) != SIZE_MAX) {
            return true;
        }
    }
}

static void answer(
    int fd, tn_arena *a, const char *status, const char *type, tn_str body, bool head)
{
    tn_str text = tn_str_printf(a,
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-cache\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n%s\r\n",
        status, type, body.n, status[0] == '4' && status[2] == '5' ? "Allow: GET, HEAD\r\n" : "");
    if (tn_listen_send(fd, text.p, text.n) && !head) {
        (void)tn_listen_send(fd, body.p, body.n);
    }
}

static void answer_plain(int fd, tn_arena *a, const char *status, bool head)
{
    answer(fd, a, status, "text/plain; charset=utf-8", tn_str_printf(a, "%s\n", status), head);
}

static void converse(int fd, tn_str folder)
{
    TN_AUTO_ARENA a = tn_arena_new("request", NULL);
    char *buffer = tn_new_array(a, char, HEAD_BYTES_MAX);
    tn_str head, line, method, target, version, path, body;
    if (!read_head(fd, buffer, HEAD_BYTES_MAX, &head)) {
        return;
    }
    (void)tn_str_cut(head, '\n', &line, &head);
    line = tn_str_trim(line);
    if (!tn_str_cut(line, ' ', &method, &line) || !tn_str_cut(line, ' ', &target, &version) ||
        !tn_str_starts(version, TN_STR("HTTP/1."))) {
        answer_plain(fd, a, "400 Bad Request", false);
        return;
    }
    bool is_head = tn_str_is(method, "HEAD");
    if (!is_head && !tn_str_is(method, "GET")) {
        answer_plain(fd, a, "405 Method Not Allowed", false);
    } else if (!tn_serve_path(a, folder, target, &path) ||
               tn_file_read(a, path, file_bytes_max, &body, NULL) != TN_OK) {
        answer_plain(fd, a, "404 Not Found", is_head);
    } else {
        answer(fd, a, "200 OK", type_of(path), body, is_head);
    }
}

typedef struct server {
    const tn_listener *listener;
    tn_str folder;
} server;

static void serve(void *p)
{
    const server *s = p;
    while (!tn_interrupted()) {
        int fd = tn_listen_accept(s->listener, ACCEPT_MS, IO_MS);
        if (fd >= 0) {
            converse(fd, s->folder);
            tn_listen_drop(fd);
        }
    }
}

tn_rc tn_serve_folder(const tn_listener *l, tn_str folder, tn_err *err)
{
    server s = { l, folder };
    tn_thread *threads[SERVERS];
    size_t n = 0;
    tn_rc rc = TN_OK;
    while (n < SERVERS && rc == TN_OK) {
        rc = tn_thread_start(serve, &s, "serve", &threads[n], err);
        n += rc == TN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        tn_thread_join(threads[i]);
    }
    return n > 0 ? TN_OK : rc;
}
