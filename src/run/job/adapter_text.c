/* adapter_text.c: the methods of `adapter` that only make text or look at configuration: quoting, options of external models, types of
 * seeds, constraints, strategies. */
#include "run/job/adapter_impl.h"
#include "text/hash.h"
#include "text/uri.h"

static tn_str quoted(tn_arena *a, tn_str s)
{
    return tn_str_printf(a, "\"" TN_STR_FMT "\"", TN_STR_ARG(s));
}

static tn_rc quote(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_str(quoted(call->arena, tn_adapter_text_arg(call, 0, "identifier")));
    return TN_OK;
}

static tn_rc quote_as_configured(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_str s = tn_adapter_text_arg(call, 0, "identifier"),
           key = tn_adapter_text_arg(call, 1, "quote_key");
    bool on = tn_val_bool_at(
        tn_job_of(call)->session->project->quoting, tn_str_z(call->arena, key), true);
    *ret = tn_val_str(on ? quoted(call->arena, s) : s);
    return TN_OK;
}

static tn_rc quote_seed_column(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str s = tn_adapter_text_arg(call, 0, "column");
    tn_val on = tn_call_arg(call, 1, "quote_config");
    if (tn_val_is_given(on) && on.tag != TN_BOOL) {
        return tn_fail(err, TN_E_COMPILE,
            "\"quote_columns\" has an invalid value of type '%s': it must be true or false",
            tn_val_type_name(on));
    }
    *ret = tn_val_str(on.tag == TN_BOOL && !on.i ? s : quoted(call->arena, s));
    return TN_OK;
}

static tn_rc escape_sql_string(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_str(tn_str_replace(
        call->arena, tn_adapter_text_arg(call, 0, "value"), TN_STR("'"), TN_STR("''")));
    return TN_OK;
}

static tn_rc type(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = tn_val_z(
        "duckdb"); /* also for type tarn: the dialect is DuckDB's, and packages ask for the dialect */
    return TN_OK;
}

static tn_rc convert_type(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_table *t = NULL;
    tn_val col = tn_call_arg(call, 1, "col_idx");
    if (!tn_val_is_table(tn_call_arg(call, 0, "agate_table"), &t) || col.tag != TN_INT ||
        col.i < 0 || (size_t)col.i >= t->names.list->n) {
        return tn_fail(
            err, TN_E_TYPE, "adapter.convert_type needs a table and the place of a column");
    }
    *ret = tn_val_z(tn_table_sql_type(t, (size_t)col.i));
    return TN_OK;
}

static tn_rc first_argument(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_call_arg(call, 0, "table");
    return TN_OK;
}

static tn_rc get_seed_file_path(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_job *j = tn_job_of(call);
    if (j->node != NULL && j->node->kind == TN_NODE_SEED) {
        *ret = tn_val_str(tn_str_replace(call->arena, j->node->file, TN_STR("'"), TN_STR("''")));
        return TN_OK;
    }
    tn_val model = tn_call_arg(call, 0, "model");
    *ret = tn_val_str(tn_uri_join(call->arena, tn_val_str_at(model, "root_path", TN_STR(".")),
        tn_val_str_at(model, "original_file_path", TN_STR(""))));
    return TN_OK;
}

static tn_rc get_binding_char(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = tn_val_z("?");
    return TN_OK;
}

static tn_rc disable_transactions(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_bool(tn_job_of(call)->session->disable_transactions);
    return TN_OK;
}

static tn_rc yes(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = TN_VAL_TRUE;
    return TN_OK;
}

static tn_rc empty_text(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)call, (void)err;
    *ret = tn_val_z("");
    return TN_OK;
}

void tn_adapter_warn_once(tn_job *j, tn_str msg)
{
    if (tn_session_warn_first(j->session, msg)) {
        tn_event(j->session->events, TN_EV_WARN, "AdapterEventWarning", "E003", TN_VAL_UNDEF,
            "DuckDB adapter: " TN_STR_FMT, TN_STR_ARG(msg));
    }
}

static tn_rc warn_once(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_adapter_warn_once(tn_job_of(call), tn_adapter_text_arg(call, 0, "msg"));
    *ret = tn_val_z("");
    return TN_OK;
}

/* ---- external models ---- */

static tn_rc external_root(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_str(tn_job_of(call)->session->external_root);
    return TN_OK;
}

/* The format that the file's ending means; options get it, as dbt-duckdb does. */
static void default_format(tn_arena *a, tn_str location, tn_dict *options)
{
    tn_str ext = tn_str_lower(a, tn_path_ext(tn_path_base(location)));
    const char *compression = tn_str_is(ext, "gz") ? "gzip" : tn_str_is(ext, "zst") ? "zstd" : NULL;
    if (compression != NULL) {
        ext = tn_str_lower(a, tn_path_ext(tn_path_stem(location)));
        if (ext.n > 0 && tn_dict_finds(options, TN_STR("compression")) == NULL) {
            tn_dict_putz(options, "compression", tn_val_z(compression));
        }
    }
    if (ext.n == 0) {
        ext =
            tn_dict_finds(options, TN_STR("delimiter")) != NULL ? TN_STR("csv") : TN_STR("parquet");
    }
    tn_dict_putz(options, "format", tn_val_str(ext));
}

static bool is_quoted_option(tn_arena *a, tn_str key)
{
    tn_str k = tn_str_lower(a, key);
    return tn_str_is(k, "delimiter") || tn_str_is(k, "quote") || tn_str_is(k, "escape") ||
           tn_str_is(k, "null");
}

static tn_rc external_write_options(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_arena *a = call->arena;
    tn_val given = tn_call_arg(call, 1, "rendered_options");
    if (given.tag != TN_DICT) {
        return tn_fail(
            err, TN_E_TYPE, "adapter.external_write_options needs a dictionary of options");
    }
    tn_dict *options = given.dict;
    if (tn_dict_finds(options, TN_STR("format")) == NULL) {
        default_format(a, tn_adapter_text_arg(call, 0, "write_location"), options);
    }
    if (tn_str_is(tn_val_str_at(given, "format", TN_STR_NONE), "csv") &&
        tn_dict_finds(options, TN_STR("header")) == NULL) {
        tn_dict_putz(options, "header", tn_val_int(1));
    }
    tn_str by = tn_val_str_at(given, "partition_by", TN_STR_NONE);
    if (tn_str_find_char(by, ',', 0) != SIZE_MAX && by.p[0] != '(') {
        tn_dict_putz(options, "partition_by",
            tn_val_str(tn_str_printf(a, "(" TN_STR_FMT ")", TN_STR_ARG(by))));
    }
    tn_buf b = tn_buf_init(a, 1 << 20);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(options, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key), value = tn_val_to_str(a, it->value);
        bool quotes = is_quoted_option(a, key) && !tn_str_starts(value, TN_STR("'"));
        tn_buf_addf(&b,
            quotes ? "%s" TN_STR_FMT " '" TN_STR_FMT "'" : "%s" TN_STR_FMT " " TN_STR_FMT,
            b.n > 0 ? ", " : "", TN_STR_ARG(key), TN_STR_ARG(value));
    }
    *ret = tn_val_str(tn_buf_str(&b));
    return TN_OK;
}

static tn_rc external_read_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_arena *a = call->arena;
    tn_str location = tn_adapter_text_arg(call, 0, "write_location");
    tn_val options = tn_call_arg(call, 1, "rendered_options"),
           by = tn_val_at(options, "partition_by");
    if (!tn_val_truthy(by) && !tn_val_truthy(tn_val_at(options, "per_thread_output"))) {
        *ret = tn_val_str(location);
        return TN_OK;
    }
    tn_buf b = tn_buf_init(a, 1 << 16);
    tn_buf_add(&b, location);
    tn_buf_addz(&b, "/*");
    if (tn_val_truthy(by)) {
        tn_str text = tn_val_to_str(a, by);
        tn_buf_addz(&b, "/*");
        for (size_t i = 0; i < text.n; i++) {
            tn_buf_addz(&b, text.p[i] == ',' ? "/*" : "");
        }
    }
    tn_buf_addf(
        &b, "." TN_STR_FMT, TN_STR_ARG(tn_val_str_at(options, "format", TN_STR("parquet"))));
    *ret = tn_val_str(tn_buf_str(&b));
    return TN_OK;
}

/* ---- constraints ---- */

static void list_to(tn_buf *b, tn_arena *a, tn_val list)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        tn_buf_add(b, tn_val_to_str(a, list.list->v[i]));
    }
}

/* "db"."schema"."t" without its database: DuckDB refuses one there. */
static tn_str without_database(tn_str to)
{
    size_t first = tn_str_find_char(to, '.', 0);
    bool three = first != SIZE_MAX && tn_str_find_char(to, '.', first + 1) != SIZE_MAX;
    return three ? tn_str_sub(to, first + 1, to.n) : to;
}

/* `to` is a call, ref('x') or source('a', 'b'): what it is for this model, deferred or not. */
static tn_rc references_to(tn_buf *b, const tn_call *call, tn_val c, tn_err *err)
{
    tn_arena *a = call->arena;
    tn_str to = tn_str_trim(tn_val_str_at(c, "to", TN_STR_NONE));
    tn_buf_addz(b, "references ");
    if (to.n == 0 || !tn_val_truthy(tn_val_at(c, "to_columns"))) {
        tn_buf_add(b, tn_val_str_at(c, "expression", TN_STR_NONE));
        return TN_OK;
    }
    if (to.p[to.n - 1] == ')') {
        TN_TRY(tn_pctx_render(tn_pctx_of(call),
            tn_str_printf(a, "{{ " TN_STR_FMT " }}", TN_STR_ARG(to)),
            (tn_jinja_src){ "<constraint>", 0 }, &to, err));
    }
    tn_buf_add(b, without_database(to));
    tn_buf_addz(b, " (");
    list_to(b, a, tn_val_at(c, "to_columns"));
    tn_buf_addc(b, ')');
    return TN_OK;
}

/* One constraint's text; empty when it is unknown or not complete. cols: " (a, b)" for constraints of the model. */
static tn_rc constraint_text(const tn_call *call, tn_val c, bool of_model, tn_str *ret, tn_err *err)
{
    tn_arena *a = call->arena;
    tn_str kind = tn_val_str_at(c, "type", TN_STR_NONE),
           expression = tn_val_str_at(c, "expression", TN_STR_NONE);
    tn_buf b = tn_buf_init(a, 1 << 20), cols = tn_buf_init(a, 1 << 16);
    if (of_model) {
        tn_buf_addz(&cols, " (");
        list_to(&cols, a, tn_val_at(c, "columns"));
        tn_buf_addz(&cols, ")");
        tn_str name = tn_val_str_at(c, "name", TN_STR_NONE);
        if (name.n > 0) {
            tn_buf_addf(&b, "constraint " TN_STR_FMT " ", TN_STR_ARG(name));
        }
    }
    const char *word = tn_str_is(kind, "not_null") && !of_model ? "not null"
                       : tn_str_is(kind, "unique")              ? "unique"
                       : tn_str_is(kind, "primary_key")         ? "primary key"
                                                                : NULL;
    if (tn_str_is(kind, "check")) {
        tn_buf_addf(&b, "check (" TN_STR_FMT ")", TN_STR_ARG(expression));
    } else if (tn_str_is(kind, "custom")) {
        tn_buf_add(&b, expression);
    } else if (tn_str_is(kind, "foreign_key")) {
        if (of_model) {
            tn_buf_addf(&b, "foreign key" TN_STR_FMT " ", TN_STR_ARG(tn_buf_str(&cols)));
        }
        TN_TRY(references_to(&b, call, c, err));
    } else if (word == NULL) {
        *ret = TN_STR_NONE;
        return TN_OK;
    } else {
        tn_buf_addz(&b, word);
        tn_buf_add(&b, tn_buf_str(&cols));
        tn_buf_addf(&b, expression.n > 0 ? " " TN_STR_FMT : TN_STR_FMT, TN_STR_ARG(expression));
    }
    *ret = tn_buf_str(&b);
    return TN_OK;
}

static tn_rc render_raw_columns_constraints(
    void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_arena *a = call->arena;
    tn_val columns = tn_call_arg(call, 0, "raw_columns");
    size_t at = 0;
    const tn_dict_item *it;
    *ret = tn_val_list(a);
    while (columns.tag == TN_DICT && (it = tn_dict_next(columns.dict, &at)) != NULL) {
        tn_buf b = tn_buf_init(a, 1 << 20);
        tn_str name = tn_val_str_at(it->value, "name", tn_val_as_str(it->key));
        tn_buf_add(&b, tn_val_bool_at(it->value, "quote", false) ? quoted(a, name) : name);
        tn_buf_addf(
            &b, " " TN_STR_FMT, TN_STR_ARG(tn_val_str_at(it->value, "data_type", TN_STR_NONE)));
        tn_val constraints = tn_val_at(it->value, "constraints");
        for (size_t i = 0; tn_val_is_seq(constraints) && i < constraints.list->n; i++) {
            tn_str text;
            TN_TRY(constraint_text(call, constraints.list->v[i], false, &text, err));
            tn_buf_addf(&b, text.n > 0 ? " " TN_STR_FMT : TN_STR_FMT, TN_STR_ARG(text));
        }
        tn_list_push(ret->list, tn_val_str(tn_buf_str(&b)));
    }
    return TN_OK;
}

static tn_rc render_raw_model_constraints(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val given = tn_call_arg(call, 0, "raw_constraints");
    *ret = tn_val_list(call->arena);
    for (size_t i = 0; tn_val_is_seq(given) && i < given.list->n; i++) {
        tn_str text;
        TN_TRY(constraint_text(call, given.list->v[i], true, &text, err));
        if (text.n > 0) {
            tn_list_push(ret->list, tn_val_str(text));
        }
    }
    return TN_OK;
}

/* ---- indexes ---- */

static tn_rc index_render(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)err;
    const tn_dict *d = self;
    tn_arena *a = call->arena;
    tn_buf b = tn_buf_init(a, 1 << 16);
    tn_val v = { .tag = TN_DICT, .dict = (tn_dict *)(uintptr_t)d };
    tn_val columns = tn_val_at(v, "columns");
    for (size_t i = 0; tn_val_is_seq(columns) && i < columns.list->n; i++) {
        tn_buf_add(&b, tn_val_to_str(a, columns.list->v[i]));
        tn_buf_addc(&b, '_');
    }
    tn_buf_add(&b, tn_adapter_text_arg(call, 0, "relation"));
    tn_buf_addz(&b, tn_val_bool_at(v, "unique", false) ? "_True" : "_False");
    /* A new name each time: the old table's index still has its own. */
    tn_buf_addf(&b, "_%p_%zu", self, b.n);
    tn_buf_add(&b, tn_job_of(call)->session->project->invocation_id);
    *ret = tn_val_str(tn_md5_hex(a, tn_buf_str(&b)));
    return TN_OK;
}

static tn_rc parse_index(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val given = tn_call_arg(call, 0, "raw_index");
    if (given.tag != TN_DICT || !tn_val_is_seq(tn_val_at(given, "columns"))) {
        return tn_fail(
            err, TN_E_COMPILE, "an entry of `indexes` must be a dictionary with a list of columns");
    }
    tn_val d = tn_val_dict(call->arena);
    tn_dict_putz(d.dict, "columns", tn_val_at(given, "columns"));
    tn_dict_putz(d.dict, "unique", tn_val_bool(tn_val_bool_at(given, "unique", false)));
    tn_dict_putz(d.dict, "render", tn_val_fn(call->arena, "render", index_render, d.dict));
    *ret = d;
    return TN_OK;
}

/* ---- incremental models and snapshots ---- */

static tn_rc valid_incremental_strategies(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    static const char *const names[] = { "append", "delete+insert", "merge", "microbatch" };
    *ret = tn_val_list(call->arena);
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_list_push(ret->list, tn_val_z(names[i]));
    }
    if (tn_job_of(call)->session->is_lake) {
        tn_list_push(ret->list, tn_val_z("insert_overwrite"));
    }
    return TN_OK;
}

static tn_rc get_incremental_strategy_macro(
    void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    tn_str strategy = tn_adapter_text_arg(call, 1, "strategy");
    tn_val valid;
    TN_TRY(valid_incremental_strategies(self, call, &valid, err));
    bool known = tn_str_is(strategy, "default");
    for (size_t i = 0; i < valid.list->n; i++) {
        known = known || tn_str_eq(tn_val_as_str(valid.list->v[i]), strategy);
    }
    if (!known && tn_str_is(strategy, "insert_overwrite")) {
        return tn_fail(err, TN_E_COMPILE,
            "The incremental strategy '" TN_STR_FMT "' is not valid for this adapter",
            TN_STR_ARG(strategy));
    }
    tn_str name = tn_str_printf(call->arena, "get_incremental_" TN_STR_FMT "_sql",
        TN_STR_ARG(tn_str_replace(call->arena, strategy, TN_STR("+"), TN_STR("_"))));
    *ret = tn_pctx_get(tn_pctx_of(call), name);
    if (tn_val_is_undef(*ret)) {
        return tn_fail(err, TN_E_COMPILE,
            "dbt could not find an incremental strategy macro with the name \"" TN_STR_FMT
            "\" in the project.",
            TN_STR_ARG(name));
    }
    return TN_OK;
}

static tn_rc get_hard_deletes_behavior(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val config = tn_call_arg(call, 0, "config");
    tn_pctx *c = tn_pctx_of(call);
    (void)config;
    tn_val old =
        c->node != NULL ? tn_node_config(c->node, "invalidate_hard_deletes") : TN_VAL_UNDEF;
    tn_val now = c->node != NULL ? tn_node_config(c->node, "hard_deletes") : TN_VAL_UNDEF;
    bool has_now = tn_val_is_str(now);
    if (has_now && tn_val_is_given(old)) {
        return tn_fail(err, TN_E_COMPILE,
            "You cannot set both the invalidate_hard_deletes and hard_deletes config properties on "
            "the same snapshot.");
    }
    *ret = has_now ? now : tn_val_z(tn_val_truthy(old) ? "invalidate" : "ignore");
    return TN_OK;
}

/* A snapshot's table must have the columns that this version of its query needs. */
static tn_rc assert_valid_snapshot(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val relation = tn_call_arg(call, 0, "relation"),
           names = tn_call_arg(call, 1, "column_names"), found = TN_VAL_NONE;
    static const char *const wanted[] = { "dbt_scd_id", "dbt_valid_from", "dbt_valid_to" };
    TN_TRY(tn_pctx_call(
        tn_pctx_of(call), TN_STR("get_columns_in_relation"), &relation, 1, NULL, 0, &found, err));
    *ret = tn_val_z("");
    for (size_t i = 0; i < TN_COUNTOF(wanted); i++) {
        tn_str name = tn_val_str_at(names, wanted[i], tn_str_of(wanted[i]));
        bool there = false;
        for (size_t k = 0; tn_val_is_seq(found) && k < found.list->n; k++) {
            tn_column *column = NULL;
            there = there || (tn_val_is_column(found.list->v[k], &column) &&
                                 tn_str_eq_nocase(column->name, name));
        }
        if (!there) {
            return tn_fail(err, TN_E_COMPILE,
                "Snapshot target is missing configured columns (missing \"" TN_STR_FMT "\")",
                TN_STR_ARG(name));
        }
    }
    return TN_OK;
}

static tn_rc standardize_grants_dict(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_dict(call->arena);
    return TN_OK;
}

static tn_rc get_temp_relation_path(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    tn_relation *r = NULL;
    *ret = tn_val_dict(call->arena);
    if (tn_val_is_relation(tn_call_arg(call, 0, "model"), &r)) {
        tn_dict_putz(ret->dict, "schema", tn_val_z("dbt_temp"));
        tn_dict_putz(ret->dict, "database", tn_val_str(r->part[0]));
        tn_dict_putz(ret->dict, "identifier",
            tn_val_str(tn_str_printf(call->arena, TN_STR_FMT "__dbt_tmp", TN_STR_ARG(r->part[2]))));
    }
    return TN_OK;
}

const tn_adapter_method tn_adapter_text[] = {
    { "quote", quote },
    { "quote_as_configured", quote_as_configured },
    { "quote_seed_column", quote_seed_column },
    { "escape_sql_string", escape_sql_string },
    { "type", type },
    { "convert_type", convert_type },
    { "convert_datetimes_to_strs", first_argument },
    { "get_seed_file_path", get_seed_file_path },
    { "get_binding_char", get_binding_char },
    { "disable_transactions", disable_transactions },
    { "catalog_supports_foreign_keys", yes },
    { "batch_id_for_model", empty_text },
    { "warn_once", warn_once },
    { "external_root", external_root },
    { "external_write_options", external_write_options },
    { "external_read_location", external_read_location },
    { "render_raw_columns_constraints", render_raw_columns_constraints },
    { "render_raw_model_constraints", render_raw_model_constraints },
    { "parse_index", parse_index },
    { "valid_incremental_strategies", valid_incremental_strategies },
    { "get_incremental_strategy_macro", get_incremental_strategy_macro },
    { "get_hard_deletes_behavior", get_hard_deletes_behavior },
    { "assert_valid_snapshot_target_given_strategy", assert_valid_snapshot },
    { "valid_snapshot_target", assert_valid_snapshot },
    { "standardize_grants_dict", standardize_grants_dict },
    { "get_temp_relation_path", get_temp_relation_path },
    { NULL, NULL },
};
