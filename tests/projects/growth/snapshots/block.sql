{% snapshot by_check %}
{{ config(unique_key='id', strategy='check', check_cols=['amount'], target_schema='main') }}
select id, amount, part{% if var('step') > 1 %}, moment as more{% endif %} from {{ ref('arrivals_now') }}
{% endsnapshot %}
