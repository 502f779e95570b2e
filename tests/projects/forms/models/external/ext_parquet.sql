select id, code, amount from {{ ref('base') }}
