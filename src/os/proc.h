/* proc.h: the process: environment, signals, terminal, children, memory. */
#ifndef TN_OS_PROC_H
#define TN_OS_PROC_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

tn_str tn_env_get(const char *name); /* TN_STR_NONE (p NULL) when unset */
tn_rc tn_env_set(
    const char *name, tn_str value, tn_err *err) TN_MUSTUSE; /* at start only, before threads */
void tn_env_each(void (*fn)(void *self, tn_str name, tn_str value), void *self);
tn_rc tn_exe_path(
    tn_arena *a, tn_str *ret, tn_err *err) TN_MUSTUSE; /* the program's own file, links resolved */
/* The file that this code was loaded from: the program's, or a shared library's that another program has loaded. */
tn_rc tn_image_path(tn_arena *a, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_cwd(tn_arena *a, tn_str *ret, tn_err *err) TN_MUSTUSE;
int64_t tn_pid(void);
tn_str tn_host_name(tn_arena *a);
tn_str tn_os_name(tn_arena *a); /* "Linux-6.1.0-x86_64" */
tn_str tn_user_name(tn_arena *a);
bool tn_is_terminal(int fd);
int tn_terminal_width(int fd); /* columns; 80 when unknown */
int64_t tn_rss_peak_bytes(void);
int64_t tn_memory_total_bytes(void);

/* Ctrl-C and SIGTERM set a flag once; a second one ends the process. */
void tn_interrupt_install(void);
bool tn_interrupted(void);
void tn_interrupt_clear(void); /* a shell has dealt with it */

/* Runs argv[0] found on PATH, waits; output collected up to bytes_max. Exit status 128+n for signal n. */
tn_rc tn_proc_run(tn_arena *a, const char *const *argv, tn_str input, size_t bytes_max,
    int *ret_status, tn_str *ret_out, tn_err *err) TN_MUSTUSE;
/* The same without input and with what it says on standard error among the output: nothing of it reaches the terminal by itself. */
tn_rc tn_proc_run_quietly(tn_arena *a, const char *const *argv, size_t bytes_max, int *ret_status,
    tn_str *ret_out, tn_err *err) TN_MUSTUSE;

#endif
