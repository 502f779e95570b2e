/* delta_repair.c: takes the entries of files that are gone out of the log, so that the rest of the table can be read again.
 *
 * An entry goes when its data file, or the file of its deletion vector, is not there: without its vector a file would show deleted rows. Nothing on disk is
 * touched. A vector that is there but damaged is a matter for tn_delta_check, which reports it.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "os/clock.h"
#include "os/parallel.h"

enum { HEADS_AT_ONCE = 16 };

typedef struct repair {
    tn_delta_table *t;
    tn_arena *a;   /* of the result */
    tn_arena *tmp; /* of the work */
    const tn_delta_snapshot *s;
    tn_map listed; /* keys below the root */
    tn_strs places;
    bool *gone; /* of each place */
    tn_delta_repair_result out;
} repair;

static tn_rc list_all(repair *r, tn_err *err)
{
    tn_store_items items = { 0 };
    tn_store_list_opts all = { .flat = true };
    TN_TRY(tn_store_list(r->t->store, r->tmp, &all, &items, err));
    r->listed = tn_map_init(r->tmp);
    for (size_t i = 0; i < items.n; i++) {
        tn_map_put(&r->listed, items.v[i].key, r);
    }
    return TN_OK;
}

/* Two places a file: its own, and its vector's (empty: none, or in the log itself). */
static tn_rc find_places(repair *r, tn_err *err)
{
    for (size_t i = 0; i < r->s->files.n; i++) {
        const tn_delta_file *f = &r->s->files.v[i];
        tn_str place;
        tn_str vector = TN_STR_NONE;
        TN_TRY(tn_delta_path_decode(r->tmp, f->path, &place, err));
        if (f->dv.storage != 0) {
            TN_TRY(tn_delta_dv_place(r->tmp, &f->dv, &vector, err));
        }
        tn_vec_push(&r->places, r->tmp, place);
        tn_vec_push(&r->places, r->tmp, vector);
    }
    r->gone = tn_arena_alloc(r->tmp, r->places.n + 1);
    memset(r->gone, 0, r->places.n + 1);
    return TN_OK;
}

/* What the listing has not shown may lie elsewhere, or be spelled in another way. Only a clear "not there" counts: any other answer is an error. */
static tn_rc look_at(void *self, size_t i, tn_err *err)
{
    repair *r = self;
    TN_AUTO_ARENA a = tn_arena_new("delta repair", NULL);
    tn_store_item item;
    tn_err why = TN_ERR_INIT;
    if (r->places.v[i].n == 0 || tn_map_find(&r->listed, r->places.v[i]) != NULL) {
        return TN_OK;
    }
    tn_rc rc = tn_delta_object_head(r->t->store, a, r->places.v[i], &item, &why);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return tn_fail(
            err, rc, "looking for '" TN_STR_FMT "': %s", TN_STR_ARG(r->places.v[i]), why.msg);
    }
    r->gone[i] = rc == TN_E_NOTFOUND;
    return TN_OK;
}

static void collect(repair *r, tn_delta_txn_plan *plan)
{
    int64_t now_ms = tn_clock_now_ms();
    for (size_t i = 0; i < r->s->files.n; i++) {
        bool file = r->gone[2 * i];
        bool vector = r->gone[2 * i + 1];
        if (!file && !vector) {
            continue;
        }
        tn_delta_lost lost = { .path = tn_str_dup(r->a, r->places.v[2 * i]),
            .vector = tn_str_dup(r->a, r->places.v[2 * i + 1]),
            .path_missing = file,
            .vector_missing = vector };
        tn_vec_push(&r->out.lost, r->a, lost);
        tn_delta_remove gone = tn_delta_remove_of(&r->s->files.v[i], now_ms);
        gone.data_change = true;
        tn_vec_push(&plan->removes, r->tmp, gone);
        r->out.bytes += r->s->files.v[i].size;
    }
}

static tn_rc refuse(const repair *r, const tn_delta_repair_opts *opts, tn_err *err)
{
    TN_TRY(tn_delta_check_writable(&r->s->protocol, &r->s->meta, err));
    if (tn_delta_property_is(&r->s->meta, "delta.appendOnly", "true")) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table is append-only (delta.appendOnly): no file may be taken out");
    }
    if (r->out.lost.n == r->s->files.n && !opts->allow_all) {
        tn_rc rc =
            tn_fail(err, TN_E_USAGE, "all %zu files of the table are missing", r->s->files.n);
        return tn_hint(err, rc,
            "is the storage mounted, and the place right? To go on and empty the table, allow it "
            "explicitly (--allow-missing)");
    }
    return TN_OK;
}

static tn_rc commit(repair *r, tn_conn *conn, tn_delta_txn_plan *plan, tn_err *err)
{
    plan->read_version = r->s->version;
    plan->base = r->s;
    plan->operation = TN_STR("FSCK");
    plan->operation_parameters = tn_val_dict(r->tmp);
    plan->operation_metrics = tn_val_dict(r->tmp);
    tn_dict_putz(plan->operation_metrics.dict, "numRemovedFiles",
        tn_val_str(tn_str_printf(r->tmp, "%zu", r->out.lost.n)));
    tn_dict_putz(plan->operation_metrics.dict, "removedFilesSize",
        tn_val_str(tn_str_printf(r->tmp, "%lld", (long long)r->out.bytes)));
    TN_TRY(tn_delta_commit_write(r->t, plan, &r->out.version, err));
    tn_delta_after_commit(r->t, conn, r->out.version, &r->s->meta);
    return TN_OK;
}

tn_rc tn_delta_repair(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_repair_opts *opts, tn_delta_repair_result *ret, tn_err *err)
{
    TN_AUTO_ARENA tmp = tn_arena_new("delta repair", NULL);
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    tn_delta_txn_plan plan = { 0 };
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &s, err));
    repair r = { .t = t, .a = a, .tmp = tmp, .s = s };
    r.out.version = r.out.read_version = s->version;
    TN_TRY(list_all(&r, err)); /* after the version is read: its files are older than that */
    TN_TRY(find_places(&r, err));
    TN_TRY(tn_parallel(r.places.n, HEADS_AT_ONCE, look_at, &r, err));
    collect(&r, &plan);
    if (r.out.lost.n > 0 && !opts->dry_run) {
        TN_TRY(refuse(&r, opts, err));
        TN_TRY(commit(&r, conn, &plan, err));
    }
    *ret = r.out;
    return TN_OK;
}
