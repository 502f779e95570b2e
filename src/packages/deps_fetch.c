/* deps_fetch.c: brings one package's files: a link, a clone, an archive. Downloads lie in a scratch folder of the run. */
#include "packages/deps.h"

#include "http/client.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/uri.h"

enum { GIT_OUTPUT_BYTES_MAX = 1 << 20, DOWNLOAD_BYTES_MAX = 512 << 20, REDIRECTS_MAX = 8 };

void tn_fetcher_close(tn_fetcher *f)
{
    tn_http_close(f->http);
    f->http = NULL;
}

/* ---- http ---- */

static tn_str where_to(tn_arena *a, tn_str from, tn_str location)
{
    if (tn_str_find(location, TN_STR("://"), 0) != SIZE_MAX || location.n == 0) {
        return location;
    }
    size_t host = tn_str_find(from, TN_STR("://"), 0);
    size_t path = host == SIZE_MAX ? 0 : tn_str_find_char(from, '/', host + 3);
    tn_str base = tn_str_sub(from, 0, path == SIZE_MAX ? from.n : path);
    return location.p[0] == '/' ? tn_str_concat(a, base, location)
                                : tn_uri_join(a, tn_path_dir(from), location);
}

static tn_rc fetch_one(tn_fetcher *f, tn_str url, tn_http_response *ret, tn_err *err)
{
    if (f->http == NULL) {
        tn_http_opts opts = { .ca_file = f->deps->ca_file, .retries_max = 4 };
        TN_TRY(tn_http_open(&opts, &f->http, err));
    }
    tn_http_request req = { .method = "GET", .url = url, .bytes_max = DOWNLOAD_BYTES_MAX };
    return tn_http_send(f->http, f->deps->arena, &req, ret, err);
}

tn_rc tn_fetch_url(tn_fetcher *f, tn_str url, tn_str *ret, tn_err *err)
{
    for (int i = 0; i < REDIRECTS_MAX; i++) {
        tn_http_response r = { 0 };
        if (!tn_str_starts(url, TN_STR("http://")) && !tn_str_starts(url, TN_STR("https://"))) {
            return tn_fail(
                err, TN_E_VALUE, "'" TN_STR_FMT "' is no http(s) address", TN_STR_ARG(url));
        }
        TN_TRY(fetch_one(f, url, &r, err));
        if (r.status >= 300 && r.status < 400) {
            url = where_to(f->deps->arena, url, tn_http_header_get(&r.headers, "location"));
            continue;
        }
        *ret = r.body;
        return r.status == 200 ? TN_OK
                               : tn_fail(err, r.status == 404 ? TN_E_NOTFOUND : TN_E_NET,
                                     "GET " TN_STR_FMT ": status %d", TN_STR_ARG(url), r.status);
    }
    return tn_fail(err, TN_E_NET, "'" TN_STR_FMT "' leads in circles", TN_STR_ARG(url));
}

/* ---- git ---- */

/* What git says when it fails is told in dbt's words, its own below them. */
static tn_rc run_git(tn_arena *a, const tn_pack *p, tn_str revision, const char *const *argv,
    tn_str *ret, tn_err *err)
{
    int status = 0;
    tn_rc rc = tn_proc_run_quietly(a, argv, GIT_OUTPUT_BYTES_MAX, &status, ret, err);
    if (rc != TN_OK) {
        return tn_hint(err, rc, "git: packages need the git program on the path");
    }
    return status == 0
               ? TN_OK
               : tn_fail(err, TN_E_NET,
                     "Internal Error\nError checking out spec='" TN_STR_FMT "' for repo " TN_STR_FMT
                     "\n" TN_STR_FMT,
                     TN_STR_ARG(revision), TN_STR_ARG(p->address), TN_STR_ARG(tn_str_trim(*ret)));
}

static tn_rc no_option(tn_str word, const char *what, tn_err *err)
{
    return tn_str_starts(word, TN_STR("-"))
               ? tn_fail(err, TN_E_VALUE, "'" TN_STR_FMT "' is no %s", TN_STR_ARG(word), what)
               : TN_OK;
}

static void warn_unpinned(const tn_fetcher *f, const tn_pack *p, tn_str revision)
{
    bool head = tn_str_is(revision, "HEAD");
    if (p->quiet || (!head && !tn_str_is(revision, "main") && !tn_str_is(revision, "master"))) {
        return;
    }
    tn_str how = head ? TN_STR("not pinned, using HEAD (default branch)")
                      : tn_str_printf(f->deps->arena, "pinned to the \"" TN_STR_FMT "\" branch",
                            TN_STR_ARG(revision));
    f->deps->say(f->deps->self, true, "DepsUnpinned", "M029",
        tn_str_printf(f->deps->arena,
            "The git package \"" TN_STR_FMT "\" \n\tis " TN_STR_FMT
            ".\n\tThis can introduce breaking changes into your project without warning!",
            TN_STR_ARG(p->address), TN_STR_ARG(how)));
}

/* The newest commit only, and of it the package's folder only when it lies below, as dbt asks for them: repositories may be large. */
static tn_rc clone_newest(tn_arena *a, const tn_pack *p, tn_str clone, tn_err *err)
{
    tn_str out, none = TN_STR("None"); /* no revision yet */
    const char *address = tn_str_z(a, p->address), *into = tn_str_z(a, clone);
    const char *whole[] = { "git", "clone", "--quiet", "--depth", "1", "--", address, into, NULL };
    const char *sparse[] = { "git", "clone", "--quiet", "--depth", "1", "--filter=blob:none",
        "--sparse", "--", address, into, NULL };
    const char *narrow[] = { "git", "-C", into, "sparse-checkout", "set", tn_str_z(a, p->below),
        NULL };
    if (p->below.n == 0) {
        return run_git(a, p, none, whole, &out, err);
    }
    TN_TRY(no_option(p->below, "subdirectory", err));
    TN_TRY(run_git(a, p, none, sparse, &out, err));
    return run_git(a, p, none, narrow, &out, err);
}

/* A commit by all of its 40 digits, a tag, or else a branch: what the other side gives under this name. */
static tn_rc check_out(tn_arena *a, const tn_pack *p, tn_str clone, tn_str revision, tn_err *err)
{
    tn_str out;
    const char *fetch[] = { "git", "-C", tn_str_z(a, clone), "fetch", "--quiet", "--depth", "1",
        "origin", tn_str_z(a, revision), NULL };
    const char *take[] = { "git", "-C", tn_str_z(a, clone), "reset", "--quiet", "--hard",
        "FETCH_HEAD", NULL };
    TN_TRY(run_git(a, p, revision, fetch, &out, err));
    return run_git(a, p, revision, take, &out, err);
}

static tn_rc fetch_git(tn_fetcher *f, tn_pack *p, tn_err *err)
{
    tn_arena *a = f->deps->arena;
    tn_str out, revision = p->wanted.n > 0 ? p->wanted.v[0] : TN_STR("HEAD");
    for (size_t i = 1; i < p->wanted.n; i++) {
        if (!tn_str_eq(p->wanted.v[i], revision)) {
            return tn_fail(err, TN_E_VALUE,
                "git dependencies should contain exactly one version. " TN_STR_FMT
                " contains: {'" TN_STR_FMT "', '" TN_STR_FMT "'}",
                TN_STR_ARG(p->key), TN_STR_ARG(revision), TN_STR_ARG(p->wanted.v[i]));
        }
    }
    TN_TRY(no_option(p->address, "address of a git repository", err));
    TN_TRY(no_option(revision, "revision", err));
    tn_str clone = tn_str_printf(a, TN_STR_FMT "/git%zu", TN_STR_ARG(f->scratch), f->serial++);
    const char *commit[] = { "git", "-C", tn_str_z(a, clone), "rev-parse", "HEAD", NULL };
    TN_TRY(clone_newest(a, p, clone, err));
    if (!tn_str_is(revision, "HEAD")) {
        TN_TRY(check_out(a, p, clone, revision, err));
    }
    TN_TRY(run_git(a, p, revision, commit, &out, err));
    warn_unpinned(f, p, revision);
    p->version = tn_str_dup(a, tn_str_trim(out));
    p->folder = p->below.n > 0 ? tn_uri_join(a, clone, p->below) : clone;
    return TN_OK;
}

/* ---- archives ---- */

static tn_rc unpack(tn_fetcher *f, tn_str url, tn_str *ret_folder, tn_err *err)
{
    tn_arena *a = f->deps->arena;
    tn_str packed, top,
        folder = tn_str_printf(a, TN_STR_FMT "/tar%zu", TN_STR_ARG(f->scratch), f->serial++);
    TN_TRY(tn_fetch_url(f, url, &packed, err));
    TN_TRY(tn_dir_make(folder, err));
    tn_rc rc = tn_untar(a, packed, folder, &top, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "unpacking '" TN_STR_FMT "'", TN_STR_ARG(url));
    }
    *ret_folder = tn_uri_join(a, folder, top);
    return TN_OK;
}

/* ---- what the package says of itself ---- */

static tn_rc read_metadata(tn_fetcher *f, tn_pack *p, tn_err *err)
{
    const tn_deps *d = f->deps;
    tn_val doc, raw;
    static const char *const files[] = { "packages.yml", "dependencies.yml" };
    tn_rc rc = d->read(
        d->self, tn_uri_join(d->arena, p->folder, TN_STR("dbt_project.yml")), &doc, &raw, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "the package '" TN_STR_FMT "'", TN_STR_ARG(p->address));
    }
    p->name = p->given.n > 0 ? p->given : tn_val_str_at(raw, "name", TN_STR_NONE);
    p->packages = p->packages_raw = TN_VAL_UNDEF;
    for (size_t i = 0; i < TN_COUNTOF(files); i++) {
        tn_str path = tn_uri_join(d->arena, p->folder, tn_str_of(files[i]));
        if (tn_file_exists(path)) {
            TN_TRY(d->read(d->self, path, &doc, &raw, err));
            if (tn_val_is_seq(tn_val_at(doc, "packages"))) {
                p->packages = tn_val_at(doc, "packages");
                p->packages_raw = tn_val_at(raw, "packages");
            }
        }
    }
    return TN_OK;
}

static tn_rc check_name(const tn_pack *p, tn_err *err)
{
    bool plain = p->name.n > 0 && p->name.p[0] != '.' &&
                 tn_str_find_char(p->name, '/', 0) == SIZE_MAX &&
                 tn_str_find_char(p->name, '\\', 0) == SIZE_MAX;
    return plain ? TN_OK
                 : tn_fail(err, TN_E_VALUE,
                       "Invalid package name '" TN_STR_FMT
                       "': resolves outside of the packages-install-path",
                       TN_STR_ARG(p->name));
}

tn_rc tn_pack_fetch(tn_fetcher *f, tn_pack *p, tn_err *err)
{
    switch (p->kind) {
    case TN_PACK_HUB:
        TN_TRY(tn_hub_resolve(f, p, err));
        return check_name(p, err);
    case TN_PACK_GIT:
        TN_TRY(fetch_git(f, p, err));
        break;
    case TN_PACK_TARBALL:
        TN_TRY(unpack(f, p->address, &p->folder, err));
        break;
    default:
        p->folder = tn_uri_join(f->deps->arena, f->deps->root, p->address);
        break;
    }
    TN_TRY(read_metadata(f, p, err));
    return check_name(p, err);
}

tn_rc tn_pack_install(tn_fetcher *f, tn_pack *p, tn_err *err)
{
    static const char *const not_needed[] = { ".git", NULL };
    tn_arena *a = f->deps->arena;
    tn_str target = tn_uri_join(a, f->deps->install_path, p->name), own;
    TN_TRY(check_name(p, err));
    TN_TRY(tn_file_remove_tree(target, err));
    if (p->kind == TN_PACK_LOCAL) {
        TN_TRY(tn_file_real(a, p->folder, &own, err));
        return tn_file_link_to(own, target, err);
    }
    if (p->kind == TN_PACK_HUB) {
        tn_rc rc = unpack(f, p->tarball, &p->folder, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "the package '" TN_STR_FMT "'", TN_STR_ARG(p->address));
        }
    }
    return tn_dir_copy(p->folder, target, not_needed, err);
}
