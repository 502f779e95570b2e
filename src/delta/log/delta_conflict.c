/* delta_conflict.c: may our commit follow one that won? No I/O, no clock.
 *
 * The rules are those of the reference implementation, in its order:
 *   protocol changed    -> we must still be able to read and write, must not change it ourselves, and no feature may have gone
 *   metadata changed    -> conflict, unless only identity high water marks moved, or only row tracking or deletion vectors were switched on,
 *                          and we change none ourselves
 *   same domain         -> conflict, but for delta.rowTracking: its mark is made anew from the winner's
 *   a txn of an app that we write too -> conflict
 *   files added         -> conflict when our predicate may match them. Under WriteSerializable (the default) a winner that only appended
 *                          blindly is passed unless we change metadata; under Serializable it is not; under SnapshotIsolation
 *                          (what moves rows and changes none) all are passed. It does not count whether the winner's adds change data
 *   files removed       -> conflict when we have read them ("delete read") or remove the same file ("delete delete")
 * Backfills of row ids add files that are there already: no add of theirs or ours counts.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_commit.h"
#include "delta/log/delta_log.h"
#include "text/json.h"
#include "text/timetext.h"

/* "version 5 MERGE (at 2026-11-27 22:00:00.123+00 by tarn/0.1.0)" */
static tn_str describe(const tn_delta_actions *winner, tn_arena *a)
{
    tn_buf b = tn_buf_init(a, 4096);
    tn_val info = TN_VAL_UNDEF;
    tn_err ignored = TN_ERR_INIT;
    if (winner->info.n > 0) {
        (void)!tn_json_parse(a, winner->info, &info, &ignored);
    }
    int64_t ms = tn_val_int_at(info, "timestamp", -1);
    tn_str engine = tn_val_str_at(info, "engineInfo", TN_STR(""));
    tn_buf_addf(&b, "version %lld%s" TN_STR_FMT, (long long)winner->version,
        winner->operation.n > 0 ? " " : "", TN_STR_ARG(winner->operation));
    if (ms >= 0) {
        tn_buf_addz(&b, " (at ");
        tn_iso_micros(&b, ms * 1000, 3, ' ', "+00");
        if (engine.n > 0 && engine.n < 200) {
            tn_buf_addf(&b, " by " TN_STR_FMT, TN_STR_ARG(engine));
        }
        tn_buf_addc(&b, ')');
    }
    return tn_buf_str(&b);
}

static tn_rc collide(
    const tn_delta_actions *winner, const char *rule, const char *what, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta conflict", NULL);
    tn_str who = describe(winner, a);
    tn_rc rc = tn_fail(
        err, TN_E_CONFLICT, "another writer's " TN_STR_FMT " %s (%s)", TN_STR_ARG(who), what, rule);
    return tn_hint(err, rc, "nothing was written; run it again on the new version");
}

tn_str tn_delta_isolation_of(const tn_delta_txn_plan *plan)
{
    if (plan->isolation.n > 0) {
        return plan->isolation;
    }
    const tn_delta_meta *m = plan->meta != NULL   ? plan->meta
                             : plan->base != NULL ? &plan->base->meta
                                                  : NULL;
    return m != NULL && tn_delta_property_is(m, "delta.isolationLevel", "Serializable")
               ? TN_STR("Serializable")
               : TN_STR("WriteSerializable");
}

/* ---- protocol and metadata ---- */

static tn_rc check_protocol(
    const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_err *err)
{
    if (!winner->has_protocol) {
        return TN_OK;
    }
    if (ours->protocol != NULL) {
        return collide(
            winner, "ProtocolChanged", "changed the table's protocol, as this write does", err);
    }
    TN_TRY(tn_delta_check_readable(&winner->protocol, err));
    if (ours->base == NULL) {
        return TN_OK;
    }
    const tn_delta_meta *m = winner->has_meta ? &winner->meta : &ours->base->meta;
    TN_TRY(tn_delta_check_writable(&winner->protocol, m, err));
    const tn_strs *had = &ours->base->protocol.writer_features;
    for (size_t i = 0; ours->base->protocol.writer >= 7 && i < had->n; i++) {
        TN_AUTO_ARENA a = tn_arena_new("delta conflict", NULL);
        if (!tn_delta_has_feature(&winner->protocol, tn_str_z(a, had->v[i]))) {
            return collide(winner, "ProtocolChanged", "took a feature away from the table", err);
        }
    }
    return TN_OK;
}

/* Properties that a winner may have set while a commit that knows nothing of them was under way. */
static bool may_be_set(tn_str key, tn_val value)
{
    static const char *const ON[] = { "delta.enableRowTracking", "delta.enableDeletionVectors" };
    for (size_t i = 0; i < TN_COUNTOF(ON); i++) {
        if (tn_str_is(key, ON[i])) {
            return tn_str_is(tn_val_as_str(value), "true");
        }
    }
    return tn_str_starts(key, TN_STR("delta.rowTracking.materialized"));
}

static bool configuration_passes(tn_val was, tn_val is)
{
    if (was.tag != TN_DICT || is.tag != TN_DICT) {
        return tn_val_eq(was, is);
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(was.dict, &at)) != NULL) {
        if (tn_dict_find(is.dict, it->key) == NULL) {
            return false;
        }
    }
    at = 0;
    while ((it = tn_dict_next(is.dict, &at)) != NULL) {
        const tn_val *old = tn_dict_find(was.dict, it->key);
        bool same = old != NULL && tn_val_eq(*old, it->value);
        if (!same && !may_be_set(tn_val_as_str(it->key), it->value)) {
            return false;
        }
    }
    return true;
}

/* The schema as it would be without what identity columns have counted. */
static tn_str without_marks(tn_arena *a, const tn_delta_meta *m)
{
    tn_delta_meta copy = *m;
    copy.schema = tn_delta_type_copy(a, m->schema);
    for (size_t i = 0; i < copy.schema->fields.n; i++) {
        tn_val *metadata = &copy.schema->fields.v[i].metadata;
        if (metadata->tag == TN_DICT) {
            *metadata = tn_val_dup(a, *metadata);
            (void)tn_dict_remove(metadata->dict, tn_val_z("delta.identity.highWaterMark"));
        }
    }
    tn_delta_meta_print_schema(a, &copy);
    return copy.schema_json;
}

static bool meta_passes(const tn_delta_meta *was, const tn_delta_meta *is, tn_arena *a)
{
    bool same = tn_str_eq(was->id, is->id) && tn_str_eq(was->name, is->name) &&
                tn_str_eq(was->description, is->description) &&
                was->partition_columns.n == is->partition_columns.n;
    for (size_t i = 0; same && i < was->partition_columns.n; i++) {
        same = tn_str_eq(was->partition_columns.v[i], is->partition_columns.v[i]);
    }
    return same && configuration_passes(was->configuration, is->configuration) &&
           (tn_str_eq(was->schema_json, is->schema_json) ||
               tn_str_eq(without_marks(a, was), without_marks(a, is)));
}

static tn_rc check_meta(
    const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_arena *a, tn_err *err)
{
    if (!winner->has_meta) {
        return TN_OK;
    }
    if (ours->meta == NULL && ours->base != NULL &&
        meta_passes(&ours->base->meta, &winner->meta, a)) {
        return TN_OK;
    }
    return collide(winner, "MetadataChanged", "changed the table's metadata", err);
}

/* ---- transactions and domains ---- */

static tn_rc check_txns(const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_err *err)
{
    for (size_t i = 0; i < ours->txns.n; i++) {
        for (size_t k = 0; k < winner->txns.n; k++) {
            if (tn_str_eq(ours->txns.v[i].app_id, winner->txns.v[k].app_id)) {
                return collide(
                    winner, "ConcurrentTransaction", "comes from the same application id", err);
            }
        }
    }
    return TN_OK;
}

static tn_rc check_domains(
    const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_err *err)
{
    for (size_t i = 0; i < ours->domains.n; i++) {
        for (size_t k = 0; k < winner->domains.n; k++) {
            if (tn_str_eq(ours->domains.v[i].domain, winner->domains.v[k].domain) &&
                !tn_str_is(ours->domains.v[i].domain, "delta.rowTracking")) {
                return collide(
                    winner, "ConcurrentTransaction", "wrote the same metadata domain", err);
            }
        }
    }
    return TN_OK;
}

/* ---- files ---- */

static tn_rc check_adds(const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_err *err)
{
    tn_str level = tn_delta_isolation_of(ours);
    bool ignored =
        tn_str_is(level, "SnapshotIsolation") || ours->backfill ||
        tn_str_is(winner->operation, "ROW TRACKING BACKFILL") ||
        (winner->blind_append && ours->meta == NULL && tn_str_is(level, "WriteSerializable"));
    for (size_t i = 0; !ignored && i < winner->adds.n; i++) {
        if (ours->reads_all ||
            (ours->reads_add != NULL && ours->reads_add(ours->reads_self, &winner->adds.v[i]))) {
            return collide(
                winner, "ConcurrentAppend", "added rows to what this write has read", err);
        }
    }
    return TN_OK;
}

static tn_rc check_removes(
    const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_arena *a, tn_err *err)
{
    if (winner->removes.n == 0) {
        return TN_OK;
    }
    if (ours->reads_all) {
        return collide(
            winner, "ConcurrentDeleteRead", "removed rows that this write has read", err);
    }
    for (size_t i = 0; ours->reads_files != NULL && i < winner->removes.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(a, winner->removes.v[i].path, &key, err));
        if (tn_map_find(ours->reads_files, key) != NULL) {
            return collide(
                winner, "ConcurrentDeleteRead", "removed rows that this write has read", err);
        }
    }
    tn_map mine = tn_map_init(a);
    for (size_t i = 0; i < ours->removes.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(a, ours->removes.v[i].path, &key, err));
        tn_map_put(&mine, key, &ours->removes.v[i]);
    }
    for (size_t i = 0; i < winner->removes.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(a, winner->removes.v[i].path, &key, err));
        if (tn_map_find(&mine, key) != NULL) {
            return collide(winner, "ConcurrentDeleteDelete",
                "removed a file that this write removes too", err);
        }
    }
    return TN_OK;
}

tn_rc tn_delta_conflict_check(
    const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_arena *a, tn_err *err)
{
    if (ours->read_version < 0) {
        return collide(winner, "ConcurrentCreate", "made the table first", err);
    }
    TN_TRY(check_protocol(ours, winner, err));
    TN_TRY(check_meta(ours, winner, a, err));
    TN_TRY(check_domains(ours, winner, err));
    TN_TRY(check_txns(ours, winner, err));
    TN_TRY(check_adds(ours, winner, err));
    return check_removes(ours, winner, a, err);
}
