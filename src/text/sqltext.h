/* sqltext.h: SQL text is built only by these appenders, so that no name or value can break out of its quotes. */
#ifndef TN_TEXT_SQLTEXT_H
#define TN_TEXT_SQLTEXT_H

#include "base/val.h"

void tn_sql_ident(tn_buf *b, tn_str name); /* "na""me", always quoted */
void tn_sql_literal(tn_buf *b, tn_str s);  /* 'it''s' */
void tn_sql_value(
    tn_buf *b, tn_val v); /* NULL, numbers, strings, dates, lists [..], structs {..} */
void tn_sql_path_list(tn_buf *b, const tn_str *v, size_t n); /* ['a', 'b'] */
/* Cuts a script at top-level semicolons, aware of quotes, dollar quotes and comments. Empty pieces are dropped. */
tn_rc tn_sql_split(tn_arena *a, tn_str script, tn_val *ret_list, tn_err *err) TN_MUSTUSE;
/* The text without leading white space and comments (to look at the first keyword). */
tn_str tn_sql_skip_blank(tn_str sql);

#endif
