-- The VIX: newest vintage of each day, and whether vendors ever changed their mind about it.
select
    trade_date,
    arg_max(open, vintage) as open,
    arg_max(high, vintage) as high,
    arg_max(low, vintage) as low,
    arg_max(close, vintage) as close,
    max(vintage) as vintage,
    min(vintage) as first_vintage,
    count(distinct round(close, 2)) > 1 as was_restated
from {{ ref('bronze_vix') }}
where close is not null
group by trade_date
