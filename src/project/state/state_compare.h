/* state_compare.h: is a node another than it was in a manifest: private to src/project. */
#ifndef TN_PROJECT_STATE_COMPARE_H
#define TN_PROJECT_STATE_COMPARE_H

#include "project/node.h"

typedef enum tn_state_aspect {
    TN_STATE_CONTENTS, /* all of what follows that counts for the kind of node */
    TN_STATE_BODY,
    TN_STATE_CONFIGS,
    TN_STATE_DESCRIPTIONS, /* those that persist_docs writes into the database */
    TN_STATE_RELATION,     /* database, schema and alias as configured */
    TN_STATE_CONTRACT
} tn_state_aspect;

bool tn_state_aspect_find(tn_str name, tn_state_aspect *ret); /* "body", "configs", ... */
/* old: the node in the manifest, undefined when it is new. written: sources are compared by their place as written. */
tn_rc tn_state_modified(const tn_node *n, tn_val old, tn_state_aspect aspect, bool written,
    bool *ret, tn_err *err) TN_MUSTUSE;

#endif
