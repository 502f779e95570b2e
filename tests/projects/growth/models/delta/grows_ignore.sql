{{ config(incremental_strategy='append', on_schema_change='ignore') }}
select id, amount{% if var('step') > 1 %}, part as more{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
