/* fd.c: reads and writes that go on after short counts and signals. */
#include "os/fd.h"

#include <errno.h>
#include <unistd.h>

tn_rc tn_fd_read(int fd, void *p, size_t n, size_t *ret_n, tn_err *err)
{
    size_t got = 0;
    while (got < n) {
        ssize_t k = read(fd, (char *)p + got, n - got);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return tn_fail(err, TN_E_IO, "reading file descriptor %d: %s", fd, strerror(errno));
        }
        if (k == 0) {
            break;
        }
        got += (size_t)k;
    }
    *ret_n = got;
    return TN_OK;
}

tn_rc tn_fd_write(int fd, const void *p, size_t n, tn_err *err)
{
    size_t put = 0;
    while (put < n) {
        ssize_t k = write(fd, (const char *)p + put, n - put);
        if (k < 0 && errno == EINTR) {
            continue;
        }
        if (k < 0) {
            return tn_fail(err, TN_E_IO, "writing file descriptor %d: %s", fd, strerror(errno));
        }
        put += (size_t)k;
    }
    return TN_OK;
}
