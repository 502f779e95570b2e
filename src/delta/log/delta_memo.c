/* delta_memo.c: which objects make up a version of a table on a far store, kept on this machine's disk: opening it again lists nothing.
 *
 *     version  checkpoint version (-1)  0|1: it is JSON  time of the version's file  its etag
 *     p  size  etag  key                                      a part of the checkpoint
 *     c  version  size  time  etag  key                       a commit after it
 *
 * Fields are separated by tabs. A memo is found by the table's place, the version and the hash of its commit file, which the caller has from a lake commit. So
 * it cannot be another table's that was made in the same place, nor one of a bucket that was set back: their commits differ. What is opened by a memo must
 * have that hash, else the log is listed as ever.
 */
#include "base/log.h"
#include "delta/log/delta_log.h"

enum { TEXT_BYTES_MAX = 4 << 20, PARTS_MAX = 20000, HASH_SIZE = 16 };

static tn_str name_of(tn_arena *a, int64_t version, tn_str hash)
{
    return tn_str_printf(
        a, "_delta_log segment %lld " TN_STR_FMT, (long long)version, TN_STR_ARG(hash));
}

static bool is_plain(tn_str s)
{
    return memchr(s.p, '\t', s.n) == NULL && memchr(s.p, '\n', s.n) == NULL;
}

/* ---- writing ---- */

static bool print_memo(tn_buf *b, const tn_delta_segment *seg)
{
    bool plain = is_plain(seg->version_etag);
    tn_buf_addf(b, "%lld\t%lld\t%d\t%lld\t" TN_STR_FMT "\n", (long long)seg->version,
        (long long)seg->checkpoint_version, seg->checkpoint_is_json,
        (long long)seg->version_mtime_ms, TN_STR_ARG(seg->version_etag));
    for (size_t i = 0; i < seg->checkpoint.n; i++) {
        const tn_store_item *p = &seg->checkpoint.v[i];
        plain = plain && is_plain(p->key) && is_plain(p->etag);
        tn_buf_addf(b, "p\t%lld\t" TN_STR_FMT "\t" TN_STR_FMT "\n", (long long)p->size,
            TN_STR_ARG(p->etag), TN_STR_ARG(p->key));
    }
    for (size_t i = 0; i < seg->commits.n; i++) {
        const tn_delta_log_file *c = &seg->commits.v[i];
        plain = plain && is_plain(c->key) && is_plain(c->etag);
        tn_buf_addf(b, "c\t%lld\t%lld\t%lld\t" TN_STR_FMT "\t" TN_STR_FMT "\n",
            (long long)c->version, (long long)c->size, (long long)c->mtime_ms, TN_STR_ARG(c->etag),
            TN_STR_ARG(c->key));
    }
    return plain;
}

void tn_delta_memo_put(tn_delta_table *t, const tn_delta_segment *seg, tn_str hash)
{
    TN_AUTO_ARENA a = tn_arena_new("delta memo", NULL);
    tn_buf b = tn_buf_init(a, TEXT_BYTES_MAX);
    tn_str text;
    bool sane = seg->checkpoint.n + seg->commits.n <= PARTS_MAX && print_memo(&b, seg);
    if (sane && tn_buf_finish(&b, "a memo", &text, NULL) == TN_OK) {
        tn_store_text_put(t->store, name_of(a, seg->version, hash), text);
    }
}

/* ---- reading ---- */

static tn_str take(tn_str *line)
{
    tn_str field, rest;
    if (!tn_str_cut(*line, '\t', &field, &rest)) {
        field = *line;
        rest = TN_STR_NONE;
    }
    *line = rest;
    return field;
}

static bool take_int(tn_str *line, int64_t *ret)
{
    return tn_str_to_i64(take(line), ret);
}

static bool parse_head(tn_str line, tn_delta_segment *seg)
{
    int64_t json;
    bool ok = take_int(&line, &seg->version) && take_int(&line, &seg->checkpoint_version) &&
              take_int(&line, &json) && take_int(&line, &seg->version_mtime_ms);
    seg->checkpoint_is_json = ok && json == 1;
    seg->version_etag = line;
    return ok;
}

static bool parse_line(tn_arena *a, tn_str line, tn_delta_segment *seg)
{
    tn_str kind = take(&line);
    if (tn_str_is(kind, "p")) {
        tn_store_item p = { .key = TN_STR_NONE };
        bool ok = take_int(&line, &p.size);
        p.etag = take(&line);
        p.key = line;
        tn_vec_push(&seg->checkpoint, a, p);
        return ok && p.key.n > 0;
    }
    tn_delta_log_file c = { .from = -1 };
    bool ok = tn_str_is(kind, "c") && take_int(&line, &c.version) && take_int(&line, &c.size) &&
              take_int(&line, &c.mtime_ms);
    c.etag = take(&line);
    c.key = line;
    tn_vec_push(&seg->commits, a, c);
    return ok && c.key.n > 0;
}

static bool parse_memo(tn_arena *a, tn_str text, tn_delta_segment *ret)
{
    tn_delta_segment seg = { .version = -1 };
    tn_str line, rest;
    bool ok = tn_str_cut(text, '\n', &line, &rest) && parse_head(line, &seg);
    while (ok && rest.n > 0) {
        tn_str tail;
        ok = tn_str_cut(rest, '\n', &line, &tail) && parse_line(a, line, &seg);
        rest = tail;
    }
    *ret = seg;
    return ok;
}

static tn_delta_snapshot *open_by_memo(
    tn_delta_table *t, tn_conn *conn, tn_arena *a, int64_t version, tn_str hash)
{
    tn_str text;
    tn_delta_segment seg;
    tn_err why = TN_ERR_INIT;
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    if (!tn_store_text_get(t->store, a, name_of(a, version, hash), &text) ||
        !parse_memo(a, text, &seg) || seg.version != version) {
        return NULL;
    }
    if (tn_delta_snapshot_of_segment(t, conn, a, &seg, &s, &why) != TN_OK ||
        !tn_str_eq(s->commit_hash, hash)) {
        tn_log(TN_LOG_DEBUG, "delta", "a memo of version %lld is passed over: %s",
            (long long)version, why.msg);
        return NULL;
    }
    return TN_TAKE(s);
}

/* The segment's last commit has that hash, and its text is on this machine. */
static bool ends_with(tn_delta_table *t, tn_arena *a, const tn_delta_segment *seg, tn_str hash)
{
    if (seg->commits.n == 0) {
        return false;
    }
    tn_str text;
    const tn_delta_log_file *last = &tn_vec_last(&seg->commits);
    tn_store_item item = { .key = last->key, .etag = last->etag, .size = last->size };
    return tn_store_get_kept(t->store, a, &item, TN_DELTA_COMMIT_BYTES_MAX, &text, NULL) == TN_OK &&
           tn_str_eq(tn_delta_hash_of(a, text), hash);
}

void tn_delta_warm(tn_delta_table *t, int64_t version, tn_str hash)
{
    TN_AUTO_ARENA a = tn_arena_new("delta warm", NULL);
    tn_delta_segment seg;
    tn_str text;
    if (hash.n != HASH_SIZE || !tn_delta_is_far(t)) {
        return;
    }
    if (tn_store_text_get(t->store, a, name_of(a, version, hash), &text) &&
        parse_memo(a, text, &seg)) {
        tn_delta_segment_fetch(t, &seg);
        return;
    }
    if (tn_delta_segment_find(t, a, version, INT64_MAX, &seg, NULL) == TN_OK) {
        tn_delta_segment_fetch(t, &seg);
        if (ends_with(t, a, &seg, hash)) {
            tn_delta_memo_put(t, &seg, hash);
        }
    }
}

tn_rc tn_delta_snapshot_open_known(tn_delta_table *t, tn_conn *conn, int64_t version, tn_str hash,
    tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta known", NULL);
    tn_delta_segment seg;
    if (hash.n != HASH_SIZE || !tn_delta_is_far(t)) {
        return tn_delta_snapshot_open(t, conn, version, ret, err);
    }
    tn_delta_snapshot *s = open_by_memo(t, conn, a, version, hash);
    if (s != NULL) {
        *ret = s;
        return TN_OK;
    }
    tn_rc rc = tn_delta_segment_find(t, a, version, INT64_MAX, &seg, err);
    rc = rc == TN_OK ? tn_delta_snapshot_of_segment(t, conn, a, &seg, &s, err) : rc;
    if (rc != TN_OK) {
        return tn_while(err, rc, "reading the table '" TN_STR_FMT "'", TN_STR_ARG(t->store->root));
    }
    if (tn_str_eq(s->commit_hash, hash)) {
        tn_delta_memo_put(t, &seg, hash);
    }
    *ret = s;
    return TN_OK;
}
