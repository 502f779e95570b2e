/* jinja_walk.h: going through a template's tree without knowing each kind of node. Private to src/jinja. */
#ifndef TN_JINJA_PARSE_JINJA_WALK_H
#define TN_JINJA_PARSE_JINJA_WALK_H

#include "jinja/parse/jinja_ast.h"

/* Calls fn with each direct operand of an expression, in the order of evaluation. Stops when fn is false. */
typedef bool (*tn_jx_fn)(void *self, tn_jx *x);
bool tn_jx_each(const tn_jx *x, tn_jx_fn fn, void *self);
bool tn_jargs_each(const tn_jargs *args, tn_jx_fn fn, void *self);

/* Jinja2's question "does this code read the name before it sets it": nested macros and loops included, blocks not. */
bool tn_jinja_reads(const tn_js *body, const char *name);
/* Is there an assignment (set or for, not a parameter) to the name? ret_pos: where. */
bool tn_jinja_sets(const tn_js *body, const char *name, uint32_t *ret_pos);
bool tn_jinja_target_has(const tn_jtarget *t, const char *name);
bool tn_jinja_has_scoped_block(const tn_js *body);

#endif
