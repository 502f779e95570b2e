/* sql_retry.h: `retries:` of the profile. */
#ifndef TN_RUN_VALUE_SQL_RETRY_H
#define TN_RUN_VALUE_SQL_RETRY_H

#include "base/val.h"

/* Whether the error with this message is one of retries.retryable_exceptions (without them: IOException). */
bool tn_retry_wanted(tn_val retries, const char *message);
int64_t tn_retry_attempts(tn_val retries, const char *key); /* 1 when the key says nothing */
void tn_retry_pause(int64_t attempt);                       /* 1 s, 2 s, 4 s, ... */

#endif
