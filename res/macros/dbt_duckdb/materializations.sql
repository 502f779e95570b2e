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

  {%- set partitioned_by = duckdb__get_partitioned_by(target_relation, false) -%}
  {%- set sorted_by = duckdb__get_sorted_by(target_relation, false) -%}
  {%- set dropped_dependents = [] -%}
  {%- if has_foreign_key_constraints(existing_relation) -%}
    {%- if existing_relation is not none -%}
      {%- set dropped_dependents = drop_relation_for_rebuild(existing_relation) -%}
    {%- endif -%}
    {%- call statement('main', language=model['language']) -%}
      {{ create_table_as(False, target_relation, compiled_code, model['language'], partitioned_by=partitioned_by, sorted_by=sorted_by) }}
    {%- endcall -%}
    {%- do adapter.cache_added(target_relation) -%}
  {%- else -%}
    {%- call statement('main', language=model['language']) -%}
      {{ create_table_as(False, intermediate_relation, compiled_code, model['language'], partitioned_by=partitioned_by, sorted_by=sorted_by) }}
    {%- endcall -%}
    {%- if existing_relation is not none -%}
      {%- do drop_indexes_on_relation(existing_relation) -%}
      {%- if existing_relation.is_table and may_be_foreign_key_target(existing_relation) -%}
        {%- set dropped_dependents = drop_foreign_key_dependents(existing_relation) -%}
      {%- endif -%}
      {{ adapter.rename_relation(existing_relation, backup_relation) }}
    {%- endif -%}
    {{ adapter.rename_relation(intermediate_relation, target_relation) }}
  {%- endif -%}
  {%- do restore_foreign_key_dependents(dropped_dependents) -%}

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
  {%- set in_place = existing_relation is not none and full_refresh_mode and has_foreign_key_constraints(existing_relation) -%}
  {%- set swap = existing_relation is not none and full_refresh_mode and not in_place -%}
  {%- set partitioned_by = duckdb__get_partitioned_by(target_relation, false) if existing_relation is none or full_refresh_mode else none -%}
  {%- set sorted_by = duckdb__get_sorted_by(target_relation, false) if existing_relation is none or full_refresh_mode else none -%}
  {%- set dropped_dependents = [] -%}

  {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
  {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if existing_relation is none -%}
    {%- set build_sql = create_table_as(False, target_relation, compiled_code, model['language'], partitioned_by=partitioned_by, sorted_by=sorted_by) -%}
  {%- elif in_place -%}
    {%- set dropped_dependents = drop_relation_for_rebuild(existing_relation) -%}
    {%- set build_sql = create_table_as(False, target_relation, compiled_code, model['language'], partitioned_by=partitioned_by, sorted_by=sorted_by) -%}
  {%- elif full_refresh_mode -%}
    {%- set build_sql = create_table_as(False, intermediate_relation, compiled_code, model['language'], partitioned_by=partitioned_by, sorted_by=sorted_by) -%}
  {%- else -%}
    {%- set temp_relation = duckdb__dispatch_temporary_relation(target_relation, adapter.batch_id_for_model(model)).relation -%}
    {%- do run_query(create_table_as(True, temp_relation, compiled_code, model['language'])) -%}
    {%- set build_sql = incremental_strategy_sql(target_relation, existing_relation, temp_relation) -%}
  {%- endif -%}

  {%- call statement("main") -%}
    {{ build_sql }}
  {%- endcall -%}
  {%- if existing_relation is none or in_place -%}
    {%- do adapter.cache_added(target_relation) -%}
  {%- elif swap -%}
    {%- do drop_indexes_on_relation(existing_relation) -%}
    {%- if existing_relation.is_table and may_be_foreign_key_target(existing_relation) -%}
      {%- set dropped_dependents = drop_foreign_key_dependents(existing_relation) -%}
    {%- endif -%}
    {%- do adapter.rename_relation(existing_relation, backup_relation) -%}
    {%- do adapter.rename_relation(intermediate_relation, target_relation) -%}
  {%- endif -%}
  {%- do restore_foreign_key_dependents(dropped_dependents) -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode)) -%}
  {%- if existing_relation is none or swap or in_place -%}
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
