/* jinja_builtin.h: between the interpreter (jinja_eval.c) and the library of built-ins, private to src/jinja.
 *
 * The interpreter owns names, scopes, calls, operators on numbers/strings/lists and attribute look-up order. The built-ins own what a
 * method, filter, test, % or .format does. Bound methods are values made by tn_jinja_method.
 */
#ifndef TN_JINJA_JINJA_BUILTIN_H
#define TN_JINJA_JINJA_BUILTIN_H

#include "jinja/jinja.h"

/* Registers all filters, tests and globals (range, dict, namespace, cycler, joiner, lipsum, ...). */
void tn_jinja_builtin_filters(tn_jinja_env *e);
void tn_jinja_builtin_tests(tn_jinja_env *e);
void tn_jinja_builtin_globals(tn_jinja_env *e);

/* v.name for a built-in Python type: *ret = bound method or attribute (date.year, str.upper, dict.items, list.append, ...); undefined when the
 * type has none. The interpreter tries this after the object's/dict's own entries in Jinja's order. */
tn_rc tn_jinja_method(
    tn_jinja_ctx *ctx, tn_val v, tn_str name, tn_val *ret, tn_err *err) TN_MUSTUSE;

/* '%' with a string on the left, Python's rules; str.format and format(v, spec). */
tn_rc tn_jinja_percent(
    tn_jinja_ctx *ctx, tn_str fmt, tn_val arg, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_str_format(
    tn_jinja_ctx *ctx, tn_str fmt, const tn_call *call, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_format_spec(tn_buf *b, tn_val v, tn_str spec, tn_err *err) TN_MUSTUSE;

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

/* ---- from the interpreter, for the built-ins (jinja_undef.c, jinja_env.c) ---- */

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

/* A registered filter or test as a callable value; false when there is none. Call it with tn_jinja_call, the value first. */
bool tn_jinja_find_filter(tn_jinja_ctx *ctx, tn_str name, tn_val *ret);
bool tn_jinja_find_test(tn_jinja_ctx *ctx, tn_str name, tn_val *ret);
tn_rc tn_jinja_call_test(tn_jinja_ctx *ctx, tn_str test, const tn_val *args, size_t argc, bool *ret,
    tn_err *err) TN_MUSTUSE;

/* Python's str.isspace for one code point: what \s, strip() and split() take as white space. */
bool tn_jinja_is_space(uint32_t cp);

#endif
