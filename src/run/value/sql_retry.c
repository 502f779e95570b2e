/* sql_retry.c: `retries:` of the profile, as dbt-duckdb has it: how often something is asked again, and after which of DuckDB's errors. They are
 * named as Python's DuckDB names its exceptions; the pauses double from a second on. */
#include "run/value/sql_retry.h"
#include "os/clock.h"

enum { ATTEMPTS_MAX = 10, SECOND_US = 1000000 };

/* "IO Error: ..." of a message is IOException. */
static tn_str exception_of(tn_arena *a, tn_str msg)
{
    static const char *const others[][2] = { { "TransactionContext", "TransactionException" },
        { "Mismatch Type", "TypeMismatchException" }, { "FATAL", "FatalException" },
        { "INTERRUPT", "InterruptException" }, { "Not implemented", "NotImplementedException" },
        { "Out of Memory", "OutOfMemoryException" } };
    size_t end = tn_str_find(msg, TN_STR(" Error: "), 0);
    tn_str kind = tn_str_sub(msg, 0, end == SIZE_MAX ? 0 : end);
    for (size_t i = 0; i < TN_COUNTOF(others); i++) {
        if (tn_str_is(kind, others[i][0])) {
            return tn_str_of(others[i][1]);
        }
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < kind.n; i++) {
        if (kind.p[i] != ' ') {
            tn_buf_add(&b, tn_str_sub(kind, i, i + 1));
        }
    }
    tn_buf_addz(&b, "Exception");
    return tn_buf_str(&b);
}

bool tn_retry_wanted(tn_val retries, const char *message)
{
    TN_AUTO_ARENA a = tn_arena_new("retry", NULL);
    tn_val list = tn_val_at(retries, "retryable_exceptions");
    tn_str name = exception_of(a, tn_str_of(message));
    bool wanted = list.tag != TN_LIST && tn_str_is(name, "IOException");
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        wanted = wanted || tn_str_eq(tn_val_as_str(list.list->v[i]), name);
    }
    return wanted;
}

int64_t tn_retry_attempts(tn_val retries, const char *key)
{
    tn_val v = tn_val_at(retries, key);
    return v.tag != TN_INT || v.i < 1 ? 1 : v.i < ATTEMPTS_MAX ? v.i : ATTEMPTS_MAX;
}

void tn_retry_pause(int64_t attempt)
{
    tn_clock_sleep_us((int64_t)SECOND_US << (attempt - 1));
}
