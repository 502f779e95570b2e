// layers: base os text jinja duck store delta project lake run
/* test_run_values.c: what macros handle: relations, columns, tables of rows, seeds; and CTEs put in front of a query. */
#include "run/job/job.h"
#include "run/table.h"
#include "run/value/relation.h"
#include "tn_test.h"

static tn_val attr(tn_arena *a, tn_val v, const char *name)
{
    tn_val found = TN_VAL_UNDEF;
    TN_ASSERT_OK(v.obj->type->attr(v.obj, a, tn_str_of(name), &found, &tn_tests.err));
    return found;
}

static tn_val call(
    tn_arena *a, tn_val fn, const tn_val *args, size_t n, const tn_kwarg *kw, size_t kwn)
{
    tn_call c = { .arena = a, .args = args, .argc = n, .kwargs = kw, .kwargc = kwn };
    tn_val found = TN_VAL_UNDEF;
    TN_ASSERT_OK(fn.obj->type->call(fn.obj, &c, &found, &tn_tests.err));
    return found;
}

TN_TEST(a_relation_renders_its_parts)
{
    tn_relation *r =
        tn_relation_new(arena, TN_STR("db"), TN_STR("main"), TN_STR("orders"), "table");
    TN_ASSERT_EQ_S(tn_relation_render(arena, r), "\"db\".\"main\".\"orders\"");
    r->part[0] = TN_STR_NONE;
    TN_ASSERT_EQ_S(tn_relation_render(arena, r), "\"main\".\"orders\"");
    r->limit = 0;
    TN_ASSERT_EQ_S(
        tn_relation_render(arena, r), "(select * from \"main\".\"orders\" where false limit 0)");
}

TN_TEST(a_relation_derives_others)
{
    tn_val v = tn_relation_val(
        tn_relation_new(arena, TN_STR("db"), TN_STR("main"), TN_STR("orders"), "table"));
    tn_kwarg no_db = { TN_STR("database"), TN_VAL_FALSE };
    TN_ASSERT_EQ_S(tn_val_to_str(arena, call(arena, attr(arena, v, "include"), NULL, 0, &no_db, 1)),
        "\"main\".\"orders\"");
    tn_kwarg unquoted = { TN_STR("identifier"), TN_VAL_FALSE };
    TN_ASSERT_EQ_S(
        tn_val_to_str(arena, call(arena, attr(arena, v, "quote"), NULL, 0, &unquoted, 1)),
        "\"db\".\"main\".orders");
    tn_val path = tn_val_dict(arena);
    tn_dict_putz(path.dict, "identifier", tn_val_z("other"));
    tn_dict_putz(path.dict, "schema", TN_VAL_NONE);
    tn_kwarg with_path = { TN_STR("path"), path };
    TN_ASSERT_EQ_S(
        tn_val_to_str(arena, call(arena, attr(arena, v, "incorporate"), NULL, 0, &with_path, 1)),
        "\"db\".\"other\"");
    TN_ASSERT_EQ_S(
        tn_val_to_str(arena, call(arena, attr(arena, v, "without_identifier"), NULL, 0, NULL, 0)),
        "\"db\".\"main\"");
    TN_ASSERT_EQ_S(
        tn_val_to_str(arena, v), "\"db\".\"main\".\"orders\""); /* the first one is as it was */
    TN_ASSERT(tn_val_truthy(attr(arena, v, "is_table")));
    TN_ASSERT(!tn_val_truthy(attr(arena, v, "is_view")));
    TN_ASSERT(tn_val_is_undef(attr(arena, v, "no_such_thing")));
}

TN_TEST(equal_relations_are_equal)
{
    tn_val a =
        tn_relation_val(tn_relation_new(arena, TN_STR("db"), TN_STR("main"), TN_STR("x"), "table"));
    tn_val b =
        tn_relation_val(tn_relation_new(arena, TN_STR("db"), TN_STR("main"), TN_STR("x"), "table"));
    tn_val c =
        tn_relation_val(tn_relation_new(arena, TN_STR("db"), TN_STR("main"), TN_STR("y"), "table"));
    TN_ASSERT(tn_val_eq(a, b));
    TN_ASSERT(!tn_val_eq(a, c));
    TN_ASSERT_EQ_I(tn_val_hash(a), tn_val_hash(b));
}

TN_TEST(columns_answer_about_their_types)
{
    tn_val text = tn_column_new(arena, TN_STR("c"), TN_STR("VARCHAR")),
           number = tn_column_new(arena, TN_STR("n"), TN_STR("BIGINT"));
    TN_ASSERT_EQ_S(tn_val_as_str(attr(arena, text, "data_type")), "character varying(256)");
    TN_ASSERT_EQ_S(tn_val_as_str(attr(arena, number, "data_type")), "BIGINT");
    TN_ASSERT(tn_val_truthy(call(arena, attr(arena, text, "is_string"), NULL, 0, NULL, 0)));
    TN_ASSERT(tn_val_truthy(call(arena, attr(arena, number, "is_number"), NULL, 0, NULL, 0)));
    TN_ASSERT(!tn_val_truthy(call(arena, attr(arena, number, "is_float"), NULL, 0, NULL, 0)));
}

TN_TEST(structs_flatten_to_their_leaves)
{
    tn_val list = tn_val_list(arena);
    tn_column_flatten(arena, TN_STR("s"),
        TN_STR("STRUCT(a DECIMAL(10,2), \"b c\" STRUCT(d VARCHAR, e INTEGER[]))"), list.list);
    TN_ASSERT_EQ_I(list.list->n, 3);
    TN_ASSERT_EQ_S(tn_val_to_str(arena, list.list->v[0]), "<DuckDBColumn s.a (DECIMAL(10,2))>");
    TN_ASSERT_EQ_S(tn_val_to_str(arena, list.list->v[1]), "<DuckDBColumn s.b c.d (VARCHAR)>");
    TN_ASSERT_EQ_S(tn_val_to_str(arena, list.list->v[2]), "<DuckDBColumn s.b c.e (INTEGER[])>");
}

static tn_table *seed(tn_arena *a, const char *text, const tn_dict *text_columns)
{
    char *path = tn_arena_printf(a, "%s/seed.csv", tn_test_dir(a));
    FILE *f = fopen(path, "w");
    TN_ASSERT(f != NULL);
    fputs(text, f);
    fclose(f);
    tn_val v = TN_VAL_UNDEF;
    tn_table *t = NULL;
    TN_ASSERT_OK(tn_table_read_csv(a, tn_str_of(path), ',', text_columns, &v, &tn_tests.err));
    TN_ASSERT(tn_val_is_table(v, &t));
    return t;
}

TN_TEST(seeds_are_typed_as_agate_types_them)
{
    tn_table *t = seed(arena,
        "i,f,d,at,b,s,none,pct\n1,1.5,2024-01-31,2024-01-31 "
        "10:00:00,true,x,,5%\n-2,2,,,FALSE,\"a,b\",null,1\n",
        NULL);
    const char *const wanted[] = { "integer", "float8", "date", "timestamp without time zone",
        "boolean", "text", "integer", "integer" };
    for (size_t i = 0; i < TN_COUNTOF(wanted); i++) {
        TN_ASSERT_EQ_S(tn_table_sql_type(t, i), wanted[i]);
    }
    TN_ASSERT(tn_val_is_none(t->rows.list->v[1].list->v[6]));
    TN_ASSERT_EQ_S(tn_val_to_str(arena, t->rows.list->v[1].list->v[5]), "a,b");
    tn_val text_columns = tn_val_dict(arena);
    tn_dict_putz(text_columns.dict, "i", tn_val_z("varchar"));
    t = seed(arena, "i\n007\n", text_columns.dict);
    TN_ASSERT_EQ_S(tn_val_to_str(arena, t->rows.list->v[0].list->v[0]), "007");
}

TN_TEST(a_seed_row_that_is_too_long_is_named)
{
    char *path = tn_arena_printf(arena, "%s/bad.csv", tn_test_dir(arena));
    FILE *f = fopen(path, "w");
    TN_ASSERT(f != NULL);
    fputs("a,b\n1,2\n1,2,3\n", f);
    fclose(f);
    tn_val v;
    TN_ASSERT_RC(tn_table_read_csv(arena, tn_str_of(path), ',', NULL, &v, err), TN_E_DATA);
    TN_ASSERT_EQ_I(err->line, 3);
    TN_ASSERT_HAS(err->msg, "3 values");
}

static tn_val sample(tn_arena *a)
{
    tn_val names = tn_val_list(a), rows = tn_val_list(a);
    tn_list_push(names.list, tn_val_z("n"));
    tn_list_push(names.list, tn_val_z("name"));
    for (int i = 0; i < 3; i++) {
        tn_val cells[2] = { tn_val_int(1000 * i), i == 1 ? TN_VAL_NONE : tn_val_z("x") };
        tn_list_push(rows.list, tn_val_tuple(a, cells, 2));
    }
    return tn_table_new(a, names, rows);
}

TN_TEST(tables_have_rows_and_columns)
{
    tn_val t = sample(arena), row, cell;
    tn_val rows = attr(arena, t, "rows"), columns = attr(arena, t, "columns");
    size_t n = 0;
    TN_ASSERT(rows.obj->type->length(rows.obj, &n));
    TN_ASSERT_EQ_I(n, 3);
    TN_ASSERT_OK(rows.obj->type->item(rows.obj, arena, tn_val_int(-1), &row, err));
    TN_ASSERT_OK(row.obj->type->item(row.obj, arena, tn_val_z("n"), &cell, err));
    TN_ASSERT_EQ_I(cell.i, 2000);
    TN_ASSERT_OK(row.obj->type->item(row.obj, arena, tn_val_z("nope"), &cell, err));
    TN_ASSERT(tn_val_is_undef(cell));
    TN_ASSERT_OK(columns.obj->type->item(columns.obj, arena, tn_val_int(0), &cell, err));
    TN_ASSERT_EQ_S(
        tn_val_to_repr(arena, call(arena, attr(arena, cell, "values"), NULL, 0, NULL, 0)),
        "(0, 1000, 2000)");
    tn_table *table = NULL;
    TN_ASSERT(tn_val_is_table(t, &table));
    tn_buf b = tn_buf_init(arena, 4096);
    tn_table_print(&b, table, 2, 0);
    TN_ASSERT_EQ_S(tn_buf_str(&b),
        "|    n | name |\n| ---- | ---- |\n|    0 | x    |\n| 1000 |      |\n|  ... | ...  |\n");
}

static tn_str injected(tn_arena *a, const char *sql)
{
    tn_val ctes = tn_val_list(a), entry = tn_val_dict(a);
    tn_dict_putz(entry.dict, "id", tn_val_z("model.p.e"));
    tn_dict_putz(entry.dict, "sql", tn_val_z(" __dbt__cte__e as (\nselect 1\n)"));
    tn_list_push(ctes.list, entry);
    tn_str out;
    TN_ASSERT_OK(tn_inject_ctes(a, tn_str_of(sql), ctes, &out, &tn_tests.err));
    return out;
}

TN_TEST(ctes_go_into_the_querys_own_with)
{
    TN_ASSERT_EQ_S(injected(arena, "select * from __dbt__cte__e"),
        "with __dbt__cte__e as (\nselect 1\n) select * from __dbt__cte__e");
    TN_ASSERT_EQ_S(injected(arena, "-- why\nwith a as (select 2) select 3"),
        "-- why\nwith  __dbt__cte__e as (\nselect 1\n), a as (select 2) select 3");
    TN_ASSERT_EQ_S(injected(arena, "with recursive a as (select 2) select 3"),
        "with recursive  __dbt__cte__e as (\nselect 1\n), a as (select 2) select 3");
    TN_ASSERT_EQ_S(injected(arena, "select with_tax from t"),
        "with __dbt__cte__e as (\nselect 1\n) select with_tax from t");
    TN_ASSERT_EQ_S(
        injected(arena, "\n\n  select 1"), "\n\n  with __dbt__cte__e as (\nselect 1\n) select 1");
    TN_ASSERT_EQ_S(injected(arena, "with\n\n  t as (select 1) select 1"),
        "with\n\n   __dbt__cte__e as (\nselect 1\n), t as (select 1) select 1");
}
