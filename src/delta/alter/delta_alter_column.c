/* delta_alter_column.c: ALTER TABLE's changes of columns, and the metadata of columns that a new table begins with.
 *
 * Without column mapping files hold columns by name, so a column can neither go nor be called otherwise; with it only the schema changes. A
 * column that a partition, a constraint, a generated column or the clustering needs stays as it is.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/alter/delta_alter_impl.h"
#include "delta/files/delta_columns.h"
#include "text/json.h"
#include "text/sqltext.h"

/* ---- finding ---- */

static tn_delta_type *part_of(const tn_delta_type *t, tn_str name)
{
    TN_CHECK(t != NULL);
    if (t->kind == TN_DT_ARRAY && tn_str_eq_nocase(name, TN_STR("element"))) {
        return t->element;
    }
    if (t->kind == TN_DT_MAP && tn_str_eq_nocase(name, TN_STR("key"))) {
        return t->key;
    }
    return t->kind == TN_DT_MAP && tn_str_eq_nocase(name, TN_STR("value")) ? t->element : NULL;
}

static tn_rc no_column(const tn_alteration *x, const tn_strs *path, tn_err *err)
{
    return tn_fail(err, TN_E_NAME, "the table has no column '" TN_STR_FMT "'",
        TN_STR_ARG(tn_alter_dotted(x->a, path)));
}

/* The type at a path that ends in a struct. */
static tn_rc find_struct(
    tn_alteration *x, const tn_strs *path, size_t n, tn_delta_type **ret, tn_err *err)
{
    tn_delta_type *t = x->meta.schema;
    for (size_t i = 0; i < n; i++) {
        tn_delta_field *f = t->kind == TN_DT_STRUCT ? tn_delta_field_find(t, path->v[i]) : NULL;
        tn_delta_type *next = f != NULL ? f->type : part_of(t, path->v[i]);
        if (next == NULL) {
            return no_column(x, path, err);
        }
        t = next;
    }
    if (t->kind != TN_DT_STRUCT) {
        return no_column(x, path, err);
    }
    *ret = t;
    return TN_OK;
}

tn_rc tn_alter_find(tn_alteration *x, const tn_strs *path, tn_delta_field **ret,
    tn_delta_type **ret_in, tn_err *err)
{
    tn_delta_type *in;
    if (path->n == 0) {
        return tn_fail(err, TN_E_NAME, "a column must be named");
    }
    TN_TRY(find_struct(x, path, path->n - 1, &in, err));
    tn_delta_field *f = tn_delta_field_find(in, path->v[path->n - 1]);
    if (f == NULL) {
        return no_column(x, path, err);
    }
    *ret = f;
    *ret_in = in;
    return TN_OK;
}

static tn_rc needed_by(tn_str column, const char *what, const char *who, tn_str by, tn_err *err)
{
    return tn_fail(err, TN_E_UNSUPPORTED,
        "the column '" TN_STR_FMT "' cannot be %s: %s%s" TN_STR_FMT "%s", TN_STR_ARG(column), what,
        who, by.n > 0 ? " '" : "", TN_STR_ARG(by), by.n > 0 ? "' needs it" : " needs it");
}

tn_rc tn_alter_check_free(const tn_alteration *x, tn_str column, const char *what, tn_err *err)
{
    const tn_delta_meta *m = &x->meta;
    size_t at = 0;
    const tn_dict_item *it;
    while (m->configuration.tag == TN_DICT &&
           (it = tn_dict_next(m->configuration.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (tn_str_starts(key, TN_STR("delta.constraints.")) &&
            tn_delta_expr_uses(x->a, tn_val_as_str(it->value), column)) {
            return needed_by(column, what, "the constraint", tn_str_sub(key, 18, key.n), err);
        }
    }
    for (size_t i = 0; i < m->schema->fields.n; i++) {
        const tn_delta_field *f = &m->schema->fields.v[i];
        tn_str e = tn_delta_field_generation(f);
        if (e.n > 0 && tn_delta_expr_uses(x->a, e, column)) {
            return needed_by(column, what, "the generated column", f->name, err);
        }
    }
    return TN_OK;
}

/* The clustering's domain lists physical names. */
static bool is_clustering(const tn_alteration *x, const tn_delta_field *f)
{
    tn_delta_mapping mapping = tn_delta_mapping_of(&x->s->protocol, &x->s->meta);
    tn_str name = tn_delta_physical_name(f, mapping);
    const tn_delta_domain *d = tn_map_find(&x->s->domains, TN_STR("delta.clustering"));
    tn_buf quoted = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_json_add_str(&quoted, name);
    return d != NULL && !d->removed &&
           tn_str_find(d->configuration, tn_buf_str(&quoted), 0) != SIZE_MAX;
}

/* ---- parameters, as the reference writes them ---- */

static void print_column(tn_json_writer *w, const tn_delta_field *f)
{
    tn_buf b = tn_buf_init(w->b->arena, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_type one = { .kind = TN_DT_STRUCT };
    tn_vec_push(&one.fields, w->b->arena, *f);
    tn_delta_schema_print(&b, &one); /* {"type":"struct","fields":[ .. ]} */
    tn_str text = tn_buf_str(&b);
    size_t from = tn_str_find_char(text, '[', 0) + 1;
    tn_jw_raw(w, tn_str_sub(text, from, text.n - 2));
}

static void put_place(tn_json_writer *w, tn_delta_place place, tn_str after)
{
    if (place != TN_PLACE_LAST) {
        tn_jw_key(w, "position");
        tn_jw_str(w, place == TN_PLACE_FIRST ? TN_STR("first")
                                             : tn_str_concat(w->b->arena, TN_STR("after "), after));
    }
}

/* ---- ADD COLUMNS ---- */

static tn_rc insert_at(tn_alteration *x, tn_delta_type *in, tn_delta_field f, tn_delta_place place,
    tn_str after, tn_err *err)
{
    size_t at = place == TN_PLACE_FIRST ? 0 : in->fields.n;
    if (place == TN_PLACE_AFTER) {
        const tn_delta_field *g = tn_delta_field_find(in, after);
        if (g == NULL) {
            return tn_fail(err, TN_E_NAME, "there is no column '" TN_STR_FMT "' to stand after",
                TN_STR_ARG(after));
        }
        at = (size_t)(g - in->fields.v) + 1;
    }
    tn_vec_push(&in->fields, x->a, f);
    for (size_t i = in->fields.n - 1; i > at; i--) {
        in->fields.v[i] = in->fields.v[i - 1];
    }
    in->fields.v[at] = f;
    return TN_OK;
}

static tn_rc check_new(const tn_alteration *x, const tn_delta_field *f, tn_err *err)
{
    const char *why = NULL;
    if (!f->nullable && x->s->files.n > 0) {
        why = "its rows so far would have no value: add it without NOT NULL";
    } else if (tn_delta_field_default(f).n > 0) {
        why = "a default would not be in its rows so far: add the column, then ALTER COLUMN .. SET "
              "DEFAULT";
    } else if (tn_delta_field_generation(f).n > 0 || tn_delta_field_is_identity(f)) {
        why = "generated and identity columns belong to a table from its beginning";
    }
    return why == NULL
               ? TN_OK
               : tn_fail(err, TN_E_UNSUPPORTED, "the column '" TN_STR_FMT "' cannot be added: %s",
                     TN_STR_ARG(f->name), why);
}

tn_rc tn_alter_add_columns(tn_alteration *x, tn_err *err)
{
    tn_buf b = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    x->operation = "ADD COLUMNS";
    tn_jw_arr(&w);
    for (size_t i = 0; i < x->c->add.n; i++) {
        const tn_delta_new_column *n = &x->c->add.v[i];
        tn_delta_type *in;
        TN_TRY(find_struct(x, &n->path, n->path.n, &in, err));
        if (tn_delta_field_find(in, n->field.name) != NULL) {
            if (x->c->if_exists) {
                continue;
            }
            return tn_fail(err, TN_E_EXISTS, "there is a column '" TN_STR_FMT "' already",
                TN_STR_ARG(n->field.name));
        }
        TN_TRY(check_new(x, &n->field, err));
        tn_delta_field f = n->field;
        f.type = tn_delta_type_copy(x->a, f.type);
        f.metadata = f.metadata.tag == TN_DICT ? tn_val_dup(x->a, f.metadata) : tn_val_dict(x->a);
        TN_TRY(insert_at(x, in, f, n->place, n->after, err));
        tn_jw_obj(&w);
        tn_jw_key(&w, "column");
        print_column(&w, &f);
        put_place(&w, n->place, n->after);
        tn_jw_obj_end(&w);
        x->changed = true;
    }
    tn_jw_arr_end(&w);
    tn_dict_putz(x->parameters.dict, "columns", tn_val_str(tn_buf_str(&b)));
    return TN_OK;
}

/* ---- DROP and RENAME ---- */

static tn_rc need_mapping(const tn_alteration *x, const char *what, tn_err *err)
{
    if (tn_delta_mapping_of(&x->s->protocol, &x->s->meta) != TN_MAPPING_NONE) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(
        err, TN_E_UNSUPPORTED, "a column can only be %s in a table with column mapping", what);
    return tn_hint(err, rc,
        "ALTER TABLE t SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name') first; files stay "
        "as they are");
}

static tn_rc drop_one(tn_alteration *x, const tn_strs *path, tn_err *err)
{
    tn_delta_field *f;
    tn_delta_type *in;
    TN_TRY(tn_alter_find(x, path, &f, &in, err));
    if (path->n == 1) {
        if (tn_delta_partition_index(&x->meta, f->name) != SIZE_MAX) {
            return needed_by(f->name, "dropped", "the partitioning", TN_STR_NONE, err);
        }
        if (is_clustering(x, f)) {
            return needed_by(f->name, "dropped", "the clustering", TN_STR_NONE, err);
        }
    }
    TN_TRY(tn_alter_check_free(x, f->name, "dropped", err));
    if (in->fields.n - (path->n == 1 ? x->meta.partition_columns.n : 0) <= 1) {
        return tn_fail(err, TN_E_UNSUPPORTED, "the last column '" TN_STR_FMT "' cannot be dropped",
            TN_STR_ARG(f->name));
    }
    size_t at = (size_t)(f - in->fields.v);
    for (size_t i = at; i + 1 < in->fields.n; i++) {
        in->fields.v[i] = in->fields.v[i + 1];
    }
    in->fields.n--;
    x->changed = true;
    return TN_OK;
}

tn_rc tn_alter_drop_columns(tn_alteration *x, tn_err *err)
{
    tn_buf b = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    x->operation = "DROP COLUMNS";
    tn_buf_addc(&b, '[');
    for (size_t i = 0; i < x->c->columns.n; i++) {
        const tn_strs *path = &x->c->columns.v[i];
        tn_delta_field *f;
        tn_delta_type *in;
        if (x->c->if_exists && tn_alter_find(x, path, &f, &in, NULL) != TN_OK) {
            continue;
        }
        TN_TRY(need_mapping(x, "dropped", err));
        TN_TRY(drop_one(x, path, err));
        tn_buf_addz(&b, b.n > 1 ? "," : "");
        tn_json_add_str(&b, tn_alter_dotted(x->a, path));
    }
    tn_buf_addc(&b, ']');
    tn_dict_putz(x->parameters.dict, "columns", tn_val_str(tn_buf_str(&b)));
    return TN_OK;
}

tn_rc tn_alter_rename_column(tn_alteration *x, tn_err *err)
{
    tn_delta_field *f;
    tn_delta_type *in;
    const tn_strs *path = &x->c->columns.v[0];
    x->operation = "RENAME COLUMN";
    TN_TRY(need_mapping(x, "renamed", err));
    TN_TRY(tn_alter_find(x, path, &f, &in, err));
    const tn_delta_field *there = tn_delta_field_find(in, x->c->name);
    if (x->c->name.n == 0 || (there != NULL && there != f)) {
        return tn_fail(
            err, TN_E_EXISTS, "there is a column '" TN_STR_FMT "' already", TN_STR_ARG(x->c->name));
    }
    TN_TRY(tn_alter_check_free(x, f->name, "renamed", err));
    tn_strs to = { 0 };
    for (size_t i = 0; i + 1 < path->n; i++) {
        tn_vec_push(&to, x->a, path->v[i]);
    }
    tn_vec_push(&to, x->a, x->c->name);
    size_t part = path->n == 1 ? tn_delta_partition_index(&x->meta, f->name) : SIZE_MAX;
    if (part != SIZE_MAX) {
        tn_strs by = { 0 };
        for (size_t i = 0; i < x->meta.partition_columns.n; i++) {
            tn_vec_push(&by, x->a, i == part ? x->c->name : x->meta.partition_columns.v[i]);
        }
        x->meta.partition_columns = by;
    }
    f->name = x->c->name;
    tn_dict_putz(x->parameters.dict, "oldColumnPath", tn_val_str(tn_alter_dotted(x->a, path)));
    tn_dict_putz(x->parameters.dict, "newColumnPath", tn_val_str(tn_alter_dotted(x->a, &to)));
    x->changed = true;
    return TN_OK;
}

/* ---- ALTER COLUMN ---- */

/* A column, a field of a struct, or the part of an array or map that a path ends in. */
static tn_rc find_part(tn_alteration *x, const tn_strs *path, tn_delta_field **ret_field,
    tn_delta_type ***ret_type, tn_str *ret_part, tn_err *err)
{
    tn_strs head = *path;
    tn_delta_type *in;
    tn_delta_field *f = NULL;
    size_t parts = 0;
    while (head.n > 1 && tn_alter_find(x, &head, &f, &in, NULL) != TN_OK) {
        head.n--;
        parts++;
    }
    TN_TRY(tn_alter_find(x, &head, &f, &in, err));
    TN_CHECK(f != NULL);
    tn_delta_type **t = &f->type;
    for (size_t i = head.n; i < path->n; i++) {
        tn_delta_type *in_hand = *t;
        tn_delta_type *next = part_of(in_hand, path->v[i]);
        if (next == NULL) {
            return no_column(x, path, err);
        }
        t = next == in_hand->key ? &in_hand->key : &in_hand->element;
    }
    tn_strs rest = { .v = path->v + head.n, .n = parts };
    *ret_part = tn_alter_dotted(x->a, &rest);
    *ret_field = f;
    *ret_type = t;
    return TN_OK;
}

static tn_rc change_type(tn_alteration *x, const tn_strs *path, tn_err *err)
{
    tn_delta_field *f = NULL;
    tn_delta_type **t = NULL;
    tn_str part;
    TN_TRY(find_part(x, path, &f, &t, &part, err));
    TN_CHECK(f != NULL && t != NULL);
    if (tn_delta_type_eq(*t, x->c->type)) {
        return TN_OK;
    }
    tn_buf from = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf to = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_type_to_sql(&from, *t);
    tn_delta_type_to_sql(&to, x->c->type);
    if (!tn_delta_widens(*t, x->c->type, false)) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "the column '" TN_STR_FMT "' cannot change from " TN_STR_FMT " to " TN_STR_FMT,
            TN_STR_ARG(tn_alter_dotted(x->a, path)), TN_STR_ARG(tn_buf_str(&from)),
            TN_STR_ARG(tn_buf_str(&to)));
        return tn_hint(err, rc,
            "only to a type that holds every value: larger integers, DOUBLE, larger decimals, "
            "DATE to TIMESTAMP");
    }
    if (!tn_delta_property_is(&x->meta, "delta.enableTypeWidening", "true")) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED, "the table does not allow wider types");
        return tn_hint(
            err, rc, "ALTER TABLE t SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true') first");
    }
    TN_TRY(tn_alter_check_free(x, f->name, "changed", err));
    if (tn_delta_field_is_identity(f) || tn_delta_field_generation(f).n > 0) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the type of the generated column '" TN_STR_FMT "' cannot change", TN_STR_ARG(f->name));
    }
    tn_delta_widen(x->a, f, part, t, x->c->type);
    x->changed = true;
    return TN_OK;
}

static tn_rc change_null(tn_alteration *x, tn_delta_field *f, const tn_strs *path, tn_err *err)
{
    bool nullable = x->c->kind == TN_ALTER_DROP_NOT_NULL;
    if (f->nullable == nullable) {
        return TN_OK;
    }
    if (!nullable) {
        tn_buf bad = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
        for (size_t i = 0; i < path->n; i++) { /* a missing struct has no missing field */
            tn_buf_addz(&bad, i > 0 ? " IS NOT NULL AND " : "");
            for (size_t k = 0; k <= i; k++) {
                tn_buf_addz(&bad, k > 0 ? "." : "");
                tn_sql_ident(&bad, path->v[k]);
            }
        }
        tn_buf_addz(&bad, " IS NULL");
        TN_TRY(tn_alter_check_rows(x, tn_buf_str(&bad),
            tn_arena_printf(x->a, "NOT NULL of '%.*s'", TN_STR_ARG(tn_alter_dotted(x->a, path))),
            err));
    }
    f->nullable = nullable;
    x->changed = true;
    return TN_OK;
}

static tn_rc change_default(tn_alteration *x, tn_delta_field *f, tn_err *err)
{
    if (x->c->kind == TN_ALTER_DROP_DEFAULT) {
        x->changed = tn_dict_remove(f->metadata.dict, tn_val_z("CURRENT_DEFAULT"));
        return TN_OK;
    }
    if (tn_delta_field_generation(f).n > 0 || tn_delta_field_is_identity(f)) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the column '" TN_STR_FMT "' makes its own values: it takes no default",
            TN_STR_ARG(f->name));
    }
    TN_TRY(tn_delta_field_set_default(x->a, f, x->c->text, err));
    x->changed = true;
    return TN_OK;
}

static tn_rc move(tn_alteration *x, tn_delta_type *in, tn_delta_field *f, tn_err *err)
{
    tn_delta_field moved = *f;
    size_t from = (size_t)(f - in->fields.v);
    if (x->c->place == TN_PLACE_AFTER && tn_str_eq_nocase(x->c->after, moved.name)) {
        return TN_OK;
    }
    for (size_t i = from; i + 1 < in->fields.n; i++) {
        in->fields.v[i] = in->fields.v[i + 1];
    }
    in->fields.n--;
    x->changed = true;
    return insert_at(x, in, moved, x->c->place, x->c->after, err);
}

static void describe_column(tn_alteration *x, const tn_delta_field *f)
{
    tn_buf b = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    print_column(&w, f);
    tn_dict_putz(x->parameters.dict, "column", tn_val_str(tn_buf_str(&b)));
}

tn_rc tn_alter_column(tn_alteration *x, tn_err *err)
{
    const tn_strs *path = &x->c->columns.v[0];
    tn_delta_field *f;
    tn_delta_type *in;
    x->operation = "CHANGE COLUMN";
    if (x->c->kind == TN_ALTER_COLUMN_TYPE) {
        TN_TRY(change_type(x, path, err));
        tn_strs top = { .v = path->v, .n = 1 };
        TN_TRY(tn_alter_find(x, &top, &f, &in, err));
        describe_column(x, f);
        return TN_OK;
    }
    TN_TRY(tn_alter_find(x, path, &f, &in, err));
    tn_delta_field after = *f; /* moving shifts the fields */
    switch (x->c->kind) {
    case TN_ALTER_SET_NOT_NULL:
    case TN_ALTER_DROP_NOT_NULL:
        TN_TRY(change_null(x, f, path, err));
        after = *f;
        break;
    case TN_ALTER_SET_DEFAULT:
    case TN_ALTER_DROP_DEFAULT:
        TN_TRY(change_default(x, f, err));
        break;
    case TN_ALTER_COLUMN_COMMENT:
        tn_delta_field_set_comment(x->a, f, x->c->text);
        x->changed = true;
        break;
    default:
        TN_TRY(move(x, in, f, err));
        break;
    }
    describe_column(x, &after);
    return TN_OK;
}

/* ---- columns of a new table ---- */

tn_str tn_delta_sql_for_metadata(tn_arena *a, tn_str sql)
{
    return tn_delta_expr_store(a, sql);
}

void tn_delta_field_set_comment(tn_arena *a, tn_delta_field *f, tn_str text)
{
    if (text.n == 0) {
        (void)tn_dict_remove(f->metadata.dict, tn_val_z("comment"));
        return;
    }
    tn_dict_putz(f->metadata.dict, "comment", tn_val_str_dup(a, text));
}

tn_rc tn_delta_field_set_default(tn_arena *a, tn_delta_field *f, tn_str expr, tn_err *err)
{
    tn_str ignored;
    tn_str text = tn_delta_expr_store(a, expr);
    TN_TRY(tn_delta_expr_sql(a, text, NULL, true, &ignored, err));
    tn_dict_putz(f->metadata.dict, "CURRENT_DEFAULT", tn_val_str(text));
    return TN_OK;
}

void tn_delta_field_set_generated(tn_arena *a, tn_delta_field *f, tn_str expr)
{
    tn_dict_putz(
        f->metadata.dict, "delta.generationExpression", tn_val_str(tn_delta_expr_store(a, expr)));
}

tn_rc tn_delta_field_set_identity(tn_delta_field *f, const tn_delta_identity *id, tn_err *err)
{
    if (!tn_delta_type_is(f->type, "long")) {
        return tn_fail(err, TN_E_TYPE, "the identity column '" TN_STR_FMT "' must be a BIGINT",
            TN_STR_ARG(f->name));
    }
    if (id->step == 0) {
        return tn_fail(err, TN_E_VALUE, "the increment of an identity column cannot be 0");
    }
    tn_dict_putz(f->metadata.dict, "delta.identity.start", tn_val_int(id->start));
    tn_dict_putz(f->metadata.dict, "delta.identity.step", tn_val_int(id->step));
    tn_dict_putz(
        f->metadata.dict, "delta.identity.allowExplicitInsert", tn_val_bool(id->by_default));
    return TN_OK;
}

tn_rc tn_delta_column_default(tn_arena *a, const tn_delta_type *schema, tn_str column,
    tn_str *ret_sql, bool *ret_computed, tn_err *err)
{
    const tn_delta_field *f = tn_delta_field_find(schema, column);
    if (f == NULL) {
        return tn_fail(
            err, TN_E_NAME, "the table has no column '" TN_STR_FMT "'", TN_STR_ARG(column));
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    TN_TRY(tn_delta_missing_sql(&b, f, err));
    *ret_computed = tn_delta_field_generation(f).n > 0 ||
                    (tn_delta_field_is_identity(f) && !tn_delta_field_takes_identity(f));
    *ret_sql = tn_buf_str(&b);
    return TN_OK;
}
