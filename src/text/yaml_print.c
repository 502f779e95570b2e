/* yaml_print.c: values as YAML text: what PyYAML's safe_dump(v, default_flow_style=False) gives.
 *
 * libyaml's emitter decides on styles and folding; this file says, for each scalar, whether it may stand plain: only when the resolver
 * would read the same type back.
 */
#include <yaml.h>

#include "base/vec.h"
#include "text/timetext.h"
#include "text/yaml.h"
#include "text/yaml_scalar.h"

typedef struct dumper {
    yaml_emitter_t emitter;
    tn_arena *arena;
    bool sort_keys;
    bool failed;
} dumper;

static int write_out(void *self, unsigned char *bytes, size_t n)
{
    tn_buf_add_n(self, bytes, n);
    return 1;
}

static void emit(dumper *d, yaml_event_t *e, int made)
{
    if (!made || d->failed || !yaml_emitter_emit(&d->emitter, e)) {
        d->failed = true;
    }
}

static const char *type_tag(tn_yaml_type t)
{
    static const char *const tags[] = { [TN_YAML_STR] = YAML_STR_TAG,
        [TN_YAML_NULL] = YAML_NULL_TAG,
        [TN_YAML_BOOL] = YAML_BOOL_TAG,
        [TN_YAML_INT] = YAML_INT_TAG,
        [TN_YAML_FLOAT] = YAML_FLOAT_TAG,
        [TN_YAML_TIMESTAMP] = YAML_TIMESTAMP_TAG,
        [TN_YAML_MERGE] = YAML_STR_TAG,
        [TN_YAML_VALUE] = YAML_STR_TAG };
    return tags[t];
}

static void dump_scalar(dumper *d, tn_yaml_type type, tn_str s)
{
    yaml_event_t e;
    bool plain = tn_yaml_resolve(s) == type;
    int made = yaml_scalar_event_initialize(&e, NULL, (const yaml_char_t *)type_tag(type),
        (const yaml_char_t *)(s.p != NULL ? s.p : ""), (int)s.n, plain, type == TN_YAML_STR,
        YAML_ANY_SCALAR_STYLE);
    emit(d, &e, made);
}

static tn_str float_text(tn_arena *a, double f)
{
    if (f != f) {
        return TN_STR(".nan");
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_float_repr_to(&b, f);
    tn_str s = tn_buf_str(&b);
    if (tn_str_is(s, "inf")) {
        return TN_STR(".inf");
    }
    if (tn_str_is(s, "-inf")) {
        return TN_STR("-.inf");
    }
    /* 1e+17 has no point and would be read back as a text. */
    size_t e = tn_str_find_char(s, 'e', 0);
    if (e != SIZE_MAX && tn_str_find_char(s, '.', 0) == SIZE_MAX) {
        return tn_str_printf(a, TN_STR_FMT ".0" TN_STR_FMT, TN_STR_ARG(tn_str_sub(s, 0, e)),
            TN_STR_ARG(tn_str_sub(s, e, s.n)));
    }
    return s;
}

static void dump_value(dumper *d, tn_val v);

static void dump_list(dumper *d, const tn_list *l)
{
    yaml_event_t e;
    yaml_sequence_style_t style = l->n == 0 ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    emit(d, &e,
        yaml_sequence_start_event_initialize(
            &e, NULL, (const yaml_char_t *)YAML_SEQ_TAG, 1, style));
    for (size_t i = 0; i < l->n; i++) {
        dump_value(d, l->v[i]);
    }
    emit(d, &e, yaml_sequence_end_event_initialize(&e));
}

static int item_cmp(const void *x, const void *y)
{
    int r = 0;
    if (tn_val_cmp((*(const tn_dict_item *const *)x)->key, (*(const tn_dict_item *const *)y)->key,
            &r, NULL) != TN_OK) {
        return 0;
    }
    return r;
}

static void dump_dict(dumper *d, const tn_dict *dict)
{
    const tn_dict_item **items = tn_new_array(d->arena, const tn_dict_item *, dict->live + 1);
    size_t n = 0, at = 0;
    while ((items[n] = tn_dict_next(dict, &at)) != NULL) {
        n++;
    }
    if (d->sort_keys) {
        qsort(items, n, sizeof *items, item_cmp);
    }
    yaml_event_t e;
    yaml_mapping_style_t style = n == 0 ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
    emit(d, &e,
        yaml_mapping_start_event_initialize(&e, NULL, (const yaml_char_t *)YAML_MAP_TAG, 1, style));
    for (size_t i = 0; i < n; i++) {
        dump_value(d, items[i]->key);
        dump_value(d, items[i]->value);
    }
    emit(d, &e, yaml_mapping_end_event_initialize(&e));
}

static void dump_value(dumper *d, tn_val v)
{
    tn_buf b = tn_buf_init(d->arena, TN_BUF_NO_LIMIT);
    switch ((tn_tag)v.tag) {
    case TN_UNDEF:
    case TN_NONE:
        dump_scalar(d, TN_YAML_NULL, TN_STR("null"));
        break;
    case TN_BOOL:
        dump_scalar(d, TN_YAML_BOOL, v.i != 0 ? TN_STR("true") : TN_STR("false"));
        break;
    case TN_INT:
        tn_buf_add_i64(&b, v.i);
        dump_scalar(d, TN_YAML_INT, tn_buf_str(&b));
        break;
    case TN_BIGINT:
        dump_scalar(d, TN_YAML_INT, tn_val_as_str(v));
        break;
    case TN_FLOAT:
        dump_scalar(d, TN_YAML_FLOAT, float_text(d->arena, v.f));
        break;
    case TN_DATE:
    case TN_DATETIME:
        tn_py_datetime(&b, v, ' ');
        dump_scalar(d, TN_YAML_TIMESTAMP, tn_buf_str(&b));
        break;
    case TN_LIST:
    case TN_TUPLE:
        dump_list(d, v.list);
        break;
    case TN_DICT:
        dump_dict(d, v.dict);
        break;
    default:
        tn_val_str_to(&b, v);
        dump_scalar(d, TN_YAML_STR, tn_buf_str(&b));
    }
}

/* PyYAML ends a document that is nothing but a plain scalar with "...", which libyaml leaves out. */
static bool is_open_ended(tn_str text, tn_val v)
{
    bool scalar = !tn_val_is_seq(v) && v.tag != TN_DICT;
    return scalar && text.n > 0 && strchr("'\"|>", text.p[0]) == NULL;
}

void tn_yaml_print(tn_buf *b, tn_val v, bool sort_keys)
{
    size_t from = b->n;
    TN_AUTO_ARENA scratch = tn_arena_new("yaml print", NULL);
    dumper d = { .arena = scratch, .sort_keys = sort_keys };
    TN_CHECK(yaml_emitter_initialize(&d.emitter) == 1);
    yaml_emitter_set_output(&d.emitter, write_out, b);
    yaml_emitter_set_unicode(&d.emitter, 0);
    yaml_event_t e;
    emit(&d, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING));
    emit(&d, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1));
    dump_value(&d, v);
    emit(&d, &e, yaml_document_end_event_initialize(&e, 1));
    emit(&d, &e, yaml_stream_end_event_initialize(&e));
    yaml_emitter_delete(&d.emitter);
    if (is_open_ended(tn_str_sub(tn_buf_str(b), from, b->n), v)) {
        tn_buf_addz(b, "...\n");
    }
}

bool tn_yaml_can_print(tn_val v)
{
    size_t at = 0;
    const tn_dict_item *it;
    switch (v.tag) {
    case TN_UNDEF:
    case TN_DECIMAL:
    case TN_TIME:
    case TN_DELTA:
    case TN_OBJ:
        return false;
    case TN_LIST:
    case TN_TUPLE:
        for (size_t i = 0; i < v.list->n; i++) {
            if (!tn_yaml_can_print(v.list->v[i])) {
                return false;
            }
        }
        return true;
    case TN_DICT:
    case TN_SET:
        while ((it = tn_dict_next(v.dict, &at)) != NULL) {
            if (!tn_yaml_can_print(it->key) ||
                (v.tag == TN_DICT && !tn_yaml_can_print(it->value))) {
                return false;
            }
        }
        return true;
    default:
        return true;
    }
}
