/* job.c: a job and the names that its templates see besides those of the project. */
#include "run/events.h"
#include "run/job/job_impl.h"

tn_job *tn_job_of(const tn_call *call)
{
    return tn_pctx_of(call)->self;
}

static tn_val this_of(tn_job *j)
{
    if (j->node == NULL || j->node->kind == TN_NODE_OPERATION ||
        j->node->kind == TN_NODE_ANALYSIS) {
        return TN_VAL_NONE;
    }
    tn_relation *r = tn_job_relation_of(j, j->node);
    r->limit = -1;
    r->filter = TN_STR_NONE;
    return tn_relation_val(r);
}

static bool hook_lookup(tn_pctx *c, tn_str name, tn_val *ret)
{
    tn_job *j = c->self;
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
        tn_relation *r = j->node != NULL ? tn_job_state_of(j, j->node) : NULL;
        *ret = r != NULL ? tn_relation_val(r) : TN_VAL_NONE;
        return true;
    }
    return tn_job_result_function(j->arena, name, ret);
}

static void hook_log(tn_pctx *c, tn_str msg, bool info)
{
    tn_job *j = c->self;
    tn_val data = tn_val_dict(j->arena);
    tn_dict_putz(data.dict, "msg", tn_val_str(msg));
    tn_job_put_node_info(j, j->arena, data);
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

static void hook_warn(tn_pctx *c, const char *event, const char *code, tn_str msg)
{
    tn_job *j = c->self;
    tn_val data = tn_val_dict(j->arena);
    tn_dict_putz(data.dict, "msg", tn_val_str(msg));
    tn_event(j->session->events, TN_EV_WARN, event, code, data, "[WARNING]: " TN_STR_FMT,
        TN_STR_ARG(msg));
}

static const tn_pctx_hooks hooks = { .lookup = hook_lookup,
    .ref = tn_job_hook_ref,
    .source = tn_job_hook_source,
    .function = tn_job_hook_function,
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
    j->pctx.called = &j->called;
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
