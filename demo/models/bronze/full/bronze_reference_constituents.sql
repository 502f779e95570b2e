-- Who was in the S&P 500, as each download said. The company's name was called Name, then Security, for two days Company.
select
    {{ path_date('asof') }} as as_of,
    -- BRK.B, BRK-B: one spelling
    replace(trim(symbol), '-', '.') as symbol,
    trim(coalesce(name, security, company)) as company,
    trim(coalesce(sector, gics_sector)) as sector,
    _source_file as source_file
from {{ landed('constituents', ['symbol', 'name', 'security', 'company', 'sector', 'gics_sector']) }}
