{{ config(incremental_strategy='append', on_schema_change='sync_all_columns') }}
select id, {% if var('step') == 1 %}amount as gone{% elif var('step') == 2 %}part as come, 7 as kind{% else %}part as come, 7 as kind{% endif %} from {{ ref('arrivals') }} where step = {{ var('step') }}
