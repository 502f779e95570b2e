{{ config(incremental_strategy='merge') }}
select id, amount from {{ ref('arrivals') }} where step = {{ var('step') }}
