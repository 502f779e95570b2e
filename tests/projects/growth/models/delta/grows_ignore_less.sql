{{ config(incremental_strategy='delete+insert', unique_key='id', on_schema_change='ignore') }}
select id{% if var('step') < 3 %}, amount{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
