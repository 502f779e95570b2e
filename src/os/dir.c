/* dir.c: folders: making, listing, globbing, removing trees. Listings are sorted by name bytes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/file_sys.h"
#include "os/proc.h"
#include "os/random.h"

enum { DEPTH_MAX = 64 };

static tn_file_kind kind_of(mode_t m)
{
    return S_ISREG(m)   ? TN_FILE_REGULAR
           : S_ISDIR(m) ? TN_FILE_DIR
           : S_ISLNK(m) ? TN_FILE_LINK
                        : TN_FILE_OTHER;
}

static tn_file_info info_of(tn_str name, const struct stat *st)
{
    return (tn_file_info){
        .name = name,
        .kind = kind_of(st->st_mode),
        .size = st->st_size,
        .mtime_us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000,
    };
}

tn_rc tn_file_stat(tn_arena *a, tn_str path, tn_file_info *ret, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    struct stat st;
    if (tn_sys_faulted() || stat(z, &st) != 0) {
        return tn_sys_fail(err, errno, "look at", z);
    }
    *ret = info_of(a != NULL ? tn_str_dup(a, path) : path, &st);
    return TN_OK;
}

bool tn_file_exists(tn_str path)
{
    char z[TN_PATH_MAX];
    struct stat st;
    return tn_sys_path(path, z, NULL) == TN_OK && stat(z, &st) == 0;
}

bool tn_file_is_dir(tn_str path)
{
    char z[TN_PATH_MAX];
    struct stat st;
    return tn_sys_path(path, z, NULL) == TN_OK && stat(z, &st) == 0 && S_ISDIR(st.st_mode);
}

tn_rc tn_dir_make(tn_str path, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    for (size_t i = 1; i <= path.n; i++) {
        if (z[i] != '/' && z[i] != '\0') {
            continue;
        }
        char keep = z[i];
        z[i] = '\0';
        if (tn_sys_faulted() || (mkdir(z, 0777) != 0 && errno != EEXIST)) {
            struct stat st;
            int e = errno;
            if (e == EIO || stat(z, &st) != 0 ||
                !S_ISDIR(st.st_mode)) { /* an existing "/mnt" may be EROFS or EACCES */
                return tn_sys_fail(err, e, "make the folder", z);
            }
        }
        z[i] = keep;
    }
    if (!tn_file_is_dir(path)) {
        return tn_fail(
            err, TN_E_EXISTS, "cannot make the folder '%s': a file of that name is there", z);
    }
    return TN_OK;
}

/* ---- listing ---- */

typedef struct lister {
    tn_arena *a;
    tn_file_infos *out;
    bool recursive;
} lister;

static inline void close_dir(DIR **d)
{
    if (*d != NULL) {
        closedir(*d);
    }
}

static tn_rc list_into(lister *l, const char *path, tn_str prefix, int depth, tn_err *err)
{
    if (depth > DEPTH_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "folders below '%s' are nested more than %d deep", path, DEPTH_MAX);
    }
    __attribute__((cleanup(close_dir))) DIR *d = tn_sys_faulted() ? NULL : opendir(path);
    if (d == NULL) {
        return tn_sys_fail(err, errno, "list the folder", path);
    }
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, 0) != 0) {
            continue; /* gone since, or a dangling link */
        }
        tn_str name = prefix.n == 0
                          ? tn_str_dup(l->a, tn_str_of(e->d_name))
                          : tn_str_printf(l->a, TN_STR_FMT "/%s", TN_STR_ARG(prefix), e->d_name);
        tn_vec_push(l->out, l->a, info_of(name, &st));
        if (l->recursive && S_ISDIR(st.st_mode)) {
            char *below = tn_arena_printf(l->a, "%s/%s", path, e->d_name);
            TN_TRY(list_into(l, below, name, depth + 1, err));
        }
    }
    return TN_OK;
}

static int by_name(const void *x, const void *y)
{
    return tn_str_cmp(((const tn_file_info *)x)->name, ((const tn_file_info *)y)->name);
}

tn_rc tn_dir_list(tn_arena *a, tn_str path, bool recursive, tn_file_infos *ret, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    tn_file_infos out = { 0 };
    lister l = { .a = a, .out = &out, .recursive = recursive };
    TN_TRY(list_into(&l, z, TN_STR_NONE, 0, err));
    if (out.n > 1) {
        qsort(out.v, out.n, sizeof *out.v, by_name);
    }
    *ret = out;
    return TN_OK;
}

static bool left_out(tn_str name, const char *const *leave)
{
    size_t slash = tn_str_find_char(name, '/', 0);
    tn_str top = slash == SIZE_MAX ? name : tn_str_sub(name, 0, slash);
    for (size_t i = 0; leave != NULL && leave[i] != NULL; i++) {
        if (tn_str_is(top, leave[i])) {
            return true;
        }
    }
    return false;
}

tn_rc tn_dir_copy(tn_str from, tn_str to, const char *const *leave, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("copy", NULL);
    tn_file_infos files = { 0 };
    TN_TRY(tn_dir_list(a, from, true, &files, err));
    TN_TRY(tn_dir_make(to, err));
    for (size_t i = 0; i < files.n; i++) { /* sorted: a folder comes before what is in it */
        tn_str name = files.v[i].name;
        tn_str source =
                   tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(from), TN_STR_ARG(name)),
               target =
                   tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(to), TN_STR_ARG(name));
        if (left_out(name, leave)) {
            continue;
        }
        if (files.v[i].kind == TN_FILE_DIR) {
            TN_TRY(tn_dir_make(target, err));
        } else if (files.v[i].kind == TN_FILE_REGULAR) {
            TN_TRY(tn_file_copy(source, target, err));
        }
    }
    return TN_OK;
}

tn_rc tn_file_link_to(tn_str target, tn_str path, tn_err *err)
{
    char to[TN_PATH_MAX], z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(target, to, err));
    TN_TRY(tn_sys_path(path, z, err));
    return tn_sys_faulted() || symlink(to, z) != 0 ? tn_sys_fail(err, errno, "link", z) : TN_OK;
}

tn_rc tn_file_real(tn_arena *a, tn_str path, tn_str *ret, tn_err *err)
{
    char z[TN_PATH_MAX], real[PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    if (tn_sys_faulted() || realpath(z, real) == NULL) {
        return tn_sys_fail(err, errno, "look at", z);
    }
    *ret = tn_str_dup(a, tn_str_of(real));
    return TN_OK;
}

/* ---- globbing ---- */

static bool has_magic(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[') {
            return true;
        }
    }
    return false;
}

/* One path component against one pattern component: * ? [a-z] [!a-z]. */
static bool match_class(tn_str pat, size_t *at, char c)
{
    size_t i = *at + 1;
    bool negate = i < pat.n && (pat.p[i] == '!' || pat.p[i] == '^');
    i += negate;
    bool hit = false;
    for (size_t first = i; i < pat.n && (pat.p[i] != ']' || i == first); i++) {
        if (i + 2 < pat.n && pat.p[i + 1] == '-' && pat.p[i + 2] != ']') {
            hit |= c >= pat.p[i] && c <= pat.p[i + 2];
            i += 2;
        } else {
            hit |= c == pat.p[i];
        }
    }
    if (i >= pat.n) { /* no closing bracket: a plain '[' */
        *at += 1;
        return c == '[';
    }
    *at = i + 1;
    return hit != negate;
}

static bool match_one(tn_str pat, tn_str s)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
    while (i < s.n) {
        size_t next = p;
        if (p < pat.n && pat.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pat.n &&
                   (pat.p[p] == '[' ? match_class(pat, &next, s.p[i])
                                    : (next++, pat.p[p] == '?' || pat.p[p] == s.p[i]))) {
            p = next;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pat.n && pat.p[p] == '*') {
        p++;
    }
    return p == pat.n;
}

static tn_rc glob_into(
    tn_arena *a, tn_str base, tn_str pattern, int depth, tn_strs *out, tn_err *err);

static tn_str under(tn_arena *a, tn_str base, tn_str name)
{
    if (base.n == 0) {
        return name;
    }
    return base.p[base.n - 1] == '/'
               ? tn_str_concat(a, base, name)
               : tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(base), TN_STR_ARG(name));
}

static tn_rc glob_entries(
    tn_arena *a, tn_str base, tn_str head, tn_str rest, int depth, tn_strs *out, tn_err *err)
{
    tn_file_infos list;
    if (tn_dir_list(a, base.n == 0 ? TN_STR(".") : base, false, &list, NULL) != TN_OK) {
        return TN_OK; /* a folder that cannot be listed matches nothing, as in a shell */
    }
    bool deep = tn_str_is(head, "**");
    for (size_t i = 0; i < list.n; i++) {
        tn_file_info *e = &list.v[i];
        bool hidden = e->name.p[0] == '.' && (head.n == 0 || head.p[0] != '.');
        if (hidden || (!deep && !match_one(head, e->name))) {
            continue;
        }
        tn_str full = under(a, base, e->name);
        if (deep) {
            if (e->kind == TN_FILE_DIR) {
                TN_TRY(glob_into(a, full, tn_str_n(head.p, head.n + (rest.n > 0 ? 1 + rest.n : 0)),
                    depth + 1, out, err));
            }
        } else if (rest.n == 0) {
            tn_vec_push(out, a, full);
        } else if (e->kind == TN_FILE_DIR) {
            TN_TRY(glob_into(a, full, rest, depth + 1, out, err));
        }
    }
    return TN_OK;
}

/* pattern is relative to base; its head component is matched here. rest always follows head in one piece of memory. */
static tn_rc glob_into(
    tn_arena *a, tn_str base, tn_str pattern, int depth, tn_strs *out, tn_err *err)
{
    if (depth > DEPTH_MAX) {
        return tn_fail(err, TN_E_LIMIT,
            "the pattern '" TN_STR_FMT "' goes more than %d folders deep", TN_STR_ARG(pattern),
            DEPTH_MAX);
    }
    tn_str head, rest;
    tn_str_cut(pattern, '/', &head, &rest);
    if (tn_str_is(head, "**")) {
        if (rest.n > 0) {
            TN_TRY(glob_into(a, base, rest, depth + 1, out, err)); /* '**' matching nothing */
        } else {
            TN_TRY(glob_entries(a, base, TN_STR("*"), TN_STR_NONE, depth, out, err));
        }
        return glob_entries(a, base, head, rest, depth, out, err);
    }
    if (has_magic(head)) {
        return glob_entries(a, base, head, rest, depth, out, err);
    }
    tn_str full = under(a, base, head);
    if (rest.n > 0) {
        return tn_file_is_dir(full) ? glob_into(a, full, rest, depth + 1, out, err) : TN_OK;
    }
    if (tn_file_exists(full)) {
        tn_vec_push(out, a, full);
    }
    return TN_OK;
}

static int by_bytes(const void *x, const void *y)
{
    return tn_str_cmp(*(const tn_str *)x, *(const tn_str *)y);
}

tn_rc tn_file_glob(tn_arena *a, tn_str pattern, tn_strs *ret, tn_err *err)
{
    tn_strs out = { 0 };
    tn_str base = TN_STR_NONE;
    while (pattern.n > 0 && pattern.p[0] == '/') {
        base = TN_STR("/");
        pattern = tn_str_sub(pattern, 1, pattern.n);
    }
    TN_TRY(glob_into(a, base, pattern, 0, &out, err));
    if (out.n > 1) {
        qsort(out.v, out.n, sizeof *out.v, by_bytes);
    }
    size_t w = 0; /* '**' finds some names twice */
    for (size_t i = 0; i < out.n; i++) {
        if (w == 0 || !tn_str_eq(out.v[w - 1], out.v[i])) {
            out.v[w++] = out.v[i];
        }
    }
    out.n = w;
    *ret = out;
    return TN_OK;
}

/* ---- removing ---- */

static tn_rc remove_below(const char *path, int depth, tn_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return errno == ENOENT ? TN_OK : tn_sys_fail(err, errno, "look at", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        return unlink(path) == 0 || errno == ENOENT ? TN_OK
                                                    : tn_sys_fail(err, errno, "remove", path);
    }
    if (depth > DEPTH_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "folders below '%s' are nested more than %d deep", path, DEPTH_MAX);
    }
    {
        __attribute__((cleanup(close_dir))) DIR *d = opendir(path);
        if (d == NULL) {
            return tn_sys_fail(err, errno, "list the folder", path);
        }
        struct dirent *e;
        while ((e = readdir(d)) != NULL) {
            char below[TN_PATH_MAX];
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
                continue;
            }
            int n = snprintf(below, sizeof below, "%s/%s", path, e->d_name);
            if (n < 0 || (size_t)n >= sizeof below) {
                return tn_fail(err, TN_E_LIMIT, "a path below '%s' is too long", path);
            }
            TN_TRY(remove_below(below, depth + 1, err));
        }
    }
    return rmdir(path) == 0 || errno == ENOENT ? TN_OK
                                               : tn_sys_fail(err, errno, "remove the folder", path);
}

tn_rc tn_file_remove_tree(tn_str path, tn_err *err)
{
    char z[TN_PATH_MAX];
    TN_TRY(tn_sys_path(path, z, err));
    return remove_below(z, 0, err);
}

/* ---- names ---- */

tn_rc tn_file_absolute(tn_arena *a, tn_str path, tn_str *ret, tn_err *err)
{
    tn_str full = path;
    if (path.n == 0 || path.p[0] != '/') {
        tn_str cwd;
        TN_TRY(tn_cwd(a, &cwd, err));
        full = path.n == 0
                   ? cwd
                   : tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(cwd), TN_STR_ARG(path));
    }
    char *out = tn_arena_alloc(a, full.n + 2);
    size_t n = 0;
    for (size_t i = 0; i < full.n;) {
        size_t end = tn_str_find_char(full, '/', i);
        end = end == SIZE_MAX ? full.n : end;
        tn_str part = tn_str_sub(full, i, end);
        if (tn_str_is(part, "..")) {
            while (n > 0 && out[--n] != '/') {
            }
        } else if (part.n > 0 && !tn_str_is(part, ".")) {
            out[n++] = '/';
            memcpy(out + n, part.p, part.n);
            n += part.n;
        }
        i = end + 1;
    }
    if (n == 0) {
        out[n++] = '/';
    }
    out[n] = '\0';
    *ret = tn_str_n(out, n);
    return TN_OK;
}

static void remove_temp(void *p)
{
    (void)!tn_file_remove_tree(tn_str_of(p), NULL);
}

tn_rc tn_file_temp_dir(tn_arena *a, const char *prefix, tn_str *ret, tn_err *err)
{
    tn_str base = tn_env_get("TMPDIR");
    tn_str path = tn_str_printf(a, TN_STR_FMT "/%s-%lld-%016llx",
        TN_STR_ARG(base.n > 0 ? base : TN_STR("/tmp")), prefix, (long long)tn_pid(),
        (unsigned long long)tn_random_u64());
    if (mkdir(path.p, 0700) != 0) {
        return tn_sys_fail(err, errno, "make the folder", path.p);
    }
    tn_arena_defer(a, remove_temp, tn_str_z(a, path));
    *ret = path;
    return TN_OK;
}
