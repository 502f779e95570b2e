/* jinja_lex.h: a template's text cut into tokens, all at once, by Jinja2's rules. Private to src/jinja.
 *
 * White space control, comments and raw blocks are done here: the parser sees text and tags only. Positions are byte
 * offsets into the text, whose line ends are already \n.
 */
#ifndef TN_JINJA_PARSE_JINJA_LEX_H
#define TN_JINJA_PARSE_JINJA_LEX_H

#include "jinja/parse/jinja_tmpl.h"

/* TN_JTOK(name, how Jinja2 names it in a message) */
#define TN_JTOKS(TN_JTOK)                                                                          \
    TN_JTOK(EOF, "end of template")                                                                \
    TN_JTOK(DATA, "template data / text")                                                          \
    TN_JTOK(BLOCK_BEGIN, "begin of statement block")                                               \
    TN_JTOK(BLOCK_END, "end of statement block")                                                   \
    TN_JTOK(VAR_BEGIN, "begin of print statement")                                                 \
    TN_JTOK(VAR_END, "end of print statement")                                                     \
    TN_JTOK(NAME, "name")                                                                          \
    TN_JTOK(STRING, "string")                                                                      \
    TN_JTOK(INT, "integer")                                                                        \
    TN_JTOK(FLOAT, "float")                                                                        \
    TN_JTOK(ADD, "+")                                                                              \
    TN_JTOK(SUB, "-")                                                                              \
    TN_JTOK(MUL, "*")                                                                              \
    TN_JTOK(DIV, "/")                                                                              \
    TN_JTOK(FLOORDIV, "//")                                                                        \
    TN_JTOK(MOD, "%")                                                                              \
    TN_JTOK(POW, "**")                                                                             \
    TN_JTOK(TILDE, "~")                                                                            \
    TN_JTOK(LBRACKET, "[")                                                                         \
    TN_JTOK(RBRACKET, "]")                                                                         \
    TN_JTOK(LPAREN, "(")                                                                           \
    TN_JTOK(RPAREN, ")")                                                                           \
    TN_JTOK(LBRACE, "{")                                                                           \
    TN_JTOK(RBRACE, "}")                                                                           \
    TN_JTOK(EQ, "==")                                                                              \
    TN_JTOK(NE, "!=")                                                                              \
    TN_JTOK(GT, ">")                                                                               \
    TN_JTOK(GE, ">=")                                                                              \
    TN_JTOK(LT, "<")                                                                               \
    TN_JTOK(LE, "<=")                                                                              \
    TN_JTOK(ASSIGN, "=")                                                                           \
    TN_JTOK(DOT, ".")                                                                              \
    TN_JTOK(COLON, ":")                                                                            \
    TN_JTOK(PIPE, "|")                                                                             \
    TN_JTOK(COMMA, ",")                                                                            \
    TN_JTOK(SEMICOLON, ";")

typedef enum tn_jtok_kind {
#define TN_JTOK(name, text) TN_JTOK_##name,
    TN_JTOKS(TN_JTOK)
#undef TN_JTOK
} tn_jtok_kind;

typedef struct tn_jtok {
    uint8_t kind;
    uint32_t pos;
    tn_val v; /* DATA, NAME, STRING: a text; INT, FLOAT: the number */
} tn_jtok;
typedef tn_vec(tn_jtok) tn_jtoks;

/* expr: the text is one expression without braces. Strings live in `a`, the tokens in `scratch`. */
tn_rc tn_jinja_lex(tn_arena *a, tn_arena *scratch, tn_jinja_tmpl *t, bool expr, tn_jtoks *ret,
    tn_err *err) TN_MUSTUSE;
const char *tn_jinja_tok_text(tn_jtok_kind kind);
/* Fails with the message, which may use the token, and sets the place. */
tn_rc tn_jinja_syntax(const tn_jinja_tmpl *t, uint32_t pos, tn_err *err, const char *fmt, ...)
    TN_PRINTF(4, 5);

/* Python's str.isspace for one code point: what \s, strip() and split() take as white space. */
bool tn_jinja_is_space(uint32_t cp);

#endif
