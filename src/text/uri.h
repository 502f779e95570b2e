/* uri.h: locations (paths and URLs) and percent-encoding. */
#ifndef TN_TEXT_URI_H
#define TN_TEXT_URI_H

#include "base/buf.h"

typedef struct tn_uri {
    tn_str scheme; /* "", "file", "s3", "http", ...; lower case */
    tn_str host;   /* bucket for s3 */
    tn_str path;   /* file: decoded absolute path; s3: key without the leading '/', not decoded */
    tn_str query;
} tn_uri;

tn_rc tn_uri_parse(
    tn_arena *a, tn_str text, tn_uri *ret, tn_err *err) TN_MUSTUSE; /* a plain path has scheme "" */
bool tn_uri_is_remote(tn_str text); /* has a scheme other than file */
tn_str tn_uri_join(
    tn_arena *a, tn_str base, tn_str rel); /* one slash between them; rel absolute or a URL: rel */
tn_str tn_path_base(tn_str path);          /* last component */
tn_str tn_path_dir(tn_str path);           /* all before it, "" when none */
tn_str tn_path_ext(tn_str path);           /* without the dot, "" when none */
tn_str tn_path_stem(tn_str path);          /* path without its extension */
tn_str tn_path_norm(tn_arena *a, tn_str path); /* '.', '..' and '//' folded by text only */

/* keep: bytes left alone besides A-Z a-z 0-9 - . _ ~; utf8_raw: bytes >= 0x80 left alone (Spark's add.path). */
void tn_percent_encode(tn_buf *b, tn_str s, const char *keep, bool utf8_raw);
tn_rc tn_percent_decode(tn_arena *a, tn_str s, tn_str *ret,
    tn_err *err) TN_MUSTUSE; /* bad escapes are kept as they are */
/* Hive's escaping of one partition directory component value (Spark's escapePathName). */
void tn_hive_escape(tn_buf *b, tn_str s);

#endif
