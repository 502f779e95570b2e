select 1 as order_id, 7 as customer_id, date '2025-01-05' as ordered_on, 12.5 as amount, 'web' as channel
