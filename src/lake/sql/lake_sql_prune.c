/* lake_sql_prune.c: a session's queries open few files: its views as lake_narrow.h wants to know them.
 *
 * Delta tables are known by the snapshots behind the session's views, views of the lake by their pins. A name without a schema means what DuckDB says, so it
 * is none of these.
 */
#include "lake/lake_narrow.h"
#include "lake/sql/lake_session.h"

static bool find(void *self, tn_arena *a, const tn_str part[3], tn_narrow_found *ret)
{
    const tn_lake_sql *s = self;
    if (part[1].n == 0 || (part[0].n > 0 && !tn_str_is(part[0], "memory"))) {
        return false;
    }
    tn_str key = tn_str_lower(a, tn_sql_relation_text(a, part[1], part[2]));
    ret->snap = tn_map_find(&s->snapshots, key);
    if (ret->snap == NULL && tn_map_find(&s->made, key) != NULL) {
        const tn_pin *pin = tn_pins_find(&s->head.pins, part[1], part[2]);
        ret->view = pin != NULL && pin->kind == TN_PIN_VIEW ? pin->sql : TN_STR_NONE;
    }
    return ret->snap != NULL || ret->view.n > 0;
}

/* What cannot be bound narrowed is taken as it is: then errors cite what the user wrote. */
static bool can_bind(tn_lake_sql *s, tn_arena *a, tn_str query)
{
    tn_val columns;
    tn_err ignored = TN_ERR_INIT;
    return tn_conn_describe(s->conn, a, query, &columns, &ignored) == TN_OK;
}

bool tn_sql_prune(tn_lake_sql *s, tn_arena *a, tn_str sql, tn_str *ret)
{
    const tn_narrow_names names = { .find = find, .self = s };
    size_t begin = s->snapshots.n > 0 ? tn_narrow_begin(a, sql) : SIZE_MAX;
    tn_str query;
    if (begin == SIZE_MAX ||
        !tn_narrow(s->conn, a, tn_str_sub(sql, begin, sql.n), &names, &query)) {
        return false;
    }
    *ret = tn_str_concat(a, tn_str_sub(sql, 0, begin), query);
    return true;
}

tn_str tn_sql_pruned(tn_lake_sql *s, tn_arena *a, tn_str query, tn_str where)
{
    const tn_narrow_names names = { .find = find, .self = s };
    tn_str narrow;
    bool less = s->snapshots.n > 0 && tn_narrow_where(s->conn, a, query, where, &names, &narrow) &&
                can_bind(s, a, narrow);
    return less ? narrow : query;
}
