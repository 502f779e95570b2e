-- What the second download of the S&P 500 prices changed in the first, and who is right according to a third vendor.
with

prices as (
    select * from {{ ref('price_vintages') }}
),

changes as (
    select
        old.symbol,
        old.trade_date,
        old.vintage as old_vintage,
        new.vintage as new_vintage,
        old.close as old_close,
        new.close as new_close,
        new.close / old.close as change_ratio
    from prices as old
    join prices as new using (vendor, symbol, trade_date)
    where old.vendor = 'sp500_5yr'
        and old.vintage < new.vintage
        -- the old download is rounded to cents: less than half a cent is no change
        and abs(new.close - old.close) > 0.00501
),

-- one factor over (nearly) all days of a symbol is a split or a spin-off applied to its whole history
rescaled as (
    select symbol, median(change_ratio) as factor
    from changes
    group by symbol
    having count(*) > 250 and quantile_cont(change_ratio, 0.9) / quantile_cont(change_ratio, 0.1) < 1.05
),

-- Other vendors are on another footing (unadjusted, or adjusted for dividends as well), so each is first brought to the
-- level of the new download by the median ratio of the ten sessions on either side.
third as (
    select
        t.symbol, t.trade_date, t.vendor, t.priority,
        t.close * median(n.close / t.close) over (
            partition by t.vendor, t.symbol order by t.trade_date rows between 10 preceding and 10 following
        ) as close
    from prices as t
    join prices as n
        on n.vendor = 'sp500_5yr' and n.symbol = t.symbol and n.trade_date = t.trade_date
        and n.vintage = (select max(vintage) from prices where vendor = 'sp500_5yr')
    where t.vendor <> 'sp500_5yr'
),

judged as (
    select
        c.*,
        r.factor as rescale_factor,
        t.vendor as third_vendor,
        t.close as third_close,
        -- a tenth of a percent, and at least two cents, is "the same price"
        abs(t.close - c.new_close) <= greatest(0.02, 0.001 * c.new_close) as confirms_new
    from changes as c
    left join rescaled as r using (symbol)
    left join third as t using (symbol, trade_date)
    qualify row_number() over (partition by c.symbol, c.trade_date order by t.priority) = 1
)

select
    symbol,
    trade_date,
    old_vintage,
    new_vintage,
    old_close,
    new_close,
    change_ratio,
    third_vendor,
    third_close,
    case
        when rescale_factor is not null then 'split'         -- day by day there is nothing to judge
        when third_close is null then 'unconfirmed'
        when confirms_new then 'agreed'
        else 'disputed'
    end as verdict
from judged
