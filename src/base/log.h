/* log.h: where layers report what they do. The library never prints: it calls the sink that main set.
 *
 * The only global mutable state of tarn. Secrets: tn_log_secret registers a value that is replaced by ***** in
 * every message that passes here (tn_log_scrub does the same for text that goes elsewhere).
 */
#ifndef TN_BASE_LOG_H
#define TN_BASE_LOG_H

#include "base/str.h"

typedef enum tn_log_level { TN_LOG_DEBUG, TN_LOG_INFO, TN_LOG_WARN, TN_LOG_ERROR } tn_log_level;
typedef void (*tn_log_sink)(void *self, tn_log_level level, const char *module, tn_str msg);

void tn_log_set(tn_log_sink sink, void *self, tn_log_level min);
bool tn_log_on(tn_log_level level);
void tn_log(tn_log_level level, const char *module, const char *fmt, ...) TN_PRINTF(3, 4);

/* How far a long transfer of bytes is, for whoever has a terminal to show it on; nobody: nothing. Any thread, many times a second. */
typedef struct tn_log_transfer {
    const char *verb; /* "uploading" */
    tn_str name;
    int64_t done, total; /* bytes */
    bool ended;          /* well or not */
} tn_log_transfer;
typedef void (*tn_log_transfer_sink)(void *self, const tn_log_transfer *t);
void tn_log_transfer_set(tn_log_transfer_sink sink, void *self);
void tn_log_transfer_tell(const tn_log_transfer *t);

/* What looks like a secret: at least 4 bytes, else ignored; copied; from any thread, before the value is used. */
void tn_log_secret(tn_str secret);
/* What its owner calls a secret, however short: DBT_ENV_SECRET_X. Blank text is none. */
void tn_log_secret_named(tn_str secret);
tn_str tn_log_scrub(tn_arena *a, tn_str s);

#endif
