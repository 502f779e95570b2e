/* cmd_lineage.c: lineage: what a model or a column is made of, and what is made of it. */
#include <stdio.h>

#include "base/nearest.h"
#include "cli/dbt_options.h"
#include "run/lineage.h"

typedef struct lineage_options {
    tn_dbt_options dbt; /* first: TN_DBT_AT counts from here */
    tn_flag upstream, downstream, columns;
    int64_t depth;
} lineage_options;

#define AT(field) offsetof(lineage_options, field)
static const tn_opt lineage_options_table[] = { { "--upstream", TN_OPT_FLAG, AT(upstream), NULL,
                                                    "only what it is made of", NULL },
    { "--downstream", TN_OPT_FLAG, AT(downstream), NULL, "only what is made of it", NULL },
    { "--columns", TN_OPT_FLAG, AT(columns), NULL, "each column of the model", NULL },
    { "--depth", TN_OPT_INT, AT(depth), "N", "steps from the model (default: all)", NULL },
    { "--output", TN_OPT_STR, TN_DBT_AT(output), "FORM", "text (default), json, dot or mermaid",
        NULL },
    TN_DBT_COMMON };

static const tn_cmd_spec spec = { .name = "lineage",
    .summary = "shows what a model or a column is made of, and what is made of it",
    .usage = "MODEL[.COLUMN] [options]",
    .opts = lineage_options_table,
    .opt_count = TN_COUNTOF(lineage_options_table),
    .words_min = 1,
    .words_max = 1,
    .examples = "tarn lineage orders                       models and sources around orders\n"
                "tarn lineage orders.amount                where a column comes from and goes to\n"
                "tarn lineage orders.amount --downstream   what a change of it touches\n"
                "tarn lineage orders --columns --output json\n"
                "tarn lineage raw.orders.id --output mermaid\n" };

static bool named(const tn_node *n, tn_str word)
{
    TN_AUTO_ARENA a = tn_arena_new("name", NULL);
    tn_str source = TN_STR_NONE, version = TN_STR_NONE;
    if (n->kind == TN_NODE_SOURCE) {
        source = tn_str_printf(
            a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(n->source->source_name), TN_STR_ARG(n->name));
    } else if (n->version.tag == TN_INT || tn_val_is_str(n->version)) {
        version = tn_str_printf(a, TN_STR_FMT ".v" TN_STR_FMT, TN_STR_ARG(n->name),
            TN_STR_ARG(tn_val_to_str(a, n->version)));
    }
    return tn_str_eq(n->unique_id, word) || (source.n > 0 && tn_str_eq(source, word)) ||
           (version.n > 0 && tn_str_eq(version, word)) || tn_str_eq(n->name, word);
}

/* Relations before exposures and metrics of the same name; of the root project before packages, which come later. */
static tn_node *find(const tn_project *p, tn_str word)
{
    for (int relations = 1; relations >= 0; relations--) {
        for (size_t i = 0; i < p->nodes.n; i++) {
            tn_node *n = p->nodes.v[i];
            bool relation = tn_node_is_refable(n) || n->kind == TN_NODE_SOURCE;
            if (tn_lineage_has(n) && relation == (relations == 1) && named(n, word)) {
                return n;
            }
        }
    }
    return NULL;
}

static tn_rc find_view(
    const tn_project *p, tn_str word, tn_lineage_view *v, tn_node **ret, tn_err *err)
{
    *ret = find(p, word);
    size_t dot = tn_str_rfind_char(word, '.');
    if (*ret == NULL && dot != SIZE_MAX) {
        *ret = find(p, tn_str_sub(word, 0, dot));
        v->column = *ret != NULL ? tn_str_sub(word, dot + 1, word.n) : TN_STR_NONE;
    }
    v->node = *ret;
    if (*ret != NULL) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND, "no model, seed, snapshot or source '" TN_STR_FMT "'",
        TN_STR_ARG(word));
    tn_str model, column;
    tn_nearest near = tn_nearest_to(word);
    (void)tn_str_cut(word, '.', &model, &column);
    tn_nearest head = tn_nearest_to(model);
    for (size_t i = 0; i < p->nodes.n; i++) {
        if (tn_lineage_has(p->nodes.v[i])) {
            tn_nearest_try(&near, p->nodes.v[i]->name);
            tn_nearest_try(&head, p->nodes.v[i]->name);
        }
    }
    tn_str best = near.best.n > 0 ? near.best : head.best;
    return best.n > 0 ? tn_nearest_hint(err, rc, best)
                      : tn_hint(err, rc, "'tarn ls' lists what there is");
}

static void add_down(const tn_node *n, bool *seen, tn_arena *a, tn_nodes *into)
{
    for (size_t i = 0; i < n->children.n; i++) {
        tn_node *c = n->children.v[i];
        if (tn_lineage_has(c) && !seen[c->index]) {
            seen[c->index] = true;
            tn_vec_push(into, a, c);
            add_down(c, seen, a, into);
        }
    }
}

static tn_rc show(
    const tn_cli *cli, const lineage_options *o, tn_str word, tn_dbt_start *start, tn_err *err)
{
    tn_project *p = start->project;
    tn_lineage_view v = { .depth = o->depth,
        .all_columns = o->columns == TN_FLAG_ON,
        .up = o->upstream == TN_FLAG_ON || o->downstream != TN_FLAG_ON,
        .down = o->downstream == TN_FLAG_ON || o->upstream != TN_FLAG_ON };
    if (o->dbt.output.n > 0 && !tn_lineage_form_find(o->dbt.output, &v.form)) {
        return tn_fail(err, TN_E_USAGE,
            "'" TN_STR_FMT "' is no form of --output: text, json, dot or mermaid",
            TN_STR_ARG(o->dbt.output));
    }
    tn_node *n;
    tn_nodes wanted = { 0 };
    tn_lineage lineage;
    TN_TRY(find_view(p, word, &v, &n, err));
    bool columns = v.column.n > 0 || v.all_columns;
    tn_vec_push(&wanted, cli->arena, n);
    if (columns && v.down) {
        add_down(n, tn_new_array(cli->arena, bool, p->nodes.n + 1), cli->arena, &wanted);
    }
    if (columns) {
        TN_TRY(tn_lineage_read(p, cli->arena, start->events, &wanted, &lineage, err));
    }
    tn_buf b = tn_buf_init(cli->arena, TN_BUF_NO_LIMIT);
    TN_TRY(tn_lineage_print(p, columns ? &lineage : NULL, &v, &b, err));
    (void)fwrite(b.p, 1, b.n, stdout);
    return TN_OK;
}

int tn_cmd_lineage(const tn_cli *cli, int argc, char **argv)
{
    /* As at a first run: an incremental model is made of what its whole query reads. */
    lineage_options o = { .depth = -1, .dbt.full_refresh = TN_FLAG_ON };
    tn_dbt_start start;
    tn_val given;
    tn_strs words = { 0 };
    tn_err err = TN_ERR_INIT;
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, &given, &done, &status);
    if (done || !tn_dbt_begin(cli, "compile", &o.dbt, given, true, &start, &status)) {
        return status;
    }
    if (show(cli, &o, words.v[0], &start, &err) != TN_OK) {
        (void)tn_cli_error(cli, &err);
        return TN_EXIT_USAGE;
    }
    return TN_EXIT_OK;
}
