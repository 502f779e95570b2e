{# Profiles of type tarn: every table is a Delta table of the lake. A run writes candidate versions; what passed its tests is published in
   one lake commit after the run. Views, tests and hooks work as with DuckDB: in the session, candidates are views under their names. #}

{# A relation of another kind under the same name makes room. #}
{% macro tarn__make_room(existing_relation) -%}
  {%- if existing_relation is not none and existing_relation.is_view and config.get('materialized') != 'view' -%}
    {%- do adapter.cache_dropped(existing_relation) -%}
  {%- endif -%}
{%- endmacro %}

{% materialization table, adapter='tarn', supported_languages=['sql'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- do tarn__make_room(load_cached_relation(this)) -%}
  {%- do delta__write(this, compiled_code, config.get('mode', 'overwrite')) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization view, adapter='tarn' %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif -%}
  {%- call statement('main') -%}
    create or replace view {{ target_relation }} as (
      {{ sql }}
    );
  {%- endcall -%}
  {{ adapter.commit() }}
  {%- do adapter.lake_note(target_relation, 'view', sql) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization external, adapter='tarn' %}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set format = config.get('format') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- if format == 'delta' and is_incremental() -%}
    {%- do delta__increment(this, this.incorporate(type='table')) -%}
  {%- elif format == 'delta' -%}
    {%- do delta__write(this, compiled_code, config.get('mode', 'overwrite')) -%}
  {%- else -%}
    {%- set view_sql = external_write_files(adapter.absolute_location(render(config.get('location', default=external_location(this, config))))) -%}
    {%- call statement('main') -%}
      create or replace view {{ target_relation }} as (
        {{ view_sql }}
      );
    {%- endcall -%}
    {{ adapter.commit() }}
    {%- do adapter.lake_note(target_relation, 'external', view_sql) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization incremental, adapter='tarn', supported_languages=['sql'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- if existing_relation is none or existing_relation.is_view or should_full_refresh() -%}
    {%- do tarn__make_room(existing_relation) -%}
    {%- do delta__write(this, compiled_code, 'overwrite') -%}
  {%- else -%}
    {%- do delta__increment(this, target_relation) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# The csv file's rows, typed as DuckDB would type a seed's table. #}
{% materialization seed, adapter='tarn' %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set agate_table = load_agate_table() -%}
  {%- set given_types = model['config'].get('column_types', {}) or {} -%}
  {%- set types = {} -%}
  {%- for name in agate_table.column_names -%}
    {%- do types.update({name: given_types.get(name, adapter.convert_type(agate_table, loop.index0))}) -%}
  {%- endfor -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- set seed_sql -%}
    select * from read_csv('{{ adapter.get_seed_file_path(model) }}', header=true, delim='{{ config.get('delimiter', ',') }}', columns={
      {%- for name, type in types.items() -%}
        '{{ adapter.escape_sql_string(name) }}': '{{ type }}'{{ ", " if not loop.last }}
      {%- endfor -%}
    })
  {%- endset -%}
  {%- do delta__write(this, seed_sql, 'overwrite') -%}
  {%- set rows = agate_table.rows | length -%}
  {%- do store_raw_result('main', message='INSERT ' ~ rows, code='INSERT', rows_affected=rows, agate_table=none) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization snapshot, adapter='tarn' %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- do delta__snapshot(this, target_relation, existing_relation is not none) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# `clone` of a Delta table: a shallow clone, which shares the other's files and is a table of its own. #}
{% macro tarn__can_clone_table() %}
  {{ return(True) }}
{% endmacro %}

{% macro tarn__clone__table(target_relation, defer_relation) %}
  {%- do write("create or replace table " ~ target_relation ~ " shallow clone " ~ defer_relation) -%}
  {%- set response = adapter.delta_clone(target_relation, defer_relation, location=delta__lake_location()) -%}
  {%- do store_result('main', response=response, agate_table=none) -%}
{% endmacro %}
