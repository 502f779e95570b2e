-- Index membership as a slowly changing dimension (type 2): one row for each stretch of downloads in which a symbol had
-- the same company name and sector. valid_to is exclusive, NULL while the row is current.
with

downloads as (
    select as_of, row_number() over (order by as_of) as download_no, lead(as_of) over (order by as_of) as next_as_of
    from (select distinct as_of from {{ ref('bronze_reference_constituents') }})
),

members as (
    select b.symbol, b.company, b.sector, d.as_of, d.download_no, d.next_as_of
    from {{ ref('bronze_reference_constituents') }} as b
    join downloads as d using (as_of)
    qualify row_number() over (partition by b.symbol, b.as_of order by b.company) = 1
),

-- within an unbroken stretch, download number minus row number is constant: the classic gaps and islands
islands as (
    select
        *,
        download_no - row_number() over (partition by symbol, company, sector order by download_no) as island
    from members
)

select
    symbol,
    company,
    sector,
    min(as_of) as valid_from,
    if(max(as_of) = (select max(as_of) from downloads), null, max(next_as_of)) as valid_to,
    max(as_of) = (select max(as_of) from downloads) as is_current,
    count(*) as downloads
from islands
group by symbol, company, sector, island
