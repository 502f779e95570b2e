/* delta_rows.c: assigning row ids when a commit is written. */
#include "delta/log/delta_rows.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/action/delta_stats.h"
#include "delta/log/delta_commit.h"
#include "delta/log/delta_log.h"
#include "os/random.h"
#include "text/json.h"
#include "text/sqltext.h"

bool tn_delta_rows_supported(const tn_delta_protocol *p, const tn_delta_meta *m)
{
    return tn_delta_has_feature(p, "rowTracking") &&
           !tn_delta_property_is(m, "delta.rowTrackingSuspended", "true");
}

bool tn_delta_rows_enabled(const tn_delta_protocol *p, const tn_delta_meta *m)
{
    return tn_delta_rows_supported(p, m) &&
           tn_delta_property_is(m, "delta.enableRowTracking", "true") &&
           tn_delta_mapping_of(p, m) != TN_MAPPING_ID && tn_delta_rows_id_column(m).n > 0 &&
           tn_delta_rows_version_column(m).n > 0;
}

tn_str tn_delta_rows_id_column(const tn_delta_meta *m)
{
    return tn_delta_property(m, TN_ROWS_ID_PROPERTY);
}

tn_str tn_delta_rows_version_column(const tn_delta_meta *m)
{
    return tn_delta_property(m, TN_ROWS_VERSION_PROPERTY);
}

void tn_delta_rows_name_columns(tn_arena *a, tn_delta_meta *m)
{
    if (!tn_delta_property_is(m, "delta.enableRowTracking", "true")) {
        return;
    }
    if (tn_delta_rows_id_column(m).n == 0) {
        tn_str name = tn_str_concat(a, TN_STR("_row-id-col-"), tn_uuid4(a));
        tn_delta_meta_set(a, m, TN_STR(TN_ROWS_ID_PROPERTY), &name);
    }
    if (tn_delta_rows_version_column(m).n == 0) {
        tn_str name = tn_str_concat(a, TN_STR("_row-commit-version-col-"), tn_uuid4(a));
        tn_delta_meta_set(a, m, TN_STR(TN_ROWS_VERSION_PROPERTY), &name);
    }
}

void tn_delta_rows_add_columns(
    tn_buf *b, const tn_delta_snapshot *s, const char *id, const char *version)
{
    if (!tn_delta_rows_enabled(&s->protocol, &s->meta)) {
        return;
    }
    tn_buf_addf(b, ", CAST(%s AS BIGINT) AS ", id);
    tn_sql_ident(b, tn_delta_rows_id_column(&s->meta));
    tn_buf_addf(b, ", CAST(%s AS BIGINT) AS ", version);
    tn_sql_ident(b, tn_delta_rows_version_column(&s->meta));
}

void tn_delta_rows_extra(tn_arena *a, const tn_delta_snapshot *s, tn_strs *extra)
{
    if (tn_delta_rows_enabled(&s->protocol, &s->meta)) {
        tn_vec_push(extra, a, tn_delta_rows_id_column(&s->meta));
        tn_vec_push(extra, a, tn_delta_rows_version_column(&s->meta));
    }
}

static int64_t mark_of(const tn_delta_domain *d)
{
    TN_AUTO_ARENA a = tn_arena_new("delta rows", NULL);
    tn_val v;
    tn_err ignored = TN_ERR_INIT;
    if (d->removed || tn_json_parse(a, d->configuration, &v, &ignored) != TN_OK) {
        return -1;
    }
    return tn_val_int_at(v, "rowIdHighWaterMark", -1);
}

int64_t tn_delta_rows_high_water(const tn_map *domains)
{
    const tn_delta_domain *d = tn_map_find(domains, TN_STR(TN_ROWS_DOMAIN));
    return d == NULL ? -1 : mark_of(d);
}

static tn_rc no_count(const tn_delta_file *f, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
        "the table tracks rows, and the statistics of '" TN_STR_FMT
        "' do not say how many rows it has",
        TN_STR_ARG(f->path));
    return tn_hint(err, rc, "row ids cannot be assigned to such a file");
}

tn_rc tn_delta_rows_assign(tn_delta_commit *c, tn_arena *a, tn_delta_actions *acts, tn_err *err)
{
    const tn_delta_protocol *p = acts->has_protocol ? &acts->protocol : &c->head.protocol;
    const tn_delta_meta *m = acts->has_meta ? &acts->meta : &c->head.meta;
    if (!tn_delta_rows_supported(p, m)) {
        return TN_OK;
    }
    int64_t before = tn_delta_rows_high_water(&c->head.domains);
    int64_t high = before;
    size_t kept = 0;
    for (size_t i = 0; i < acts->domains.n; i++) { /* RESTORE brings a mark along */
        const tn_delta_domain *d = &acts->domains.v[i];
        if (tn_str_is(d->domain, TN_ROWS_DOMAIN)) {
            high = mark_of(d) > high ? mark_of(d) : high;
        } else {
            acts->domains.v[kept++] = *d;
        }
    }
    acts->domains.n = kept;
    for (size_t i = 0; i < acts->adds.n; i++) {
        tn_delta_file *f = &acts->adds.v[i];
        if (f->default_row_commit_version == TN_DELTA_ABSENT) {
            f->default_row_commit_version = c->version;
        }
        if (f->base_row_id != TN_DELTA_ABSENT) {
            continue;
        }
        int64_t rows = tn_delta_stats_rows(f);
        if (rows < 0) {
            return no_count(f, err);
        }
        f->base_row_id = high + 1;
        high += rows;
    }
    if (high > before) {
        tn_delta_domain d = { .domain = TN_STR(TN_ROWS_DOMAIN),
            .configuration = tn_str_printf(a,
                "{\"domainName\":\"" TN_ROWS_DOMAIN "\",\"rowIdHighWaterMark\":%lld}",
                (long long)high) };
        tn_vec_push(&acts->domains, a, d);
    }
    return TN_OK;
}

/* ---- races with a backfill ---- */

static tn_rc take_over(tn_delta_commit *c, const tn_delta_actions *winner, tn_err *err)
{
    tn_map theirs = tn_map_init(c->a);
    for (size_t i = 0; i < winner->adds.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(c->a, winner->adds.v[i].path, &key, err));
        tn_map_put(&theirs, key, &winner->adds.v[i]);
    }
    for (size_t i = 0; i < c->adds.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(c->a, c->adds.v[i].path, &key, err));
        const tn_delta_file *f = tn_map_find(&theirs, key);
        if (f != NULL) {
            c->adds.v[i].base_row_id = f->base_row_id;
            c->adds.v[i].default_row_commit_version = f->default_row_commit_version;
        }
    }
    return TN_OK;
}

/* Our own backfill leaves alone what a winner has added or removed: the winner has given it ids, or it is gone. */
static tn_rc leave_alone(tn_delta_commit *c, const tn_delta_actions *winner, tn_err *err)
{
    tn_map theirs = tn_map_init(c->a);
    tn_str key;
    for (size_t i = 0; i < winner->adds.n; i++) {
        TN_TRY(tn_delta_path_decode(c->a, winner->adds.v[i].path, &key, err));
        tn_map_put(&theirs, key, c);
    }
    for (size_t i = 0; i < winner->removes.n; i++) {
        TN_TRY(tn_delta_path_decode(c->a, winner->removes.v[i].path, &key, err));
        tn_map_put(&theirs, key, c);
    }
    size_t kept = 0;
    for (size_t i = 0; i < c->adds.n; i++) {
        TN_TRY(tn_delta_path_decode(c->a, c->adds.v[i].path, &key, err));
        if (tn_map_find(&theirs, key) == NULL) {
            c->adds.v[kept++] = c->adds.v[i];
        }
    }
    c->adds.n = kept;
    return TN_OK;
}

tn_rc tn_delta_rows_pass(tn_delta_commit *c, const tn_delta_actions *winner, tn_err *err)
{
    if (c->plan->backfill) {
        return leave_alone(c, winner, err);
    }
    return tn_str_is(winner->operation, "ROW TRACKING BACKFILL") ? take_over(c, winner, err)
                                                                 : TN_OK;
}
