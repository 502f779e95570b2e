/* duck_ipc_in.c: an Arrow IPC stream on a file descriptor as a C stream, and from there into a table.
 *
 * Message: 0 version, 1 header kind, 2 header, 3 body bytes. DictionaryBatch: 0 id, 1 data, 2 is delta.
 * The file format ("ARROW1", then the same messages, then an index) is read as the stream that it contains.
 *
 * A batch has an arena of its own, which dies with the array. Dictionaries are counted: a batch keeps those it refers to.
 */
#include <errno.h>

#include "duck/duck.h"
#include "duck/ipc_batch.h"
#include "os/fd.h"

enum { READ_STEP = 8 << 20 };

typedef struct dictionary {
    tn_arena *arena;
    struct ArrowArray values;
    int64_t id;
    int refs;
    struct dictionary *next;
    struct dictionary **used; /* those that its own values may refer to */
    size_t n_used;
} dictionary;

typedef struct reader {
    tn_arena *arena;
    int fd;
    bool started;
    bool ended;
    ipc_field root;
    dictionary *dictionaries; /* the newest of each id */
    tn_err *err; /* of the caller: kinds of failure and hints do not fit through the C stream */
} reader;

typedef struct ipc_batch {
    tn_arena *arena;
    dictionary **used;
    size_t n_used;
} ipc_batch;

/* A message as it came: metadata and body in the arena. */
typedef struct message {
    fb meta;
    size_t header;
    int64_t kind;
    uint8_t *body;
    size_t body_n;
} message;

static void unref_all(dictionary **v, size_t n);

static void dictionary_unref(dictionary *d)
{
    if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        unref_all(d->used, d->n_used);
        tn_arena_free(d->arena);
    }
}

static void unref_all(dictionary **v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dictionary_unref(v[i]);
    }
}

/* Holds all dictionaries of now for as long as something that was made with them lives. */
static dictionary **ref_all(const reader *r, tn_arena *a, size_t *ret_n)
{
    tn_vec(dictionary *) used = { .v = NULL };
    for (dictionary *at = r->dictionaries; at != NULL; at = at->next) {
        __atomic_add_fetch(&at->refs, 1, __ATOMIC_RELAXED);
        tn_vec_push(&used, a, at);
    }
    *ret_n = used.n;
    return used.v;
}

/* ---- messages ---- */

/* Memory grows with what really comes, whatever length was announced. */
static tn_rc read_all(reader *r, tn_arena *a, size_t n, uint8_t **ret)
{
    size_t have = 0, cap = tn_min_size(n, READ_STEP) + 8; /* never an empty object */
    uint8_t *p = tn_arena_alloc(a, cap);
    while (have < n) {
        size_t want = tn_min_size(n, have + tn_max_size(READ_STEP, have));
        if (want > cap) {
            p = tn_arena_grow(a, p, cap, want);
            cap = want;
        }
        size_t got = 0;
        TN_TRY(tn_fd_read(r->fd, p + have, want - have, &got, r->err));
        if (got < want - have) {
            return tn_fail(r->err, TN_E_DATA, "the Arrow stream ends in the middle of a message");
        }
        have = want;
    }
    *ret = p;
    return TN_OK;
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The length of the next message's metadata; 0 at the end of the stream. Streams before format 0.15 have no FFFFFFFF. */
static tn_rc read_length(reader *r, size_t *ret)
{
    uint8_t head[8];
    size_t got = 0;
    TN_TRY(tn_fd_read(r->fd, head, 4, &got, r->err));
    if (!r->started && got == 4 && memcmp(head, "ARRO", 4) == 0) {
        TN_TRY(tn_fd_read(r->fd, head + 4, 4, &got, r->err));
        if (got == 4 && memcmp(head + 4, "W1\0\0", 4) == 0) {
            TN_TRY(tn_fd_read(r->fd, head, 4, &got, r->err));
        }
    }
    if (got == 4 && u32_at(head) == 0xffffffff) {
        TN_TRY(tn_fd_read(r->fd, head, 4, &got, r->err));
    }
    if (got != 0 && got != 4) {
        return tn_fail(r->err, TN_E_DATA, "the Arrow stream ends in the middle of a message");
    }
    size_t n = got == 0 ? 0 : u32_at(head);
    if (n > IPC_META_MAX || (n == 0 && !r->started)) {
        return tn_hint(r->err, tn_fail(r->err, TN_E_DATA, "this is no Arrow IPC stream"),
            "write one with pyarrow.ipc.new_stream, polars write_ipc_stream or tarn sql --format "
            "arrow");
    }
    *ret = n;
    return TN_OK;
}

/* *ret->kind is 0 at the end of the stream. */
static tn_rc read_message(reader *r, tn_arena *a, message *ret)
{
    size_t n = 0;
    uint8_t *meta = NULL;
    TN_TRY(read_length(r, &n));
    if (n == 0) {
        ret->kind = 0;
        return TN_OK;
    }
    TN_TRY(read_all(r, a, n, &meta));
    r->started = true;
    message m = { .meta = { .p = meta, .n = n } };
    size_t table = fb_root(&m.meta);
    m.kind = fb_slot_int(&m.meta, table, 1, 1, 0);
    m.header = fb_slot_table(&m.meta, table, 2);
    int64_t body = fb_slot_int(&m.meta, table, 3, 8, 0);
    if (m.meta.bad || m.header == 0 || m.kind < 1) {
        return tn_fail(r->err, TN_E_DATA, "the Arrow stream is damaged: the head of a message");
    }
    if (body < 0 || (uint64_t)body > IPC_BODY_MAX) {
        return tn_fail(r->err, TN_E_LIMIT,
            "a message of the Arrow stream announces a body of %lld bytes, more than %lld",
            (long long)body, (long long)IPC_BODY_MAX);
    }
    m.body_n = (size_t)body;
    TN_TRY(read_all(r, a, m.body_n, &m.body));
    *ret = m;
    return TN_OK;
}

/* ---- dictionaries ---- */

static const ipc_field *field_of_dictionary(const ipc_field *f, int64_t id)
{
    if (f->has_dictionary && f->dictionary_id == id) {
        return f;
    }
    for (size_t i = 0; i < f->n_children; i++) {
        const ipc_field *found = field_of_dictionary(&f->children[i], id);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static const struct ArrowArray *find_dictionary(decoder *d, int64_t id)
{
    reader *r = d->self;
    dictionary *at = r->dictionaries;
    while (at != NULL && at->id != id) {
        at = at->next;
    }
    return at ? &at->values : NULL;
}

static decoder decoder_of(reader *r, tn_arena *a, const message *m)
{
    return (decoder){ .arena = a,
        .meta = m->meta,
        .body = m->body,
        .body_n = m->body_n,
        .find_dictionary = find_dictionary,
        .self = r,
        .err = r->err };
}

static void put_dictionary(reader *r, dictionary *d)
{
    dictionary **at = &r->dictionaries;
    while (*at != NULL && (*at)->id != d->id) {
        at = &(*at)->next;
    }
    dictionary *old = *at;
    d->next = old ? old->next : NULL;
    *at = d;
    if (old != NULL) {
        dictionary_unref(old);
    }
}

static tn_rc decode_dictionary(
    reader *r, tn_arena *a, const message *m, struct ArrowArray *ret, int64_t *ret_id)
{
    decoder d = decoder_of(r, a, m);
    int64_t id = fb_slot_int(&d.meta, m->header, 0, 8, 0);
    size_t table = fb_slot_table(&d.meta, m->header, 1);
    const ipc_field *f = field_of_dictionary(&r->root, id);
    if (fb_slot_int(&d.meta, m->header, 2, 1, 0) != 0) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_UNSUPPORTED, "the Arrow stream has delta dictionaries"),
            "write it with emit_dictionary_deltas off");
    }
    if (d.meta.bad || table == 0 || f == NULL) {
        return tn_fail(
            r->err, TN_E_DATA, "the Arrow stream is damaged: a dictionary that no field has");
    }
    TN_TRY(ipc_batch_open(&d, table));
    ipc_field values = *f;
    values.has_dictionary = false;
    TN_TRY(ipc_array_decode(&d, &values, ret));
    *ret_id = id;
    return TN_OK;
}

static tn_rc read_dictionary(reader *r, tn_arena *a, const message *m)
{
    dictionary *d = tn_new(a, dictionary);
    d->arena = a;
    d->refs = 1;
    TN_TRY(decode_dictionary(r, a, m, &d->values, &d->id));
    d->used = ref_all(r, a, &d->n_used);
    put_dictionary(r, d);
    return TN_OK;
}

/* ---- batches ---- */

static void batch_release(struct ArrowArray *array)
{
    ipc_batch *b = array->private_data;
    array->release = NULL;
    unref_all(b->used, b->n_used);
    tn_arena_free(b->arena);
}

static tn_rc decode_batch(reader *r, tn_arena *a, const message *m, struct ArrowArray *ret)
{
    static const void *no_validity[1];
    decoder d = decoder_of(r, a, m);
    TN_TRY(ipc_batch_open(&d, m->header));
    struct ArrowArray top = {
        .length = d.length, .n_buffers = 1, .buffers = no_validity, .release = batch_release
    };
    top.n_children = (int64_t)r->root.n_children;
    top.children = tn_new_array(a, struct ArrowArray *, r->root.n_children + 1);
    for (size_t i = 0; i < r->root.n_children; i++) {
        top.children[i] = tn_new(a, struct ArrowArray);
        TN_TRY(ipc_array_decode(&d, &r->root.children[i], top.children[i]));
        if (top.children[i]->length != d.length) {
            return tn_fail(
                r->err, TN_E_DATA, "the Arrow stream is damaged: columns of different length");
        }
    }
    ipc_batch *b = tn_new(a, ipc_batch);
    b->arena = a;
    b->used = ref_all(r, a, &b->n_used);
    top.private_data = b;
    *ret = top;
    return TN_OK;
}

/* The next message of either kind. Its arena goes to the dictionary or batch that it makes. */
static tn_rc read_next(reader *r, struct ArrowArray *ret, bool *ret_batch)
{
    TN_AUTO_ARENA a = tn_arena_new("arrow message", NULL);
    message m;
    TN_TRY(read_message(r, a, &m));
    if (m.kind == 0) {
        r->ended = true;
    } else if (m.kind == IPC_HEADER_DICTIONARY) {
        TN_TRY(read_dictionary(r, a, &m));
        (void)TN_TAKE(a);
    } else if (m.kind == IPC_HEADER_BATCH) {
        TN_TRY(decode_batch(r, a, &m, ret));
        (void)TN_TAKE(a);
        *ret_batch = true;
    } else {
        return tn_fail(r->err, TN_E_DATA,
            "the Arrow stream has a message of kind %d where a batch should be", (int)m.kind);
    }
    return TN_OK;
}

/* ---- the C stream ---- */

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    reader *r = s->private_data;
    ipc_schema_export(r->arena, &r->root, out);
    return 0;
}

static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    reader *r = s->private_data;
    struct ArrowArray array = { .release = NULL };
    bool got = false;
    while (!got && !r->ended) {
        if (read_next(r, &array, &got) != TN_OK) {
            return EIO;
        }
    }
    *out = array;
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *s)
{
    return ((reader *)s->private_data)->err->msg;
}

static void stream_release(struct ArrowArrayStream *s)
{
    reader *r = s->private_data;
    s->release = NULL;
    while (r->dictionaries != NULL) {
        dictionary *d = r->dictionaries;
        r->dictionaries = d->next;
        dictionary_unref(d);
    }
    tn_arena_free(r->arena);
}

static tn_rc read_schema(reader *r)
{
    message m;
    TN_TRY(read_message(r, r->arena, &m));
    if (m.kind != IPC_HEADER_SCHEMA) {
        return tn_fail(r->err, TN_E_DATA, "the Arrow stream does not start with a schema");
    }
    return ipc_schema_read(r->arena, &m.meta, m.header, &r->root, r->err);
}

tn_rc tn_conn_arrow_ipc_in(
    tn_conn *c, tn_str table_sql_name, int fd, int64_t *ret_rows, tn_err *err)
{
    tn_err why = TN_ERR_INIT, load = TN_ERR_INIT;
    tn_arena *a = tn_arena_new("arrow ipc", NULL);
    reader *r = tn_new(a, reader);
    r->arena = a;
    r->fd = fd;
    r->err = &why;
    struct ArrowArrayStream stream = { .get_schema = stream_schema,
        .get_next = stream_next,
        .get_last_error = stream_error,
        .release = stream_release,
        .private_data = r };
    tn_rc rc = read_schema(r);
    if (rc != TN_OK) {
        stream.release(&stream);
    } else {
        rc = tn_conn_arrow_in(c, table_sql_name, &stream, ret_rows, &load);
    }
    if (rc != TN_OK && err != NULL) {
        *err = why.rc != TN_OK ? why : load;
    }
    return why.rc != TN_OK ? why.rc : rc;
}
