/* semantic_model_rules.c: what semantic models must agree on, alone and with each other: windows of validity, the types of elements that share
 * a name, natural entities, words that SQL keeps for itself, and that a dimension of a primary entity is one model's.
 */
#include "project/graph/semantic_rules.h"

/* The names of a list, as Python prints a list of them; `wanted` NULL: of all. */
typedef bool (*wanted_fn)(tn_val element);

static tn_val names_of(tn_semantics *s, tn_val owner, const char *key, wanted_fn wanted)
{
    tn_val names = tn_val_list(s->arena);
    for (size_t i = 0; i < tn_semantic_count(owner, key); i++) {
        tn_val e = tn_semantic_nth(owner, key, i);
        if (wanted == NULL || wanted(e)) {
            tn_list_push(names.list, tn_val_str(tn_semantic_name(e)));
        }
    }
    return names;
}

/* Names, each once, as Python prints a set. */
static tn_str set_text(tn_semantics *s, tn_val names)
{
    tn_val once = tn_val_list(s->arena);
    for (size_t i = 0; i < names.list->n; i++) {
        bool again = false;
        for (size_t k = 0; k < i && !again; k++) {
            again = tn_val_eq(names.list->v[k], names.list->v[i]);
        }
        if (!again) {
            tn_list_push(once.list, names.list->v[i]);
        }
    }
    tn_str text = tn_val_to_repr(s->arena, once);
    return tn_str_printf(s->arena, "{" TN_STR_FMT "}", TN_STR_ARG(tn_str_sub(text, 1, text.n - 1)));
}

/* ---- validity windows ---- */

static tn_val validity_of(tn_val dimension)
{
    return tn_val_at(tn_val_at(dimension, "type_params"), "validity_params");
}

static bool has_validity(tn_val d)
{
    return tn_val_is_given(validity_of(d));
}

static bool is_start(tn_val d)
{
    return tn_val_bool_at(validity_of(d), "is_start", false);
}

static bool is_end(tn_val d)
{
    return tn_val_bool_at(validity_of(d), "is_end", false);
}

static bool is_natural(tn_val e)
{
    return tn_semantic_is(e, "type", "natural");
}

static bool is_key(tn_val e)
{
    return tn_semantic_is(e, "type", "primary") || tn_semantic_is(e, "type", "unique");
}

#define REQUIREMENTS                                                                               \
    "Semantic models using dimension validity params to define a validity window must have "       \
    "exactly two time dimensions with validity params specified - one marked `is_start` and "      \
    "the other marked `is_end`."

static void check_window(tn_semantics *s, const tn_node *n, tn_val dims)
{
    size_t starts = names_of(s, n->extra, "dimensions", is_start).list->n;
    tn_val ends = names_of(s, n->extra, "dimensions", is_end);
    tn_str all = tn_val_to_repr(s->arena, dims);
    if (dims.list->n == 1 && starts == 1 && ends.list->n == 1) {
        tn_semantic_error(s,
            "Semantic model " TN_STR_FMT
            " has a single validity param dimension that defines its window: `" TN_STR_FMT
            "`. This is not a currently supported configuration! " REQUIREMENTS
            " If you have one column defining a window, as in a daily snapshot table, you can "
            "define a separate dimension and increment the time value in the `expr` field as a "
            "work-around.",
            TN_STR_ARG(n->name), TN_STR_ARG(tn_val_as_str(dims.list->v[0])));
    } else if (dims.list->n != 2) {
        tn_semantic_error(s,
            "Semantic model " TN_STR_FMT
            " has %zu dimensions defined with validity params. They are: " TN_STR_FMT
            ". There must be either zero or two! If you wish to define a validity window for this "
            "semantic model, please follow these requirements: " REQUIREMENTS,
            TN_STR_ARG(n->name), dims.list->n, TN_STR_ARG(all));
    } else if (starts != 1 || ends.list->n != 1) {
        /* dbt never prints the starts */
        tn_semantic_error(s,
            "Semantic model " TN_STR_FMT
            " has two validity param dimensions defined, but does not have exactly one each marked "
            "with is_start and is_end! Dimensions: " TN_STR_FMT
            ". is_start dimensions: []. is_end dimensions: " TN_STR_FMT ". " REQUIREMENTS,
            TN_STR_ARG(n->name), TN_STR_ARG(all), TN_STR_ARG(tn_val_to_repr(s->arena, ends)));
    }
}

static void check_keys(tn_semantics *s, const tn_node *n, tn_val dims)
{
    tn_val keys = names_of(s, n->extra, "entities", is_key);
    if (names_of(s, n->extra, "entities", is_natural).list->n == 0) {
        tn_semantic_error(s,
            "Semantic model " TN_STR_FMT
            " has validity param dimensions defined, but does not have an entity with type "
            "`natural` set. The natural key for this semantic model is what we use to process a "
            "validity window join. Primary or unique entities, if any, might be suitable for use "
            "as natural keys: (" TN_STR_FMT ").",
            TN_STR_ARG(n->name), TN_STR_ARG(tn_val_to_repr(s->arena, keys)));
    }
    if (keys.list->n > 0) {
        tn_semantic_error(s,
            "Semantic model " TN_STR_FMT
            " has validity param dimensions defined and also has one or more entities designated "
            "as `primary` or `unique`. This is not yet supported, as we do not currently process "
            "joins against these key types for semantic models with validity windows specified.",
            TN_STR_ARG(n->name));
    }
    tn_val measures = names_of(s, n->extra, "measures", NULL);
    if (measures.list->n > 0) {
        tn_semantic_error(s,
            "Semantic model " TN_STR_FMT
            " has both measures and validity param dimensions defined. This is not currently "
            "supported! Please remove either the measures or the validity params. Measure "
            "names: " TN_STR_FMT ". Validity param dimension names: " TN_STR_FMT ".",
            TN_STR_ARG(n->name), TN_STR_ARG(tn_val_to_repr(s->arena, measures)),
            TN_STR_ARG(tn_val_to_repr(s->arena, dims)));
    }
}

void tn_rule_validity(tn_semantics *s)
{
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        tn_val dims = names_of(s, n->extra, "dimensions", has_validity);
        if (dims.list->n > 0) {
            check_window(s, n, dims);
            check_keys(s, n, dims);
        }
    }
}

/* ---- elements of one name ---- */

void tn_rule_dimensions_agree(tn_semantics *s)
{
    tn_map seen = tn_map_init(s->arena);
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        for (size_t k = 0; k < tn_semantic_count(n->extra, "dimensions"); k++) {
            tn_val d = tn_semantic_nth(n->extra, "dimensions", k), *first;
            tn_str name = tn_semantic_name(d), type = tn_val_str_at(d, "type", TN_STR(""));
            if ((first = tn_map_find(&seen, name)) == NULL) {
                first = tn_new(s->arena, tn_val);
                *first = d;
                tn_map_put(&seen, name, first);
                continue;
            }
            tn_str before = tn_val_str_at(*first, "type", TN_STR(""));
            bool was = tn_val_bool_at(*first, "is_partition", false);
            if (!tn_str_eq_nocase(before, type)) {
                tn_semantic_error(s,
                    "In semantic model `" TN_STR_FMT "`, type conflict for dimension `" TN_STR_FMT
                    "` - already in model as type `DimensionType." TN_STR_FMT
                    "` but got `DimensionType." TN_STR_FMT "`",
                    TN_STR_ARG(n->name), TN_STR_ARG(name),
                    TN_STR_ARG(tn_str_upper(s->arena, before)),
                    TN_STR_ARG(tn_str_upper(s->arena, type)));
            }
            if (was != tn_val_bool_at(d, "is_partition", false)) {
                tn_semantic_error(s,
                    "In semantic model `" TN_STR_FMT
                    ", conflicting is_partition attribute for dimension "
                    "`DimensionReference(element_name='" TN_STR_FMT
                    "')` - already in model with is_partition as `%s` but got `%s``",
                    TN_STR_ARG(n->name), TN_STR_ARG(name), was ? "True" : "False",
                    was ? "False" : "True");
            }
        }
    }
}

/* Kinds in the order in which dbt tells them. */
static const char *const kinds[][2] = { { "dimensions", "dimension" }, { "entities", "entity" },
    { "measures", "measure" } };

static tn_val models_with(tn_semantics *s, const char *key, tn_str name)
{
    tn_val models = tn_val_list(s->arena);
    for (size_t i = 0; i < s->models.n; i++) {
        if (tn_semantic_has(s->models.v[i]->extra, key, name)) {
            tn_list_push(models.list, tn_val_str(s->models.v[i]->name));
        }
    }
    return models;
}

static void check_element(tn_semantics *s, tn_str name)
{
    tn_buf types = tn_buf_init(s->arena, TN_BUF_NO_LIMIT);
    tn_val models[TN_COUNTOF(kinds)];
    size_t used = 0;
    for (size_t k = 0; k < TN_COUNTOF(kinds); k++) {
        models[k] = models_with(s, kinds[k][0], name);
        if (models[k].list->n > 0) {
            tn_str kind = tn_str_upper(s->arena, tn_str_of(kinds[k][1]));
            tn_buf_addf(&types, "%s<SemanticModelElementType." TN_STR_FMT ": '%s'>",
                used++ > 0 ? ", " : "", TN_STR_ARG(kind), kinds[k][1]);
        }
    }
    for (size_t k = 0; used > 1 && k < TN_COUNTOF(kinds); k++) {
        if (models[k].list->n > 0) {
            tn_semantic_error(s,
                "In semantic models " TN_STR_FMT ", element `" TN_STR_FMT
                "` is of type SemanticModelElementType." TN_STR_FMT
                ", but it is used as types [" TN_STR_FMT "] across the model.",
                TN_STR_ARG(set_text(s, models[k])), TN_STR_ARG(name),
                TN_STR_ARG(tn_str_upper(s->arena, tn_str_of(kinds[k][1]))),
                TN_STR_ARG(tn_buf_str(&types)));
        }
    }
}

void tn_rule_elements_agree(tn_semantics *s)
{
    static const char *const keys[] = { "measures", "dimensions", "entities" };
    tn_map seen = tn_map_init(s->arena);
    for (size_t i = 0; i < s->models.n; i++) {
        tn_val model = s->models.v[i]->extra;
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            for (size_t j = 0; j < tn_semantic_count(model, keys[k]); j++) {
                tn_str name = tn_semantic_name(tn_semantic_nth(model, keys[k], j));
                if (tn_map_find(&seen, name) == NULL) {
                    tn_map_put(&seen, name, s);
                    check_element(s, name);
                }
            }
        }
    }
}

/* ---- entities ---- */

void tn_rule_natural_entities(tn_semantics *s)
{
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        tn_val names = names_of(s, n->extra, "entities", is_natural);
        tn_str set = set_text(s, names);
        if (names.list->n > 1) {
            tn_semantic_error(s,
                "Semantic models can have at most one natural entity, but semantic model "
                "`" TN_STR_FMT "` has %zu distinct natural entities set! " TN_STR_FMT ".",
                TN_STR_ARG(n->name), names.list->n, TN_STR_ARG(set));
        }
        if (names.list->n > 0 && names_of(s, n->extra, "dimensions", has_validity).list->n == 0) {
            tn_semantic_error(s,
                "The use of `natural` entities is currently supported only in conjunction with a "
                "validity window defined in the set of time dimensions associated with the "
                "semantic model. Semantic model `" TN_STR_FMT "` uses a natural entity (" TN_STR_FMT
                ") but does not define a validity window!",
                TN_STR_ARG(n->name), TN_STR_ARG(set));
        }
    }
}

static tn_str primary_of(const tn_node *n)
{
    tn_str own = tn_val_str_at(n->extra, "primary_entity", TN_STR_NONE);
    for (size_t i = 0; own.n == 0 && i < tn_semantic_count(n->extra, "entities"); i++) {
        tn_val e = tn_semantic_nth(n->extra, "entities", i);
        own = tn_semantic_is(e, "type", "primary") ? tn_semantic_name(e) : own;
    }
    return own;
}

void tn_rule_pairs(tn_semantics *s)
{
    tn_map known = tn_map_init(s->arena); /* "entity dimension" -> the model that has it */
    for (size_t i = 0; i < s->models.n; i++) {
        tn_node *n = s->models.v[i];
        tn_str primary = primary_of(n);
        for (size_t k = 0; primary.n > 0 && k < tn_semantic_count(n->extra, "dimensions"); k++) {
            tn_str name = tn_semantic_name(tn_semantic_nth(n->extra, "dimensions", k));
            tn_str pair = tn_str_printf(
                s->arena, TN_STR_FMT " " TN_STR_FMT, TN_STR_ARG(primary), TN_STR_ARG(name));
            const tn_node *first = tn_map_find(&known, pair);
            if (first == NULL) {
                tn_map_put(&known, pair, n);
            } else if (first != n) {
                tn_semantic_error(s,
                    "Duplicate dimension + primary entity pairing detected, dimension + primary "
                    "entity pairings must be unique. Semantic model `" TN_STR_FMT
                    "` has a primary entity of `" TN_STR_FMT "` and dimension `" TN_STR_FMT
                    "`, but this pairing is already in use on semantic model `" TN_STR_FMT "`.",
                    TN_STR_ARG(n->name), TN_STR_ARG(primary), TN_STR_ARG(name),
                    TN_STR_ARG(first->name));
            }
        }
    }
}

/* ---- words that SQL keeps ---- */

static bool is_reserved(tn_str name)
{
    static const char *const words[] = { "AND", "AS", "CREATE", "DISTINCT", "FOR", "FROM", "FULL",
        "HAVING", "IN", "INNER", "INTO", "IS", "JOIN", "LEFT", "LIKE", "NATURAL", "NOT", "NULL",
        "ON", "OR", "RIGHT", "SELECT", "UNION", "USING", "WHERE", "WITH" };
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (tn_str_eq_nocase(name, tn_str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

void tn_rule_reserved_words(tn_semantics *s)
{
    static const char *const as[][2] = { { "dimensions", "a dimension 'name'." },
        { "entities", "an entity 'name'" }, { "measures", "a measure 'name'." } };
    for (size_t i = 0; i < s->models.n; i++) {
        tn_val model = s->models.v[i]->extra;
        for (size_t k = 0; k < TN_COUNTOF(as); k++) {
            for (size_t j = 0; j < tn_semantic_count(model, as[k][0]); j++) {
                tn_str name = tn_semantic_name(tn_semantic_nth(model, as[k][0], j));
                if (is_reserved(name)) {
                    tn_semantic_error(s,
                        "'" TN_STR_FMT
                        "' is an SQL reserved keyword, and thus cannot be used as %s",
                        TN_STR_ARG(name), as[k][1]);
                }
            }
        }
    }
}
