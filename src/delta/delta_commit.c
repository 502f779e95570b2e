/* delta_commit.c: the one place where a version of a table becomes visible.
 *
 * A commit is put with put-if-absent. Whoever loses reads the commits that won, asks delta_conflict.c, and tries the next number;
 * no data file is written again. There is no fixed number of tries: each round some writer has won, and those who have
 * waited longer wait less before the next try, so that nobody starves.
 * A put whose answer was lost is settled by reading the object back: commitInfo.txnId says whose it is.
 */
#include "base/log.h"
#include "delta/delta_impl.h"
#include "os/clock.h"
#include "os/random.h"
#include "text/json.h"

enum { WAIT_WINDOW_US = 30000, UNSURE_TRIES_MAX = 8 };

typedef struct commit {
    tn_delta_table *t;
    const tn_delta_txn_plan *plan;
    tn_str txn_id;
    int64_t version;  /* the next try */
    int64_t last_ict; /* the greatest inCommitTimestamp before it, or ABSENT */
} commit;

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

static void print_info(tn_buf *b, const commit *c, int64_t now_ms)
{
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "commitInfo");
    tn_jw_obj(&w);
    if (c->last_ict != TN_DELTA_ABSENT) {
        tn_jw_key(&w, "inCommitTimestamp");
        tn_jw_int(&w, now_ms > c->last_ict ? now_ms : c->last_ict + 1);
    }
    tn_jw_key(&w, "timestamp");
    tn_jw_int(&w, now_ms);
    tn_jw_key(&w, "operation");
    tn_jw_str(&w, c->plan->operation);
    put_dict(&w, "operationParameters", c->plan->operation_parameters);
    if (c->plan->read_version >= 0) {
        tn_jw_key(&w, "readVersion");
        tn_jw_int(&w, c->plan->read_version);
    }
    tn_jw_key(&w, "isolationLevel");
    tn_jw_str(&w, c->plan->isolation.n > 0 ? c->plan->isolation : TN_STR("WriteSerializable"));
    tn_jw_key(&w, "isBlindAppend");
    tn_jw_bool(&w, c->plan->blind_append);
    put_dict(&w, "operationMetrics", c->plan->operation_metrics);
    tn_jw_key(&w, "engineInfo");
    tn_jw_str(&w, TN_STR("tarn/" TARN_VERSION));
    tn_jw_key(&w, "txnId");
    tn_jw_str(&w, c->txn_id);
    put_user_metadata(&w, c->plan->user_metadata);
    tn_jw_obj_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(b, '\n');
}

static tn_rc render(tn_arena *a, const commit *c, tn_str *ret, tn_err *err)
{
    const tn_delta_txn_plan *p = c->plan;
    tn_buf b = tn_buf_init(a, TN_DELTA_COMMIT_BYTES_MAX);
    print_info(&b, c, tn_clock_now_ms());
    if (p->protocol != NULL) {
        tn_delta_print_protocol(&b, p->protocol);
    }
    if (p->meta != NULL) {
        tn_delta_print_meta(&b, p->meta);
    }
    for (size_t i = 0; i < p->txns.n; i++) {
        tn_delta_print_txn(&b, &p->txns.v[i]);
    }
    for (size_t i = 0; i < p->domains.n; i++) {
        tn_delta_print_domain(&b, &p->domains.v[i]);
    }
    for (size_t i = 0; i < p->removes.n; i++) {
        tn_delta_print_remove(&b, &p->removes.v[i]);
    }
    for (size_t i = 0; i < p->adds.n; i++) {
        tn_delta_print_add(&b, &p->adds.v[i]);
    }
    for (size_t i = 0; i < p->cdcs.n; i++) {
        tn_delta_print_cdc(&b, &p->cdcs.v[i]);
    }
    return tn_buf_finish(&b, "a commit", ret, err);
}

/* ---- after a put that did not say yes ---- */

typedef enum outcome { OURS, THEIRS, NOBODY, UNKNOWN } outcome;

/* Whose is the commit at c->version? */
static outcome look_back(const commit *c, tn_arena *a)
{
    tn_delta_actions there;
    tn_err ignored = TN_ERR_INIT;
    tn_rc rc = tn_delta_commit_read(c->t, a, c->version, &there, &ignored);
    if (rc == TN_E_NOTFOUND) {
        return NOBODY;
    }
    if (rc != TN_OK) {
        return UNKNOWN;
    }
    return tn_str_eq(there.txn_id, c->txn_id) ? OURS : THEIRS;
}

/* Reads who won from c->version on and moves past them. *ret_ours: one of them was our own, from a put whose answer was lost. */
static tn_rc pass_winners(commit *c, tn_arena *a, bool *ret_ours, tn_err *err)
{
    tn_delta_log_files commits;
    TN_TRY(tn_delta_commits_after(c->t, a, c->version - 1, &commits, err));
    if (commits.n == 0) {
        /* It is there and the listing does not show it: believe the put. */
        tn_delta_log_file one = { .version = c->version };
        tn_vec_push(&commits, a, one);
    }
    for (size_t i = 0; i < commits.n; i++) {
        tn_delta_actions winner;
        TN_TRY(tn_delta_commit_read(c->t, a, commits.v[i].version, &winner, err));
        if (tn_str_eq(winner.txn_id, c->txn_id)) {
            *ret_ours = true;
            c->version = winner.version;
            return TN_OK;
        }
        TN_TRY(tn_delta_conflict_check(c->plan, &winner, a, err));
        if (c->last_ict != TN_DELTA_ABSENT && winner.in_commit_ms > c->last_ict) {
            c->last_ict = winner.in_commit_ms;
        }
        c->version = winner.version + 1;
    }
    return TN_OK;
}

static void wait_turn(int round)
{
    tn_clock_sleep_us((int64_t)(tn_random_unit() * (double)WAIT_WINDOW_US / (double)round));
}

/* One put. *ret_done: the commit is there. TN_OK without done: c->version has moved, try again. */
static tn_rc try_once(commit *c, int *unsure, bool *ret_done, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta commit", NULL);
    tn_str text;
    TN_TRY(render(a, c, &text, err));
    tn_err why = TN_ERR_INIT;
    tn_rc rc =
        tn_store_put(c->t->store, tn_delta_commit_key(a, c->version), text, TN_PUT_IF_ABSENT, &why);
    if (rc == TN_OK) {
        *ret_done = true;
        return TN_OK;
    }
    if (rc == TN_E_EXISTS) {
        return pass_winners(c, a, ret_done, err);
    }
    switch (look_back(c, a)) {
    case OURS:
        *ret_done = true;
        return TN_OK;
    case THEIRS:
        return pass_winners(c, a, ret_done, err);
    case NOBODY:
        if (rc == TN_E_AMBIGUOUS && ++*unsure <= UNSURE_TRIES_MAX) {
            return TN_OK; /* the same number again: put-if-absent makes that safe */
        }
        if (rc != TN_E_AMBIGUOUS) {
            return tn_fail(err, rc, "%s", why.msg);
        }
        break;
    case UNKNOWN:
        break;
    }
    rc = tn_fail(err, TN_E_AMBIGUOUS, "cannot tell whether version %lld was committed: %s",
        (long long)c->version, why.msg);
    return tn_hint(
        err, rc, "look for txnId '" TN_STR_FMT "' in the table's history", TN_STR_ARG(c->txn_id));
}

int64_t tn_delta_commit_floor(const tn_delta_snapshot *s)
{
    if (!tn_delta_property_is(&s->meta, "delta.enableInCommitTimestamps", "true")) {
        return TN_DELTA_ABSENT;
    }
    return s->timestamp_ms != TN_DELTA_ABSENT ? s->timestamp_ms : 0;
}

tn_rc tn_delta_commit_write(tn_delta_table *t, const tn_delta_txn_plan *plan,
    int64_t in_commit_floor, int64_t *ret_version, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta commit", NULL);
    commit c = { .t = t,
        .plan = plan,
        .txn_id = tn_uuid4(a),
        .version = plan->read_version + 1,
        .last_ict = in_commit_floor };
    bool done = false;
    int unsure = 0;
    for (int round = 1; !done; round++) {
        if (round > 1) {
            wait_turn(round - 1);
        }
        TN_TRY(try_once(&c, &unsure, &done, err));
    }
    tn_log(TN_LOG_DEBUG, "delta", "committed version %lld of '" TN_STR_FMT "'",
        (long long)c.version, TN_STR_ARG(t->store->root));
    *ret_version = c.version;
    return TN_OK;
}
