/* delta_stats.h: the statistics of a file, as add.stats holds them. */
#ifndef TN_DELTA_DELTA_STATS_H
#define TN_DELTA_DELTA_STATS_H

#include "delta/action/delta_schema.h"

/* column_statistics of COPY's RETURN_STATS (dict: quoted dotted path -> dict) to the JSON of add.stats. always: dotted names of columns that
 * have statistics whatever the table's properties say (clustering columns), or NULL. */
void tn_delta_stats_print(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping,
    const tn_strs *always, int64_t rows, tn_val column_statistics);
/* stats_parsed of a checkpoint, every leaf a text as DuckDB prints it (dict under physical names; NULL: unknown), to the JSON of add.stats. Empty:
 * there are none. */
tn_str tn_delta_stats_of_texts(
    tn_arena *a, const tn_delta_meta *m, tn_delta_mapping mapping, tn_val texts);
/* What parsed statistics say of a column ("minValues", "maxValues", "nullCount"), by its physical names from the top; undefined: nothing. */
tn_val tn_delta_stat_at(tn_val stats, const char *key, const tn_strs *path);
/* numRecords, or -1 when the statistics do not say. */
int64_t tn_delta_stats_rows(const tn_delta_file *f);
/* A partition value's text as DuckDB casts it to the text that the log holds. */
tn_val tn_delta_partition_text(tn_arena *a, const tn_delta_type *t, tn_val duck);

/* A file's statistics as they hold with a deletion vector: exact numRecords, tightBounds false. */
tn_rc tn_delta_stats_loosen(
    tn_arena *a, const tn_delta_file *f, int64_t rows, tn_str *ret, tn_err *err) TN_MUSTUSE;

#endif
