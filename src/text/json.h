/* json.h: JSON text to values and back.
 *
 * Parsing is strict RFC 8259 plus NaN/Infinity/-Infinity when asked; integers outside int64 become TN_BIGINT,
 * never a rounded double; duplicate keys: the last wins; nesting is limited by TN_JSON_DEPTH_MAX.
 * Errors name the byte offset as line and column of the text.
 */
#ifndef TN_TEXT_JSON_H
#define TN_TEXT_JSON_H

#include "base/val.h"

enum { TN_JSON_DEPTH_MAX = 512 };

tn_rc tn_json_parse(tn_arena *a, tn_str text, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* One value after another, white space between them (NDJSON): calls fn with each and its byte span. */
typedef tn_rc (*tn_json_each_fn)(void *self, tn_val v, tn_str raw, tn_err *err);
tn_rc tn_json_parse_lines(
    tn_arena *a, tn_str text, tn_json_each_fn fn, void *self, tn_err *err) TN_MUSTUSE;

typedef struct tn_json_style {
    int indent; /* 0: compact, no spaces unless py_separators */
    bool sort_keys;
    bool ascii;         /* escape everything above U+007F, as Python's json.dumps does by default */
    bool py_separators; /* ", " and ": " as Python's json.dumps */
    bool allow_nan;     /* print NaN, Infinity; else null */
} tn_json_style;

/* Dict keys that are not strings print as Python's json.dumps prints them; dates as ISO strings; objects as str(). */
void tn_json_print(tn_buf *b, tn_val v, const tn_json_style *style);
void tn_json_add_str(tn_buf *b, tn_str s); /* quoted and escaped, UTF-8 kept */

/* Writing documents without building values. Commas and nesting are kept by the writer. */
typedef struct tn_json_writer {
    tn_buf *b;
    int indent;
    int depth;
    bool need_comma;
    bool after_key;
} tn_json_writer;
tn_json_writer tn_json_writer_init(tn_buf *b, int indent);
void tn_jw_obj(tn_json_writer *w);
void tn_jw_obj_end(tn_json_writer *w);
void tn_jw_arr(tn_json_writer *w);
void tn_jw_arr_end(tn_json_writer *w);
void tn_jw_key(tn_json_writer *w, const char *key);
void tn_jw_key_s(tn_json_writer *w, tn_str key);
void tn_jw_str(tn_json_writer *w, tn_str s);
void tn_jw_int(tn_json_writer *w, int64_t i);
void tn_jw_float(tn_json_writer *w, double f);
void tn_jw_bool(tn_json_writer *w, bool v);
void tn_jw_null(tn_json_writer *w);
void tn_jw_raw(tn_json_writer *w, tn_str json); /* a ready JSON value */
void tn_jw_val(tn_json_writer *w, tn_val v);

#endif
