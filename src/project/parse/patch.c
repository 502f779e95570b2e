/* patch.c: what the entry of a properties file gives the node that it describes: descriptions, columns (a version's, too), config. */
#include "project/deprecation.h"
#include "project/node/semantic_form.h"
#include "project/parse/parse_priv.h"

/* ---- descriptions ---- */

/* Descriptions see only doc(). */
tn_rc tn_render_desc(tn_project *p, const tn_patch *patch, tn_val entry, tn_str *ret,
    tn_val *ret_blocks, tn_err *err)
{
    tn_str text = tn_val_str_at(entry, "description", TN_STR(""));
    *ret = text;
    if (tn_text_has_jinja(text)) {
        tn_pctx c;
        TN_TRY(tn_yaml_context(&c, p, patch->package, false, p->arena, err));
        TN_TRY(tn_pctx_render(
            &c, text, (tn_jinja_src){ tn_str_z(p->arena, patch->open), patch->line }, ret, err));
    }
    if (ret_blocks != NULL) {
        *ret_blocks = tn_doc_blocks_of(p, patch->package->name, text);
    }
    return TN_OK;
}

static tn_rc render_in_place(tn_project *p, const tn_patch *patch, tn_val e, tn_err *err)
{
    tn_str text;
    tn_val blocks;
    TN_TRY(tn_render_desc(p, patch, e, &text, &blocks, err));
    tn_dict_putz(e.dict, "description", tn_val_str(text));
    if (!tn_val_is_undef(tn_val_at(e, "doc_blocks"))) { /* arguments have none */
        tn_dict_putz(e.dict, "doc_blocks", blocks);
    }
    return TN_OK;
}

tn_rc tn_render_descs(tn_project *p, const tn_patch *patch, tn_val entries, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (entries.tag == TN_DICT && (it = tn_dict_next(entries.dict, &at)) != NULL) {
        TN_TRY(render_in_place(p, patch, it->value, err));
    }
    for (size_t i = 0; entries.tag == TN_LIST && i < entries.list->n; i++) {
        if (entries.list->v[i].tag == TN_DICT) {
            TN_TRY(render_in_place(p, patch, entries.list->v[i], err));
        }
    }
    return TN_OK;
}

/* ---- columns ---- */

static tn_val column_of(tn_arena *a, tn_val c)
{
    static const char *const same[] = { "data_type", "quote", "granularity", "dimension",
        "entity" };
    tn_val out = tn_val_dict(a), config = tn_value_or_dict(a, tn_val_at(c, "config"));
    tn_dict_putz(out.dict, "name", tn_val_at(c, "name"));
    tn_dict_putz(out.dict, "description", tn_val_str(tn_val_str_at(c, "description", TN_STR(""))));
    tn_val meta = tn_val_dict(a);
    tn_value_put_all(meta.dict, tn_val_at(c, "meta"));
    tn_value_put_all(meta.dict, tn_val_at(config, "meta"));
    tn_dict_putz(out.dict, "meta", meta);
    for (size_t i = 0; i < TN_COUNTOF(same); i++) {
        tn_val v = tn_val_at(c, same[i]);
        tn_dict_putz(out.dict, same[i], tn_val_is_undef(v) ? TN_VAL_NONE : v);
    }
    tn_val grain = tn_val_at(out, "granularity");
    if (tn_val_is_str(grain)) {
        tn_dict_putz(out.dict, "granularity", tn_val_str(tn_str_lower(a, tn_val_as_str(grain))));
    }
    tn_dict_putz(out.dict, "dimension", tn_column_dimension_of(a, c));
    tn_dict_putz(out.dict, "entity", tn_column_entity_of(a, c));
    tn_dict_putz(out.dict, "constraints", tn_constraints_of(a, tn_val_at(c, "constraints"), false));
    tn_val tags = tn_value_listify(a, tn_val_at(c, "tags")),
           more = tn_value_listify(a, tn_val_at(config, "tags"));
    for (size_t i = 0; i < more.list->n; i++) {
        tn_list_push(tags.list, more.list->v[i]);
    }
    tn_dict_putz(out.dict, "tags", tags);
    tn_val cfg = tn_val_dict(a);
    tn_dict_putz(cfg.dict, "meta", meta);
    tn_dict_putz(cfg.dict, "tags", tags);
    tn_dict_putz(out.dict, "config", cfg);
    tn_dict_putz(out.dict, "doc_blocks", tn_val_list(a));
    return out;
}

tn_val tn_columns_of(tn_arena *a, tn_val list)
{
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_val name = tn_val_at(list.list->v[i], "name");
        if (tn_val_is_str(name)) {
            tn_dict_put(out.dict, name, column_of(a, list.list->v[i]));
        }
    }
    return out;
}

/* A version's columns: its own, or the model's by include/exclude. */
tn_val tn_version_columns(tn_arena *a, tn_val model, tn_val version)
{
    tn_val own = tn_val_at(version, "columns");
    if (own.tag != TN_LIST) {
        return tn_val_at(model, "columns");
    }
    tn_val out = tn_val_list(a), all = tn_val_at(model, "columns");
    tn_strs include = { 0 }, exclude = { 0 };
    bool ruled = false;
    for (size_t i = 0; i < own.list->n; i++) {
        tn_val inc = tn_val_at(own.list->v[i], "include"),
               exc = tn_val_at(own.list->v[i], "exclude");
        if (!tn_val_is_undef(inc) || !tn_val_is_undef(exc)) {
            include = tn_value_strs(a, inc);
            exclude = tn_value_strs(a, exc);
            ruled = true;
        }
    }
    bool every = !ruled || (include.n == 1 &&
                               (tn_str_is(include.v[0], "*") || tn_str_is(include.v[0], "all")));
    for (size_t i = 0; all.tag == TN_LIST && i < all.list->n; i++) {
        tn_str name = tn_val_str_at(all.list->v[i], "name", TN_STR_NONE);
        if ((every || tn_strs_has(&include, name)) && !tn_strs_has(&exclude, name)) {
            tn_list_push(out.list, all.list->v[i]);
        }
    }
    for (size_t i = 0; i < own.list->n; i++) {
        if (!tn_val_is_undef(tn_val_at(own.list->v[i], "name"))) {
            tn_list_push(out.list, own.list->v[i]);
        }
    }
    return out;
}

static tn_val version_entry(const tn_patch *patch, tn_val entry)
{
    tn_val versions = tn_val_at(entry, "versions");
    for (size_t i = 0;
        !tn_val_is_undef(patch->version) && versions.tag == TN_LIST && i < versions.list->n; i++) {
        if (tn_val_eq(tn_val_at(versions.list->v[i], "v"), patch->version)) {
            return versions.list->v[i];
        }
    }
    return TN_VAL_UNDEF;
}

/* The properties of a node that are no config; its config is merged by tn_config_resolve before. */
tn_rc tn_patch_apply(tn_project *p, tn_node *n, const tn_patch *patch, tn_err *err)
{
    tn_val e = { .tag = TN_DICT, .dict = patch->entry }, v = version_entry(patch, e);
    tn_val described = tn_val_is_str(tn_val_at(v, "description")) ? v : e;
    TN_TRY(tn_render_desc(p, patch, described, &n->description, &n->doc_blocks, err));
    n->columns = tn_columns_of(p->arena, tn_version_columns(p->arena, e, v));
    TN_TRY(tn_render_descs(p, patch, n->columns, err));
    tn_val constraints = tn_val_at(v, "constraints");
    n->constraints = tn_constraints_of(
        p->arena, constraints.tag == TN_LIST ? constraints : tn_val_at(e, "constraints"), true);
    n->deprecation_date =
        tn_deprecation_date_of(tn_val_at(v.tag == TN_DICT ? v : e, "deprecation_date"));
    n->time_spine = tn_time_spine_of(p->arena, tn_val_at(e, "time_spine"));
    n->patch_path = tn_str_printf(p->arena, TN_STR_FMT "://" TN_STR_FMT,
        TN_STR_ARG(patch->package->name), TN_STR_ARG(patch->file));
    return TN_OK;
}

/* config: of an entry, with the attributes that dbt moves there. */
static tn_dict *config_of(tn_project *p, const tn_patch *patch, tn_dict *entry)
{
    static const char *const moved[] = { "meta", "docs", "group", "contract", "access",
        "latest_version_pointer" };
    tn_val e = { .tag = TN_DICT, .dict = entry }, v = version_entry(patch, e),
           out = tn_val_dict(p->arena);
    for (size_t i = 0; i < TN_COUNTOF(moved); i++) {
        tn_val own = tn_val_at(v, moved[i]),
               val = tn_val_is_undef(own) ? tn_val_at(e, moved[i]) : own;
        if (!tn_val_is_undef(val) && !tn_val_is_none(val)) {
            tn_dict_putz(out.dict, moved[i], val);
        }
    }
    tn_value_put_all(out.dict, tn_val_at(e, "config"));
    tn_value_put_all(out.dict, tn_val_at(v, "config"));
    return out.dict;
}

tn_dict *tn_patch_config(tn_project *p, const tn_patch *patch)
{
    return config_of(p, patch, patch->entry);
}

/* b over a, as dbt's deep_merge does it: dicts key by key, and lists one after the other. */
static tn_val deep_merge(tn_arena *a, tn_val x, tn_val y)
{
    if (x.tag == TN_LIST && y.tag == TN_LIST) {
        tn_val list = tn_value_listify(a, x);
        for (size_t i = 0; i < y.list->n; i++) {
            tn_list_push(list.list, y.list->v[i]);
        }
        return list;
    }
    if (x.tag != TN_DICT || y.tag != TN_DICT) {
        return y;
    }
    tn_val out = tn_val_dict(a);
    tn_value_put_all(out.dict, x);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(y.dict, &at)) != NULL) {
        const tn_val *old = tn_dict_find(x.dict, it->key);
        tn_dict_put(out.dict, it->key, old != NULL ? deep_merge(a, *old, it->value) : it->value);
    }
    return out;
}

/* Only what stands in `config:` is kept as written, of a version only its own; dbt lays it over what is rendered, and so writes lists twice. */
tn_dict *tn_patch_config_written(tn_project *p, const tn_patch *patch)
{
    tn_val out = { .tag = TN_DICT, .dict = config_of(p, patch, patch->entry) };
    tn_val raw = { .tag = TN_DICT, .dict = patch->raw };
    bool versioned = !tn_val_is_undef(patch->version);
    tn_val own = tn_val_at(versioned ? version_entry(patch, raw) : raw, "config");
    return own.tag == TN_DICT ? deep_merge(p->arena, out, own).dict : out.dict;
}
