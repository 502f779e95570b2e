/* log.c: the log sink and the list of secrets. Secrets are registered at start, before threads. */
#include "base/log.h"

#include <stdarg.h>

#include "base/buf.h"

enum { SECRETS_MAX = 64, SECRET_LEN_MIN = 4, LINE_MAX_BYTES = 1 << 16 };

static struct {
    tn_log_sink sink;
    void *self;
    tn_log_level min;
    tn_str secrets[SECRETS_MAX];
    size_t secrets_n;
} log_state = { .min = TN_LOG_WARN };

void tn_log_set(tn_log_sink sink, void *self, tn_log_level min)
{
    log_state.sink = sink;
    log_state.self = self;
    log_state.min = min;
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

void tn_log_secret(tn_str secret)
{
    if (secret.n < SECRET_LEN_MIN || log_state.secrets_n == SECRETS_MAX) {
        return;
    }
    for (size_t i = 0; i < log_state.secrets_n; i++) {
        if (tn_str_eq(log_state.secrets[i], secret)) {
            return;
        }
    }
    char *copy = malloc(secret.n);
    TN_CHECK(copy != NULL);
    memcpy(copy, secret.p, secret.n);
    log_state.secrets[log_state.secrets_n++] = tn_str_n(copy, secret.n);
}

tn_str tn_log_scrub(tn_arena *a, tn_str s)
{
    for (size_t i = 0; i < log_state.secrets_n; i++) {
        s = tn_str_replace(a, s, log_state.secrets[i], TN_STR("*****"));
    }
    return s;
}
