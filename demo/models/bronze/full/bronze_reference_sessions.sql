-- New York trading sessions.
select
    cast(session as date) as session_date,
    cast(open_utc as timestamptz) as opens_at,
    cast(close_utc as timestamptz) as closes_at,
    early_close = '1' as is_early_close
from {{ landed('sessions', ['session', 'open_utc', 'close_utc', 'early_close']) }}
