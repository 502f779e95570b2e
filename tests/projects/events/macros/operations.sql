{% macro speak(word, times=1) %}{% for i in range(times) %}{{ log(word, info=True) }}{% endfor %}{{ log("quiet " ~ word) }}{{ print("said " ~ word) }}{% endmacro %}
{% macro fails() %}{{ exceptions.raise_compiler_error("no operation") }}{% endmacro %}
{% macro asks() %}{% set r = run_query("select * from no_such_table") %}{% endmacro %}
