/* delta_commit_text.c: what a commit says: its actions for the version that it tries, commitInfo first.
 *
 * Everything that depends on the version is made here, anew for each try: inCommitTimestamp (above that of the version before), the
 * properties that say since when the table keeps it, row ids and row commit versions.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_commit.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "os/clock.h"
#include "os/random.h"
#include "text/json.h"

#define ICT "delta.enableInCommitTimestamps"

tn_delta_commit tn_delta_commit_init(tn_arena *a, tn_delta_table *t, const tn_delta_txn_plan *plan)
{
    tn_delta_commit c = { .t = t,
        .a = a,
        .plan = plan,
        .txn_id = tn_uuid4(a),
        .version = plan->read_version + 1,
        .head = tn_delta_head_of(a, plan->base),
        .floor_ms = TN_DELTA_ABSENT };
    if (plan->base != NULL && plan->base->version != plan->read_version) {
        c.head.counted = false;
    }
    if (plan->base != NULL && plan->base->timestamp_ms != TN_DELTA_ABSENT) {
        c.floor_ms = plan->base->timestamp_ms;
    }
    for (size_t i = 0; i < plan->adds.n; i++) {
        tn_vec_push(&c.adds, a, plan->adds.v[i]);
    }
    return c;
}

tn_rc tn_delta_commit_pass(
    tn_delta_commit *c, const tn_delta_actions *winner, int64_t mtime_ms, tn_err *err)
{
    TN_TRY(tn_delta_conflict_check(c->plan, winner, c->a, err));
    TN_TRY(tn_delta_rows_pass(c, winner, err));
    tn_delta_head_apply(&c->head, winner);
    int64_t ms = winner->in_commit_ms != TN_DELTA_ABSENT ? winner->in_commit_ms : mtime_ms;
    c->floor_ms = ms > c->floor_ms ? ms : c->floor_ms;
    c->version = winner->version + 1;
    return TN_OK;
}

/* ---- in-commit timestamps ---- */

/* When the table begins to keep them with a version above 0, the metadata says since when. */
static void mark_enablement(
    const tn_delta_commit *c, tn_arena *a, tn_delta_actions *acts, int64_t ict)
{
    bool before = c->plan->base != NULL && tn_delta_property_is(&c->plan->base->meta, ICT, "true");
    if (!acts->has_meta || c->version == 0) {
        return;
    }
    tn_str version = tn_str_printf(a, "%lld", (long long)c->version);
    tn_str when = tn_str_printf(a, "%lld", (long long)ict);
    bool on = tn_delta_property_is(&acts->meta, ICT, "true");
    if (on && !before) {
        tn_delta_meta_set(
            a, &acts->meta, TN_STR("delta.inCommitTimestampEnablementVersion"), &version);
        tn_delta_meta_set(
            a, &acts->meta, TN_STR("delta.inCommitTimestampEnablementTimestamp"), &when);
    } else if (!on && before) {
        tn_delta_meta_set(a, &acts->meta, TN_STR("delta.inCommitTimestampEnablementVersion"), NULL);
        tn_delta_meta_set(
            a, &acts->meta, TN_STR("delta.inCommitTimestampEnablementTimestamp"), NULL);
    }
}

static void set_time(const tn_delta_commit *c, tn_arena *a, int64_t now_ms, tn_delta_actions *acts)
{
    const tn_delta_meta *m = acts->has_meta ? &acts->meta : &c->head.meta;
    if (!tn_delta_property_is(m, ICT, "true")) {
        mark_enablement(c, a, acts, 0);
        return;
    }
    acts->in_commit_ms = now_ms > c->floor_ms ? now_ms : c->floor_ms + 1;
    mark_enablement(c, a, acts, acts->in_commit_ms);
}

/* ---- text ---- */

static void put_dict(tn_json_writer *w, const char *key, tn_val dict)
{
    tn_jw_key(w, key);
    if (dict.tag == TN_DICT) {
        tn_jw_val(w, dict);
        return;
    }
    tn_jw_obj(w);
    tn_jw_obj_end(w);
}

static void put_user_metadata(tn_json_writer *w, tn_val user)
{
    if (user.tag != TN_DICT) {
        return;
    }
    size_t at = 0;
    for (const tn_dict_item *it = tn_dict_next(user.dict, &at); it != NULL;
        it = tn_dict_next(user.dict, &at)) {
        tn_jw_key_s(w, tn_val_as_str(it->key));
        tn_jw_val(w, it->value);
    }
}

static void put_tags(tn_json_writer *w, const tn_delta_commit *c, const tn_delta_actions *acts)
{
    const tn_delta_protocol *p = acts->has_protocol ? &acts->protocol : &c->head.protocol;
    const tn_delta_meta *m = acts->has_meta ? &acts->meta : &c->head.meta;
    if (!tn_delta_rows_supported(p, m) ||
        !tn_delta_property_is(m, "delta.enableRowTracking", "true")) {
        return;
    }
    /* Rows that were copied before a winner switched tracking on have no ids of their own. */
    const tn_delta_snapshot *base = c->plan->base;
    bool was_on = base == NULL || tn_delta_rows_enabled(&base->protocol, &base->meta);
    bool copies = c->plan->removes.n > 0;
    bool kept = !c->plan->rows_renamed && (!copies || (was_on && tn_delta_rows_enabled(p, m)));
    tn_jw_key(w, "tags");
    tn_jw_obj(w);
    tn_jw_key(w, "delta.rowTracking.preserved");
    tn_jw_str(w, kept ? TN_STR("true") : TN_STR("false"));
    tn_jw_obj_end(w);
}

static void print_info(
    tn_buf *b, const tn_delta_commit *c, int64_t now_ms, const tn_delta_actions *acts)
{
    const tn_delta_txn_plan *p = c->plan;
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "commitInfo");
    tn_jw_obj(&w);
    if (acts->in_commit_ms != TN_DELTA_ABSENT) {
        tn_jw_key(&w, "inCommitTimestamp");
        tn_jw_int(&w, acts->in_commit_ms);
    }
    tn_jw_key(&w, "timestamp");
    tn_jw_int(&w, now_ms);
    tn_jw_key(&w, "operation");
    tn_jw_str(&w, p->operation);
    put_dict(&w, "operationParameters", p->operation_parameters);
    if (p->read_version >= 0) {
        tn_jw_key(&w, "readVersion");
        tn_jw_int(&w, p->read_version);
    }
    tn_jw_key(&w, "isolationLevel");
    tn_jw_str(&w, tn_delta_isolation_of(p));
    tn_jw_key(&w, "isBlindAppend");
    tn_jw_bool(&w, p->blind_append);
    put_dict(&w, "operationMetrics", p->operation_metrics);
    put_tags(&w, c, acts);
    tn_jw_key(&w, "engineInfo");
    tn_jw_str(&w, TN_STR("tarn/" TARN_VERSION));
    tn_jw_key(&w, "txnId");
    tn_jw_str(&w, c->txn_id);
    put_user_metadata(&w, p->user_metadata);
    tn_jw_obj_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(b, '\n');
}

static void print_actions(tn_buf *b, const tn_delta_actions *p)
{
    if (p->has_protocol) {
        tn_delta_print_protocol(b, &p->protocol);
    }
    if (p->has_meta) {
        tn_delta_print_meta(b, &p->meta);
    }
    for (size_t i = 0; i < p->txns.n; i++) {
        tn_delta_print_txn(b, &p->txns.v[i]);
    }
    for (size_t i = 0; i < p->domains.n; i++) {
        tn_delta_print_domain(b, &p->domains.v[i]);
    }
    for (size_t i = 0; i < p->removes.n; i++) {
        tn_delta_print_remove(b, &p->removes.v[i]);
    }
    for (size_t i = 0; i < p->adds.n; i++) {
        tn_delta_print_add(b, &p->adds.v[i]);
    }
    for (size_t i = 0; i < p->cdcs.n; i++) {
        tn_delta_print_cdc(b, &p->cdcs.v[i]);
    }
}

tn_rc tn_delta_commit_render(
    tn_delta_commit *c, tn_arena *a, tn_str *ret_text, tn_delta_actions *ret_acts, tn_err *err)
{
    const tn_delta_txn_plan *p = c->plan;
    tn_delta_actions acts = tn_delta_actions_empty();
    acts.version = c->version;
    acts.has_protocol = p->protocol != NULL;
    acts.has_meta = p->meta != NULL;
    acts.txn_id = c->txn_id;
    acts.txns = p->txns;
    acts.removes = p->removes;
    acts.cdcs = p->cdcs;
    if (p->protocol != NULL) {
        acts.protocol = *p->protocol;
    }
    if (p->meta != NULL) {
        acts.meta = *p->meta;
    }
    for (size_t i = 0; i < p->domains.n; i++) {
        tn_vec_push(&acts.domains, a, p->domains.v[i]);
    }
    for (size_t i = 0; i < c->adds.n; i++) {
        tn_vec_push(&acts.adds, a, c->adds.v[i]);
    }
    int64_t now_ms = tn_clock_now_ms();
    set_time(c, a, now_ms, &acts);
    TN_TRY(tn_delta_rows_assign(c, a, &acts, err));
    tn_buf b = tn_buf_init(a, TN_DELTA_COMMIT_BYTES_MAX);
    print_info(&b, c, now_ms, &acts);
    print_actions(&b, &acts);
    TN_TRY(tn_buf_finish(&b, "a commit", ret_text, err));
    *ret_acts = acts;
    return TN_OK;
}
