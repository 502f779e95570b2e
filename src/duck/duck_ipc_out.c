/* duck_ipc_out.c: a result as an Arrow IPC stream: schema message, dictionaries, a record batch a chunk, end mark. No compression.
 *
 * Flatbuffers are built from the front: a table is written with room for its values, and offsets to strings, vectors and tables
 * that come later are patched in. Everything is aligned to 8 bytes from the start of the message.
 */
#include <string.h>

#include "duck/duck.h"
#include "duck/ipc_impl.h"
#include "os/fd.h"

enum { VERSION_5 = 4 };

/* ---- flatbuffers, writing ---- */

static void put_int(tn_buf *b, size_t at, int64_t v, size_t bytes)
{
    if (!b->full) {
        memcpy(b->p + at, &v, bytes); /* little endian, as this machine is */
    }
}

static size_t room(tn_buf *b, size_t n)
{
    tn_buf_add_repeat(b, '\0', (8 - b->n % 8) % 8);
    size_t at = b->n;
    tn_buf_add_repeat(b, '\0', n);
    return at;
}

/* A table whose slots all have 8 bytes: slot i is at table + 8 + 8 * i. Only slots in the mask are present. */
static size_t put_table(tn_buf *b, unsigned slots, unsigned mask)
{
    size_t vtable = room(b, 4 + 2 * (size_t)slots);
    size_t table = room(b, 8 + 8 * (size_t)slots);
    put_int(b, vtable, 4 + 2 * (int64_t)slots, 2);
    put_int(b, vtable + 2, 8 + 8 * (int64_t)slots, 2);
    for (unsigned i = 0; i < slots; i++) {
        put_int(b, vtable + 4 + 2 * (size_t)i, mask >> i & 1 ? 8 + 8 * (int64_t)i : 0, 2);
    }
    put_int(b, table, (int64_t)(table - vtable), 4);
    return table;
}

static size_t slot_at(size_t table, unsigned slot)
{
    return table + 8 + 8 * (size_t)slot;
}

static void point(tn_buf *b, size_t from, size_t to)
{
    put_int(b, from, (int64_t)(to - from), 4);
}

/* A vector whose elements start 8-byte aligned: the count sits right before them. */
static size_t put_vector(tn_buf *b, size_t from, size_t count, size_t element)
{
    size_t at = room(b, 8 + count * element);
    put_int(b, at + 4, (int64_t)count, 4);
    point(b, from, at + 4);
    return at + 8;
}

static void put_string(tn_buf *b, size_t from, tn_str s)
{
    size_t at = put_vector(b, from, s.n, 1);
    tn_buf_addc(b, '\0');
    if (!b->full && s.n > 0) {
        memcpy(b->p + at, s.p, s.n);
    }
}

/* ---- schema ---- */

typedef struct writer {
    tn_arena *arena;
    int fd;
    struct ArrowSchema schema;
    int64_t dictionaries; /* numbered in the order of the walk over the fields */
    bool dictionaries_sent;
    int64_t rows;
    tn_err *err;
} writer;

static tn_rc no_type(writer *w, const struct ArrowSchema *s)
{
    return tn_hint(w->err,
        tn_fail(w->err, TN_E_UNSUPPORTED,
            "the column '%s' has no form in Arrow IPC (its format is '%s')", s->name, s->format),
        "cast it to VARCHAR");
}

/* One row a format: kind of the type union, its first values. */
static const struct simple_type {
    const char *format;
    uint8_t kind;
    unsigned mask; /* slots of the type table that are set */
    int64_t v[2];
    size_t bytes[2];
} simple_types[] = {
    { "n", 1, 0, { 0 }, { 0 } },
    { "b", 6, 0, { 0 }, { 0 } },
    { "c", 2, 3, { 8, 1 }, { 4, 1 } },
    { "s", 2, 3, { 16, 1 }, { 4, 1 } },
    { "i", 2, 3, { 32, 1 }, { 4, 1 } },
    { "l", 2, 3, { 64, 1 }, { 4, 1 } },
    { "C", 2, 3, { 8, 0 }, { 4, 1 } },
    { "S", 2, 3, { 16, 0 }, { 4, 1 } },
    { "I", 2, 3, { 32, 0 }, { 4, 1 } },
    { "L", 2, 3, { 64, 0 }, { 4, 1 } },
    { "f", 3, 1, { 1 }, { 2 } },
    { "g", 3, 1, { 2 }, { 2 } },
    { "z", 4, 0, { 0 }, { 0 } },
    { "u", 5, 0, { 0 }, { 0 } },
    { "Z", 19, 0, { 0 }, { 0 } },
    { "U", 20, 0, { 0 }, { 0 } },
    { "vz", 23, 0, { 0 }, { 0 } },
    { "vu", 24, 0, { 0 }, { 0 } },
    { "tdD", 8, 1, { 0 }, { 2 } },
    { "tdm", 8, 1, { 1 }, { 2 } },
    { "tts", 9, 3, { 0, 32 }, { 2, 4 } },
    { "ttm", 9, 3, { 1, 32 }, { 2, 4 } },
    { "ttu", 9, 3, { 2, 64 }, { 2, 4 } },
    { "ttn", 9, 3, { 3, 64 }, { 2, 4 } },
    { "tiM", 11, 1, { 0 }, { 2 } },
    { "tiD", 11, 1, { 1 }, { 2 } },
    { "tin", 11, 1, { 2 }, { 2 } },
    { "tDs", 18, 1, { 0 }, { 2 } },
    { "tDm", 18, 1, { 1 }, { 2 } },
    { "tDu", 18, 1, { 2 }, { 2 } },
    { "tDn", 18, 1, { 3 }, { 2 } },
    { "+l", 12, 0, { 0 }, { 0 } },
    { "+L", 21, 0, { 0 }, { 0 } },
    { "+s", 13, 0, { 0 }, { 0 } },
    { "+m", 17, 0, { 0 }, { 0 } },
};

static size_t put_simple_type(tn_buf *b, const struct simple_type *t)
{
    size_t table = put_table(b, 2, t->mask);
    for (unsigned i = 0; i < 2; i++) {
        if (t->mask >> i & 1) {
            put_int(b, slot_at(table, i), t->v[i], t->bytes[i]);
        }
    }
    return table;
}

/* Formats with numbers or a time zone in them: d:19,10,64  w:16  +w:3  tsu:UTC */
static size_t put_open_type(tn_buf *b, const char *format, uint8_t *ret_kind)
{
    size_t table = 0;
    if (strncmp(format, "d:", 2) == 0) {
        char *end;
        long precision = strtol(format + 2, &end, 10);
        long scale = *end == ',' ? strtol(end + 1, &end, 10) : 0;
        long bits = *end == ',' ? strtol(end + 1, &end, 10) : 128;
        table = put_table(b, 3, 7);
        put_int(b, slot_at(table, 0), precision, 4);
        put_int(b, slot_at(table, 1), scale, 4);
        put_int(b, slot_at(table, 2), bits, 4);
        *ret_kind = 7;
    } else if (strncmp(format, "w:", 2) == 0 || strncmp(format, "+w:", 3) == 0) {
        table = put_table(b, 1, 1);
        put_int(b, slot_at(table, 0), strtol(strchr(format, ':') + 1, NULL, 10), 4);
        *ret_kind = format[0] == 'w' ? 15 : 16;
    } else if (strncmp(format, "ts", 2) == 0 && format[2] != '\0' && format[3] == ':') {
        const char *unit = strchr("smun", format[2]);
        bool zone = format[4] != '\0';
        table = put_table(b, 2, zone ? 3 : 1);
        put_int(b, slot_at(table, 0), unit ? unit - strchr("smun", 's') : 0, 2);
        if (zone) {
            put_string(b, slot_at(table, 1), tn_str_of(format + 4));
        }
        *ret_kind = 10;
    }
    return table;
}

static size_t put_type(tn_buf *b, const char *format, uint8_t *ret_kind)
{
    for (size_t i = 0; i < TN_COUNTOF(simple_types); i++) {
        if (strcmp(simple_types[i].format, format) == 0) {
            *ret_kind = simple_types[i].kind;
            return put_simple_type(b, &simple_types[i]);
        }
    }
    return put_open_type(b, format, ret_kind);
}

static void put_metadata(tn_buf *b, size_t from, const char *metadata)
{
    int32_t n, bytes;
    memcpy(&n, metadata, 4);
    metadata += 4;
    size_t at = put_vector(b, from, (size_t)n, 4);
    for (int32_t i = 0; i < n; i++) {
        size_t pair = put_table(b, 2, 3);
        point(b, at + 4 * (size_t)i, pair);
        for (unsigned slot = 0; slot < 2; slot++) {
            memcpy(&bytes, metadata, 4);
            put_string(b, slot_at(pair, slot), tn_str_n(metadata + 4, (size_t)bytes));
            metadata += 4 + bytes;
        }
    }
}

static tn_rc put_dictionary_encoding(writer *w, tn_buf *b, size_t from, const struct ArrowSchema *s)
{
    uint8_t kind = 0;
    size_t encoding = put_table(b, 3, 7);
    point(b, from, encoding);
    put_int(b, slot_at(encoding, 0), w->dictionaries++, 8);
    put_int(b, slot_at(encoding, 2), (s->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0, 1);
    size_t index = put_type(b, s->format, &kind);
    if (kind != 2) {
        return no_type(w, s);
    }
    point(b, slot_at(encoding, 1), index);
    return TN_OK;
}

/* Field: 0 name, 1 nullable, 2 type kind, 3 type, 4 dictionary, 5 children, 6 metadata. */
static tn_rc put_field(writer *w, tn_buf *b, size_t from, const struct ArrowSchema *s)
{
    const struct ArrowSchema *values = s->dictionary ? s->dictionary : s;
    bool metadata = s->metadata != NULL && memcmp(s->metadata, "\0\0\0\0", 4) != 0;
    size_t field = put_table(b, 7, 0x2f | (s->dictionary ? 0x10u : 0u) | (metadata ? 0x40u : 0u));
    uint8_t kind = 0;
    point(b, from, field);
    put_string(b, slot_at(field, 0), tn_str_of(s->name ? s->name : ""));
    put_int(b, slot_at(field, 1), (s->flags & ARROW_FLAG_NULLABLE) != 0, 1);
    size_t type = put_type(b, values->format, &kind);
    if (type == 0) {
        return no_type(w, s);
    }
    put_int(b, slot_at(field, 2), kind, 1);
    point(b, slot_at(field, 3), type);
    if (s->dictionary != NULL) {
        TN_TRY(put_dictionary_encoding(w, b, slot_at(field, 4), s));
    }
    size_t children = put_vector(b, slot_at(field, 5), (size_t)values->n_children, 4);
    for (int64_t i = 0; i < values->n_children; i++) {
        TN_TRY(put_field(w, b, children + 4 * (size_t)i, values->children[i]));
    }
    if (metadata) {
        put_metadata(b, slot_at(field, 6), s->metadata);
    }
    return TN_OK;
}

/* ---- messages ---- */

/* Message: 0 version, 1 header kind, 2 header, 3 body bytes. The root's offset comes first. */
static size_t start_message(tn_buf *b, int kind, int64_t body)
{
    size_t root = room(b, 8);
    size_t message = put_table(b, 4, 15);
    point(b, root, message);
    put_int(b, slot_at(message, 0), VERSION_5, 2);
    put_int(b, slot_at(message, 1), kind, 1);
    put_int(b, slot_at(message, 3), body, 8);
    return slot_at(message, 2);
}

static tn_rc send_meta(writer *w, tn_buf *b)
{
    tn_str meta;
    room(b, 0);
    TN_TRY(tn_buf_finish(b, "a message of the Arrow stream", &meta, w->err));
    uint32_t head[2] = { 0xffffffff, (uint32_t)meta.n };
    TN_TRY(tn_fd_write(w->fd, head, sizeof head, w->err));
    return tn_fd_write(w->fd, meta.p, meta.n, w->err);
}

static tn_rc send_schema(writer *w)
{
    tn_buf b = tn_buf_init(w->arena, IPC_META_MAX);
    size_t header = start_message(&b, IPC_HEADER_SCHEMA, 0);
    size_t schema = put_table(&b, 2, 3);
    point(&b, header, schema);
    put_int(&b, slot_at(schema, 0), 0, 2); /* little endian */
    size_t fields = put_vector(&b, slot_at(schema, 1), (size_t)w->schema.n_children, 4);
    for (int64_t i = 0; i < w->schema.n_children; i++) {
        TN_TRY(put_field(w, &b, fields + 4 * (size_t)i, w->schema.children[i]));
    }
    return send_meta(w, &b);
}

/* ---- batches ---- */

typedef struct piece {
    const void *p;
    size_t n;
} piece;

typedef struct parts {
    tn_arena *arena;
    tn_vec(int64_t) nodes; /* length and nulls of each array */
    tn_vec(piece) pieces;
    tn_vec(int64_t) counts; /* data buffers of view arrays */
} parts;

static void add_piece(parts *p, const void *bytes, size_t n)
{
    tn_vec_push(&p->pieces, p->arena, ((piece){ bytes, n }));
}

/* Offsets and, for bytes, what they point into. */
static void add_offsets(parts *p, const struct ArrowArray *a, bool wide, bool bytes)
{
    size_t n = (size_t)a->length;
    add_piece(p, a->buffers[1], n > 0 ? (n + 1) * (wide ? 8 : 4) : 0);
    if (bytes) {
        int64_t last = n == 0 ? 0
                       : wide ? ((const int64_t *)a->buffers[1])[n]
                              : ((const int32_t *)a->buffers[1])[n];
        add_piece(p, a->buffers[2], (size_t)last);
    }
}

static void add_views(parts *p, const struct ArrowArray *a)
{
    int64_t n = a->n_buffers - 3;
    const int64_t *sizes = a->buffers[a->n_buffers - 1];
    add_piece(p, a->buffers[1], 16 * (size_t)a->length);
    for (int64_t i = 0; i < n; i++) {
        add_piece(p, a->buffers[2 + i], (size_t)sizes[i]);
    }
    tn_vec_push(&p->counts, p->arena, n);
}

/* Arrays of DuckDB start at offset 0. */
static tn_rc collect(
    writer *w, parts *p, const struct ArrowSchema *s, const struct ArrowArray *a, bool values)
{
    const char *f = s->format;
    if (a->offset != 0) {
        return tn_fail(w->err, TN_E_BUG, "an Arrow array with an offset cannot be written");
    }
    int64_t nulls = a->null_count < 0 ? a->length : a->null_count;
    bool has_bits = f[0] != 'n' && a->n_buffers > 0 && a->buffers[0] != NULL && a->null_count != 0;
    tn_vec_push(&p->nodes, p->arena, a->length);
    tn_vec_push(&p->nodes, p->arena, f[0] == 'n' ? a->length : has_bits ? nulls : 0);
    if (f[0] == 'n') {
        return TN_OK;
    }
    add_piece(p, has_bits ? a->buffers[0] : NULL, has_bits ? ((size_t)a->length + 7) / 8 : 0);
    if (s->dictionary != NULL && !values) {
        add_piece(p, a->buffers[1], (size_t)a->length * arrow_fixed_width(f));
        return TN_OK;
    }
    if (f[0] == 'u' || f[0] == 'z' || f[0] == 'U' || f[0] == 'Z') {
        add_offsets(p, a, f[0] == 'U' || f[0] == 'Z', true);
    } else if (f[0] == 'v') {
        add_views(p, a);
    } else if (f[0] == 'b') {
        add_piece(p, a->buffers[1], ((size_t)a->length + 7) / 8);
    } else if (f[0] != '+') {
        add_piece(p, a->buffers[1], (size_t)a->length * arrow_fixed_width(f));
    } else if (f[1] == 'l' || f[1] == 'L' || f[1] == 'm') {
        add_offsets(p, a, f[1] == 'L', false);
    }
    for (int64_t i = 0; i < a->n_children; i++) {
        TN_TRY(collect(w, p, s->children[i], a->children[i], false));
    }
    return TN_OK;
}

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static size_t body_bytes(const parts *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->pieces.n; i++) {
        n += padded(p->pieces.v[i].n);
    }
    return n;
}

static size_t put_batch_table(tn_buf *b, const parts *p, int64_t length)
{
    size_t batch = put_table(b, 5, 7 | (p->counts.n > 0 ? 16u : 0u));
    put_int(b, slot_at(batch, 0), length, 8);
    size_t nodes = put_vector(b, slot_at(batch, 1), p->nodes.n / 2, 16);
    for (size_t i = 0; i < p->nodes.n; i++) {
        put_int(b, nodes + 8 * i, p->nodes.v[i], 8);
    }
    size_t buffers = put_vector(b, slot_at(batch, 2), p->pieces.n, 16);
    for (size_t i = 0, at = 0; i < p->pieces.n; i++) {
        put_int(b, buffers + 16 * i, (int64_t)at, 8);
        put_int(b, buffers + 16 * i + 8, (int64_t)p->pieces.v[i].n, 8);
        at += padded(p->pieces.v[i].n);
    }
    if (p->counts.n > 0) {
        size_t counts = put_vector(b, slot_at(batch, 4), p->counts.n, 8);
        for (size_t i = 0; i < p->counts.n; i++) {
            put_int(b, counts + 8 * i, p->counts.v[i], 8);
        }
    }
    return batch;
}

static tn_rc send_body(writer *w, const parts *p)
{
    static const char zeros[8];
    for (size_t i = 0; i < p->pieces.n; i++) {
        size_t n = p->pieces.v[i].n;
        TN_TRY(tn_fd_write(w->fd, p->pieces.v[i].p, n, w->err));
        TN_TRY(tn_fd_write(w->fd, zeros, padded(n) - n, w->err));
    }
    return TN_OK;
}

/* DictionaryBatch: 0 id, 1 data. */
static tn_rc send_dictionary(
    writer *w, const struct ArrowSchema *s, const struct ArrowArray *values)
{
    TN_AUTO_ARENA a = tn_arena_new("arrow dictionary", NULL);
    parts p = { .arena = a };
    TN_TRY(collect(w, &p, s->dictionary, values, true));
    tn_buf b = tn_buf_init(a, IPC_META_MAX);
    size_t header = start_message(&b, IPC_HEADER_DICTIONARY, (int64_t)body_bytes(&p));
    size_t table = put_table(&b, 2, 3);
    point(&b, header, table);
    put_int(&b, slot_at(table, 0), w->dictionaries++, 8);
    point(&b, slot_at(table, 1), put_batch_table(&b, &p, values->length));
    TN_TRY(send_meta(w, &b));
    return send_body(w, &p);
}

/* In the order of the walk that has numbered them. */
static tn_rc send_dictionaries(writer *w, const struct ArrowSchema *s, const struct ArrowArray *a)
{
    if (s->dictionary != NULL) {
        return send_dictionary(w, s, a->dictionary);
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        TN_TRY(send_dictionaries(w, s->children[i], a->children[i]));
    }
    return TN_OK;
}

static tn_rc send_batch(writer *w, const struct ArrowArray *array)
{
    TN_AUTO_ARENA a = tn_arena_new("arrow batch", NULL);
    if (!w->dictionaries_sent) {
        /* They come from types (ENUM), so they are the same in every batch. */
        w->dictionaries = 0;
        TN_TRY(send_dictionaries(w, &w->schema, array));
        w->dictionaries_sent = true;
    }
    parts p = { .arena = a };
    for (int64_t i = 0; i < array->n_children; i++) {
        TN_TRY(collect(w, &p, w->schema.children[i], array->children[i], false));
    }
    tn_buf b = tn_buf_init(a, IPC_META_MAX);
    size_t header = start_message(&b, IPC_HEADER_BATCH, (int64_t)body_bytes(&p));
    point(&b, header, put_batch_table(&b, &p, array->length));
    TN_TRY(send_meta(w, &b));
    TN_TRY(send_body(w, &p));
    w->rows += array->length;
    return TN_OK;
}

static tn_rc send_all(writer *w, tn_result *r)
{
    static const uint32_t end[2] = { 0xffffffff, 0 };
    TN_TRY(ipc_result_schema(r, w->arena, &w->schema, w->err));
    TN_TRY(send_schema(w));
    for (;;) {
        struct ArrowArray array = { .release = NULL };
        TN_TRY(ipc_result_next(r, &array, w->err));
        if (array.release == NULL) {
            break;
        }
        tn_rc rc = send_batch(w, &array);
        array.release(&array);
        TN_TRY(rc);
    }
    return tn_fd_write(w->fd, end, sizeof end, w->err);
}

tn_rc tn_result_arrow_ipc_out(tn_result *r, int fd, int64_t *ret_rows, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("arrow ipc out", NULL);
    writer w = { .arena = a, .fd = fd, .err = err };
    tn_rc rc = send_all(&w, r);
    if (w.schema.release != NULL) {
        w.schema.release(&w.schema);
    }
    TN_TRY(rc);
    if (ret_rows != NULL) {
        *ret_rows = w.rows;
    }
    return TN_OK;
}
