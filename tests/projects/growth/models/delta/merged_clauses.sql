{{ config(incremental_strategy='merge', merge_on_using_columns=['id'], merge_clauses={
    'when_matched': [
      {'action': 'delete', 'condition': 'DBT_INTERNAL_SOURCE.amount is null'},
      {'action': 'update', 'mode': 'explicit', 'update': {'include': ['amount'], 'set_expressions': {'note': "'again'"}}}],
    'when_not_matched': [
      {'action': 'do_nothing', 'condition': 'DBT_INTERNAL_SOURCE.id is null'},
      {'action': 'insert', 'mode': 'explicit', 'insert': {'columns': ['id', 'amount', 'note'], 'values': ['DBT_INTERNAL_SOURCE.id', 'DBT_INTERNAL_SOURCE.amount', "'new'"]}},
      {'action': 'update', 'by': 'source', 'set_expressions': {'note': "'old'"}}]}) }}
select id, amount, cast(null as varchar) as note from {{ ref('arrivals') }} where step = {{ var('step') }}
