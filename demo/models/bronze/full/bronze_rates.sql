-- Interest rates in percent, long form: the Treasury par curve (one row a maturity) and the Fed's primary credit rate.
with

curve as (
    unpivot (select * exclude (_source_file, _loaded_at) from {{ source('landing', 'treasury_curve') }})
    on columns(* exclude (date))
    into name maturity value percent
),

credit as (
    select date, pcredit8 as percent
    from {{ landed('credit_rate', ['date', 'pcredit8']) }}
)

select
    'treasury' as source,
    {{ any_date('date') }} as rate_date,
    -- _3m, _10y: names that begin with a digit got an underscore at landing
    cast(regexp_extract(maturity, '([0-9]+)', 1) as double) / if(maturity ilike '%m', 12, 1) as maturity_years,
    cast(percent as double) as percent
from curve
where percent <> ''

union all

select 'primary_credit', {{ any_date('date') }}, cast(null as double), cast(percent as double)
from credit
