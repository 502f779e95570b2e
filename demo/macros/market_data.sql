{#- True when the full market folder was landed; models shared by both modes ask this before they read its tables. -#}
{% macro has_market_data() -%}
    {{ return(env_var('TARN_MARKET_DATA', '') != '') }}
{%- endmacro %}

{#- A landed table with the columns we know, whatever headers its files had.
    Vendors rename, re-case and drop columns; a column that no file has comes back as NULL instead of failing the model.
    Names match without regard to case, as everywhere in SQL. Everything is text here: bronze decides on types. -#}
{% macro landed(table, columns) -%}
    (
        select {% for column in columns %}cast(null as varchar) as "{{ column }}", {% endfor %}cast(null as varchar) as _source_file
        where false
        union all by name
        select * from {{ source('landing', table) }}
    )
{%- endmacro %}

{#- The date that a path carries as `vintage=2018-02-09` or `asof=2018-02-09`; NULL when it has none. -#}
{% macro path_date(key, path='_source_file') -%}
    try_cast(regexp_extract({{ path }}, '{{ key }}=([0-9]{4}-[0-9]{2}-[0-9]{2})', 1) as date)
{%- endmacro %}

{#- A date in any of the spellings that the vendors use; a time behind it is dropped. -#}
{% macro any_date(column) -%}
    cast(try_strptime(split_part({{ column }}, ' ', 1), ['%Y-%m-%d', '%m/%d/%Y', '%Y%m%d']) as date)
{%- endmacro %}
