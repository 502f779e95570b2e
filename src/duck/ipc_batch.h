/* ipc_batch.h: decoding of one batch; used by duck_ipc_in.c. */
#ifndef TN_DUCK_IPC_BATCH_H
#define TN_DUCK_IPC_BATCH_H

#include "duck/ipc_impl.h"

enum { IPC_ROWS_MAX = INT32_MAX - 1 }; /* of one batch */

typedef struct decoder decoder;
struct decoder {
    tn_arena *arena; /* of the batch */
    fb meta;
    uint8_t *body; /* writable: misleading values of null rows are cleared */
    size_t body_n;
    int64_t length;
    int codec;
    size_t nodes, n_nodes, next_node;
    size_t buffers, n_buffers, next_buffer;
    size_t counts, n_counts, next_count;
    /* The values of a dictionary, or NULL; they must live as long as the batch. */
    const struct ArrowArray *(*find_dictionary)(decoder *d, int64_t id);
    void *self;
    tn_err *err;
};

tn_rc ipc_batch_open(decoder *d, size_t table) TN_MUSTUSE; /* the RecordBatch table of d->meta */
tn_rc ipc_array_decode(decoder *d, const ipc_field *f, struct ArrowArray *ret) TN_MUSTUSE;

#endif
