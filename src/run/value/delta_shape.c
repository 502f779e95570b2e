/* delta_shape.c: from a model's configs, columns and constraints to the metadata of its Delta table. */
#include "run/value/delta_shape.h"

#include "delta/delta_alter.h"
#include "delta/delta_cluster.h"

static bool persists(const tn_node *n, const char *what)
{
    return tn_val_bool_at(tn_node_config(n, "persist_docs"), what, false);
}

/* A constraint without a name is known by its text, so that the next run finds it again. */
static tn_str constraint_key(tn_arena *a, tn_val c, tn_str expression)
{
    tn_str name = tn_val_str_at(c, "name", TN_STR_NONE);
    if (name.n == 0) {
        name = tn_str_printf(a, "check_%08x", (unsigned)(tn_str_hash(expression) & UINT32_MAX));
    }
    return tn_str_printf(a, "delta.constraints." TN_STR_FMT, TN_STR_ARG(tn_str_lower(a, name)));
}

static void add_not_null(tn_arena *a, tn_val c, tn_str column, tn_delta_shape *ret)
{
    tn_val columns = tn_val_at(c, "columns");
    if (column.n > 0) {
        tn_strs_add_new(&ret->not_null, a, column);
    }
    for (size_t i = 0; column.n == 0 && tn_val_is_seq(columns) && i < columns.list->n; i++) {
        tn_strs_add_new(&ret->not_null, a, tn_val_as_str(columns.list->v[i]));
    }
}

/* column: whose constraints they are; empty: the model's. */
static void add_constraints(tn_arena *a, tn_val list, tn_str column, tn_delta_shape *ret)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val c = list.list->v[i];
        tn_str type = tn_val_str_at(c, "type", TN_STR_NONE);
        tn_str expression = tn_val_str_at(c, "expression", TN_STR_NONE);
        if (tn_str_is(type, "not_null")) {
            add_not_null(a, c, column, ret);
        } else if (tn_str_is(type, "check") && expression.n > 0) {
            tn_dict_puts(ret->properties.dict, constraint_key(a, c, expression),
                tn_val_str(tn_delta_sql_for_metadata(a, expression)));
        }
    }
}

void tn_delta_shape_of(const tn_node *n, tn_val properties, tn_arena *a, tn_delta_shape *ret)
{
    const tn_dict_item *it;
    size_t at = 0;
    *ret = (tn_delta_shape){ .comments = tn_val_dict(a), .properties = tn_val_dict(a) };
    while (properties.tag == TN_DICT && (it = tn_dict_next(properties.dict, &at)) != NULL) {
        tn_str value = it->value.tag == TN_BOOL ? (it->value.i ? TN_STR("true") : TN_STR("false"))
                                                : tn_val_to_str(a, it->value);
        tn_dict_put(ret->properties.dict, it->key, tn_val_str(value));
    }
    if (n == NULL) {
        return;
    }
    bool enforced = tn_val_bool_at(tn_node_config(n, "contract"), "enforced", false);
    ret->describes = persists(n, "relation");
    ret->description = n->description;
    at = 0;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        tn_str text = tn_val_str_at(it->value, "description", TN_STR_NONE);
        if (persists(n, "columns") && text.n > 0) {
            tn_dict_put(ret->comments.dict, it->key, tn_val_str(text));
        }
        if (enforced) {
            add_constraints(a, tn_val_at(it->value, "constraints"), tn_val_as_str(it->key), ret);
        }
    }
    if (enforced) {
        add_constraints(a, n->constraints, TN_STR(""), ret);
    }
    ret->declared = ret->describes || ret->comments.dict->live > 0 || ret->not_null.n > 0 ||
                    ret->properties.dict->live > 0;
}

static bool is_one_of(const tn_strs *names, tn_str name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (tn_str_eq_nocase(names->v[i], name)) {
            return true;
        }
    }
    return false;
}

static tn_str comment_of(tn_val comments, tn_str name)
{
    const tn_dict_item *it;
    size_t at = 0;
    while ((it = tn_dict_next(comments.dict, &at)) != NULL) {
        if (tn_str_eq_nocase(tn_val_as_str(it->key), name)) {
            return tn_val_as_str(it->value);
        }
    }
    return TN_STR_NONE;
}

tn_rc tn_delta_shape_apply(const tn_delta_shape *shape, tn_conn *c, tn_arena *a, tn_str sql,
    tn_delta_write_opts *opts, tn_err *err)
{
    opts->cluster_by = shape->cluster_by;
    opts->properties = shape->properties.dict->live > 0 ? shape->properties : TN_VAL_UNDEF;
    if (!shape->declared) {
        return TN_OK;
    }
    tn_val found;
    tn_delta_type *schema = tn_new(a, tn_delta_type);
    *schema = (tn_delta_type){ .kind = TN_DT_STRUCT };
    TN_TRY(tn_conn_describe(c, a, sql, &found, err));
    for (size_t i = 0; i < found.list->n; i++) {
        const tn_val *pair = found.list->v[i].list->v;
        tn_delta_field f = { .name = tn_val_as_str(pair[0]), .metadata = tn_val_dict(a) };
        TN_TRY(tn_delta_type_from_sql(a, tn_val_as_str(pair[1]), &f.type, err));
        f.nullable = !is_one_of(&shape->not_null, f.name);
        tn_str comment = comment_of(shape->comments, f.name);
        if (comment.n > 0) {
            tn_delta_field_set_comment(a, &f, comment);
        }
        tn_vec_push(&schema->fields, a, f);
    }
    opts->replace_table = true;
    opts->schema = schema;
    opts->description = shape->describes ? shape->description : TN_STR_NONE;
    return TN_OK;
}

/* ---- what is there already ---- */

typedef struct settling {
    const tn_delta_shape *shape;
    tn_delta_table *table;
    tn_conn *conn;
    tn_arena *arena;
    tn_delta_snapshot *s; /* as it was before */
    int64_t version;
} settling;

static tn_rc change(settling *x, const tn_delta_alter *alter, tn_err *err)
{
    tn_delta_alter_result r;
    TN_TRY(tn_delta_alter_run(x->table, x->conn, alter, &r, err));
    x->version = r.version;
    return TN_OK;
}

static tn_rc change_column(
    settling *x, tn_delta_alter_kind kind, tn_str column, tn_str text, tn_err *err)
{
    tn_delta_alter alter = { .kind = kind, .text = text };
    tn_strs path = { 0 };
    tn_vec_push(&path, x->arena, column);
    tn_vec_push(&alter.columns, x->arena, path);
    return change(x, &alter, err);
}

static tn_rc settle_columns(settling *x, tn_err *err)
{
    const tn_delta_fields *fields = &tn_delta_snapshot_meta(x->s)->schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        const tn_delta_field *f = &fields->v[i];
        tn_str comment = comment_of(x->shape->comments, f->name);
        if (comment.n > 0 &&
            !tn_str_eq(tn_val_str_at(f->metadata, "comment", TN_STR_NONE), comment)) {
            TN_TRY(change_column(x, TN_ALTER_COLUMN_COMMENT, f->name, comment, err));
        }
        if (f->nullable && is_one_of(&x->shape->not_null, f->name)) {
            TN_TRY(change_column(x, TN_ALTER_SET_NOT_NULL, f->name, TN_STR_NONE, err));
        }
    }
    return TN_OK;
}

static const tn_str CONSTRAINT = { "delta.constraints.", sizeof "delta.constraints." - 1 };

/* A property that asks for a feature is not kept in the configuration. */
static bool is_kept(tn_str key)
{
    return !tn_str_starts(key, TN_STR("delta.feature.")) &&
           !tn_str_is(key, "delta.minReaderVersion") && !tn_str_is(key, "delta.minWriterVersion");
}

static tn_rc settle_properties(settling *x, tn_err *err)
{
    tn_val have = tn_delta_snapshot_meta(x->s)->configuration;
    tn_delta_alter set = { .kind = TN_ALTER_SET_PROPERTIES, .properties = tn_val_dict(x->arena) };
    const tn_dict_item *it;
    size_t at = 0;
    while ((it = tn_dict_next(x->shape->properties.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key), value = tn_val_as_str(it->value);
        if (!is_kept(key) ||
            tn_str_eq(tn_val_str_at(have, tn_str_z(x->arena, key), TN_STR_NONE), value)) {
            continue;
        }
        if (!tn_str_starts(key, CONSTRAINT)) {
            tn_dict_put(set.properties.dict, it->key, it->value);
            continue;
        }
        tn_delta_alter drop = { .kind = TN_ALTER_DROP_CONSTRAINT,
            .name = tn_str_sub(key, CONSTRAINT.n, key.n),
            .if_exists = true };
        tn_delta_alter add = { .kind = TN_ALTER_ADD_CONSTRAINT, .name = drop.name, .text = value };
        TN_TRY(change(x, &drop, err));
        TN_TRY(change(x, &add, err));
    }
    return set.properties.dict->live > 0 ? change(x, &set, err) : TN_OK;
}

static tn_rc settle_clustering(settling *x, tn_err *err)
{
    tn_strs have = { 0 };
    const tn_strs *want = &x->shape->cluster_by;
    TN_TRY(tn_delta_cluster_columns(x->s, x->arena, &have, err));
    bool same = have.n == want->n;
    for (size_t i = 0; same && i < have.n; i++) {
        same = tn_str_eq_nocase(have.v[i], want->v[i]);
    }
    /* A model that says nothing leaves it to whoever clustered the table. */
    return same || want->n == 0 ? TN_OK
                                : tn_delta_cluster_by(x->table, x->conn, want, &x->version, err);
}

tn_rc tn_delta_shape_settle(const tn_delta_shape *shape, tn_delta_table *table, tn_conn *c,
    tn_arena *a, int64_t *ret_version, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_delta_snapshot_recent(table, c, &s, NULL, err)); /* what was just written */
    if (s == NULL) {
        return tn_fail(err, TN_E_NOTFOUND, "the table is gone");
    }
    settling x = { .shape = shape,
        .table = table,
        .conn = c,
        .arena = a,
        .s = s,
        .version = tn_delta_snapshot_version(s) };
    if (shape->describes &&
        !tn_str_eq(tn_delta_snapshot_meta(s)->description, shape->description)) {
        tn_delta_alter comment = { .kind = TN_ALTER_TABLE_COMMENT, .text = shape->description };
        TN_TRY(change(&x, &comment, err));
    }
    TN_TRY(settle_columns(&x, err));
    TN_TRY(settle_properties(&x, err));
    TN_TRY(settle_clustering(&x, err));
    *ret_version = x.version;
    return TN_OK;
}
