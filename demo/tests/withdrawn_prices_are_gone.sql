-- Days that the first download had and the second, covering them, has not: the vendor took them back.
{{ config(enabled=env_var('TARN_MARKET_DATA', '') != '') }}

with

withdrawn (symbol, trade_date) as (
    values ('ORCL', date '2013-07-15'), ('DHR', date '2013-04-26'), ('O', date '2014-06-10')
)

select symbol, trade_date
from {{ ref('silver_prices_daily') }}
join withdrawn using (symbol, trade_date)
where vendor = 'sp500_5yr'
