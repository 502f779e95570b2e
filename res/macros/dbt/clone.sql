{# `dbt clone`: each node becomes a pointer to the relation that the state has for it: a clone where a table can be had without copying its rows, else a view. #}

{% macro can_clone_table() %}
  {{ return(adapter.dispatch('can_clone_table', 'dbt')()) }}
{% endmacro %}

{% macro default__can_clone_table() %}
  {{ return(False) }}
{% endmacro %}

{% macro create_or_replace_clone(this_relation, defer_relation) %}
  {{ return(adapter.dispatch('create_or_replace_clone', 'dbt')(this_relation, defer_relation)) }}
{% endmacro %}

{% macro default__create_or_replace_clone(this_relation, defer_relation) %}
  create or replace table {{ this_relation.render() }} clone {{ defer_relation.render() }}
{% endmacro %}

{# How a table is cloned where that is no statement of the database. #}
{% macro clone__table(target_relation, defer_relation) %}
  {{ return(adapter.dispatch('clone__table', 'dbt')(target_relation, defer_relation)) }}
{% endmacro %}

{% macro default__clone__table(target_relation, defer_relation) %}
  {%- call statement('main') -%}
    {{ create_or_replace_clone(target_relation, defer_relation) }}
  {%- endcall -%}
  {%- do persist_docs(target_relation, model) -%}
{% endmacro %}

{%- materialization clone, default -%}
  {%- set nothing = {'relations': []} -%}
  {%- if not defer_relation -%}
    {{ log("No relation found in state manifest for " ~ model.unique_id, info=True) }}
    {{ return(nothing) }}
  {%- endif -%}
  {%- set existing_relation = load_cached_relation(this) -%}
  {%- if existing_relation and not flags.FULL_REFRESH -%}
    {{ log("Relation " ~ existing_relation ~ " already exists", info=True) }}
    {{ return(nothing) }}
  {%- endif -%}
  {%- if target.type == 'tarn' and this.render() == defer_relation.render() -%}
    {#- the same table of the lake, which the other run has and this one does not show yet -#}
    {{ log("Target relation and defer relation are the same, skipping clone for relation: " ~ this.render(), info=True) }}
    {{ return(nothing) }}
  {%- endif -%}
  {%- set cloneable = false -%}
  {%- if can_clone_table() -%}
    {%- set there = load_cached_relation(defer_relation) -%}
    {%- set cloneable = there and there.type == 'table' -%}
  {%- endif -%}
  {%- if not cloneable -%}
    {%- set view = context.get('materialization_view_' ~ target.type) or context.get('materialization_view_' ~ adapter.type()) or context['materialization_view_default'] -%}
    {{ return(view()) }}
  {%- endif -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- if existing_relation is not none and not existing_relation.is_table -%}
    {{ drop_relation_if_exists(existing_relation) }}
  {%- endif -%}
  {%- if target_relation.render() == defer_relation.render() -%}
    {{ log("Target relation and defer relation are the same, skipping clone for relation: " ~ target_relation.render()) }}
  {%- else -%}
    {%- do clone__table(target_relation, defer_relation) -%}
  {%- endif -%}
  {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) -%}
  {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
