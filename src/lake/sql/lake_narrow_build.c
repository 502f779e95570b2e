/* lake_narrow_build.c: the queries of a text: what each reads, and under which names.
 *
 * A name without a schema is the innermost CTE of that name, else unknown. A CTE is one query with many references; a view is built anew for each. Where a
 * part of the tree is not understood, what it names is taken to be wanted whole.
 */
#include "lake/sql/lake_narrow_impl.h"

typedef struct env { /* CTEs in sight, the innermost first */
    tn_str name;
    narrow_query *query; /* NULL: recursive, or not understood */
    tn_val aliases;      /* of its columns */
    const struct env *up;
} env;

typedef struct builder {
    narrow *n;
    narrow_text *text;
    const env *env;
    int depth;
} builder;

typedef struct side { /* what holds for the relations below a join */
    bool where, hidden, opaque;
    const narrow_vals *on;
} side;

static narrow_query *build_query(builder b, tn_val node);
static void walk(builder b, tn_val node);

tn_str narrow_alias(tn_val table)
{
    tn_str alias = tn_val_str_at(table, "alias", TN_STR_NONE);
    return alias.n > 0 ? alias : tn_val_str_at(table, "table_name", TN_STR_NONE);
}

static bool too_deep(const builder *b)
{
    b->n->broken = b->n->broken || b->depth > NARROW_DEPTH_MAX;
    return b->n->broken;
}

static bool is_bare(tn_val table)
{
    return tn_val_str_at(table, "schema_name", TN_STR_NONE).n == 0 &&
           tn_val_str_at(table, "catalog_name", TN_STR_NONE).n == 0;
}

static const env *cte_of(const builder *b, tn_val table)
{
    tn_str name = tn_val_str_at(table, "table_name", TN_STR_NONE);
    const env *e = b->env;
    while (e != NULL && !tn_str_eq_nocase(e->name, name)) {
        e = e->up;
    }
    return e;
}

/* ---- what is not understood ---- */

static void walk_table(builder b, tn_val node)
{
    const env *e = is_bare(node) ? cte_of(&b, node) : NULL;
    if (e != NULL && e->query != NULL) {
        e->query->all = true;
    }
    b.text->bare = b.text->bare || (e == NULL && is_bare(node));
}

/* Queries in it give all their rows, and so do CTEs that it names. */
static void walk(builder b, tn_val node)
{
    b.depth++;
    if (too_deep(&b)) {
        return;
    }
    narrow_query *q = build_query(b, node);
    if (q != NULL) {
        q->all = true;
        return;
    }
    if (narrow_says(node, "type", "BASE_TABLE")) {
        walk_table(b, node);
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(node, &at, &child)) {
        walk(b, child);
    }
}

/* ---- FROM ---- */

static void push_names(const builder *b, tn_val list, tn_strs *ret)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_vec_push(ret, b->n->a, tn_val_as_str(list.list->v[i]));
    }
}

static void build_view(builder b, tn_str sql, narrow_item *item)
{
    tn_val tree;
    narrow_text *text = b.n->views < NARROW_VIEWS_MAX ? narrow_parse(b.n, sql, &tree) : NULL;
    if (text == NULL) {
        return;
    }
    tn_val node = tn_tree_node(tree);
    if (tn_val_is_undef(node)) {
        return;
    }
    text->outer = b.text;
    text->node = item->node;
    b.n->views++;
    b.text = text;
    b.env = NULL;
    item->query = build_query(b, node);
    b.n->views--;
    tn_vec_push(&b.n->texts, b.n->a, text);
}

static void build_table(builder b, narrow_item *item)
{
    tn_val node = item->node;
    tn_narrow_found found = { 0 };
    tn_str part[] = { tn_val_str_at(node, "catalog_name", TN_STR_NONE),
        tn_val_str_at(node, "schema_name", TN_STR_NONE),
        tn_val_str_at(node, "table_name", TN_STR_NONE) };
    if (is_bare(node)) {
        const env *e = cte_of(&b, node);
        b.text->bare = b.text->bare || e == NULL;
        if (e != NULL && e->query != NULL) {
            item->query = e->query;
            push_names(&b, item->names.n == 0 ? e->aliases : TN_VAL_UNDEF, &item->names);
        }
    } else if (b.n->names->find(b.n->names->self, b.n->a, part, &found)) {
        item->snap = item->names.n == 0 ? found.snap : NULL;
        if (found.view.n > 0) {
            build_view(b, found.view, item);
        }
    }
}

static void build_function(builder b, narrow_item *item)
{
    tn_val call = tn_val_at(item->node, "function");
    tn_val args = tn_val_at(call, "children");
    bool scan = narrow_says(call, "function_name", "delta_scan") && b.n->names->place != NULL;
    if (scan && tn_val_is_seq(args) && args.list->n == 1 && item->names.n == 0 &&
        narrow_says(args.list->v[0], "class", "CONSTANT")) {
        tn_val place = tn_val_at(tn_val_at(args.list->v[0], "value"), "value");
        item->snap =
            tn_val_is_str(place) ? b.n->names->place(b.n->names->self, tn_val_as_str(place)) : NULL;
    }
    walk(b, call);
}

static void build_item(
    builder b, narrow_query *q, tn_val node, const side *s, const tn_strs *merged)
{
    narrow_item item = { .node = node,
        .alias = narrow_alias(node),
        .mark = ++b.n->marks,
        .where = s->where,
        .hidden = s->hidden,
        .merged = *merged };
    push_names(&b, tn_val_at(node, "column_name_alias"), &item.names);
    for (size_t i = 0; s->on != NULL && i < s->on->n; i++) {
        tn_vec_push(&item.on, b.n->a, s->on->v[i]);
    }
    bool plain = narrow_no(node, "sample") && narrow_no(node, "at_clause") && !s->opaque;
    if (plain && narrow_says(node, "type", "BASE_TABLE")) {
        build_table(b, &item);
    } else if (plain && narrow_says(node, "type", "SUBQUERY")) {
        item.query = build_query(b, tn_val_at(tn_val_at(node, "subquery"), "node"));
        if (item.query == NULL) {
            walk(b, node);
        }
    } else if (plain && narrow_says(node, "type", "TABLE_FUNCTION")) {
        build_function(b, &item);
    } else {
        walk(b, node);
    }
    tn_vec_push(&q->items, b.n->a, item);
}

/* What may be asked of the two sides of a join. */
static void sides_of(
    builder b, tn_val join, const side *s, narrow_vals *on, side *left, side *right)
{
    tn_val cond = tn_val_at(join, "condition");
    bool regular = narrow_says(join, "ref_type", "REGULAR");
    bool cross = narrow_says(join, "ref_type", "CROSS");
    bool inner = narrow_says(join, "join_type", "INNER");
    bool semi = narrow_says(join, "join_type", "SEMI");
    bool anti = narrow_says(join, "join_type", "ANTI");
    bool lefts = narrow_says(join, "join_type", "LEFT");
    bool rights = narrow_says(join, "join_type", "RIGHT");
    narrow_vals *all = tn_new(b.n->a, narrow_vals); /* from above and of this join */
    *all = (narrow_vals){ 0 };
    for (size_t i = 0; s->on != NULL && i < s->on->n; i++) {
        tn_vec_push(all, b.n->a, s->on->v[i]);
    }
    if (cond.tag == TN_DICT) {
        tn_vec_push(all, b.n->a, cond);
        tn_vec_push(on, b.n->a, cond);
    }
    side keeps = { .where = s->where, .hidden = s->hidden, .on = s->on };
    side gives = { .where = s->where, .hidden = s->hidden, .on = all };
    side fills = { .hidden = s->hidden || semi || anti, .on = on }; /* only where ON is true */
    side never = { .hidden = s->hidden };
    if (cross || (regular && inner)) {
        *left = *right = gives;
    } else if (regular && semi) {
        *left = gives;
        *right = fills;
    } else if (regular && (lefts || anti)) {
        *left = keeps;
        *right = fills;
    } else if (regular && rights) {
        *left = fills;
        *right = keeps;
    } else { /* FULL, ASOF, NATURAL, POSITIONAL, LATERAL */
        *left = *right = never;
    }
}

static void build_from(
    builder b, narrow_query *q, tn_val from, const side *s, const tn_strs *merged)
{
    b.depth++;
    if (too_deep(&b)) {
        return;
    }
    if (!narrow_says(from, "type", "JOIN") || s->opaque || !narrow_no(from, "sample") ||
        !narrow_no(from, "column_name_alias") || narrow_alias(from).n > 0) {
        build_item(b, q, from, s, merged);
        return;
    }
    side left;
    side right;
    narrow_vals *on = tn_new(b.n->a, narrow_vals);
    *on = (narrow_vals){ 0 };
    sides_of(b, from, s, on, &left, &right);
    tn_strs hides = { 0 };
    for (size_t i = 0; i < merged->n; i++) {
        tn_vec_push(&hides, b.n->a, merged->v[i]);
    }
    push_names(&b, tn_val_at(from, "using_columns"), &hides);
    bool plain = narrow_says(from, "ref_type", "REGULAR") || narrow_says(from, "ref_type", "CROSS");
    bool ordered = !narrow_says(from, "join_type", "RIGHT") &&
                   !narrow_says(from, "join_type", "OUTER") &&
                   !narrow_says(from, "join_type", "FULL");
    q->no_star = q->no_star || !plain || (hides.n > merged->n && !ordered);
    build_from(b, q, tn_val_at(from, "left"), &left, merged);
    build_from(b, q, tn_val_at(from, "right"), &right, &hides);
    walk(b, tn_val_at(from, "condition"));
}

/* ---- queries ---- */

static void build_ctes(builder *b, tn_val node)
{
    tn_val map = tn_val_at(tn_val_at(node, "cte_map"), "map");
    for (size_t i = 0; tn_val_is_seq(map) && i < map.list->n; i++) {
        tn_val value = tn_val_at(map.list->v[i], "value");
        tn_val inner = tn_val_at(tn_val_at(value, "query"), "node");
        env *e = tn_new(b->n->a, env);
        *e = (env){ .name = tn_val_str_at(map.list->v[i], "key", TN_STR_NONE),
            .aliases = tn_val_at(value, "aliases"),
            .up = b->env };
        builder in = *b;
        if (narrow_says(inner, "type", "RECURSIVE_CTE_NODE")) {
            in.env = e; /* it may name itself */
            walk(in, inner);
        } else {
            e->query = build_query(in, inner);
            if (e->query == NULL) {
                walk(in, inner);
            }
        }
        b->env = e;
    }
}

static void walk_but(builder b, tn_val node, const char *skip)
{
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(node.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        if (!tn_str_is(key, "cte_map") && !tn_str_is(key, skip) && !tn_str_is(key, "left") &&
            !tn_str_is(key, "right")) {
            walk(b, it->value);
        }
    }
}

/* NULL: the node is none of the queries that are understood, and nothing was done. */
static narrow_query *build_query(builder b, tn_val node)
{
    bool select = narrow_says(node, "type", "SELECT_NODE");
    bool set = narrow_says(node, "type", "SET_OPERATION_NODE");
    b.depth++;
    if ((!select && !set) || tn_val_at(node, "cte_map").tag != TN_DICT || too_deep(&b)) {
        return NULL;
    }
    narrow_query *q = tn_new(b.n->a, narrow_query);
    *q = (narrow_query){ .node = node, .text = b.text };
    build_ctes(&b, node);
    if (select) {
        side s = { .where = true, .opaque = !narrow_no(node, "sample") };
        build_from(b, q, tn_val_at(node, "from_table"), &s, &(tn_strs){ 0 });
        walk_but(b, node, "from_table");
    } else {
        q->left = build_query(b, tn_val_at(node, "left"));
        q->right = build_query(b, tn_val_at(node, "right"));
        if (q->left == NULL || q->right == NULL) { /* another shape of the tree */
            b.n->broken = true;
        }
        walk_but(b, node, "");
    }
    tn_vec_push(&b.n->order, b.n->a, q);
    return q;
}

static void take_aliases(narrow *n, narrow_text *text, tn_val node, int depth)
{
    if (depth > NARROW_DEPTH_MAX) {
        n->broken = true;
        return;
    }
    tn_str alias = narrow_alias(node); /* of columns too: then these prove less */
    if (alias.n > 0) {
        tn_map_put(&text->aliases, tn_str_lower(n->a, alias), n);
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(node, &at, &child)) {
        take_aliases(n, text, child, depth + 1);
    }
}

narrow_text *narrow_parse(narrow *n, tn_str sql, tn_val *ret_tree)
{
    narrow_text *text = tn_new(n->a, narrow_text);
    *text = (narrow_text){ .sql = sql, .aliases = tn_map_init(n->a) };
    if (tn_sql_tokens(n->a, sql, &text->tokens, NULL) != TN_OK) {
        return NULL;
    }
    *ret_tree =
        tn_conn_tree(n->conn, n->a, sql, true); /* a collation sees equal what bounds do not */
    if (tn_val_is_undef(*ret_tree)) {
        return NULL;
    }
    take_aliases(n, text, *ret_tree, 0);
    return text;
}

void narrow_build(narrow *n, tn_val tree, narrow_text *text)
{
    builder b = { .n = n, .text = text };
    walk(b, tn_val_at(tree, "statements"));
}
