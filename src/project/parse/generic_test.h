/* generic_test.h: a test that a properties file names, between the entry and the node. test_definition.c reads it, generic_test.c makes the node. */
#ifndef TN_PROJECT_PARSE_GENERIC_TEST_H
#define TN_PROJECT_PARSE_GENERIC_TEST_H

#include "project/parse/parse_priv.h"

/* What a list of tests hangs on. */
typedef struct tn_test_target {
    tn_patch *patch;
    tn_val entry;   /* the model, seed or source table */
    tn_str name;    /* of the model, or the table */
    tn_str source;  /* of a source table, else empty */
    tn_node *node;  /* NULL when there is none */
    tn_val version; /* undefined when not versioned */
    tn_strs tags;   /* of source and table */
    bool quote_columns;
} tn_test_target;

typedef struct tn_test_builder {
    tn_project *p;
    const tn_test_target *on;
    tn_str name, namespace;
    tn_str column; /* as passed to the macro (quoted when asked) */
    tn_dict *args;
    tn_dict *config;
    tn_str given_name;
    tn_str description;
    tn_str short_name, full_name;
    tn_strs tags;
} tn_test_builder;

/* Name, arguments, config, description, own name and tags of a test. Of b: p, on and config; column: the column that has it, or undefined;
 * c: the context of YAML. */
tn_rc tn_test_define(
    tn_test_builder *b, tn_pctx *c, tn_val test, tn_val column, tn_err *err) TN_MUSTUSE;

#endif
