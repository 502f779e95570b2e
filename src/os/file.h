/* file.h: the file system. Paths are tn_str (a NUL in one is an error). Errors carry the path and a readable cause;
 * codes: NOTFOUND, EXISTS, ACCESS, IO, LIMIT. Everything that is acknowledged as durable has been fsynced, the directory too.
 */
#ifndef TN_OS_FILE_H
#define TN_OS_FILE_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

typedef enum tn_file_kind {
    TN_FILE_REGULAR,
    TN_FILE_DIR,
    TN_FILE_LINK,
    TN_FILE_OTHER
} tn_file_kind;

typedef struct tn_file_info {
    tn_str name; /* in listings: relative to the listed folder, '/' separated */
    tn_file_kind kind;
    int64_t size;     /* bytes */
    int64_t mtime_us; /* since 1970 UTC */
} tn_file_info;
typedef tn_vec(tn_file_info) tn_file_infos;

tn_rc tn_file_read(tn_arena *a, tn_str path, size_t bytes_max, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_file_read_range(
    tn_arena *a, tn_str path, int64_t from, size_t n, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_file_write(tn_str path, tn_str data, tn_err *err) TN_MUSTUSE; /* plain, in place */
tn_rc tn_file_append(tn_str path, tn_str data, tn_err *err) TN_MUSTUSE;
/* Temp file in the same folder, fsync, rename over path, fsync of the folder. Mode of an existing file is kept. */
tn_rc tn_file_write_atomic(tn_str path, tn_str data, tn_err *err) TN_MUSTUSE;
/* The same but put-if-absent by link(): TN_E_EXISTS when path is there. Readers never see a part of it. */
tn_rc tn_file_write_absent(tn_str path, tn_str data, tn_err *err) TN_MUSTUSE;
/* Bytes that are held a part at a time: read gives n bytes from `at` on, all within `bytes`. It may be called by several threads. */
typedef struct tn_parts {
    tn_rc (*read)(const void *self, tn_arena *a, int64_t at, size_t n, tn_str *ret, tn_err *err);
    const void *self;
    int64_t bytes;
} tn_parts;
tn_parts tn_parts_of(const tn_str *data); /* in memory; both outlive it */
/* As write_atomic and, with absent, as write_absent, of what comes in parts. */
tn_rc tn_file_write_parts(tn_str path, const tn_parts *from, bool absent, tn_err *err) TN_MUSTUSE;
tn_rc tn_file_fsync(tn_str path, tn_err *err) TN_MUSTUSE; /* file or folder */
tn_rc tn_file_rename(
    tn_str from, tn_str to, tn_err *err) TN_MUSTUSE;       /* replaces; fsyncs the target folder */
tn_rc tn_file_remove(tn_str path, tn_err *err) TN_MUSTUSE; /* absent: TN_E_NOTFOUND */
tn_rc tn_file_remove_tree(
    tn_str path, tn_err *err) TN_MUSTUSE; /* absent: ok; does not follow links */
tn_rc tn_file_link_to(
    tn_str target, tn_str path, tn_err *err) TN_MUSTUSE; /* path becomes a symbolic link */
/* The copy appears whole, as with write_atomic; it shares blocks with the original where the file system can. */
tn_rc tn_file_copy(tn_str from, tn_str to, tn_err *err) TN_MUSTUSE;
tn_rc tn_file_stat(tn_arena *a, tn_str path, tn_file_info *ret, tn_err *err) TN_MUSTUSE;
bool tn_file_exists(tn_str path);
bool tn_file_is_dir(tn_str path);
tn_rc tn_dir_make(tn_str path, tn_err *err) TN_MUSTUSE; /* with parents; present: ok */
/* Entries sorted by name; recursive: files and folders below, names like "a/b.sql". */
tn_rc tn_dir_list(
    tn_arena *a, tn_str path, bool recursive, tn_file_infos *ret, tn_err *err) TN_MUSTUSE;
/* Files and folders below `from`, links not; entries of the top whose name is in `leave` (ends with NULL; or NULL) are left out. */
tn_rc tn_dir_copy(tn_str from, tn_str to, const char *const *leave, tn_err *err) TN_MUSTUSE;
/* Shell-like: '*', '?', '[..]', '**'; sorted; no match gives an empty list. */
tn_rc tn_file_glob(tn_arena *a, tn_str pattern, tn_strs *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_file_absolute(tn_arena *a, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_file_real(
    tn_arena *a, tn_str path, tn_str *ret, tn_err *err) TN_MUSTUSE; /* links resolved */
tn_rc tn_file_temp_dir(tn_arena *a, const char *prefix, tn_str *ret,
    tn_err *err) TN_MUSTUSE; /* removed with the arena */

/* A descriptor for those who must read a stream themselves; closed at the end of its scope with TN_AUTO(tn_fd). */
typedef struct tn_fd {
    int fd; /* -1: none */
} tn_fd;
tn_rc tn_fd_open(tn_str path, tn_fd *ret, tn_err *err) TN_MUSTUSE; /* for reading */
void tn_fd_close(tn_fd *f);
static inline void tn_fd_cleanup(tn_fd *f)
{
    tn_fd_close(f);
}

/* Advisory lock on a file (made when absent); held until the arena dies or unlock. wait_ms 0: TN_E_BUSY at once. */
typedef struct tn_file_lock tn_file_lock;
tn_rc tn_file_lock_take(
    tn_arena *a, tn_str path, int64_t wait_ms, tn_file_lock **ret, tn_err *err) TN_MUSTUSE;
void tn_file_lock_drop(tn_file_lock *l);

/* Test hook: fails the k-th system call of this module from now on with EIO (0: off). Counts down across threads. */
void tn_file_fault_at(int64_t k);
int64_t tn_file_fault_calls(void);

#endif
