/* res.h: the files under res/ that are built into the program, by their path below res/.
 *
 * With a folder set by tn_res_override (the environment's TARN_RES_DIR, read by the command line), authors see
 * their edits without a rebuild; the reader function is given so that base does no I/O itself.
 */
#ifndef TN_BASE_RES_H
#define TN_BASE_RES_H

#include "base/str.h"

typedef struct tn_res {
    const char *name; /* "macros/materializations/table.sql" */
    size_t size;
    const unsigned char *bytes;
} tn_res;

size_t tn_res_count(void);
const tn_res *tn_res_at(size_t i); /* sorted by name */
/* The text, or TN_STR_NONE when there is no such resource. */
tn_str tn_res_find(tn_str name);

#endif
