/* test_definition.c: what a properties file says of a generic test: "unique", {unique: {...}} or {test_name: unique, ...}; arguments at the top or
 * below `arguments:`, settings at the top or below `config:`. What cannot be is refused in dbt's words.
 */
#include "project/deprecation.h"
#include "project/parse/generic_test.h"

static const char *const config_args[] = { "severity", "tags", "enabled", "where", "limit",
    "warn_if", "error_if", "fail_calc", "store_failures", "store_failures_as", "sql_header", "meta",
    "database", "schema", "alias" };

/* The end of a message as dbt has it: the object of the entry, cut. */
static tn_str shown(const tn_test_builder *b)
{
    enum { HEAD = 44 };
    const tn_patch *on = b->on->patch;
    bool model = strcmp(on->key, "models") == 0;
    tn_str text =
        b->on->source.n > 0
            ? TN_STR("UnpatchedSourceDefinition(source=UnparsedSourceDefinition(")
            : tn_str_printf(b->p->arena, "%s(original_file_path='" TN_STR_FMT "', yaml_key=",
                  model ? "UnparsedModelUpdate" : "UnparsedNodeUpdate", TN_STR_ARG(on->file));
    return tn_str_concat(b->p->arena, tn_str_sub(text, 0, HEAD), TN_STR("...ne)"));
}

static tn_rc place(const tn_test_builder *b, tn_rc rc, tn_err *err)
{
    tn_err_place(err, tn_str_z(b->p->arena, b->on->patch->open), b->on->patch->line, 1);
    return rc;
}

static tn_rc fail_test(const tn_test_builder *b, tn_err *err, tn_str what)
{
    return place(b,
        tn_fail(err, TN_E_PARSE,
            "Invalid test config given in " TN_STR_FMT ":\n\t" TN_STR_FMT "\n\t@: " TN_STR_FMT,
            TN_STR_ARG(b->on->patch->file), TN_STR_ARG(what), TN_STR_ARG(shown(b))),
        err);
}

/* "<what>, got <class 'list'> (value [1])" */
static tn_rc fail_type(const tn_test_builder *b, tn_err *err, const char *what, tn_val got)
{
    return fail_test(b, err,
        tn_str_printf(b->p->arena, "%s, got <class '%s'> (value " TN_STR_FMT ")", what,
            tn_val_type_name(got), TN_STR_ARG(tn_val_to_str(b->p->arena, got))));
}

/* dbt has two classes of these. */
static tn_rc refuse_test(const tn_test_builder *b, tn_err *err, tn_str what)
{
    return place(b,
        tn_fail(err, TN_E_COMPILE,
            "Invalid generic test configuration given in " TN_STR_FMT ": \n" TN_STR_FMT
            "\n\t@: " TN_STR_FMT,
            TN_STR_ARG(b->on->patch->file), TN_STR_ARG(what), TN_STR_ARG(shown(b))),
        err);
}

/* ---- arguments ---- */

static tn_str identifier(tn_str s)
{
    size_t n = 0;
    while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
                          s.p[n] == '_' || (n > 0 && s.p[n] >= '0' && s.p[n] <= '9'))) {
        n++;
    }
    return tn_str_sub(s, 0, n);
}

/* test or package.test: what a name starts with counts, and the rest is nobody's. */
static tn_rc take_name(tn_test_builder *b, tn_str full, tn_err *err)
{
    tn_str first = identifier(full);
    bool dot = first.n > 0 && first.n < full.n && full.p[first.n] == '.';
    tn_str second = dot ? identifier(tn_str_sub(full, first.n + 1, full.n)) : TN_STR_NONE;
    if (first.n == 0) {
        return refuse_test(b, err,
            tn_str_concat(
                b->p->arena, TN_STR("Test name string did not match expected pattern: "), full));
    }
    b->namespace = second.n > 0 ? first : TN_STR_NONE;
    b->name = second.n > 0 ? second : first;
    return TN_OK;
}

/* [('a', None), ('b', 1)]: the items of a dict, as Python shows them. */
static tn_str items_text(tn_arena *a, const tn_dict *d)
{
    tn_val list = tn_val_list(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(d, &at)) != NULL) {
        const tn_val pair[] = { it->key, it->value };
        tn_list_push(list.list, tn_val_tuple(a, pair, TN_COUNTOF(pair)));
    }
    return tn_val_to_repr(a, list);
}

/* "unique" | {unique: {...}} | {test_name: unique, ...} */
static tn_rc take_definition(
    tn_test_builder *b, tn_val test, tn_str *ret_name, tn_val *ret_args, tn_err *err)
{
    tn_arena *a = b->p->arena;
    *ret_args = tn_val_dict(a);
    if (tn_val_is_str(test)) {
        *ret_name = tn_val_as_str(test);
        return TN_OK;
    }
    if (test.tag != TN_DICT) {
        return fail_type(b, err, "test must be dict or str", test);
    }
    const tn_val *named = tn_dict_finds(test.dict, TN_STR("test_name"));
    if (named == NULL && test.dict->live != 1) {
        return fail_test(b, err,
            tn_str_printf(a,
                "test definition dictionary must have exactly one key, got " TN_STR_FMT
                " instead (%zu keys)",
                TN_STR_ARG(items_text(a, test.dict)), (size_t)test.dict->live));
    }
    size_t at = 0;
    const tn_dict_item *it = tn_dict_next(test.dict, &at);
    tn_val name = named != NULL ? *named : it->key, args = named != NULL ? test : it->value;
    if (args.tag != TN_DICT) {
        return fail_type(b, err, "test arguments must be a dict", args);
    }
    if (!tn_val_is_str(name)) {
        return fail_type(b, err, "test name must be a str", name);
    }
    *ret_name = tn_val_as_str(name);
    *ret_args = tn_val_dup(a, args);
    (void)tn_dict_remove(ret_args->dict, tn_val_z("test_name"));
    return TN_OK;
}

/* arguments: {...} is flattened over the top-level ones. */
static void flatten_arguments(tn_arena *a, tn_val *args)
{
    tn_val inner = tn_val_at(*args, "arguments");
    if (inner.tag != TN_DICT) {
        return;
    }
    tn_val out = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(args->dict, &at)) != NULL) {
        if (!tn_str_is(tn_val_as_str(it->key), "arguments")) {
            tn_dict_put(out.dict, it->key, it->value);
        }
    }
    tn_value_put_all(out.dict, inner);
    *args = out;
}

/* Keys that are no argument of the test's macro. */
static bool is_setting(tn_str key)
{
    static const char *const others[] = { "config", "column_name", "description", "name" };
    for (size_t i = 0; i < TN_COUNTOF(others); i++) {
        if (tn_str_is(key, others[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < TN_COUNTOF(config_args); i++) {
        if (tn_str_is(key, config_args[i])) {
            return true;
        }
    }
    return false;
}

/* Settings beside the arguments instead of below `config:`. args: NULL when nobody asks. */
static void note_settings(tn_test_builder *b, const tn_dict *args)
{
    const tn_patch *on = b->on->patch;
    for (size_t i = 0; args != NULL && i < TN_COUNTOF(config_args); i++) {
        if (tn_dict_finds(args, tn_str_of(config_args[i])) == NULL) {
            continue;
        }
        tn_str path = tn_str_printf(
            b->p->arena, "data_tests." TN_STR_FMT ".%s", TN_STR_ARG(b->name), config_args[i]);
        tn_val data = tn_val_dict(b->p->arena);
        tn_dict_putz(data.dict, "key", tn_val_z(config_args[i]));
        tn_dict_putz(data.dict, "file", tn_val_str(on->file));
        tn_dict_putz(data.dict, "key_path", tn_val_str(path));
        tn_deprecate_with(b->p, "PropertyMovedToConfigDeprecation", data,
            "Found `%s` as a top-level property of `" TN_STR_FMT "` in file `" TN_STR_FMT
            "`. The `%s` top-level property should be moved into the `config` of `" TN_STR_FMT "`.",
            config_args[i], TN_STR_ARG(path), TN_STR_ARG(on->file), config_args[i],
            TN_STR_ARG(path));
    }
}

/* dbt wants arguments below `arguments:`, or, with require_generic_test_arguments_property off, nothing there. */
static void note_arguments(tn_test_builder *b, const tn_val *args)
{
    tn_val inner = tn_val_at(*args, "arguments");
    const tn_patch *on = b->on->patch;
    bool wanted = tn_project_flag(b->p, "REQUIRE_GENERIC_TEST_ARGUMENTS_PROPERTY", true);
    if (!wanted && !tn_val_is_undef(inner)) {
        tn_deprecate(b->p, "ArgumentsPropertyInGenericTestDeprecation", on->file,
            "Found `arguments` property in test definition of `" TN_STR_FMT "` (" TN_STR_FMT
            ") without usage of `require_generic_test_arguments_property` behavior change flag. "
            "The `arguments` property is deprecated for custom usage and will be used to nest "
            "keyword arguments in future versions of dbt.",
            TN_STR_ARG(b->name), TN_STR_ARG(tn_val_to_repr(b->p->arena, inner)));
    }
    note_settings(b, wanted ? args->dict : NULL);
    size_t at = 0;
    const tn_dict_item *it;
    while (wanted && !tn_val_truthy(inner) && (it = tn_dict_next(args->dict, &at)) != NULL) {
        if (tn_val_is_str(it->key) && !is_setting(tn_val_as_str(it->key)) &&
            !tn_str_is(tn_val_as_str(it->key), "arguments")) {
            tn_deprecate(b->p, "MissingArgumentsPropertyInGenericTestDeprecation", on->file,
                "Found top-level arguments to test `" TN_STR_FMT "` defined on '" TN_STR_FMT
                "' in package '" TN_STR_FMT "' (" TN_STR_FMT
                "). Arguments to generic tests should be nested under the `arguments` property.",
                TN_STR_ARG(b->name), TN_STR_ARG(b->on->name), TN_STR_ARG(on->package->name),
                TN_STR_ARG(on->file));
            return;
        }
    }
}

/* A setting may be a template of what YAML may use: no macros, no ref(). */
static tn_rc render_config_value(tn_test_builder *b, tn_pctx *c, tn_val key, tn_val *v, tn_err *err)
{
    if (!tn_val_is_str(*v) || !tn_text_has_jinja(tn_val_as_str(*v))) {
        return TN_OK;
    }
    tn_jinja_src src = { tn_str_z(b->p->arena, b->on->patch->open), b->on->patch->line };
    tn_err own = TN_ERR_INIT;
    tn_rc rc = tn_pctx_render_native(c, tn_val_as_str(*v), src, v, &own);
    tn_str why, rest;
    (void)tn_str_cut(tn_str_of(own.msg), '\n', &why, &rest);
    if (rc == TN_OK || !tn_str_ends(why, TN_STR("' is undefined"))) {
        return rc == TN_OK ? TN_OK : tn_err_pass(err, rc, &own);
    }
    return refuse_test(b, err,
        tn_str_printf(b->p->arena,
            "The " TN_STR_FMT "." TN_STR_FMT " column's \"" TN_STR_FMT
            "\" test references an undefined macro in its " TN_STR_FMT
            " configuration argument. The macro " TN_STR_FMT
            ".\nPlease note that the generic test configuration parser currently does not support "
            "using custom macros to populate configuration values",
            TN_STR_ARG(b->on->name), TN_STR_ARG(b->column.n > 0 ? b->column : TN_STR("None")),
            TN_STR_ARG(b->name), TN_STR_ARG(tn_val_as_str(key)), TN_STR_ARG(why)));
}

static tn_rc take_config(tn_test_builder *b, tn_pctx *c, tn_err *err)
{
    tn_val nested = tn_val_at((tn_val){ .tag = TN_DICT, .dict = b->args }, "config");
    if (!tn_val_is_undef(nested) && nested.tag != TN_DICT) {
        return fail_type(b, err, "'config' must be a dict", nested);
    }
    for (size_t i = 0; i < TN_COUNTOF(config_args); i++) {
        const tn_val *own = tn_dict_finds(b->args, tn_str_of(config_args[i]));
        tn_val v = own != NULL ? *own : TN_VAL_UNDEF;
        (void)tn_dict_remove(b->args, tn_val_z(config_args[i]));
        tn_val in = tn_val_at(nested, config_args[i]);
        if (own != NULL && tn_val_truthy(v) && !tn_val_is_undef(in)) {
            return refuse_test(
                b, err, TN_STR("Test cannot have the same key at the top-level and in config"));
        }
        if ((tn_val_is_undef(v) || !tn_val_truthy(v)) && !tn_val_is_undef(in)) {
            v = in;
            (void)tn_dict_remove(nested.dict, tn_val_z(config_args[i]));
        }
        if (tn_val_is_given(v)) {
            TN_TRY(render_config_value(b, c, tn_val_z(config_args[i]), &v, err));
        }
        if (tn_val_is_given(v)) { /* a template may give None */
            tn_dict_putz(b->config, config_args[i], v);
        }
    }
    size_t at = 0;
    const tn_dict_item *it;
    while (nested.tag == TN_DICT && (it = tn_dict_next(nested.dict, &at)) != NULL) {
        tn_val v = it->value;
        TN_TRY(render_config_value(b, c, it->key, &v, err));
        if (!tn_val_is_none(v)) {
            tn_dict_put(b->config, it->key, v);
        }
    }
    (void)tn_dict_remove(b->args, tn_val_z("config"));
    return TN_OK;
}

static tn_str model_text(const tn_test_builder *b)
{
    tn_arena *a = b->p->arena;
    const tn_test_target *t = b->on;
    if (t->source.n > 0) {
        return tn_str_printf(a,
            "{{ get_where_subquery(source('" TN_STR_FMT "', '" TN_STR_FMT "')) }}",
            TN_STR_ARG(t->source), TN_STR_ARG(t->name));
    }
    if (!tn_val_is_undef(t->version)) {
        return tn_str_printf(a,
            "{{ get_where_subquery(ref('" TN_STR_FMT "', version='" TN_STR_FMT "')) }}",
            TN_STR_ARG(t->name), TN_STR_ARG(tn_val_to_str(a, t->version)));
    }
    return tn_str_printf(a, "{{ get_where_subquery(ref('" TN_STR_FMT "')) }}", TN_STR_ARG(t->name));
}

static tn_str take_text(tn_test_builder *b, const char *key)
{
    const tn_val *v = tn_dict_finds(b->args, tn_str_of(key));
    tn_str s = v != NULL ? tn_val_to_str(b->p->arena, *v) : TN_STR_NONE;
    (void)tn_dict_remove(b->args, tn_val_z(key));
    return s;
}

static void collect_tags(tn_test_builder *b, tn_val column)
{
    tn_arena *a = b->p->arena;
    const tn_val more[] = { tn_val_at(column, "tags"),
        tn_val_at(tn_val_at(column, "config"), "tags"),
        tn_val_at((tn_val){ .tag = TN_DICT, .dict = b->config }, "tags") };
    for (size_t i = 0; i < b->on->tags.n; i++) {
        tn_strs_add_new(&b->tags, a, b->on->tags.v[i]);
    }
    for (size_t i = 0; i < TN_COUNTOF(more); i++) {
        tn_strs some = tn_value_strs(a, more[i]);
        for (size_t k = 0; k < some.n; k++) {
            tn_strs_add_new(&b->tags, a, some.v[k]);
        }
    }
    tn_strs_sort(&b->tags);
}

static tn_rc check_tags(const tn_test_builder *b, tn_err *err)
{
    tn_val tags = tn_val_at((tn_val){ .tag = TN_DICT, .dict = b->config }, "tags");
    if (tn_val_is_given(tags) && !tn_val_is_str(tags) && tags.tag != TN_LIST) {
        return place(b,
            tn_fail(err, TN_E_COMPILE,
                "got " TN_STR_FMT " (<class '%s'>) for tags, expected a list of strings",
                TN_STR_ARG(tn_val_to_str(b->p->arena, tags)), tn_val_type_name(tags)),
            err);
    }
    for (size_t i = 0; tags.tag == TN_LIST && i < tags.list->n; i++) {
        tn_val tag = tags.list->v[i];
        if (!tn_val_is_str(tag)) {
            return place(b,
                tn_fail(err, TN_E_COMPILE,
                    "got " TN_STR_FMT " (<class '%s'>) for tag, expected a str",
                    TN_STR_ARG(tn_val_to_str(b->p->arena, tag)), tn_val_type_name(tag)),
                err);
        }
    }
    return TN_OK;
}

/* The column that has the test, as its macro gets it. */
static void take_column(tn_test_builder *b, tn_val column, tn_dict *args)
{
    if (column.tag != TN_DICT) {
        return;
    }
    tn_val quote = tn_val_at(column, "quote");
    b->column = tn_val_str_at(column, "name", TN_STR_NONE);
    if (quote.tag == TN_BOOL ? quote.i != 0 : b->on->quote_columns) {
        b->column = tn_str_printf(b->p->arena, "\"" TN_STR_FMT "\"", TN_STR_ARG(b->column));
    }
    tn_dict_putz(args, "column_name", tn_val_str(b->column));
}

/* dbt passes a header of SQL on, and has it among its own configs only with require_sql_header_in_test_configs. */
static void note_sql_header(const tn_test_builder *b)
{
    if (tn_dict_finds(b->config, TN_STR("sql_header")) == NULL ||
        tn_project_flag(b->p, "REQUIRE_SQL_HEADER_IN_TEST_CONFIGS", false)) {
        return;
    }
    tn_val data = tn_val_dict(b->p->arena);
    tn_dict_putz(data.dict, "key", tn_val_z("sql_header"));
    tn_dict_putz(data.dict, "file", tn_val_str(b->on->patch->file));
    tn_dict_putz(data.dict, "key_path", tn_val_z("models.config"));
    tn_deprecate_with(b->p, "CustomKeyInConfigDeprecation", data,
        "Custom key `sql_header` found in `config` at path `models.config` in file `" TN_STR_FMT
        "`. Custom config keys should move into the `config.meta`.",
        TN_STR_ARG(b->on->patch->file));
}

tn_rc tn_test_define(tn_test_builder *b, tn_pctx *c, tn_val test, tn_val column, tn_err *err)
{
    tn_arena *a = b->p->arena;
    tn_val args;
    tn_str name = TN_STR_NONE;
    TN_TRY(take_definition(b, test, &name, &args, err));
    b->name = name;
    take_column(b, column, args.dict);
    note_arguments(b, &args);
    flatten_arguments(a, &args);
    b->args = args.dict;
    if (tn_dict_finds(b->args, TN_STR("model")) != NULL) {
        return refuse_test(
            b, err, TN_STR("Test arguments include \"model\", which is a reserved argument"));
    }
    tn_dict_putz(b->args, "model", tn_val_str(model_text(b)));
    TN_TRY(take_name(b, name, err));
    TN_TRY(take_config(b, c, err));
    note_sql_header(b);
    b->description = take_text(b, "description");
    b->given_name = take_text(b, "name");
    TN_TRY(check_tags(b, err));
    collect_tags(b, column);
    return TN_OK;
}
