select * from {{ ref("kept") }} where name is null
