{% snapshot snap_check %}
{{ config(target_schema='snaps', unique_key='id', strategy='check', check_cols=['amount']) }}
select id, amount * {{ 2 if load_relation(this) is not none and execute else 1 }} as amount from {{ ref('base') }}
{% endsnapshot %}
