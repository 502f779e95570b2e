{% macro cents(column, digits=2) -%}
  cast(round({{ column }} * 100) as integer) / {{ 10 ** digits }}
{%- endmacro %}

{% macro columns_of(relation) %}
  {% set names = [] %}
  {% for c in adapter.get_columns_in_relation(relation) %}
    {% do names.append(c.name ~ ':' ~ c.dtype ~ ':' ~ c.data_type ~ (':s' if c.is_string() else '') ~ (':n' if c.is_number() else '')) %}
  {% endfor %}
  {{ return(names) }}
{% endmacro %}

{% macro default__pick() %}default{% endmacro %}
{% macro duckdb__pick() %}duck{% endmacro %}

{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ target.schema if custom_schema_name is none else custom_schema_name | trim }}
{%- endmacro %}
