select * from {{ source('staging', 'table_1') }}
