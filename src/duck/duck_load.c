/* duck_load.c: extensions come from the folder that was installed with the program, and from nowhere else.
 *
 * INSTALL means "is it there", LOAD means "load it from there". What is built into our DuckDB needs neither. Nothing
 * here or in DuckDB (autoinstall is off) ever asks the network.
 */
#include "duck/duck_impl.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { EXTENSION_NAME_MAX = 64 };

static const char *const built_in[] = { "autocomplete", "core_functions", "icu", "json",
    "parquet" };

/* Other names under which users ask for the same thing. */
static const struct {
    const char *alias;
    const char *name;
} aliases[] = {
    { "http", "httpfs" },
    { "https", "httpfs" },
    { "s3", "httpfs" },
    { "postgres", "postgres_scanner" },
    { "mysql", "mysql_scanner" },
    { "sqlite", "sqlite_scanner" },
};

/* Seen from the program's folder, and, as a shared library, from the library's. */
static const char *const places[] = { "../lib/tarn/extensions", "deps/extensions",
    "../deps/extensions" };
static const char *const library_places[] = { "extensions", "tarn/extensions", "../tarn/extensions",
    "../deps/extensions" };

static void add_places(tn_arena *a, tn_str file, const char *const *v, size_t n, tn_strs *ret)
{
    for (size_t i = 0; i < n; i++) {
        tn_vec_push(ret, a, tn_path_norm(a, tn_uri_join(a, tn_path_dir(file), tn_str_of(v[i]))));
    }
}

/* The folders to look in, first come first. */
static void candidate_dirs(tn_arena *a, tn_strs *ret)
{
    tn_str dir = tn_env_get("TARN_EXTENSION_DIR");
    if (dir.n > 0) {
        tn_vec_push(ret, a, tn_str_dup(a, dir));
    }
    tn_str file, image;
    bool known = tn_exe_path(a, &file, NULL) == TN_OK;
    if (known) {
        add_places(a, file, places, TN_COUNTOF(places), ret);
    }
    if (tn_image_path(a, &image, NULL) == TN_OK && !(known && tn_str_eq(image, file))) {
        add_places(a, image, library_places, TN_COUNTOF(library_places), ret);
    }
}

static tn_str join_dirs(tn_arena *a, const tn_strs *dirs)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < dirs->n; i++) {
        tn_buf_addf(&b, "%s'" TN_STR_FMT "'", i > 0 ? ", " : "", TN_STR_ARG(dirs->v[i]));
    }
    return tn_buf_str(&b);
}

tn_rc tn_duck_extension_dir(tn_arena *a, tn_str *ret, tn_err *err)
{
    tn_strs dirs = { .v = NULL };
    candidate_dirs(a, &dirs);
    for (size_t i = 0; i < dirs.n; i++) {
        if (tn_file_is_dir(dirs.v[i])) {
            *ret = dirs.v[i];
            return TN_OK;
        }
    }
    return tn_hint(err,
        tn_fail(err, TN_E_NOTFOUND, "no folder of DuckDB extensions: looked in " TN_STR_FMT,
            TN_STR_ARG(join_dirs(a, &dirs))),
        "set TARN_EXTENSION_DIR, or install the program with its extensions");
}

static tn_str real_name(tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(aliases); i++) {
        if (tn_str_is(name, aliases[i].alias)) {
            return tn_str_of(aliases[i].name);
        }
    }
    return name;
}

static bool is_built_in(tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(built_in); i++) {
        if (tn_str_is(name, built_in[i])) {
            return true;
        }
    }
    return false;
}

static bool is_extension_name(tn_str s)
{
    bool ok = s.n > 0 && s.n <= EXTENSION_NAME_MAX;
    for (size_t i = 0; ok && i < s.n; i++) {
        ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_';
    }
    return ok;
}

/* The file of an extension that is not built in: TARN_EXTENSION_DIR wins, then each folder next to the program. */
static tn_rc find_file(tn_arena *a, tn_str name, tn_str *ret, tn_err *err)
{
    tn_strs dirs = { .v = NULL };
    candidate_dirs(a, &dirs);
    for (size_t i = 0; is_extension_name(name) && i < dirs.n; i++) {
        tn_str path = tn_str_printf(a, TN_STR_FMT "/%s/linux_amd64/" TN_STR_FMT ".duckdb_extension",
            TN_STR_ARG(dirs.v[i]), tn_duck_version(), TN_STR_ARG(name));
        if (tn_file_exists(path)) {
            *ret = path;
            return TN_OK;
        }
    }
    return tn_hint(err,
        tn_fail(err, TN_E_NOTFOUND,
            "the DuckDB extension '" TN_STR_FMT "' is not bundled: looked in " TN_STR_FMT,
            TN_STR_ARG(name), TN_STR_ARG(join_dirs(a, &dirs))),
        "put %s/linux_amd64/" TN_STR_FMT
        ".duckdb_extension into one of them, or set TARN_EXTENSION_DIR",
        tn_duck_version(), TN_STR_ARG(name));
}

tn_rc tn_duck_load(tn_conn *c, tn_str extension, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck load", NULL);
    tn_str name = real_name(tn_str_lower(a, extension));
    if (is_built_in(name)) {
        return TN_OK;
    }
    tn_str path;
    TN_TRY(find_file(a, name, &path, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "LOAD ");
    tn_sql_literal(&b, path);
    duckdb_result res = { 0 };
    tn_rc rc = TN_OK;
    tn_buf_addc(&b, '\0');
    if (duckdb_query(c->con, b.p, &res) != DuckDBSuccess) {
        rc = duck_fail(err, duckdb_result_error_type(&res), duckdb_result_error(&res));
        rc = tn_while(err, rc, "loading the extension '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    duckdb_destroy_result(&res);
    return rc;
}

/* ---- statements ---- */

static bool has_word(tn_str sql, const char *upper)
{
    size_t n = strlen(upper);
    for (size_t i = 0; i + n <= sql.n; i++) {
        if ((sql.p[i] & ~0x20) == upper[0] &&
            tn_str_eq_nocase(tn_str_sub(sql, i, i + n), tn_str_of(upper))) {
            return true;
        }
    }
    return false;
}

bool duck_sql_may_install(tn_str sql)
{
    return has_word(sql, "INSTALL") || has_word(sql, "LOAD") || has_word(sql, "EXTENSIONS");
}

/* Takes the next word (a name, or what is between quotes) off the text. */
static tn_str next_word(tn_str *sql, bool *ret_quoted)
{
    tn_str s = tn_sql_skip_blank(*sql);
    *ret_quoted = s.n > 0 && (s.p[0] == '\'' || s.p[0] == '"');
    if (*ret_quoted) {
        size_t end = tn_str_find_char(s, s.p[0], 1);
        end = end == SIZE_MAX ? s.n : end;
        *sql = tn_str_sub(s, end + 1, s.n);
        return tn_str_sub(s, 1, end);
    }
    size_t n = 0;
    while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') ||
                          ((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'z') || s.p[n] == '_')) {
        n++;
    }
    *sql = tn_str_sub(s, n, s.n);
    return tn_str_sub(s, 0, n);
}

static bool word_is(tn_str *sql, const char *upper)
{
    bool quoted;
    tn_str rest = *sql;
    tn_str w = next_word(&rest, &quoted);
    if (quoted || !tn_str_eq_nocase(w, tn_str_of(upper))) {
        return false;
    }
    *sql = rest;
    return true;
}

static bool is_path(tn_str s)
{
    return tn_str_find_char(s, '/', 0) != SIZE_MAX || tn_str_find_char(s, '.', 0) != SIZE_MAX;
}

static tn_rc install(tn_str name, bool quoted, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("duck install", NULL);
    if (quoted && is_path(name)) {
        return tn_hint(err,
            tn_fail(err, TN_E_UNSUPPORTED, "INSTALL of the file '" TN_STR_FMT "' is not supported",
                TN_STR_ARG(name)),
            "LOAD the file itself");
    }
    tn_str path;
    name = real_name(tn_str_lower(a, name));
    return is_built_in(name) ? TN_OK : find_file(a, name, &path, err);
}

/*  statement := [FORCE] INSTALL name [FROM place] [VERSION text] | LOAD name | UPDATE EXTENSIONS [(names)] */
tn_rc tn_duck_intercept(tn_conn *c, tn_str sql, bool *ret_handled, tn_err *err)
{
    tn_str rest = sql;
    bool quoted;
    if (word_is(&rest, "UPDATE")) {
        *ret_handled = word_is(&rest, "EXTENSIONS");
        return TN_OK;
    }
    if (word_is(&rest, "LOAD")) {
        tn_str name = next_word(&rest, &quoted);
        if (name.n == 0 || (quoted && is_path(name))) {
            *ret_handled = false;
            return TN_OK;
        }
        TN_TRY(tn_duck_load(c, name, err));
        *ret_handled = true;
        return TN_OK;
    }
    (void)word_is(&rest, "FORCE");
    if (word_is(&rest, "INSTALL")) {
        tn_str name = next_word(&rest, &quoted);
        if (name.n > 0) {
            TN_TRY(install(name, quoted, err));
            *ret_handled = true;
            return TN_OK;
        }
    }
    *ret_handled = false;
    return TN_OK;
}
