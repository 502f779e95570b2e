{{ config(alias='renamed', materialized='table', tags=['x']) }}
select * from {{ ref('base') }} where id < 3
