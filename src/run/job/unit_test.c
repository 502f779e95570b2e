/* unit_test.c: a unit test's SQL: its model's template with a fixture for every input, as common table expressions in front of it.
 *
 * given: [{input: ref('x') | source('s', 't') | this, rows | fixture, format: dict | csv | sql}]; expect likewise; overrides: {macros, vars,
 * env_vars}. The `unit` materialization then puts the model's rows and the expected ones into one query.
 */
#include "run/job/job.h"

typedef struct unit_job {
    tn_session *session;
    tn_worker *worker;
    tn_arena *arena;
    tn_node *test;
    tn_node *model;
    tn_val selected_resources;
    tn_map mocked; /* unique_id -> tn_str name */
    tn_val ctes;
} unit_job;

/* What an entry of given or expect holds: SQL, or a list of dicts. */
static void rows_of(tn_arena *a, tn_val entry, tn_str *ret_sql, tn_val *ret_rows)
{
    tn_val rows = tn_val_at(entry, "rows");
    bool sql = tn_str_is(tn_val_str_at(entry, "format", TN_STR("dict")), "sql");
    *ret_sql = sql ? tn_val_as_str(rows) : TN_STR_NONE;
    *ret_rows = tn_val_is_seq(rows) ? rows : tn_val_list(a);
}

static tn_rc find_input(unit_job *u, tn_str input, tn_node **ret, tn_err *err)
{
    if (tn_str_is(tn_str_trim(input), "this")) {
        *ret = u->model;
        return TN_OK;
    }
    tn_project *p = u->session->project;
    tn_unit_input in;
    tn_err no = TN_ERR_INIT;
    if (tn_unit_input_read(p, u->arena, input, &in, &no) == TN_OK) {
        *ret = tn_unit_input_find(p, u->test, &in);
        return *ret != NULL ? TN_OK
                            : tn_fail(err, TN_E_PARSE,
                                  "Unit test '" TN_STR_FMT "' had an input (" TN_STR_FMT
                                  ") which was not found in the manifest.",
                                  TN_STR_ARG(u->test->name), TN_STR_ARG(input));
    }
    if (!tn_project_flag(p, "SUPPORT_CUSTOM_REF_KWARGS", false)) {
        return tn_err_pass(err, no.rc, &no);
    }
    tn_job j; /* a ref() of the project's own, with arguments of its own */
    tn_str ignored;
    tn_jinja_src src = { .file = tn_str_z(u->arena, u->test->original_file_path) };
    *ret = NULL;
    TN_TRY(tn_job_init(&j, u->session, u->worker, u->model, u->selected_resources, u->arena, err));
    j.capture = ret;
    TN_TRY(tn_pctx_render(&j.pctx,
        tn_str_printf(u->arena, "{{ " TN_STR_FMT " }}", TN_STR_ARG(input)), src, &ignored, err));
    return *ret != NULL ? TN_OK
                        : tn_fail(err, TN_E_COMPILE,
                              "the input '" TN_STR_FMT "' of the unit test is no ref() or source()",
                              TN_STR_ARG(input));
}

static tn_str cte_name(tn_arena *a, const tn_node *n)
{
    if (n->kind == TN_NODE_SOURCE && n->source != NULL) {
        return tn_str_printf(a, "__dbt__cte__" TN_STR_FMT "__" TN_STR_FMT,
            TN_STR_ARG(n->source->source_name), TN_STR_ARG(n->name));
    }
    return tn_str_printf(a, "__dbt__cte__" TN_STR_FMT, TN_STR_ARG(n->name));
}

static tn_rc add_given(unit_job *u, tn_val given, tn_err *err)
{
    tn_node *target;
    tn_str sql;
    tn_val rows, made;
    TN_TRY(find_input(u, tn_val_str_at(given, "input", TN_STR_NONE), &target, err));
    rows_of(u->arena, given, &sql, &rows);
    if (sql.n == 0) {
        tn_job j;
        TN_TRY(
            tn_job_init(&j, u->session, u->worker, target, u->selected_resources, u->arena, err));
        tn_val args[2] = { rows, TN_VAL_NONE };
        TN_TRY(tn_pctx_call(&j.pctx, TN_STR("get_fixture_sql"), args, 2, NULL, 0, &made, err));
        sql = tn_val_to_str(u->arena, made);
    }
    tn_str *name = tn_new(u->arena, tn_str);
    *name = cte_name(u->arena, target);
    tn_map_put(&u->mocked, target->unique_id, name);
    tn_val entry = tn_val_dict(u->arena);
    tn_dict_putz(entry.dict, "id", tn_val_str(target->unique_id));
    tn_dict_putz(entry.dict, "sql",
        tn_val_str(tn_str_printf(u->arena, " " TN_STR_FMT " as (\n" TN_STR_FMT "\n)",
            TN_STR_ARG(*name), TN_STR_ARG(sql))));
    tn_list_push(u->ctes.list, entry);
    return TN_OK;
}

/* ---- overrides ---- */

typedef struct fixed_answer {
    tn_val value;
} fixed_answer;

static tn_rc give_fixed(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)call, (void)err;
    *ret = ((const fixed_answer *)self)->value;
    return TN_OK;
}

typedef struct patched {
    tn_val values; /* dict: what the test says */
    tn_val rest;   /* the real var or env_var */
} patched;

static tn_rc give_patched(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    const patched *p = self;
    tn_val *found = call->argc > 0 && tn_val_is_str(call->args[0])
                        ? tn_dict_find(p->values.dict, call->args[0])
                        : NULL;
    if (found != NULL) {
        *ret = *found;
        return TN_OK;
    }
    return p->rest.obj->type->call(p->rest.obj, call, ret, err);
}

static void patch(unit_job *u, tn_job *j, const char *name, tn_val values)
{
    tn_val rest = tn_pctx_get(&j->pctx, tn_str_of(name));
    if (values.tag == TN_DICT && rest.tag == TN_OBJ && rest.obj->type->call != NULL) {
        patched *p = tn_new(u->arena, patched);
        *p = (patched){ values, rest };
        tn_dict_putz(j->pctx.overrides, name, tn_val_fn(u->arena, name, give_patched, p));
    }
}

/* dbt's own macros have two names, with and without "dbt."; what says the bare name wins. A name of the context that is no macro is the value itself. */
static void override_macro(unit_job *u, tn_job *j, tn_str name, tn_val value)
{
    fixed_answer *f = tn_new(u->arena, fixed_answer);
    f->value = value;
    tn_dict *names = j->pctx.overrides;
    tn_str package, bare = name;
    bool in_package = tn_str_cut(name, '.', &package, &bare);
    bool macro =
        in_package || tn_project_find_macro(j->pctx.project, j->pctx.package, name) != NULL;
    tn_val answer = macro ? tn_val_fn(u->arena, "override", give_fixed, f) : value;
    tn_dict_puts(names, name, answer);
    if (in_package && tn_str_is(package, "dbt") && tn_dict_finds(names, bare) == NULL) {
        tn_dict_puts(names, bare, answer);
    } else if (!in_package) {
        tn_dict_puts(names, tn_str_printf(u->arena, "dbt." TN_STR_FMT, TN_STR_ARG(name)), answer);
    }
}

static void apply_overrides(unit_job *u, tn_job *j, tn_val overrides)
{
    tn_val names = tn_val_dict(u->arena), macros = tn_val_at(overrides, "macros");
    size_t at = 0;
    const tn_dict_item *it;
    fixed_answer *no = tn_new(u->arena, fixed_answer);
    no->value = TN_VAL_FALSE;
    j->pctx.overrides = names.dict;
    tn_dict_putz(
        names.dict, "is_incremental", tn_val_fn(u->arena, "is_incremental", give_fixed, no));
    while (macros.tag == TN_DICT && (it = tn_dict_next(macros.dict, &at)) != NULL) {
        override_macro(u, j, tn_val_as_str(it->key), it->value);
    }
    patch(u, j, "var", tn_val_at(overrides, "vars"));
    patch(u, j, "env_var", tn_val_at(overrides, "env_vars"));
}

/* ---- the whole ---- */

static tn_rc render_model(unit_job *u, tn_str *ret, tn_err *err)
{
    tn_job j;
    TN_TRY(tn_job_init(&j, u->session, u->worker, u->model, u->selected_resources, u->arena, err));
    j.mocked = &u->mocked;
    apply_overrides(u, &j, tn_val_at(u->test->extra, "overrides"));
    const tn_str *own = tn_map_find(&u->mocked, u->model->unique_id);
    if (own != NULL) { /* input: this */
        tn_relation *r = tn_relation_new(u->arena, TN_STR_NONE, TN_STR_NONE, *own, "cte");
        r->quote = 0;
        j.this_relation = tn_relation_val(r);
    }
    tn_jinja_src src = { .file = tn_str_z(u->arena, u->model->file), .line = u->model->raw_line };
    tn_str sql;
    TN_TRY(tn_pctx_render(&j.pctx, u->model->raw_code, src, &sql, err));
    return tn_inject_ctes(u->arena, sql, u->ctes, ret, err);
}

static tn_node *make_node(unit_job *u)
{
    tn_str sql;
    tn_val rows;
    rows_of(u->arena, tn_val_at(u->test->extra, "expect"), &sql, &rows);
    tn_val config = tn_val_dup(u->arena, (tn_val){ .tag = TN_DICT, .dict = u->test->config });
    tn_dict_putz(config.dict, "materialized", tn_val_z("unit"));
    tn_dict_putz(config.dict, "expected_rows", rows);
    tn_dict_putz(config.dict, "expected_sql", sql.n > 0 ? tn_val_str(sql) : TN_VAL_NONE);
    tn_node *n = tn_new(u->arena, tn_node);
    *n = *u->test;
    n->config = config.dict;
    n->database = u->model->database;
    n->schema = u->model->schema;
    n->alias = n->name;
    return n;
}

tn_rc tn_job_compile_unit_test(tn_session *s, tn_worker *w, tn_node *test,
    tn_val selected_resources, tn_arena *a, tn_node **ret_node, tn_str *ret_sql, tn_err *err)
{
    unit_job u = { .session = s,
        .worker = w,
        .arena = a,
        .test = test,
        .selected_resources = selected_resources,
        .mocked = tn_map_init(a),
        .ctes = tn_val_list(a) };
    if (test->parents.n == 0) {
        return tn_fail(err, TN_E_COMPILE, "the unit test '" TN_STR_FMT "' has no model",
            TN_STR_ARG(test->name));
    }
    u.model = test->parents.v[0];
    tn_val given = tn_val_at(test->extra, "given");
    for (size_t i = 0; tn_val_is_seq(given) && i < given.list->n; i++) {
        TN_TRY(add_given(&u, given.list->v[i], err));
    }
    TN_TRY(render_model(&u, ret_sql, err));
    *ret_node = make_node(&u);
    return TN_OK;
}
