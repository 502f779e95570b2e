{{ config(materialized='incremental', on_schema_change='sync_all_columns', incremental_strategy='append') }}
select id{% if is_incremental() %}, amount as extra{% else %}, code as dropped{% endif %} from {{ ref('base') }}
