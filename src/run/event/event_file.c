/* event_file.c: the log file of event_file.h. The files are rotated as Python's RotatingFileHandler does it, which is dbt's: before the line that would
 * fill the file. A program that writes to the same log at the same time goes on in the file that it has open, under its new name. */
#include "run/event/event_file.h"

#include <stdio.h>

#include "os/file.h"
#include "text/uri.h"

enum { LOGS_KEPT = 5 };

struct tn_event_file {
    tn_arena *arena;
    tn_str path;
    FILE *file; /* NULL after a rotation that failed */
    int64_t bytes, bytes_max;
};

static void close_file(void *self)
{
    tn_event_file *f = self;
    if (f->file != NULL) {
        (void)fclose(f->file);
        f->file = NULL;
    }
}

static void open_at_end(tn_event_file *f)
{
    f->file = fopen(tn_str_z(f->arena, f->path), "ae");
    long at = f->file != NULL && fseek(f->file, 0, SEEK_END) == 0 ? ftell(f->file) : 0;
    f->bytes = at > 0 ? at : 0;
}

tn_event_file *tn_event_file_open(tn_arena *a, tn_str path, int64_t bytes_max)
{
    if (tn_dir_make(tn_path_dir(path), NULL) != TN_OK) {
        return NULL;
    }
    tn_event_file *f = tn_new(a, tn_event_file);
    *f = (tn_event_file){ .arena = a, .path = tn_str_dup(a, path), .bytes_max = bytes_max };
    open_at_end(f);
    if (f->file == NULL) {
        return NULL;
    }
    tn_arena_defer(a, close_file, f);
    return f;
}

static tn_str numbered(tn_arena *a, const tn_event_file *f, int k)
{
    return k == 0 ? f->path : tn_str_printf(a, TN_STR_FMT ".%d", TN_STR_ARG(f->path), k);
}

/* What cannot be renamed stays: the log goes on where it is. */
static void rotate(tn_event_file *f)
{
    TN_AUTO_ARENA a = tn_arena_new("log files", NULL);
    close_file(f);
    for (int k = LOGS_KEPT - 1; k >= 0; k--) {
        tn_rc ignored = tn_file_rename(numbered(a, f, k), numbered(a, f, k + 1), NULL);
        (void)ignored;
    }
    open_at_end(f);
}

void tn_event_file_add(tn_event_file *f, tn_str line)
{
    if (f->bytes_max > 0 && f->bytes + (int64_t)line.n >= f->bytes_max) {
        rotate(f);
    }
    if (f->file == NULL) {
        return;
    }
    f->bytes += (int64_t)line.n;
    (void)fwrite(line.p, 1, line.n, f->file);
    (void)fflush(f->file); /* whoever follows the log sees the statement that is at work */
}
