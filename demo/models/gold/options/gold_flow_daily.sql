-- Positioning of each underlying: put/call ratios, max pain of the front expiry, change of open interest. Live contracts only.
with

live as (
    select
        *,
        -- Against the contract's own last session, by split-aware key and in contracts of after the split: on 2014-06-09
        -- the 92.14 call is compared with what the 645 call was worth. More than a long weekend apart is no comparison.
        if(trade_date - lag(trade_date) over contract <= 5,
            open_interest_adjusted - lag(open_interest_adjusted) over contract, null) as open_interest_change
    from {{ ref('silver_chain_clean') }}
    where status = 'live'
    window contract as (partition by contract_key order by trade_date)
),

days as (
    select
        underlying, trade_date,
        any_value(spot) as spot,
        count(*) as contracts,
        cast(sum(open_interest) filter (call_put = 'C') as bigint) as call_open_interest,
        cast(sum(open_interest) filter (call_put = 'P') as bigint) as put_open_interest,
        cast(sum(volume) filter (call_put = 'C') as bigint) as call_volume,
        cast(sum(volume) filter (call_put = 'P') as bigint) as put_volume,
        sum(open_interest_adjusted) as open_interest_adjusted,
        sum(open_interest_change) as open_interest_change
    from live
    where chain_spot is not null            -- a day with quotes of single contracts only is no chain
    group by all
),

front as (
    select underlying, trade_date, min(expiry) as front_expiry, arg_min(max_pain, expiry) as front_max_pain
    from {{ ref('gold_max_pain') }}
    where expiry >= trade_date
    group by all
)

select
    d.underlying, d.trade_date, d.spot, d.contracts,
    d.call_open_interest, d.put_open_interest,
    d.put_open_interest / nullif(d.call_open_interest, 0) as put_call_open_interest,
    d.call_volume, d.put_volume,
    d.put_volume / nullif(d.call_volume, 0) as put_call_volume,
    d.open_interest_adjusted, d.open_interest_change,
    f.front_expiry, f.front_max_pain,
    f.front_max_pain / d.spot - 1 as max_pain_distance
from days as d
left join front as f using (underlying, trade_date)
