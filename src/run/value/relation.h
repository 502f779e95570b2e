/* relation.h: what macros handle as relations and columns: api.Relation, api.Column and their instances.
 *
 * A tn_relation is an immutable value object; derived ones are made in the arena of the running call. A part that is none has p NULL.
 */
#ifndef TN_RUN_VALUE_RELATION_H
#define TN_RUN_VALUE_RELATION_H

#include "base/val.h"

enum { TN_PART_DATABASE = 1, TN_PART_SCHEMA = 2, TN_PART_IDENTIFIER = 4, TN_PART_ALL = 7 };

typedef struct tn_relation {
    tn_obj base;
    tn_str part[3];   /* database, schema, identifier */
    unsigned include; /* bits of the parts that are shown */
    unsigned quote;   /* bits of the parts that are quoted */
    tn_str type;      /* "table", "view", "cte", "external", ...; p NULL: unknown */
    tn_str external;  /* shown instead of the parts: 'file.parquet', a reader call, a subquery */
    int64_t limit;    /* -1: none; 0 with --empty */
    tn_str filter;    /* shown as (select * from .. where filter); empty: none */
    tn_str info_view; /* information_schema relation: its view; p NULL: no such relation */
    bool info;
} tn_relation;

extern const tn_obj_type tn_relation_type;
tn_relation *tn_relation_new(
    tn_arena *a, tn_str database, tn_str schema, tn_str identifier, const char *type);
bool tn_val_is_relation(tn_val v, tn_relation **ret);
/* The information_schema of its database; view: the name of one there, or none. */
tn_val tn_relation_info_schema(tn_arena *a, const tn_relation *r, tn_val view);
tn_str tn_relation_render(tn_arena *a, const tn_relation *r);
/* A place as a key of maps: DuckDB compares names without case. */
tn_str tn_relation_key(tn_arena *a, tn_str database, tn_str schema, tn_str name);
static inline tn_val tn_relation_val(tn_relation *r)
{
    return tn_val_obj(&r->base);
}

typedef struct tn_column {
    tn_obj base;
    tn_str name;
    tn_str dtype;
    tn_val char_size, precision, scale;
} tn_column;
extern const tn_obj_type tn_column_type;
tn_val tn_column_new(tn_arena *a, tn_str name, tn_str dtype);
bool tn_val_is_column(tn_val v, tn_column **ret);
/* A STRUCT column as its leaf fields "a.b", others as themselves: appended to list. */
void tn_column_flatten(tn_arena *a, tn_str name, tn_str dtype, tn_list *list);

/* Relation as a class: api.Relation and adapter.Relation. */
extern tn_obj tn_relation_class_obj;
/* The `api` object: Relation and Column. default_database is what Relation.create() without database shows: none. */
tn_val tn_api_new(tn_arena *a);

#endif
