/* adapter.c: the `adapter` object: looks its methods up in tables, and the methods that talk to the database or to the relation cache. */
#include "run/job/adapter_impl.h"
#include "text/sqltext.h"
#include "text/uri.h"

tn_str tn_adapter_text_arg(const tn_call *call, size_t place, const char *name)
{
    tn_val v = tn_call_arg(call, place, name);
    return tn_val_is_given(v) ? tn_val_to_str(call->arena, v) : TN_STR_NONE;
}

static tn_rc nothing(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = TN_VAL_NONE;
    return TN_OK;
}

static tn_rc no(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = TN_VAL_FALSE;
    return TN_OK;
}

/* ---- statements ---- */

static tn_rc execute(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "sql", "auto_begin", "fetch", "limit", NULL };
    TN_TRY(tn_call_check(call, "adapter.execute", 1, 4, names, err));
    tn_exec_opts opts = { .auto_begin = tn_val_truthy(tn_call_arg(call, 1, "auto_begin")),
        .fetch = tn_val_truthy(tn_call_arg(call, 2, "fetch")) };
    tn_val pair[2];
    TN_TRY(tn_job_execute(
        tn_job_of(call), tn_adapter_text_arg(call, 0, "sql"), &opts, &pair[0], &pair[1], err));
    *ret = tn_val_tuple(call->arena, pair, 2);
    return TN_OK;
}

static tn_rc add_query(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val bindings = tn_call_arg(call, 2, "bindings"), begin = tn_call_arg(call, 1, "auto_begin"),
           ignored, table;
    tn_exec_opts opts = { .auto_begin = tn_val_is_undef(begin) || tn_val_truthy(begin) };
    if (tn_val_is_seq(bindings)) {
        opts.bindings = bindings.list->v;
        opts.binding_count = bindings.list->n;
    }
    TN_TRY(tn_job_execute(
        tn_job_of(call), tn_adapter_text_arg(call, 0, "sql"), &opts, &ignored, &table, err));
    tn_val pair[2] = { TN_VAL_NONE, TN_VAL_NONE };
    *ret = tn_val_tuple(call->arena, pair, 2);
    return TN_OK;
}

static tn_rc commit(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    *ret = tn_val_z("");
    return tn_job_commit(tn_job_of(call), err);
}

static tn_rc ensure_transaction(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    *ret = TN_VAL_NONE;
    if (j->worker->in_transaction) {
        return TN_OK;
    }
    if (j->session->disable_transactions) {
        tn_adapter_warn_once(j,
            TN_STR("disable_transactions is set, but dbt-duckdb uses a transaction to rebuild "
                   "tables with foreign key constraints in place, so a failed build does not lose "
                   "the existing table's data."));
    }
    j->worker->in_transaction = true;
    return tn_conn_exec(j->worker->conn, TN_STR("BEGIN"), err);
}

static tn_rc run_sql_for_tests(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_exec_opts opts = { .fetch = true };
    tn_val response;
    return tn_job_execute(
        tn_job_of(call), tn_adapter_text_arg(call, 0, "sql"), &opts, &response, ret, err);
}

/* ---- the cache and relations ---- */

static tn_rc get_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "database", "schema", "identifier", NULL };
    TN_TRY(tn_call_check(call, "adapter.get_relation", 0, 3, names, err));
    tn_job *j = tn_job_of(call);
    tn_str database = tn_adapter_text_arg(call, 0, "database"),
           schema = tn_adapter_text_arg(call, 1, "schema");
    tn_str name = tn_adapter_text_arg(call, 2, "identifier"), type, exact;
    *ret = TN_VAL_NONE;
    database = database.p != NULL ? database : j->session->database;
    if (name.p != NULL &&
        tn_session_cache_find(j->session, database, schema, name, &type, &exact)) {
        tn_relation *r =
            tn_relation_new(call->arena, tn_str_dup(call->arena, database), schema, exact, NULL);
        r->type = type;
        *ret = tn_relation_val(r);
    }
    return TN_OK;
}

static tn_rc list_relations(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_job *j = tn_job_of(call);
    tn_str database = tn_adapter_text_arg(call, 0, "database"),
           schema = tn_adapter_text_arg(call, 1, "schema");
    tn_relation *given = NULL;
    if (tn_val_is_relation(tn_call_arg(call, 0, "schema_relation"), &given)) {
        database = given->part[0];
        schema = given->part[1];
    }
    tn_val found = tn_session_cache_list(j->session, call->arena, database, schema);
    *ret = tn_val_list(call->arena);
    for (size_t i = 0; i < found.list->n; i++) {
        tn_val *pair = found.list->v[i].list->v;
        tn_relation *r =
            tn_relation_new(call->arena, database, schema, tn_val_as_str(pair[0]), NULL);
        r->type = tn_val_as_str(pair[1]);
        tn_list_push(ret->list, tn_relation_val(r));
    }
    return TN_OK;
}

static tn_rc relation_arg(
    const tn_call *call, size_t place, const char *name, tn_relation **ret, tn_err *err)
{
    tn_val v = tn_call_arg(call, place, name);
    if (!tn_val_is_relation(v, ret)) {
        return tn_fail(err, TN_E_COMPILE, "expected a relation, got %s", tn_val_type_name(v));
    }
    return TN_OK;
}

static tn_rc call_macro(
    const tn_call *call, const char *name, const tn_val *args, size_t n, tn_val *ret, tn_err *err)
{
    return tn_pctx_call(tn_pctx_of(call), tn_str_of(name), args, n, NULL, 0, ret, err);
}

static void cache_drop(tn_job *j, const tn_relation *r)
{
    tn_session_cache_drop(j->session, r->part[0], r->part[1], r->part[2]);
}

static void cache_add(tn_job *j, const tn_relation *r)
{
    tn_session_cache_add(j->session, r->part[0], r->part[1], r->part[2],
        r->type.p != NULL ? r->type : TN_STR("table"));
}

static tn_rc drop_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    tn_val arg = tn_call_arg(call, 0, "relation"), ignored;
    *ret = tn_val_z("");
    if (tn_val_is_none(arg)) {
        return TN_OK;
    }
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    if (r->type.p == NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "Tried to drop relation " TN_STR_FMT ", but its type is null.",
            TN_STR_ARG(tn_relation_render(call->arena, r)));
    }
    cache_drop(tn_job_of(call), r);
    return call_macro(call, "drop_relation", &arg, 1, &ignored, err);
}

static tn_rc truncate_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val arg = tn_call_arg(call, 0, "relation"), ignored;
    *ret = tn_val_z("");
    return call_macro(call, "truncate_relation", &arg, 1, &ignored, err);
}

static tn_rc rename_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *from, *to;
    tn_val args[2] = { tn_call_arg(call, 0, "from_relation"), tn_call_arg(call, 1, "to_relation") },
           ignored;
    TN_TRY(relation_arg(call, 0, "from_relation", &from, err));
    TN_TRY(relation_arg(call, 1, "to_relation", &to, err));
    TN_TRY(call_macro(call, "rename_relation", args, 2, &ignored, err));
    cache_drop(tn_job_of(call), from);
    cache_add(tn_job_of(call), to);
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc cache_added(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    cache_add(tn_job_of(call), r);
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc cache_dropped(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    cache_drop(tn_job_of(call), r);
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc cache_renamed(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *from, *to;
    TN_TRY(relation_arg(call, 0, "from_relation", &from, err));
    TN_TRY(relation_arg(call, 1, "to_relation", &to, err));
    cache_drop(tn_job_of(call), from);
    cache_add(tn_job_of(call), to);
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc create_schema(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    tn_val arg = tn_call_arg(call, 0, "relation"), ignored;
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    TN_TRY(call_macro(call, "create_schema", &arg, 1, &ignored, err));
    TN_TRY(tn_job_commit(tn_job_of(call), err));
    tn_session_add_schema(tn_job_of(call)->session, r->part[0], r->part[1]);
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc drop_schema(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    tn_val arg = tn_call_arg(call, 0, "relation"), ignored;
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    TN_TRY(call_macro(call, "drop_schema", &arg, 1, &ignored, err));
    TN_TRY(tn_job_commit(tn_job_of(call), err));
    tn_session_cache_drop_schema(tn_job_of(call)->session, r->part[0], r->part[1]);
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc check_schema_exists(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_bool(tn_session_has_schema(tn_job_of(call)->session,
        tn_adapter_text_arg(call, 0, "database"), tn_adapter_text_arg(call, 1, "schema")));
    return TN_OK;
}

static tn_rc already_exists(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_job *j = tn_job_of(call);
    tn_str type, exact;
    *ret = tn_val_bool(tn_session_cache_find(j->session, j->session->database,
        tn_adapter_text_arg(call, 0, "schema"), tn_adapter_text_arg(call, 1, "name"), &type,
        &exact));
    return TN_OK;
}

/* ---- columns ---- */

static tn_rc columns_of(const tn_call *call, tn_val relation, tn_val *ret, tn_err *err)
{
    tn_err inner = TN_ERR_INIT;
    tn_rc rc = call_macro(call, "get_columns_in_relation", &relation, 1, ret, &inner);
    if (rc != TN_OK && strstr(inner.msg, "does not exist") != NULL) {
        *ret = tn_val_list(call->arena);
        return TN_OK;
    }
    if (rc != TN_OK && err != NULL) {
        *err = inner;
    }
    return rc;
}

static tn_rc get_columns_in_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return columns_of(call, tn_call_arg(call, 0, "relation"), ret, err);
}

static tn_rc get_columns_in_table(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r = tn_relation_new(call->arena, tn_job_of(call)->session->database,
        tn_adapter_text_arg(call, 0, "schema_name"), tn_adapter_text_arg(call, 1, "table_name"),
        NULL);
    return columns_of(call, tn_relation_val(r), ret, err);
}

static tn_rc get_missing_columns(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val from, to, out = tn_val_list(call->arena);
    TN_TRY(columns_of(call, tn_call_arg(call, 0, "from_relation"), &from, err));
    TN_TRY(columns_of(call, tn_call_arg(call, 1, "to_relation"), &to, err));
    for (size_t i = 0; i < from.list->n; i++) {
        tn_column *x = NULL, *y = NULL;
        bool found = !tn_val_is_column(from.list->v[i], &x);
        for (size_t k = 0; k < to.list->n && !found; k++) {
            found = tn_val_is_column(to.list->v[k], &y) && tn_str_eq(x->name, y->name);
        }
        if (!found) {
            tn_list_push(out.list, from.list->v[i]);
        }
    }
    *ret = out;
    return TN_OK;
}

static tn_rc describe(const tn_call *call, bool flatten, tn_val *ret, tn_err *err)
{
    tn_job *j = tn_job_of(call);
    tn_val found;
    tn_str sql;
    TN_TRY(tn_job_serve_delta(j, tn_adapter_text_arg(call, 0, "sql"), &sql, err));
    TN_TRY(tn_conn_describe(j->worker->conn, call->arena, sql, &found, err));
    *ret = tn_val_list(call->arena);
    for (size_t i = 0; i < found.list->n; i++) {
        tn_val *pair = found.list->v[i].list->v;
        if (flatten) {
            tn_column_flatten(
                call->arena, tn_val_as_str(pair[0]), tn_val_as_str(pair[1]), ret->list);
        } else {
            tn_list_push(ret->list,
                tn_column_new(call->arena, tn_val_as_str(pair[0]), tn_val_as_str(pair[1])));
        }
    }
    return TN_OK;
}

static tn_rc get_column_schema_from_query(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return describe(call, true, ret, err);
}

static tn_rc describe_query(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    return describe(call, false, ret, err);
}

static tn_rc existing_key_constraint_types(
    void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    *ret = tn_session_keys_of(
        tn_job_of(call)->session, call->arena, r->part[0], r->part[1], r->part[2]);
    return TN_OK;
}

/* A database of DuckLake: the profile's own, or one that it attaches. */
static tn_rc is_ducklake(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_relation *r;
    const tn_session *s = tn_job_of(call)->session;
    tn_val creds = tn_profile_credentials(&s->project->profile), list = tn_val_at(creds, "attach");
    TN_TRY(relation_arg(call, 0, "relation", &r, err));
    bool own = tn_val_bool_at(creds, "is_ducklake", false) ||
               tn_str_starts(s->project->profile.path, TN_STR("ducklake:"));
    bool is = own && tn_str_eq_nocase(r->part[0], s->database);
    for (size_t i = 0; !is && tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val item = list.list->v[i];
        tn_str path = tn_val_str_at(item, "path", TN_STR_NONE);
        bool lake =
            tn_val_bool_at(item, "is_ducklake", false) || tn_str_starts(path, TN_STR("ducklake:"));
        tn_str name = tn_val_str_at(item, "alias", tn_path_stem(tn_path_base(path)));
        is = lake && tn_str_eq_nocase(r->part[0], name);
    }
    *ret = tn_val_bool(is);
    return TN_OK;
}

static tn_rc location_exists(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_buf b = tn_buf_init(call->arena, 1 << 16);
    tn_buf_addz(&b, "select 1 from ");
    tn_sql_literal(&b, tn_adapter_text_arg(call, 0, "location"));
    tn_buf_addz(&b, " where 1=0");
    *ret = tn_val_bool(tn_conn_exec(tn_job_of(call)->worker->conn, tn_buf_str(&b), NULL) == TN_OK);
    return TN_OK;
}

static tn_rc dispatch(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "macro_name", "macro_namespace", "packages", NULL };
    TN_TRY(tn_call_check(call, "adapter.dispatch", 1, 3, names, err));
    return tn_pctx_dispatch(tn_pctx_of(call), tn_adapter_text_arg(call, 0, "macro_name"),
        tn_adapter_text_arg(call, 1, "macro_namespace"), ret, err);
}

const tn_adapter_method tn_adapter_database[] = {
    { "execute", execute },
    { "add_query", add_query },
    { "commit", commit },
    { "commit_if_has_connection", commit },
    { "ensure_transaction", ensure_transaction },
    { "run_sql_for_tests", run_sql_for_tests },
    { "get_relation", get_relation },
    { "list_relations", list_relations },
    { "list_relations_without_caching", list_relations },
    { "drop_relation", drop_relation },
    { "truncate_relation", truncate_relation },
    { "rename_relation", rename_relation },
    { "cache_added", cache_added },
    { "cache_dropped", cache_dropped },
    { "cache_renamed", cache_renamed },
    { "create_schema", create_schema },
    { "drop_schema", drop_schema },
    { "check_schema_exists", check_schema_exists },
    { "already_exists", already_exists },
    { "get_columns_in_relation", get_columns_in_relation },
    { "get_columns_in_table", get_columns_in_table },
    { "get_missing_columns", get_missing_columns },
    { "expand_target_column_types", nothing },
    { "get_column_schema_from_query", get_column_schema_from_query },
    { "describe_query", describe_query },
    { "existing_key_constraint_types", existing_key_constraint_types },
    { "location_exists", location_exists },
    { "dispatch", dispatch },
    { "is_motherduck", no },
    { "is_ducklake", is_ducklake },
    { "use_ducklake_table_workarounds", no },
    { "build_catalog_relation", nothing },
    { "get_catalog_integration", nothing },
    { "get_partitions_metadata", nothing },
    { "debug_query", nothing },
    { "nice_connection_name", nothing },
    { NULL, NULL },
};

/* ---- the object ---- */

typedef struct adapter {
    tn_obj base;
    tn_dict *made; /* method objects, made on first use */
    tn_val behavior;
} adapter;

static tn_rc adapter_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    adapter *ad = (adapter *)(void *)self;
    static const tn_adapter_method *const tables[] = { tn_adapter_database, tn_adapter_text,
        tn_adapter_place, tn_adapter_delta };
    tn_val *made = tn_dict_finds(ad->made, name);
    *ret = made != NULL ? *made : TN_VAL_UNDEF;
    if (tn_str_is(name, "behavior")) {
        *ret = ad->behavior;
    } else if (tn_str_is(name, "Relation")) {
        *ret = tn_val_obj(&tn_relation_class_obj);
    }
    for (size_t t = 0; t < TN_COUNTOF(tables) && tn_val_is_undef(*ret); t++) {
        for (const tn_adapter_method *m = tables[t]; m->name != NULL; m++) {
            if (tn_str_is(name, m->name)) {
                *ret = tn_val_fn(ad->made->arena, m->name, m->fn, NULL);
                tn_dict_puts(ad->made, tn_str_of(m->name), *ret);
                break;
            }
        }
    }
    return TN_OK;
}

static const tn_obj_type adapter_type = { .name = "DatabaseWrapper", .attr = adapter_attr };

tn_val tn_adapter_new(tn_job *j)
{
    adapter *ad = tn_new(j->arena, adapter);
    tn_val made = tn_val_dict(j->arena);
    *ad = (adapter){ { &adapter_type }, made.dict,
        tn_context_behavior(j->arena, j->session->project, &j->pctx) };
    return tn_val_obj(&ad->base);
}
