/* land_input.h: the inputs of one landing, resolved to files that DuckDB can read. */
#ifndef TN_LAKE_LAND_INPUT_H
#define TN_LAKE_LAND_INPUT_H

#include "lake/land.h"

typedef struct tn_land_file {
    tn_str path;  /* readable file */
    tn_str shown; /* what _source_file says: path as given, or archive::member */
} tn_land_file;
typedef tn_vec(tn_land_file) tn_land_files;

/* Expands globs and unpacks archives below temp_dir. An input that matches nothing is an error naming it. Order: as given, globs and members
 * sorted. Standard input is spooled to a file, archives in buckets are fetched. storage: options of the lake's bucket. */
tn_rc tn_land_inputs(tn_arena *a, const tn_land_opts *opts, tn_val storage, tn_str temp_dir,
    tn_land_files *ret, tn_err *err) TN_MUSTUSE;
/* The format of a file by its name, compression endings left out; AUTO when it says nothing. */
tn_land_format tn_land_format_of(tn_str name);

/* ---- a look before reading (land_peek.c) ---- */
typedef enum tn_land_newline {
    TN_LAND_NO_NEWLINE,
    TN_LAND_LF,
    TN_LAND_CRLF,
    TN_LAND_CR
} tn_land_newline;
/* The first bytes, gzip unpacked. *ret_known false: a remote file, or compressed otherwise. */
tn_rc tn_land_peek(tn_arena *a, tn_str path, tn_str *ret, bool *ret_known, tn_err *err) TN_MUSTUSE;
tn_land_newline tn_land_newline_of(tn_str text);
tn_str tn_land_first_line(tn_str text); /* without its ending and a byte order mark */
/* What stands between the fields of a header line: one of , ; tab | or 0 when it has none of them. */
char tn_land_delimiter_of(tn_str first_line);
/* Reads the whole file, plain text: TN_E_DATA when a bracket or a string is left open at its end. */
tn_rc tn_land_check_json(tn_str path, tn_str shown, tn_err *err) TN_MUSTUSE;
/* Reads the whole file: TN_E_DATA when it is cut short or damaged. */
tn_rc tn_land_check_gzip(tn_str path, tn_str shown, tn_err *err) TN_MUSTUSE;

/* ---- zip archives ---- */
typedef struct tn_zip_member {
    tn_str name;
    int64_t offset; /* of its local header */
    int64_t packed, size;
    uint32_t crc;
    int method; /* 0 stored, 8 deflated */
    bool encrypted;
} tn_zip_member;
typedef tn_vec(tn_zip_member) tn_zip_members;
/* The central directory, zip64 included; folders are left out. */
tn_rc tn_zip_list(tn_arena *a, tn_str path, tn_zip_members *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_zip_extract(tn_str path, const tn_zip_member *m, tn_str to, tn_err *err) TN_MUSTUSE;

#endif
