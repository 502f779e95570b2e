/* jinja_filters.h: the filter functions, private to src/jinja; all of type tn_call_fn, the value is argument 0. */
#ifndef TN_JINJA_LIB_JINJA_FILTERS_H
#define TN_JINJA_LIB_JINJA_FILTERS_H

#include "jinja/lib/jinja_builtin.h"

/* F(function without the prefix tn_jfilter_): each function once. A(name in templates, function): further names. */
/* clang-format off */
#define TN_JINJA_FILTERS(F, A) \
    F(abs) F(attr) F(length) A("count", length) F(default) A("d", default) \
    F(filesizeformat) F(float) F(format) F(int) F(items) F(list) F(pprint) F(random) \
    F(round) F(string) F(tojson) F(batch) F(slice) F(first) F(last) F(join) F(map) \
    F(select) F(reject) F(selectattr) F(rejectattr) F(sort) F(unique) F(min) F(max) \
    F(sum) F(groupby) F(dictsort) F(reverse) F(capitalize) F(center) F(indent) F(lower) \
    F(upper) F(replace) F(title) F(trim) F(truncate) F(wordcount) F(wordwrap) F(escape) \
    A("e", escape) F(forceescape) F(safe) F(striptags) F(urlencode) F(urlize) F(xmlattr)
/* clang-format on */

#define TN_JFILTER_DECLARE(fn)                                                                     \
    tn_rc tn_jfilter_##fn(void *self, const tn_call *c, tn_val *ret, tn_err *err);
#define TN_JFILTER_NOTHING(name, fn)
TN_JINJA_FILTERS(TN_JFILTER_DECLARE, TN_JFILTER_NOTHING)
#undef TN_JFILTER_DECLARE
#undef TN_JFILTER_NOTHING

/* Begins a filter function: the value is v, and names lists the parameters, value first. */
#define TN_JFILTER_BEGIN(name, max, ...)                                                           \
    (void)self;                                                                                    \
    TN_TRY(tn_call_check(c, name, 1, max, TN_JLIB_NAMES("value", __VA_ARGS__), err));              \
    tn_val v = tn_call_arg(c, 0, "value")

#endif
