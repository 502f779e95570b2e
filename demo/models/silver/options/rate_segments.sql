-- The yield curve as straight pieces, so that a rate for any maturity is one join away; flat before the first maturity and
-- after the last. Ephemeral.
{{ config(materialized='ephemeral') }}

select
    rate_date,
    if(row_number() over curve = 1, 0, maturity_years) as from_years,
    coalesce(lead(maturity_years) over curve, 1000) as to_years,
    maturity_years,
    rate,
    coalesce((lead(rate) over curve - rate) / (lead(maturity_years) over curve - maturity_years), 0) as slope
from {{ ref('silver_rates') }}
window curve as (partition by rate_date order by maturity_years)
