{# The catalog of relations and their columns, asked for by schemas or by relations. Each part is a macro of its own, as in dbt-duckdb. #}

{% macro duckdb__get_catalog(information_schema, schemas) -%}
  {{ return(run_query(tarn__catalog_sql(information_schema, duckdb__get_catalog_schemas_where_clause_sql(schemas)))) }}
{%- endmacro %}

{% macro duckdb__get_catalog_relations(information_schema, relations) -%}
  {{ return(run_query(tarn__catalog_sql(information_schema, duckdb__get_catalog_relations_where_clause_sql(relations)))) }}
{%- endmacro %}

{% macro tarn__catalog_sql(information_schema, condition) -%}
  with tables as ({{ duckdb__get_catalog_tables_sql(information_schema) }} {{ condition }}),
  columns as ({{ duckdb__get_catalog_columns_sql(information_schema) }} {{ condition }})
  {{ duckdb__get_catalog_results_sql() }}
{%- endmacro %}

{% macro duckdb__get_catalog_tables_sql(information_schema) -%}
  select * from (
    select database_name as table_database, schema_name as table_schema, table_name, 'BASE TABLE' as table_type, comment as table_comment
    from duckdb_tables() where lower(database_name) = lower('{{ information_schema.database }}')
    union all
    select database_name, schema_name, view_name, 'VIEW', comment
    from duckdb_views() where lower(database_name) = lower('{{ information_schema.database }}')
  ) found_tables
{%- endmacro %}

{% macro duckdb__get_catalog_columns_sql(information_schema) -%}
  select * from (
    select database_name as table_database, schema_name as table_schema, table_name, column_name, column_index, data_type as column_type,
      comment as column_comment
    from duckdb_columns() where lower(database_name) = lower('{{ information_schema.database }}')
  ) found_columns
{%- endmacro %}

{% macro duckdb__get_catalog_results_sql() -%}
  select table_database, table_schema, table_name, tables.table_type, tables.table_comment, columns.column_name, columns.column_index,
    columns.column_type, columns.column_comment, null as table_owner
  from tables join columns using (table_database, table_schema, table_name)
  order by table_schema, table_name, column_index
{%- endmacro %}

{% macro duckdb__get_catalog_schemas_where_clause_sql(schemas) -%}
  {%- if schemas -%}
    where lower(table_schema) in ({% for schema in schemas %}lower('{{ schema }}'){{ ', ' if not loop.last }}{% endfor %})
  {%- else -%}
    where false
  {%- endif -%}
{%- endmacro %}

{% macro duckdb__get_catalog_relations_where_clause_sql(relations) -%}
  where false
  {%- for relation in relations -%}
    {%- if not relation.schema -%}
      {%- do exceptions.raise_compiler_error('`get_catalog_relations` requires a list of relations, each with a schema') -%}
    {%- endif %}
    or (lower(table_schema) = lower('{{ relation.schema }}')
      {%- if relation.identifier %} and lower(table_name) = lower('{{ relation.identifier }}'){% endif %})
  {%- endfor -%}
{%- endmacro %}
