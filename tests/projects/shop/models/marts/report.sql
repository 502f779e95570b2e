-- depends_on: {{ ref('orders') }}
select * from {{ ref('dim_customers') }} union all select customer_id, null from {{ ref('dim_customers', v=1) }}
