/* arrow_slice.c: parts of Arrow arrays without copying data, in a form that DuckDB's converter reads right.
 *
 * An offset of a struct counts for its children too. The converter hands it down one level only: of a struct within a struct the innermost rows
 * would be those of another place. So here every struct begins at offset 0: its offset goes into its children's, and its validity bits are moved (the only
 * bytes that are copied: one bit a row). Children of lists are addressed by the list's own offsets and stay whole.
 */
#include "duck/ipc_impl.h"

static void part_release(struct ArrowArray *a)
{
    a->release = NULL; /* its buffers belong to the batch */
}

/* Bits [from, from + n) as bits [0, n). */
static const void *moved_bits(tn_arena *a, const uint8_t *bits, int64_t from, int64_t n)
{
    uint8_t *out = tn_arena_zalloc(a, (size_t)(n + 7) / 8 + 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t k = from + i;
        out[i >> 3] |= (uint8_t)(((bits[k >> 3] >> (k & 7)) & 1) << (i & 7));
    }
    return out;
}

static bool is_struct(const struct ArrowSchema *s)
{
    return strcmp(s->format, "+s") == 0;
}

/* Their children are whole columns of their own. */
static bool is_list(const struct ArrowSchema *s)
{
    return s->format[0] == '+' && strchr("lLmvw", s->format[1]) != NULL && s->format[1] != 0;
}

struct ArrowArray *arrow_part(tn_arena *a, const struct ArrowSchema *schema,
    const struct ArrowArray *array, int64_t from, int64_t n)
{
    struct ArrowArray *out = tn_new(a, struct ArrowArray);
    *out = *array;
    out->offset += from;
    out->length = n;
    out->null_count = array->null_count == 0 ? 0 : -1;
    out->release = part_release;
    out->private_data = NULL;
    if ((!is_struct(schema) && !is_list(schema)) || schema->dictionary != NULL ||
        schema->n_children != array->n_children) {
        return out;
    }
    int64_t shift = out->offset;
    out->children = tn_new_array(a, struct ArrowArray *, (size_t)array->n_children + 1);
    for (int64_t i = 0; i < array->n_children; i++) {
        const struct ArrowArray *child = array->children[i];
        out->children[i] = is_struct(schema)
                               ? arrow_part(a, schema->children[i], child, shift, n)
                               : arrow_part(a, schema->children[i], child, 0, child->length);
    }
    if (is_struct(schema)) {
        const void **buffers = tn_new_array(a, const void *, 1);
        buffers[0] = array->n_buffers > 0 && array->buffers[0] != NULL && shift > 0
                         ? moved_bits(a, array->buffers[0], shift, n)
                     : array->n_buffers > 0 ? array->buffers[0]
                                            : NULL;
        out->buffers = buffers;
        out->n_buffers = 1;
        out->offset = 0;
    }
    return out;
}
