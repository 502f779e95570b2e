/* sqltoken.h: SQL text as tokens, so that names can be found and replaced without touching strings or comments.
 *
 * Not a parser: DuckDB parses. This only has to know where a name, a string or a comment begins and ends, and which parentheses match.
 */
#ifndef TN_TEXT_SQLTOKEN_H
#define TN_TEXT_SQLTOKEN_H

#include "base/buf.h"
#include "base/vec.h"

enum { TN_SQL_TOKENS_MAX = 50000000 };

typedef enum tn_token_kind {
    TN_TOKEN_WORD,   /* name or keyword without quotes */
    TN_TOKEN_QUOTED, /* "name" or `name` */
    TN_TOKEN_STRING, /* '..', E'..', $tag$..$tag$ */
    TN_TOKEN_NUMBER,
    TN_TOKEN_SIGN, /* one byte of anything else */
} tn_token_kind;

typedef struct tn_token {
    tn_token_kind kind;
    tn_str text; /* as written, quotes included; points into the statement */
} tn_token;
typedef tn_vec(tn_token) tn_tokens;

tn_rc tn_sql_tokens(tn_arena *a, tn_str sql, tn_tokens *ret, tn_err *err) TN_MUSTUSE;
/* Token i is this word (any case) or this sign; false past the end. */
bool tn_token_is(const tn_tokens *t, size_t i, const char *word);
/* Token i is one of these words or signs; the list ends with NULL. */
bool tn_token_is_any(const tn_tokens *t, size_t i, const char *const *words);
/* Tokens from i on are these words and signs, separated by blanks. */
bool tn_token_are(const tn_tokens *t, size_t i, const char *words);
bool tn_token_is_name(const tn_tokens *t, size_t i); /* word or quoted */
/* A name without its quotes; the value of a plain string ('it''s' -> it's). */
tn_str tn_token_value(tn_arena *a, const tn_token *t);
/* i stands on '(': the index of its ')', or SIZE_MAX. */
size_t tn_token_close(const tn_tokens *t, size_t i);
/* a.b.c from *at on: the parts' values; *at is moved behind them. False when there is no name. */
bool tn_token_dotted(tn_arena *a, const tn_tokens *t, size_t *at, tn_strs *ret_parts);

#endif
