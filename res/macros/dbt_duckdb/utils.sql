{# DuckDB's own forms of the cross-database expressions, and small helpers of its materializations. #}

{% macro duckdb__any_value(expression) -%}
  arbitrary({{ expression }})
{%- endmacro %}

{% macro duckdb__date(year, month, day) -%}
  make_date({{ year }}, {{ month }}, {{ day }})
{%- endmacro %}

{% macro duckdb__dateadd(datepart, interval, from_date_or_timestamp) %}
  {%- set unit = datepart | lower -%}
  {%- if unit == 'quarter' -%}
    ({{ from_date_or_timestamp }} + (cast({{ interval }} as bigint) * 3) * interval 1 month)
  {%- elif unit == 'week' -%}
    ({{ from_date_or_timestamp }} + (cast({{ interval }} as bigint) * 7) * interval 1 day)
  {%- else -%}
    ({{ from_date_or_timestamp }} + cast({{ interval }} as bigint) * interval 1 {{ unit }})
  {%- endif -%}
{% endmacro %}

{% macro duckdb__datediff(first_date, second_date, datepart) -%}
  {%- if datepart == 'week' -%}
    ({{ datediff(first_date, second_date, 'day') }} // 7 + case
      when date_part('dow', ({{ first_date }})::timestamp) <= date_part('dow', ({{ second_date }})::timestamp) then
        case when {{ first_date }} <= {{ second_date }} then 0 else -1 end
      else
        case when {{ first_date }} <= {{ second_date }} then 1 else 0 end
    end)
  {%- else -%}
    (date_diff('{{ datepart }}', {{ first_date }}::timestamp, {{ second_date }}::timestamp ))
  {%- endif -%}
{%- endmacro %}

{% macro duckdb__generate_series(upper_bound) %}
  select
    generate_series as generated_number
  from generate_series(1, {{ upper_bound }})
{% endmacro %}

{% macro duckdb__last_day(date, datepart) -%}
  {%- if datepart == 'quarter' -%}
    cast({{ dbt.dateadd('day', '-1', dbt.dateadd('month', '3', dbt.date_trunc(datepart, date))) }} as date)
  {%- else -%}
    {{ dbt.default_last_day(date, datepart) }}
  {%- endif -%}
{%- endmacro %}

{% macro duckdb__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
  {%- if limit_num -%}
    list_aggr((array_agg({{ measure }} {{ order_by_clause if order_by_clause }}))[1:{{ limit_num }}], 'string_agg', {{ delimiter_text }})
  {%- else -%}
    string_agg({{ measure }}, {{ delimiter_text }} {{ order_by_clause if order_by_clause }})
  {%- endif -%}
{%- endmacro %}

{% macro duckdb__split_part(string_text, delimiter_text, part_number) %}
  string_split({{ string_text }}, {{ delimiter_text }})[ {{ part_number }} ]
{% endmacro %}

{%- macro normalize_string_or_list(raw, field_name) -%}
  {%- set wrong = field_name ~ " must be a list of strings or a string" -%}
  {%- if raw is none -%}
    {{ return([]) }}
  {%- elif raw is string -%}
    {{ return([raw]) }}
  {%- elif raw is mapping or raw is not sequence -%}
    {{ exceptions.raise_compiler_error(wrong) }}
  {%- endif -%}
  {%- for item in raw if item is not string -%}
    {%- do exceptions.raise_compiler_error(field_name ~ " list values must be non-empty strings") -%}
  {%- endfor -%}
  {{ return(raw | list) }}
{%- endmacro -%}

{%- macro normalize_incremental_predicates(incremental_predicates) -%}
  {{ return(normalize_string_or_list(incremental_predicates, "incremental_predicates")) }}
{%- endmacro -%}
