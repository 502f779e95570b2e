{# Tables with foreign keys. DuckDB neither renames nor drops a table that another one references, and it remembers the name under which a table with
   foreign keys was made. So such tables are made under their own name, and those that reference a table are dropped before it is replaced: only
   ones that this run makes anew afterwards. Their rows stay readable in between, in a copy without constraints. #}

{# The constraint types that this model's enforced contract declares. #}
{% macro enforced_constraint_types() -%}
  {%- set types = [] -%}
  {%- set contract_config = config.get('contract') -%}
  {%- if contract_config and contract_config.enforced -%}
    {%- for constraint in model.get('constraints', []) -%}
      {%- do types.append(constraint.type) -%}
    {%- endfor -%}
    {%- for column in model.get('columns', {}).values() -%}
      {%- for constraint in column.get('constraints', []) -%}
        {%- do types.append(constraint.type) -%}
      {%- endfor -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(types) }}
{%- endmacro %}

{# The key constraints that the table had when the run began. #}
{% macro existing_constraint_types(relation) -%}
  {{ return(adapter.existing_key_constraint_types(relation) if relation is not none and relation.is_table else []) }}
{%- endmacro %}

{% macro has_foreign_key_constraints(relation=none) -%}
  {%- set able = adapter.catalog_supports_foreign_keys(this.database) -%}
  {{ return(able and 'foreign_key' in enforced_constraint_types() + existing_constraint_types(relation)) }}
{%- endmacro %}

{# Only a table with a primary key or a unique constraint can be referenced. #}
{% macro may_be_foreign_key_target(relation=none) -%}
  {%- if not adapter.catalog_supports_foreign_keys(this.database) -%}
    {{ return(false) }}
  {%- endif -%}
  {%- set types = enforced_constraint_types() + existing_constraint_types(relation) -%}
  {{ return('primary_key' in types or 'unique' in types) }}
{%- endmacro %}

{# Drops a relation in the model's transaction, so that it can be made again under its name: {relation, backup} of each dependent that went with it. #}
{% macro drop_relation_for_rebuild(relation) -%}
  {%- do adapter.ensure_transaction() -%}
  {%- set dropped = drop_foreign_key_dependents(relation) if relation.is_table and may_be_foreign_key_target(relation) else [] -%}
  {%- do adapter.drop_relation(relation) -%}
  {{ return(dropped) }}
{%- endmacro %}

{# One row for each table that references `relation`, directly or over others, and each table it references; the farthest first. #}
{% macro tarn__foreign_key_dependents(relation) -%}
  {%- call statement('get_foreign_key_dependents', fetch_result=True) -%}
    with recursive keys as (
      select table_name as child, referenced_table as parent
      from duckdb_constraints()
      where constraint_type = 'FOREIGN KEY' and lower(table_name) <> lower(referenced_table)
        and lower(database_name) = lower('{{ adapter.escape_sql_string(relation.database) }}')
        and lower(schema_name) = lower('{{ adapter.escape_sql_string(relation.schema) }}')
    ),
    reached(child, steps) as (
      select child, 1 from keys where lower(parent) = lower('{{ adapter.escape_sql_string(relation.identifier) }}')
      union
      select keys.child, reached.steps + 1 from keys join reached on lower(keys.parent) = lower(reached.child)
    )
    select child, parent
    from (select child, max(steps) as steps from reached group by child) far join keys using (child)
    order by steps desc, child, parent
  {%- endcall -%}
  {{ return(load_result('get_foreign_key_dependents').table) }}
{%- endmacro %}

{# Why the dependents cannot be dropped, a text each: only what this run makes anew from nothing may go.
   parents: {dependent: [what it references]}; nodes: {lower name: the model that makes it}, with `relation` itself. #}
{% macro tarn__foreign_key_problems(parents, nodes) -%}
  {%- set problems = [] -%}
  {%- for table, referenced in parents.items() -%}
    {%- set node = nodes.get(table | lower) -%}
    {%- set above = [] -%}
    {%- for parent in referenced if parent | lower in nodes -%}
      {%- do above.append(nodes[parent | lower].unique_id) -%}
    {%- endfor -%}
    {%- if node is none -%}
      {%- do problems.append(table ~ ' (not built by a dbt model in this project)') -%}
    {%- elif node.unique_id not in selected_resources -%}
      {%- do problems.append(table ~ ' (model ' ~ node.name ~ ' is not selected in this run)') -%}
    {%- elif not above | select('in', node.depends_on.nodes) | list -%}
      {%- do problems.append(table ~ ' (model ' ~ node.name ~ ' does not ref() the table its foreign key points at, so dbt may not rebuild it afterwards; use `to: ref(...)` in the constraint)') -%}
    {%- else -%}
      {%- set anew = node.config.full_refresh if node.config.full_refresh is not none else flags.FULL_REFRESH -%}
      {%- if node.config.materialized != 'table' and not (node.config.materialized == 'incremental' and anew) -%}
        {%- do problems.append(table ~ ' (model ' ~ node.name ~ ' is materialized as ' ~ node.config.materialized ~ ' and would lose its data; run with --full-refresh)') -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(problems) }}
{%- endmacro %}

{% macro drop_foreign_key_dependents(relation) -%}
  {%- set parents = {} -%}
  {%- for row in tarn__foreign_key_dependents(relation) -%}
    {%- do parents.setdefault(row[0], []) -%}
    {%- do parents[row[0]].append(row[1]) -%}
  {%- endfor -%}
  {%- set nodes = {relation.identifier | lower: model} -%}
  {%- for node in graph.nodes.values() if parents and node.resource_type == 'model' and node.schema | lower == relation.schema | lower
        and (node.database or '') | lower == (relation.database or '') | lower -%}
    {%- do nodes.setdefault((node.alias or node.name) | lower, node) -%}
  {%- endfor -%}
  {%- set problems = tarn__foreign_key_problems(parents, nodes) -%}
  {%- if problems -%}
    {%- do exceptions.raise_compiler_error('Cannot replace ' ~ relation ~ ' because DuckDB does not allow replacing a table that a foreign key references, and dbt-duckdb can only drop referencing tables that this run will rebuild. Problem tables: ' ~ problems | join('; ')) -%}
  {%- endif -%}
  {%- set dropped = [] -%}
  {%- for table in parents -%}
    {%- set dependent = api.Relation.create(database=relation.database, schema=relation.schema, identifier=table, type='table') -%}
    {%- set backup = dependent.incorporate(path={'identifier': table ~ '__dbt_fk_backup'}, type='table') -%}
    {%- do adapter.drop_relation(backup) -%}
    {%- call statement('backup_foreign_key_dependent_' ~ loop.index) -%}
      create table {{ backup }} as select * from {{ dependent }}
    {%- endcall -%}
    {%- do log('Dropping ' ~ dependent ~ ' because it references ' ~ relation ~ ' through a foreign key; it is rebuilt later in this run', info=True) -%}
    {%- do adapter.drop_relation(dependent) -%}
    {%- do dropped.append({'relation': dependent, 'backup': backup}) -%}
  {%- endfor -%}
  {{ return(dropped) }}
{%- endmacro %}

{% macro restore_foreign_key_dependents(dropped) -%}
  {%- for item in dropped | reverse -%}
    {%- do log('Restoring data for ' ~ item['relation'] ~ '; its constraints are rebuilt later in this run', info=True) -%}
    {%- do adapter.rename_relation(item['backup'], item['relation']) -%}
  {%- endfor -%}
{%- endmacro %}
