{{ config(materialized='incremental', on_schema_change='append_new_columns', unique_key='id') }}
select id{% if is_incremental() %}, code as added{% endif %} from {{ ref('base') }}
