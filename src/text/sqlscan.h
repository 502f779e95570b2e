/* sqlscan.h: private to src/text/sqltext.c and sqltoken.c: where a piece of SQL text ends, by DuckDB's lexer (PostgreSQL's).
 *
 *   name    [A-Za-z0-9_$\x80-\xff]+
 *   string  '...' ('' inside)  |  E'...' (\' inside too)  |  $tag$ ... $tag$
 *   comment -- to the end of the line  |  slash star ... star slash, nesting
 *
 * Each function is called at the first byte of its thing and gives the offset behind it; SIZE_MAX: never closed.
 */
#ifndef TN_TEXT_SQLSCAN_H
#define TN_TEXT_SQLSCAN_H

#include "base/str.h"

bool sqlscan_is_blank(char c);
bool sqlscan_is_name(char c); /* inside of a name; it does not begin with a digit or '$' */
size_t sqlscan_line_comment(tn_str s, size_t at);
size_t sqlscan_block_comment(tn_str s, size_t at);
size_t sqlscan_quoted(tn_str s, size_t at,
    bool escapes); /* the byte at `at` closes it; twice it is one of the text */
/* $tag$ .. $tag$, where the tag is a name without '$' or nothing. $1 and a lone '$' are parameters: one byte is skipped. */
size_t sqlscan_dollar(tn_str s, size_t at);
size_t sqlscan_name(tn_str s, size_t at);

#endif
