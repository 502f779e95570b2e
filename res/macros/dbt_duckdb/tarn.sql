{# Profiles of type tarn: every table is a Delta table of the lake. A run writes candidate versions; what passed its tests is published in
   one lake commit after the run. Views, tests and hooks work as with DuckDB: in the session, candidates are views under their names. #}

{# The Delta table's place: the location config or, when the project has its own external_location macro, what that gives. #}
{% macro tarn__location() -%}
  {%- set location = config.get('location', none) -%}
  {%- if location is not none -%}
    {{ return(render(location)) }}
  {%- endif -%}
  {%- if config.get('external_root', none) is not none -%}
    {{ return(external_location(this, config)) }}
  {%- endif -%}
  {{ return(none) }}
{%- endmacro %}

{% macro tarn__write(sql, mode, schema_mode=none) -%}
  {%- if config.get('sql_header', none) is not none -%}
    {%- do run_query(config.get('sql_header')) -%}
  {%- endif -%}
  {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif -%}
  {%- do write(sql) -%}
  {%- set response = adapter.lake_write(this, sql, location=tarn__location(), mode=mode,
      schema_mode=schema_mode or config.get('schema_mode', none),
      partition_by=config.get('partition_by', config.get('partitioned_by', (config.get('options', {}) or {}).get('partition_by'))),
      properties=config.get('delta_properties', none)) -%}
  {%- do store_result('main', response=response, agate_table=none) -%}
{%- endmacro %}

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
  {%- do tarn__write(compiled_code, config.get('mode', 'overwrite')) -%}
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
  {%- if format == 'delta' -%}
    {%- do tarn__write(compiled_code, config.get('mode', 'overwrite')) -%}
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

{# The columns by name, those that the table has already in its types. #}
{% macro tarn__cast_to(names, table_columns) -%}
  {%- set types = {} -%}
  {%- for column in table_columns -%}
    {%- do types.update({column.name: column.dtype}) -%}
  {%- endfor -%}
  {%- set out = [] -%}
  {%- for name in names -%}
    {%- set quoted = adapter.quote(name) -%}
    {%- do out.append("cast(" ~ quoted ~ " as " ~ types[name] ~ ") as " ~ quoted if name in types else quoted) -%}
  {%- endfor -%}
  {{ return(out | join(', ')) }}
{%- endmacro %}

{# Rows of the target that the increment does not replace, then the increment: one overwrite in one commit. #}
{% macro tarn__replaced(target, source, columns, unique_key, predicates) -%}
  {%- set names = get_quoted_csv(columns) -%}
  select {{ names }} from {{ target }} as DBT_INCREMENTAL_TARGET
  {%- if unique_key %}
  where not exists (
    select 1 from {{ source }} as DBT_INTERNAL_SOURCE
    where {% for key in normalize_string_or_list(unique_key, 'unique_key') -%}
      DBT_INTERNAL_SOURCE.{{ key }} = DBT_INCREMENTAL_TARGET.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor %}
    {%- for predicate in predicates or [] %} and ({{ predicate }}){% endfor %}
  )
  {%- endif %}
  union all by name
  select * from {{ source }}
{%- endmacro %}

{# The same with merge's column rules: matched rows keep what is not updated. #}
{% macro tarn__merged(target, source, columns, unique_key, predicates) -%}
  {%- set update_columns = [] -%}
  {%- set dest_columns = [] -%}
  {%- for name in columns -%}
    {%- do dest_columns.append(api.Column(name, 'any')) -%}
  {%- endfor -%}
  {%- for name in get_merge_update_columns(config.get('merge_update_columns'), config.get('merge_exclude_columns'), dest_columns) -%}
    {%- do update_columns.append(name | replace('"', '') | lower) -%}
  {%- endfor -%}
  {%- set matched -%}
    {%- for key in normalize_string_or_list(unique_key, 'unique_key') -%}
      DBT_INTERNAL_SOURCE.{{ key }} = DBT_INTERNAL_DEST.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
    {%- for predicate in predicates or [] %} and ({{ predicate }}){% endfor -%}
  {%- endset -%}
  select {% for name in columns -%}
    {% if name | lower in update_columns -%}
      case when DBT_INTERNAL_SOURCE.__tarn_matched then DBT_INTERNAL_SOURCE.{{ adapter.quote(name) }} else DBT_INTERNAL_DEST.{{ adapter.quote(name) }} end as {{ adapter.quote(name) }}
    {%- else -%}
      DBT_INTERNAL_DEST.{{ adapter.quote(name) }}
    {%- endif %}{{ ', ' if not loop.last }}
  {%- endfor %}
  from {{ target }} as DBT_INTERNAL_DEST
  left join (select *, true as __tarn_matched from {{ source }}) as DBT_INTERNAL_SOURCE on {{ matched }}
  union all by name
  select * from {{ source }} as DBT_INTERNAL_SOURCE
  where not exists (select 1 from {{ target }} as DBT_INTERNAL_DEST where {{ matched }})
{%- endmacro %}

{# Partitions that the increment has rows for are replaced as a whole. #}
{% macro tarn__partitions_replaced(target, source, columns, partition_by) -%}
  {%- set keys = get_quoted_csv(normalize_string_or_list(partition_by, 'partition_by')) -%}
  select {{ get_quoted_csv(columns) }} from {{ target }}
  where ({{ keys }}) not in (select distinct {{ keys }} from {{ source }})
  union all by name
  select * from {{ source }}
{%- endmacro %}

{% materialization incremental, adapter='tarn', supported_languages=['sql'] %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set strategy = config.get('incremental_strategy') or 'default' -%}
  {%- set unique_key = config.get('unique_key') -%}
  {%- set predicates = normalize_incremental_predicates(config.get('predicates', none) or config.get('incremental_predicates', none)) -%}
  {%- if strategy not in ['default', 'append', 'delete+insert', 'merge', 'insert_overwrite'] -%}
    {{ exceptions.raise_compiler_error("The incremental strategy '" ~ strategy ~ "' is not valid for a Delta table: append, delete+insert, merge or insert_overwrite") }}
  {%- endif -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}

  {%- if existing_relation is none or existing_relation.is_view or should_full_refresh() -%}
    {%- do tarn__make_room(existing_relation) -%}
    {%- do tarn__write(compiled_code, 'overwrite') -%}
  {%- else -%}
    {%- set temp_relation = duckdb__make_temp_relation(target_relation, '__dbt_tmp') -%}
    {%- do run_query(create_table_as(True, temp_relation, compiled_code)) -%}
    {%- set old_columns = adapter.get_columns_in_relation(existing_relation) -%}
    {%- set new_columns = adapter.get_columns_in_relation(temp_relation) -%}
    {%- set added = diff_columns(new_columns, old_columns) -%}
    {%- set removed = diff_columns(old_columns, new_columns) -%}
    {%- if on_schema_change == 'fail' and (added or removed) -%}
      {{ exceptions.raise_compiler_error("The source and target schemas on this incremental model are out of sync!\n"
          ~ "  Source columns not in target: " ~ added ~ "\n  Target columns not in source: " ~ removed) }}
    {%- endif -%}
    {#- What of the increment goes in: by default the target's columns, with append_new_columns and sync_all_columns its own too. -#}
    {%- set source_names = [] -%}
    {%- for column in new_columns if on_schema_change in ['append_new_columns', 'sync_all_columns'] or column not in added -%}
      {%- do source_names.append(column.name) -%}
    {%- endfor -%}
    {%- set kept_names = [] -%}
    {%- for column in old_columns if not (on_schema_change == 'sync_all_columns' and column in removed) -%}
      {%- do kept_names.append(column.name) -%}
    {%- endfor -%}
    {%- if on_schema_change == 'ignore' and removed -%}
      {{ exceptions.raise_compiler_error("the increment lacks columns of the table: " ~ removed | map(attribute='name') | join(', ')
          ~ "; select them, or set on_schema_change") }}
    {%- endif -%}
    {%- set increment = "(select " ~ tarn__cast_to(source_names, old_columns if on_schema_change != 'sync_all_columns' else [])
        ~ " from " ~ temp_relation ~ ")" -%}
    {%- set changes_schema = on_schema_change == 'sync_all_columns' and (added or removed) -%}
    {%- if strategy == 'append' or (strategy in ['default', 'delete+insert'] and not unique_key) or (strategy == 'merge' and not unique_key) -%}
      {%- if changes_schema -%}
        {%- do tarn__write(tarn__replaced(target_relation, increment, kept_names, none, none), 'overwrite', 'overwrite') -%}
      {%- else -%}
        {%- do tarn__write("select * from " ~ increment, 'append', 'merge' if added and on_schema_change == 'append_new_columns' else none) -%}
      {%- endif -%}
    {%- elif strategy == 'merge' -%}
      {%- do tarn__write(tarn__merged(target_relation, increment, kept_names, unique_key, predicates), 'overwrite', 'overwrite') -%}
    {%- elif strategy == 'insert_overwrite' -%}
      {%- do tarn__write(tarn__partitions_replaced(target_relation, increment, kept_names, config.get('partition_by')), 'overwrite', 'overwrite') -%}
    {%- else -%}
      {%- do tarn__write(tarn__replaced(target_relation, increment, kept_names, unique_key, predicates), 'overwrite', 'overwrite') -%}
    {%- endif -%}
    {%- do run_query("drop table if exists " ~ temp_relation) -%}
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
  {%- do tarn__write(seed_sql, 'overwrite') -%}
  {%- set rows = agate_table.rows | length -%}
  {%- do store_raw_result('main', message='INSERT ' ~ rows, code='INSERT', rows_affected=rows, agate_table=none) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# History in a Delta table: the new state is computed in DuckDB and written as one version. #}
{% materialization snapshot, adapter='tarn' %}
  {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
  {%- set target_exists, target_relation = get_or_create_relation(
      database=model.database, schema=model.schema, identifier=model.get('alias', model.get('name')), type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- set strategy = strategy_dispatch(config.get('strategy'))(model, "snapshotted_data", "source_data", model['config'], target_exists) -%}
  {%- if not target_exists -%}
    {%- do tarn__write(build_snapshot_table(strategy, model['compiled_code']), 'overwrite') -%}
  {%- else -%}
    {%- set staging = build_snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- set target_columns = adapter.get_columns_in_relation(target_relation) -%}
    {%- set names = [] -%}
    {%- for column in adapter.get_columns_in_relation(staging)
        if column.name != 'dbt_change_type' and not column.name.startswith('dbt_unique_key') -%}
      {%- do names.append(column.name) -%}
    {%- endfor -%}
    {%- set scd_id = columns.dbt_scd_id -%}
    {%- set valid_to = columns.dbt_valid_to -%}
    {%- set current = "DBT_INTERNAL_DEST." ~ valid_to ~ " is null" -%}
    {%- if config.get('dbt_valid_to_current') -%}
      {%- set current = "(" ~ current ~ " or DBT_INTERNAL_DEST." ~ valid_to ~ " = " ~ config.get('dbt_valid_to_current') ~ ")" -%}
    {%- endif -%}
    {%- set merged -%}
      select DBT_INTERNAL_DEST.* replace (
        case when DBT_INTERNAL_SOURCE.{{ scd_id }} is not null and {{ current }}
          then DBT_INTERNAL_SOURCE.{{ valid_to }} else DBT_INTERNAL_DEST.{{ valid_to }} end as {{ valid_to }})
      from {{ target_relation }} as DBT_INTERNAL_DEST
      left join (select distinct {{ tarn__cast_to([scd_id, valid_to], target_columns) }} from {{ staging }} where dbt_change_type in ('update', 'delete')) as DBT_INTERNAL_SOURCE
        on DBT_INTERNAL_SOURCE.{{ scd_id }}::text = DBT_INTERNAL_DEST.{{ scd_id }}::text
      union all by name
      select {{ tarn__cast_to(names, target_columns) }} from {{ staging }} where dbt_change_type = 'insert'
    {%- endset -%}
    {%- do tarn__write(merged, 'overwrite', 'overwrite') -%}
    {%- do run_query("drop table if exists " ~ staging) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
