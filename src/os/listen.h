/* listen.h: a listening TCP socket and the connections that come to it. Only for what people open on their own machine: no TLS here. */
#ifndef TN_OS_LISTEN_H
#define TN_OS_LISTEN_H

#include "base/err.h"
#include "base/str.h"

typedef struct tn_listener {
    int fd;   /* -1: none */
    int port; /* the one that was bound, also for port 0 */
} tn_listener;

/* host: a name or an address; "" means all addresses. port 0: any free one. TN_E_BUSY when it is taken. */
tn_rc tn_listen_open(tn_str host, int64_t port, tn_listener *ret, tn_err *err) TN_MUSTUSE;
void tn_listen_close(tn_listener *l);
static inline void tn_listener_cleanup(tn_listener *l)
{
    tn_listen_close(l);
}

/* The next connection within wait_ms, with io_ms as the limit of each of its reads and writes; -1: none came. Close it with tn_listen_drop. */
int tn_listen_accept(const tn_listener *l, int wait_ms, int io_ms);
/* What has arrived, up to n bytes; 0: the end, or the time is over. */
size_t tn_listen_receive(int fd, char *p, size_t n);
/* All of it; false: the other side is gone. */
bool tn_listen_send(int fd, const char *p, size_t n);
void tn_listen_drop(int fd);

#endif
