// layers: base os text store duck delta
/* Liquid clustering: the curve, the metadata, which files OPTIMIZE takes, and that files are skipped by what it made. */
#include "delta_fixture.h"

#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/care/delta_curve.h"
#include "delta/delta_cluster.h"
#include "delta/delta_maint.h"
#include "delta/log/delta_log.h"
#include "delta/read/delta_prune.h"

static tn_strs names_of(tn_arena *arena, const char *list)
{
    tn_strs out = { 0 };
    tn_str rest = tn_str_of(list);
    while (rest.n > 0) {
        tn_str one, tail = TN_STR_NONE;
        (void)tn_str_cut(rest, ',', &one, &tail);
        tn_vec_push(&out, arena, one);
        rest = tail;
    }
    return out;
}

static tn_rc put_clustered(
    fixture *f, tn_arena *arena, const char *sql, const char *cluster, tn_err *err)
{
    tn_delta_write_opts o = { .mode = TN_DELTA_APPEND, .cluster_by = names_of(arena, cluster) };
    tn_delta_write_result r;
    return tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err);
}

static tn_delta_snapshot *snapshot(fixture *f, tn_err *err)
{
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, TN_DELTA_LATEST, &s, err));
    return s;
}

static tn_delta_optimize_result optimize(
    fixture *f, tn_arena *arena, tn_delta_optimize_opts o, tn_err *err)
{
    tn_delta_optimize_result r;
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &o, &r, err));
    return r;
}

static int64_t scalar(fixture *f, tn_arena *arena, const char *what, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = snapshot(f, err);
    tn_delta_scan_opts so = { .conn = f->conn };
    tn_str scan;
    tn_val v;
    TN_ASSERT_OK(tn_delta_scan_sql(s, arena, &so, &scan, err));
    TN_ASSERT_OK(tn_conn_scalar(f->conn, arena,
        tn_str_printf(arena, "SELECT (%s)::BIGINT FROM (%.*s)", what, TN_STR_ARG(scan)), &v, err));
    return v.i;
}

/* How many files a predicate leaves. */
static size_t files_for(fixture *f, tn_arena *arena, const char *where, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = snapshot(f, err);
    bool keep[1000];
    size_t n = 0;
    TN_ASSERT(s->files.n < 1000);
    memset(keep, 1, sizeof keep);
    TN_ASSERT_OK(tn_delta_prune(s, f->conn, arena, tn_str_of(where), keep, err));
    for (size_t i = 0; i < s->files.n; i++) {
        n += keep[i];
    }
    return n;
}

/* ---- the curve ---- */

TN_TEST(neighbours_on_the_curve_are_neighbours_in_the_cube)
{
    static const struct {
        size_t n;
        int bits;
    } cases[] = { { 2, 1 }, { 2, 4 }, { 3, 3 }, { 4, 2 }, { 2, 8 } };
    for (size_t c = 0; c < TN_COUNTOF(cases); c++) {
        size_t n = cases[c].n;
        uint32_t side = 1u << cases[c].bits;
        uint64_t cells = 1ull << (n * (size_t)cases[c].bits);
        uint64_t *at = tn_new_array(arena, uint64_t, cells); /* index -> packed point + 1 */
        for (uint64_t k = 0; k < cells; k++) {
            uint32_t p[4];
            for (size_t i = 0; i < n; i++) {
                p[i] = (uint32_t)(k >> (i * (size_t)cases[c].bits)) & (side - 1);
            }
            uint64_t h = tn_hilbert_index(p, n, cases[c].bits);
            TN_ASSERT(h < cells && at[h] == 0);
            at[h] = k + 1;
        }
        for (uint64_t h = 1; h < cells; h++) {
            int64_t steps = 0;
            for (size_t i = 0; i < n; i++) {
                int shift = (int)i * cases[c].bits;
                int64_t a = (int64_t)((at[h - 1] - 1) >> shift & (side - 1));
                int64_t b = (int64_t)((at[h] - 1) >> shift & (side - 1));
                steps += a > b ? a - b : b - a;
            }
            TN_ASSERT_EQ_I(steps, 1);
        }
    }
}

/* ---- metadata ---- */

TN_TEST(a_table_remembers_its_clustering)
{
    fixture *f = open_fixture(arena, err);
    TN_ASSERT_OK(put_clustered(
        f, arena, "SELECT 1 AS a, {'b': 2, 'c': true} AS s, DATE '2024-01-01' AS d", "A,s.b", err));
    TN_AUTOPTR(tn_delta_snapshot) s = snapshot(f, err);
    tn_strs columns;
    TN_ASSERT_OK(tn_delta_cluster_columns(s, arena, &columns, err));
    TN_ASSERT_EQ_I(columns.n, 2);
    TN_ASSERT_EQ_S(columns.v[0], "a");
    TN_ASSERT_EQ_S(columns.v[1], "s.b");
    TN_ASSERT(tn_delta_has_feature(&s->protocol, "clustering"));
    TN_ASSERT(tn_delta_has_feature(&s->protocol, "domainMetadata"));
    TN_ASSERT_EQ_I(s->protocol.reader, 1);
    const tn_delta_domain *d = tn_map_find(&s->domains, TN_STR("delta.clustering"));
    TN_ASSERT_EQ_S(d->configuration,
        "{\"clusteringColumns\":[[\"a\"],[\"s\",\"b\"]],\"domainName\":\"delta.clustering\"}");
    TN_ASSERT_OK(put_clustered(f, arena, "SELECT 5 AS a", "", err)); /* appends need not know */
    TN_ASSERT_RC(put_clustered(f, arena, "SELECT 5 AS a", "d", err), TN_E_VALUE);
}

TN_TEST(what_cannot_be_clustered_is_refused)
{
    static const struct {
        const char *columns;
        tn_rc rc;
    } cases[] = { { "nothing", TN_E_NAME }, { "s", TN_E_TYPE }, { "t", TN_E_TYPE },
        { "a,A", TN_E_NAME }, { "a,b,c,d,e", TN_E_LIMIT }, { "s.x.y", TN_E_NAME } };
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        fixture *f = open_fixture(arena, err);
        bool there;
        TN_ASSERT_RC(put_clustered(f, arena,
                         "SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e, true AS t, {'x': 1} AS s",
                         cases[i].columns, err),
            cases[i].rc);
        tn_err_clear(err);
        TN_ASSERT_OK(tn_delta_table_exists(f->table, &there, err));
        TN_ASSERT(!there);
    }
    fixture *f = open_fixture(arena, err);
    tn_delta_write_opts o = { .partition_by = names_of(arena, "a"),
        .cluster_by = names_of(arena, "b") };
    tn_delta_write_result r;
    TN_ASSERT_RC(tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS a, 2 AS b"), &o, &r, err),
        TN_E_USAGE);
}

TN_TEST(clustering_is_changed_and_ended)
{
    fixture *f = open_fixture(arena, err);
    int64_t v;
    tn_strs a = names_of(arena, "a"), none = { 0 }, columns;
    TN_ASSERT_OK(put_clustered(f, arena, "SELECT i AS a, i AS b FROM range(10) r(i)", "", err));
    TN_ASSERT_OK(tn_delta_cluster_by(f->table, f->conn, &a, &v, err));
    TN_ASSERT_EQ_I(v, 1);
    tn_delta_optimize_opts z = { .zorder_by = names_of(arena, "b") };
    tn_delta_optimize_result r;
    TN_ASSERT_RC(tn_delta_optimize(f->table, f->conn, arena, &z, &r, err), TN_E_USAGE);
    tn_err_clear(err);
    TN_ASSERT_OK(tn_delta_cluster_by(f->table, f->conn, &none, &v, err));
    TN_AUTOPTR(tn_delta_snapshot) s = snapshot(f, err);
    TN_ASSERT_OK(tn_delta_cluster_columns(s, arena, &columns, err));
    TN_ASSERT_EQ_I(columns.n, 0);
    TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &z, &r, err));
    tn_delta_write_opts o = { .mode = TN_DELTA_OVERWRITE, .schema_mode = TN_SCHEMA_OVERWRITE };
    tn_delta_write_result w;
    TN_ASSERT_OK(tn_delta_cluster_by(f->table, f->conn, &a, &v, err));
    TN_ASSERT_RC(
        tn_delta_write(f->table, f->conn, TN_STR("SELECT 1 AS other"), &o, &w, err), TN_E_NAME);
}

TN_TEST(clustering_columns_have_statistics_wherever_they_stand)
{
    fixture *f = open_fixture(arena, err);
    tn_buf b = tn_buf_init(arena, 1 << 16);
    tn_buf_addz(&b, "SELECT 0 AS c0");
    for (int i = 1; i < 50; i++) {
        tn_buf_addf(&b, ", %d AS c%d", i, i);
    }
    TN_ASSERT_OK(put_clustered(f, arena, tn_str_z(arena, tn_buf_str(&b)), "c40", err));
    TN_AUTOPTR(tn_delta_snapshot) s = snapshot(f, err);
    TN_ASSERT(tn_str_find(s->files.v[0].stats, TN_STR("\"c40\":40"), 0) != SIZE_MAX);
    TN_ASSERT(tn_str_find(s->files.v[0].stats, TN_STR("\"c41\":41"), 0) == SIZE_MAX);
}

/* ---- OPTIMIZE ---- */

static const char *cloud(tn_arena *arena, int64_t rows)
{
    return tn_arena_printf(arena,
        "SELECT (i * 7919 %% 1000)::INTEGER AS a, (i * 104729 %% 997)::INTEGER AS b, "
        "TIMESTAMP '2024-01-01' + to_minutes(i * 31 %% 5000) AS t, i FROM range(%lld) r(i)",
        (long long)rows);
}

TN_TEST(a_filter_on_any_clustering_column_skips_files)
{
    fixture *f = open_fixture(arena, err);
    TN_ASSERT_OK(put_clustered(f, arena, cloud(arena, 1200000), "a,b", err));
    tn_delta_optimize_result r =
        optimize(f, arena, (tn_delta_optimize_opts){ .target_file_bytes = 32 << 10 }, err);
    TN_ASSERT(r.changed);
    TN_ASSERT_EQ_I(scalar(f, arena, "count(*)", err), 1200000);
    TN_ASSERT_EQ_I(scalar(f, arena, "sum(i)", err), 719999400000);
    size_t all = files_for(f, arena, "true", err);
    TN_ASSERT(all >= 9);
    TN_ASSERT(files_for(f, arena, "a BETWEEN 100 AND 110", err) * 2 < all);
    TN_ASSERT(files_for(f, arena, "b = 500", err) * 2 < all);
    TN_ASSERT(files_for(f, arena, "a = 10 AND b = 900", err) <= 2);
}

TN_TEST(only_what_is_new_is_ordered)
{
    fixture *f = open_fixture(arena, err);
    tn_delta_optimize_opts small = { .target_file_bytes = 1 << 20, .cube_bytes = 1 << 20 };
    static const char *const more[] = {
        "SELECT 1 AS a, 2 AS b, NULL::TIMESTAMP AS t, -1::BIGINT AS i FROM range(500)",
        "SELECT 900 AS a, 2 AS b, NULL::TIMESTAMP AS t, -1::BIGINT AS i FROM range(500)"
    };
    TN_ASSERT_OK(put_clustered(f, arena, cloud(arena, 200000), "a,b", err));
    TN_ASSERT(optimize(f, arena, small, err).changed);
    TN_ASSERT(!optimize(f, arena, small, err).changed); /* a full cube stays */
    TN_ASSERT_OK(put_clustered(f, arena, more[0], "", err));
    TN_ASSERT_OK(put_clustered(f, arena, more[1], "", err));
    tn_delta_optimize_result r = optimize(f, arena, small, err);
    TN_ASSERT_EQ_I(r.files_removed, 2);
    TN_ASSERT_EQ_I(scalar(f, arena, "count(*)", err), 201000);
    TN_ASSERT_OK(put_clustered(f, arena, more[0], "", err));
    r = optimize(f, arena, small, err); /* with the cube that is not full yet */
    TN_ASSERT_EQ_I(r.files_removed, 2);
    TN_ASSERT(!optimize(f, arena, small, err).changed);
}

TN_TEST(other_columns_wait_for_full)
{
    fixture *f = open_fixture(arena, err);
    int64_t v;
    tn_strs t = names_of(arena, "t");
    tn_delta_optimize_opts plain = { .target_file_bytes = 1 << 20 };
    tn_delta_optimize_opts full = { .target_file_bytes = 1 << 20, .full = true };
    TN_ASSERT_OK(put_clustered(f, arena, cloud(arena, 200000), "a,b", err));
    TN_ASSERT(optimize(f, arena, plain, err).changed);
    TN_ASSERT_OK(tn_delta_cluster_by(f->table, f->conn, &t, &v, err));
    TN_ASSERT(!optimize(f, arena, plain, err).changed);
    TN_ASSERT(optimize(f, arena, full, err).changed);
    TN_ASSERT_EQ_I(files_for(f, arena, "t < TIMESTAMP '2024-01-01 01:00'", err), 1);
    TN_ASSERT(!optimize(f, arena, full, err).changed);
    TN_ASSERT_EQ_I(scalar(f, arena, "sum(i)", err), 19999900000);
}

TN_TEST(odd_values_keep_their_rows)
{
    fixture *f = open_fixture(arena, err);
    TN_ASSERT_OK(put_clustered(f, arena,
        "SELECT CASE WHEN i % 10 > 0 THEN 'x\"''' || i END AS a, CASE WHEN i % 7 = 0 THEN "
        "'nan'::DOUBLE WHEN i % 7 = 1 THEN 'inf'::DOUBLE ELSE i / 3 END AS b, "
        "NULL::DATE AS c, 1 AS d, i FROM range(20000) r(i)",
        "a,b,c,d", err));
    TN_ASSERT(
        optimize(f, arena, (tn_delta_optimize_opts){ .target_file_bytes = 32 << 10 }, err).changed);
    TN_ASSERT_EQ_I(scalar(f, arena, "count(*)", err), 20000);
    TN_ASSERT_EQ_I(scalar(f, arena, "count(DISTINCT i)", err), 20000);
    TN_ASSERT_EQ_I(scalar(f, arena, "count(a)", err), 18000);
}
