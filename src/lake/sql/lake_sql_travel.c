/* lake_sql_travel.c: older versions behind the name of a relation. */
#include "lake/sql/lake_session.h"
#include "text/timetext.h"

static tn_rc instant_of(tn_arena *a, const tn_tokens *t, size_t i, int64_t *ret_ms, tn_err *err)
{
    int64_t micros;
    bool zone;
    int offset;
    tn_str text =
        i < t->n && t->v[i].kind == TN_TOKEN_STRING ? tn_token_value(a, &t->v[i]) : TN_STR_NONE;
    if (text.n == 0 || !tn_parse_timestamp(text, &micros, &zone, &offset)) {
        tn_rc rc = tn_fail(
            err, TN_E_SYNTAX, "an instant must follow AS OF, as a text like '2024-01-31 12:00:00'");
        return tn_hint(err, rc, "without a zone it is UTC");
    }
    *ret_ms = micros / 1000;
    return TN_OK;
}

static tn_rc version_of(const tn_tokens *t, size_t i, int64_t *ret, tn_err *err)
{
    if (i >= t->n || !tn_str_to_i64(t->v[i].text, ret)) {
        return tn_fail(err, TN_E_SYNTAX, "a version number must follow");
    }
    return TN_OK;
}

tn_rc tn_sql_read_travel(
    tn_arena *a, const tn_tokens *t, size_t *at, tn_sql_travel *ret, tn_err *err)
{
    size_t i = *at;
    size_t for_word = tn_token_is(t, i, "for") ? 1 : 0;
    tn_sql_travel out = { .wanted = true, .version = -1 };
    if (tn_token_are(t, i + for_word, "version as of") ||
        tn_token_are(t, i + for_word, "system_version as of")) {
        TN_TRY(version_of(t, i + for_word + 3, &out.version, err));
        *at = i + for_word + 4;
    } else if (tn_token_are(t, i + for_word, "timestamp as of") ||
               tn_token_are(t, i + for_word, "system_time as of")) {
        size_t skip = tn_token_is(t, i + for_word + 3, "timestamp") ? 4 : 3;
        TN_TRY(instant_of(a, t, i + for_word + skip, &out.ms, err));
        *at = i + for_word + skip + 1;
    } else if (tn_token_is(t, i, "at") && tn_token_is(t, i + 1, "(") &&
               (tn_token_is(t, i + 2, "version") || tn_token_is(t, i + 2, "timestamp")) &&
               tn_token_is(t, i + 3, "=") && tn_token_is(t, i + 4, ">")) {
        size_t close = tn_token_close(t, i + 1);
        if (close == SIZE_MAX) {
            return tn_fail(err, TN_E_SYNTAX, "AT ( is not closed");
        }
        bool by_version = tn_token_is(t, i + 2, "version");
        size_t value = !by_version && tn_token_is(t, i + 5, "timestamp") ? i + 6 : i + 5;
        TN_TRY(by_version ? version_of(t, value, &out.version, err)
                          : instant_of(a, t, value, &out.ms, err));
        *at = close + 1;
    } else {
        out.wanted = false;
    }
    *ret = out;
    return TN_OK;
}
