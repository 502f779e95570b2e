-- Figures worked out outside of SQL (demo/check_figures.py does it again from the raw files).
with

expected (symbol, trade_date, figure, value) as (
    values
    {%- if has_market_data() %}
        ('SPX', date '2014-06-16', 'iv_rank', 0.1793),
        ('SPX', date '2014-06-16', 'iv_percentile', 0.1587),
        ('SPX', date '2020-03-16', 'iv_rank', 1.0),
        ('SPX', date '2020-03-16', 'iv_percentile', 0.9960),
        ('AAPL', date '2014-06-16', 'rv_20', 0.157677)
    {%- else %}
        ('SPX', date '2018-12-24', 'iv_rank', 0.9556),
        ('SPX', date '2018-12-24', 'iv_percentile', 0.9921),
        ('AAPL', date '2013-03-01', 'rv_20', 0.276429)
    {%- endif %}
),

found as (
    unpivot (
        select symbol, trade_date, iv_rank, iv_percentile
        from {{ ref('gold_iv_rank') }}
        where measure = 'VIX'
    ) on iv_rank, iv_percentile into name figure value value
    union all
    select symbol, trade_date, 'rv_20', rv_20 from {{ ref('gold_rv_vs_iv') }}
)

select e.*, f.value as found
from expected as e
left join found as f using (symbol, trade_date, figure)
where abs(f.value - e.value) > 0.0001 * if(e.figure = 'rv_20', 0.01, 0.5) or f.value is null
