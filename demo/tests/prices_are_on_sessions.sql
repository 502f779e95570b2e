-- No vendor has a price on a day on which New York was closed.
{{ config(enabled=env_var('TARN_MARKET_DATA', '') != '') }}

select p.vendor, p.symbol, p.trade_date
from {{ ref('silver_prices_daily') }} as p
anti join {{ ref('bronze_reference_sessions') }} as s on s.session_date = p.trade_date
