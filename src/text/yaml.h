/* yaml.h: YAML 1.1 as PyYAML's SafeLoader reads it.
 *
 * Scalars are resolved by its implicit resolvers (yes/on -> True, 010 -> 8, 1:30 -> 90, 1e3 -> '1e3', dates and
 * timestamps), `<<` merges (own keys win, earlier maps of a list win), keys of any hashable kind, duplicate keys: the last
 * wins and a warning is noted. Aliases share; an alias cycle, more than TN_YAML_NODES_MAX nodes or more than TN_YAML_DEPTH_MAX
 * levels are errors. Tags other than the safe ones are errors. Errors carry line and column.
 */
#ifndef TN_TEXT_YAML_H
#define TN_TEXT_YAML_H

#include "base/val.h"

enum { TN_YAML_DEPTH_MAX = 200, TN_YAML_NODES_MAX = 5000000 };

typedef struct tn_yaml_mark {
    int line; /* 1-based */
    int col;
} tn_yaml_mark;

/* Places of mapping entries, so that later errors can point at them: the mark of the key's value. */
typedef struct tn_yaml_places tn_yaml_places;

typedef struct tn_yaml_opts {
    const char *file;            /* for messages; NULL: none */
    tn_yaml_places **ret_places; /* when wanted */
    tn_val *
        ret_warnings; /* list of strings, when wanted; dbt counts their lines from the first text of a file */
} tn_yaml_opts;

/* An empty document is None. More than one document is an error. opts may be NULL. */
tn_rc tn_yaml_parse(
    tn_arena *a, tn_str text, const tn_yaml_opts *opts, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* The place of the entry `key` of this very dict; false when unknown. */
bool tn_yaml_place(const tn_yaml_places *p, const tn_dict *d, tn_val key, tn_yaml_mark *ret);

/* yaml.safe_dump(v, default_flow_style=False, sort_keys=...): what toyaml prints. */
void tn_yaml_print(tn_buf *b, tn_val v, bool sort_keys);
/* Whether safe_dump takes it: plain values all the way down, no objects, no Undefined. */
bool tn_yaml_can_print(tn_val v);

#endif
