{{ config(severity='error', warn_if='>10') }}
select * from {{ ref('stg_orders') }} where status = 'lost'
