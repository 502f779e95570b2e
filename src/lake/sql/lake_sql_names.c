/* lake_sql_names.c: which dotted names of a statement can mean a table of the lake that no environment pins.
 *
 * Such a table is found by asking the store whether it is there, and "s.id" looks like one. So a name whose first part the statement itself introduces (an
 * alias, a CTE, the last part of a table's name) is not asked for, unless it stands where only a relation can stand: behind FROM, JOIN, INTO, USING and
 * the like. On a bucket what is left is answered by one listing of the schemas, kept for the statement, before any table is asked for.
 */
#include "lake/sql/lake_session.h"

/* ---- what the statement introduces ---- */

static bool introduces(const tn_tokens *t, size_t i)
{
    bool dot_after = tn_token_is(t, i + 1, ".");
    if (i == 0 || dot_after) {
        return false;
    }
    if (tn_token_is(t, i - 1, ".") || tn_token_is(t, i - 1, "as") ||
        (tn_token_is(t, i + 1, "as") && tn_token_is(t, i + 2, "("))) {
        return true;
    }
    return !tn_token_is(t, i + 1, "(") &&
           (tn_token_is_name(t, i - 1) || tn_token_is(t, i - 1, ")"));
}

tn_map tn_sql_aliases(tn_arena *a, const tn_tokens *t)
{
    tn_map out = tn_map_init(a);
    for (size_t i = 0; i < t->n; i++) {
        if (tn_token_is_name(t, i) && introduces(t, i)) {
            tn_map_put(&out, tn_str_lower(a, tn_token_value(a, &t->v[i])), a);
        }
    }
    return out;
}

/* ---- where a name stands ---- */

/* i stands on a comma: the word that the list belongs to. Decides, or moves *io_at to the parenthesis that the list is in. */
typedef enum list_kind { LIST_TABLES, LIST_COLUMNS, LIST_INSIDE } list_kind;

static list_kind list_of(const tn_tokens *t, size_t *io_at)
{
    static const char *const TABLES[] = { "from", "join", "using", "update", NULL };
    static const char *const COLUMNS[] = { "select", "where", "by", "values", "set", "returning",
        "having", "qualify", NULL };
    int depth = 0;
    for (size_t i = *io_at; i-- > 0;) {
        if (tn_token_is(t, i, ")")) {
            depth++;
        } else if (tn_token_is(t, i, "(") && depth-- == 0) {
            *io_at = i;
            return LIST_INSIDE;
        } else if (depth == 0 && tn_token_is_any(t, i, TABLES)) {
            return LIST_TABLES;
        } else if (depth == 0 && tn_token_is_any(t, i, COLUMNS)) {
            return LIST_COLUMNS;
        }
    }
    return LIST_TABLES;
}

/* Only a relation can stand at token i, as far as the words before it tell. */
static bool wants_relation(const tn_tokens *t, size_t i)
{
    static const char *const BEFORE[] = { "from", "join", "into", "using", "update", "table",
        "only", "describe", "desc", "summarize", "show", "pivot", "unpivot", "copy", NULL };
    while (i > 0) {
        size_t before = i - 1;
        if (tn_token_is_any(t, before, BEFORE)) {
            return true;
        }
        if (tn_token_is(t, before, ",")) {
            list_kind kind = list_of(t, &before);
            if (kind != LIST_INSIDE) {
                return kind == LIST_TABLES;
            }
        } else if (!tn_token_is(t, before, "(")) {
            return false;
        }
        i = before; /* what stands before the parenthesis decides */
    }
    return true;
}

bool tn_sql_is_member(tn_arena *a, const tn_map *aliases, const tn_tokens *t, size_t i)
{
    return tn_map_find(aliases, tn_str_lower(a, tn_token_value(a, &t->v[i]))) != NULL &&
           !wants_relation(t, i);
}

/* ---- what lies in the lake ---- */

/* Folders of a bucket's root, once for a statement. False when they cannot be listed. */
static bool schemas_of(tn_lake_sql *s)
{
    if (s->folders_known) {
        return true;
    }
    tn_store_list_opts lo = { .prefix = TN_STR_NONE };
    tn_store_items items = { 0 };
    if (tn_store_list(tn_lake_store(s->lake), s->head_arena, &lo, &items, NULL) != TN_OK) {
        return false;
    }
    s->folders = tn_map_init(s->head_arena);
    for (size_t i = 0; i < items.n; i++) {
        if (items.v[i].is_prefix) {
            tn_map_put(&s->folders, items.v[i].key, s);
        }
    }
    s->folders_known = true;
    return true;
}

static bool has_log(tn_lake_sql *s, tn_arena *a, tn_str schema, tn_str name)
{
    tn_store_list_opts lo = { .prefix = tn_str_printf(a, TN_STR_FMT "/_delta_log/",
                                  TN_STR_ARG(tn_lake_default_location(a, schema, name))),
        .items_max = 1 };
    tn_store_items items = { 0 };
    return tn_store_list(tn_lake_store(s->lake), a, &lo, &items, NULL) == TN_OK && items.n > 0;
}

bool tn_sql_lies_in_lake(tn_lake_sql *s, tn_arena *a, tn_str schema, tn_str name)
{
    if (s->opts.places_only || !tn_lake_plain_name(schema) || !tn_lake_plain_name(name)) {
        return false;
    }
    if (!s->lake->far) {
        return has_log(s, a, schema, name);
    }
    tn_str key = tn_str_printf(
        s->head_arena, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(schema), TN_STR_ARG(name));
    bool *known = s->folders_known ? tn_map_find(&s->probed, key) : NULL;
    if (known != NULL) {
        return *known;
    }
    if (!s->folders_known) {
        s->probed = tn_map_init(s->head_arena);
    }
    bool there =
        !schemas_of(s) || tn_map_find(&s->folders, tn_str_concat(a, schema, TN_STR("/"))) != NULL;
    there = there && has_log(s, a, schema, name);
    known = tn_new(s->head_arena, bool);
    *known = there;
    tn_map_put(&s->probed, key, known);
    return there;
}

void tn_sql_forget_probes(tn_lake_sql *s)
{
    s->folders_known = false;
}
