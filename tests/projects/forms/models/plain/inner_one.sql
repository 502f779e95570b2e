{{ config(materialized='ephemeral') }}
select id, amount, {{ cents('amount') }} as cents from {{ ref('base') }}
