/* jinja_builtin.h: the library of built-ins as the interpreter sees it; private to src/jinja.
 *
 * The interpreter owns names, scopes, calls and rendering. The built-ins own what a method, filter, test or global does.
 */
#ifndef TN_JINJA_LIB_JINJA_BUILTIN_H
#define TN_JINJA_LIB_JINJA_BUILTIN_H

#include "jinja/value/jinja_lib.h"

/* Registers all filters, tests and globals (range, dict, namespace, cycler, joiner, lipsum, ...). */
void tn_jinja_builtin_filters(tn_jinja_env *e);
void tn_jinja_builtin_tests(tn_jinja_env *e);
void tn_jinja_builtin_globals(tn_jinja_env *e);

/* v.name for a built-in Python type: *ret = bound method or attribute (date.year, str.upper, dict.items, list.append, ...); undefined when the
 * type has none. The interpreter tries this after the object's/dict's own entries in Jinja's order. */
tn_rc tn_jinja_method(
    tn_jinja_ctx *ctx, tn_val v, tn_str name, tn_val *ret, tn_err *err) TN_MUSTUSE;

/* str.format of Python. */
tn_rc tn_jinja_str_format(
    tn_jinja_ctx *ctx, tn_str fmt, const tn_call *call, tn_val *ret, tn_err *err) TN_MUSTUSE;

/* ---- the methods of each type (jinja_methods_*.c) ---- */
extern const tn_jlib_method tn_jlib_str_methods[];
extern const tn_jlib_method tn_jlib_bytes_methods[];
extern const tn_jlib_method tn_jlib_list_methods[];
extern const tn_jlib_method tn_jlib_tuple_methods[];
extern const tn_jlib_method tn_jlib_dict_methods[];
extern const tn_jlib_method tn_jlib_set_methods[];
extern const tn_jlib_method tn_jlib_int_methods[];
extern const tn_jlib_method tn_jlib_float_methods[];
extern const tn_jlib_method tn_jlib_decimal_methods[];

#endif
