/* cli_report.c: how the program talks to people: errors with place, caret and hint; notes; the progress line. Standard output
 * belongs to results, so all of this goes to standard error. */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/cli.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/json.h"
#include "text/timetext.h"

enum { TN_SOURCE_BYTES_MAX = 4 << 20, TN_PROGRESS_EVERY_US = 100000 };

bool tn_cli_json(const tn_cli *cli)
{
    return tn_str_is(cli->log_format, "json");
}

/* One event line in the shape of dbt's JSON log, for orchestrators that parse every line. */
static void json_line(const tn_cli *cli, const char *name, const char *level, tn_str msg)
{
    tn_buf b = tn_buf_init(cli->arena, TN_BUF_NO_LIMIT);
    tn_buf ts = tn_buf_init(cli->arena, 64);
    tn_iso_micros(&ts, tn_clock_now_us(), 6, 'T', "Z");
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "data");
    tn_jw_obj(&w);
    tn_jw_key(&w, "msg");
    tn_jw_str(&w, msg);
    tn_jw_obj_end(&w);
    tn_jw_key(&w, "info");
    tn_jw_obj(&w);
    tn_jw_key(&w, "name");
    tn_jw_str(&w, tn_str_of(name));
    tn_jw_key(&w, "level");
    tn_jw_str(&w, tn_str_of(level));
    tn_jw_key(&w, "msg");
    tn_jw_str(&w, msg);
    tn_jw_key(&w, "pid");
    tn_jw_int(&w, tn_pid());
    tn_jw_key(&w, "ts");
    tn_jw_str(&w, tn_buf_str(&ts));
    tn_jw_obj_end(&w);
    tn_jw_obj_end(&w);
    fprintf(stdout, TN_STR_FMT "\n", TN_STR_ARG(tn_buf_str(&b)));
    fflush(stdout);
}

/* The line of the file and a caret under the column; nothing when the file cannot be read. */
static void print_source(const tn_cli *cli, const tn_err *err)
{
    tn_str text = TN_STR_NONE, line = TN_STR_NONE;
    if (err->line <= 0 ||
        tn_file_read(cli->arena, tn_str_of(err->file), TN_SOURCE_BYTES_MAX, &text, NULL) != TN_OK) {
        return;
    }
    for (int i = 0; i < err->line; i++) {
        if (text.n == 0) {
            return;
        }
        (void)tn_str_cut(text, '\n', &line, &text);
    }
    fprintf(stderr, "%6d | " TN_STR_FMT "\n", err->line, TN_STR_ARG(line));
    if (err->col <= 0 || (size_t)err->col > line.n + 1) {
        return;
    }
    fprintf(stderr, "       | ");
    for (int i = 0; i + 1 < err->col; i++) {
        fputc(line.p[i] == '\t' ? '\t' : ' ', stderr);
    }
    fprintf(stderr, "%s^%s\n", cli->color_err ? "\033[31m" : "", cli->color_err ? "\033[0m" : "");
}

void tn_cli_error_details(const tn_cli *cli, const tn_err *err)
{
    if (tn_cli_json(cli)) {
        return;
    }
    fflush(stdout);
    tn_str msg = tn_str_of(err->msg), hint = tn_log_scrub(cli->arena, tn_str_of(err->hint));
    tn_str place = tn_str_printf(cli->arena, "at %s:%d:%d\n", err->file, err->line, err->col);
    if (err->file[0] != '\0' && tn_str_find(msg, place, 0) == SIZE_MAX) {
        fprintf(stderr, "   --> %s", err->file);
        if (err->line > 0) {
            fprintf(stderr, err->col > 0 ? ":%d:%d" : ":%d", err->line, err->col);
        }
        fputc('\n', stderr);
        print_source(cli, err);
    }
    if (hint.n > 0) {
        fprintf(stderr, "%shint:%s " TN_STR_FMT "\n", cli->color_err ? "\033[1;36m" : "",
            cli->color_err ? "\033[0m" : "", TN_STR_ARG(hint));
    }
}

int tn_cli_error(const tn_cli *cli, const tn_err *err)
{
    fflush(stdout);
    tn_str msg =
        tn_log_scrub(cli->arena, tn_str_of(err->msg[0] != '\0' ? err->msg : tn_rc_text(err->rc)));
    tn_str hint = tn_log_scrub(cli->arena, tn_str_of(err->hint));
    if (tn_cli_json(cli)) {
        if (hint.n > 0) {
            msg = tn_str_printf(
                cli->arena, TN_STR_FMT " (" TN_STR_FMT ")", TN_STR_ARG(msg), TN_STR_ARG(hint));
        }
        json_line(cli, "MainEncounteredError", "error", msg);
        return tn_rc_exit(err->rc);
    }
    fprintf(stderr, "%serror:%s " TN_STR_FMT "\n", cli->color_err ? "\033[1;31m" : "",
        cli->color_err ? "\033[0m" : "", TN_STR_ARG(msg));
    tn_cli_error_details(cli, err);
    return tn_rc_exit(err->rc);
}

int tn_cli_usage_error(const tn_cli *cli, const char *command, const char *fmt, ...)
{
    tn_buf b = tn_buf_init(cli->arena, TN_ERR_MSG_MAX);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    tn_err err = TN_ERR_INIT;
    (void)tn_fail(&err, TN_E_USAGE, TN_STR_FMT, TN_STR_ARG(tn_buf_str(&b)));
    (void)tn_hint(&err, TN_E_USAGE, "see '%s %s%s--help'", cli->program, command,
        command[0] != '\0' ? " " : "");
    return tn_cli_error(cli, &err);
}

static void say(const tn_cli *cli, const char *prefix, const char *color, const char *fmt,
    va_list ap) TN_PRINTF(4, 0);
static void say(
    const tn_cli *cli, const char *prefix, const char *color, const char *fmt, va_list ap)
{
    tn_buf b = tn_buf_init(cli->arena, TN_BUF_NO_LIMIT);
    tn_buf_vaddf(&b, fmt, ap);
    tn_str msg = tn_log_scrub(cli->arena, tn_buf_str(&b));
    if (tn_cli_json(cli)) {
        json_line(
            cli, prefix[0] != '\0' ? "Warning" : "Note", prefix[0] != '\0' ? "warn" : "info", msg);
        return;
    }
    fprintf(stderr, "%s%s%s" TN_STR_FMT "\n", cli->color_err ? color : "", prefix,
        cli->color_err ? "\033[0m" : "", TN_STR_ARG(msg));
}

void tn_cli_warn(const tn_cli *cli, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(cli, "warning: ", "\033[1;33m", fmt, ap);
    va_end(ap);
}

void tn_cli_note(const tn_cli *cli, const char *fmt, ...)
{
    if (tn_flag_is(cli->quiet, false)) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    say(cli, "", "", fmt, ap);
    va_end(ap);
}

enum { TRANSFER_STANDS_US = 1500000 };
static int64_t transfer_us; /* when a transfer's line was last written; atomic */

tn_progress tn_progress_start(const tn_cli *cli)
{
    bool on = tn_is_terminal(2) && !tn_flag_is(cli->quiet, false) && !tn_cli_json(cli);
    return (tn_progress){ .on = on };
}

void tn_progress_show(tn_progress *p, const char *fmt, ...)
{
    int64_t now = tn_clock_mono_us();
    if (!p->on || now - p->shown_us < TN_PROGRESS_EVERY_US) {
        return;
    }
    p->shown_us = now;
    if (p->is_transfer) {
        __atomic_store_n(&transfer_us, now, __ATOMIC_RELAXED);
    } else if (now - __atomic_load_n(&transfer_us, __ATOMIC_RELAXED) < TRANSFER_STANDS_US) {
        return;
    }
    int columns = tn_terminal_width(2);
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return;
    }
    size_t width = tn_min_size(
        tn_min_size((size_t)n, sizeof line - 1), (size_t)(columns > 1 ? columns - 1 : 1));
    size_t blank = p->width > width ? p->width - width : 0;
    fprintf(stderr, "\r%.*s%*s", (int)width, line, (int)blank, "");
    p->width = width;
    fflush(stderr);
}

void tn_progress_end(tn_progress *p)
{
    if (p->on && p->width > 0) {
        fprintf(stderr, "\r%*s\r", (int)p->width, "");
        fflush(stderr);
    }
    p->width = 0;
}
