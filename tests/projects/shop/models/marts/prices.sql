select * from {{ source('landing', 'prices') }}
