-- Stock splits, read out of the factor files: the factor changes after `last_date`, so the split is effective on the next session.
select
    f.symbol,
    s.session_date as effective_date,
    round(f.next_factor / f.split_factor, 4) as ratio
from (
    select
        symbol, last_date, split_factor,
        lead(split_factor) over (partition by symbol order by last_date) as next_factor
    from {{ ref('bronze_reference_factors') }}
) as f
asof join {{ ref('bronze_reference_sessions') }} as s
    on f.last_date < s.session_date
where abs(f.next_factor / f.split_factor - 1) > 0.05
