-- The primary series as plain Parquet, one folder a year, for tools that know nothing of Delta.
{{ config(
    location=env_var('TARN_LAKE') ~ '/exports/prices_by_year',
    format='parquet',
    options={'partition_by': 'year', 'overwrite_or_ignore': true}
) }}

select symbol, trade_date, vendor, open, high, low, close, adjusted_close, volume, year(trade_date) as year
from {{ ref('silver_prices_daily') }}
where is_primary
