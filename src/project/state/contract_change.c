/* contract_change.c: what a comparison with the state says besides its answer: the breaking changes of dbt's same_contract and same_contract_removed, and
 * seeds that cannot be compared; in its words. */
#include "project/contract_change.h"

#include "project/deprecation.h"
#include "project/node/project_priv.h"

typedef struct change {
    tn_arena *arena;
    tn_val now, old;
    tn_strs removed, retyped, column_rules, model_rules;
} change;

static bool enforced(tn_val node)
{
    return tn_val_bool_at(tn_val_at(node, "contract"), "enforced", false);
}

static bool is_table(tn_val node)
{
    tn_str how = tn_val_str_at(tn_val_at(node, "config"), "materialized", TN_STR_NONE);
    return tn_str_is(how, "table") || tn_str_is(how, "incremental");
}

/* "varchar(10)" is varchar. */
static tn_str base_type(tn_arena *a, tn_val column)
{
    tn_str head, rest, type = tn_val_str_at(column, "data_type", TN_STR_NONE);
    (void)tn_str_cut(type, '(', &head, &rest);
    return tn_str_lower(a, tn_str_trim(head));
}

static bool has_rule(tn_val list, tn_val rule)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val other = list.list->v[i];
        static const char *const keys[] = { "type", "name", "expression", "columns", "to",
            "to_columns" };
        bool same = true;
        for (size_t k = 0; k < TN_COUNTOF(keys) && same; k++) {
            tn_val x = tn_val_at(rule, keys[k]), y = tn_val_at(other, keys[k]);
            bool both_none = !tn_val_truthy(x) && !tn_val_truthy(y);
            same = both_none || tn_val_eq(x, y);
        }
        if (same) {
            return true;
        }
    }
    return false;
}

static tn_str rule_name(tn_val rule)
{
    tn_str name = tn_val_str_at(rule, "name", TN_STR_NONE);
    return name.n > 0 ? name : tn_val_str_at(rule, "type", TN_STR("check"));
}

static void compare_rules(change *c, tn_val now, tn_val old, tn_str column)
{
    for (size_t i = 0; is_table(c->old) && tn_val_is_seq(old) && i < old.list->n; i++) {
        tn_val rule = old.list->v[i];
        if (has_rule(now, rule)) {
            continue;
        }
        tn_str line =
            column.p != NULL
                ? tn_str_printf(c->arena, "'" TN_STR_FMT "' constraint on column " TN_STR_FMT,
                      TN_STR_ARG(rule_name(rule)), TN_STR_ARG(column))
                : tn_str_printf(c->arena, "'" TN_STR_FMT "' constraint on columns " TN_STR_FMT,
                      TN_STR_ARG(rule_name(rule)),
                      TN_STR_ARG(tn_val_to_repr(c->arena, tn_val_at(rule, "columns"))));
        tn_vec_push(column.p != NULL ? &c->column_rules : &c->model_rules, c->arena, line);
    }
}

/* dbt goes through them by name. */
static tn_strs column_names(tn_arena *a, tn_val columns)
{
    tn_strs names = { 0 };
    size_t at = 0;
    const tn_dict_item *it;
    while (columns.tag == TN_DICT && (it = tn_dict_next(columns.dict, &at)) != NULL) {
        tn_vec_push(&names, a, tn_val_as_str(it->key));
        for (size_t k = names.n - 1; k > 0 && tn_str_cmp(names.v[k - 1], names.v[k]) > 0; k--) {
            tn_str swap = names.v[k];
            names.v[k] = names.v[k - 1];
            names.v[k - 1] = swap;
        }
    }
    return names;
}

/* True: some column of the old one has constraints. */
static bool compare_columns(change *c)
{
    tn_val now = tn_val_at(c->now, "columns"), old = tn_val_at(c->old, "columns");
    tn_strs names = column_names(c->arena, old);
    bool ruled = false;
    for (size_t i = 0; i < names.n; i++) {
        tn_val was = *tn_dict_finds(old.dict, names.v[i]);
        const tn_val *is = now.tag == TN_DICT ? tn_dict_finds(now.dict, names.v[i]) : NULL;
        ruled = ruled || tn_val_truthy(tn_val_at(was, "constraints"));
        if (is == NULL) {
            tn_vec_push(&c->removed, c->arena, names.v[i]);
            continue;
        }
        if (!tn_str_eq(base_type(c->arena, was), base_type(c->arena, *is))) {
            tn_vec_push(&c->retyped, c->arena,
                tn_str_printf(c->arena, TN_STR_FMT " (" TN_STR_FMT " -> " TN_STR_FMT ")",
                    TN_STR_ARG(names.v[i]),
                    TN_STR_ARG(tn_val_to_str(c->arena, tn_val_at(was, "data_type"))),
                    TN_STR_ARG(tn_val_to_str(c->arena, tn_val_at(*is, "data_type")))));
        }
        compare_rules(c, tn_val_at(*is, "constraints"), tn_val_at(was, "constraints"), names.v[i]);
    }
    return ruled;
}

static void add_reason(tn_buf *b, const char *title, const tn_strs *lines)
{
    if (lines->n == 0) {
        return;
    }
    tn_buf_addf(b, "\n  - %s: ", title);
    for (size_t i = 0; i < lines->n; i++) {
        tn_buf_addf(b, "\n    - " TN_STR_FMT, TN_STR_ARG(lines->v[i]));
    }
}

/* "\n  - reason\n    - detail ..."; empty: nothing breaks. */
static tn_str reasons(tn_arena *a, tn_val now, tn_val old)
{
    change c = { .arena = a, .now = now, .old = old };
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_strs how = { 0 };
    if (!enforced(old)) {
        return TN_STR_NONE;
    }
    if (!enforced(now)) {
        tn_buf_addz(&b,
            "\n  - Contract enforcement was removed: Previously, this model had an enforced "
            "contract. It is no longer configured to enforce its contract, and this is a breaking "
            "change.");
    }
    bool ruled = compare_columns(&c);
    compare_rules(&c, tn_val_at(now, "constraints"), tn_val_at(old, "constraints"), TN_STR_NONE);
    add_reason(&b, "Columns were removed", &c.removed);
    add_reason(&b, "Columns with data_type changes", &c.retyped);
    add_reason(&b, "Enforced column level constraints were removed", &c.column_rules);
    add_reason(&b, "Enforced model level constraints were removed", &c.model_rules);
    if (is_table(old) && !is_table(now) &&
        (ruled || tn_val_truthy(tn_val_at(old, "constraints")))) {
        tn_vec_push(&how, a,
            tn_str_printf(a, TN_STR_FMT " -> " TN_STR_FMT,
                TN_STR_ARG(tn_val_str_at(tn_val_at(old, "config"), "materialized", TN_STR_NONE)),
                TN_STR_ARG(tn_val_str_at(tn_val_at(now, "config"), "materialized", TN_STR_NONE))));
        add_reason(&b, "Materialization changed with enforced constraints", &how);
    }
    return tn_buf_str(&b);
}

/* why: "\n  - reason..." */
static tn_rc tell(tn_project *p, tn_val node, tn_str why, tn_err *err)
{
    tn_str name = tn_val_str_at(node, "name", TN_STR_NONE),
           file = tn_val_str_at(node, "original_file_path", TN_STR_NONE);
    if (tn_val_is_given(tn_val_at(node, "version"))) {
        return tn_fail(err, TN_E_COMPILE,
            "Breaking change to contract Error in model " TN_STR_FMT " (" TN_STR_FMT
            ")\nWhile comparing to previous project state, dbt detected a breaking change to an "
            "enforced contract." TN_STR_FMT
            "\nConsider making an additive (non-breaking) change instead, if possible.\n"
            "Otherwise, create a new model version: "
            "https://docs.getdbt.com/docs/collaborate/govern/model-versions",
            TN_STR_ARG(name), TN_STR_ARG(file), TN_STR_ARG(why));
    }
    tn_notice *n = tn_project_note(p, "UnversionedBreakingChange", file, 0,
        "Breaking change to contracted, unversioned model " TN_STR_FMT " (" TN_STR_FMT
        ")\nWhile comparing to previous project state, dbt detected a breaking change to an "
        "unversioned model." TN_STR_FMT "\n",
        TN_STR_ARG(name), TN_STR_ARG(file), TN_STR_ARG(why));
    n->code = "I071";
    return TN_OK;
}

static const tn_node *disabled_node(const tn_project *p, tn_str unique_id)
{
    for (size_t i = 0; i < p->disabled.n; i++) {
        if (tn_str_eq(p->disabled.v[i]->unique_id, unique_id)) {
            return p->disabled.v[i];
        }
    }
    return NULL;
}

/* A contracted model that is there no more breaks it, unless its deprecation date has come. Of one that was switched off the contract that it has now counts. */
static tn_rc check_removed(tn_project *p, tn_str unique_id, tn_val old, tn_err *err)
{
    const tn_node *off = disabled_node(p, unique_id);
    tn_val node = off != NULL ? tn_node_dict(p->arena, off) : old;
    if (!enforced(node) ||
        tn_deprecation_is_past(tn_deprecation_date_of(tn_val_at(node, "deprecation_date")))) {
        return TN_OK;
    }
    tn_str why = tn_str_printf(p->arena, "\n  - Contracted model '" TN_STR_FMT "' was %s.",
        TN_STR_ARG(unique_id), off != NULL ? "disabled" : "deleted or renamed");
    return tell(p, node, why, err);
}

tn_rc tn_contracts_check(tn_project *p, const tn_previous *state, tn_err *err)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        tn_val old =
            n->kind == TN_NODE_MODEL ? tn_previous_node(state, n->unique_id) : TN_VAL_UNDEF;
        if (tn_val_is_undef(old) || !enforced(old)) {
            continue;
        }
        tn_val now = tn_node_dict(p->arena, n);
        tn_str why = reasons(p->arena, now, old);
        if (why.n > 0) {
            TN_TRY(tell(p, now, why, err));
        }
    }
    tn_val nodes = tn_val_at(state->manifest, "nodes");
    size_t at = 0;
    const tn_dict_item *it;
    while (nodes.tag == TN_DICT && (it = tn_dict_next(nodes.dict, &at)) != NULL) {
        tn_str id = tn_val_as_str(it->key);
        if (tn_str_starts(id, TN_STR("model.")) && tn_project_find(p, id) == NULL) {
            TN_TRY(check_removed(p, id, it->value, err));
        }
    }
    return TN_OK;
}

/* A seed that is too large to be hashed has the sum of its path. */
void tn_seeds_check(tn_project *p, const tn_previous *state)
{
    static const struct {
        const char *event, *code, *text;
    } kinds[] = { { "SeedIncreased", "I052", "" },
        { "SeedExceedsLimitSamePath", "I053",
            " at the same path, dbt cannot tell if it has changed: assuming they are the same" },
        { "SeedExceedsLimitAndPathChanged", "I054",
            ". The previous file was in a different location, assuming it has changed" } };
    long long mib = (long long)tn_val_int_at(tn_project_flags(p), "MAXIMUM_SEED_SIZE_MIB", 1);
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        tn_val old = n->kind == TN_NODE_SEED && tn_str_is(n->checksum_name, "path")
                         ? tn_val_at(tn_previous_node(state, n->unique_id), "checksum")
                         : TN_VAL_UNDEF;
        if (old.tag != TN_DICT) {
            continue;
        }
        bool path = tn_str_is(tn_val_str_at(old, "name", TN_STR_NONE), "path");
        bool same = tn_str_eq(tn_val_str_at(old, "checksum", TN_STR_NONE), n->checksum);
        size_t k = !path ? 0 : same ? 1 : 2;
        tn_str less =
            tn_str_printf(p->arena, ". The previous file was <=%lldMiB, so it has changed", mib);
        tn_project_note(p, kinds[k].event, n->original_file_path, 0,
            "Found a seed (" TN_STR_FMT "." TN_STR_FMT ") >%lldMiB in size%s" TN_STR_FMT,
            TN_STR_ARG(n->package_name), TN_STR_ARG(n->name), mib, kinds[k].text,
            TN_STR_ARG(path ? TN_STR_NONE : less))
            ->code = kinds[k].code;
    }
}
