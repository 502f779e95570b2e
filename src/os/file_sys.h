/* file_sys.h: shared by file.c and dir.c only: path copies, error texts, fault points. */
#ifndef TN_OS_FILE_SYS_H
#define TN_OS_FILE_SYS_H

#include "base/err.h"
#include "base/str.h"

enum { TN_PATH_MAX = 4096 };

/* True when a test wants this call to fail; errno is EIO then. */
bool tn_sys_faulted(void);
tn_rc tn_sys_fail(tn_err *err, int e, const char *doing, const char *path);
/* NUL-terminated copy into out[TN_PATH_MAX]. */
tn_rc tn_sys_path(tn_str path, char *out, tn_err *err) TN_MUSTUSE;

#endif
