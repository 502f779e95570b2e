-- The volatility index, all downloads. Headers drifted (VIXOpen -> OPEN; the packaged file has just "vix"), and so did
-- the dates (2014-06-20, 06/20/2014, 2014-06-20 again).
select
    {{ any_date('date') }} as trade_date,
    coalesce({{ path_date('vintage') }}, max({{ any_date('date') }}) over ()) as vintage,
    cast(coalesce(open, vixopen) as double) as open,
    cast(coalesce(high, vixhigh) as double) as high,
    cast(coalesce(low, vixlow) as double) as low,
    -- a lone point is a day without a value
    cast(nullif(coalesce(close, vixclose, vix), '.') as double) as close,
    _source_file as source_file
from {{ landed('vix', ['date', 'open', 'high', 'low', 'close', 'vixopen', 'vixhigh', 'vixlow', 'vixclose', 'vix']) }}
