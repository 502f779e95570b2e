{# Delta tables of models and snapshots, with both adapters: what a run adds is a merge or a replacement of its part, in one commit, and
   what is not touched is not rewritten. `place` says where the table is: the relation itself (type tarn) or the location of an external
   model; `relation` reads it. #}

{# ---- where ---- #}

{# With type tarn, the table's place in the lake: the location config or, when the project has its own external_location macro, what that gives. #}
{% macro delta__lake_location() -%}
  {%- set location = config.get('location', none) -%}
  {%- if location is not none -%}
    {{ return(render(location)) }}
  {%- endif -%}
  {%- if config.get('external_root', none) is not none -%}
    {{ return(external_location(this, config)) }}
  {%- endif -%}
  {{ return(none) }}
{%- endmacro %}

{% macro delta__location() -%}
  {{ return(render(config.get('location', default=external_location(this, config)))) }}
{%- endmacro %}

{# An external model with format delta and a strategy or a key adds to its table. #}
{% macro delta__grows_in_place() -%}
  {{ return(model.config.materialized == 'external' and config.get('format') == 'delta'
      and (config.get('incremental_strategy') or config.get('unique_key')) and true) }}
{%- endmacro %}

{# Is there a table to add to? A database file that is new gets the view through which models read their own table. #}
{% macro delta__is_there(relation) -%}
  {%- if target.type == 'tarn' -%}
    {{ return(relation is not none and relation.is_table) }}
  {%- endif -%}
  {%- set location = delta__location() -%}
  {%- set there = adapter.delta_exists(location) -%}
  {%- if there and relation is none -%}
    {%- do delta__show(this, location) -%}
  {%- endif -%}
  {{ return(there) }}
{%- endmacro %}

{# The view of an external model, at the newest version of its table. #}
{% macro delta__show(relation, location) -%}
  {%- do run_query("create or replace view " ~ relation ~ " as (\n" ~ adapter.delta_scan(location) ~ "\n)") -%}
  {%- do adapter.cache_added(relation.incorporate(type='view')) -%}
{%- endmacro %}

{# ---- whole tables ---- #}

{% macro delta__partition_by() -%}
  {{ return(config.get('partition_by', config.get('partitioned_by', (config.get('options', {}) or {}).get('partition_by')))) }}
{%- endmacro %}

{# Properties of a new table. Rows of what grows by changes are marked as gone, not their files rewritten, unless the model says otherwise. #}
{% macro delta__properties() -%}
  {%- set out = {} -%}
  {%- set strategy = config.get('incremental_strategy') or 'default' -%}
  {%- set grows = model.resource_type == 'snapshot' or model.config.materialized == 'incremental' or delta__grows_in_place() -%}
  {%- if grows and (model.resource_type == 'snapshot' or strategy in ['merge', 'microbatch'] or (strategy in ['default', 'delete+insert'] and config.get('unique_key'))) -%}
    {%- do out.update({'delta.enableDeletionVectors': 'true'}) -%}
  {%- endif -%}
  {%- for given in [config.get('delta_properties', none), config.get('tblproperties', none)] if given -%}
    {%- do out.update(given) -%}
  {%- endfor -%}
  {{ return(out or none) }}
{%- endmacro %}

{% macro delta__write(place, sql, mode, schema_mode=none) -%}
  {%- if config.get('sql_header', none) is not none -%}
    {%- do run_query(config.get('sql_header')) -%}
  {%- endif -%}
  {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(sql) }}
  {%- endif -%}
  {%- do write(sql) -%}
  {%- do delta__put(place, sql, mode, schema_mode or config.get('schema_mode', (config.get('options', {}) or {}).get('schema_mode'))) -%}
  {%- do delta__optimize(place) -%}
{%- endmacro %}

{# Writes rows without looking at the model's own options for whole tables. #}
{% macro delta__put(place, sql, mode, schema_mode=none) -%}
  {%- set response = adapter.delta_write(place, sql, mode=mode, schema_mode=schema_mode, location=delta__lake_location(),
      partition_by=delta__partition_by(), properties=delta__properties(), cluster_by=config.get('cluster_by')) -%}
  {%- do store_result('main', response=response, agate_table=none) -%}
{%- endmacro %}

{# New rows take the place of those that satisfy a predicate, or of the partitions that they are in. #}
{% macro delta__replace(place, sql, replace_where=none, dynamic_partitions=false) -%}
  {%- do write("insert into " ~ this ~ (" replace where " ~ replace_where if replace_where else " by partition") ~ "\n" ~ sql) -%}
  {%- set response = adapter.delta_write(place, sql, mode='overwrite', schema_mode='strict', location=delta__lake_location(),
      replace_where=replace_where, dynamic_partitions=dynamic_partitions) -%}
  {%- do store_result('main', response=response, agate_table=none) -%}
{%- endmacro %}

{% macro delta__merge(place, source, on, clauses, alias='DBT_INTERNAL_DEST') -%}
  {%- do write("merge into " ~ this ~ " as " ~ alias ~ "\nusing (\n" ~ source ~ "\n) as DBT_INTERNAL_SOURCE\non " ~ on ~ "\n" ~ clauses | join('\n')) -%}
  {%- set response = adapter.delta_merge(place, source, on, clauses, alias=alias, location=delta__lake_location()) -%}
  {%- do store_result('main', response=response, agate_table=none) -%}
{%- endmacro %}

{# What the model says of a table that was there before the run: descriptions, constraints, properties. #}
{% macro delta__settle(place) -%}
  {%- do adapter.delta_settle(place, properties=delta__properties(), cluster_by=config.get('cluster_by'), location=delta__lake_location()) -%}
{%- endmacro %}

{# optimize: true packs small files after each change, optimize: {zorder_by: [..], where: ..} says how. #}
{% macro delta__optimize(place) -%}
  {%- set how = config.get('optimize') -%}
  {%- if how -%}
    {%- set how = how if how is mapping else {} -%}
    {%- do adapter.delta_optimize(place, where=how.get('where'), zorder_by=how.get('zorder_by'), location=delta__lake_location()) -%}
  {%- endif -%}
{%- endmacro %}

{# ---- columns ---- #}

{# What of a query goes into the table: its columns, in the table's types, NULL for those the query does not have. #}
{% macro delta__row(columns, names) -%}
  {%- set given = names | map('lower') | list -%}
  {%- set out = [] -%}
  {%- for column in columns -%}
    {%- do out.append("cast(" ~ (adapter.quote(column.name) if column.name | lower in given else "null") ~ " as " ~ column.dtype ~ ") as " ~ adapter.quote(column.name)) -%}
  {%- endfor -%}
  {{ return(out | join(', ')) }}
{%- endmacro %}

{% macro delta__names(columns) -%}
  {{ return(columns | map(attribute='name') | list) }}
{%- endmacro %}

{# Types that differ once both are types of a Delta table. #}
{% macro delta__retyped(source_columns, target_columns) -%}
  {%- set out = [] -%}
  {%- for change in diff_column_data_types(source_columns, target_columns) -%}
    {%- set old = target_columns | selectattr('name', 'equalto', change.column_name) | list | first -%}
    {%- if adapter.delta_type(change.new_type) != adapter.delta_type(old.dtype) -%}
      {%- do out.append(change) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(out) }}
{%- endmacro %}

{# Brings the table's columns to what on_schema_change asks for. Returns the columns that the increment must have, or none: any. #}
{% macro delta__process_schema_changes(place, relation, temp_relation, on_schema_change) -%}
  {%- if on_schema_change == 'ignore' -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set source = adapter.get_columns_in_relation(temp_relation) -%}
  {%- set old = adapter.get_columns_in_relation(relation) -%}
  {%- set added = diff_columns(source, old) -%}
  {%- set removed = diff_columns(old, source) -%}
  {%- set retyped = delta__retyped(source, old) -%}
  {%- if on_schema_change == 'fail' and (added or removed or retyped) -%}
    {%- do process_schema_changes('fail', temp_relation, relation) -%}
  {%- endif -%}
  {%- set all = on_schema_change == 'sync_all_columns' -%}
  {%- if all and (removed or retyped) -%}
    {%- do delta__rebuild(place, relation, old, added, removed, retyped) -%}
  {%- elif added -%}
    {%- do delta__add_columns(place, added) -%}
  {%- endif -%}
  {%- if place is string and (added or all and (removed or retyped)) -%}
    {%- do delta__show(relation, place) -%}
  {%- endif -%}
  {{ return(source) }}
{%- endmacro %}

{% macro delta__typed_nulls(columns) -%}
  {%- set out = [] -%}
  {%- for column in columns -%}
    {%- do out.append("cast(null as " ~ column.dtype ~ ") as " ~ adapter.quote(column.name)) -%}
  {%- endfor -%}
  {{ return(out) }}
{%- endmacro %}

{# No row is written, only the schema. #}
{% macro delta__add_columns(place, columns) -%}
  {%- do delta__put(place, "select " ~ delta__typed_nulls(columns) | join(', ') ~ " where false", 'append', 'merge') -%}
{%- endmacro %}

{# The table without the removed columns, with the added ones and in the new types. #}
{% macro delta__rebuild(place, relation, old, added, removed, retyped) -%}
  {%- set types = {} -%}
  {%- for change in retyped -%}
    {%- do types.update({change.column_name: change.new_type}) -%}
  {%- endfor -%}
  {%- set gone = delta__names(removed) -%}
  {%- set out = [] -%}
  {%- for column in old if column.name not in gone -%}
    {%- set quoted = adapter.quote(column.name) -%}
    {%- do out.append("cast(" ~ quoted ~ " as " ~ types[column.name] ~ ") as " ~ quoted if column.name in types else quoted) -%}
  {%- endfor -%}
  {%- do delta__put(place, "select " ~ (out + delta__typed_nulls(added)) | join(', ') ~ " from " ~ relation, 'overwrite', 'overwrite') -%}
{%- endmacro %}

{# ---- increments ---- #}

{% macro delta__increment(place, relation) -%}
  {%- set strategy = config.get('incremental_strategy') or 'default' -%}
  {%- if strategy not in ['default', 'append', 'delete+insert', 'merge', 'insert_overwrite', 'microbatch'] -%}
    {{ exceptions.raise_compiler_error("The incremental strategy '" ~ strategy ~ "' is not valid for a Delta table: append, delete+insert, merge, insert_overwrite or microbatch") }}
  {%- endif -%}
  {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {%- set temp_relation = duckdb__dispatch_temporary_relation(relation, adapter.batch_id_for_model(model)).relation -%}
  {%- do run_query(create_table_as(True, temp_relation, compiled_code)) -%}
  {%- set wanted = delta__process_schema_changes(place, relation, temp_relation, on_schema_change) -%}
  {%- set columns = adapter.get_columns_in_relation(relation) -%}
  {%- set names = delta__names(adapter.get_columns_in_relation(temp_relation)) -%}
  {%- set dest_columns = wanted or columns -%}
  {%- set arguments = {'place': place, 'temp_relation': temp_relation, 'columns': columns, 'names': names, 'dest_columns': dest_columns,
      'unique_key': config.get('unique_key'),
      'predicates': normalize_incremental_predicates(config.get('predicates', none) or config.get('incremental_predicates', none)) or []} -%}
  {%- if strategy == 'merge' -%}
    {%- do delta__merge_increment(arguments) -%}
  {%- else -%}
    {%- for column in dest_columns if column.name | lower not in names | map('lower') | list -%}
      {{ exceptions.raise_compiler_error("the increment lacks the table's column '" ~ column.name ~ "': select it, or set on_schema_change") }}
    {%- endfor -%}
    {%- if strategy == 'microbatch' -%}
      {%- do delta__microbatch(arguments) -%}
    {%- elif strategy == 'insert_overwrite' -%}
      {%- do delta__insert_overwrite(arguments) -%}
    {%- elif strategy == 'append' or not config.get('unique_key') -%}
      {%- do write("insert into " ~ this ~ "\nselect * from " ~ temp_relation) -%}
      {%- do delta__put(place, "select " ~ delta__row(columns, names) ~ " from " ~ temp_relation, 'append') -%}
    {%- else -%}
      {%- do delta__delete_insert(arguments) -%}
    {%- endif -%}
  {%- endif -%}
  {%- do delta__settle(place) -%}
  {%- do delta__optimize(place) -%}
  {%- do run_query("drop table if exists " ~ temp_relation) -%}
{%- endmacro %}

{# Rows whose key the increment has go, then its rows come: one merge. Its source has each key once, to delete by, and each row with no
   key, so that it matches nothing and goes in. The row is one struct: in conditions, plain names mean the table's columns. #}
{% macro delta__delete_insert(args) -%}
  {%- set keys = [] -%}
  {%- set on = [] -%}
  {%- set unique_key = args.unique_key -%}
  {%- if unique_key is string and ',' in unique_key and '(' not in unique_key -%}
    {%- set unique_key = unique_key.split(',') | map('trim') | list -%}
  {%- endif -%}
  {%- for key in ([unique_key] if unique_key is string else unique_key) -%}
    {%- do keys.append(key) -%}
    {%- do on.append(("DBT_INCREMENTAL_TARGET." ~ key if unique_key is not string else "(" ~ key ~ ")") ~ " = DBT_INTERNAL_SOURCE.__tarn_key_" ~ loop.index) -%}
  {%- endfor -%}
  {%- set source -%}
    select distinct {% for key in keys %}{{ key }} as __tarn_key_{{ loop.index }}, {% endfor %}null as __tarn_row from {{ args.temp_relation }}
    union all
    select {% for key in keys %}null, {% endfor %}__tarn_increment from {{ args.temp_relation }} as __tarn_increment
  {%- endset -%}
  {%- set values = {} -%}
  {%- for column in args.columns if column.name | lower in args.names | map('lower') | list -%}
    {%- do values.update({column.name: "DBT_INTERNAL_SOURCE.__tarn_row." ~ adapter.quote(column.name)}) -%}
  {%- endfor -%}
  {%- for predicate in args.predicates -%}
    {%- do on.append("(" ~ predicate ~ ")") -%}
  {%- endfor -%}
  {%- do delta__merge(args.place, source, on | join(' and '), [
      {'when': 'matched', 'do': 'delete'},
      {'when': 'not_matched', 'do': 'insert', 'condition': 'DBT_INTERNAL_SOURCE.__tarn_row is not null', 'set': values}],
      alias='DBT_INCREMENTAL_TARGET') -%}
{%- endmacro %}

{# Partitions that the increment has rows for are replaced as a whole; without partitions, the table. #}
{% macro delta__insert_overwrite(args) -%}
  {%- do delta__replace(args.place, "select " ~ delta__row(args.columns, args.names) ~ " from " ~ args.temp_relation, dynamic_partitions=true) -%}
{%- endmacro %}

{# ---- merge, with all of dbt-duckdb's configs ---- #}

{% macro delta__merge_increment(args) -%}
  {{ validate_merge_config(config, this) }}
  {%- set on = args.predicates | list -%}
  {%- set using = config.get('merge_on_using_columns') or [] -%}
  {%- set keys = using or (normalize_string_or_list(args.unique_key, 'unique_key') if args.unique_key else []) -%}
  {%- for key in keys -%}
    {%- do on.append("DBT_INTERNAL_SOURCE." ~ key ~ " = DBT_INTERNAL_DEST." ~ key) -%}
  {%- endfor -%}
  {%- if not keys -%}
    {%- do on.append('false') -%}
  {%- endif -%}
  {%- set include, exclude = config.get('merge_update_columns', []) or [], config.get('merge_exclude_columns', []) or [] -%}
  {%- set expressions = config.get('merge_update_set_expressions', {}) or {} -%}
  {%- set defaults = merge_clause_defaults(config.get('merge_update_condition', none), config.get('merge_insert_condition', none), include, exclude, expressions) -%}
  {%- set update = defaults.when_matched_update_explicit if include or exclude or expressions else defaults.when_matched_update_by_name -%}
  {%- set given = config.get('merge_clauses', {}) or {} -%}
  {%- set clauses = [] -%}
  {%- for clause in given.get('when_matched', [update]) -%}
    {%- do clauses.append(delta__clause(args, clause, 'matched')) -%}
  {%- endfor -%}
  {%- for clause in given.get('when_not_matched', [defaults.when_not_matched_insert_by_name]) -%}
    {%- do clauses.append(delta__clause(args, clause, 'not_matched_by_source' if clause.get('by', '') | lower == 'source' else 'not_matched')) -%}
  {%- endfor -%}
  {%- do delta__merge(args.place, "select * from " ~ args.temp_relation, "(" ~ on | join(") and (") ~ ")", clauses) -%}
{%- endmacro %}

{# One of dbt-duckdb's clauses as adapter.delta_merge takes it. #}
{% macro delta__clause(args, clause, when) -%}
  {%- set action, mode = clause.get('action'), clause.get('mode') -%}
  {%- set condition = clause.get('condition') -%}
  {%- set out = {'when': when, 'do': {'do_nothing': 'nothing', 'error': 'insert' if when == 'not_matched' else 'update'}.get(action, action)} -%}
  {%- if condition -%}
    {%- do out.update({'condition': condition if condition is string else "(" ~ condition | join(') and (') ~ ")"}) -%}
  {%- endif -%}
  {%- set first = args.columns[0] -%}
  {%- if action == 'error' -%}
    {%- do out.update({'set': {first.name: "cast(error('" ~ (clause.get('error_message') or 'the merge met a row that a clause with action error is for') | replace("'", "''") ~ "') as " ~ first.dtype ~ ")"}}) -%}
  {%- elif action in ['update', 'insert'] -%}
    {%- do out.update({'set': delta__clause_set(args, clause, action, mode)}) -%}
  {%- endif -%}
  {{ return(out) }}
{%- endmacro %}

{% macro delta__clause_set(args, clause, action, mode) -%}
  {%- set values = {} -%}
  {%- set known = delta__names(args.columns) | map('lower') | list -%}
  {%- set explicit = clause.get(action, {}) -%}
  {%- if mode in ['by_name', 'star'] -%}
    {%- for name in args.names -%}
      {%- if name | lower not in known -%}
        {{ exceptions.raise_compiler_error("the table has no column '" ~ name ~ "' of the increment: leave it out, or set on_schema_change") }}
      {%- endif -%}
      {%- do values.update({name: "DBT_INTERNAL_SOURCE." ~ adapter.quote(name)}) -%}
    {%- endfor -%}
  {%- elif mode == 'by_position' -%}
    {%- for column in args.columns if loop.index <= args.names | length -%}
      {%- do values.update({column.name: "DBT_INTERNAL_SOURCE." ~ adapter.quote(args.names[loop.index0])}) -%}
    {%- endfor -%}
  {%- elif action == 'insert' -%}
    {%- for name in explicit.get('columns', []) -%}
      {%- do values.update({delta__bare(name): explicit.get('values', [])[loop.index0]}) -%}
    {%- endfor -%}
  {%- else -%}
    {%- set expressions = clause.get('set_expressions', {}) if mode is none else explicit.get('set_expressions', {}) -%}
    {%- for name, expression in expressions.items() -%}
      {%- do values.update({delta__bare(name): expression}) -%}
    {%- endfor -%}
    {%- if mode == 'explicit' -%}
      {%- for name in get_merge_update_columns(explicit.get('include', []), explicit.get('exclude', []), args.dest_columns) if delta__bare(name) not in values -%}
        {%- do values.update({delta__bare(name): "DBT_INTERNAL_SOURCE." ~ name}) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endif -%}
  {{ return(values) }}
{%- endmacro %}

{% macro delta__bare(name) -%}
  {{ return(name | replace('"', '')) }}
{%- endmacro %}

{# ---- batches ---- #}

{% macro delta__microbatch(args) -%}
  {%- set inside = microbatch_window() -%}
  {%- set sql = "select " ~ delta__row(args.columns, args.names) ~ " from " ~ args.temp_relation ~ " where " ~ inside -%}
  {%- do delta__replace(args.place, sql, replace_where=([inside] + args.predicates) | join(' and ')) -%}
{%- endmacro %}

{# ---- snapshots ---- #}

{% macro delta__snapshot(place, relation, target_exists) -%}
  {%- set columns = config.get("snapshot_table_column_names") or get_snapshot_table_column_names() -%}
  {%- set strategy = strategy_dispatch(config.get('strategy'))(model, "snapshotted_data", "source_data", model['config'], target_exists) -%}
  {%- if not target_exists -%}
    {%- set first = build_snapshot_table(strategy, model['compiled_code']) -%}
    {{ check_time_data_types(first) }}
    {%- do delta__write(place, first, 'overwrite') -%}
  {%- else -%}
    {{ adapter.assert_valid_snapshot_target_given_strategy(relation, columns, strategy) }}
    {{ check_time_data_types(snapshot_staging_table(strategy, sql, relation)) }}
    {%- set staging = build_snapshot_staging_table(strategy, sql, relation) -%}
    {%- set own = ['dbt_change_type', 'dbt_unique_key'] -%}
    {%- if strategy.unique_key | is_list -%}
      {%- for key in strategy.unique_key -%}
        {%- do own.append('dbt_unique_key_' ~ loop.index) -%}
      {%- endfor -%}
    {%- endif -%}
    {%- set incoming = adapter.get_columns_in_relation(staging) | rejectattr('name', 'in', own) | list -%}
    {%- set added = diff_columns(incoming, adapter.get_columns_in_relation(relation)) -%}
    {%- if added -%}
      {%- do delta__add_columns(place, added) -%}
    {%- endif -%}
    {%- do delta__snapshot_merge(place, staging, incoming, columns) -%}
    {%- do delta__settle(place) -%}
    {%- do delta__optimize(place) -%}
    {%- do run_query("drop table if exists " ~ staging) -%}
  {%- endif -%}
{%- endmacro %}

{# A snapshot with format delta and type duckdb: the history lies at a place, a view of it in the database. #}
{% macro delta__snapshot_outside() -%}
  {%- set location = delta__location() -%}
  {%- set target_relation = this.incorporate(type='view') -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_exists = adapter.delta_exists(location) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- if existing_relation is not none and not existing_relation.is_view -%}
    {%- do exceptions.relation_wrong_type(existing_relation, 'view') -%}
  {%- endif -%}
  {%- if target_exists -%}
    {%- do delta__show(target_relation, location) -%}
  {%- endif -%}
  {%- do delta__snapshot(location, target_relation, target_exists) -%}
  {%- do delta__show(target_relation, location) -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{%- endmacro %}

{# Rows that changed or went are closed, new ones come: one merge. An inserted row has no id to match by. #}
{% macro delta__snapshot_merge(place, staging, incoming, columns) -%}
  {%- set scd_id, valid_to = columns.dbt_scd_id, columns.dbt_valid_to -%}
  {%- set current = "DBT_INTERNAL_DEST." ~ valid_to ~ " is null" -%}
  {%- if config.get('dbt_valid_to_current') -%}
    {%- set current = "(" ~ current ~ " or DBT_INTERNAL_DEST." ~ valid_to ~ " = " ~ config.get('dbt_valid_to_current') ~ ")" -%}
  {%- endif -%}
  {%- set values = {} -%}
  {%- for column in incoming -%}
    {%- do values.update({column.name: "DBT_INTERNAL_SOURCE." ~ adapter.quote(column.name)}) -%}
  {%- endfor -%}
  {%- set source -%}
    select *, {{ scd_id }}::text as __tarn_scd_id from (select distinct on ({{ scd_id }}) * from {{ staging }} where dbt_change_type in ('update', 'delete'))
    union all
    select *, null from {{ staging }} where dbt_change_type = 'insert'
  {%- endset -%}
  {%- do delta__merge(place, source, "DBT_INTERNAL_SOURCE.__tarn_scd_id = DBT_INTERNAL_DEST." ~ scd_id ~ " and " ~ current, [
      {'when': 'matched', 'do': 'update', 'set': {valid_to: "DBT_INTERNAL_SOURCE." ~ valid_to}},
      {'when': 'not_matched', 'do': 'insert', 'condition': "DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'", 'set': values}]) -%}
{%- endmacro %}
