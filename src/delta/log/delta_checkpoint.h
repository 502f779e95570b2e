/* delta_checkpoint.h: the parts of writing a checkpoint.
 *
 * Actions are printed as lines of JSON into a local file, DuckDB makes Parquet of them, and objects are put whole. With statistics as structs the
 * lines carry them a second time, every number in quotes: DuckDB's JSON reader would round what does not fit a double.
 */
#ifndef TN_DELTA_DELTA_CHECKPOINT_H
#define TN_DELTA_DELTA_CHECKPOINT_H

#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"

typedef enum tn_checkpoint_part {
    TN_CHECKPOINT_ALL,  /* a classic checkpoint: all actions */
    TN_CHECKPOINT_FILES /* a sidecar: add and remove */
} tn_checkpoint_part;

typedef struct tn_checkpoint_lines {
    tn_str path;
    size_t longest; /* bytes of a line: DuckDB takes twice as much memory for each of its threads */
} tn_checkpoint_lines;
/* "COPY (SELECT .. FROM read_json(from ..)) TO to (..)" */
tn_rc tn_delta_checkpoint_copy(tn_arena *a, const tn_delta_snapshot *s, tn_checkpoint_part part,
    const tn_checkpoint_lines *from, tn_str to, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* delta.checkpoint.writeStatsAsJson (true when absent), delta.checkpoint.writeStatsAsStruct (false when absent). */
bool tn_delta_checkpoint_stats_json(const tn_delta_meta *m);
bool tn_delta_checkpoint_stats_struct(const tn_delta_meta *m);
/* The STRUCT of a checkpoint's stats_parsed with all leaves as VARCHAR: what is written and read is text, values are cast or printed by their columns'
 * types. */
void tn_delta_checkpoint_stats_type(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping);
/* JSON with every number in quotes; false: the text is no JSON object. */
bool tn_delta_quote_numbers(tn_buf *b, tn_str json);

/* ---- _last_checkpoint ---- */
typedef struct tn_delta_sidecar {
    tn_str name; /* in _delta_log/_sidecars */
    int64_t bytes, mtime_ms;
} tn_delta_sidecar;
typedef tn_vec(tn_delta_sidecar) tn_delta_sidecars;

typedef struct tn_delta_hint {
    int64_t version, actions, bytes, adds;
    tn_str v2_name; /* of the top file of a v2 checkpoint; empty: classic */
    int64_t v2_bytes, v2_mtime_ms;
    tn_str v2_actions; /* lines: protocol, metaData and the like */
    tn_delta_sidecars sidecars;
} tn_delta_hint;
/* Puts it, unless a newer one is there. */
tn_rc tn_delta_hint_put(tn_delta_table *t, const tn_delta_hint *h, tn_err *err) TN_MUSTUSE;
/* MD5 of the canonical form ("JSON checksum"), in hex; the member `checksum` of the top level does not count. */
tn_str tn_delta_json_checksum(tn_arena *a, tn_val v);

#endif
