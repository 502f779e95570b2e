select * from {{ source('staging_2', 'table_2') }}
