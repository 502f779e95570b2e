/* arrow_plain.c: dictionary-encoded Arrow arrays written out as plain ones.
 *
 * DuckDB's chunk converter loses the nulls of dictionary indexes and fails on dictionaries inside of lists, so it never gets to see one:
 * each value is looked up here. Texts and bytes become their large variants, since copies of one word may need more room than
 * 32-bit offsets reach. Everything else of the array is shared with the original, which must outlive the copy.
 */
#include "duck/ipc_impl.h"

bool arrow_has_dictionary(const struct ArrowSchema *s)
{
    bool found = s->dictionary != NULL;
    for (int64_t i = 0; !found && i < s->n_children; i++) {
        found = arrow_has_dictionary(s->children[i]);
    }
    return found;
}

static void release_schema(struct ArrowSchema *s)
{
    s->release = NULL; /* in the arena, or the original's */
}

static void release_array(struct ArrowArray *a)
{
    a->release = NULL;
}

void arrow_plain_schema(tn_arena *a, const struct ArrowSchema *s, struct ArrowSchema *ret)
{
    if (s->dictionary != NULL) {
        arrow_plain_schema(a, s->dictionary, ret);
        ret->name = s->name;
        ret->flags = s->flags & ~ARROW_FLAG_DICTIONARY_ORDERED;
        ret->format = strcmp(ret->format, "u") == 0   ? "U"
                      : strcmp(ret->format, "z") == 0 ? "Z"
                                                      : ret->format;
        return;
    }
    *ret = *s;
    ret->release = release_schema;
    ret->children = tn_new_array(a, struct ArrowSchema *, (size_t)s->n_children + 1);
    for (int64_t i = 0; i < s->n_children; i++) {
        ret->children[i] = tn_new(a, struct ArrowSchema);
        arrow_plain_schema(a, s->children[i], ret->children[i]);
    }
}

size_t arrow_fixed_width(const char *f)
{
    if (f[0] == 'd') {
        const char *bits = strrchr(f, ',');
        bool three = bits != NULL && strchr(f, ',') != bits;
        return three ? (size_t)strtol(bits + 1, NULL, 10) / 8 : 16;
    }
    if (f[0] == 'w') {
        return (size_t)strtol(f + 2, NULL, 10);
    }
    if (f[0] == 't') {
        bool narrow = strcmp(f, "tdD") == 0 || strcmp(f, "tts") == 0 || strcmp(f, "ttm") == 0 ||
                      strcmp(f, "tiM") == 0;
        return narrow ? 4 : strcmp(f, "tin") == 0 ? 16 : 8;
    }
    switch (f[0]) {
    case 'c':
    case 'C':
        return 1;
    case 's':
    case 'S':
    case 'e':
        return 2;
    case 'i':
    case 'I':
    case 'f':
        return 4;
    default:
        return 8;
    }
}

static bool bit_at(const void *bits, int64_t i)
{
    return (((const uint8_t *)bits)[i / 8] >> (i % 8) & 1) != 0;
}

static bool is_null(const struct ArrowArray *a, int64_t i)
{
    return a->null_count != 0 && a->n_buffers > 0 && a->buffers[0] != NULL &&
           !bit_at(a->buffers[0], a->offset + i);
}

/* ---- looking up ---- */

typedef struct lookup {
    tn_arena *arena;
    int64_t *from; /* for each row its place in the values, -1 for null */
    int64_t n;
    const struct ArrowArray *values;
    struct ArrowArray *out;
    uint8_t *validity;
} lookup;

static tn_rc find_places(
    lookup *l, const struct ArrowSchema *s, const struct ArrowArray *indexes, tn_err *err)
{
    size_t width = arrow_fixed_width(s->format);
    bool is_signed = s->format[0] >= 'a';
    for (int64_t i = 0; i < l->n; i++) {
        l->from[i] = -1;
        if (is_null(indexes, i)) {
            continue;
        }
        uint64_t bits = 0;
        memcpy(&bits, (const uint8_t *)indexes->buffers[1] + (size_t)(indexes->offset + i) * width,
            width);
        unsigned unused = (unsigned)(64 - 8 * width);
        int64_t at = is_signed ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
        if (at < 0 || at >= l->values->length) {
            return tn_fail(err, TN_E_DATA,
                "an index of the column '%s' is outside of its dictionary", s->name ? s->name : "");
        }
        l->from[i] = is_null(l->values, at) ? -1 : l->values->offset + at;
    }
    return TN_OK;
}

static void start_out(lookup *l, int64_t buffers)
{
    size_t bytes = ((size_t)l->n + 7) / 8;
    l->validity = tn_arena_zalloc(l->arena, bytes + 8);
    int64_t nulls = 0;
    for (int64_t i = 0; i < l->n; i++) {
        nulls += l->from[i] < 0;
        l->validity[i / 8] = (uint8_t)(l->validity[i / 8] | (unsigned)(l->from[i] >= 0) << (i % 8));
    }
    *l->out = (struct ArrowArray){
        .length = l->n, .null_count = nulls, .n_buffers = buffers, .release = release_array
    };
    l->out->buffers = tn_new_array(l->arena, const void *, (size_t)buffers + 1);
    l->out->buffers[0] = l->validity;
}

static void copy_fixed(lookup *l, size_t width)
{
    uint8_t *data = tn_arena_zalloc(l->arena, (size_t)l->n * width + 8);
    for (int64_t i = 0; i < l->n; i++) {
        if (l->from[i] >= 0) {
            memcpy(data + (size_t)i * width,
                (const uint8_t *)l->values->buffers[1] + (size_t)l->from[i] * width, width);
        }
    }
    start_out(l, 2);
    l->out->buffers[1] = data;
}

static void copy_bits(lookup *l)
{
    uint8_t *data = tn_arena_zalloc(l->arena, (size_t)l->n / 8 + 8);
    for (int64_t i = 0; i < l->n; i++) {
        bool set = l->from[i] >= 0 && bit_at(l->values->buffers[1], l->from[i]);
        data[i / 8] = (uint8_t)(data[i / 8] | (unsigned)set << (i % 8));
    }
    start_out(l, 2);
    l->out->buffers[1] = data;
}

static int64_t offset_at(const struct ArrowArray *a, bool wide, int64_t i)
{
    return wide ? ((const int64_t *)a->buffers[1])[i] : ((const int32_t *)a->buffers[1])[i];
}

static void copy_bytes(lookup *l, bool wide)
{
    int64_t *offsets = tn_arena_zalloc(l->arena, ((size_t)l->n + 1) * 8);
    for (int64_t i = 0; i < l->n; i++) {
        int64_t at = l->from[i];
        offsets[i + 1] =
            offsets[i] +
            (at < 0 ? 0 : offset_at(l->values, wide, at + 1) - offset_at(l->values, wide, at));
    }
    char *data = tn_arena_alloc(l->arena, (size_t)offsets[l->n] + 8);
    for (int64_t i = 0; i < l->n; i++) {
        if (offsets[i + 1] > offsets[i]) {
            const char *text =
                (const char *)l->values->buffers[2] + offset_at(l->values, wide, l->from[i]);
            memcpy(data + offsets[i], text, (size_t)(offsets[i + 1] - offsets[i]));
        }
    }
    start_out(l, 3);
    l->out->buffers[1] = offsets;
    l->out->buffers[2] = data;
}

static void copy_views(lookup *l)
{
    copy_fixed(l, 16);
    const void *views = l->out->buffers[1];
    start_out(l, l->values->n_buffers);
    l->out->buffers[1] = views;
    for (int64_t i = 2; i < l->values->n_buffers; i++) {
        l->out->buffers[i] = l->values->buffers[i];
    }
}

static tn_rc look_up(tn_arena *a, const struct ArrowSchema *s, const struct ArrowArray *indexes,
    struct ArrowArray *ret, tn_err *err)
{
    struct ArrowArray *values = tn_new(a, struct ArrowArray);
    const char *f = s->dictionary->dictionary ? "" : s->dictionary->format;
    TN_TRY(arrow_plain_array(a, s->dictionary, indexes->dictionary, values, err));
    lookup l = { .arena = a, .n = indexes->length, .values = values, .out = ret };
    l.from = tn_new_array(a, int64_t, (size_t)l.n + 1);
    TN_TRY(find_places(&l, s, indexes, err));
    if (f[0] == '+' || f[0] == 'n' || f[0] == '\0') {
        return tn_hint(err,
            tn_fail(err, TN_E_UNSUPPORTED,
                "the column '%s' has a dictionary of values that are no scalars",
                s->name ? s->name : ""),
            "decode the dictionary before writing the stream");
    }
    if (f[0] == 'b') {
        copy_bits(&l);
    } else if (f[0] == 'u' || f[0] == 'z' || f[0] == 'U' || f[0] == 'Z') {
        copy_bytes(&l, f[0] == 'U' || f[0] == 'Z');
    } else if (f[0] == 'v') {
        copy_views(&l);
    } else {
        copy_fixed(&l, arrow_fixed_width(f));
    }
    return TN_OK;
}

tn_rc arrow_plain_array(tn_arena *a, const struct ArrowSchema *s, const struct ArrowArray *array,
    struct ArrowArray *ret, tn_err *err)
{
    if (s->dictionary != NULL) {
        if (array->dictionary == NULL || array->n_buffers < 2) {
            return tn_fail(err, TN_E_DATA, "the column '%s' comes without its dictionary",
                s->name ? s->name : "");
        }
        return look_up(a, s, array, ret, err);
    }
    struct ArrowArray copy = *array;
    copy.release = release_array;
    copy.children = tn_new_array(a, struct ArrowArray *, (size_t)copy.n_children + 1);
    if (copy.n_children != s->n_children) {
        return tn_fail(err, TN_E_DATA, "a batch of the Arrow stream does not fit its schema");
    }
    for (int64_t i = 0; i < copy.n_children; i++) {
        copy.children[i] = tn_new(a, struct ArrowArray);
        TN_TRY(arrow_plain_array(a, s->children[i], array->children[i], copy.children[i], err));
    }
    *ret = copy;
    return TN_OK;
}
