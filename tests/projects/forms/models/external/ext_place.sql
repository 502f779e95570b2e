{{ config(location="out/named_{{ target.name }}.parquet", options={'compression': 'zstd', 'row_group_size': 100000}) }}
select * from {{ ref('ext_parquet') }}
