/* lake_ddl.c: types, columns and properties of CREATE TABLE and ALTER TABLE. Grammar is in lake_ddl.h.
 *
 * Expressions (DEFAULT, AS, CHECK) stay text: they end at a comma, a closing parenthesis or the next word that begins a part of a column.
 */
#include "lake/sql/lake_ddl.h"

enum { SQL_BYTES_MAX = 16 << 20, TYPE_DEPTH_MAX = 64 };

/* ---- small parts ---- */

bool tn_ddl_take(tn_ddl *d, const char *words)
{
    if (!tn_token_are(d->t, d->at, words)) {
        return false;
    }
    d->at++;
    for (const char *p = words; *p != '\0'; p++) {
        d->at += *p == ' ';
    }
    return true;
}

tn_rc tn_ddl_unexpected(const tn_ddl *d, const char *wanted, tn_err *err)
{
    if (d->at >= d->t->n) {
        return tn_fail(err, TN_E_SYNTAX, "the statement ends where %s is expected", wanted);
    }
    return tn_fail(err, TN_E_SYNTAX, "%s is expected at '" TN_STR_FMT "'", wanted,
        TN_STR_ARG(d->t->v[d->at].text));
}

tn_rc tn_ddl_string(tn_ddl *d, tn_str *ret, tn_err *err)
{
    if (d->at >= d->t->n || d->t->v[d->at].kind != TN_TOKEN_STRING) {
        return tn_ddl_unexpected(d, "a text in single quotes", err);
    }
    *ret = tn_token_value(d->a, &d->t->v[d->at++]);
    return TN_OK;
}

tn_rc tn_ddl_name(tn_ddl *d, tn_str *ret, tn_err *err)
{
    if (!tn_token_is_name(d->t, d->at)) {
        return tn_ddl_unexpected(d, "a name", err);
    }
    *ret = tn_token_value(d->a, &d->t->v[d->at++]);
    return TN_OK;
}

tn_rc tn_ddl_path(tn_ddl *d, tn_strs *ret, tn_err *err)
{
    *ret = (tn_strs){ 0 };
    return tn_token_dotted(d->a, d->t, &d->at, ret) ? TN_OK : tn_ddl_unexpected(d, "a column", err);
}

tn_str tn_ddl_slice(const tn_ddl *d, size_t from, size_t to)
{
    if (from >= to) {
        return TN_STR_NONE;
    }
    const tn_token *last = &d->t->v[to - 1];
    const char *p = d->t->v[from].text.p;
    return tn_str_n(p, (size_t)(last->text.p + last->text.n - p));
}

tn_rc tn_ddl_parens(tn_ddl *d, tn_str *ret, tn_err *err)
{
    size_t close = tn_token_is(d->t, d->at, "(") ? tn_token_close(d->t, d->at) : SIZE_MAX;
    if (close == SIZE_MAX || close == d->at + 1) {
        return tn_ddl_unexpected(d, "an expression in parentheses", err);
    }
    *ret = tn_ddl_slice(d, d->at + 1, close);
    d->at = close + 1;
    return TN_OK;
}

/* ---- types ---- */

static const struct {
    const char *word;
    const char *delta;
} SPARK[] = {
    { "string", "string" },
    { "long", "long" },
    { "byte", "byte" },
    { "short", "short" },
    { "binary", "binary" },
    { "timestamp_ntz", "timestamp_ntz" },
    { "timestamp_ltz", "timestamp" },
    { "void", "void" },
};

static tn_delta_type *primitive(tn_arena *a, const char *name)
{
    tn_delta_type *t = tn_new(a, tn_delta_type);
    *t = (tn_delta_type){ .kind = TN_DT_PRIMITIVE, .name = tn_str_of(name) };
    return t;
}

static tn_rc take_type(tn_ddl *d, int depth, tn_delta_type **ret, tn_err *err);

static tn_rc take_sign(tn_ddl *d, const char *sign, tn_err *err)
{
    return tn_ddl_take(d, sign) ? TN_OK : tn_ddl_unexpected(d, sign, err);
}

/* STRUCT<a: INT NOT NULL COMMENT '..', ..>, from behind the '<' on. */
static tn_rc take_struct(tn_ddl *d, int depth, tn_delta_type *t, tn_err *err)
{
    t->kind = TN_DT_STRUCT;
    do {
        tn_delta_field f = { .nullable = true, .metadata = tn_val_dict(d->a) };
        TN_TRY(tn_ddl_name(d, &f.name, err));
        (void)tn_ddl_take(d, ":");
        TN_TRY(take_type(d, depth, &f.type, err));
        f.nullable = !tn_ddl_take(d, "not null");
        if (tn_ddl_take(d, "comment")) {
            tn_str text;
            TN_TRY(tn_ddl_string(d, &text, err));
            tn_delta_field_set_comment(d->a, &f, text);
        }
        tn_vec_push(&t->fields, d->a, f);
    } while (tn_ddl_take(d, ","));
    return take_sign(d, ">", err);
}

static tn_rc take_nested(tn_ddl *d, int depth, tn_delta_type *t, tn_err *err)
{
    bool map = tn_token_is(d->t, d->at - 1, "map");
    if (tn_token_is(d->t, d->at - 1, "struct")) {
        d->at++;
        return take_struct(d, depth, t, err);
    }
    d->at++;
    t->kind = map ? TN_DT_MAP : TN_DT_ARRAY;
    t->contains_null = true;
    if (map) {
        TN_TRY(take_type(d, depth, &t->key, err));
        TN_TRY(take_sign(d, ",", err));
    }
    TN_TRY(take_type(d, depth, &t->element, err));
    return take_sign(d, ">", err);
}

/* A type that DuckDB knows: name [more words] [(..)]. */
static tn_rc take_duck_type(tn_ddl *d, tn_delta_type **ret, tn_err *err)
{
    size_t from = d->at++;
    if (tn_token_are(d->t, d->at, "with time zone") ||
        tn_token_are(d->t, d->at, "without time zone")) {
        d->at += 3;
    } else if (tn_token_is(d->t, from, "double") && tn_token_is(d->t, d->at, "precision")) {
        d->at++;
    } else if (tn_token_is(d->t, d->at, "(")) {
        size_t close = tn_token_close(d->t, d->at);
        if (close == SIZE_MAX) {
            return tn_ddl_unexpected(d, "a closing parenthesis", err);
        }
        d->at = close + 1;
    }
    tn_val columns;
    tn_err why = TN_ERR_INIT;
    tn_str text = tn_ddl_slice(d, from, d->at);
    tn_str sql = tn_str_printf(d->a, "SELECT CAST(NULL AS " TN_STR_FMT ")", TN_STR_ARG(text));
    if (tn_conn_describe(d->conn, d->a, sql, &columns, &why) != TN_OK) {
        tn_rc rc = tn_fail(
            err, TN_E_SYNTAX, "'" TN_STR_FMT "' is no type that is known", TN_STR_ARG(text));
        return tn_hint(err, rc, "%s", why.msg);
    }
    tn_str name = tn_val_as_str(columns.list->v[0].list->v[1]);
    return tn_delta_type_from_sql(d->a, name, ret, err);
}

static tn_rc take_plain(tn_ddl *d, int depth, tn_delta_type **ret, tn_err *err)
{
    if (!tn_token_is_name(d->t, d->at)) {
        return tn_ddl_unexpected(d, "a type", err);
    }
    for (size_t i = 0; i < TN_COUNTOF(SPARK); i++) {
        if (tn_token_is(d->t, d->at, SPARK[i].word)) {
            d->at++;
            *ret = primitive(d->a, SPARK[i].delta);
            return TN_OK;
        }
    }
    if (tn_token_is(d->t, d->at + 1, "<")) {
        d->at++;
        *ret = tn_new(d->a, tn_delta_type);
        return take_nested(d, depth + 1, *ret, err);
    }
    return take_duck_type(d, ret, err);
}

static tn_rc take_type(tn_ddl *d, int depth, tn_delta_type **ret, tn_err *err)
{
    if (depth > TYPE_DEPTH_MAX) {
        return tn_fail(err, TN_E_LIMIT, "a type is nested deeper than %d", TYPE_DEPTH_MAX);
    }
    TN_TRY(take_plain(d, depth, ret, err));
    while (tn_ddl_take(d, "[ ]")) {
        tn_delta_type *list = tn_new(d->a, tn_delta_type);
        list->kind = TN_DT_ARRAY;
        list->element = *ret;
        list->contains_null = true;
        *ret = list;
    }
    return TN_OK;
}

tn_rc tn_ddl_type(tn_ddl *d, tn_delta_type **ret, tn_err *err)
{
    return take_type(d, 0, ret, err);
}

/* ---- columns ---- */

/* Words that begin the next part of a column. */
static bool at_part(const tn_ddl *d, size_t i)
{
    static const char *const WORDS[] = { ",", "not null", "comment", "default", "generated",
        "check", "primary key", "unique", "first", "after", "references", "constraint" };
    for (size_t k = 0; k < TN_COUNTOF(WORDS); k++) {
        if (tn_token_are(d->t, i, WORDS[k])) {
            return true;
        }
    }
    return false;
}

/* An expression without parentheses around it, as far as it goes. */
static tn_rc take_expression(tn_ddl *d, tn_str *ret, tn_err *err)
{
    size_t from = d->at;
    int depth = 0;
    for (; d->at < d->t->n; d->at++) {
        if (depth == 0 && d->at > from && at_part(d, d->at)) {
            break;
        }
        depth += tn_token_is(d->t, d->at, "(") || tn_token_is(d->t, d->at, "[");
        depth -= tn_token_is(d->t, d->at, ")") || tn_token_is(d->t, d->at, "]");
        if (depth < 0) {
            break;
        }
    }
    *ret = tn_ddl_slice(d, from, d->at);
    return ret->n > 0 ? TN_OK : tn_ddl_unexpected(d, "an expression", err);
}

static tn_rc take_number(tn_ddl *d, int64_t *ret, tn_err *err)
{
    bool minus = tn_ddl_take(d, "-");
    int64_t n;
    if (d->at >= d->t->n || !tn_str_to_i64(d->t->v[d->at].text, &n)) {
        return tn_ddl_unexpected(d, "a whole number", err);
    }
    d->at++;
    *ret = minus ? -n : n;
    return TN_OK;
}

/* [(START WITH n INCREMENT BY m)] */
static tn_rc take_identity(tn_ddl *d, tn_delta_field *f, bool by_default, tn_err *err)
{
    tn_delta_identity id = { .start = 1, .step = 1, .by_default = by_default };
    if (tn_ddl_take(d, "(")) {
        while (!tn_ddl_take(d, ")")) {
            (void)tn_ddl_take(d, ",");
            if (tn_ddl_take(d, "start")) {
                (void)tn_ddl_take(d, "with");
                TN_TRY(take_number(d, &id.start, err));
            } else if (tn_ddl_take(d, "increment")) {
                (void)tn_ddl_take(d, "by");
                TN_TRY(take_number(d, &id.step, err));
            } else {
                return tn_ddl_unexpected(d, "START WITH or INCREMENT BY", err);
            }
        }
    }
    return tn_delta_field_set_identity(f, &id, err);
}

/* From behind GENERATED on. */
static tn_rc take_generated(tn_ddl *d, tn_delta_field *f, tn_err *err)
{
    tn_str expr;
    bool by_default = tn_ddl_take(d, "by default");
    if ((!by_default && !tn_ddl_take(d, "always")) || !tn_ddl_take(d, "as")) {
        return tn_ddl_unexpected(d, "ALWAYS AS or BY DEFAULT AS", err);
    }
    if (tn_ddl_take(d, "identity")) {
        return take_identity(d, f, by_default, err);
    }
    if (by_default) {
        return tn_ddl_unexpected(d, "IDENTITY", err);
    }
    TN_TRY(tn_ddl_parens(d, &expr, err));
    tn_delta_field_set_generated(d->a, f, expr);
    return TN_OK;
}

static tn_rc add_check(tn_ddl *d, tn_val constraints, tn_str name, tn_err *err)
{
    tn_str expr;
    if (constraints.tag != TN_DICT) {
        return tn_fail(err, TN_E_UNSUPPORTED, "a new column takes no CHECK: use ADD CONSTRAINT");
    }
    TN_TRY(tn_ddl_parens(d, &expr, err));
    tn_dict_puts(constraints.dict,
        tn_str_concat(d->a, TN_STR("delta.constraints."), tn_str_lower(d->a, name)),
        tn_val_str(tn_delta_sql_for_metadata(d->a, expr)));
    return TN_OK;
}

static tn_rc take_part(tn_ddl *d, tn_delta_new_column *n, tn_val constraints, tn_err *err)
{
    tn_str text;
    if (tn_ddl_take(d, "not null")) {
        n->field.nullable = false;
    } else if (tn_ddl_take(d, "null")) {
        n->field.nullable = true;
    } else if (tn_ddl_take(d, "comment")) {
        TN_TRY(tn_ddl_string(d, &text, err));
        tn_delta_field_set_comment(d->a, &n->field, text);
    } else if (tn_ddl_take(d, "default")) {
        TN_TRY(take_expression(d, &text, err));
        return tn_delta_field_set_default(d->a, &n->field, text, err);
    } else if (tn_ddl_take(d, "generated")) {
        return take_generated(d, &n->field, err);
    } else if (tn_ddl_take(d, "check")) {
        return add_check(d, constraints, tn_str_concat(d->a, n->field.name, TN_STR("_check")), err);
    } else if (tn_ddl_take(d, "first")) {
        n->place = TN_PLACE_FIRST;
    } else if (tn_ddl_take(d, "after")) {
        n->place = TN_PLACE_AFTER;
        return tn_ddl_name(d, &n->after, err);
    } else if (at_part(d, d->at)) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED, "a Delta table has no " TN_STR_FMT,
            TN_STR_ARG(tn_str_upper(d->a, d->t->v[d->at].text)));
        return tn_hint(
            err, rc, "NOT NULL and CHECK are what it can promise; MERGE keeps keys unique");
    } else {
        return tn_ddl_unexpected(d, "NOT NULL, COMMENT, DEFAULT, GENERATED or a comma", err);
    }
    return TN_OK;
}

tn_rc tn_ddl_column(tn_ddl *d, tn_delta_new_column *ret, tn_val constraints, tn_err *err)
{
    tn_delta_new_column n = { .field = { .nullable = true, .metadata = tn_val_dict(d->a) } };
    tn_strs path;
    TN_TRY(tn_ddl_path(d, &path, err));
    n.field.name = path.v[path.n - 1];
    n.path = path;
    n.path.n--;
    TN_TRY(tn_ddl_type(d, &n.field.type, err));
    while (d->at < d->t->n && !tn_token_is(d->t, d->at, ",") && !tn_token_is(d->t, d->at, ")")) {
        TN_TRY(take_part(d, &n, constraints, err));
    }
    *ret = n;
    return TN_OK;
}

tn_rc tn_ddl_columns(tn_ddl *d, tn_delta_type *schema, tn_val constraints, tn_err *err)
{
    TN_TRY(take_sign(d, "(", err));
    do {
        tn_str name;
        tn_delta_new_column n;
        if (tn_ddl_take(d, "constraint")) {
            TN_TRY(tn_ddl_name(d, &name, err));
            if (!tn_ddl_take(d, "check")) {
                return tn_ddl_unexpected(d, "CHECK (..)", err);
            }
            TN_TRY(add_check(d, constraints, name, err));
            continue;
        }
        TN_TRY(tn_ddl_column(d, &n, constraints, err));
        if (n.path.n > 0 || n.place != TN_PLACE_LAST) {
            return tn_fail(err, TN_E_SYNTAX,
                "the column '" TN_STR_FMT "' of a new table has its "
                "place by the order",
                TN_STR_ARG(n.field.name));
        }
        for (size_t i = 0; i < schema->fields.n; i++) {
            if (tn_str_eq_nocase(schema->fields.v[i].name, n.field.name)) {
                return tn_fail(err, TN_E_NAME, "there are two columns '" TN_STR_FMT "'",
                    TN_STR_ARG(n.field.name));
            }
        }
        tn_vec_push(&schema->fields, d->a, n.field);
    } while (tn_ddl_take(d, ","));
    return take_sign(d, ")", err);
}

/* ---- properties ---- */

tn_rc tn_ddl_key(tn_ddl *d, tn_str *ret, tn_err *err)
{
    size_t from = d->at;
    tn_strs parts;
    if (d->at < d->t->n && d->t->v[d->at].kind == TN_TOKEN_STRING) {
        *ret = tn_token_value(d->a, &d->t->v[d->at++]);
        return TN_OK;
    }
    if (!tn_token_dotted(d->a, d->t, &d->at, &parts)) {
        return tn_ddl_unexpected(d, "a property like 'key'", err);
    }
    *ret = tn_ddl_slice(d, from, d->at);
    return TN_OK;
}

tn_rc tn_ddl_properties(tn_ddl *d, tn_val *ret, tn_err *err)
{
    tn_val out = tn_val_dict(d->a);
    TN_TRY(take_sign(d, "(", err));
    while (!tn_ddl_take(d, ")")) {
        tn_str key;
        TN_TRY(tn_ddl_key(d, &key, err));
        TN_TRY(take_sign(d, "=", err));
        size_t from = d->at;
        d->at += tn_token_is(d->t, d->at, "-");
        if (d->at >= d->t->n || tn_token_is(d->t, d->at, ")")) {
            return tn_ddl_unexpected(d, "a value", err);
        }
        tn_str value = d->t->v[d->at].kind == TN_TOKEN_STRING
                           ? tn_token_value(d->a, &d->t->v[d->at])
                           : tn_ddl_slice(d, from, d->at + 1);
        d->at++;
        tn_dict_puts(out.dict, key, tn_val_str(value));
        if (!tn_ddl_take(d, ",") && !tn_token_is(d->t, d->at, ")")) {
            return tn_ddl_unexpected(d, "a comma or a closing parenthesis", err);
        }
    }
    *ret = out;
    return TN_OK;
}
