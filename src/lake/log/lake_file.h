/* lake_file.h: the lake's handle and the layout of its own objects. */
#ifndef TN_LAKE_LAKE_FILE_H
#define TN_LAKE_LAKE_FILE_H

#include "lake/lake.h"
#include "os/thread.h"

#define TN_LAKE_LOG_DIR "_tarn/log/"
#define TN_LAKE_CATALOG_DIR "catalog"
#define TN_LAKE_TABLES_DIR "_tarn/tables"

enum { TN_LAKE_COMMIT_BYTES_MAX = 256 << 20, TN_LAKE_PINS_MAX = 1000000 };

/* Objects that are counted, "<folder>/00000000000000000042.json" and 42; dir ends in a slash. number_of: false when key is none of them. */
tn_str tn_lake_numbered_key(tn_arena *a, tn_str dir, int64_t number);
bool tn_lake_number_of(tn_str dir, tn_str key, int64_t *ret);

/* A lake commit's text as it was read or written; commits never change. */
typedef struct tn_lake_doc {
    tn_arena *arena; /* NULL: none */
    int64_t number;
    tn_str text;
} tn_lake_doc;

enum { TN_LAKE_DOCS_KEPT = 16, TN_LAKE_KNOWN_MAX = 512 };

struct tn_lake {
    tn_arena *arena;
    tn_store *store;
    tn_str root; /* absolute path or URL, no trailing slash */
    tn_val storage;
    bool remote;
    bool far; /* asking it costs time: what was asked is remembered (lake_seen.c) */
    /* under the lock, and of a far lake only */
    tn_mutex lock;
    tn_lake_doc docs[TN_LAKE_DOCS_KEPT];
    size_t docs_at;  /* the next place to be used again */
    int64_t newest;  /* number of the newest commit; -1: the log was empty */
    int64_t seen_us; /* when that was so, by the monotonic clock; INT64_MIN: never looked */
    /* lake_known.c */
    tn_delta_snapshot *known[TN_LAKE_KNOWN_MAX];
    size_t known_at;
    size_t known_files; /* of all of them */
};

/* A pin's location as an absolute path or URL, without a slash at the end. */
tn_str tn_lake_absolute(tn_arena *a, const tn_lake *l, tn_str location);
/* A location inside the root as a key below it; false for a place elsewhere. */
bool tn_lake_inside_root(const tn_lake *l, tn_str location, tn_str *ret_key);
/* ---- lake_known.c ---- */
/* The lake remembers the versions that are committed through the table's handle; it outlives the handle. */
void tn_lake_watch(tn_lake *l, tn_delta_table *t);
tn_delta_snapshot *tn_lake_known(tn_lake *l, const tn_pin *p); /* one reference; NULL: not known */
/* Before many pins are opened one after another: brings what makes up their versions from a far lake, several tables at once. */
void tn_lake_warm(tn_lake *l, const tn_pins *pins);
void tn_lake_known_free(tn_lake *l);
/* Gives Delta pins that say nothing of their versions what can be known: from what was committed here, else the schema's hash from checksum files (one request
 * each, several at once). */
void tn_lake_describe_pins(tn_lake *l, tn_arena *a, tn_pins *pins);
tn_str tn_pin_full_name(tn_arena *a, const tn_pin *p); /* schema.name */
bool tn_pin_is_place(const tn_pin *p);                 /* made for delta."/path" in a statement */
/* For messages, as statements name it: schema.name, the place, and VERSION AS OF n for a view's schema with @vn. */
tn_str tn_pin_shown(tn_arena *a, const tn_pin *p);
bool tn_lake_plain_name(tn_str name); /* may be a folder's name below the root */
/* CREATE OR REPLACE VIEW of one pin in its schema, which is there; database empty: the current one. portable: for other sessions to run. */
tn_rc tn_lake_view_make(tn_lake *l, tn_conn *conn, tn_str database, const tn_pin *p, bool portable,
    tn_err *err) TN_MUSTUSE;

/* The same of SQL that is known. */
tn_rc tn_lake_view_of(
    tn_conn *conn, tn_str database, const tn_pin *p, tn_str sql, tn_err *err) TN_MUSTUSE;
/* DuckDB calls a name ambiguous that is a catalog's and a schema's. Opened by itself, catalog/dev.duckdb is the catalog "dev": when a schema has that
 * name too, its views are made in a schema "_tarn_dev", which other views refer to, and shown in "dev" by views over those. */
bool tn_lake_schema_clash(tn_str env, const tn_pins *pins);
tn_rc tn_lake_catalog_pins(
    tn_arena *a, tn_str env, const tn_pins *pins, tn_pins *ret, tn_err *err) TN_MUSTUSE;

#endif
