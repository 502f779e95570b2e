select 1 as visit_id, 7 as customer_id, date '2025-01-04' as seen_on
