/* delta_sqltype.c: DuckDB's type text to a Delta type.
 *
 *     type   = ( name [ "(" args ")" ] | "STRUCT(" field { "," field } ")" | "MAP(" type "," type ")" ) { "[" [n] "]" }
 *     field  = identifier " " type
 * The text comes from DESCRIBE, so it is regular; what Delta has no type for is refused with a way out. Types that
 * Delta has no exact twin for but a wider one (unsigned integers, UUID, enums) take the wider one.
 */
#include "delta/action/delta_schema.h"

typedef struct cursor {
    tn_arena *arena;
    tn_str text;
    size_t at;
    int depth;
} cursor;

static const struct {
    const char *sql;
    const char *delta;
} NAMES[] = {
    { "BOOLEAN", "boolean" },
    { "TINYINT", "byte" },
    { "SMALLINT", "short" },
    { "INTEGER", "integer" },
    { "BIGINT", "long" },
    { "UTINYINT", "short" },
    { "USMALLINT", "integer" },
    { "UINTEGER", "long" },
    { "UBIGINT", "decimal(20,0)" },
    { "HUGEINT",
        "decimal(38,0)" }, /* what sum() of integers gives; the cast fails beyond 38 digits */
    { "FLOAT", "float" },
    { "DOUBLE", "double" },
    { "VARCHAR", "string" },
    { "JSON", "string" },
    { "UUID", "string" },
    { "BLOB", "binary" },
    { "DATE", "date" },
    { "TIMESTAMP", "timestamp_ntz" },
    { "TIMESTAMP_S", "timestamp_ntz" },
    { "TIMESTAMP_MS", "timestamp_ntz" },
    { "TIMESTAMP_NS", "timestamp_ntz" },
    { "TIMESTAMP WITH TIME ZONE", "timestamp" },
    { "TIMESTAMPTZ", "timestamp" },
    { "VARIANT", "variant" },
};

static const struct {
    const char *sql;
    const char *hint;
} REFUSED[] = {
    { "UHUGEINT", "cast it to DECIMAL(38,0) or VARCHAR" },
    { "BIGNUM", "cast it to DECIMAL(38,0) or VARCHAR" },
    { "TIME", "cast it to VARCHAR" },
    { "TIME_NS", "cast it to VARCHAR" },
    { "TIME WITH TIME ZONE", "cast it to VARCHAR" },
    { "INTERVAL", "cast it to VARCHAR, or store a number of seconds" },
    { "BIT", "cast it to VARCHAR or BLOB" },
    { "GEOMETRY", "store its text or WKB: ST_AsText(x), ST_AsWKB(x)" },
    { "UNION", "cast it to VARCHAR or a STRUCT" },
    { "\"NULL\"", "cast it to the type that the column is to have" },
};

static tn_rc parse_type(cursor *c, tn_delta_type **ret, tn_err *err);

static bool at_char(const cursor *c, char ch)
{
    return c->at < c->text.n && c->text.p[c->at] == ch;
}

static void skip_blank(cursor *c)
{
    while (at_char(c, ' ')) {
        c->at++;
    }
}

static tn_rc bad(const cursor *c, tn_err *err)
{
    return tn_fail(
        err, TN_E_UNSUPPORTED, "cannot read the type '" TN_STR_FMT "'", TN_STR_ARG(c->text));
}

/* An identifier, quoted ("" inside means one quote) or plain. */
static tn_rc parse_ident(cursor *c, tn_str *ret, tn_err *err)
{
    skip_blank(c);
    if (!at_char(c, '"')) {
        size_t from = c->at;
        while (c->at < c->text.n && strchr(" (),[]", c->text.p[c->at]) == NULL) {
            c->at++;
        }
        *ret = tn_str_dup(c->arena, tn_str_sub(c->text, from, c->at));
        return c->at > from ? TN_OK : bad(c, err);
    }
    tn_buf b = tn_buf_init(c->arena, c->text.n + 1);
    for (c->at++; c->at < c->text.n; c->at++) {
        if (at_char(c, '"')) {
            c->at++;
            if (!at_char(c, '"')) {
                return tn_buf_finish(&b, "a field's name", ret, err);
            }
        }
        tn_buf_addc(&b, c->text.p[c->at]);
    }
    return bad(c, err);
}

static tn_rc expect(cursor *c, char ch, tn_err *err)
{
    skip_blank(c);
    if (!at_char(c, ch)) {
        return bad(c, err);
    }
    c->at++;
    return TN_OK;
}

/* "STRUCT(" is read; field { "," field } ")" */
static tn_rc parse_struct(cursor *c, tn_delta_type *t, tn_err *err)
{
    t->kind = TN_DT_STRUCT;
    do {
        tn_delta_field f = { .nullable = true, .metadata = tn_val_dict(c->arena) };
        TN_TRY(parse_ident(c, &f.name, err));
        skip_blank(c);
        TN_TRY(parse_type(c, &f.type, err));
        tn_vec_push(&t->fields, c->arena, f);
        skip_blank(c);
    } while (at_char(c, ',') && c->at++ < c->text.n);
    return expect(c, ')', err);
}

static tn_rc parse_map(cursor *c, tn_delta_type *t, tn_err *err)
{
    t->kind = TN_DT_MAP;
    t->contains_null = true;
    TN_TRY(parse_type(c, &t->key, err));
    TN_TRY(expect(c, ',', err));
    skip_blank(c);
    TN_TRY(parse_type(c, &t->element, err));
    return expect(c, ')', err);
}

/* Skips "(...)" with quotes and nesting inside. */
static tn_rc skip_args(cursor *c, tn_err *err)
{
    int depth = 0;
    char quote = 0;
    for (; c->at < c->text.n; c->at++) {
        char ch = c->text.p[c->at];
        if (quote != 0) {
            quote = ch == quote ? 0 : quote;
        } else if (ch == '\'' || ch == '"') {
            quote = ch;
        } else if (ch == '(') {
            depth++;
        } else if (ch == ')' && --depth == 0) {
            c->at++;
            return TN_OK;
        }
    }
    return bad(c, err);
}

static tn_rc named_type(cursor *c, tn_str name, tn_str args, tn_delta_type *t, tn_err *err)
{
    t->kind = TN_DT_PRIMITIVE;
    if (tn_str_is(name, "DECIMAL")) {
        t->name = tn_str_printf(c->arena, "decimal" TN_STR_FMT,
            TN_STR_ARG(tn_str_replace(c->arena, args, TN_STR(" "), TN_STR(""))));
        return TN_OK;
    }
    if (tn_str_is(name, "ENUM")) {
        t->name = TN_STR("string");
        return TN_OK;
    }
    for (size_t i = 0; i < TN_COUNTOF(NAMES); i++) {
        if (tn_str_is(name, NAMES[i].sql)) {
            t->name = tn_str_of(NAMES[i].delta);
            return TN_OK;
        }
    }
    tn_rc rc =
        tn_fail(err, TN_E_UNSUPPORTED, "Delta has no type for " TN_STR_FMT, TN_STR_ARG(name));
    for (size_t i = 0; i < TN_COUNTOF(REFUSED); i++) {
        if (tn_str_is(name, REFUSED[i].sql)) {
            return tn_hint(err, rc, "%s", REFUSED[i].hint);
        }
    }
    return tn_hint(err, rc, "cast the column to a type that Delta has");
}

/* The name may have blanks in it: TIMESTAMP WITH TIME ZONE. */
static tn_rc parse_base(cursor *c, tn_delta_type *t, tn_err *err)
{
    size_t from = c->at;
    while (c->at < c->text.n && strchr("(),[", c->text.p[c->at]) == NULL) {
        c->at++;
    }
    tn_str name = tn_str_upper(c->arena, tn_str_trim(tn_str_sub(c->text, from, c->at)));
    if (at_char(c, '(') && (tn_str_is(name, "STRUCT") || tn_str_is(name, "MAP"))) {
        c->at++;
        return tn_str_is(name, "MAP") ? parse_map(c, t, err) : parse_struct(c, t, err);
    }
    size_t args = c->at;
    if (at_char(c, '(')) {
        TN_TRY(skip_args(c, err));
    }
    return named_type(c, name, tn_str_sub(c->text, args, c->at), t, err);
}

static tn_rc parse_type(cursor *c, tn_delta_type **ret, tn_err *err)
{
    if (++c->depth > TN_DELTA_TYPE_DEPTH_MAX) {
        return tn_fail(err, TN_E_LIMIT, "a type is nested deeper than %d", TN_DELTA_TYPE_DEPTH_MAX);
    }
    tn_delta_type *t = tn_new(c->arena, tn_delta_type);
    TN_TRY(parse_base(c, t, err));
    while (at_char(c, '[')) {
        size_t close = tn_str_find_char(c->text, ']', c->at);
        if (close == SIZE_MAX) {
            return bad(c, err);
        }
        c->at = close + 1;
        tn_delta_type *list = tn_new(c->arena, tn_delta_type);
        list->kind = TN_DT_ARRAY;
        list->element = t;
        list->contains_null = true;
        t = list;
    }
    c->depth--;
    *ret = t;
    return TN_OK;
}

tn_rc tn_delta_type_from_sql(tn_arena *a, tn_str sql_type, tn_delta_type **ret, tn_err *err)
{
    cursor c = { .arena = a, .text = tn_str_trim(sql_type) };
    tn_delta_type *t;
    TN_TRY(parse_type(&c, &t, err));
    if (c.at != c.text.n) {
        return bad(&c, err);
    }
    *ret = t;
    return TN_OK;
}
