-- Option chains: one row a contract and day. Underlying and date are only in the path: universe/aapl/20140609.csv
select
    upper(regexp_extract(_source_file, 'universe/([a-z]+)/', 1)) as underlying,
    {{ any_date("regexp_extract(_source_file, '([0-9]{8})\\.csv', 1)") }} as trade_date,
    {{ any_date('expiry') }} as expiry,
    "right" as call_put,
    cast(strike as double) as strike,
    -- the row that describes the underlying has neither expiry nor strike
    expiry is null as is_underlying,
    cast(open as double) as open,
    cast(high as double) as high,
    cast(low as double) as low,
    cast(close as double) as close,
    cast(cast(volume as double) as bigint) as volume,
    cast(cast(open_interest as double) as bigint) as open_interest,
    cast(implied_volatility as double) as vendor_iv,
    cast(delta as double) as vendor_delta,
    _source_file as source_file
from {{ landed('option_universe', [
    'expiry', 'strike', 'right', 'open', 'high', 'low', 'close', 'volume', 'open_interest', 'implied_volatility', 'delta'
]) }}
