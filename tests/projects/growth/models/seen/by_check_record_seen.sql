select id, amount, dbt_valid_to is null as is_now, null as changed_at, dbt_is_deleted from {{ ref('by_check_record') }}
