{{ config(format='delta', location=env_var('EXTERNAL_ROOT') ~ 'delta/s_delta', partition_by=['symbol']) }}
select * from {{ ref('s1') }}
