// layers: base text os jinja project
/* test_project_select.c: the selection grammar on tests/projects/shop: each case is a command line and the names it selects. */
#include "project/manifest.h"
#include "project/selector.h"
#include "tn_test.h"

static tn_project *shop(tn_arena *arena)
{
    tn_project *p = NULL;
    tn_err err = TN_ERR_INIT;
    tn_str dir = TN_STR(TN_TESTS_DIR "/projects/shop");
    tn_project_opts o = {
        .project_dir = dir, .profiles_dir = dir, .invocation_args = TN_VAL_UNDEF
    };
    if (tn_project_load(arena, &o, &p, &err) != TN_OK) {
        TN_FAIL("%s", err.msg);
    }
    return p;
}

enum { MODELS = 1u << TN_NODE_MODEL, TESTS = 1u << TN_NODE_TEST, ANY = 0 };

/* Names of what is selected, sorted, blanks between. */
static tn_rc select_names(tn_project *p, const char *select, const char *exclude, tn_indirect mode,
    uint32_t kinds, tn_str *ret, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_select sel = { .indirect = mode, .kinds = kinds };
    if (select != NULL) {
        tn_vec_push(&sel.select, a, tn_str_of(select));
    }
    if (exclude != NULL) {
        tn_vec_push(&sel.exclude, a, tn_str_of(exclude));
    }
    tn_nodes nodes = { 0 };
    tn_strs keys = { 0 };
    TN_TRY(tn_select_run(p, a, &sel, &nodes, NULL, NULL, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    TN_TRY(tn_ls_print(p, &nodes, TN_LS_NAME, &keys, &b, err));
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] = b.p[i] == '\n' ? ' ' : b.p[i];
    }
    *ret = tn_str_trim(tn_buf_str(&b));
    return TN_OK;
}

typedef struct select_case {
    const char *select;
    const char *exclude;
    uint32_t kinds;
    const char *want;
} select_case;

TN_TEST(methods_and_operators_select_what_dbt_selects)
{
    static const select_case cases[] = {
        { "orders", NULL, MODELS, "orders" },
        { "shop.marts.orders", NULL, MODELS, "orders" },
        { "marts.orders", NULL, MODELS, "orders" },
        { "marts", NULL, MODELS, "dim_customers.v1 dim_customers.v2 orders prices report" },
        { "staging.*", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "stg_*", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "path:models/staging", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "models/staging", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "models/staging/stg_*.sql", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "stg_orders.sql", NULL, MODELS, "stg_orders" },
        { "file:stg_orders", NULL, MODELS, "stg_orders" },
        { "tag:stage", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "tag:nightly", NULL, TESTS, "unique_orders_order_id" },
        { "package:calendar", NULL, MODELS, "days" },
        { "package:this,config.materialized:table", NULL, MODELS,
            "dim_customers.v1 orders prices report" },
        { "config.meta.tier:gold", "report", MODELS,
            "dim_customers.v1 dim_customers.v2 orders prices" },
        { "+orders", NULL, MODELS, "days orders stg_customers stg_orders" },
        { "stg_customers+", NULL, MODELS, "dim_customers.v2 orders report stg_customers" },
        { "stg_customers+1", NULL, MODELS, "dim_customers.v2 orders stg_customers" },
        { "@dim_customers.v2", NULL, MODELS,
            "days dim_customers.v1 dim_customers.v2 orders report stg_customers stg_orders" },
        { "stg_orders prices", NULL, MODELS, "prices stg_orders" },
        { "+orders,tag:stage", NULL, MODELS, "stg_customers stg_orders" },
        { "source:landing", NULL, 1u << TN_NODE_SOURCE, "landing.events landing.prices" },
        { "source:landing.prices+", NULL, MODELS, "prices" },
        { "source:shop.landing.*", NULL, 1u << TN_NODE_SOURCE, "landing.events landing.prices" },
        { "exposure:weekly", NULL, ANY, "weekly" },
        { "+exposure:weekly", NULL, MODELS, "days orders stg_customers stg_orders" },
        { "group:finance", NULL, MODELS, "orders" },
        { "access:public", NULL, MODELS, "orders" },
        { "version:latest", NULL, MODELS, "dim_customers.v2" },
        { "version:old", NULL, MODELS, "dim_customers.v1" },
        { "dim_customers", NULL, MODELS, "dim_customers.v1 dim_customers.v2" },
        { "dim_customers.v1", NULL, MODELS, "dim_customers.v1" },
        { "dim_customers_v1", NULL, MODELS, "dim_customers.v1" },
        { "test_type:singular", NULL, ANY, "no_returns" },
        { "test_name:positive", NULL, ANY, "positive_orders_cents" },
        { "test_type:unit", NULL, ANY, "one_customer" },
        { "resource_type:snapshot", NULL, 1u << TN_NODE_SNAPSHOT, "snap_orders snap_yaml" },
        { "selector:staging", NULL, MODELS, "stg_customers stg_events stg_orders" },
        { "selector:nightly", NULL, MODELS,
            "days dim_customers.v1 dim_customers.v2 orders prices stg_customers stg_orders" },
        { "selector:both", NULL, MODELS, "stg_customers stg_orders" },
        { "*", "tag:shop_models", MODELS, "days" },
        { NULL, "shop", MODELS, "days" },
        { "nothing_like_it", NULL, ANY, "" },
    };
    tn_project *p = shop(arena);
    int bad = 0;
    for (size_t i = 0; i < TN_COUNTOF(cases); i++) {
        const select_case *c = &cases[i];
        tn_str got;
        TN_ASSERT_OK(
            select_names(p, c->select, c->exclude, TN_INDIRECT_EAGER, c->kinds, &got, err));
        if (!tn_str_is(got, c->want)) {
            printf("--select %s --exclude %s\n  got:  " TN_STR_FMT "\n  want: %s\n",
                c->select ? c->select : "", c->exclude ? c->exclude : "", TN_STR_ARG(got), c->want);
            bad++;
        }
    }
    TN_ASSERT_EQ_I(bad, 0);
}

TN_TEST(depth_limits_the_walk)
{
    tn_project *p = shop(arena);
    tn_str got;
    TN_ASSERT_OK(select_names(p, "1+report", NULL, TN_INDIRECT_EMPTY, MODELS, &got, err));
    TN_ASSERT_EQ_S(got, "dim_customers.v1 dim_customers.v2 orders report");
    TN_ASSERT_OK(select_names(p, "2+report", NULL, TN_INDIRECT_EMPTY, MODELS, &got, err));
    TN_ASSERT_EQ_S(
        got, "days dim_customers.v1 dim_customers.v2 orders report stg_customers stg_orders");
}

TN_TEST(indirect_selection_has_four_modes)
{
    tn_project *p = shop(arena);
    tn_str got;
    const char *common = "accepted_values_stg_orders_status__placed__shipped__returned no_returns "
                         "not_null_stg_orders_order_id";
    TN_ASSERT_OK(select_names(p, "stg_orders", NULL, TN_INDIRECT_EAGER, TESTS, &got, err));
    TN_ASSERT_EQ_S(got, tn_str_printf(arena,
                            "%s orders_have_customers "
                            "relationships_stg_orders_customer_id__customer_id__ref_stg_customers_ "
                            "unique_stg_orders_order_id",
                            common));
    TN_ASSERT_OK(select_names(p, "stg_orders", NULL, TN_INDIRECT_CAUTIOUS, TESTS, &got, err));
    TN_ASSERT_EQ_S(got, tn_str_printf(arena, "%s unique_stg_orders_order_id", common));
    TN_ASSERT_OK(select_names(p, "stg_orders", NULL, TN_INDIRECT_EMPTY, TESTS, &got, err));
    TN_ASSERT_EQ_S(got, "");
    TN_ASSERT_OK(
        select_names(p, "stg_orders stg_customers", NULL, TN_INDIRECT_BUILDABLE, TESTS, &got, err));
    TN_ASSERT_EQ_S(got, tn_str_printf(arena,
                            "%s orders_have_customers "
                            "relationships_stg_orders_customer_id__customer_id__ref_stg_customers_ "
                            "unique_stg_orders_order_id",
                            common));
    TN_ASSERT_OK(
        select_names(p, "stg_orders stg_customers", NULL, TN_INDIRECT_CAUTIOUS, TESTS, &got, err));
    TN_ASSERT_EQ_S(
        got, tn_str_printf(arena,
                 "%s relationships_stg_orders_customer_id__customer_id__ref_stg_customers_ "
                 "unique_stg_orders_order_id",
                 common));
}

TN_TEST(bad_specs_are_refused)
{
    static const char *const bad[] = { "nonsense:x", "@orders+", "tag:", "state:modified",
        "result:error", "selector:none_such" };
    tn_project *p = shop(arena);
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        tn_str got;
        TN_ASSERT(select_names(p, bad[i], NULL, TN_INDIRECT_EAGER, ANY, &got, err) != TN_OK);
    }
    TN_ASSERT_HAS(err->msg, "Could not find selector named none_such");
}

TN_TEST(unmatched_specs_are_told)
{
    tn_project *p = shop(arena);
    tn_select sel = { .indirect = TN_INDIRECT_EAGER };
    tn_vec_push(&sel.select, arena, TN_STR("orders not_there"));
    tn_nodes nodes = { 0 };
    tn_strs unmatched = { 0 };
    TN_ASSERT_OK(tn_select_run(p, arena, &sel, &nodes, NULL, &unmatched, err));
    TN_ASSERT_EQ_I(unmatched.n, 1);
    TN_ASSERT_EQ_S(unmatched.v[0], "not_there");
}

TN_TEST(ls_prints_json_with_chosen_keys)
{
    tn_project *p = shop(arena);
    tn_nodes nodes = { 0 };
    tn_vec_push(&nodes, arena, tn_project_find(p, TN_STR("model.shop.stg_customers")));
    tn_strs keys = { 0 };
    tn_vec_push(&keys, arena, TN_STR("name"));
    tn_vec_push(&keys, arena, TN_STR("resource_type"));
    tn_vec_push(&keys, arena, TN_STR("config.materialized"));
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    TN_ASSERT_OK(tn_ls_print(p, &nodes, TN_LS_JSON, &keys, &b, err));
    TN_ASSERT_EQ_S(tn_buf_str(&b), "{\"name\": \"stg_customers\", \"resource_type\": \"model\", "
                                   "\"config.materialized\": \"ephemeral\"}\n");
}
