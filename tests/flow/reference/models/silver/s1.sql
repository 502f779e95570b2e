select b1.symbol, b1.day, b1.close, b2.name, b2.shares, b1.close * b2.shares as capital
from {{ ref('b1') }} b1 join {{ ref('b2') }} b2 using (symbol)
