-- ref() names another model: it is built before this one.
select *
from {{ ref('my_first_dbt_model') }}
where id = 1
