/* err.c: filling a tn_err. Text that does not fit is cut at the end, never overflows. */
#include "base/err.h"

#include <stdarg.h>

typedef struct rc_info {
    tn_rc rc;
    const char *name;
    const char *text;
    tn_rc_kind kind;
    bool retryable;
    int exit_status;
} rc_info;

static const rc_info rc_table[] = {
#define TN_RC(name, number, class, retry, status, text)                                            \
    { TN_E_##name, #name, text, TN_CLASS_##class, retry, status },
#include "base/rc.def"
#undef TN_RC
};

static const rc_info *rc_find(tn_rc rc)
{
    for (size_t i = 0; i < TN_COUNTOF(rc_table); i++) {
        if (rc_table[i].rc == rc) {
            return &rc_table[i];
        }
    }
    tn_panic(__FILE__, __LINE__, "unknown result code");
}

const char *tn_rc_name(tn_rc rc)
{
    return rc_find(rc)->name;
}

const char *tn_rc_text(tn_rc rc)
{
    return rc_find(rc)->text;
}

tn_rc_kind tn_rc_class(tn_rc rc)
{
    return rc_find(rc)->kind;
}

bool tn_rc_retryable(tn_rc rc)
{
    return rc_find(rc)->retryable;
}

int tn_rc_exit(tn_rc rc)
{
    return rc_find(rc)->exit_status;
}

tn_rc tn_fail(tn_err *err, tn_rc rc, const char *fmt, ...)
{
    TN_CHECK(rc != TN_OK);
    if (err == NULL) {
        return rc;
    }
    va_list ap;
    va_start(ap, fmt);
    char msg[TN_ERR_MSG_MAX]; /* the arguments may point into err itself */
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    tn_err_clear(err);
    err->rc = rc;
    memcpy(err->msg, msg, sizeof msg);
    return rc;
}

tn_rc tn_hint(tn_err *err, tn_rc rc, const char *fmt, ...)
{
    TN_CHECK(rc != TN_OK);
    if (err == NULL) {
        return rc;
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
    return rc;
}

tn_rc tn_while(tn_err *err, tn_rc rc, const char *fmt, ...)
{
    TN_CHECK(rc != TN_OK);
    if (err == NULL) {
        return rc;
    }
    char msg[TN_ERR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    size_t at = n < 0 ? 0 : tn_min_size((size_t)n, sizeof msg - 1);
    snprintf(msg + at, sizeof msg - at, ": %.*s",
        (int)(sizeof msg - 3 - tn_min_size(at, sizeof msg - 3)), err->msg);
    memcpy(err->msg, msg, sizeof msg);
    err->rc = rc;
    return rc;
}

tn_rc tn_err_pass(tn_err *err, tn_rc rc, const tn_err *why)
{
    TN_CHECK(rc != TN_OK);
    if (err != NULL) {
        *err = *why;
        err->rc = rc;
    }
    return rc;
}

void tn_err_append(tn_err *err, const char *fmt, ...)
{
    if (err == NULL) {
        return;
    }
    size_t at = strlen(err->msg);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg + at, sizeof err->msg - at, fmt, ap);
    va_end(ap);
}

void tn_err_place(tn_err *err, const char *file, int line, int col)
{
    if (err == NULL || err->file[0] != '\0') {
        return;
    }
    snprintf(err->file, sizeof err->file, "%s", file != NULL ? file : "");
    err->line = line;
    err->col = col;
}

void tn_err_clear(tn_err *err)
{
    if (err != NULL) {
        err->rc = TN_OK;
        err->msg[0] = err->hint[0] = err->file[0] = '\0';
        err->line = err->col = 0;
    }
}
