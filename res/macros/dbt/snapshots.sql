{# Snapshots: a history table of a query's rows (slowly changing dimension, type 2). #}

{% materialization snapshot, default %}
  {%- if config.get('format') == 'delta' -%}
    {{ return(delta__snapshot_outside()) }}
  {%- endif -%}
  {%- set unique_key = config.get('unique_key') -%}
  {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
  {%- set target_exists, target_relation = get_or_create_relation(
      database=model.database, schema=model.schema, identifier=model.get('alias', model.get('name')), type='table') -%}
  {%- if not target_relation.is_table -%}
    {%- do exceptions.relation_wrong_type(target_relation, 'table') -%}
  {%- endif -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- set strategy_macro = strategy_dispatch(config.get('strategy')) -%}
  {%- set strategy = strategy_macro(model, "snapshotted_data", "source_data", model['config'], target_exists) -%}

  {%- if not target_exists -%}
    {%- set checked_sql = build_snapshot_table(strategy, model['compiled_code']) -%}
    {%- set final_sql = create_table_as(False, target_relation, checked_sql) -%}
  {%- else -%}
    {{ adapter.assert_valid_snapshot_target_given_strategy(target_relation, columns, strategy) }}
    {%- set checked_sql = snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- set staging_table = build_snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- do adapter.expand_target_column_types(from_relation=staging_table, to_relation=target_relation) -%}
    {%- set own_columns = ['dbt_change_type', 'DBT_CHANGE_TYPE', 'dbt_unique_key', 'DBT_UNIQUE_KEY'] -%}
    {%- if unique_key | is_list -%}
      {%- for key in strategy.unique_key -%}
        {%- do own_columns.extend(['dbt_unique_key_' ~ loop.index, 'DBT_UNIQUE_KEY_' ~ loop.index]) -%}
      {%- endfor -%}
    {%- endif -%}
    {%- do create_columns(target_relation, adapter.get_missing_columns(staging_table, target_relation)
        | rejectattr('name', 'in', own_columns) | list) -%}
    {%- set insert_cols = [] -%}
    {%- for column in adapter.get_columns_in_relation(staging_table) | rejectattr('name', 'in', own_columns) -%}
      {%- do insert_cols.append(adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- set final_sql = snapshot_merge_sql(target=target_relation, source=staging_table, insert_cols=insert_cols) -%}
  {%- endif -%}

  {{ check_time_data_types(checked_sql) }}
  {%- call statement('main') -%}
    {{ final_sql }}
  {%- endcall -%}

  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(target_exists, full_refresh_mode=False)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {%- if not target_exists -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {%- if staging_table is defined -%}
    {%- do post_snapshot(staging_table) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro get_snapshot_table_column_names() %}
  {{ return({'dbt_valid_to': 'dbt_valid_to', 'dbt_valid_from': 'dbt_valid_from', 'dbt_scd_id': 'dbt_scd_id',
      'dbt_updated_at': 'dbt_updated_at', 'dbt_is_deleted': 'dbt_is_deleted'}) }}
{% endmacro %}

{% macro create_columns(relation, columns) -%}
  {{ return(adapter.dispatch('create_columns', 'dbt')(relation, columns)) }}
{%- endmacro %}
{% macro default__create_columns(relation, columns) %}
  {%- for column in columns -%}
    {%- call statement() -%}
      alter table {{ relation.render() }} add column {{ adapter.quote(column.name) }} {{ column.expanded_data_type }};
    {%- endcall -%}
  {%- endfor -%}
{% endmacro %}

{% macro post_snapshot(staging_relation) -%}
  {{ return(adapter.dispatch('post_snapshot', 'dbt')(staging_relation)) }}
{%- endmacro %}
{% macro default__post_snapshot(staging_relation) %}
{% endmacro %}

{% macro get_true_sql() -%}
  {{ return(adapter.dispatch('get_true_sql', 'dbt')()) }}
{%- endmacro %}
{% macro default__get_true_sql() %}
  {{ return('TRUE') }}
{% endmacro %}

{# ---- strategies ---- #}

{% macro strategy_dispatch(name) -%}
  {%- set original_name, package_name = name, none -%}
  {%- set scope = context -%}
  {%- if '.' in name -%}
    {%- set package_name, name = name.split(".", 1) -%}
    {%- if context[package_name] is not defined -%}
      {{ exceptions.raise_compiler_error("Could not find package '" ~ package_name ~ "', called with '" ~ original_name ~ "'") }}
    {%- endif -%}
    {%- set scope = context[package_name] -%}
  {%- endif -%}
  {%- set wanted = 'snapshot_' ~ name ~ '_strategy' -%}
  {%- if scope[wanted] is not defined -%}
    {{ exceptions.raise_compiler_error("The specified strategy macro '" ~ name ~ "' was not found in package '" ~ package_name ~ "'") }}
  {%- endif -%}
  {{ return(scope[wanted]) }}
{%- endmacro %}

{% macro snapshot_hash_arguments(args) -%}
  {{ return(adapter.dispatch('snapshot_hash_arguments', 'dbt')(args)) }}
{%- endmacro %}
{% macro default__snapshot_hash_arguments(args) -%}
    md5({%- for arg in args -%}
        coalesce(cast({{ arg }} as varchar ), '')
        {% if not loop.last %} || '|' || {% endif %}
    {%- endfor -%})
{%- endmacro %}

{% macro snapshot_string_as_time(timestamp) -%}
  {{ return(adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp)) }}
{%- endmacro %}
{% macro default__snapshot_string_as_time(timestamp) %}
  {%- do exceptions.raise_not_implemented('snapshot_string_as_time macro not implemented for adapter ' ~ adapter.type()) -%}
{% endmacro %}

{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
  {%- set updated_at = config.get('updated_at') -%}
  {%- set hard_deletes = adapter.get_hard_deletes_behavior(config) -%}
  {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
  {%- do return({
      "unique_key": config.get('unique_key'),
      "updated_at": updated_at,
      "row_changed": "(" ~ snapshotted_rel ~ "." ~ columns.dbt_valid_from ~ " < " ~ current_rel ~ "." ~ updated_at ~ ")",
      "scd_id": snapshot_hash_arguments(api.Relation.scd_args(config.get('unique_key'), updated_at)),
      "invalidate_hard_deletes": hard_deletes == 'invalidate',
      "hard_deletes": hard_deletes
  }) -%}
{% endmacro %}

{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) -%}
  {%- if not target_exists -%}
    {{ return((false, query_columns)) }}
  {%- endif -%}
  {%- if check_cols_config == 'all' -%}
    {%- set query_columns = get_columns_in_query(node['compiled_code']) -%}
  {%- elif check_cols_config is iterable and check_cols_config | length > 0 -%}
    {%- set wanted -%}
      select {{ check_cols_config | join(', ') }} from (
        {{ node['compiled_code'] }}
      ) subq
    {%- endset -%}
    {%- set query_columns = get_columns_in_query(wanted) -%}
  {%- else -%}
    {%- do exceptions.raise_compiler_error("Invalid value for 'check_cols': " ~ check_cols_config) -%}
  {%- endif -%}
  {%- set target_relation = adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) -%}
  {%- set existing = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list -%}
  {%- set common = [] -%}
  {%- for name in query_columns if name in existing -%}
    {%- do common.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {{ return((common | length < query_columns | length, common)) }}
{%- endmacro %}

{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
  {%- set updated_at = config.get('updated_at') or snapshot_get_time() -%}
  {%- set hard_deletes = adapter.get_hard_deletes_behavior(config) -%}
  {%- set column_added, check_cols = snapshot_check_all_get_existing_columns(node, target_exists, config.get('check_cols')) -%}
  {%- set row_changed -%}
    (
    {%- if column_added -%}
      {{ get_true_sql() }}
    {%- else -%}
      {%- for col in check_cols -%}
        {{ snapshotted_rel }}.{{ col }} != {{ current_rel }}.{{ col }}
        or (
          (({{ snapshotted_rel }}.{{ col }} is null) and not ({{ current_rel }}.{{ col }} is null))
          or
          ((not {{ snapshotted_rel }}.{{ col }} is null) and ({{ current_rel }}.{{ col }} is null))
        )
        {%- if not loop.last %} or {% endif -%}
      {%- endfor -%}
    {%- endif -%}
    )
  {%- endset -%}
  {%- do return({
      "unique_key": config.get('unique_key'),
      "updated_at": updated_at,
      "row_changed": row_changed,
      "scd_id": snapshot_hash_arguments(api.Relation.scd_args(config.get('unique_key'), updated_at)),
      "invalidate_hard_deletes": hard_deletes == 'invalidate',
      "hard_deletes": hard_deletes
  }) -%}
{% endmacro %}

{# ---- the tables ---- #}

{% macro build_snapshot_table(strategy, sql) -%}
  {{ return(adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql)) }}
{%- endmacro %}

{% macro default__build_snapshot_table(strategy, sql) %}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    select *,
        {{ strategy.scd_id }} as {{ columns.dbt_scd_id }},
        {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
        {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
        {{ get_dbt_valid_to_current(strategy, columns) }}
        {%- if strategy.hard_deletes == 'new_record' -%}, 'False' as {{ columns.dbt_is_deleted }}{%- endif %}
    from (
        {{ sql }}
    ) sbq
{% endmacro %}

{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
  {%- set temp_relation = make_temp_relation(target_relation) -%}
  {%- set select = snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- call statement('build_snapshot_staging_relation') -%}
    {{ create_table_as(True, temp_relation, select) }}
  {%- endcall -%}
  {%- do return(temp_relation) -%}
{% endmacro %}

{# The rows that change the history: inserts, updates and, by hard_deletes, deletes; dbt_change_type says which. #}
{% macro snapshot_staging_table(strategy, source_sql, target_relation) -%}
  {{ return(adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation)) }}
{%- endmacro %}

{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
    {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- set keys = strategy.unique_key -%}
    {%- set new_record = strategy.hard_deletes == 'new_record' -%}
    {%- set deletes = new_record or strategy.hard_deletes == 'invalidate' -%}
    {%- set valid_to_current = config.get('dbt_valid_to_current') -%}
    {%- set is_current -%}
      {%- if valid_to_current -%}
        ( {{ equals(columns.dbt_valid_to | trim, valid_to_current | trim) }} or {{ columns.dbt_valid_to | trim }} is null )
      {%- else -%}
        {{ columns.dbt_valid_to }} is null
      {%- endif -%}
    {%- endset -%}
    {%- set changed -%}
      {{ strategy.row_changed }}{% if new_record %} or snapshotted_data.{{ columns.dbt_is_deleted }} = 'True'{% endif %}
    {%- endset -%}
    {%- set is_deleted_already -%}
      snapshotted_data.{{ columns.dbt_is_deleted }} = 'True' and
      {% if valid_to_current %}snapshotted_data.{{ columns.dbt_valid_to }} = {{ valid_to_current }}
      {%- else %}snapshotted_data.{{ columns.dbt_valid_to }} is null{% endif %}
    {%- endset -%}
    with snapshot_query as (
        {{ source_sql }}
    ),
    snapshotted_data as (
        select *, {{ unique_key_fields(keys) }}
        from {{ target_relation }}
        where {{ is_current }}
    ),
    insertions_source_data as (
        select *, {{ unique_key_fields(keys) }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ get_dbt_valid_to_current(strategy, columns) }},
            {{ strategy.scd_id }} as {{ columns.dbt_scd_id }}
        from snapshot_query
    ),
    updates_source_data as (
        select *, {{ unique_key_fields(keys) }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_to }}
        from snapshot_query
    ),
    {%- if deletes %}
    deletes_source_data as (
        select *, {{ unique_key_fields(keys) }}
        from snapshot_query
    ),
    {%- endif %}
    insertions as (
        select
            'insert' as dbt_change_type,
            source_data.*
            {%- if new_record %}, 'False' as {{ columns.dbt_is_deleted }}{% endif %}
        from insertions_source_data as source_data
        left outer join snapshotted_data
            on {{ unique_key_join_on(keys, "snapshotted_data", "source_data") }}
        where {{ unique_key_is_null(keys, "snapshotted_data") }}
            or ({{ unique_key_is_not_null(keys, "snapshotted_data") }} and ({{ changed }}))
    ),
    updates as (
        select
            'update' as dbt_change_type,
            source_data.*,
            snapshotted_data.{{ columns.dbt_scd_id }}
            {%- if new_record %}, snapshotted_data.{{ columns.dbt_is_deleted }}{% endif %}
        from updates_source_data as source_data
        join snapshotted_data
            on {{ unique_key_join_on(keys, "snapshotted_data", "source_data") }}
        where ({{ changed }})
    )
    {%- if deletes %},
    deletes as (
        select
            'delete' as dbt_change_type,
            source_data.*,
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_from }},
            {{ snapshot_get_time() }} as {{ columns.dbt_updated_at }},
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_to }},
            snapshotted_data.{{ columns.dbt_scd_id }}
            {%- if new_record %}, snapshotted_data.{{ columns.dbt_is_deleted }}{% endif %}
        from snapshotted_data
        left join deletes_source_data as source_data
            on {{ unique_key_join_on(keys, "snapshotted_data", "source_data") }}
        where {{ unique_key_is_null(keys, "source_data") }}
            {%- if new_record %} and not ({{ is_deleted_already }}){% endif %}
    )
    {%- endif %}
    {%- if new_record %},
    deletion_records as (
        {%- set known = get_list_of_column_names(get_columns_in_relation(target_relation)) %}
        select
            'insert' as dbt_change_type,
            {% for name in get_columns_in_query(source_sql) -%}
            {{ 'snapshotted_data' if name in known else 'source_data' }}.{{ adapter.quote(name) }},
            {% endfor -%}
            {%- if keys | is_list -%}
            {%- for key in keys -%}
            snapshotted_data.{{ key }} as dbt_unique_key_{{ loop.index }},
            {% endfor -%}
            {%- else -%}
            snapshotted_data.dbt_unique_key as dbt_unique_key,
            {% endif -%}
            {{ snapshot_get_time() }} as {{ columns.dbt_valid_from }},
            {{ snapshot_get_time() }} as {{ columns.dbt_updated_at }},
            snapshotted_data.{{ columns.dbt_valid_to }} as {{ columns.dbt_valid_to }},
            {{ snapshot_hash_arguments([columns.dbt_scd_id, snapshot_get_time()]) }} as {{ columns.dbt_scd_id }},
            'True' as {{ columns.dbt_is_deleted }}
        from snapshotted_data
        left join deletes_source_data as source_data
            on {{ unique_key_join_on(keys, "snapshotted_data", "source_data") }}
        where {{ unique_key_is_null(keys, "source_data") }}
            and not ({{ is_deleted_already }})
    )
    {%- endif %}
    select * from insertions
    union all
    select * from updates
    {%- if deletes %}
    union all
    select * from deletes
    {%- endif %}
    {%- if new_record %}
    union all
    select * from deletion_records
    {%- endif %}
{%- endmacro %}

{% macro get_dbt_valid_to_current(strategy, columns) -%}
  coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ config.get('dbt_valid_to_current') or "null" }})
  as {{ columns.dbt_valid_to }}
{%- endmacro %}

{% macro get_updated_at_column_data_type(snapshot_sql) %}
  {%- for column in get_column_schema_from_query(snapshot_sql) if column.column | lower == 'dbt_updated_at' -%}
    {{ return(column.dtype) }}
  {%- endfor -%}
  {{ return(none) }}
{% endmacro %}

{% macro check_time_data_types(sql) %}
  {%- set updated_at_type = get_updated_at_column_data_type(sql) -%}
  {%- set time_type = get_snapshot_get_time_data_type() -%}
  {%- if time_type is not none and updated_at_type is not none and time_type != updated_at_type
      and exceptions.warn_snapshot_timestamp_data_types -%}
    {{ exceptions.warn_snapshot_timestamp_data_types(time_type, updated_at_type) }}
  {%- endif -%}
{% endmacro %}

{% macro snapshot_merge_sql(target, source, insert_cols) -%}
  {{ return(adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols)) }}
{%- endmacro %}

{% macro default__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set insert_cols_csv = insert_cols | join(', ') -%}
    {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
    {%- set valid_to = "DBT_INTERNAL_DEST." ~ columns.dbt_valid_to -%}
    merge into {{ target.render() }} as DBT_INTERNAL_DEST
    using {{ source }} as DBT_INTERNAL_SOURCE
    on DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }} = DBT_INTERNAL_DEST.{{ columns.dbt_scd_id }}
    when matched
     {% if config.get("dbt_valid_to_current") %}
       and ({{ equals(valid_to, config.get('dbt_valid_to_current') | trim) }} or {{ valid_to }} is null)
     {% else %}
       and {{ valid_to }} is null
     {% endif %}
     and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
        then update
        set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    when not matched
     and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'
        then insert ({{ insert_cols_csv }})
        values ({{ insert_cols_csv }})
{% endmacro %}

{# ---- keys: one column or a list of them ---- #}

{% macro unique_key_fields(unique_key) %}
    {%- if unique_key | is_list -%}
        {% for key in unique_key %}{{ key }} as dbt_unique_key_{{ loop.index }}{{ ", " if not loop.last }}{% endfor %}
    {%- else -%}
        {{ unique_key }} as dbt_unique_key
    {%- endif -%}
{% endmacro %}

{% macro unique_key_join_on(unique_key, identifier, from_identifier) %}
    {%- if unique_key | is_list -%}
        {%- for key in unique_key -%}
            {{ equals(identifier ~ ".dbt_unique_key_" ~ loop.index, from_identifier ~ ".dbt_unique_key_" ~ loop.index) }}{{ " and " if not loop.last }}
        {%- endfor -%}
    {%- else -%}
        {{ identifier }}.dbt_unique_key = {{ from_identifier }}.dbt_unique_key
    {%- endif -%}
{% endmacro %}

{% macro unique_key_is_null(unique_key, identifier) -%}
  {{ identifier }}.dbt_unique_key{{ "_1" if unique_key | is_list }} is null
{%- endmacro %}

{% macro unique_key_is_not_null(unique_key, identifier) -%}
  {{ identifier }}.dbt_unique_key{{ "_1" if unique_key | is_list }} is not null
{%- endmacro %}
