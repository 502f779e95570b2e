{{ config(severity='warn', store_failures=true, alias='kept_rows') }}
select * from {{ ref('base') }} where amount > 1
