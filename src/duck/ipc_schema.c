/* ipc_schema.c: the schema message of an Arrow IPC stream, to fields and to the C data interface.
 *
 * Schema: 0 endianness, 1 fields. Field: 0 name, 1 nullable, 2 type kind, 3 type, 4 dictionary, 5 children, 6 metadata.
 * DictionaryEncoding: 0 id, 1 index type (Int), 2 ordered. KeyValue: 0 key, 1 value.
 */
#include "duck/ipc_impl.h"

enum type_kind {
    K_NULL = 1,
    K_INT,
    K_FLOAT,
    K_BINARY,
    K_UTF8,
    K_BOOL,
    K_DECIMAL,
    K_DATE,
    K_TIME,
    K_TIMESTAMP,
    K_INTERVAL,
    K_LIST,
    K_STRUCT,
    K_UNION,
    K_FIXED_BINARY,
    K_FIXED_LIST,
    K_MAP,
    K_DURATION,
    K_LARGE_BINARY,
    K_LARGE_UTF8,
    K_LARGE_LIST,
    K_RUN_END,
    K_BINARY_VIEW,
    K_UTF8_VIEW,
};

static const char unit_letters[] = "smun"; /* second, milli, micro, nano */
static const int64_t unit_per_second[] = { 1, 1000, 1000000, 1000000000 };

typedef struct schema_reader {
    tn_arena *arena;
    fb *b;
    size_t fields;
    tn_err *err;
} schema_reader;

static tn_rc damaged(tn_err *err, const char *what)
{
    return tn_fail(err, TN_E_DATA, "the Arrow stream is damaged: %s", what);
}

static void fixed(ipc_field *f, const char *format, size_t width)
{
    f->format = format;
    f->layout = IPC_FIXED;
    f->width = width;
}

static bool set_int(ipc_field *f, int64_t bits, bool is_signed)
{
    static const char *const signed_formats[] = { "c", "s", "i", "l" };
    static const char *const unsigned_formats[] = { "C", "S", "I", "L" };
    int log = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : bits == 64 ? 3 : -1;
    if (log < 0) {
        return false;
    }
    fixed(f, is_signed ? signed_formats[log] : unsigned_formats[log], (size_t)bits / 8);
    return true;
}

static bool set_moment(schema_reader *r, ipc_field *f, size_t type, int64_t kind)
{
    int64_t unit = fb_slot_int(r->b, type, 0, 2, kind == K_TIMESTAMP ? 0 : 1);
    if (kind == K_DATE) {
        fixed(f, unit == 0 ? "tdD" : "tdm", unit == 0 ? 4 : 8);
        return unit == 0 || unit == 1;
    }
    if (unit < 0 || unit > 3) {
        return false;
    }
    char letter = unit_letters[unit];
    if (kind == K_TIME) {
        int64_t bits = fb_slot_int(r->b, type, 1, 4, 32);
        fixed(f, tn_arena_printf(r->arena, "tt%c", letter), (size_t)bits / 8);
        f->is_time = true;
        f->per_second = unit_per_second[unit];
        return bits == (unit < 2 ? 32 : 64);
    }
    if (kind == K_DURATION) {
        fixed(f, tn_arena_printf(r->arena, "tD%c", letter), 8);
        return true;
    }
    tn_str zone = fb_slot_str(r->b, type, 1);
    if (zone.n > 0 && memchr(zone.p, '\0', zone.n) != NULL) {
        return false;
    }
    fixed(f, tn_arena_printf(r->arena, "ts%c:" TN_STR_FMT, letter, TN_STR_ARG(zone)), 8);
    return true;
}

static bool set_decimal(schema_reader *r, ipc_field *f, size_t type)
{
    int64_t precision = fb_slot_int(r->b, type, 0, 4, 0), scale = fb_slot_int(r->b, type, 1, 4, 0);
    int64_t bits = fb_slot_int(r->b, type, 2, 4, 128);
    if (precision < 1 || precision > 76 || scale < 0 || scale > precision ||
        (bits != 32 && bits != 64 && bits != 128 && bits != 256)) {
        return false;
    }
    fixed(f, tn_arena_printf(r->arena, "d:%d,%d,%d", (int)precision, (int)scale, (int)bits),
        (size_t)bits / 8);
    return true;
}

static void set_bytes(ipc_field *f, const char *format, bool wide, bool text)
{
    f->format = format;
    f->layout = IPC_BYTES;
    f->wide_offsets = wide;
    f->is_text = text;
}

static void set_nested(ipc_field *f, const char *format, ipc_layout layout, bool wide)
{
    f->format = format;
    f->layout = layout;
    f->wide_offsets = wide;
}

static bool set_interval(schema_reader *r, ipc_field *f, size_t type)
{
    int64_t unit = fb_slot_int(r->b, type, 0, 2, 0);
    fixed(f, unit == 0 ? "tiM" : unit == 1 ? "tiD" : "tin", unit == 0 ? 4 : unit == 1 ? 8 : 16);
    return unit >= 0 && unit <= 2;
}

static bool set_sized(schema_reader *r, ipc_field *f, size_t type, int64_t kind)
{
    int64_t n = fb_slot_int(r->b, type, 0, 4, 0);
    if (n < 1 || n > 1 << 20) {
        return false;
    }
    if (kind == K_FIXED_BINARY) {
        fixed(f, tn_arena_printf(r->arena, "w:%d", (int)n), (size_t)n);
    } else {
        set_nested(f, tn_arena_printf(r->arena, "+w:%d", (int)n), IPC_FIXED_LIST, false);
        f->width = (size_t)n;
    }
    return true;
}

static bool set_float(schema_reader *r, ipc_field *f, size_t type)
{
    static const char *const formats[] = { "e", "f", "g" };
    int64_t precision = fb_slot_int(r->b, type, 0, 2, 0);
    if (precision < 0 || precision > 2) {
        return false;
    }
    fixed(f, formats[precision], (size_t)2 << precision);
    return true;
}

/* Fills format and layout. False: a kind, or an option of it, that is not known. */
static bool set_type(schema_reader *r, ipc_field *f, int64_t kind, size_t type)
{
    switch (kind) {
    case K_NULL:
        set_nested(f, "n", IPC_NULL, false);
        return true;
    case K_BOOL:
        set_nested(f, "b", IPC_BITS, false);
        return true;
    case K_INT:
        return set_int(f, fb_slot_int(r->b, type, 0, 4, 0), fb_slot_int(r->b, type, 1, 1, 0) != 0);
    case K_FLOAT:
        return set_float(r, f, type);
    case K_BINARY:
    case K_LARGE_BINARY:
        set_bytes(f, kind == K_BINARY ? "z" : "Z", kind == K_LARGE_BINARY, false);
        return true;
    case K_UTF8:
    case K_LARGE_UTF8:
        set_bytes(f, kind == K_UTF8 ? "u" : "U", kind == K_LARGE_UTF8, true);
        return true;
    case K_BINARY_VIEW:
    case K_UTF8_VIEW:
        set_nested(f, kind == K_UTF8_VIEW ? "vu" : "vz", IPC_VIEWS, false);
        f->is_text = kind == K_UTF8_VIEW;
        return true;
    case K_DECIMAL:
        return set_decimal(r, f, type);
    case K_DATE:
    case K_TIME:
    case K_TIMESTAMP:
    case K_DURATION:
        return set_moment(r, f, type, kind);
    case K_INTERVAL:
        return set_interval(r, f, type);
    case K_LIST:
    case K_LARGE_LIST:
        set_nested(f, kind == K_LIST ? "+l" : "+L", IPC_LIST, kind == K_LARGE_LIST);
        return f->n_children == 1;
    case K_MAP:
        set_nested(f, "+m", IPC_LIST, false);
        return f->n_children == 1 && f->children[0].layout == IPC_STRUCT &&
               f->children[0].n_children == 2;
    case K_STRUCT:
        set_nested(f, "+s", IPC_STRUCT, false);
        return f->n_children > 0;
    case K_FIXED_BINARY:
    case K_FIXED_LIST:
        return set_sized(r, f, type, kind) && f->n_children == (kind == K_FIXED_LIST);
    default:
        return false;
    }
}

/* The C data interface's form: int32 count, then int32 length and bytes of each key and value. */
static const char *read_metadata(schema_reader *r, size_t field)
{
    size_t n;
    size_t at = fb_slot_vector(r->b, field, 6, 4, &n);
    if (n == 0 || n > IPC_FIELDS_MAX) {
        return NULL;
    }
    tn_buf out = tn_buf_init(r->arena, IPC_META_MAX);
    int32_t count = (int32_t)n;
    tn_buf_add_n(&out, &count, sizeof count);
    for (size_t i = 0; i < n && !r->b->bad; i++) {
        size_t pair = fb_table_at(r->b, at + 4 * i);
        for (unsigned slot = 0; slot < 2; slot++) {
            tn_str s = fb_slot_str(r->b, pair, slot);
            int32_t bytes = (int32_t)s.n;
            tn_buf_add_n(&out, &bytes, sizeof bytes);
            tn_buf_add(&out, s);
        }
    }
    return out.full ? NULL : out.p;
}

static tn_rc read_dictionary(schema_reader *r, ipc_field *f, size_t encoding)
{
    f->has_dictionary = true;
    f->dictionary_id = fb_slot_int(r->b, encoding, 0, 8, 0);
    size_t type = fb_slot_table(r->b, encoding, 1);
    ipc_field index = { .name = f->name };
    int64_t bits = type ? fb_slot_int(r->b, type, 0, 4, 0) : 32;
    f->index_signed = type == 0 || fb_slot_int(r->b, type, 1, 1, 0) != 0;
    if (!set_int(&index, bits, f->index_signed)) {
        return damaged(r->err, "the index type of a dictionary");
    }
    f->index_format = index.format;
    f->index_width = index.width;
    if (fb_slot_int(r->b, encoding, 2, 1, 0) != 0) {
        f->flags |= ARROW_FLAG_DICTIONARY_ORDERED;
    }
    return TN_OK;
}

static tn_rc read_fields(
    schema_reader *r, size_t table, unsigned slot, int depth, ipc_field *parent);

static tn_rc read_field(schema_reader *r, size_t table, int depth, ipc_field *f)
{
    if (depth > IPC_DEPTH_MAX || ++r->fields > IPC_FIELDS_MAX) {
        return tn_fail(r->err, TN_E_LIMIT, "the Arrow schema has more than %d levels or %d fields",
            IPC_DEPTH_MAX, IPC_FIELDS_MAX);
    }
    tn_str name = fb_slot_str(r->b, table, 0);
    if (!tn_utf8_valid(name) || (name.n > 0 && memchr(name.p, '\0', name.n) != NULL)) {
        return damaged(r->err, "the name of a field is not UTF-8 text");
    }
    f->name = tn_str_dup(r->arena, name);
    f->flags = fb_slot_int(r->b, table, 1, 1, 0) != 0 ? ARROW_FLAG_NULLABLE : 0;
    TN_TRY(read_fields(r, table, 5, depth, f));
    int64_t kind = fb_slot_int(r->b, table, 2, 1, 0);
    size_t type = fb_slot_table(r->b, table, 3);
    if (r->b->bad || type == 0) {
        return damaged(r->err, "a field without a type");
    }
    if (!set_type(r, f, kind, type)) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_UNSUPPORTED,
                "the Arrow type number %d of the field '" TN_STR_FMT "' is not supported",
                (int)kind, TN_STR_ARG(f->name)),
            "cast the column before writing the stream");
    }
    f->metadata = read_metadata(r, table);
    size_t encoding = fb_slot_table(r->b, table, 4);
    return encoding ? read_dictionary(r, f, encoding) : TN_OK;
}

static tn_rc read_fields(
    schema_reader *r, size_t table, unsigned slot, int depth, ipc_field *parent)
{
    size_t n;
    size_t at = fb_slot_vector(r->b, table, slot, 4, &n);
    if (n > IPC_FIELDS_MAX) {
        return tn_fail(
            r->err, TN_E_LIMIT, "the Arrow schema has more than %d fields", IPC_FIELDS_MAX);
    }
    parent->n_children = n;
    parent->children = tn_new_array(r->arena, ipc_field, n + 1);
    for (size_t i = 0; i < n; i++) {
        size_t field = fb_table_at(r->b, at + 4 * i);
        if (r->b->bad) {
            return damaged(r->err, "a field lies outside of its message");
        }
        TN_TRY(read_field(r, field, depth + 1, &parent->children[i]));
    }
    return TN_OK;
}

tn_rc ipc_schema_read(tn_arena *a, fb *b, size_t table, ipc_field *ret, tn_err *err)
{
    schema_reader r = { .arena = a, .b = b, .err = err };
    ipc_field root = { .format = "+s", .layout = IPC_STRUCT };
    if (fb_slot_int(b, table, 0, 2, 0) != 0) {
        return tn_fail(
            err, TN_E_UNSUPPORTED, "the Arrow stream was written by a big-endian machine");
    }
    TN_TRY(read_fields(&r, table, 1, 0, &root));
    if (b->bad) {
        return damaged(err, "the schema lies outside of its message");
    }
    *ret = root;
    return TN_OK;
}

/* ---- to the C data interface ---- */

static void schema_release(struct ArrowSchema *s)
{
    s->release = NULL; /* all of it lives in the reader's arena */
}

static void export_values(tn_arena *a, const ipc_field *f, struct ArrowSchema *ret)
{
    *ret = (struct ArrowSchema){ .format = f->format,
        .name = tn_str_z(a, f->name),
        .flags = f->flags,
        .metadata = f->metadata,
        .n_children = (int64_t)f->n_children,
        .release = schema_release };
    ret->children = tn_new_array(a, struct ArrowSchema *, f->n_children + 1);
    for (size_t i = 0; i < f->n_children; i++) {
        ret->children[i] = tn_new(a, struct ArrowSchema);
        ipc_schema_export(a, &f->children[i], ret->children[i]);
    }
}

void ipc_schema_export(tn_arena *a, const ipc_field *f, struct ArrowSchema *ret)
{
    if (!f->has_dictionary) {
        export_values(a, f, ret);
        return;
    }
    struct ArrowSchema *values = tn_new(a, struct ArrowSchema);
    export_values(a, f, values);
    *ret = (struct ArrowSchema){ .format = f->index_format,
        .name = values->name,
        .flags = f->flags,
        .dictionary = values,
        .release = schema_release };
}
