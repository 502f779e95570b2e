/* job_result.c: what templates keep of statements: store_result, load_result, the rows of seeds, write. */
#include "run/job/job_impl.h"

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
    tn_dict_putz(entry.dict, "table", tn_val_is_given(table) ? table : tn_job_empty_table(a));
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

/* But for "main", which the materialization stores, a result is given once. */
static tn_rc fn_load_result(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val name = tn_call_arg(call, 0, "name");
    tn_val *found = tn_dict_find(tn_job_of(call)->results, name);
    if (found != NULL && tn_val_is_undef(*found)) {
        return tn_fail(err, TN_E_COMPILE,
            "The 'statement' result named '" TN_STR_FMT "' has already been loaded into a variable",
            TN_STR_ARG(tn_val_to_str(call->arena, name)));
    }
    *ret = found != NULL ? *found : TN_VAL_NONE;
    if (found != NULL && !(tn_val_is_str(name) && tn_str_is(tn_val_as_str(name), "main"))) {
        *found = TN_VAL_UNDEF;
    }
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

bool tn_job_result_function(tn_arena *a, tn_str name, tn_val *ret)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } functions[] = { { "load_result", fn_load_result }, { "store_result", fn_store_result },
        { "store_raw_result", fn_store_raw_result }, { "load_agate_table", fn_load_agate_table },
        { "write", fn_write }, { "submit_python_job", fn_submit_python } };
    for (size_t i = 0; i < TN_COUNTOF(functions); i++) {
        if (tn_str_is(name, functions[i].name)) {
            *ret = tn_val_fn(a, functions[i].name, functions[i].fn, NULL);
            return true;
        }
    }
    return false;
}
