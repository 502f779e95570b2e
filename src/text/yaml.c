/* yaml.c: YAML documents to values: libyaml's events, composed and constructed as PyYAML's SafeLoader does.
 *
 * Values are made directly from the event stream; there is no node tree. An anchor therefore names a finished value, which an alias
 * shares. Merge keys (`<<`) are collected while a mapping is read and put before its own entries at its end, which is the order PyYAML
 * gives. Every level, node and text is counted against the limits of yaml.h.
 */
#include "text/yaml.h"

#include <yaml.h>

#include "base/map.h"
#include "base/vec.h"
#include "text/hash.h"
#include "text/yaml_scalar.h"

/* ---- places ---- */

typedef struct place {
    tn_val key;
    tn_yaml_mark mark;
} place;

typedef struct place_list {
    const tn_dict *dict;
    tn_vec(place) v;
} place_list;

struct tn_yaml_places {
    tn_map by_dict; /* key: the bytes of the dict's address */
};

static tn_str address_key(const tn_dict *const *d)
{
    return tn_str_n((const char *)d, sizeof *d);
}

bool tn_yaml_place(const tn_yaml_places *p, const tn_dict *d, tn_val key, tn_yaml_mark *ret)
{
    if (p == NULL) {
        return false;
    }
    const place_list *list = tn_map_find(&p->by_dict, address_key(&d));
    for (size_t i = list != NULL ? list->v.n : 0; i-- > 0;) {
        if (tn_val_eq(list->v.v[i].key, key)) {
            *ret = list->v.v[i].mark;
            return true;
        }
    }
    return false;
}

/* ---- loader ---- */

typedef struct loader {
    tn_arena *arena;
    const tn_yaml_opts *opts;
    yaml_parser_t parser;
    tn_map anchors; /* name -> tn_val * */
    tn_yaml_places *places;
    tn_val warnings;    /* list, or undefined */
    size_t blank_lines; /* before the first text */
    int64_t nodes;
    int depth;
} loader;

typedef yaml_parser_t parser_guard;
static void parser_guard_cleanup_ptr(yaml_parser_t **p)
{
    yaml_parser_delete(*p);
}

static void yaml_event_t_cleanup(yaml_event_t *e)
{
    yaml_event_delete(e);
}

static tn_rc fail_at(loader *l, yaml_mark_t mark, tn_rc rc, tn_err *err)
{
    const char *file = l->opts != NULL && l->opts->file != NULL ? l->opts->file : "";
    tn_err_place(err, file, (int)mark.line + 1, (int)mark.column + 1);
    return rc;
}

static tn_rc fail_parser(loader *l, tn_err *err)
{
    const yaml_parser_t *y = &l->parser;
    yaml_mark_t at = y->problem_mark;
    const char *problem = y->problem != NULL ? y->problem : "unreadable";
    tn_rc rc;
    if (y->error == YAML_READER_ERROR) {
        rc = tn_fail(err, TN_E_SYNTAX, "bad YAML: %s at byte %zu", problem, y->problem_offset);
        at = y->mark;
    } else if (y->context != NULL) {
        rc = tn_fail(err, TN_E_SYNTAX, "bad YAML: %s (%s from line %zu)", problem, y->context,
            y->context_mark.line + 1);
    } else {
        rc = tn_fail(err, TN_E_SYNTAX, "bad YAML: %s", problem);
    }
    return fail_at(l, at, rc, err);
}

static tn_rc next_event(loader *l, yaml_event_t *ret, tn_err *err)
{
    if (!yaml_parser_parse(&l->parser, ret)) {
        memset(ret, 0, sizeof *ret);
        return fail_parser(l, err);
    }
    return TN_OK;
}

static tn_rc read_value(
    loader *l, const yaml_event_t *e, tn_val *ret, bool *ret_merge_key, tn_err *err);

static void remember(loader *l, const yaml_char_t *anchor, tn_val v)
{
    if (anchor == NULL) {
        return;
    }
    tn_val *slot = tn_new(l->arena, tn_val);
    *slot = v;
    tn_map_put(&l->anchors, tn_str_dup(l->arena, tn_str_of((const char *)anchor)), slot);
}

static const char *const core = "tag:yaml.org,2002:";

/* The short name of a core tag ("int"), "" for none or "!", or NULL for a foreign one. */
static const char *short_tag(const yaml_char_t *tag)
{
    const char *t = (const char *)tag;
    if (t == NULL || strcmp(t, "!") == 0) {
        return "";
    }
    return strncmp(t, core, strlen(core)) == 0 ? t + strlen(core) : NULL;
}

static tn_rc fail_tag(loader *l, const yaml_char_t *tag, yaml_mark_t mark, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED, "could not determine a constructor for the tag '%s'",
        (const char *)tag);
    return fail_at(l, mark, rc, err);
}

static tn_rc read_binary(tn_arena *a, tn_str s, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(" \t\r\n", s.p[i]) == NULL) {
            tn_buf_addc(&b, s.p[i]);
        }
    }
    tn_str bytes;
    if (!tn_base64_decode(a, tn_buf_str(&b), &bytes)) {
        return tn_fail(err, TN_E_VALUE, "failed to decode base64 data");
    }
    *ret = tn_val_str(bytes);
    ret->tag = TN_BYTES;
    return TN_OK;
}

static tn_rc read_scalar(
    loader *l, const yaml_event_t *e, tn_val *ret, bool *ret_merge_key, tn_err *err)
{
    static const struct {
        const char *tag;
        tn_yaml_type type;
    } tags[] = { { "str", TN_YAML_STR }, { "null", TN_YAML_NULL }, { "bool", TN_YAML_BOOL },
        { "int", TN_YAML_INT }, { "float", TN_YAML_FLOAT }, { "timestamp", TN_YAML_TIMESTAMP } };
    tn_str s =
        tn_str_dup(l->arena, tn_str_n((const char *)e->data.scalar.value, e->data.scalar.length));
    const char *tag = short_tag(e->data.scalar.tag);
    if (tag == NULL) {
        return fail_tag(l, e->data.scalar.tag, e->start_mark, err);
    }
    tn_yaml_type type = TN_YAML_STR;
    if (*tag == '\0') {
        type = e->data.scalar.plain_implicit ? tn_yaml_resolve(s) : TN_YAML_STR;
        if (ret_merge_key != NULL && (type == TN_YAML_MERGE || type == TN_YAML_VALUE)) {
            *ret_merge_key = type == TN_YAML_MERGE;
            *ret = tn_val_str(s);
            return TN_OK;
        }
    } else if (strcmp(tag, "binary") == 0) {
        tn_rc rc = read_binary(l->arena, s, ret, err);
        return rc == TN_OK ? TN_OK : fail_at(l, e->start_mark, rc, err);
    } else {
        size_t i = 0;
        while (i < TN_COUNTOF(tags) && strcmp(tags[i].tag, tag) != 0) {
            i++;
        }
        if (i == TN_COUNTOF(tags)) {
            return fail_tag(l, e->data.scalar.tag, e->start_mark, err);
        }
        type = tags[i].type;
    }
    tn_rc rc = tn_yaml_scalar(l->arena, type, s, ret, err);
    return rc == TN_OK ? TN_OK : fail_at(l, e->start_mark, rc, err);
}

/* ---- mappings ---- */

typedef tn_vec(tn_val) vals;

/* What a `<<` brings: mappings in the order in which they are to be put (for a list: the last first, so that earlier ones win). */
static tn_rc add_merge(loader *l, tn_val v, yaml_mark_t mark, vals *merges, tn_err *err)
{
    if (v.tag == TN_DICT) {
        tn_vec_push(merges, l->arena, v);
        return TN_OK;
    }
    bool good = v.tag == TN_LIST;
    for (size_t i = 0; good && i < v.list->n; i++) {
        good = v.list->v[i].tag == TN_DICT;
    }
    if (!good) {
        return fail_at(l, mark,
            tn_fail(err, TN_E_TYPE,
                "expected a mapping or list of mappings for merging, but found %s",
                tn_val_type_name(v)),
            err);
    }
    for (size_t i = v.list->n; i-- > 0;) {
        tn_vec_push(merges, l->arena, v.list->v[i]);
    }
    return TN_OK;
}

static void warn_double(loader *l, tn_val key, yaml_mark_t mark)
{
    if (l->warnings.tag == TN_LIST) {
        tn_str k = tn_val_to_repr(l->arena, key);
        tn_list_push(l->warnings.list,
            tn_val_str(tn_str_printf(l->arena,
                "Duplicate key " TN_STR_FMT " in \"<unicode string>\", line %zu, column %zu",
                TN_STR_ARG(k), mark.line + 1 - l->blank_lines, mark.column + 1)));
    }
}

static void put_entry(
    loader *l, tn_dict *d, place_list *places, tn_val key, tn_val value, yaml_mark_t mark)
{
    tn_dict_put(d, key, value);
    if (places != NULL) {
        place p = { key, { (int)mark.line + 1, (int)mark.column + 1 } };
        tn_vec_push(&places->v, l->arena, p);
    }
}

static place_list *new_places(loader *l, const tn_dict *d)
{
    if (l->places == NULL) {
        return NULL;
    }
    place_list *list = tn_new(l->arena, place_list);
    list->dict = d;
    tn_map_put(&l->places->by_dict, address_key(&list->dict), list);
    return list;
}

/* Merged entries first, own ones after them. The dict stays the same object, since its address names its places. */
static void put_merged(loader *l, tn_dict *d, const vals *merges)
{
    tn_val own = tn_val_dict(l->arena);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(d, &at)) != NULL) {
        tn_dict_put(own.dict, it->key, it->value);
    }
    bool frozen = d->frozen;
    *d = *tn_val_dict(l->arena).dict;
    d->frozen = frozen;
    for (size_t i = 0; i < merges->n; i++) {
        at = 0;
        while ((it = tn_dict_next(merges->v[i].dict, &at)) != NULL) {
            tn_dict_put(d, it->key, it->value);
        }
    }
    at = 0;
    while ((it = tn_dict_next(own.dict, &at)) != NULL) {
        tn_dict_put(d, it->key, it->value);
    }
}

static tn_rc read_entries(loader *l, tn_dict *d, tn_err *err)
{
    place_list *places = new_places(l, d);
    vals merges = { 0 };
    for (;;) {
        TN_AUTO(yaml_event_t) ke = { 0 };
        TN_TRY(next_event(l, &ke, err));
        if (ke.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        tn_val key, value;
        bool merge = false;
        TN_TRY(read_value(l, &ke, &key, &merge, err));
        TN_AUTO(yaml_event_t) ve = { 0 };
        TN_TRY(next_event(l, &ve, err));
        TN_TRY(read_value(l, &ve, &value, NULL, err));
        if (merge) {
            TN_TRY(add_merge(l, value, ve.start_mark, &merges, err));
            continue;
        }
        if (!tn_val_hashable(key)) {
            return fail_at(l, ke.start_mark, tn_fail(err, TN_E_TYPE, "found unhashable key"), err);
        }
        if (tn_dict_find(d, key) != NULL) {
            warn_double(l, key, ke.start_mark);
        }
        put_entry(l, d, places, key, value, ve.start_mark);
    }
    if (merges.n > 0) {
        put_merged(l, d, &merges);
    }
    return TN_OK;
}

/* !!set gives a set of the keys; !!omap and !!pairs a list of pairs (read as sequences of one-entry mappings). */
static tn_rc read_mapping(loader *l, const yaml_event_t *e, tn_val *ret, tn_err *err)
{
    const char *tag = short_tag(e->data.mapping_start.tag);
    bool set = tag != NULL && strcmp(tag, "set") == 0;
    if (tag == NULL || (*tag != '\0' && strcmp(tag, "map") != 0 && !set)) {
        return fail_tag(l, e->data.mapping_start.tag, e->start_mark, err);
    }
    tn_val v = tn_val_dict(l->arena);
    TN_TRY(read_entries(l, v.dict, err));
    if (set) {
        v.tag = TN_SET;
    }
    remember(l, e->data.mapping_start.anchor, v);
    *ret = v;
    return TN_OK;
}

static tn_rc to_pairs(loader *l, tn_val list, yaml_mark_t mark, tn_val *ret, tn_err *err)
{
    tn_val pairs = tn_val_list(l->arena);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val item = list.list->v[i];
        if (item.tag != TN_DICT || item.dict->live != 1) {
            return fail_at(l, mark, tn_fail(err, TN_E_TYPE, "expected a mapping of length 1"), err);
        }
        size_t at = 0;
        const tn_dict_item *it = tn_dict_next(item.dict, &at);
        tn_list_push(pairs.list, tn_val_tuple(l->arena, (tn_val[]){ it->key, it->value }, 2));
    }
    *ret = pairs;
    return TN_OK;
}

static tn_rc read_sequence(loader *l, const yaml_event_t *e, tn_val *ret, tn_err *err)
{
    const char *tag = short_tag(e->data.sequence_start.tag);
    bool pairs = tag != NULL && (strcmp(tag, "omap") == 0 || strcmp(tag, "pairs") == 0);
    if (tag == NULL || (*tag != '\0' && strcmp(tag, "seq") != 0 && !pairs)) {
        return fail_tag(l, e->data.sequence_start.tag, e->start_mark, err);
    }
    tn_val v = tn_val_list(l->arena);
    for (;;) {
        TN_AUTO(yaml_event_t) ie = { 0 };
        TN_TRY(next_event(l, &ie, err));
        if (ie.type == YAML_SEQUENCE_END_EVENT) {
            break;
        }
        tn_val item;
        TN_TRY(read_value(l, &ie, &item, NULL, err));
        tn_list_push(v.list, item);
    }
    if (pairs) {
        TN_TRY(to_pairs(l, v, e->start_mark, &v, err));
    }
    remember(l, e->data.sequence_start.anchor, v);
    *ret = v;
    return TN_OK;
}

static tn_rc read_collection(loader *l, const yaml_event_t *e, tn_val *ret, tn_err *err)
{
    if (l->depth >= TN_YAML_DEPTH_MAX) {
        tn_rc rc =
            tn_fail(err, TN_E_LIMIT, "YAML is nested deeper than %d levels", TN_YAML_DEPTH_MAX);
        return fail_at(l, e->start_mark, rc, err);
    }
    l->depth++;
    tn_rc rc = e->type == YAML_MAPPING_START_EVENT ? read_mapping(l, e, ret, err)
                                                   : read_sequence(l, e, ret, err);
    l->depth--;
    return rc;
}

/* ret_merge_key: not NULL for the key of a mapping. */
static tn_rc read_value(
    loader *l, const yaml_event_t *e, tn_val *ret, bool *ret_merge_key, tn_err *err)
{
    if (++l->nodes > TN_YAML_NODES_MAX) {
        return fail_at(l, e->start_mark,
            tn_fail(err, TN_E_LIMIT, "more than %d YAML nodes", TN_YAML_NODES_MAX), err);
    }
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        TN_TRY(read_scalar(l, e, ret, ret_merge_key, err));
        remember(l, e->data.scalar.anchor, *ret);
        return TN_OK;
    case YAML_ALIAS_EVENT: {
        const char *name = (const char *)e->data.alias.anchor;
        const tn_val *v = tn_map_find(&l->anchors, tn_str_of(name));
        if (v == NULL) {
            return fail_at(l, e->start_mark,
                tn_fail(err, TN_E_SYNTAX, "found undefined alias '%s'", name), err);
        }
        *ret = *v;
        return TN_OK;
    }
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_collection(l, e, ret, err);
    default:
        return fail_at(l, e->start_mark,
            tn_fail(err, TN_E_BUG, "unexpected YAML event %d", (int)e->type), err);
    }
}

static tn_rc read_document(loader *l, tn_val *ret, tn_err *err)
{
    bool found = false;
    tn_val v = TN_VAL_NONE;
    for (;;) {
        TN_AUTO(yaml_event_t) e = { 0 };
        TN_TRY(next_event(l, &e, err));
        switch (e.type) {
        case YAML_STREAM_END_EVENT:
            *ret = v;
            return TN_OK;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (found) {
                tn_rc rc = tn_fail(err, TN_E_SYNTAX,
                    "expected a single document in the stream, but found another document");
                return fail_at(l, e.start_mark, rc, err);
            }
            found = true;
            break;
        default:
            TN_TRY(read_value(l, &e, &v, NULL, err));
        }
    }
}

/* Lines before the first text. */
static size_t blank_lines_of(tn_str text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.n && strchr(" \t\r\n", text.p[i]) != NULL; i++) {
        lines += text.p[i] == '\n';
    }
    return lines;
}

tn_rc tn_yaml_parse(tn_arena *a, tn_str text, const tn_yaml_opts *opts, tn_val *ret, tn_err *err)
{
    loader l = { .arena = a, .opts = opts, .anchors = tn_map_init(a), .warnings = TN_VAL_UNDEF };
    if (opts != NULL && opts->ret_places != NULL) {
        l.places = tn_new(a, tn_yaml_places);
        l.places->by_dict = tn_map_init(a);
    }
    if (opts != NULL && opts->ret_warnings != NULL) {
        l.warnings = tn_val_list(a);
        l.blank_lines = blank_lines_of(text);
    }
    TN_CHECK(yaml_parser_initialize(&l.parser) == 1);
    TN_UNUSED TN_AUTOPTR(parser_guard) guard = &l.parser;
    yaml_parser_set_input_string(
        &l.parser, (const unsigned char *)(text.p != NULL ? text.p : ""), text.n);
    tn_val v;
    TN_TRY(read_document(&l, &v, err));
    if (l.places != NULL) {
        *opts->ret_places = l.places;
    }
    if (l.warnings.tag == TN_LIST) {
        *opts->ret_warnings = l.warnings;
    }
    *ret = v;
    return TN_OK;
}
