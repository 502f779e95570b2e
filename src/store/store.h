/* store.h: one interface over a folder, a bucket or memory: whole immutable objects under '/'-separated keys.
 *
 * Keys are relative to the store's root, without a leading '/'. An object appears whole or not at all. put-if-absent is
 * atomic among all writers of all hosts. After a put is acknowledged, a get or list by anyone sees it.
 * Codes: NOTFOUND, EXISTS (put-if-absent lost), AMBIGUOUS (a put whose answer was lost: read back and compare), IO, NET, AUTH, LIMIT.
 * A store is shared by threads; ref/unref are atomic. tn_store_open understands plain paths, file:// and mem://name[/prefix]
 * (one shared in-process tree a name, kept to the end of the process, for tests); other schemes are added by tn_store_register.
 *
 * Keys: no empty, '.' or '..' part and no zero byte, else TN_E_VALUE. A root that is not there is an empty store; put makes
 * what it needs. Names of unfinished local writes are never listed. DuckDB cannot reach into mem://: locate gives
 * mem://name/key there, which is good for messages only, and prepare fails with TN_E_UNSUPPORTED.
 */
#ifndef TN_STORE_STORE_H
#define TN_STORE_STORE_H

#include "base/val.h"
#include "base/vec.h"
#include "os/file.h"

typedef struct tn_store tn_store;

typedef struct tn_store_item {
    tn_str key; /* relative to the store's root */
    int64_t size;
    int64_t mtime_us;
    tn_str etag;    /* may be empty */
    bool is_prefix; /* a common prefix (folder), with delimiter listing */
} tn_store_item;
typedef tn_vec(tn_store_item) tn_store_items;

typedef enum tn_put_mode { TN_PUT_OVERWRITE, TN_PUT_IF_ABSENT } tn_put_mode;

typedef struct tn_store_list_opts {
    tn_str prefix;      /* a plain string prefix of the key: "_delta_log/" */
    tn_str start_after; /* only keys > this */
    bool flat;          /* true: everything below; false: stop at '/', folders as is_prefix items */
    size_t items_max;   /* 0: no limit */
} tn_store_list_opts;

typedef struct tn_store_ops {
    const char *name;
    tn_rc (*get)(tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err);
    tn_rc (*get_range)(
        tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret, tn_err *err);
    tn_rc (*put)(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err);
    tn_rc (*list)(tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret,
        tn_err *err); /* sorted by key bytes */
    tn_rc (*head)(tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err);
    tn_rc (*remove)(tn_store *s, tn_str key, tn_err *err); /* absent: ok */
    /* Many at once; NULL: one by one. Absent ones are ok. */
    tn_rc (*remove_many)(tn_store *s, const tn_str *keys, size_t n, tn_err *err);
    /* An object that comes in parts, without holding it in memory; NULL: read whole and put. */
    tn_rc (*put_parts)(
        tn_store *s, tn_str key, const tn_parts *from, tn_put_mode mode, tn_err *err);
    /* A copy that is made where both lie; TN_E_UNSUPPORTED: they do not lie together. NULL: never. */
    tn_rc (*copy)(tn_store *s, tn_str key, tn_store *from, tn_str from_key, tn_err *err);
    /* The location of a key as DuckDB must be told it: a path or s3://bucket/prefix/key. */
    tn_str (*locate)(tn_store *s, tn_arena *a, tn_str key);
    /* Makes sure that a file may be created at key by path (folders exist). No-op on buckets. */
    tn_rc (*prepare)(tn_store *s, tn_str key, tn_err *err);
    void (*close)(tn_store *s);
    /* Names the object among all places of the world; NULL, or empty: the store is near, and nothing of it is kept on disk. */
    tn_str (*cache_id)(tn_store *s, tn_arena *a, tn_str key);
    tn_val (*options)(tn_store *s); /* NULL: none were needed */
    /* A range of the object that a listing has shown; TN_E_CORRUPT when another stands there by now. NULL: get_range has to do. */
    tn_rc (*get_part)(tn_store *s, tn_arena *a, const tn_store_item *item, int64_t from, size_t n,
        tn_str *ret, tn_err *err);
} tn_store_ops;

struct tn_store {
    const tn_store_ops *ops;
    int refs;
    tn_str root; /* as opened, without a trailing slash */
};

typedef struct tn_store_opts {
    tn_val options; /* dict of storage options (endpoint, region, ...), or undefined */
    bool create;    /* make the root folder when it is absent */
} tn_store_opts;

tn_rc tn_store_open(tn_str url, const tn_store_opts *opts, tn_store **ret,
    tn_err *err) TN_MUSTUSE; /* one reference */
tn_store *tn_store_ref(tn_store *s);
void tn_store_unref(tn_store *s); /* NULL is fine */
TN_DEFINE_AUTOPTR(tn_store, tn_store_unref)

tn_rc tn_store_get(
    tn_store *s, tn_arena *a, tn_str key, size_t bytes_max, tn_str *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_store_get_range(tn_store *s, tn_arena *a, tn_str key, int64_t from, size_t n, tn_str *ret,
    tn_err *err) TN_MUSTUSE;
tn_rc tn_store_put(tn_store *s, tn_str key, tn_str data, tn_put_mode mode, tn_err *err) TN_MUSTUSE;
tn_rc tn_store_list(tn_store *s, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret,
    tn_err *err) TN_MUSTUSE;
tn_rc tn_store_head(
    tn_store *s, tn_arena *a, tn_str key, tn_store_item *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_store_remove(tn_store *s, tn_str key, tn_err *err) TN_MUSTUSE;
/* A thousand a request where the store can. On failure some of them may be gone. */
tn_rc tn_store_remove_many(tn_store *s, const tn_str *keys, size_t n, tn_err *err) TN_MUSTUSE;
/* The bytes of a local file under key; a large one goes in parts, one part in memory at a time. */
tn_rc tn_store_put_file(
    tn_store *s, tn_str key, tn_str path, tn_put_mode mode, tn_err *err) TN_MUSTUSE;
/* The object under from_key of another store, or the same one, under key; replaces what is there. Within a disk or a server nothing passes through this
 * process; else one part is in memory at a time, and TN_E_CORRUPT tells that the object was replaced while it was read. */
tn_rc tn_store_copy(
    tn_store *s, tn_str key, tn_store *from, tn_str from_key, tn_err *err) TN_MUSTUSE;
tn_str tn_store_locate(tn_store *s, tn_arena *a, tn_str key);
tn_rc tn_store_prepare(tn_store *s, tn_str key, tn_err *err) TN_MUSTUSE;
/* Opens a place that an object of s names by URL, with the options that opened s. */
tn_rc tn_store_open_beside(tn_store *s, tn_str url, tn_store **ret, tn_err *err) TN_MUSTUSE;
/* A store whose root is a folder of another: shares the connection. */
tn_rc tn_store_sub(tn_store *s, tn_str prefix, tn_store **ret, tn_err *err) TN_MUSTUSE;

/* ---- store_cache.c: objects that never change once they are there, as a listing has just shown them (key, size, etag) ----
 * Of far stores they are kept below ~/.cache/tarn, at most 512 MiB in all, so that the next read needs no request. Large ones are fetched in ranges, 8 at once. */
tn_rc tn_store_get_kept(tn_store *s, tn_arena *a, const tn_store_item *item, size_t bytes_max,
    tn_str *ret, tn_err *err) TN_MUSTUSE;
/* ret: n places. At most 8 requests at once. */
tn_rc tn_store_get_kept_many(tn_store *s, tn_arena *a, const tn_store_item *items, size_t n,
    size_t bytes_max, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Where DuckDB finds it: a copy on this machine's disk, or as tn_store_locate says when it is near or large. */
tn_rc tn_store_keep(tn_store *s, tn_arena *a, const tn_store_item *item, tn_str *ret_location,
    tn_err *err) TN_MUSTUSE;
/* Brings them into the cache, at most 8 requests at once; near stores have nothing to bring. Never fails. */
void tn_store_prefetch(tn_store *s, const tn_store_item *items, size_t n);
/* Puts into the cache what was just written under that etag. */
void tn_store_written(tn_store *s, tn_str key, tn_str etag, tn_str data);
/* A number that this machine remembers about a store's root, a hint where to begin; -1: none. */
int64_t tn_store_note_get(tn_store *s, const char *name);
void tn_store_note_put(tn_store *s, const char *name, int64_t n);
/* A text that this machine remembers about a far store's root; false: none. The name must say which state of the store it is about: it is not asked again. */
bool tn_store_text_get(tn_store *s, tn_arena *a, tn_str name, tn_str *ret);
void tn_store_text_put(tn_store *s, tn_str name, tn_str text);

/* <cache>/tarn/<what>/<sha256 of text, 32 hex digits>: where this machine remembers something; empty: it has no such folder. */
tn_str tn_store_cache_path(tn_arena *a, const char *what, tn_str text);

/* Adds or replaces the opener of a URL scheme ("s3"; a literal). At the start of the program, before threads. */
typedef tn_rc (*tn_store_opener)(
    tn_str url, const tn_store_opts *opts, tn_store **ret, tn_err *err);
void tn_store_register(const char *scheme, tn_store_opener opener);

/* The openers that are built in; path and name as tn_store_open has cut them out of the URL. */
tn_rc tn_store_open_local(
    tn_str path, const tn_store_opts *opts, tn_store **ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_store_open_mem(tn_str name, tn_store **ret, tn_err *err) TN_MUSTUSE;
void tn_store_mem_forget(tn_str name); /* empties the tree of that name */

/* Scripted faults around any store, for tests: the k-th request fails with rc; when after is set the request is carried out
 * first (a lost answer). k counts down over the requests of that op; 0 switches it off. A fault fires once. */
typedef struct tn_store_fault {
    int64_t k;
    tn_rc rc;
    bool after;
    const char *
        op; /* "put", "get" (get_range too), "list", "head", "remove", "prepare"; "change": what may change something; NULL: any */
} tn_store_fault;
tn_rc tn_store_faulty(tn_store *inner, tn_store **ret, tn_err *err) TN_MUSTUSE;
void tn_store_faulty_set(tn_store *s, tn_store_fault fault);
bool tn_store_faulty_fired(tn_store *s);    /* the fault that was set has come, or none was set */
int64_t tn_store_faulty_calls(tn_store *s); /* requests of any op since it was made */

#endif
