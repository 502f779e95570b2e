-- depends_on: {{ ref("amounts") }}, {{ ref("base") }}
{% set cols = columns_of(ref('amounts')) if execute else [] -%}
{%- call statement('counted', fetch_result=True) -%}
  select count(*) as n, sum("amount") as s, max("day") as d, true as t, [1, 2] as l from {{ ref('amounts') }}
{%- endcall -%}
{%- set r = load_result('counted') -%}
{%- set t = r['table'] if execute else none -%}
select '{{ cols | join("|") }}' as cols
{%- if execute %},
  '{{ t.column_names | join(",") }}' as names,
  '{{ t.rows[0]["n"] }} {{ t.rows[0][1] }} {{ t.columns["d"].values()[0] }} {{ t.rows[0]["t"] }} {{ r["data"][0][0] + 1 }}' as cells,
  '{{ t | length }}' as len,
  '{{ (adapter.get_relation(this.database, this.schema, "amounts")).type }}' as found,
  '{{ adapter.get_relation(this.database, this.schema, "nope") }}' as missing,
  '{{ this.include(database=false) | replace("'", "") }}' as inc,
  '{{ this.incorporate(path={"identifier": "zz"}).render() }}' as ren,
  '{{ api.Relation.create(schema="s", identifier="i") }}' as made,
  '{{ api.Column.translate_type("string") }} {{ api.Column("a", "DECIMAL(10,2)").data_type }} {{ dbt.type_numeric() }}' as types,
  '{{ ref("base").is_view }} {{ load_relation(ref("base")).is_view }} {{ model.name }} {{ model.config.materialized }}' as flags,
  '{{ this.information_schema("tables") }}' as info
{%- endif %}
, {{ r['table'].rows[0]['l'] | length if execute else 0 }} as json_length
