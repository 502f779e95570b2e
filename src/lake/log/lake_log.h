/* lake_log.h: lake commits as documents, below the pins that lake.h speaks of. */
#ifndef TN_LAKE_LAKE_LOG_H
#define TN_LAKE_LAKE_LOG_H

#include "lake/log/lake_file.h"

typedef tn_vec(int64_t) tn_lake_numbers;

enum { TN_LAKE_LOG_FORMAT = 1 };

/* The JSON object of one commit; NOTFOUND when it never was or was cleaned up. */
tn_rc tn_lake_doc_read(
    tn_lake *l, tn_arena *a, int64_t number, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_lake_doc_pins(tn_arena *a, tn_val doc, tn_pins *ret, tn_err *err) TN_MUSTUSE;
/* -1: the log is empty. */
tn_rc tn_lake_newest_number(tn_lake *l, tn_arena *a, int64_t *ret, tn_err *err) TN_MUSTUSE;
/* Before documents are read one after another: brings at most TN_LAKE_DOCS_AHEAD of them from a far lake, all at once. Numbers may be of no commit. */
enum { TN_LAKE_DOCS_AHEAD = 8 };
void tn_lake_docs_ahead(tn_lake *l, const int64_t *numbers, size_t n);
/* Numbers of the commits after one (-1: all) that are there, ascending; cleaning leaves gaps. */
tn_rc tn_lake_numbers_after(
    tn_lake *l, tn_arena *a, int64_t after, tn_lake_numbers *ret, tn_err *err) TN_MUSTUSE;
/* The first of the commits that the store got less than TN_LAKE_SPARE_MS before the newest; INT64_MAX: the log is empty. */
tn_rc tn_lake_spared_from(tn_lake *l, tn_arena *a, int64_t *ret, tn_err *err) TN_MUSTUSE;
tn_str tn_lake_commit_key(tn_arena *a, int64_t number);
/* The change that turns `from` into `to`: appends to ret's put and drop. */
void tn_lake_difference(tn_arena *a, const tn_pins *from, const tn_pins *to, tn_lake_change *ret);

/* ---- lake_seen.c: what this handle knows of a bucket's log without asking ----
 * Between two statements of one command nobody needs to list the log again: a writer that goes on from a head that is some seconds old finds out by
 * put-if-absent, as every writer does. Near lakes remember nothing, for asking costs nothing. */

/* What looks at the log for itself counts for that long. Cleaning spares commits that are younger than TN_LAKE_SPARE_MS, so that the number after a head
 * that is remembered cannot have been given and freed meanwhile. */
enum { TN_LAKE_RECENT_MS = 3000, TN_LAKE_SPARE_MS = 120000 };
/* The newest commit was `number` (-1: none) when the clock said since_us; text: its document. */
void tn_lake_seen_newest(tn_lake *l, int64_t number, tn_str text, int64_t since_us);
/* Its number, when that is not older than TN_LAKE_RECENT_MS. */
bool tn_lake_newest_recent(tn_lake *l, int64_t *ret);
void tn_lake_doc_keep(tn_lake *l, int64_t number, tn_str text);
bool tn_lake_doc_kept(tn_lake *l, tn_arena *a, int64_t number, tn_str *ret_text);
void tn_lake_seen_free(tn_lake *l);

/* ---- lake_log_text.c ---- */
/* A commit that is to be written. */
typedef struct tn_lake_draft {
    int64_t number;
    tn_str env;
    int64_t parent;
    tn_str txn_id;
    const tn_lake_change *change;
    tn_val heads; /* of the newest commit, or undefined */
    tn_lake_base base;
    tn_lake_views views;
    tn_pins pins;
} tn_lake_draft;
/* Its JSON; the error says which limit it breaks. */
tn_rc tn_lake_draft_print(tn_arena *a, const tn_lake_draft *d, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
