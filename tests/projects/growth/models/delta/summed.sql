{{ config(incremental_strategy='merge', unique_key='part', on_schema_change='sync_all_columns') }}
select coalesce(part, '?') as part, sum(id) as ids, count(*) as n, avg(amount) as mean from {{ ref('arrivals') }} group by all
