/* deps_hub.c: which version of a hub's package is taken: the newest that all bounds allow and that this dbt may use. */
#include "packages/deps.h"
#include "text/json.h"

static tn_rc hub_entry(tn_fetcher *f, tn_str package, tn_val *ret, tn_err *err)
{
    tn_arena *a = f->deps->arena;
    const tn_val *known = tn_map_find(&f->hub, package);
    if (known != NULL) {
        *ret = *known;
        return TN_OK;
    }
    tn_str text, url = tn_str_printf(a, TN_STR_FMT "api/v1/" TN_STR_FMT ".json",
                     TN_STR_ARG(f->deps->hub), TN_STR_ARG(package));
    tn_rc rc = tn_fetch_url(f, url, &text, err);
    if (rc == TN_E_NOTFOUND) {
        return tn_fail(err, rc, "Package " TN_STR_FMT " was not found in the package index",
            TN_STR_ARG(package));
    }
    rc = rc == TN_OK ? tn_json_parse(a, text, ret, err) : rc;
    if (rc != TN_OK) {
        return tn_while(err, rc, "asking the hub for '" TN_STR_FMT "'", TN_STR_ARG(package));
    }
    if (tn_val_at(*ret, "versions").tag != TN_DICT) {
        return tn_fail(err, TN_E_DATA, "the hub's answer for '" TN_STR_FMT "' has no versions",
            TN_STR_ARG(package));
    }
    tn_val *kept = tn_new(a, tn_val);
    *kept = *ret;
    tn_map_put(&f->hub, package, kept);
    return TN_OK;
}

static bool this_dbt_fits(tn_val info)
{
    tn_val need = tn_val_at(info, "require_dbt_version");
    if (tn_val_is_str(need)) {
        return tn_version_fits(TN_STR(TN_DEPS_DBT_VERSION), tn_val_as_str(need));
    }
    for (size_t i = 0; tn_val_is_seq(need) && i < need.list->n; i++) {
        if (!tn_version_fits(TN_STR(TN_DEPS_DBT_VERSION), tn_val_as_str(need.list->v[i]))) {
            return false;
        }
    }
    return true;
}

static tn_rc check_bounds(const tn_pack *p, tn_err *err)
{
    tn_str exact = TN_STR_NONE;
    for (size_t i = 0; i < p->wanted.n; i++) {
        tn_str w = p->wanted.v[i];
        if (!tn_version_is(w)) {
            return tn_fail(err, TN_E_VALUE, "\"" TN_STR_FMT "\" is not a valid semantic version.",
                TN_STR_ARG(w));
        }
        bool bound = w.p[0] == '<' || w.p[0] == '>';
        tn_str bare = w.p[0] == '=' ? tn_str_sub(w, 1, w.n) : w;
        if (!bound && exact.n > 0 && tn_version_cmp(exact, bare) != 0) {
            return tn_fail(err, TN_E_VALUE,
                "Version error for package " TN_STR_FMT
                ": Could not find a satisfactory version from options: ['=" TN_STR_FMT
                "', '=" TN_STR_FMT "']",
                TN_STR_ARG(p->address), TN_STR_ARG(exact), TN_STR_ARG(bare));
        }
        exact = bound ? exact : bare;
    }
    return TN_OK;
}

static bool fits_all(const tn_pack *p, tn_str version)
{
    for (size_t i = 0; i < p->wanted.n; i++) {
        if (!tn_version_fits(version, p->wanted.v[i])) {
            return false;
        }
    }
    return true;
}

static tn_rc none_fits(const tn_fetcher *f, const tn_pack *p, const tn_strs *usable, tn_err *err)
{
    tn_arena *a = f->deps->arena;
    tn_buf range = tn_buf_init(a, 4096), list = tn_buf_init(a, 1 << 16);
    for (size_t i = 0; i < p->wanted.n; i++) {
        tn_buf_addf(&range, "%s'" TN_STR_FMT "'", i > 0 ? ", " : "", TN_STR_ARG(p->wanted.v[i]));
    }
    for (size_t i = 0; i < usable->n; i++) {
        tn_buf_addf(&list, "%s'" TN_STR_FMT "'", i > 0 ? ", " : "", TN_STR_ARG(usable->v[i]));
    }
    tn_rc rc = tn_fail(err, TN_E_VALUE,
        "Could not find a matching compatible version for package " TN_STR_FMT
        "\n  Requested range: [" TN_STR_FMT "]\n  Compatible versions: [" TN_STR_FMT "]",
        TN_STR_ARG(p->address), TN_STR_ARG(tn_buf_str(&range)), TN_STR_ARG(tn_buf_str(&list)));
    return f->deps->any_version
               ? rc
               : tn_hint(err, rc,
                     "versions for another dbt are not shown: `--no-version-check` takes them too");
}

/* Sorted by version, those that may be installed at all. */
static tn_strs usable_versions(const tn_fetcher *f, const tn_pack *p, const tn_dict *versions)
{
    tn_strs out = { 0 };
    bool pre = p->prerelease;
    for (size_t i = 0; i < p->wanted.n; i++) {
        pre = pre || tn_version_is_prerelease(p->wanted.v[i]);
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(versions, &at)) != NULL) {
        tn_str v = tn_val_as_str(it->key);
        if (!tn_version_is(v) || (!pre && tn_version_is_prerelease(v)) ||
            (!f->deps->any_version && !this_dbt_fits(it->value))) {
            continue;
        }
        tn_vec_push(&out, f->deps->arena, v);
        for (size_t k = out.n - 1; k > 0 && tn_version_cmp(out.v[k - 1], v) > 0; k--) {
            out.v[k] = out.v[k - 1];
            out.v[k - 1] = v;
        }
    }
    return out;
}

tn_rc tn_hub_resolve(tn_fetcher *f, tn_pack *p, tn_err *err)
{
    tn_val entry;
    TN_TRY(check_bounds(p, err));
    TN_TRY(hub_entry(f, p->address, &entry, err));
    tn_val versions = tn_val_at(entry, "versions");
    tn_strs usable = usable_versions(f, p, versions.dict);
    p->version = TN_STR_NONE;
    for (size_t i = 0; i < usable.n; i++) {
        p->version = fits_all(p, usable.v[i]) ? usable.v[i] : p->version;
    }
    if (p->version.n == 0) {
        return none_fits(f, p, &usable, err);
    }
    p->latest = usable.v[usable.n - 1];
    tn_val info = *tn_dict_finds(versions.dict, p->version);
    p->name = tn_val_str_at(info, "name", tn_val_str_at(entry, "name", TN_STR_NONE));
    p->tarball = tn_val_str_at(tn_val_at(info, "downloads"), "tarball", TN_STR_NONE);
    p->packages = p->packages_raw = tn_val_at(info, "packages");
    return TN_OK;
}
