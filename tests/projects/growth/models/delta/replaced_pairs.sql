{{ config(incremental_strategy='delete+insert', unique_key=['id', 'part'], incremental_predicates=["DBT_INCREMENTAL_TARGET.amount < 100"]) }}
select id, part, amount from {{ ref('arrivals') }} where step = {{ var('step') }}
union all
select id, part, amount + 1 from {{ ref('arrivals') }} where step = {{ var('step') }} and id = 2
