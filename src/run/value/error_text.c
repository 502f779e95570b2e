/* error_text.c: which kind an error is to dbt, and its text below that, indented. */
#include "run/error_text.h"

#include "base/buf.h"
#include "base/log.h"

/* What dbt calls such an error. */
static const char *kind_of(tn_rc rc)
{
    switch (rc) {
    case TN_E_SYNTAX:
    case TN_E_TYPE:
    case TN_E_NAME:
    case TN_E_COMPILE:
    case TN_E_NODE:
        return "Compilation";
    case TN_E_PARSE:
        return "Parsing";
    case TN_E_INVALID: /* dbt shows these as they are */
        return NULL;
    default:
        return "Runtime";
    }
}

/* Where the head "Compilation Error in model a (models/a.sql)" of a message ends; 0 when it has none. */
static size_t head_end(tn_str msg)
{
    static const char *const kinds[] = { "Compilation", "Parsing", "Runtime", "Database",
        "Validation", "Dependency", "Internal", "Breaking change to contract" };
    bool known = false;
    for (size_t i = 0; i < TN_COUNTOF(kinds); i++) {
        tn_str k = tn_str_of(kinds[i]);
        known = known || (tn_str_starts(msg, k) &&
                             tn_str_starts(tn_str_sub(msg, k.n, msg.n), TN_STR(" Error")));
    }
    if (!known) {
        return 0;
    }
    size_t line = tn_min_size(tn_str_find_char(msg, '\n', 0), msg.n);
    size_t paren = tn_str_find(msg, TN_STR("): "), 0);
    size_t colon = tn_str_find(msg, TN_STR(": "), 0);
    return paren < line ? paren + 1 : tn_min_size(colon, line);
}

tn_str tn_dbt_exception(tn_arena *a, const tn_err *err)
{
    tn_str msg = tn_log_scrub(a, tn_str_of(err->msg[0] != '\0' ? err->msg : tn_rc_text(err->rc)));
    size_t head = head_end(msg);
    tn_buf b = tn_buf_init(a, 1 << 20);
    tn_str rest = msg, line;
    if (head > 0) {
        tn_buf_add(&b, tn_str_sub(msg, 0, head));
        rest = tn_str_sub(msg, head, msg.n);
        rest = tn_str_starts(rest, TN_STR(": ")) ? tn_str_sub(rest, 2, rest.n)
               : rest.n > 0                      ? tn_str_sub(rest, 1, rest.n)
                                                 : rest;
    } else if (kind_of(err->rc) != NULL) {
        tn_buf_addf(&b, "%s Error", kind_of(err->rc));
    } else {
        return msg;
    }
    bool indented = head > 0 && tn_str_starts(rest, TN_STR("  "));
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        tn_buf_addf(&b, "\n%s" TN_STR_FMT, indented ? "" : "  ", TN_STR_ARG(line));
    }
    return tn_buf_str(&b);
}
