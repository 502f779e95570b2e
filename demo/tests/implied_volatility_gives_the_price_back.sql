-- The price at the volatility we found is the price we started from.
{{ config(enabled=env_var('TARN_MARKET_DATA', '') != '') }}

with

priced as (
    select
        contract_id, trade_date, mid,
        {{ bs_price('call_put', 'spot', 'strike', '(days_to_expiry / 365.0)', 'rate', 'iv',
                    bs_d1('spot', 'strike', '(days_to_expiry / 365.0)', 'rate', 'iv')) }} as price
    from {{ ref('silver_chain_clean') }}
    where iv is not null
)

select * from priced where abs(price - mid) > 0.000001
