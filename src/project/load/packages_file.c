/* packages_file.c: packages.yml, dependencies.yml and package-lock.yml as the installer of packages sees them: rendered with env_var() (secret
 * variables too) and var(), and as written. No profile is needed. */
#include "os/file.h"
#include "os/proc.h"
#include "project/load/load_priv.h"
#include "text/uri.h"

typedef struct package_render {
    tn_pctx ctx;
    const char *file;
} package_render;

static tn_rc render_text(
    void *self, tn_str text, const tn_val *path, size_t depth, tn_val *ret, tn_err *err)
{
    package_render *r = self;
    (void)path, (void)depth;
    if (!tn_text_has_jinja(text)) {
        *ret = tn_val_str(text);
        return TN_OK;
    }
    TN_TRY(tn_pctx_render_native(&r->ctx, text, (tn_jinja_src){ r->file, 0 }, ret, err));
    if (tn_val_is_str(*ret)) {
        *ret = tn_val_str(tn_secret_restore(r->ctx.arena, tn_val_as_str(*ret)));
    }
    return TN_OK;
}

tn_rc tn_project_read_packages(
    tn_project *p, tn_str path, tn_val *ret_rendered, tn_val *ret_raw, tn_err *err)
{
    tn_str text;
    package_render r = { .file = tn_str_z(p->arena, path) };
    tn_yaml_opts yo = { .file = r.file };
    TN_TRY(tn_file_read(p->arena, path, TN_PROJECT_FILE_BYTES_MAX, &text, err));
    TN_TRY(tn_yaml_parse(p->arena, text, &yo, ret_raw, err));
    *ret_rendered = *ret_raw;
    if (tn_str_is(tn_path_base(path), "dbt_project.yml")) {
        return TN_OK; /* only the name is looked at, which is no template */
    }
    TN_TRY(tn_yaml_context(&r.ctx, p, NULL, true, p->arena, err));
    return tn_value_render(p->arena, *ret_raw, render_text, &r, ret_rendered, err);
}
