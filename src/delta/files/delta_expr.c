/* delta_expr.c: expressions of a table's metadata, which are Spark's SQL, as DuckDB's.
 *
 *     `a b` -> "a b"    "text" -> 'text'    a <=> b -> a IS NOT DISTINCT FROM b    a DIV b -> a // b    5L -> 5    TIMESTAMP '..' -> TIMESTAMPTZ '..'
 *     CAST(e AS type) and f(e, ..) -> by the tables below
 *
 * Operators, CASE, IN, BETWEEN and the like are the same in both. A function that is called the same but means something else would write wrong values, so
 * strict takes only those of the table. Where a cast to a whole number may meet a fraction, the fraction is cut off first: DuckDB would round.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/files/delta_columns.h"
#include "text/sqltext.h"

typedef enum kind { WORD, QUOTED, TEXT, NUMBER, SIGN } kind;

typedef struct token {
    kind kind;
    tn_str text; /* WORD, NUMBER, SIGN as written; QUOTED, TEXT: the value */
} token;
typedef tn_vec(token) tokens;

typedef struct translator {
    tn_arena *a;
    tokens t;
    const tn_delta_type *schema;
    bool strict;
    tn_str whole;
} translator;

/* ---- tokens ---- */

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* From the opening quote at *at; a doubled quote stands for itself, in texts a backslash escapes. */
static tn_str take_quoted(tn_arena *a, tn_str s, size_t *at)
{
    char quote = s.p[*at];
    tn_buf b = tn_buf_init(a, s.n + 1);
    for ((*at)++; *at < s.n; (*at)++) {
        char c = s.p[*at];
        if (c == quote && *at + 1 < s.n && s.p[*at + 1] == quote) {
            (*at)++;
        } else if (c == quote) {
            (*at)++;
            return tn_buf_str(&b);
        } else if (c == '\\' && quote != '`' && *at + 1 < s.n) {
            c = s.p[++*at];
            c = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c);
        }
        tn_buf_addc(&b, c);
    }
    return tn_buf_str(&b);
}

static size_t sign_size(tn_str rest)
{
    static const char *const LONG[] = { "<=>", "<=", ">=", "<>", "!=", "==", "||", "::" };
    for (size_t i = 0; i < TN_COUNTOF(LONG); i++) {
        if (tn_str_starts(rest, tn_str_of(LONG[i]))) {
            return strlen(LONG[i]);
        }
    }
    return 1;
}

/* A point, or the sign of an exponent: 1.5e-3 */
static bool in_number(tn_str s, size_t at)
{
    bool exponent = at > 0 && (s.p[at - 1] == 'e' || s.p[at - 1] == 'E');
    return s.p[at] == '.' || (exponent && (s.p[at] == '-' || s.p[at] == '+'));
}

static void tokenize(tn_arena *a, tn_str s, tokens *ret)
{
    size_t at = 0;
    while (at < s.n) {
        char c = s.p[at];
        token t = { .kind = SIGN };
        size_t from = at;
        if (strchr(" \t\r\n", c) != NULL) {
            at++;
            continue;
        }
        if (c == '`' || c == '\'' || c == '"') {
            t.kind = c == '`' ? QUOTED : TEXT;
            t.text = take_quoted(a, s, &at);
        } else if (word_char(c)) {
            bool number = c >= '0' && c <= '9';
            t.kind = number ? NUMBER : WORD;
            while (at < s.n && (word_char(s.p[at]) || (number && in_number(s, at)))) {
                at++;
            }
            t.text = tn_str_sub(s, from, at);
        } else {
            at += sign_size(tn_str_sub(s, at, s.n));
            t.text = tn_str_sub(s, from, at);
        }
        tn_vec_push(ret, a, t);
    }
}

static bool is(const translator *x, size_t i, const char *word)
{
    return i < x->t.n && x->t.v[i].kind != TEXT && x->t.v[i].kind != QUOTED &&
           tn_str_eq_nocase(x->t.v[i].text, tn_str_of(word));
}

bool tn_delta_expr_uses(tn_arena *a, tn_str spark, tn_str column)
{
    tokens t = { 0 };
    tokenize(a, spark, &t);
    for (size_t i = 0; i < t.n; i++) {
        if ((t.v[i].kind == WORD || t.v[i].kind == QUOTED) &&
            tn_str_eq_nocase(t.v[i].text, column)) {
            return true;
        }
    }
    return false;
}

tn_str tn_delta_expr_store(tn_arena *a, tn_str duck)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    char open = 0;
    for (size_t i = 0; i < duck.n; i++) {
        char c = duck.p[i];
        if (open == 0 && (c == '\'' || c == '"' || c == '`')) {
            open = c;
        } else if (c == open) {
            open = 0;
        }
        tn_buf_addc(&b, c == '"' && (open == '"' || open == 0) ? '`' : c);
    }
    return tn_str_trim(tn_buf_str(&b));
}

/* ---- what is known ---- */

static const struct {
    const char *name; /* the type's, also a function that casts */
    const char *type;
    bool whole_number;
} TYPES[] = {
    { "string", "VARCHAR", false },
    { "int", "INTEGER", true },
    { "integer", "INTEGER", true },
    { "bigint", "BIGINT", true },
    { "long", "BIGINT", true },
    { "smallint", "SMALLINT", true },
    { "short", "SMALLINT", true },
    { "tinyint", "TINYINT", true },
    { "byte", "TINYINT", true },
    { "double", "DOUBLE", false },
    { "float", "FLOAT", false },
    { "real", "FLOAT", false },
    { "boolean", "BOOLEAN", false },
    { "date", "DATE", false },
    { "timestamp", "TIMESTAMP WITH TIME ZONE", false },
    { "timestamp_ltz", "TIMESTAMP WITH TIME ZONE", false },
    { "timestamp_ntz", "TIMESTAMP", false },
    { "binary", "BLOB", false },
    { "decimal", "DECIMAL(10,0)", false },
};

/* $1, $2, ..: arguments; $*: all of them. */
static const struct {
    const char *name;
    int args; /* -1: any number */
    const char *form;
} FUNCTIONS[] = {
    { "abs", 1, "abs($1)" },
    { "ceil", 1, "ceil($1)" },
    { "ceiling", 1, "ceil($1)" },
    { "floor", 1, "floor($1)" },
    { "round", -1, "round($*)" },
    { "sqrt", 1, "sqrt($1)" },
    { "power", 2, "pow($1, $2)" },
    { "pow", 2, "pow($1, $2)" },
    { "exp", 1, "exp($1)" },
    { "ln", 1, "ln($1)" },
    { "mod", 2, "(($1) % ($2))" },
    { "pmod", 2, "(((($1) % ($2)) + ($2)) % ($2))" },
    { "sign", 1, "sign($1)" },
    { "greatest", -1, "greatest($*)" },
    { "least", -1, "least($*)" },
    { "coalesce", -1, "coalesce($*)" },
    { "ifnull", 2, "coalesce($1, $2)" },
    { "nvl", 2, "coalesce($1, $2)" },
    { "nullif", 2, "nullif($1, $2)" },
    { "if", 3, "CASE WHEN $1 THEN $2 ELSE $3 END" },
    { "isnull", 1, "(($1) IS NULL)" },
    { "isnotnull", 1, "(($1) IS NOT NULL)" },
    { "upper", 1, "upper($1)" },
    { "ucase", 1, "upper($1)" },
    { "lower", 1, "lower($1)" },
    { "lcase", 1, "lower($1)" },
    { "trim", 1, "trim($1)" },
    { "ltrim", 1, "ltrim($1)" },
    { "rtrim", 1, "rtrim($1)" },
    { "length", 1, "length($1)" },
    { "char_length", 1, "length($1)" },
    { "replace", 3, "replace($1, $2, $3)" },
    { "reverse", 1, "reverse($1)" },
    { "lpad", 3, "lpad($1, $2, $3)" },
    { "rpad", 3, "rpad($1, $2, $3)" },
    { "startswith", 2, "starts_with($1, $2)" },
    { "endswith", 2, "ends_with($1, $2)" },
    { "contains", 2, "contains($1, $2)" },
    { "md5", 1, "md5($1)" },
    { "substring", 2, "substring($1, CASE WHEN ($2) = 0 THEN 1 ELSE ($2) END)" },
    { "substring", 3, "substring($1, CASE WHEN ($2) = 0 THEN 1 ELSE ($2) END, $3)" },
    { "substr", 2, "substring($1, CASE WHEN ($2) = 0 THEN 1 ELSE ($2) END)" },
    { "substr", 3, "substring($1, CASE WHEN ($2) = 0 THEN 1 ELSE ($2) END, $3)" },
    { "left", 2, "left($1, $2)" },
    { "right", 2, "right($1, $2)" },
    { "year", 1, "year($1)" },
    { "quarter", 1, "quarter($1)" },
    { "month", 1, "month($1)" },
    { "day", 1, "day($1)" },
    { "dayofmonth", 1, "day($1)" },
    { "dayofyear", 1, "dayofyear($1)" },
    { "dayofweek", 1, "(dayofweek($1) + 1)" },
    { "weekofyear", 1, "week($1)" },
    { "hour", 1, "hour($1)" },
    { "minute", 1, "minute($1)" },
    { "second", 1, "second($1)" },
    { "to_date", 1, "CAST($1 AS DATE)" },
    { "date_trunc", 2, "date_trunc($1, $2)" },
    { "date_add", 2, "CAST(CAST($1 AS DATE) + CAST($2 AS INTEGER) AS DATE)" },
    { "date_sub", 2, "CAST(CAST($1 AS DATE) - CAST($2 AS INTEGER) AS DATE)" },
    { "datediff", 2, "(CAST($1 AS DATE) - CAST($2 AS DATE))" },
    { "unix_timestamp", 1, "CAST(floor(epoch($1)) AS BIGINT)" },
    { "last_day", 1, "last_day($1)" },
    { "current_date", 0, "current_date" },
    { "current_timestamp", 0, "current_timestamp" },
    { "now", 0, "current_timestamp" },
    { "uuid", 0, "CAST(uuid() AS VARCHAR)" },
};

/* Words before a parenthesis that are no functions. */
static const char *const KEYWORDS[] = { "and", "or", "not", "in", "when", "then", "else", "case",
    "between", "like", "is", "values", "div", "on", "as", "end", "interval" };

/* ---- translating ---- */

static tn_rc refuse(const translator *x, const char *what, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
        "the expression '" TN_STR_FMT "' of the table cannot be computed here: %s",
        TN_STR_ARG(x->whole), what);
    return tn_hint(err, rc, "an engine that knows the expression can write the table");
}

static tn_rc translate(const translator *x, size_t from, size_t to, tn_buf *b, tn_err *err);

static size_t close_of(const translator *x, size_t open)
{
    int depth = 0;
    for (size_t i = open; i < x->t.n; i++) {
        depth += is(x, i, "(") || is(x, i, "[");
        depth -= is(x, i, ")") || is(x, i, "]");
        if (depth == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static const tn_delta_field *column_at(const translator *x, size_t i)
{
    const token *t = &x->t.v[i];
    return x->schema != NULL && (t->kind == WORD || t->kind == QUOTED)
               ? tn_delta_field_find(x->schema, t->text)
               : NULL;
}

static bool may_have_fraction(const translator *x, size_t from, size_t to)
{
    int64_t p;
    int64_t s;
    for (size_t i = from; i < to; i++) {
        const tn_delta_field *f = column_at(x, i);
        bool fraction = f != NULL && (tn_delta_type_is(f->type, "double") ||
                                         tn_delta_type_is(f->type, "float") ||
                                         tn_delta_type_is_decimal(f->type, &p, &s));
        bool number =
            x->t.v[i].kind == NUMBER && tn_str_find_char(x->t.v[i].text, '.', 0) != SIZE_MAX;
        if (fraction || number || is(x, i, "/")) {
            return true;
        }
    }
    return false;
}

static size_t type_at(const translator *x, size_t i)
{
    for (size_t k = 0; i < x->t.n && k < TN_COUNTOF(TYPES); k++) {
        if (is(x, i, TYPES[k].name)) {
            return k;
        }
    }
    return SIZE_MAX;
}

/* Texts of instants and floating numbers look different in the two engines. */
static bool looks_different(const translator *x, size_t from, size_t to)
{
    const tn_delta_field *f = to == from + 1 ? column_at(x, from) : NULL;
    return f != NULL &&
           (tn_delta_type_is(f->type, "timestamp") || tn_delta_type_is(f->type, "double") ||
               tn_delta_type_is(f->type, "float") || tn_delta_type_is(f->type, "binary"));
}

static tn_rc add_cast(const translator *x, size_t from, size_t to, size_t type, size_t args_from,
    size_t args_to, tn_buf *b, tn_err *err)
{
    if (type == SIZE_MAX) {
        return refuse(x, "a cast to that type is not known", err);
    }
    bool text = strcmp(TYPES[type].type, "VARCHAR") == 0;
    if (x->strict && text && looks_different(x, from, to)) {
        return refuse(x, "the text of such a value differs between engines", err);
    }
    bool cut = TYPES[type].whole_number && may_have_fraction(x, from, to);
    tn_buf_addz(b, cut ? "CAST(trunc(" : "CAST(");
    TN_TRY(translate(x, from, to, b, err));
    tn_buf_addz(b, cut ? ") AS " : " AS ");
    if (args_from < args_to) {
        tn_buf_addz(b, "DECIMAL(");
        TN_TRY(translate(x, args_from, args_to, b, err));
        tn_buf_addc(b, ')');
    } else {
        tn_buf_addz(b, TYPES[type].type);
    }
    tn_buf_addc(b, ')');
    return TN_OK;
}

/* CAST(e AS type [(p, s)]), from the word on; the parenthesis closes at `close`. */
static tn_rc translate_cast(const translator *x, size_t at, size_t close, tn_buf *b, tn_err *err)
{
    int depth = 0;
    size_t as = at + 2;
    for (; as < close && !(depth == 0 && is(x, as, "as")); as++) {
        depth += is(x, as, "(");
        depth -= is(x, as, ")");
    }
    if (as >= close) {
        return refuse(x, "CAST without AS", err);
    }
    bool args = is(x, as + 2, "(");
    return add_cast(
        x, at + 2, as, type_at(x, as + 1), args ? as + 3 : 0, args ? close - 1 : 0, b, err);
}

/* date_format(e, 'yyyy-MM-dd'): letters that mean the same everywhere. */
static tn_rc translate_format(
    const translator *x, size_t from, size_t comma, size_t to, tn_buf *b, tn_err *err)
{
    static const struct {
        const char *spark;
        const char *duck;
    } LETTERS[] = { { "yyyy", "%Y" }, { "MM", "%m" }, { "dd", "%d" }, { "HH", "%H" },
        { "mm", "%M" }, { "ss", "%S" } };
    if (to != comma + 2 || x->t.v[comma + 1].kind != TEXT) {
        return refuse(x, "the format is no plain text", err);
    }
    tn_str rest = x->t.v[comma + 1].text;
    tn_buf f = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    while (rest.n > 0) {
        size_t k = 0;
        while (k < TN_COUNTOF(LETTERS) && !tn_str_starts(rest, tn_str_of(LETTERS[k].spark))) {
            k++;
        }
        if (k < TN_COUNTOF(LETTERS)) {
            tn_buf_addz(&f, LETTERS[k].duck);
            rest = tn_str_sub(rest, strlen(LETTERS[k].spark), rest.n);
        } else if (strchr("-/: ._", rest.p[0]) != NULL) {
            tn_buf_addc(&f, rest.p[0]);
            rest = tn_str_sub(rest, 1, rest.n);
        } else {
            return refuse(x, "the format is not known", err);
        }
    }
    tn_buf_addz(b, "strftime(");
    TN_TRY(translate(x, from, comma, b, err));
    tn_buf_addz(b, ", ");
    tn_sql_literal(b, tn_buf_str(&f));
    tn_buf_addc(b, ')');
    return TN_OK;
}

static void fill_form(tn_buf *b, const char *form, const tn_strs *args)
{
    for (; *form != '\0'; form++) {
        if (form[0] == '$' && form[1] == '*') {
            for (size_t i = 0; i < args->n; i++) {
                tn_buf_addz(b, i > 0 ? ", " : "");
                tn_buf_add(b, args->v[i]);
            }
            form++;
        } else if (form[0] == '$') {
            tn_buf_add(b, args->v[form[1] - '1']);
            form++;
        } else {
            tn_buf_addc(b, *form);
        }
    }
}

/* The places of the commas that part arguments, and of the closing parenthesis. */
static void cut_args(
    const translator *x, size_t open, size_t close, size_t *ends, size_t max, size_t *ret_n)
{
    int depth = 0;
    size_t n = 0;
    for (size_t i = open + 1; i <= close && n < max; i++) {
        bool end = i == close ? i > open + 1 : depth == 0 && is(x, i, ",");
        if (end) {
            ends[n++] = i;
        }
        depth += is(x, i, "(") || is(x, i, "[");
        depth -= is(x, i, ")") || is(x, i, "]");
    }
    *ret_n = n;
}

enum { ARGS_MAX = 32 };

static tn_rc translate_call(const translator *x, size_t at, size_t close, tn_buf *b, tn_err *err)
{
    size_t ends[ARGS_MAX];
    size_t n;
    cut_args(x, at + 1, close, ends, ARGS_MAX, &n);
    if (is(x, at, "date_format") && n == 2) {
        return translate_format(x, at + 2, ends[0], close, b, err);
    }
    size_t type = type_at(x, at);
    if (type != SIZE_MAX && n == 1) {
        return add_cast(x, at + 2, close, type, 0, 0, b, err);
    }
    tn_strs args = { 0 };
    for (size_t i = 0; i < n; i++) {
        tn_buf one = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
        TN_TRY(translate(x, i == 0 ? at + 2 : ends[i - 1] + 1, ends[i], &one, err));
        tn_vec_push(&args, x->a, tn_buf_str(&one));
    }
    if (is(x, at, "concat") && n > 0) { /* NULL when an argument is, unlike DuckDB's */
        tn_buf_addc(b, '(');
        for (size_t i = 0; i < n; i++) {
            tn_buf_addf(
                b, "%sCAST(" TN_STR_FMT " AS VARCHAR)", i > 0 ? " || " : "", TN_STR_ARG(args.v[i]));
        }
        tn_buf_addc(b, ')');
        return TN_OK;
    }
    for (size_t k = 0; k < TN_COUNTOF(FUNCTIONS); k++) {
        if (is(x, at, FUNCTIONS[k].name) &&
            (FUNCTIONS[k].args < 0 || (size_t)FUNCTIONS[k].args == n)) {
            fill_form(b, FUNCTIONS[k].form, &args);
            return TN_OK;
        }
    }
    if (x->strict) {
        return refuse(x,
            tn_arena_printf(x->a, "the function %.*s is not known", TN_STR_ARG(x->t.v[at].text)),
            err);
    }
    tn_buf_addf(b, TN_STR_FMT "(", TN_STR_ARG(x->t.v[at].text));
    fill_form(b, "$*", &args);
    tn_buf_addc(b, ')');
    return TN_OK;
}

static bool is_keyword(const translator *x, size_t i)
{
    for (size_t k = 0; k < TN_COUNTOF(KEYWORDS); k++) {
        if (is(x, i, KEYWORDS[k])) {
            return true;
        }
    }
    return false;
}

/* 5L, 2.5D, 7BD: the number without the letters that say its type. */
static tn_str plain_number(tn_str s)
{
    size_t n = s.n;
    while (n > 1 && strchr("lLsSyYdDbBfF", s.p[n - 1]) != NULL) {
        n--;
    }
    return tn_str_sub(s, 0, n);
}

static void translate_one(const translator *x, size_t i, tn_buf *b)
{
    const token *t = &x->t.v[i];
    if (t->kind == QUOTED) {
        tn_sql_ident(b, t->text);
    } else if (t->kind == TEXT) {
        tn_sql_literal(b, t->text);
    } else if (t->kind == NUMBER) {
        tn_buf_add(b, plain_number(t->text));
    } else if (is(x, i, "<=>")) {
        tn_buf_addz(b, "IS NOT DISTINCT FROM");
    } else if (is(x, i, "==")) {
        tn_buf_addc(b, '=');
    } else if (is(x, i, "div")) {
        tn_buf_addz(b, "//");
    } else if (is(x, i, "rlike")) {
        tn_buf_addz(b, "~");
    } else if (is(x, i, "timestamp") && i + 1 < x->t.n && x->t.v[i + 1].kind == TEXT) {
        tn_buf_addz(b, "TIMESTAMPTZ");
    } else if (is(x, i, "timestamp_ntz") && i + 1 < x->t.n && x->t.v[i + 1].kind == TEXT) {
        tn_buf_addz(b, "TIMESTAMP");
    } else if (t->kind == WORD && column_at(x, i) != NULL) {
        tn_sql_ident(b, t->text);
    } else {
        tn_buf_add(b, t->text);
    }
}

static tn_rc translate(const translator *x, size_t from, size_t to, tn_buf *b, tn_err *err)
{
    for (size_t i = from; i < to; i++) {
        bool call = x->t.v[i].kind == WORD && is(x, i + 1, "(") && !is_keyword(x, i);
        bool dot = is(x, i, ".") || (i > from && is(x, i - 1, "."));
        tn_buf_addz(b, i > from && !dot ? " " : "");
        if (!call) {
            translate_one(x, i, b);
            continue;
        }
        size_t close = close_of(x, i + 1);
        if (close == SIZE_MAX || close >= to) {
            return refuse(x, "a parenthesis is not closed", err);
        }
        TN_TRY(is(x, i, "cast") ? translate_cast(x, i, close, b, err)
                                : translate_call(x, i, close, b, err));
        i = close;
    }
    return TN_OK;
}

tn_rc tn_delta_expr_sql(
    tn_arena *a, tn_str spark, const tn_delta_type *schema, bool strict, tn_str *ret, tn_err *err)
{
    translator x = { .a = a, .schema = schema, .strict = strict, .whole = spark };
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tokenize(a, spark, &x.t);
    if (x.t.n == 0) {
        return refuse(&x, "it is empty", err);
    }
    TN_TRY(translate(&x, 0, x.t.n, &b, err));
    return tn_buf_finish(&b, "an expression", ret, err);
}
