/* jinja_lib.h: what the files of the built-in library share; private to src/jinja.
 *
 * Everything is allocated in the arena of the call. Python's exceptions map to codes: TypeError TN_E_TYPE, ValueError, KeyError,
 * IndexError and ZeroDivisionError TN_E_VALUE, UndefinedError and AttributeError TN_E_NAME, sizes TN_E_LIMIT. The texts are Python's.
 */
#ifndef TN_JINJA_VALUE_JINJA_LIB_H
#define TN_JINJA_VALUE_JINJA_LIB_H

#include "jinja/value/jinja_op.h"

#define TN_JLIB_TEXT_MAX ((size_t)64 << 20)  /* bytes of one string made by a built-in */
#define TN_JLIB_ITEMS_MAX ((size_t)10000000) /* elements of one list made by a built-in */
#define TN_JLIB_NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

typedef tn_rc (*tn_jlib_method_fn)(tn_val self, const tn_call *c, tn_val *ret, tn_err *err);
typedef struct tn_jlib_method {
    const char *name;
    tn_jlib_method_fn fn;
    size_t min, max;          /* arguments, self not counted */
    const char *const *names; /* of the arguments; NULL: none by name */
} tn_jlib_method;

/* ---- methods as values (jinja_bind.c) ---- */
tn_val tn_jlib_bind(tn_arena *a, const tn_jlib_method *m, tn_val self);
/* The bound method of that name in a table that ends with a NULL name; false: none. */
bool tn_jlib_bind_named(
    tn_arena *a, const tn_jlib_method *table, tn_str name, tn_val self, tn_val *ret);

/* ---- arguments and results (jinja_lib.c) ---- */
static inline tn_jinja_ctx *tn_jlib_ctx(const tn_call *c)
{
    return (tn_jinja_ctx *)c->interp;
}
tn_str tn_jlib_text(tn_arena *a, tn_val v); /* str(v); borrowed when v is a string */
tn_rc tn_jlib_finish(
    tn_buf *b, tn_val *ret, tn_err *err) TN_MUSTUSE; /* the buffer as a string value */
/* A string argument: TypeError unless it is one. `what` is a function's name for the message. */
tn_rc tn_jlib_str_arg(const tn_call *c, size_t place, const char *name, const char *what,
    tn_str *ret, tn_err *err) TN_MUSTUSE;
/* An integer argument (bool too); *ret keeps its value when the argument is not given. */
tn_rc tn_jlib_int_arg(
    const tn_call *c, size_t place, const char *name, int64_t *ret, tn_err *err) TN_MUSTUSE;
bool tn_jlib_bool_arg(
    const tn_call *c, size_t place, const char *name, bool dflt); /* truth of it */
bool tn_jlib_is_int(tn_val v);                                    /* int or bool that fits int64 */
bool tn_jlib_is_number(tn_val v); /* bool, int, big int, float, decimal */
/* The elements. A list or tuple comes as it is: it must not be changed. Generators are used up. */
tn_rc tn_jlib_list_of(tn_arena *a, tn_val v, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jlib_items(tn_arena *a, tn_val v, const tn_list **ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jlib_fail_undef(tn_err *err, tn_val v);                      /* "'x' is undefined" */
tn_rc tn_jlib_length(tn_val v, int64_t *ret, tn_err *err) TN_MUSTUSE; /* len(v) */
/* Sorts stably by < of keys[i] (NULL: of the elements themselves). */
tn_rc tn_jlib_sort(
    tn_arena *a, tn_val *v, const tn_val *keys, size_t n, bool reverse, tn_err *err) TN_MUSTUSE;
tn_val tn_jlib_safe(tn_val v);               /* the string marked as Markup */
void tn_jlib_escape_to(tn_buf *b, tn_str s); /* & < > ' " as markupsafe does */
tn_rc tn_jlib_splitlines(tn_arena *a, tn_str s, bool keep, tn_list *l); /* Python's line ends */
tn_str tn_jlib_strip(tn_str s, int sides); /* white space; sides: 1 left, 2 right, 3 both */

/* A generator: iterated once, always true, without a length. */
tn_val tn_jlib_gen(tn_arena *a, tn_list *l);
bool tn_jlib_gen_next(
    tn_val v, tn_val *ret, bool *ret_is_gen); /* takes one element when v is a generator */
tn_list *tn_jlib_list_new(tn_arena *a);
static inline tn_val tn_jlib_list_val(tn_list *l)
{
    return (tn_val){ .tag = TN_LIST, .list = l };
}
static inline tn_val tn_jlib_pair(tn_arena *a, tn_val x, tn_val y)
{
    return tn_val_tuple(a, (tn_val[]){ x, y }, 2);
}
/* dict.keys(), .values(), .items(): live views. kind: 'k', 'v', 'i'. */
tn_val tn_jlib_view(tn_arena *a, tn_dict *d, char kind);
/* n numbers from start (jinja_range.c). */
tn_val tn_jlib_range_of(tn_arena *a, int64_t start, int64_t stop, int64_t step, int64_t n);
bool tn_jlib_is_range(tn_val v);
tn_rc tn_jlib_range_slice(
    tn_arena *a, tn_val v, int64_t start, int64_t step, int64_t n, tn_val *ret) TN_MUSTUSE;
/* Python's slice.indices: false when the step is zero. Values are none or integers (undefined counts as none). */
tn_rc tn_jlib_slice_indices(tn_val start, tn_val stop, tn_val step, int64_t len, int64_t *ret_start,
    int64_t *ret_step, int64_t *ret_n, tn_err *err) TN_MUSTUSE;

/* ---- text (jinja_unicode.c) ---- */
typedef enum tn_jlib_case {
    TN_CASE_UPPER,
    TN_CASE_LOWER,
    TN_CASE_TITLE,
    TN_CASE_CAPITAL,
    TN_CASE_SWAP,
    TN_CASE_FOLD
} tn_jlib_case;
tn_str tn_jlib_recase(tn_arena *a, tn_str s, tn_jlib_case how);
bool tn_uni_is_space(uint32_t cp);
bool tn_uni_is_alpha(uint32_t cp);
bool tn_uni_is_digit(uint32_t cp);
bool tn_uni_is_alnum(uint32_t cp);
bool tn_uni_is_upper(uint32_t cp);
bool tn_uni_is_lower(uint32_t cp);
uint32_t tn_uni_upper(uint32_t cp);
uint32_t tn_uni_lower(uint32_t cp);

/* ---- conversion (jinja_arith.c, jinja_pprint.c) ---- */
/* int(text, base) of Python; false: no integer. base 0 looks at the prefix. */
bool tn_jlib_int_of_text(tn_arena *a, tn_str s, int base, tn_val *ret);
bool tn_jlib_float_of_text(tn_str s, double *ret); /* float(text) */
bool tn_jlib_to_f64(tn_val v, double *ret);        /* any number */
tn_val tn_jlib_int_of_f64(tn_arena *a, double f);  /* truncates; f is finite */
/* round(v, digits); has_digits false: round(v), an integer. */
tn_rc tn_jlib_round(
    tn_arena *a, tn_val v, bool has_digits, int64_t digits, tn_val *ret, tn_err *err) TN_MUSTUSE;
void tn_jlib_pprint(tn_buf *b, tn_val v, int width);
void tn_jlib_html_json(tn_buf *b, tn_str json); /* Jinja's htmlsafe_json_dumps on ready JSON text */
void tn_jlib_group_digits(tn_buf *b, tn_str digits, char sep, int every, size_t min_width);

#endif
