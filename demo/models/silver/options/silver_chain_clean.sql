-- The option chain, cleaned: mid price, spread, quality flags, and our own implied volatility and delta.
{{ config(partition_by=['trade_date']) }}

with recursive

-- chain and quote files complete each other: on 2014-06-06 the chain file is a shell, and only the quotes have prices
quoted as (
    select
        underlying, expiry, call_put, strike, trade_date,
        q.bid, q.ask,
        coalesce((q.bid + q.ask) / 2, nullif(c.close, 0)) as mid,
        if(q.bid is not null, 'quote', if(c.close > 0, 'bar', null)) as price_source,
        coalesce(c.volume, q.volume, 0) as volume,
        coalesce(c.open_interest, q.open_interest) as open_interest,
        c.vendor_iv, c.vendor_delta
    from (from {{ ref('bronze_option_chain') }} where not is_underlying) as c
    full join {{ ref('bronze_option_quote') }} as q using (underlying, expiry, call_put, strike, trade_date)
),

contracts as (
    select
        q.*,
        k.contract_id, k.contract_key,
        case
            when q.trade_date >= k.dead_since then 'dead'
            when q.trade_date < k.listed_since then 'not_listed'
            when q.trade_date > q.expiry then 'expired'
            else 'live'
        end as status,
        -- contracts counted as after the split, so that open interest is comparable over it
        if(q.trade_date < k.dead_since, k.split_ratio, 1) as contract_multiple,
        datediff('day', q.trade_date, q.expiry) as days_to_expiry,
        datediff('day', q.trade_date, q.expiry) / 365.0 as years
    from quoted as q
    join {{ ref('silver_contracts') }} as k using (underlying, expiry, call_put, strike)
),

-- the rate for each maturity, from the last curve on or before the day
maturities as (
    select m.trade_date, m.expiry, s.rate + s.slope * greatest(m.years - s.maturity_years, 0) as rate
    from (select distinct trade_date, expiry, years from contracts) as m
    asof join (select distinct rate_date from {{ ref('silver_rates') }}) as d
        on m.trade_date >= d.rate_date
    join {{ ref('rate_segments') }} as s
        on s.rate_date = d.rate_date and m.years >= s.from_years and m.years < s.to_years
),

-- The underlying's price. The chain's own row is often stale (AAPL shows 93.77 on four days running), so: the vendor that
-- prints unadjusted closes, else what put-call parity says near the money, else the chain.
parity as (
    select c.underlying, c.trade_date, median(c.mid - p.mid + c.strike * exp(-m.rate * c.years)) as spot
    from contracts as c
    join contracts as p using (underlying, trade_date, expiry, strike)
    join maturities as m using (trade_date, expiry)
    join {{ ref('bronze_option_chain') }} as u
        on u.is_underlying and u.underlying = c.underlying and u.trade_date = c.trade_date
    where c.call_put = 'C' and p.call_put = 'P'
        and c.status = 'live' and p.status = 'live'
        and c.days_to_expiry between 1 and 90
        and abs(c.strike / u.close - 1) < 0.1
    group by all
    having count(*) >= 5
),

spots as (
    select
        d.underlying, d.trade_date,
        coalesce(v.close, p.spot, u.close) as spot,
        if(v.close is not null, 'vendor', if(p.spot is not null, 'parity', 'chain')) as spot_source,
        u.close as chain_spot
    from (select distinct underlying, trade_date from contracts) as d
    left join {{ ref('silver_prices_daily') }} as v
        on v.vendor = 'lean' and v.symbol = d.underlying and v.trade_date = d.trade_date
    left join parity as p on p.underlying = d.underlying and p.trade_date = d.trade_date
    left join {{ ref('bronze_option_chain') }} as u
        on u.is_underlying and u.underlying = d.underlying and u.trade_date = d.trade_date
),

chain as (
    select c.*, s.spot, s.spot_source, s.chain_spot, m.rate,
        -- what exercise is worth, discounted: no volatility explains a price below it
        greatest(if(c.call_put = 'C', 1, -1) * (s.spot - c.strike * exp(-m.rate * c.years)), 0) as floor_price
    from contracts as c
    left join spots as s using (underlying, trade_date)
    left join maturities as m using (trade_date, expiry)
),

-- Bisection: the price rises with volatility, so each step halves the bracket around the one that gives the mid price.
-- All contracts take their step together; {{ var('iv_steps') }} rounds over some ten thousand rows are vector work.
bisection as (
    select
        contract_id, trade_date, call_put, spot, strike, years, rate, mid,
        cast({{ var('iv_low') }} as double) as low_vol,
        cast({{ var('iv_high') }} as double) as high_vol,
        0 as step
    from chain
    where status = 'live' and mid > floor_price and years > 0

    union all

    select
        contract_id, trade_date, call_put, spot, strike, years, rate, mid,
        if({{ bs_price('call_put', 'spot', 'strike', 'years', 'rate', 'vol', 'd1') }} < mid, vol, low_vol),
        if({{ bs_price('call_put', 'spot', 'strike', 'years', 'rate', 'vol', 'd1') }} < mid, high_vol, vol),
        step + 1
    from (
        select *, (low_vol + high_vol) / 2 as vol,
            {{ bs_d1('spot', 'strike', 'years', 'rate', '((low_vol + high_vol) / 2)') }} as d1
        from bisection
        where step < {{ var('iv_steps') }}
    )
),

solved as (
    select
        contract_id, trade_date,
        (low_vol + high_vol) / 2 as iv,
        {{ bs_delta('call_put', bs_d1('spot', 'strike', 'years', 'rate', '((low_vol + high_vol) / 2)')) }} as delta
    from bisection
    where step = {{ var('iv_steps') }}
        -- a bracket that never moved at one end has no solution in it
        and low_vol > {{ var('iv_low') }} and high_vol < {{ var('iv_high') }}
)

select
    c.contract_id, c.contract_key,
    c.underlying, c.trade_date, c.expiry, c.call_put, c.strike, c.days_to_expiry,
    c.bid, c.ask, c.mid, c.price_source,
    c.ask - c.bid as spread,
    (c.ask - c.bid) / nullif(c.mid, 0) as relative_spread,
    c.volume, c.open_interest,
    c.open_interest * c.contract_multiple as open_interest_adjusted,
    c.spot, c.spot_source, c.chain_spot, c.rate,
    s.iv, s.delta, c.vendor_iv, c.vendor_delta,
    c.status,
    concat_ws(',',
        case when c.status <> 'live' then c.status end,
        case when c.mid is null then 'no_price' end,
        case when c.bid > c.ask then 'crossed' end,
        case when c.bid = 0 then 'no_bid' end,
        case when (c.ask - c.bid) / nullif(c.mid, 0) > 0.5 then 'wide' end,
        case when c.mid <= c.floor_price then 'below_floor' end,
        case when abs(c.chain_spot / c.spot - 1) > 0.01 then 'stale_chain_spot' end
    ) as flags,
    -- fit for a volatility surface
    s.iv is not null and c.bid is distinct from 0 and coalesce(c.bid <= c.ask, true)
        and coalesce((c.ask - c.bid) / nullif(c.mid, 0) <= 0.5, true) as is_usable
from chain as c
left join solved as s using (contract_id, trade_date)
