{{ config(options={'partition_by': 'symbol', 'overwrite_or_ignore': true}) }}
select symbol, day, close from {{ source('staging', 'table_1') }}
