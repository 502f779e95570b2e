/* err.h: result codes and the error that travels up.
 *
 * Every function that can fail returns tn_rc (TN_OK = 0) and takes `tn_err *err` last; err may be NULL. On
 * success err is untouched; on failure every `ret_*` is untouched. Context is added once per layer:
 *     return tn_while(err, rc, "reading commit %lld of '%s'", ...);
 * Callers decide by code or class (tn_rc_class), never by text. Wording: lower case, no full stop, user
 * strings in '...'; the hint says what to do. Nothing secret is ever put into an error.
 */
#ifndef TN_BASE_ERR_H
#define TN_BASE_ERR_H

#include "base/base.h"

typedef enum tn_rc {
#define TN_RC(name, number, class, retry, status, text) TN_E_##name = number,
#include "base/rc.def"
#undef TN_RC
    TN_OK = 0
} tn_rc;

typedef enum tn_rc_kind {
    TN_CLASS_NONE,
    TN_CLASS_USER,
    TN_CLASS_ENV,
    TN_CLASS_CONFLICT,
    TN_CLASS_LIMIT,
    TN_CLASS_BUG,
    TN_CLASS_FLOW,
} tn_rc_kind;

enum { TN_ERR_MSG_MAX = 4096, TN_ERR_HINT_MAX = 512, TN_ERR_FILE_MAX = 512 };

typedef struct tn_err {
    tn_rc rc;
    char msg[TN_ERR_MSG_MAX];
    char hint[TN_ERR_HINT_MAX];
    char file[TN_ERR_FILE_MAX]; /* the user's file, "" when there is none */
    int line;                   /* 1-based, 0 when unknown */
    int col;                    /* 1-based, 0 when unknown */
} tn_err;

#define TN_ERR_INIT ((tn_err){ .rc = TN_OK })

const char *tn_rc_name(tn_rc rc); /* "NOTFOUND" */
const char *tn_rc_text(tn_rc rc);
tn_rc_kind tn_rc_class(tn_rc rc);
bool tn_rc_retryable(tn_rc rc);
int tn_rc_exit(tn_rc rc);

/* Sets the message (replacing an old one) and returns rc. */
tn_rc tn_fail(tn_err *err, tn_rc rc, const char *fmt, ...) TN_PRINTF(3, 4);
/* Sets or replaces the hint; returns err->rc (or rc of the last failure) so that it can end a function. */
tn_rc tn_hint(tn_err *err, tn_rc rc, const char *fmt, ...) TN_PRINTF(3, 4);
/* Puts context before the message: "reading commit 3: no such file"; returns rc. */
tn_rc tn_while(tn_err *err, tn_rc rc, const char *fmt, ...) TN_PRINTF(3, 4);
/* Passes on a failure that was caught in why, with its hint and place; returns rc. */
tn_rc tn_err_pass(tn_err *err, tn_rc rc, const tn_err *why);
/* Appends a line to the message (tracebacks). */
void tn_err_append(tn_err *err, const char *fmt, ...) TN_PRINTF(2, 3);
/* Sets the user's place if none is set yet. file: NUL-terminated. */
void tn_err_place(tn_err *err, const char *file, int line, int col);
void tn_err_clear(tn_err *err);

#define TN_TRY(call)                                                                               \
    do {                                                                                           \
        tn_rc tn_try_rc_ = (call);                                                                 \
        if (TN_UNLIKELY(tn_try_rc_ != TN_OK)) {                                                    \
            return tn_try_rc_;                                                                     \
        }                                                                                          \
    } while (0)

#endif
