/* graph.c: from names to edges: refs and sources resolved, cycles found, a topological order.
 *
 * Order: parents before children; among the nodes that are ready, by unique_id, so that it never depends on the disk.
 */
#include "base/nearest.h"
#include "project/graph/graph_priv.h"

void tn_graph_edge(tn_project *p, tn_node *n, tn_node *parent)
{
    for (size_t i = 0; i < n->parents.n; i++) {
        if (n->parents.v[i] == parent) {
            return;
        }
    }
    tn_vec_push(&n->parents, p->arena, parent);
    tn_vec_push(&parent->children, p->arena, n);
}

static bool has_part(tn_str other, tn_str name)
{
    size_t same = 0;
    while (same < other.n && same < name.n && other.p[same] == name.p[same]) {
        same++;
    }
    return (same >= 4 && same * 2 >= tn_max_size(other.n, name.n)) ||
           (name.n >= 4 && tn_str_find(other, name, 0) != SIZE_MAX);
}

/* Names that are near to what was asked for: the nearest by letters first, then some that share a part with it. */
static tn_str near_names(tn_project *p, tn_arena *a, tn_str name)
{
    const tn_map *all[] = { &p->state->ref_index, &p->state->source_index };
    tn_buf b = tn_buf_init(a, 400);
    tn_nearest near = tn_nearest_to(name);
    for (size_t i = 0; i < all[0]->n + all[1]->n; i++) {
        const tn_map_item *it = i < all[0]->n ? &all[0]->items[i] : &all[1]->items[i - all[0]->n];
        tn_nearest_try(&near, it->value != NULL ? it->key : TN_STR_NONE);
    }
    if (near.best.n > 0) {
        tn_buf_addf(&b, "did you mean '" TN_STR_FMT "'", TN_STR_ARG(near.best));
    }
    for (size_t i = 0; i < all[0]->n && b.n < 200; i++) {
        tn_str other = all[0]->items[i].key;
        if (all[0]->items[i].value != NULL && !tn_str_eq(other, near.best) &&
            has_part(other, name)) {
            tn_buf_addf(
                &b, "%s'" TN_STR_FMT "'", b.n > 0 ? ", " : "did you mean ", TN_STR_ARG(other));
        }
    }
    return tn_buf_str(&b);
}

/* Where the file names it, in quotes; a source by its table. */
static void place_name(const tn_node *n, tn_str name, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("place", NULL);
    size_t dot = tn_str_rfind_char(name, '.'), at = SIZE_MAX;
    tn_str last = dot == SIZE_MAX ? name : tn_str_sub(name, dot + 1, name.n);
    for (int k = 0; k < 2 && at == SIZE_MAX; k++) {
        at = tn_str_find(n->raw_code,
            tn_str_printf(a, "%c" TN_STR_FMT "%c", "'\""[k], TN_STR_ARG(last), "'\""[k]), 0);
    }
    int line = n->raw_line, col = 1;
    for (size_t i = 0; at != SIZE_MAX && i < at; i++) {
        bool end = n->raw_code.p[i] == '\n';
        line += end;
        col = end ? 1 : col + 1;
    }
    tn_err_place(err, tn_str_z(a, n->file), line, col);
}

/* Tests of nodes that are not there (disabled, deleted) are left out with a warning, as dbt does; anything else is an error. */
static tn_rc missing(tn_project *p, tn_node *n, const char *kind, tn_str target, tn_str name,
    bool disabled, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("missing", NULL);
    tn_str text = tn_not_found_text(scratch, n, kind, target, disabled);
    if (n->kind == TN_NODE_TEST || n->kind == TN_NODE_UNIT_TEST) {
        if (!disabled || n->test == NULL) {
            tn_project_note(p, "NodeNotFoundOrDisabled", n->original_file_path, n->raw_line,
                TN_STR_FMT, TN_STR_ARG(text));
        }
        n->enabled = false;
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_COMPILE, TN_STR_FMT, TN_STR_ARG(text));
    place_name(n, name, err);
    tn_str near = near_names(p, scratch, name);
    return near.n > 0 ? tn_hint(err, rc, TN_STR_FMT, TN_STR_ARG(near)) : rc;
}

static tn_rc refuse_access(const tn_node *n, const tn_node *target, const char *what, tn_str scope,
    const char *scope_kind, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("access", NULL);
    tn_rc rc = tn_fail(err, TN_E_COMPILE,
        "Parsing Error\n  Node " TN_STR_FMT " attempted to reference node " TN_STR_FMT
        ", which is not allowed because the referenced node is %s to the '" TN_STR_FMT "' %s.",
        TN_STR_ARG(n->unique_id), TN_STR_ARG(target->unique_id), what, TN_STR_ARG(scope),
        scope_kind);
    tn_err_place(err, tn_str_z(scratch, n->file), n->raw_line, 1);
    return rc;
}

/* A private model is for its group, a protected one of a package with restrict-access for its package. A generic test is of its model's group,
 * a query from the command line of none and free. */
static tn_rc check_access(tn_project *p, const tn_node *n, const tn_node *target, tn_err *err)
{
    if (target->kind != TN_NODE_MODEL || n == p->inline_query || n->test != NULL ||
        n->kind == TN_NODE_UNIT_TEST) {
        return TN_OK;
    }
    const tn_package *theirs = tn_project_package(p, target->package_name);
    tn_val config = { .tag = TN_DICT, .dict = theirs->config };
    bool outside = !tn_str_eq(n->package_name, target->package_name) && theirs != p->package &&
                   tn_val_bool_at(config, "restrict-access", false);
    if (tn_str_is(target->access, "private") &&
        (n->group.n == 0 || !tn_str_eq(n->group, target->group) || outside)) {
        return refuse_access(n, target, "private",
            target->group.n > 0 ? target->group : TN_STR("None"), "group", err);
    }
    return tn_str_is(target->access, "protected") && outside
               ? refuse_access(n, target, "protected", target->package_name, "package", err)
               : TN_OK;
}

/* What a node asks for, and what was found under the name. */
typedef struct wanted {
    const char *kind; /* "node", "source", "function" */
    tn_str package, name;
    tn_val version;
    tn_node *target; /* NULL: there is none that is enabled */
    tn_node *off;    /* then a disabled one, or NULL */
} wanted;

/* The target becomes a parent. */
static tn_rc link_to(tn_project *p, tn_node *n, const wanted *w, tn_err *err)
{
    if (w->target == NULL) {
        TN_AUTO_ARENA scratch = tn_arena_new("target", NULL);
        return missing(p, n, w->kind, tn_target_text(scratch, w->package, w->name, w->version),
            w->name, w->off != NULL, err);
    }
    if (strcmp(w->kind, "node") == 0) {
        TN_TRY(check_access(p, n, w->target, err));
        tn_note_ref_of_root(p, n, w->target, w->package);
    }
    tn_graph_edge(p, n, w->target);
    return TN_OK;
}

static tn_rc resolve_node(tn_project *p, tn_node *n, tn_err *err)
{
    for (size_t i = 0; i < n->sources.n && n->enabled; i++) {
        const tn_source_ref *s = &n->sources.v[i];
        wanted w = { .kind = "source", .version = TN_VAL_UNDEF };
        w.target = tn_project_find_source(p, n->package_name, s->source, s->table, &w.off);
        w.name = w.target != NULL ? s->table
                                  : tn_str_printf(p->arena, TN_STR_FMT "." TN_STR_FMT,
                                        TN_STR_ARG(s->source), TN_STR_ARG(s->table));
        TN_TRY(link_to(p, n, &w, err));
    }
    for (size_t i = 0; i < n->refs.n && n->enabled; i++) {
        const tn_ref *r = &n->refs.v[i];
        wanted w = { "node", r->package, r->name, r->version, NULL, NULL };
        w.target = tn_project_find_ref(p, n->package_name, r->package, r->name, r->version, &w.off);
        TN_TRY(link_to(p, n, &w, err));
    }
    for (size_t i = 0; i < n->functions.n && n->enabled; i++) {
        const tn_ref *r = &n->functions.v[i];
        wanted w = { "function", r->package, r->name, TN_VAL_UNDEF, NULL, NULL };
        w.target = tn_project_find_function(p, n->package_name, r->package, r->name, &w.off);
        TN_TRY(link_to(p, n, &w, err));
    }
    return TN_OK;
}

/* Attached node of tests that were made before their model was known to be elsewhere. */
static void attach_tests(tn_project *p)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_node *n = p->nodes.v[i];
        if (n->test == NULL || n->test->attached != NULL || n->refs.n == 0 || n->sources.n > 0) {
            continue;
        }
        const tn_ref *r = &n->refs.v[n->refs.n - 1];
        n->test->attached =
            tn_project_find_ref(p, n->package_name, r->package, r->name, r->version, NULL);
    }
}

/* Takes nodes out that became disabled while edges were made, and numbers the rest. */
static void drop_disabled(tn_project *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_node *n = p->nodes.v[i];
        if (n->enabled) {
            n->index = (uint32_t)kept;
            p->nodes.v[kept++] = n;
            continue;
        }
        n->index = UINT32_MAX;
        (void)tn_map_remove(&p->node_by_id, n->unique_id);
        for (size_t k = 0; k < n->parents.n; k++) {
            tn_nodes *c = &n->parents.v[k]->children;
            for (size_t j = c->n; j-- > 0;) {
                if (c->v[j] == n) {
                    memmove(&c->v[j], &c->v[j + 1], (c->n - j - 1) * sizeof *c->v);
                    c->n--;
                }
            }
        }
        n->parents.n = 0;
        tn_vec_push(&p->disabled, p->arena, n);
    }
    p->nodes.n = kept;
}

/* ---- order ---- */

/* A heap of ready nodes, smallest unique_id on top. */
typedef struct heap {
    tn_node **v;
    size_t n;
} heap;

static bool heap_less(const tn_node *a, const tn_node *b)
{
    return tn_str_cmp(a->unique_id, b->unique_id) < 0;
}

static void heap_push(heap *h, tn_node *n)
{
    size_t i = h->n++;
    while (i > 0 && heap_less(n, h->v[(i - 1) / 2])) {
        h->v[i] = h->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->v[i] = n;
}

static tn_node *heap_pop(heap *h)
{
    tn_node *top = h->v[0], *last = h->v[--h->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n) {
            break;
        }
        if (child + 1 < h->n && heap_less(h->v[child + 1], h->v[child])) {
            child++;
        }
        if (!heap_less(h->v[child], last)) {
            break;
        }
        h->v[i] = h->v[child];
        i = child;
    }
    if (h->n > 0) {
        h->v[i] = last;
    }
    return top;
}

/* Follows parents that wait for each other until one comes again. */
static tn_rc report_cycle(tn_project *p, const uint32_t *waiting, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("cycle", NULL);
    tn_node **path = tn_new_array(scratch, tn_node *, p->nodes.n + 1);
    uint32_t *seen = tn_new_array(scratch, uint32_t, p->nodes.n + 1);
    tn_node *at = NULL;
    for (size_t i = 0; i < p->nodes.n && at == NULL; i++) {
        at = waiting[i] > 0 ? p->nodes.v[i] : NULL;
    }
    TN_CHECK(at != NULL);
    size_t n = 0;
    while (seen[at->index] == 0) {
        seen[at->index] = (uint32_t)++n;
        path[n - 1] = at;
        tn_node *next = NULL;
        for (size_t i = 0; i < at->parents.n && next == NULL; i++) {
            next = waiting[at->parents.v[i]->index] > 0 ? at->parents.v[i] : NULL;
        }
        TN_CHECK(next != NULL);
        at = next;
    }
    tn_buf b = tn_buf_init(scratch, TN_ERR_MSG_MAX);
    tn_buf_add(&b, at->unique_id);
    for (size_t i = n; i-- > seen[at->index] - 1;) {
        tn_buf_addf(&b, " --> " TN_STR_FMT, TN_STR_ARG(path[i]->unique_id));
    }
    tn_rc rc = tn_fail(err, TN_E_COMPILE, "Found a cycle: " TN_STR_FMT, TN_STR_ARG(tn_buf_str(&b)));
    tn_err_place(err, tn_str_z(scratch, at->file), at->raw_line, 1);
    return rc;
}

static tn_rc order_nodes(tn_project *p, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("order", NULL);
    uint32_t *waiting = tn_new_array(scratch, uint32_t, p->nodes.n + 1);
    heap ready = { tn_new_array(scratch, tn_node *, p->nodes.n + 1), 0 };
    tn_vec_reserve(&p->order, p->arena, p->nodes.n + 1);
    for (size_t i = 0; i < p->nodes.n; i++) {
        waiting[i] = (uint32_t)p->nodes.v[i]->parents.n;
        if (waiting[i] == 0) {
            heap_push(&ready, p->nodes.v[i]);
        }
    }
    while (ready.n > 0) {
        tn_node *n = heap_pop(&ready);
        n->rank = (uint32_t)p->order.n;
        tn_vec_push(&p->order, p->arena, n);
        for (size_t i = 0; i < n->children.n; i++) {
            if (--waiting[n->children.v[i]->index] == 0) {
                heap_push(&ready, n->children.v[i]);
            }
        }
    }
    return p->order.n == p->nodes.n ? TN_OK : report_cycle(p, waiting, err);
}

/* Two relations of one place would overwrite each other. */
static tn_rc check_places(tn_project *p, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("places", NULL);
    tn_map seen = tn_map_init(scratch);
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_node *n = p->nodes.v[i];
        if (!tn_node_is_refable(n) || n->relation_name.n == 0) {
            continue;
        }
        const tn_node *old = tn_map_find(&seen, n->relation_name);
        if (old != NULL) {
            return tn_fail(err, TN_E_COMPILE,
                "dbt found two resources with the database representation \"" TN_STR_FMT
                "\".\ndbt cannot create two resources with identical database representations. To "
                "fix this,\nchange the configuration of one of "
                "these resources:\n- " TN_STR_FMT " (" TN_STR_FMT ")\n- " TN_STR_FMT " (" TN_STR_FMT
                ")",
                TN_STR_ARG(n->relation_name), TN_STR_ARG(old->unique_id),
                TN_STR_ARG(old->original_file_path), TN_STR_ARG(n->unique_id),
                TN_STR_ARG(n->original_file_path));
        }
        tn_map_put(&seen, n->relation_name, n);
    }
    return TN_OK;
}

tn_rc tn_resolve_graph(tn_project *p, tn_err *err)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        tn_rc rc = resolve_node(p, p->nodes.v[i], err);
        if (rc != TN_OK) {
            tn_project_inline_failed(p, p->nodes.v[i] == p->inline_query);
            return rc;
        }
    }
    TN_TRY(tn_link_metrics(p, err));
    drop_disabled(p);
    attach_tests(p);
    TN_TRY(check_places(p, err));
    return order_nodes(p, err);
}
