/* sql_place.h: where in a statement the database's message points. */
#ifndef TN_RUN_VALUE_SQL_PLACE_H
#define TN_RUN_VALUE_SQL_PLACE_H

#include "base/str.h"

/* Where in the compiled code the database's message points. False: it does not say, or the line is not the code's. */
typedef struct tn_sql_spot {
    size_t line, col; /* from 1; bytes */
    tn_str text;      /* the line */
} tn_sql_spot;
bool tn_sql_place(tn_str message, tn_str code, tn_sql_spot *ret);

#endif
