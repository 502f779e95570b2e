/* delta_conflict.c: may our commit follow one that won? No I/O, no clock.
 *
 * The rules are those of the reference implementation under its default isolation, WriteSerializable, in its order:
 *   protocol changed    -> we must still be able to write (checked by the caller), and must not change it ourselves
 *   metadata changed    -> conflict
 *   same domain         -> conflict
 *   a txn of an app that we write too -> conflict
 *   files added         -> conflict when our predicate may match them, unless the winner only appended blindly and we do not change metadata
 *   files removed       -> conflict when we have read them (reference: "delete read") or remove the same file ("delete delete")
 */
#include "delta/delta_impl.h"

static tn_rc collide(const tn_delta_actions *winner, const char *what, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_CONFLICT, "another writer's version %lld%s%.*s %s",
        (long long)winner->version, winner->operation.n > 0 ? " " : "",
        TN_STR_ARG(winner->operation), what);
    return tn_hint(err, rc, "nothing was written; run it again on the new version");
}

static tn_rc check_txns(const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_err *err)
{
    for (size_t i = 0; i < ours->txns.n; i++) {
        for (size_t k = 0; k < winner->txns.n; k++) {
            if (tn_str_eq(ours->txns.v[i].app_id, winner->txns.v[k].app_id)) {
                return collide(winner, "comes from the same application id", err);
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
            if (tn_str_eq(ours->domains.v[i].domain, winner->domains.v[k].domain)) {
                return collide(winner, "wrote the same metadata domain", err);
            }
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
        return collide(winner, "removed rows that this write has read", err);
    }
    for (size_t i = 0; ours->reads_files != NULL && i < winner->removes.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(a, winner->removes.v[i].path, &key, err));
        if (tn_map_find(ours->reads_files, key) != NULL) {
            return collide(winner, "removed rows that this write has read", err);
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
            return collide(winner, "removed a file that this write removes too", err);
        }
    }
    return TN_OK;
}

tn_rc tn_delta_conflict_check(
    const tn_delta_txn_plan *ours, const tn_delta_actions *winner, tn_arena *a, tn_err *err)
{
    if (ours->read_version < 0) {
        return collide(winner, "made the table first", err);
    }
    if (winner->has_protocol && ours->protocol != NULL) {
        return collide(winner, "changed the table's protocol, as this write does", err);
    }
    if (winner->has_protocol) {
        TN_TRY(tn_delta_check_readable(&winner->protocol, err));
    }
    if (winner->has_meta) {
        return collide(winner, "changed the table's metadata", err);
    }
    TN_TRY(check_domains(ours, winner, err));
    TN_TRY(check_txns(ours, winner, err));
    bool ignored = winner->blind_append && ours->meta == NULL;
    if (winner->adds.n > 0 && ours->reads_all && !ignored) {
        return collide(winner, "added rows to what this write has read", err);
    }
    for (size_t i = 0; ours->reads_add != NULL && !ignored && i < winner->adds.n; i++) {
        if (ours->reads_add(ours->reads_self, &winner->adds.v[i])) {
            return collide(winner, "added rows to what this write has read", err);
        }
    }
    return check_removes(ours, winner, a, err);
}
