// layers: base text os jinja project
/* test_project.c: loading of tests/projects/shop and of small projects written here: nodes, configs, names, errors. */
#include "os/file.h"
#include "os/proc.h"
#include "project/context.h"
#include "project/manifest.h"
#include "text/json.h"
#include "tn_test.h"

/* ---- small projects ---- */

typedef struct small {
    tn_arena *arena;
    char *dir;
} small;

static void put(const small *s, const char *path, const char *text)
{
    tn_err err = TN_ERR_INIT;
    tn_str full = tn_str_printf(s->arena, "%s/%s", s->dir, path);
    tn_str folder = tn_str_sub(full, 0, tn_str_rfind_char(full, '/'));
    if (tn_dir_make(folder, &err) != TN_OK || tn_file_write(full, tn_str_of(text), &err) != TN_OK) {
        TN_FAIL("%s", err.msg);
    }
}

static small small_new(tn_arena *arena)
{
    small s = { arena, tn_test_dir(arena) };
    put(&s, "dbt_project.yml", "name: small\nprofile: small\nversion: '1.0'\n");
    put(&s, "profiles.yml",
        "small:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: 'x/my.db.duckdb', "
        "schema: sch}\n");
    return s;
}

static tn_rc small_load(const small *s, tn_project **ret, tn_err *err)
{
    tn_project_opts o = { .project_dir = tn_str_of(s->dir),
        .profiles_dir = tn_str_of(s->dir),
        .invocation_args = TN_VAL_UNDEF };
    return tn_project_load(s->arena, &o, ret, err);
}

static tn_project *load_small(const small *s)
{
    tn_project *p = NULL;
    tn_err err = TN_ERR_INIT;
    if (small_load(s, &p, &err) != TN_OK) {
        TN_FAIL("%s (%s:%d)", err.msg, err.file, err.line);
    }
    return p;
}

static tn_project *load_shop(tn_arena *arena)
{
    tn_project *p = NULL;
    tn_err err = TN_ERR_INIT;
    tn_str dir = TN_STR(TN_TESTS_DIR "/projects/shop");
    tn_project_opts o = {
        .project_dir = dir, .profiles_dir = dir, .invocation_args = TN_VAL_UNDEF
    };
    if (tn_project_load(arena, &o, &p, &err) != TN_OK) {
        TN_FAIL("%s (%s:%d)", err.msg, err.file, err.line);
    }
    return p;
}

static tn_str joined(tn_arena *arena, const tn_strs *l)
{
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < l->n; i++) {
        tn_buf_addz(&b, i > 0 ? " " : "");
        tn_buf_add(&b, l->v[i]);
    }
    return tn_buf_str(&b);
}

static tn_node *find(tn_project *p, const char *id)
{
    tn_node *n = tn_project_find(p, tn_str_of(id));
    if (n == NULL) {
        TN_FAIL("there is no node %s", id);
    }
    return n;
}

/* ---- profile and dbt_project.yml ---- */

TN_TEST(profile_gives_target_and_database)
{
    small s = small_new(arena);
    tn_project *p = load_small(&s);
    TN_ASSERT_EQ_S(p->profile.database, "my.db");
    TN_ASSERT_EQ_S(p->profile.schema, "sch");
    TN_ASSERT_EQ_I(p->profile.threads, 1);
    TN_ASSERT_EQ_S(tn_val_str_at(p->profile.target, "name", TN_STR_NONE), "dev");
    TN_ASSERT_EQ_S(tn_val_str_at(p->profile.target, "profile_name", TN_STR_NONE), "small");
}

TN_TEST(profile_is_rendered_and_hides_secrets)
{
    small s = small_new(arena);
    TN_ASSERT_OK(tn_env_set("DBT_ENV_SECRET_TN", TN_STR("sesame-open"), err));
    TN_ASSERT_OK(tn_env_set("TN_TEST_THREADS", TN_STR("4"), err));
    put(&s, "profiles.yml",
        "small:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: ':memory:'\n "
        "     threads: \"{{ env_var('TN_TEST_THREADS') | int }}\"\n"
        "      schema: \"{{ env_var('TN_NOT_SET', 'fallback') }}\"\n      secrets:\n        - "
        "{type: s3, secret: \"{{ env_var('DBT_ENV_SECRET_TN') }}\"}\n");
    tn_project *p = load_small(&s);
    TN_ASSERT_EQ_S(p->profile.database, "memory");
    TN_ASSERT_EQ_S(p->profile.schema, "fallback");
    TN_ASSERT_EQ_I(p->profile.threads, 4);
    tn_val creds = { .tag = TN_DICT, .dict = p->profile.credentials };
    TN_ASSERT_EQ_S(tn_val_str_at(tn_val_at(creds, "secrets").list->v[0], "secret", TN_STR_NONE),
        "sesame-open");
    TN_ASSERT(tn_val_is_undef(tn_val_at(p->profile.target, "secrets")));
    put(&s, "models/a.sql", "select '{{ env_var('DBT_ENV_SECRET_TN') }}'");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "Secret env vars are allowed only in profiles.yml");
}

TN_TEST(type_tarn_needs_a_lake)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "profiles.yml", "small: {target: dev, outputs: {dev: {type: tarn}}}\n");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_VALUE);
    put(&s, "profiles.yml",
        "small: {target: dev, outputs: {dev: {type: tarn, lake: /l, environment: prod}}}\n");
    p = load_small(&s);
    TN_ASSERT_EQ_S(p->profile.path, "/l");
    size_t n;
    TN_ASSERT_EQ_S(tn_project_adapter_chain(p, &n)[0], "tarn");
    TN_ASSERT_EQ_I(n, 3);
}

TN_TEST(wrong_targets_are_named)
{
    small s = small_new(arena);
    tn_project *p;
    tn_project_opts o = { .project_dir = tn_str_of(s.dir),
        .profiles_dir = tn_str_of(s.dir),
        .target = TN_STR("prod"),
        .invocation_args = TN_VAL_UNDEF };
    TN_ASSERT_RC(tn_project_load(arena, &o, &p, err), TN_E_VALUE);
    TN_ASSERT_HAS(err->msg, "does not have a target named 'prod'");
    TN_ASSERT_HAS(err->msg, " - dev");
}

TN_TEST(vars_of_the_command_line_win)
{
    small s = small_new(arena);
    put(&s, "dbt_project.yml", "name: small\nprofile: small\nvars: {a: 1, b: 2, small: {b: 3}}\n");
    put(&s, "models/m.sql",
        "{{ config(alias=var('a') ~ '_' ~ var('b') ~ '_' ~ var('c', 'd')) }} select 1");
    tn_project *p;
    tn_project_opts o = { .project_dir = tn_str_of(s.dir),
        .profiles_dir = tn_str_of(s.dir),
        .vars = TN_STR("{a: 9}"),
        .invocation_args = TN_VAL_UNDEF };
    TN_ASSERT_OK(tn_project_load(arena, &o, &p, err));
    TN_ASSERT_EQ_S(find(p, "model.small.m")->alias, "9_3_d");
    o.vars = TN_STR("[1]");
    TN_ASSERT_RC(tn_project_load(arena, &o, &p, err), TN_E_USAGE);
}

TN_TEST(required_version_is_checked)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "dbt_project.yml", "name: small\nprofile: small\nrequire-dbt-version: '>=2.0.0'\n");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_UNSUPPORTED);
    put(&s, "dbt_project.yml",
        "name: small\nprofile: small\nrequire-dbt-version: ['>=1.0.0', '<2.0.0']\n");
    (void)load_small(&s);
}

/* ---- configs ---- */

TN_TEST(configs_merge_level_by_level)
{
    tn_project *p = load_shop(arena);
    tn_node *n = find(p, "model.shop.stg_orders");
    TN_ASSERT_EQ_S(n->schema, "staging");
    TN_ASSERT_EQ_S(joined(arena, &n->tags), "shop_models stage orders from_yaml");
    TN_ASSERT_EQ_S(tn_val_to_repr(arena, n->meta), "{'owner': 'data', 'pii': False, 'rows': 3}");
    TN_ASSERT_EQ_S(tn_node_config_str(n, "materialized", TN_STR_NONE), "view");
    TN_ASSERT_EQ_S(n->relation_name, "\"shop\".\"staging\".\"stg_orders\"");
    n = find(p, "model.shop.orders");
    TN_ASSERT_EQ_S(n->alias, "fct_orders");
    TN_ASSERT_EQ_S(tn_node_config_str(n, "materialized", TN_STR_NONE), "table");
    TN_ASSERT_EQ_S(n->access, "public");
    TN_ASSERT_EQ_S(n->group, "finance");
    tn_val post = tn_node_config(n, "post-hook");
    TN_ASSERT_EQ_I(post.list->n, 1);
    TN_ASSERT_EQ_S(tn_val_str_at(post.list->v[0], "sql", TN_STR_NONE), "select 1 from {{ this }}");
}

TN_TEST(configs_of_installed_packages_yield_to_the_root)
{
    tn_project *p = load_shop(arena);
    tn_node *n = find(p, "model.calendar.days");
    TN_ASSERT(tn_node_is_ephemeral(n));
    TN_ASSERT_EQ_I(n->relation_name.n, 0);
    TN_ASSERT_EQ_S(n->schema, "cal");
    const tn_val *v =
        tn_dict_finds(tn_project_package(p, TN_STR("calendar"))->vars, TN_STR("first_day"));
    TN_ASSERT_EQ_S(tn_val_as_str(*v), "2024-01-01");
}

TN_TEST(unused_folder_configs_are_noted)
{
    tn_project *p = load_shop(arena);
    bool found = false;
    for (size_t i = 0; i < p->notices.n; i++) {
        if (strcmp(p->notices.v[i].event, "UnusedResourceConfigPath") == 0) {
            TN_ASSERT_HAS(p->notices.v[i].msg, "- models.shop.nothing_here");
            found = true;
        }
    }
    TN_ASSERT(found);
}

/* ---- nodes ---- */

TN_TEST(parents_are_found_in_every_way)
{
    tn_project *p = load_shop(arena);
    tn_node *n = find(p, "model.shop.orders");
    TN_ASSERT_EQ_I(n->parents.n, 3);
    TN_ASSERT_EQ_S(n->parents.v[2]->unique_id, "model.calendar.days");
    TN_ASSERT_EQ_S(joined(arena, &n->macros), "macro.shop.cents macro.calendar.first_of_month");
    n = find(p, "model.shop.report");
    TN_ASSERT_EQ_S(n->parents.v[1]->unique_id, "model.shop.dim_customers.v2");
    TN_ASSERT_EQ_S(n->parents.v[2]->unique_id, "model.shop.dim_customers.v1");
    n = find(p, "model.shop.stg_events");
    TN_ASSERT_EQ_S(n->parents.v[0]->unique_id, "source.shop.landing.events");
    TN_ASSERT_EQ_S(n->parents.v[0]->relation_name, "'data/events.parquet'");
    TN_ASSERT_EQ_S(find(p, "source.shop.landing.prices")->relation_name, "delta_scan('lake/px')");
    for (size_t i = 0; i < p->order.n; i++) {
        for (size_t k = 0; k < p->order.v[i]->parents.n; k++) {
            TN_ASSERT(p->order.v[i]->parents.v[k]->rank < p->order.v[i]->rank);
        }
    }
}

TN_TEST(disabled_nodes_are_kept_aside)
{
    tn_project *p = load_shop(arena);
    TN_ASSERT(tn_project_find(p, TN_STR("model.shop.turned_off")) == NULL);
    bool found = false;
    for (size_t i = 0; i < p->disabled.n; i++) {
        found = found || tn_str_is(p->disabled.v[i]->unique_id, "model.shop.turned_off");
    }
    TN_ASSERT(found);
}

TN_TEST(generic_tests_have_the_names_of_dbt)
{
    tn_project *p = load_shop(arena);
    tn_node *n = find(
        p, "test.shop.accepted_values_stg_orders_status__placed__shipped__returned.b52273e597");
    TN_ASSERT_EQ_S(n->raw_code, "{{ test_accepted_values(**_dbt_generic_test_kwargs) }}");
    TN_ASSERT_EQ_S(n->test->column_name, "status");
    TN_ASSERT_EQ_S(n->test->file_key_name, "models.stg_orders");
    TN_ASSERT_EQ_S(n->test->attached->unique_id, "model.shop.stg_orders");
    n = find(p, "test.shop.a_test_with_a_long_name_orders_a_value_that_makes_this_name_much_longer_"
                "than_anybody_would_like.0b8f698fe7");
    TN_ASSERT_EQ_S(n->alias, "a_test_with_a_long_name_orders_d3e4eb4475b2f84a0b36bd8d568be17e");
    TN_ASSERT_EQ_I(n->alias.n, 63);
    TN_ASSERT_EQ_I(tn_node_config(n, "limit").i, 7);
    TN_ASSERT_EQ_S(tn_node_config_str(n, "severity", TN_STR_NONE), "warn");
}

TN_TEST(python_models_are_refused_but_known)
{
    small s = small_new(arena);
    put(&s, "models/p.py",
        "def model(dbt, session):\n    x = dbt.ref(\"b\")\n    # dbt.ref('no')\n    return x\n");
    put(&s, "models/b.sql", "select 1");
    put(&s, "models/a.sql", "select * from {{ ref('p') }}");
    tn_project *p = load_small(&s);
    tn_node *n = find(p, "model.small.p");
    TN_ASSERT_EQ_S(n->language, "python");
    TN_ASSERT_EQ_I(n->parents.n, 1);
    TN_ASSERT_EQ_S(n->parents.v[0]->unique_id, "model.small.b");
    TN_ASSERT_HAS(n->refused, "Python models are not supported");
    TN_ASSERT_EQ_S(tn_node_config_str(n, "materialized", TN_STR_NONE), "table");
}

/* ---- errors ---- */

TN_TEST(missing_refs_are_worded_as_in_dbt)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/customers.sql", "select 1 as id");
    put(&s, "models/y.sql", "\n\nselect * from {{ ref('customer') }}");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "Model 'model.small.y' (models/y.sql) depends on a node named "
                            "'customer' which was not found");
    TN_ASSERT_HAS(err->file, "models/y.sql");
    TN_ASSERT_HAS(err->hint, "did you mean 'customers'");
}

TN_TEST(cycles_are_shown_as_a_path)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/a.sql", "select * from {{ ref('c') }}");
    put(&s, "models/b.sql", "select * from {{ ref('a') }}");
    put(&s, "models/c.sql", "select * from {{ ref('b') }}");
    put(&s, "models/d.sql", "select * from {{ ref('c') }}");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg,
        "Found a cycle: model.small.a --> model.small.b --> model.small.c --> model.small.a");
}

TN_TEST(same_names_clash)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/x/a.sql", "select 1");
    put(&s, "models/y/a.sql", "select 1");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "dbt found two models with the name \"a\"");
    put(&s, "models/y/a.sql", "{{ config(enabled=false) }} select 1");
    put(&s, "models/b.sql", "{{ config(alias='a') }} select 1");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "identical database representations");
}

TN_TEST(broken_files_say_where)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/a.sql", "select 1\n{% if %}");
    TN_ASSERT(small_load(&s, &p, err) != TN_OK);
    TN_ASSERT_HAS(err->file, "models/a.sql");
    TN_ASSERT_EQ_I(err->line, 2);
    put(&s, "models/a.sql", "select 1");
    put(&s, "models/s.yml", "models:\n  - name: a\n    columns:\n      - name: [\n");
    tn_err_clear(err);
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_SYNTAX);
    TN_ASSERT_HAS(err->file, "models/s.yml");
    TN_ASSERT_EQ_I(err->line, 5);
    /* What only one node cannot do is for its run to say. */
    put(&s, "models/s.yml", "models:\n  - name: a\n    data_tests: [nonsense]\n");
    tn_err_clear(err);
    TN_ASSERT_RC(small_load(&s, &p, err), TN_OK);
}

TN_TEST(resources_are_described_once)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/a.sql", "select 1");
    put(&s, "models/s.yml", "models:\n  - name: a\n");
    put(&s, "models/t.yml", "models:\n  - name: a\n");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "dbt found two schema.yml entries for the same resource named a");
    TN_ASSERT_HAS(err->file, "models/t.yml");
}

TN_TEST(idioms_that_ask_the_database_parse)
{
    small s = small_new(arena);
    put(&s, "models/a.sql", "select 1 as id");
    put(&s, "models/b.sql",
        "{% set q %}select * from {{ ref('a') }}{% endset %}{% set rows = run_query(q) %}\n"
        "{% if execute %}{% set names = rows.columns[0].values() %}{% else %}{% set names = [] "
        "%}{% endif %}\n"
        "{%- call statement('s', fetch_result=True) %} select 1 {% endcall -%}\n{% set r = "
        "load_result('s') %}\n"
        "{% set cols = adapter.get_columns_in_relation(ref('a')) %}{% for c in cols %}{{ c.name "
        "}}{% endfor %}\n"
        "{% set rel = adapter.get_relation(database=this.database, schema=this.schema, "
        "identifier='x') %}{% if rel is none %}{% endif %}\n"
        "{% set other = api.Relation.create(database='d', schema='s', identifier='i') %}{{ "
        "other.include(database=false) }}\n"
        "{{ config(materialized='incremental', meta={'owner': 'me'}) }}{% if is_incremental() %}{{ "
        "this }}{% endif %}\n"
        "{{ dbt.type_string() }} {{ adapter.quote('x') }} {{ modules.datetime.datetime.now().year "
        "> 2000 }} {{ run_started_at.strftime('%Y') }}\n"
        "{{ exceptions.warn('careful') }} {{ tojson({'a': 1}) }} {{ fromjson('[1]')[0] }} {{ "
        "local_md5('x') }} {{ zip([1], [2]) }}");
    tn_project *p = load_small(&s);
    tn_node *n = find(p, "model.small.b");
    TN_ASSERT_EQ_I(n->parents.n, 1);
    TN_ASSERT_EQ_I(n->refs.n, 2);
    TN_ASSERT_EQ_S(tn_node_config_str(n, "materialized", TN_STR_NONE), "incremental");
    TN_ASSERT_HAS(p->notices.v[0].msg, "careful");
}

TN_TEST(undefined_names_in_yaml_are_errors_with_their_line)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/a.sql", "select 1");
    put(&s, "models/s.yml",
        "models:\n  - name: a\n    config:\n      alias: \"{{ nothing() }}\"\n");
    TN_ASSERT(small_load(&s, &p, err) != TN_OK);
    TN_ASSERT_HAS(err->msg, "'nothing' is undefined");
    TN_ASSERT_HAS(err->file, "models/s.yml");
    TN_ASSERT_EQ_I(err->line, 4);
    put(&s, "models/s.yml", "models: []\n");
    put(&s, "dbt_project.yml",
        "name: small\nprofile: small\nmodels:\n  small:\n    +alias: \"{{ env_var('TN_NOT_SET') "
        "}}\"\n");
    tn_err_clear(err);
    TN_ASSERT(small_load(&s, &p, err) != TN_OK);
    TN_ASSERT_HAS(err->msg, "Env var required but not provided: 'TN_NOT_SET'");
    TN_ASSERT_EQ_I(err->line, 5);
}

TN_TEST(missing_vars_list_what_is_there)
{
    small s = small_new(arena);
    tn_project *p;
    put(&s, "models/a.sql", "select {{ var('x') }}");
    TN_ASSERT_RC(small_load(&s, &p, err), TN_OK); /* it is none while parsing */
    put(&s, "dbt_project.yml",
        "name: small\nprofile: small\nmodels:\n  +alias: \"{{ var('x') }}\"\n");
    tn_err_clear(err);
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "Required var 'x' not found in config:\nVars supplied to");
}

TN_TEST(no_project_is_a_clear_error)
{
    small s = { arena, tn_test_dir(arena) };
    tn_project *p;
    TN_ASSERT_RC(small_load(&s, &p, err), TN_E_NOTFOUND);
    TN_ASSERT_HAS(err->msg, "No dbt_project.yml found");
}

/* ---- macros ---- */

TN_TEST(macros_of_the_root_override_built_in_ones)
{
    tn_project *p = load_shop(arena);
    tn_macro *m = tn_project_find_macro(p, TN_STR("shop"), TN_STR("generate_schema_name"));
    TN_ASSERT_EQ_S(m->unique_id, "macro.shop.generate_schema_name");
    m = tn_project_find_macro_in(p, TN_STR("dbt"), TN_STR("generate_schema_name"));
    TN_ASSERT_EQ_S(m->unique_id, "macro.dbt.generate_schema_name");
    TN_ASSERT_OK(tn_project_dispatch(
        p, TN_STR("shop"), TN_STR("first_of_month"), TN_STR("calendar"), &m, err));
    TN_ASSERT_EQ_S(m->unique_id, "macro.shop.duckdb__first_of_month");
    TN_ASSERT_RC(
        tn_project_dispatch(p, TN_STR("shop"), TN_STR("nothing"), TN_STR("calendar"), &m, err),
        TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "'shop.duckdb__nothing', 'shop.default__nothing', "
                            "'calendar.duckdb__nothing', 'calendar.default__nothing'");
}

TN_TEST(execution_context_resolves_names)
{
    tn_project *p = load_shop(arena);
    tn_pctx c;
    TN_ASSERT_OK(tn_pctx_init(&c, p, find(p, "model.shop.orders"), true, NULL, NULL, arena, err));
    tn_str out;
    const char *text = "{{ target.name }} {{ var('currency') }} {{ cents('x') }} {{ "
                       "config.get('unique_key') }} {{ config.get('nope', 7) }} "
                       "{{ ref('stg_orders') }} {{ model.alias }} {{ execute }} {{ graph.nodes | "
                       "length > 3 }} {{ calendar.default__first_of_month('d') }}";
    TN_ASSERT_OK(tn_pctx_render(&c, tn_str_of(text), (tn_jinja_src){ "t", 1 }, &out, err));
    TN_ASSERT_EQ_S(out, "dev EUR round(x * 100, 2) order_id 7 \"shop\".\"staging\".\"stg_orders\" "
                        "fct_orders True True "
                        "date_trunc('month', d)");
    TN_ASSERT_RC(
        tn_pctx_render(&c, TN_STR("{{ ref('report') }}"), (tn_jinja_src){ "t", 1 }, &out, err),
        TN_E_COMPILE);
    TN_ASSERT_HAS(err->msg, "dbt was unable to infer all dependencies for the model \"orders\"");
}

/* ---- artifacts ---- */

TN_TEST(manifest_is_json_with_all_sections)
{
    tn_project *p = load_shop(arena);
    tn_buf b = tn_buf_init(arena, TN_BUF_NO_LIMIT);
    TN_ASSERT_OK(tn_manifest_write(p, NULL, NULL, &b, err));
    tn_val m;
    TN_ASSERT_OK(tn_json_parse(arena, tn_buf_str(&b), &m, err));
    static const char *const sections[] = { "metadata", "nodes", "sources", "macros", "docs",
        "exposures", "metrics", "groups", "selectors", "disabled", "parent_map", "child_map",
        "group_map", "saved_queries", "semantic_models", "unit_tests", "functions" };
    for (size_t i = 0; i < TN_COUNTOF(sections); i++) {
        TN_ASSERT_EQ_I(tn_val_at(m, sections[i]).tag, TN_DICT);
    }
    TN_ASSERT_EQ_I(m.dict->live, TN_COUNTOF(sections));
    tn_val n = tn_val_at(tn_val_at(m, "nodes"), "model.shop.orders");
    TN_ASSERT_EQ_S(tn_val_str_at(n, "alias", TN_STR_NONE), "fct_orders");
    TN_ASSERT_EQ_S(tn_val_str_at(tn_val_at(m, "metadata"), "dbt_schema_version", TN_STR_NONE),
        "https://schemas.getdbt.com/dbt/manifest/v12.json");
}
