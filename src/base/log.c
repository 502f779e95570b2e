/* log.c: the log sink and the list of secrets. The list only grows: who scrubs reads it without a lock, up to the count that it has seen. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>

#include "base/buf.h"

enum { SECRETS_MAX = 1024, SECRET_LEN_MIN = 4, LINE_MAX_BYTES = 1 << 16 };

static struct {
    tn_log_sink sink;
    void *self;
    tn_log_level min;
    tn_log_transfer_sink transfers;
    void *transfers_self;
    tn_str secrets[SECRETS_MAX];
    size_t secrets_n; /* read and written atomically; grows under the lock */
    pthread_mutex_t lock;
} log_state = { .min = TN_LOG_WARN, .lock = PTHREAD_MUTEX_INITIALIZER };

void tn_log_set(tn_log_sink sink, void *self, tn_log_level min)
{
    log_state.sink = sink;
    log_state.self = self;
    log_state.min = min;
}

void tn_log_transfer_set(tn_log_transfer_sink sink, void *self)
{
    log_state.transfers = sink;
    log_state.transfers_self = self;
}

void tn_log_transfer_tell(const tn_log_transfer *t)
{
    if (log_state.transfers != NULL) {
        log_state.transfers(log_state.transfers_self, t);
    }
}

bool tn_log_on(tn_log_level level)
{
    return log_state.sink != NULL && level >= log_state.min;
}

void tn_log(tn_log_level level, const char *module, const char *fmt, ...)
{
    if (!tn_log_on(level)) {
        return;
    }
    TN_AUTO_ARENA a = tn_arena_new("log line", NULL);
    tn_buf b = tn_buf_init(a, LINE_MAX_BYTES);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    log_state.sink(log_state.self, level, module, tn_log_scrub(a, tn_buf_str(&b)));
}

static void keep_secret(tn_str secret)
{
    size_t n = log_state.secrets_n;
    for (size_t i = 0; i < n; i++) {
        if (tn_str_eq(log_state.secrets[i], secret)) {
            return;
        }
    }
    if (n < SECRETS_MAX) {
        char *copy = malloc(secret.n);
        TN_CHECK(copy != NULL);
        memcpy(copy, secret.p, secret.n);
        log_state.secrets[n] = tn_str_n(copy, secret.n);
        __atomic_store_n(&log_state.secrets_n, n + 1, __ATOMIC_RELEASE);
    }
}

static void add_secret(tn_str secret, size_t bytes_min)
{
    if (secret.n >= bytes_min && tn_str_trim(secret).n > 0) {
        pthread_mutex_lock(&log_state.lock);
        keep_secret(secret);
        pthread_mutex_unlock(&log_state.lock);
    }
}

void tn_log_secret(tn_str secret)
{
    add_secret(secret, SECRET_LEN_MIN);
}

void tn_log_secret_named(tn_str secret)
{
    add_secret(secret, 1);
}

tn_str tn_log_scrub(tn_arena *a, tn_str s)
{
    size_t n = __atomic_load_n(&log_state.secrets_n, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < n; i++) {
        s = tn_str_replace(a, s, log_state.secrets[i], TN_STR("*****"));
    }
    return s;
}
