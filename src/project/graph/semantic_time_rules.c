/* semantic_time_rules.c: time spines, and that they are as fine as the time dimensions; all of it is only warned of. */
#include "project/deprecation.h"
#include "project/graph/semantic_rules.h"

static const char *const grains[] = { "NANOSECOND", "MICROSECOND", "MILLISECOND", "SECOND",
    "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR" };

/* Place among granularities, the finest first; their count: none of them. */
static size_t rank_of(tn_str grain)
{
    size_t i = 0;
    while (i < TN_COUNTOF(grains) && !tn_str_eq_nocase(grain, tn_str_of(grains[i]))) {
        i++;
    }
    return i;
}

static size_t spine_rank(tn_semantics *s, const tn_node *n)
{
    tn_str column = tn_val_str_at(n->time_spine, "standard_granularity_column", TN_STR(""));
    tn_val is = tn_val_at(n->columns, tn_str_z(s->arena, column));
    return rank_of(tn_val_str_at(is, "granularity", TN_STR_NONE));
}

/* The finest granularity of a time dimension. */
static size_t finest_dimension(const tn_semantics *s)
{
    size_t finest = TN_COUNTOF(grains);
    for (size_t i = 0; i < s->models.n; i++) {
        tn_val model = s->models.v[i]->extra;
        for (size_t k = 0; k < tn_semantic_count(model, "dimensions"); k++) {
            tn_val params = tn_val_at(tn_semantic_nth(model, "dimensions", k), "type_params");
            size_t rank = rank_of(tn_val_str_at(params, "time_granularity", TN_STR_NONE));
            finest = tn_min_size(finest, rank);
        }
    }
    return finest;
}

void tn_rule_time_spines(tn_semantics *s)
{
    size_t finest = TN_COUNTOF(grains), spines = 0, dimension = finest_dimension(s);
    for (size_t i = 0; i < s->p->nodes.n; i++) {
        const tn_node *n = s->p->nodes.v[i];
        if (n->kind == TN_NODE_MODEL && n->time_spine.tag == TN_DICT) {
            size_t rank = spine_rank(s, n);
            finest = tn_min_size(finest, rank);
            spines++;
        }
    }
    if (spines > 0 && dimension == TN_COUNTOF(grains)) {
        tn_semantic_warning(s,
            "No time dimensions configured. To avoid unexpected query errors, configuring a time "
            "spine at or below the smallest time dimension granularity is recommended.");
    } else if (spines > 0 && finest < TN_COUNTOF(grains) && dimension < finest) {
        tn_semantic_warning(s,
            "To avoid unexpected query errors, configuring a time spine at or below the smallest "
            "time dimension granularity is recommended. Smallest time dimension granularity: %s; "
            "Smallest time spine granularity: TimeGranularity.%s",
            grains[dimension], grains[finest]);
    }
}

void tn_rule_time_grains(tn_semantics *s)
{
    for (size_t i = 0; i < s->models.n; i++) {
        const tn_node *n = s->models.v[i];
        for (size_t k = 0; k < tn_semantic_count(n->extra, "dimensions"); k++) {
            tn_val d = tn_semantic_nth(n->extra, "dimensions", k);
            tn_val params = tn_val_at(d, "type_params");
            if (tn_semantic_is(d, "type", "time") &&
                !tn_val_is_given(tn_val_at(params, "time_granularity"))) {
                /* dbt's text of it is empty */
                tn_deprecate(
                    s->p, "TimeDimensionsRequireGranularityDeprecation", TN_STR_NONE, "%s", "");
            }
        }
    }
}
