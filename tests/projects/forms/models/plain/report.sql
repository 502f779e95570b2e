-- a comment first
{% set rows = run_query("select distinct flag from " ~ ref('base') ~ " order by 1") if execute else none %}
{% set flags = rows.columns[0].values() if execute else [] %}
with a as (
    select * from {{ ref('inner_two') }}
)
select a.*,
    {% for f in flags %}count(*) filter (where b.flag = {{ f }}) as is_{{ f | lower }}{{ ',' if not loop.last }}{% endfor %}
from a join {{ ref('base') }} b using (id)
group by all
limit {{ var('limit_rows') }}
