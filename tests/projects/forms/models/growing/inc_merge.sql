{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge', merge_exclude_columns=['first_seen']) }}
select id, amount * {{ 2 if is_incremental() else 1 }} as amount, {{ "'again'" if is_incremental() else "'first'" }} as first_seen from {{ ref('base') }}
{% if is_incremental() %} union all select 9, 9.5, 'new' {% endif %}
