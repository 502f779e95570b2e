/* lineage_print.c: lineage as a graph whose points are relations, or columns of relations, and its forms: a tree for people, JSON, Graphviz,
 * Mermaid. A point without a column in a graph of columns stands for the rows of its relation. */
#include "base/nearest.h"
#include "run/lineage.h"
#include "text/json.h"

typedef struct point point;
typedef struct edge {
    point *to;
    tn_how how;
} edge;

struct point {
    const tn_node *node; /* NULL: `relation` is outside of the project */
    tn_str relation, column, type;
    const tn_lineage_node *known; /* of columns */
    tn_vec(edge) up, down;
    size_t id;
    bool chosen, printed;
};

typedef tn_vec(point *) points;

typedef struct picture {
    const tn_project *project;
    const tn_lineage *columns;
    const tn_lineage_view *view;
    tn_arena *arena;
    points all;
    tn_map by_key;
    points roots;
    tn_buf *b;
    size_t shown;
} picture;

bool tn_lineage_form_find(tn_str name, tn_lineage_form *ret)
{
    static const char *const names[] = { "text", "json", "dot", "mermaid" };
    for (int i = 0; i < (int)TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i])) {
            *ret = (tn_lineage_form)i;
            return true;
        }
    }
    return false;
}

/* ---- the graph ---- */

static point *point_of(picture *g, const tn_node *n, tn_str relation, tn_str column)
{
    TN_AUTO_ARENA scratch = tn_arena_new("key", NULL);
    tn_str key = tn_str_lower(
        scratch, tn_str_printf(scratch, TN_STR_FMT "\x1f" TN_STR_FMT,
                     TN_STR_ARG(n != NULL ? n->unique_id : relation), TN_STR_ARG(column)));
    point *p = tn_map_find(&g->by_key, key);
    if (p == NULL) {
        p = tn_new(g->arena, point);
        *p = (point){ .node = n, .relation = relation, .column = column, .id = g->all.n };
        tn_map_put(&g->by_key, tn_str_dup(g->arena, key), p);
        tn_vec_push(&g->all, g->arena, p);
    }
    return p;
}

static void link_points(picture *g, point *from, point *to, tn_how how)
{
    tn_vec_push(&from->down, g->arena, ((edge){ to, how }));
    tn_vec_push(&to->up, g->arena, ((edge){ from, how }));
}

static void graph_of_relations(picture *g)
{
    for (size_t i = 0; i < g->project->order.n; i++) {
        const tn_node *n = g->project->order.v[i];
        if (!tn_lineage_has(n)) {
            continue;
        }
        point *to = point_of(g, n, TN_STR_NONE, TN_STR_NONE);
        for (size_t k = 0; k < n->parents.n; k++) {
            if (tn_lineage_has(n->parents.v[k])) {
                link_points(
                    g, point_of(g, n->parents.v[k], TN_STR_NONE, TN_STR_NONE), to, TN_HOW_IDENTITY);
            }
        }
    }
}

static void link_origins(picture *g, const tn_origins *from, point *to)
{
    for (size_t i = 0; i < from->n; i++) {
        const tn_origin *o = &from->v[i];
        link_points(g, point_of(g, o->node, o->relation, o->column), to, o->how);
    }
}

static void graph_of_columns(picture *g)
{
    for (size_t i = 0; i < g->columns->n; i++) {
        const tn_lineage_node *l = &g->columns->nodes[i];
        for (size_t k = 0; k < l->n; k++) {
            point *p = point_of(g, l->node, TN_STR_NONE, l->columns[k].name);
            p->type = l->columns[k].type;
            p->known = l;
            link_origins(g, &l->columns[k].from, p);
        }
        if (l->rows.n > 0) {
            link_origins(g, &l->rows, point_of(g, l->node, TN_STR_NONE, TN_STR_NONE));
        }
    }
}

/* Those one step on that were not seen yet. */
static void step_from(const point *p, bool up, bool *seen, tn_arena *a, points *next)
{
    size_t n = up ? p->up.n : p->down.n;
    for (size_t k = 0; k < n; k++) {
        point *to = up ? p->up.v[k].to : p->down.v[k].to;
        if (!seen[to->id]) {
            seen[to->id] = true;
            tn_vec_push(next, a, to);
        }
    }
}

/* Breadth first, so that the depth is the number of steps on the shortest way. */
static void choose(picture *g, bool up)
{
    points now = g->roots;
    bool *seen = tn_new_array(g->arena, bool, g->all.n + 1);
    for (int64_t step = 0; now.n > 0; step++) {
        points next = { 0 };
        for (size_t i = 0; i < now.n; i++) {
            point *p = now.v[i];
            p->chosen = true;
            if (g->view->depth < 0 || step < g->view->depth) {
                step_from(p, up, seen, g->arena, &next);
            }
        }
        now = next;
    }
}

/* ---- labels ---- */

static tn_str node_label(tn_arena *a, const tn_node *n)
{
    if (n->kind == TN_NODE_SOURCE) {
        return tn_str_printf(
            a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(n->source->source_name), TN_STR_ARG(n->name));
    }
    tn_str version = tn_val_is_given(n->version) ? tn_val_to_str(a, n->version) : TN_STR_NONE;
    return version.n > 0 ? tn_str_printf(a, TN_STR_FMT ".v" TN_STR_FMT, TN_STR_ARG(n->name),
                               TN_STR_ARG(version))
                         : n->name;
}

static tn_str label(const picture *g, const point *p)
{
    tn_str name = p->node != NULL ? node_label(g->arena, p->node) : p->relation;
    if (g->columns == NULL) {
        return name;
    }
    return p->column.n == 0 ? tn_str_printf(g->arena, TN_STR_FMT " (rows)", TN_STR_ARG(name))
                            : tn_str_printf(g->arena, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(name),
                                  TN_STR_ARG(p->column));
}

static tn_str kind_label(tn_arena *a, const tn_node *n)
{
    if (n == NULL) {
        return TN_STR("outside of the project");
    }
    tn_str m = tn_node_config_str(n, "materialized", TN_STR_NONE);
    return n->kind == TN_NODE_MODEL && m.n > 0
               ? tn_str_printf(a, TN_STR_FMT " model", TN_STR_ARG(m))
               : tn_str_of(tn_node_kind_name(n->kind));
}

static bool origins_unknown(const point *p)
{
    return p->known != NULL && p->known->problem.n > 0 && p->node->kind != TN_NODE_SOURCE;
}

/* ---- text ---- */

static void print_branch(picture *g, point *p, bool up, int64_t depth, tn_str indent)
{
    size_t n = up ? p->up.n : p->down.n;
    const edge *edges = up ? p->up.v : p->down.v;
    for (size_t i = 0; i < n; i++) {
        point *to = edges[i].to;
        bool last = i + 1 == n;
        tn_buf_addf(g->b, TN_STR_FMT "%s" TN_STR_FMT, TN_STR_ARG(indent), last ? "└── " : "├── ",
            TN_STR_ARG(label(g, to)));
        tn_str note = g->columns != NULL ? tn_str_of(tn_how_name(edges[i].how))
                                         : kind_label(g->arena, to->node);
        tn_buf_addf(g->b, "  " TN_STR_FMT, TN_STR_ARG(note));
        bool more = (up ? to->up.n : to->down.n) > 0;
        bool stop = g->view->depth >= 0 && depth >= g->view->depth;
        tn_buf_addz(g->b, up && origins_unknown(to)      ? "  (origins not known)\n"
                          : more && to->printed && !stop ? "  (see above)\n"
                                                         : "\n");
        if (more && !to->printed && !stop) {
            to->printed = true;
            print_branch(g, to, up, depth + 1,
                tn_str_printf(
                    g->arena, TN_STR_FMT "%s", TN_STR_ARG(indent), last ? "    " : "│   "));
        }
    }
}

static void print_side(picture *g, point *root, bool up)
{
    for (size_t i = 0; i < g->all.n; i++) {
        g->all.v[i]->printed = false;
    }
    root->printed = true;
    tn_buf_addz(g->b, up ? "upstream\n" : "downstream\n");
    if ((up ? root->up.n : root->down.n) == 0) {
        tn_buf_addz(g->b, up && origins_unknown(root) ? "└── not known\n" : "└── nothing\n");
    } else {
        print_branch(g, root, up, 1, TN_STR(""));
    }
}

/* What chooses the rows of the root's relation: a change of it changes every column. */
static void print_rows(picture *g, const point *root)
{
    const point *rows = point_of(g, root->node, TN_STR_NONE, TN_STR_NONE);
    for (size_t i = 0; i < rows->up.n; i++) {
        tn_buf_addf(g->b, "%s" TN_STR_FMT " (%s)", i == 0 ? "rows chosen by " : ", ",
            TN_STR_ARG(label(g, rows->up.v[i].to)), tn_how_name(rows->up.v[i].how));
    }
    tn_buf_addz(g->b, rows->up.n > 0 ? "\n" : "");
}

static void print_problems(picture *g)
{
    bool any = false;
    for (size_t i = 0; g->columns != NULL && i < g->columns->n; i++) {
        const tn_lineage_node *l = &g->columns->nodes[i];
        if (l->problem.n > 0) {
            tn_buf_addf(g->b, "%s  " TN_STR_FMT ": " TN_STR_FMT "\n", any ? "" : "not known\n",
                TN_STR_ARG(l->node->unique_id), TN_STR_ARG(l->problem));
            any = true;
        }
    }
}

static void print_text(picture *g)
{
    for (size_t i = 0; i < g->roots.n; i++) {
        point *root = g->roots.v[i];
        tn_str note = g->columns != NULL ? root->type : kind_label(g->arena, root->node);
        tn_buf_addf(g->b, "%s" TN_STR_FMT "  " TN_STR_FMT "\n", i > 0 ? "\n" : "",
            TN_STR_ARG(label(g, root)), TN_STR_ARG(note));
        if (g->view->up) {
            print_side(g, root, true);
        }
        if (g->view->down) {
            print_side(g, root, false);
        }
    }
    if (g->columns != NULL && g->view->up) {
        print_rows(g, g->roots.v[0]);
    }
    print_problems(g);
}

/* ---- JSON, Graphviz, Mermaid: the chosen points and the edges between them ---- */

static void put_point(tn_json_writer *w, const point *p)
{
    tn_jw_obj(w);
    if (p->node != NULL) {
        tn_jw_key(w, "node");
        tn_jw_str(w, p->node->unique_id);
    } else {
        tn_jw_key(w, "relation");
        tn_jw_str(w, p->relation);
    }
    tn_jw_key(w, "column");
    if (p->column.n > 0) {
        tn_jw_str(w, p->column);
    } else {
        tn_jw_null(w);
    }
    if (p->type.n > 0) {
        tn_jw_key(w, "type");
        tn_jw_str(w, p->type);
    }
    tn_jw_obj_end(w);
}

static void put_nodes(picture *g, tn_json_writer *w)
{
    bool *seen = tn_new_array(g->arena, bool, g->project->nodes.n + 1);
    tn_jw_key(w, "nodes");
    tn_jw_arr(w);
    for (size_t i = 0; i < g->all.n; i++) {
        const tn_node *n = g->all.v[i]->node;
        if (!g->all.v[i]->chosen || n == NULL || seen[n->index]) {
            continue;
        }
        seen[n->index] = true;
        tn_jw_obj(w);
        const struct {
            const char *key;
            tn_str value;
        } texts[] = { { "unique_id", n->unique_id }, { "name", n->name },
            { "resource_type", tn_str_of(tn_node_kind_name(n->kind)) },
            { "materialized", tn_node_config_str(n, "materialized", TN_STR_NONE) },
            { "relation_name", n->relation_name },
            { "original_file_path", n->original_file_path } };
        for (size_t k = 0; k < TN_COUNTOF(texts); k++) {
            if (texts[k].value.n > 0) {
                tn_jw_key(w, texts[k].key);
                tn_jw_str(w, texts[k].value);
            }
        }
        tn_jw_obj_end(w);
    }
    tn_jw_arr_end(w);
}

static void put_edges(picture *g, tn_json_writer *w)
{
    tn_jw_key(w, "edges");
    tn_jw_arr(w);
    for (size_t i = 0; i < g->all.n; i++) {
        const point *p = g->all.v[i];
        for (size_t k = 0; p->chosen && k < p->up.n; k++) {
            if (!p->up.v[k].to->chosen) {
                continue;
            }
            tn_jw_obj(w);
            tn_jw_key(w, "from");
            put_point(w, p->up.v[k].to);
            tn_jw_key(w, "to");
            put_point(w, p);
            if (g->columns != NULL) {
                tn_jw_key(w, "how");
                tn_jw_str(w, tn_str_of(tn_how_name(p->up.v[k].how)));
            }
            tn_jw_obj_end(w);
        }
    }
    tn_jw_arr_end(w);
}

static void print_json(picture *g)
{
    tn_json_writer w = tn_json_writer_init(g->b, 2);
    tn_jw_obj(&w);
    tn_jw_key(&w, "of");
    tn_jw_arr(&w);
    for (size_t i = 0; i < g->roots.n; i++) {
        put_point(&w, g->roots.v[i]);
    }
    tn_jw_arr_end(&w);
    put_nodes(g, &w);
    put_edges(g, &w);
    tn_jw_key(&w, "unknown");
    tn_jw_arr(&w);
    for (size_t i = 0; g->columns != NULL && i < g->columns->n; i++) {
        const tn_lineage_node *l = &g->columns->nodes[i];
        if (l->problem.n > 0) {
            tn_jw_obj(&w);
            tn_jw_key(&w, "node");
            tn_jw_str(&w, l->node->unique_id);
            tn_jw_key(&w, "reason");
            tn_jw_str(&w, l->problem);
            tn_jw_obj_end(&w);
        }
    }
    tn_jw_arr_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(g->b, '\n');
}

/* Inside of double quotes, for both languages. */
static tn_str quoted(const picture *g, const point *p)
{
    bool mermaid = g->view->form == TN_LINEAGE_MERMAID;
    tn_str s = label(g, p);
    if (!mermaid) {
        s = tn_str_replace(g->arena, s, TN_STR("\\"), TN_STR("\\\\"));
    }
    return tn_str_replace(g->arena, s, TN_STR("\""), mermaid ? TN_STR("#quot;") : TN_STR("\\\""));
}

static void print_drawing(picture *g)
{
    bool mermaid = g->view->form == TN_LINEAGE_MERMAID;
    tn_buf_addz(g->b,
        mermaid ? "flowchart LR\n" : "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    for (size_t i = 0; i < g->all.n; i++) {
        const point *p = g->all.v[i];
        if (p->chosen) {
            tn_buf_addf(g->b,
                mermaid ? "  n%zu[\"" TN_STR_FMT "\"]\n" : "  n%zu [label=\"" TN_STR_FMT "\"];\n",
                p->id, TN_STR_ARG(quoted(g, p)));
        }
    }
    for (size_t i = 0; i < g->all.n; i++) {
        const point *p = g->all.v[i];
        for (size_t k = 0; p->chosen && k < p->up.n; k++) {
            const edge *e = &p->up.v[k];
            bool dotted = g->columns != NULL && e->how >= TN_HOW_FILTER;
            if (e->to->chosen && mermaid) {
                tn_buf_addf(g->b, "  n%zu %s n%zu\n", e->to->id, dotted ? "-.->" : "-->", p->id);
            } else if (e->to->chosen) {
                tn_buf_addf(
                    g->b, "  n%zu -> n%zu%s;\n", e->to->id, p->id, dotted ? " [style=dotted]" : "");
            }
        }
    }
    tn_buf_addz(g->b, mermaid ? "" : "}\n");
}

/* ---- the whole ---- */

static tn_rc find_roots(picture *g, tn_err *err)
{
    const tn_lineage_view *v = g->view;
    if (g->columns == NULL) {
        tn_vec_push(&g->roots, g->arena, point_of(g, v->node, TN_STR_NONE, TN_STR_NONE));
        return TN_OK;
    }
    const tn_lineage_node *l = tn_map_find(&g->columns->by_id, v->node->unique_id);
    tn_buf names = tn_buf_init(g->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; l != NULL && i < l->n; i++) {
        if (v->all_columns || tn_str_eq_nocase(l->columns[i].name, v->column)) {
            tn_vec_push(&g->roots, g->arena, point_of(g, v->node, TN_STR_NONE, l->columns[i].name));
        }
        tn_buf_addf(&names, "%s" TN_STR_FMT, i > 0 ? ", " : "", TN_STR_ARG(l->columns[i].name));
    }
    if (g->roots.n > 0) {
        return TN_OK;
    }
    if (l == NULL || l->n == 0) {
        tn_str why = l != NULL && l->problem.n > 0 ? l->problem : TN_STR("it is no relation");
        return tn_fail(err, TN_E_NOTFOUND,
            "the columns of '" TN_STR_FMT "' are not known: " TN_STR_FMT, TN_STR_ARG(v->node->name),
            TN_STR_ARG(why));
    }
    tn_nearest near = tn_nearest_to(v->column);
    for (size_t i = 0; i < l->n; i++) {
        tn_nearest_try(&near, l->columns[i].name);
    }
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND, "'" TN_STR_FMT "' has no column '" TN_STR_FMT "'",
        TN_STR_ARG(v->node->name), TN_STR_ARG(v->column));
    if (near.best.n > 0) {
        return tn_nearest_hint(err, rc, near.best);
    }
    return tn_hint(err, rc, "its columns: " TN_STR_FMT, TN_STR_ARG(tn_buf_str(&names)));
}

tn_rc tn_lineage_print(const tn_project *p, const tn_lineage *columns, const tn_lineage_view *view,
    tn_buf *b, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("lineage", NULL);
    picture g = {
        .project = p, .columns = columns, .view = view, .arena = a, .by_key = tn_map_init(a), .b = b
    };
    if (columns != NULL) {
        graph_of_columns(&g);
    } else {
        graph_of_relations(&g);
    }
    TN_TRY(find_roots(&g, err));
    if (view->up) {
        choose(&g, true);
    }
    if (view->down) {
        choose(&g, false);
    }
    switch (view->form) {
    case TN_LINEAGE_TEXT:
        print_text(&g);
        break;
    case TN_LINEAGE_JSON:
        print_json(&g);
        break;
    default:
        print_drawing(&g);
    }
    return TN_OK;
}
