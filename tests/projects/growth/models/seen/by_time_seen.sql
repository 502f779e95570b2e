select id, amount, dbt_valid_to is null as is_now, dbt_updated_at as changed_at from {{ ref('by_time') }}
