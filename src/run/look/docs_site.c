/* docs_site.c: the documentation site in the target folder: index.html, the project's assets, and the same in one file.
 *
 * index.html (res/docs/) reads manifest.json and catalog.json beside it. In static_index.html they stand in the page, in two elements that the
 * page looks for first: <script type="application/json" id="manifest.json">. "<" is written \u003c there: the same JSON, and no HTML.
 */
#include "base/res.h"
#include "os/file.h"
#include "run/run.h"
#include "text/uri.h"

enum { STATIC_BYTES_MAX = 1 << 30 };
static const char slot[] = "<!-- artifacts -->";

static tn_str at_target(tn_arena *a, const tn_project *p, const char *name)
{
    return tn_uri_join(a, p->target_path, tn_str_of(name));
}

tn_rc tn_docs_write_site(const tn_project *p, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("site", NULL);
    TN_TRY(tn_dir_make(p->target_path, err));
    TN_TRY(tn_file_write_atomic(
        at_target(a, p, "index.html"), tn_res_find(TN_STR("docs/index.html")), err));
    for (size_t i = 0; i < p->package->asset_paths.n; i++) {
        tn_str own = tn_uri_join(a, p->root, p->package->asset_paths.v[i]),
               copy = tn_uri_join(a, p->target_path, p->package->asset_paths.v[i]);
        if (tn_file_is_dir(own)) {
            TN_TRY(tn_file_remove_tree(copy, err));
            TN_TRY(tn_dir_copy(own, copy, NULL, err));
        }
    }
    return TN_OK;
}

static tn_rc add_artifact(tn_buf *b, const tn_project *p, const char *name, tn_err *err)
{
    tn_str text;
    TN_TRY(tn_file_read(b->arena, at_target(b->arena, p, name), STATIC_BYTES_MAX, &text, err));
    tn_buf_addf(b, "<script type=\"application/json\" id=\"%s\">", name);
    tn_buf_add(b, tn_str_replace(b->arena, text, TN_STR("<"), TN_STR("\\u003c")));
    tn_buf_addz(b, "</script>\n");
    return TN_OK;
}

tn_rc tn_docs_write_static(const tn_project *p, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("site", NULL);
    tn_buf b = tn_buf_init(a, STATIC_BYTES_MAX);
    tn_str page = tn_res_find(TN_STR("docs/index.html")), whole;
    size_t at = tn_str_find(page, tn_str_of(slot), 0);
    TN_CHECK(at != SIZE_MAX);
    tn_buf_add(&b, tn_str_sub(page, 0, at));
    TN_TRY(add_artifact(&b, p, "manifest.json", err));
    TN_TRY(add_artifact(&b, p, "catalog.json", err));
    tn_buf_add(&b, tn_str_sub(page, at + sizeof slot - 1, page.n));
    TN_TRY(tn_buf_finish(&b, "static_index.html", &whole, err));
    return tn_file_write_atomic(at_target(a, p, "static_index.html"), whole, err);
}
