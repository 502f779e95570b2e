/* seed_show.c: --show of seed and build: some rows of each seed that was loaded, as tables. */
#include "run/report/runner.h"

enum { SEED_SAMPLE_ROWS = 10 };

static void say(tn_runner *run, const char *name, const char *code, tn_str text)
{
    tn_event(run->events, TN_EV_INFO, name, code, TN_VAL_UNDEF, TN_STR_FMT, TN_STR_ARG(text));
}

static void show_seed(tn_runner *run, tn_arena *a, const tn_node *n)
{
    tn_val rows, names;
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_str sql = tn_str_printf(a, "select * from " TN_STR_FMT " using sample %d rows",
        TN_STR_ARG(n->relation_name), (int)SEED_SAMPLE_ROWS);
    tn_str head = tn_str_printf(a, "Random sample of table: " TN_STR_FMT "." TN_STR_FMT,
        TN_STR_ARG(n->schema), TN_STR_ARG(n->alias));
    if (tn_conn_rows(run->workers[0].conn, a, sql, SIZE_MAX, &rows, &names, NULL) != TN_OK) {
        return;
    }
    tn_table *t = NULL;
    if (!tn_val_is_table(tn_table_new(a, names, rows), &t)) {
        return;
    }
    tn_table_print(&b, t, SEED_SAMPLE_ROWS, 0);
    say(run, "Formatting", "Z017", TN_STR(""));
    say(run, "SeedHeader", "Q004", head);
    tn_buf rule = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_add_repeat(&rule, '-', head.n);
    say(run, "Formatting", "Z017", tn_buf_str(&rule));
    tn_event_print(run->events, tn_buf_str(&b));
    say(run, "Formatting", "Z017", TN_STR(""));
}

void tn_report_seeds(tn_runner *run)
{
    TN_AUTO_ARENA a = tn_arena_new("seeds", NULL);
    for (size_t i = 0; i < run->order_count; i++) {
        const tn_node_result *r = &run->results[run->order[i]];
        if (r->node->kind == TN_NODE_SEED && r->status == TN_ST_SUCCESS) {
            show_seed(run, a, r->node);
        }
    }
}
