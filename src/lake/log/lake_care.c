/* lake_care.c: looking at tables and doing what is due. */
#include "lake/lake_care.h"
#include "lake/lake_gc.h"
#include "lake/lake_lease.h"
#include "lake/lake_maint.h"
#include "lake/lake_runs.h"
#include "lake/log/lake_file.h"

#include "os/clock.h"

/* A table is worth packing when this many of its files are small and each is below this size. */
enum { SMALL_FILES_MIN = 8 };
#define SMALL_FILE_BYTES ((int64_t)32 << 20)
#define RUNS_KEPT_MS ((int64_t)90 * 24 * 3600 * 1000)

/* ---- looking ---- */

static void look_at_files(const tn_delta_snapshot *s, tn_lake_care *c)
{
    c->files = (int64_t)tn_delta_snapshot_file_count(s);
    c->bytes = tn_delta_snapshot_bytes(s);
    c->rows = tn_delta_snapshot_rows(s);
    for (size_t i = 0; i < (size_t)c->files; i++) {
        const tn_delta_file *f = tn_delta_snapshot_file(s, i);
        c->small_files += f->size < SMALL_FILE_BYTES ? 1 : 0;
        c->deleted_rows += f->dv.storage != 0 ? f->dv.cardinality : 0;
    }
}

static void look_at_tombstones(const tn_delta_snapshot *s, tn_lake_care *c)
{
    const tn_delta_removes *dead = tn_delta_snapshot_tombstones(s);
    int64_t cut_ms = tn_clock_now_ms() - tn_delta_retention_ms(s);
    for (size_t i = 0; i < dead->n; i++) {
        c->expired_files += dead->v[i].deleted_ms < cut_ms ? 1 : 0;
    }
}

static tn_rc look(tn_lake *l, tn_conn *conn, const tn_pin *p, tn_lake_care *c, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    TN_TRY(tn_lake_table_open(l, p->location, &table, err));
    TN_TRY(tn_delta_snapshot_open(table, conn, TN_DELTA_LATEST, &s, err));
    c->newest = tn_delta_snapshot_version(s);
    c->changed_ms = tn_delta_snapshot_timestamp_ms(s);
    look_at_files(s, c);
    look_at_tombstones(s, c);
    bool much_deleted = c->rows >= 0 && c->deleted_rows > (c->rows + c->deleted_rows) / 10;
    c->pack = c->small_files >= SMALL_FILES_MIN || much_deleted;
    c->vacuum = c->expired_files > 0;
    return TN_OK;
}

tn_rc tn_lake_care_read(
    tn_lake *l, tn_conn *conn, tn_arena *a, tn_str env, tn_lake_cares *ret, tn_err *err)
{
    tn_lake_head head;
    tn_lake_cares out = { 0 };
    TN_TRY(tn_lake_head_read(l, a, env, &head, err));
    for (size_t i = 0; i < head.pins.n; i++) {
        const tn_pin *p = &head.pins.v[i];
        if (p->kind != TN_PIN_DELTA) {
            continue;
        }
        tn_lake_care c = { .schema = p->schema,
            .name = p->name,
            .location = p->location,
            .version = p->version,
            .newest = -1,
            .rows = -1,
            .own = tn_str_eq(p->owner, env) };
        tn_err why = TN_ERR_INIT;
        if (look(l, conn, p, &c, &why) != TN_OK) {
            c.error = tn_str_dup(a, tn_str_of(why.msg));
        }
        tn_vec_push(&out, a, c);
    }
    *ret = out;
    return TN_OK;
}

/* ---- doing ---- */

typedef struct carer {
    tn_lake *l;
    tn_conn *conn;
    tn_arena *a;
    tn_str env;
    const tn_lake_maintain_opts *opts;
    tn_lake_dones done;
} carer;

static void note(carer *x, tn_str relation, const char *what, tn_str detail, bool failed)
{
    tn_lake_done d = { relation, tn_str_of(what), detail, failed };
    tn_vec_push(&x->done, x->a, d);
}

static void note_error(carer *x, tn_str relation, const char *what, const tn_err *why)
{
    note(x, relation, what, tn_str_dup(x->a, tn_str_of(why->msg)), true);
}

static tn_lake_job job_of(
    const carer *x, const tn_lake_head *head, const tn_lake_care *c, tn_str name)
{
    tn_lake_job j = { .lake = x->l, .conn = x->conn, .env = x->env, .head = head, .shown = name };
    j.at = (tn_lake_place){ .schema = c->schema,
        .name = c->name,
        .location = c->location,
        .pin = tn_pins_find(&head->pins, c->schema, c->name) };
    return j;
}

static void pack(carer *x, const tn_lake_job *j)
{
    tn_delta_optimize_opts o = { .user_metadata = TN_VAL_UNDEF };
    tn_delta_optimize_result r;
    tn_err why = TN_ERR_INIT;
    bool pinned = false;
    if (tn_lake_optimize(j, x->a, &o, &r, &pinned, &why) != TN_OK) {
        note_error(x, j->shown, "optimize", &why);
    } else if (r.changed) {
        note(x, j->shown, "optimize",
            tn_str_printf(x->a, "%lld files into %lld, version %lld", (long long)r.files_removed,
                (long long)r.files_added, (long long)r.version),
            false);
    }
}

static void vacuum(carer *x, const tn_lake_job *j)
{
    tn_delta_vacuum_opts o = { .retention_ms = x->opts->retention_ms };
    tn_delta_vacuum_result r;
    tn_err why = TN_ERR_INIT;
    if (tn_lake_vacuum(j, x->a, &o, &r, &why) != TN_OK) {
        note_error(x, j->shown, "vacuum", &why);
    } else if (r.files > 0) {
        note(x, j->shown, "vacuum",
            tn_str_printf(x->a, "%lld files, %lld bytes", (long long)r.files, (long long)r.bytes),
            false);
    }
}

static tn_rc take(carer *x, const tn_lake_care *c, tn_lake_ticket **ret, tn_err *err)
{
    tn_lake_ticket_opts o = { .what = TN_STR("maintain") };
    tn_vec_push(&o.resources, x->a,
        tn_str_lower(x->a, tn_str_printf(x->a, "relation:" TN_STR_FMT "/" TN_STR_FMT "." TN_STR_FMT,
                               TN_STR_ARG(x->env), TN_STR_ARG(c->schema), TN_STR_ARG(c->name))));
    return tn_lake_ticket_take(x->l, &o, ret, err);
}

static void tend(carer *x, const tn_lake_care *c)
{
    TN_AUTOPTR(tn_lake_ticket) ticket = NULL;
    tn_lake_head head;
    tn_err why = TN_ERR_INIT;
    bool busy = false;
    tn_str name =
        tn_str_printf(x->a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(c->schema), TN_STR_ARG(c->name));
    tn_rc rc = take(x, c, &ticket, &why);
    rc = rc == TN_OK ? tn_lake_ticket_has_rivals(ticket, &busy, &why) : rc;
    rc = rc == TN_OK ? tn_lake_head_read(x->l, x->a, x->env, &head, &why) : rc;
    if (rc != TN_OK) {
        note_error(x, name, "skipped", &why);
        return;
    }
    if (busy) {
        note(x, name, "skipped", TN_STR("another job is at it"), false);
        return;
    }
    tn_lake_job j = job_of(x, &head, c, name);
    if (j.at.pin != NULL && (c->pack || x->opts->all)) {
        pack(x, &j);
        if (tn_lake_head_read(x->l, x->a, x->env, &head, &why) != TN_OK) {
            note_error(x, name, "skipped", &why);
            return;
        }
        j = job_of(x, &head, c, name);
    }
    if (j.at.pin != NULL && (c->vacuum || x->opts->all)) {
        vacuum(x, &j);
    }
}

static void would(carer *x, const tn_lake_care *c)
{
    tn_str name =
        tn_str_printf(x->a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(c->schema), TN_STR_ARG(c->name));
    if (c->pack || x->opts->all) {
        note(x, name, "optimize",
            tn_str_printf(x->a, "due: %lld small files of %lld, %lld deleted rows",
                (long long)c->small_files, (long long)c->files, (long long)c->deleted_rows),
            false);
    }
    if (c->vacuum || x->opts->all) {
        note(x, name, "vacuum",
            tn_str_printf(x->a, "due: %lld files past the retention", (long long)c->expired_files),
            false);
    }
}

static void clean_lake(carer *x)
{
    tn_err why = TN_ERR_INIT;
    tn_lake_gc_opts o = { .retention_ms = x->opts->retention_ms >= 0 ? x->opts->retention_ms
                                                                     : TN_LAKE_RETENTION_MS,
        .dry_run = x->opts->dry_run };
    tn_lake_gc_result r;
    int64_t records = 0;
    tn_rc rc = tn_lake_gc(x->l, x->conn, x->a, &o, &r, &why);
    if (rc == TN_OK) {
        rc = tn_lake_runs_clean(
            x->l, tn_clock_now_ms() - RUNS_KEPT_MS, x->opts->dry_run, &records, &why);
    }
    if (rc != TN_OK) {
        note_error(x, TN_STR_NONE, "gc", &why);
    } else if (r.commits_removed + (int64_t)r.tables.n + records > 0) {
        note(x, TN_STR_NONE, "gc",
            tn_str_printf(x->a, "%s%lld lake commits, %zu tables (%lld bytes), %lld run records",
                x->opts->dry_run ? "due: " : "", (long long)r.commits_removed, r.tables.n,
                (long long)r.bytes, (long long)records),
            false);
    }
}

tn_rc tn_lake_maintain(tn_lake *l, tn_conn *conn, tn_arena *a, tn_str env,
    const tn_lake_maintain_opts *opts, tn_lake_dones *ret, tn_err *err)
{
    carer x = { .l = l, .conn = conn, .a = a, .env = env, .opts = opts };
    tn_lake_cares cares;
    TN_TRY(tn_lake_care_read(l, conn, a, env, &cares, err));
    for (size_t i = 0; i < cares.n; i++) {
        const tn_lake_care *c = &cares.v[i];
        if (c->error.n > 0) {
            note(&x,
                tn_str_printf(
                    a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(c->schema), TN_STR_ARG(c->name)),
                "skipped", c->error, true);
        } else if (c->own && (c->pack || c->vacuum || opts->all)) {
            if (opts->dry_run) {
                would(&x, c);
            } else {
                tend(&x, c);
            }
        }
    }
    clean_lake(&x);
    *ret = x.done;
    return TN_OK;
}
