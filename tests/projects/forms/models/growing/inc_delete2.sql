{{ config(materialized='incremental', unique_key=['id', 'code'], incremental_strategy='delete+insert', incremental_predicates=['DBT_INCREMENTAL_TARGET.id > 0']) }}
select id, code, amount from {{ ref('base') }}
