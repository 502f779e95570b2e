/* duck_types.c: logical types as SQL text, as typeof() prints them and as CAST takes them back. */
#include "duck/duck_impl.h"
#include "text/sqltext.h"

enum { TYPE_DEPTH_MAX = 128, TYPE_TEXT_MAX = 16 << 20 };

static const char *const scalar_names[] = {
    [DUCKDB_TYPE_BOOLEAN] = "BOOLEAN",
    [DUCKDB_TYPE_TINYINT] = "TINYINT",
    [DUCKDB_TYPE_SMALLINT] = "SMALLINT",
    [DUCKDB_TYPE_INTEGER] = "INTEGER",
    [DUCKDB_TYPE_BIGINT] = "BIGINT",
    [DUCKDB_TYPE_UTINYINT] = "UTINYINT",
    [DUCKDB_TYPE_USMALLINT] = "USMALLINT",
    [DUCKDB_TYPE_UINTEGER] = "UINTEGER",
    [DUCKDB_TYPE_UBIGINT] = "UBIGINT",
    [DUCKDB_TYPE_FLOAT] = "FLOAT",
    [DUCKDB_TYPE_DOUBLE] = "DOUBLE",
    [DUCKDB_TYPE_TIMESTAMP] = "TIMESTAMP",
    [DUCKDB_TYPE_DATE] = "DATE",
    [DUCKDB_TYPE_TIME] = "TIME",
    [DUCKDB_TYPE_INTERVAL] = "INTERVAL",
    [DUCKDB_TYPE_HUGEINT] = "HUGEINT",
    [DUCKDB_TYPE_UHUGEINT] = "UHUGEINT",
    [DUCKDB_TYPE_VARCHAR] = "VARCHAR",
    [DUCKDB_TYPE_BLOB] = "BLOB",
    [DUCKDB_TYPE_TIMESTAMP_S] = "TIMESTAMP_S",
    [DUCKDB_TYPE_TIMESTAMP_MS] = "TIMESTAMP_MS",
    [DUCKDB_TYPE_TIMESTAMP_NS] = "TIMESTAMP_NS",
    [DUCKDB_TYPE_UUID] = "UUID",
    [DUCKDB_TYPE_BIT] = "BIT",
    [DUCKDB_TYPE_TIME_TZ] = "TIME WITH TIME ZONE",
    [DUCKDB_TYPE_TIMESTAMP_TZ] = "TIMESTAMP WITH TIME ZONE",
    [DUCKDB_TYPE_BIGNUM] = "BIGNUM",
    [DUCKDB_TYPE_SQLNULL] = "\"NULL\"",
    [DUCKDB_TYPE_TIME_NS] = "TIME_NS",
    [DUCKDB_TYPE_GEOMETRY] = "GEOMETRY",
    [DUCKDB_TYPE_VARIANT] = "VARIANT",
};

bool duck_type_is_nested(duckdb_type id)
{
    return id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_ARRAY || id == DUCKDB_TYPE_STRUCT ||
           id == DUCKDB_TYPE_MAP;
}

/* Leaves that duck_cell_read knows. */
static bool is_plain_leaf(duckdb_type id)
{
    switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
    case DUCKDB_TYPE_SQLNULL:
        return true;
    default:
        return false;
    }
}

typedef struct type_printer {
    tn_buf *b;
    bool plain; /* odd leaves print as VARCHAR */
    bool changed;
} type_printer;

static void print_type(type_printer *p, duckdb_logical_type type, int depth);

/* Letters (both cases), digits after the first, underscores, and not a keyword: then DuckDB prints a name without quotes. */
static bool needs_quotes(tn_str name, tn_arena *a)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return true;
        }
    }
    return duck_is_keyword(tn_str_lower(a, name));
}

/* The fields of row(1, 2) have no names, and there is no way to write such a type: a plain type, which is there to be
 * cast to, names them by DUCK_NO_NAME and their place. */
static void print_field(
    type_printer *p, char *name_z, duckdb_logical_type type, uint64_t place, int depth)
{
    TN_AUTO(duckdb_logical_type) child = type;
    tn_str name = tn_str_of(name_z);
    if (name.n == 0 && p->plain) {
        name = tn_str_printf(p->b->arena, "%c%llu", DUCK_NO_NAME, (unsigned long long)place);
    }
    if (name.n > 0 && needs_quotes(name, p->b->arena)) {
        tn_sql_ident(p->b, name);
    } else {
        tn_buf_add(p->b, name);
    }
    tn_buf_addz(p->b, name.n > 0 ? " " : "");
    duckdb_free(name_z);
    print_type(p, child, depth + 1);
}

static void print_struct(type_printer *p, duckdb_logical_type type, int depth)
{
    tn_buf_addz(p->b, "STRUCT(");
    uint64_t n = duckdb_struct_type_child_count(type);
    for (uint64_t i = 0; i < n; i++) {
        tn_buf_addz(p->b, i > 0 ? ", " : "");
        print_field(p, duckdb_struct_type_child_name(type, i),
            duckdb_struct_type_child_type(type, i), i, depth);
    }
    tn_buf_addc(p->b, ')');
}

static void print_union(type_printer *p, duckdb_logical_type type, int depth)
{
    tn_buf_addz(p->b, "UNION(");
    uint64_t n = duckdb_union_type_member_count(type);
    for (uint64_t i = 0; i < n; i++) {
        tn_buf_addz(p->b, i > 0 ? ", " : "");
        print_field(p, duckdb_union_type_member_name(type, i),
            duckdb_union_type_member_type(type, i), i, depth);
    }
    tn_buf_addc(p->b, ')');
}

static void print_enum(type_printer *p, duckdb_logical_type type)
{
    tn_buf_addz(p->b, "ENUM(");
    uint32_t n = duckdb_enum_dictionary_size(type);
    for (uint32_t i = 0; i < n; i++) {
        tn_buf_addz(p->b, i > 0 ? ", " : "");
        char *value = duckdb_enum_dictionary_value(type, i);
        tn_sql_literal(p->b, tn_str_of(value));
        duckdb_free(value);
    }
    tn_buf_addc(p->b, ')');
}

static void print_map(type_printer *p, duckdb_logical_type type, int depth)
{
    TN_AUTO(duckdb_logical_type) key = duckdb_map_type_key_type(type);
    TN_AUTO(duckdb_logical_type) value = duckdb_map_type_value_type(type);
    tn_buf_addz(p->b, "MAP(");
    print_type(p, key, depth + 1);
    tn_buf_addz(p->b, ", ");
    print_type(p, value, depth + 1);
    tn_buf_addc(p->b, ')');
}

static void print_sequence(type_printer *p, duckdb_logical_type type, duckdb_type id, int depth)
{
    bool is_array = id == DUCKDB_TYPE_ARRAY;
    TN_AUTO(duckdb_logical_type)
    child = is_array ? duckdb_array_type_child_type(type) : duckdb_list_type_child_type(type);
    print_type(p, child, depth + 1);
    if (is_array) {
        tn_buf_addf(p->b, "[%llu]", (unsigned long long)duckdb_array_type_array_size(type));
    } else {
        tn_buf_addz(p->b, "[]");
    }
}

/* JSON is a VARCHAR with a name of its own. Other names come from CREATE TYPE: typeof() shows what is behind them. */
static bool is_json(duckdb_logical_type type)
{
    char *alias = duckdb_logical_type_get_alias(type);
    bool yes = alias != NULL && tn_str_is(tn_str_of(alias), "JSON");
    duckdb_free(alias);
    return yes;
}

static void print_type(type_printer *p, duckdb_logical_type type, int depth)
{
    duckdb_type id = duckdb_get_type_id(type);
    if (depth > TYPE_DEPTH_MAX) {
        tn_buf_addz(p->b, "VARCHAR");
        p->changed = true;
        return;
    }
    if (p->plain && !duck_type_is_nested(id)) {
        if (!is_plain_leaf(id)) {
            tn_buf_addz(p->b, "VARCHAR");
            p->changed = true;
            return;
        }
    } else if (id == DUCKDB_TYPE_VARCHAR && is_json(type)) {
        tn_buf_addz(p->b, "JSON");
        return;
    }
    switch (id) {
    case DUCKDB_TYPE_DECIMAL:
        tn_buf_addf(p->b, "DECIMAL(%d,%d)", duckdb_decimal_width(type), duckdb_decimal_scale(type));
        return;
    case DUCKDB_TYPE_ENUM:
        print_enum(p, type);
        return;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
        print_sequence(p, type, id, depth);
        return;
    case DUCKDB_TYPE_STRUCT:
        print_struct(p, type, depth);
        return;
    case DUCKDB_TYPE_MAP:
        print_map(p, type, depth);
        return;
    case DUCKDB_TYPE_UNION:
        print_union(p, type, depth);
        return;
    default:
        tn_buf_addz(p->b, (size_t)id < TN_COUNTOF(scalar_names) && scalar_names[id]
                              ? scalar_names[id]
                              : "VARCHAR");
    }
}

static tn_str finish(tn_buf *b)
{
    tn_str text;
    return tn_buf_finish(b, "type", &text, NULL) == TN_OK ? text : TN_STR("VARCHAR");
}

tn_str duck_type_text(tn_arena *a, duckdb_logical_type type)
{
    tn_buf b = tn_buf_init(a, TYPE_TEXT_MAX);
    type_printer p = { .b = &b };
    print_type(&p, type, 0);
    return finish(&b);
}

tn_str duck_plain_type_text(tn_arena *a, duckdb_logical_type type, bool *ret_changed)
{
    tn_buf b = tn_buf_init(a, TYPE_TEXT_MAX);
    type_printer p = { .b = &b, .plain = true };
    print_type(&p, type, 0);
    *ret_changed = p.changed;
    return finish(&b);
}
