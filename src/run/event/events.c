/* events.c: the writer behind events.h. Text lines are `HH:MM:SS  message` in UTC as dbt prints them; a line of the file has, in its usual form, the
 * day, microseconds, level and thread, and what begins an invocation stands below a ruler with the invocation's id. */
#include "run/events.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/thread.h"
#include "project/manifest.h"
#include "run/event/event_file.h"
#include "text/json.h"
#include "text/timetext.h"

enum { TN_STATUS_MAX = 512 };

struct tn_events {
    tn_arena *arena;
    tn_events_opts opts;
    tn_event_file *file;
    tn_mutex lock;
    tn_val extra;               /* of every event, frozen: what the environment gives */
    char status[TN_STATUS_MAX]; /* what stands on the terminal's last line, or "" */
};

static __thread char thread_name[32] = "MainThread";

void tn_events_set_thread(const char *name)
{
    (void)snprintf(thread_name, sizeof thread_name, "%s", name);
}

tn_events *tn_events_new(tn_arena *a, const tn_events_opts *opts)
{
    tn_events *e = tn_new(a, tn_events);
    *e = (tn_events){ .arena = a, .opts = *opts, .lock = TN_MUTEX_INIT, .extra = tn_custom_env(a) };
    if (opts->log_file.n > 0) {
        e->file = tn_event_file_open(a, opts->log_file, opts->file_bytes_max);
    }
    return e;
}

bool tn_events_json(const tn_events *e)
{
    return e->opts.json;
}

static const char *level_name(tn_ev_level level)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    return names[level];
}

/* What is told, as it goes to the console and to the file. */
typedef struct telling {
    tn_ev_level level;
    const char *name, *code;
    tn_val data;
    tn_str msg; /* without colors, where it is not for the console's text */
} telling;

static tn_str json_of(const tn_events *e, tn_arena *scratch, const telling *t)
{
    tn_val data = t->data;
    tn_str msg = t->msg;
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT), ts = tn_buf_init(scratch, 64);
    tn_iso_micros(&ts, tn_clock_now_us(), 6, 'T', "Z");
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "data");
    tn_jw_obj(&w);
    size_t at = 0;
    const tn_dict_item *it;
    while (data.tag == TN_DICT && (it = tn_dict_next(data.dict, &at)) != NULL) {
        tn_jw_key_s(&w, tn_val_as_str(it->key));
        tn_jw_val(&w, it->value);
    }
    if (data.tag != TN_DICT) {
        tn_jw_key(&w, "msg");
        tn_jw_str(&w, msg);
    }
    tn_jw_obj_end(&w);
    tn_jw_key(&w, "info");
    tn_jw_obj(&w);
    const char *const fields[][2] = { { "category", "" }, { "code", t->code },
        { "level", level_name(t->level) }, { "name", t->name }, { "thread", thread_name } };
    for (size_t i = 0; i < TN_COUNTOF(fields); i++) {
        tn_jw_key(&w, fields[i][0]);
        tn_jw_str(&w, tn_str_of(fields[i][1]));
    }
    tn_jw_key(&w, "extra");
    tn_jw_val(&w, e->extra);
    tn_jw_key(&w, "invocation_id");
    tn_jw_str(&w, e->opts.invocation_id);
    tn_jw_key(&w, "msg");
    tn_jw_str(&w, msg);
    tn_jw_key(&w, "pid");
    tn_jw_int(&w, tn_pid());
    tn_jw_key(&w, "ts");
    tn_jw_str(&w, tn_buf_str(&ts));
    tn_jw_obj_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(&b, '\n');
    return tn_buf_str(&b);
}

static tn_str text_of(tn_arena *scratch, tn_str msg)
{
    tn_civil c = tn_civil_of_micros(tn_clock_now_us());
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT);
    tn_buf_addf(&b, "%02d:%02d:%02d  ", c.hour, c.minute, c.second);
    tn_buf_add(&b, msg);
    tn_buf_addc(&b, '\n');
    return tn_buf_str(&b);
}

static void print(tn_str line)
{
    (void)fwrite(line.p, 1, line.n, stdout);
    (void)fflush(stdout);
}

/* ---- the status line ---- */

bool tn_events_live(const tn_events *e)
{
    return e->opts.live && e->opts.console && !e->opts.json && !e->opts.quiet &&
           e->opts.min <= TN_EV_INFO;
}

/* Under the lock, around whatever else is written to the terminal. */
static void status_off(const tn_events *e)
{
    if (e->status[0] != '\0') {
        (void)fputs("\r\033[K", stdout);
    }
}

static void status_on(const tn_events *e)
{
    if (e->status[0] != '\0') {
        (void)fputs(e->status, stdout);
        (void)fflush(stdout);
    }
}

void tn_events_status(tn_events *e, tn_str line)
{
    if (!tn_events_live(e)) {
        return;
    }
    /* One column is left free: a full line would wrap, and could not be taken back. */
    size_t columns = (size_t)tn_terminal_width(1), n = 0, wide = 0;
    while (n < line.n && wide + 1 < columns && n + 4 < sizeof e->status) {
        n++;
        while (n < line.n && ((unsigned char)line.p[n] & 0xC0) == 0x80) {
            n++;
        }
        wide++;
    }
    TN_LOCKED(&e->lock);
    status_off(e);
    memcpy(e->status, line.p != NULL ? line.p : "", n);
    e->status[n] = '\0';
    status_on(e);
    (void)fflush(stdout);
}

/* The file has no colors. */
static tn_str strip_paint(tn_arena *a, tn_str s)
{
    if (tn_str_find_char(s, '\033', 0) == SIZE_MAX) {
        return s;
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\033') {
            while (i < s.n && s.p[i] != 'm') {
                i++;
            }
        } else {
            tn_buf_addc(&b, s.p[i]);
        }
    }
    return tn_buf_str(&b);
}

static tn_str debug_of(const tn_events *e, tn_arena *scratch, const telling *t)
{
    static const char ruler[] = "==============================";
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT), ts = tn_buf_init(scratch, 64);
    tn_iso_micros(&ts, tn_clock_now_us(), 6, ' ', "");
    if (strcmp(t->name, "MainReportVersion") == 0) {
        tn_buf_addf(&b, "\n\n%s " TN_STR_FMT " | " TN_STR_FMT " %s\n", ruler,
            TN_STR_ARG(tn_buf_str(&ts)), TN_STR_ARG(e->opts.invocation_id), ruler);
    }
    tn_buf_add(&b, tn_buf_str(&ts));
    tn_buf_addf(&b, " [%-5s] [%-10.10s]: ", level_name(t->level), thread_name);
    tn_buf_add(&b, t->msg);
    tn_buf_addc(&b, '\n');
    return tn_buf_str(&b);
}

static bool in_file(const tn_events *e, tn_ev_level level)
{
    return e->file != NULL && level >= e->opts.file_min;
}

static void write_file(tn_events *e, tn_arena *scratch, const telling *t)
{
    tn_str line = e->opts.file_form == TN_EV_FORM_JSON   ? json_of(e, scratch, t)
                  : e->opts.file_form == TN_EV_FORM_TEXT ? text_of(scratch, t->msg)
                                                         : debug_of(e, scratch, t);
    tn_event_file_add(e->file, line);
}

static bool on_console(const tn_events *e, tn_ev_level level)
{
    return e->opts.console && level >= e->opts.min && (!e->opts.quiet || level >= TN_EV_ERROR);
}

bool tn_events_wants(const tn_events *e, tn_ev_level level)
{
    return in_file(e, level) || on_console(e, level);
}

void tn_event(tn_events *e, tn_ev_level level, const char *name, const char *code, tn_val data,
    const char *fmt, ...)
{
    bool shown = on_console(e, level), kept = in_file(e, level);
    if (!shown && !kept) {
        return;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("event", NULL);
    tn_buf b = tn_buf_init(scratch, TN_BUF_NO_LIMIT);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    tn_str msg = tn_log_scrub(scratch, tn_buf_str(&b));
    TN_LOCKED(&e->lock);
    const telling t = { level, name, code, data, strip_paint(scratch, msg) };
    if (kept) {
        write_file(e, scratch, &t);
    }
    if (shown && e->opts.json) {
        print(json_of(e, scratch, &t));
    } else if (shown) {
        status_off(e);
        print(text_of(scratch, msg));
        status_on(e);
    }
}

void tn_event_print(tn_events *e, tn_str text)
{
    tn_event_result(e, "PrintEvent", "Z052", TN_VAL_UNDEF, text);
}

void tn_event_result(tn_events *e, const char *name, const char *code, tn_val data, tn_str text)
{
    TN_AUTO_ARENA scratch = tn_arena_new("print", NULL);
    tn_str msg = tn_log_scrub(scratch, text);
    const telling t = { TN_EV_INFO, name, code, data, msg };
    TN_LOCKED(&e->lock);
    if (e->file != NULL &&
        e->opts.file_form == TN_EV_FORM_TEXT) { /* whatever the level, and bare */
        tn_event_file_add(e->file, tn_str_concat(scratch, msg, TN_STR("\n")));
    } else if (e->file != NULL) {
        write_file(e, scratch, &t);
    }
    if (!e->opts.console) {
        return;
    }
    if (e->opts.json) {
        print(json_of(e, scratch, &t));
        return;
    }
    status_off(e);
    printf(TN_STR_FMT "\n", TN_STR_ARG(msg));
    fflush(stdout);
    status_on(e);
}

tn_str tn_events_paint(const tn_events *e, tn_arena *a, tn_ev_level level, bool good, tn_str text)
{
    if (!e->opts.color || e->opts.json) {
        return text;
    }
    const char *color = level >= TN_EV_ERROR  ? "31"
                        : level == TN_EV_WARN ? "33"
                        : good                ? "32"
                                              : "0";
    return tn_str_printf(a, "\033[%sm" TN_STR_FMT "\033[0m", color, TN_STR_ARG(text));
}
