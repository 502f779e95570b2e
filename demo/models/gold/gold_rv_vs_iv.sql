-- What volatility was (realised, 10/20/60 sessions and Parkinson's from the day's range) against what options say it will be.
with

returns as (
    select
        symbol, trade_date, vendor, adjusted_close,
        ln(adjusted_close / lag(adjusted_close) over series) as log_return,
        -- high over low needs no adjustment: a split scales both
        if(high >= low and low > 0, ln(high / low) ** 2, null) as squared_range
    from {{ ref('silver_prices_daily') }}
    where is_primary and adjusted_close > 0
    window series as (partition by symbol order by trade_date)
),

realised as (
    select
        symbol, trade_date, vendor, adjusted_close
        {%- for days in [10, 20, 60] %},
        -- the sample deviation of the last {{ days }} log returns, a year having {{ var('trading_days_per_year') }} sessions
        if(count(log_return) over last_{{ days }} = {{ days }},
            stddev_samp(log_return) over last_{{ days }} * sqrt({{ var('trading_days_per_year') }}), null) as rv_{{ days }}
        {%- endfor %},
        if(count(squared_range) over last_20 = 20,
            sqrt(avg(squared_range) over last_20 / (4 * ln(2)) * {{ var('trading_days_per_year') }}), null) as parkinson_20
    from returns
    window
        {%- for days in [10, 20, 60] %}
        last_{{ days }} as (partition by symbol order by trade_date rows between {{ days - 1 }} preceding and current row)
        {{- "," if not loop.last }}
        {%- endfor %}
)

select
    r.symbol, r.trade_date, r.vendor,
    r.adjusted_close, r.rv_10, r.rv_20, r.rv_60, r.parkinson_20,
    i.iv, i.measure as iv_measure,
    i.iv - r.rv_20 as iv_premium
from realised as r
left join {{ ref('gold_iv_rank') }} as i using (symbol, trade_date)
where r.rv_10 is not null
