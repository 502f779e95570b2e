/* contract_error.c: exceptions.raise_contract_error: how the columns of a query differ from those of its enforced contract, as a table.
 *
 *     | column_name | definition_type | contract_type | mismatch_reason    |
 *     | ----------- | --------------- | ------------- | ------------------ |
 *     | id          | INTEGER         | VARCHAR       | data type mismatch |
 */
#include "project/context/context_priv.h"

enum { CONTRACT_CELLS = 4, CONTRACT_CELL_MAX = 50 };

typedef struct mismatch {
    tn_str cell[CONTRACT_CELLS];
} mismatch;
typedef tn_vec(mismatch) mismatches;

static const tn_val *column_named(tn_val columns, tn_str name)
{
    for (size_t i = 0; tn_val_is_seq(columns) && i < columns.list->n; i++) {
        if (tn_str_eq(tn_val_str_at(columns.list->v[i], "name", TN_STR_NONE), name)) {
            return &columns.list->v[i];
        }
    }
    return NULL;
}

static tn_str cell_of(tn_arena *a, tn_str s)
{
    return tn_utf8_len(s) <= CONTRACT_CELL_MAX
               ? s
               : tn_str_printf(a, "%.*s...", CONTRACT_CELL_MAX - 3, tn_str_z(a, s));
}

static void add(
    mismatches *list, tn_arena *a, tn_str name, tn_str made, tn_str promised, tn_str why)
{
    mismatch m = { { cell_of(a, name), cell_of(a, made), cell_of(a, promised), why } };
    size_t at = list->n;
    tn_vec_push(list, a, m);
    for (; at > 0 && tn_str_cmp(list->v[at - 1].cell[0], m.cell[0]) > 0; at--) { /* by name */
        list->v[at] = list->v[at - 1];
    }
    list->v[at] = m;
}

static mismatches compare(tn_arena *a, tn_val promised, tn_val made)
{
    mismatches out = { 0 };
    for (size_t i = 0; tn_val_is_seq(made) && i < made.list->n; i++) {
        tn_str name = tn_val_str_at(made.list->v[i], "name", TN_STR_NONE);
        tn_str type = tn_val_str_at(made.list->v[i], "data_type", TN_STR_NONE);
        const tn_val *there = column_named(promised, name);
        tn_str wanted =
            there != NULL ? tn_val_str_at(*there, "data_type", TN_STR_NONE) : TN_STR_NONE;
        if (there == NULL) {
            add(&out, a, name, type, TN_STR(""), TN_STR("missing in contract"));
        } else if (!tn_str_eq(type, wanted)) {
            add(&out, a, name, type, wanted, TN_STR("data type mismatch"));
        }
    }
    for (size_t i = 0; i < promised.list->n; i++) {
        tn_val c = promised.list->v[i];
        tn_str name = tn_val_str_at(c, "name", TN_STR_NONE);
        if (column_named(made, name) == NULL) {
            add(&out, a, name, TN_STR(""), tn_val_str_at(c, "data_type", TN_STR_NONE),
                TN_STR("missing in definition"));
        }
    }
    return out;
}

static void add_line(tn_buf *b, const tn_str *cells, const size_t *widths)
{
    for (size_t i = 0; i < CONTRACT_CELLS; i++) {
        tn_buf_addf(b, "| " TN_STR_FMT, TN_STR_ARG(cells[i]));
        tn_buf_add_repeat(b, ' ', widths[i] - tn_utf8_len(cells[i]) + 1);
    }
    tn_buf_addz(b, "|\n");
}

static void add_table(tn_buf *b, const mismatches *list)
{
    const tn_str head[CONTRACT_CELLS] = { TN_STR("column_name"), TN_STR("definition_type"),
        TN_STR("contract_type"), TN_STR("mismatch_reason") };
    size_t widths[CONTRACT_CELLS];
    for (size_t c = 0; c < CONTRACT_CELLS; c++) {
        widths[c] = head[c].n;
        for (size_t i = 0; i < list->n; i++) {
            widths[c] = tn_max_size(widths[c], tn_utf8_len(list->v[i].cell[c]));
        }
    }
    add_line(b, head, widths);
    for (size_t c = 0; c < CONTRACT_CELLS; c++) {
        tn_buf_addz(b, "| ");
        tn_buf_add_repeat(b, '-', widths[c]);
        tn_buf_addc(b, ' ');
    }
    tn_buf_addz(b, "|\n");
    for (size_t i = 0; i < list->n; i++) {
        add_line(b, list->v[i].cell, widths);
    }
}

tn_rc tn_raise_contract_error(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret;
    tn_val promised = tn_call_arg(call, 0, "yaml_columns"),
           made = tn_call_arg(call, 1, "sql_columns");
    if (!tn_val_is_seq(promised) || promised.list->n == 0) {
        return tn_fail(err, TN_E_COMPILE,
            "This model has an enforced contract, and its 'columns' specification is missing");
    }
    mismatches list = compare(call->arena, promised, made);
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "This model has an enforced contract that failed.\nPlease ensure the name, "
                    "data_type, and number of columns in your contract match the columns in your "
                    "model's definition.\n\n");
    add_table(&b, &list);
    return tn_fail(err, TN_E_COMPILE, TN_STR_FMT, TN_STR_ARG(tn_buf_str(&b)));
}
