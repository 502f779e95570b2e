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
#include "run/error_text.h"
#include "run/events.h"
#include "text/timetext.h"

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

static void tell(const tn_cli *cli, tn_events *events, tn_str text)
{
    tn_val data = tn_val_dict(cli->arena);
    tn_dict_putz(data.dict, "exc", tn_val_str(text));
    tn_event(events, TN_EV_ERROR, "MainEncounteredError", "Z002", data,
        "[ERROR]: Encountered an error:\n" TN_STR_FMT, TN_STR_ARG(text));
}

int tn_dbt_inline_error(const tn_cli *cli, const tn_err *err)
{
    tn_events *events = tn_dbt_events(cli, NULL, false);
    tn_val data = tn_val_dict(cli->arena), info = tn_val_dict(cli->arena);
    tn_dict_putz(info.dict, "node_path", tn_val_z("sql/inline_query"));
    tn_dict_putz(info.dict, "node_name", tn_val_z("inline_query"));
    tn_dict_putz(info.dict, "unique_id", tn_val_z("sqloperation.test.inline_query"));
    tn_dict_putz(info.dict, "node_status", tn_val_z("failed"));
    tn_dict_putz(data.dict, "node_info", info);
    tn_str msg = tn_log_scrub(cli->arena, tn_str_of(err->msg));
    tn_dict_putz(data.dict, "exc", tn_val_str(msg));
    tn_event(events, TN_EV_ERROR, "ParseInlineNodeError", "I069", data,
        "[ERROR]: Error while parsing node: inline_query\n" TN_STR_FMT, TN_STR_ARG(msg));
    tell(cli, events, TN_STR("Error parsing inline query"));
    tn_cli_error_details(cli, err);
    return TN_EXIT_USAGE;
}

int tn_dbt_error(const tn_cli *cli, tn_events *events, const tn_err *err)
{
    if (events == NULL) { /* before the project said where the log is */
        events = tn_dbt_events(cli, NULL, false);
    }
    tell(cli, events, tn_dbt_exception(cli->arena, err));
    tn_cli_error_details(cli, err);
    /* Whatever stops a verb before its nodes is 2, as with dbt; another's publishing that came first is no wrong usage. */
    return tn_rc_class(err->rc) == TN_CLASS_CONFLICT ? TN_EXIT_FAILED : TN_EXIT_USAGE;
}
