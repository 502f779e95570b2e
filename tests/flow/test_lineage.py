"""Lineage as a user asks for it: a corpus of queries with the columns that each of theirs is made of, both kinds of profiles, every form of output."""
import json, sys

from dbt_flow import Asked, case, equal, has, main

SOURCES = """
sources:
  - name: raw
    schema: main
    tables:
      - name: orders
        columns:
          - {name: id, data_type: integer}
          - {name: customer_id, data_type: integer}
          - {name: amount, data_type: "decimal(10,2)"}
          - {name: ts, data_type: timestamp}
          - {name: tags, data_type: "varchar[]"}
          - {name: place, data_type: "struct(lat double, name varchar)"}
      - name: customers
        columns:
          - {name: id, data_type: integer}
          - {name: name, data_type: varchar}
          - {name: country, data_type: varchar}
"""
O, C = "{{ source('raw', 'orders') }}", "{{ source('raw', 'customers') }}"

# name: (query, {column: {origin: how}}); o and c are the sources, i, t and a say how
CORPUS = {
    "plain": (f"select id, amount * 2 as double_amount, 1 as one from {O}", {"id": "o.id=i", "double_amount": "o.amount=t", "one": ""}),
    "star": (f"select * from {C}", {"id": "c.id=i", "name": "c.name=i", "country": "c.country=i"}),
    "star_changed": (f"select * exclude (country) replace (upper(name) as name) from {C}", {"id": "c.id=i", "name": "c.name=t"}),
    "star_renamed": (f"select * rename (name as label) from {C}", {"id": "c.id=i", "label": "c.name=i", "country": "c.country=i"}),
    "columns_regex": (f"select columns('.*id') from {O}", {"id": "o.id=i", "customer_id": "o.customer_id=i"}),
    "joined": (f"select o.id, c.name, o.amount from {O} o join {C} c on o.customer_id = c.id", {"id": "o.id=i", "name": "c.name=i", "amount": "o.amount=i"}),
    "joined_using": (f"select id, amount, name from {O} left join {C} using (id)", {"id": "o.id=i", "amount": "o.amount=i", "name": "c.name=i"}),
    "full_join_using": (f"select id, name from {O} full join {C} using (id)", {"id": "o.id=t c.id=t", "name": "c.name=i"}),
    "self_join": (f"select a.amount - b.amount as change from {O} a join {O} b on a.id = b.id + 1", {"change": "o.amount=t"}),
    "natural_join": (f"select id, amount, name from {O} natural join {C}", {"id": "o.id=i", "amount": "o.amount=i", "name": "c.name=i"}),
    "asof": (f"select o.amount, c.name from {O} o asof join {C} c on o.id >= c.id", {"amount": "o.amount=i", "name": "c.name=i"}),
    "semi": (f"select id from {O} semi join {C} using (id)", {"id": "o.id=i"}),
    "positional": (f"select o.id, c.name from {O} o positional join {C} c", {"id": "o.id=i", "name": "c.name=i"}),
    "crossed": (f"select o.id, c.id as cid from {O} o, {C} c where o.customer_id = c.id", {"id": "o.id=i", "cid": "c.id=i"}),
    "ctes": (f"with a as (select * from {O}), b as (select customer_id, sum(amount) as total from a group by 1) select c.name, b.total from {C} c join b on b.customer_id = c.id",
             {"name": "c.name=i", "total": "o.amount=a"}),
    "cte_twice": (f"with a as (select id, amount from {O}) select x.id, y.amount from a x join a y on x.id = y.id", {"id": "o.id=i", "amount": "o.amount=i"}),
    "nested_ctes": (f"with a as (with b as (select amount as n from {O}) select n + 1 as m from b) select m from a", {"m": "o.amount=t"}),
    "subquery": (f"select s.n from (select name || country as n from {C}) s", {"n": "c.name=t c.country=t"}),
    "scalar_subquery": (f"select id, (select max(amount) from {O}) as top from {C}", {"id": "c.id=i", "top": "o.amount=a"}),
    "correlated": (f"select c.id, (select max(amount) from {O} o where o.customer_id = c.id) as top from {C} c", {"id": "c.id=i", "top": "o.amount=a"}),
    "exists": (f"select c.id, exists (select 1 from {O} o where o.customer_id = c.id) as buys from {C} c", {"id": "c.id=i", "buys": "c.id=t o.customer_id=t"}),
    "in_list": (f"select id in (select customer_id from {O}) as buys from {C}", {"buys": "c.id=t o.customer_id=t"}),
    "lateral": (f"select c.name, l.x from {C} c, lateral (select amount as x from {O} o where o.customer_id = c.id) l", {"name": "c.name=i", "x": "o.amount=i"}),
    "union_all": (f"select id, amount from {O} union all select id, 0 from {C}", {"id": "o.id=i c.id=i", "amount": "o.amount=t"}),
    "union_three": (f"select name as n from {C} union select country from {C} union all select 'x'", {"n": "c.name=i c.country=i"}),
    "union_by_name": (f"select id, name from {C} union all by name select id, amount from {O}", {"id": "c.id=i o.id=i", "name": "c.name=i", "amount": "o.amount=i"}),
    "excepted": (f"select id from {C} except select customer_id from {O}", {"id": "c.id=i"}),
    "intersected": (f"select id from {C} intersect select customer_id from {O}", {"id": "c.id=i"}),
    "grouped": (f"select customer_id, count(*) as n, avg(amount) as mean, count(distinct id) as ids from {O} group by all",
                {"customer_id": "o.customer_id=i", "n": "", "mean": "o.amount=a", "ids": "o.id=a"}),
    "grouping_sets": (f"select customer_id, id, sum(amount) as s, grouping(id) as g from {O} group by grouping sets ((customer_id), (customer_id, id))",
                      {"customer_id": "o.customer_id=i", "id": "o.id=i", "s": "o.amount=a", "g": ""}),
    "filtered_aggregate": (f"select sum(amount) filter (where ts > '2024-01-01') as s from {O}", {"s": "o.amount=a o.ts=a"}),
    "having": (f"select customer_id from {O} group by customer_id having sum(amount) > 10", {"customer_id": "o.customer_id=i"}),
    "windows": (f"select id, row_number() over (partition by customer_id order by ts) as n, sum(amount) over (partition by customer_id) as s, lag(amount) over w as before from {O} window w as (order by ts)",
                {"id": "o.id=i", "n": "o.customer_id=t o.ts=t", "s": "o.amount=a o.customer_id=a", "before": "o.amount=t o.ts=t"}),
    "qualified": (f"select id, amount from {O} qualify row_number() over (partition by customer_id order by ts desc) = 1", {"id": "o.id=i", "amount": "o.amount=i"}),
    "distinct_on": (f"select distinct on (customer_id) customer_id, amount from {O} order by customer_id, ts desc", {"customer_id": "o.customer_id=i", "amount": "o.amount=i"}),
    "cases": (f"select case when country = 'x' then name else 'other' end as n from {C}", {"n": "c.country=t c.name=t"}),
    "casts": (f"select id::varchar as id, coalesce(name, country) as n from {C}", {"id": "c.id=t", "n": "c.name=t c.country=t"}),
    "structs": (f"select place.name as n, struct_pack(a := id, b := ts) as s from {O}", {"n": "o.place=t", "s": "o.id=t o.ts=t"}),
    "unnested": (f"select id, unnest(tags) as tag from {O}", {"id": "o.id=i", "tag": "o.tags=t"}),
    "unnested_join": (f"select id, u.tag from {O}, unnest(tags) as u(tag)", {"id": "o.id=i", "tag": "o.tags=t"}),
    "lambdas": (f"select list_transform(tags, x -> x || id::varchar) as t, [y + 1 for y in [id]] as l from {O}", {"t": "o.tags=t o.id=t", "l": "o.id=t"}),
    "pivoted": (f"select * from (pivot {O} on customer_id in (1, 2) using sum(amount) group by id)", {"id": "o.id=i", "1": "o.amount=a o.customer_id=a", "2": "o.amount=a o.customer_id=a"}),
    "unpivoted": (f"unpivot (select id, name, country from {C}) on name, country into name k value v", {"id": "c.id=i", "k": "", "v": "c.name=t c.country=t"}),
    "recursive": (f"with recursive r as (select id, name as path, 0 as depth from {C} union all select r.id, r.path || c.country, depth + 1 from r join {C} c on c.id = r.id where depth < 3) select * from r",
                  {"id": "c.id=i", "path": "c.name=t c.country=t", "depth": ""}),
    "recursive_swap": (f"with recursive r(a, b, n) as (select id, customer_id, 0 from {O} union all select b, a, n + 1 from r where n < 3) select a, b from r",
                       {"a": "o.id=i o.customer_id=i", "b": "o.id=i o.customer_id=i"}),
    "listed": (f"select v.k, c.name from (values (1, 'a'), (2, 'b')) v(k, l) join {C} c on c.id = v.k", {"k": "", "name": "c.name=i"}),
    "ranged": (f"select r.range as n, id from {C}, range(3) r", {"n": "", "id": "c.id=i"}),
    "sampled": (f"select id from {O} using sample 10% limit 3", {"id": "o.id=i"}),
    "ordered_aggregate": (f"select string_agg(name, ',' order by country) as s, list(id) as l from {C}", {"s": "c.name=a c.country=a", "l": "c.id=a"}),
    "quoted": (f'select id as "a ""b"" c", name as "Name" from {C}', {'a "b" c': "c.id=i", "Name": "c.name=i"}),
    "from_first": (f"from {C} select name, id", {"name": "c.name=i", "id": "c.id=i"}),
    "aliased_columns": (f"select y from {C} as t(x, y, z)", {"y": "c.name=i"}),
    "lateral_alias": (f"select amount * 2 as d, d + 1 as e from {O}", {"d": "o.amount=t", "e": "o.amount=t"}),
}
HOW = {"i": "identity", "t": "transformation", "a": "aggregation"}


class Project(Asked):
    profile = "{type: duckdb, path: p.duckdb}"

    def lineage(self, *words):
        return json.loads(self.run("lineage", *words, "--output", "json"))


def short(point):
    node = point.get("node")
    return (point["relation"] if node is None else node.split(".")[-1]) + "." + (point["column"] or "rows")


def edges(doc):
    found = {}
    for e in doc["edges"]:
        found.setdefault(short(e["to"]), {})[short(e["from"])] = e["how"]
    return found


@case
def corpus(p):
    p.file("models/sources.yml", SOURCES)
    for name, (sql, _) in CORPUS.items():
        p.file(f"models/{name}.sql", sql)
    bad = []
    for name, (sql, want) in CORPUS.items():
        doc = p.lineage(name, "--columns", "--upstream", "--depth", "1")
        wanted = {column: {{"o": "orders.", "c": "customers."}[o[0]] + o[2:-2]: HOW[o[-1]] for o in origins.split()} for column, origins in want.items()}
        got = {c["column"]: edges(doc).get(f"{name}.{c['column']}", {}) for c in doc["of"]}
        if got != wanted or doc["unknown"]:
            bad.append(f"{name}: {sql}\n     got: {got}\n    want: {wanted}\n unknown: {doc['unknown']}")
    assert not bad, "\n" + "\n".join(bad)


@case
def chain_of_models(p):
    p.file("seeds/people.csv", "id,name\n1,Ann\n2,Bob\n")
    p.file("models/names.sql", "{{ config(materialized='ephemeral') }} select id, upper(name) as name from {{ ref('people') }}")
    p.file("models/counted.sql", "select name, count(id) as n from {{ ref('names') }} where name <> 'X' group by 1")
    p.file("models/top.sql", "{{ config(materialized='incremental') }} select max(n) as n from {{ ref('counted') }} {% if is_incremental() %} where n > (select max(n) from {{ this }}) {% endif %}")
    p.file("models/exposures.yml", "exposures:\n  - {name: board, type: dashboard, owner: {name: x}, depends_on: [ref('top')]}\n")
    doc = p.lineage("people.name")
    equal(edges(doc), {"names.name": {"people.name": "transformation"}, "counted.name": {"names.name": "identity"},
                       "counted.rows": {"names.name": "filter"}})
    equal(edges(p.lineage("top.n")), {"top.n": {"counted.n": "aggregation"}, "counted.n": {"names.id": "aggregation"}, "names.id": {"people.id": "identity"}})
    text = p.run("lineage", "top.n")
    has(text, "top.n  BIGINT\nupstream\n└── counted.n  aggregation\n    └── names.id  aggregation\n        └── people.id  identity\ndownstream\n└── nothing\n")
    text = p.run("lineage", "counted")
    has(text, "counted  view model\nupstream\n└── names  ephemeral model\n    └── people  seed\ndownstream\n└── top  incremental model\n    └── board  exposure\n")
    equal([n["name"] for n in p.lineage("counted", "--upstream")["nodes"]], ["people", "names", "counted"])
    equal([n["name"] for n in p.lineage("people", "--depth", "1")["nodes"]], ["people", "names"])
    has(p.run("lineage", "counted", "--output", "dot"), "digraph lineage {")
    mermaid = p.run("lineage", "counted.n", "--output", "mermaid")
    has(mermaid, 'flowchart LR\n')
    has(mermaid, '["counted.n"]')
    assert not (p.dir / "target/manifest.json").exists()


@case
def snapshots_and_versions(p):
    p.file("models/sources.yml", SOURCES)
    p.file("models/c.sql", f"select id, name, current_timestamp as changed from {C}")
    p.file("snapshots/s.yml", "snapshots:\n  - {name: s, relation: ref('c'), config: {schema: snaps, unique_key: id, strategy: timestamp, updated_at: changed}}\n")
    p.file("models/after.sql", "select name, dbt_valid_from as since from {{ ref('s') }}")
    equal(edges(p.lineage("after.since", "--upstream", "--depth", "2")), {"after.since": {"s.dbt_valid_from": "identity"}, "s.dbt_valid_from": {"c.changed": "identity"}})
    equal(edges(p.lineage("after.name", "--upstream"))["c.name"], {"customers.name": "identity"})


@case
def what_is_not_known_is_said(p):
    p.file("models/sources.yml", SOURCES + "      - name: mystery\n")
    p.file("models/a.sql", "select x from {{ source('raw', 'mystery') }}")
    p.file("models/b.sql", "select x from {{ ref('a') }}")
    p.file("data.csv", "x\n1\n")
    p.file("models/csv.sql", "select x from read_csv('data.csv')")
    p.file("models/after_csv.sql", "select x + 1 as y from {{ ref('csv') }}")
    p.file("models/gone.sql", "select nope from main.not_there")
    p.file("models/py.py", "def model(dbt, session):\n    return dbt.ref('csv')\n")
    has(p.run("lineage", "b.x", status=2), "the columns of 'b' are not known: the columns of model.p.a are not known")
    doc = p.lineage("after_csv.y", "--upstream")
    equal(edges(doc), {"after_csv.y": {"csv.x": "transformation"}})
    equal(doc["unknown"][0]["node"], "model.p.csv")
    has(p.run("lineage", "after_csv.y", "--upstream"), "csv.x  transformation  (origins not known)")
    has(p.run("lineage", "gone", "--columns", status=2), "Table with name not_there does not exist")
    has(p.run("lineage", "py", "--columns", status=2), "Python model")


@case
def columns_from_the_database(p):
    p.file("models/sources.yml", "sources:\n  - {name: db, schema: main, tables: [{name: made}]}\n")
    p.file("models/a.sql", "select n + m as s from {{ source('db', 'made') }}")
    p.run("show", "-q", "--inline", "select 1")
    p.file("macros/m.sql", "{% macro make() %}{% do run_query('create table main.made as select 1 as n, 2 as m') %}{% endmacro %}")
    p.run("run-operation", "make")
    equal(edges(p.lineage("a.s")), {"a.s": {"made.n": "transformation", "made.m": "transformation"}})
    equal(edges(p.lineage("db.made.n")), {"a.s": {"made.n": "transformation"}})


@case
def files_as_sources(p):
    p.file("raw/a.csv", "k,v\n1,x\n")
    p.file("models/sources.yml", "sources:\n  - name: files\n    meta: {external_location: \"raw/{name}.csv\"}\n    tables: [{name: a}]\n")
    p.file("models/m.sql", "select upper(v) as v from {{ source('files', 'a') }}")
    equal(edges(p.lineage("m.v", "--upstream")), {"m.v": {"a.v": "transformation"}})


@case
def a_source_that_a_seed_loads(p):
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nseeds: {+enabled: false}\n")
    p.file("seeds/people.csv", "id,name\n1,Ann\n")
    p.file("models/sources.yml", "sources:\n  - {name: raw, schema: main, tables: [{name: people, columns: [{name: id}]}]}\n")
    p.file("models/m.sql", "select name as label from {{ source('raw', 'people') }}")
    equal(edges(p.lineage("m.label")), {"m.label": {"people.name": "identity"}})


@case
def a_lake(p):
    p.file("profiles.yml", "p:\n  target: dev\n  outputs:\n    dev: {type: tarn, lake: lake, schema: main}\n")
    p.file("seeds/people.csv", "id,name\n1,Ann\n")
    p.file("models/m.sql", "{{ config(materialized='table') }} select name || id as label from {{ ref('people') }}")
    want = {"m.label": {"people.name": "transformation", "people.id": "transformation"}}
    equal(edges(p.lineage("m.label")), want)
    p.run("build")
    equal(edges(p.lineage("m.label")), want)


@case
def typos(p):
    p.file("models/orders.sql", "select 1 as amount, 2 as id")
    has(p.run("lineage", "ordres", status=2), "did you mean 'orders'?")
    has(p.run("lineage", "ordres.amount", status=2), "did you mean 'orders'?")
    has(p.run("lineage", "orders.amuont", status=2), "did you mean 'amount'?")
    has(p.run("lineage", "orders.zzzzzzz", status=2), "its columns: amount, id")
    has(p.run("lineage", "orders", "--output", "svg", status=2), "text, json, dot or mermaid")
    p.run("lineage", status=2)


if __name__ == "__main__":
    sys.exit(main(Project))
