{% macro first_of_month(col) %}{{ return(adapter.dispatch('first_of_month', 'calendar')(col)) }}{% endmacro %}
{% macro default__first_of_month(col) %}date_trunc('month', {{ col }}){% endmacro %}
