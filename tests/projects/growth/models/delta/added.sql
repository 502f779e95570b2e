{{ config(incremental_strategy='append') }}
select id, part, amount, moment from {{ ref('arrivals') }}
{% if is_incremental() %} where moment > (select max(moment) from {{ this }}) {% endif %}
