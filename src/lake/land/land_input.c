/* land_input.c: from the words of a command line to a list of readable files. */
#include "lake/land/land_input.h"

#include "os/file.h"
#include "text/glob.h"
#include "text/uri.h"

#define ARCHIVE_BYTES_MAX ((size_t)4 << 30)

static const struct {
    const char *ending;
    tn_land_format format;
} endings[] = {
    { "csv", TN_LAND_CSV },
    { "tsv", TN_LAND_CSV },
    { "txt", TN_LAND_CSV },
    { "json", TN_LAND_JSON },
    { "ndjson", TN_LAND_NDJSON },
    { "jsonl", TN_LAND_NDJSON },
    { "parquet", TN_LAND_PARQUET },
    { "arrow", TN_LAND_ARROW },
    { "arrows", TN_LAND_ARROW },
};

tn_land_format tn_land_format_of(tn_str name)
{
    tn_str ext = tn_path_ext(name);
    if (tn_str_is(ext, "gz") || tn_str_is(ext, "zst")) {
        ext = tn_path_ext(tn_path_stem(name));
    }
    for (size_t i = 0; i < TN_COUNTOF(endings); i++) {
        if (tn_str_eq_nocase(ext, tn_str_of(endings[i].ending))) {
            return endings[i].format;
        }
    }
    return TN_LAND_AUTO;
}

typedef struct expander {
    tn_arena *a;
    const tn_land_opts *opts;
    tn_val storage;
    tn_str temp_dir;
    int archives;
    tn_land_files *out;
} expander;

static tn_rc add_file(expander *x, tn_str path, tn_str shown, tn_err *err)
{
    if (x->out->n >= TN_LAND_INPUTS_MAX) {
        return tn_fail(err, TN_E_LIMIT, "more than %d input files", TN_LAND_INPUTS_MAX);
    }
    tn_str ext = tn_path_ext(path);
    if (tn_str_is(ext, "bz2") || tn_str_is(ext, "xz") || tn_str_is(ext, "7z") ||
        tn_str_is(ext, "rar")) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "'" TN_STR_FMT "' is compressed in a way that cannot be read", TN_STR_ARG(shown));
        return tn_hint(err, rc, "unpack it first, or use .gz, .zst or .zip");
    }
    tn_vec_push(x->out, x->a, ((tn_land_file){ .path = path, .shown = shown }));
    return TN_OK;
}

static int by_member_name(const void *p, const void *q)
{
    return tn_str_cmp(((const tn_zip_member *)p)->name, ((const tn_zip_member *)q)->name);
}

/* A member's name cannot leave the folder it is unpacked into: every unpacked file gets a number and a harmless name. */
static tn_str member_path(expander *x, size_t number, tn_str member)
{
    tn_str base = tn_path_base(member);
    tn_buf b = tn_buf_init(x->a, 8192);
    tn_buf_addf(&b, TN_STR_FMT "/%d/%zu-", TN_STR_ARG(x->temp_dir), x->archives, number);
    for (size_t i = 0; i < base.n && i < 200; i++) {
        char c = base.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '.' || c == '-' || c == '_';
        tn_buf_addc(&b, plain ? c : '_');
    }
    return tn_buf_str(&b);
}

/* shown: the archive's name as given. */
static tn_rc expand_archive(expander *x, tn_str path, tn_str shown, tn_str pattern, tn_err *err)
{
    tn_zip_members members;
    TN_TRY(tn_zip_list(x->a, path, &members, err));
    if (members.n > 1) {
        qsort(members.v, members.n, sizeof *members.v, by_member_name);
    }
    TN_TRY(tn_dir_make(
        tn_str_printf(x->a, TN_STR_FMT "/%d", TN_STR_ARG(x->temp_dir), x->archives), err));
    size_t taken = 0;
    for (size_t i = 0; i < members.n; i++) {
        const tn_zip_member *m = &members.v[i];
        if (pattern.n > 0 && !tn_fnmatch(pattern, m->name) &&
            !tn_fnmatch(pattern, tn_path_base(m->name))) {
            continue;
        }
        tn_str to = member_path(x, i, m->name);
        TN_TRY(tn_zip_extract(path, m, to, err));
        TN_TRY(add_file(x, to,
            tn_str_printf(x->a, TN_STR_FMT "::" TN_STR_FMT, TN_STR_ARG(shown), TN_STR_ARG(m->name)),
            err));
        taken++;
    }
    x->archives++;
    if (taken == 0) {
        return tn_fail(err, TN_E_NOTFOUND, "no member of '" TN_STR_FMT "' matches '" TN_STR_FMT "'",
            TN_STR_ARG(shown), TN_STR_ARG(pattern));
    }
    return TN_OK;
}

static tn_rc expand_path(expander *x, tn_str path, tn_str pattern, bool archive, tn_err *err)
{
    if (archive || tn_str_eq_nocase(tn_path_ext(path), TN_STR("zip"))) {
        return expand_archive(x, path, path, pattern, err);
    }
    return add_file(x, path, path, err);
}

static tn_rc spool_stdin(expander *x, tn_err *err)
{
    if (x->opts->format == TN_LAND_ARROW) { /* decoded as it comes, no spooling */
        return add_file(x, TN_STR("/dev/stdin"), TN_STR("-"), err);
    }
    static const char *const names[] = { "csv", "csv", "json", "ndjson", "parquet", "arrow" };
    tn_str to = tn_str_printf(
        x->a, TN_STR_FMT "/stdin.%s", TN_STR_ARG(x->temp_dir), names[x->opts->format]);
    TN_TRY(tn_file_copy(TN_STR("/dev/stdin"), to, err));
    return add_file(x, to, TN_STR("-"), err);
}

/* ---- in buckets ---- */

static bool in_bucket(tn_str url)
{
    return tn_str_starts(url, TN_STR("s3://")) || tn_str_starts(url, TN_STR("s3a://"));
}

/* Takes a URL apart at its last slash before `at`. */
static tn_rc open_folder(
    expander *x, tn_str url, size_t at, tn_store **ret, tn_str *ret_rest, tn_err *err)
{
    size_t slash = tn_str_rfind_char(tn_str_sub(url, 0, at), '/');
    tn_store_opts so = { .options = x->storage };
    TN_TRY(tn_store_open(tn_str_sub(url, 0, slash), &so, ret, err));
    *ret_rest = tn_str_sub(url, slash + 1, url.n);
    return TN_OK;
}

static tn_rc fetch_archive(expander *x, tn_str url, tn_str pattern, tn_err *err)
{
    TN_AUTOPTR(tn_store) store = NULL;
    TN_AUTO_ARENA bytes_arena = tn_arena_new("archive", NULL);
    tn_str name, bytes;
    TN_TRY(open_folder(x, url, url.n, &store, &name, err));
    TN_TRY(tn_store_get(store, bytes_arena, name, ARCHIVE_BYTES_MAX, &bytes, err));
    tn_str to =
        tn_str_printf(x->a, TN_STR_FMT "/fetched-%d.zip", TN_STR_ARG(x->temp_dir), x->archives);
    TN_TRY(tn_file_write(to, bytes, err));
    return expand_archive(x, to, url, pattern, err);
}

static tn_rc expand_bucket(expander *x, tn_str url, tn_str pattern, bool archive, tn_err *err)
{
    if (archive || tn_str_eq_nocase(tn_path_ext(url), TN_STR("zip"))) {
        return fetch_archive(x, url, pattern, err);
    }
    size_t magic = 0;
    while (magic < url.n && strchr("*?[", url.p[magic]) == NULL) {
        magic++;
    }
    if (magic == url.n) {
        return add_file(x, url, url, err);
    }
    TN_AUTOPTR(tn_store) store = NULL;
    tn_str rest;
    tn_store_items items = { .v = NULL };
    TN_TRY(open_folder(x, url, magic, &store, &rest, err));
    tn_store_list_opts lo = { .flat = true };
    lo.prefix = tn_str_sub(rest, 0, rest.n - (url.n - magic));
    TN_TRY(tn_store_list(store, x->a, &lo, &items, err));
    size_t taken = 0;
    for (size_t i = 0; i < items.n; i++) {
        if (tn_pathmatch(rest, items.v[i].key)) {
            tn_str path = tn_store_locate(store, x->a, items.v[i].key);
            TN_TRY(add_file(x, path, path, err));
            taken++;
        }
    }
    return taken > 0
               ? TN_OK
               : tn_fail(err, TN_E_NOTFOUND, "no object matches '" TN_STR_FMT "'", TN_STR_ARG(url));
}

static tn_rc expand_word(expander *x, tn_str word, tn_err *err)
{
    if (tn_str_is(word, "-")) {
        return spool_stdin(x, err);
    }
    size_t cut = tn_str_find(word, TN_STR("::"), 0);
    tn_str path = tn_str_sub(word, 0, cut);
    tn_str pattern = cut == SIZE_MAX ? x->opts->zip_glob : tn_str_sub(word, cut + 2, word.n);
    if (in_bucket(path)) {
        return expand_bucket(x, path, pattern, cut != SIZE_MAX, err);
    }
    if (tn_uri_is_remote(path)) {
        return add_file(x, path, path, err);
    }
    if (tn_file_exists(path) &&
        !tn_file_is_dir(path)) { /* a real name wins over its meaning as a pattern */
        return expand_path(x, path, pattern, cut != SIZE_MAX, err);
    }
    tn_str glob =
        tn_file_is_dir(path) ? tn_str_printf(x->a, TN_STR_FMT "/*", TN_STR_ARG(path)) : path;
    tn_strs found;
    TN_TRY(tn_file_glob(x->a, glob, &found, err));
    size_t taken = 0;
    for (size_t i = 0; i < found.n; i++) {
        if (!tn_file_is_dir(found.v[i])) {
            TN_TRY(expand_path(x, found.v[i], pattern, cut != SIZE_MAX, err));
            taken++;
        }
    }
    if (taken == 0) {
        tn_rc rc =
            tn_fail(err, TN_E_NOTFOUND, "no file matches '" TN_STR_FMT "'", TN_STR_ARG(word));
        return tn_hint(
            err, rc, "check the path; quote patterns so that the shell leaves them alone");
    }
    return TN_OK;
}

tn_rc tn_land_inputs(tn_arena *a, const tn_land_opts *opts, tn_val storage, tn_str temp_dir,
    tn_land_files *ret, tn_err *err)
{
    tn_land_files out = { 0 };
    expander x = { .a = a, .opts = opts, .storage = storage, .temp_dir = temp_dir, .out = &out };
    for (size_t i = 0; i < opts->inputs.n; i++) {
        TN_TRY(expand_word(&x, opts->inputs.v[i], err));
    }
    *ret = out;
    return TN_OK;
}
