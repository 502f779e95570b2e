{# What tables of DuckLake can have: partitions and a sort order. Of other tables these configs are ignored with a warning. #}

{% macro duckdb__get_partitioned_by(relation, temporary) -%}
  {{ return(tarn__ducklake_columns(relation, temporary, 'partitioned_by', 'partition_by', false)) }}
{%- endmacro %}

{% macro duckdb__get_sorted_by(relation, temporary) -%}
  {{ return(tarn__ducklake_columns(relation, temporary, 'sorted_by', 'sort_by', true)) }}
{%- endmacro %}

{# The columns of one of the two configs as SQL, or none: when it is not given, for relations on the way to the final one, and outside of DuckLake. #}
{% macro tarn__ducklake_columns(relation, temporary, name, other_name, quote) -%}
  {%- set given = config.get(name, none) or config.get(other_name, none) -%}
  {%- if temporary or given is none -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set called = name ~ '/' ~ other_name -%}
  {%- set columns = normalize_string_or_list(given, called) -%}
  {%- if not columns -%}
    {%- do exceptions.raise_compiler_error(called ~ ' must contain at least one column') -%}
  {%- endif -%}
  {%- if this is defined and config.get('materialized') in ['table', 'incremental'] and relation.identifier and relation.identifier != this.identifier -%}
    {{ return(none) }}
  {%- endif -%}
  {%- if not adapter.is_ducklake(relation) -%}
    {%- do adapter.warn_once(called ~ ' is only supported for DuckLake relations; ignoring for ' ~ relation) -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set texts = [] -%}
  {%- for column in columns -%}
    {%- do texts.append(adapter.quote(column | replace('"', '""')) if quote else column) -%}
  {%- endfor -%}
  {{ return(texts | join(', ')) }}
{%- endmacro %}

{% macro duckdb__alter_table_set_partitioned_by(relation, partitioned_by) -%}
  alter table {{ relation }} set partitioned by ({{ partitioned_by }});
{%- endmacro %}

{% macro duckdb__alter_table_set_sorted_by(relation, sorted_by) -%}
  alter table {{ relation }} set sorted by ({{ sorted_by }});
{%- endmacro %}

{# The order of a table is set while it is empty, so that its first rows are written in it. #}
{% macro tarn__set_ducklake_order(relation, partitioned_by, sorted_by) -%}
  {%- if partitioned_by %}
    {{ duckdb__alter_table_set_partitioned_by(relation, partitioned_by) }}
  {%- endif -%}
  {%- if sorted_by %}
    {{ duckdb__alter_table_set_sorted_by(relation, sorted_by) }}
  {%- endif -%}
{%- endmacro %}

{# The text of a Python model with what makes a table of its data frame, for packages that ask for it; Python models themselves are refused. #}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
{{ compiled_code }}

def materialize(df, con):
    con.register('__dbt_python_model_df_{{ relation.identifier }}', df)
    con.execute('create table {{ relation }} as select * from __dbt_python_model_df_{{ relation.identifier }} limit 0')
{%- if partitioned_by %}
    con.execute('alter table {{ relation }} set partitioned by ({{ partitioned_by }})')
{%- endif %}
{%- if sorted_by %}
    con.execute('alter table {{ relation }} set sorted by ({{ sorted_by }})')
{%- endif %}
    con.execute('insert into {{ relation }} select * from __dbt_python_model_df_{{ relation.identifier }}')
{%- endmacro %}
