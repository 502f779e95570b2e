/* lake_narrow_scope.c: what a query demands of the relations that it reads.
 *
 * A demand is a list of conditions that rows must meet to matter. It comes from the query's WHERE and ON, and from those who read the query: a condition on a
 * column of the query becomes one on the expression behind it. Where several read a query, it is their OR. A condition passes on to a relation when all of
 * its columns are that relation's.
 *
 * Demands from outside stop at LIMIT, DISTINCT ON, GROUPING SETS and at window functions whose partitions they would cut. They pass GROUP BY, as a column
 * that is no aggregate is the same for the whole group, and set operations when both sides have the column with one type (else a cast to a common type
 * would give the comparison another sense).
 */
#include "lake/sql/lake_narrow_impl.h"

#define MARK_ITEM '\1'   /* "\1<mark>": the relation with this mark */
#define MARK_OUTPUT "\2" /* "\2", "<i>": the query's i-th column */

static const narrow_outputs *outputs_of(narrow *n, narrow_query *q);

/* ---- trees ---- */

static tn_val column_ref(tn_arena *a, tn_str first, const tn_str *second, tn_val rest, size_t from)
{
    tn_val node = tn_val_dict(a);
    tn_val names = tn_val_list(a);
    tn_list_push(names.list, tn_val_str(first));
    if (second != NULL) {
        tn_list_push(names.list, tn_val_str(*second));
    }
    for (size_t i = from; tn_val_is_seq(rest) && i < rest.list->n; i++) {
        tn_list_push(names.list, rest.list->v[i]);
    }
    tn_dict_putz(node.dict, "class", tn_val_z("COLUMN_REF"));
    tn_dict_putz(node.dict, "type", tn_val_z("COLUMN_REF"));
    tn_dict_putz(node.dict, "column_names", names);
    return node;
}

static bool is_ref(tn_val node)
{
    tn_val names = tn_val_at(node, "column_names");
    return narrow_says(node, "class", "COLUMN_REF") && tn_val_is_seq(names) && names.list->n > 0;
}

/* Copies a condition with other columns; undefined: it cannot be said with them. */
typedef struct mapper {
    narrow *n;
    narrow_query *q;
    const narrow_item *item;
    tn_val (*map)(const struct mapper *m, tn_val names);
    size_t *count; /* columns met */
} mapper;

static tn_val map_tree(const mapper *m, tn_val node, int depth)
{
    if (depth > NARROW_DEPTH_MAX || narrow_says(node, "class", "SUBQUERY") ||
        narrow_says(node, "class", "STAR") || narrow_says(node, "class", "WINDOW")) {
        return TN_VAL_UNDEF;
    }
    if (is_ref(node)) {
        ++*m->count;
        return m->map(m, tn_val_at(node, "column_names"));
    }
    if (tn_val_is_seq(node)) {
        tn_val out = tn_val_list(m->n->a);
        for (size_t i = 0; i < node.list->n; i++) {
            tn_val v = map_tree(m, node.list->v[i], depth + 1);
            if (v.tag == TN_UNDEF) {
                return v;
            }
            tn_list_push(out.list, v);
        }
        return out;
    }
    if (node.tag != TN_DICT) {
        return node;
    }
    tn_val out = tn_val_dict(m->n->a);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(node.dict, &at)) != NULL) {
        tn_val v = map_tree(m, it->value, depth + 1);
        if (v.tag == TN_UNDEF) {
            return v;
        }
        tn_dict_put(out.dict, it->key, v);
    }
    return out;
}

static tn_val junction(tn_arena *a, const char *type, const narrow_vals *parts)
{
    tn_val node = tn_val_dict(a);
    tn_val children = tn_val_list(a);
    for (size_t i = 0; i < parts->n; i++) {
        tn_list_push(children.list, parts->v[i]);
    }
    tn_dict_putz(node.dict, "class", tn_val_z("CONJUNCTION"));
    tn_dict_putz(node.dict, "type", tn_val_z(type));
    tn_dict_putz(node.dict, "children", children);
    return node;
}

static void split(tn_arena *a, tn_val cond, narrow_vals *ret)
{
    tn_val parts = tn_val_at(cond, "children");
    if (!narrow_says(cond, "type", "CONJUNCTION_AND") || !tn_val_is_seq(parts)) {
        if (cond.tag == TN_DICT) {
            tn_vec_push(ret, a, cond);
        }
        return;
    }
    for (size_t i = 0; i < parts.list->n; i++) {
        split(a, parts.list->v[i], ret);
    }
}

/* ---- columns of relations ---- */

static const tn_delta_field *field_of(const tn_delta_snapshot *s, tn_str name)
{
    const tn_delta_fields *f = &tn_delta_snapshot_meta(s)->schema->fields;
    for (size_t i = 0; i < f->n; i++) {
        if (tn_str_eq_nocase(f->v[i].name, name)) {
            return &f->v[i];
        }
    }
    return NULL;
}

static size_t output_at(const narrow_outputs *o, const tn_strs *renamed, tn_str name)
{
    for (size_t i = 0; i < o->list.n; i++) {
        tn_str own = i < renamed->n ? renamed->v[i] : o->list.v[i].name;
        if (tn_str_eq_nocase(own, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The relation's column as those below name it; undefined: it has no such column for sure. */
static tn_val item_column(narrow *n, const narrow_item *item, tn_str name, tn_val rest, size_t from)
{
    if (item->snap != NULL) {
        return field_of(item->snap, name) ? column_ref(n->a, name, NULL, rest, from) : TN_VAL_UNDEF;
    }
    if (item->query == NULL) {
        return TN_VAL_UNDEF;
    }
    size_t i = output_at(outputs_of(n, item->query), &item->names, name);
    tn_str number = tn_str_printf(n->a, "%zu", i);
    return i == SIZE_MAX ? TN_VAL_UNDEF
                         : column_ref(n->a, TN_STR(MARK_OUTPUT), &number, rest, from);
}

/* column, alias.column.., or column.field.. where no relation is called like the column. */
static tn_val item_ref(narrow *n, const narrow_query *q, const narrow_item *item, tn_val names)
{
    tn_str first = tn_val_as_str(names.list->v[0]);
    if (first.n > 0 && first.p[0] == MARK_ITEM) {
        int64_t mark;
        bool ours = tn_str_to_i64(tn_str_sub(first, 1, first.n), &mark) && mark == item->mark;
        return ours && names.list->n > 1
                   ? item_column(n, item, tn_val_as_str(names.list->v[1]), names, 2)
                   : TN_VAL_UNDEF;
    }
    bool relation = tn_map_find(&q->text->aliases, tn_str_lower(n->a, first)) != NULL;
    if (names.list->n == 1 || !relation) {
        return item_column(n, item, first, names, 1);
    }
    bool both = item_column(n, item, first, TN_VAL_UNDEF, 0).tag != TN_UNDEF;
    return tn_str_eq_nocase(first, item->alias) && !both
               ? item_column(n, item, tn_val_as_str(names.list->v[1]), names, 2)
               : TN_VAL_UNDEF;
}

static tn_val map_to_item(const mapper *m, tn_val names)
{
    return item_ref(m->n, m->q, m->item, names);
}

/* ---- columns of queries ---- */

static void add_output(narrow *n, narrow_outputs *o, tn_str name, tn_val expr)
{
    narrow_output out = { .name = name, .expr = expr };
    tn_vec_push(&o->list, n->a, out);
}

static bool in_list(tn_val list, tn_str name)
{
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        if (tn_str_eq_nocase(tn_val_as_str(list.list->v[i]), name)) {
            return true;
        }
    }
    return false;
}

static bool is_merged(const narrow_item *item, tn_str name)
{
    for (size_t i = 0; i < item->merged.n; i++) {
        if (tn_str_eq_nocase(item->merged.v[i], name)) {
            return true;
        }
    }
    return false;
}

static tn_val replaced(tn_val star, tn_str name)
{
    tn_val list = tn_val_at(star, "replace_list");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        if (tn_str_eq_nocase(tn_val_str_at(list.list->v[i], "key", TN_STR_NONE), name)) {
            return tn_val_at(list.list->v[i], "value");
        }
    }
    return TN_VAL_UNDEF;
}

static void add_starred(
    narrow *n, narrow_outputs *o, tn_val star, const narrow_item *item, tn_str name)
{
    if (is_merged(item, name) || in_list(tn_val_at(star, "exclude_list"), name)) {
        return;
    }
    tn_val expr = replaced(star, name);
    if (expr.tag == TN_UNDEF) {
        expr = column_ref(n->a, tn_str_printf(n->a, "\1%d", item->mark), &name, TN_VAL_UNDEF, 0);
    }
    add_output(n, o, name, expr);
}

/* False: from here on the columns are not known. */
static bool add_star_item(narrow *n, narrow_outputs *o, tn_val star, const narrow_item *item)
{
    if (item->snap != NULL) {
        const tn_delta_fields *f = &tn_delta_snapshot_meta(item->snap)->schema->fields;
        for (size_t i = 0; i < f->n; i++) {
            add_starred(n, o, star, item, f->v[i].name);
        }
        return true;
    }
    if (item->query == NULL) {
        return false;
    }
    const narrow_outputs *in = outputs_of(n, item->query);
    for (size_t i = 0; i < in->list.n; i++) {
        add_starred(n, o, star, item, i < item->names.n ? item->names.v[i] : in->list.v[i].name);
    }
    return in->complete;
}

static bool add_star(narrow *n, narrow_query *q, narrow_outputs *o, tn_val star)
{
    tn_str relation = tn_val_str_at(star, "relation_name", TN_STR_NONE);
    bool found = false;
    if (q->no_star || !narrow_no(star, "expr") || tn_val_bool_at(star, "columns", false) ||
        !narrow_no(star, "rename_list") || !narrow_no(star, "qualified_exclude_list")) {
        return false;
    }
    for (size_t i = 0; i < q->items.n; i++) {
        const narrow_item *item = &q->items.v[i];
        if (item->hidden || (relation.n > 0 && !tn_str_eq_nocase(item->alias, relation))) {
            continue;
        }
        found = true;
        if (!add_star_item(n, o, star, item)) {
            return false;
        }
    }
    return found;
}

static void select_outputs(narrow *n, narrow_query *q, narrow_outputs *o)
{
    tn_val list = tn_val_at(q->node, "select_list");
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val e = list.list->v[i];
        tn_str alias = tn_val_str_at(e, "alias", TN_STR_NONE);
        if (narrow_says(e, "class", "STAR")) {
            if (!add_star(n, q, o, e)) {
                return;
            }
        } else if (alias.n > 0) {
            add_output(n, o, alias, e);
        } else if (is_ref(e)) {
            tn_val names = tn_val_at(e, "column_names");
            add_output(n, o, tn_val_as_str(names.list->v[names.list->n - 1]), e);
        } else { /* DuckDB makes up a name */
            return;
        }
    }
    o->complete = true;
}

static const narrow_outputs *outputs_of(narrow *n, narrow_query *q)
{
    if (q->outputs_known) {
        return &q->outputs;
    }
    q->outputs_known = true;
    if (q->left == NULL) {
        select_outputs(n, q, &q->outputs);
        return &q->outputs;
    }
    const narrow_outputs *left = outputs_of(n, q->left);
    for (size_t i = 0; i < left->list.n; i++) {
        add_output(n, &q->outputs, left->list.v[i].name, TN_VAL_UNDEF);
    }
    q->outputs.complete = left->complete && !narrow_says(q->node, "setop_type", "UNION_BY_NAME");
    return &q->outputs;
}

/* ---- demands from outside ---- */

/* Functions of one row that skipping may understand; aggregates and what draws lots are not among them. */
static bool is_known_function(tn_val node)
{
    static const char *const NAMES[] = { "date_trunc", "datetrunc", "year", "month", "day", "hour",
        "date_part", "datepart", "strftime", "date", "substring", "substr", "starts_with", "prefix",
        "~~", "^@", "lower", "upper", "trim", "+", "-", "*", NULL };
    return narrow_says_any(node, "function_name", NAMES);
}

static bool is_simple(tn_val node, int depth)
{
    static const char *const CLASSES[] = { "COLUMN_REF", "CONSTANT", "CAST", "COMPARISON",
        "CONJUNCTION", "BETWEEN", "OPERATOR", NULL };
    bool known = narrow_no(node, "class") || narrow_says_any(node, "class", CLASSES);
    if (depth > NARROW_DEPTH_MAX ||
        (!known && !(narrow_says(node, "class", "FUNCTION") && is_known_function(node)))) {
        return false;
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(node, &at, &child)) {
        if (!is_simple(child, depth + 1)) {
            return false;
        }
    }
    return true;
}

static size_t output_number(tn_val names)
{
    int64_t i = -1;
    bool ours = names.list->n > 1 && tn_str_is(tn_val_as_str(names.list->v[0]), MARK_OUTPUT);
    return ours && tn_str_to_i64(tn_val_as_str(names.list->v[1]), &i) ? (size_t)i : SIZE_MAX;
}

/* "\2", i: the expression behind the query's i-th column. */
static tn_val map_to_expr(const mapper *m, tn_val names)
{
    const narrow_outputs *o = outputs_of(m->n, m->q);
    size_t i = output_number(names);
    if (i >= o->list.n || !is_simple(o->list.v[i].expr, 0)) {
        return TN_VAL_UNDEF;
    }
    tn_val expr = o->list.v[i].expr;
    if (names.list->n == 2 || !is_ref(expr)) {
        return names.list->n == 2 ? expr : TN_VAL_UNDEF;
    }
    tn_val own = tn_val_at(expr, "column_names");
    tn_val all = tn_val_list(m->n->a);
    for (size_t k = 1; k < own.list->n; k++) {
        tn_list_push(all.list, own.list->v[k]);
    }
    for (size_t k = 2; k < names.list->n; k++) {
        tn_list_push(all.list, names.list->v[k]);
    }
    return column_ref(m->n->a, tn_val_as_str(own.list->v[0]), NULL, all, 0);
}

static tn_val map_to_output(const mapper *m, tn_val names) /* the same number */
{
    (void)m;
    return output_number(names) == SIZE_MAX
               ? TN_VAL_UNDEF
               : column_ref(m->n->a, tn_val_as_str(names.list->v[0]), NULL, names, 1);
}

static bool takes_demands(tn_val node)
{
    tn_val modifiers = tn_val_at(node, "modifiers");
    tn_val sets = tn_val_at(node, "group_sets");
    for (size_t i = 0; tn_val_is_seq(modifiers) && i < modifiers.list->n; i++) {
        tn_val m = modifiers.list->v[i];
        bool plain =
            narrow_says(m, "type", "ORDER_MODIFIER") ||
            (narrow_says(m, "type", "DISTINCT_MODIFIER") && narrow_no(m, "distinct_on_targets"));
        if (!plain) {
            return false;
        }
    }
    return narrow_no(node, "sample") && (!tn_val_is_seq(sets) || sets.list->n <= 1);
}

/* Both name the same column: of the only relation, or written alike. */
static bool same_column(narrow *n, const narrow_query *q, tn_val x, tn_val y)
{
    if (!is_ref(x) || !is_ref(y)) {
        return false;
    }
    for (size_t i = 0; i < q->items.n; i++) {
        tn_val a = item_ref(n, q, &q->items.v[i], tn_val_at(x, "column_names"));
        tn_val b = item_ref(n, q, &q->items.v[i], tn_val_at(y, "column_names"));
        if (a.tag != TN_UNDEF || b.tag != TN_UNDEF) {
            return a.tag != TN_UNDEF && b.tag != TN_UNDEF && tn_val_eq(a, b);
        }
    }
    return false;
}

static bool all_in(narrow *n, const narrow_query *q, tn_val cond, tn_val partitions, int depth)
{
    if (depth > NARROW_DEPTH_MAX) {
        return false;
    }
    if (is_ref(cond)) {
        for (size_t i = 0; tn_val_is_seq(partitions) && i < partitions.list->n; i++) {
            if (same_column(n, q, cond, partitions.list->v[i])) {
                return true;
            }
        }
        return false;
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(cond, &at, &child)) {
        if (!all_in(n, q, child, partitions, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* Every window function below node has partitions that the condition takes or leaves whole. */
static bool keeps_windows(narrow *n, const narrow_query *q, tn_val node, tn_val cond, int depth)
{
    if (depth > NARROW_DEPTH_MAX) {
        return false;
    }
    if (narrow_says(node, "class", "WINDOW") &&
        !all_in(n, q, cond, tn_val_at(node, "partitions"), 0)) {
        return false;
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(node, &at, &child)) {
        if (!keeps_windows(n, q, child, cond, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* What all references together want: nothing when one wants every row. */
static void demanded(narrow *n, const narrow_query *q, narrow_vals *ret)
{
    narrow_vals either = { 0 };
    if (q->all || q->demands.n == 0) {
        return;
    }
    for (size_t i = 0; i < q->demands.n; i++) {
        tn_vec_push(&either, n->a, junction(n->a, "CONJUNCTION_AND", &q->demands.v[i]));
    }
    split(n->a, either.n == 1 ? either.v[0] : junction(n->a, "CONJUNCTION_OR", &either), ret);
}

/* The same in terms of a SELECT's relations. */
static void demanded_inside(narrow *n, narrow_query *q, narrow_vals *ret)
{
    narrow_vals wanted = { 0 };
    demanded(n, q, &wanted);
    if (wanted.n == 0 || !takes_demands(q->node)) {
        return;
    }
    for (size_t i = 0; i < wanted.n; i++) {
        size_t count = 0;
        mapper m = { .n = n, .q = q, .map = map_to_expr, .count = &count };
        tn_val cond = map_tree(&m, wanted.v[i], 0);
        if (cond.tag == TN_DICT &&
            keeps_windows(n, q, tn_val_at(q->node, "select_list"), cond, 0) &&
            keeps_windows(n, q, tn_val_at(q->node, "qualify"), cond, 0)) {
            split(n->a, cond, ret);
        }
    }
}

/* ---- passing on ---- */

static void demand(narrow *n, narrow_query *q, const narrow_vals *conds)
{
    if (conds->n == 0) {
        q->all = true;
    } else {
        tn_vec_push(&q->demands, n->a, *conds);
    }
}

static void pick(
    narrow *n, narrow_query *q, const narrow_item *item, const narrow_vals *from, narrow_vals *ret)
{
    for (size_t i = 0; i < from->n; i++) {
        size_t count = 0;
        mapper m = { .n = n, .q = q, .item = item, .map = map_to_item, .count = &count };
        tn_val cond = map_tree(&m, from->v[i], 0);
        if (cond.tag == TN_DICT && count > 0) {
            tn_vec_push(ret, n->a, cond);
        }
    }
}

static void prune(narrow *n, narrow_query *q, const narrow_item *item, const narrow_vals *conds)
{
    size_t files = tn_delta_snapshot_file_count(item->snap);
    bool *keep = tn_arena_alloc(n->a, files + 1);
    memset(keep, 1, files);
    tn_delta_prune_tree(item->snap, junction(n->a, "CONJUNCTION_AND", conds), keep);
    narrow_table(n, q->text, item, keep);
}

static void process_select(narrow *n, narrow_query *q)
{
    narrow_vals where = { 0 };
    split(n->a, tn_val_at(q->node, "where_clause"), &where);
    demanded_inside(n, q, &where);
    for (size_t i = 0; i < q->items.n; i++) {
        const narrow_item *item = &q->items.v[i];
        narrow_vals on = { 0 };
        narrow_vals conds = { 0 };
        if (item->snap == NULL && item->query == NULL) {
            continue;
        }
        for (size_t k = 0; k < item->on.n; k++) {
            split(n->a, item->on.v[k], &on);
        }
        if (item->where) {
            pick(n, q, item, &where, &conds);
        }
        pick(n, q, item, &on, &conds);
        if (item->query != NULL) {
            demand(n, item->query, &conds);
        } else if (conds.n > 0) {
            prune(n, q, item, &conds);
        }
    }
}

/* The type of a query's column as DuckDB calls it, where that can be told: of a table's column or a cast. */
static tn_str type_of(narrow *n, narrow_query *q, size_t i, int depth)
{
    const narrow_outputs *o = outputs_of(n, q);
    if (i >= o->list.n || depth > NARROW_DEPTH_MAX) {
        return TN_STR_NONE;
    }
    if (q->left != NULL) {
        tn_str left = type_of(n, q->left, i, depth + 1);
        return tn_str_eq(left, type_of(n, q->right, i, depth + 1)) ? left : TN_STR_NONE;
    }
    tn_val expr = o->list.v[i].expr;
    if (narrow_says(expr, "class", "CAST")) {
        tn_val type = tn_val_at(expr, "cast_type");
        return narrow_no(type, "type_info") ? tn_val_str_at(type, "id", TN_STR_NONE) : TN_STR_NONE;
    }
    for (size_t k = 0; is_ref(expr) && k < q->items.n; k++) {
        const narrow_item *item = &q->items.v[k];
        tn_val ref = item_ref(n, q, item, tn_val_at(expr, "column_names"));
        tn_val names = tn_val_at(ref, "column_names");
        if (ref.tag == TN_DICT && item->snap != NULL && names.list->n == 1) {
            tn_buf b = tn_buf_init(n->a, 1 << 16);
            tn_delta_type_to_sql(&b, field_of(item->snap, tn_val_as_str(names.list->v[0]))->type);
            return tn_buf_str(&b);
        }
        if (ref.tag == TN_DICT) {
            return item->query != NULL && names.list->n == 2
                       ? type_of(n, item->query, output_number(names), depth + 1)
                       : TN_STR_NONE;
        }
    }
    return TN_STR_NONE;
}

/* Both sides have the column at the same place, under the same name if that counts, and with the same type. */
static bool same_outputs(narrow *n, narrow_query *q, tn_val cond, int depth)
{
    if (depth > NARROW_DEPTH_MAX) {
        return false;
    }
    if (is_ref(cond)) {
        size_t i = output_number(tn_val_at(cond, "column_names"));
        tn_str type = type_of(n, q, i, 0);
        return type.n > 0 && (!narrow_says(q->node, "setop_type", "UNION_BY_NAME") ||
                                 tn_str_eq_nocase(outputs_of(n, q->left)->list.v[i].name,
                                     outputs_of(n, q->right)->list.v[i].name));
    }
    size_t at = 0;
    tn_val child;
    while (narrow_next(cond, &at, &child)) {
        if (!same_outputs(n, q, child, depth + 1)) {
            return false;
        }
    }
    return true;
}

static void process_set(narrow *n, narrow_query *q)
{
    narrow_vals wanted = { 0 };
    narrow_vals passed = { 0 };
    demanded(n, q, &wanted);
    for (size_t i = 0; takes_demands(q->node) && i < wanted.n; i++) {
        size_t count = 0;
        mapper m = { .n = n, .q = q, .map = map_to_output, .count = &count };
        tn_val cond = map_tree(&m, wanted.v[i], 0);
        if (cond.tag == TN_DICT && count > 0 && same_outputs(n, q, cond, 0)) {
            tn_vec_push(&passed, n->a, cond);
        }
    }
    demand(n, q->left, &passed);
    demand(n, q->right, &passed);
}

void narrow_process(narrow *n, narrow_query *q)
{
    if (q->left != NULL) {
        process_set(n, q);
    } else {
        process_select(n, q);
    }
}
