select (now() at time zone 'UTC')::timestamp - interval 1 hour as loaded_at, 1 as kind
