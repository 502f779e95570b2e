select 2 as customer_id, current_date as created_at
