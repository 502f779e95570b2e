-- Every option contract ever listed, its life, and what a split did to it.
--
-- A split replaces contracts: on 2014-06-09 each AAPL 645 call became seven 92.14 calls. Yet the vendor keeps on sending the
-- 645 with its last price and open interest until it expires: it is dead, and counting it would double the market. And
-- the files of the week before already list the 92.14, without a price: it is not listed yet.
-- `contract_key` has the strike after the split in it, so a contract and its successor have the same key.
with

listed as (
    select underlying, expiry, call_put, strike, trade_date
    from {{ ref('bronze_option_chain') }}
    where not is_underlying
    union
    select underlying, expiry, call_put, strike, trade_date
    from {{ ref('bronze_option_quote') }}
),

lives as (
    select
        underlying, expiry, call_put, strike,
        min(trade_date) as first_seen,
        max(trade_date) as last_seen
    from listed
    group by all
),

-- a split in the contract's life, and the contract that it became is listed too
replaced as (
    select
        old.underlying, old.expiry, old.call_put,
        old.strike as old_strike,
        new.strike as new_strike,
        s.effective_date as split_date,
        s.ratio as split_ratio
    from lives as old
    join {{ ref('silver_splits') }} as s
        on s.symbol = old.underlying
        and s.effective_date > old.first_seen
        and s.effective_date <= old.expiry
    join lives as new
        on new.underlying = old.underlying
        and new.expiry = old.expiry
        and new.call_put = old.call_put
        and new.strike = round(old.strike / s.ratio, 2)
)

select
    {{ contract_name('l', 'l.strike') }} as contract_id,
    {{ contract_name('l', 'coalesce(r.new_strike, l.strike)') }} as contract_key,
    l.underlying, l.expiry, l.call_put, l.strike,
    l.first_seen, l.last_seen,
    coalesce(b.split_date, l.first_seen) as listed_since,
    r.split_date as dead_since,
    r.split_ratio,
    r.split_date is not null and l.last_seen >= r.split_date as is_dead
from lives as l
-- as the one that was replaced
left join replaced as r
    on r.underlying = l.underlying and r.expiry = l.expiry and r.call_put = l.call_put and r.old_strike = l.strike
-- as the one that it became
left join replaced as b
    on b.underlying = l.underlying and b.expiry = l.expiry and b.call_put = l.call_put and b.new_strike = l.strike
