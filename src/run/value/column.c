/* column.c: columns as macros see them: name, type text, and the questions that dbt's Column answers about types. */
#include "run/value/relation.h"

typedef enum column_method {
    C_IS_STRING,
    C_IS_NUMBER,
    C_IS_FLOAT,
    C_IS_INTEGER,
    C_IS_NUMERIC,
    C_IS_STRUCT,
    C_STRING_SIZE,
    C_CAN_EXPAND_TO,
    C_LITERAL,
    C_STRING_TYPE,
    C_NUMERIC_TYPE,
    C_TRANSLATE_TYPE,
    C_CREATE,
    C_FLATTEN,
    C_FROM_DESCRIPTION,
} column_method;

static const struct {
    const char *name;
    column_method method;
    bool of_class; /* may be called on api.Column too */
} methods[] = {
    { "is_string", C_IS_STRING, false },
    { "is_number", C_IS_NUMBER, false },
    { "is_float", C_IS_FLOAT, false },
    { "is_integer", C_IS_INTEGER, false },
    { "is_numeric", C_IS_NUMERIC, false },
    { "is_struct", C_IS_STRUCT, false },
    { "string_size", C_STRING_SIZE, false },
    { "can_expand_to", C_CAN_EXPAND_TO, false },
    { "literal", C_LITERAL, false },
    { "flatten", C_FLATTEN, false },
    { "string_type", C_STRING_TYPE, true },
    { "numeric_type", C_NUMERIC_TYPE, true },
    { "translate_type", C_TRANSLATE_TYPE, true },
    { "create", C_CREATE, true },
    { "from_description", C_FROM_DESCRIPTION, true },
};

static const char *const string_types[] = { "text", "character varying", "character", "varchar",
    NULL };
static const char *const float_types[] = { "real", "float", "float4", "float8", "double", NULL };
static const char *const integer_types[] = { "tinyint", "smallint", "integer", "bigint", "hugeint",
    "utinyint", "usmallint", "uinteger", "ubigint", "int1", "int2", "int4", "int8", "short", "int",
    "signed", "long", NULL };
static const char *const numeric_types[] = { "numeric", "decimal", NULL };
static const char *const labels[][2] = { { "STRING", "TEXT" } };

static bool is_one_of(tn_str type, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (tn_str_eq_nocase(type, tn_str_of(*names))) {
            return true;
        }
    }
    return false;
}

tn_val tn_column_new(tn_arena *a, tn_str name, tn_str dtype)
{
    tn_column *c = tn_new(a, tn_column);
    *c = (tn_column){ .base = { &tn_column_type },
        .name = name,
        .dtype = dtype,
        .char_size = TN_VAL_NONE,
        .precision = TN_VAL_NONE,
        .scale = TN_VAL_NONE };
    return tn_val_obj(&c->base);
}

bool tn_val_is_column(tn_val v, tn_column **ret)
{
    if (v.tag != TN_OBJ || v.obj->type != &tn_column_type) {
        return false;
    }
    *ret = (tn_column *)(void *)v.obj;
    return true;
}

static tn_str translate(tn_arena *a, tn_str type)
{
    for (size_t i = 0; i < TN_COUNTOF(labels); i++) {
        if (tn_str_eq_nocase(type, tn_str_of(labels[i][0]))) {
            return tn_str_of(labels[i][1]);
        }
    }
    return tn_str_dup(a, type);
}

static bool is_string(const tn_column *c)
{
    return is_one_of(c->dtype, string_types);
}

static int64_t string_size(const tn_column *c)
{
    return c->char_size.tag == TN_INT && !tn_str_eq_nocase(c->dtype, TN_STR("text"))
               ? c->char_size.i
               : 256;
}

static tn_str numeric_type(tn_arena *a, tn_str type, tn_val precision, tn_val scale)
{
    if (precision.tag != TN_INT || scale.tag != TN_INT) {
        return type;
    }
    return tn_str_printf(
        a, TN_STR_FMT "(%lld,%lld)", TN_STR_ARG(type), (long long)precision.i, (long long)scale.i);
}

static tn_str data_type(tn_arena *a, const tn_column *c)
{
    if (is_string(c)) {
        return tn_str_printf(a, "character varying(%lld)", (long long)string_size(c));
    }
    return is_one_of(c->dtype, numeric_types) ? numeric_type(a, c->dtype, c->precision, c->scale)
                                              : c->dtype;
}

static bool is_struct(tn_str type)
{
    return type.n > 7 && tn_str_eq_nocase(tn_str_sub(type, 0, 7), TN_STR("STRUCT(")) &&
           type.p[type.n - 1] == ')';
}

/* One field "name type" of a struct's text; the name may be quoted. */
static void flatten_field(tn_arena *a, tn_str prefix, tn_str field, tn_list *list)
{
    field = tn_str_trim(field);
    tn_str name, type;
    if (field.n > 0 && field.p[0] == '"') {
        size_t end = tn_str_find_char(field, '"', 1);
        end = end == SIZE_MAX ? field.n : end;
        name = tn_str_sub(field, 1, end);
        type = tn_str_trim(tn_str_sub(field, end + 1, field.n));
    } else {
        (void)tn_str_cut(field, ' ', &name, &type);
    }
    tn_column_flatten(a,
        tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(prefix), TN_STR_ARG(name)),
        tn_str_trim(type), list);
}

void tn_column_flatten(tn_arena *a, tn_str name, tn_str dtype, tn_list *list)
{
    if (!is_struct(dtype)) {
        tn_list_push(list, tn_column_new(a, name, dtype));
        return;
    }
    tn_str body = tn_str_sub(dtype, 7, dtype.n - 1);
    size_t from = 0;
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i <= body.n; i++) {
        char ch = i < body.n ? body.p[i] : ',';
        quoted = ch == '"' ? !quoted : quoted;
        depth += quoted ? 0 : ch == '(' ? 1 : ch == ')' ? -1 : 0;
        if (ch == ',' && depth == 0 && !quoted) {
            flatten_field(a, name, tn_str_sub(body, from, i), list);
            from = i + 1;
        }
    }
}

/* api.Column(name, type, char_size, precision, scale). */
static tn_rc column_make(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "column", "dtype", "char_size", "numeric_precision",
        "numeric_scale", "fields", NULL };
    tn_rc rc = tn_call_check(call, "Column", 1, 6, names, err);
    if (rc != TN_OK) {
        return rc;
    }
    tn_val v =
        tn_column_new(call->arena, tn_val_to_str(call->arena, tn_call_arg(call, 0, "column")),
            tn_val_to_str(call->arena, tn_call_arg(call, 1, "dtype")));
    tn_column *c = (tn_column *)(void *)v.obj;
    tn_val given = tn_call_arg(call, 2, "char_size");
    c->char_size = tn_val_is_undef(given) ? TN_VAL_NONE : given;
    given = tn_call_arg(call, 3, "numeric_precision");
    c->precision = tn_val_is_undef(given) ? TN_VAL_NONE : given;
    given = tn_call_arg(call, 4, "numeric_scale");
    c->scale = tn_val_is_undef(given) ? TN_VAL_NONE : given;
    *ret = v;
    return TN_OK;
}

typedef struct bound_method {
    tn_column *c; /* NULL on the class */
    column_method method;
} bound_method;

static tn_rc call_class_method(const bound_method *m, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_arena *a = call->arena;
    switch (m->method) {
    case C_STRING_TYPE:
        *ret = tn_val_str(tn_str_printf(a, "character varying(" TN_STR_FMT ")",
            TN_STR_ARG(tn_val_to_str(a, tn_call_arg(call, 0, "size")))));
        return TN_OK;
    case C_NUMERIC_TYPE:
        *ret = tn_val_str(numeric_type(a, tn_val_to_str(a, tn_call_arg(call, 0, "dtype")),
            tn_call_arg(call, 1, "precision"), tn_call_arg(call, 2, "scale")));
        return TN_OK;
    case C_TRANSLATE_TYPE:
        *ret = tn_val_str(translate(a, tn_val_to_str(a, tn_call_arg(call, 0, "dtype"))));
        return TN_OK;
    case C_FROM_DESCRIPTION:
    case C_CREATE:
    default:
        *ret = tn_column_new(a, tn_val_to_str(a, tn_call_arg(call, 0, "name")),
            translate(a,
                tn_val_to_str(a, tn_call_arg(call, 1,
                                     m->method == C_CREATE ? "label_or_dtype" : "raw_data_type"))));
        (void)err;
        return TN_OK;
    }
}

static tn_rc call_method(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const bound_method *m = self;
    tn_column *c = m->c, *other = NULL;
    tn_arena *a = call->arena;
    switch (m->method) {
    case C_IS_STRING:
        *ret = tn_val_bool(is_string(c));
        return TN_OK;
    case C_IS_FLOAT:
        *ret = tn_val_bool(is_one_of(c->dtype, float_types));
        return TN_OK;
    case C_IS_INTEGER:
        *ret = tn_val_bool(is_one_of(c->dtype, integer_types));
        return TN_OK;
    case C_IS_NUMERIC:
        *ret = tn_val_bool(is_one_of(c->dtype, numeric_types));
        return TN_OK;
    case C_IS_NUMBER:
        *ret = tn_val_bool(is_one_of(c->dtype, float_types) || is_one_of(c->dtype, integer_types) ||
                           is_one_of(c->dtype, numeric_types));
        return TN_OK;
    case C_IS_STRUCT:
        *ret = tn_val_bool(tn_str_starts(tn_str_lower(a, c->dtype), TN_STR("struct")));
        return TN_OK;
    case C_STRING_SIZE:
        if (!is_string(c)) {
            return tn_fail(err, TN_E_COMPILE,
                "called string_size() on a column that is no string ('" TN_STR_FMT "')",
                TN_STR_ARG(c->name));
        }
        *ret = tn_val_int(string_size(c));
        return TN_OK;
    case C_CAN_EXPAND_TO:
        *ret = tn_val_bool(tn_val_is_column(tn_call_arg(call, 0, "other_column"), &other) &&
                           is_string(c) && is_string(other) && string_size(other) > string_size(c));
        return TN_OK;
    case C_LITERAL:
        *ret = tn_val_str(tn_str_printf(a, TN_STR_FMT "::" TN_STR_FMT,
            TN_STR_ARG(tn_val_to_str(a, tn_call_arg(call, 0, "value"))),
            TN_STR_ARG(data_type(a, c))));
        return TN_OK;
    case C_FLATTEN:
        *ret = tn_val_list(a);
        tn_column_flatten(a, c->name, c->dtype, ret->list);
        return TN_OK;
    default:
        return call_class_method(m, call, ret, err);
    }
}

static bool find_method(tn_arena *a, tn_str name, tn_column *c, tn_val *ret)
{
    for (size_t i = 0; i < TN_COUNTOF(methods); i++) {
        if (tn_str_is(name, methods[i].name) && (c != NULL || methods[i].of_class)) {
            bound_method *m = tn_new(a, bound_method);
            *m = (bound_method){ c, methods[i].method };
            *ret = tn_val_fn(a, methods[i].name, call_method, m);
            return true;
        }
    }
    return false;
}

static tn_rc column_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_column *c = (tn_column *)(void *)self;
    *ret = TN_VAL_UNDEF;
    if (find_method(a, name, c, ret)) {
        return TN_OK;
    }
    if (tn_str_is(name, "name") || tn_str_is(name, "column")) {
        *ret = tn_val_str(c->name);
    } else if (tn_str_is(name, "quoted")) {
        *ret = tn_val_str(tn_str_printf(a, "\"" TN_STR_FMT "\"", TN_STR_ARG(c->name)));
    } else if (tn_str_is(name, "dtype")) {
        *ret = tn_val_str(c->dtype);
    } else if (tn_str_is(name, "data_type") || tn_str_is(name, "expanded_data_type")) {
        *ret = tn_val_str(data_type(a, c));
    } else if (tn_str_is(name, "char_size")) {
        *ret = c->char_size;
    } else if (tn_str_is(name, "numeric_precision")) {
        *ret = c->precision;
    } else if (tn_str_is(name, "numeric_scale")) {
        *ret = c->scale;
    } else if (tn_str_is(name, "fields")) {
        *ret = tn_val_list(a);
        if (is_struct(c->dtype)) {
            tn_column_flatten(a, c->name, c->dtype, ret->list);
        }
    }
    return TN_OK;
}

static void column_str(tn_obj *self, tn_buf *b)
{
    const tn_column *c = (const tn_column *)(void *)self;
    tn_buf_addf(b, "<DuckDBColumn " TN_STR_FMT " (" TN_STR_FMT ")>", TN_STR_ARG(c->name),
        TN_STR_ARG(c->dtype));
}

static bool column_eq(tn_obj *self, tn_val other)
{
    const tn_column *x = (const tn_column *)(void *)self;
    tn_column *y = NULL;
    return tn_val_is_column(other, &y) && tn_str_eq(x->name, y->name) &&
           tn_str_eq(x->dtype, y->dtype);
}

static uint64_t column_hash(tn_obj *self)
{
    const tn_column *c = (const tn_column *)(void *)self;
    return tn_str_hash(c->name) ^ tn_str_hash(c->dtype);
}

static tn_val column_dup(tn_obj *self, tn_arena *a)
{
    tn_column *c = tn_new(a, tn_column);
    *c = *(const tn_column *)(void *)self;
    c->name = tn_str_dup(a, c->name);
    c->dtype = tn_str_dup(a, c->dtype);
    c->char_size = tn_val_dup(a, c->char_size);
    c->precision = tn_val_dup(a, c->precision);
    c->scale = tn_val_dup(a, c->scale);
    return tn_val_obj(&c->base);
}

const tn_obj_type tn_column_type = { .name = "DuckDBColumn",
    .attr = column_attr,
    .dup = column_dup,
    .str = column_str,
    .repr = column_str,
    .eq = column_eq,
    .hash = column_hash };

static tn_rc class_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = TN_VAL_UNDEF;
    (void)find_method(a, name, NULL, ret);
    return TN_OK;
}

static tn_rc class_call(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return column_make(self, call, ret, err);
}

static const tn_obj_type column_class = { .name = "type", .attr = class_attr, .call = class_call };
extern tn_obj tn_column_class_obj;
tn_obj tn_column_class_obj = { &column_class };
