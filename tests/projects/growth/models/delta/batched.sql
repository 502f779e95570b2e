{{ config(incremental_strategy='microbatch', event_time='moment', batch_size='day', begin='2024-01-01', concurrent_batches=false) }}
select id, part, amount, moment, {{ var('step') }} as step,
  case when {{ var('bad', 0) }} = 1 and moment >= timestamp '2024-01-03' and moment < timestamp '2024-01-04' then error('a bad batch')::int end as bad
from {{ ref('arrivals') }} where step = {{ var('step') }}
