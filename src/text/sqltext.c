/* sqltext.c: quoting of names and values, and the one scanner that knows where a SQL text may be cut.
 *
 * The scanner follows DuckDB's lexer (PostgreSQL's): 'it''s', E'it\'s', "na""me", $tag$ .. $tag$, -- to the end of the line,
 * and block comments that nest. Everything that looks at SQL text from outside goes through it, so that a
 * semicolon in a string never ends a statement.
 */
#include "text/sqltext.h"

#include <inttypes.h>

#include "text/sqlscan.h"
#include "text/timetext.h"

enum { HUGE_DIGITS_MAX = 38 };

void tn_sql_ident(tn_buf *b, tn_str name)
{
    tn_buf_addc(b, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"') {
            tn_buf_addc(b, '"');
        }
        tn_buf_addc(b, name.p[i]);
    }
    tn_buf_addc(b, '"');
}

static void quoted(tn_buf *b, tn_str s)
{
    tn_buf_addc(b, '\'');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'') {
            tn_buf_add_n(b, s.p + from, i + 1 - from);
            from = i; /* the quote goes out a second time with what follows */
        }
    }
    if (from < s.n) {
        tn_buf_add_n(b, s.p + from, s.n - from);
    }
    tn_buf_addc(b, '\'');
}

/* SQL text ends at a zero byte, so a string that holds one is put together from its pieces. */
void tn_sql_literal(tn_buf *b, tn_str s)
{
    if (s.n == 0 || memchr(s.p, '\0', s.n) == NULL) {
        quoted(b, s);
        return;
    }
    tn_buf_addc(b, '(');
    size_t from = 0;
    for (;;) {
        size_t at = tn_str_find_char(s, '\0', from);
        quoted(b, tn_str_sub(s, from, at == SIZE_MAX ? s.n : at));
        if (at == SIZE_MAX) {
            break;
        }
        tn_buf_addz(b, " || chr(0) || ");
        from = at + 1;
    }
    tn_buf_addc(b, ')');
}

void tn_sql_path_list(tn_buf *b, const tn_str *v, size_t n)
{
    tn_buf_addc(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            tn_buf_addz(b, ", ");
        }
        tn_sql_literal(b, v[i]);
    }
    tn_buf_addc(b, ']');
}

/* A plain 1.5 would be a DECIMAL to DuckDB; the exponent makes it the DOUBLE that it is. */
static void add_float(tn_buf *b, double f)
{
    if (f != f) {
        tn_buf_addz(b, "'nan'::DOUBLE");
    } else if (f > 1.7976931348623157e308 || f < -1.7976931348623157e308) {
        tn_buf_addz(b, f > 0 ? "'inf'::DOUBLE" : "'-inf'::DOUBLE");
    } else {
        size_t from = b->n;
        tn_float_repr_to(b, f);
        if (b->n > from && memchr(b->p + from, 'e', b->n - from) == NULL) {
            tn_buf_addz(b, "e0");
        }
    }
}

static bool is_plain_number(tn_str s)
{
    bool digit = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c >= '0' && c <= '9') {
            digit = true;
        } else if (!(c == '.' || (i == 0 && c == '-'))) {
            return false;
        }
    }
    return digit;
}

static void add_digits(tn_buf *b, tn_val v)
{
    tn_str s = tn_val_as_str(v);
    bool fits = s.n <= HUGE_DIGITS_MAX && is_plain_number(s);
    if (fits) {
        tn_buf_add(b, s);
    } else {
        quoted(b, s);
        tn_buf_addz(b, v.tag == TN_BIGINT ? "::BIGNUM" : "::DOUBLE");
    }
}

static void add_bytes(tn_buf *b, tn_str s)
{
    tn_buf_addz(b, "from_hex('");
    for (size_t i = 0; i < s.n; i++) {
        tn_buf_addf(b, "%02x", (unsigned char)s.p[i]);
    }
    tn_buf_addz(b, "')");
}

static void add_moment(tn_buf *b, tn_val v)
{
    if (v.tag == TN_DATE) {
        tn_buf_addz(b, "DATE '");
    } else if (v.tag == TN_TIME) {
        tn_buf_addz(b, "TIME '");
    } else {
        tn_buf_addz(b, v.n == TN_ZONE_NAIVE ? "TIMESTAMP '" : "TIMESTAMPTZ '");
    }
    tn_py_datetime(b, v, ' ');
    tn_buf_addc(b, '\'');
}

static void add_list(tn_buf *b, const tn_list *l)
{
    tn_buf_addc(b, '[');
    for (size_t i = 0; i < l->n; i++) {
        if (i > 0) {
            tn_buf_addz(b, ", ");
        }
        tn_sql_value(b, l->v[i]);
    }
    tn_buf_addc(b, ']');
}

static void add_dict(tn_buf *b, const tn_dict *d, bool keys_only)
{
    if (d->live == 0) {
        tn_buf_addz(b, keys_only ? "[]" : "MAP {}");
        return;
    }
    tn_buf_addc(b, keys_only ? '[' : '{');
    size_t at = 0;
    bool first = true;
    const tn_dict_item *it;
    while ((it = tn_dict_next(d, &at)) != NULL) {
        if (!first) {
            tn_buf_addz(b, ", ");
        }
        first = false;
        if (keys_only) {
            tn_sql_value(b, it->key);
            continue;
        }
        quoted(b, tn_val_to_str(b->arena, it->key));
        tn_buf_addz(b, ": ");
        tn_sql_value(b, it->value);
    }
    tn_buf_addc(b, keys_only ? ']' : '}');
}

void tn_sql_value(tn_buf *b, tn_val v)
{
    switch ((tn_tag)v.tag) {
    case TN_UNDEF:
    case TN_NONE:
        tn_buf_addz(b, "NULL");
        return;
    case TN_BOOL:
        tn_buf_addz(b, v.i ? "true" : "false");
        return;
    case TN_INT:
        tn_buf_add_i64(b, v.i);
        return;
    case TN_FLOAT:
        add_float(b, v.f);
        return;
    case TN_BIGINT:
    case TN_DECIMAL:
        add_digits(b, v);
        return;
    case TN_STR_V:
        tn_sql_literal(b, tn_val_as_str(v));
        return;
    case TN_BYTES:
        add_bytes(b, tn_val_as_str(v));
        return;
    case TN_DATE:
    case TN_DATETIME:
    case TN_TIME:
        add_moment(b, v);
        return;
    case TN_DELTA:
        tn_buf_addf(b, "to_microseconds(%" PRId64 ")", v.i);
        return;
    case TN_LIST:
    case TN_TUPLE:
        add_list(b, v.list);
        return;
    case TN_DICT:
    case TN_SET:
        add_dict(b, v.dict, v.tag == TN_SET);
        return;
    case TN_OBJ:
        tn_sql_literal(b, tn_val_to_str(b->arena, v));
        return;
    }
}

/* ---- scanning ---- */

/* One token: quoted thing, comment, name or a single byte. *ret_what names what was left open. */
static size_t skip_token(tn_str s, size_t at, const char **ret_what)
{
    char c = s.p[at];
    char next = at + 1 < s.n ? s.p[at + 1] : '\0';
    *ret_what = "quote";
    if (c == '\'' || c == '"') {
        return sqlscan_quoted(s, at, false);
    }
    if ((c == 'e' || c == 'E') && next == '\'') {
        return sqlscan_quoted(s, at + 1, true);
    }
    if (c == '$') {
        *ret_what = "dollar quote";
        return sqlscan_dollar(s, at);
    }
    if (c == '-' && next == '-') {
        return sqlscan_line_comment(s, at);
    }
    if (c == '/' && next == '*') {
        *ret_what = "comment";
        return sqlscan_block_comment(s, at);
    }
    return sqlscan_is_name(c) ? sqlscan_name(s, at) : at + 1;
}

tn_str tn_sql_skip_blank(tn_str sql)
{
    size_t at = 0;
    while (at < sql.n) {
        char c = sql.p[at];
        char next = at + 1 < sql.n ? sql.p[at + 1] : '\0';
        size_t to = at;
        if (sqlscan_is_blank(c)) {
            to = at + 1;
        } else if (c == '-' && next == '-') {
            to = sqlscan_line_comment(sql, at);
        } else if (c == '/' && next == '*') {
            to = sqlscan_block_comment(sql, at);
        }
        if (to == at || to == SIZE_MAX) {
            break;
        }
        at = to;
    }
    return tn_str_sub(sql, at, sql.n);
}

static void add_piece(tn_val list, tn_str piece)
{
    piece = tn_str_trim(piece);
    if (tn_sql_skip_blank(piece).n > 0) {
        tn_list_push(list.list, tn_val_str(piece));
    }
}

static tn_rc left_open(tn_str script, size_t at, const char *what, tn_err *err)
{
    int line = 1, col = 1;
    for (size_t i = 0; i < at; i++) {
        col = script.p[i] == '\n' ? 1 : col + 1;
        line += script.p[i] == '\n';
    }
    return tn_hint(err,
        tn_fail(err, TN_E_SYNTAX,
            "the %s that opens at line %d, column %d of the SQL is never closed", what, line, col),
        "close it, or double the quote character if it belongs to the text");
}

tn_rc tn_sql_split(tn_arena *a, tn_str script, tn_val *ret_list, tn_err *err)
{
    tn_val list = tn_val_list(a);
    size_t at = 0, from = 0;
    while (at < script.n) {
        if (script.p[at] == ';') {
            add_piece(list, tn_str_sub(script, from, at));
            from = ++at;
            continue;
        }
        const char *what;
        size_t to = skip_token(script, at, &what);
        if (to == SIZE_MAX || to > script.n) {
            return left_open(script, at, what, err);
        }
        at = to;
    }
    add_piece(list, tn_str_sub(script, from, script.n));
    *ret_list = list;
    return TN_OK;
}
