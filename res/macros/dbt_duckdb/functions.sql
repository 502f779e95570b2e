{# DuckDB's functions are macros: expressions that are bound where they are called. One statement names all signatures of a macro, so that an
   overload is made together with the signatures that are there already (made_signatures, which the run gives). #}

{% macro duckdb__scalar_function_create_replace_signature_sql(target_relation) %}
  {%- do scalar_function_volatility_sql() -%}
  create or replace macro {{ target_relation.render() }}
{%- endmacro %}

{# Parameters have types where the file's format has them (storage version 1.4); else a call is not checked, and overloads must differ in their
   number of arguments. #}
{% macro duckdb__function_types_kept() %}
  {%- set found = run_query("select path is null or coalesce(tags['storage_version'], '') >= 'v1.4' from duckdb_databases() where database_name = '" ~ (this.database or target.database) ~ "'") -%}
  {{ return(found is none or found.rows | length == 0 or found.rows[0][0]) }}
{% endmacro %}

{% macro duckdb__scalar_function_body_sql() %}
  {%- for made in made_signatures | default([]) %}
  {{ duckdb__function_signature(made.arguments, made.returns, made.compiled_code) }},
  {%- endfor %}
  {{ duckdb__function_signature(model.arguments, model.returns, model.compiled_code) }}
{%- endmacro %}

{% macro duckdb__function_signature(arguments, returns, body) %}
  ({{ duckdb__function_arguments(arguments) }}) as (cast((
    {{ body.strip().rstrip(';') }}
  ) as {{ returns.data_type }}))
{%- endmacro %}

{% macro duckdb__function_arguments(arguments) %}
  {%- set parts = [] -%}
  {%- set types_kept = duckdb__function_types_kept() -%}
  {%- for argument in arguments -%}
    {%- set value = '' if argument.default_value is none else ' := ' ~ argument.default_value -%}
    {%- do parts.append(argument.name ~ (' ' ~ argument.data_type if types_kept else '') ~ value) -%}
  {%- endfor -%}
  {{ parts | join(', ') }}
{%- endmacro %}

{% macro duckdb__formatted_scalar_function_args_sql() %}
  {{ duckdb__function_arguments(model.arguments) }}
{% endmacro %}

{# A macro has no volatility: it is what its expression is. #}
{% macro duckdb__scalar_function_volatility_sql() %}
  {%- set volatility = model.config.get('volatility') -%}
  {%- if volatility is not none -%}
    {%- do unsupported_volatility_warning(volatility) -%}
  {%- endif -%}
{% endmacro %}

{# An expression over an aggregate is an aggregate. #}
{% macro duckdb__aggregate_function_sql(target_relation) %}
  {{ return(scalar_function_sql(target_relation)) }}
{% endmacro %}
