/* delta_replace.h: overwrites of a part of a table. */
#ifndef TN_DELTA_DELTA_REPLACE_H
#define TN_DELTA_DELTA_REPLACE_H

#include "delta/delta.h"
#include "delta/log/delta_log.h"

/* An overwrite of a part of a table that is there: opts->replace_where or opts->dynamic_partitions. */
tn_rc tn_delta_replace(tn_delta_table *t, tn_conn *conn, tn_str select_sql,
    const tn_delta_write_opts *opts, tn_delta_write_result *ret, tn_err *err) TN_MUSTUSE;

#endif
