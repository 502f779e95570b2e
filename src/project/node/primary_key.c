/* primary_key.c: which columns of a model are its key, as the manifest says, in dbt's order of trust: the constraint on the model, the one on a
 * column, columns with both unique and not_null tests, with enabled unique tests, with disabled ones. Columns are sorted.
 */
#include "project/node/project_priv.h"

typedef struct tested_columns {
    tn_strs unique, unique_off, not_null;
} tested_columns;

static bool is_key(tn_val constraint)
{
    return tn_str_is(tn_val_str_at(constraint, "type", TN_STR_NONE), "primary_key");
}

static tn_val by_constraint(tn_arena *a, const tn_node *n)
{
    for (size_t i = 0; n->constraints.tag == TN_LIST && i < n->constraints.list->n; i++) {
        if (is_key(n->constraints.list->v[i])) {
            return tn_value_listify(a, tn_val_at(n->constraints.list->v[i], "columns"));
        }
    }
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        tn_val list = tn_val_at(it->value, "constraints");
        for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
            if (is_key(list.list->v[i])) {
                tn_val one = tn_val_list(a);
                tn_list_push(one.list, it->key);
                return one;
            }
        }
    }
    return TN_VAL_UNDEF;
}

/* The columns that a test is about: column_name, else the texts of combination_of_columns. */
static tn_strs columns_of(tn_arena *a, const tn_test_info *t)
{
    tn_val kwargs = { .tag = TN_DICT, .dict = t->kwargs };
    tn_val name = tn_val_at(kwargs, "column_name"),
           several = tn_val_at(kwargs, "combination_of_columns");
    tn_strs found = { 0 };
    if (tn_val_is_str(name)) {
        tn_vec_push(&found, a, tn_val_as_str(name));
    } else if (several.tag == TN_LIST) {
        for (size_t i = 0; i < several.list->n; i++) {
            if (tn_val_is_str(several.list->v[i])) {
                tn_vec_push(&found, a, tn_val_as_str(several.list->v[i]));
            }
        }
    }
    return found;
}

static void take_tests(tn_arena *a, tn_map *of_model, const tn_nodes *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const tn_node *n = nodes->v[i];
        const tn_test_info *t = n->kind == TN_NODE_TEST ? n->test : NULL;
        if (t == NULL || t->attached == NULL || t->attached->kind != TN_NODE_MODEL) {
            continue;
        }
        bool unique =
            tn_str_is(t->name, "unique") || tn_str_is(t->name, "unique_combination_of_columns");
        if (!unique && !tn_str_is(t->name, "not_null")) {
            continue;
        }
        tested_columns *c = tn_map_find(of_model, t->attached->unique_id);
        if (c == NULL) {
            c = tn_new(a, tested_columns);
            *c = (tested_columns){ 0 };
            tn_map_put(of_model, t->attached->unique_id, c);
        }
        tn_strs columns = columns_of(a, t);
        for (size_t k = 0; k < columns.n; k++) {
            tn_strs *into = !unique ? &c->not_null : n->enabled ? &c->unique : &c->unique_off;
            tn_strs_add_new(into, a, columns.v[k]);
        }
    }
}

static tn_strs by_tests(tn_arena *a, const tested_columns *c)
{
    tn_strs both = { 0 };
    for (size_t i = 0; i < c->not_null.n; i++) {
        tn_str name = c->not_null.v[i];
        if (tn_strs_has(&c->unique, name) || tn_strs_has(&c->unique_off, name)) {
            tn_vec_push(&both, a, name);
        }
    }
    return both.n > 0 ? both : c->unique.n > 0 ? c->unique : c->unique_off;
}

static int text_cmp(const void *a, const void *b)
{
    return tn_str_cmp(tn_val_as_str(*(const tn_val *)a), tn_val_as_str(*(const tn_val *)b));
}

static void infer(tn_project *p, const tn_map *of_model, tn_nodes *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        tn_node *n = nodes->v[i];
        if (n->kind != TN_NODE_MODEL) {
            continue;
        }
        const tested_columns *c = tn_map_find(of_model, n->unique_id);
        n->primary_key = by_constraint(p->arena, n);
        if (n->primary_key.tag != TN_LIST && c != NULL) {
            tn_strs names = by_tests(of_model->arena, c);
            n->primary_key = tn_strs_list(p->arena, &names);
        }
        if (n->primary_key.tag == TN_LIST && n->primary_key.list->n > 1) {
            qsort(n->primary_key.list->v, n->primary_key.list->n, sizeof(tn_val), text_cmp);
        }
    }
}

void tn_infer_primary_keys(tn_project *p)
{
    TN_AUTO_ARENA scratch = tn_arena_new("keys", NULL);
    tn_map of_model = tn_map_init(scratch);
    take_tests(scratch, &of_model, &p->nodes);
    take_tests(scratch, &of_model, &p->disabled);
    infer(p, &of_model, &p->nodes);
}
