/* job.c: the context of a job: names that need the database, ref and source at run time, statements and their results. */
#include "run/job/job.h"
#include "run/session/plugin.h"

#include "project/previous.h"
#include "run/session/lake_target.h"
#include "run/value/node_result.h"
#include "run/value/source_text.h"
#include "text/sqltext.h"
#include "text/uri.h"

tn_job *tn_job_of(const tn_call *call)
{
    return tn_pctx_of(call)->self;
}

/* ---- statements ---- */

static bool first_word_is(tn_str sql, const char *word)
{
    tn_str s = tn_sql_skip_blank(sql);
    size_t n = strlen(word);
    return s.n >= n && tn_str_eq_nocase(tn_str_sub(s, 0, n), tn_str_of(word)) &&
           (s.n == n || !((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
                            s.p[n] == '_'));
}

/* The last of several statements in one text counts: "create ...; commit;". */
static tn_str last_statement(tn_str sql)
{
    sql = tn_str_trim(sql);
    while (sql.n > 0 && sql.p[sql.n - 1] == ';') {
        sql = tn_str_trim(tn_str_sub(sql, 0, sql.n - 1));
    }
    for (size_t i = sql.n; i > 0; i--) {
        if (sql.p[i - 1] == ';') {
            return tn_str_sub(sql, i, sql.n);
        }
    }
    return sql;
}

static void follow_transaction(tn_worker *w, tn_str sql)
{
    sql = last_statement(sql);
    if (first_word_is(sql, "begin") || first_word_is(sql, "start")) {
        w->in_transaction = true;
    } else if (first_word_is(sql, "commit") || first_word_is(sql, "rollback") ||
               first_word_is(sql, "end")) {
        w->in_transaction = false;
    }
}

static tn_rc begin(tn_job *j, tn_err *err)
{
    if (j->worker->in_transaction || j->session->disable_transactions) {
        return TN_OK;
    }
    TN_TRY(tn_conn_exec(j->worker->conn, TN_STR("BEGIN"), err));
    j->worker->in_transaction = true;
    j->worker->wrote = false;
    return TN_OK;
}

static tn_val response_of(tn_arena *a, tn_result *r, bool rows)
{
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "_message", tn_val_z("OK"));
    tn_dict_putz(d.dict, "rows_affected",
        r != NULL && !rows ? tn_val_int(tn_result_changed(r)) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "code", TN_VAL_NONE);
    return d;
}

static tn_val empty_table(tn_arena *a)
{
    return tn_table_new(a, tn_val_list(a), tn_val_list(a));
}

/* A hook may end or begin a transaction by itself; a second COMMIT is no error for dbt's users. */
static bool is_idle_commit(const tn_job *j, tn_str sql)
{
    return !j->worker->in_transaction &&
           (first_word_is(sql, "commit") || first_word_is(sql, "rollback"));
}

/* What a template does is told with its node. */
static void put_node_info(const tn_job *j, tn_arena *a, tn_val data)
{
    if (j->node != NULL) {
        const tn_node_result r = { .node = j->node };
        bool hook = j->node->kind == TN_NODE_OPERATION;
        tn_dict_putz(data.dict, "node_info", tn_report_node_info(a, &r, hook ? NULL : "compiling"));
    }
}

static void tell_sql(tn_job *j, tn_str sql)
{
    tn_str name = j->node != NULL ? j->node->unique_id : TN_STR("master");
    if (!tn_events_wants(j->session->events, TN_EV_DEBUG)) {
        return;
    }
    TN_AUTO_ARENA a = tn_arena_new("sql event", NULL);
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "conn_name", tn_val_str(name));
    tn_dict_putz(data.dict, "sql", tn_val_str(sql));
    put_node_info(j, a, data);
    tn_event(j->session->events, TN_EV_DEBUG, "SQLQuery", "E016", data,
        "On " TN_STR_FMT ": " TN_STR_FMT, TN_STR_ARG(name), TN_STR_ARG(sql));
}

tn_rc tn_job_execute(tn_job *j, tn_str sql, const tn_exec_opts *opts, tn_val *ret_response,
    tn_val *ret_table, tn_err *err)
{
    tn_conn *c = j->worker->conn;
    bool handled = false;
    tn_str text = tn_str_trim(sql);
    *ret_response = response_of(j->arena, NULL, false);
    *ret_table = empty_table(j->arena);
    TN_GRAPH_PAUSED(j->session->project);
    if (text.n == 0 || is_idle_commit(j, text)) {
        return TN_OK;
    }
    if (j->session->closed) {
        tn_rc rc = tn_fail(err, TN_E_SQL, "connection never acquired for thread");
        return tn_hint(err, rc, "with --no-introspect templates cannot ask the database");
    }
    if (first_word_is(text, "install") || first_word_is(text, "load")) {
        TN_TRY(tn_duck_intercept(c, text, &handled, err));
        if (handled) {
            return TN_OK;
        }
    }
    TN_TRY(tn_job_read_sql(j, text, &text, err));
    if (opts->auto_begin) {
        TN_TRY(begin(j, err));
    }
    TN_TRY(tn_job_comment(j, text, &text, err));
    tell_sql(j, text);
    TN_AUTOPTR(tn_result) r = NULL;
    TN_TRY(tn_job_query(j, text, opts, &r, err));
    follow_transaction(j->worker, sql);
    bool rows = r != NULL && tn_result_is_rows(r);
    j->worker->wrote = j->worker->wrote || !rows;
    if (opts->fetch && rows) {
        TN_TRY(tn_table_fetch(r, j->arena, ret_table, err));
    }
    *ret_response = response_of(j->arena, r, rows);
    return TN_OK;
}

tn_rc tn_job_commit(tn_job *j, tn_err *err)
{
    if (!j->worker->in_transaction) {
        return TN_OK;
    }
    j->worker->in_transaction = false;
    return tn_conn_exec(j->worker->conn, TN_STR("COMMIT"), err);
}

void tn_job_rollback(tn_job *j)
{
    if (j->worker->in_transaction) {
        (void)!tn_conn_exec(j->worker->conn, TN_STR("ROLLBACK"), NULL);
        j->worker->in_transaction = false;
    }
}

tn_rc tn_job_end(tn_job *j, tn_rc rc, tn_err *err)
{
    rc = rc == TN_OK ? tn_job_commit(j, err) : rc;
    tn_job_rollback(j);
    return rc;
}

static tn_val data_of(tn_arena *a, tn_val table)
{
    tn_table *t = NULL;
    tn_val data = tn_val_list(a);
    if (tn_val_is_table(table, &t)) {
        for (size_t i = 0; i < t->rows.list->n; i++) {
            tn_list_push(data.list, t->rows.list->v[i]);
        }
    }
    return data;
}

static void store(tn_job *j, tn_val name, tn_val response, tn_val table)
{
    tn_arena *a = j->arena;
    tn_val entry = tn_val_dict(a);
    tn_dict_putz(entry.dict, "response", response);
    tn_dict_putz(entry.dict, "data", data_of(a, table));
    tn_dict_putz(entry.dict, "table", tn_val_is_given(table) ? table : empty_table(a));
    tn_dict_put(j->results, tn_val_str_dup(a, tn_val_as_str(name)), entry);
    if (tn_val_is_str(name) && tn_str_is(tn_val_as_str(name), "main")) {
        j->response = response;
    }
}

static tn_rc fn_store_result(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_job *j = tn_job_of(call);
    tn_val response = tn_call_arg(call, 1, "response");
    if (tn_val_is_str(response)) { /* store_result('agate_table', response='OK', ...) */
        tn_val d = tn_val_dict(j->arena);
        tn_dict_putz(d.dict, "_message", response);
        response = d;
    }
    store(j, tn_call_arg(call, 0, "name"), response, tn_call_arg(call, 2, "agate_table"));
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc fn_store_raw_result(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_job *j = tn_job_of(call);
    static const char *const keys[][2] = { { "message", "_message" }, { "code", "code" },
        { "rows_affected", "rows_affected" } };
    tn_val d = tn_val_dict(j->arena);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_call_arg(call, i + 1, keys[i][0]);
        tn_dict_putz(d.dict, keys[i][1], tn_val_is_undef(v) ? TN_VAL_NONE : v);
    }
    store(j, tn_call_arg(call, 0, "name"), d, tn_call_arg(call, 4, "agate_table"));
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc fn_load_result(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_val *found = tn_dict_find(tn_job_of(call)->results, tn_call_arg(call, 0, "name"));
    *ret = found != NULL ? *found : TN_VAL_NONE;
    return TN_OK;
}

static tn_rc fn_load_agate_table(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    if (j->node == NULL || j->node->kind != TN_NODE_SEED) {
        return tn_fail(err, TN_E_COMPILE, "load_agate_table can only be called for a seed");
    }
    tn_str delimiter = tn_node_config_str(j->node, "delimiter", TN_STR(","));
    tn_val types = tn_node_config(j->node, "column_types");
    if (delimiter.n != 1) {
        return tn_fail(err, TN_E_COMPILE, "\"delimiter\" must be a 1-character string");
    }
    TN_TRY(tn_table_read_csv(j->arena, j->node->file, delimiter.p[0],
        types.tag == TN_DICT ? types.dict : NULL, ret, err));
    tn_table *t = NULL;
    if (j->empty &&
        tn_val_is_table(*ret, &t)) { /* --empty: a table with the columns, without the rows */
        t->rows = tn_val_list(j->arena);
    }
    return TN_OK;
}

/* write(sql): what is run goes to target/run, next to the model's path. */
static tn_rc fn_write(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_job *j = tn_job_of(call);
    tn_val text = tn_call_arg(call, 0, "payload");
    if (tn_val_is_str(text)) {
        j->written = tn_val_as_str(text);
    }
    *ret = tn_val_z("");
    return TN_OK;
}

static tn_rc fn_submit_python(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)ret;
    return tn_fail(err, TN_E_UNSUPPORTED, "Python models do not run here; write the model in SQL");
}

/* ---- relations of other nodes ---- */

/* The name of an input's event time, quoted where its column or its source says so. */
static tn_str event_time_name(tn_arena *a, const tn_node *n, tn_str name)
{
    tn_val quote = n->source != NULL ? tn_val_at(n->source->quoting, "column") : TN_VAL_UNDEF;
    tn_val column = tn_val_at(n->columns, tn_str_z(a, name)), own = tn_val_at(column, "quote");
    quote = own.tag == TN_BOOL ? own : quote;
    return tn_val_truthy(quote) ? tn_str_printf(a, "\"" TN_STR_FMT "\"", TN_STR_ARG(name)) : name;
}

/* What cuts an input to the job's window; none when either has no event time. */
static tn_str event_time_filter(tn_job *j, const tn_node *n)
{
    tn_str name = tn_node_config_str(n, "event_time", TN_STR_NONE);
    bool cuts = j->window.start_us != TN_TIME_NONE && name.n > 0 && j->node != NULL &&
                j->node != n &&
                (j->node->kind == TN_NODE_MODEL || j->node->kind == TN_NODE_SNAPSHOT);
    if (!cuts) {
        return TN_STR_NONE;
    }
    name = event_time_name(j->arena, n, name);
    return tn_str_printf(j->arena,
        TN_STR_FMT " >= '" TN_STR_FMT "' and " TN_STR_FMT " < '" TN_STR_FMT "'", TN_STR_ARG(name),
        TN_STR_ARG(tn_batch_time(j->arena, j->window.start_us, ' ')), TN_STR_ARG(name),
        TN_STR_ARG(tn_batch_time(j->arena, j->window.end_us, ' ')));
}

static tn_relation *quoted_relation(
    tn_job *j, tn_str database, tn_str schema, tn_str name, tn_val quoting)
{
    tn_relation *r = tn_relation_new(j->arena, database, schema, name, NULL);
    static const char *const parts[] = { "database", "schema", "identifier" };
    for (unsigned i = 0; i < 3; i++) {
        if (!tn_val_bool_at(
                quoting, parts[i], tn_val_bool_at(j->session->project->quoting, parts[i], true))) {
            r->quote &= ~(1u << i);
        }
        if (r->part[i].n == 0) {
            r->part[i] = TN_STR_NONE;
        }
    }
    return r;
}

/* Where this run has the node. */
static tn_relation *own_relation(tn_job *j, const tn_node *n)
{
    return quoted_relation(j, n->database, n->schema, n->alias,
        n->source != NULL ? n->source->quoting : j->session->project->quoting);
}

/* Where the state of --defer has the node; NULL: it has it not. */
static tn_relation *state_relation(tn_job *j, const tn_node *n)
{
    const tn_project *p = j->session->project;
    tn_val old = p->deferred != NULL ? tn_previous_node(p->deferred, n->unique_id) : TN_VAL_UNDEF;
    tn_val config = tn_val_at(old, "config");
    if (tn_val_is_undef(old) || (!tn_node_is_refable(n) && n->kind != TN_NODE_FUNCTION) ||
        tn_str_is(tn_val_str_at(config, "materialized", TN_STR_NONE), "ephemeral")) {
        return NULL;
    }
    return quoted_relation(j, tn_val_str_at(old, "database", TN_STR_NONE),
        tn_val_str_at(old, "schema", TN_STR_NONE), tn_val_str_at(old, "alias", TN_STR_NONE),
        p->quoting);
}

tn_str tn_job_state_relation(tn_job *j)
{
    tn_relation *r = j->node != NULL ? state_relation(j, j->node) : NULL;
    return r != NULL ? tn_relation_render(j->arena, r) : TN_STR_NONE;
}

tn_relation *tn_job_built_relation(tn_job *j, const tn_node *n)
{
    tn_val selected = j->pctx.selected_resources;
    bool built = false;
    for (size_t i = 0; tn_val_is_seq(selected) && i < selected.list->n && !built; i++) {
        built = tn_str_eq(tn_val_as_str(selected.list->v[i]), n->unique_id);
    }
    tn_relation *there = built ? NULL : state_relation(j, n);
    return there != NULL ? there : own_relation(j, n);
}

/* --defer: a relation that is not there, or with --favor-state is not of this run, is read where the state has it. NULL: here. */
static tn_relation *deferred_relation(tn_job *j, const tn_node *n)
{
    const tn_session *s = j->session;
    tn_str type, exact;
    if (s->project->deferred == NULL) {
        return NULL;
    }
    bool favored = s->project->favor_state && tn_map_find(&s->selected, n->unique_id) == NULL;
    tn_str database = n->database.n > 0 ? n->database : s->database;
    if (!favored &&
        tn_session_cache_find(j->session, database, n->schema, n->alias, &type, &exact)) {
        return NULL;
    }
    return state_relation(j, n);
}

/* What --empty, --sample and batches leave of an input. */
static tn_relation *as_input(tn_job *j, const tn_node *n, tn_relation *r)
{
    if (j->empty && j->node != NULL && j->node->kind == TN_NODE_MODEL) {
        r->limit = 0;
    }
    r->filter = event_time_filter(j, n);
    return r;
}

static tn_relation *relation_of_node(tn_job *j, const tn_node *n)
{
    return as_input(j, n, own_relation(j, n));
}

/* In a unit test every input is a fixture. */
static tn_rc mocked_relation(tn_job *j, const tn_node *target, tn_val *ret, tn_err *err)
{
    const tn_str *name = tn_map_find(j->mocked, target->unique_id);
    if (name == NULL) {
        return tn_hint(err,
            tn_fail(err, TN_E_COMPILE,
                "the model reads '" TN_STR_FMT "', for which the unit test gives no rows",
                TN_STR_ARG(target->unique_id)),
            "add it to `given`, with `rows: []` for an empty one");
    }
    tn_relation *r = tn_relation_new(j->arena, TN_STR_NONE, TN_STR_NONE, *name, "cte");
    r->quote = 0;
    *ret = tn_relation_val(r);
    return TN_OK;
}

static tn_rc hook_ref(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err)
{
    tn_job *j = c->self;
    if (j->capture != NULL) {
        *j->capture = target;
    } else if (j->mocked != NULL) {
        return mocked_relation(j, target, ret, err);
    }
    if (!tn_node_is_ephemeral(target)) {
        tn_relation *there = deferred_relation(j, target);
        *ret =
            tn_relation_val(as_input(j, target, there != NULL ? there : own_relation(j, target)));
        return TN_OK;
    }
    tn_str name = tn_str_printf(j->arena, "__dbt__cte__" TN_STR_FMT, TN_STR_ARG(target->alias));
    tn_relation *r = tn_relation_new(j->arena, TN_STR_NONE, TN_STR_NONE, name, "cte");
    r->quote = 0;
    r->limit = j->empty ? 0 : -1;
    r->filter = event_time_filter(j, target);
    for (size_t i = 0; i < j->ephemerals.n; i++) {
        if (j->ephemerals.v[i] == target) {
            *ret = tn_relation_val(r);
            return TN_OK;
        }
    }
    tn_vec_push(&j->ephemerals, j->arena, target);
    *ret = tn_relation_val(r);
    return TN_OK;
}

/* A function's relation is its name: --empty and windows cut no calls. */
static tn_rc hook_function(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_job *j = c->self;
    tn_relation *r = deferred_relation(j, target);
    r = r != NULL ? r : own_relation(j, target);
    r->type = TN_STR("function");
    *ret = tn_relation_val(r);
    return TN_OK;
}

static tn_rc hook_source(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err)
{
    tn_job *j = c->self;
    if (j->capture != NULL) {
        *j->capture = target;
    } else if (j->mocked != NULL) {
        return mocked_relation(j, target, ret, err);
    }
    tn_relation *r = relation_of_node(j, target);
    tn_val plugin = tn_source_value(target, "plugin"),
           location = tn_source_value(target, "external_location");
    if (tn_val_is_str(plugin)) {
        if (!tn_str_is(tn_val_as_str(plugin), "delta") &&
            !tn_plugin_is_native(j->session, tn_val_as_str(plugin))) {
            return tn_hint(err,
                tn_fail(err, TN_E_UNSUPPORTED,
                    "source '" TN_STR_FMT "' uses plugin '" TN_STR_FMT
                    "', which is Python code that does not run here",
                    TN_STR_ARG(target->name), TN_STR_ARG(tn_val_as_str(plugin))),
                "give the source an external_location, for example read_parquet('...') or "
                "delta_scan('...')");
        }
    } else if (tn_val_is_str(location)) {
        tn_val formatter = tn_source_value(target, "formatter");
        tn_str text;
        TN_TRY(tn_source_fill(j->arena, target, tn_val_as_str(location),
            tn_val_is_str(formatter) ? tn_val_as_str(formatter) : TN_STR("newstyle"), &text, err));
        bool bare = tn_str_find_char(text, '(', 0) == SIZE_MAX && !tn_str_starts(text, TN_STR("'"));
        r->external = bare ? tn_str_printf(j->arena, "'" TN_STR_FMT "'", TN_STR_ARG(text)) : text;
    }
    *ret = tn_relation_val(r);
    return TN_OK;
}

/* ---- names ---- */

static tn_val this_of(tn_job *j)
{
    if (j->node == NULL || j->node->kind == TN_NODE_OPERATION ||
        j->node->kind == TN_NODE_ANALYSIS) {
        return TN_VAL_NONE;
    }
    tn_relation *r = relation_of_node(j, j->node);
    r->limit = -1;
    r->filter = TN_STR_NONE;
    return tn_relation_val(r);
}

static bool hook_lookup(tn_pctx *c, tn_str name, tn_val *ret)
{
    tn_job *j = c->self;
    static const struct {
        const char *name;
        tn_call_fn fn;
    } functions[] = { { "load_result", fn_load_result }, { "store_result", fn_store_result },
        { "store_raw_result", fn_store_raw_result }, { "load_agate_table", fn_load_agate_table },
        { "write", fn_write }, { "submit_python_job", fn_submit_python } };
    if (j->names != NULL) {
        tn_val *found = tn_dict_finds(j->names, name);
        if (found != NULL) {
            *ret = *found;
            return true;
        }
    }
    if (tn_str_is(name, "thread_id") && j->node != NULL && j->node->kind != TN_NODE_OPERATION) {
        *ret = tn_val_z(j->worker->name); /* packages keep a state for each thread */
        return true;
    }
    if (tn_str_is(name, "this")) {
        *ret = j->this_relation;
        return true;
    }
    if (j->sql.p != NULL && (tn_str_is(name, "sql") || tn_str_is(name, "compiled_code"))) {
        *ret = tn_val_str(j->sql);
        return true;
    }
    if (tn_str_is(name, "defer_relation")) {
        tn_relation *r = j->node != NULL ? state_relation(j, j->node) : NULL;
        *ret = r != NULL ? tn_relation_val(r) : TN_VAL_NONE;
        return true;
    }
    for (size_t i = 0; i < TN_COUNTOF(functions); i++) {
        if (tn_str_is(name, functions[i].name)) {
            *ret = tn_val_fn(j->arena, functions[i].name, functions[i].fn, NULL);
            return true;
        }
    }
    return false;
}

static void hook_log(tn_pctx *c, tn_str msg, bool info)
{
    tn_job *j = c->self;
    tn_val data = tn_val_dict(j->arena);
    tn_dict_putz(data.dict, "msg", tn_val_str(msg));
    put_node_info(j, j->arena, data);
    tn_event(j->session->events, info ? TN_EV_INFO : TN_EV_DEBUG,
        info ? "JinjaLogInfo" : "JinjaLogDebug", info ? "I062" : "I063", data, TN_STR_FMT,
        TN_STR_ARG(msg));
}

static void hook_print(tn_pctx *c, tn_str msg)
{
    tn_job *j = c->self;
    if (tn_project_flag(c->project, "PRINT", true)) {
        tn_event_print(j->session->events, msg);
    }
}

static void hook_warn(tn_pctx *c, tn_str msg)
{
    tn_job *j = c->self;
    tn_val data = tn_val_dict(j->arena);
    tn_dict_putz(data.dict, "msg", tn_val_str(msg));
    tn_event(j->session->events, TN_EV_WARN, "JinjaLogWarning", "I061", data,
        "[WARNING]: " TN_STR_FMT, TN_STR_ARG(msg));
}

static const tn_pctx_hooks hooks = { .lookup = hook_lookup,
    .ref = hook_ref,
    .source = hook_source,
    .function = hook_function,
    .log = hook_log,
    .print = hook_print,
    .warn = hook_warn };

tn_rc tn_job_init(tn_job *j, tn_session *s, tn_worker *w, tn_node *node, tn_val selected_resources,
    tn_arena *a, tn_err *err)
{
    tn_val results = tn_val_dict(a), names = tn_val_dict(a);
    *j = (tn_job){ .session = s,
        .worker = w,
        .arena = a,
        .node = node,
        .results = results.dict,
        .names = names.dict,
        .window = { TN_TIME_NONE, TN_TIME_NONE },
        .batch = TN_VAL_UNDEF,
        .response = TN_VAL_NONE };
    TN_TRY(tn_pctx_init(&j->pctx, s->project, node, true, &hooks, j, a, err));
    j->pctx.selected_resources = selected_resources;
    j->this_relation = this_of(j);
    tn_dict_putz(names.dict, "adapter", tn_adapter_new(j));
    tn_dict_putz(names.dict, "api", tn_api_new(a));
    return TN_OK;
}

void tn_job_set_batch(tn_job *j, const tn_batch *batch, tn_batch_size size)
{
    tn_arena *a = j->arena;
    tn_str id = tn_batch_label(a, batch->start_us, size);
    j->batch = tn_val_dict(a);
    tn_dict_putz(j->batch.dict, "id", tn_val_str(tn_str_replace(a, id, TN_STR("-"), TN_STR(""))));
    tn_dict_putz(j->batch.dict, "event_time_start", tn_batch_datetime(batch->start_us));
    tn_dict_putz(j->batch.dict, "event_time_end", tn_batch_datetime(batch->end_us));
    j->window = *batch;
    j->pctx.model = tn_node_dict(a, j->node);
    tn_dict_putz(j->pctx.model.dict, "batch", j->batch);
}

/* ---- delta_scan('place') ---- */

static bool is_name_char(char c)
{
    return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* The end of a quoted run that starts at `at`. */
static size_t quote_end(tn_str s, size_t at)
{
    size_t end = tn_str_find_char(s, s.p[at], at + 1);
    return end == SIZE_MAX ? s.n : end + 1;
}

/* Stands on "delta_scan": the literal and the place behind ')'. */
static bool read_literal_call(tn_str s, size_t at, tn_str *ret_literal, size_t *ret_end)
{
    size_t i = at + sizeof "delta_scan" - 1;
    while (i < s.n && s.p[i] == ' ') {
        i++;
    }
    if (i >= s.n || s.p[i] != '(') {
        return false;
    }
    for (i++; i < s.n && (s.p[i] == ' ' || s.p[i] == '\n'); i++) {
    }
    if (i >= s.n || s.p[i] != '\'') {
        return false;
    }
    size_t end = quote_end(s, i);
    *ret_literal = tn_str_sub(s, i + 1, end - 1);
    for (; end < s.n && (s.p[end] == ' ' || s.p[end] == '\n'); end++) {
    }
    *ret_end = end + 1;
    return end < s.n && s.p[end] == ')';
}

static size_t skip_comment(tn_str s, size_t i)
{
    size_t end = s.p[i] == '-' ? tn_str_find_char(s, '\n', i) : tn_str_find(s, TN_STR("*/"), i);
    return end == SIZE_MAX ? s.n : end + (s.p[i] == '-' ? 1 : 2);
}

static bool is_comment(tn_str s, size_t i)
{
    return i + 1 < s.n &&
           ((s.p[i] == '-' && s.p[i + 1] == '-') || (s.p[i] == '/' && s.p[i + 1] == '*'));
}

tn_rc tn_job_serve_delta(tn_job *j, tn_str sql, tn_str *ret, tn_err *err)
{
    static const tn_str name = { "delta_scan", sizeof "delta_scan" - 1 };
    if (strcasestr(tn_str_z(j->arena, sql), "delta_scan") == NULL) {
        *ret = sql;
        return TN_OK;
    }
    tn_buf b = tn_buf_init(j->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < sql.n;) {
        size_t end = i + 1;
        tn_str literal, scan;
        if (sql.p[i] == '\'' || sql.p[i] == '"') {
            end = quote_end(sql, i);
        } else if (is_comment(sql, i)) {
            end = skip_comment(sql, i);
        } else if ((i == 0 || !is_name_char(sql.p[i - 1])) && i + name.n < sql.n &&
                   tn_str_eq_nocase(tn_str_sub(sql, i, i + name.n), name) &&
                   read_literal_call(sql, i, &literal, &end)) {
            tn_rc rc = tn_place_scan(j->session, j->worker->conn, j->arena,
                tn_str_replace(j->arena, literal, TN_STR("''"), TN_STR("'")), TN_DELTA_LATEST,
                &scan, err);
            if (rc == TN_OK) {
                tn_buf_addf(&b, "(" TN_STR_FMT ")", TN_STR_ARG(scan));
                i = end;
                continue;
            }
            if (rc != TN_E_UNSUPPORTED || !tn_uri_is_remote(literal)) {
                return tn_while(err, rc, "delta_scan('" TN_STR_FMT "')", TN_STR_ARG(literal));
            }
            TN_TRY(tn_duck_load(j->worker->conn, TN_STR("delta"), err));
        }
        tn_buf_add(&b, tn_str_sub(sql, i, end));
        i = end;
    }
    return tn_buf_finish(&b, "a statement", ret, err);
}
