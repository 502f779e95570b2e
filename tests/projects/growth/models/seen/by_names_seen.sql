select id, amount, until is null as is_now, changed as changed_at from {{ ref('by_names') }}
