{{ config(materialized='table') }}
select id, p.code, amount, flag from {{ ref('ext_parts') }} p join {{ ref('ext_csv') }} using (id)
