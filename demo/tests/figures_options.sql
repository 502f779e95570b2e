-- AAPL around its 7:1 split, counted over live contracts. With the dead ones in, none of these comes out.
{{ config(enabled=env_var('TARN_MARKET_DATA', '') != '') }}

with

expected (trade_date, figure, value) as (
    values
        (date '2014-06-09', 'put/call by open interest', 0.6571),
        (date '2014-06-09', 'max pain of 2014-06-21', 85.71),
        (date '2014-06-10', 'max pain of 2014-06-21', 86.43),
        (date '2014-06-11', 'max pain of 2014-06-21', 86.43),
        (date '2014-06-12', 'max pain of 2014-06-21', 86.43),
        (date '2014-06-13', 'max pain of 2014-06-21', 86.43),
        (date '2014-06-16', 'max pain of 2014-06-21', 87.14)
),

found as (
    select trade_date, 'put/call by open interest' as figure, put_call_open_interest as value
    from {{ ref('gold_flow_daily') }}
    where underlying = 'AAPL'
    union all
    select trade_date, 'max pain of 2014-06-21', max_pain
    from {{ ref('gold_max_pain') }}
    where underlying = 'AAPL' and expiry = '2014-06-21'
)

select e.*, f.value as found
from expected as e
left join found as f using (trade_date, figure)
where abs(f.value - e.value) > 0.00005 or f.value is null
