/* key_constraint.c: the key constraints that tables had when the run opened its database, and whose turn it is to build tables with keys.
 *
 * Creating or dropping a table with a foreign key alters the table that it references: two such models at once are a write conflict. Where
 * foreign keys are about, models with keys are built one at a time; elsewhere nothing waits. */
#include "run/session/session.h"
#include "run/value/relation.h"
#include "text/sqltext.h"

enum { KEY_PRIMARY = 1, KEY_UNIQUE = 2, KEY_FOREIGN = 4 };

static const struct {
    const char *in_database, *in_contract;
    uint8_t bit;
} keys[] = { { "FOREIGN KEY", "foreign_key", KEY_FOREIGN },
    { "PRIMARY KEY", "primary_key", KEY_PRIMARY }, { "UNIQUE", "unique", KEY_UNIQUE } };

tn_rc tn_session_keys_fill(tn_session *s, tn_conn *c, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("keys", NULL);
    tn_val rows;
    s->keys = tn_map_init(s->arena);
    TN_TRY(tn_conn_rows(c, scratch,
        TN_STR("select distinct database_name, schema_name, table_name, constraint_type from "
               "duckdb_constraints() where constraint_type in ('PRIMARY KEY', 'UNIQUE', 'FOREIGN "
               "KEY')"),
        SIZE_MAX, &rows, NULL, err));
    for (size_t i = 0; i < rows.list->n; i++) {
        const tn_val *row = rows.list->v[i].list->v;
        tn_str key = tn_relation_key(
            s->arena, tn_val_as_str(row[0]), tn_val_as_str(row[1]), tn_val_as_str(row[2]));
        uint8_t *bits = tn_map_find(&s->keys, key);
        if (bits == NULL) {
            bits = tn_new(s->arena, uint8_t);
            tn_map_put(&s->keys, key, bits);
        }
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            *bits |= tn_str_is(tn_val_as_str(row[3]), keys[k].in_database) ? keys[k].bit : 0;
        }
        s->foreign_keys_about = s->foreign_keys_about || (*bits & KEY_FOREIGN) != 0;
    }
    return TN_OK;
}

static uint8_t existing(const tn_session *s, tn_str database, tn_str schema, tn_str name)
{
    TN_AUTO_ARENA scratch = tn_arena_new("key", NULL);
    const uint8_t *bits = tn_map_find(&s->keys, tn_relation_key(scratch, database, schema, name));
    return bits != NULL ? *bits : 0;
}

tn_val tn_session_keys_of(
    const tn_session *s, tn_arena *a, tn_str database, tn_str schema, tn_str name)
{
    uint8_t bits = existing(s, database, schema, name);
    tn_val list = tn_val_list(a);
    for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
        if ((bits & keys[k].bit) != 0) {
            tn_list_push(list.list, tn_val_z(keys[k].in_contract));
        }
    }
    return list;
}

static uint8_t bits_of(tn_val constraints)
{
    uint8_t bits = 0;
    for (size_t i = 0; tn_val_is_seq(constraints) && i < constraints.list->n; i++) {
        tn_str type = tn_val_str_at(constraints.list->v[i], "type", TN_STR_NONE);
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            bits |= tn_str_is(type, keys[k].in_contract) ? keys[k].bit : 0;
        }
    }
    return bits;
}

/* The keys that a model's enforced contract declares. */
static uint8_t declared(const tn_node *n)
{
    if (n->kind != TN_NODE_MODEL ||
        !tn_val_bool_at(tn_node_config(n, "contract"), "enforced", false)) {
        return 0;
    }
    uint8_t bits = bits_of(n->constraints);
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        bits |= bits_of(tn_val_at(it->value, "constraints"));
    }
    return bits;
}

void tn_session_keys_plan(tn_session *s, const tn_nodes *nodes)
{
    for (size_t i = 0; i < nodes->n && !s->foreign_keys_about; i++) {
        s->foreign_keys_about = (declared(nodes->v[i]) & KEY_FOREIGN) != 0;
    }
}

bool tn_session_keys_one_at_a_time(const tn_session *s, const tn_node *n)
{
    return s->foreign_keys_about && n->kind == TN_NODE_MODEL &&
           (declared(n) | existing(s, n->database, n->schema, n->alias)) != 0;
}
