-- Every daily price of every vendor, typed and in dollars, nothing decided yet: vintages and vendors stand side by side.
with

index_prices as (
    select
        'index' as vendor,
        -- sp500.csv.gz, sp500_1999-2018.csv.gz, nasdaq.csv.gz
        regexp_extract(_source_file, '([a-z]+[0-9]*)[^/]*$', 1) as vendor_symbol,
        {{ any_date('date') }} as trade_date,
        open, high, low, close, adj_close, volume, _source_file
    from {{ landed('index_prices', ['date', 'open', 'high', 'low', 'close', 'adj_close', 'volume']) }}
),

wiki as (
    select
        'wiki' as vendor,
        ticker as vendor_symbol,
        {{ any_date('date') }} as trade_date,
        open, high, low, close, adj_close, volume, _source_file
    from {{ landed('prices_wiki', ['ticker', 'date', 'open', 'high', 'low', 'close', 'adj_close', 'volume']) }}
),

-- wide to long: each column but the date is a ticker
closes as (
    select
        'closes' as vendor,
        upper(vendor_symbol) as vendor_symbol,
        {{ any_date('date') }} as trade_date,
        close, close as adj_close, _source_file
    from (
        unpivot (select * exclude (_loaded_at) from {{ source('landing', 'prices_closes') }})
        on columns(* exclude (date, _source_file))
        into name vendor_symbol value close
    )
),

{% if has_market_data() %}
sp500_5yr as (
    select
        'sp500_5yr' as vendor,
        name as vendor_symbol,
        {{ any_date('date') }} as trade_date,
        open, high, low, close, close as adj_close, volume, _source_file
    from {{ landed('prices_sp500_5yr', ['date', 'open', 'high', 'low', 'close', 'volume', 'name']) }}
),

-- prices are dollars x 10,000 and the ticker is the zip's name
lean as (
    select
        'lean' as vendor,
        upper(regexp_extract(_source_file, '([a-z]+)\.zip', 1)) as vendor_symbol,
        {{ any_date('time') }} as trade_date,
        cast(open as double) / 10000 as open,
        cast(high as double) / 10000 as high,
        cast(low as double) / 10000 as low,
        cast(close as double) / 10000 as close,
        volume, _source_file
    from {{ landed('prices_lean', ['time', 'open', 'high', 'low', 'close', 'volume']) }}
),

hello_world as (
    select
        'hello_world' as vendor,
        stock as vendor_symbol,
        {{ any_date('date') }} as trade_date,
        open, high, low, close, adjclose as adj_close, volume, _source_file
    from {{ landed('prices_hello_world', ['date', 'open', 'high', 'low', 'close', 'volume', 'adjclose', 'stock']) }}
),

-- the date is the file's name
coarse as (
    select
        'coarse' as vendor,
        ticker as vendor_symbol,
        {{ any_date("regexp_extract(_source_file, '([0-9]{8})\\.csv', 1)") }} as trade_date,
        close, volume,
        _source_file
    from {{ landed('prices_coarse', ['ticker', 'close', 'volume', 'split_factor']) }}
),
{% endif %}

all_vendors as (
    select * from index_prices
    union all by name select * from wiki
    union all by name select * from closes
    {%- if has_market_data() %}
    union all by name select * from sp500_5yr
    union all by name select * from lean
    union all by name select * from hello_world
    union all by name select * from coarse
    {%- endif %}
)

select
    vendor,
    vendor_symbol,
    trade_date,
    -- a file without a vintage in its path is as old as its last row
    coalesce({{ path_date('vintage') }}, max(trade_date) over (partition by vendor)) as vintage,
    cast(open as double) as open,
    cast(high as double) as high,
    cast(low as double) as low,
    cast(close as double) as close,
    cast(adj_close as double) as adj_close,
    cast(cast(volume as double) as bigint) as volume,
    _source_file as source_file
from all_vendors
where close is not null
