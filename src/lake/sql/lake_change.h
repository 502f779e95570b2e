/* lake_change.h: a statement that changes a relation, while it is read and carried out (lake_sql_write.c, lake_create.c, lake_alter.c). */
#ifndef TN_LAKE_LAKE_CHANGE_H
#define TN_LAKE_LAKE_CHANGE_H

#include "lake/sql/lake_session.h"

typedef struct tn_sql_change {
    tn_lake_sql *s;
    tn_arena *a;
    tn_str statement;
    const tn_tokens *t;
    size_t at; /* next token */
    tn_sql_target target;
    tn_lake_sql_result *ret;
} tn_sql_change;

/* (a, b, ..) at c->at, which is moved behind it. */
tn_rc tn_sql_take_names(tn_sql_change *c, tn_strs *out, tn_err *err) TN_MUSTUSE;
tn_rc tn_sql_place_target(
    tn_lake_sql *s, tn_arena *a, tn_str path, tn_sql_target *ret, tn_err *err) TN_MUSTUSE;
/* A name without a schema has no place in the lake. */
tn_rc tn_sql_need_lake_name(const tn_sql_change *c, const char *what, tn_err *err) TN_MUSTUSE;
tn_rc tn_sql_table_of(
    tn_sql_change *c, tn_delta_table **ret, bool *ret_there, tn_err *err) TN_MUSTUSE;

/* From behind the table's name on. */
tn_rc tn_sql_create_table(
    tn_sql_change *c, bool replace, bool if_not_exists, tn_err *err) TN_MUSTUSE;
/* ALTER TABLE, COMMENT ON. *ret_done: it was one, and of the lake or a place. */
tn_rc tn_sql_alter(tn_sql_change *c, bool *ret_done, tn_err *err) TN_MUSTUSE;

#endif
