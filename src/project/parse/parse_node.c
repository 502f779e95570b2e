/* parse_node.c: models, seeds, snapshots, singular tests, analyses and run hooks: from files to nodes. What their templates call is noted by parse_template.c. */
#include "os/file.h"
#include "project/deprecation.h"
#include "project/parse/parse_priv.h"
#include "text/hash.h"
#include "text/uri.h"

enum { SEED_MIB_MAX = 4096 }; /* what a seed may have that is read whole to be hashed */

/* ---- making nodes ---- */

tn_node *tn_node_new(tn_project *p, tn_node_kind kind, tn_package *pkg)
{
    tn_node *n = tn_new(p->arena, tn_node);
    *n = (tn_node){ .kind = kind,
        .index = UINT32_MAX,
        .enabled = true,
        .package_name = pkg->name,
        .language = TN_STR("sql"),
        .raw_line = 1,
        .checksum_name = TN_STR("none"),
        .checksum = TN_STR(""),
        .meta = TN_VAL_NONE,
        .columns = TN_VAL_NONE,
        .constraints = TN_VAL_NONE,
        .time_spine = TN_VAL_NONE,
        .deprecation_date = TN_VAL_NONE,
        .version = TN_VAL_NONE,
        .latest_version = TN_VAL_NONE,
        .extra = TN_VAL_NONE,
        .description = TN_STR(""),
        .raw_code = TN_STR(""),
        .created_us = p->started_us };
    n->database = p->profile.database;
    n->schema = p->profile.schema;
    return n;
}

/* [package, folders..., name] of a path below the resource folder. */
void tn_fqn_of(tn_project *p, tn_package *pkg, tn_str rel, tn_str name, tn_strs *ret)
{
    tn_strs fqn = { 0 };
    tn_vec_push(&fqn, p->arena, pkg->name);
    tn_str dir = tn_path_dir(rel), part;
    while (dir.n > 0) {
        tn_str_cut(dir, '/', &part, &dir);
        if (part.n > 0) {
            tn_vec_push(&fqn, p->arena, part);
        }
    }
    if (name.n > 0) {
        tn_vec_push(&fqn, p->arena, name);
    }
    *ret = fqn;
}

/* sha256 of the text with every run of white space as one blank: dbt 1.12's checksum does not see formatting. */
static tn_str text_checksum(tn_arena *a, tn_str text)
{
    tn_buf b = tn_buf_init(a, text.n + 1);
    bool gap = false;
    for (size_t i = 0; i < text.n; i++) {
        bool blank = strchr(" \t\n\r\v\f", text.p[i]) != NULL && text.p[i] != '\0';
        if (!blank) {
            if (gap && b.n > 0) {
                tn_buf_addc(&b, ' ');
            }
            tn_buf_addc(&b, text.p[i]);
        }
        gap = blank;
    }
    return tn_sha256_hex(a, tn_buf_str(&b));
}

static void put_index(tn_project *p, tn_map *map, tn_str key, tn_node *n)
{
    tn_nodes *list = tn_map_find(map, key);
    if (list == NULL) {
        list = tn_new(p->arena, tn_nodes);
        tn_map_put(map, key, list);
    }
    tn_vec_push(list, p->arena, n);
}

static const char *plural_of(const tn_node *a, const tn_node *b)
{
    static const char *const names[TN_NODE_KINDS] = { "models", "seeds", "snapshots", "data_tests",
        "analyses", "operations", "sources", "exposures", "metrics", "semantic_models",
        "saved_queries", "unit_tests", "functions" };
    return a->kind == b->kind ? names[a->kind] : "resources";
}

tn_rc tn_double_node(const tn_node *a, const tn_node *b, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("twice", NULL);
    tn_str name = a->name, looked_for = a->name;
    const char *action = "looking for";
    if (a->kind == TN_NODE_TEST && a->test != NULL) {
        tn_str column = a->test->column_name;
        column = column.n > 0
                     ? tn_str_printf(scratch, "column \"" TN_STR_FMT "\" in ", TN_STR_ARG(column))
                     : TN_STR("");
        name = tn_str_printf(scratch, TN_STR_FMT "\" defined on " TN_STR_FMT "\"" TN_STR_FMT,
            TN_STR_ARG(a->name), TN_STR_ARG(column), TN_STR_ARG(a->test->file_key_name));
        action = "running";
        looked_for = TN_STR("tests");
    } else if (a->kind == TN_NODE_SOURCE) {
        name = tn_str_printf(scratch, TN_STR_FMT "_" TN_STR_FMT, TN_STR_ARG(a->source->source_name),
            TN_STR_ARG(a->name));
        looked_for = tn_str_printf(scratch, "source(\"" TN_STR_FMT "\", \"" TN_STR_FMT "\")",
            TN_STR_ARG(a->source->source_name), TN_STR_ARG(a->name));
    } else if (tn_node_is_refable(a)) {
        looked_for = tn_str_printf(scratch, "ref(\"" TN_STR_FMT "\")", TN_STR_ARG(a->name));
    }
    return tn_fail(err, TN_E_COMPILE,
        "dbt found two %s with the name \"" TN_STR_FMT
        "\".\n\nSince these resources have the same name, dbt will be unable to find the correct "
        "resource\nwhen %s " TN_STR_FMT
        ".\n\nTo fix this, change the name of one of these resources:\n- " TN_STR_FMT
        " (" TN_STR_FMT ")\n- " TN_STR_FMT " (" TN_STR_FMT ")",
        plural_of(a, b), TN_STR_ARG(name), action, TN_STR_ARG(looked_for), TN_STR_ARG(a->unique_id),
        TN_STR_ARG(a->original_file_path), TN_STR_ARG(b->unique_id),
        TN_STR_ARG(b->original_file_path));
}

tn_rc tn_node_add(tn_project *p, tn_node *n, tn_err *err)
{
    tn_project_state *s = p->state;
    tn_str source_key = TN_STR_NONE;
    if (n->kind == TN_NODE_SOURCE) {
        source_key = tn_str_printf(p->arena, TN_STR_FMT "." TN_STR_FMT,
            TN_STR_ARG(n->source->source_name), TN_STR_ARG(n->name));
    }
    if (!n->enabled) {
        n->index = UINT32_MAX;
        tn_vec_push(&p->disabled, p->arena, n);
        if (source_key.n > 0) {
            put_index(p, &s->source_disabled, source_key, n);
        } else if (tn_node_is_refable(n)) {
            put_index(p, &s->ref_disabled, n->name, n);
        } else if (n->kind == TN_NODE_FUNCTION) {
            put_index(p, &s->function_disabled, n->name, n);
        }
        return TN_OK;
    }
    const tn_node *old = tn_map_find(&p->node_by_id, n->unique_id);
    if (old != NULL) {
        return tn_double_node(old, n, err);
    }
    if (p->nodes.n >= TN_PROJECT_NODES_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "a project may have at most %d nodes", TN_PROJECT_NODES_MAX);
    }
    n->index = (uint32_t)p->nodes.n;
    tn_vec_push(&p->nodes, p->arena, n);
    tn_map_put(&p->node_by_id, n->unique_id, n);
    if (source_key.n > 0) {
        put_index(p, &s->source_index, source_key, n);
    } else if (tn_node_is_refable(n)) {
        put_index(p, &s->ref_index, n->name, n);
    } else if (n->kind == TN_NODE_FUNCTION) {
        put_index(p, &s->function_index, n->name, n);
    }
    return TN_OK;
}

/* ---- finishing a node ---- */

tn_rc tn_node_finish(tn_project *p, tn_node *n, tn_patch *patch, tn_err *err)
{
    const tn_dict *config = patch != NULL ? tn_patch_config(p, patch) : NULL;
    const tn_dict *written = patch != NULL ? tn_patch_config_written(p, patch) : NULL;
    if (n->refused.n > 0 &&
        (config == NULL || tn_dict_finds(config, TN_STR("materialized")) == NULL)) {
        tn_dict *d = tn_val_dict(p->arena).dict;
        tn_dict_putz(d, "materialized", tn_val_z("table"));
        TN_TRY(tn_config_update(p->arena, d, config, err));
        config = d;
        written = NULL;
    }
    tn_rc rc = tn_config_resolve(p, n, config, written, err);
    if (rc != TN_OK) {
        tn_err_place(err, tn_str_z(p->arena, n->file), 0, 0);
        if (rc == TN_E_PARSE || rc == TN_E_INVALID || rc == TN_E_COMPILE) {
            return rc; /* told as it is, as dbt does */
        }
        return tn_while(err, rc, "configuring '" TN_STR_FMT "' (" TN_STR_FMT ")",
            TN_STR_ARG(n->unique_id), TN_STR_ARG(n->original_file_path));
    }
    if (patch != NULL) {
        TN_TRY(tn_patch_apply(p, n, patch, err));
        TN_TRY(tn_parse_constraints(p, n, err));
        TN_TRY(tn_time_spine_check(p, n, err));
        patch->used = true;
        patch->node = n;
    }
    TN_TRY(tn_project_place(p, n, err));
    if (n->kind != TN_NODE_TEST) {
        TN_TRY(tn_parse_hooks(p, n, err));
    }
    return tn_node_add(p, n, err);
}

static tn_str make_id(tn_project *p, const tn_node *n)
{
    return tn_str_printf(p->arena, "%s." TN_STR_FMT "." TN_STR_FMT, tn_node_kind_name(n->kind),
        TN_STR_ARG(n->package_name), TN_STR_ARG(n->name));
}

tn_node *tn_node_of_file(tn_project *p, tn_node_kind kind, const tn_source_file *f)
{
    tn_node *n = tn_node_new(p, kind, f->package);
    n->name = tn_source_stem(p, f->rel);
    n->alias = n->name;
    n->path = f->rel;
    n->original_file_path = f->original;
    n->file = f->open;
    n->raw_code = tn_str_trim(f->text);
    /* The text starts below the blank lines that were cut. */
    for (const char *c = f->text.p; c < n->raw_code.p; c++) {
        n->raw_line += *c == '\n';
    }
    if (f->text.p != NULL) {
        n->checksum_name = TN_STR("sha256");
        n->checksum = text_checksum(p->arena, f->text);
    }
    n->unique_id = make_id(p, n);
    tn_fqn_of(p, f->package, f->rel, n->name, &n->fqn);
    return n;
}

static void make_version(tn_project *p, tn_node *n, const tn_patch *patch)
{
    tn_str v = tn_str_printf(
        p->arena, "v" TN_STR_FMT, TN_STR_ARG(tn_val_to_str(p->arena, patch->version)));
    n->name = patch->name;
    n->version = patch->version;
    n->latest_version =
        tn_val_at((tn_val){ .tag = TN_DICT, .dict = patch->entry }, "latest_version");
    n->unique_id = tn_str_printf(
        p->arena, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(make_id(p, n)), TN_STR_ARG(v));
    n->fqn.v[n->fqn.n - 1] = n->name;
    tn_vec_push(&n->fqn, p->arena, v);
}

static tn_rc parse_model(tn_project *p, const tn_source_file *f, tn_err *err)
{
    tn_node *n = tn_node_of_file(p, TN_NODE_MODEL, f);
    tn_patch *patch;
    TN_TRY(tn_patch_find(p, "models", f->package, n->name, &patch, err));
    if (patch != NULL && !tn_val_is_undef(patch->version)) {
        make_version(p, n, patch);
    }
    if (tn_str_ends(f->rel, TN_STR(".py"))) {
        n->language = TN_STR("python");
        n->refused = TN_STR(
            "Python models are not supported: tarn runs without Python; write the model in SQL");
        tn_parse_python(p, n);
        n->config_call = tn_val_dict(p->arena).dict;
    } else {
        TN_TRY(tn_parse_template(p, n, err));
    }
    return tn_node_finish(p, n, patch, err);
}

/* ---- seeds ---- */

/* --maximum-seed-size-mib; 0: none is. */
static bool too_large_to_hash(const tn_project *p, int64_t size)
{
    int64_t mib = tn_val_int_at(tn_project_flags(p), "MAXIMUM_SEED_SIZE_MIB", 1);
    return mib != 0 && size > (mib < SEED_MIB_MAX ? mib : SEED_MIB_MAX) * (1 << 20);
}

/* The text with universal newlines and without white space at its ends, as Python's text mode and dbt's strip see it. */
static tn_rc seed_checksum(tn_project *p, const tn_source_file *f, tn_node *n, tn_err *err)
{
    if (too_large_to_hash(p, f->size)) {
        n->checksum_name = TN_STR("path");
        n->checksum = f->original;
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("seed", NULL);
    tn_str text;
    TN_TRY(tn_file_read(scratch, f->open, (size_t)f->size + 1, &text, err));
    if (tn_str_find_char(text, '\r', 0) != SIZE_MAX) {
        text = tn_str_replace(scratch, text, TN_STR("\r\n"), TN_STR("\n"));
        text = tn_str_replace(scratch, text, TN_STR("\r"), TN_STR("\n"));
    }
    n->checksum_name = TN_STR("sha256");
    n->checksum = tn_sha256_hex(p->arena, tn_str_trim(text));
    return TN_OK;
}

static tn_rc parse_seed(tn_project *p, const tn_source_file *f, tn_err *err)
{
    tn_node *n = tn_node_of_file(p, TN_NODE_SEED, f);
    n->config_call = tn_val_dict(p->arena).dict;
    TN_TRY(seed_checksum(p, f, n, err));
    tn_patch *patch;
    TN_TRY(tn_patch_find(p, "seeds", f->package, n->name, &patch, err));
    return tn_node_finish(p, n, patch, err);
}

/* ---- snapshots ---- */

static tn_rc parse_snapshot_file(tn_project *p, const tn_source_file *f, tn_err *err)
{
    tn_jinja_blocks blocks = { 0 };
    const unsigned kinds = 1u << TN_BLOCK_SNAPSHOT | 1u << TN_BLOCK_STRAY;
    TN_TRY(tn_jinja_extract_kinds(
        p->arena, f->text, (tn_jinja_src){ tn_str_z(p->arena, f->open), 1 }, kinds, &blocks, err));
    tn_note_stray_tags(p, &blocks, f->rel);
    for (size_t i = 0; i < blocks.n; i++) {
        const tn_jinja_block *b = &blocks.v[i];
        if (b->kind != TN_BLOCK_SNAPSHOT) {
            continue;
        }
        tn_node *n = tn_node_of_file(p, TN_NODE_SNAPSHOT, f);
        n->name = n->alias = b->name;
        n->raw_code = b->contents;
        n->raw_line = b->line;
        n->unique_id = make_id(p, n);
        tn_fqn_of(p, f->package,
            tn_str_printf(p->arena, TN_STR_FMT "/x", TN_STR_ARG(tn_path_stem(f->rel))), n->name,
            &n->fqn);
        TN_TRY(tn_parse_template(p, n, err));
        tn_patch *patch;
        TN_TRY(tn_patch_find(p, "snapshots", f->package, n->name, &patch, err));
        TN_TRY(tn_node_finish(p, n, patch, err));
    }
    return TN_OK;
}

static tn_str yaml_text(const tn_project *p, tn_str open)
{
    for (size_t i = 0; i < p->state->yamls.n; i++) {
        if (tn_str_eq(p->state->yamls.v[i].open, open)) {
            return p->state->yamls.v[i].text;
        }
    }
    return TN_STR_NONE;
}

/* snapshots: entries with `relation:` need no file. */
static tn_rc parse_yaml_snapshot(tn_project *p, tn_patch *patch, tn_err *err)
{
    tn_val e = { .tag = TN_DICT, .dict = patch->entry };
    tn_str relation = tn_val_str_at(e, "relation", TN_STR_NONE);
    tn_source_file f = {
        .package = patch->package, .rel = patch->rel, .original = patch->file, .open = patch->open
    };
    tn_node *n = tn_node_of_file(p, TN_NODE_SNAPSHOT, &f);
    n->name = n->alias = patch->name;
    n->raw_code =
        tn_str_printf(p->arena, "select * from {{ " TN_STR_FMT " }}", TN_STR_ARG(relation));
    n->path = tn_str_printf(p->arena, TN_STR_FMT ".sql", TN_STR_ARG(n->name));
    n->unique_id = make_id(p, n);
    n->checksum_name = TN_STR("sha256");
    n->checksum = text_checksum(p->arena, yaml_text(p, patch->open));
    tn_fqn_of(p, patch->package, patch->rel, n->name, &n->fqn);
    TN_TRY(tn_parse_template(p, n, err));
    return tn_node_finish(p, n, patch, err);
}

/* ---- tests, analyses, hooks ---- */

static tn_rc parse_singular(tn_project *p, const tn_source_file *f, tn_err *err)
{
    tn_node *n = tn_node_of_file(p, TN_NODE_TEST, f);
    TN_TRY(tn_parse_template(p, n, err));
    tn_patch *patch;
    TN_TRY(tn_patch_find(p, "data_tests", f->package, n->name, &patch, err));
    return tn_node_finish(p, n, patch, err);
}

static tn_rc parse_analysis(tn_project *p, const tn_source_file *f, tn_err *err)
{
    tn_node *n = tn_node_of_file(p, TN_NODE_ANALYSIS, f);
    bool bare = tn_project_flag(p, TN_FLAG_ANALYSES, false);
    n->path = tn_str_printf(p->arena, "%s" TN_STR_FMT, bare ? "" : "analysis/", TN_STR_ARG(f->rel));
    tn_fqn_of(p, f->package, n->path, n->name, &n->fqn);
    TN_TRY(tn_parse_template(p, n, err));
    tn_patch *patch;
    TN_TRY(tn_patch_find(p, "analyses", f->package, n->name, &patch, err));
    return tn_node_finish(p, n, patch, err);
}

void tn_project_inline_failed(tn_project *p, bool failed)
{
    if (p->state->inline_failed != NULL && failed) {
        *p->state->inline_failed = true;
    }
}

/* A query from the command line: a node that nothing else can refer to. */
static tn_rc parse_inline(tn_project *p, tn_err *err)
{
    if (p->state->inline_sql.n == 0) {
        return TN_OK;
    }
    tn_node *n = tn_node_new(p, TN_NODE_ANALYSIS, p->package);
    n->name = n->alias = TN_STR("inline_query");
    n->path = TN_STR("sql/inline_query");
    n->original_file_path = TN_STR("from remote system.sql");
    n->raw_code = tn_str_trim(p->state->inline_sql);
    n->unique_id =
        tn_str_printf(p->arena, "sql_operation." TN_STR_FMT ".inline_query", TN_STR_ARG(p->name));
    tn_fqn_of(p, p->package, TN_STR("sql/inline_query"), n->name, &n->fqn);
    tn_rc rc = tn_parse_template(p, n, err);
    p->inline_query = n;
    rc = rc == TN_OK ? tn_node_finish(p, n, NULL, err) : rc;
    tn_project_inline_failed(p, rc != TN_OK);
    return rc;
}

static tn_rc parse_run_hooks(
    tn_project *p, tn_package *g, tn_val hooks, const char *type, tn_err *err)
{
    for (size_t i = 0; hooks.tag == TN_LIST && i < hooks.list->n; i++) {
        tn_node *n = tn_node_new(p, TN_NODE_OPERATION, g);
        n->name = tn_str_printf(p->arena, TN_STR_FMT "-%s-%zu", TN_STR_ARG(g->name), type, i);
        n->alias = n->name;
        n->hook_index = (int)i;
        n->path = tn_str_printf(p->arena, "hooks/" TN_STR_FMT ".sql", TN_STR_ARG(n->name));
        n->original_file_path = TN_STR("./dbt_project.yml");
        n->file = tn_uri_join(p->arena, g->root, TN_STR("dbt_project.yml"));
        n->raw_code = tn_val_to_str(p->arena, hooks.list->v[i]);
        n->unique_id = make_id(p, n);
        tn_str text;
        TN_TRY(tn_file_read(p->arena, n->file, TN_PROJECT_FILE_BYTES_MAX, &text, err));
        n->checksum_name = TN_STR("sha256");
        n->checksum = text_checksum(p->arena, text);
        tn_fqn_of(p, g, n->path, n->name, &n->fqn);
        tn_strs_add_new(&n->tags, p->arena, tn_str_of(type));
        TN_TRY(tn_parse_template(p, n, err));
        TN_TRY(tn_node_finish(p, n, NULL, err));
    }
    return TN_OK;
}

typedef tn_rc (*parse_fn)(tn_project *p, const tn_source_file *f, tn_err *err);

static tn_rc parse_each(tn_project *p, const tn_source_files *files, parse_fn fn, tn_err *err)
{
    for (size_t i = 0; i < files->n; i++) {
        TN_TRY(fn(p, &files->v[i], err));
    }
    return TN_OK;
}

/* Entries of properties files that describe nothing. */
static void note_unused(tn_project *p)
{
    static const char *const keys[] = { "models", "seeds", "snapshots", "analyses", "functions",
        "data_tests" };
    for (size_t i = 0; i < p->state->patches.n; i++) {
        const tn_patch *e = p->state->patches.v[i];
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            if (!e->used && strcmp(e->key, keys[k]) == 0) {
                tn_project_note(p, "NoNodeForYamlKey", e->file, e->line,
                    "Did not find matching node for patch with name '" TN_STR_FMT
                    "' in the '%s' section of file '" TN_STR_FMT "'",
                    TN_STR_ARG(e->name), keys[k], TN_STR_ARG(e->file));
            }
        }
    }
}

tn_rc tn_parse_nodes(tn_project *p, tn_err *err)
{
    const tn_project_state *s = p->state;
    TN_TRY(parse_each(p, &s->sql_models, parse_model, err));
    TN_TRY(parse_each(p, &s->snapshots, parse_snapshot_file, err));
    for (size_t i = 0; i < s->patches.n; i++) {
        tn_patch *e = s->patches.v[i];
        if (strcmp(e->key, "snapshots") == 0 &&
            tn_dict_finds(e->entry, TN_STR("relation")) != NULL && !e->used) {
            TN_TRY(parse_yaml_snapshot(p, e, err));
        }
    }
    TN_TRY(parse_each(p, &s->seeds, parse_seed, err));
    TN_TRY(parse_each(p, &s->tests, parse_singular, err));
    TN_TRY(parse_each(p, &s->analyses, parse_analysis, err));
    TN_TRY(tn_parse_functions(p, err));
    TN_TRY(parse_inline(p, err));
    for (size_t i = 0; i < p->packages.n; i++) {
        TN_TRY(parse_run_hooks(
            p, p->packages.v[i], p->packages.v[i]->on_run_start, "on-run-start", err));
        TN_TRY(
            parse_run_hooks(p, p->packages.v[i], p->packages.v[i]->on_run_end, "on-run-end", err));
    }
    note_unused(p);
    return TN_OK;
}
