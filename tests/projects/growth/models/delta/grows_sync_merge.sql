{{ config(incremental_strategy='merge', unique_key='id', on_schema_change='sync_all_columns') }}
select id, {% if var('step') == 1 %}amount as gone{% else %}part as come{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
