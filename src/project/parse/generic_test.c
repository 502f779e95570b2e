/* generic_test.c: tests named in properties files: from {not_null: ...} to nodes, with dbt's names, ids and raw code.
 *
 * Name: [source_][package_]test_target_args: argument values of sorted keys, everything but [0-9a-zA-Z_] as '_', joined with "__". 64 characters
 * or more: the alias becomes the first 30 of "[...]test_target" and the md5 of the whole. unique_id ends in 10 digits of the md5 of name and metadata.
 */
#include "project/parse/generic_test.h"
#include "text/hash.h"
#include "text/uri.h"

enum { TEST_NAME_MAX = 63, TEST_TRUNCATED = 30, TEST_HASH_DIGITS = 10 };

/* ---- names ---- */

static void clean_to(tn_buf *b, tn_str s)
{
    bool gap = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (good) {
            tn_buf_addc(b, c);
        } else if (!gap) {
            tn_buf_addc(b, '_');
        }
        gap = !good;
    }
}

static void add_part(const tn_test_builder *b, tn_buf *out, bool *first, tn_val v)
{
    if (!*first) {
        tn_buf_addz(out, "__");
    }
    *first = false;
    clean_to(out, tn_val_is_str(v) ? tn_val_as_str(v) : tn_val_to_str(b->p->arena, v));
}

static int key_cmp(const void *x, const void *y)
{
    return tn_str_cmp(tn_val_as_str((*(const tn_dict_item *const *)x)->key),
        tn_val_as_str((*(const tn_dict_item *const *)y)->key));
}

static const tn_dict_item **sorted_items(tn_arena *a, const tn_dict *d, size_t *ret_n)
{
    const tn_dict_item **items = tn_new_array(a, const tn_dict_item *, d->live + 1);
    size_t n = 0, at = 0;
    while ((items[n] = tn_dict_next(d, &at)) != NULL) {
        n++;
    }
    qsort(items, n, sizeof *items, key_cmp);
    *ret_n = n;
    return items;
}

static void args_to_name(const tn_test_builder *b, tn_buf *out)
{
    size_t n;
    const tn_dict_item **items = sorted_items(b->p->arena, b->args, &n);
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        tn_val v = items[i]->value;
        size_t at = 0;
        const tn_dict_item *it;
        if (tn_str_is(tn_val_as_str(items[i]->key), "model")) {
            continue;
        }
        if (v.tag == TN_DICT) {
            while ((it = tn_dict_next(v.dict, &at)) != NULL) {
                add_part(b, out, &first, it->value);
            }
        } else if (tn_val_is_seq(v)) {
            for (size_t k = 0; k < v.list->n; k++) {
                add_part(b, out, &first, v.list->v[k]);
            }
        } else {
            add_part(b, out, &first, v);
        }
    }
}

static void make_names(tn_test_builder *b)
{
    tn_arena *a = b->p->arena;
    if (b->given_name.n > 0) {
        b->short_name = b->full_name = b->given_name;
        return;
    }
    const tn_test_target *t = b->on;
    tn_buf id = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (b->namespace.n > 0) {
        tn_buf_addf(&id, TN_STR_FMT "_", TN_STR_ARG(b->namespace));
    }
    tn_buf_addf(&id, "%s" TN_STR_FMT "_", t->source.n > 0 ? "source_" : "", TN_STR_ARG(b->name));
    if (t->source.n > 0) {
        tn_buf_addf(&id, TN_STR_FMT "_", TN_STR_ARG(t->source));
    }
    tn_buf_add(&id, t->name);
    if (!tn_val_is_undef(t->version)) {
        tn_buf_addf(&id, "_v" TN_STR_FMT, TN_STR_ARG(tn_val_to_str(a, t->version)));
    }
    tn_str head = tn_str_dup(a, tn_buf_str(&id));
    tn_buf_addc(&id, '_');
    args_to_name(b, &id);
    b->full_name = tn_buf_str(&id);
    b->short_name = b->full_name;
    if (tn_utf8_len(b->full_name) > TEST_NAME_MAX) {
        b->short_name = tn_str_printf(a, TN_STR_FMT "_" TN_STR_FMT,
            TN_STR_ARG(tn_str_sub(head, 0, tn_utf8_offset(head, TEST_TRUNCATED))),
            TN_STR_ARG(tn_md5_hex(a, b->full_name)));
        if (tn_dict_finds(b->config, TN_STR("alias")) == NULL) {
            tn_dict_putz(b->config, "alias", tn_val_str(b->short_name));
        }
    }
}

/* Sorted dicts, texts for everything that is no container: what dbt hashes. */
static tn_val hashable(tn_arena *a, tn_val v)
{
    if (v.tag == TN_DICT) {
        size_t n;
        const tn_dict_item **items = sorted_items(a, v.dict, &n);
        tn_val out = tn_val_dict(a);
        for (size_t i = 0; i < n; i++) {
            tn_dict_put(out.dict, items[i]->key, hashable(a, items[i]->value));
        }
        return out;
    }
    if (v.tag == TN_LIST) {
        tn_val out = tn_val_list(a);
        for (size_t i = 0; i < v.list->n; i++) {
            tn_list_push(out.list, hashable(a, v.list->v[i]));
        }
        return out;
    }
    return tn_val_is_str(v) ? v : tn_val_str(tn_val_to_str(a, v));
}

static tn_str unique_id(const tn_test_builder *b)
{
    tn_arena *a = b->p->arena;
    tn_val meta = tn_val_dict(a);
    tn_dict_putz(meta.dict, "kwargs", hashable(a, (tn_val){ .tag = TN_DICT, .dict = b->args }));
    tn_dict_putz(meta.dict, "name", tn_val_str(b->name));
    tn_dict_putz(
        meta.dict, "namespace", tn_val_str(b->namespace.n > 0 ? b->namespace : TN_STR("None")));
    tn_str text = tn_str_concat(a, b->full_name, tn_val_to_repr(a, meta));
    tn_str md5 = tn_md5_hex(a, text);
    return tn_str_printf(a, "test." TN_STR_FMT "." TN_STR_FMT "." TN_STR_FMT,
        TN_STR_ARG(b->on->patch->package->name), TN_STR_ARG(b->full_name),
        TN_STR_ARG(tn_str_sub(md5, md5.n - TEST_HASH_DIGITS, md5.n)));
}

static tn_str raw_code(const tn_test_builder *b)
{
    tn_buf out = tn_buf_init(b->p->arena, TN_BUF_NO_LIMIT);
    tn_buf_addz(&out, "{{ ");
    if (b->namespace.n > 0) {
        tn_buf_addf(&out, TN_STR_FMT ".", TN_STR_ARG(b->namespace));
    }
    tn_buf_addf(&out, "test_" TN_STR_FMT "(**_dbt_generic_test_kwargs) }}", TN_STR_ARG(b->name));
    if (b->config->live > 0) {
        tn_buf_addz(&out, "{{ config(");
        size_t at = 0, n = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(b->config, &at)) != NULL) {
            tn_buf_addf(
                &out, "%s" TN_STR_FMT "=", n++ > 0 ? "," : "", TN_STR_ARG(tn_val_as_str(it->key)));
            if (tn_val_is_str(it->value)) {
                tn_str esc = tn_str_replace(
                    b->p->arena, tn_val_as_str(it->value), TN_STR("\""), TN_STR("\\\""));
                tn_buf_addf(&out, "\"" TN_STR_FMT "\"", TN_STR_ARG(esc));
            } else {
                tn_val_str_to(&out, it->value);
            }
        }
        tn_buf_addz(&out, ") }}");
    }
    return tn_buf_str(&out);
}

/* ---- nodes ---- */

static void depend_on_target(const tn_test_builder *b, tn_node *n)
{
    tn_arena *a = b->p->arena;
    if (b->on->source.n > 0) {
        tn_source_ref s = { b->on->source, b->on->name };
        tn_vec_push(&n->sources, a, s);
    } else {
        tn_ref r = { .name = b->on->name, .version = b->on->version };
        tn_vec_push(&n->refs, a, r);
    }
}

/* ref('x') as a whole argument, as relationships has it, without the interpreter. */
static bool simple_ref(tn_str s, tn_str *ret)
{
    s = tn_str_trim(s);
    if (!tn_str_starts(s, TN_STR("ref('")) && !tn_str_starts(s, TN_STR("ref(\""))) {
        return false;
    }
    char quote = s.p[4];
    size_t end = tn_str_find_char(s, quote, 5);
    if (end == SIZE_MAX || !tn_str_is(tn_str_trim(tn_str_sub(s, end + 1, s.n)), ")")) {
        return false;
    }
    *ret = tn_str_sub(s, 5, end);
    return true;
}

/* accepted_values and relationships of dbt itself need no rendering when their arguments are plain. */
static bool parse_quickly(tn_test_builder *b, tn_node *n, const tn_macro *m)
{
    bool values = tn_str_is(m->name, "test_accepted_values"),
         relation = tn_str_is(m->name, "test_relationships");
    const tn_package *pkg = tn_project_package(b->p, m->package_name);
    if (!pkg->builtin || (!values && !relation) ||
        !tn_project_find_macro(b->p, n->package_name, TN_STR("get_where_subquery"))) {
        return false;
    }
    tn_str to = TN_STR_NONE;
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(b->args, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (tn_str_is(key, "model") || tn_str_is(key, "column_name")) {
            continue;
        }
        tn_str text = tn_val_is_str(it->value) ? tn_val_as_str(it->value) : TN_STR_NONE;
        if (relation && tn_str_is(key, "to")) {
            if (!simple_ref(text, &to)) {
                return false;
            }
        } else if (tn_text_has_jinja(text) || tn_str_find_char(text, '(', 0) != SIZE_MAX) {
            return false;
        } else if (it->value.tag == TN_LIST) {
            for (size_t i = 0; i < it->value.list->n; i++) {
                if (tn_str_find_char(tn_val_as_str(it->value.list->v[i]), '(', 0) != SIZE_MAX ||
                    tn_text_has_jinja(tn_val_as_str(it->value.list->v[i]))) {
                    return false;
                }
            }
        }
    }
    if (to.n > 0) {
        tn_ref r = { .name = to, .version = TN_VAL_UNDEF };
        tn_vec_push(&n->refs, b->p->arena, r);
    }
    depend_on_target(b, n);
    const tn_macro *where =
        tn_project_find_macro(b->p, n->package_name, TN_STR("get_where_subquery"));
    tn_strs_add_new(&n->macros, b->p->arena, where->unique_id);
    n->config_call = b->config;
    return true;
}

static tn_rc parse_by_rendering(tn_test_builder *b, tn_node *n, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("parse test", NULL);
    tn_pctx c;
    struct tn_pctx_record r;
    TN_TRY(tn_record_init(b->p, &c, n, &r, scratch, err));
    r.config_call = b->config;
    tn_str unused;
    tn_jinja_src src = { tn_str_z(b->p->arena, b->on->patch->open), b->on->patch->line };
    n->config_call = b->config;
    tn_rc rc = tn_pctx_render(&c, n->raw_code, src, &unused, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "Compilation Error in test " TN_STR_FMT " (" TN_STR_FMT ")",
            TN_STR_ARG(n->name), TN_STR_ARG(n->original_file_path));
    }
    tn_take_record(b->p, n, &r);
    return TN_OK;
}

/* The macro of a test: in its namespace, else the package of the file, the root, any package, the built-in ones. */
static tn_macro *test_macro(const tn_test_builder *b)
{
    tn_str name = tn_str_printf(b->p->arena, "test_" TN_STR_FMT, TN_STR_ARG(b->name));
    if (b->namespace.n > 0) {
        return tn_project_find_macro_in(b->p, b->namespace, name);
    }
    return tn_project_find_macro(b->p, b->on->patch->package->name, name);
}

/* The config of the test stands in its code as a call of config(), and its arguments count as text. */
static tn_rc note_written(const tn_test_builder *b, tn_node *n, tn_err *err)
{
    if (tn_str_find(n->raw_code, TN_STR("config("), 0) == SIZE_MAX) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("config of a test", NULL);
    tn_jinja_tmpl *t;
    tn_jinja_src src = { tn_str_z(b->p->arena, b->on->patch->open), b->on->patch->line };
    TN_TRY(tn_jinja_parse(b->p->state->parse_env, scratch, n->raw_code, src, &t, err));
    tn_config_note_written(b->p, n, t, scratch);
    return TN_OK;
}

static tn_rc parse_code(tn_test_builder *b, tn_node *n, tn_err *err)
{
    tn_macro *m = test_macro(b);
    if (m == NULL) { /* an error of this test only, when it runs: its call names what is missing */
        depend_on_target(b, n);
        n->test->macro_missing = true;
        n->config_call = b->config;
        return TN_OK;
    }
    /* dbt looks for the name without its package: a macro of the same name in the project is what it notes. */
    const tn_macro *noted =
        b->namespace.n > 0 ? tn_project_find_macro(b->p, b->on->patch->package->name, m->name) : m;
    tn_strs_add_new(&n->macros, b->p->arena, noted != NULL ? noted->unique_id : m->unique_id);
    if (tn_str_is(m->unique_id, "macro.dbt.test_unique") ||
        tn_str_is(m->unique_id, "macro.dbt.test_not_null")) {
        depend_on_target(b, n);
        n->config_call = b->config;
        return TN_OK;
    }
    if (!parse_quickly(b, n, m)) {
        TN_TRY(parse_by_rendering(b, n, err));
    }
    return note_written(b, n, err);
}

static tn_str rel_of(tn_str original)
{
    tn_str head, tail;
    return tn_str_cut(original, '/', &head, &tail) ? tail : original;
}

static tn_rc add_test(tn_test_builder *b, tn_err *err)
{
    tn_project *p = b->p;
    tn_arena *a = p->arena;
    const tn_test_target *t = b->on;
    tn_node *n = tn_node_new(p, TN_NODE_TEST, t->patch->package);
    tn_test_info *info = n->test = tn_new(a, tn_test_info);
    *info = (tn_test_info){ .name = b->name,
        .namespace = b->namespace,
        .kwargs = b->args,
        .column_name = b->column,
        .attached = t->node,
        .short_name = b->full_name };
    info->file_key_name = tn_str_printf(
        a, "%s." TN_STR_FMT, t->patch->key, TN_STR_ARG(t->source.n > 0 ? t->source : t->name));
    n->name = b->full_name;
    n->alias = b->full_name;
    n->path = tn_str_printf(a, TN_STR_FMT ".sql", TN_STR_ARG(b->short_name));
    n->original_file_path = t->patch->file;
    n->file = t->patch->open;
    n->raw_line = t->patch->line;
    n->raw_code = raw_code(b);
    tn_val told = tn_val_dict(a);
    tn_dict_putz(told.dict, "description", tn_val_str(b->description));
    TN_TRY(tn_render_desc(p, t->patch, told, &n->description, &n->doc_blocks, err));
    n->unique_id = unique_id(b);
    tn_fqn_of(p, t->patch->package, rel_of(t->patch->file), b->full_name, &n->fqn);
    for (size_t i = 0; i < b->tags.n; i++) {
        tn_strs_add_new(&n->tags, a, b->tags.v[i]);
    }
    TN_TRY(parse_code(b, n, err));
    tn_rc rc = tn_config_resolve(p, n, NULL, NULL, err);
    if (rc != TN_OK) {
        tn_err_place(err, tn_str_z(a, t->patch->open), t->patch->line, 1);
        return rc;
    }
    TN_TRY(tn_project_place(p, n, err));
    n->group = t->node != NULL && t->source.n == 0 ? t->node->group : n->group;
    return tn_node_add(p, n, err);
}

static tn_rc one_test(
    tn_project *p, tn_pctx *c, const tn_test_target *t, tn_val test, tn_val column, tn_err *err)
{
    tn_test_builder b = {
        .p = p, .on = t, .config = tn_val_dict(p->arena).dict, .description = TN_STR("")
    };
    TN_TRY(tn_test_define(&b, c, test, column, err));
    make_names(&b);
    return add_test(&b, err);
}

static tn_val tests_of(tn_val v)
{
    tn_val tests = tn_val_at(v, "data_tests");
    return tests.tag == TN_LIST ? tests : tn_val_at(v, "tests");
}

static tn_rc tests_on(
    tn_project *p, tn_pctx *c, const tn_test_target *t, tn_val columns, tn_val own, tn_err *err)
{
    for (size_t i = 0; columns.tag == TN_LIST && i < columns.list->n; i++) {
        tn_val tests = tests_of(columns.list->v[i]);
        for (size_t k = 0; tests.tag == TN_LIST && k < tests.list->n; k++) {
            TN_TRY(one_test(p, c, t, tests.list->v[k], columns.list->v[i], err));
        }
    }
    for (size_t k = 0; own.tag == TN_LIST && k < own.list->n; k++) {
        TN_TRY(one_test(p, c, t, own.list->v[k], TN_VAL_UNDEF, err));
    }
    return TN_OK;
}

static tn_rc source_tests(tn_project *p, tn_pctx *c, tn_patch *patch, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val e = { .tag = TN_DICT, .dict = patch->entry }, tables = tn_val_at(e, "tables");
    for (size_t i = 0; tables.tag == TN_LIST && i < tables.list->n; i++) {
        tn_val table = tables.list->v[i];
        tn_test_target t = { .patch = patch,
            .entry = table,
            .name = tn_val_str_at(table, "name", TN_STR_NONE),
            .source = patch->name,
            .version = TN_VAL_UNDEF };
        tn_val quoted = tn_val_at(tn_val_at(table, "quoting"), "column");
        quoted = quoted.tag == TN_BOOL ? quoted : tn_val_at(tn_val_at(e, "quoting"), "column");
        t.quote_columns = quoted.tag == TN_BOOL && quoted.i != 0;
        const tn_val lists[] = { tn_val_at(e, "tags"), tn_val_at(table, "tags") };
        for (size_t k = 0; k < TN_COUNTOF(lists); k++) {
            tn_strs some = tn_value_strs(a, lists[k]);
            for (size_t j = 0; j < some.n; j++) {
                tn_strs_add_new(&t.tags, a, some.v[j]);
            }
        }
        TN_TRY(tests_on(p, c, &t, tn_val_at(table, "columns"), tests_of(table), err));
    }
    return TN_OK;
}

static tn_rc node_tests(tn_project *p, tn_pctx *c, tn_patch *patch, tn_err *err)
{
    tn_val e = { .tag = TN_DICT, .dict = patch->entry };
    tn_test_target t = { .patch = patch,
        .entry = e,
        .name = patch->name,
        .node = patch->node,
        .version = patch->version };
    tn_val columns = tn_val_at(e, "columns"), own = tests_of(e);
    t.quote_columns = tn_val_bool_at(e, "quote_columns", false);
    tn_val versions = tn_val_at(e, "versions");
    for (size_t i = 0;
        !tn_val_is_undef(patch->version) && versions.tag == TN_LIST && i < versions.list->n; i++) {
        tn_val v = versions.list->v[i];
        if (tn_val_eq(tn_val_at(v, "v"), patch->version)) {
            tn_val mine = tests_of(v);
            own = mine.tag == TN_LIST ? mine : own;
            columns = tn_val_at(v, "columns").tag == TN_LIST ? tn_version_columns(p->arena, e, v)
                                                             : columns;
        }
    }
    return tests_on(p, c, &t, columns, own, err);
}

tn_rc tn_parse_generic_tests(tn_project *p, tn_err *err)
{
    static const char *const keys[] = { "models", "seeds", "snapshots" };
    for (size_t i = 0; i < p->state->patches.n; i++) {
        tn_patch *patch = p->state->patches.v[i];
        tn_pctx c;
        TN_TRY(tn_yaml_context(&c, p, patch->package, false, p->arena, err));
        if (strcmp(patch->key, "sources") == 0) {
            TN_TRY(source_tests(p, &c, patch, err));
        }
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            if (strcmp(patch->key, keys[k]) == 0) {
                TN_TRY(node_tests(p, &c, patch, err));
            }
        }
    }
    return TN_OK;
}
