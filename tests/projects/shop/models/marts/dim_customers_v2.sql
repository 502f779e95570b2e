{{ config(materialized='incremental') }}
select customer_id, name from {{ ref('stg_customers') }}
{% if is_incremental() %} where customer_id > (select max(customer_id) from {{ this }}) {% endif %}
