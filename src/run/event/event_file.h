/* event_file.h: logs/dbt.log as a file that does not grow without end: dbt.log, and the five before it as dbt.log.1 (the newest) to dbt.log.5. */
#ifndef TN_RUN_EVENT_EVENT_FILE_H
#define TN_RUN_EVENT_EVENT_FILE_H

#include "base/str.h"

typedef struct tn_event_file tn_event_file;

/* Opens it at its end; closed with the arena. A line that would fill it to bytes_max begins a new file; bytes_max 0: it grows. NULL: it cannot be
 * written, and the command runs without it. */
tn_event_file *tn_event_file_open(tn_arena *a, tn_str path, int64_t bytes_max);
/* One thread at a time. The line is in the file afterwards. */
void tn_event_file_add(tn_event_file *f, tn_str line);

#endif
