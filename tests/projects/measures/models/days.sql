select d::date as day from range(timestamp '2025-01-01', timestamp '2025-01-31', interval 1 day) t(d)
