{{ config(format='json') }}
select id, amount from {{ ref('base') }}
