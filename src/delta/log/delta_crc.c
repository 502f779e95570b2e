/* delta_crc.c: N.crc, the checksum file of a version ("Version Checksum File").
 *
 *     {"txnId":..,"tableSizeBytes":n,"numFiles":n,"numDeletedRecordsOpt":n,"numDeletionVectorsOpt":n,"numMetadata":1,"numProtocol":1,
 *      "inCommitTimestampOpt":ms,"setTransactions":[..],"domainMetadata":[..],"metadata":{..},"protocol":{..},
 *      "fileSizeHistogram":{"sortedBinBoundaries":[..],"fileCounts":[..],"totalBytes":[..]},
 *      "deletedRecordCountsHistogramOpt":{"deletedRecordCounts":[10 numbers]}}
 * It is put after the commit, if absent, and never changed. One that is malformed is as good as none.
 */
#include "base/log.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_head.h"
#include "delta/log/delta_log.h"
#include "text/json.h"

#define CRC_BYTES_MAX ((size_t)64 << 20)
enum {
    LISTED_MAX = 1000
}; /* longer lists of transactions or domains are left out: they would be written with every commit */

tn_str tn_delta_crc_key(tn_arena *a, int64_t version)
{
    return tn_str_printf(a, "_delta_log/%020lld.crc", (long long)version);
}

/* ---- printing ---- */

static void put_int(tn_json_writer *w, const char *key, int64_t n)
{
    tn_jw_key(w, key);
    tn_jw_int(w, n);
}

static void put_ints(tn_json_writer *w, const char *key, const int64_t *v, size_t n)
{
    tn_jw_key(w, key);
    tn_jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        tn_jw_int(w, v[i]);
    }
    tn_jw_arr_end(w);
}

/* The object inside of a printed action: {"protocol":{..}}\n -> {..} */
static tn_str inner(const tn_buf *line)
{
    tn_str s = tn_str_trim(tn_buf_str(line));
    size_t colon = tn_str_find_char(s, ':', 0);
    return tn_str_sub(s, colon + 1, s.n - 1);
}

static void put_lists(tn_json_writer *w, const tn_delta_head *h)
{
    tn_buf line = tn_buf_init(h->arena, TN_DELTA_COMMIT_BYTES_MAX);
    if (h->txns.live <= LISTED_MAX) {
        tn_jw_key(w, "setTransactions");
        tn_jw_arr(w);
        for (size_t i = 0; i < h->txns.n; i++) {
            tn_buf_reset(&line);
            tn_delta_print_txn(&line, h->txns.items[i].value);
            tn_jw_raw(w, inner(&line));
        }
        tn_jw_arr_end(w);
    }
    if (h->domains.live <= LISTED_MAX) {
        tn_jw_key(w, "domainMetadata");
        tn_jw_arr(w);
        for (size_t i = 0; i < h->domains.n; i++) {
            const tn_delta_domain *d = h->domains.items[i].value;
            if (!d->removed) {
                tn_buf_reset(&line);
                tn_delta_print_domain(&line, d);
                tn_jw_raw(w, inner(&line));
            }
        }
        tn_jw_arr_end(w);
    }
}

static void put_histograms(tn_json_writer *w, const tn_delta_head *h, bool vectors)
{
    int64_t bins[TN_DELTA_SIZE_BINS];
    tn_delta_size_bins(bins);
    tn_jw_key(w, "fileSizeHistogram");
    tn_jw_obj(w);
    put_ints(w, "sortedBinBoundaries", bins, TN_DELTA_SIZE_BINS);
    put_ints(w, "fileCounts", h->sums.size_counts, TN_DELTA_SIZE_BINS);
    put_ints(w, "totalBytes", h->sums.size_bytes, TN_DELTA_SIZE_BINS);
    tn_jw_obj_end(w);
    if (vectors) {
        tn_jw_key(w, "deletedRecordCountsHistogramOpt");
        tn_jw_obj(w);
        put_ints(w, "deletedRecordCounts", h->sums.deleted_counts, TN_DELTA_DELETED_BINS);
        tn_jw_obj_end(w);
    }
}

void tn_delta_crc_print(tn_buf *b, const tn_delta_head *h)
{
    bool vectors = tn_delta_has_feature(&h->protocol, "deletionVectors");
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    if (h->txn_id.n > 0) {
        tn_jw_key(&w, "txnId");
        tn_jw_str(&w, h->txn_id);
    }
    put_int(&w, "tableSizeBytes", h->sums.bytes);
    put_int(&w, "numFiles", h->sums.files);
    if (vectors) {
        put_int(&w, "numDeletedRecordsOpt", h->sums.deleted);
        put_int(&w, "numDeletionVectorsOpt", h->sums.vectors);
    }
    put_int(&w, "numMetadata", 1);
    put_int(&w, "numProtocol", 1);
    if (h->in_commit_ms != TN_DELTA_ABSENT) {
        put_int(&w, "inCommitTimestampOpt", h->in_commit_ms);
    }
    put_lists(&w, h);
    tn_buf line = tn_buf_init(h->arena, TN_DELTA_COMMIT_BYTES_MAX);
    tn_delta_print_meta(&line, &h->meta);
    tn_jw_key(&w, "metadata");
    tn_jw_raw(&w, inner(&line));
    tn_buf_reset(&line);
    tn_delta_print_protocol(&line, &h->protocol);
    tn_jw_key(&w, "protocol");
    tn_jw_raw(&w, inner(&line));
    put_histograms(&w, h, vectors);
    tn_jw_obj_end(&w);
    tn_buf_addc(b, '\n');
}

void tn_delta_crc_put(tn_delta_table *t, const tn_delta_head *h)
{
    TN_AUTO_ARENA a = tn_arena_new("delta crc", NULL);
    tn_buf b = tn_buf_init(a, CRC_BYTES_MAX);
    tn_str text;
    tn_err why = TN_ERR_INIT;
    tn_delta_crc_print(&b, h);
    if (tn_buf_finish(&b, "a checksum file", &text, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "delta", "no checksum file of version %lld: %s", (long long)h->version,
            why.msg);
        return;
    }
    tn_delta_put_behind(t, tn_delta_crc_key(a, h->version), text);
}

/* ---- parsing ---- */

/* The lists and objects of the file, as lines of a commit: one parser for both. */
static void as_lines(tn_buf *b, const char *kind, tn_val v)
{
    for (size_t i = 0; i < (v.tag == TN_LIST ? v.list->n : 1); i++) {
        tn_val one = v.tag == TN_LIST ? v.list->v[i] : v;
        if (one.tag == TN_DICT) {
            tn_buf_addf(b, "{\"%s\":", kind);
            tn_json_print(b, one, NULL);
            tn_buf_addz(b, "}\n");
        }
    }
}

static void take_ints(tn_val list, int64_t *to, size_t n, bool *ok)
{
    *ok = *ok && list.tag == TN_LIST && list.list->n == n;
    for (size_t i = 0; *ok && i < n; i++) {
        *ok = list.list->v[i].tag == TN_INT && list.list->v[i].i >= 0;
        to[i] = *ok ? list.list->v[i].i : 0;
    }
}

static bool same_bins(tn_val list)
{
    int64_t ours[TN_DELTA_SIZE_BINS];
    int64_t theirs[TN_DELTA_SIZE_BINS];
    bool ok = true;
    tn_delta_size_bins(ours);
    take_ints(list, theirs, TN_DELTA_SIZE_BINS, &ok);
    return ok && memcmp(ours, theirs, sizeof ours) == 0;
}

/* True when all sums are known. */
static bool take_sums(tn_val v, bool vectors, tn_delta_sums *s)
{
    tn_val h = tn_val_at(v, "fileSizeHistogram");
    h = h.tag == TN_DICT ? h : tn_val_at(v, "histogramOpt"); /* the reference's older name */
    bool ok = same_bins(tn_val_at(h, "sortedBinBoundaries"));
    take_ints(tn_val_at(h, "fileCounts"), s->size_counts, TN_DELTA_SIZE_BINS, &ok);
    take_ints(tn_val_at(h, "totalBytes"), s->size_bytes, TN_DELTA_SIZE_BINS, &ok);
    if (!vectors) {
        s->deleted_counts[0] = s->files;
        return ok;
    }
    s->vectors = tn_val_int_at(v, "numDeletionVectorsOpt", -1);
    s->deleted = tn_val_int_at(v, "numDeletedRecordsOpt", -1);
    take_ints(tn_val_at(tn_val_at(v, "deletedRecordCountsHistogramOpt"), "deletedRecordCounts"),
        s->deleted_counts, TN_DELTA_DELETED_BINS, &ok);
    return ok && s->vectors >= 0 && s->deleted >= 0;
}

static tn_rc malformed(const char *what, tn_err *err)
{
    return tn_fail(err, TN_E_CORRUPT, "the checksum file %s", what);
}

tn_rc tn_delta_crc_parse(
    tn_arena *a, tn_str text, tn_delta_head *ret, bool *ret_complete, tn_err *err)
{
    tn_val v;
    TN_TRY(tn_json_parse(a, text, &v, err));
    if (v.tag != TN_DICT) {
        return malformed("is not an object", err);
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_COMMIT_BYTES_MAX);
    as_lines(&b, "protocol", tn_val_at(v, "protocol"));
    as_lines(&b, "metaData", tn_val_at(v, "metadata"));
    as_lines(&b, "txn", tn_val_at(v, "setTransactions"));
    as_lines(&b, "domainMetadata", tn_val_at(v, "domainMetadata"));
    tn_str lines;
    TN_TRY(tn_buf_finish(&b, "a checksum file", &lines, err));
    tn_delta_actions acts = tn_delta_actions_empty();
    TN_TRY(tn_delta_actions_parse(a, lines, "checksum file", &acts, err));
    if (!acts.has_protocol || !acts.has_meta) {
        return malformed("has no protocol or no metadata", err);
    }
    acts.in_commit_ms = tn_val_int_at(v, "inCommitTimestampOpt", TN_DELTA_ABSENT);
    acts.txn_id = tn_val_str_at(v, "txnId", TN_STR(""));
    tn_delta_head h = tn_delta_head_of(a, NULL);
    tn_delta_head_apply(&h, &acts);
    h.sums.files = tn_val_int_at(v, "numFiles", -1);
    h.sums.bytes = tn_val_int_at(v, "tableSizeBytes", -1);
    if (h.sums.files < 0 || h.sums.bytes < 0 || tn_val_int_at(v, "numMetadata", 0) != 1 ||
        tn_val_int_at(v, "numProtocol", 0) != 1) {
        return malformed("lacks a number that it must have", err);
    }
    h.counted = take_sums(v, tn_delta_has_feature(&h.protocol, "deletionVectors"), &h.sums);
    *ret = h;
    *ret_complete = tn_val_at(v, "setTransactions").tag == TN_LIST &&
                    tn_val_at(v, "domainMetadata").tag == TN_LIST;
    return TN_OK;
}
