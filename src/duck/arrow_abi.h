/* arrow_abi.h: the C data interface and C stream interface of Apache Arrow, as its specification lays them out.
 *
 * Whoever holds a struct whose `release` is not NULL must call it once; moving a struct is copying its bytes and setting
 * the source's release to NULL.
 */
#ifndef TN_DUCK_ARROW_ABI_H
#define TN_DUCK_ARROW_ABI_H

#include <stdint.h>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count; /* -1: not counted */
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(
        struct ArrowArrayStream *, struct ArrowSchema *out); /* 0, or an errno value */
    int (*get_next)(
        struct ArrowArrayStream *, struct ArrowArray *out);   /* at the end: out->release is NULL */
    const char *(*get_last_error)(struct ArrowArrayStream *); /* valid until the next call */
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

#endif
