select (now() at time zone 'UTC')::timestamp - interval 5 hour as loaded_at, 1 as kind
