{{ config(incremental_strategy='merge', unique_key='id', on_schema_change='append_new_columns') }}
select id, amount{% if var('step') > 1 %}, part as more{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
