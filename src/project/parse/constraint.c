/* constraint.c: what the constraints of a model say when it is parsed: a foreign key's `to: ref('x')` makes x a parent of the model, so that it
 * is built first; key constraints that contradict each other are refused here and not by the database. */
#include "project/context.h"
#include "project/parse/parse_priv.h"

static const char *const constraint_types[] = { "check", "not_null", "unique", "primary_key",
    "foreign_key", "custom" };

/* Every key of dbt's class, as macros and readers of the manifest find them; what else is said stays behind them. */
static tn_val spelled_out(tn_arena *a, tn_val c, bool of_model)
{
    static const char *const keys[] = { "type", "name", "expression", "warn_unenforced",
        "warn_unsupported", "to", "to_columns", "columns" };
    if (c.tag != TN_DICT) {
        return c;
    }
    tn_val d = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(keys) - !of_model; i++) {
        tn_val v = tn_val_at(c, keys[i]);
        bool list = i >= 6, yes = i == 3 || i == 4;
        tn_val dflt = list ? tn_val_list(a) : yes ? TN_VAL_TRUE : TN_VAL_NONE;
        tn_dict_putz(d.dict, keys[i], tn_val_is_undef(v) ? dflt : v);
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(c.dict, &at)) != NULL) {
        if (tn_dict_find(d.dict, it->key) == NULL) {
            tn_dict_put(d.dict, it->key, it->value);
        }
    }
    return d;
}

tn_val tn_constraints_of(tn_arena *a, tn_val list, bool of_model)
{
    tn_val out = tn_val_list(a);
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_list_push(out.list, spelled_out(a, list.list->v[i], of_model));
    }
    return out;
}

static bool of_type(tn_val c, const char *type)
{
    return tn_str_is(tn_val_str_at(c, "type", TN_STR_NONE), type);
}

static bool any_primary_key(tn_val list)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        if (of_type(list.list->v[i], "primary_key")) {
            return true;
        }
    }
    return false;
}

static tn_rc check_primary_keys(tn_project *p, const tn_node *n, tn_err *err)
{
    tn_val names = tn_val_list(p->arena);
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        if (any_primary_key(tn_val_at(it->value, "constraints"))) {
            tn_list_push(names.list, it->key);
        }
    }
    size_t count = names.list->n;
    bool both = count > 0 && any_primary_key(n->constraints);
    if (count <= 1 && !both) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(p->arena, 1 << 16);
    if (count > 1) {
        tn_buf_addf(&b, "\n  Found %zu columns (", count);
        tn_val_repr_to(&b, names);
        tn_buf_addz(&b, ") with primary key constraints defined. Primary keys for multiple columns "
                        "must be defined as a model level constraint.");
    }
    if (both) {
        tn_buf_addz(&b, "\n  Primary key constraints defined at the model level and the columns "
                        "level. Primary keys can be defined at the model level or the column "
                        "level, not both.");
    }
    return tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Primary key constraint error: (" TN_STR_FMT ")" TN_STR_FMT,
        TN_STR_ARG(n->original_file_path), TN_STR_ARG(tn_buf_str(&b)));
}

static tn_rc check_types(const tn_node *n, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(n->constraints) && i < n->constraints.list->n; i++) {
        bool good = false;
        for (size_t k = 0; k < TN_COUNTOF(constraint_types); k++) {
            good = good || of_type(n->constraints.list->v[i], constraint_types[k]);
        }
        if (!good) {
            return tn_fail(err, TN_E_COMPILE,
                "Parsing Error\n  Invalid constraint type on model " TN_STR_FMT
                ": Type must be one of ['check', 'not_null', 'unique', 'primary_key', "
                "'foreign_key', 'custom']",
                TN_STR_ARG(n->name));
        }
    }
    return TN_OK;
}

static bool warns(tn_val list)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        if (tn_val_bool_at(list.list->v[i], "warn_unsupported", true)) {
            return true;
        }
    }
    return false;
}

/* An enforced contract needs columns in a property file, a model in SQL, and for constraints a table. */
static tn_rc check_contract(tn_project *p, const tn_node *n, tn_err *err)
{
    tn_str how = tn_node_config_str(n, "materialized", TN_STR_NONE);
    bool table = tn_str_is(how, "table") || tn_str_is(how, "incremental"),
         told = warns(n->constraints);
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        told = told || warns(tn_val_at(it->value, "constraints"));
    }
    if (told && !table) {
        tn_project_note(p, "UnsupportedConstraintMaterialization", n->original_file_path, 0,
            "Constraint types are not supported for " TN_STR_FMT
            " materializations and will be ignored.  Set 'warn_unsupported: false' on this "
            "constraint to ignore this warning.",
            TN_STR_ARG(how));
    }
    bool columns = n->columns.tag == TN_DICT && n->columns.dict->live > 0,
         python = tn_str_is(n->language, "python");
    if (columns && !python) {
        return TN_OK;
    }
    return tn_fail(err, TN_E_PARSE, "Contract enforcement failed for: (" TN_STR_FMT ")%s%s",
        TN_STR_ARG(n->original_file_path),
        columns ? ""
                : "\nConstraints must be defined in a `yml` schema configuration file like "
                  "`schema.yml`.",
        python ? "\nLanguage Error: Expected 'sql' but found 'python'" : "");
}

static tn_rc record_target(tn_project *p, tn_node *n, tn_val c, tn_err *err)
{
    tn_str to = tn_str_trim(tn_val_str_at(c, "to", TN_STR_NONE));
    if (to.n == 0 || !of_type(c, "foreign_key")) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("parse constraint", NULL);
    tn_pctx pctx;
    struct tn_pctx_record r;
    tn_str unused, call = tn_str_printf(scratch, "{{ " TN_STR_FMT " }}", TN_STR_ARG(to));
    TN_TRY(tn_record_init(p, &pctx, n, &r, scratch, err));
    if (tn_pctx_render(&pctx, call, (tn_jinja_src){ tn_str_z(p->arena, n->file), 1 }, &unused,
            NULL) != TN_OK ||
        r.refs.n + r.sources.n != 1) {
        return tn_fail(err, TN_E_COMPILE,
            "Parsing Error\n  Invalid 'ref' or 'source' syntax on foreign key constraint 'to' on "
            "model " TN_STR_FMT ": " TN_STR_FMT ".",
            TN_STR_ARG(n->name), TN_STR_ARG(to));
    }
    tn_take_record(p, n, &r);
    return TN_OK;
}

static tn_rc record_targets(tn_project *p, tn_node *n, tn_val list, tn_err *err)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        TN_TRY(record_target(p, n, list.list->v[i], err));
    }
    return TN_OK;
}

tn_rc tn_parse_constraints(tn_project *p, tn_node *n, tn_err *err)
{
    if (n->kind != TN_NODE_MODEL) {
        return TN_OK;
    }
    if (tn_val_bool_at(tn_node_config(n, "contract"), "enforced", false)) {
        TN_TRY(check_types(n, err));
        if (n->patch_path.n > 0) {
            TN_TRY(check_contract(p, n, err));
        }
    }
    TN_TRY(check_primary_keys(p, n, err));
    TN_TRY(record_targets(p, n, n->constraints, err));
    size_t at = 0;
    const tn_dict_item *it;
    while (n->columns.tag == TN_DICT && (it = tn_dict_next(n->columns.dict, &at)) != NULL) {
        TN_TRY(record_targets(p, n, tn_val_at(it->value, "constraints"), err));
    }
    return TN_OK;
}
