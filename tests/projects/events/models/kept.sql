{{ config(materialized="table", tags=["t"], meta={"owner": "me", "n": 1}) }}
{{ log("building " ~ this, info=True) }}
{% do print("a printed line") %}
select * from {{ ref("seen") }}
