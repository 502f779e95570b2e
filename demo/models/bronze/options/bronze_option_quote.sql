-- Daily quotes, trades and open interest of single contracts, put together. The terms of a contract are in the name of
-- its zip member: ..zip::aapl_quote_american_call_857100_20140621.csv is the AAPL call struck at 85.71. Prices are x 10,000.
{%- set terms %}
        upper(regexp_extract(_source_file, '::([a-z]+)_', 1)) as underlying,
        if(_source_file like '%\_call\_%' escape '\', 'C', 'P') as call_put,
        cast(regexp_extract(_source_file, '_([0-9]+)_[0-9]{8}\.csv', 1) as double) / 10000 as strike,
        {{ any_date("regexp_extract(_source_file, '_([0-9]{8})\\.csv', 1)") }} as expiry,
        {{ any_date('time') }} as trade_date
{%- endset %}

with

quotes as (
    select
        {{- terms }},
        cast(bid_close as double) / 10000 as bid,
        cast(ask_close as double) / 10000 as ask,
        cast(bid_size as bigint) as bid_size,
        cast(ask_size as bigint) as ask_size
    from {{ landed('option_quotes', ['time', 'bid_close', 'bid_size', 'ask_close', 'ask_size']) }}
),

trades as (
    select
        {{- terms }},
        cast(close as double) / 10000 as last_trade,
        cast(volume as bigint) as volume
    from {{ landed('option_trades', ['time', 'close', 'volume']) }}
),

open_interest as (
    select
        {{- terms }},
        cast(open_interest as bigint) as open_interest
    from {{ landed('option_open_interest', ['time', 'open_interest']) }}
)

select
    underlying, expiry, call_put, strike, trade_date,
    bid, ask, bid_size, ask_size, last_trade, volume, open_interest
from quotes
full join trades using (underlying, expiry, call_put, strike, trade_date)
full join open_interest using (underlying, expiry, call_put, strike, trade_date)
