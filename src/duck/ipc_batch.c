/* ipc_batch.c: one RecordBatch message and its body, to an array of the C data interface.
 *
 * RecordBatch: 0 length, 1 nodes {int64 length, int64 nulls}, 2 buffers {int64 offset, int64 bytes}, 3 compression {0 codec}, 4 counts of
 * view buffers. Nodes and buffers come in the order of a walk over the fields, parents first.
 *
 * Whoever reads the arrays later trusts them, so everything is checked here: sizes against lengths, offsets against what they point
 * into and against going down, dictionary indexes, text as UTF-8. The body is ours: values of null rows that could mislead are
 * set to zero in place.
 */
#include "duck/ipc_batch.h"

enum { ALIGNMENT = 8 };

static const uint64_t zeros[8]; /* stands for any empty buffer */

static tn_rc damaged(decoder *d, const ipc_field *f, const char *what)
{
    return tn_fail(d->err, TN_E_DATA,
        "the Arrow stream is damaged: %s of the field '" TN_STR_FMT "'", what, TN_STR_ARG(f->name));
}

/* ---- buffers ---- */

typedef struct span {
    uint8_t *p;
    size_t n;
} span;

static tn_rc decompress(decoder *d, const ipc_field *f, span in, span *ret)
{
    int64_t n = 0;
    if (in.n < 8) {
        return damaged(d, f, "a compressed buffer without its length");
    }
    memcpy(&n, in.p, 8);
    if (n == -1) { /* it did not get smaller and is stored as it was */
        *ret = (span){ in.p + 8, in.n - 8 };
        return TN_OK;
    }
    if (n < 0 || (uint64_t)n > IPC_BODY_MAX ||
        (uint64_t)n / 255 > in.n) { /* LZ4 cannot expand more than 255 times */
        return damaged(d, f, "the length of a compressed buffer");
    }
    span out = { tn_arena_alloc(d->arena, (size_t)n + ALIGNMENT), (size_t)n };
    if (n > 0 && !ipc_lz4_frame(in.p + 8, in.n - 8, out.p, out.n)) {
        return damaged(d, f, "a compressed buffer");
    }
    *ret = out;
    return TN_OK;
}

static tn_rc take_buffer(decoder *d, const ipc_field *f, span *ret)
{
    if (d->next_buffer >= d->n_buffers) {
        return damaged(d, f, "a missing buffer");
    }
    size_t at = d->buffers + 16 * d->next_buffer++;
    int64_t offset = fb_int(&d->meta, at, 8), bytes = fb_int(&d->meta, at + 8, 8);
    if (offset < 0 || bytes < 0 || (uint64_t)offset > d->body_n ||
        (uint64_t)bytes > d->body_n - (uint64_t)offset) {
        return damaged(d, f, "a buffer outside of the body");
    }
    span s = { d->body + offset, (size_t)bytes };
    if (s.n == 0) {
        *ret = (span){ NULL, 0 };
        return TN_OK;
    }
    if (d->codec != IPC_CODEC_NONE) {
        TN_TRY(decompress(d, f, s, &s));
    }
    if ((uintptr_t)s.p % ALIGNMENT != 0) {
        uint8_t *copy = tn_arena_alloc(d->arena, s.n + ALIGNMENT);
        memcpy(copy, s.p, s.n);
        s.p = copy;
    }
    *ret = s;
    return TN_OK;
}

static tn_rc take_sized(decoder *d, const ipc_field *f, size_t want, span *ret)
{
    span s = { NULL, 0 };
    TN_TRY(take_buffer(d, f, &s));
    if (s.n < want) {
        return damaged(d, f, "a short buffer");
    }
    *ret = s;
    return TN_OK;
}

static const void *or_zeros(span s)
{
    return s.p ? (const void *)s.p : zeros;
}

static bool is_valid(const struct ArrowArray *a, size_t i)
{
    const uint8_t *bits = a->buffers[0];
    return bits == NULL || (bits[i / 8] >> (i % 8) & 1) != 0;
}

/* ---- checks ---- */

static int64_t offset_at(span s, bool wide, size_t i)
{
    if (wide) {
        return ((const int64_t *)(const void *)s.p)[i];
    }
    return ((const int32_t *)(const void *)s.p)[i];
}

/* n + 1 offsets, the first at least 0, never going down. *ret_last is where the last thing ends. An array without
 * elements may come without offsets. */
static tn_rc take_offsets(decoder *d, const ipc_field *f, size_t n, span *ret, int64_t *ret_last)
{
    size_t width = f->wide_offsets ? 8 : 4;
    span s = { NULL, 0 };
    TN_TRY(take_sized(d, f, n > 0 ? (n + 1) * width : 0, &s));
    if (n == 0) {
        *ret = (span){ NULL, 0 };
        *ret_last = 0;
        return TN_OK;
    }
    int64_t last = offset_at(s, f->wide_offsets, 0);
    bool ok = last >= 0;
    for (size_t i = 1; ok && i <= n; i++) {
        int64_t next = offset_at(s, f->wide_offsets, i);
        ok = next >= last;
        last = next;
    }
    if (!ok) {
        return damaged(d, f, "offsets that go down");
    }
    *ret = s;
    *ret_last = last;
    return TN_OK;
}

static bool starts_character(const uint8_t *p)
{
    return (*p & 0xc0) != 0x80;
}

static tn_rc check_text(
    decoder *d, const ipc_field *f, span offsets, span data, size_t n, int64_t last)
{
    if (n == 0) {
        return TN_OK;
    }
    int64_t first = offset_at(offsets, f->wide_offsets, 0);
    bool ok = tn_utf8_valid(tn_str_n((const char *)data.p + first, (size_t)(last - first)));
    for (size_t i = 0; ok && i < n; i++) {
        int64_t at = offset_at(offsets, f->wide_offsets, i);
        ok = at == last || starts_character(data.p + at);
    }
    return ok ? TN_OK : damaged(d, f, "text that is not UTF-8");
}

static tn_rc check_times(
    decoder *d, const ipc_field *f, const struct ArrowArray *a, span data, size_t n)
{
    int64_t day = 86400 * f->per_second;
    for (size_t i = 0; i < n; i++) {
        int64_t v = offset_at(data, f->width == 8, i);
        if ((v < 0 || v > day) && is_valid(a, i)) {
            return damaged(d, f, "a time of day outside of the day");
        }
    }
    return TN_OK;
}

/* A view: int32 length; up to 12 bytes inline, or 4 bytes of prefix, int32 buffer, int32 offset. */
static tn_rc check_views(decoder *d, const ipc_field *f, const struct ArrowArray *a, span views,
    const span *data, size_t n_data)
{
    for (size_t i = 0; i < (size_t)a->length; i++) {
        uint8_t *v = views.p + 16 * i;
        int32_t head[4];
        memcpy(head, v, 16);
        if (!is_valid(a, i)) {
            memset(v, 0, 16);
            continue;
        }
        const uint8_t *text = v + 4;
        if (head[0] > 12) {
            bool inside = head[2] >= 0 && (size_t)head[2] < n_data && head[3] >= 0 &&
                          (size_t)head[3] + (size_t)head[0] <= data[head[2]].n;
            if (!inside) {
                return damaged(d, f, "a view that points outside");
            }
            text = data[head[2]].p + head[3];
        }
        if (head[0] < 0 ||
            (f->is_text && !tn_utf8_valid(tn_str_n((const char *)text, (size_t)head[0])))) {
            return damaged(d, f, "a view that is not text");
        }
    }
    return TN_OK;
}

static int64_t index_at(const ipc_field *f, const uint8_t *p)
{
    uint64_t v = 0;
    memcpy(&v, p, f->index_width);
    unsigned unused = (unsigned)(64 - 8 * f->index_width);
    return f->index_signed ? (int64_t)(v << unused) >> unused : (int64_t)v;
}

static tn_rc check_indexes(
    decoder *d, const ipc_field *f, const struct ArrowArray *a, span data, int64_t dictionary_n)
{
    for (size_t i = 0; i < (size_t)a->length; i++) {
        uint8_t *p = data.p + i * f->index_width;
        int64_t index = index_at(f, p);
        if (index >= 0 && index < dictionary_n) {
            continue;
        }
        if (is_valid(a, i)) {
            return damaged(d, f, "an index outside of the dictionary");
        }
        memset(p, 0, f->index_width);
    }
    return TN_OK;
}

/* ---- arrays ---- */

static void array_release(struct ArrowArray *a)
{
    a->release = NULL; /* the batch owns everything */
}

static void set_buffers(decoder *d, struct ArrowArray *a, int64_t n)
{
    const void *validity = a->n_buffers > 0 ? a->buffers[0] : NULL;
    a->n_buffers = n;
    a->buffers = tn_new_array(d->arena, const void *, (size_t)n + 1);
    a->buffers[0] = validity;
}

static tn_rc decode_bytes(decoder *d, const ipc_field *f, struct ArrowArray *a)
{
    span offsets = { NULL, 0 }, data = { NULL, 0 };
    int64_t last = 0;
    TN_TRY(take_offsets(d, f, (size_t)a->length, &offsets, &last));
    TN_TRY(take_sized(d, f, (size_t)last, &data));
    if (f->is_text) {
        TN_TRY(check_text(d, f, offsets,
            (span){ data.p ? data.p : (uint8_t *)(uintptr_t)zeros, data.n }, (size_t)a->length,
            last));
    }
    set_buffers(d, a, 3);
    a->buffers[1] = or_zeros(offsets);
    a->buffers[2] = or_zeros(data);
    return TN_OK;
}

static tn_rc decode_views(decoder *d, const ipc_field *f, struct ArrowArray *a)
{
    span views = { NULL, 0 };
    TN_TRY(take_sized(d, f, 16 * (size_t)a->length, &views));
    if (d->next_count >= d->n_counts) {
        return damaged(d, f, "a missing count of buffers");
    }
    int64_t n = fb_int(&d->meta, d->counts + 8 * d->next_count++, 8);
    if (n < 0 || (uint64_t)n > d->n_buffers - d->next_buffer) {
        return damaged(d, f, "the count of its buffers");
    }
    span *data = tn_new_array(d->arena, span, (size_t)n + 1);
    int64_t *sizes = tn_new_array(d->arena, int64_t, (size_t)n + 1);
    set_buffers(d, a, n + 3);
    for (int64_t i = 0; i < n; i++) {
        TN_TRY(take_buffer(d, f, &data[i]));
        a->buffers[2 + i] = or_zeros(data[i]);
        sizes[i] = (int64_t)data[i].n;
    }
    a->buffers[1] = or_zeros(views);
    a->buffers[2 + n] = sizes;
    return check_views(d, f, a, views, data, (size_t)n);
}

static tn_rc decode_fixed(decoder *d, const ipc_field *f, struct ArrowArray *a)
{
    size_t n = (size_t)a->length;
    span data = { NULL, 0 };
    TN_TRY(take_sized(d, f, f->layout == IPC_BITS ? (n + 7) / 8 : n * f->width, &data));
    set_buffers(d, a, 2);
    a->buffers[1] = or_zeros(data);
    return f->is_time && n > 0 ? check_times(d, f, a, data, n) : TN_OK;
}

static tn_rc decode_child(
    decoder *d, const ipc_field *f, struct ArrowArray *a, size_t i, int64_t at_least)
{
    a->children[i] = tn_new(d->arena, struct ArrowArray);
    TN_TRY(ipc_array_decode(d, &f->children[i], a->children[i]));
    return a->children[i]->length >= at_least ? TN_OK : damaged(d, &f->children[i], "the length");
}

static tn_rc decode_nested(decoder *d, const ipc_field *f, struct ArrowArray *a)
{
    int64_t child_n = a->length;
    a->n_children = (int64_t)f->n_children;
    a->children = tn_new_array(d->arena, struct ArrowArray *, f->n_children + 1);
    if (f->layout == IPC_LIST) {
        span offsets = { NULL, 0 };
        TN_TRY(take_offsets(d, f, (size_t)a->length, &offsets, &child_n));
        set_buffers(d, a, 2);
        a->buffers[1] = or_zeros(offsets);
    } else if (f->layout == IPC_FIXED_LIST &&
               __builtin_mul_overflow(a->length, (int64_t)f->width, &child_n)) {
        return damaged(d, f, "the length");
    }
    for (size_t i = 0; i < f->n_children; i++) {
        TN_TRY(decode_child(d, f, a, i, child_n));
    }
    return TN_OK;
}

static tn_rc decode_indexes(decoder *d, const ipc_field *f, struct ArrowArray *a)
{
    const struct ArrowArray *values = d->find_dictionary(d, f->dictionary_id);
    span data = { NULL, 0 };
    if (values == NULL) {
        return damaged(d, f, "the missing dictionary");
    }
    TN_TRY(take_sized(d, f, (size_t)a->length * f->index_width, &data));
    TN_TRY(check_indexes(d, f, a, data, values->length));
    set_buffers(d, a, 2);
    a->buffers[1] = or_zeros(data);
    a->dictionary = tn_new(d->arena, struct ArrowArray);
    *a->dictionary = *values;
    a->dictionary->release = array_release;
    return TN_OK;
}

/* Length, nulls and the validity bits, which all kinds but the null type have. */
static tn_rc decode_node(decoder *d, const ipc_field *f, struct ArrowArray *a)
{
    if (d->next_node >= d->n_nodes) {
        return damaged(d, f, "a missing array");
    }
    size_t at = d->nodes + 16 * d->next_node++;
    int64_t length = fb_int(&d->meta, at, 8), nulls = fb_int(&d->meta, at + 8, 8);
    if (length < 0 || length > IPC_ROWS_MAX || nulls < 0 || nulls > length) {
        return damaged(d, f, "the length");
    }
    *a = (struct ArrowArray){ .length = length, .null_count = nulls, .release = array_release };
    if (f->layout == IPC_NULL && !f->has_dictionary) {
        a->null_count = length;
        return TN_OK;
    }
    span validity = { NULL, 0 };
    TN_TRY(take_buffer(d, f, &validity));
    if (validity.n > 0 && validity.n < ((size_t)length + 7) / 8) {
        return damaged(d, f, "the validity bits");
    }
    if (validity.n == 0 && nulls > 0) {
        return damaged(d, f, "the missing validity bits");
    }
    set_buffers(d, a, 1);
    a->buffers[0] = nulls > 0 ? validity.p : NULL;
    return TN_OK;
}

tn_rc ipc_array_decode(decoder *d, const ipc_field *f, struct ArrowArray *ret)
{
    TN_TRY(decode_node(d, f, ret));
    if (f->has_dictionary) {
        return decode_indexes(d, f, ret);
    }
    switch (f->layout) {
    case IPC_NULL:
        return TN_OK;
    case IPC_BITS:
    case IPC_FIXED:
        return decode_fixed(d, f, ret);
    case IPC_BYTES:
        return decode_bytes(d, f, ret);
    case IPC_VIEWS:
        return decode_views(d, f, ret);
    default:
        return decode_nested(d, f, ret);
    }
}

tn_rc ipc_batch_open(decoder *d, size_t table)
{
    d->length = fb_slot_int(&d->meta, table, 0, 8, 0);
    d->nodes = fb_slot_vector(&d->meta, table, 1, 16, &d->n_nodes);
    d->buffers = fb_slot_vector(&d->meta, table, 2, 16, &d->n_buffers);
    d->counts = fb_slot_vector(&d->meta, table, 4, 8, &d->n_counts);
    size_t compression = fb_slot_table(&d->meta, table, 3);
    d->codec = compression ? (int)fb_slot_int(&d->meta, compression, 0, 1, 0) : IPC_CODEC_NONE;
    if (d->meta.bad || d->length < 0 || d->length > IPC_ROWS_MAX ||
        d->n_buffers > IPC_BUFFERS_MAX) {
        return tn_fail(d->err, TN_E_DATA, "the Arrow stream is damaged: the head of a batch");
    }
    if (d->codec != IPC_CODEC_NONE && d->codec != IPC_CODEC_LZ4) {
        return tn_hint(d->err,
            tn_fail(d->err, TN_E_UNSUPPORTED,
                "the Arrow stream is compressed with %s, which is not built in",
                d->codec == IPC_CODEC_ZSTD ? "zstd" : "an unknown method"),
            "write it without compression, or with lz4");
    }
    return TN_OK;
}
