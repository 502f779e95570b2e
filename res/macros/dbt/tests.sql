{# Tests: the four generic ones, what a test runs, and unit tests' fixtures. #}

{% test unique(model, column_name) %}
  {% set macro = adapter.dispatch('test_unique', 'dbt') %}
  {{ macro(model, column_name) }}
{% endtest %}

{% test not_null(model, column_name) %}
  {% set macro = adapter.dispatch('test_not_null', 'dbt') %}
  {{ macro(model, column_name) }}
{% endtest %}

{% test accepted_values(model, column_name, values, quote=True) %}
  {% set macro = adapter.dispatch('test_accepted_values', 'dbt') %}
  {{ macro(model, column_name, values, quote) }}
{% endtest %}

{% test relationships(model, column_name, to, field) %}
  {% set macro = adapter.dispatch('test_relationships', 'dbt') %}
  {{ macro(model, column_name, to, field) }}
{% endtest %}

{% macro default__test_unique(model, column_name) %}
select
    {{ column_name }} as unique_field,
    count(*) as n_records

from {{ model }}
where {{ column_name }} is not null
group by {{ column_name }}
having count(*) > 1
{% endmacro %}

{% macro default__test_not_null(model, column_name) %}
select {{ '*' if should_store_failures() else column_name }}
from {{ model }}
where {{ column_name }} is null
{% endmacro %}

{% macro default__test_accepted_values(model, column_name, values, quote=True) %}
with all_values as (

    select
        {{ column_name }} as value_field,
        count(*) as n_records

    from {{ model }}
    group by {{ column_name }}

)

select *
from all_values
where value_field not in (
    {% for value in values -%}
        {{ "'" ~ value ~ "'" if quote else value }}{{ "," if not loop.last }}
    {%- endfor %}
)
{% endmacro %}

{% macro default__test_relationships(model, column_name, to, field) %}
with child as (
    select {{ column_name }} as from_field
    from {{ model }}
    where {{ column_name }} is not null
),

parent as (
    select {{ field }} as to_field
    from {{ to }}
)

select
    from_field

from child
left join parent
    on child.from_field = parent.to_field

where parent.to_field is null
{% endmacro %}

{% macro get_where_subquery(relation) -%}
  {%- do return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) -%}
{%- endmacro %}

{% macro default__get_where_subquery(relation) -%}
  {%- set where = config.get('where', '') -%}
  {%- if where -%}
    {%- do return("(select * from " ~ relation ~ " where " ~ where ~ ") dbt_subquery") -%}
  {%- endif -%}
  {%- do return(relation) -%}
{%- endmacro %}

{% macro should_store_failures() %}
  {%- set wanted = config.get('store_failures') -%}
  {%- do return(flags.STORE_FAILURES if wanted is none else wanted) -%}
{% endmacro %}

{% macro get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
  {{ return(adapter.dispatch('get_test_sql', 'dbt')(main_sql, fail_calc, warn_if, error_if, limit)) }}
{%- endmacro %}

{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
    select
      {{ fail_calc }} as failures,
      {{ fail_calc }} {{ warn_if }} as should_warn,
      {{ fail_calc }} {{ error_if }} as should_error
    from (
      {{ main_sql }}
      {{ "limit " ~ limit if limit != none }}
    ) dbt_internal_test
{%- endmacro %}

{%- materialization test, default -%}
  {%- set relations = [] -%}
  {%- set sql_header = config.get('sql_header') if flags.REQUIRE_SQL_HEADER_IN_TEST_CONFIGS else none -%}
  {%- set main_sql -%}
    {{ get_limit_subquery_sql(sql, config.get('limit')) }}
  {%- endset -%}

  {%- if should_store_failures() -%}
    {%- set kind = config.get('store_failures_as') or 'table' -%}
    {%- if kind not in ['table', 'view'] -%}
      {{ exceptions.raise_compiler_error("'" ~ kind ~ "' is not a valid value for `store_failures_as`. Accepted values are: ['ephemeral', 'table', 'view']") }}
    {%- endif -%}
    {%- set old_relation = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
    {%- set target_relation = api.Relation.create(identifier=model['alias'], schema=schema, database=database, type=kind) -%}
    {%- if old_relation -%}
      {%- do adapter.drop_relation(old_relation) -%}
    {%- endif -%}
    {%- call statement(auto_begin=True) -%}
      {{ sql_header if sql_header }}
      {{ get_create_sql(target_relation, main_sql) }}
    {%- endcall -%}
    {%- do relations.append(target_relation) -%}
    {%- set main_sql -%}
      select *
      from {{ target_relation }}
    {%- endset -%}
    {{ adapter.commit() }}
  {%- endif -%}

  {%- call statement('main', fetch_result=True) -%}
    {{ sql_header if sql_header }}
    {{ get_test_sql(main_sql, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
  {%- endcall -%}

  {{ return({'relations': relations}) }}
{%- endmaterialization -%}

{# ---- unit tests ---- #}

{% macro get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
  {{ return(adapter.dispatch('get_unit_test_sql', 'dbt')(main_sql, expected_fixture_sql, expected_column_names)) }}
{%- endmacro %}

{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
{%- set columns = expected_column_names | join(', ') -%}
with dbt_internal_unit_test_actual as (
  select {{ columns }}, {{ dbt.string_literal("actual") }} as {{ adapter.quote("actual_or_expected") }}
  from (
    {{ main_sql }}
  ) _dbt_internal_unit_test_actual
),
dbt_internal_unit_test_expected as (
  select {{ columns }}, {{ dbt.string_literal("expected") }} as {{ adapter.quote("actual_or_expected") }}
  from (
    {{ expected_fixture_sql }}
  ) _dbt_internal_unit_test_expected
)
select * from dbt_internal_unit_test_actual
union all
select * from dbt_internal_unit_test_expected
{%- endmacro %}

{%- materialization unit, default -%}
  {%- set expected_rows = config.get('expected_rows') -%}
  {%- set expected_sql = config.get('expected_sql') -%}
  {%- set wanted = expected_rows[0].keys() if expected_rows | length > 0 else get_columns_in_query(sql) -%}
  {%- set temp_relation = make_temp_relation(this.incorporate(type='table')) -%}
  {%- do run_query(get_create_table_as_sql(True, temp_relation, get_empty_subquery_sql(sql))) -%}
  {%- set types = {} -%}
  {%- set quoted = {} -%}
  {%- for column in adapter.get_columns_in_relation(temp_relation) -%}
    {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- do quoted.update({column.name | lower: column.quoted}) -%}
  {%- endfor -%}
  {%- set wanted_quoted = [] -%}
  {%- for name in wanted -%}
    {%- do wanted_quoted.append(quoted[name | lower]) -%}
  {%- endfor -%}
  {%- if not expected_sql -%}
    {%- set expected_sql = get_expected_sql(expected_rows, types, quoted) -%}
  {%- endif -%}
  {%- call statement('main', fetch_result=True) -%}
    {{ get_unit_test_sql(sql, expected_sql, wanted_quoted) }}
  {%- endcall -%}
  {%- do adapter.drop_relation(temp_relation) -%}
  {{ return({'relations': []}) }}
{%- endmaterialization -%}

{% macro get_fixture_sql(rows, column_name_to_data_types) %}
-- Fixture for {{ model.name }}
{% set quoted = {} -%}
{%- if not column_name_to_data_types -%}
  {%- set column_name_to_data_types = {} -%}
  {%- for column in adapter.get_columns_in_relation(defer_relation if (defer_relation and not load_relation(this)) else this) -%}
    {%- do column_name_to_data_types.update({column.name | lower: column.data_type}) -%}
    {%- do quoted.update({column.name | lower: column.quoted}) -%}
  {%- endfor -%}
{%- endif -%}
{%- if not column_name_to_data_types -%}
  {{ exceptions.raise_compiler_error("Not able to get columns for unit test '" ~ model.name ~ "' from relation " ~ this ~ " because the relation doesn't exist") }}
{%- endif -%}
{%- set empty = {} -%}
{%- for name, type in column_name_to_data_types.items() -%}
  {%- do empty.update({name: safe_cast("null", type) | trim}) -%}
{%- endfor -%}
{{ validate_fixture_rows(rows, row_number) }}
{%- for row in rows or [{}] -%}
  {%- set full = empty.copy() -%}
  {%- do full.update(format_row(row, column_name_to_data_types)) -%}
select{% for name, value in full.items() %} {{ value }} as {{ quoted.get(name, name) }}{{ "," if not loop.last }}{% endfor %}
{{ "union all\n" if not loop.last }}
{%- endfor -%}
{{ "limit 0" if not rows }}
{% endmacro %}

{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
{%- if rows | length == 0 -%}
select * from dbt_internal_unit_test_actual
limit 0
{%- endif -%}
{%- for row in rows -%}
select{% for name, value in format_row(row, column_name_to_data_types).items() %} {{ value }} as {{ column_name_to_quoted[name] }}{{ "," if not loop.last }}{% endfor %}
{{ "union all\n" if not loop.last }}
{%- endfor -%}
{% endmacro %}

{%- macro format_row(row, column_name_to_data_types) -%}
  {%- set formatted = {} -%}
  {%- for given, value in row.items() -%}
    {%- set name = given | lower -%}
    {%- if name not in column_name_to_data_types -%}
      {%- set fixture = "expected output" if model.resource_type == 'unit_test' else "'" ~ model.name ~ "'" -%}
      {{ exceptions.raise_compiler_error("Invalid column name: '" ~ name ~ "' in unit test fixture for " ~ fixture ~ ".\nAccepted columns for " ~ fixture ~ " are: " ~ (column_name_to_data_types.keys() | list)) }}
    {%- endif -%}
    {%- set type = column_name_to_data_types[name] -%}
    {%- if value is string -%}
      {%- set type = type.split('(')[0] if 'varying' in type else type -%}
      {%- set value = dbt.string_literal(dbt.escape_single_quotes(value)) -%}
    {%- elif value is none -%}
      {%- set value = 'null' -%}
    {%- endif -%}
    {%- do formatted.update({name: safe_cast(value, type)}) -%}
  {%- endfor -%}
  {{ return(formatted) }}
{%- endmacro %}

{% macro validate_fixture_rows(rows, row_number) -%}
  {{ return(adapter.dispatch('validate_fixture_rows', 'dbt')(rows, row_number)) }}
{%- endmacro %}

{%- macro default__validate_fixture_rows(rows, row_number) -%}
{%- endmacro -%}
