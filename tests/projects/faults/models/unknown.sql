{{ config(materialized='no_such_thing') }} select 1
