/* delta_cluster.c: the metadata domain of clustering.
 *
 *   {"domainMetadata":{"domain":"delta.clustering","configuration":"{\"clusteringColumns\":[[\"col\"],[\"s\",\"b\"]],\"domainName\":\"delta.clustering\"}","removed":false}}
 *
 * The protocol's text has a flat list of names; the reference writes a list of paths. Both are read, paths are written.
 */
#include "delta/delta_cluster.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/files/delta_cluster_impl.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_log.h"

#include "text/json.h"
#include "text/sqltext.h"

#define CLUSTER_DOMAIN "delta.clustering"

enum { PATH_DEPTH_MAX = 16 };

/* ---- names ---- */

/* The field behind a dotted name; a column whose own name has a dot is found first. *ret_physical: the path in files. */
static const tn_delta_field *find_path(const tn_delta_type *t, tn_str name,
    tn_delta_mapping mapping, tn_arena *a, tn_strs *ret_physical, tn_buf *sql)
{
    tn_str head = name;
    tn_str rest = TN_STR_NONE;
    const tn_delta_field *f = tn_delta_field_find(t, name);
    if (f == NULL && tn_str_cut(name, '.', &head, &rest)) {
        f = tn_delta_field_find(t, head);
    }
    if (f == NULL) {
        return NULL;
    }
    tn_vec_push(ret_physical, a, tn_delta_physical_name(f, mapping));
    tn_buf_addz(sql, sql->n > 0 ? "." : "");
    tn_sql_ident(sql, f->name);
    if (rest.n == 0) {
        return f;
    }
    return f->type->kind == TN_DT_STRUCT ? find_path(f->type, rest, mapping, a, ret_physical, sql)
                                         : NULL;
}

static bool can_order(const tn_delta_type *t)
{
    static const char *const NO[] = { "boolean", "binary", "variant", "void", "null" };
    for (size_t i = 0; i < TN_COUNTOF(NO); i++) {
        if (tn_delta_type_is(t, NO[i])) {
            return false;
        }
    }
    return t->kind == TN_DT_PRIMITIVE;
}

static tn_rc resolve(tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping, tn_str name,
    tn_cluster_column *ret, tn_err *err)
{
    tn_cluster_column c = { 0 };
    tn_buf sql = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    const tn_delta_field *f = find_path(m->schema, name, mapping, a, &c.physical, &sql);
    if (f == NULL) {
        return tn_fail(
            err, TN_E_NAME, "there is no column '" TN_STR_FMT "' to cluster by", TN_STR_ARG(name));
    }
    if (!can_order(f->type)) {
        tn_rc rc = tn_fail(
            err, TN_E_TYPE, "the table cannot be clustered by '" TN_STR_FMT "'", TN_STR_ARG(name));
        return tn_hint(err, rc, "statistics order numbers, texts, dates and times only");
    }
    tn_buf type = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_type_to_sql(&type, f->type);
    c.sql = tn_buf_str(&sql);
    c.type = tn_buf_str(&type);
    c.name = name;
    *ret = c;
    return TN_OK;
}

tn_rc tn_delta_cluster_resolve(tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping,
    const tn_strs *names, tn_cluster_columns *ret, tn_err *err)
{
    tn_cluster_columns out = { 0 };
    if (names->n > TN_CLUSTER_COLUMNS_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "CLUSTER BY takes at most %d columns", TN_CLUSTER_COLUMNS_MAX);
    }
    if (names->n > 0 && m->partition_columns.n > 0) {
        return tn_fail(err, TN_E_USAGE, "a partitioned table cannot be clustered too");
    }
    for (size_t i = 0; i < names->n; i++) {
        tn_cluster_column c;
        TN_TRY(resolve(a, m, mapping, names->v[i], &c, err));
        for (size_t k = 0; k < out.n; k++) {
            if (tn_str_eq(out.v[k].sql, c.sql)) {
                return tn_fail(err, TN_E_NAME, "CLUSTER BY names '" TN_STR_FMT "' twice",
                    TN_STR_ARG(names->v[i]));
            }
        }
        tn_vec_push(&out, a, c);
    }
    *ret = out;
    return TN_OK;
}

/* ---- the domain ---- */

tn_delta_domain tn_delta_cluster_domain(tn_arena *a, const tn_cluster_columns *columns)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "clusteringColumns");
    tn_jw_arr(&w);
    for (size_t i = 0; i < columns->n; i++) {
        tn_jw_arr(&w);
        for (size_t k = 0; k < columns->v[i].physical.n; k++) {
            tn_jw_str(&w, columns->v[i].physical.v[k]);
        }
        tn_jw_arr_end(&w);
    }
    tn_jw_arr_end(&w);
    tn_jw_key(&w, "domainName");
    tn_jw_str(&w, TN_STR(CLUSTER_DOMAIN));
    tn_jw_obj_end(&w);
    return (tn_delta_domain){ .domain = TN_STR(CLUSTER_DOMAIN), .configuration = tn_buf_str(&b) };
}

/* A path of physical names as the dotted name that people use; empty when a part is not there any more. */
static tn_str logical_name(
    tn_arena *a, const tn_delta_type *t, tn_delta_mapping mapping, const tn_val *parts, size_t n)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (!tn_str_eq(tn_delta_physical_name(f, mapping), tn_val_as_str(parts[0]))) {
            continue;
        }
        if (n == 1) {
            return f->name;
        }
        tn_str rest = logical_name(a, f->type, mapping, parts + 1, n - 1);
        return rest.n > 0 ? tn_str_printf(
                                a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(f->name), TN_STR_ARG(rest))
                          : rest;
    }
    return TN_STR_NONE;
}

tn_rc tn_delta_cluster_columns(const tn_delta_snapshot *s, tn_arena *a, tn_strs *ret, tn_err *err)
{
    const tn_delta_domain *d = tn_map_find(&s->domains, TN_STR(CLUSTER_DOMAIN));
    tn_delta_mapping mapping = tn_delta_mapping_of(&s->protocol, &s->meta);
    tn_strs out = { 0 };
    tn_val v;
    *ret = out;
    if (d == NULL || d->removed) {
        return TN_OK;
    }
    TN_TRY(tn_json_parse(a, d->configuration, &v, err));
    tn_val list = tn_val_at(v, "clusteringColumns");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val path = list.list->v[i];
        bool deep = tn_val_is_seq(path);
        size_t n = deep ? path.list->n : 1;
        if (n == 0 || n > PATH_DEPTH_MAX) {
            continue;
        }
        tn_str name = logical_name(a, s->meta.schema, mapping, deep ? path.list->v : &path, n);
        if (name.n > 0) {
            tn_vec_push(&out, a, name);
        }
    }
    *ret = out;
    return TN_OK;
}

/* ---- ALTER TABLE .. CLUSTER BY ---- */

static tn_str joined(tn_arena *a, const tn_strs *names)
{
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < names->n; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT, i > 0 ? "," : "", TN_STR_ARG(names->v[i]));
    }
    return tn_buf_str(&b);
}

static tn_rc plan_change(tn_arena *a, const tn_delta_snapshot *s, const tn_strs *columns,
    tn_delta_txn_plan *p, tn_err *err)
{
    tn_cluster_columns resolved;
    tn_strs old;
    tn_delta_meta *meta = tn_new(a, tn_delta_meta);
    tn_delta_protocol *protocol = tn_new(a, tn_delta_protocol);
    static const tn_str supported = { "supported", 9 };
    bool changed = false;
    TN_TRY(tn_delta_check_writable(&s->protocol, &s->meta, err));
    TN_TRY(tn_delta_cluster_resolve(
        a, &s->meta, tn_delta_mapping_of(&s->protocol, &s->meta), columns, &resolved, err));
    TN_TRY(tn_delta_cluster_columns(s, a, &old, err));
    *meta = s->meta;
    tn_delta_meta_set(a, meta, TN_STR("delta.feature.clustering"), &supported);
    TN_TRY(tn_delta_protocol_make(a, &s->protocol, meta, protocol, &changed, err));
    *p = (tn_delta_txn_plan){ .read_version = s->version,
        .base = s,
        .operation = TN_STR("CLUSTER BY"),
        .operation_parameters = tn_val_dict(a),
        .operation_metrics = TN_VAL_UNDEF,
        .user_metadata = TN_VAL_UNDEF,
        .protocol = changed ? protocol : NULL };
    tn_dict_putz(p->operation_parameters.dict, "oldClusteringColumns", tn_val_str(joined(a, &old)));
    tn_dict_putz(
        p->operation_parameters.dict, "newClusteringColumns", tn_val_str(joined(a, columns)));
    tn_vec_push(&p->domains, a, tn_delta_cluster_domain(a, &resolved));
    return TN_OK;
}

tn_rc tn_delta_cluster_by(
    tn_delta_table *t, tn_conn *conn, const tn_strs *columns, int64_t *ret_version, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta cluster", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_delta_txn_plan plan;
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    TN_TRY(plan_change(a, s, columns, &plan, err));
    TN_TRY(tn_delta_commit_write(t, &plan, ret_version, err));
    tn_delta_after_commit(t, conn, *ret_version, &s->meta);
    return TN_OK;
}
