/* delta_schema.c: Delta's schema JSON, DuckDB's type text, and the way from one to the other.
 *
 * Delta (Schema Serialization Format):  type = "long" | "decimal(p,s)" | ... | {"type":"struct","fields":[..]} |
 *     {"type":"array","elementType":..,"containsNull":b} | {"type":"map","keyType":..,"valueType":..,"valueContainsNull":b}
 * Field metadata is kept as a value, so that what others wrote there survives a rewrite.
 */
#include "delta/action/delta_schema.h"
#include "delta/action/delta_action.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/timetext.h"

/* ---- helpers on types ---- */

tn_delta_type *tn_delta_primitive(tn_arena *a, tn_str name)
{
    tn_delta_type *t = tn_new(a, tn_delta_type);
    t->kind = TN_DT_PRIMITIVE;
    t->name = name;
    return t;
}

bool tn_delta_type_is(const tn_delta_type *t, const char *primitive)
{
    return t->kind == TN_DT_PRIMITIVE && tn_str_is(t->name, primitive);
}

tn_delta_field *tn_delta_field_find(const tn_delta_type *t, tn_str name)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        if (tn_str_eq_nocase(t->fields.v[i].name, name)) {
            return &t->fields.v[i];
        }
    }
    return NULL;
}

bool tn_delta_type_eq(const tn_delta_type *x, const tn_delta_type *y)
{
    if (x->kind != y->kind) {
        return false;
    }
    if (x->kind == TN_DT_PRIMITIVE) {
        return tn_str_eq(x->name, y->name);
    }
    if (x->kind == TN_DT_ARRAY) {
        return tn_delta_type_eq(x->element, y->element);
    }
    if (x->kind == TN_DT_MAP) {
        return tn_delta_type_eq(x->key, y->key) && tn_delta_type_eq(x->element, y->element);
    }
    if (x->fields.n != y->fields.n) {
        return false;
    }
    for (size_t i = 0; i < x->fields.n; i++) {
        const tn_delta_field *f = &x->fields.v[i];
        const tn_delta_field *g = &y->fields.v[i];
        if (!tn_str_eq_nocase(f->name, g->name) || !tn_delta_type_eq(f->type, g->type)) {
            return false;
        }
    }
    return true;
}

bool tn_delta_type_has(const tn_delta_type *t, const char *primitive)
{
    if (tn_delta_type_is(t, primitive)) {
        return true;
    }
    if (t->element != NULL && tn_delta_type_has(t->element, primitive)) {
        return true;
    }
    if (t->key != NULL && tn_delta_type_has(t->key, primitive)) {
        return true;
    }
    for (size_t i = 0; i < t->fields.n; i++) {
        if (tn_delta_type_has(t->fields.v[i].type, primitive)) {
            return true;
        }
    }
    return false;
}

tn_delta_type *tn_delta_type_copy(tn_arena *a, const tn_delta_type *t)
{
    tn_delta_type *c = tn_new(a, tn_delta_type);
    *c = *t;
    c->element = t->element ? tn_delta_type_copy(a, t->element) : NULL;
    c->key = t->key ? tn_delta_type_copy(a, t->key) : NULL;
    c->fields = (tn_delta_fields){ 0 };
    for (size_t i = 0; i < t->fields.n; i++) {
        tn_delta_field f = t->fields.v[i];
        f.type = tn_delta_type_copy(a, f.type);
        f.metadata = f.metadata.tag == TN_DICT ? tn_val_dup(a, f.metadata) : tn_val_dict(a);
        tn_vec_push(&c->fields, a, f);
    }
    return c;
}

int tn_delta_type_int_rank(const tn_delta_type *t)
{
    static const char *const NAMES[] = { "byte", "short", "integer", "long" };
    for (int i = 0; i < 4; i++) {
        if (tn_delta_type_is(t, NAMES[i])) {
            return i + 1;
        }
    }
    return 0;
}

bool tn_delta_type_is_decimal(const tn_delta_type *t, int64_t *precision, int64_t *scale)
{
    tn_str head;
    tn_str tail;
    if (t->kind != TN_DT_PRIMITIVE || !tn_str_starts(t->name, TN_STR("decimal(")) ||
        !tn_str_ends(t->name, TN_STR(")"))) {
        return false;
    }
    tn_str args = tn_str_sub(t->name, 8, t->name.n - 1);
    (void)tn_str_cut(args, ',', &head, &tail);
    return tn_str_to_i64(tn_str_trim(head), precision) && tn_str_to_i64(tn_str_trim(tail), scale);
}

bool tn_delta_type_is_void(const tn_delta_type *t)
{
    return tn_delta_type_is(t, "void") || tn_delta_type_is(t, "null");
}

/* ---- schema JSON ---- */

static tn_rc type_of_json(tn_arena *a, tn_val v, int depth, tn_delta_type **ret, tn_err *err);

static tn_rc field_of_json(tn_arena *a, tn_val v, int depth, tn_delta_field *ret, tn_err *err)
{
    tn_val name = tn_val_at(v, "name");
    if (!tn_val_is_str(name)) {
        return tn_fail(err, TN_E_CORRUPT, "a field of the schema has no name");
    }
    tn_delta_field f = { .name = tn_str_dup(a, tn_val_as_str(name)) };
    tn_rc rc = type_of_json(a, tn_val_at(v, "type"), depth, &f.type, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "field '" TN_STR_FMT "'", TN_STR_ARG(f.name));
    }
    f.nullable = tn_val_bool_at(v, "nullable", true);
    tn_val metadata = tn_val_at(v, "metadata");
    f.metadata = metadata.tag == TN_DICT ? tn_val_dup(a, metadata) : tn_val_dict(a);
    *ret = f;
    return TN_OK;
}

static tn_rc struct_of_json(tn_arena *a, tn_val v, int depth, tn_delta_type *t, tn_err *err)
{
    tn_val fields = tn_val_at(v, "fields");
    if (!tn_val_is_seq(fields)) {
        return tn_fail(err, TN_E_CORRUPT, "a struct of the schema has no fields");
    }
    if (fields.list->n > TN_DELTA_FIELDS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "the schema has more than %d fields", TN_DELTA_FIELDS_MAX);
    }
    for (size_t i = 0; i < fields.list->n; i++) {
        tn_delta_field f;
        TN_TRY(field_of_json(a, fields.list->v[i], depth, &f, err));
        tn_vec_push(&t->fields, a, f);
    }
    return TN_OK;
}

static tn_rc type_of_json(tn_arena *a, tn_val v, int depth, tn_delta_type **ret, tn_err *err)
{
    if (depth > TN_DELTA_TYPE_DEPTH_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "the schema is nested deeper than %d", TN_DELTA_TYPE_DEPTH_MAX);
    }
    if (tn_val_is_str(v)) {
        *ret = tn_delta_primitive(a, tn_str_dup(a, tn_val_as_str(v)));
        return TN_OK;
    }
    tn_str kind = tn_val_str_at(v, "type", TN_STR_NONE);
    tn_delta_type *t = tn_new(a, tn_delta_type);
    if (tn_str_is(kind, "struct")) {
        t->kind = TN_DT_STRUCT;
        TN_TRY(struct_of_json(a, v, depth + 1, t, err));
    } else if (tn_str_is(kind, "array")) {
        t->kind = TN_DT_ARRAY;
        t->contains_null = tn_val_bool_at(v, "containsNull", true);
        TN_TRY(type_of_json(a, tn_val_at(v, "elementType"), depth + 1, &t->element, err));
    } else if (tn_str_is(kind, "map")) {
        t->kind = TN_DT_MAP;
        t->contains_null = tn_val_bool_at(v, "valueContainsNull", true);
        TN_TRY(type_of_json(a, tn_val_at(v, "keyType"), depth + 1, &t->key, err));
        TN_TRY(type_of_json(a, tn_val_at(v, "valueType"), depth + 1, &t->element, err));
    } else {
        return tn_fail(
            err, TN_E_CORRUPT, "the schema has a type '" TN_STR_FMT "'", TN_STR_ARG(kind));
    }
    *ret = t;
    return TN_OK;
}

tn_rc tn_delta_schema_parse(tn_arena *a, tn_str json, tn_delta_type **ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta schema", NULL);
    tn_val v;
    tn_rc rc = tn_json_parse(scratch, json, &v, err);
    if (rc != TN_OK) {
        (void)tn_while(err, rc, "reading the table's schema");
        return rc == TN_E_LIMIT ? rc : tn_fail(err, TN_E_CORRUPT, "the table's schema is not JSON");
    }
    tn_delta_type *t;
    TN_TRY(type_of_json(a, v, 0, &t, err));
    if (t->kind != TN_DT_STRUCT) {
        return tn_fail(err, TN_E_CORRUPT, "the table's schema is not a struct");
    }
    *ret = t;
    return TN_OK;
}

static void print_type(tn_json_writer *w, const tn_delta_type *t);

static void print_field(tn_json_writer *w, const tn_delta_field *f)
{
    tn_jw_obj(w);
    tn_jw_key(w, "name");
    tn_jw_str(w, f->name);
    tn_jw_key(w, "type");
    print_type(w, f->type);
    tn_jw_key(w, "nullable");
    tn_jw_bool(w, f->nullable);
    tn_jw_key(w, "metadata");
    if (f->metadata.tag == TN_DICT) {
        tn_jw_val(w, f->metadata);
    } else {
        tn_jw_obj(w);
        tn_jw_obj_end(w);
    }
    tn_jw_obj_end(w);
}

static void print_type(tn_json_writer *w, const tn_delta_type *t)
{
    if (t->kind == TN_DT_PRIMITIVE) {
        tn_jw_str(w, t->name);
        return;
    }
    tn_jw_obj(w);
    tn_jw_key(w, "type");
    if (t->kind == TN_DT_STRUCT) {
        tn_jw_str(w, TN_STR("struct"));
        tn_jw_key(w, "fields");
        tn_jw_arr(w);
        for (size_t i = 0; i < t->fields.n; i++) {
            print_field(w, &t->fields.v[i]);
        }
        tn_jw_arr_end(w);
    } else if (t->kind == TN_DT_ARRAY) {
        tn_jw_str(w, TN_STR("array"));
        tn_jw_key(w, "elementType");
        print_type(w, t->element);
        tn_jw_key(w, "containsNull");
        tn_jw_bool(w, t->contains_null);
    } else {
        tn_jw_str(w, TN_STR("map"));
        tn_jw_key(w, "keyType");
        print_type(w, t->key);
        tn_jw_key(w, "valueType");
        print_type(w, t->element);
        tn_jw_key(w, "valueContainsNull");
        tn_jw_bool(w, t->contains_null);
    }
    tn_jw_obj_end(w);
}

void tn_delta_schema_print(tn_buf *b, const tn_delta_type *t)
{
    tn_json_writer w = tn_json_writer_init(b, 0);
    print_type(&w, t);
}

/* ---- to SQL ---- */

static const struct {
    const char *delta;
    const char *sql;
} PRIMITIVES[] = {
    { "string", "VARCHAR" },
    { "long", "BIGINT" },
    { "integer", "INTEGER" },
    { "short", "SMALLINT" },
    { "byte", "TINYINT" },
    { "float", "FLOAT" },
    { "double", "DOUBLE" },
    { "boolean", "BOOLEAN" },
    { "binary", "BLOB" },
    { "date", "DATE" },
    { "timestamp", "TIMESTAMP WITH TIME ZONE" },
    { "timestamp_ntz", "TIMESTAMP" },
    { "variant", "VARIANT" },
    { "void", "VARCHAR" }, /* no rows of it exist; a column of NULLs has to have some type */
    { "null", "VARCHAR" },
};

static bool known_primitive(tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(PRIMITIVES); i++) {
        if (tn_str_is(name, PRIMITIVES[i].delta)) {
            return true;
        }
    }
    return tn_str_is(name, "decimal") || tn_str_starts(name, TN_STR("decimal(")) ||
           tn_str_starts(name, TN_STR("char(")) || tn_str_starts(name, TN_STR("varchar("));
}

const tn_delta_type *tn_delta_type_unknown(const tn_delta_type *t)
{
    if (t->kind == TN_DT_PRIMITIVE) {
        return known_primitive(t->name) ? NULL : t;
    }
    const tn_delta_type *found = NULL;
    for (size_t i = 0; found == NULL && i < t->fields.n; i++) {
        found = tn_delta_type_unknown(t->fields.v[i].type);
    }
    if (found == NULL && t->element != NULL) {
        found = tn_delta_type_unknown(t->element);
    }
    return found == NULL && t->key != NULL ? tn_delta_type_unknown(t->key) : found;
}

static void primitive_sql(tn_buf *b, tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(PRIMITIVES); i++) {
        if (tn_str_is(name, PRIMITIVES[i].delta)) {
            tn_buf_addz(b, PRIMITIVES[i].sql);
            return;
        }
    }
    if (tn_str_is(name, "decimal")) {
        tn_buf_addz(b, "DECIMAL(10,0)");
    } else if (tn_str_starts(name, TN_STR("decimal"))) {
        tn_buf_add(b, tn_str_replace(b->arena, name, TN_STR("decimal"), TN_STR("DECIMAL")));
    } else if (tn_str_starts(name, TN_STR("char(")) || tn_str_starts(name, TN_STR("varchar("))) {
        tn_buf_addz(b, "VARCHAR");
    } else {
        tn_sql_ident(b, name); /* unknown: DuckDB will name it in its error */
    }
}

void tn_delta_type_to_physical_sql(tn_buf *b, const tn_delta_type *t, tn_delta_mapping mapping)
{
    if (t->kind == TN_DT_PRIMITIVE) {
        primitive_sql(b, t->name);
    } else if (t->kind == TN_DT_ARRAY) {
        tn_delta_type_to_physical_sql(b, t->element, mapping);
        tn_buf_addz(b, "[]");
    } else if (t->kind == TN_DT_MAP) {
        tn_buf_addz(b, "MAP(");
        tn_delta_type_to_physical_sql(b, t->key, mapping);
        tn_buf_addz(b, ", ");
        tn_delta_type_to_physical_sql(b, t->element, mapping);
        tn_buf_addc(b, ')');
    } else {
        tn_buf_addz(b, "STRUCT(");
        for (size_t i = 0; i < t->fields.n; i++) {
            tn_buf_addz(b, i > 0 ? ", " : "");
            tn_sql_ident(b, tn_delta_physical_name(&t->fields.v[i], mapping));
            tn_buf_addc(b, ' ');
            tn_delta_type_to_physical_sql(b, t->fields.v[i].type, mapping);
        }
        tn_buf_addc(b, ')');
    }
}

void tn_delta_type_to_sql(tn_buf *b, const tn_delta_type *t)
{
    tn_delta_type_to_physical_sql(b, t, TN_MAPPING_NONE);
}

/* ---- for writers ---- */

tn_str tn_delta_no_rows_sql(tn_arena *a, const tn_delta_type *schema)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    bool any = false;
    for (size_t i = 0; i < schema->fields.n; i++) {
        const tn_delta_field *f = &schema->fields.v[i];
        if (tn_val_at(f->metadata, "delta.identity.start").tag == TN_INT ||
            tn_val_is_str(tn_val_at(f->metadata, "delta.generationExpression"))) {
            continue;
        }
        tn_buf_addz(&b, any ? ", CAST(NULL AS " : "SELECT CAST(NULL AS ");
        any = true;
        tn_delta_type_to_sql(&b, f->type);
        tn_buf_addz(&b, ") AS ");
        tn_sql_ident(&b, f->name);
    }
    tn_buf_addz(&b, any ? " WHERE false" : "");
    return tn_buf_str(&b);
}

/* ---- partition values ---- */

tn_val tn_delta_partition_value(
    const tn_delta_meta *m, tn_delta_mapping mapping, const tn_delta_file *f, size_t column)
{
    const tn_delta_field *field = tn_delta_field_find(m->schema, m->partition_columns.v[column]);
    const tn_val *v =
        f->partition_values.tag == TN_DICT
            ? tn_dict_finds(f->partition_values.dict, tn_delta_physical_name(field, mapping))
            : NULL;
    return v == NULL ? TN_VAL_UNDEF : *v;
}

static bool has_zone(tn_str s)
{
    int64_t micros;
    bool zone = false;
    int offset;
    return tn_parse_timestamp(s, &micros, &zone, &offset) && zone;
}

void tn_delta_partition_sql(tn_buf *b, const tn_delta_type *t, tn_val v)
{
    tn_str text = tn_val_as_str(v);
    if (tn_delta_type_is(t, "binary") && text.n > 0) {
        tn_buf_addc(b, '\'');
        for (size_t i = 0; i < text.n; i++) {
            tn_buf_addf(b, "\\x%02X", (unsigned)(unsigned char)text.p[i]);
        }
        tn_buf_addz(b, "'::BLOB");
        return;
    }
    tn_buf_addz(b, "CAST(");
    if (text.n == 0 || tn_delta_type_is_void(t)) {
        tn_buf_addz(b, "NULL");
    } else if (tn_delta_type_is(t, "timestamp") && !has_zone(text)) {
        tn_sql_literal(b, tn_str_concat(b->arena, text, TN_STR("+00")));
    } else {
        tn_sql_literal(b, text);
    }
    tn_buf_addz(b, " AS ");
    tn_delta_type_to_sql(b, t);
    tn_buf_addc(b, ')');
}
