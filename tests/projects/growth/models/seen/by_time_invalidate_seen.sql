select id, amount, dbt_valid_to = timestamp '9999-12-31' as is_now, dbt_updated_at as changed_at from {{ ref('by_time_invalidate') }}
