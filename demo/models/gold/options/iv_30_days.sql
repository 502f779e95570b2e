-- At-the-money volatility for exactly 30 days: total variance is linear between the expiries on either side. Ephemeral.
{{ config(materialized='ephemeral') }}

with

expiries as (
    select underlying, trade_date, days_to_expiry as days, iv_atm, iv_atm * iv_atm * days_to_expiry as variance
    from {{ ref('gold_iv_surface_daily') }}
    where iv_atm is not null and days_to_expiry >= 5
),

neighbours as (
    select
        underlying, trade_date,
        max(days) filter (days <= 30) as days_before,
        arg_max(variance, days) filter (days <= 30) as variance_before,
        min(days) filter (days > 30) as days_after,
        arg_min(variance, days) filter (days > 30) as variance_after
    from expiries
    group by all
)

select
    underlying, trade_date,
    sqrt((
        variance_before
        + (variance_after - variance_before) * (30 - days_before) / (days_after - days_before)
    ) / 30) as iv
from neighbours
where days_before is not null and days_after is not null
