/* ipc_impl.h: shared by the files that read and write Arrow IPC streams. Nobody else includes it.
 *
 * Encapsulated message: FFFFFFFF, int32 metadata bytes, flatbuffer Message (padded to 8), body. Length 0 ends the stream.
 * The numbers of fields below are slots of the flatbuffer tables of the format's Schema.fbs and Message.fbs.
 */
#ifndef TN_DUCK_IPC_IMPL_H
#define TN_DUCK_IPC_IMPL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "duck/arrow_abi.h"

enum {
    IPC_META_MAX = 64 << 20,
    IPC_FIELDS_MAX = 100000,
    IPC_DEPTH_MAX = 32,
    IPC_BUFFERS_MAX = 4000000,
};
#define IPC_BODY_MAX ((size_t)4 << 30)

enum { IPC_HEADER_SCHEMA = 1, IPC_HEADER_DICTIONARY = 2, IPC_HEADER_BATCH = 3 };
enum { IPC_CODEC_NONE = -1, IPC_CODEC_LZ4 = 0, IPC_CODEC_ZSTD = 1 };

/* ---- flatbuffers, reading ---- */

/* Positions are offsets into the buffer; 0 means absent. A read outside sets bad and gives 0, so callers check once. */
typedef struct fb {
    const uint8_t *p;
    size_t n;
    bool bad;
} fb;

size_t fb_root(fb *b);
size_t fb_slot(fb *b, size_t table, unsigned slot); /* where the value of a slot is */
int64_t fb_int(fb *b, size_t at, unsigned bytes);   /* signed, little endian */
int64_t fb_slot_int(fb *b, size_t table, unsigned slot, unsigned bytes, int64_t dflt);
size_t fb_slot_table(fb *b, size_t table, unsigned slot);
/* First element of a vector of elements of that size; *ret_n = 0 when absent. */
size_t fb_slot_vector(fb *b, size_t table, unsigned slot, size_t element, size_t *ret_n);
size_t fb_table_at(fb *b, size_t at); /* follows the offset that is stored at `at` */
tn_str fb_slot_str(fb *b, size_t table, unsigned slot);

/* ---- schema ---- */

typedef enum ipc_layout {
    IPC_NULL,
    IPC_BITS,       /* validity, bits */
    IPC_FIXED,      /* validity, width bytes each */
    IPC_BYTES,      /* validity, int32 or int64 offsets, bytes */
    IPC_VIEWS,      /* validity, 16-byte views, any number of data buffers */
    IPC_LIST,       /* validity, int32 or int64 offsets; one child */
    IPC_FIXED_LIST, /* validity; one child */
    IPC_STRUCT,     /* validity; children */
} ipc_layout;

typedef struct ipc_field {
    tn_str name;
    const char *format; /* of the C data interface; of the values when there is a dictionary */
    int64_t flags;
    const char *metadata; /* of the C data interface, NULL for none */
    ipc_layout layout;
    size_t width; /* bytes a value, elements a fixed list */
    bool wide_offsets;
    bool is_text;
    bool is_time; /* width 4 or 8, a time of day in units of 1/per_second */
    int64_t per_second;
    size_t n_children;
    struct ipc_field *children;
    bool has_dictionary;
    int64_t dictionary_id;
    const char *index_format;
    size_t index_width;
    bool index_signed;
} ipc_field;

/* The message header is a Schema table: the fields as children of *ret. */
tn_rc ipc_schema_read(tn_arena *a, fb *b, size_t table, ipc_field *ret, tn_err *err) TN_MUSTUSE;
/* Borrows everything from the fields' arena. */
void ipc_schema_export(tn_arena *a, const ipc_field *f, struct ArrowSchema *ret);

/* ---- results as Arrow (duck_arrow.c) ---- */
struct tn_result;
tn_rc ipc_result_schema(
    struct tn_result *r, tn_arena *a, struct ArrowSchema *ret, tn_err *err) TN_MUSTUSE;
/* The next chunk; release is NULL at the end. */
tn_rc ipc_result_next(struct tn_result *r, struct ArrowArray *ret, tn_err *err) TN_MUSTUSE;

/* ---- arrays (arrow_plain.c) ---- */
size_t arrow_fixed_width(const char *format); /* bytes of a value of a fixed-width format */
bool arrow_has_dictionary(const struct ArrowSchema *s); /* anywhere below */
/* Copies without dictionaries that borrow the rest from the original. */
void arrow_plain_schema(tn_arena *a, const struct ArrowSchema *s, struct ArrowSchema *ret);
tn_rc arrow_plain_array(tn_arena *a, const struct ArrowSchema *s, const struct ArrowArray *array,
    struct ArrowArray *ret, tn_err *err) TN_MUSTUSE;

/* ---- LZ4 frames ---- */
bool ipc_lz4_frame(const uint8_t *in, size_t n, uint8_t *out,
    size_t out_n); /* true when exactly out_n bytes came out */

/* Rows [from, from + n) of an array as one that shares its buffers and lives in a: its release does nothing. Structs in it begin at offset 0. */
struct ArrowArray *arrow_part(tn_arena *a, const struct ArrowSchema *schema,
    const struct ArrowArray *array, int64_t from, int64_t n);

#endif
