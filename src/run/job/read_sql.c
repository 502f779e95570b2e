/* read_sql.c: SQL of a job as it is run: delta_scan('place') becomes our reader, and Delta tables are read without the files that the
 * statement's conditions exclude (lake/lake_narrow.h).
 *
 * Type tarn: relations are the run's candidates and the environment's pins; type duckdb: only delta_scan() is known to be Delta. Texts that are stored (views) do not
 * come here: they must go on to mean the whole table.
 */
#include "lake/lake_narrow.h"
#include "run/job/job.h"
#include "run/session/lake_target.h"

typedef struct reader {
    tn_job *job;
    tn_map places; /* delta_scan: place -> snapshot */
} reader;

static bool find(void *self, tn_arena *a, const tn_str part[3], tn_narrow_found *ret)
{
    (void)a;
    tn_job *j = ((reader *)self)->job;
    bool here = part[0].n == 0 || tn_str_eq_nocase(part[0], j->session->database);
    return here && part[1].n > 0 && j->session->lake != NULL &&
           tn_lake_target_find(j->session->lake, j->worker->conn, part[1], part[2], ret);
}

static void drop_snapshot(void *p)
{
    tn_delta_snapshot_unref(p);
}

static const tn_delta_snapshot *place(void *self, tn_str location)
{
    reader *r = self;
    tn_delta_snapshot *s = tn_map_find(&r->places, location);
    if (s == NULL && tn_place_open(r->job->session, r->job->worker->conn, location, TN_DELTA_LATEST,
                         &s, NULL) == TN_OK) {
        tn_arena_defer(r->job->arena, drop_snapshot, s);
        tn_map_put(&r->places, location, s);
    }
    return s;
}

/* What cannot be bound narrowed runs as it was: then errors cite what the user wrote. */
static bool can_bind(tn_job *j, tn_str query)
{
    tn_val columns;
    tn_err ignored = TN_ERR_INIT;
    return tn_conn_describe(j->worker->conn, j->arena, query, &columns, &ignored) == TN_OK;
}

tn_rc tn_job_read_sql(tn_job *j, tn_str sql, tn_str *ret, tn_err *err)
{
    reader r = { .job = j, .places = tn_map_init(j->arena) };
    const tn_narrow_names names = { .find = find, .place = place, .self = &r };
    size_t begin = tn_narrow_begin(j->arena, sql);
    tn_str narrow;
    tn_str rest;
    if (begin != SIZE_MAX &&
        tn_narrow(j->worker->conn, j->arena, tn_str_sub(sql, begin, sql.n), &names, &narrow)) {
        TN_TRY(tn_job_serve_delta(j, narrow, &rest, err));
        if (can_bind(j, rest)) {
            *ret = tn_str_concat(j->arena, tn_str_sub(sql, 0, begin), rest);
            return TN_OK;
        }
    }
    return tn_job_serve_delta(j, sql, ret, err);
}
