{# Dispatch points of an adapter: time, comments, grants, indexes, freshness, metadata. #}

{%- macro current_timestamp() -%}
  {{ adapter.dispatch('current_timestamp', 'dbt')() }}
{%- endmacro %}

{% macro default__current_timestamp() -%}
  {{ exceptions.raise_not_implemented('current_timestamp macro not implemented for adapter ' ~ adapter.type()) }}
{%- endmacro %}

{%- macro snapshot_get_time() -%}
  {{ adapter.dispatch('snapshot_get_time', 'dbt')() }}
{%- endmacro %}

{% macro default__snapshot_get_time() -%}
  {{ current_timestamp() }}
{%- endmacro %}

{% macro get_snapshot_get_time_data_type() %}
  {%- set found = get_column_schema_from_query('select ' ~ snapshot_get_time() ~ ' as dbt_snapshot_time') -%}
  {{ return(found[0].dtype or none) }}
{% endmacro %}

{% macro current_timestamp_backcompat() -%}
  {{ return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) }}
{%- endmacro %}

{% macro default__current_timestamp_backcompat() %}
  current_timestamp::timestamp
{% endmacro %}

{% macro current_timestamp_in_utc_backcompat() -%}
  {{ return(adapter.dispatch('current_timestamp_in_utc_backcompat', 'dbt')()) }}
{%- endmacro %}

{% macro default__current_timestamp_in_utc_backcompat() %}
  {{ return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) }}
{% endmacro %}

{# ---- comments ---- #}

{% macro alter_column_comment(relation, column_dict) -%}
  {{ return(adapter.dispatch('alter_column_comment', 'dbt')(relation, column_dict)) }}
{%- endmacro %}

{% macro default__alter_column_comment(relation, column_dict) -%}
  {{ exceptions.raise_not_implemented('alter_column_comment macro not implemented for adapter ' ~ adapter.type()) }}
{%- endmacro %}

{% macro alter_relation_comment(relation, relation_comment) -%}
  {{ return(adapter.dispatch('alter_relation_comment', 'dbt')(relation, relation_comment)) }}
{%- endmacro %}

{% macro default__alter_relation_comment(relation, relation_comment) -%}
  {{ exceptions.raise_not_implemented('alter_relation_comment macro not implemented for adapter ' ~ adapter.type()) }}
{%- endmacro %}

{% macro persist_docs(relation, model, for_relation=true, for_columns=true) -%}
  {{ return(adapter.dispatch('persist_docs', 'dbt')(relation, model, for_relation, for_columns)) }}
{%- endmacro %}

{% macro validate_doc_columns(relation, column_dict, existing_column_names) %}
  {%- set lowered = existing_column_names | map("lower") | list -%}
  {%- set missing = [] -%}
  {%- set present = {} -%}
  {%- for name in column_dict -%}
    {%- if name in existing_column_names or (not column_dict[name]['quote'] and name | lower in lowered) -%}
      {%- do present.update({name: column_dict[name]}) -%}
    {%- else -%}
      {%- do missing.append(name) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if missing -%}
    {{ exceptions.warn("In relation " ~ relation.render() ~ ": The following columns are specified in the schema but are not present in the database: " ~ missing | join(", ")) }}
  {%- endif -%}
  {{ return(present) }}
{% endmacro %}

{% macro default__persist_docs(relation, model, for_relation, for_columns) -%}
  {%- if for_relation and config.persist_relation_docs() and model.description -%}
    {%- do run_query(alter_relation_comment(relation, model.description)) -%}
  {%- endif -%}
  {%- if for_columns and config.persist_column_docs() and model.columns -%}
    {%- set existing = adapter.get_columns_in_relation(relation) | map(attribute="name") | list -%}
    {%- set comments = alter_column_comment(relation, validate_doc_columns(relation, model.columns, existing)) -%}
    {%- if comments and comments | trim | length > 0 -%}
      {%- do run_query(comments) -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}

{# ---- grants ---- #}

{% macro copy_grants() -%}
  {{ return(adapter.dispatch('copy_grants', 'dbt')()) }}
{%- endmacro %}

{% macro default__copy_grants() %}
  {{ return(True) }}
{% endmacro %}

{% macro support_multiple_grantees_per_dcl_statement() -%}
  {{ return(adapter.dispatch('support_multiple_grantees_per_dcl_statement', 'dbt')()) }}
{%- endmacro %}

{% macro default__support_multiple_grantees_per_dcl_statement() %}
  {{ return(True) }}
{% endmacro %}

{% macro should_revoke(existing_relation, full_refresh_mode=True) %}
  {%- if not existing_relation -%}
    {{ return(False) }}
  {%- elif full_refresh_mode -%}
    {{ return(copy_grants()) }}
  {%- else -%}
    {{ return(True) }}
  {%- endif -%}
{% endmacro %}

{% macro get_show_grant_sql(relation) -%}
  {{ return(adapter.dispatch('get_show_grant_sql', 'dbt')(relation)) }}
{%- endmacro %}

{% macro default__get_show_grant_sql(relation) %}
  show grants on {{ relation.render() }}
{% endmacro %}

{% macro get_grant_sql(relation, privilege, grantees) -%}
  {{ return(adapter.dispatch('get_grant_sql', 'dbt')(relation, privilege, grantees)) }}
{%- endmacro %}

{% macro default__get_grant_sql(relation, privilege, grantees) -%}
  grant {{ privilege }} on {{ relation.render() }} to {{ grantees | join(', ') }}
{%- endmacro %}

{% macro get_revoke_sql(relation, privilege, grantees) -%}
  {{ return(adapter.dispatch('get_revoke_sql', 'dbt')(relation, privilege, grantees)) }}
{%- endmacro %}

{% macro default__get_revoke_sql(relation, privilege, grantees) -%}
  revoke {{ privilege }} on {{ relation.render() }} from {{ grantees | map('tojson') | join(', ') }}
{%- endmacro %}

{% macro get_dcl_statement_list(relation, grant_config, get_dcl_macro) -%}
  {{ return(adapter.dispatch('get_dcl_statement_list', 'dbt')(relation, grant_config, get_dcl_macro)) }}
{%- endmacro %}

{% macro default__get_dcl_statement_list(relation, grant_config, get_dcl_macro) -%}
  {%- set found = [] -%}
  {%- for privilege, grantees in grant_config.items() -%}
    {%- if support_multiple_grantees_per_dcl_statement() and grantees -%}
      {%- do found.append(get_dcl_macro(relation, privilege, grantees)) -%}
    {%- else -%}
      {%- for grantee in grantees -%}
        {%- do found.append(get_dcl_macro(relation, privilege, [grantee])) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(found) }}
{%- endmacro %}

{% macro call_dcl_statements(dcl_statement_list) -%}
  {{ return(adapter.dispatch('call_dcl_statements', 'dbt')(dcl_statement_list)) }}
{%- endmacro %}

{% macro default__call_dcl_statements(dcl_statement_list) %}
  {%- call statement('grants') -%}
    {% for dcl_statement in dcl_statement_list %}{{ dcl_statement }};
    {% endfor %}
  {%- endcall -%}
{% endmacro %}

{% macro apply_grants(relation, grant_config, should_revoke=True) -%}
  {{ return(adapter.dispatch('apply_grants', 'dbt')(relation, grant_config, should_revoke)) }}
{%- endmacro %}

{% macro default__apply_grants(relation, grant_config, should_revoke=True) %}
  {%- if grant_config -%}
    {%- set revoking = {} -%}
    {%- set granting = grant_config -%}
    {%- if should_revoke -%}
      {%- set current = adapter.standardize_grants_dict(run_query(get_show_grant_sql(relation))) -%}
      {%- set granting = diff_of_two_dicts(grant_config, current) -%}
      {%- set revoking = diff_of_two_dicts(current, grant_config) -%}
    {%- endif -%}
    {%- set statements = get_dcl_statement_list(relation, revoking, get_revoke_sql)
        + get_dcl_statement_list(relation, granting, get_grant_sql) -%}
    {%- if statements -%}
      {{ call_dcl_statements(statements) }}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}

{# ---- indexes ---- #}

{% macro get_create_index_sql(relation, index_dict) -%}
  {{ return(adapter.dispatch('get_create_index_sql', 'dbt')(relation, index_dict)) }}
{%- endmacro %}

{% macro default__get_create_index_sql(relation, index_dict) -%}
  {%- do return(None) -%}
{%- endmacro %}

{% macro create_indexes(relation) -%}
  {{ return(adapter.dispatch('create_indexes', 'dbt')(relation)) }}
{%- endmacro %}

{% macro default__create_indexes(relation) -%}
  {%- for index_dict in config.get('indexes', default=[]) -%}
    {%- set create_index_sql = get_create_index_sql(relation, index_dict) -%}
    {%- if create_index_sql -%}
      {%- do run_query(create_index_sql) -%}
    {%- endif -%}
  {%- endfor -%}
{%- endmacro %}

{% macro get_drop_index_sql(relation, index_name) -%}
  {{ return(adapter.dispatch('get_drop_index_sql', 'dbt')(relation, index_name)) }}
{%- endmacro %}

{% macro default__get_drop_index_sql(relation, index_name) -%}
  {{ exceptions.raise_compiler_error("`get_drop_index_sql has not been implemented for this adapter.") }}
{%- endmacro %}

{% macro get_show_indexes_sql(relation) -%}
  {{ return(adapter.dispatch('get_show_indexes_sql', 'dbt')(relation)) }}
{%- endmacro %}

{% macro default__get_show_indexes_sql(relation) -%}
  {{ exceptions.raise_compiler_error("`get_show_indexes_sql has not been implemented for this adapter.") }}
{%- endmacro %}

{# ---- queries about queries ---- #}

{% macro get_show_sql(compiled_code, sql_header, limit) -%}
  {{ sql_header if sql_header is not none }}
  {{ get_limit_subquery_sql(compiled_code, limit) }}
{%- endmacro %}

{%- macro get_limit_subquery_sql(sql, limit) -%}
  {{ adapter.dispatch('get_limit_sql', 'dbt')(sql, limit) }}
{%- endmacro %}

{% macro default__get_limit_sql(sql, limit) %}
  {{ sql }}
  {% if limit is not none -%}
  limit {{ limit }}
  {%- endif -%}
{% endmacro %}

{% macro validate_sql(sql) -%}
  {{ return(adapter.dispatch('validate_sql', 'dbt')(sql)) }}
{%- endmacro %}

{% macro default__validate_sql(sql) -%}
  {%- call statement('validate_sql') -%}
    explain {{ sql }}
  {%- endcall -%}
  {{ return(load_result('validate_sql')) }}
{%- endmacro %}

{% macro collect_freshness(source, loaded_at_field, filter) -%}
  {{ return(adapter.dispatch('collect_freshness', 'dbt')(source, loaded_at_field, filter)) }}
{%- endmacro %}

{% macro default__collect_freshness(source, loaded_at_field, filter) %}
  {%- call statement('collect_freshness', fetch_result=True, auto_begin=False) -%}
    select
      max({{ loaded_at_field }}) as max_loaded_at,
      {{ current_timestamp() }} as snapshotted_at
    from {{ source }}
    {% if filter %}where {{ filter }}{% endif %}
  {%- endcall -%}
  {{ return(load_result('collect_freshness')) }}
{% endmacro %}

{% macro collect_freshness_custom_sql(source, loaded_at_query) -%}
  {{ return(adapter.dispatch('collect_freshness_custom_sql', 'dbt')(source, loaded_at_query)) }}
{%- endmacro %}

{% macro default__collect_freshness_custom_sql(source, loaded_at_query) %}
  {%- call statement('collect_freshness_custom_sql', fetch_result=True, auto_begin=False) -%}
    with source_query as (
      {{ loaded_at_query }}
    )
    select
      (select * from source_query) as max_loaded_at,
      {{ current_timestamp() }} as snapshotted_at
  {%- endcall -%}
  {{ return(load_result('collect_freshness_custom_sql')) }}
{% endmacro %}

{# ---- metadata ---- #}

{% macro get_catalog_relations(information_schema, relations) -%}
  {{ return(adapter.dispatch('get_catalog_relations', 'dbt')(information_schema, relations)) }}
{%- endmacro %}

{% macro default__get_catalog_relations(information_schema, relations) -%}
  {{ exceptions.raise_compiler_error('get_catalog_relations not implemented for ' ~ adapter.type()) }}
{%- endmacro %}

{% macro get_catalog(information_schema, schemas) -%}
  {{ return(adapter.dispatch('get_catalog', 'dbt')(information_schema, schemas)) }}
{%- endmacro %}

{% macro default__get_catalog(information_schema, schemas) -%}
  {{ exceptions.raise_compiler_error('get_catalog not implemented for ' ~ adapter.type()) }}
{%- endmacro %}

{% macro information_schema_name(database) -%}
  {{ return(adapter.dispatch('information_schema_name', 'dbt')(database)) }}
{%- endmacro %}

{% macro default__information_schema_name(database) -%}
  {%- if database -%}
    {{ database }}.INFORMATION_SCHEMA
  {%- else -%}
    INFORMATION_SCHEMA
  {%- endif -%}
{%- endmacro %}

{% macro list_schemas(database) -%}
  {{ return(adapter.dispatch('list_schemas', 'dbt')(database)) }}
{%- endmacro %}

{% macro default__list_schemas(database) -%}
  {%- set sql -%}
    select distinct schema_name
    from {{ information_schema_name(database) }}.SCHEMATA
    where catalog_name ilike '{{ database }}'
  {%- endset -%}
  {{ return(run_query(sql)) }}
{%- endmacro %}

{% macro check_schema_exists(information_schema, schema) -%}
  {{ return(adapter.dispatch('check_schema_exists', 'dbt')(information_schema, schema)) }}
{%- endmacro %}

{% macro default__check_schema_exists(information_schema, schema) -%}
  {%- set sql -%}
    select count(*)
    from {{ information_schema.replace(information_schema_view='SCHEMATA') }}
    where catalog_name = '{{ information_schema.database }}' and schema_name = '{{ schema }}'
  {%- endset -%}
  {{ return(run_query(sql)) }}
{%- endmacro %}

{% macro list_relations_without_caching(schema_relation) -%}
  {{ return(adapter.dispatch('list_relations_without_caching', 'dbt')(schema_relation)) }}
{%- endmacro %}

{% macro default__list_relations_without_caching(schema_relation) %}
  {{ exceptions.raise_not_implemented('list_relations_without_caching macro not implemented for adapter ' ~ adapter.type()) }}
{% endmacro %}

{% macro list_function_relations_without_caching(schema_relation) -%}
  {{ return(adapter.dispatch('list_function_relations_without_caching', 'dbt')(schema_relation)) }}
{%- endmacro %}

{% macro default__list_function_relations_without_caching(schema_relation) %}
  {{ exceptions.raise_not_implemented('list_function_relations_without_caching macro not implemented for adapter ' ~ adapter.type()) }}
{% endmacro %}

{% macro get_catalog_for_single_relation(relation) -%}
  {{ return(adapter.dispatch('get_catalog_for_single_relation', 'dbt')(relation)) }}
{%- endmacro %}

{% macro default__get_catalog_for_single_relation(relation) %}
  {{ exceptions.raise_not_implemented('get_catalog_for_single_relation macro not implemented for adapter ' ~ adapter.type()) }}
{% endmacro %}

{% macro get_relations() -%}
  {{ return(adapter.dispatch('get_relations', 'dbt')()) }}
{%- endmacro %}

{% macro default__get_relations() %}
  {{ exceptions.raise_not_implemented('get_relations macro not implemented for adapter ' ~ adapter.type()) }}
{% endmacro %}

{% macro get_relation_last_modified(information_schema, relations) -%}
  {{ return(adapter.dispatch('get_relation_last_modified', 'dbt')(information_schema, relations)) }}
{%- endmacro %}

{% macro default__get_relation_last_modified(information_schema, relations) %}
  {{ exceptions.raise_not_implemented('get_relation_last_modified macro not implemented for adapter ' ~ adapter.type()) }}
{% endmacro %}
