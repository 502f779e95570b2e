/* table_impl.h: what table.c, table_methods.c and table_set.c share. */
#ifndef TN_RUN_TABLE_IMPL_H
#define TN_RUN_TABLE_IMPL_H

#include "run/table.h"

bool table_find_column(const tn_table *t, tn_str name, size_t *ret);
tn_val table_row(tn_arena *a, const tn_table *t, size_t row);
/* A table of some of t's rows, with its columns and their types. */
tn_val table_with_rows(tn_arena *a, const tn_table *t, tn_val rows);
/* The method of a table by its name, bound to it; undefined: there is none. */
tn_val table_method_find(tn_arena *a, const tn_table *t, tn_str name);
/* What a row is grouped, ordered or told apart by: key names a column or several, or is called with the row; not given: all of the row. */
tn_rc table_key_of(const tn_call *call, const tn_table *t, size_t row, tn_val key, tn_val *ret,
    tn_err *err) TN_MUSTUSE;
bool table_can_call(tn_val v);
/* t.group_by(key, key_name): agate's TableSet. */
tn_rc table_group_by(const tn_call *call, const tn_table *t, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* print_csv(), print_json(), to_csv(path), to_json(path). */
tn_rc table_write(
    const tn_call *call, const tn_table *t, bool json, bool to_file, tn_err *err) TN_MUSTUSE;
tn_val table_types(tn_arena *a, const tn_table *t);
tn_val table_type(tn_arena *a, tn_table_kind kind);

#endif
