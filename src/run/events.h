/* events.h: what a run tells: lines on the console as dbt 1.12 prints them, or one JSON event a line, and logs/dbt.log.
 *
 * An event has dbt's name (LogModelResult), level and code, a message and optional data. Thread-safe; each line is written whole and
 * flushed at once. Messages are scrubbed of registered secrets.
 */
#ifndef TN_RUN_EVENTS_H
#define TN_RUN_EVENTS_H

#include "base/val.h"

typedef enum tn_ev_level { TN_EV_DEBUG, TN_EV_INFO, TN_EV_WARN, TN_EV_ERROR } tn_ev_level;

typedef enum tn_ev_form { TN_EV_FORM_DEBUG, TN_EV_FORM_TEXT, TN_EV_FORM_JSON } tn_ev_form;

typedef struct tn_events_opts {
    bool json; /* one event a line */
    bool color;
    bool quiet;      /* errors and print() only */
    tn_ev_level min; /* of the console */
    bool console;    /* false: nothing on the console at all */
    bool live;       /* standard output is a terminal: it can have a status line below the lines */
    tn_str log_file; /* "": no file */
    tn_ev_form file_form;
    tn_ev_level file_min;
    int64_t file_bytes_max; /* 0: no limit; see event_file.h */
    tn_str invocation_id;
} tn_events_opts;

typedef struct tn_events tn_events;
tn_events *tn_events_new(tn_arena *a, const tn_events_opts *opts);

/* data may be undefined; in JSON it becomes the event's data, next to msg. */
void tn_event(tn_events *e, tn_ev_level level, const char *name, const char *code, tn_val data,
    const char *fmt, ...) TN_PRINTF(6, 7);
/* A line for standard output that is no log line: print() of templates, rows of show. */
void tn_event_print(tn_events *e, tn_str text);
/* The same with an event of its own in JSON: what was asked for, not what happened. */
void tn_event_result(tn_events *e, const char *name, const char *code, tn_val data, tn_str text);
/* The line below all others, rewritten in place; empty: none from now on. Only on a terminal: elsewhere nothing happens. */
bool tn_events_live(const tn_events *e);
void tn_events_status(tn_events *e, tn_str line);
/* Text in the status color of dbt's lines: ok green, warn yellow, fail red; plain text without colors. */
tn_str tn_events_paint(const tn_events *e, tn_arena *a, tn_ev_level level, bool good, tn_str text);
/* Whether an event of this level goes anywhere: what is costly to tell asks first. */
bool tn_events_wants(const tn_events *e, tn_ev_level level);
void tn_events_set_thread(const char *name); /* "Thread-1 (worker)" for the calling thread */
bool tn_events_json(const tn_events *e);

#endif
