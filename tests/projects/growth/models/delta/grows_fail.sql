{{ config(incremental_strategy='append', on_schema_change='fail') }}
select id{% if var('step') == 2 %}, amount{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
