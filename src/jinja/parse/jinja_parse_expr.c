/* jinja_parse_expr.c: operands: names, literals, brackets, subscripts, calls, filters and tests; and targets of assignments.
 * Operators are in jinja_parse_op.c. */
#include "jinja/parse/jinja_parse.h"

bool tn_jp_is_name(const tn_jparser *p, const char *name)
{
    return p->tok->kind == TN_JTOK_NAME && tn_str_is(tn_val_as_str(p->tok->v), name);
}

bool tn_jp_skip_name(tn_jparser *p, const char *name)
{
    bool is = tn_jp_is_name(p, name);
    p->tok += is;
    return is;
}

tn_str tn_jp_describe(const tn_jtok *tok)
{
    return tok->kind == TN_JTOK_NAME ? tn_val_as_str(tok->v)
                                     : tn_str_of(tn_jinja_tok_text(tok->kind));
}

static tn_rc expected(tn_jparser *p, const char *what)
{
    if (tn_jp_is(p, TN_JTOK_EOF)) {
        return TN_JP_FAIL(p, p->tok->pos, "unexpected end of template, expected '%s'.", what);
    }
    return TN_JP_FAIL(p, p->tok->pos, "expected token '%s', got '" TN_STR_FMT "'", what,
        TN_STR_ARG(tn_jp_describe(p->tok)));
}

tn_rc tn_jp_expect(tn_jparser *p, tn_jtok_kind kind)
{
    return tn_jp_skip(p, kind) ? TN_OK : expected(p, tn_jinja_tok_text(kind));
}

tn_rc tn_jp_expect_name(tn_jparser *p, tn_str *ret)
{
    if (!tn_jp_is(p, TN_JTOK_NAME)) {
        return expected(p, "name");
    }
    *ret = tn_val_as_str(p->tok->v);
    tn_jp_next(p);
    return TN_OK;
}

tn_rc tn_jp_deeper(tn_jparser *p)
{
    if (p->depth >= TN_JINJA_NEST_MAX || tn_jinja_stack_full(p->stack_base)) {
        tn_rc rc = tn_fail(
            p->err, TN_E_LIMIT, "the template is nested more than %d deep", TN_JINJA_NEST_MAX);
        tn_jinja_err_at(p->t, p->tok->pos, p->err);
        return rc;
    }
    p->depth++;
    return TN_OK;
}

tn_jx *tn_jp_node(tn_jparser *p, tn_jx_kind kind, uint32_t pos)
{
    tn_jx *x = tn_new(p->a, tn_jx);
    x->kind = (uint8_t)kind;
    x->pos = pos;
    return x;
}

tn_jx *tn_jp_node2(tn_jparser *p, tn_jx_kind kind, uint32_t pos, tn_jx *a, tn_jx *b)
{
    tn_jx *x = tn_jp_node(p, kind, pos);
    x->on.a = a;
    x->on.b = b;
    return x;
}

tn_jx *tn_jp_items(tn_jparser *p, tn_jx_kind kind, uint32_t pos, const tn_jexprs *v)
{
    tn_jx *x = tn_jp_node(p, kind, pos);
    x->items.v = v->v;
    x->items.n = v->n;
    return x;
}

/* list = '[' [expr {',' expr} [',']] ']'; the bracket is already read */
static tn_rc parse_list(tn_jparser *p, uint32_t pos, tn_jx **ret)
{
    tn_jexprs v = { 0 };
    while (!tn_jp_is(p, TN_JTOK_RBRACKET)) {
        if (v.n > 0) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        if (tn_jp_is(p, TN_JTOK_RBRACKET)) {
            break;
        }
        tn_jx *x = NULL;
        TN_TRY(tn_jp_expr(p, true, &x));
        tn_vec_push(&v, p->a, x);
    }
    *ret = tn_jp_items(p, TN_JX_LIST, pos, &v);
    return tn_jp_expect(p, TN_JTOK_RBRACKET);
}

/* dict = '{' [expr ':' expr {',' expr ':' expr} [',']] '}' */
static tn_rc parse_dict(tn_jparser *p, uint32_t pos, tn_jx **ret)
{
    tn_jexprs v = { 0 };
    while (!tn_jp_is(p, TN_JTOK_RBRACE)) {
        if (v.n > 0) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        if (tn_jp_is(p, TN_JTOK_RBRACE)) {
            break;
        }
        tn_jx *key = NULL, *value = NULL;
        TN_TRY(tn_jp_expr(p, true, &key));
        TN_TRY(tn_jp_expect(p, TN_JTOK_COLON));
        TN_TRY(tn_jp_expr(p, true, &value));
        tn_vec_push(&v, p->a, key);
        tn_vec_push(&v, p->a, value);
    }
    *ret = tn_jp_items(p, TN_JX_DICT, pos, &v);
    return tn_jp_expect(p, TN_JTOK_RBRACE);
}

/* Strings next to each other are one. */
static tn_jx *parse_strings(tn_jparser *p)
{
    tn_jx *x = tn_jp_node(p, TN_JX_CONST, p->tok->pos);
    tn_str s = tn_val_as_str(p->tok->v);
    tn_jp_next(p);
    if (tn_jp_is(p, TN_JTOK_STRING)) {
        tn_buf b = tn_buf_init(p->a, TN_BUF_NO_LIMIT);
        tn_buf_add(&b, s);
        for (; tn_jp_is(p, TN_JTOK_STRING); tn_jp_next(p)) {
            tn_buf_add(&b, tn_val_as_str(p->tok->v));
        }
        s = tn_buf_str(&b);
    }
    x->value = tn_val_str(s);
    return x;
}

static tn_jx *parse_name(tn_jparser *p)
{
    tn_str name = tn_val_as_str(p->tok->v);
    bool yes = tn_str_is(name, "true") || tn_str_is(name, "True");
    bool no = tn_str_is(name, "false") || tn_str_is(name, "False");
    bool none = tn_str_is(name, "none") || tn_str_is(name, "None");
    tn_jx *x = tn_jp_node(p, yes || no || none ? TN_JX_CONST : TN_JX_NAME, p->tok->pos);
    if (x->kind == TN_JX_CONST) {
        x->value = none ? TN_VAL_NONE : tn_val_bool(yes);
    } else {
        x->name.name = name;
    }
    tn_jp_next(p);
    return x;
}

/* primary = name | strings | number | '(' tuple ')' | list | dict */
static tn_rc parse_primary(tn_jparser *p, tn_jx **ret)
{
    const tn_jtok *tok = p->tok;
    tn_rc rc = TN_OK;
    switch (tok->kind) {
    case TN_JTOK_NAME:
        *ret = parse_name(p);
        return TN_OK;
    case TN_JTOK_STRING:
        *ret = parse_strings(p);
        return TN_OK;
    case TN_JTOK_INT:
    case TN_JTOK_FLOAT:
        *ret = tn_jp_node(p, TN_JX_CONST, tok->pos);
        (*ret)->value = tok->v;
        tn_jp_next(p);
        return TN_OK;
    case TN_JTOK_LPAREN:
    case TN_JTOK_LBRACKET:
    case TN_JTOK_LBRACE:
        TN_TRY(tn_jp_deeper(p));
        tn_jp_next(p);
        if (tok->kind == TN_JTOK_LPAREN) {
            rc = tn_jp_tuple(p, true, NULL, true, ret);
            rc = rc == TN_OK ? tn_jp_expect(p, TN_JTOK_RPAREN) : rc;
        } else {
            rc = tok->kind == TN_JTOK_LBRACKET ? parse_list(p, tok->pos, ret)
                                               : parse_dict(p, tok->pos, ret);
        }
        p->depth--;
        return rc;
    default:
        return TN_JP_FAIL(
            p, tok->pos, "unexpected '" TN_STR_FMT "'", TN_STR_ARG(tn_jp_describe(tok)));
    }
}

/* Takes the comma after `n` parts of a tuple; whether another part follows: neither `stop` nor the end of the tag. */
static tn_rc tuple_goes_on(tn_jparser *p, size_t n, const char *stop, bool *ret)
{
    if (n > 0) {
        TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
    }
    *ret = !tn_jp_is(p, TN_JTOK_VAR_END) && !tn_jp_is(p, TN_JTOK_BLOCK_END) &&
           !tn_jp_is(p, TN_JTOK_RPAREN) && (stop == NULL || !tn_jp_is_name(p, stop));
    return TN_OK;
}

tn_rc tn_jp_tuple(tn_jparser *p, bool with_cond, const char *stop, bool in_parens, tn_jx **ret)
{
    uint32_t pos = p->tok->pos;
    tn_jexprs v = { 0 };
    bool is_tuple = false;
    bool more = true;
    for (;;) {
        TN_TRY(tuple_goes_on(p, v.n, stop, &more));
        if (!more) {
            break;
        }
        tn_jx *x = NULL;
        TN_TRY(tn_jp_expr(p, with_cond, &x));
        tn_vec_push(&v, p->a, x);
        if (!tn_jp_is(p, TN_JTOK_COMMA)) {
            break;
        }
        is_tuple = true;
    }
    if (!is_tuple && v.n > 0) {
        *ret = v.v[0];
        return TN_OK;
    }
    if (!is_tuple && !in_parens) {
        return TN_JP_FAIL(p, p->tok->pos, "Expected an expression, got '" TN_STR_FMT "'",
            TN_STR_ARG(tn_jp_describe(p->tok)));
    }
    *ret = tn_jp_items(p, TN_JX_TUPLE, pos, &v);
    return TN_OK;
}

/* args = '(' [arg {',' arg} [',']] ')'; arg = expr | name '=' expr | '*' expr | '**' expr */
static tn_rc parse_args(tn_jparser *p, tn_jargs **ret)
{
    tn_jargs *args = tn_new(p->a, tn_jargs);
    tn_jexprs v = { 0 };
    tn_vec(tn_jkw) kw = { 0 };
    uint32_t pos = p->tok->pos;
    TN_TRY(tn_jp_expect(p, TN_JTOK_LPAREN));
    bool comma = false;
    while (!tn_jp_is(p, TN_JTOK_RPAREN)) {
        if (comma) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
            if (tn_jp_is(p, TN_JTOK_RPAREN)) {
                break;
            }
        }
        bool fits = args->star2 == NULL;
        tn_jx *x = NULL;
        if (tn_jp_skip(p, TN_JTOK_MUL)) {
            fits = fits && args->star == NULL;
            TN_TRY(tn_jp_expr(p, true, &args->star));
        } else if (tn_jp_skip(p, TN_JTOK_POW)) {
            TN_TRY(tn_jp_expr(p, true, &args->star2));
        } else if (tn_jp_is(p, TN_JTOK_NAME) && p->tok[1].kind == TN_JTOK_ASSIGN) {
            tn_jkw k = { .name = tn_val_as_str(p->tok->v) };
            p->tok += 2;
            TN_TRY(tn_jp_expr(p, true, &k.value));
            for (size_t i = 0; i < kw.n; i++) {
                if (tn_str_eq(kw.v[i].name, k.name)) {
                    return TN_JP_FAIL(
                        p, pos, "keyword argument repeated: " TN_STR_FMT, TN_STR_ARG(k.name));
                }
            }
            tn_vec_push(&kw, p->a, k);
        } else {
            fits = fits && args->star == NULL && kw.n == 0;
            TN_TRY(tn_jp_expr(p, true, &x));
            tn_vec_push(&v, p->a, x);
        }
        if (!fits) {
            return TN_JP_FAIL(p, pos, "invalid syntax for function call expression");
        }
        comma = true;
    }
    args->v = v.v;
    args->n = v.n;
    args->kw = kw.v;
    args->kwn = kw.n;
    *ret = args;
    return tn_jp_expect(p, TN_JTOK_RPAREN);
}

static tn_rc parse_call(tn_jparser *p, tn_jx *of, tn_jx **ret)
{
    tn_jx *x = tn_jp_node(p, TN_JX_CALL, p->tok->pos);
    x->call.of = of;
    TN_TRY(tn_jp_deeper(p));
    tn_rc rc = parse_args(p, &x->call.args);
    p->depth--;
    *ret = x;
    return rc;
}

static bool at_slice_end(const tn_jparser *p)
{
    return tn_jp_is(p, TN_JTOK_RBRACKET) || tn_jp_is(p, TN_JTOK_COMMA);
}

/* subscribed = expr | [expr] ':' [expr] [':' [expr]] */
static tn_rc parse_subscribed(tn_jparser *p, tn_jx *of, uint32_t pos, tn_jx **ret)
{
    tn_jx *start = NULL;
    if (!tn_jp_is(p, TN_JTOK_COLON)) {
        TN_TRY(tn_jp_expr(p, true, &start));
        if (!tn_jp_is(p, TN_JTOK_COLON)) {
            *ret = start;
            return TN_OK;
        }
    }
    tn_jp_next(p);
    tn_jx *x = tn_jp_node(p, TN_JX_SLICE, pos);
    x->slice.of = of;
    x->slice.start = start;
    if (!tn_jp_is(p, TN_JTOK_COLON) && !at_slice_end(p)) {
        TN_TRY(tn_jp_expr(p, true, &x->slice.stop));
    }
    if (tn_jp_skip(p, TN_JTOK_COLON) && !at_slice_end(p)) {
        TN_TRY(tn_jp_expr(p, true, &x->slice.step));
    }
    *ret = x;
    return TN_OK;
}

static tn_rc parse_subscript(tn_jparser *p, tn_jx *of, tn_jx **ret)
{
    uint32_t pos = p->tok->pos;
    tn_jexprs v = { 0 };
    tn_jp_next(p);
    TN_TRY(tn_jp_deeper(p));
    while (!tn_jp_is(p, TN_JTOK_RBRACKET)) {
        if (v.n > 0) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        tn_jx *x = NULL;
        TN_TRY(parse_subscribed(p, of, pos, &x));
        tn_vec_push(&v, p->a, x);
    }
    p->depth--;
    TN_TRY(tn_jp_expect(p, TN_JTOK_RBRACKET));
    for (size_t i = 0; i < v.n && v.n > 1; i++) {
        if (v.v[i]->kind == TN_JX_SLICE && v.v[i]->slice.of == of) {
            return TN_JP_FAIL(p, pos, "a slice cannot be part of a tuple of subscripts");
        }
    }
    if (v.n == 1 && v.v[0]->kind == TN_JX_SLICE && v.v[0]->slice.of == of) {
        *ret = v.v[0];
    } else {
        *ret = tn_jp_node2(
            p, TN_JX_ITEM, pos, of, v.n == 1 ? v.v[0] : tn_jp_items(p, TN_JX_TUPLE, pos, &v));
    }
    return TN_OK;
}

static bool is_dict_method(tn_str name)
{
    static const char *const names[] = { "clear", "copy", "fromkeys", "get", "items", "keys", "pop",
        "popitem", "setdefault", "update", "values" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* '.' name | '.' integer */
static tn_rc parse_dot(tn_jparser *p, tn_jx *of, tn_jx **ret)
{
    uint32_t pos = p->tok->pos;
    tn_jp_next(p);
    const tn_jtok *tok = p->tok;
    tn_jp_next(p);
    if (tok->kind == TN_JTOK_NAME) {
        tn_jx *x = tn_jp_node(p, TN_JX_ATTR, pos);
        x->attr.of = of;
        x->attr.name = tn_val_as_str(tok->v);
        x->op = is_dict_method(x->attr.name);
        *ret = x;
        return TN_OK;
    }
    if (tok->kind != TN_JTOK_INT) {
        return TN_JP_FAIL(p, tok->pos, "expected name or number");
    }
    tn_jx *key = tn_jp_node(p, TN_JX_CONST, tok->pos);
    key->value = tok->v;
    *ret = tn_jp_node2(p, TN_JX_ITEM, pos, of, key);
    return TN_OK;
}

static tn_rc parse_postfix(tn_jparser *p, tn_jx **x)
{
    for (;;) {
        if (tn_jp_is(p, TN_JTOK_DOT)) {
            TN_TRY(parse_dot(p, *x, x));
        } else if (tn_jp_is(p, TN_JTOK_LBRACKET)) {
            TN_TRY(parse_subscript(p, *x, x));
        } else if (tn_jp_is(p, TN_JTOK_LPAREN)) {
            TN_TRY(parse_call(p, *x, x));
        } else {
            return TN_OK;
        }
    }
}

/* name {'.' name}, as filters and tests may be called */
static tn_rc parse_dotted(tn_jparser *p, tn_str *ret)
{
    TN_TRY(tn_jp_expect_name(p, ret));
    while (tn_jp_skip(p, TN_JTOK_DOT)) {
        tn_str more = TN_STR_NONE;
        TN_TRY(tn_jp_expect_name(p, &more));
        *ret = tn_str_printf(p->a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(*ret), TN_STR_ARG(more));
    }
    return TN_OK;
}

/* {'|' name ['(' args ')']} */
tn_rc tn_jp_filters(tn_jparser *p, tn_jx *of, bool first_without_bar, tn_jx **ret)
{
    while (first_without_bar || tn_jp_is(p, TN_JTOK_PIPE)) {
        if (!first_without_bar) {
            tn_jp_next(p);
        }
        first_without_bar = false;
        tn_jx *x = tn_jp_node(p, TN_JX_FILTER, p->tok->pos);
        x->call.of = of;
        TN_TRY(parse_dotted(p, &x->call.name));
        tn_jargs *args = NULL;
        if (tn_jp_is(p, TN_JTOK_LPAREN)) {
            TN_TRY(tn_jp_deeper(p));
            TN_TRY(parse_args(p, &args));
            p->depth--;
        }
        x->call.args = args != NULL ? args : tn_new(p->a, tn_jargs);
        of = x;
    }
    *ret = of;
    return TN_OK;
}

static bool starts_test_arg(const tn_jparser *p)
{
    switch (p->tok->kind) {
    case TN_JTOK_NAME:
        return !tn_jp_is_name(p, "else") && !tn_jp_is_name(p, "or") && !tn_jp_is_name(p, "and");
    case TN_JTOK_STRING:
    case TN_JTOK_INT:
    case TN_JTOK_FLOAT:
    case TN_JTOK_LBRACKET:
    case TN_JTOK_LBRACE:
        return true;
    default:
        return false;
    }
}

/* 'is' ['not'] name ['(' args ')' | primary postfix] */
static tn_rc parse_test(tn_jparser *p, tn_jx *of, tn_jx **ret)
{
    tn_jx *x = tn_jp_node(p, TN_JX_TEST, p->tok->pos);
    tn_jp_next(p);
    bool negated = tn_jp_skip_name(p, "not");
    x->call.of = of;
    TN_TRY(parse_dotted(p, &x->call.name));
    if (tn_jp_is(p, TN_JTOK_LPAREN)) {
        TN_TRY(tn_jp_deeper(p));
        TN_TRY(parse_args(p, &x->call.args));
        p->depth--;
    } else {
        x->call.args = tn_new(p->a, tn_jargs);
        if (starts_test_arg(p)) {
            if (tn_jp_is_name(p, "is")) {
                return TN_JP_FAIL(p, p->tok->pos, "You cannot chain multiple tests with is");
            }
            tn_jx **arg = tn_new(p->a, tn_jx *);
            TN_TRY(parse_primary(p, arg));
            TN_TRY(parse_postfix(p, arg));
            x->call.args->v = arg;
            x->call.args->n = 1;
        }
    }
    *ret = negated ? tn_jp_node2(p, TN_JX_NOT, x->pos, x, NULL) : x;
    return TN_OK;
}

tn_rc tn_jp_unary(tn_jparser *p, bool with_filter, tn_jx **ret)
{
    uint32_t pos = p->tok->pos;
    tn_jx *x = NULL;
    if (tn_jp_is(p, TN_JTOK_SUB) || tn_jp_is(p, TN_JTOK_ADD)) {
        tn_jx_kind kind = tn_jp_is(p, TN_JTOK_SUB) ? TN_JX_NEG : TN_JX_POS;
        tn_jp_next(p);
        TN_TRY(tn_jp_deeper(p));
        TN_TRY(tn_jp_unary(p, false, &x));
        p->depth--;
        x = tn_jp_node2(p, kind, pos, x, NULL);
    } else {
        TN_TRY(parse_primary(p, &x));
    }
    TN_TRY(parse_postfix(p, &x));
    while (with_filter) {
        if (tn_jp_is(p, TN_JTOK_PIPE)) {
            TN_TRY(tn_jp_filters(p, x, false, &x));
        } else if (tn_jp_is_name(p, "is")) {
            TN_TRY(parse_test(p, x, &x));
        } else if (tn_jp_is(p, TN_JTOK_LPAREN)) {
            TN_TRY(parse_call(p, x, &x));
        } else {
            break;
        }
    }
    *ret = x;
    return TN_OK;
}

/* ---- assignment targets ---- */

static tn_rc target_one(tn_jparser *p, bool with_attr, tn_jtarget **ret);

/* target = one {',' one} [','], up to `stop` or the end of the tag */
tn_rc tn_jp_target(tn_jparser *p, const char *stop, bool with_attr, tn_jtarget **ret)
{
    uint32_t pos = p->tok->pos;
    tn_vec(tn_jtarget *) v = { 0 };
    bool is_tuple = false;
    bool more = true;
    for (;;) {
        TN_TRY(tuple_goes_on(p, v.n, stop, &more));
        if (!more) {
            break;
        }
        tn_jtarget *one = NULL;
        TN_TRY(target_one(p, with_attr, &one));
        tn_vec_push(&v, p->a, one);
        if (!tn_jp_is(p, TN_JTOK_COMMA)) {
            break;
        }
        is_tuple = true;
    }
    if (v.n == 0) {
        return TN_JP_FAIL(p, p->tok->pos, "Expected an expression, got '" TN_STR_FMT "'",
            TN_STR_ARG(tn_jp_describe(p->tok)));
    }
    *ret = v.v[0];
    if (is_tuple) {
        *ret = tn_new(p->a, tn_jtarget);
        **ret = (tn_jtarget){ .kind = TN_JTARGET_TUPLE, .pos = pos, .v = v.v, .n = v.n };
    }
    return TN_OK;
}

static const char *not_assignable(const tn_jtok *tok)
{
    tn_str s = tn_val_as_str(tok->v);
    bool word = tok->kind == TN_JTOK_NAME &&
                (tn_str_is(s, "true") || tn_str_is(s, "false") || tn_str_is(s, "none") ||
                    tn_str_is(s, "True") || tn_str_is(s, "False") || tn_str_is(s, "None"));
    if (word || tok->kind == TN_JTOK_STRING || tok->kind == TN_JTOK_INT ||
        tok->kind == TN_JTOK_FLOAT) {
        return "const";
    }
    return tok->kind == TN_JTOK_LBRACKET ? "list" : tok->kind == TN_JTOK_LBRACE ? "dict" : NULL;
}

static tn_rc target_one(tn_jparser *p, bool with_attr, tn_jtarget **ret)
{
    const tn_jtok *tok = p->tok;
    const char *wrong = not_assignable(tok);
    if (wrong != NULL) {
        return TN_JP_FAIL(p, tok->pos, "can't assign to '%s'", wrong);
    }
    if (tok->kind == TN_JTOK_LPAREN) {
        TN_TRY(tn_jp_deeper(p));
        tn_jp_next(p);
        TN_TRY(tn_jp_target(p, NULL, false, ret));
        p->depth--;
        return tn_jp_expect(p, TN_JTOK_RPAREN);
    }
    if (tok->kind != TN_JTOK_NAME) {
        return TN_JP_FAIL(
            p, tok->pos, "unexpected '" TN_STR_FMT "'", TN_STR_ARG(tn_jp_describe(tok)));
    }
    tn_jtarget *t = tn_new(p->a, tn_jtarget);
    *t = (tn_jtarget){ .kind = TN_JTARGET_NAME, .pos = tok->pos, .name = tn_val_as_str(tok->v) };
    tn_jp_next(p);
    if (with_attr && tn_jp_skip(p, TN_JTOK_DOT)) {
        t->kind = TN_JTARGET_ATTR;
        TN_TRY(tn_jp_expect_name(p, &t->attr));
    }
    *ret = t;
    return TN_OK;
}
