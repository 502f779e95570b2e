-- One row a vendor, symbol and day: the newest vintage wins, and what a newer vintage has silently dropped is deleted.
with

prices as (
    select * from {{ ref('price_vintages') }}
),

newest as (
    select *
    from prices
    qualify row_number() over (partition by vendor, symbol, trade_date order by vintage desc) = 1
),

-- which days each vintage of a series claims to cover
coverage as (
    select vendor, symbol, vintage, min(trade_date) as first_date, max(trade_date) as last_date
    from prices
    group by all
),

-- a newer vintage covers the day and does not have it: the vendor has withdrawn the row
-- (a day outside its coverage is only too old for a rolling window, and is kept)
current_rows as (
    select n.*
    from newest as n
    where not exists (
        from coverage as c
        where c.vendor = n.vendor
            and c.symbol = n.symbol
            and c.vintage > n.vintage
            and n.trade_date between c.first_date and c.last_date
    )
),

-- series are never stitched together from two vendors, whose adjustments differ: one vendor is the symbol's primary one
primary_vendor as (
    select symbol, min(priority) as priority
    from current_rows
    group by symbol
)

select
    c.symbol,
    c.trade_date,
    c.vendor,
    c.basis,
    c.priority = p.priority as is_primary,
    c.open, c.high, c.low, c.close, c.volume,
    -- fit for returns: no jump at a split
    {%- if has_market_data() %}
    coalesce(c.adj_close, c.close * f.split_factor, c.close) as adjusted_close,
    {%- else %}
    coalesce(c.adj_close, c.close) as adjusted_close,
    {%- endif %}
    c.vintage
from current_rows as c
join primary_vendor as p using (symbol)
{%- if has_market_data() %}
-- the factor line that ends next after the day
asof left join {{ ref('bronze_reference_factors') }} as f
    on c.symbol = f.symbol and c.trade_date <= f.last_date
{%- endif %}
