/* deps.h: the packages that a dbt project names in packages.yml or dependencies.yml: resolving, package-lock.yml, installing.
 *
 * Four kinds of entries: `local:` (a folder, installed as a link), `git:` (with revision and subdirectory; the git program does it), `tarball:` with a
 * name, and `package:` of a hub with a version or a list of bounds. Packages of packages are followed; what two of them ask of the same package is
 * put together. The result is package-lock.yml, with the SHA-1 over the entries as dbt computes it, so that either program takes the other's lock.
 *
 * Hub: GET <hub>api/v1/<owner>/<name>.json, {"name", "versions": {"1.0.0": {"packages", "downloads": {"tarball"}, "require_dbt_version"}}}.
 */
#ifndef TN_PACKAGES_DEPS_H
#define TN_PACKAGES_DEPS_H

#include "base/err.h"
#include "base/map.h"
#include "base/val.h"
#include "base/vec.h"

typedef struct tn_deps {
    tn_arena *arena;
    tn_str root;         /* of the project */
    tn_str project_name; /* no package may have it */
    tn_str install_path; /* where packages go: opened as it is */
    tn_str hub;          /* with a '/' at the end */
    tn_str ca_file;
    bool upgrade;     /* resolve anew though the lock fits */
    bool lock_only;   /* install nothing */
    bool any_version; /* --no-version-check: also versions that another dbt needs */
    /* Reads a YAML file; rendered: with env_var() and var() done; raw: as written. */
    tn_rc (*read)(void *self, tn_str path, tn_val *ret_rendered, tn_val *ret_raw, tn_err *err);
    void (*say)(void *self, bool warn, const char *event, const char *code, tn_str msg);
    void *self;
} tn_deps;

/* `deps`: writes the lock when it is absent, stale or to be upgraded, and installs what it says. */
tn_rc tn_deps_run(const tn_deps *d, tn_err *err) TN_MUSTUSE;
/* `deps --add-package NAME[@VERSION]`, source: hub, git, local or tarball: one more entry in packages.yml, in the place of others of that name. */
tn_rc tn_deps_add(const tn_deps *d, tn_str package, tn_str source, tn_err *err) TN_MUSTUSE;
/* The version of dbt whose require_dbt_version bounds count. */
#define TN_DEPS_DBT_VERSION "1.12.6"

/* ---- versions (deps_version.c): x.y.z[-pre][+build], bounds =, >, >=, <, <= before it ---- */
bool tn_version_is(tn_str text);            /* a version or a bound */
int tn_version_cmp(tn_str a, tn_str b);     /* by semantic versioning; both are versions */
bool tn_version_is_prerelease(tn_str text); /* has a "-pre" part */
bool tn_version_fits(tn_str version, tn_str bound);

/* ---- archives (deps_untar.c) ---- */
/* Unpacks a .tar.gz below `folder`: files and folders only. Names that lead out of it are TN_E_DATA. *ret_top: the one folder that all is in. */
tn_rc tn_untar(tn_arena *a, tn_str packed, tn_str folder, tn_str *ret_top, tn_err *err) TN_MUSTUSE;

/* ---- one package (deps_fetch.c) ---- */
typedef enum tn_pack_kind { TN_PACK_LOCAL, TN_PACK_GIT, TN_PACK_TARBALL, TN_PACK_HUB } tn_pack_kind;

typedef struct tn_pack {
    tn_pack_kind kind;
    tn_str key;      /* what makes two entries the same package */
    tn_str address;  /* folder, URL, or owner/name */
    tn_str raw;      /* the address as written: what the lock keeps */
    tn_str given;    /* tarball: its name */
    tn_str below;    /* git: subdirectory */
    tn_strs wanted;  /* git: revisions; hub: bounds */
    bool prerelease; /* hub: these too */
    bool quiet;      /* git: warn-unpinned: false */
    /* after tn_pack_fetch */
    tn_str version;                /* git: the commit; hub: the version */
    tn_str latest;                 /* hub: the newest that fits this dbt */
    tn_str folder;                 /* where its files are; hub: empty until installed */
    tn_str tarball;                /* hub: URL of that version */
    tn_str name;                   /* of its project */
    tn_val packages, packages_raw; /* its own entries, rendered and raw */
} tn_pack;

struct tn_http;
typedef struct tn_fetcher {
    const tn_deps *deps;
    struct tn_http *http; /* opened at first use */
    tn_str scratch;       /* folder of downloads */
    tn_map hub;           /* package -> tn_val *: its JSON */
    size_t serial;
} tn_fetcher;
tn_rc tn_pack_fetch(tn_fetcher *f, tn_pack *p, tn_err *err) TN_MUSTUSE;
tn_rc tn_pack_install(tn_fetcher *f, tn_pack *p, tn_err *err) TN_MUSTUSE;
void tn_fetcher_close(tn_fetcher *f);
/* The answer's body; redirects are followed. */
tn_rc tn_fetch_url(tn_fetcher *f, tn_str url, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* deps_hub.c */
tn_rc tn_hub_resolve(tn_fetcher *f, tn_pack *p, tn_err *err) TN_MUSTUSE;

#endif
