// layers: base os text store duck delta
/* Checksum files, row ids and in-commit timestamps: what a commit carries from version to version is what the log says, whatever was done. */
#include "delta_fixture.h"

#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/delta_dml.h"
#include "delta/delta_maint.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_head.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "os/clock.h"
#include "os/random.h"
#include "text/json.h"

static tn_delta_snapshot *newest(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_table *t;
    tn_delta_snapshot *s;
    TN_ASSERT_OK(tn_delta_table_open(f->plain, &t, err));
    tn_arena_defer(arena, (tn_defer_fn)tn_delta_table_close, t);
    TN_ASSERT_OK(tn_delta_snapshot_open(t, f->conn, TN_DELTA_LATEST, &s, err));
    tn_arena_defer(arena, (tn_defer_fn)tn_delta_snapshot_unref, s);
    return s;
}

/* N.crc of the newest version says what a replay says, to the byte. */
static void crc_agrees(fixture *f, tn_arena *arena, tn_err *err)
{
    tn_delta_snapshot *s = newest(f, arena, err);
    tn_str text;
    tn_delta_head crc;
    bool complete = false;
    TN_ASSERT_OK(
        tn_store_get(f->plain, arena, tn_delta_crc_key(arena, s->version), 1 << 24, &text, err));
    TN_ASSERT_OK(tn_delta_crc_parse(arena, text, &crc, &complete, err));
    TN_ASSERT(complete && crc.counted);
    tn_delta_head log = tn_delta_head_of(arena, s);
    TN_ASSERT(memcmp(&crc.sums, &log.sums, sizeof log.sums) == 0);
    log.txn_id = crc.txn_id;
    tn_buf again = tn_buf_init(arena, 1 << 24);
    tn_delta_crc_print(&again, &log);
    TN_ASSERT_EQ_S(tn_buf_str(&again), text);
    tn_delta_check_result r;
    tn_delta_check_opts o = { .skip_data = false };
    TN_ASSERT_OK(tn_delta_check(f->table, f->conn, arena, &o, &r, err));
    for (size_t i = 0; i < r.findings.n; i++) {
        TN_FAIL("%s: " TN_STR_FMT, r.findings.v[i].what, TN_STR_ARG(r.findings.v[i].detail));
    }
}

static void put_with(
    fixture *f, const char *sql, const char *const *properties, tn_arena *arena, tn_err *err)
{
    tn_delta_write_opts o = { .mode = TN_DELTA_CREATE, .properties = tn_val_dict(arena) };
    for (size_t i = 0; properties[i] != NULL; i += 2) {
        tn_dict_putz(o.properties.dict, properties[i], tn_val_z(properties[i + 1]));
    }
    tn_delta_write_result r;
    TN_ASSERT_OK(tn_delta_write(f->table, f->conn, tn_str_of(sql), &o, &r, err));
}

static void one_change(fixture *f, uint64_t dice, tn_arena *arena, tn_err *err)
{
    tn_delta_dml_result d;
    tn_delta_sets sets = { 0 };
    tn_delta_set set = { TN_STR("v"), TN_STR("v + 1") };
    tn_delta_restore_opts ro = { .version = 0 };
    tn_delta_restore_result rr;
    tn_delta_optimize_opts oo = { .target_file_bytes = 0 };
    tn_delta_optimize_result or;
    tn_delta_write_opts wo = { .mode = TN_DELTA_APPEND, .app_id = TN_STR("app") };
    tn_delta_write_result wr;
    wo.txn_version = (int64_t)(dice / 16 % 1000);
    tn_vec_push(&sets, arena, set);
    tn_str where = tn_str_printf(arena, "id %% 7 = %d", (int)(dice / 16 % 7));
    switch (dice % 8) {
    case 0:
        TN_ASSERT_OK(tn_delta_delete(f->table, f->conn, where, NULL, &d, err));
        break;
    case 1:
        TN_ASSERT_OK(tn_delta_update(f->table, f->conn, &sets, where, NULL, &d, err));
        break;
    case 2:
        TN_ASSERT_OK(tn_delta_restore_to(f->table, f->conn, &ro, &rr, err));
        break;
    case 3:
        TN_ASSERT_OK(tn_delta_optimize(f->table, f->conn, arena, &oo, &or, err));
        break;
    case 4:
        TN_ASSERT_OK(tn_delta_write(f->table, f->conn,
            TN_STR("SELECT 1000 + range AS id, 1::BIGINT AS v FROM range(3)"), &wo, &wr, err));
        break;
    default:
        put(f, "SELECT range AS id, range AS v FROM range(20)", arena, err);
        break;
    }
}

static void random_changes(const char *const *properties, tn_arena *arena, tn_err *err)
{
    fixture *f = open_fixture(arena, err);
    put_with(f, "SELECT range AS id, range AS v FROM range(50)", properties, arena, err);
    tn_random_seed(7);
    for (int i = 0; i < 30; i++) {
        crc_agrees(f, arena, err);
        one_change(f, tn_random_u64(), arena, err);
    }
    crc_agrees(f, arena, err);
    tn_random_seed(0);
}

TN_TEST(checksum_files_agree_with_the_log)
{
    static const char *const plain[] = { "delta.checkpointInterval", "7", NULL };
    random_changes(plain, arena, err);
}

TN_TEST(checksum_files_agree_with_vectors)
{
    static const char *const all[] = { "delta.enableDeletionVectors", "true",
        "delta.enableInCommitTimestamps", "true", "delta.checkpointInterval", "7", NULL };
    random_changes(all, arena, err);
}

TN_TEST(checksum_files_are_not_trusted_blindly)
{
    static const char *const bad[] = { "", "{", "[]", "null", "{}",
        "{\"tableSizeBytes\":1,\"numFiles\":1,\"numMetadata\":1,\"numProtocol\":1}",
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2},\"metadata\":{\"id\":\"x\","
        "\"schemaString\":\"{}\"}}" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        tn_delta_head h;
        bool complete;
        TN_ASSERT(tn_delta_crc_parse(arena, tn_str_of(bad[i]), &h, &complete, err) != TN_OK);
        tn_err_clear(err);
    }
}

TN_TEST(size_bins_are_those_of_the_reference)
{
    int64_t bins[TN_DELTA_SIZE_BINS];
    tn_delta_size_bins(bins);
    TN_ASSERT_EQ_I(bins[1], 8192);
    TN_ASSERT_EQ_I(bins[10], 4194304);
    TN_ASSERT_EQ_I(bins[30], 130023424);
    TN_ASSERT_EQ_I(bins[TN_DELTA_SIZE_BINS - 1], (int64_t)256 << 30);
}

/* By file times up to the version that switched the commits' own times on, by these from there on. */
TN_TEST(time_travel_across_enablement)
{
    fixture *f = open_fixture(arena, err);
    for (int i = 0; i < 3; i++) {
        put(f, "SELECT 1 AS id", arena, err);
    }
    tn_delta_snapshot *s = newest(f, arena, err);
    tn_delta_meta meta = s->meta;
    tn_str yes = TN_STR("true");
    tn_delta_meta_set(arena, &meta, TN_STR("delta.enableInCommitTimestamps"), &yes);
    tn_delta_protocol protocol;
    bool changed;
    int64_t version;
    TN_ASSERT_OK(tn_delta_protocol_make(arena, &s->protocol, &meta, &protocol, &changed, err));
    tn_delta_txn_plan p = { .read_version = 2,
        .base = s,
        .operation = TN_STR("SET TBLPROPERTIES"),
        .protocol = &protocol,
        .meta = &meta };
    TN_ASSERT_OK(tn_delta_commit_write(f->table, &p, &version, err));
    s = newest(f, arena, err);
    TN_ASSERT_EQ_S(tn_delta_property(&s->meta, "delta.inCommitTimestampEnablementVersion"), "3");
    TN_ASSERT_EQ_S(tn_delta_property(&s->meta, "delta.inCommitTimestampEnablementTimestamp"),
        tn_str_printf(arena, "%lld", (long long)s->in_commit_ms));
    /* The clock goes back: the times in the commits do not. */
    tn_clock_fix((s->in_commit_ms - 3600000) * 1000);
    put(f, "SELECT 1 AS id", arena, err);
    put(f, "SELECT 1 AS id", arena, err);
    tn_clock_fix(0);
    tn_delta_snapshot *last = newest(f, arena, err);
    TN_ASSERT_EQ_I(last->in_commit_ms, s->in_commit_ms + 2);
    for (int v = 0; v < 6; v++) {
        tn_delta_snapshot *then;
        tn_delta_snapshot *found;
        TN_ASSERT_OK(tn_delta_snapshot_open(f->table, f->conn, v, &then, err));
        tn_arena_defer(arena, (tn_defer_fn)tn_delta_snapshot_unref, then);
        TN_ASSERT_EQ_I(then->in_commit_ms != TN_DELTA_ABSENT, v >= 3);
        TN_ASSERT_OK(tn_delta_snapshot_at_time(f->table, f->conn, then->timestamp_ms, &found, err));
        tn_arena_defer(arena, (tn_defer_fn)tn_delta_snapshot_unref, found);
        if (v >= 3) { /* files of one millisecond cannot be told apart by their own times */
            TN_ASSERT_EQ_I(found->version, v);
        } else {
            TN_ASSERT(found->version <= v);
        }
    }
    tn_delta_snapshot *none;
    TN_ASSERT_RC(tn_delta_snapshot_at_time(f->table, f->conn, 1000, &none, err), TN_E_NOTFOUND);
}
