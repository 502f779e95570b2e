{{ config(materialized='ephemeral') }}
with x as (select * from {{ ref('inner_one') }})
select *, '{{ adapter.dispatch("pick")() }}' as picked from x
