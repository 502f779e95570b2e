/* deps_run.c: from entries to package-lock.yml to the install folder.
 *
 * Resolving goes in rounds, as dbt's: what a round's packages name is the next round's; a package that is named again adds its bounds to those it
 * has and is resolved anew. The lock:
 *
 *     packages:
 *       - name: NAME            (of its project)
 *         package: OWNER/NAME   (or git: URL, revision: COMMIT, subdirectory: ..; or local: FOLDER; or tarball: URL)
 *         version: 1.0.0
 *     sha1_hash: HEX            (over the project's own entries)
 */
#include "os/file.h"
#include "packages/deps.h"
#include "text/hash.h"
#include "text/json.h"
#include "text/uri.h"
#include "text/yaml.h"

enum { ROUNDS_MAX = 100 };
static const char lock_name[] = "package-lock.yml";
static const char *const kinds[] = { "local", "git", "tarball", "package" }; /* tn_pack_kind */

typedef tn_vec(tn_pack *) tn_packs;

static void say(const tn_deps *d, const char *event, const char *code, const char *fmt, ...)
    TN_PRINTF(4, 5);
static void say(const tn_deps *d, const char *event, const char *code, const char *fmt, ...)
{
    tn_buf b = tn_buf_init(d->arena, TN_BUF_NO_LIMIT);
    va_list ap;
    va_start(ap, fmt);
    tn_buf_vaddf(&b, fmt, ap);
    va_end(ap);
    d->say(d->self, false, event, code, tn_buf_str(&b));
}

/* ---- entries ---- */

static tn_strs words_of(tn_arena *a, tn_val v)
{
    tn_strs out = { 0 };
    if (v.tag == TN_LIST) {
        for (size_t i = 0; i < v.list->n; i++) {
            tn_vec_push(&out, a, tn_val_to_str(a, v.list->v[i]));
        }
    } else if (tn_val_is_given(v)) {
        tn_str rest = tn_val_to_str(a, v), one;
        while (rest.n > 0) { /* ">=1.0.0,<2.0.0" is two */
            (void)tn_str_cut(rest, ',', &one, &rest);
            tn_vec_push(&out, a, tn_str_trim(one));
        }
    }
    return out;
}

static tn_rc malformed(tn_arena *a, tn_val entry, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_VALUE,
        "The packages.yml file in this project is malformed: " TN_STR_FMT " is no package",
        TN_STR_ARG(tn_val_to_repr(a, entry)));
    return tn_hint(
        err, rc, "an entry has `package` and `version`, `git`, `local`, or `tarball` and `name`");
}

static tn_rc pack_of(tn_arena *a, tn_val entry, tn_val raw, tn_pack **ret, tn_err *err)
{
    tn_pack *p = tn_new(a, tn_pack);
    size_t k = 0;
    while (k < TN_COUNTOF(kinds) && !tn_val_is_str(tn_val_at(entry, kinds[k]))) {
        k++;
    }
    if (k < TN_COUNTOF(kinds) && tn_val_as_str(tn_val_at(entry, kinds[k])).n == 0) {
        return tn_fail(err, TN_E_VALUE,
            "The packages.yml file in this project is malformed. Please double check\n"
            "the contents of this file and fix any errors before retrying.\n\n"
            "Validator Error:\nA %s package is missing the value. It is a required property.",
            k == TN_PACK_HUB ? "hub" : kinds[k]);
    }
    if (tn_val_is_str(tn_val_at(entry, "private"))) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED, "`private:` packages are dbt's cloud's");
        return tn_hint(err, rc, "give the repository as `git:`, with its token from env_var()");
    }
    if (k == TN_COUNTOF(kinds)) {
        return malformed(a, entry, err);
    }
    *p = (tn_pack){ .kind = (tn_pack_kind)k,
        .address = tn_val_str_at(entry, kinds[k], TN_STR_NONE),
        .raw = tn_val_str_at(raw, kinds[k], TN_STR_NONE),
        .given = k == TN_PACK_TARBALL ? tn_val_str_at(entry, "name", TN_STR_NONE) : TN_STR_NONE,
        .below = tn_val_str_at(entry, "subdirectory", TN_STR_NONE),
        .wanted = words_of(a, tn_val_at(entry, k == TN_PACK_GIT ? "revision" : "version")),
        .prerelease = tn_val_bool_at(entry, "install_prerelease", false),
        .quiet = !tn_val_bool_at(entry, "warn-unpinned", true) };
    p->raw = p->raw.n > 0 ? p->raw : p->address;
    if ((k == TN_PACK_TARBALL && p->given.n == 0) || (k == TN_PACK_HUB && p->wanted.n == 0)) {
        return malformed(a, entry, err);
    }
    tn_str bare = k == TN_PACK_GIT && tn_str_ends(p->address, TN_STR(".git"))
                      ? tn_str_sub(p->address, 0, p->address.n - 4)
                      : p->address;
    p->key = tn_str_printf(
        a, "%zu " TN_STR_FMT "/" TN_STR_FMT, k, TN_STR_ARG(bare), TN_STR_ARG(p->below));
    *ret = p;
    return TN_OK;
}

static tn_rc packs_of(tn_arena *a, tn_val list, tn_val raw, tn_packs *into, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_pack *p = NULL;
        tn_val as_written = tn_val_is_seq(raw) && i < raw.list->n ? raw.list->v[i] : TN_VAL_UNDEF;
        TN_TRY(pack_of(a, list.list->v[i], as_written, &p, err));
        tn_vec_push(into, a, p);
    }
    return TN_OK;
}

/* ---- resolving ---- */

static tn_pack *merged(tn_arena *a, tn_packs *final, tn_pack *p)
{
    for (size_t i = 0; i < final->n; i++) {
        tn_pack *old = final->v[i];
        if (tn_str_eq(old->key, p->key)) {
            for (size_t k = 0; k < p->wanted.n; k++) {
                tn_vec_push(&old->wanted, a, p->wanted.v[k]);
            }
            old->prerelease = old->prerelease || p->prerelease;
            old->quiet = old->quiet || p->quiet;
            return old;
        }
    }
    tn_vec_push(final, a, p);
    return p;
}

static tn_rc check_names(const tn_deps *d, const tn_packs *final, tn_err *err)
{
    for (size_t i = 0; i < final->n; i++) {
        tn_str name = final->v[i]->name;
        if (tn_str_eq(name, d->project_name)) {
            return tn_fail(err, TN_E_VALUE,
                "Found a dependency with the same name as the root project \"" TN_STR_FMT
                "\". Package names must be unique in a project. Please rename one of these "
                "packages.",
                TN_STR_ARG(name));
        }
        for (size_t k = 0; k < i; k++) {
            if (tn_str_eq(name, final->v[k]->name)) {
                return tn_fail(err, TN_E_VALUE,
                    "Found duplicate project \"" TN_STR_FMT
                    "\". This occurs when a dependency has the same project name as some other "
                    "dependency.",
                    TN_STR_ARG(name));
            }
        }
    }
    return TN_OK;
}

static tn_rc resolve(tn_fetcher *f, tn_packs pending, tn_packs *final, tn_err *err)
{
    for (int round = 0; pending.n > 0; round++) {
        tn_packs next = { 0 };
        if (round > ROUNDS_MAX) {
            return tn_fail(err, TN_E_LIMIT, "packages name each other without an end");
        }
        for (size_t i = 0; i < pending.n; i++) {
            tn_pack *p = merged(f->deps->arena, final, pending.v[i]);
            bool same = p != pending.v[i] && p->kind != TN_PACK_HUB && p->kind != TN_PACK_GIT;
            if (!same) { /* a folder or an archive is the same the second time */
                TN_TRY(tn_pack_fetch(f, p, err));
                TN_TRY(packs_of(f->deps->arena, p->packages, p->packages_raw, &next, err));
            }
        }
        pending = next;
    }
    return check_names(f->deps, final, err);
}

/* ---- the lock ---- */

static void put_str(tn_val d, const char *key, tn_str s)
{
    if (s.n > 0) {
        tn_dict_putz(d.dict, key, tn_val_str(s));
    }
}

/* One entry as dbt's contract has it, with its defaults and the text as written. */
static tn_val hashed_entry(tn_arena *a, tn_val entry, tn_val raw)
{
    static const struct {
        const char *kind, *key;
    } shown[] = { { "git", "git" }, { "git", "revision" }, { "git", "subdirectory" },
        { "git", "warn-unpinned" }, { "package", "package" }, { "package", "version" },
        { "package", "install_prerelease" }, { "local", "local" }, { "tarball", "tarball" },
        { "tarball", "name" } };
    tn_val d = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(shown); i++) {
        tn_val v = tn_val_at(entry, shown[i].key);
        if (!tn_val_is_str(tn_val_at(entry, shown[i].kind))) {
            continue;
        }
        bool none = tn_val_is_undef(v);
        bool prerelease = strcmp(shown[i].key, "install_prerelease") == 0;
        tn_dict_putz(d.dict, shown[i].key, !none ? v : prerelease ? TN_VAL_FALSE : TN_VAL_NONE);
    }
    tn_dict_putz(d.dict, "unrendered", raw);
    return d;
}

static tn_str hash_of(tn_arena *a, tn_val list, tn_val raw)
{
    static const tn_json_style style = { .sort_keys = true, .ascii = true, .py_separators = true };
    tn_strs lines = { 0 };
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
        tn_json_print(&b, hashed_entry(a, list.list->v[i], raw.list->v[i]), &style);
        tn_vec_push(&lines, a, tn_buf_str(&b));
        for (size_t k = lines.n - 1; k > 0 && tn_str_cmp(lines.v[k - 1], lines.v[k]) > 0; k--) {
            tn_str swap = lines.v[k];
            lines.v[k] = lines.v[k - 1];
            lines.v[k - 1] = swap;
        }
    }
    tn_buf all = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < lines.n; i++) {
        tn_buf_addz(&all, i > 0 ? "\n" : "");
        tn_buf_add(&all, lines.v[i]);
    }
    uint8_t out[20];
    tn_sha1(tn_buf_str(&all), out);
    return tn_hex(a, out, sizeof out);
}

static tn_val locked_entry(tn_arena *a, const tn_pack *p)
{
    tn_val d = tn_val_dict(a);
    put_str(d, kinds[p->kind], p->raw);
    put_str(d, "name", p->name);
    if (p->kind == TN_PACK_GIT) {
        put_str(d, "revision", p->version);
        put_str(d, "subdirectory", p->below);
    } else if (p->kind == TN_PACK_HUB) {
        put_str(d, "version", p->version);
    }
    return d;
}

/* Block style with lists set in, as dbt writes packages.yml and its lock. */
static tn_str yaml_text(tn_arena *a, tn_val doc)
{
    tn_buf plain = tn_buf_init(a, TN_BUF_NO_LIMIT), b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_yaml_print(&plain, doc, true);
    tn_str rest = tn_buf_str(&plain), line;
    size_t key = 0; /* the indentation of the key whose list may come */
    while (rest.n > 0) {
        (void)tn_str_cut(rest, '\n', &line, &rest);
        size_t at = 0;
        while (at < line.n && line.p[at] == ' ') {
            at++;
        }
        bool item = at < line.n && line.p[at] == '-';
        tn_buf_addz(&b, at > 0 || item ? "  " : "");
        tn_buf_addz(&b, item && at > 0 && at == key ? "  " : "");
        key = tn_str_ends(line, TN_STR(":")) ? at + (item ? 2 : 0) : item ? key : 0;
        tn_buf_add(&b, line);
        tn_buf_addc(&b, '\n');
    }
    return tn_buf_str(&b);
}

static tn_rc write_lock(const tn_deps *d, const tn_packs *final, tn_str hash, tn_err *err)
{
    tn_val doc = tn_val_dict(d->arena), list = tn_val_list(d->arena);
    for (size_t i = 0; i < final->n; i++) {
        tn_list_push(list.list, locked_entry(d->arena, final->v[i]));
    }
    tn_dict_putz(doc.dict, "packages", list);
    tn_dict_putz(doc.dict, "sha1_hash", tn_val_str(hash));
    tn_str path = tn_uri_join(d->arena, d->root, tn_str_of(lock_name)), shown;
    TN_TRY(tn_file_write_atomic(path, yaml_text(d->arena, doc), err));
    TN_TRY(tn_file_absolute(d->arena, path, &shown, err));
    say(d, "DepsLockUpdating", "M031", "Updating lock file in file path: " TN_STR_FMT,
        TN_STR_ARG(tn_path_norm(d->arena, shown)));
    return TN_OK;
}

/* ---- the project's own entries ---- */

static tn_rc own_entries(const tn_deps *d, tn_val *ret, tn_val *ret_raw, tn_err *err)
{
    static const char *const files[] = { "packages.yml", "dependencies.yml" };
    bool found = false;
    *ret = *ret_raw = tn_val_list(d->arena);
    for (size_t i = 0; i < TN_COUNTOF(files); i++) {
        tn_val doc, raw;
        tn_str path = tn_uri_join(d->arena, d->root, tn_str_of(files[i]));
        if (!tn_file_exists(path)) {
            continue;
        }
        TN_TRY(d->read(d->self, path, &doc, &raw, err));
        if (i == 0 && !tn_val_is_undef(tn_val_at(doc, "projects"))) {
            return tn_fail(
                err, TN_E_VALUE, "The 'projects' key cannot be specified in packages.yml");
        }
        tn_val list = tn_val_at(doc, "packages");
        if (!tn_val_is_given(list)) {
            continue;
        }
        if (found) {
            return tn_fail(err, TN_E_VALUE,
                "The 'packages' key cannot be specified in both packages.yml and "
                "dependencies.yml");
        }
        if (!tn_val_is_seq(list)) {
            return malformed(d->arena, doc, err);
        }
        found = true;
        *ret = list;
        *ret_raw = tn_val_at(raw, "packages");
    }
    return TN_OK;
}

static tn_str nice_version(tn_arena *a, const tn_pack *p)
{
    switch (p->kind) {
    case TN_PACK_HUB:
        return tn_str_printf(a, "version " TN_STR_FMT, TN_STR_ARG(p->version));
    case TN_PACK_GIT:
        return tn_str_printf(a, "revision " TN_STR_FMT, TN_STR_ARG(p->version));
    case TN_PACK_TARBALL:
        return tn_str_printf(a, "tarball (url: " TN_STR_FMT ")", TN_STR_ARG(p->address));
    default:
        return tn_str_printf(a, "<local @ " TN_STR_FMT ">", TN_STR_ARG(p->address));
    }
}

static tn_rc install_one(tn_fetcher *f, tn_pack *p, tn_buf *outdated, tn_err *err)
{
    const tn_deps *d = f->deps;
    tn_str shown = p->kind == TN_PACK_TARBALL ? p->given
                   : p->below.n > 0           ? tn_uri_join(d->arena, p->address, p->below)
                                              : p->address;
    say(d, "DepsStartPackageInstall", "M014", "Installing " TN_STR_FMT, TN_STR_ARG(shown));
    p->quiet = true;
    TN_TRY(tn_pack_fetch(f, p, err));
    TN_TRY(tn_pack_install(f, p, err));
    say(d, "DepsInstallInfo", "M015", "Installed from " TN_STR_FMT,
        TN_STR_ARG(nice_version(d->arena, p)));
    if (p->kind == TN_PACK_HUB && !tn_str_eq(p->latest, p->version)) {
        say(d, "DepsUpdateAvailable", "M016", "Updated version available: " TN_STR_FMT,
            TN_STR_ARG(p->latest));
        tn_buf_addf(
            outdated, "%s'" TN_STR_FMT "'", outdated->n > 0 ? ", " : "", TN_STR_ARG(p->address));
    } else if (p->kind == TN_PACK_HUB) {
        say(d, "DepsUpToDate", "M017", "Up to date!");
    }
    if (p->below.n > 0) {
        say(d, "DepsListSubdirectory", "M018", "and subdirectory " TN_STR_FMT,
            TN_STR_ARG(p->below));
    }
    return TN_OK;
}

static tn_rc install_locked(tn_fetcher *f, tn_err *err)
{
    const tn_deps *d = f->deps;
    tn_val doc, raw;
    tn_packs packs = { 0 };
    tn_buf outdated = tn_buf_init(d->arena, 1 << 20);
    TN_TRY(tn_file_remove_tree(d->install_path, err));
    TN_TRY(tn_dir_make(d->install_path, err));
    TN_TRY(d->read(d->self, tn_uri_join(d->arena, d->root, tn_str_of(lock_name)), &doc, &raw, err));
    TN_TRY(packs_of(d->arena, tn_val_at(doc, "packages"), tn_val_at(raw, "packages"), &packs, err));
    for (size_t i = 0; i < packs.n; i++) {
        TN_TRY(install_one(f, packs.v[i], &outdated, err));
    }
    if (outdated.n > 0) {
        say(d, "Formatting", "Z017", "%s", "");
        say(d, "DepsNotifyUpdatesAvailable", "M019",
            "Updates available for packages: [" TN_STR_FMT
            "]                 \nUpdate your versions in packages.yml, then run dbt deps",
            TN_STR_ARG(tn_buf_str(&outdated)));
    }
    return TN_OK;
}

static tn_rc lock_is_stale(const tn_deps *d, tn_str hash, bool *ret, tn_err *err)
{
    tn_val doc, raw;
    tn_str path = tn_uri_join(d->arena, d->root, tn_str_of(lock_name));
    *ret = d->upgrade || !tn_file_exists(path);
    if (*ret) {
        return TN_OK;
    }
    TN_TRY(d->read(d->self, path, &doc, &raw, err));
    *ret = !tn_str_eq(tn_val_str_at(raw, "sha1_hash", TN_STR_NONE), hash);
    return TN_OK;
}

static tn_rc run_with(tn_fetcher *f, tn_err *err)
{
    const tn_deps *d = f->deps;
    tn_val list, raw;
    tn_packs pending = { 0 }, final = { 0 };
    bool stale;
    TN_TRY(own_entries(d, &list, &raw, err));
    tn_str hash = hash_of(d->arena, list, raw);
    TN_TRY(lock_is_stale(d, hash, &stale, err));
    if (list.list->n == 0) {
        say(d, "DepsNoPackagesFound", "M013", "Warning: No packages were found in packages.yml");
        return TN_OK;
    }
    if (stale) {
        TN_TRY(packs_of(d->arena, list, raw, &pending, err));
        TN_TRY(resolve(f, pending, &final, err));
        TN_TRY(write_lock(d, &final, hash, err));
    }
    return d->lock_only ? TN_OK : install_locked(f, err);
}

tn_rc tn_deps_run(const tn_deps *d, tn_err *err)
{
    tn_fetcher f = { .deps = d, .hub = tn_map_init(d->arena) };
    TN_TRY(tn_file_temp_dir(d->arena, "packages", &f.scratch, err));
    tn_rc rc = run_with(&f, err);
    tn_fetcher_close(&f);
    return rc;
}

/* ---- --add-package ---- */

/* "dbt_utils" is in "dbt-labs/dbt_utils" and "https://x/dbt-utils.git", and not in "dbt_utils_more". */
static bool names(tn_arena *a, tn_str address, tn_str name)
{
    tn_str flat = tn_str_replace(a, address, TN_STR("-"), TN_STR("_"));
    name = tn_str_replace(a, tn_path_base(name), TN_STR("-"), TN_STR("_"));
    size_t at = tn_str_find(flat, name, 0);
    if (at == SIZE_MAX) {
        return false;
    }
    size_t end = at + name.n;
    bool starts = at == 0 || flat.p[at - 1] == '/' || flat.p[at - 1] == '.';
    return starts && (end == flat.n || flat.p[end] == '/' || flat.p[end] == '.');
}

static tn_val new_entry(tn_arena *a, tn_str name, tn_str version, tn_str source)
{
    tn_val d = tn_val_dict(a), list = tn_val_list(a);
    bool hub = tn_str_is(source, "hub"), git = tn_str_is(source, "git");
    tn_dict_puts(d.dict, hub ? TN_STR("package") : source, tn_val_str(name));
    tn_strs bounds = words_of(a, tn_val_str(version));
    for (size_t i = 0; i < bounds.n; i++) {
        tn_list_push(list.list, tn_val_str(bounds.v[i]));
    }
    if (version.n > 0) {
        tn_dict_putz(
            d.dict, git ? "revision" : "version", bounds.n > 1 ? list : tn_val_str(version));
    }
    return d;
}

tn_rc tn_deps_add(const tn_deps *d, tn_str package, tn_str source, tn_err *err)
{
    static const char *const keys[] = { "package", "git", "local", "tarball", "private" };
    tn_str name = package, version = TN_STR_NONE,
           path = tn_uri_join(d->arena, d->root, TN_STR("packages.yml"));
    size_t at = tn_str_rfind_char(package, '@');
    if (at != SIZE_MAX && at > 0) {
        name = tn_str_sub(package, 0, at);
        version = tn_str_sub(package, at + 1, package.n);
    }
    tn_val rendered, doc = tn_val_dict(d->arena), kept = tn_val_list(d->arena);
    if (tn_file_exists(path)) {
        TN_TRY(d->read(d->self, path, &rendered, &doc, err));
    } else {
        say(d, "Formatting", "Z017", "Created packages.yml");
    }
    doc = doc.tag == TN_DICT ? doc : tn_val_dict(d->arena);
    tn_val list = tn_val_at(doc, "packages");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        bool same = false;
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            tn_str old = tn_val_str_at(list.list->v[i], keys[k], TN_STR_NONE);
            same = same || (old.n > 0 && names(d->arena, old, name));
        }
        if (same) {
            say(d, "DepsFoundDuplicatePackage", "M033",
                "Found duplicate package in packages.yml, removing: " TN_STR_FMT,
                TN_STR_ARG(tn_val_to_repr(d->arena, list.list->v[i])));
        } else {
            tn_list_push(kept.list, list.list->v[i]);
        }
    }
    tn_list_push(kept.list, new_entry(d->arena, name, version, source));
    tn_dict_putz(doc.dict, "packages", kept);
    TN_TRY(tn_file_write_atomic(path, yaml_text(d->arena, doc), err));
    tn_str shown;
    TN_TRY(tn_file_absolute(d->arena, path, &shown, err));
    say(d, "DepsAddPackage", "M032",
        "Added new package " TN_STR_FMT "@" TN_STR_FMT " to " TN_STR_FMT, TN_STR_ARG(name),
        TN_STR_ARG(version.n > 0 ? version : TN_STR("None")),
        TN_STR_ARG(tn_path_norm(d->arena, shown)));
    return TN_OK;
}
