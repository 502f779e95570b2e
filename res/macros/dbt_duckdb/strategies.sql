{# How an increment gets into a DuckDB table: delete+insert (default), append, merge, microbatch; and snapshots. #}

{% macro duckdb__get_incremental_default_sql(arg_dict) %}
  {%- do return(get_incremental_delete_insert_sql(arg_dict)) -%}
{% endmacro %}

{% macro duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- set dest_cols_csv = get_quoted_csv(dest_columns | map(attribute="name")) -%}
    {%- set predicates = incremental_predicates or [] -%}
    {% if unique_key and unique_key is sequence and unique_key is not string %}
    delete from {{ target }} as DBT_INCREMENTAL_TARGET
    using {{ source }}
    where (
        {% for key in unique_key -%}
        {{ source }}.{{ key }} = DBT_INCREMENTAL_TARGET.{{ key }}{{ " and " if not loop.last }}
        {%- endfor %}
        {% for predicate in predicates %}and {{ predicate }} {% endfor %}
    );
    {% elif unique_key %}
    delete from {{ target }}
    where (
        {{ unique_key }}) in (
        select ({{ unique_key }})
        from {{ source }}
    )
    {% for predicate in predicates %}and {{ predicate }} {% endfor %};
    {% endif %}
    insert into {{ target }} ({{ dest_cols_csv }})
    (
        select {{ dest_cols_csv }}
        from {{ source }}
    )
{%- endmacro %}

{% macro duckdb__merge_join_clause(unique_key, merge_on_using_columns, incremental_predicates) -%}
    {%- set filters = incremental_predicates or [] -%}
    {%- if merge_on_using_columns -%}
        USING ({{ merge_on_using_columns | join(', ') }})
        {%- if filters %} ON ({{ filters | join(") AND (") }}){% endif -%}
    {%- else -%}
        {%- set predicates = [] -%}
        {%- for key in normalize_string_or_list(unique_key, "unique_key") -%}
            {%- do predicates.append("DBT_INTERNAL_SOURCE." ~ key ~ " = DBT_INTERNAL_DEST." ~ key) -%}
        {%- endfor -%}
        ON ({{ ((predicates or ['FALSE']) + filters) | join(") AND (") }})
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__get_incremental_merge_sql(args_dict) %}
  {{ return(duckdb__get_merge_sql(args_dict['target_relation'], args_dict['temp_relation'], args_dict['unique_key'],
      args_dict['dest_columns'], normalize_incremental_predicates(args_dict.get('incremental_predicates')))) }}
{% endmacro %}

{% macro merge_clause_defaults(merge_update_condition, merge_insert_condition, merge_update_columns=[], merge_exclude_columns=[],
    merge_update_set_expressions={}) -%}
  {{ return({
      'when_matched_update_by_name': {'action': 'update', 'condition': merge_update_condition, 'mode': 'by_name'},
      'when_not_matched_insert_by_name': {'action': 'insert', 'condition': merge_insert_condition, 'mode': 'by_name'},
      'when_matched_update_explicit': {
          'action': 'update', 'condition': merge_update_condition, 'mode': 'explicit',
          'update': {'include': merge_update_columns, 'exclude': merge_exclude_columns, 'set_expressions': merge_update_set_expressions}
      }
  }) }}
{%- endmacro %}

{% macro duckdb__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {{ validate_merge_config(config, target) }}
    {%- set sql_header = config.get('sql_header', none) -%}
    {%- set update_columns = config.get('merge_update_columns', []) -%}
    {%- set exclude_columns = config.get('merge_exclude_columns', []) -%}
    {%- set set_expressions = config.get('merge_update_set_expressions', {}) -%}
    {%- set returning = config.get('merge_returning_columns', []) -%}
    {%- set defaults = merge_clause_defaults(config.get('merge_update_condition', none), config.get('merge_insert_condition', none),
        update_columns, exclude_columns, set_expressions) -%}
    {%- set update_default = defaults.when_matched_update_explicit if update_columns or exclude_columns or set_expressions
        else defaults.when_matched_update_by_name -%}
    {%- set clauses = config.get('merge_clauses', {}) -%}
    {{ sql_header if sql_header is not none }}
    MERGE INTO {{ target }} AS DBT_INTERNAL_DEST
        USING {{ source }} AS DBT_INTERNAL_SOURCE
        {{ duckdb__merge_join_clause(unique_key, config.get('merge_on_using_columns', []), incremental_predicates) }}
    {%- for clause in clauses.get('when_matched', [update_default]) %}
    WHEN MATCHED{{ duckdb__merge_condition(clause) }}
    THEN
        {{ duckdb__merge_action(clause, dest_columns) }}
    {%- endfor %}
    {%- for clause in clauses.get('when_not_matched', [defaults.when_not_matched_insert_by_name]) %}
    WHEN NOT MATCHED{% if clause.get('by') %} BY {{ clause.get('by') | upper }}{% endif %}{{ duckdb__merge_condition(clause) }}
    THEN
        {{ duckdb__merge_action(clause, dest_columns) }}
    {%- endfor %}
    {%- if returning %}
    RETURNING {{ returning if returning is string else returning | join(', ') }}
    {%- endif %}
{% endmacro %}

{% macro duckdb__merge_condition(clause) -%}
    {%- set condition = clause.get('condition') -%}
    {%- if condition is string and condition %} AND {{ condition }}
    {%- elif condition %} AND ({{ condition | join(') AND (') }}){% endif -%}
{%- endmacro %}

{% macro duckdb__merge_action(clause, dest_columns) -%}
    {%- set action = clause.get('action') -%}
    {%- set mode = clause.get('mode') -%}
    {%- set by = {'by_name': 'BY NAME', 'by_position': 'BY POSITION'}.get(mode) -%}
    {%- if action == 'update' and by -%}
        UPDATE {{ by }}
    {%- elif action == 'update' and mode == 'star' -%}
        UPDATE SET *
    {%- elif action == 'update' -%}
        {%- set assignments = [] -%}
        {%- set expressions = clause.get('set_expressions', {}) if mode is none else clause.get('update', {}).get('set_expressions', {}) -%}
        {%- for column, expression in expressions.items() -%}
            {%- do assignments.append(column ~ " = " ~ expression) -%}
        {%- endfor -%}
        {%- if mode == 'explicit' -%}
            {%- set update = clause.get('update', {}) -%}
            {%- for column in get_merge_update_columns(update.get('include', []), update.get('exclude', []), dest_columns)
                if column.replace('"', '').replace("'", "") not in expressions -%}
                {%- do assignments.append(column ~ " = DBT_INTERNAL_SOURCE." ~ column) -%}
            {%- endfor -%}
        {%- endif -%}
        UPDATE SET {{ assignments | join(', ') }}
    {%- elif action == 'insert' and by -%}
        INSERT {{ by }}
    {%- elif action == 'insert' and mode == 'star' -%}
        INSERT *
    {%- elif action == 'insert' -%}
        {%- set insert = clause.get('insert', {}) -%}
        INSERT ({{ insert.get('columns', []) | join(', ') }}) VALUES ({{ insert.get('values', []) | join(', ') }})
    {%- elif action == 'delete' -%}
        DELETE
    {%- elif action == 'do_nothing' -%}
        DO NOTHING
    {%- elif action == 'error' -%}
        ERROR{% if clause.get('error_message') %} '{{ clause.get('error_message') | replace("'", "''") }}'{% endif %}
    {%- endif -%}
{%- endmacro %}

{% macro validate_merge_config(config, target_relation=none) %}
  {%- set errors = [] -%}
  {%- set basic = ['merge_update_condition', 'merge_insert_condition', 'merge_update_columns', 'merge_exclude_columns', 'merge_update_set_expressions'] -%}
  {%- for name in ['merge_update_condition', 'merge_insert_condition'] -%}
    {%- do validate_string_field(config.get(name), name, errors) -%}
  {%- endfor -%}
  {%- for name in ['merge_on_using_columns', 'merge_update_columns', 'merge_exclude_columns', 'merge_returning_columns'] -%}
    {%- do validate_string_list_field(config.get(name), name, errors) -%}
  {%- endfor -%}
  {%- do validate_dict_field(config.get('merge_update_set_expressions'), 'merge_update_set_expressions', errors) -%}
  {%- set clauses = config.get('merge_clauses') -%}
  {%- if clauses is not none -%}
    {%- do validate_dict_field(clauses, 'merge_clauses', errors) -%}
  {%- endif -%}
  {%- if clauses is mapping -%}
    {%- if 'when_matched' not in clauses and 'when_not_matched' not in clauses -%}
      {%- do errors.append("merge_clauses must contain at least one of 'when_matched' or 'when_not_matched' keys") -%}
    {%- endif -%}
    {%- for key in ['when_matched', 'when_not_matched'] if key in clauses -%}
      {%- if clauses[key] is mapping or clauses[key] is string or clauses[key] is not sequence -%}
        {%- do errors.append("merge_clauses." ~ key ~ " must be a list") -%}
      {%- elif clauses[key] | length == 0 -%}
        {%- do errors.append("merge_clauses." ~ key ~ " must contain at least one element") -%}
      {%- endif -%}
      {%- for clause in clauses[key] if clauses[key] is sequence and clauses[key] is not string and clauses[key] is not mapping and clause is not mapping -%}
        {%- do errors.append("merge_clauses." ~ key ~ " elements must be dictionaries, found: " ~ clause) -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- set ignored = [] -%}
    {%- for name in basic if config.get(name) -%}
      {%- do ignored.append(name) -%}
    {%- endfor -%}
    {%- if ignored -%}
      {%- do errors.append("When merge_clauses is specified, the following basic merge configurations will be ignored and should be removed: "
          ~ ignored | join(', ') ~ ". Define your merge behavior within merge_clauses instead.") -%}
    {%- endif -%}
  {%- endif -%}
  {%- if not errors -%}
    {%- do validate_ducklake_restrictions(config, target_relation, errors) -%}
  {%- endif -%}
  {%- if errors -%}
    {{ exceptions.raise_compiler_error("MERGE configuration errors:\n" ~ errors | join('\n')) }}
  {%- endif -%}
{% endmacro %}

{# What DuckLake's MERGE lacks. #}
{%- macro validate_ducklake_restrictions(config, target_relation, errors) -%}
  {%- if target_relation and adapter.is_ducklake(target_relation) -%}
    {%- if config.get('merge_returning_columns') -%}
      {%- do errors.append("DuckLake MERGE restrictions: merge_returning_columns is not supported because DuckLake does not support RETURNING.") -%}
    {%- endif -%}
    {%- set clauses = config.get('merge_clauses') or {} -%}
    {%- set changing = [] -%}
    {%- for clause in clauses.get('when_matched', []) + clauses.get('when_not_matched', []) if clause.get('action') in ['update', 'delete'] -%}
      {%- do changing.append(clause) -%}
    {%- endfor -%}
    {%- if changing | length > 1 -%}
      {%- do errors.append("DuckLake MERGE restrictions: merge_clauses can contain only a single UPDATE or DELETE action across when_matched and when_not_matched. Found "
          ~ changing | length ~ " UPDATE/DELETE actions. DuckLake currently supports only one UPDATE or DELETE operation per MERGE statement.") -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro validate_string_field(field_value, field_name, errors) -%}
  {%- if field_value is not none and field_value is not string -%}
    {%- do errors.append(field_name ~ " must be a string, found: " ~ field_value) -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro validate_string_list_field(field_value, field_name, errors) -%}
  {%- if field_value is not none -%}
    {%- if field_value is mapping or field_value is string or field_value is not sequence -%}
      {%- do errors.append(field_name ~ " must be a list") -%}
    {%- else -%}
      {%- for item in field_value if item is not string -%}
        {%- do errors.append(field_name ~ " must contain only string values, found: " ~ item) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endif -%}
{%- endmacro -%}

{%- macro validate_dict_field(field_value, field_name, errors) -%}
  {%- if field_value is not none and field_value is not mapping -%}
    {%- do errors.append(field_name ~ " must be a dictionary, found: " ~ field_value) -%}
  {%- endif -%}
{%- endmacro -%}

{# The condition for rows of the batch at hand; raises what a model of batches lacks or must not have. #}
{% macro microbatch_window() -%}
  {%- set event_time = config.get('event_time') -%}
  {%- if not event_time -%}
    {{ exceptions.raise_compiler_error("microbatch incremental strategy requires an 'event_time' model config") }}
  {%- endif -%}
  {%- if config.get('unique_key') -%}
    {{ exceptions.raise_compiler_error("microbatch incremental strategy does not support 'unique_key'. Remove 'unique_key' or use incremental_strategy='merge'.") }}
  {%- endif -%}
  {%- set batch = model.get('batch') or {} -%}
  {%- set start, end = batch.get('event_time_start'), batch.get('event_time_end') -%}
  {%- if not (start and end) -%}
    {{ exceptions.raise_compiler_error("microbatch incremental strategy requires 'batch.event_time_start' and 'batch.event_time_end' to be set in the context") }}
  {%- endif -%}
  {{ return(event_time ~ " >= '" ~ start ~ "' and " ~ event_time ~ " < '" ~ end ~ "'") }}
{%- endmacro %}

{% macro duckdb__get_incremental_microbatch_sql(arg_dict) -%}
  {%- set dest_cols_csv = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
  {%- set in_batch = microbatch_window() -%}
  {%- set build_sql -%}
    delete from {{ arg_dict["target_relation"] }}
    where {{ in_batch }}
    {%- for predicate in normalize_incremental_predicates(arg_dict.get("incremental_predicates")) %} and ({{ predicate }}){% endfor %};
    insert into {{ arg_dict["target_relation"] }} ({{ dest_cols_csv }})
    select {{ dest_cols_csv }}
    from {{ arg_dict["temp_relation"] }}
    where {{ in_batch }};
  {%- endset -%}
  {{ return(build_sql) }}
{%- endmacro %}

{# ---- snapshots ---- #}

{% macro duckdb__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
    {%- set valid_to = "DBT_INTERNAL_TARGET." ~ columns.dbt_valid_to -%}
    update {{ target }} as DBT_INTERNAL_TARGET
    set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = DBT_INTERNAL_TARGET.{{ columns.dbt_scd_id }}::text
      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
      {% if config.get("dbt_valid_to_current") %}
      and ({{ valid_to }} = {{ config.get('dbt_valid_to_current') }} or {{ valid_to }} is null);
      {% else %}
      and {{ valid_to }} is null;
      {% endif %}

    insert into {{ target }} ({{ insert_cols | join(', ') }})
    select {% for column in insert_cols %}DBT_INTERNAL_SOURCE.{{ column }}{{ ", " if not loop.last }}{% endfor %}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;
{% endmacro %}

{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
  {%- set temp_relation = duckdb__dispatch_temporary_relation(target_relation).relation -%}
  {%- set select = snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- call statement('build_snapshot_staging_relation') -%}
    {{ create_table_as(True, temp_relation, select) }}
  {%- endcall -%}
  {%- do return(temp_relation) -%}
{% endmacro %}

{% macro duckdb__post_snapshot(temporary_relation) %}
  {%- do return(drop_relation(temporary_relation)) -%}
{% endmacro %}
