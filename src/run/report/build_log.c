/* build_log.c: target/builds.json and the hashes in it. */
#include "run/report/build_log.h"

#include "os/file.h"
#include "os/proc.h"
#include "text/hash.h"
#include "text/json.h"
#include "text/timetext.h"

enum { FORMAT = 1, HASH_CHARS = 16, FILE_BYTES_MAX = 256 << 20, ENV_NAME_MAX = 200 };

static tn_str hash(tn_arena *a, tn_str s)
{
    return tn_str_sub(tn_sha256_hex(a, s), 0, HASH_CHARS);
}

/* ---- what a node is ---- */

static tn_rc add_macros(tn_project *p, const tn_strs *ids, tn_map *seen, tn_buf *into, tn_err *err)
{
    for (size_t i = 0; i < ids->n; i++) {
        tn_macro *m = tn_map_find(&p->macro_by_id, ids->v[i]);
        if (m == NULL || tn_map_find(seen, ids->v[i]) != NULL) {
            continue;
        }
        tn_map_put(seen, ids->v[i], m);
        const tn_package *pkg = tn_project_package(p, m->package_name);
        if (pkg != NULL && pkg->builtin) {
            continue;
        }
        tn_strs calls = { 0 };
        tn_buf_add(into, m->text);
        TN_TRY(tn_macro_depends(p, m, &calls, err));
        TN_TRY(add_macros(p, &calls, seen, into, err));
    }
    return TN_OK;
}

/* The value of env_var('NAME') and env_var("NAME"). */
static void add_env(tn_str raw, size_t at, tn_arena *a, tn_buf *into)
{
    size_t open = tn_str_find_char(raw, '(', at);
    tn_str rest = open == SIZE_MAX ? TN_STR_NONE
                                   : tn_str_trim(tn_str_sub(raw, open + 1, open + ENV_NAME_MAX));
    size_t close = rest.n > 1 && (rest.p[0] == '\'' || rest.p[0] == '"')
                       ? tn_str_find_char(rest, rest.p[0], 1)
                       : SIZE_MAX;
    if (close != SIZE_MAX) {
        tn_buf_add(into, tn_env_get(tn_str_z(a, tn_str_sub(rest, 1, close))));
        tn_buf_addc(into, '\x1f');
    }
}

static tn_str inputs_of(const tn_project *p, tn_arena *a, const tn_node *n)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    const tn_package *pkg = tn_project_package(p, n->package_name);
    if (tn_str_find(n->raw_code, TN_STR("var("), 0) == SIZE_MAX) {
        return TN_STR("");
    }
    if (pkg != NULL && pkg->vars != NULL) {
        tn_val_repr_to(&b, (tn_val){ .tag = TN_DICT, .dict = pkg->vars });
    }
    for (size_t at = 0; (at = tn_str_find(n->raw_code, TN_STR("env_var"), at)) != SIZE_MAX; at++) {
        add_env(n->raw_code, at, a, &b);
    }
    return hash(a, tn_buf_str(&b));
}

static tn_str body_of(tn_arena *a, const tn_node *n)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (n->kind == TN_NODE_SEED) {
        return n->checksum;
    }
    tn_buf_add(&b, n->raw_code);
    if (n->test != NULL && n->test->kwargs != NULL) {
        tn_val_repr_to(&b, (tn_val){ .tag = TN_DICT, .dict = n->test->kwargs });
    }
    tn_val_repr_to(&b, n->extra);
    return hash(a, tn_buf_str(&b));
}

tn_rc tn_print_of(tn_project *p, tn_arena *a, const tn_node *n, tn_print *ret, tn_err *err)
{
    tn_buf config = tn_buf_init(a, TN_BUF_NO_LIMIT), macros = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_map seen = tn_map_init(a);
    if (n->config != NULL) {
        tn_val_repr_to(&config, (tn_val){ .tag = TN_DICT, .dict = n->config });
    }
    TN_TRY(add_macros(p, &n->macros, &seen, &macros, err));
    *ret = (tn_print){ .body = body_of(a, n),
        .config = hash(a, tn_buf_str(&config)),
        .macros = macros.n > 0 ? hash(a, tn_buf_str(&macros)) : TN_STR(""),
        .inputs = inputs_of(p, a, n) };
    return TN_OK;
}

/* ---- the file ---- */

static tn_str path_of(const tn_project *p, tn_arena *a)
{
    return tn_str_printf(a, TN_STR_FMT "/builds.json", TN_STR_ARG(p->target_path));
}

/* All targets; an empty dict when there is nothing that can be read. */
static tn_val read_targets(const tn_project *p, tn_arena *a)
{
    tn_str text;
    tn_val doc;
    if (tn_file_read(a, path_of(p, a), FILE_BYTES_MAX, &text, NULL) != TN_OK ||
        tn_json_parse(a, text, &doc, NULL) != TN_OK ||
        tn_val_int_at(doc, "tarn_builds", 0) != FORMAT) {
        return tn_val_dict(a);
    }
    tn_val targets = tn_val_at(doc, "targets");
    return targets.tag == TN_DICT ? targets : tn_val_dict(a);
}

static tn_val target_of(tn_val targets, const tn_project *p, tn_arena *a)
{
    const tn_val *v = tn_dict_finds(targets.dict, p->profile.target_name);
    return v != NULL && v->tag == TN_DICT ? *v : tn_val_dict(a);
}

tn_val tn_builds_read(const tn_project *p, tn_arena *a)
{
    return target_of(read_targets(p, a), p, a);
}

double tn_builds_seconds(tn_val builds, const tn_node *n)
{
    const tn_val *v = builds.tag == TN_DICT ? tn_dict_finds(builds.dict, n->unique_id) : NULL;
    tn_val s = v != NULL ? tn_val_at(*v, "seconds") : TN_VAL_UNDEF;
    return s.tag == TN_FLOAT ? s.f : s.tag == TN_INT ? (double)s.i : -1;
}

static tn_rc enter(tn_runner *run, tn_arena *a, tn_val builds, const tn_node_result *r, tn_err *err)
{
    const tn_val *have = tn_dict_finds(builds.dict, r->node->unique_id);
    tn_val entry = have != NULL && have->tag == TN_DICT ? *have : tn_val_dict(a);
    bool good = r->status == TN_ST_SUCCESS || r->status == TN_ST_PASS || r->status == TN_ST_WARN;
    tn_dict_puts(builds.dict, r->node->unique_id, entry);
    tn_dict_putz(entry.dict, "status", tn_val_z(tn_status_name(r->status)));
    if (r->status == TN_ST_SKIPPED) { /* it did not run: when it last did stays known */
        return TN_OK;
    }
    tn_buf at = tn_buf_init(a, 64);
    tn_iso_micros(&at, r->finished_us, 6, 'T', "Z");
    tn_dict_putz(
        entry.dict, "seconds", tn_val_float((double)(r->finished_us - r->started_us) / 1e6));
    if (!good) {
        return TN_OK;
    }
    tn_print print;
    TN_TRY(tn_print_of(run->project, a, r->node, &print, err));
    tn_dict_putz(entry.dict, "finished_at", tn_val_str(tn_buf_str(&at)));
    tn_dict_putz(entry.dict, "relation", tn_val_str(r->node->relation_name));
    tn_dict_putz(entry.dict, "body", tn_val_str(print.body));
    tn_dict_putz(entry.dict, "config", tn_val_str(print.config));
    tn_dict_putz(entry.dict, "macros", tn_val_str(print.macros));
    tn_dict_putz(entry.dict, "inputs", tn_val_str(print.inputs));
    return TN_OK;
}

/* Nodes that are no more, disabled ones too, go. */
static tn_val only_known(const tn_project *p, tn_arena *a, tn_val builds)
{
    tn_val kept = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(builds.dict, &at)) != NULL) {
        if (tn_project_find(p, tn_val_as_str(it->key)) != NULL) {
            tn_dict_put(kept.dict, it->key, it->value);
        }
    }
    return kept;
}

tn_rc tn_builds_write(tn_runner *run, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("builds", NULL);
    tn_val targets = read_targets(run->project, a), doc = tn_val_dict(a);
    tn_val builds = only_known(run->project, a, target_of(targets, run->project, a));
    for (size_t i = 0; i < run->plan.n; i++) {
        const tn_node_result *r = &run->results[i];
        if (r->status != TN_ST_NONE && r->status != TN_ST_NO_OP) {
            TN_TRY(enter(run, a, builds, r, err));
        }
    }
    tn_dict_puts(targets.dict, run->project->profile.target_name, builds);
    tn_dict_putz(doc.dict, "tarn_builds", tn_val_int(FORMAT));
    tn_dict_putz(doc.dict, "targets", targets);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    static const tn_json_style style = { 0 };
    tn_json_print(&b, doc, &style);
    TN_TRY(tn_dir_make(run->project->target_path, err));
    return tn_file_write_atomic(path_of(run->project, a), tn_buf_str(&b), err);
}
