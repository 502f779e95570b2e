/* graph_summary.c: graph_summary.json: the nodes by number and what follows each. */
#include "project/manifest.h"
#include "project/node/project_priv.h"
#include "text/json.h"

typedef struct summary {
    tn_project *p;
    tn_arena *arena;
    tn_nodes *more;  /* by number: what `build` holds up until this test has passed */
    uint32_t *above; /* by number: how many of the test's nodes are above this one */
    uint32_t *stamp; /* by number: visited in this walk */
    uint32_t turn;
    tn_nodes touched; /* by the test at hand */
} summary;

static bool counts(const tn_node *n)
{
    return n->index != UINT32_MAX;
}

/* What is built or compiled, and so can be held up. */
static bool waits(const tn_node *n)
{
    switch (n->kind) {
    case TN_NODE_MODEL:
    case TN_NODE_SEED:
    case TN_NODE_SNAPSHOT:
    case TN_NODE_ANALYSIS:
    case TN_NODE_OPERATION:
        return true;
    default:
        return false;
    }
}

/* Everything below n has one more of the test's nodes above it. */
static void walk(summary *s, const tn_node *n)
{
    for (size_t i = 0; i < n->children.n; i++) {
        tn_node *c = n->children.v[i];
        if (!counts(c) || !waits(c) || s->stamp[c->index] == s->turn) {
            continue;
        }
        s->stamp[c->index] = s->turn;
        if (s->above[c->index]++ == 0) {
            tn_vec_push(&s->touched, s->arena, c);
        }
        walk(s, c);
    }
}

static bool is_parent(const tn_node *n, const tn_node *test)
{
    for (size_t i = 0; i < test->parents.n; i++) {
        if (test->parents.v[i] == n) {
            return true;
        }
    }
    return false;
}

/* The first nodes, on each way down, that have all of the test's nodes above them. */
static void hold_up(summary *s, const tn_node *test)
{
    s->touched.n = 0;
    for (size_t i = 0; i < test->parents.n; i++) {
        s->turn++;
        walk(s, test->parents.v[i]);
    }
    size_t all = test->parents.n;
    for (size_t i = 0; i < s->touched.n; i++) {
        tn_node *n = s->touched.v[i];
        bool first = false;
        for (size_t k = 0; s->above[n->index] == all && k < n->parents.n && !first; k++) {
            const tn_node *up = n->parents.v[k];
            first = counts(up) && s->above[up->index] < all &&
                    (s->above[up->index] > 0 || is_parent(up, test));
        }
        if (first) {
            tn_vec_push(&s->more[test->index], s->arena, n);
        }
    }
    for (size_t i = 0; i < s->touched.n; i++) {
        s->above[s->touched.v[i]->index] = 0;
    }
}

static void write_number(tn_json_writer *w, const uint32_t *number, const tn_node *n)
{
    tn_jw_int(w, (int64_t)number[n->index]);
}

static void write_nodes(const summary *s, const uint32_t *number, tn_json_writer *w, bool more)
{
    tn_jw_obj(w);
    for (size_t i = 0; i < s->p->nodes.n; i++) {
        const tn_node *n = s->p->nodes.v[i];
        if (!counts(n)) {
            continue;
        }
        char key[24];
        (void)snprintf(key, sizeof key, "%u", number[n->index]);
        tn_jw_key(w, key);
        tn_jw_obj(w);
        tn_jw_key(w, "name");
        tn_jw_str(w, n->unique_id);
        tn_jw_key(w, "type");
        tn_jw_str(w, tn_str_of(tn_node_kind_name(n->kind)));
        size_t extra = more ? s->more[n->index].n : 0;
        if (n->children.n + extra > 0) {
            tn_jw_key(w, "succ");
            tn_jw_arr(w);
            for (size_t k = 0; k < n->children.n; k++) {
                write_number(w, number, n->children.v[k]);
            }
            for (size_t k = 0; k < extra; k++) {
                write_number(w, number, s->more[n->index].v[k]);
            }
            tn_jw_arr_end(w);
        }
        tn_jw_obj_end(w);
    }
    tn_jw_obj_end(w);
}

void tn_graph_summary_write(tn_project *p, bool test_edges, tn_buf *b)
{
    TN_AUTO_ARENA a = tn_arena_new("graph summary", NULL);
    size_t n = p->nodes.n + 1;
    summary s = { .p = p,
        .arena = a,
        .more = tn_new_array(a, tn_nodes, n),
        .above = tn_new_array(a, uint32_t, n),
        .stamp = tn_new_array(a, uint32_t, n) };
    uint32_t *number = tn_new_array(a, uint32_t, n), next = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *node = p->nodes.v[i];
        if (counts(node)) {
            number[node->index] = next++;
        }
        if (test_edges && node->kind == TN_NODE_TEST && counts(node) && node->parents.n > 0) {
            hold_up(&s, node);
        }
    }
    tn_json_writer w = tn_json_writer_init(b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "_invocation_id");
    tn_jw_str(&w, p->invocation_id);
    tn_jw_key(&w, "linked");
    write_nodes(&s, number, &w, false);
    if (test_edges) {
        tn_jw_key(&w, "with_test_edges");
        write_nodes(&s, number, &w, true);
    }
    tn_jw_obj_end(&w);
}
