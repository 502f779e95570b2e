{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif node.resource_type == 'test' -%}
        {{ target.schema }}_tests
    {%- else -%}
        {{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}

{% macro cents(column, digits=2) -%}
    round({{ column }} * 100, {{ digits }})
{%- endmacro %}

{% macro log_end(text) %}
    {% do log("end: " ~ text, info=false) %}
    select '{{ text }}' as note
{% endmacro %}

{% macro duckdb__first_of_month(col) %}date_trunc('month', cast({{ col }} as date)){% endmacro %}
