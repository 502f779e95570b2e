/* node_notes.c: what readers of a catalog are told about a relation: its description, what it promises and what is tested, as comments. */
#include "run/value/node_notes.h"

static void add_part(tn_buf *b, const char *title, tn_str text)
{
    tn_buf_addf(b, "%s%s" TN_STR_FMT, b->n > 0 ? "\n" : "", title, TN_STR_ARG(text));
}

static void add_item(tn_buf *list, tn_str item)
{
    tn_buf_addf(list, "%s" TN_STR_FMT, list->n > 0 ? ", " : "", TN_STR_ARG(item));
}

/* "primary key (a, b)", "check (x > 0)" */
static tn_str constraint_text(tn_arena *a, tn_val c)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_str type = tn_val_str_at(c, "type", TN_STR_NONE);
    tn_val columns = tn_val_at(c, "columns");
    tn_str expression = tn_val_str_at(c, "expression", TN_STR_NONE);
    tn_buf_add(&b, tn_str_replace(a, type, TN_STR("_"), TN_STR(" ")));
    for (size_t i = 0; tn_val_is_seq(columns) && i < columns.list->n; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT, i == 0 ? " (" : ", ",
            TN_STR_ARG(tn_val_to_str(a, columns.list->v[i])));
    }
    if (tn_val_is_seq(columns) && columns.list->n > 0) {
        tn_buf_addc(&b, ')');
    }
    if (expression.n > 0) {
        tn_buf_addf(&b, " (" TN_STR_FMT ")", TN_STR_ARG(expression));
    }
    return tn_buf_str(&b);
}

static void add_constraints(tn_arena *a, tn_buf *b, tn_val list)
{
    tn_buf items = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        add_item(&items, constraint_text(a, list.list->v[i]));
    }
    if (items.n > 0) {
        add_part(b, "Constraints: ", tn_buf_str(&items));
    }
}

/* Tests of the node (column empty: those of no column), by the names that the project gives them. */
static void add_tests(tn_arena *a, tn_buf *b, const tn_node *n, tn_str column)
{
    tn_buf items = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < n->children.n; i++) {
        const tn_node *t = n->children.v[i];
        if (t->kind != TN_NODE_TEST || (t->test != NULL && t->test->attached != n)) {
            continue;
        }
        tn_str of = t->test != NULL ? t->test->column_name : TN_STR_NONE;
        if (tn_str_eq_nocase(of, column)) {
            add_item(&items, t->test != NULL ? t->test->name : t->name);
        }
    }
    if (items.n > 0) {
        add_part(b, "Tests: ", tn_buf_str(&items));
    }
}

tn_str tn_node_note(tn_arena *a, const tn_node *n)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    if (n->description.n > 0) {
        add_part(&b, "", n->description);
    }
    add_constraints(a, &b, n->constraints);
    add_tests(a, &b, n, TN_STR_NONE);
    return tn_buf_str(&b);
}

tn_val tn_node_column_notes(tn_arena *a, const tn_node *n)
{
    tn_val out = tn_val_dict(a);
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
        tn_str name = tn_val_str_at(it->value, "name", tn_val_to_str(a, it->key));
        tn_str description = tn_val_str_at(it->value, "description", TN_STR_NONE);
        if (description.n > 0) {
            add_part(&b, "", description);
        }
        add_constraints(a, &b, tn_val_at(it->value, "constraints"));
        add_tests(a, &b, n, name);
        if (b.n > 0) {
            tn_dict_puts(out.dict, tn_str_dup(a, name), tn_val_str(tn_buf_str(&b)));
        }
    }
    return out;
}
