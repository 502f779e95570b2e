select id, amount, dbt_valid_to is null as is_now, null as changed_at from {{ ref('by_check') }}
