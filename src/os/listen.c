/* listen.c: sockets behind listen.h. Errors of single connections are nobody's: the connection is dropped. */
#include "os/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, HOST_MAX = 256 };

static int bound_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)(void *)&at, &n) != 0) {
        return 0;
    }
    return at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)(void *)&at)->sin6_port)
                                    : ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);
}

static bool open_one(const struct addrinfo *a, tn_listener *ret, int *ret_errno)
{
    int on = 1,
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        *ret = (tn_listener){ .fd = fd, .port = bound_port(fd) };
        return true;
    }
    *ret_errno = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return false;
}

tn_rc tn_listen_open(tn_str host, int64_t port, tn_listener *ret, tn_err *err)
{
    char name[HOST_MAX], service[16];
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list = NULL;
    int why = 0;
    *ret = (tn_listener){ .fd = -1 };
    if (port < 0 || port > UINT16_MAX) {
        return tn_fail(err, TN_E_USAGE, "%lld is no port: 1 to %d, or 0 for a free one",
            (long long)port, UINT16_MAX);
    }
    if (host.n >= sizeof name) {
        return tn_fail(
            err, TN_E_USAGE, "'" TN_STR_FMT "' is no host: it is too long", TN_STR_ARG(host));
    }
    (void)snprintf(name, sizeof name, TN_STR_FMT, TN_STR_ARG(host));
    (void)snprintf(service, sizeof service, "%d", (int)port);
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    int rc = getaddrinfo(host.n > 0 ? name : NULL, service, &hints, &list);
    if (rc != 0) {
        return tn_fail(err, TN_E_USAGE, "cannot listen at '%s': %s", name, gai_strerror(rc));
    }
    bool done = false;
    for (int family = 0; family < 2 && !done; family++) { /* 127.0.0.1 before ::1 */
        for (const struct addrinfo *a = list; a != NULL && !done; a = a->ai_next) {
            if ((a->ai_family == AF_INET) == (family == 0)) {
                done = open_one(a, ret, &why);
            }
        }
    }
    freeaddrinfo(list);
    if (done) {
        return TN_OK;
    }
    tn_rc failed = tn_fail(err, why == EADDRINUSE ? TN_E_BUSY : TN_E_NET,
        "cannot listen at '%s' port %d: %s", host.n > 0 ? name : "*", (int)port, strerror(why));
    return tn_hint(err, failed, "another port: --port 0 takes a free one");
}

void tn_listen_close(tn_listener *l)
{
    if (l->fd >= 0) {
        (void)close(l->fd);
    }
    l->fd = -1;
}

int tn_listen_accept(const tn_listener *l, int wait_ms, int io_ms)
{
    struct pollfd p = { .fd = l->fd, .events = POLLIN };
    if (poll(&p, 1, wait_ms) <= 0) {
        return -1;
    }
    /* Of those who were woken one gets it; the socket does not block, so that the others come back. */
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    struct timeval limit = { .tv_sec = io_ms / 1000, .tv_usec = io_ms % 1000 * 1000 };
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    return fd;
}

size_t tn_listen_receive(int fd, char *p, size_t n)
{
    ssize_t k;
    do {
        k = recv(fd, p, n, 0);
    } while (k < 0 && errno == EINTR);
    return k > 0 ? (size_t)k : 0;
}

bool tn_listen_send(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k <= 0) {
            return false;
        }
        p += k;
        n -= (size_t)k;
    }
    return true;
}

void tn_listen_drop(int fd)
{
    char rest[256];
    (void)shutdown(fd, SHUT_WR); /* what is unread would make the kernel throw the answer away */
    struct pollfd p = { .fd = fd, .events = POLLIN };
    for (int i = 0; i < 8 && poll(&p, 1, 100) > 0 && recv(fd, rest, sizeof rest, 0) > 0; i++) {
    }
    (void)close(fd);
}
