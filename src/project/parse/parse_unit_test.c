/* parse_unit_test.c: unit tests of models: what they give and expect becomes rows when the project is loaded, so that the manifest and state:modified
 * see the content of fixture files, too.
 *
 *   {name, model, given: [{input, rows | fixture, format: dict | csv | sql}], expect: {...}, overrides, versions: {include | exclude: [...]}}
 *
 * One entry is one node, or one for each version of a versioned model (unique_id ends in _vN). The words of errors are dbt's.
 */
#include "os/file.h"
#include "project/parse/parse_priv.h"
#include "text/csv.h"

typedef struct unit_entry {
    tn_project *p;
    const tn_patch *patch;
    tn_val entry;
} unit_entry;

static tn_rc refuse(const unit_entry *u, const char *path, const char *why, tn_err *err)
{
    tn_arena *a = u->p->arena;
    return tn_fail(err, TN_E_PARSE,
        "Invalid unit_tests config given in " TN_STR_FMT " @ unit_tests: " TN_STR_FMT " - %s%s",
        TN_STR_ARG(u->patch->file), TN_STR_ARG(tn_val_to_repr(a, u->entry)), path, why);
}

/* ---- rows ---- */

/* Records of a csv text as dicts of texts; an empty cell is `empty`. */
static tn_rc csv_rows(tn_arena *a, tn_str text, tn_val empty, tn_val *ret, tn_err *err)
{
    tn_csv csv = tn_csv_init(tn_str_trim(text), ',');
    tn_str *names = NULL, *fields = NULL;
    size_t cols = 0, n = 0;
    *ret = tn_val_list(a);
    TN_TRY(tn_csv_next(&csv, a, &names, &cols, err));
    while (cols != SIZE_MAX) {
        TN_TRY(tn_csv_next(&csv, a, &fields, &n, err));
        if (n == SIZE_MAX) {
            break;
        }
        tn_val row = tn_val_dict(a);
        for (size_t i = 0; i < cols; i++) {
            tn_dict_puts(row.dict, tn_str_trim(names[i]),
                i >= n             ? TN_VAL_NONE
                : fields[i].n == 0 ? empty
                                   : tn_val_str(fields[i]));
        }
        tn_list_push(ret->list, row);
    }
    return TN_OK;
}

static tn_rc read_fixture(
    const unit_entry *u, tn_str name, bool *ret_csv, tn_str *ret_text, tn_err *err)
{
    tn_arena *a = u->p->arena;
    const tn_source_file *f = tn_map_find(
        &u->p->state->fixtures, tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                                    TN_STR_ARG(u->patch->package->name), TN_STR_ARG(name)));
    if (f != NULL) {
        *ret_csv = tn_str_ends(f->rel, TN_STR(".csv"));
        return tn_file_read(a, f->open, TN_PROJECT_FILE_BYTES_MAX, ret_text, err);
    }
    return tn_fail(err, TN_E_PARSE,
        "File not found for fixture '" TN_STR_FMT "' in unit tests in " TN_STR_FMT,
        TN_STR_ARG(name), TN_STR_ARG(u->patch->file));
}

/* An input without rows is a seed: its file's. */
static tn_rc seed_rows(const unit_entry *u, tn_str input, tn_val *ret, tn_err *err)
{
    tn_project *p = u->p;
    tn_arena *a = p->arena;
    tn_package *own = u->patch->package;
    tn_unit_input in;
    TN_TRY(tn_unit_input_read(p, a, input, &in, err));
    tn_str package = in.ref.package.n > 0 ? in.ref.package : own->name, text;
    const tn_node *seed =
        in.is_ref ? tn_project_find_ref(p, own->name, package, in.ref.name, TN_VAL_UNDEF, NULL)
                  : NULL;
    if (seed != NULL && seed->kind == TN_NODE_SEED) {
        TN_TRY(tn_file_read(a, seed->file, TN_PROJECT_FILE_BYTES_MAX, &text, err));
        return csv_rows(a, text, tn_val_z(""), ret, err);
    }
    tn_str where = tn_str_eq(package, own->name)
                       ? tn_str_printf(a, "directories: " TN_STR_FMT,
                             TN_STR_ARG(tn_val_to_repr(a, tn_strs_list(a, &own->seed_paths))))
                       : tn_str_printf(a, "'" TN_STR_FMT "' package", TN_STR_ARG(package));
    return tn_fail(err, TN_E_PARSE,
        "Unable to find seed '" TN_STR_FMT "." TN_STR_FMT "' for unit tests in " TN_STR_FMT,
        TN_STR_ARG(package), TN_STR_ARG(in.is_ref ? in.ref.name : input), TN_STR_ARG(where));
}

static bool is_whole(tn_val row)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (row.tag == TN_DICT && (it = tn_dict_next(row.dict, &at)) != NULL) {
        if (tn_val_is_none(it->value)) {
            return false;
        }
    }
    return row.tag == TN_DICT;
}

/* The first row without a NULL comes first: some databases take a column's type from it. */
static void promote_whole_row(tn_list *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (is_whole(rows->v[i])) {
            tn_val first = rows->v[0];
            rows->v[0] = rows->v[i];
            rows->v[i] = first;
            return;
        }
    }
}

static tn_rc not_of_format(
    const unit_entry *u, const char *kind, const char *what, const char *format, tn_err *err)
{
    return tn_fail(err, TN_E_PARSE,
        "Unit test " TN_STR_FMT " has %s rows%s which do not match format %s%s",
        TN_STR_ARG(u->patch->name), kind, what, format, *what != '\0' ? ".  Expected string." : "");
}

/* Texts of csv and sql, from the entry or a fixture file. */
static tn_rc text_rows(const unit_entry *u, tn_dict *d, const char *kind, bool csv, tn_err *err)
{
    tn_val *rows = tn_dict_finds(d, TN_STR("rows")), *fixture = tn_dict_finds(d, TN_STR("fixture"));
    bool is_file = fixture != NULL && tn_val_is_str(*fixture);
    if (!is_file && (rows == NULL || !tn_val_is_str(*rows))) {
        return not_of_format(u, kind, " or fixtures", csv ? "csv" : "sql", err);
    }
    tn_str text = is_file ? TN_STR_NONE : tn_val_as_str(*rows);
    bool csv_file = csv;
    if (is_file && tn_val_as_str(*fixture).n > 0) {
        TN_TRY(read_fixture(u, tn_val_as_str(*fixture), &csv_file, &text, err));
    }
    tn_val made = tn_val_str(tn_str_trim(text));
    if (csv && csv_file) {
        TN_TRY(csv_rows(u->p->arena, text, TN_VAL_NONE, &made, err));
    }
    tn_dict_putz(d, "rows", made);
    return TN_OK;
}

/* given or expect as dbt keeps it: rows, format, fixture; rows of dict and csv are lists of dicts. */
static tn_rc settle_rows(
    const unit_entry *u, tn_val raw, const char *kind, tn_val *ret, tn_err *err)
{
    tn_arena *a = u->p->arena;
    tn_val out = tn_val_dup(a, raw);
    tn_str format = tn_val_str_at(raw, "format", TN_STR("dict"));
    static const char *const keys[] = { "rows", "fixture" };
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        if (tn_dict_finds(out.dict, tn_str_of(keys[i])) == NULL) {
            tn_dict_putz(out.dict, keys[i], TN_VAL_NONE);
        }
    }
    tn_dict_putz(out.dict, "format", tn_val_str(format));
    if (tn_str_is(format, "dict")) {
        tn_val rows = tn_val_at(out, "rows");
        if (tn_val_is_none(rows) && tn_val_is_none(tn_val_at(out, "fixture")) &&
            strcmp(kind, "input") == 0) {
            TN_TRY(seed_rows(u, tn_val_str_at(raw, "input", TN_STR_NONE), &rows, err));
            tn_dict_putz(out.dict, "rows", rows);
        }
        if (rows.tag != TN_LIST) {
            return not_of_format(u, kind, "", "dict", err);
        }
    } else {
        TN_TRY(text_rows(u, out.dict, kind, tn_str_is(format, "csv"), err));
    }
    tn_val rows = tn_val_at(out, "rows");
    if (rows.tag == TN_LIST && rows.list->n > 0) {
        promote_whole_row(rows.list);
    }
    *ret = out;
    return TN_OK;
}

/* ---- shape ---- */

static tn_rc check_format(const unit_entry *u, tn_val fixture, const char *path, tn_err *err)
{
    tn_val format = tn_val_at(fixture, "format");
    tn_str name = tn_val_as_str(format);
    if (tn_val_is_undef(format) || tn_str_is(name, "dict") || tn_str_is(name, "csv") ||
        tn_str_is(name, "sql")) {
        return TN_OK;
    }
    return refuse(u, path,
        tn_str_printf(u->p->arena,
            "['format']: " TN_STR_FMT " is not valid under any of the given schemas",
            TN_STR_ARG(tn_val_to_repr(u->p->arena, format)))
            .p,
        err);
}

static tn_rc check_shape(const unit_entry *u, tn_err *err)
{
    static const char *const needed[] = { "model", "given", "expect" };
    for (size_t i = 0; i < TN_COUNTOF(needed); i++) {
        if (tn_val_is_undef(tn_val_at(u->entry, needed[i]))) {
            return refuse(u, "at path []: ",
                tn_str_printf(u->p->arena, "'%s' is a required property", needed[i]).p, err);
        }
    }
    tn_val given = tn_val_at(u->entry, "given"), versions = tn_val_at(u->entry, "versions");
    if (given.tag != TN_LIST) {
        return refuse(u, "at path ['given']: ", "it is not of type 'array'", err);
    }
    for (size_t i = 0; i < given.list->n; i++) {
        if (given.list->v[i].tag != TN_DICT) {
            return refuse(u, "at path ['given']: ", "an entry is not of type 'object'", err);
        }
        tn_str path = tn_str_printf(u->p->arena, "at path ['given'][%zu]", i);
        TN_TRY(check_format(u, given.list->v[i], path.p, err));
    }
    if (tn_val_at(u->entry, "expect").tag != TN_DICT) {
        return refuse(u, "at path ['expect']: ", "it is not of type 'object'", err);
    }
    TN_TRY(check_format(u, tn_val_at(u->entry, "expect"), "at path ['expect']", err));
    if (tn_val_truthy(tn_val_at(versions, "include")) &&
        tn_val_truthy(tn_val_at(versions, "exclude"))) {
        return refuse(u, "", "Unit tests can not both include and exclude versions.", err);
    }
    return TN_OK;
}

/* What the node keeps: the entry with settled rows. */
static tn_rc settle(const unit_entry *u, tn_val *ret, tn_err *err)
{
    tn_arena *a = u->p->arena;
    tn_val given = tn_val_at(u->entry, "given"), rows = tn_val_list(a), one;
    *ret = tn_val_dict(a);
    tn_value_put_all(ret->dict, u->entry);
    for (size_t i = 0; i < given.list->n; i++) {
        TN_TRY(settle_rows(u, given.list->v[i], "input", &one, err));
        tn_list_push(rows.list, one);
    }
    tn_dict_putz(ret->dict, "given", rows);
    TN_TRY(settle_rows(u, tn_val_at(u->entry, "expect"), "expected", &one, err));
    tn_dict_putz(ret->dict, "expect", one);
    return TN_OK;
}

/* ---- the model ---- */

static tn_rc find_model(const unit_entry *u, tn_node **ret, bool *ret_disabled, tn_err *err)
{
    tn_str model = tn_val_str_at(u->entry, "model", TN_STR_NONE), name, version;
    tn_str package = u->patch->package->name;
    bool versioned = tn_str_cut(tn_str_trim(model), ' ', &name, &version);
    tn_node *off = NULL;
    *ret = tn_project_find_ref(u->p, package, package, name,
        versioned ? tn_val_str(tn_str_trim(version)) : TN_VAL_UNDEF, &off);
    *ret_disabled = *ret == NULL && off != NULL;
    *ret = *ret != NULL ? *ret : off;
    if (*ret == NULL || (*ret)->kind != TN_NODE_MODEL) {
        return tn_fail(err, TN_E_PARSE,
            "Unable to find model '" TN_STR_FMT "." TN_STR_FMT "' for unit test '" TN_STR_FMT
            "' in " TN_STR_FMT,
            TN_STR_ARG(package), TN_STR_ARG(model), TN_STR_ARG(u->patch->name),
            TN_STR_ARG(u->patch->file));
    }
    return TN_OK;
}

/* Which branch of is_incremental() is tested must be said, and the incremental one reads `this`. */
static tn_rc check_incremental(const unit_entry *u, const tn_node *model, tn_err *err)
{
    tn_val given = tn_val_at(u->entry, "given");
    tn_val said =
        tn_val_at(tn_val_at(tn_val_at(u->entry, "overrides"), "macros"), "is_incremental");
    if (!tn_strs_has(&model->macros, TN_STR("macro.dbt.is_incremental"))) {
        return TN_OK;
    }
    if (said.tag != TN_BOOL) {
        return tn_fail(err, TN_E_PARSE,
            "Boolean override for 'is_incremental' must be provided for unit test '" TN_STR_FMT
            "' in model '" TN_STR_FMT "'",
            TN_STR_ARG(u->patch->name), TN_STR_ARG(model->name));
    }
    bool has_this = said.i == 0;
    for (size_t i = 0; !has_this && i < given.list->n; i++) {
        has_this = tn_str_is(tn_val_str_at(given.list->v[i], "input", TN_STR_NONE), "this");
    }
    return has_this ? TN_OK
                    : tn_fail(err, TN_E_PARSE,
                          "Unit test '" TN_STR_FMT "' for incremental model '" TN_STR_FMT
                          "' must have a 'this' input",
                          TN_STR_ARG(u->patch->name), TN_STR_ARG(model->name));
}

static bool is_listed(tn_val list, tn_val version)
{
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        if (tn_val_eq(list.list->v[i], version)) {
            return true;
        }
    }
    return false;
}

/* The versions of the model that the test is for. */
static tn_rc choose_versions(const unit_entry *u, const tn_node *model, tn_nodes *ret, tn_err *err)
{
    tn_val versions = tn_val_at(u->entry, "versions"), in = tn_val_at(versions, "include"),
           out = tn_val_at(versions, "exclude");
    bool all = versions.tag != TN_DICT;
    const tn_nodes *named = tn_map_find(&u->p->state->ref_index, model->name);
    for (size_t i = 0; named != NULL && i < named->n; i++) {
        tn_node *n = named->v[i];
        if (n->kind == TN_NODE_MODEL && tn_str_eq(n->package_name, model->package_name) &&
            !tn_val_is_none(n->version) &&
            (all ||
                (tn_val_truthy(out) ? !is_listed(out, n->version) : is_listed(in, n->version)))) {
            tn_vec_push(ret, u->p->arena, n);
        }
    }
    return ret->n > 0 ? TN_OK
                      : tn_fail(err, TN_E_PARSE,
                            "Unit test '" TN_STR_FMT "' referenced a version of '" TN_STR_FMT
                            "' which was not found.",
                            TN_STR_ARG(u->patch->name), TN_STR_ARG(model->name));
}

static tn_node *copy_for(tn_project *p, const tn_node *test, const tn_node *model)
{
    tn_node *n = tn_new(p->arena, tn_node);
    *n = *test;
    n->refs = (tn_refs){ 0 };
    tn_ref ref = { .package = model->package_name,
        .name = model->name,
        .version = tn_val_is_none(model->version) ? TN_VAL_UNDEF : model->version };
    tn_vec_push(&n->refs, p->arena, ref);
    if (!tn_val_is_none(model->version)) {
        n->version = model->version;
        n->unique_id = tn_str_printf(p->arena, TN_STR_FMT "_v" TN_STR_FMT,
            TN_STR_ARG(test->unique_id), TN_STR_ARG(tn_val_to_str(p->arena, model->version)));
    }
    return n;
}

tn_rc tn_unit_test_add(tn_project *p, tn_node *n, const tn_patch *patch, tn_err *err)
{
    unit_entry u = { p, patch, { .tag = TN_DICT, .dict = patch->entry } };
    tn_node *model;
    bool off;
    TN_TRY(check_shape(&u, err));
    TN_TRY(settle(&u, &n->extra, err));
    TN_TRY(find_model(&u, &model, &off, err));
    if (off || !n->enabled) {
        n->enabled = false;
        return tn_node_add(p, n, err);
    }
    TN_TRY(check_incremental(&u, model, err));
    tn_val versions = tn_val_at(u.entry, "versions");
    if (tn_val_is_none(model->version)) {
        if (tn_val_truthy(tn_val_at(versions, "include")) ||
            tn_val_truthy(tn_val_at(versions, "exclude"))) {
            return tn_fail(err, TN_E_PARSE,
                "Unit test '" TN_STR_FMT
                "' should not have a versions include or exclude when referencing non-versioned "
                "model '" TN_STR_FMT "'",
                TN_STR_ARG(n->name), TN_STR_ARG(model->name));
        }
        return tn_node_add(p, copy_for(p, n, model), err);
    }
    tn_nodes models = { 0 };
    TN_TRY(choose_versions(&u, model, &models, err));
    for (size_t i = 0; i < models.n; i++) {
        TN_TRY(tn_node_add(p, copy_for(p, n, models.v[i]), err));
    }
    return TN_OK;
}

/* ---- inputs ---- */

tn_rc tn_unit_input_read(tn_project *p, tn_arena *a, tn_str input, tn_unit_input *ret, tn_err *err)
{
    tn_str text = tn_str_printf(a, "{{ " TN_STR_FMT " }}", TN_STR_ARG(input));
    tn_jinja_src src = { .file = "input" };
    tn_jinja_tmpl *t;
    tn_jinja_static_calls calls = { 0 };
    tn_strs names = { 0 };
    *ret = (tn_unit_input){ .ref.version = TN_VAL_UNDEF };
    bool read = tn_jinja_parse(p->state->parse_env, a, text, src, &t, NULL) == TN_OK &&
                tn_jinja_scan(a, t, &calls, &names, NULL) == TN_OK && calls.n == 1 &&
                calls.v[0].literal && calls.v[0].args.tag == TN_LIST;
    if (read && tn_str_is(calls.v[0].name, "ref")) {
        ret->is_ref = tn_static_ref(a, &calls.v[0], &ret->ref);
    } else if (read && tn_str_is(calls.v[0].name, "source")) {
        ret->is_source = tn_static_source(a, &calls.v[0], &ret->source);
    }
    return ret->is_ref || ret->is_source
               ? TN_OK
               : tn_fail(err, TN_E_PARSE,
                     "Unit test given inputs must be either a 'ref', 'source' or 'this' call. Got: "
                     "'" TN_STR_FMT "'.",
                     TN_STR_ARG(input));
}

tn_node *tn_unit_input_find(tn_project *p, const tn_node *test, const tn_unit_input *in)
{
    return in->is_ref ? tn_project_find_ref(p, test->package_name, in->ref.package, in->ref.name,
                            in->ref.version, NULL)
                      : tn_project_find_source(
                            p, test->package_name, in->source.source, in->source.table, NULL);
}
