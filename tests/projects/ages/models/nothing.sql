select null::timestamp as loaded_at limit 0
