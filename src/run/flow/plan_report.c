/* plan_report.c: --plan: what a run would do with each node and why, in which order, and how long it may take. Nothing is run, and nothing is
 * written: no artifacts, no database (one that is not there yet is not made).
 *
 * "Changed" is meant against --state when that is given, else against the last build here (build_log.h). Times are those of each node's
 * last run; order and end come from playing the schedule through with the profile's number of threads.
 */
#include "os/file.h"
#include "project/previous.h"
#include "run/report/build_log.h"
#include "text/json.h"

enum { NAMES_SHOWN_MAX = 3, NAME_WIDTH_MAX = 50 };

typedef struct reason {
    const char *code; /* "body", "upstream_changed", ... */
    tn_str text;      /* for people */
} reason;

typedef struct plan_item {
    const tn_node *node;
    const char *action;
    tn_strs selected_by;
    tn_vec(reason) why;
    tn_strs upstream; /* changed parents */
    bool changed, exists;
    double seconds, starts; /* -1: not known */
    tn_val last;            /* entry of builds.json, or undefined */
} plan_item;

typedef struct plan {
    tn_runner *run;
    tn_arena *arena;
    plan_item *items;
    tn_val builds;
    bool full_refresh, knows_relations;
    tn_str unknown_why;
    uint8_t *changed; /* by node->index: 0 not asked, 1 no, 2 yes */
    double seconds;   /* of the whole */
    size_t timeless;  /* items that never ran */
    double mean;      /* of those that did */
} plan;

static void add_why(plan *pl, plan_item *it, const char *code, tn_str text)
{
    tn_vec_push(&it->why, pl->arena, ((reason){ code, text }));
}

/* ---- changes ---- */

static tn_rc changed_in_state(plan *pl, const tn_node *n, plan_item *it, tn_err *err)
{
    static const char *const aspects[] = { "modified.body", "modified.configs", "modified.relation",
        "modified.contract", "modified.macros", "modified.persisted_descriptions" };
    tn_project *p = pl->run->project;
    bool yes = false, any = false;
    TN_TRY(tn_previous_match(p, n, TN_STR("state"), TN_STR("new"), &yes, err));
    if (yes) {
        pl->changed[n->index] = 2;
        if (it != NULL) {
            add_why(pl, it, "new", TN_STR("new, not in --state"));
        }
        return TN_OK;
    }
    TN_TRY(tn_previous_match(p, n, TN_STR("state"), TN_STR("modified"), &yes, err));
    pl->changed[n->index] = yes ? 2 : 1;
    for (size_t i = 0; yes && it != NULL && i < TN_COUNTOF(aspects); i++) {
        bool in_this = false;
        TN_TRY(tn_previous_match(p, n, TN_STR("state"), tn_str_of(aspects[i]), &in_this, err));
        if (in_this) {
            any = true;
            add_why(pl, it, strchr(aspects[i], '.') + 1,
                tn_str_printf(pl->arena, "%s changed since --state", strchr(aspects[i], '.') + 1));
        }
    }
    if (yes && it != NULL && !any) {
        add_why(pl, it, "modified", TN_STR("changed since --state"));
    }
    return TN_OK;
}

static tn_rc changed_here(plan *pl, const tn_node *n, plan_item *it, tn_err *err)
{
    tn_project *p = pl->run->project;
    const tn_val *entry = tn_dict_finds(pl->builds.dict, n->unique_id);
    pl->changed[n->index] = 1;
    if (entry == NULL || tn_val_str_at(*entry, "body", TN_STR_NONE).n == 0) {
        pl->changed[n->index] = 2;
        if (it != NULL) {
            add_why(pl, it, "never_built", TN_STR("never built here"));
        }
        return TN_OK;
    }
    tn_print now;
    TN_TRY(tn_print_of(p, pl->arena, n, &now, err));
    const struct {
        const char *key, *text;
        tn_str value;
    } parts[] = { { "body", n->kind == TN_NODE_SEED ? "file changed" : "code changed", now.body },
        { "config", "config changed", now.config }, { "macros", "a macro changed", now.macros },
        { "inputs", "a variable changed", now.inputs },
        { "relation", "another relation", n->relation_name } };
    bool other_code = !tn_str_eq(tn_val_str_at(*entry, "body", TN_STR_NONE), now.body);
    for (size_t i = 0; i < TN_COUNTOF(parts); i++) {
        bool of_code =
            tn_str_is(tn_str_of(parts[i].key), "macros") ||
            tn_str_is(tn_str_of(parts[i].key), "inputs"); /* other code asks for others */
        if (!(of_code && other_code) &&
            !tn_str_eq(tn_val_str_at(*entry, parts[i].key, TN_STR_NONE), parts[i].value)) {
            pl->changed[n->index] = 2;
            if (it != NULL) {
                add_why(pl, it, parts[i].key, tn_str_of(parts[i].text));
            }
        }
    }
    return TN_OK;
}

static bool is_built(const tn_node *n)
{
    return tn_node_is_refable(n) || n->kind == TN_NODE_TEST || n->kind == TN_NODE_UNIT_TEST;
}

/* Ephemeral models leave no record of a build: their text is looked at through --state only. */
static tn_rc find_changed(plan *pl, const tn_node *n, plan_item *it, tn_err *err)
{
    if (pl->run->project->previous != NULL) {
        return changed_in_state(pl, n, it, err);
    }
    if (!is_built(n) || tn_node_is_ephemeral(n)) {
        pl->changed[n->index] = 1;
        return TN_OK;
    }
    return changed_here(pl, n, it, err);
}

static tn_str built_at(const plan *pl, const tn_node *n)
{
    const tn_val *entry = tn_dict_finds(pl->builds.dict, n->unique_id);
    return entry != NULL ? tn_val_str_at(*entry, "finished_at", TN_STR_NONE) : TN_STR_NONE;
}

/* Through ephemeral models to what is built. */
static tn_rc look_up(plan *pl, const tn_node *n, const tn_node *of, plan_item *it, tn_err *err)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        const tn_node *parent = n->parents.v[i];
        if (parent->index == UINT32_MAX) {
            continue;
        }
        if (pl->changed[parent->index] == 0) {
            TN_TRY(find_changed(pl, parent, NULL, err));
        }
        tn_str mine = built_at(pl, of), theirs = built_at(pl, parent);
        bool newer = mine.n > 0 && theirs.n > 0 && tn_str_cmp(theirs, mine) > 0;
        if (pl->changed[parent->index] == 2 || newer) {
            tn_strs_add_new(&it->upstream, pl->arena, parent->unique_id);
        }
        if (tn_node_is_ephemeral(parent)) {
            TN_TRY(look_up(pl, parent, of, it, err));
        }
    }
    return TN_OK;
}

static void say_upstream(plan *pl, plan_item *it)
{
    tn_buf b = tn_buf_init(pl->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < it->upstream.n && i < NAMES_SHOWN_MAX; i++) {
        const tn_node *n = tn_project_find(pl->run->project, it->upstream.v[i]);
        tn_buf_addf(&b, "%s" TN_STR_FMT, i > 0 ? ", " : "",
            TN_STR_ARG(n != NULL ? n->name : it->upstream.v[i]));
    }
    if (it->upstream.n > NAMES_SHOWN_MAX) {
        tn_buf_addf(&b, " and %zu more", it->upstream.n - NAMES_SHOWN_MAX);
    }
    add_why(pl, it, "upstream_changed",
        tn_str_printf(pl->arena, "upstream changed (" TN_STR_FMT ")", TN_STR_ARG(tn_buf_str(&b))));
}

/* A child of something changed changes, too: its own children hear of it. */
static tn_rc reasons(plan *pl, plan_item *it, tn_err *err)
{
    const tn_node *n = it->node;
    tn_str status = tn_val_str_at(it->last, "status", TN_STR_NONE);
    TN_TRY(find_changed(pl, n, it, err));
    TN_TRY(look_up(pl, n, n, it, err));
    if (it->upstream.n > 0) {
        say_upstream(pl, it);
        pl->changed[n->index] = 2;
    }
    bool relation = tn_node_is_refable(n) && !tn_node_is_ephemeral(n);
    if (relation && pl->knows_relations && !it->exists) {
        add_why(pl, it, "missing_relation", TN_STR("relation is missing"));
    }
    if (pl->full_refresh &&
        (n->kind == TN_NODE_SEED ||
            tn_str_is(tn_node_config_str(n, "materialized", TN_STR_NONE), "incremental"))) {
        add_why(pl, it, "full_refresh", TN_STR("full refresh"));
    }
    if (tn_str_is(status, "error") || tn_str_is(status, "fail") || tn_str_is(status, "skipped") ||
        tn_str_is(status, "partial success")) {
        add_why(pl, it, "last_failed",
            tn_str_printf(pl->arena, "last time: " TN_STR_FMT, TN_STR_ARG(status)));
    }
    if (it->why.n == 0) {
        add_why(pl, it, "unchanged", TN_STR("unchanged"));
    }
    return TN_OK;
}

/* ---- what is done ---- */

static const char *action_of(const plan *pl, const plan_item *it)
{
    const tn_node *n = it->node;
    tn_str m = tn_node_config_str(n, "materialized", TN_STR("view"));
    bool there = it->exists || !pl->knows_relations;
    switch (n->kind) {
    case TN_NODE_SEED:
        return there && !pl->full_refresh ? "load rows" : "create and load";
    case TN_NODE_SNAPSHOT:
        return there ? "update history" : "begin history";
    case TN_NODE_TEST:
    case TN_NODE_UNIT_TEST:
        return "test";
    case TN_NODE_MODEL:
        break;
    default:
        return "nothing (no-op)";
    }
    if (tn_str_is(m, "view")) {
        return there ? "replace view" : "create view";
    }
    if (tn_str_is(m, "incremental")) {
        return !there ? "create table" : pl->full_refresh ? "replace table" : "add to table";
    }
    if (tn_str_is(m, "table")) {
        return there ? "replace table" : "create table";
    }
    return tn_str_is(m, "external") ? "write files" : "build";
}

/* The database is looked at when it is there. */
static void look_at_relations(plan *pl)
{
    tn_runner *run = pl->run;
    tn_project *p = run->project;
    tn_err err = TN_ERR_INIT;
    tn_str path = p->profile.path;
    bool in_memory = path.n == 0 || tn_str_is(path, ":memory:"),
         duckdb = !tn_str_is(p->profile.type, "tarn");
    pl->knows_relations = true;
    if (duckdb && (in_memory || !tn_file_exists(path))) {
        return;
    }
    tn_session *s = NULL;
    if (tn_session_open(p, run->arena, run->events, run->opts->memory_limit, &s, &err) != TN_OK) {
        pl->knows_relations = false;
        pl->unknown_why = tn_str_dup(pl->arena, tn_str_of(err.msg));
        return;
    }
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node *n = run->plan.v[i];
        tn_str type, exact;
        pl->items[i].exists =
            tn_node_is_refable(n) &&
            tn_session_cache_find(s, n->database.n > 0 ? n->database : s->database, n->schema,
                n->alias, &type, &exact);
    }
}

/* ---- which part of the selection ---- */

static tn_rc mark_spec(plan *pl, tn_str spec, tn_err *err)
{
    tn_runner *run = pl->run;
    tn_select one = run->opts->select;
    tn_nodes nodes = { 0 };
    one.select = (tn_strs){ 0 };
    one.exclude = (tn_strs){ 0 };
    one.selector = TN_STR_NONE;
    tn_vec_push(&one.select, pl->arena, spec);
    TN_TRY(tn_select_run(run->project, pl->arena, &one, &nodes, NULL, NULL, err));
    for (size_t i = 0; i < nodes.n; i++) {
        uint32_t at = nodes.v[i]->index == UINT32_MAX ? UINT32_MAX : run->place[nodes.v[i]->index];
        if (at != UINT32_MAX) {
            tn_strs_add_new(&pl->items[at].selected_by, pl->arena, spec);
        }
    }
    return TN_OK;
}

static tn_rc mark_selection(plan *pl, tn_err *err)
{
    const tn_select *sel = &pl->run->opts->select;
    for (size_t i = 0; i < sel->select.n; i++) {
        tn_str rest = sel->select.v[i], spec;
        while (rest.n > 0) {
            (void)tn_str_cut(rest, ' ', &spec, &rest);
            if (spec.n > 0) {
                TN_TRY(mark_spec(pl, spec, err));
            }
        }
    }
    for (size_t i = 0; sel->selector.n > 0 && i < pl->run->plan.n; i++) {
        tn_vec_push(&pl->items[i].selected_by, pl->arena,
            tn_str_printf(pl->arena, "selector:" TN_STR_FMT, TN_STR_ARG(sel->selector)));
    }
    return TN_OK;
}

/* ---- time ---- */

static void take_times(plan *pl)
{
    double sum = 0;
    size_t n = pl->run->plan.n;
    for (size_t i = 0; i < n; i++) {
        plan_item *it = &pl->items[i];
        it->seconds = tn_builds_seconds(pl->builds, it->node);
        pl->timeless += it->seconds < 0;
        sum += it->seconds < 0 ? 0 : it->seconds;
    }
    pl->mean = n > pl->timeless ? sum / (double)(n - pl->timeless) : -1;
}

typedef struct slot {
    double free_at;
    uint32_t place; /* UINT32_MAX: idle */
} slot;

static slot *first_done(slot *slots, size_t n)
{
    slot *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (slots[i].place != UINT32_MAX && (best == NULL || slots[i].free_at < best->free_at)) {
            best = &slots[i];
        }
    }
    return best;
}

/* Plays the schedule: what is ready starts on an idle thread; what never ran is taken for the mean of the others. */
static void play(plan *pl)
{
    tn_runner *run = pl->run;
    tn_order order = tn_order_begin(run);
    size_t threads = run->project->profile.threads < 1 ? 1 : (size_t)run->project->profile.threads;
    slot *slots = tn_new_array(pl->arena, slot, threads);
    double now = 0;
    for (size_t i = 0; i < threads; i++) {
        slots[i].place = UINT32_MAX;
    }
    while (true) {
        for (size_t i = 0; i < threads && order.head < order.ready.n; i++) {
            if (slots[i].place == UINT32_MAX) {
                plan_item *it = &pl->items[slots[i].place = order.ready.v[order.head++]];
                it->starts = now;
                slots[i].free_at = now + (it->seconds >= 0 ? it->seconds : pl->mean);
            }
        }
        slot *done = first_done(slots, threads);
        if (done == NULL) {
            break;
        }
        now = done->free_at;
        tn_order_done(&order, done->place);
        done->place = UINT32_MAX;
    }
    pl->seconds = now;
}

/* ---- printing ---- */

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static tn_str title(tn_arena *a, const tn_node *n)
{
    tn_str place = n->schema.n > 0 && tn_node_is_refable(n)
                       ? tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(n->schema),
                             TN_STR_ARG(n->alias))
                       : n->name;
    return tn_str_printf(a, "%s " TN_STR_FMT, tn_node_kind_name(n->kind), TN_STR_ARG(place));
}

static tn_str why_text(plan *pl, const plan_item *it)
{
    tn_buf b = tn_buf_init(pl->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < it->why.n; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT, i > 0 ? "; " : "", TN_STR_ARG(it->why.v[i].text));
    }
    for (size_t i = 0; i < it->selected_by.n; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT, i > 0 ? ", " : "  [by ", TN_STR_ARG(it->selected_by.v[i]));
    }
    tn_buf_addz(&b, it->selected_by.n > 0 ? "]" : "");
    return tn_buf_str(&b);
}

static void print_text(plan *pl, tn_buf *b)
{
    size_t n = pl->run->plan.n, widest = 0, changed = 0;
    for (size_t i = 0; i < n; i++) {
        widest = tn_max_size(widest, tn_utf8_len(title(pl->arena, pl->items[i].node)));
        changed += !tn_str_is(tn_str_of(pl->items[i].why.v[0].code), "unchanged");
    }
    widest = tn_min_size(widest, NAME_WIDTH_MAX);
    for (size_t i = 0; i < n; i++) {
        const plan_item *it = &pl->items[i];
        tn_str name = title(pl->arena, it->node);
        size_t width = tn_utf8_len(name);
        if (it->seconds >= 0) {
            tn_buf_addf(b, "%5zu %7.2fs", i + 1, it->seconds);
        } else {
            tn_buf_addf(b, "%5zu        -", i + 1);
        }
        tn_buf_addf(b, "  %-15s  " TN_STR_FMT, it->action, TN_STR_ARG(name));
        tn_buf_add_repeat(b, ' ', width < widest ? widest - width : 0);
        tn_buf_addf(b, "  " TN_STR_FMT "\n", TN_STR_ARG(why_text(pl, it)));
    }
    tn_buf_addf(b, "%s%zu node%s, %zu of them new or changed, %d thread%s", n > 0 ? "\n" : "", n,
        plural(n), changed, pl->run->project->profile.threads,
        plural((size_t)pl->run->project->profile.threads));
    if (pl->mean >= 0) {
        tn_buf_addf(b, "; about %.1f s", pl->seconds);
        if (pl->timeless > 0) {
            tn_buf_addf(b, ", with %zu never run before", pl->timeless);
        }
    }
    tn_buf_addc(b, '\n');
    if (!pl->knows_relations) {
        tn_buf_addf(b, "what is in the database is not known: " TN_STR_FMT "\n",
            TN_STR_ARG(pl->unknown_why));
    }
}

static void put_list(tn_json_writer *w, const char *key, const tn_strs *l)
{
    tn_jw_key(w, key);
    tn_jw_arr(w);
    for (size_t i = 0; i < l->n; i++) {
        tn_jw_str(w, l->v[i]);
    }
    tn_jw_arr_end(w);
}

static void put_seconds(tn_json_writer *w, const char *key, double s)
{
    tn_jw_key(w, key);
    if (s >= 0) {
        tn_jw_float(w, s);
    } else {
        tn_jw_null(w);
    }
}

static void put_item(plan *pl, tn_json_writer *w, const plan_item *it)
{
    const tn_node *n = it->node;
    bool relation = tn_node_is_refable(n);
    tn_jw_obj(w);
    tn_jw_key(w, "unique_id");
    tn_jw_str(w, n->unique_id);
    tn_jw_key(w, "resource_type");
    tn_jw_str(w, tn_str_of(tn_node_kind_name(n->kind)));
    tn_jw_key(w, "materialized");
    tn_jw_str(w, tn_node_config_str(n, "materialized", TN_STR("")));
    tn_jw_key(w, "relation_name");
    tn_jw_str(w, n->relation_name);
    tn_jw_key(w, "exists");
    if (relation && pl->knows_relations) {
        tn_jw_bool(w, it->exists);
    } else {
        tn_jw_null(w);
    }
    tn_jw_key(w, "action");
    tn_jw_str(w, tn_str_of(it->action));
    put_list(w, "selected_by", &it->selected_by);
    tn_jw_key(w, "reasons");
    tn_jw_arr(w);
    for (size_t i = 0; i < it->why.n; i++) {
        tn_jw_str(w, tn_str_of(it->why.v[i].code));
    }
    tn_jw_arr_end(w);
    put_list(w, "upstream_changed", &it->upstream);
    put_seconds(w, "last_seconds", it->seconds);
    put_seconds(w, "starts_after", pl->mean >= 0 ? it->starts : -1);
    tn_jw_key(w, "last_built_at");
    tn_jw_val(w, tn_val_is_str(tn_val_at(it->last, "finished_at"))
                     ? tn_val_at(it->last, "finished_at")
                     : TN_VAL_NONE);
    tn_jw_obj_end(w);
}

static void print_json(plan *pl, tn_buf *b)
{
    tn_json_writer w = tn_json_writer_init(b, 2);
    tn_jw_obj(&w);
    tn_jw_key(&w, "threads");
    tn_jw_int(&w, pl->run->project->profile.threads);
    put_seconds(&w, "seconds", pl->mean >= 0 ? pl->seconds : -1);
    tn_jw_key(&w, "never_run");
    tn_jw_int(&w, (int64_t)pl->timeless);
    tn_jw_key(&w, "database_problem");
    tn_jw_val(&w, pl->knows_relations ? TN_VAL_NONE : tn_val_str(pl->unknown_why));
    tn_jw_key(&w, "nodes");
    tn_jw_arr(&w);
    for (size_t i = 0; i < pl->run->plan.n; i++) {
        put_item(pl, &w, &pl->items[i]);
    }
    tn_jw_arr_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(b, '\n');
}

tn_rc tn_plan_report(tn_runner *run, bool json, tn_buf *b, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("plan", NULL);
    plan pl = { .run = run,
        .arena = a,
        .items = tn_new_array(a, plan_item, run->plan.n + 1),
        .builds = tn_builds_read(run->project, a),
        .full_refresh = tn_project_flag(run->project, "FULL_REFRESH", false),
        .changed = tn_new_array(a, uint8_t, run->project->nodes.n + 1) };
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_val *last = tn_dict_finds(pl.builds.dict, run->plan.v[i]->unique_id);
        pl.items[i].node = run->plan.v[i];
        pl.items[i].last = last != NULL ? *last : TN_VAL_UNDEF;
    }
    look_at_relations(&pl);
    TN_TRY(mark_selection(&pl, err));
    for (size_t i = 0; i < run->plan.n; i++) {
        TN_TRY(reasons(&pl, &pl.items[i], err));
        pl.items[i].action = action_of(&pl, &pl.items[i]);
    }
    take_times(&pl);
    play(&pl);
    if (json) {
        print_json(&pl, b);
    } else {
        print_text(&pl, b);
    }
    return TN_OK;
}
