/* delta_alter_impl.h: private to delta_alter*.c: one ALTER on one snapshot. */
#ifndef TN_DELTA_DELTA_ALTER_IMPL_H
#define TN_DELTA_DELTA_ALTER_IMPL_H

#include "delta/delta_alter.h"
#include "delta/log/delta_log.h"

typedef struct tn_alteration {
    tn_arena *a;
    tn_conn *conn;
    const tn_delta_snapshot *s;
    const tn_delta_alter *c;
    tn_delta_meta meta; /* as it is to be; its schema is a copy */
    tn_delta_protocol protocol;
    bool protocol_is_new;
    bool changed;    /* else there is nothing to do */
    bool keep_names; /* column mapping comes to a table that has files */
    bool tracks;     /* row tracking is switched on before the commit (delta_rows_enable.c) */
    bool reads_all;  /* rows were looked at */
    bool checkpoint; /* the version needs one */
    const char *operation;
    tn_val parameters; /* dict */
} tn_alteration;

/* The field at a path of the new schema; *ret_in: the struct that holds it, *ret_column: the column at the top. */
tn_rc tn_alter_find(tn_alteration *x, const tn_strs *path, tn_delta_field **ret,
    tn_delta_type **ret_in, tn_err *err) TN_MUSTUSE;
/* Nothing that the table computes or checks names the column; what: "dropped". */
tn_rc tn_alter_check_free(
    const tn_alteration *x, tn_str column, const char *what, tn_err *err) TN_MUSTUSE;
/* No row of the table makes `bad` (DuckDB's SQL) true; what: for the message. */
tn_rc tn_alter_check_rows(tn_alteration *x, tn_str bad, const char *what, tn_err *err) TN_MUSTUSE;
tn_str tn_alter_dotted(tn_arena *a, const tn_strs *path);

tn_rc tn_alter_add_columns(tn_alteration *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_alter_drop_columns(tn_alteration *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_alter_rename_column(tn_alteration *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_alter_column(
    tn_alteration *x, tn_err *err) TN_MUSTUSE; /* type, NULL, default, comment, place */
tn_rc tn_alter_set_properties(tn_alteration *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_alter_unset_properties(tn_alteration *x, tn_err *err) TN_MUSTUSE;
tn_rc tn_alter_drop_feature(tn_alteration *x, tn_err *err) TN_MUSTUSE;

#endif
