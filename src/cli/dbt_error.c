/* dbt_error.c: how an error that ends a command is told: in dbt's words and place (the log, so standard output, the log file and JSON events),
 *
 *   [ERROR]: Encountered an error:
 *   Compilation Error in model a (models/a.sql)
 *     text
 *
 * and then, on standard error, what dbt has not: the line with a caret, and what to do. */
#include "base/log.h"
#include "cli/dbt_options.h"
#include "os/clock.h"
#include "run/events.h"
#include "text/timetext.h"

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
    default:
        return "Runtime";
    }
}

void tn_dbt_completed(const tn_cli *cli, const char *command, const char *sub, int status)
{
    if (cli->running->events == NULL) {
        return;
    }
    int64_t now = tn_clock_now_us();
    double seconds = (double)(now - cli->running->started_us) / 1e6;
    bool ok = status == TN_EXIT_OK;
    tn_str name = strcmp(command, "docs") == 0 || strcmp(command, "source") == 0
                      ? tn_str_printf(cli->arena, "dbt %s %s", command, sub)
                      : tn_str_printf(cli->arena, "dbt %s", command);
    tn_buf at = tn_buf_init(cli->arena, 64);
    tn_iso_micros(&at, now, 6, 'T', "Z");
    tn_civil c = tn_civil_of_micros(now);
    tn_val data = tn_val_dict(cli->arena);
    tn_dict_putz(data.dict, "command", tn_val_str(name));
    tn_dict_putz(data.dict, "completed_at", tn_val_str(tn_buf_str(&at)));
    tn_dict_putz(data.dict, "elapsed", tn_val_float(seconds));
    tn_dict_putz(data.dict, "success", tn_val_bool(ok));
    tn_event(cli->running->events, TN_EV_DEBUG, "CommandCompleted", "Q039", data,
        "Command `" TN_STR_FMT "` %s at %02d:%02d:%02d.%06d after %.2f seconds", TN_STR_ARG(name),
        ok ? "succeeded" : "failed", c.hour, c.minute, c.second, (int)(now % 1000000), seconds);
}

/* Where the head "Compilation Error in model a (models/a.sql)" of a message ends; 0 when it has none. */
static size_t head_end(tn_str msg)
{
    static const char *const kinds[] = { "Compilation", "Parsing", "Runtime", "Database",
        "Validation", "Dependency", "Internal" };
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
    } else {
        tn_buf_addf(&b, "%s Error", kind_of(err->rc));
    }
    bool indented = head > 0 && tn_str_starts(rest, TN_STR("  "));
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        tn_buf_addf(&b, "\n%s" TN_STR_FMT, indented ? "" : "  ", TN_STR_ARG(line));
    }
    return tn_buf_str(&b);
}

int tn_dbt_error(const tn_cli *cli, tn_events *events, const tn_err *err)
{
    if (events == NULL) { /* before the project said where the log is */
        events = tn_dbt_events(cli, NULL, false);
    }
    tn_str text = tn_dbt_exception(cli->arena, err);
    tn_val data = tn_val_dict(cli->arena);
    tn_dict_putz(data.dict, "exc", tn_val_str(text));
    tn_event(events, TN_EV_ERROR, "MainEncounteredError", "Z002", data,
        "[ERROR]: Encountered an error:\n" TN_STR_FMT, TN_STR_ARG(text));
    if (!tn_cli_json(cli)) {
        fflush(stdout);
        tn_cli_error_details(cli, err);
    }
    /* Whatever stops a verb before its nodes is 2, as with dbt; another's publishing that came first is no wrong usage. */
    return tn_rc_class(err->rc) == TN_CLASS_CONFLICT ? TN_EXIT_FAILED : TN_EXIT_USAGE;
}
