/* land.h: raw files into a Delta table: what `tarn land` does.
 *
 * Inputs are paths, globs, zip archives ("a.zip" means all members, "a.zip::*.csv" some), compressed files (.gz, .zst) or "-" for standard input. All
 * inputs of one call are one commit. Added columns: _source_file (the path as given, "archive.zip::member" for members) and _loaded_at (one
 * instant for all rows), unless switched off.
 *
 * A row that cannot be read is never dropped silently: by default it fails the whole call with file and line, nothing is committed; with
 * TN_BAD_ASIDE the good rows are committed and the bad ones go to the table <name>__rejected beside it.
 *
 * merge: rows with a new key are added, rows that differ are updated, the rest stays. A key that is in the inputs twice, or NULL, fails the call.
 *
 * once: an input whose name is in the table's _source_file already is skipped; two calls that load the same names at the same time commit once.
 */
#ifndef TN_LAKE_LAND_H
#define TN_LAKE_LAND_H

#include "lake/lake.h"

typedef enum tn_land_format {
    TN_LAND_AUTO, /* by the file names' endings */
    TN_LAND_CSV,
    TN_LAND_JSON,   /* an array of objects, or objects one after another */
    TN_LAND_NDJSON, /* one object a line */
    TN_LAND_PARQUET,
    TN_LAND_ARROW, /* IPC stream */
} tn_land_format;

typedef enum tn_land_mode {
    TN_LAND_APPEND,
    TN_LAND_OVERWRITE,
    TN_LAND_ERROR,
    TN_LAND_IGNORE,
    TN_LAND_MERGE
} tn_land_mode;
typedef enum tn_bad_rows { TN_BAD_REJECT, TN_BAD_ASIDE } tn_bad_rows;

enum {
    TN_LAND_INPUTS_MAX = 1000000,
    TN_LAND_BAD_SHOWN = 10,    /* rejected rows told in the error */
    TN_LAND_BAD_MAX = 1000000, /* rejected rows kept aside; more is an error */
    TN_LAND_HEADERS_MAX = 500, /* different headers among the csv files of one call */
};

typedef struct tn_land_opts {
    tn_strs inputs;
    tn_land_format format;
    tn_land_mode mode;
    tn_delta_schema_mode schema_mode;
    tn_strs partition_by, cluster_by;
    tn_str where;    /* TN_LAND_OVERWRITE: only rows of this predicate are replaced; empty: all */
    bool partitions; /* TN_LAND_OVERWRITE: only the partitions that the new rows have */
    tn_strs key;     /* TN_LAND_MERGE: columns that tell rows apart */
    tn_strs columns; /* names for files without a header line, in order */
    tn_val types;    /* dict: column -> SQL type */
    tn_val
        csv; /* dict of read_csv settings by DuckDB's names (delim, header, nullstr, dateformat, ...) */
    bool once;
    bool no_file_columns; /* do not add _source_file and _loaded_at */
    bool all_text;        /* every column that types does not name as VARCHAR */
    bool
        normalize_names; /* 'Adj Close' -> adj_close, '#expiry' -> expiry, '1m' -> _1m, '' -> column0 */
    tn_bad_rows bad_rows;
    tn_str zip_glob;   /* members wanted of archives named without "::" */
    tn_val properties; /* table properties for a new table */
    void (*progress)(
        void *self, const char *stage, double percent); /* NULL: none; percent < 0: unknown */
    void *progress_self;
} tn_land_opts;

typedef struct tn_land_result {
    int64_t version; /* of the table; -1 when nothing was written */
    int64_t rows, files_written, bytes;
    int64_t inputs;         /* files read, members of archives counted */
    int64_t inputs_skipped; /* by once */
    int64_t rejected;
    int64_t updated; /* of rows: those whose key was there (merge) */
    bool created;
    bool
        skipped; /* nothing to do: mode ignore on an existing table, or all inputs loaded already */
} tn_land_result;

/* Target: a location as in tn_lake_table_open (lake-relative, path or URL). conn is the caller's in-memory session. */
tn_rc tn_land(tn_lake *l, tn_conn *conn, tn_str location, const tn_land_opts *opts,
    tn_land_result *ret, tn_err *err) TN_MUSTUSE;

#endif
