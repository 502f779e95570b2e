/* lineage_plan.c: from a bound plan to the origins of its columns.
 *
 * In a plan that is bound and not optimized, every expression names the columns of the operators below it by place (BOUND_REF): a
 * projection's output is its expressions, a join's is left then right, an aggregate's is groups, aggregates, GROUPING(). So one walk from
 * the leaves up is all that is needed. Three things are named by a number instead: common table expressions, what a correlated subquery
 * sees of the outside (DELIM_GET, of the nearest DELIM_JOIN around it), and inputs of table functions (BOUND_COLUMN_REF).
 */
#include "run/lineage.h"

#include "run/value/relation.h"

enum { PLAN_DEPTH_MAX = 400, NO_INDEX = -1 };

typedef tn_plan_columns cols;

typedef struct binding {
    int64_t index;
    cols cols;
} binding;

typedef struct delim {
    cols cols;
    const struct delim *around;
} delim;

typedef struct walk {
    tn_arena *arena;
    const tn_map *relations;
    tn_vec(binding) bindings;
    const delim *delim;
    tn_origins rows;
    int depth;
} walk;

static tn_rc walk_op(walk *w, tn_val op, cols *ret, tn_err *err);

const char *tn_how_name(tn_how h)
{
    static const char *const names[] = { "identity", "transformation", "aggregation", "filter",
        "join", "group" };
    return names[h];
}

/* ---- sets of origins ---- */

static bool rows_only(tn_how h)
{
    return h >= TN_HOW_FILTER;
}

static void add_origin(walk *w, tn_origins *into, const tn_origin *o, tn_how how)
{
    tn_how most = rows_only(how) || rows_only(o->how) || how > o->how ? how : o->how;
    for (size_t i = 0; i < into->n; i++) {
        tn_origin *have = &into->v[i];
        if (have->node == o->node && tn_str_eq(have->column, o->column) &&
            tn_str_eq(have->relation, o->relation)) {
            have->how = most > have->how && !rows_only(have->how) ? most : have->how;
            return;
        }
    }
    tn_origin added = *o;
    added.how = most;
    tn_vec_push(into, w->arena, added);
}

static void add_all(walk *w, tn_origins *into, const tn_origins *from, tn_how how)
{
    for (size_t i = 0; i < from->n; i++) {
        add_origin(w, into, &from->v[i], how);
    }
}

static cols make_cols(walk *w, size_t n)
{
    return (cols){ .v = tn_new_array(w->arena, tn_origins, n + 1), .n = n };
}

static cols concat(walk *w, const cols *l, const cols *r)
{
    cols both = make_cols(w, l->n + r->n);
    for (size_t i = 0; i < both.n; i++) {
        both.v[i] = i < l->n ? l->v[i] : r->v[i - l->n];
    }
    return both;
}

static void bind(walk *w, int64_t index, const cols *c)
{
    for (size_t i = 0; i < w->bindings.n; i++) {
        if (w->bindings.v[i].index == index) {
            w->bindings.v[i].cols = *c;
            return;
        }
    }
    tn_vec_push(&w->bindings, w->arena, ((binding){ index, *c }));
}

static const cols *bound(const walk *w, int64_t index)
{
    for (size_t i = 0; i < w->bindings.n; i++) {
        if (w->bindings.v[i].index == index) {
            return &w->bindings.v[i].cols;
        }
    }
    return NULL;
}

/* ---- expressions ---- */

static tn_how how_of(tn_val e, tn_str class)
{
    bool many = tn_str_is(class, "BOUND_AGGREGATE") ||
                tn_str_is(tn_val_str_at(e, "type", TN_STR_NONE), "WINDOW_AGGREGATE");
    return many ? TN_HOW_AGGREGATION : TN_HOW_TRANSFORMATION;
}

static void collect_ref(walk *w, const cols *in, tn_val e, tn_how how, tn_origins *into)
{
    tn_val b = tn_val_at(e, "binding");
    const cols *from = b.tag == TN_DICT ? bound(w, tn_val_int_at(b, "table_index", NO_INDEX)) : in;
    int64_t at = b.tag == TN_DICT ? tn_val_int_at(b, "column_index", NO_INDEX)
                                  : tn_val_int_at(e, "index", NO_INDEX);
    if (from != NULL && at >= 0 && (uint64_t)at < from->n) {
        add_all(w, into, &from->v[at], how);
    }
}

/* All columns in e, whatever it is. Function data is left out: lambdas have places of their own there, and their captures stand among the
 * children too. */
static void collect(walk *w, const cols *in, tn_val e, tn_how how, tn_origins *into)
{
    if (tn_val_is_seq(e)) {
        for (size_t i = 0; i < e.list->n; i++) {
            collect(w, in, e.list->v[i], how, into);
        }
        return;
    }
    if (e.tag != TN_DICT) {
        return;
    }
    tn_str class = tn_val_str_at(e, "expression_class", TN_STR_NONE);
    if (tn_str_is(class, "BOUND_REF") || tn_str_is(class, "BOUND_COLUMN_REF")) {
        collect_ref(w, in, e, how, into);
        return;
    }
    if (class.n > 0 && !rows_only(how)) {
        tn_how own = how_of(e, class);
        how = own > how ? own : how;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(e.dict, &at)) != NULL) {
        if (!tn_str_is(tn_val_as_str(it->key), "function_data") &&
            (it->value.tag == TN_DICT || tn_val_is_seq(it->value))) {
            collect(w, in, it->value, how, into);
        }
    }
}

static size_t list_n(tn_val v)
{
    return tn_val_is_seq(v) ? v.list->n : 0;
}

/* into[at..]: one column an expression. */
static void collect_each(walk *w, const cols *in, tn_val list, cols *into, size_t at)
{
    for (size_t i = 0; i < list_n(list); i++) {
        collect(w, in, list.list->v[i], TN_HOW_IDENTITY, &into->v[at + i]);
    }
}

/* ---- operators ---- */

static tn_rc child(walk *w, tn_val op, size_t i, cols *ret, tn_err *err)
{
    tn_val children = tn_val_at(op, "children");
    if (i >= list_n(children)) {
        return tn_fail(err, TN_E_UNSUPPORTED, "a plan without its input %zu", i);
    }
    return walk_op(w, children.list->v[i], ret, err);
}

static tn_rc projection(walk *w, tn_val op, cols *ret, tn_err *err)
{
    cols in;
    TN_TRY(child(w, op, 0, &in, err));
    tn_val list = tn_val_at(op, "expressions");
    *ret = make_cols(w, list_n(list));
    collect_each(w, &in, list, ret, 0);
    return TN_OK;
}

/* Filter, order, limit, distinct: the columns stay what they are. */
static tn_rc passing(walk *w, tn_val op, cols *ret, tn_err *err)
{
    TN_TRY(child(w, op, 0, ret, err));
    bool filter = tn_str_is(tn_val_str_at(op, "type", TN_STR_NONE), "LOGICAL_FILTER");
    bool distinct_on = tn_str_is(tn_val_str_at(op, "distinct_type", TN_STR_NONE), "DISTINCT_ON");
    if (filter) {
        collect(w, ret, tn_val_at(op, "expressions"), TN_HOW_FILTER, &w->rows);
    }
    if (distinct_on) {
        collect(w, ret, tn_val_at(op, "distinct_targets"), TN_HOW_GROUP, &w->rows);
    }
    return TN_OK;
}

static tn_rc aggregate(walk *w, tn_val op, cols *ret, tn_err *err)
{
    cols in;
    TN_TRY(child(w, op, 0, &in, err));
    tn_val groups = tn_val_at(op, "groups"), values = tn_val_at(op, "expressions");
    size_t g = list_n(groups), v = list_n(values);
    *ret = make_cols(w, g + v + list_n(tn_val_at(op, "grouping_functions")));
    collect_each(w, &in, groups, ret, 0);
    collect_each(w, &in, values, ret, g);
    collect(w, &in, groups, TN_HOW_GROUP, &w->rows);
    return TN_OK;
}

/* WINDOW and UNNEST: the input, then what is computed. */
static tn_rc appending(walk *w, tn_val op, cols *ret, tn_err *err)
{
    cols in;
    TN_TRY(child(w, op, 0, &in, err));
    tn_val list = tn_val_at(op, "expressions");
    cols more = make_cols(w, list_n(list));
    collect_each(w, &in, list, &more, 0);
    *ret = concat(w, &in, &more);
    return TN_OK;
}

/* ---- joins ---- */

typedef struct sides {
    cols l, r;
    tn_origins r_rows; /* what chooses the rows of the right side */
} sides;

/* What IN and EXISTS answer: made of the columns compared, and of what chooses the rows that are looked for. */
static void mark_column(walk *w, const cols *both, const sides *s, tn_val op, cols *ret)
{
    cols mark = make_cols(w, 1);
    const cols *l = &s->l, *r = &s->r;
    add_all(w, &mark.v[0], &s->r_rows, TN_HOW_TRANSFORMATION);
    tn_val conditions = tn_val_at(op, "conditions");
    for (size_t i = 0; i < list_n(conditions); i++) {
        tn_val c = conditions.list->v[i];
        collect(w, l, tn_val_at(c, "left"), TN_HOW_TRANSFORMATION, &mark.v[0]);
        collect(w, r, tn_val_at(c, "right"), TN_HOW_TRANSFORMATION, &mark.v[0]);
    }
    collect(w, both, tn_val_at(op, "condition"), TN_HOW_TRANSFORMATION, &mark.v[0]);
    *ret = concat(w, l, &mark);
}

static tn_rc join_output(walk *w, tn_val op, const sides *s, cols *ret)
{
    const cols *l = &s->l, *r = &s->r;
    tn_str kind = tn_val_str_at(op, "join_type", TN_STR_NONE);
    cols both = concat(w, l, r);
    if (tn_str_is(kind, "MARK")) {
        mark_column(w, &both, s, op, ret);
        return TN_OK;
    }
    bool left_only = tn_str_is(kind, "SEMI") || tn_str_is(kind, "ANTI");
    bool right_only = tn_str_is(kind, "RIGHT_SEMI") || tn_str_is(kind, "RIGHT_ANTI");
    *ret = left_only ? *l : right_only ? *r : both;
    tn_val conditions = tn_val_at(op, "conditions");
    for (size_t i = 0; i < list_n(conditions); i++) {
        tn_val c = conditions.list->v[i];
        collect(w, l, tn_val_at(c, "left"), TN_HOW_JOIN, &w->rows);
        collect(w, r, tn_val_at(c, "right"), TN_HOW_JOIN, &w->rows);
    }
    collect(w, &both, tn_val_at(op, "condition"), TN_HOW_JOIN, &w->rows);
    return TN_OK;
}

static tn_rc right_side(walk *w, tn_val op, sides *s, tn_err *err)
{
    tn_origins before = w->rows;
    w->rows = (tn_origins){ 0 };
    tn_rc rc = child(w, op, 1, &s->r, err);
    s->r_rows = w->rows;
    w->rows = before;
    for (size_t i = 0; i < s->r_rows.n; i++) {
        add_origin(w, &w->rows, &s->r_rows.v[i], s->r_rows.v[i].how);
    }
    return rc;
}

static tn_rc join(walk *w, tn_val op, cols *ret, tn_err *err)
{
    sides s;
    TN_TRY(child(w, op, 0, &s.l, err));
    TN_TRY(right_side(w, op, &s, err));
    return join_output(w, op, &s, ret);
}

static tn_rc delim_join(walk *w, tn_val op, cols *ret, tn_err *err)
{
    sides s;
    TN_TRY(child(w, op, 0, &s.l, err));
    tn_val list = tn_val_at(op, "duplicate_eliminated_columns");
    delim here = { .cols = make_cols(w, list_n(list)), .around = w->delim };
    collect_each(w, &s.l, list, &here.cols, 0);
    w->delim = &here;
    tn_rc rc = right_side(w, op, &s, err);
    w->delim = here.around;
    return rc == TN_OK ? join_output(w, op, &s, ret) : rc;
}

static tn_rc delim_get(walk *w, tn_val op, cols *ret, tn_err *err)
{
    (void)op;
    if (w->delim == NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED, "a correlated subquery outside of any query");
    }
    *ret = w->delim->cols;
    return TN_OK;
}

/* ---- sets and common table expressions ---- */

static void unite(walk *w, cols *into, const cols *more)
{
    for (size_t i = 0; i < into->n && i < more->n; i++) {
        add_all(w, &into->v[i], &more->v[i], TN_HOW_IDENTITY);
    }
}

static cols copy(walk *w, const cols *c)
{
    cols made = make_cols(w, c->n);
    unite(w, &made, c);
    return made;
}

/* EXCEPT and INTERSECT give values of the left side only; the right one decides which. */
static tn_rc set_operation(walk *w, tn_val op, cols *ret, tn_err *err)
{
    cols l, r;
    TN_TRY(child(w, op, 0, &l, err));
    *ret = copy(w, &l);
    bool all = tn_str_is(tn_val_str_at(op, "type", TN_STR_NONE), "LOGICAL_UNION");
    for (size_t i = 1; i < list_n(tn_val_at(op, "children")); i++) {
        TN_TRY(child(w, op, i, &r, err));
        for (size_t k = 0; !all && k < r.n; k++) {
            add_all(w, &w->rows, &r.v[k], TN_HOW_FILTER);
        }
        if (all) {
            unite(w, ret, &r);
        }
    }
    return TN_OK;
}

static tn_rc cte(walk *w, tn_val op, cols *ret, tn_err *err)
{
    cols c;
    TN_TRY(child(w, op, 0, &c, err));
    bind(w, tn_val_int_at(op, "table_index", NO_INDEX), &c);
    return child(w, op, 1, ret, err);
}

static size_t count_origins(const cols *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        n += c->v[i].n;
    }
    return n;
}

/* The recursive part may pass origins from column to column: until nothing is new. */
static tn_rc recursive(walk *w, tn_val op, cols *ret, tn_err *err)
{
    cols l, r;
    TN_TRY(child(w, op, 0, &l, err));
    *ret = copy(w, &l);
    for (size_t before = SIZE_MAX; before != count_origins(ret);) {
        before = count_origins(ret);
        bind(w, tn_val_int_at(op, "table_index", NO_INDEX), ret);
        TN_TRY(child(w, op, 1, &r, err));
        unite(w, ret, &r);
    }
    return TN_OK;
}

static tn_rc cte_ref(walk *w, tn_val op, cols *ret, tn_err *err)
{
    const cols *c = bound(w, tn_val_int_at(op, "cte_index", NO_INDEX));
    if (c == NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED, "a common table expression that is not in the plan");
    }
    *ret = *c;
    return TN_OK;
}

/* ---- leaves ---- */

/* A table of the project, or what the SQL names by itself: "db.schema.table", "parquet_scan('/data/x.parquet')". */
static tn_origin origin_of(walk *w, tn_val op)
{
    tn_val data = tn_val_at(op, "function_data"), files = tn_val_at(data, "files");
    tn_str table = tn_val_str_at(data, "table", TN_STR_NONE),
           fn = tn_val_str_at(op, "name", TN_STR("a table function"));
    tn_str schema = tn_val_str_at(data, "schema", TN_STR_NONE),
           database = tn_val_str_at(data, "catalog", TN_STR_NONE);
    if (table.n > 0) {
        const tn_node *n =
            tn_map_find(w->relations, tn_relation_key(w->arena, database, schema, table));
        return (tn_origin){ .node = n,
            .relation = n != NULL
                            ? TN_STR_NONE
                            : tn_str_printf(w->arena, TN_STR_FMT "." TN_STR_FMT "." TN_STR_FMT,
                                  TN_STR_ARG(database), TN_STR_ARG(schema), TN_STR_ARG(table)) };
    }
    tn_buf b = tn_buf_init(w->arena, TN_BUF_NO_LIMIT);
    tn_buf_add(&b, fn);
    if (list_n(files) == 0) {
        tn_buf_addz(&b, "(...)");
    } else {
        tn_buf_addf(&b, "('" TN_STR_FMT "'%s)", TN_STR_ARG(tn_val_as_str(files.list->v[0])),
            list_n(files) > 1 ? ", ..." : "");
    }
    return (tn_origin){ .relation = tn_buf_str(&b) };
}

/* A table function of columns (unnest(tags), a LATERAL one): all that goes in may be in what comes out. */
static tn_rc function_of_columns(walk *w, tn_val op, size_t outputs, cols *ret, tn_err *err)
{
    cols in;
    TN_TRY(child(w, op, 0, &in, err));
    tn_val kept = tn_val_at(op, "projected_input");
    size_t passed = list_n(kept), args = in.n > passed ? in.n - passed : in.n;
    *ret = make_cols(w, outputs + passed);
    for (size_t i = 0; i < outputs; i++) {
        for (size_t k = 0; k < args; k++) {
            add_all(w, &ret->v[i], &in.v[k], TN_HOW_TRANSFORMATION);
        }
    }
    for (size_t i = 0; i < passed; i++) {
        int64_t at = kept.list->v[i].tag == TN_INT ? kept.list->v[i].i : NO_INDEX;
        ret->v[outputs + i] = at >= 0 && (uint64_t)at < in.n ? in.v[at] : (tn_origins){ 0 };
    }
    return TN_OK;
}

/* range, generate_series, unnest of constants: values from nowhere. */
static bool makes_values(tn_val op)
{
    return list_n(tn_val_at(op, "arguments")) > 0 &&
           tn_val_at(tn_val_at(op, "function_data"), "files").tag == TN_UNDEF &&
           tn_val_str_at(tn_val_at(op, "function_data"), "table", TN_STR_NONE).n == 0;
}

static tn_rc get(walk *w, tn_val op, cols *ret, tn_err *err)
{
    tn_val names = tn_val_at(op, "names"), chosen = tn_val_at(op, "column_indexes");
    size_t n = list_n(chosen) > 0 ? list_n(chosen) : 1;
    if (list_n(tn_val_at(op, "children")) > 0) {
        return function_of_columns(w, op, n, ret, err);
    }
    *ret = make_cols(w, n);
    tn_origin o = origin_of(w, op);
    for (size_t i = 0; i < list_n(chosen) && !makes_values(op); i++) {
        int64_t at = tn_val_int_at(chosen.list->v[i], "index", NO_INDEX);
        if (at >= 0 && (uint64_t)at < list_n(names)) { /* others are row ids */
            o.column = tn_val_as_str(names.list->v[at]);
            add_origin(w, &ret->v[i], &o, TN_HOW_IDENTITY);
        }
    }
    return TN_OK;
}

/* VALUES, constants, empty results: as many columns as they say, from nowhere. VALUES may hold columns of the outside. */
static tn_rc values(walk *w, tn_val op, cols *ret, tn_err *err)
{
    tn_val rows = tn_val_at(op, "expressions");
    size_t n = list_n(tn_val_at(op, "expr_types"));
    n = n > 0 ? n : list_n(tn_val_at(op, "chunk_types"));
    n = n > 0 ? n : list_n(tn_val_at(op, "return_types"));
    *ret = make_cols(w, n > 0 ? n : 1);
    if (list_n(rows) > 0 && list_n(tn_val_at(op, "children")) > 0) {
        cols in;
        TN_TRY(child(w, op, 0, &in, err));
        for (size_t i = 0; i < list_n(rows); i++) {
            cols row = make_cols(w, ret->n);
            if (list_n(rows.list->v[i]) <= ret->n) {
                collect_each(w, &in, rows.list->v[i], &row, 0);
            }
            unite(w, ret, &row);
        }
    }
    return TN_OK;
}

typedef tn_rc (*op_fn)(walk *w, tn_val op, cols *ret, tn_err *err);
static const struct {
    const char *type;
    op_fn fn;
} ops[] = { { "LOGICAL_PROJECTION", projection }, { "LOGICAL_GET", get },
    { "LOGICAL_FILTER", passing }, { "LOGICAL_ORDER_BY", passing }, { "LOGICAL_LIMIT", passing },
    { "LOGICAL_TOP_N", passing }, { "LOGICAL_DISTINCT", passing }, { "LOGICAL_SAMPLE", passing },
    { "LOGICAL_AGGREGATE_AND_GROUP_BY", aggregate }, { "LOGICAL_WINDOW", appending },
    { "LOGICAL_UNNEST", appending }, { "LOGICAL_COMPARISON_JOIN", join },
    { "LOGICAL_ANY_JOIN", join }, { "LOGICAL_ASOF_JOIN", join }, { "LOGICAL_CROSS_PRODUCT", join },
    { "LOGICAL_POSITIONAL_JOIN", join }, { "LOGICAL_DELIM_JOIN", delim_join },
    { "LOGICAL_DELIM_GET", delim_get }, { "LOGICAL_UNION", set_operation },
    { "LOGICAL_EXCEPT", set_operation }, { "LOGICAL_INTERSECT", set_operation },
    { "LOGICAL_MATERIALIZED_CTE", cte }, { "LOGICAL_RECURSIVE_CTE", recursive },
    { "LOGICAL_CTE_REF", cte_ref }, { "LOGICAL_EXPRESSION_GET", values },
    { "LOGICAL_DUMMY_SCAN", values }, { "LOGICAL_CHUNK_GET", values },
    { "LOGICAL_EMPTY_RESULT", values } };

static tn_rc walk_op(walk *w, tn_val op, cols *ret, tn_err *err)
{
    tn_str type = tn_val_str_at(op, "type", TN_STR_NONE);
    for (size_t i = 0; i < TN_COUNTOF(ops); i++) {
        if (!tn_str_is(type, ops[i].type)) {
            continue;
        }
        if (w->depth >= PLAN_DEPTH_MAX) {
            return tn_fail(err, TN_E_LIMIT, "a query nested deeper than %d", (int)PLAN_DEPTH_MAX);
        }
        w->depth++;
        tn_rc rc = ops[i].fn(w, op, ret, err);
        w->depth--;
        int64_t index = tn_val_int_at(op, "table_index", NO_INDEX);
        if (rc == TN_OK && index >= 0 && ops[i].fn != cte) {
            bind(w, index, ret);
        }
        return rc;
    }
    return tn_fail(err, TN_E_UNSUPPORTED, "the plan has a step that is not known here: " TN_STR_FMT,
        TN_STR_ARG(type));
}

tn_rc tn_plan_lineage(tn_arena *a, tn_val plan, const tn_map *relations, tn_plan_columns *ret,
    tn_origins *ret_rows, tn_err *err)
{
    walk w = { .arena = a, .relations = relations };
    TN_TRY(walk_op(&w, plan, ret, err));
    *ret_rows = w.rows;
    return TN_OK;
}
