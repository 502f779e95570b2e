{{ config(incremental_strategy='delete+insert', unique_key="date_trunc('day', moment)") }}
select id, moment, {{ var('step') }} as step from {{ ref('arrivals') }} where step = {{ var('step') }} or id = 3
