/* error_text.h: an error in dbt's form, as events and artifacts have it:
 *
 *   Compilation Error in model a (models/a.sql)
 *     text
 */
#ifndef TN_RUN_ERROR_TEXT_H
#define TN_RUN_ERROR_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The text of an error; an error that says no kind of its own gets that of its code. Secrets are hidden. */
tn_str tn_dbt_exception(tn_arena *a, const tn_err *err);

#endif
