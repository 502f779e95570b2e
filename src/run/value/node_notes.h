/* node_notes.h: what a catalog shows as comments. */
#ifndef TN_RUN_VALUE_NODE_NOTES_H
#define TN_RUN_VALUE_NODE_NOTES_H

#include "project/node.h"

/* Of the relation; of columns (dict name -> text). */
tn_str tn_node_note(tn_arena *a, const tn_node *n);
tn_val tn_node_column_notes(tn_arena *a, const tn_node *n);

#endif
