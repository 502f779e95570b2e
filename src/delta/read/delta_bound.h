/* delta_bound.h: private to src/delta/read: columns and constants of a predicate as values that can be compared without rows. */
#ifndef TN_DELTA_BOUND_H
#define TN_DELTA_BOUND_H

#include "delta/log/delta_log.h"
#include "delta/read/delta_origin.h"

#define TN_DAY_US ((long double)TN_DELTA_DAY_US)
#define TN_ZONES_US ((long double)TN_DELTA_ZONES_US)

typedef enum domain {
    DOM_NONE,
    DOM_NUMBER,
    DOM_FLOAT,
    DOM_TIME,
    DOM_DATE,
    DOM_TEXT,
    DOM_BOOL
} domain;

typedef struct bound {
    bool known;
    long double lo, hi; /* numbers and times (microseconds): the value lies in between */
    tn_str text;
} bound;

typedef enum view { /* what is made of the column's value */
    VIEW_PLAIN,
    VIEW_DATE,  /* its day */
    VIEW_TRUNC, /* date_trunc: at most `cut` less */
    VIEW_YEAR
} view;

typedef struct column {
    const tn_delta_field *field;
    size_t partition; /* SIZE_MAX: data */
    tn_strs path;     /* physical names from the top */
    tn_strs names;    /* the same as users call them */
    domain stored;    /* of the column; */
    domain dom;       /* of what is made of it */
    view view;
    long double cut;
} column;

typedef struct pruner {
    tn_arena *arena;
    const tn_delta_snapshot *s;
    tn_delta_mapping mapping;
    const tn_delta_file *file;
    tn_val stats; /* of the file */
    tn_delta_origins origins;
} pruner;

/* A column, or a function of one that keeps the order of times. Names that could be read in two ways are not understood. */
bool tn_bound_column(const pruner *p, tn_val node, column *ret);
/* A constant of the predicate as a value of the column's domain. */
bound tn_bound_constant(const pruner *p, const column *c, tn_val node);
/* What stands in statistics and partition values. cut_to_ms: a maximum that may have lost its microseconds. */
bound tn_bound_text(domain dom, tn_str s, bool instant, bool cut_to_ms);
bool tn_bound_is_instant(const column *c);
/* Minimum or maximum of the column as that of what is made of it. A day of an instant is one of the session's time zone. */
void tn_bound_see_through(const column *c, bound *b);

static inline bool tn_bound_says(tn_val node, const char *key, const char *value)
{
    return tn_str_is(tn_val_str_at(node, key, TN_STR_NONE), value);
}

#endif
