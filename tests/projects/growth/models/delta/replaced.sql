{{ config(incremental_strategy='delete+insert', unique_key='id') }}
select id, part, amount, moment from {{ ref('arrivals') }}
{% if is_incremental() %} where step = {{ var('step') }} {% else %} where step = 1 {% endif %}
