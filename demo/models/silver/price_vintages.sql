-- Bronze prices under our own symbols, with what the vendors seed knows of each vendor. Ephemeral: it becomes a CTE of
-- the models that read it and is never stored.
{{ config(materialized='ephemeral') }}

select
    coalesce(vs.symbol, p.vendor_symbol) as symbol,
    p.trade_date,
    p.vendor,
    v.priority,
    v.basis,
    p.vintage,
    p.open, p.high, p.low, p.close, p.adj_close, p.volume
from {{ ref('bronze_prices') }} as p
join {{ ref('vendors') }} as v using (vendor)
left join {{ ref('vendor_symbols') }} as vs using (vendor, vendor_symbol)
