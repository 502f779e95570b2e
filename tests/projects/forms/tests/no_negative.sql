{{ config(store_failures=true) }}
select * from {{ ref('base') }} where amount < 0
