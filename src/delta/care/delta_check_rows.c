/* delta_check_rows.c: are the ids of rows sound ("Row Tracking")? A file of n rows from base row id b on has the ids b .. b + n - 1. */
#include "delta/action/delta_action.h"
#include "delta/action/delta_stats.h"
#include "delta/care/delta_check.h"
#include "delta/log/delta_rows.h"

static int by_id(const void *x, const void *y)
{
    const tn_delta_file *const *a = x;
    const tn_delta_file *const *b = y;
    return ((*a)->base_row_id > (*b)->base_row_id) - ((*a)->base_row_id < (*b)->base_row_id);
}

static void check_one(tn_delta_checking *c, const tn_delta_file *f, int64_t mark)
{
    int64_t rows = tn_delta_stats_rows(f);
    if (rows > 0 && f->base_row_id + rows - 1 > mark) {
        tn_delta_tell(c, true, "row ids", f->path, "they go to %lld, the table's mark is %lld",
            (long long)(f->base_row_id + rows - 1), (long long)mark);
    }
    if (f->default_row_commit_version > c->s->version) {
        tn_delta_tell(c, true, "row ids", f->path, "its rows are of version %lld, which is to come",
            (long long)f->default_row_commit_version);
    }
}

void tn_delta_check_row_ids(tn_delta_checking *c)
{
    const tn_delta_snapshot *s = c->s;
    if (!tn_delta_has_feature(&s->protocol, "rowTracking")) {
        return;
    }
    bool all = tn_delta_property_is(&s->meta, "delta.enableRowTracking", "true");
    int64_t mark = tn_delta_rows_high_water(&s->domains);
    const tn_delta_file **files = tn_arena_alloc(c->tmp, (s->files.n + 1) * sizeof *files);
    size_t n = 0;
    for (size_t i = 0; i < s->files.n; i++) {
        const tn_delta_file *f = &s->files.v[i];
        if (f->base_row_id != TN_DELTA_ABSENT) {
            files[n++] = f;
            check_one(c, f, mark);
        } else if (all) {
            tn_delta_tell(c, true, "row ids", f->path, "the log has none for its rows");
        }
    }
    qsort(files, n, sizeof *files, by_id);
    for (size_t i = 1; i < n; i++) {
        int64_t rows = tn_delta_stats_rows(files[i - 1]);
        if (rows > 0 && files[i - 1]->base_row_id + rows > files[i]->base_row_id) {
            tn_delta_tell(c, true, "row ids", files[i]->path,
                "they begin with %lld, which '" TN_STR_FMT "' has, too",
                (long long)files[i]->base_row_id, TN_STR_ARG(files[i - 1]->path));
        }
    }
}
