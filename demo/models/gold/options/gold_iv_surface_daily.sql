-- The volatility surface: a row an expiry, columns by delta. Puts make the left wing, calls the right one (both out of the
-- money, where they are liquid); each point is the contract whose delta is nearest, if it is near at all.
with

usable as (
    select underlying, trade_date, expiry, days_to_expiry, spot, call_put, strike, iv, delta
    from {{ ref('silver_chain_clean') }}
    where is_usable
),

{%- set points = [('iv_put_10', 'P', -0.10), ('iv_put_25', 'P', -0.25), ('iv_put_50', 'P', -0.50),
                  ('iv_call_50', 'C', 0.50), ('iv_call_25', 'C', 0.25), ('iv_call_10', 'C', 0.10)] %}

smiles as (
    select
        underlying, trade_date, expiry, days_to_expiry,
        any_value(spot) as spot,
        count(*) as contracts
        {%- for name, side, delta in points %},
        arg_min(iv, abs(delta - {{ delta }}))
            filter (call_put = '{{ side }}' and abs(delta - {{ delta }}) < 0.08) as {{ name }}
        {%- endfor %}
    from usable
    group by all
    having count(*) >= 5        -- fewer contracts are no smile
)

select
    underlying, trade_date, expiry, days_to_expiry, spot, contracts,
    iv_put_10, iv_put_25,
    (coalesce(iv_put_50, iv_call_50) + coalesce(iv_call_50, iv_put_50)) / 2 as iv_atm,
    iv_call_25, iv_call_10,
    iv_put_25 - iv_call_25 as skew_25
from smiles
