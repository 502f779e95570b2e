/* delta_prune.c: which files a predicate cannot touch. */
#include "delta/delta_impl.h"

tn_rc tn_delta_prune(const tn_delta_snapshot *s, tn_conn *conn, tn_arena *a, tn_str where, bool *keep, tn_err *err)
{
    (void)s, (void)conn, (void)a, (void)where, (void)keep, (void)err;
    return TN_OK;
}
