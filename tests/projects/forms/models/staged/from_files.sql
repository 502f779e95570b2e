select * from {{ source('files', 'letters') }} union all select * from {{ source('files', 'digits') }} union all select * from {{ source('files', 'plain_csv') }}
