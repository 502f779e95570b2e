/* parse_other.c: sources, exposures, groups, metrics, semantic models, saved queries, unit tests: resources that are only YAML. */
#include "project/deprecation.h"
#include "project/node/semantic_form.h"
#include "project/parse/parse_priv.h"
#include "text/uri.h"

/* ---- sources ---- */

static tn_val source_tags(tn_arena *a, tn_val source, tn_val table)
{
    tn_strs all = { 0 };
    const tn_val lists[] = { tn_val_at(source, "tags"),
        tn_val_at(tn_val_at(source, "config"), "tags"), tn_val_at(table, "tags"),
        tn_val_at(tn_val_at(table, "config"), "tags") };
    for (size_t i = 0; i < TN_COUNTOF(lists); i++) {
        tn_strs some = tn_value_strs(a, lists[i]);
        for (size_t k = 0; k < some.n; k++) {
            tn_strs_add_new(&all, a, some.v[k]);
        }
    }
    tn_strs_sort(&all);
    return tn_strs_list(a, &all);
}

static tn_val time_threshold(tn_arena *a, tn_val v)
{
    tn_val t = tn_val_dict(a);
    tn_val count = tn_val_at(v, "count"), period = tn_val_at(v, "period");
    tn_dict_putz(t.dict, "count", tn_val_is_undef(count) ? TN_VAL_NONE : count);
    tn_dict_putz(t.dict, "period", tn_val_is_undef(period) ? TN_VAL_NONE : period);
    return t;
}

/* table over source; an explicit null switches it off. Undefined: nobody said anything. */
static tn_val source_freshness(tn_arena *a, tn_val source, tn_val table)
{
    const tn_val levels[] = { tn_val_at(source, "freshness"),
        tn_val_at(tn_val_at(source, "config"), "freshness"), tn_val_at(table, "freshness"),
        tn_val_at(tn_val_at(table, "config"), "freshness") };
    tn_val out = TN_VAL_UNDEF;
    for (size_t i = 0; i < TN_COUNTOF(levels); i++) {
        if (tn_val_is_none(levels[i])) {
            out = TN_VAL_NONE;
        } else if (levels[i].tag == TN_DICT) {
            tn_val m = tn_val_dict(a);
            tn_value_put_all(m.dict, out);
            tn_value_put_all(m.dict, levels[i]);
            out = m;
        }
    }
    if (out.tag != TN_DICT) {
        return out;
    }
    tn_val f = tn_val_dict(a), filter = tn_val_at(out, "filter");
    tn_val warn = tn_val_at(out, "warn_after"), error = tn_val_at(out, "error_after");
    tn_dict_putz(f.dict, "warn_after", tn_val_is_none(warn) ? warn : time_threshold(a, warn));
    tn_dict_putz(f.dict, "error_after", tn_val_is_none(error) ? error : time_threshold(a, error));
    tn_dict_putz(f.dict, "filter", tn_val_is_undef(filter) ? TN_VAL_NONE : filter);
    return f;
}

/* loaded_at_field and loaded_at_query of one level: beside its config or in it; undefined: neither was said. */
static tn_val loaded_at(tn_val level, const char *key)
{
    tn_val own = tn_val_at(level, key), config = tn_val_at(tn_val_at(level, "config"), key);
    return tn_val_truthy(own) || tn_val_is_undef(config) ? own : config;
}

static tn_val text_of(tn_val v)
{
    return tn_val_is_str(v) ? v : TN_VAL_NONE;
}

/* What a table says wins; its field takes the source's query away. */
static tn_rc take_loaded_at(tn_dict *config, tn_val source, tn_val table, tn_err *err)
{
    tn_val field = loaded_at(table, "loaded_at_field"), query = loaded_at(table, "loaded_at_query"),
           above = loaded_at(source, "loaded_at_field"),
           asked = loaded_at(source, "loaded_at_query");
    bool said = !tn_val_is_undef(field);
    if ((said && tn_val_truthy(query)) || (tn_val_truthy(above) && tn_val_truthy(asked))) {
        return tn_fail(err, TN_E_PARSE,
            "Cannot specify both loaded_at_field and loaded_at_query at %s level.",
            said && tn_val_truthy(query) ? "table" : "source");
    }
    tn_dict_putz(config, "loaded_at_field", text_of(said ? field : above));
    tn_dict_putz(config, "loaded_at_query",
        text_of(tn_val_truthy(query) ? query
                : said               ? TN_VAL_NONE
                                     : asked));
    return TN_OK;
}

static tn_rc source_config(tn_arena *a, tn_val source, tn_val table, tn_dict **ret, tn_err *err)
{
    tn_val c = tn_val_dict(a), meta = tn_val_dict(a);
    tn_value_put_all(c.dict, tn_val_at(source, "config"));
    tn_value_put_all(c.dict, tn_val_at(table, "config"));
    tn_value_put_all(meta.dict, tn_val_at(source, "meta"));
    tn_value_put_all(meta.dict, tn_val_at(tn_val_at(source, "config"), "meta"));
    tn_value_put_all(meta.dict, tn_val_at(table, "meta"));
    tn_value_put_all(meta.dict, tn_val_at(tn_val_at(table, "config"), "meta"));
    tn_dict_putz(c.dict, "meta", meta);
    tn_dict_putz(c.dict, "tags", source_tags(a, source, table));
    tn_val fresh = source_freshness(a, source, table);
    (void)tn_dict_remove(c.dict, tn_val_z("freshness"));
    if (!tn_val_is_undef(fresh)) {
        tn_dict_putz(c.dict, "freshness", fresh);
    }
    *ret = c.dict;
    return take_loaded_at(c.dict, source, table, err);
}

static tn_val source_quoting(tn_arena *a, tn_val source, tn_val table)
{
    static const char *const keys[] = { "database", "schema", "identifier", "column" };
    tn_val q = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(tn_val_at(table, "quoting"), keys[i]);
        v = tn_val_is_undef(v) ? tn_val_at(tn_val_at(source, "quoting"), keys[i]) : v;
        tn_dict_putz(q.dict, keys[i], tn_val_is_undef(v) ? TN_VAL_NONE : v);
    }
    return q;
}

static void source_fields(
    tn_project *p, tn_node *n, const tn_patch *patch, tn_val source, tn_val table)
{
    tn_arena *a = p->arena;
    tn_source_info *s = n->source = tn_new(a, tn_source_info);
    s->source_name = patch->name;
    s->loader = tn_val_str_at(source, "loader", TN_STR(""));
    s->identifier = tn_val_str_at(table, "identifier", n->name);
    s->external = tn_val_at(table, "external");
    s->quoting = source_quoting(a, source, table);
    s->source_meta = tn_val_dict(a);
    s->raw_database = tn_val_at((tn_val){ .tag = TN_DICT, .dict = patch->raw }, "database");
    s->raw_schema = tn_val_at((tn_val){ .tag = TN_DICT, .dict = patch->raw }, "schema");
    tn_value_put_all(s->source_meta.dict, tn_val_at(source, "meta"));
    tn_value_put_all(s->source_meta.dict, tn_val_at(tn_val_at(source, "config"), "meta"));
    n->database =
        tn_val_str_at(source, "database", tn_val_str_at(source, "catalog", p->profile.database));
    n->schema = tn_val_str_at(source, "schema", tn_val_str_at(source, "dataset", patch->name));
    n->alias = s->identifier;
    n->path = n->original_file_path = patch->file;
    n->file = patch->open;
    n->raw_line = patch->line;
    n->unique_id = tn_str_printf(a, "source." TN_STR_FMT "." TN_STR_FMT "." TN_STR_FMT,
        TN_STR_ARG(n->package_name), TN_STR_ARG(patch->name), TN_STR_ARG(n->name));
    tn_fqn_of(p, patch->package, patch->rel, patch->name, &n->fqn);
    tn_vec_push(&n->fqn, a, n->name);
}

/* Nothing of DuckDB tells when a table was last written: freshness needs a column or a query. */
static void note_freshness(tn_project *p, const tn_node *n)
{
    const tn_source_info *s = n->source;
    static const char *const limits[] = { "warn_after", "error_after" };
    bool wanted = false;
    for (size_t i = 0; i < TN_COUNTOF(limits); i++) {
        tn_val limit = tn_val_at(s->freshness, limits[i]);
        wanted = wanted || (tn_val_at(limit, "count").tag == TN_INT &&
                               tn_val_truthy(tn_val_at(limit, "period")));
    }
    if (n->enabled && wanted && s->loaded_at_field.n == 0 && s->loaded_at_query.n == 0) {
        tn_project_note(p, "FreshnessConfigProblem", n->original_file_path, 0,
            "The configured adapter does not support metadata-based freshness. A loaded_at_field "
            "must be specified for source '" TN_STR_FMT "." TN_STR_FMT "'.",
            TN_STR_ARG(s->source_name), TN_STR_ARG(n->name));
    }
}

static tn_rc add_source(tn_project *p, tn_patch *patch, tn_val table, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val source = { .tag = TN_DICT, .dict = patch->entry };
    tn_node *n = tn_node_new(p, TN_NODE_SOURCE, patch->package);
    n->name = tn_val_str_at(table, "name", TN_STR_NONE);
    if (n->name.n == 0) {
        tn_rc rc = tn_fail(err, TN_E_VALUE, "a table of source '" TN_STR_FMT "' has no name",
            TN_STR_ARG(patch->name));
        tn_err_place(err, tn_str_z(a, patch->open), patch->line, 1);
        return rc;
    }
    source_fields(p, n, patch, source, table);
    tn_dict *config = NULL;
    tn_rc rc = source_config(a, source, table, &config, err);
    rc = rc == TN_OK ? tn_config_resolve(p, n, config, NULL, err) : rc;
    if (rc == TN_E_PARSE || rc == TN_E_INVALID) { /* told as they are */
        return rc;
    }
    if (rc != TN_OK) {
        tn_err_place(err, tn_str_z(a, patch->open), patch->line, 1);
        return tn_while(err, rc, "configuring '" TN_STR_FMT "'", TN_STR_ARG(n->unique_id));
    }
    n->source->freshness = tn_node_config(n, "freshness");
    n->source->loaded_at_field = tn_node_config_str(n, "loaded_at_field", TN_STR_NONE);
    n->source->loaded_at_query = tn_node_config_str(n, "loaded_at_query", TN_STR_NONE);
    note_freshness(p, n);
    TN_TRY(tn_render_desc(p, patch, table, &n->description, &n->doc_blocks, err));
    TN_TRY(tn_render_desc(p, patch, source, &n->source->source_description, NULL, err));
    n->columns = tn_columns_of(a, tn_val_at(table, "columns"));
    TN_TRY(tn_render_descs(p, patch, n->columns, err));
    n->relation_name = tn_project_relation_name(
        a, p, tn_source_quoting(a, n), n->database, n->schema, n->source->identifier);
    tn_str external;
    TN_TRY(tn_source_location(a, n, &external, err));
    n->relation_name = external.n > 0 ? external : n->relation_name;
    n->extra = table;
    return tn_node_add(p, n, err);
}

/* A source with `overrides: package` changes the tables of that package's source of the same name. */
static tn_val overridden_table(
    tn_project *p, const tn_patch *patch, tn_val table, tn_val *io_source)
{
    for (size_t i = 0; i < p->state->patches.n; i++) {
        tn_patch *o = p->state->patches.v[i];
        tn_val e = { .tag = TN_DICT, .dict = o->entry };
        if (strcmp(o->key, "sources") != 0 || !tn_str_eq(o->name, patch->name) ||
            !tn_str_eq(tn_val_str_at(e, "overrides", TN_STR_NONE), patch->package->name)) {
            continue;
        }
        tn_val s = tn_val_dict(p->arena), tables = tn_val_at(e, "tables");
        tn_value_put_all(s.dict, *io_source);
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(o->entry, &at)) != NULL) {
            if (!tn_str_is(tn_val_as_str(it->key), "tables") &&
                !tn_str_is(tn_val_as_str(it->key), "overrides")) {
                tn_dict_put(s.dict, it->key, it->value);
            }
        }
        *io_source = s;
        for (size_t k = 0; tables.tag == TN_LIST && k < tables.list->n; k++) {
            if (tn_val_eq(tn_val_at(tables.list->v[k], "name"), tn_val_at(table, "name"))) {
                tn_val t = tn_val_dict(p->arena);
                tn_value_put_all(t.dict, table);
                tn_value_put_all(t.dict, tables.list->v[k]);
                table = t;
            }
        }
    }
    return table;
}

/* Two entries that override one source of a package. */
static tn_rc check_overrides(tn_project *p, tn_err *err)
{
    tn_map seen = tn_map_init(p->arena);
    for (size_t i = 0; i < p->state->patches.n; i++) {
        tn_patch *o = p->state->patches.v[i];
        tn_str package =
            tn_val_str_at((tn_val){ .tag = TN_DICT, .dict = o->entry }, "overrides", TN_STR_NONE);
        if (strcmp(o->key, "sources") != 0 || package.n == 0) {
            continue;
        }
        tn_str name = tn_str_printf(
            p->arena, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(package), TN_STR_ARG(o->name));
        const tn_patch *old = tn_map_find(&seen, name);
        if (old != NULL) {
            bool one = tn_str_eq(old->file, o->file);
            return tn_fail(err, TN_E_COMPILE,
                "dbt found two schema.yml entries for the same source named " TN_STR_FMT
                " in package " TN_STR_FMT ". Sources may only be overridden a single time. To fix "
                "this, remove %s for " TN_STR_FMT " in %s:\n - " TN_STR_FMT "%s" TN_STR_FMT,
                TN_STR_ARG(o->name), TN_STR_ARG(package),
                one ? "one of the resource entries" : "the resource entry", TN_STR_ARG(name),
                one ? "this file" : "one of these files", TN_STR_ARG(old->file), one ? "" : "\n - ",
                TN_STR_ARG(one ? TN_STR("") : o->file));
        }
        tn_map_put(&seen, name, o);
    }
    return TN_OK;
}

tn_rc tn_parse_sources(tn_project *p, tn_err *err)
{
    TN_TRY(check_overrides(p, err));
    for (size_t i = 0; i < p->state->patches.n; i++) {
        tn_patch *patch = p->state->patches.v[i];
        if (strcmp(patch->key, "sources") != 0 ||
            tn_dict_finds(patch->entry, TN_STR("overrides")) != NULL) {
            continue;
        }
        patch->used = true;
        tn_val tables = tn_val_at((tn_val){ .tag = TN_DICT, .dict = patch->entry }, "tables");
        for (size_t k = 0; tables.tag == TN_LIST && k < tables.list->n; k++) {
            tn_patch copy = *patch;
            tn_val source = { .tag = TN_DICT, .dict = patch->entry };
            tn_val table = overridden_table(p, patch, tables.list->v[k], &source);
            copy.entry = source.dict;
            TN_TRY(add_source(p, &copy, table, err));
        }
    }
    return TN_OK;
}

/* ---- kept resources ---- */

static tn_val kept_config(tn_arena *a, tn_val e, tn_node_kind kind)
{
    static const char *const moved[] = { "meta", "tags", "group" };
    tn_val c = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(moved); i++) {
        tn_val v = tn_val_at(e, moved[i]);
        bool own = kind == TN_NODE_METRIC && strcmp(moved[i], "meta") == 0;
        if (!own && kind != TN_NODE_EXPOSURE && tn_val_is_given(v)) {
            tn_dict_putz(c.dict, moved[i], v);
        }
    }
    tn_value_put_all(c.dict, tn_value_or_dict(a, tn_val_at(e, "config")));
    return c;
}

/* Letters, digits, '_' and '-'. */
static bool plain_name(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || (unsigned char)c >= 0x80;
        if (!plain) {
            return false;
        }
    }
    return true;
}

/* depends_on: of an exposure: texts with ref(), source() or metric(). */
static tn_rc exposure_depends(
    tn_project *p, tn_node *n, const tn_patch *patch, tn_val list, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("exposure", NULL);
    tn_pctx c;
    struct tn_pctx_record r;
    TN_TRY(tn_record_init(p, &c, n, &r, scratch, err));
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_str text = tn_str_printf(
                   scratch, "{{ " TN_STR_FMT " }}", TN_STR_ARG(tn_val_as_str(list.list->v[i]))),
               unused;
        TN_TRY(tn_pctx_render(&c, text,
            (tn_jinja_src){ tn_str_z(p->arena, patch->open), patch->line }, &unused, err));
    }
    tn_take_record(p, n, &r);
    return TN_OK;
}

static tn_rc add_kept(tn_project *p, tn_patch *patch, tn_node_kind kind, tn_err *err);

static void add_all_tags(tn_arena *a, tn_strs *into, tn_val v)
{
    tn_strs more = tn_value_strs(a, v);
    for (size_t i = 0; i < more.n; i++) {
        tn_strs_add_new(into, a, more.v[i]);
    }
}

/* An exposure's tags and meta are those of its config, beside it, and right below `exposures:` of dbt_project.yml. */
static void settle_exposure(tn_project *p, tn_node *n, tn_val e)
{
    tn_arena *a = p->arena;
    const tn_package *pkg = tn_project_package(p, n->package_name);
    tn_val project = tn_val_at((tn_val){ .tag = TN_DICT, .dict = pkg->config }, "exposures");
    tn_val tags = tn_node_config(n, "tags"), meta = tn_val_dict(a);
    n->tags = (tn_strs){ 0 };
    add_all_tags(a, &n->tags, tn_val_at(project, "tags"));
    add_all_tags(a, &n->tags, tn_val_at(e, "tags"));
    add_all_tags(a, &n->tags, tags);
    tn_strs_sort(&n->tags);
    tn_value_put_all(meta.dict, tn_val_at(project, "meta"));
    tn_value_put_all(meta.dict, tn_val_at(e, "meta"));
    tn_value_put_all(meta.dict, tn_node_config(n, "meta"));
    n->meta = meta;
    tn_dict_putz(n->config, "tags", tn_strs_list(a, &n->tags));
    tn_dict_putz(n->config, "meta", meta);
}

/* As dbt has it: tags beside the config of a metric or saved query are the node's and not the config's; what a saved query's config says as
 * written is what its own entry says. */
static void settle_config(tn_project *p, tn_node *n, tn_val e)
{
    tn_arena *a = p->arena;
    tn_val own = tn_val_at(e, "config");
    bool metric = n->kind == TN_NODE_METRIC, query = n->kind == TN_NODE_SAVED_QUERY;
    if (n->kind == TN_NODE_EXPOSURE) {
        settle_exposure(p, n, e);
        return;
    }
    if (query) {
        tn_strs_sort(&n->tags);
    }
    if (metric) { /* meta beside the config is the node's, unless the config has one */
        tn_val own_meta = tn_node_config(n, "meta"), beside = tn_val_at(e, "meta");
        bool is_old = tn_val_at(e, "type_params").tag == TN_DICT;
        n->meta = !is_old                   ? tn_val_dict(a)
                  : tn_val_truthy(own_meta) ? own_meta
                                            : tn_value_or_dict(a, beside);
    }
    if (query) {
        n->unrendered_config = tn_value_or_dict(a, own).dict;
    }
    if ((metric || query) && !tn_val_is_undef(tn_val_at(e, "tags")) &&
        tn_val_is_undef(tn_val_at(own, "tags"))) {
        (void)tn_dict_remove(n->config, tn_val_z("tags"));
        (void)tn_dict_remove(n->unrendered_config, tn_val_z("tags"));
    }
}

/* `create_metric: true` of a measure makes a metric of its name. */
static tn_rc add_measure_metrics(
    tn_project *p, const tn_patch *patch, const tn_node *n, tn_val e, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val list = tn_val_at(e, "measures");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val m = list.list->v[i], expr = tn_val_at(m, "expr");
        if (!tn_val_bool_at(m, "create_metric", false)) {
            continue;
        }
        tn_val entry = tn_val_dict(a), params = tn_val_dict(a), config = tn_val_dict(a);
        tn_str name = tn_val_str_at(m, "name", TN_STR_NONE);
        tn_str told = tn_str_printf(a, "Metric created from measure " TN_STR_FMT, TN_STR_ARG(name));
        bool has_expr = tn_val_is_given(expr);
        tn_dict_putz(params.dict, "measure", tn_val_str(name));
        tn_dict_putz(params.dict, "expr", has_expr ? expr : tn_val_str(name));
        tn_dict_putz(config.dict, "enabled", tn_val_bool(n->enabled));
        tn_dict_putz(config.dict, "meta", tn_value_or_dict(a, tn_node_config(n, "meta")));
        tn_dict_putz(entry.dict, "name", tn_val_str(name));
        tn_dict_putz(entry.dict, "label", tn_val_str(tn_val_str_at(m, "label", name)));
        tn_dict_putz(entry.dict, "description", tn_val_str(tn_val_str_at(m, "description", told)));
        tn_dict_putz(entry.dict, "type", tn_val_z("simple"));
        tn_dict_putz(entry.dict, "type_params", params);
        tn_dict_putz(entry.dict, "config", config);
        tn_patch *made = tn_new(a, tn_patch);
        *made = *patch;
        made->key = "metrics";
        made->name = name;
        made->entry = entry.dict;
        TN_TRY(add_kept(p, made, TN_NODE_METRIC, err));
    }
    return TN_OK;
}

/* The descriptions of a semantic model's entities, dimensions and measures. */
static tn_rc describe_elements(tn_project *p, const tn_patch *patch, tn_val entry, tn_err *err)
{
    static const char *const lists[] = { "entities", "dimensions", "measures" };
    for (size_t k = 0; k < TN_COUNTOF(lists); k++) {
        tn_val list = tn_val_at(entry, lists[k]);
        for (size_t i = 0; i < list.list->n; i++) {
            tn_val e = list.list->v[i];
            tn_str text;
            if (tn_val_is_str(tn_val_at(e, "description"))) {
                TN_TRY(tn_render_desc(p, patch, e, &text, NULL, err));
                tn_dict_putz(e.dict, "description", tn_val_str(text));
            }
        }
    }
    return TN_OK;
}

static tn_rc add_kept(tn_project *p, tn_patch *patch, tn_node_kind kind, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val e = { .tag = TN_DICT, .dict = patch->entry };
    tn_node *n = tn_node_new(p, kind, patch->package);
    n->name = n->alias = patch->name;
    n->path = patch->rel;
    n->original_file_path = patch->file;
    n->file = patch->open;
    n->raw_line = patch->line;
    n->extra = e;
    n->config_call = tn_val_dict(a).dict;
    if (kind == TN_NODE_EXPOSURE && !plain_name(n->name)) {
        tn_deprecate(p, "ExposureNameDeprecation", patch->file,
            "Starting in v1.3, the 'name' of an exposure should contain only letters, numbers, and "
            "underscores. Exposures support a new property, 'label', which may contain spaces, "
            "capital letters, and special characters. " TN_STR_FMT
            " does not follow this pattern. Please update the 'name', and use the 'label' property "
            "for a human-friendly title. This will raise an error in a future version of dbt-core.",
            TN_STR_ARG(n->name));
    }
    if (kind == TN_NODE_UNIT_TEST) {
        tn_str model = tn_val_str_at(e, "model", TN_STR_NONE);
        n->unique_id = tn_str_printf(a, "unit_test." TN_STR_FMT "." TN_STR_FMT "." TN_STR_FMT,
            TN_STR_ARG(n->package_name), TN_STR_ARG(model), TN_STR_ARG(n->name));
        tn_fqn_of(p, patch->package, patch->rel, model, &n->fqn);
        tn_vec_push(&n->fqn, a, n->name);
    } else {
        n->unique_id = tn_str_printf(a, "%s." TN_STR_FMT "." TN_STR_FMT, tn_node_kind_name(kind),
            TN_STR_ARG(n->package_name), TN_STR_ARG(n->name));
        tn_fqn_of(p, patch->package, patch->rel, n->name, &n->fqn);
    }
    TN_TRY(tn_config_resolve(p, n, kept_config(a, e, kind).dict, NULL, err));
    TN_TRY(tn_semantic_spell_out(p, n, err));
    settle_config(p, n, e);
    TN_TRY(tn_render_desc(p, patch, e, &n->description, NULL, err));
    if (kind == TN_NODE_EXPOSURE) {
        TN_TRY(exposure_depends(p, n, patch, tn_val_at(e, "depends_on"), err));
    } else if (kind == TN_NODE_UNIT_TEST) {
        return tn_unit_test_add(p, n, patch, err);
    } else if (kind == TN_NODE_SEMANTIC_MODEL && tn_val_is_str(tn_val_at(e, "model"))) {
        tn_val one = tn_val_list(a);
        tn_list_push(one.list, tn_val_at(e, "model"));
        TN_TRY(exposure_depends(p, n, patch, one, err));
        TN_TRY(describe_elements(p, patch, n->extra, err));
    }
    TN_TRY(tn_node_add(p, n, err));
    return kind == TN_NODE_SEMANTIC_MODEL ? add_measure_metrics(p, patch, n, e, err) : TN_OK;
}

/* ---- semantics of models ---- */

static tn_rc add_spelled(
    tn_project *p, const tn_patch *of, const char *key, tn_val entry, tn_err *err)
{
    tn_patch *made = tn_new(p->arena, tn_patch);
    *made = *of;
    made->key = key;
    made->entry = entry.dict;
    made->name = tn_val_str_at(entry, "name", of->name);
    return add_kept(
        p, made, strcmp(key, "metrics") == 0 ? TN_NODE_METRIC : TN_NODE_SEMANTIC_MODEL, err);
}

static tn_rc add_model_semantics(tn_project *p, const tn_patch *patch, tn_err *err)
{
    tn_val e = { .tag = TN_DICT, .dict = patch->entry }, list = tn_val_at(e, "metrics");
    if (!patch->used || !tn_val_is_undef(patch->version) || !tn_model_has_semantics(e)) {
        return TN_OK;
    }
    TN_TRY(add_spelled(
        p, patch, "semantic_models", tn_model_semantics(p->arena, e, patch->name), err));
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        TN_TRY(tn_metric_check(list.list->v[i], err));
        TN_TRY(add_spelled(
            p, patch, "metrics", tn_model_metric(p->arena, e, list.list->v[i], patch->name), err));
    }
    return TN_OK;
}

static tn_rc add_group(tn_project *p, const tn_patch *patch, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val e = { .tag = TN_DICT, .dict = patch->entry }, g = tn_val_dict(a);
    tn_dict_putz(g.dict, "name", tn_val_str(patch->name));
    tn_dict_putz(g.dict, "resource_type", tn_val_z("group"));
    tn_dict_putz(g.dict, "package_name", tn_val_str(patch->package->name));
    tn_dict_putz(g.dict, "path", tn_val_str(patch->rel));
    tn_dict_putz(g.dict, "original_file_path", tn_val_str(patch->file));
    tn_dict_putz(g.dict, "unique_id",
        tn_val_str(tn_str_printf(a, "group." TN_STR_FMT "." TN_STR_FMT,
            TN_STR_ARG(patch->package->name), TN_STR_ARG(patch->name))));
    tn_val owner = tn_val_dict(a), config = tn_val_dict(a);
    tn_strs fqn = { 0 };
    tn_fqn_of(p, patch->package, patch->rel, patch->name, &fqn);
    tn_vec_push(&fqn, a, patch->name);
    TN_TRY(tn_config_of_group(
        p, patch->package, &fqn, kept_config(a, e, TN_NODE_EXPOSURE).dict, config.dict, err));
    tn_dict_putz(owner.dict, "email", TN_VAL_NONE);
    tn_dict_putz(owner.dict, "name", TN_VAL_NONE);
    tn_value_put_all(owner.dict, tn_value_or_dict(a, tn_val_at(e, "owner")));
    tn_dict_putz(g.dict, "owner", owner);
    tn_val desc = tn_val_at(e, "description");
    tn_dict_putz(g.dict, "description", tn_val_is_undef(desc) ? TN_VAL_NONE : desc);
    tn_dict_putz(g.dict, "config", config);
    tn_list_push(p->groups.list, g);
    return TN_OK;
}

tn_rc tn_parse_others(tn_project *p, tn_err *err)
{
    static const struct {
        const char *key;
        tn_node_kind kind;
    } kinds[] = { { "exposures", TN_NODE_EXPOSURE }, { "metrics", TN_NODE_METRIC },
        { "semantic_models", TN_NODE_SEMANTIC_MODEL }, { "saved_queries", TN_NODE_SAVED_QUERY },
        { "unit_tests", TN_NODE_UNIT_TEST } };
    for (size_t i = 0; i < p->state->patches.n; i++) {
        tn_patch *patch = p->state->patches.v[i];
        if (strcmp(patch->key, "groups") == 0) {
            TN_TRY(add_group(p, patch, err));
        } else if (strcmp(patch->key, "models") == 0) {
            TN_TRY(add_model_semantics(p, patch, err));
        }
        for (size_t k = 0; k < TN_COUNTOF(kinds); k++) {
            if (strcmp(patch->key, kinds[k].key) == 0) {
                tn_rc rc = add_kept(p, patch, kinds[k].kind, err);
                if (rc != TN_OK) {
                    tn_err_place(err, tn_str_z(p->arena, patch->open), patch->line, 1);
                    return rc;
                }
            }
        }
    }
    return TN_OK;
}
