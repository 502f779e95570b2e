/* contract_sum.c: the checksum of an enforced contract, as dbt 1.12 computes it: the sha256 of a text that names, column by column in the order of
 * their names, name, type and constraints, and the materialization and the model's own constraints where the database enforces them. Constraints
 * stand in it as Python prints dbt's classes; a dbt that reads our manifest as a state compares nothing else before it calls a contract changed. */
#include "project/node/project_priv.h"
#include "text/hash.h"

enum { CONTRACT_TEXT_MAX = 64 << 20 };

static void put_member(tn_buf *b, const char *name, tn_val v, tn_val dflt)
{
    tn_buf_addf(b, ", %s=", name);
    tn_val_repr_to(b, tn_val_is_undef(v) ? dflt : v);
}

/* dbt renders what a property file says, and a template loses one newline at its end. */
static tn_val without_last_newline(tn_val v)
{
    tn_str s = tn_val_is_str(v) ? tn_val_as_str(v) : TN_STR_NONE;
    return tn_str_ends(s, TN_STR("\n")) ? tn_val_str(tn_str_sub(s, 0, s.n - 1)) : v;
}

static void put_constraint(tn_arena *a, tn_buf *b, tn_val c, bool of_model)
{
    tn_str type = tn_val_str_at(c, "type", TN_STR_NONE);
    tn_buf_addf(b, "%sLevelConstraint(type=<ConstraintType." TN_STR_FMT ": ",
        of_model ? "Model" : "Column", TN_STR_ARG(type));
    tn_val_repr_to(b, tn_val_str(type));
    tn_buf_addc(b, '>');
    put_member(b, "name", tn_val_at(c, "name"), TN_VAL_NONE);
    put_member(b, "expression", without_last_newline(tn_val_at(c, "expression")), TN_VAL_NONE);
    put_member(b, "warn_unenforced", tn_val_at(c, "warn_unenforced"), TN_VAL_TRUE);
    put_member(b, "warn_unsupported", tn_val_at(c, "warn_unsupported"), TN_VAL_TRUE);
    put_member(b, "to", tn_val_at(c, "to"), TN_VAL_NONE);
    put_member(b, "to_columns", tn_val_at(c, "to_columns"), tn_val_list(a));
    if (of_model) {
        put_member(b, "columns", tn_val_at(c, "columns"), tn_val_list(a));
    }
    tn_buf_addc(b, ')');
}

static void put_constraints(tn_arena *a, tn_buf *b, tn_val list, bool of_model)
{
    tn_buf_addc(b, '[');
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_buf_addz(b, i > 0 ? ", " : "");
        put_constraint(a, b, list.list->v[i], of_model);
    }
    tn_buf_addc(b, ']');
}

typedef struct column {
    tn_str name;
    tn_val entry;
} column;

static int column_cmp(const void *x, const void *y)
{
    return tn_str_cmp(((const column *)x)->name, ((const column *)y)->name);
}

static void put_columns(tn_arena *a, tn_buf *b, const tn_dict *columns)
{
    tn_vec(column) all = { 0 };
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(columns, &at)) != NULL) {
        column c = { tn_val_str_at(it->value, "name", tn_val_to_str(a, it->key)), it->value };
        tn_vec_push(&all, a, c);
    }
    if (all.n > 1) {
        qsort(all.v, all.n, sizeof *all.v, column_cmp);
    }
    for (size_t i = 0; i < all.n; i++) {
        tn_buf_addc(b, '|');
        tn_buf_add(b, all.v[i].name);
        tn_buf_add(b, tn_val_str_at(all.v[i].entry, "data_type", TN_STR("None")));
        put_constraints(a, b, tn_val_at(all.v[i].entry, "constraints"), false);
    }
}

tn_val tn_contract_sum(tn_arena *a, const tn_node *n)
{
    if (n->kind != TN_NODE_MODEL || n->patch_path.n == 0 ||
        !tn_val_bool_at(tn_node_config(n, "contract"), "enforced", false)) {
        return TN_VAL_NONE;
    }
    tn_buf b = tn_buf_init(a, CONTRACT_TEXT_MAX);
    if (n->columns.tag == TN_DICT) {
        put_columns(a, &b, n->columns.dict);
    }
    tn_str how = tn_node_config_str(n, "materialized", TN_STR("view"));
    if (tn_str_is(how, "table") || tn_str_is(how, "incremental")) {
        tn_buf_add(&b, how);
        put_constraints(a, &b, n->constraints, true);
    }
    return tn_val_str(tn_sha256_hex(a, tn_buf_str(&b)));
}
