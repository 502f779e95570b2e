/* delta_mapping.c: column mapping on the writing side: ids and physical names, and rows as files hold them.
 *
 * In files, statistics and partition values a mapped column goes by its physical name, nested fields too; Parquet's field ids are the columns'
 * ids. A column's id and physical name stay for its life, so renaming and dropping touch no file. Ids are never used twice:
 * delta.columnMapping.maxColumnId only grows.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "os/random.h"
#include "text/sqltext.h"

#define MODE "delta.columnMapping.mode"
#define MAX_ID "delta.columnMapping.maxColumnId"
#define ID "delta.columnMapping.id"
#define PHYSICAL "delta.columnMapping.physicalName"

/* ---- metadata ---- */

void tn_delta_meta_print_schema(tn_arena *a, tn_delta_meta *m)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_schema_print(&b, m->schema);
    m->schema_json = tn_buf_str(&b);
}

void tn_delta_meta_set(tn_arena *a, tn_delta_meta *m, tn_str key, const tn_str *value)
{
    m->configuration =
        m->configuration.tag == TN_DICT ? tn_val_dup(a, m->configuration) : tn_val_dict(a);
    if (value == NULL) {
        (void)tn_dict_remove(m->configuration.dict, tn_val_str(key));
        return;
    }
    tn_dict_puts(m->configuration.dict, tn_str_dup(a, key), tn_val_str_dup(a, *value));
}

/* ---- ids ---- */

static void greatest_id(const tn_delta_type *t, int64_t *max)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        int64_t id = tn_val_int_at(t->fields.v[i].metadata, ID, 0);
        *max = id > *max ? id : *max;
        greatest_id(t->fields.v[i].type, max);
    }
    if (t->element != NULL) {
        greatest_id(t->element, max);
    }
    if (t->key != NULL) {
        greatest_id(t->key, max);
    }
}

static void assign(tn_arena *a, tn_delta_type *t, bool keep_names, int64_t *max, bool *changed)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        tn_delta_field *f = &t->fields.v[i];
        if (tn_val_int_at(f->metadata, ID, -1) < 0) {
            tn_dict_putz(f->metadata.dict, ID, tn_val_int(++*max));
            *changed = true;
        }
        if (tn_val_str_at(f->metadata, PHYSICAL, TN_STR_NONE).n == 0) {
            tn_str name =
                keep_names ? f->name : tn_str_printf(a, "col-" TN_STR_FMT, TN_STR_ARG(tn_uuid4(a)));
            tn_dict_putz(f->metadata.dict, PHYSICAL, tn_val_str(name));
            *changed = true;
        }
        assign(a, f->type, keep_names, max, changed);
    }
    if (t->key != NULL) {
        assign(a, t->key, keep_names, max, changed);
    }
    if (t->element != NULL) {
        assign(a, t->element, keep_names, max, changed);
    }
}

bool tn_delta_mapping_assign(tn_arena *a, tn_delta_meta *m, bool keep_names)
{
    tn_str mode = tn_delta_property(m, MODE);
    if (mode.n == 0 || tn_str_is(mode, "none")) {
        return false;
    }
    int64_t max = 0;
    bool changed = false;
    bool had_max = tn_str_to_i64(tn_delta_property(m, MAX_ID), &max);
    int64_t before = max;
    tn_delta_type *schema = tn_delta_type_copy(a, m->schema);
    greatest_id(schema, &max);
    assign(a, schema, keep_names, &max, &changed);
    if (!changed && had_max && max == before) {
        return false;
    }
    m->schema = schema;
    tn_delta_meta_print_schema(a, m);
    tn_str text = tn_str_printf(a, "%lld", (long long)max);
    tn_delta_meta_set(a, m, TN_STR(MAX_ID), &text);
    return true;
}

void tn_delta_mapping_strip(tn_delta_type *t)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        tn_delta_field *f = &t->fields.v[i];
        (void)tn_dict_remove(f->metadata.dict, tn_val_z(ID));
        (void)tn_dict_remove(f->metadata.dict, tn_val_z(PHYSICAL));
        tn_delta_mapping_strip(f->type);
    }
    if (t->key != NULL) {
        tn_delta_mapping_strip(t->key);
    }
    if (t->element != NULL) {
        tn_delta_mapping_strip(t->element);
    }
}

/* ---- field ids ---- */

static bool has_ids(const tn_delta_type *t)
{
    return t != NULL && (t->fields.n > 0 || has_ids(t->element) || has_ids(t->key));
}

/* Names and numbers of what lies inside a type: "a": 1, "b": {__duckdb_field_id: 2, ...} */
static void add_ids(tn_buf *b, const tn_delta_type *t, bool *any);

static void add_inner(tn_buf *b, const char *name, const tn_delta_type *t, bool *any)
{
    if (!has_ids(t)) {
        return;
    }
    bool inside = false;
    tn_buf_addf(b, "%s%s: {", *any ? ", " : "", name);
    *any = true;
    add_ids(b, t, &inside);
    tn_buf_addc(b, '}');
}

static void add_ids(tn_buf *b, const tn_delta_type *t, bool *any)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        int64_t id = tn_val_int_at(f->metadata, ID, -1);
        if (tn_delta_type_is_void(f->type) || id < 0) {
            continue;
        }
        tn_buf_addz(b, *any ? ", " : "");
        *any = true;
        tn_sql_literal(b, tn_val_str_at(f->metadata, PHYSICAL, f->name));
        if (!has_ids(f->type)) {
            tn_buf_addf(b, ": %lld", (long long)id);
            continue;
        }
        bool inside = true;
        tn_buf_addf(b, ": {__duckdb_field_id: %lld", (long long)id);
        add_ids(b, f->type, &inside);
        tn_buf_addc(b, '}');
    }
    if (t->kind == TN_DT_MAP) {
        add_inner(b, "key", t->key, any);
        add_inner(b, "value", t->element, any);
    } else if (t->kind == TN_DT_ARRAY) {
        add_inner(b, "element", t->element, any);
    }
}

void tn_delta_field_ids(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping)
{
    bool any = false;
    if (mapping == TN_MAPPING_NONE) {
        return;
    }
    tn_buf_addz(b, ", FIELD_IDS {");
    add_ids(b, m->schema, &any);
    tn_buf_addc(b, '}');
}
