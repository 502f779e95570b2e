{% snapshot history %}
{{ config(target_schema="history", unique_key="id", strategy="check", check_cols=["name"]) }}
select * from {{ ref("people") }}
{% endsnapshot %}
