select cast('{{ var("first_day") }}' as date) + n as day
from range(0, {{ var("days") }}) t(n)
