/* jinja_op.h: what operators do with values, and undefined values; private to src/jinja. */
#ifndef TN_JINJA_VALUE_JINJA_OP_H
#define TN_JINJA_VALUE_JINJA_OP_H

#include "jinja/jinja.h"

/* Operators: Python's + - * / // % ** ~ == < in on every pair of types that Python allows (big integers, decimals, dates and timedeltas,
 * str * int, list + list, dict | dict). op is one of the characters below. */
typedef enum tn_jinja_op {
    TN_OP_ADD,
    TN_OP_SUB,
    TN_OP_MUL,
    TN_OP_DIV,
    TN_OP_FLOORDIV,
    TN_OP_MOD,
    TN_OP_POW,
} tn_jinja_op;
tn_rc tn_jinja_arith(
    tn_jinja_ctx *ctx, tn_jinja_op op, tn_val a, tn_val b, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_negate(tn_jinja_ctx *ctx, tn_val v, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_contains(
    tn_jinja_ctx *ctx, tn_val needle, tn_val hay, bool *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_slice(tn_jinja_ctx *ctx, tn_val v, tn_val start, tn_val stop, tn_val step,
    tn_val *ret, tn_err *err) TN_MUSTUSE;

/* '%' with a string on the left, Python's rules; format(v, spec). */
tn_rc tn_jinja_percent(
    tn_jinja_ctx *ctx, tn_str fmt, tn_val arg, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_format_spec(tn_buf *b, tn_val v, tn_str spec, tn_err *err) TN_MUSTUSE;

/* ---- undefined values (jinja_undef.c) ---- */
/* An undefined value says how its message reads: plain (s is a name: "'x' is undefined"), with aux = 1 + the tag of the value that
 * lacks the attribute s ("'dict object' has no attribute 'x'"), or with one of these flags. */
enum {
    TN_UNDEF_HINT = 2, /* s is the whole message */
    TN_UNDEF_ELEM = 4, /* with aux: s is the repr of a key: "list object has no element 5" */
};
/* Jinja2's UndefinedError for that value; TN_E_NAME. Whatever cannot work with an undefined value ends with this. */
tn_rc tn_jinja_undef_fail(tn_val undef, tn_err *err);
tn_val tn_jinja_undef_hint(tn_str message); /* borrows */
/* What x.name is when x has no such attribute, x[key] when it has no such key. */
tn_val tn_jinja_undef_attr(tn_jinja_ctx *ctx, tn_val obj, tn_str name);
tn_val tn_jinja_undef_item(tn_jinja_ctx *ctx, tn_val obj, tn_val key);

#endif
