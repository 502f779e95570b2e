/* source_text.h: what a source says of itself, in its config and its meta. */
#ifndef TN_RUN_VALUE_SOURCE_TEXT_H
#define TN_RUN_VALUE_SOURCE_TEXT_H

#include "project/node.h"

tn_val tn_source_value(const tn_node *n, const char *key);
/* text with {name}, {schema} and the like filled in; formatter: "newstyle", "oldstyle", "template". */
tn_rc tn_source_fill(tn_arena *a, const tn_node *n, tn_str text, tn_str formatter, tn_str *ret,
    tn_err *err) TN_MUSTUSE;

#endif
