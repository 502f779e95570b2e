{# What has arrived by step: rows change, come twice, go, and get new columns. #}
{{ config(materialized='table', event_time='moment') }}
select id, part, amount, moment, step from (values
  (1, 'a', 1.50, timestamp '2024-01-01 10:00:00', 1),
  (2, 'a', 2.50, timestamp '2024-01-01 11:00:00', 1),
  (3, 'b', 3.50, timestamp '2024-01-02 10:00:00', 1),
  (4, null, 4.50, timestamp '2024-01-02 12:00:00', 1),
  (2, 'a', 20.00, timestamp '2024-01-03 09:00:00', 2),
  (5, 'c', 5.00, timestamp '2024-01-03 10:00:00', 2),
  (3, 'b', null, timestamp '2024-01-04 10:00:00', 3),
  (6, 'a', 6.00, timestamp '2024-01-04 11:00:00', 3),
  (null, 'd', 7.00, timestamp '2024-01-04 12:00:00', 3)
) as v(id, part, amount, moment, step)
where step <= {{ var('step') }}
