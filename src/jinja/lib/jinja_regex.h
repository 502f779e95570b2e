/* jinja_regex.h: regular expressions in Python's dialect through PCRE2, private to src/jinja. Places are bytes. */
#ifndef TN_JINJA_LIB_JINJA_REGEX_H
#define TN_JINJA_LIB_JINJA_REGEX_H

#include "jinja/lib/jinja_builtin.h"

typedef struct tn_jregex tn_jregex;
typedef enum tn_jregex_how { TN_RE_SEARCH, TN_RE_MATCH, TN_RE_FULLMATCH } tn_jregex_how;
enum { TN_RE_I = 2, TN_RE_M = 8, TN_RE_S = 16, TN_RE_U = 32, TN_RE_X = 64, TN_RE_A = 256 };

typedef struct tn_jspan {
    size_t from; /* SIZE_MAX: the group took no part */
    size_t to;
} tn_jspan;

tn_rc tn_jregex_compile(
    tn_arena *a, tn_str pattern, int64_t flags, tn_jregex **ret, tn_err *err) TN_MUSTUSE;
size_t tn_jregex_groups(const tn_jregex *re); /* without the whole match */
/* The number of a named group, 0: there is none; the name of a group, or empty. */
size_t tn_jregex_group(const tn_jregex *re, tn_str name);
tn_str tn_jregex_name(const tn_jregex *re, size_t group);
/* *ret: groups + 1 spans in the arena, or NULL when there is no match. not_empty: an empty match at `from` does not count. */
tn_rc tn_jregex_exec(const tn_jregex *re, tn_arena *a, tn_str s, size_t from, tn_jregex_how how,
    bool not_empty, tn_jspan **ret, tn_err *err) TN_MUSTUSE;
/* re.split without limit, empty pieces kept: what textwrap and urlize need. */
tn_rc tn_jregex_split(
    tn_arena *a, const char *pattern, tn_str s, tn_list *l, tn_err *err) TN_MUSTUSE;

#endif
