{{ config(incremental_strategy='merge', unique_key='id') }}
select id, part, amount, moment from {{ ref('arrivals') }} where step = {{ var('step') }}
