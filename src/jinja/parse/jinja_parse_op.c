/* jinja_parse_op.c: operators, one function per precedence of Jinja2, loosest first:
 *
 *   cond    = or { 'if' or ['else' cond] }
 *   or      = and { 'or' and }            and = not { 'and' not }           not = 'not' not | compare
 *   compare = sum { ('=='|'!='|'<'|'<='|'>'|'>='|'in'|'not' 'in') sum }
 *   sum     = concat { ('+'|'-') concat } concat = product { '~' product }
 *   product = power { ('*'|'/'|'//'|'%') power }
 *   power   = unary { '**' unary }        (left to right, as Jinja2 has it)
 *   unary   = ('-'|'+') unary' | primary, then postfix, then filters and tests
 */
#include "jinja/parse/jinja_parse.h"

static bool arith_op(tn_jtok_kind kind, int level, uint8_t *op)
{
    switch (kind) {
    case TN_JTOK_ADD:
        *op = TN_OP_ADD;
        return level == 0;
    case TN_JTOK_SUB:
        *op = TN_OP_SUB;
        return level == 0;
    case TN_JTOK_MUL:
        *op = TN_OP_MUL;
        return level == 1;
    case TN_JTOK_DIV:
        *op = TN_OP_DIV;
        return level == 1;
    case TN_JTOK_FLOORDIV:
        *op = TN_OP_FLOORDIV;
        return level == 1;
    case TN_JTOK_MOD:
        *op = TN_OP_MOD;
        return level == 1;
    case TN_JTOK_POW:
        *op = TN_OP_POW;
        return level == 2;
    default:
        return false;
    }
}

static tn_rc parse_concat(tn_jparser *p, tn_jx **ret);

/* Level 0: sum, 1: product, 2: power. */
static tn_rc parse_arith(tn_jparser *p, int level, tn_jx **ret)
{
    tn_jx *left = NULL;
    uint8_t op = 0;
    for (bool more = false;; more = true) {
        tn_jx *x = NULL;
        uint32_t pos = p->tok->pos;
        if (more) {
            if (!arith_op(p->tok->kind, level, &op)) {
                break;
            }
            tn_jp_next(p);
        }
        TN_TRY(level == 0   ? parse_concat(p, &x)
               : level == 1 ? parse_arith(p, 2, &x)
                            : tn_jp_unary(p, true, &x));
        if (more) {
            x = tn_jp_node2(p, TN_JX_ARITH, pos, left, x);
            x->op = op;
        }
        left = x;
    }
    *ret = left;
    return TN_OK;
}

static tn_rc parse_concat(tn_jparser *p, tn_jx **ret)
{
    uint32_t pos = p->tok->pos;
    tn_jx *x = NULL;
    TN_TRY(parse_arith(p, 1, &x));
    if (!tn_jp_is(p, TN_JTOK_TILDE)) {
        *ret = x;
        return TN_OK;
    }
    tn_jexprs v = { 0 };
    tn_vec_push(&v, p->a, x);
    while (tn_jp_skip(p, TN_JTOK_TILDE)) {
        TN_TRY(parse_arith(p, 1, &x));
        tn_vec_push(&v, p->a, x);
    }
    *ret = tn_jp_items(p, TN_JX_CONCAT, pos, &v);
    return TN_OK;
}

/* The comparison at the current token, skipped; false when there is none. */
static bool skip_cmp(tn_jparser *p, uint8_t *op)
{
    switch (p->tok->kind) {
    case TN_JTOK_EQ:
        *op = TN_JCMP_EQ;
        break;
    case TN_JTOK_NE:
        *op = TN_JCMP_NE;
        break;
    case TN_JTOK_LT:
        *op = TN_JCMP_LT;
        break;
    case TN_JTOK_LE:
        *op = TN_JCMP_LE;
        break;
    case TN_JTOK_GT:
        *op = TN_JCMP_GT;
        break;
    case TN_JTOK_GE:
        *op = TN_JCMP_GE;
        break;
    case TN_JTOK_NAME:
        if (tn_jp_is_name(p, "in")) {
            *op = TN_JCMP_IN;
            break;
        }
        if (tn_jp_is_name(p, "not") && p->tok[1].kind == TN_JTOK_NAME &&
            tn_str_is(tn_val_as_str(p->tok[1].v), "in")) {
            *op = TN_JCMP_NOTIN;
            tn_jp_next(p);
            break;
        }
        return false;
    default:
        return false;
    }
    tn_jp_next(p);
    return true;
}

static tn_rc parse_compare(tn_jparser *p, tn_jx **ret)
{
    tn_jx *x = NULL;
    uint32_t pos = p->tok->pos;
    TN_TRY(parse_arith(p, 0, &x));
    tn_jexprs v = { 0 };
    tn_vec(uint8_t) ops = { 0 };
    uint8_t op = 0;
    while (skip_cmp(p, &op)) {
        if (v.n == 0) {
            tn_vec_push(&v, p->a, x);
        }
        TN_TRY(parse_arith(p, 0, &x));
        tn_vec_push(&v, p->a, x);
        tn_vec_push(&ops, p->a, op);
    }
    if (ops.n > 0) {
        x = tn_jp_node(p, TN_JX_COMPARE, pos);
        x->cmp.v = v.v;
        x->cmp.ops = ops.v;
        x->cmp.n = ops.n;
    }
    *ret = x;
    return TN_OK;
}

static tn_rc parse_not(tn_jparser *p, tn_jx **ret)
{
    if (!tn_jp_is_name(p, "not")) {
        return parse_compare(p, ret);
    }
    uint32_t pos = p->tok->pos;
    tn_jx *x = NULL;
    TN_TRY(tn_jp_deeper(p));
    tn_jp_next(p);
    TN_TRY(parse_not(p, &x));
    p->depth--;
    *ret = tn_jp_node2(p, TN_JX_NOT, pos, x, NULL);
    return TN_OK;
}

static tn_rc parse_and(tn_jparser *p, tn_jx **ret)
{
    tn_jx *left = NULL, *right = NULL;
    uint32_t pos = p->tok->pos;
    TN_TRY(parse_not(p, &left));
    while (tn_jp_skip_name(p, "and")) {
        TN_TRY(parse_not(p, &right));
        left = tn_jp_node2(p, TN_JX_AND, pos, left, right);
    }
    *ret = left;
    return TN_OK;
}

static tn_rc parse_or(tn_jparser *p, tn_jx **ret)
{
    tn_jx *left = NULL, *right = NULL;
    uint32_t pos = p->tok->pos;
    TN_TRY(parse_and(p, &left));
    while (tn_jp_skip_name(p, "or")) {
        TN_TRY(parse_and(p, &right));
        left = tn_jp_node2(p, TN_JX_OR, pos, left, right);
    }
    *ret = left;
    return TN_OK;
}

static tn_rc parse_cond(tn_jparser *p, tn_jx **ret)
{
    tn_jx *x = NULL;
    TN_TRY(parse_or(p, &x));
    while (tn_jp_is_name(p, "if")) {
        tn_jx *c = tn_jp_node(p, TN_JX_COND, p->tok->pos);
        tn_jp_next(p);
        c->on.a = x;
        TN_TRY(parse_or(p, &c->on.b));
        if (tn_jp_skip_name(p, "else")) {
            TN_TRY(tn_jp_deeper(p));
            TN_TRY(parse_cond(p, &c->on.c));
            p->depth--;
        }
        x = c;
    }
    *ret = x;
    return TN_OK;
}

tn_rc tn_jp_expr(tn_jparser *p, bool with_cond, tn_jx **ret)
{
    TN_TRY(tn_jp_deeper(p));
    tn_rc rc = with_cond ? parse_cond(p, ret) : parse_or(p, ret);
    p->depth--;
    return rc;
}
