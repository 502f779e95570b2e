{{ config(materialized='incremental', unique_key='id') }}
select id, amount + {{ 10 if is_incremental() else 0 }} as amount from {{ ref('base') }} {% if is_incremental() %} where id >= 2 {% endif %}
