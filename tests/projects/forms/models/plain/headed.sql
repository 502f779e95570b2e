{% call set_sql_header(config) %}create or replace temporary macro twice(x) as x * 2;{% endcall %}
select twice(21) as n, '{{ target.schema }}' as s, '{{ invocation_id | length }}' as i, {{ 'null' if is_incremental() else 1 }} as inc
