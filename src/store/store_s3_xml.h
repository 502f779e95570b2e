/* store_s3_xml.h: private to src/store: the little XML that buckets answer with. No DTD, no attributes' values, bounded depth. */
#ifndef TN_STORE_STORE_S3_XML_H
#define TN_STORE_STORE_S3_XML_H

#include "base/buf.h"
#include "base/err.h"

enum { S3_XML_DEPTH_MAX = 16 };

/* Called when an element ends: path[0] is the root, path[depth - 1] the element itself; text: what stood directly in it, entities
 * resolved, in the arena. Names are without a namespace prefix. */
typedef tn_rc (*s3_xml_fn)(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err);
tn_rc s3_xml_walk(tn_arena *a, tn_str xml, s3_xml_fn fn, void *self, tn_err *err) TN_MUSTUSE;

#endif
