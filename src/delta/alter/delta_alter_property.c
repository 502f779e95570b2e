/* delta_alter_property.c: SET and UNSET TBLPROPERTIES: properties that mean something are checked before they go into the log.
 *
 * What a property asks of the protocol follows from the new metadata (delta_protocol.c). Refused: column mapping in a way that files cannot follow,
 * row tracking of rows that have no ids yet, and keys that only the table itself writes.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/alter/delta_alter_impl.h"
#include "text/json.h"

/* Written by the table's writers alone. */
static const char *const OWN[] = { "delta.columnMapping.maxColumnId",
    "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp",
    "delta.rowTracking.materializedRowIdColumnName",
    "delta.rowTracking.materializedRowCommitVersionColumnName" };

static tn_rc check_key(tn_str key, tn_err *err)
{
    for (size_t i = 0; i < TN_COUNTOF(OWN); i++) {
        if (tn_str_is(key, OWN[i])) {
            return tn_fail(err, TN_E_VALUE, "the property '%s' is the table's own", OWN[i]);
        }
    }
    if (tn_str_starts(key, TN_STR("delta.constraints."))) {
        tn_rc rc = tn_fail(err, TN_E_VALUE, "a constraint is no property to be set");
        return tn_hint(
            err, rc, "ALTER TABLE t ADD CONSTRAINT name CHECK (..), which looks at the rows");
    }
    return TN_OK;
}

static tn_rc check_one(const tn_alteration *x, tn_str key, tn_str value, tn_err *err)
{
    TN_TRY(check_key(key, err));
    return tn_delta_property_check(&x->meta, key, value, err);
}

/* What changes for a table that has rows already. */
static tn_rc check_turn(tn_alteration *x, tn_err *err)
{
    const tn_delta_meta *old = &x->s->meta;
    tn_str was = tn_delta_property(old, "delta.columnMapping.mode");
    tn_str mode = tn_delta_property(&x->meta, "delta.columnMapping.mode");
    was = was.n > 0 ? was : TN_STR("none");
    mode = mode.n > 0 ? mode : TN_STR("none");
    if (!tn_str_eq(was, mode)) {
        if (!tn_str_is(was, "none") || !tn_str_is(mode, "name")) {
            return tn_fail(err, TN_E_UNSUPPORTED,
                "column mapping cannot change from '" TN_STR_FMT "' to '" TN_STR_FMT
                "': a table can only go from none to name",
                TN_STR_ARG(was), TN_STR_ARG(mode));
        }
        x->keep_names = true;
    }
    static const char *const TRACKING = "delta.enableRowTracking";
    if (!x->tracks && tn_delta_property_is(&x->meta, TRACKING, "true") &&
        !tn_delta_property_is(old, TRACKING, "true")) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "row tracking cannot be switched on for a table that is there: its files have no row "
            "ids yet");
    }
    return TN_OK;
}

tn_rc tn_alter_set_properties(tn_alteration *x, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    tn_buf b = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    x->operation = "SET TBLPROPERTIES";
    tn_jw_obj(&w);
    while ((it = tn_dict_next(x->c->properties.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        tn_str value = tn_val_as_str(it->value);
        tn_str old = tn_delta_property(&x->meta, tn_str_z(x->a, key));
        x->changed = x->changed || !tn_str_eq(old, value);
        tn_delta_meta_set(x->a, &x->meta, key, &value);
        TN_TRY(check_one(x, key, value, err));
        tn_jw_key_s(&w, key);
        tn_jw_str(&w, value);
    }
    tn_jw_obj_end(&w);
    tn_dict_putz(x->parameters.dict, "properties", tn_val_str(tn_buf_str(&b)));
    return check_turn(x, err);
}

tn_rc tn_alter_unset_properties(tn_alteration *x, tn_err *err)
{
    tn_buf b = tn_buf_init(x->a, TN_DELTA_SQL_BYTES_MAX);
    x->operation = "UNSET TBLPROPERTIES";
    tn_buf_addc(&b, '[');
    for (size_t i = 0; i < x->c->keys.n; i++) {
        tn_str key = x->c->keys.v[i];
        bool there = tn_dict_finds(x->meta.configuration.dict, key) != NULL;
        if (!there && !x->c->if_exists) {
            return tn_fail(
                err, TN_E_NOTFOUND, "the table has no property '" TN_STR_FMT "'", TN_STR_ARG(key));
        }
        TN_TRY(check_key(key, err));
        x->changed = x->changed || there;
        tn_delta_meta_set(x->a, &x->meta, key, NULL);
        tn_buf_addz(&b, i > 0 ? "," : "");
        tn_json_add_str(&b, key);
    }
    tn_buf_addc(&b, ']');
    tn_dict_putz(x->parameters.dict, "properties", tn_val_str(tn_buf_str(&b)));
    tn_dict_putz(x->parameters.dict, "ifExists", tn_val_z(x->c->if_exists ? "true" : "false"));
    return check_turn(x, err);
}
