/* job_relation.c: relations of other nodes: what ref, source and function give at run time, deferral, cuts by event time. */
#include "run/job/job_impl.h"

#include "project/previous.h"
#include "run/session/plugin.h"
#include "run/value/source_text.h"

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
        n->source != NULL ? tn_source_quoting(j->arena, n) : j->session->project->quoting);
}

/* Where the state of --defer has the node; NULL: it has it not. */
tn_relation *tn_job_state_of(tn_job *j, const tn_node *n)
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
    tn_relation *r = j->node != NULL ? tn_job_state_of(j, j->node) : NULL;
    return r != NULL ? tn_relation_render(j->arena, r) : TN_STR_NONE;
}

tn_relation *tn_job_built_relation(tn_job *j, const tn_node *n)
{
    tn_val selected = j->pctx.selected_resources;
    bool built = false;
    for (size_t i = 0; tn_val_is_seq(selected) && i < selected.list->n && !built; i++) {
        built = tn_str_eq(tn_val_as_str(selected.list->v[i]), n->unique_id);
    }
    tn_relation *there = built ? NULL : tn_job_state_of(j, n);
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
    return tn_job_state_of(j, n);
}

/* What --empty, --sample and batches leave of an input. */
static tn_relation *as_input(tn_job *j, const tn_node *n, tn_relation *r)
{
    if (j->empty && j->node != NULL && j->node->kind != TN_NODE_UNIT_TEST) {
        r->limit = 0;
    }
    r->filter = event_time_filter(j, n);
    return r;
}

tn_relation *tn_job_relation_of(tn_job *j, const tn_node *n)
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

tn_rc tn_job_hook_ref(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err)
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
tn_rc tn_job_hook_function(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_job *j = c->self;
    tn_relation *r = deferred_relation(j, target);
    r = r != NULL ? r : own_relation(j, target);
    r->type = TN_STR("function");
    *ret = tn_relation_val(r);
    return TN_OK;
}

tn_rc tn_job_hook_source(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err)
{
    tn_job *j = c->self;
    if (j->capture != NULL) {
        *j->capture = target;
    } else if (j->mocked != NULL) {
        return mocked_relation(j, target, ret, err);
    }
    tn_relation *r = tn_job_relation_of(j, target);
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
