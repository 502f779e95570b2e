/* store_s3_transfer.c: adds up what the requests of one object have moved and tells it to the log's sink. */
#include "base/log.h"
#include "store/store_s3_impl.h"

static void tell(s3_transfer *t, int64_t done, bool ended)
{
    if (t->total >= S3_TRANSFER_BYTES_MIN) {
        tn_log_transfer l = {
            .verb = t->verb, .name = t->name, .done = done, .total = t->total, .ended = ended
        };
        tn_log_transfer_tell(&l);
    }
}

void s3_moved_tell(void *moved, int64_t sent, int64_t received, int64_t receives)
{
    s3_moved *m = moved;
    int64_t now = sent > received ? sent : received;
    if (m->of->total == 0 && receives > 0) {
        m->of->total = receives; /* one request alone */
    }
    if (now != m->bytes) {
        int64_t done = __atomic_add_fetch(&m->of->done, now - m->bytes, __ATOMIC_RELAXED);
        m->bytes = now;
        tell(m->of, done, false);
    }
}

void s3_transfer_end(s3_transfer *t)
{
    tell(t, t->done, true);
}
