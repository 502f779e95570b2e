/* semantic_label_rules.c: labels say one thing: of metrics and of models each once, of elements once in their model, and an entity's
 * is the same in all models.
 */
#include "project/graph/semantic_rules.h"

/* `seen`: label -> the node that has it. */
static void check_once(tn_semantics *s, tn_map *seen, tn_node *n, const char *kind)
{
    tn_str label = tn_val_str_at(n->extra, "label", TN_STR_NONE);
    const tn_node *first = label.n > 0 ? tn_map_find(seen, label) : NULL;
    if (first != NULL) {
        tn_semantic_error(s,
            "Can't use label `" TN_STR_FMT "` for  %s `" TN_STR_FMT
            "` as it's already used for %s `" TN_STR_FMT "`",
            TN_STR_ARG(label), kind, TN_STR_ARG(n->name), kind, TN_STR_ARG(first->name));
    } else if (label.n > 0) {
        tn_map_put(seen, label, n);
    }
}

void tn_rule_metric_labels(tn_semantics *s)
{
    tn_map seen = tn_map_init(s->arena);
    for (size_t i = 0; i < s->metrics.n; i++) {
        check_once(s, &seen, s->metrics.v[i], "metric");
    }
}

static size_t count_label(const tn_node *n, const char *key, tn_str label, size_t before)
{
    size_t found = 0;
    for (size_t i = 0; i < before; i++) {
        tn_val e = tn_semantic_nth(n->extra, key, i);
        found += tn_str_eq(tn_val_str_at(e, "label", TN_STR_NONE), label);
    }
    return found;
}

static void check_elements(tn_semantics *s, const tn_node *n, const char *key, const char *kind)
{
    size_t count = tn_semantic_count(n->extra, key);
    for (size_t i = 0; i < count; i++) {
        tn_str label = tn_val_str_at(tn_semantic_nth(n->extra, key, i), "label", TN_STR_NONE);
        size_t uses = label.n > 0 ? count_label(n, key, label, count) : 0;
        if (uses > 1 && count_label(n, key, label, i) == 0) {
            tn_semantic_error(s,
                "%s labels must be unique within a semantic model. The label `" TN_STR_FMT
                "` was used for %zu %s on semantic model `" TN_STR_FMT,
                kind, TN_STR_ARG(label), uses, key, TN_STR_ARG(n->name));
        }
    }
}

void tn_rule_model_labels(tn_semantics *s)
{
    tn_map seen = tn_map_init(s->arena);
    for (size_t i = 0; i < s->models.n; i++) {
        check_once(s, &seen, s->models.v[i], "semantic model");
        check_elements(s, s->models.v[i], "dimensions", "Dimension");
        check_elements(s, s->models.v[i], "entities", "Entity");
        check_elements(s, s->models.v[i], "measures", "Measure");
    }
}

void tn_rule_entity_labels(tn_semantics *s)
{
    typedef struct use {
        tn_str model, label;
    } use;
    tn_map seen = tn_map_init(s->arena);
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        for (size_t k = 0; k < tn_semantic_count(n->extra, "entities"); k++) {
            tn_val e = tn_semantic_nth(n->extra, "entities", k);
            tn_str name = tn_semantic_name(e), label = tn_val_str_at(e, "label", TN_STR_NONE);
            const use *first = label.n > 0 ? tn_map_find(&seen, name) : NULL;
            if (label.n > 0 && first == NULL) {
                use *u = tn_new(s->arena, use);
                *u = (use){ n->name, label };
                tn_map_put(&seen, name, u);
            } else if (label.n > 0 && !tn_str_eq(first->label, label)) {
                tn_semantic_error(s,
                    "Entities with the same name must have the same label or the label must be "
                    "`None`. Entity `" TN_STR_FMT "` on semantic model `" TN_STR_FMT
                    "` has label `" TN_STR_FMT
                    "` but the same entity on semantic model `" TN_STR_FMT "`",
                    TN_STR_ARG(name), TN_STR_ARG(n->name), TN_STR_ARG(label),
                    TN_STR_ARG(first->model));
            }
        }
    }
}
