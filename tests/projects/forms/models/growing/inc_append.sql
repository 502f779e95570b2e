{{ config(materialized='incremental', incremental_strategy='append') }}
select id, amount, {{ 'true' if is_incremental() else 'false' }} as later from {{ ref('base') }}
{% if is_incremental() %} where id > (select max(id) - 1 from {{ this }}) {% endif %}
