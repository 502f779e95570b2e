/* jinja_tmpl.h: the passes over a template, places in its text, limits of the source; private to src/jinja. */
#ifndef TN_JINJA_PARSE_JINJA_TMPL_H
#define TN_JINJA_PARSE_JINJA_TMPL_H

#include "jinja/parse/jinja_ast.h"

enum {
    TN_JINJA_NEST_MAX = 200, /* brackets, operators and blocks inside one another in the source */
    TN_JINJA_TEXT_MAX = 1 << 30, /* bytes of a template: offsets are 32 bits */
    TN_JINJA_SLOTS_MAX = 60000,  /* names of one function */
    TN_JINJA_STACK_MAX = 3
        << 20, /* bytes of C stack that rendering may use; threads have 8 MiB or more */
};

/* Places of bytes in a template, for messages. */
typedef struct tn_jplace {
    int line;
    int col;
    tn_str text; /* the line */
} tn_jplace;
tn_jplace tn_jinja_place(const tn_jinja_tmpl *t, uint32_t pos);
/* Puts the place and the source line into err, when it has no place yet. */
void tn_jinja_err_at(const tn_jinja_tmpl *t, uint32_t pos, tn_err *err);

/* Recursion over trees is guarded by the stack that it uses: base is where the outermost call began. */
static inline const char *tn_jinja_stack_here(void)
{
    return (const char *)__builtin_frame_address(0);
}

static inline bool tn_jinja_stack_full(const char *base)
{
    const char *here = (const char *)__builtin_frame_address(0);
    return (size_t)(base > here ? base - here : here - base) > TN_JINJA_STACK_MAX;
}

/* ---- passes over the tree ---- */
tn_rc tn_jinja_parse_tree(
    tn_arena *a, tn_jinja_tmpl *t, tn_err *err) TN_MUSTUSE; /* text -> body or expr */
tn_rc tn_jinja_resolve_tree(tn_arena *a, tn_jinja_tmpl *t,
    tn_err *err) TN_MUSTUSE; /* names -> slots, filters -> functions */

#endif
