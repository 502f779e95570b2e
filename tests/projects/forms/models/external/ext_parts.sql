{{ config(options={'partition_by': 'flag, id', 'overwrite_or_ignore': true}) }}
select * from {{ ref('base') }}
