/* delta_head.h: what a version is apart from its list of files: protocol, metadata, transactions, domains and sums over
 * the files. A commit carries it from the version that it read past the winners to its own, and N.crc holds it.
 *
 * The sums follow from those of the version before and the actions of a commit, without the list of files: an add counts, a remove
 * counts back. Where that is not sure (a remove without a size, files that are added again) `counted` becomes false and stays so.
 */
#ifndef TN_DELTA_DELTA_HEAD_H
#define TN_DELTA_DELTA_HEAD_H

#include "delta/action/delta_action.h"
#include "delta/log/delta_log.h"

typedef struct tn_delta_head {
    tn_arena *arena; /* of the maps and what is put into them */
    int64_t version; /* -1: no table yet */
    tn_delta_protocol protocol;
    tn_delta_meta meta;
    tn_map txns;    /* app id -> tn_delta_txn */
    tn_map domains; /* name -> tn_delta_domain, removed ones too */
    int64_t in_commit_ms;
    tn_str txn_id;
    bool counted;
    tn_delta_sums sums;
} tn_delta_head;

/* Borrows the snapshot's texts. s NULL: the state before version 0. */
tn_delta_head tn_delta_head_of(tn_arena *a, const tn_delta_snapshot *s);
/* Moves on to the version of acts; borrows its texts. */
void tn_delta_head_apply(tn_delta_head *h, const tn_delta_actions *acts);

/* ---- N.crc ---- */
tn_str tn_delta_crc_key(tn_arena *a, int64_t version);
void tn_delta_crc_print(tn_buf *b, const tn_delta_head *h);
/* Fails with TN_E_CORRUPT when it is not what a checksum file must be; fields that may be missing stay empty: then `counted`
 * is false, or *ret_complete false when transactions or domains are not listed. */
tn_rc tn_delta_crc_parse(
    tn_arena *a, tn_str text, tn_delta_head *ret, bool *ret_complete, tn_err *err) TN_MUSTUSE;
/* Puts N.crc if it is not there. It only repeats what the log says, so a failure is told to the log of the program and nobody else. */
void tn_delta_crc_put(tn_delta_table *t, const tn_delta_head *h);

#endif
