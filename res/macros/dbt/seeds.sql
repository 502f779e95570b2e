{# Seeds: the csv files of the project as tables. #}

{% materialization seed, default %}
  {%- set full_refresh_mode = should_full_refresh() -%}
  {%- set old_relation = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
  {%- set exists_as_table = old_relation is not none and old_relation.is_table -%}
  {%- set agate_table = load_agate_table() -%}
  {%- do store_result('agate_table', response='OK', agate_table=agate_table) -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if old_relation is not none and old_relation.is_view -%}
    {{ exceptions.raise_compiler_error("Cannot seed to '{}', it is a view".format(old_relation.render())) }}
  {%- elif exists_as_table -%}
    {%- set create_table_sql = reset_csv_table(model, full_refresh_mode, old_relation, agate_table) -%}
  {%- else -%}
    {%- set create_table_sql = create_csv_table(model, agate_table) -%}
  {%- endif -%}

  {%- set code = 'CREATE' if full_refresh_mode else 'INSERT' -%}
  {%- set rows_affected = agate_table.rows | length -%}
  {%- set load_sql = load_csv_rows(model, agate_table) if rows_affected > 0 else "" -%}
  {%- call noop_statement('main', code ~ ' ' ~ rows_affected, code, rows_affected) -%}
    {{ get_csv_sql(create_table_sql, load_sql) }};
  {%- endcall -%}

  {%- set target_relation = this.incorporate(type='table') -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(old_relation, full_refresh_mode)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- if full_refresh_mode or not exists_as_table -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro create_csv_table(model, agate_table) -%}
  {{ return(adapter.dispatch('create_csv_table', 'dbt')(model, agate_table)) }}
{%- endmacro %}

{% macro default__create_csv_table(model, agate_table) %}
  {%- set given_types = model['config'].get('column_types', {}) or {} -%}
  {%- set quote_columns = model['config'].get('quote_columns', None) -%}
  {%- set sql -%}
    create table {{ this.render() }} (
      {%- for name in agate_table.column_names -%}
        {{ adapter.quote_seed_column(name | string, quote_columns) }} {{ given_types.get(name, adapter.convert_type(agate_table, loop.index0)) }}{{ ", " if not loop.last }}
      {%- endfor -%}
    )
  {%- endset -%}
  {%- call statement('_') -%}
    {{ sql }}
  {%- endcall -%}
  {{ return(sql) }}
{% endmacro %}

{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
  {{ return(adapter.dispatch('reset_csv_table', 'dbt')(model, full_refresh, old_relation, agate_table)) }}
{%- endmacro %}

{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {%- if full_refresh -%}
    {{ adapter.drop_relation(old_relation) }}
    {{ return(create_csv_table(model, agate_table)) }}
  {%- endif -%}
  {{ adapter.truncate_relation(old_relation) }}
  {{ return("truncate table " ~ old_relation.render()) }}
{% endmacro %}

{% macro get_csv_sql(create_or_truncate_sql, insert_sql) -%}
  {{ return(adapter.dispatch('get_csv_sql', 'dbt')(create_or_truncate_sql, insert_sql)) }}
{%- endmacro %}

{% macro default__get_csv_sql(create_or_truncate_sql, insert_sql) %}
  {{ create_or_truncate_sql }};
  {{ insert_sql }}
{% endmacro %}

{% macro get_binding_char() -%}
  {{ return(adapter.dispatch('get_binding_char', 'dbt')()) }}
{%- endmacro %}

{% macro default__get_binding_char() %}
  {{ return('%s') }}
{% endmacro %}

{% macro get_batch_size() -%}
  {{ return(adapter.dispatch('get_batch_size', 'dbt')()) }}
{%- endmacro %}

{% macro default__get_batch_size() %}
  {{ return(10000) }}
{% endmacro %}

{% macro get_seed_column_quoted_csv(model, column_names) %}
  {%- set quote_columns = model['config'].get('quote_columns', None) -%}
  {%- set quoted = [] -%}
  {%- for name in column_names -%}
    {%- do quoted.append(adapter.quote_seed_column(name, quote_columns)) -%}
  {%- endfor -%}
  {{ return(quoted | join(', ')) }}
{% endmacro %}

{% macro load_csv_rows(model, agate_table) -%}
  {{ return(adapter.dispatch('load_csv_rows', 'dbt')(model, agate_table)) }}
{%- endmacro %}

{% macro default__load_csv_rows(model, agate_table) %}
  {%- set cols_sql = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
  {%- set statements = [] -%}
  {%- for chunk in agate_table.rows | batch(get_batch_size()) -%}
    {%- set bindings = [] -%}
    {%- for row in chunk -%}
      {%- do bindings.extend(row) -%}
    {%- endfor -%}
    {%- set sql -%}
      insert into {{ this.render() }} ({{ cols_sql }}) values
      {% for row in chunk -%}
        ({%- for column in agate_table.column_names -%}{{ get_binding_char() }}{{ "," if not loop.last }}{%- endfor -%}){{ "," if not loop.last }}
      {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
    {%- do statements.append(sql) -%}
  {%- endfor -%}
  {{ return(statements[0]) }}
{% endmacro %}
