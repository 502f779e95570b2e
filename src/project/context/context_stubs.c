/* context_stubs.c: exceptions, and what stands in for the database while templates are only parsed: adapter, api, load_result, ...
 *
 * dbt gives each adapter method a parse-time answer (None, an empty list, ...), so that macros run to their end and all refs are seen.
 */
#include "base/log.h"
#include "project/context/context_priv.h"

static void put(tn_project *p, const char *name, tn_val v)
{
    tn_val *slot = tn_new(p->arena, tn_val);
    *slot = v;
    tn_map_put(&p->state->members, tn_str_of(name), slot);
}

/* ---- exceptions ---- */

static tn_str text_arg(const tn_call *call, size_t i)
{
    return i < call->argc     ? tn_val_to_str(call->arena, call->args[i])
           : call->kwargc > i ? tn_val_to_str(call->arena, call->kwargs[i].value)
                              : TN_STR("");
}

static tn_rc raise_text(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)ret;
    const char *what = self;
    tn_str msg = text_arg(call, 0);
    tn_rc rc = strcmp(what, "database") == 0      ? TN_E_SQL
               : strcmp(what, "unsupported") == 0 ? TN_E_UNSUPPORTED
                                                  : TN_E_COMPILE;
    return tn_fail(err, rc, TN_STR_FMT, TN_STR_ARG(msg));
}

static tn_rc tell(tn_pctx *c, const char *event, const char *code, tn_str msg, tn_err *err)
{
    tn_warn_fate fate = tn_project_warn_fate(c->project, event);
    if (fate == TN_WARN_SILENT) {
        return TN_OK;
    }
    if (fate == TN_WARN_ERROR && c->execute) {
        return tn_fail(err, TN_E_COMPILE, TN_STR_FMT, TN_STR_ARG(msg));
    }
    if (c->hooks != NULL && c->hooks->warn != NULL) {
        c->hooks->warn(c, event, code, msg);
    } else if (!c->execute) {
        tn_project_note(c->project, event, TN_STR_NONE, 0, TN_STR_FMT, TN_STR_ARG(msg))->code =
            code;
    } else {
        tn_log(TN_LOG_WARN, "jinja", TN_STR_FMT, TN_STR_ARG(msg));
    }
    return TN_OK;
}

static tn_rc raise_warn(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    *ret = tn_val_z("");
    return tell(tn_pctx_of(call), "JinjaLogWarning", "I061", text_arg(call, 0), err);
}

static tn_rc raise_time_types(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    *ret = tn_val_z("");
    tn_str msg = tn_str_printf(call->arena,
        "Data type of snapshot table timestamp columns (" TN_STR_FMT
        ") doesn't match derived column 'updated_at' (" TN_STR_FMT
        "). Please update snapshot config 'updated_at'.",
        TN_STR_ARG(text_arg(call, 0)), TN_STR_ARG(text_arg(call, 1)));
    return tell(tn_pctx_of(call), "SnapshotTimestampWarning", "Q043", msg, err);
}

/* The others: the text says which, with the arguments after it. */
static tn_rc raise_about(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)ret;
    tn_buf b = tn_buf_init(call->arena, TN_ERR_MSG_MAX);
    tn_buf_addz(&b, self);
    for (size_t i = 0; i < call->argc; i++) {
        tn_val v = call->args[i], name = tn_val_at(v, "unique_id");
        tn_buf_addz(&b, i == 0 ? ": " : ", ");
        tn_val_str_to(&b, tn_val_is_undef(name) ? v : name);
    }
    return tn_fail(err, TN_E_COMPILE, TN_STR_FMT, TN_STR_ARG(tn_buf_str(&b)));
}

static tn_rc raise_untyped(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret;
    tn_str list = tn_val_to_repr(call->arena, tn_call_arg(call, 0, "column_names"));
    return tn_fail(err, TN_E_COMPILE,
        "Contracted models require data_type to be defined for each column. Please ensure that the "
        "column name and data_type are defined within the YAML configuration for the " TN_STR_FMT
        " column(s).",
        TN_STR_ARG(list));
}

/* What adapter.dispatch was before it had this name. */
static tn_rc adapter_macro(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret;
    return tn_fail(err, TN_E_COMPILE,
        "The \"adapter_macro\" macro has been deprecated. Instead, use the `adapter.dispatch` "
        "method to find a macro and call the result.  For more information, see: "
        "https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch) adapter_macro was called "
        "for: " TN_STR_FMT,
        TN_STR_ARG(text_arg(call, 0)));
}

void tn_context_exceptions(tn_project *p)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
        const char *what;
    } table[] = { { "raise_compiler_error", raise_text, "compile" },
        { "raise_database_error", raise_text, "database" },
        { "raise_not_implemented", raise_text, "unsupported" },
        { "raise_fail_fast_error", raise_text, "compile" },
        { "raise_dependency_error", raise_text, "compile" },
        { "raise_cache_inconsistent", raise_text, "compile" }, { "warn", raise_warn, "" },
        { "warn_snapshot_timestamp_data_types", raise_time_types, "" },
        { "missing_config", raise_about, "missing config" },
        { "missing_materialization", raise_about, "No materialization was found" },
        { "missing_relation", raise_about, "Relation not found" },
        { "relation_wrong_type", raise_about, "Trying to create a relation of another type" },
        { "raise_ambiguous_alias", raise_about, "ambiguous alias" },
        { "raise_ambiguous_catalog_match", raise_about, "ambiguous catalog match" },
        { "raise_dataclass_not_dict", raise_about, "the object was expected to be a dict" },
        { "raise_dep_not_found", raise_about, "dependency not found" },
        { "raise_duplicate_patch_name", raise_about, "duplicate patch" },
        { "raise_duplicate_resource_name", raise_about, "duplicate resource name" },
        { "raise_invalid_property_yml_version", raise_about, "invalid property file" },
        { "raise_contract_error", tn_raise_contract_error, "" },
        { "column_type_missing", raise_untyped, "" } };
    tn_val d = tn_val_dict(p->arena);
    for (size_t i = 0; i < TN_COUNTOF(table); i++) {
        tn_dict_putz(d.dict, table[i].name,
            tn_val_fn(p->arena, table[i].name, table[i].fn, (void *)(uintptr_t)table[i].what));
    }
    put(p, "exceptions", tn_val_module(p->arena, "exceptions", d.dict));
    put(p, "adapter_macro", tn_val_fn(p->arena, "adapter_macro", adapter_macro, NULL));
}

/* ---- a relation that only has a name ---- */

typedef struct stub_relation {
    tn_obj base;
    tn_project *project;
    tn_str database, schema, identifier;
} stub_relation;

static tn_rc stub_self(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)call, (void)err;
    *ret = tn_val_obj(self);
    return TN_OK;
}

static void stub_relation_str(tn_obj *self, tn_buf *b)
{
    const stub_relation *r = (const stub_relation *)self;
    TN_AUTO_ARENA scratch = tn_arena_new("relation", NULL);
    tn_buf_add(b, tn_project_relation_name(
                      scratch, r->project, TN_VAL_UNDEF, r->database, r->schema, r->identifier));
}

static tn_rc stub_render(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    stub_relation_str(self, &b);
    *ret = tn_val_str(tn_buf_str(&b));
    return TN_OK;
}

static tn_rc stub_relation_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err);

/* relation.get('name', default); packages tell relations by get('metadata').type. */
static tn_rc stub_get(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_val key = tn_call_arg(call, 0, "key"), dflt = tn_call_arg(call, 1, "default"),
           found = TN_VAL_UNDEF;
    tn_str name = tn_val_is_str(key) ? tn_val_as_str(key) : TN_STR("");
    if (tn_str_is(name, "metadata")) {
        *ret = tn_val_dict(call->arena);
        tn_dict_putz(ret->dict, "type", tn_val_z("DuckDBRelation"));
        return TN_OK;
    }
    TN_TRY(stub_relation_attr(self, call->arena, name, &found, err));
    *ret = !tn_val_is_undef(found) ? found : tn_val_is_undef(dflt) ? TN_VAL_NONE : dflt;
    return TN_OK;
}

static tn_rc stub_relation_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    static const char *const fluent[] = { "include", "quote", "incorporate", "replace_path",
        "without_identifier", "information_schema", "create", "create_from",
        "information_schema_only", "add_ephemeral_prefix" };
    const stub_relation *r = (const stub_relation *)self;
    if (tn_str_is(name, "database")) {
        *ret = tn_val_str(r->database);
    } else if (tn_str_is(name, "schema")) {
        *ret = tn_val_str(r->schema);
    } else if (tn_str_is(name, "identifier") || tn_str_is(name, "name") ||
               tn_str_is(name, "table")) {
        *ret = tn_val_str(r->identifier);
    } else if (tn_str_is(name, "render")) {
        *ret = tn_val_fn(a, "render", stub_render, self);
    } else if (tn_str_starts(name, TN_STR("is_"))) {
        *ret = TN_VAL_FALSE;
    } else if (tn_str_is(name, "type")) {
        *ret = TN_VAL_NONE;
    } else if (tn_str_is(name, "get")) {
        *ret = tn_val_fn(a, "get", stub_get, self);
    } else {
        *ret = tn_val_undef(name);
        for (size_t i = 0; i < TN_COUNTOF(fluent); i++) {
            if (tn_str_is(name, fluent[i])) {
                *ret = tn_val_fn(a, fluent[i], stub_self, self);
            }
        }
    }
    return TN_OK;
}

static tn_val stub_relation_dup(tn_obj *self, tn_arena *a)
{
    const stub_relation *r = (const stub_relation *)self;
    return tn_stub_relation(a, r->project, tn_str_dup(a, r->database), tn_str_dup(a, r->schema),
        tn_str_dup(a, r->identifier));
}

static const tn_obj_type stub_relation_type = { .name = "DuckDBRelation",
    .is_mapping = true,
    .attr = stub_relation_attr,
    .dup = stub_relation_dup,
    .str = stub_relation_str };

tn_val tn_stub_relation(
    tn_arena *a, tn_project *p, tn_str database, tn_str schema, tn_str identifier)
{
    stub_relation *r = tn_new(a, stub_relation);
    *r = (stub_relation){ { &stub_relation_type }, p, database, schema, identifier };
    return tn_val_obj(&r->base);
}

static tn_str named_text(const tn_call *call, const char *name)
{
    for (size_t i = 0; i < call->kwargc; i++) {
        if (tn_str_is(call->kwargs[i].name, name)) {
            return tn_val_as_str(call->kwargs[i].value);
        }
    }
    return TN_STR_NONE;
}

static tn_rc relation_create(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_stub_relation(call->arena, tn_pctx_of(call)->project, named_text(call, "database"),
        named_text(call, "schema"), named_text(call, "identifier"));
    return TN_OK;
}

static tn_rc relation_class_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_str_is(name, "create") || tn_str_is(name, "create_from")
               ? tn_val_fn(a, "create", relation_create, NULL)
               : tn_val_str(tn_str_dup(a, name));
    return TN_OK;
}

static const tn_obj_type relation_class = { .name = "Relation", .attr = relation_class_attr };

/* ---- adapter ---- */

typedef enum answer { ANSWER_NONE, ANSWER_LIST, ANSWER_FALSE, ANSWER_TEXT } answer;

static tn_rc give_answer(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)err;
    switch ((answer)(uintptr_t)self) {
    case ANSWER_LIST:
        *ret = tn_val_list(call->arena);
        break;
    case ANSWER_FALSE:
        *ret = TN_VAL_FALSE;
        break;
    case ANSWER_TEXT:
        *ret = tn_val_z("");
        break;
    case ANSWER_NONE:
        *ret = TN_VAL_NONE;
        break;
    }
    return TN_OK;
}

static tn_rc adapter_dispatch(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "macro_name", "macro_namespace", "packages", NULL };
    TN_TRY(tn_call_check(call, "adapter.dispatch", 1, 3, names, err));
    tn_val name = tn_call_arg(call, 0, "macro_name"), ns = tn_call_arg(call, 1, "macro_namespace");
    if (tn_val_is_given(ns) && !tn_val_is_str(ns)) {
        return tn_fail(
            err, TN_E_COMPILE, "The macro_namespace argument of adapter.dispatch must be a string");
    }
    return tn_pctx_dispatch(tn_pctx_of(call), tn_val_as_str(name), tn_val_as_str(ns), ret, err);
}

static tn_rc adapter_quote(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret =
        tn_val_str(tn_str_printf(call->arena, "\"" TN_STR_FMT "\"", TN_STR_ARG(text_arg(call, 0))));
    return TN_OK;
}

static tn_rc adapter_first(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = call->argc > 0 ? call->args[0] : TN_VAL_NONE;
    return TN_OK;
}

static tn_rc adapter_type(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_str(tn_pctx_of(call)->project->profile.type);
    return TN_OK;
}

static tn_rc adapter_execute(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_val pair[2] = { tn_val_z(""), tn_val_list(call->arena) };
    *ret = tn_val_tuple(call->arena, pair, 2);
    return TN_OK;
}

typedef struct parse_adapter {
    tn_obj base;
    tn_val behavior;
} parse_adapter;

static tn_rc adapter_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    static const struct {
        const char *name;
        answer answer;
    } answers[] = { { "get_columns_in_relation", ANSWER_LIST },
        { "get_columns_in_table", ANSWER_LIST }, { "get_missing_columns", ANSWER_LIST },
        { "get_column_schema_from_query", ANSWER_LIST }, { "list_relations", ANSWER_LIST },
        { "list_relations_without_caching", ANSWER_LIST }, { "list_schemas", ANSWER_LIST },
        { "render_raw_columns_constraints", ANSWER_LIST },
        { "render_raw_model_constraints", ANSWER_LIST },
        { "valid_incremental_strategies", ANSWER_LIST }, { "already_exists", ANSWER_FALSE },
        { "check_schema_exists", ANSWER_FALSE }, { "location_exists", ANSWER_FALSE },
        { "is_motherduck", ANSWER_FALSE }, { "is_ducklake", ANSWER_FALSE },
        { "disable_transactions", ANSWER_FALSE }, { "verify_database", ANSWER_TEXT },
        { "external_root", ANSWER_TEXT }, { "external_write_options", ANSWER_TEXT },
        { "external_read_location", ANSWER_TEXT }, { "cache_added", ANSWER_TEXT },
        { "cache_dropped", ANSWER_TEXT }, { "cache_renamed", ANSWER_TEXT } };
    static const struct {
        const char *name;
        tn_call_fn fn;
    } functions[] = { { "dispatch", adapter_dispatch }, { "quote", adapter_quote },
        { "quote_as_configured", adapter_first }, { "quote_seed_column", adapter_first },
        { "type", adapter_type }, { "execute", adapter_execute } };
    for (size_t i = 0; i < TN_COUNTOF(functions); i++) {
        if (tn_str_is(name, functions[i].name)) {
            *ret = tn_val_fn(a, functions[i].name, functions[i].fn, NULL);
            return TN_OK;
        }
    }
    if (tn_str_is(name, "Relation") || tn_str_is(name, "behavior")) {
        *ret = tn_str_is(name, "Relation") ? tn_context_obj(a, &relation_class)
                                           : ((const parse_adapter *)(const void *)self)->behavior;
        return TN_OK;
    }
    answer an = ANSWER_NONE;
    for (size_t i = 0; i < TN_COUNTOF(answers); i++) {
        an = tn_str_is(name, answers[i].name) ? answers[i].answer : an;
    }
    *ret = tn_val_fn(a, "adapter method", give_answer, (void *)(uintptr_t)an);
    return TN_OK;
}

static const tn_obj_type adapter_type_table = { .name = "ParseDatabaseWrapper",
    .attr = adapter_attr };

/* api.Column.x(...) and what it makes: a column without a table. */
static tn_rc column_make(void *self, const tn_call *call, tn_val *ret, tn_err *err);

static tn_rc column_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    if (tn_str_is(name, "create") || tn_str_is(name, "from_description")) {
        *ret = tn_val_fn(a, "create", column_make, self);
    } else if (tn_str_starts(name, TN_STR("is_")) || tn_str_starts(name, TN_STR("can_"))) {
        *ret = tn_val_fn(a, "check", give_answer, (void *)(uintptr_t)ANSWER_FALSE);
    } else if (tn_str_is(name, "translate_type") || tn_str_is(name, "string_type") ||
               tn_str_is(name, "numeric_type")) {
        *ret = tn_val_fn(a, "type", adapter_first, NULL);
    } else {
        *ret = tn_val_z("");
    }
    return TN_OK;
}

static tn_rc column_called(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    return column_make(self, call, ret, err);
}

static const tn_obj_type column_type = {
    .name = "Column", .attr = column_attr, .call = column_called
};

static tn_rc column_make(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)call, (void)err;
    *ret = tn_val_obj(self);
    return TN_OK;
}

void tn_context_stubs(tn_project *p)
{
    static const struct {
        const char *name;
        answer answer;
    } plain[] = { { "parse:load_result", ANSWER_NONE }, { "parse:store_result", ANSWER_TEXT },
        { "parse:store_raw_result", ANSWER_TEXT }, { "parse:load_agate_table", ANSWER_NONE },
        { "parse:submit_python_job", ANSWER_NONE } };
    for (size_t i = 0; i < TN_COUNTOF(plain); i++) {
        put(p, plain[i].name,
            tn_val_fn(
                p->arena, plain[i].name + 6, give_answer, (void *)(uintptr_t)plain[i].answer));
    }
    parse_adapter *adapter = tn_new(p->arena, parse_adapter);
    *adapter = (parse_adapter){ { &adapter_type_table }, tn_context_behavior(p->arena, p, NULL) };
    put(p, "parse:adapter", tn_val_obj(&adapter->base));
    tn_val api = tn_val_dict(p->arena);
    tn_dict_putz(api.dict, "Relation", tn_context_obj(p->arena, &relation_class));
    tn_dict_putz(api.dict, "Column", tn_context_obj(p->arena, &column_type));
    put(p, "parse:api", tn_val_module(p->arena, "api", api.dict));
}
