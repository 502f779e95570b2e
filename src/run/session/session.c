/* session.c: the relation cache and connections of a run's database. Opening by profile is in session_open.c. */
#include "run/session/session.h"

#include "run/value/relation.h"
#include "text/sqltext.h"

typedef struct cached {
    tn_str database, schema, name, type;
} cached;

tn_rc tn_session_cache_fill(tn_session *s, tn_conn *c, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("relations", NULL);
    tn_val rows;
    TN_TRY(tn_conn_rows(c, scratch,
        TN_STR("select database_name, schema_name, table_name, 'table' from duckdb_tables() where "
               "not internal union all "
               "select database_name, schema_name, view_name, 'view' from duckdb_views() where not "
               "internal"),
        SIZE_MAX, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *row = rows.list->v[i].list->v;
        tn_session_cache_add(s, tn_val_as_str(row[0]), tn_val_as_str(row[1]), tn_val_as_str(row[2]),
            tn_val_as_str(row[3]));
    }
    TN_TRY(tn_conn_rows(c, scratch,
        TN_STR("select database_name, schema_name from duckdb_schemas() where not internal or "
               "schema_name = 'main'"),
        SIZE_MAX, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *row = rows.list->v[i].list->v;
        tn_session_add_schema(s, tn_val_as_str(row[0]), tn_val_as_str(row[1]));
    }
    return TN_OK;
}

bool tn_session_cache_find(tn_session *s, tn_str database, tn_str schema, tn_str name,
    tn_str *ret_type, tn_str *ret_exact_name)
{
    TN_AUTO_ARENA scratch = tn_arena_new("key", NULL);
    tn_str key = tn_relation_key(scratch, database, schema, name);
    TN_LOCKED(&s->lock);
    const cached *found = tn_map_find(&s->relations, key);
    if (found == NULL) {
        return false;
    }
    *ret_type = found->type;
    *ret_exact_name = found->name;
    return true;
}

void tn_session_cache_add(tn_session *s, tn_str database, tn_str schema, tn_str name, tn_str type)
{
    TN_LOCKED(&s->lock);
    cached *item = tn_new(s->known, cached);
    *item = (cached){ tn_str_dup(s->known, database), tn_str_dup(s->known, schema),
        tn_str_dup(s->known, name), tn_str_dup(s->known, type) };
    tn_map_put(&s->relations, tn_relation_key(s->known, database, schema, name), item);
}

void tn_session_cache_drop(tn_session *s, tn_str database, tn_str schema, tn_str name)
{
    TN_AUTO_ARENA scratch = tn_arena_new("key", NULL);
    tn_str key = tn_relation_key(scratch, database, schema, name);
    TN_LOCKED(&s->lock);
    (void)tn_map_remove(&s->relations, key);
}

static bool in_schema(const cached *c, tn_str database, tn_str schema)
{
    return tn_str_eq_nocase(c->database, database) && tn_str_eq_nocase(c->schema, schema);
}

void tn_session_cache_drop_schema(tn_session *s, tn_str database, tn_str schema)
{
    TN_AUTO_ARENA scratch = tn_arena_new("key", NULL);
    TN_LOCKED(&s->lock);
    for (size_t i = 0; i < s->relations.n; i++) {
        const cached *c = s->relations.items[i].value;
        if (c != NULL && in_schema(c, database, schema)) {
            (void)tn_map_remove(&s->relations, s->relations.items[i].key);
        }
    }
    (void)tn_map_remove(&s->schemas_seen, tn_relation_key(scratch, database, schema, TN_STR_NONE));
}

tn_val tn_session_cache_list(tn_session *s, tn_arena *a, tn_str database, tn_str schema)
{
    tn_val list = tn_val_list(a);
    TN_LOCKED(&s->lock);
    for (size_t i = 0; i < s->relations.n; i++) {
        const cached *c = s->relations.items[i].value;
        if (c != NULL && in_schema(c, database, schema)) {
            tn_val pair[2] = { tn_val_str_dup(a, c->name), tn_val_str_dup(a, c->type) };
            tn_list_push(list.list, tn_val_tuple(a, pair, 2));
        }
    }
    return list;
}

bool tn_session_has_schema(tn_session *s, tn_str database, tn_str schema)
{
    TN_AUTO_ARENA scratch = tn_arena_new("key", NULL);
    tn_str key = tn_relation_key(scratch, database, schema, TN_STR_NONE);
    TN_LOCKED(&s->lock);
    return tn_map_find(&s->schemas_seen, key) != NULL;
}

void tn_session_add_schema(tn_session *s, tn_str database, tn_str schema)
{
    TN_LOCKED(&s->lock);
    tn_map_put(&s->schemas_seen, tn_relation_key(s->known, database, schema, TN_STR_NONE), s);
}

bool tn_session_warn_first(tn_session *s, tn_str text)
{
    TN_LOCKED(&s->lock);
    if (tn_map_find(&s->warned, text) != NULL) {
        return false;
    }
    tn_map_put(&s->warned, tn_str_dup(s->known, text), s);
    return true;
}
