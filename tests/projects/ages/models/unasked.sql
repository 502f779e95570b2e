select (now() at time zone 'UTC')::timestamp - interval 1 day as loaded_at, 1 as kind
