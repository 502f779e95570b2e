-- Lean's factor files: prices up to and including `last_date` are multiplied by these to be comparable with today's.
select
    upper(regexp_extract(_source_file, '([a-z0-9.]+)\.csv', 1)) as symbol,
    {{ any_date('date') }} as last_date,
    cast(price_factor as double) as price_factor,
    cast(split_factor as double) as split_factor,
    _source_file as source_file
from {{ landed('factor_files', ['date', 'price_factor', 'split_factor', 'reference_price']) }}
