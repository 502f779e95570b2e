{{ config(incremental_strategy='merge', unique_key=['id'], merge_update_columns=['amount']) }}
select id, part || '{{ var('step') }}' as part, amount, moment from {{ ref('arrivals') }} where step = {{ var('step') }}
