/* delta_widen.c: columns that take a wider type ("Type Widening").
 *
 * Files keep the type that they were written with, and readers cast; the field's metadata says what happened:
 *     "delta.typeChanges": [{"fromType": "short", "toType": "integer", "fieldPath": "element"}, ..]     fieldPath: inside arrays and maps only
 */
#include "delta/action/delta_schema.h"

/* Digits before and after the point only grow. */
static bool decimal_holds(const tn_delta_type *to, int64_t digits, int64_t scale)
{
    int64_t p;
    int64_t s;
    return tn_delta_type_is_decimal(to, &p, &s) && s >= scale && p - s >= digits;
}

bool tn_delta_widens(const tn_delta_type *from, const tn_delta_type *to, bool evolving)
{
    int64_t p;
    int64_t s;
    int rank = tn_delta_type_int_rank(from);
    if (from->kind != TN_DT_PRIMITIVE || to->kind != TN_DT_PRIMITIVE ||
        tn_str_eq(from->name, to->name)) {
        return false;
    }
    if (rank > 0) {
        bool decimal = decimal_holds(to, rank == 4 ? 20 : 10, 0);
        return tn_delta_type_int_rank(to) > rank ||
               (!evolving && (decimal || (rank < 4 && tn_delta_type_is(to, "double"))));
    }
    if (tn_delta_type_is(from, "float")) {
        return tn_delta_type_is(to, "double");
    }
    if (tn_delta_type_is(from, "date")) {
        return tn_delta_type_is(to, "timestamp_ntz");
    }
    return tn_delta_type_is_decimal(from, &p, &s) && decimal_holds(to, p - s, s);
}

void tn_delta_widen(
    tn_arena *a, tn_delta_field *column, tn_str path, tn_delta_type **type, const tn_delta_type *to)
{
    tn_val list = tn_val_at(column->metadata, "delta.typeChanges");
    tn_val changes = list.tag == TN_LIST ? list : tn_val_list(a);
    tn_val change = tn_val_dict(a);
    tn_dict_putz(change.dict, "fromType", tn_val_str((*type)->name));
    tn_dict_putz(change.dict, "toType", tn_val_str(to->name));
    if (path.n > 0) {
        tn_dict_putz(change.dict, "fieldPath", tn_val_str(path));
    }
    tn_list_push(changes.list, change);
    tn_dict_putz(column->metadata.dict, "delta.typeChanges", changes);
    *type = tn_delta_primitive(a, to->name);
}
