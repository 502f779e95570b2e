-- Interest rates, continuously compounded, one row a day and maturity. After the Treasury file ends (2020) the Fed's
-- primary credit rate stands in for the whole curve: coarse, but the contracts of those years live for days.
select
    rate_date,
    maturity_years,
    percent,
    2 * ln(1 + percent / 200) as rate,       -- Treasury par yields compound twice a year
    source
from {{ ref('bronze_rates') }}
where source = 'treasury'

union all

select rate_date, 0.25, percent, 2 * ln(1 + percent / 200), source
from {{ ref('bronze_rates') }}
where source = 'primary_credit'
    and rate_date > (select max(rate_date) from {{ ref('bronze_rates') }} where source = 'treasury')
