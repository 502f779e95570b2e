{{ config(contract={'enforced': true}, indexes=[{'columns': ['id'], 'unique': true}]) }}
select "amount" as amount, cast("id" as integer) as id, "note" as note from {{ ref('amounts') }}
