/* config_value.c: small operations on nested configuration values. */
#include "project/node/project_priv.h"
#include "text/timetext.h"

bool tn_text_has_jinja(tn_str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        char c = s.p[i], d = s.p[i + 1];
        if ((c == '{' && (d == '{' || d == '%' || d == '#')) ||
            (d == '}' && (c == '}' || c == '%' || c == '#'))) {
            return true;
        }
    }
    return false;
}

enum { VALUE_DEPTH_MAX = 100 };

typedef struct renderer {
    tn_arena *arena;
    tn_render_fn fn;
    void *self;
    tn_val path[VALUE_DEPTH_MAX];
} renderer;

static tn_rc render_value(renderer *r, tn_val v, size_t depth, tn_val *ret, tn_err *err)
{
    if (depth + 1 >= VALUE_DEPTH_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "configuration is nested deeper than %d levels", VALUE_DEPTH_MAX);
    }
    if (v.tag == TN_STR_V) {
        return r->fn(r->self, tn_val_as_str(v), r->path, depth, ret, err);
    }
    if (v.tag == TN_DATE || v.tag == TN_DATETIME) {
        tn_buf b = tn_buf_init(r->arena, 64);
        tn_py_datetime(&b, v, 'T');
        *ret = tn_val_str(tn_buf_str(&b));
        return TN_OK;
    }
    if (tn_val_is_seq(v)) {
        tn_val list = tn_val_list(r->arena);
        for (size_t i = 0; i < v.list->n; i++) {
            tn_val item;
            r->path[depth] = tn_val_int((int64_t)i);
            TN_TRY(render_value(r, v.list->v[i], depth + 1, &item, err));
            tn_list_push(list.list, item);
        }
        *ret = list;
        return TN_OK;
    }
    if (v.tag != TN_DICT) {
        *ret = v;
        return TN_OK;
    }
    tn_val dict = tn_val_dict(r->arena);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(v.dict, &at)) != NULL) {
        tn_val item;
        r->path[depth] = it->key;
        TN_TRY(render_value(r, it->value, depth + 1, &item, err));
        tn_dict_put(dict.dict, it->key, item);
    }
    *ret = dict;
    return TN_OK;
}

tn_rc tn_value_render(tn_arena *a, tn_val v, tn_render_fn fn, void *self, tn_val *ret, tn_err *err)
{
    renderer r = { .arena = a, .fn = fn, .self = self };
    return render_value(&r, v, 0, ret, err);
}

tn_val tn_value_listify(tn_arena *a, tn_val v)
{
    tn_val list = tn_val_list(a);
    if (tn_val_is_seq(v)) {
        for (size_t i = 0; i < v.list->n; i++) {
            tn_list_push(list.list, v.list->v[i]);
        }
    } else if (tn_val_is_given(v)) {
        tn_list_push(list.list, v);
    }
    return list;
}

tn_val tn_value_or_dict(tn_arena *a, tn_val v)
{
    return v.tag == TN_DICT ? v : tn_val_dict(a);
}

tn_val tn_value_or_list(tn_arena *a, tn_val v)
{
    return v.tag == TN_LIST ? v : tn_val_list(a);
}

void tn_value_put_all(tn_dict *into, tn_val from)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (from.tag == TN_DICT && (it = tn_dict_next(from.dict, &at)) != NULL) {
        tn_dict_put(into, it->key, it->value);
    }
}

tn_strs tn_value_strs(tn_arena *a, tn_val v)
{
    tn_strs out = { 0 };
    tn_val list = tn_value_listify(a, v);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_str s = tn_val_is_str(list.list->v[i]) ? tn_val_as_str(list.list->v[i])
                                                  : tn_val_to_str(a, list.list->v[i]);
        tn_vec_push(&out, a, s);
    }
    return out;
}

tn_val tn_strs_list(tn_arena *a, const tn_strs *l)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < l->n; i++) {
        tn_list_push(list.list, tn_val_str(l->v[i]));
    }
    return list;
}

static int text_cmp(const void *a, const void *b)
{
    return tn_str_cmp(*(const tn_str *)a, *(const tn_str *)b);
}

void tn_strs_sort(tn_strs *l)
{
    if (l->n > 1) {
        qsort(l->v, l->n, sizeof *l->v, text_cmp);
    }
}

tn_str tn_strs_join(tn_arena *a, const tn_strs *l, const char *sep)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < l->n; i++) {
        if (i > 0) {
            tn_buf_addz(&b, sep);
        }
        tn_buf_add(&b, l->v[i]);
    }
    return tn_buf_str(&b);
}

tn_dict *tn_value_dict_at(tn_val v, const char *key)
{
    tn_val d = tn_val_at(v, key);
    return d.tag == TN_DICT ? d.dict : NULL;
}

int tn_place_line(const tn_yaml_places *places, const tn_dict *d, const char *key)
{
    tn_yaml_mark m;
    return places != NULL && d != NULL && tn_yaml_place(places, d, tn_val_z(key), &m) ? m.line : 0;
}

/* The line of a YAML file on which a text with Jinja stands: where the text first occurs; 0 when it is folded over several lines. */
int tn_text_line(tn_str file_text, tn_str part)
{
    size_t at = part.n > 0 ? tn_str_find(file_text, part, 0) : SIZE_MAX;
    int line = 1;
    for (size_t i = 0; at != SIZE_MAX && i < at; i++) {
        line += file_text.p[i] == '\n';
    }
    return at != SIZE_MAX ? line : 0;
}
