-- How high is implied volatility against its own last year? Rank: where in the range; percentile: share of days below.
with

implied as (
    select 'SPX' as symbol, 'VIX' as measure, trade_date, close / 100 as iv
    from {{ ref('silver_vix') }}
    {%- if has_market_data() %}
    union all
    select underlying, 'at the money, 30 days', trade_date, iv
    from {{ ref('iv_30_days') }}
    {%- endif %}
),

windows as (
    select
        symbol, measure, trade_date, iv,
        count(*) over last_year as sessions,
        min(iv) over last_year as low,
        max(iv) over last_year as high,
        list(iv) over last_year as past
    from implied
    window last_year as (
        partition by symbol, measure order by trade_date
        rows between {{ var('iv_rank_window') - 1 }} preceding and current row
    )
)

select
    symbol, measure, trade_date, iv, low, high, sessions,
    (iv - low) / nullif(high - low, 0) as iv_rank,
    -- strictly below today, today being one of the days
    len(list_filter(past, lambda earlier: earlier < iv)) / sessions as iv_percentile,
    sessions = {{ var('iv_rank_window') }} as is_full_window
from windows
