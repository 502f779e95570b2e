/* lake_narrow_impl.h: private to lake_narrow*.c: a query as relations that demand rows of each other. */
#ifndef TN_LAKE_LAKE_NARROW_IMPL_H
#define TN_LAKE_LAKE_NARROW_IMPL_H

#include "lake/lake_narrow.h"
#include "text/sqltoken.h"

enum { NARROW_DEPTH_MAX = 200, NARROW_VIEWS_MAX = 16, NARROW_SQL_MAX = 256 << 20 };

typedef tn_vec(tn_val) narrow_vals;

typedef struct narrow_change { /* of a text: [from, to) becomes sql */
    size_t from, to;
    tn_str sql;
} narrow_change;

/* The query's own text or that of a view in it. */
typedef struct narrow_text {
    tn_str sql;
    tn_tokens tokens;
    tn_map aliases; /* all names of relations and columns in it, lower case */
    bool
        bare; /* it has a name without schema that is no CTE of its own: what the name means depends on the place */
    tn_vec(narrow_change) changes;
    struct narrow_text *outer; /* of a view: where it is named */
    tn_val node;               /* there, the name */
} narrow_text;

typedef struct narrow_query narrow_query;

typedef struct narrow_item { /* a relation in a FROM */
    tn_val node;
    tn_str alias;
    int mark;                      /* "\1<mark>" names it in trees that were made here */
    const tn_delta_snapshot *snap; /* a Delta table, or */
    narrow_query *query;           /* a subquery, a CTE, a view; neither: nothing is known of it */
    tn_strs names;                 /* other names of its columns */
    tn_strs merged;                /* USING columns that the other side shows */
    bool where;                    /* rows that WHERE refuses are not needed of it */
    bool hidden;                   /* SEMI and ANTI: its columns cannot be named outside */
    narrow_vals on;                /* conditions that its rows must meet to matter */
} narrow_item;

typedef struct narrow_output { /* a column of a query */
    tn_str name;
    tn_val expr; /* in terms of the query's relations; undefined in a set operation */
} narrow_output;

typedef struct narrow_outputs {
    tn_vec(narrow_output) list; /* from the first on, as far as they are known */
    bool complete;
} narrow_outputs;

struct narrow_query {
    tn_val node;
    narrow_text *text;
    tn_vec(narrow_item) items;   /* of a SELECT */
    narrow_query *left, *right;  /* of a set operation */
    bool no_star;                /* which columns * means is not known */
    bool all;                    /* somebody wants all rows */
    tn_vec(narrow_vals) demands; /* what each reference wants; columns are "\2", "<number>" */
    bool outputs_known;
    narrow_outputs outputs;
};

typedef struct narrow {
    tn_conn *conn;
    tn_arena *a;
    const tn_narrow_names *names;
    tn_vec(narrow_query *) order; /* a query stands behind those that it reads */
    tn_vec(narrow_text *) texts;  /* a view's behind that which names it */
    int marks;
    int views;   /* nested */
    bool broken; /* too deep */
} narrow;

/* lake_narrow_build.c: the queries of a text, with their relations. */
narrow_text *narrow_parse(narrow *n, tn_str sql, tn_val *ret_tree);
void narrow_build(narrow *n, tn_val tree, narrow_text *text);

/* lake_narrow_constant.c: subqueries of one value, in comparisons of WHERE, become that value. Changes the tree. */
void narrow_constants(narrow *n, tn_val node, int depth);

/* lake_narrow_scope.c: passes on what is demanded from queries to those that they read; files of tables fall out. */
void narrow_process(narrow *n, narrow_query *q);
/* Notes the scan of some of the files in place of the table's name. */
void narrow_table(narrow *n, narrow_text *text, const narrow_item *item, const bool *keep);

static inline bool narrow_says(tn_val node, const char *key, const char *value)
{
    return tn_str_is(tn_val_str_at(node, key, TN_STR_NONE), value);
}

static inline bool narrow_no(tn_val node, const char *key) /* absent, null or an empty list */
{
    tn_val v = tn_val_at(node, key);
    return v.tag == TN_UNDEF || v.tag == TN_NONE || (tn_val_is_seq(v) && v.list->n == 0);
}

static inline bool narrow_says_any(tn_val node, const char *key, const char *const *values)
{
    tn_str s = tn_val_str_at(node, key, TN_STR_NONE);
    while (*values != NULL && !tn_str_is(s, *values)) {
        values++;
    }
    return *values != NULL;
}

/* What lies right below a node, one after the other; *io_at is 0 at first. False: there is no more. */
static inline bool narrow_next(tn_val node, size_t *io_at, tn_val *ret)
{
    const tn_dict_item *it = NULL;
    if (tn_val_is_seq(node) && *io_at < node.list->n) {
        *ret = node.list->v[(*io_at)++];
        return true;
    }
    it = node.tag == TN_DICT ? tn_dict_next(node.dict, io_at) : NULL;
    *ret = it != NULL ? it->value : TN_VAL_UNDEF;
    return it != NULL;
}

tn_str narrow_alias(tn_val table);

#endif
