/* fd.h: whole reads and writes on open file descriptors (pipes, standard input and output). */
#ifndef TN_OS_FD_H
#define TN_OS_FD_H

#include "base/err.h"
#include "base/str.h"

/* Reads n bytes unless the end comes first; *ret_n says how many came. */
tn_rc tn_fd_read(int fd, void *p, size_t n, size_t *ret_n, tn_err *err) TN_MUSTUSE;
tn_rc tn_fd_write(int fd, const void *p, size_t n, tn_err *err) TN_MUSTUSE; /* all of it */

#endif
