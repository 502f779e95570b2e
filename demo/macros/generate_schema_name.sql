{#- The folders' schemas are taken as they are: bronze, silver, gold. (dbt's default would make main_bronze.)
    Development and production differ by environment (type tarn) or file (type duckdb), not by schema name. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
