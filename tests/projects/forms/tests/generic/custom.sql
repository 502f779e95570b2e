{% test positive(model, column_name, more_than=0) %}
select * from {{ model }} where {{ column_name }} <= {{ more_than }}
{% endtest %}

{% test row_count(model, expected) %}
{{ config(fail_calc='coalesce(max(n), 0)') }}
select abs(count(*) - {{ expected }}) as n from {{ model }}
{% endtest %}
