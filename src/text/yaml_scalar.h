/* yaml_scalar.h: what a plain YAML 1.1 scalar means, private to the yaml files of src/text. */
#ifndef TN_TEXT_YAML_SCALAR_H
#define TN_TEXT_YAML_SCALAR_H

#include "base/val.h"

typedef enum tn_yaml_type {
    TN_YAML_STR,
    TN_YAML_NULL,
    TN_YAML_BOOL,
    TN_YAML_INT,
    TN_YAML_FLOAT,
    TN_YAML_TIMESTAMP,
    TN_YAML_MERGE,
    TN_YAML_VALUE,
} tn_yaml_type;

/* PyYAML's implicit resolver for an unquoted scalar. */
tn_yaml_type tn_yaml_resolve(tn_str s);
/* The value of a scalar of that type; fails for a text that an explicit tag forces and that is none ("!!int x"). */
tn_rc tn_yaml_scalar(tn_arena *a, tn_yaml_type type, tn_str s, tn_val *ret, tn_err *err) TN_MUSTUSE;

#endif
