{{ config(incremental_strategy='delete+insert', unique_key='id', on_schema_change='append_new_columns') }}
select id{% if var('step') == 1 %}, amount{% else %}, part as more{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
