select 1 as id, 2 as customer_id, 3 as amount, current_date as ordered_at
