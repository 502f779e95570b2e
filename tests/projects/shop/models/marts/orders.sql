{{ config(
    alias='fct_orders',
    unique_key='order_id',
    pre_hook="select '{{ var('currency') }}'",
) }}
{% set statuses = ['placed', 'shipped', 'returned'] %}
select
    o.order_id,
    {{ cents('o.amount') }} as cents,
    {{ calendar.first_of_month('o.ordered_at') }} as month,
    {% for s in statuses %}
    count(*) filter (where o.status = '{{ s }}') as n_{{ s }},
    {% endfor %}
    c.name
from {{ ref('stg_orders') }} o
join {{ ref('stg_customers') }} c using (customer_id)
join {{ ref('days') }} d on d.day = o.ordered_at
group by all
