select (now() at time zone 'UTC')::timestamp - interval 20 day as loaded_at, 1 as kind
