select (now() at time zone 'UTC')::timestamp - interval 2 day as loaded_at, 1 as kind
