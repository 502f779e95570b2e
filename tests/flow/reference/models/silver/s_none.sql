select * from {{ ref('s1') }} where false
