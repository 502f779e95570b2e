{{ config(incremental_strategy='merge', unique_key='id', merge_update_condition='DBT_INTERNAL_SOURCE.amount is not null',
    merge_insert_condition='DBT_INTERNAL_SOURCE.amount > 5', merge_update_set_expressions={'times': 'DBT_INTERNAL_DEST.times + 1'}) }}
select id, part, amount, 0 as times from {{ ref('arrivals') }} where step = {{ var('step') }}
