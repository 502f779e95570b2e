-- Calls worth selling against shares: out of the money, two to ten weeks, liquid, ranked by yearly premium within each day.
with

calls as (
    select
        c.underlying, c.trade_date, c.contract_id, c.expiry, c.strike, c.days_to_expiry, c.spot,
        -- the seller gets the bid; where only a bar is known, its close
        coalesce(c.bid, c.mid) as premium,
        c.relative_spread, c.volume, c.open_interest, c.iv, c.delta
    from {{ ref('silver_chain_clean') }} as c
    where c.is_usable
        and c.call_put = 'C'
        and c.days_to_expiry between 14 and 70
        and c.delta between 0.10 and 0.45
        and coalesce(c.open_interest, 0) >= 100
)

select
    c.underlying, c.trade_date, c.contract_id, c.expiry, c.strike, c.days_to_expiry, c.spot,
    c.premium, c.volume, c.open_interest, c.iv, c.delta,
    c.premium / c.spot * 365 / c.days_to_expiry as yearly_premium,
    (c.premium + c.strike - c.spot) / c.spot as return_if_called,
    c.spot - c.premium as break_even,
    c.premium / c.spot as protection,
    1 - c.delta as chance_to_keep_shares,
    c.iv - r.rv_20 as iv_premium,
    row_number() over (
        partition by c.underlying, c.trade_date order by c.premium / c.spot / c.days_to_expiry desc, c.contract_id
    ) as place
from calls as c
left join {{ ref('gold_rv_vs_iv') }} as r
    on r.symbol = c.underlying and r.trade_date = c.trade_date
where c.premium > 0
