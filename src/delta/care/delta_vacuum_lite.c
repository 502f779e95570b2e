/* delta_vacuum_lite.c: what a VACUUM may remove, found in the log: files that commits removed, or wrote as change data, since the last vacuum.
 *
 * A commit counts when it is older than the retention. Where the last vacuum stopped is in _delta_log/_last_vacuum_info, which the reference writes alike.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/care/delta_vacuum.h"
#include "delta/log/delta_log.h"
#include "os/parallel.h"
#include "text/json.h"

#define NOTE_KEY "_delta_log/_last_vacuum_info"
#define NOTE_FIELD "latestCommitVersionOutsideOfRetentionWindow"

typedef struct searcher {
    tn_delta_vacuum_run *v;
    tn_delta_log_files commits;
    tn_strs places; /* below the root */
    tn_map seen;
} searcher;

/* The version that the last vacuum noted; -1: none, or not understood. */
static int64_t noted(tn_delta_vacuum_run *v)
{
    tn_str text;
    tn_val note;
    if (tn_store_get(v->t->store, v->a, TN_STR(NOTE_KEY), TN_DELTA_HINT_BYTES_MAX, &text, NULL) !=
            TN_OK ||
        tn_json_parse(v->a, text, &note, NULL) != TN_OK || note.tag != TN_DICT) {
        return -1;
    }
    int64_t version = tn_val_int_at(note, NOTE_FIELD, -1);
    return version >= 0 ? version : -1;
}

/* Commits that are older than the retention, after `from`. */
static tn_rc old_commits(
    const tn_delta_vacuum_run *v, int64_t from, tn_delta_log_files *ret, tn_err *err)
{
    tn_delta_log_files all = { 0 };
    TN_TRY(tn_delta_commits_all(v->t, v->a, &all, err));
    if (all.n > 0 && all.v[0].version > from + 1) {
        tn_rc rc = tn_fail(err, TN_E_USAGE,
            "the log begins at version %lld, so what versions from %lld on removed is not known",
            (long long)all.v[0].version, (long long)from + 1);
        return tn_hint(err, rc, "run a full vacuum (without LITE) once");
    }
    for (size_t i = 0; i < all.n && all.v[i].mtime_ms < v->cut_ms; i++) {
        if (all.v[i].version > from) {
            tn_vec_push(ret, v->a, all.v[i]);
        }
    }
    return TN_OK;
}

static void take_place(searcher *s, tn_str decoded)
{
    tn_delta_vacuum_run *v = s->v;
    if (decoded.n == 0 || tn_delta_vacuum_is_outside(decoded)) {
        return; /* in the log itself, or another table's */
    }
    tn_str key = tn_delta_vacuum_key(v->a, tn_str_dup(v->a, decoded));
    if (!tn_delta_vacuum_needs(v, key) && tn_map_find(&s->seen, key) == NULL) {
        tn_map_put(&s->seen, key, s);
        tn_vec_push(&s->places, v->a, key);
    }
}

static tn_rc search_commit(void *self, size_t i, tn_err *err)
{
    searcher *s = self;
    TN_AUTO_ARENA a = tn_arena_new("delta vacuum commit", NULL);
    tn_delta_actions acts;
    tn_strs places = { 0 };
    tn_str place;
    TN_TRY(tn_delta_commit_read(s->v->t, a, s->commits.v[i].version, &acts, err));
    for (size_t k = 0; k < acts.removes.n; k++) {
        TN_TRY(tn_delta_path_decode(a, acts.removes.v[k].path, &place, err));
        tn_vec_push(&places, a, place);
        if (acts.removes.v[k].dv.storage != 0) {
            TN_TRY(tn_delta_dv_place(a, &acts.removes.v[k].dv, &place, err));
            tn_vec_push(&places, a, place);
        }
    }
    for (size_t k = 0; k < acts.cdcs.n; k++) {
        TN_TRY(tn_delta_path_decode(a, acts.cdcs.v[k].path, &place, err));
        tn_vec_push(&places, a, place);
    }
    TN_LOCKED(&s->v->mutex);
    for (size_t k = 0; k < places.n; k++) {
        take_place(s, places.v[k]);
    }
    return TN_OK;
}

/* Files that an earlier vacuum has removed are gone: only what is there counts. */
static tn_rc look_at(void *self, size_t i, tn_err *err)
{
    searcher *s = self;
    TN_AUTO_ARENA a = tn_arena_new("delta vacuum file", NULL);
    tn_store_item item;
    tn_err why = TN_ERR_INIT;
    tn_rc rc = tn_store_head(s->v->t->store, a, s->places.v[i], &item, &why);
    if (rc == TN_E_NOTFOUND) {
        return TN_OK;
    }
    if (rc != TN_OK) {
        return tn_err_pass(err, rc, &why);
    }
    if (item.mtime_us / 1000 < s->v->cut_ms) {
        TN_LOCKED(&s->v->mutex);
        tn_store_item found = {
            .key = s->places.v[i], .size = item.size, .mtime_us = item.mtime_us
        };
        tn_vec_push(&s->v->found, s->v->a, found);
    }
    return TN_OK;
}

static int by_key(const void *x, const void *y)
{
    return tn_str_cmp(((const tn_store_item *)x)->key, ((const tn_store_item *)y)->key);
}

tn_rc tn_delta_vacuum_find_in_log(tn_delta_vacuum_run *v, tn_err *err)
{
    searcher s = { .v = v, .seen = tn_map_init(v->a) };
    TN_TRY(old_commits(v, noted(v), &s.commits, err));
    TN_TRY(tn_parallel(s.commits.n, TN_DELTA_VACUUM_THREADS, search_commit, &s, err));
    TN_TRY(tn_parallel(s.places.n, TN_DELTA_VACUUM_THREADS, look_at, &s, err));
    if (v->found.n > 1) {
        qsort(v->found.v, v->found.n, sizeof v->found.v[0], by_key);
    }
    return TN_OK;
}

tn_rc tn_delta_vacuum_note(const tn_delta_vacuum_run *v, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta vacuum note", NULL);
    tn_delta_log_files all = { 0 };
    TN_TRY(tn_delta_commits_all(v->t, a, &all, err));
    int64_t version = -1;
    for (size_t i = 0; i < all.n && all.v[i].mtime_ms < v->cut_ms; i++) {
        version = all.v[i].version;
    }
    version = version < v->s->version ? version : v->s->version;
    if (version < 0) {
        return TN_OK;
    }
    tn_str text = tn_str_printf(a, "{\"" NOTE_FIELD "\":%lld}", (long long)version);
    return tn_store_put(v->t->store, TN_STR(NOTE_KEY), text, TN_PUT_OVERWRITE, err);
}
