/* discover.c: which files a project has. Macro files are cut into blocks here, everything else is only read.
 *
 * Folders are listed sorted, so the order of nodes does not depend on the disk. A .dbtignore file (gitignore-like lines) takes files out.
 */
#include "base/res.h"
#include "os/file.h"
#include "project/deprecation.h"
#include "project/parse/parse_priv.h"
#include "text/glob.h"
#include "text/uri.h"

/* ---- ignoring ---- */

static tn_rc read_ignores(tn_project *p, const tn_package *g, tn_strs *ret, tn_err *err)
{
    tn_str file = tn_uri_join(p->arena, g->root, TN_STR(".dbtignore")), text;
    *ret = (tn_strs){ 0 };
    if (!tn_file_exists(file)) {
        return TN_OK;
    }
    TN_TRY(tn_file_read(p->arena, file, 1 << 20, &text, err));
    while (text.n > 0) {
        tn_str line;
        tn_str_cut(text, '\n', &line, &text);
        line = tn_str_trim(line);
        if (line.n > 0 && line.p[0] != '#') {
            tn_vec_push(ret, p->arena, line);
        }
    }
    return TN_OK;
}

/* A pattern without a slash matches any component; one with a slash is anchored at the package; one that ends with '/' means a folder. */
static bool ignored(tn_arena *a, const tn_strs *patterns, tn_str path)
{
    for (size_t i = 0; i < patterns->n; i++) {
        tn_str pat = patterns->v[i];
        bool dir = pat.p[pat.n - 1] == '/';
        pat = dir ? tn_str_sub(pat, 0, pat.n - 1) : pat;
        bool anchored = tn_str_find_char(pat, '/', 0) != SIZE_MAX;
        pat = pat.n > 0 && pat.p[0] == '/' ? tn_str_sub(pat, 1, pat.n) : pat;
        if (anchored) {
            if (tn_pathmatch(pat, path) ||
                tn_pathmatch(tn_str_printf(a, TN_STR_FMT "/**", TN_STR_ARG(pat)), path)) {
                return true;
            }
            continue;
        }
        tn_str rest = path, part;
        while (rest.n > 0) {
            tn_str_cut(rest, '/', &part, &rest);
            if ((!dir || rest.n > 0) && tn_fnmatch(pat, part)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- walking ---- */

typedef struct walk {
    tn_project *p;
    tn_package *pkg;
    tn_strs ignores;
} walk;

typedef tn_rc (*file_fn)(walk *w, const tn_source_file *f, tn_err *err);

/* Models, properties and docs blocks lie in the same folders: each is listed once. */
static tn_rc list_once(tn_project *p, tn_str root, const tn_file_infos **ret, tn_err *err)
{
    tn_file_infos *infos = tn_map_find(&p->state->listings, root);
    if (infos == NULL) {
        infos = tn_new(p->arena, tn_file_infos);
        TN_TRY(tn_dir_list(p->arena, root, true, infos, err));
        tn_map_put(&p->state->listings, root, infos);
    }
    *ret = infos;
    return TN_OK;
}

static tn_rc walk_dirs(walk *w, const tn_strs *dirs, file_fn fn, tn_err *err)
{
    tn_arena *a = w->p->arena;
    for (size_t i = 0; i < dirs->n; i++) {
        tn_str root = tn_uri_join(a, w->pkg->root, dirs->v[i]);
        if (!tn_file_is_dir(root)) {
            continue;
        }
        const tn_file_infos *infos;
        TN_TRY(list_once(w->p, root, &infos, err));
        for (size_t k = 0; k < infos->n; k++) {
            tn_source_file f = { .package = w->pkg,
                .dir = dirs->v[i],
                .rel = infos->v[k].name,
                .size = infos->v[k].size };
            if (infos->v[k].kind == TN_FILE_DIR) {
                continue;
            }
            f.original = tn_uri_join(a, dirs->v[i], f.rel);
            f.open = tn_uri_join(a, root, f.rel);
            if (!ignored(a, &w->ignores, f.original)) {
                TN_TRY(fn(w, &f, err));
            }
        }
    }
    return TN_OK;
}

static tn_rc read_text(walk *w, tn_source_file *f, tn_err *err)
{
    TN_TRY(tn_file_read(w->p->arena, f->open, TN_PROJECT_FILE_BYTES_MAX, &f->text, err));
    if (!tn_utf8_valid(f->text)) {
        tn_rc rc =
            tn_fail(err, TN_E_DATA, "'" TN_STR_FMT "' is not UTF-8", TN_STR_ARG(f->original));
        tn_err_place(err, tn_str_z(w->p->arena, f->open), 1, 1);
        return rc;
    }
    return TN_OK;
}

/* In any case: a.SQL is a model, too. */
static bool ends_in(tn_str path, const char *ext)
{
    tn_str wanted = tn_str_of(ext);
    return path.n >= wanted.n &&
           tn_str_eq_nocase(tn_str_sub(path, path.n - wanted.n, path.n), wanted);
}

static bool has_ext(const tn_source_file *f, const char *ext)
{
    return ends_in(f->rel, ext);
}

/* With the behaviour flag allow_jinja_file_extensions "x.sql.j2" is an "x.sql" whose ending tells editors what it is. */
static size_t jinja_ending(const tn_project *p, tn_str path)
{
    static const char *const endings[] = { ".j2", ".jinja2", ".jinja" };
    for (size_t i = 0; i < TN_COUNTOF(endings); i++) {
        if (tn_str_ends(path, tn_str_of(endings[i]))) {
            return tn_project_flag(p, "ALLOW_JINJA_FILE_EXTENSIONS", false) ? strlen(endings[i])
                                                                            : 0;
        }
    }
    return 0;
}

tn_str tn_source_stem(const tn_project *p, tn_str path)
{
    tn_str base = tn_path_base(path);
    return tn_path_stem(tn_str_sub(base, 0, base.n - jinja_ending(p, base)));
}

/* A template whose file may also have an ending of Jinja. */
static bool is_template(const walk *w, const tn_source_file *f, const char *ext)
{
    tn_str path = tn_str_sub(f->rel, 0, f->rel.n - jinja_ending(w->p, f->rel));
    return ends_in(path, ext);
}

static tn_rc add_read(walk *w, const tn_source_file *f, tn_source_files *list, tn_err *err)
{
    tn_source_file copy = *f;
    TN_TRY(read_text(w, &copy, err));
    tn_vec_push(list, w->p->arena, copy);
    return TN_OK;
}

static tn_rc take_model(walk *w, const tn_source_file *f, tn_err *err)
{
    return is_template(w, f, ".sql") || has_ext(f, ".py")
               ? add_read(w, f, &w->p->state->sql_models, err)
               : TN_OK;
}

static tn_rc take_snapshot(walk *w, const tn_source_file *f, tn_err *err)
{
    return is_template(w, f, ".sql") ? add_read(w, f, &w->p->state->snapshots, err) : TN_OK;
}

static tn_rc take_analysis(walk *w, const tn_source_file *f, tn_err *err)
{
    return is_template(w, f, ".sql") ? add_read(w, f, &w->p->state->analyses, err) : TN_OK;
}

static tn_rc take_function(walk *w, const tn_source_file *f, tn_err *err)
{
    return is_template(w, f, ".sql") || has_ext(f, ".py") || has_ext(f, ".js")
               ? add_read(w, f, &w->p->state->functions, err)
               : TN_OK;
}

static tn_rc take_seed(walk *w, const tn_source_file *f, tn_err *err)
{
    (void)err;
    if (has_ext(f, ".csv")) {
        tn_vec_push(&w->p->state->seeds, w->p->arena, *f);
    }
    return TN_OK;
}

/* ---- macros ---- */

static tn_rc double_macro(const tn_macro *a, const tn_macro *b, tn_err *err)
{
    return tn_fail(err, TN_E_COMPILE,
        "dbt found multiple macros named \"" TN_STR_FMT "\" in the project \"" TN_STR_FMT
        "\".\n\nAll macros require unique names, to fix this error rename or remove any "
        "duplicates.\nThey can be found in these files:\n\n    - " TN_STR_FMT
        "\n\n    - " TN_STR_FMT,
        TN_STR_ARG(a->name), TN_STR_ARG(a->package_name), TN_STR_ARG(b->path), TN_STR_ARG(a->path));
}

static tn_rc add_macros(
    tn_project *p, tn_package *pkg, tn_str text, tn_str path, tn_str file, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_jinja_blocks blocks = { 0 };
    tn_str body = tn_str_trim(text); /* as dbt reads files; the lines cut at the top still count */
    int line = 1;
    for (const char *c = text.p; c < body.p; c++) {
        line += *c == '\n';
    }
    const unsigned kinds = 1u << TN_BLOCK_MACRO | 1u << TN_BLOCK_TEST |
                           1u << TN_BLOCK_MATERIALIZATION | 1u << TN_BLOCK_STRAY;
    TN_TRY(tn_jinja_extract_kinds(
        a, body, (tn_jinja_src){ tn_str_z(a, file), line }, kinds, &blocks, err));
    tn_note_stray_tags(p, &blocks, path);
    for (size_t i = 0; i < blocks.n; i++) {
        const tn_jinja_block *b = &blocks.v[i];
        if (b->kind != TN_BLOCK_MACRO && b->kind != TN_BLOCK_TEST &&
            b->kind != TN_BLOCK_MATERIALIZATION) {
            continue;
        }
        tn_macro *m = tn_new(a, tn_macro);
        *m = (tn_macro){ .name = b->name,
            .package_name = pkg->name,
            .path = path,
            .file = file,
            .text = b->full,
            .line = b->line,
            .meta = TN_VAL_NONE,
            .docs = TN_VAL_NONE,
            .arguments = TN_VAL_NONE };
        m->unique_id = tn_str_printf(
            a, "macro." TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(pkg->name), TN_STR_ARG(b->name));
        m->code = tn_new(a, struct tn_macro_code);
        m->code->args = b->args;
        m->code->kind = b->kind;
        const tn_macro *old = tn_map_find(&pkg->macros, m->name);
        if (old != NULL) {
            tn_err_place(err, tn_str_z(a, file), b->line, 1);
            return double_macro(old, m, err);
        }
        tn_map_put(&pkg->macros, m->name, m);
        tn_map_put(&p->macro_by_id, m->unique_id, m);
        tn_vec_push(&p->macros, a, m);
    }
    return TN_OK;
}

static tn_rc take_macro(walk *w, const tn_source_file *f, tn_err *err)
{
    if (!is_template(w, f, ".sql")) {
        return TN_OK;
    }
    tn_source_file copy = *f;
    TN_TRY(read_text(w, &copy, err));
    return add_macros(w->p, w->pkg, copy.text, f->original, f->open, err);
}

static tn_rc add_fixture(walk *w, const tn_source_file *f, tn_err *err)
{
    tn_map *all = &w->p->state->fixtures;
    tn_str name = tn_path_stem(tn_path_base(f->rel));
    tn_str id = tn_str_printf(
        w->p->arena, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(w->pkg->name), TN_STR_ARG(name));
    const tn_source_file *old = tn_map_find(all, id);
    if (old != NULL) {
        return tn_fail(err, TN_E_COMPILE,
            "dbt found two fixtures with the name \"" TN_STR_FMT
            "\".\n\nSince these resources have the same name, dbt will be unable to find the "
            "correct resource\nwhen looking for " TN_STR_FMT
            ".\n\nTo fix this, change the name of one of these resources:\n"
            "- fixture." TN_STR_FMT " (" TN_STR_FMT ")\n- fixture." TN_STR_FMT " (" TN_STR_FMT ")",
            TN_STR_ARG(name), TN_STR_ARG(name), TN_STR_ARG(id), TN_STR_ARG(f->original),
            TN_STR_ARG(id), TN_STR_ARG(old->original));
    }
    tn_source_file *copy = tn_new(w->p->arena, tn_source_file);
    *copy = *f;
    tn_map_put(all, id, copy);
    return TN_OK;
}

/* Below a test folder: tests/generic/ holds generic tests (macros), tests/fixtures/ data; the rest are singular tests. */
static tn_rc take_test(walk *w, const tn_source_file *f, tn_err *err)
{
    if (tn_str_starts(f->rel, TN_STR("fixtures/"))) {
        return has_ext(f, ".csv") || has_ext(f, ".sql") ? add_fixture(w, f, err) : TN_OK;
    }
    if (!is_template(w, f, ".sql")) {
        return TN_OK;
    }
    return tn_str_starts(f->rel, TN_STR("generic/")) ? take_macro(w, f, err)
                                                     : add_read(w, f, &w->p->state->tests, err);
}

static tn_rc add_builtin_macros(tn_project *p, tn_err *err)
{
    for (size_t i = 0; i < tn_res_count(); i++) {
        tn_str name = tn_str_of(tn_res_at(i)->name), rest, package, path;
        if (!tn_str_starts(name, TN_STR("macros/")) || !tn_str_ends(name, TN_STR(".sql"))) {
            continue;
        }
        rest = tn_str_sub(name, 7, name.n);
        tn_str_cut(rest, '/', &package, &path);
        tn_package *pkg = tn_project_package(p, package);
        if (pkg == NULL || !pkg->builtin) {
            continue;
        }
        path = tn_str_printf(p->arena, "macros/" TN_STR_FMT, TN_STR_ARG(path));
        TN_TRY(add_macros(p, pkg, tn_res_find(name), path, name, err));
    }
    return TN_OK;
}

/* ---- docs ---- */

static tn_rc take_doc(walk *w, const tn_source_file *f, tn_err *err)
{
    tn_project *p = w->p;
    tn_arena *a = p->arena;
    if (!is_template(w, f, ".md")) {
        return TN_OK;
    }
    tn_source_file copy = *f;
    TN_TRY(read_text(w, &copy, err));
    tn_jinja_blocks blocks = { 0 };
    TN_TRY(tn_jinja_extract_kinds(a, copy.text, (tn_jinja_src){ tn_str_z(a, f->open), 1 },
        1u << TN_BLOCK_DOCS, &blocks, err));
    for (size_t i = 0; i < blocks.n; i++) {
        if (blocks.v[i].kind != TN_BLOCK_DOCS) {
            continue;
        }
        tn_doc *d = tn_new(a, tn_doc);
        *d = (tn_doc){ .name = blocks.v[i].name,
            .package_name = w->pkg->name,
            .path = f->rel,
            .original_file_path = f->original,
            .contents = tn_str_trim(blocks.v[i].contents) };
        d->unique_id = tn_str_printf(
            a, "doc." TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(w->pkg->name), TN_STR_ARG(d->name));
        tn_str key = tn_str_sub(d->unique_id, 4, d->unique_id.n);
        if (tn_map_find(&p->docs, key) != NULL) {
            tn_rc rc = tn_fail(err, TN_E_COMPILE,
                "dbt found two docs with the name \"" TN_STR_FMT "\"", TN_STR_ARG(d->name));
            tn_err_place(err, tn_str_z(a, f->open), blocks.v[i].line, 1);
            return rc;
        }
        tn_map_put(&p->docs, key, d);
    }
    return TN_OK;
}

static tn_rc take_yaml(walk *w, const tn_source_file *f, tn_err *err)
{
    tn_source_files *list = &w->p->state->yamls;
    if (!has_ext(f, ".yml") && !has_ext(f, ".yaml")) {
        return TN_OK;
    }
    for (size_t i = 0; i < list->n; i++) {
        if (tn_str_eq(list->v[i].open, f->open)) {
            return TN_OK;
        }
    }
    TN_TRY(add_read(w, f, list, err));
    /* dbt strips files; a folded text at the end of one has no newline then. */
    tn_source_file *last = &tn_vec_last(list);
    while (last->text.n > 0 && strchr(" \t\r\n", last->text.p[last->text.n - 1]) != NULL) {
        last->text.n--;
    }
    return TN_OK;
}

static tn_rc discover_package(tn_project *p, tn_package *g, tn_err *err)
{
    walk w = { .p = p, .pkg = g };
    TN_TRY(read_ignores(p, g, &w.ignores, err));
    TN_TRY(walk_dirs(&w, &g->macro_paths, take_macro, err));
    TN_TRY(walk_dirs(&w, &g->test_paths, take_test, err));
    TN_TRY(walk_dirs(&w, &g->model_paths, take_model, err));
    TN_TRY(walk_dirs(&w, &g->snapshot_paths, take_snapshot, err));
    TN_TRY(walk_dirs(&w, &g->seed_paths, take_seed, err));
    TN_TRY(walk_dirs(&w, &g->analysis_paths, take_analysis, err));
    TN_TRY(walk_dirs(&w, &g->function_paths, take_function, err));
    TN_TRY(walk_dirs(&w, &g->docs_paths, take_doc, err));
    tn_strs yaml = { 0 };
    const tn_strs *const each[] = { &g->model_paths, &g->seed_paths, &g->snapshot_paths,
        &g->analysis_paths, &g->macro_paths, &g->test_paths, &g->function_paths };
    for (size_t i = 0; i < TN_COUNTOF(each); i++) {
        for (size_t k = 0; k < each[i]->n; k++) {
            tn_strs_add_new(&yaml, p->arena, each[i]->v[k]);
        }
    }
    return walk_dirs(&w, &yaml, take_yaml, err);
}

tn_rc tn_discover(tn_project *p, tn_err *err)
{
    TN_TRY(add_builtin_macros(p, err));
    for (size_t i = 0; i < p->packages.n; i++) {
        if (!p->packages.v[i]->builtin) {
            TN_TRY(discover_package(p, p->packages.v[i], err));
        }
    }
    return TN_OK;
}
