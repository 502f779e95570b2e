/* previous.c: reads the artifacts of another run and answers the selection methods that need them. */
#include "project/previous.h"

#include "os/file.h"
#include "project/state/manifest_upgrade.h"
#include "project/state/state_compare.h"
#include "text/json.h"
#include "text/uri.h"

enum { ARTIFACT_BYTES_MAX = 1 << 30 };

typedef struct artifact {
    const char *file;
    const char *schema;
    int oldest, newest; /* versions that are read */
} artifact;

static const artifact manifest_artifact = { "manifest.json", "manifest", 4, 12 };
static const artifact results_artifact = { "run_results.json", "run-results", 4, 6 };
static const artifact sources_artifact = { "sources.json", "sources", 3, 3 };

static tn_rc read_json(tn_arena *a, tn_str folder, const artifact *of, tn_val *ret, tn_err *err)
{
    tn_str text, path = tn_uri_join(a, folder, tn_str_of(of->file));
    *ret = TN_VAL_UNDEF;
    if (!tn_file_exists(path)) {
        return TN_OK;
    }
    TN_TRY(tn_file_read(a, path, ARTIFACT_BYTES_MAX, &text, err));
    tn_rc rc = tn_json_parse(a, text, ret, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "reading " TN_STR_FMT, TN_STR_ARG(path));
    }
    return tn_artifact_check(*ret, of->schema, of->oldest, of->newest, path, err);
}

/* The results of an artifact by node. */
static tn_rc read_results(tn_arena *a, tn_str folder, const artifact *of, tn_map *ret, tn_err *err)
{
    tn_val doc, list;
    TN_TRY(read_json(a, folder, of, &doc, err));
    if (tn_val_is_undef(doc)) {
        return TN_OK;
    }
    *ret = tn_map_init(a);
    list = tn_val_at(doc, "results");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_map_put(ret, tn_val_str_at(list.list->v[i], "unique_id", TN_STR_NONE), &list.list->v[i]);
    }
    return TN_OK;
}

tn_rc tn_previous_read(tn_project *p, tn_str folder, tn_previous **ret, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_previous *s = tn_new(a, tn_previous);
    s->folder = tn_project_file(a, p, folder);
    TN_TRY(read_json(a, s->folder, &manifest_artifact, &s->manifest, err));
    tn_manifest_upgrade(p, s->manifest);
    TN_TRY(read_results(a, s->folder, &results_artifact, &s->results, err));
    TN_TRY(read_results(a, s->folder, &sources_artifact, &s->sources, err));
    tn_str target = tn_project_file(a, p, p->target_path);
    TN_TRY(read_results(a, target, &sources_artifact, &s->sources_now, err));
    *ret = s;
    return TN_OK;
}

tn_val tn_previous_node(const tn_previous *s, tn_str unique_id)
{
    static const char *const sections[] = { "nodes", "sources", "exposures", "metrics",
        "semantic_models", "unit_tests", "saved_queries", "functions" };
    for (size_t i = 0; i < TN_COUNTOF(sections); i++) {
        tn_val section = tn_val_at(s->manifest, sections[i]);
        const tn_val *v = section.tag == TN_DICT ? tn_dict_finds(section.dict, unique_id) : NULL;
        if (v != NULL) {
            return *v;
        }
    }
    return TN_VAL_UNDEF;
}

/* ---- macros ---- */

static bool builtin_macro(const tn_project *p, tn_str package)
{
    const tn_package *pkg = tn_project_package(p, package);
    return pkg != NULL && pkg->builtin;
}

static void find_changed_macros(tn_project *p, tn_previous *s)
{
    tn_val old = tn_val_at(s->manifest, "macros");
    s->macros_changed = tn_map_init(p->arena);
    s->macros_made = true;
    for (size_t i = 0; old.tag == TN_DICT && i < p->macros.n; i++) {
        tn_macro *m = p->macros.v[i];
        const tn_val *was = tn_dict_finds(old.dict, m->unique_id);
        bool same =
            was != NULL && tn_str_eq(tn_val_str_at(*was, "macro_sql", TN_STR_NONE), m->text);
        if (!same && !builtin_macro(p, m->package_name)) {
            tn_map_put(&s->macros_changed, m->unique_id, m);
        }
    }
    size_t at = 0;
    const tn_dict_item *it;
    while (old.tag == TN_DICT && (it = tn_dict_next(old.dict, &at)) != NULL) {
        s->macros_gone =
            s->macros_gone ||
            (tn_map_find(&p->macro_by_id, tn_val_as_str(it->key)) == NULL &&
                !builtin_macro(p, tn_val_str_at(it->value, "package_name", TN_STR_NONE)));
    }
}

/* A test whose macro went, too, is no change but a fault. */
static tn_rc check_test_macro(const tn_node *n, tn_err *err)
{
    if (n->test == NULL || !n->test->macro_missing) {
        return TN_OK;
    }
    return tn_fail(err, TN_E_COMPILE,
        "Node '" TN_STR_FMT "' (in " TN_STR_FMT
        ") depends on a macro or test that does not exist. This can happen when a macro or "
        "generic test is removed but is still referenced. Check for typos and/or install package "
        "dependencies with 'dbt deps'.",
        TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path));
}

static tn_rc uses_changed(
    tn_project *p, const tn_previous *s, const tn_strs *ids, tn_map *seen, bool *ret, tn_err *err)
{
    for (size_t i = 0; i < ids->n && !*ret; i++) {
        tn_macro *m = tn_map_find(&p->macro_by_id, ids->v[i]);
        tn_strs calls = { 0 };
        if (m == NULL || tn_map_find(seen, ids->v[i]) != NULL) {
            continue;
        }
        tn_map_put(seen, ids->v[i], m);
        if (tn_map_find(&s->macros_changed, ids->v[i]) != NULL) {
            *ret = true;
            return TN_OK;
        }
        TN_TRY(tn_macro_depends(p, m, &calls, err));
        TN_TRY(uses_changed(p, s, &calls, seen, ret, err));
    }
    return TN_OK;
}

static tn_rc macros_modified(tn_project *p, const tn_node *n, bool *ret, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("macros of a node", NULL);
    tn_map seen = tn_map_init(scratch);
    if (!p->previous->macros_made) {
        find_changed_macros(p, p->previous);
    }
    *ret = false;
    if (p->previous->macros_changed.n == 0 && !p->previous->macros_gone) {
        return TN_OK;
    }
    TN_TRY(check_test_macro(n, err));
    return uses_changed(p, p->previous, &n->macros, &seen, ret, err);
}

/* ---- state: ---- */

static tn_rc match_modified(
    tn_project *p, const tn_node *n, tn_val old, tn_str aspect, bool *ret, tn_err *err)
{
    tn_state_aspect which = TN_STATE_CONTENTS;
    if (tn_str_is(aspect, "macros")) {
        return macros_modified(p, n, ret, err);
    }
    if (aspect.n > 0 && !tn_state_aspect_find(aspect, &which)) {
        tn_rc rc = tn_fail(err, TN_E_USAGE, "Got an invalid selector \"modified." TN_STR_FMT "\"",
            TN_STR_ARG(aspect));
        return tn_hint(err, rc,
            "modified, modified.body, .configs, .persisted_descriptions, .relation, .macros or "
            ".contract; new, old, unmodified");
    }
    bool written = tn_project_flag(p, "STATE_MODIFIED_COMPARE_MORE_UNRENDERED_VALUES", true);
    TN_TRY(tn_state_modified(n, old, which, written, ret, err));
    if (which == TN_STATE_CONTENTS && !*ret) {
        return macros_modified(p, n, ret, err);
    }
    return TN_OK;
}

static tn_rc match_state(tn_project *p, const tn_node *n, tn_str value, bool *ret, tn_err *err)
{
    tn_val old = tn_previous_node(p->previous, n->unique_id);
    tn_str word, aspect;
    tn_str_cut(value, '.', &word, &aspect);
    if (tn_val_is_undef(p->previous->manifest)) {
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
            "Got a state selector method, but no comparison manifest: there is no manifest.json "
            "in " TN_STR_FMT,
            TN_STR_ARG(p->previous->folder));
        return tn_hint(err, rc, "--state names the target folder of the run to compare with");
    }
    if (tn_str_is(value, "new") || tn_str_is(value, "old")) {
        *ret = tn_val_is_undef(old) == tn_str_is(value, "new");
        return TN_OK;
    }
    if (tn_str_is(value, "unmodified")) {
        TN_TRY(match_modified(p, n, old, TN_STR_NONE, ret, err));
        *ret = !*ret;
        return TN_OK;
    }
    if (!tn_str_is(word, "modified")) {
        return tn_fail(err, TN_E_USAGE,
            "Got an invalid selector \"" TN_STR_FMT
            "\", expected one of new, old, modified, unmodified, modified.body, modified.configs, "
            "modified.persisted_descriptions, modified.relation, modified.macros, "
            "modified.contract",
            TN_STR_ARG(value));
    }
    return match_modified(p, n, old, aspect, ret, err);
}

/* ---- result: and source_status: ---- */

static tn_str result_text(const tn_map *results, tn_str unique_id, const char *key)
{
    const tn_val *r = tn_map_find(results, unique_id);
    return r != NULL ? tn_val_str_at(*r, key, TN_STR_NONE) : TN_STR_NONE;
}

static tn_rc missing(const tn_previous *s, const char *method, const char *file, tn_err *err)
{
    tn_rc rc =
        tn_fail(err, TN_E_NOTFOUND, "selection by '%s:' needs %s, and " TN_STR_FMT " has none",
            method, file, TN_STR_ARG(s->folder));
    return tn_hint(err, rc, "--state names the target folder of a run that wrote it");
}

/* Newer rows than in that run, or a source which that run did not ask for. Both ISO texts are UTC and of one form. */
static tn_rc match_source_status(
    const tn_previous *s, const tn_node *n, tn_str value, bool *ret, tn_err *err)
{
    if (s->sources.arena == NULL) {
        return missing(s, "source_status", "sources.json", err);
    }
    if (s->sources_now.arena == NULL) {
        tn_rc rc = tn_fail(
            err, TN_E_NOTFOUND, "No current state comparison freshness results in sources.json");
        return tn_hint(err, rc, "run 'tarn source freshness' first");
    }
    tn_str now = result_text(&s->sources_now, n->unique_id, "max_loaded_at");
    tn_str was = result_text(&s->sources, n->unique_id, "max_loaded_at");
    *ret = tn_str_is(value, "fresher") && now.n > 0 && tn_str_cmp(now, was) > 0;
    return TN_OK;
}

tn_rc tn_previous_match(
    tn_project *p, const tn_node *n, tn_str method, tn_str value, bool *ret, tn_err *err)
{
    const tn_previous *s = p->previous;
    *ret = false;
    if (s == NULL) {
        bool results = tn_str_is(method, "result"), state = tn_str_is(method, "state");
        tn_rc rc = tn_fail(err, TN_E_USAGE, "%s",
            state     ? "Got a state selector method, but no comparison manifest"
            : results ? "No comparison run_results"
                      : "No previous state comparison freshness results in sources.json");
        return tn_hint(err, rc, "give the folder of its artifacts: --state DIR");
    }
    if (tn_str_is(method, "state")) {
        return match_state(p, n, value, ret, err);
    }
    if (tn_str_is(method, "source_status")) {
        return match_source_status(s, n, value, ret, err);
    }
    if (s->results.arena == NULL) {
        return missing(s, "result", "run_results.json", err);
    }
    *ret = tn_str_eq(result_text(&s->results, n->unique_id, "status"), value);
    return TN_OK;
}
