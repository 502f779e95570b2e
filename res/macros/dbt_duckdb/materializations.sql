{# DuckDB's table, incremental and table_function. A new table is built beside the old one and renamed within one transaction. #}

{% materialization table, adapter="duckdb", supported_languages=['sql', 'python'] %}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set intermediate_relation = make_intermediate_relation(target_relation) -%}
  {%- set backup_relation = make_backup_relation(target_relation, 'table' if existing_relation is none else existing_relation.type) -%}

  {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
  {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if 'foreign_key' in enforced_constraint_types() -%}
    {#- DuckDB remembers the name under which a table with foreign keys was made: it must be made under its own. -#}
    {{ drop_relation_if_exists(existing_relation) }}
    {%- call statement('main', language=model['language']) -%}
      {{ create_table_as(False, target_relation, compiled_code, model['language']) }}
    {%- endcall -%}
    {%- do adapter.cache_added(target_relation) -%}
  {%- else -%}
    {%- call statement('main', language=model['language']) -%}
      {{ create_table_as(False, intermediate_relation, compiled_code, model['language']) }}
    {%- endcall -%}
    {%- if existing_relation is not none -%}
      {%- do drop_indexes_on_relation(existing_relation) -%}
      {{ adapter.rename_relation(existing_relation, backup_relation) }}
    {%- endif -%}
    {{ adapter.rename_relation(intermediate_relation, target_relation) }}
  {%- endif -%}

  {%- do create_indexes(target_relation) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ adapter.commit() }}
  {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization incremental, adapter="duckdb", supported_languages=['sql', 'python'] -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set intermediate_relation = make_intermediate_relation(target_relation) -%}
  {%- set backup_relation = make_backup_relation(target_relation, 'table' if existing_relation is none else existing_relation.type) -%}
  {%- set full_refresh_mode = should_full_refresh() or existing_relation.is_view -%}
  {%- set swap = existing_relation is not none and full_refresh_mode -%}

  {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
  {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if existing_relation is none -%}
    {%- set build_sql = create_table_as(False, target_relation, compiled_code, model['language']) -%}
  {%- elif full_refresh_mode -%}
    {%- set build_sql = create_table_as(False, intermediate_relation, compiled_code, model['language']) -%}
  {%- else -%}
    {%- set temp_relation = duckdb__dispatch_temporary_relation(target_relation, adapter.batch_id_for_model(model)).relation -%}
    {%- do run_query(create_table_as(True, temp_relation, compiled_code, model['language'])) -%}
    {%- set build_sql = incremental_strategy_sql(target_relation, existing_relation, temp_relation) -%}
  {%- endif -%}

  {%- call statement("main") -%}
    {{ build_sql }}
  {%- endcall -%}
  {%- if existing_relation is none -%}
    {%- do adapter.cache_added(target_relation) -%}
  {%- elif swap -%}
    {%- do drop_indexes_on_relation(existing_relation) -%}
    {%- do adapter.rename_relation(existing_relation, backup_relation) -%}
    {%- do adapter.rename_relation(intermediate_relation, target_relation) -%}
  {%- endif -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode)) -%}
  {%- if existing_relation is none or swap -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do adapter.commit() -%}
  {%- if swap -%}
    {%- do adapter.drop_relation(backup_relation) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}

{% materialization table_function, adapter='duckdb' %}
  {%- set target_relation = api.Relation.create(identifier=model['alias'], schema=schema, database=database, type='view') -%}
  {%- set parameters = config.get('parameters') or [] -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- call statement('main') -%}
    create or replace function {{ target_relation.render() }}(
      {{ parameters if parameters is string or parameters is number else parameters | join(', ') }}
    ) as table (
      {{ sql }});
  {%- endcall -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do persist_docs(target_relation, model) -%}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# The constraint types that this model's enforced contract declares. #}
{% macro enforced_constraint_types() -%}
  {%- set types = [] -%}
  {%- set contract_config = config.get('contract') -%}
  {%- if contract_config and contract_config.enforced -%}
    {%- for constraint in model.get('constraints', []) -%}
      {%- do types.append(constraint.type) -%}
    {%- endfor -%}
    {%- for column in model.get('columns', {}).values() -%}
      {%- for constraint in column.get('constraints', []) -%}
        {%- do types.append(constraint.type) -%}
      {%- endfor -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(types) }}
{%- endmacro %}
