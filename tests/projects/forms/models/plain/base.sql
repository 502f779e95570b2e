{{ config(materialized='view', pre_hook="insert into main.audit values ('pre {{ this.name }}')",
    post_hook=["insert into main.audit values ('post')", {"sql": "insert into main.audit values ('outside')", "transaction": false}]) }}
select "id" as id, "code" as code, "amount" as amount, "day" as day, "flag" as flag from {{ ref('amounts') }}
