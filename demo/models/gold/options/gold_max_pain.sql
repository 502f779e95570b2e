-- Max pain of each expiry: the strike at which the holders of all live options together would be paid least.
with

live as (
    select underlying, trade_date, expiry, strike, call_put, coalesce(open_interest, 0) as open_interest
    from {{ ref('silver_chain_clean') }}
    where status = 'live'
        and chain_spot is not null          -- a day with quotes of single contracts only is no chain
),

strikes as (
    select
        underlying, trade_date, expiry, strike,
        coalesce(sum(open_interest) filter (call_put = 'C'), 0) as calls,
        coalesce(sum(open_interest) filter (call_put = 'P'), 0) as puts
    from live
    group by all
),

pain as (
    select
        s.underlying, s.trade_date, s.expiry, s.strike,
        round(sum(o.calls * greatest(s.strike - o.strike, 0) + o.puts * greatest(o.strike - s.strike, 0)), 2) as paid
    from strikes as s
    join strikes as o using (underlying, trade_date, expiry)
    group by all
)

select
    underlying, trade_date, expiry,
    -- of two strikes that pay the same, the lower
    arg_min(strike, (paid, strike)) as max_pain,
    min(paid) * 100 as paid_at_max_pain,
    count(*) as strikes
from pain
group by all
having max(paid) > 0
