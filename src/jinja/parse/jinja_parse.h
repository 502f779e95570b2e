/* jinja_parse.h: what the parts of the parser share: statements (jinja_parse.c), operators (jinja_parse_op.c) and operands
 * (jinja_parse_expr.c). */
#ifndef TN_JINJA_PARSE_JINJA_PARSE_H
#define TN_JINJA_PARSE_JINJA_PARSE_H

#include "jinja/parse/jinja_lex.h"
#include "jinja/value/jinja_op.h"

typedef struct tn_jparser {
    tn_arena *a;
    tn_jinja_tmpl *t;
    const tn_jtok *tok; /* the current one; the array ends with EOF */
    tn_err *err;
    int depth;
    const char *stack_base;
    /* For messages: the tags that are open, and what ends the innermost. */
    tn_str tags[TN_JINJA_NEST_MAX + 2];
    const char *const *ends[TN_JINJA_NEST_MAX + 2];
    size_t tags_n;
    size_t ends_n;
} tn_jparser;

#define TN_JP_FAIL(p, at, ...) tn_jinja_syntax((p)->t, (at), (p)->err, __VA_ARGS__)

static inline bool tn_jp_is(const tn_jparser *p, tn_jtok_kind kind)
{
    return p->tok->kind == kind;
}

static inline void tn_jp_next(tn_jparser *p)
{
    p->tok += p->tok->kind != TN_JTOK_EOF;
}

static inline bool tn_jp_skip(tn_jparser *p, tn_jtok_kind kind)
{
    bool is = p->tok->kind == kind;
    p->tok += is && kind != TN_JTOK_EOF;
    return is;
}
bool tn_jp_is_name(const tn_jparser *p, const char *name);
bool tn_jp_skip_name(tn_jparser *p, const char *name);
tn_str tn_jp_describe(const tn_jtok *tok);
tn_rc tn_jp_expect(tn_jparser *p, tn_jtok_kind kind) TN_MUSTUSE;
tn_rc tn_jp_expect_name(tn_jparser *p, tn_str *ret) TN_MUSTUSE;

typedef tn_vec(tn_jx *) tn_jexprs;
tn_jx *tn_jp_node(tn_jparser *p, tn_jx_kind kind, uint32_t pos);
tn_jx *tn_jp_node2(tn_jparser *p, tn_jx_kind kind, uint32_t pos, tn_jx *a, tn_jx *b);
tn_jx *tn_jp_items(tn_jparser *p, tn_jx_kind kind, uint32_t pos, const tn_jexprs *v);
tn_rc tn_jp_unary(tn_jparser *p, bool with_filter, tn_jx **ret) TN_MUSTUSE;
/* with_cond false: no `a if b` (after `for x in`, where `if` filters). */
tn_rc tn_jp_expr(tn_jparser *p, bool with_cond, tn_jx **ret) TN_MUSTUSE;
/* A tuple without brackets, or one expression. stop: a name that ends it, or NULL. */
tn_rc tn_jp_tuple(
    tn_jparser *p, bool with_cond, const char *stop, bool in_parens, tn_jx **ret) TN_MUSTUSE;
/* One or more filters; of is NULL for the text of a block. */
tn_rc tn_jp_filters(tn_jparser *p, tn_jx *of, bool first_without_bar, tn_jx **ret) TN_MUSTUSE;
tn_rc tn_jp_target(tn_jparser *p, const char *stop, bool with_attr, tn_jtarget **ret) TN_MUSTUSE;
tn_rc tn_jp_deeper(tn_jparser *p) TN_MUSTUSE; /* p->depth-- afterwards */

#endif
