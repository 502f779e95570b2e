{{ config(incremental_strategy='merge', unique_key='id', merge_exclude_columns=['moment'], incremental_predicates=["DBT_INTERNAL_DEST.part = 'a'"]) }}
select id, part, amount, moment from {{ ref('arrivals') }} where step = {{ var('step') }}
