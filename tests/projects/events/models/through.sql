select * from {{ ref("between") }}
