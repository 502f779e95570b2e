{% test positive(model, column) %}
select * from {{ model }} where {{ column }} < 0
{% endtest %}
{% test a_test_with_a_long_name(model, some_argument) %}
{{ config(limit=7) }}
select * from {{ model }} where '{{ some_argument }}' = ''
{% endtest %}
