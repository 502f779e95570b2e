{# External models: the rows go to a file, a folder of files or a Delta table, and a view of that place goes into the database. #}

{%- macro external_location(relation, config) -%}
  {%- set format = config.get('format', 'parquet') -%}
  {%- if format == 'delta' or config.get('options', {}).get('partition_by') is not none -%}
    {{- adapter.external_root() }}/{{ relation.identifier }}
  {%- else -%}
    {{- adapter.external_root() }}/{{ relation.identifier }}.{{ format }}
  {%- endif -%}
{%- endmacro -%}

{% macro location_exists(location) -%}
  {%- do return(adapter.location_exists(location)) -%}
{%- endmacro %}

{% macro write_to_file(relation, location, options) -%}
  {%- call statement('write_to_file') -%}
    copy {{ relation }} to '{{ location }}' ({{ options }})
  {%- endcall -%}
{%- endmacro %}

{% macro store_relation(plugin, relation, location, format, config) -%}
  {%- do adapter.store_relation(plugin, relation, adapter.get_columns_in_relation(relation), location, format, config) -%}
{%- endmacro %}

{% macro render_write_options(config) -%}
  {%- set given = config.get('options', {}) -%}
  {%- if given is not mapping -%}
    {%- do exceptions.raise_compiler_error("The options argument must be a dictionary") -%}
  {%- endif -%}
  {%- set options = {} -%}
  {%- for key in given -%}
    {%- do options.update({key: render(given[key] | string)}) -%}
  {%- endfor -%}
  {%- for key in ['format', 'delimiter'] if config.get(key) -%}
    {%- do options.update({key: render(config.get(key))}) -%}
  {%- endfor -%}
  {%- do return(options) -%}
{%- endmacro %}

{# 'name'=value arguments of a reader, text values quoted. #}
{% macro external_reader_arguments(options) -%}
  {%- for key, value in options.items() -%}
    , {{ key }}={% if value is string %}'{{ value }}'{% else %}{{ value }}{% endif %}
  {%- endfor -%}
{%- endmacro %}

{# A query that gives the columns with their types and no rows. #}
{% macro external_no_rows(columns) -%}
  select {% for column in columns %}cast(null as {{ column.dtype }}) as {{ column.quoted }}{{ ", " if not loop.last }}{% endfor %} where false
{%- endmacro %}

{% materialization external, adapter="duckdb", supported_languages=['sql', 'python'] %}
  {%- set location = render(config.get('location', default=external_location(this, config))) -%}
  {%- set format = config.get('format') -%}
  {%- set allowed_formats = ['csv', 'parquet', 'json', 'delta'] -%}
  {%- if format and format not in allowed_formats -%}
    {{ exceptions.raise_compiler_error("Invalid format: " ~ format ~ ". Allowed formats are: " ~ allowed_formats | join(', ')) }}
  {%- endif -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='view') -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- if config.get('contract').enforced -%}
    {{ get_assert_columns_equivalent(compiled_code) }}
  {%- endif -%}

  {%- if format == 'delta' -%}
    {%- set view_sql = external_write_delta(location) -%}
  {%- else -%}
    {%- set view_sql = external_write_files(location) -%}
  {%- endif -%}

  {%- if existing_relation is not none and not existing_relation.is_view -%}
    {%- do adapter.drop_relation(existing_relation) -%}
  {%- endif -%}
  {%- call statement('main') -%}
    create or replace view {{ target_relation }} as (
      {{ view_sql }}
    );
  {%- endcall -%}
  {%- do adapter.cache_added(target_relation) -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) -%}
  {%- do persist_docs(target_relation, model) -%}
  {{ adapter.commit() }}

  {%- set plugin_name = config.get('plugin') -%}
  {%- if config.get('glue_register', default=false) -%}
    {%- set plugin_name = 'glue|' ~ config.get('glue_database', 'default') -%}
  {%- endif -%}
  {%- if plugin_name is not none and plugin_name != 'delta' -%}
    {%- do store_relation(plugin_name, target_relation, location, format, config) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# A new version of the Delta table; the view reads exactly that version. #}
{% macro external_write_delta(location) %}
  {%- if is_incremental() -%}
    {%- do delta__show(this, location) -%}
    {%- do delta__increment(location, this) -%}
  {%- else -%}
    {%- do delta__write(location, compiled_code, config.get('mode', 'overwrite')) -%}
  {%- endif -%}
  {{ return(adapter.delta_scan(location)) }}
{% endmacro %}

{# The rows go straight from the query to the files: no table is made on the way. A query without rows leaves an empty file, and the
   view then names the columns' types itself where the file cannot. #}
{% macro external_write_files(location) %}
  {%- set rendered_options = render_write_options(config) -%}
  {%- set write_options = adapter.external_write_options(location, rendered_options) -%}
  {%- set format = config.get('format') or rendered_options['format'] | lower -%}
  {%- set format = format if format in ['csv', 'parquet', 'json'] else 'parquet' -%}
  {%- set read_location = adapter.external_read_location(location, rendered_options) -%}
  {%- set partitioned = read_location != location -%}
  {%- do adapter.prepare_location(location, partitioned) -%}
  {%- if not partitioned and not adapter.is_remote_location(location) and 'use_tmp_file' not in rendered_options -%}
    {%- set write_options = write_options ~ ", use_tmp_file true" -%}
  {%- endif -%}
  {%- if config.get('sql_header', none) is not none -%}
    {%- do run_query(config.get('sql_header')) -%}
  {%- endif -%}
  {%- do write_to_file('(\n' ~ compiled_code ~ '\n)', location, write_options) -%}
  {%- set empty = load_result('write_to_file').response.rows_affected == 0 -%}

  {%- set defaults = {'parquet': {'union_by_name': False}, 'json': {'auto_detect': True}, 'csv': {'auto_detect': True}}[format] -%}
  {%- set read_options = dict(config.get(format ~ '_read_options', defaults)) -%}
  {%- if format != 'parquet' and rendered_options.get('compression') and 'compression' not in read_options -%}
    {%- do read_options.update({'compression': rendered_options['compression']}) -%}
  {%- endif -%}
  {%- if empty and (format != 'parquet' or partitioned) -%}
    {{ return(external_no_rows(adapter.describe_query(compiled_code))) }}
  {%- endif -%}
  {{ return("select * from read_" ~ format ~ "('" ~ read_location ~ "'" ~ external_reader_arguments(read_options) ~ ")") }}
{% endmacro %}

{# For a new database file: views of the external models that this run reads and does not build. #}
{%- macro register_upstream_external_models() -%}
{%- if execute -%}
  {%- set seen = {} -%}
  {%- set schemas = {} -%}
  {%- for id in selected_resources if id in graph['nodes'] -%}
    {%- for parent in graph['nodes'][id]['depends_on']['nodes'] if parent not in seen and parent not in selected_resources -%}
      {%- do seen.update({parent: true}) -%}
      {%- set upstream = graph['nodes'].get(parent) -%}
      {%- if upstream and upstream.resource_type in ('model', 'seed') and upstream.config.materialized == 'external' -%}
        {%- set relation = api.Relation.create(database=upstream['database'], schema=upstream['schema'], identifier=upstream['alias']) -%}
        {%- set location = upstream.config.get('location', external_location(relation, upstream.config)) -%}
        {%- if upstream.config.get('format') == 'delta' -%}
          {%- set view_sql = adapter.delta_scan(location) -%}
        {%- else -%}
          {%- set options = render_write_options(upstream.config) -%}
          {%- set view_sql = "select * from '" ~ adapter.external_read_location(location, options) ~ "'" -%}
        {%- endif -%}
        {%- if relation.schema not in schemas -%}
          {%- call statement('main', language='sql') -%}
            create schema if not exists {{ relation.without_identifier() }}
          {%- endcall -%}
          {%- do schemas.update({relation.schema: none}) -%}
        {%- endif -%}
        {%- call statement('main', language='sql') -%}
          create or replace view {{ relation }} as (
            {{ view_sql }}
          );
        {%- endcall -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- if schemas -%}
    {%- do adapter.commit() -%}
  {%- endif -%}
{%- endif -%}
{%- endmacro -%}
