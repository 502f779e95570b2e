{{ config(format='csv', delimiter='|') }}
select id, code from {{ ref('base') }}
