{{ config(materialized='table') }}
select * from {{ ref('ext_parts') }} join {{ ref('ext_csv') }} using (id)
