#!/usr/bin/env python3
"""Models that read Delta sources and refs with conditions open only the files that these may be true for: all other files of the source are spoilt, so
that whoever opens one fails."""
from lake_flow import case, equal, has, main

FILES = 8
PROFILES = """d:
  target: lake
  outputs:
    lake: {type: tarn, lake: lake, schema: main, threads: 2, environment: dev}
    duck: {type: duckdb, path: d.duckdb, schema: main, threads: 2, external_root: out}
"""
SOURCES = """sources:
  - name: raw
    tables: [{name: events}, {name: people}]
  - name: placed
    tables: [{name: events, meta: {external_location: "delta_scan('LAKE/raw/events')"}}]
"""
MODELS = {
    "stg_events": "{{ config(materialized='view') }} select id as event_id, at_time::date as day, at_time, kind, person from {{ source('raw', 'events') }}",
    "stg_late": "{{ config(materialized='ephemeral') }} select * from {{ ref('stg_events') }}",
    "mart": """with events as (select * from {{ ref('stg_events') }}),
                    people as (select * from {{ source('raw', 'people') }}),
                    late as (select event_id, kind, person from events where event_id >= 310)
               select l.*, p.name from late l left join people p on l.person = p.id where l.event_id < 340""",
    "summed": "select kind, count(*) as n from {{ ref('stg_late') }} where event_id between 310 and 320 group by kind",
    "grown": """{{ config(materialized='incremental', incremental_strategy='merge', unique_key='event_id') }}
               select event_id, kind from {{ ref('stg_events') }} where event_id > {{ 300 if is_incremental() else 330 }}  and event_id < 350""",
    "appended": """{{ config(materialized='incremental', incremental_strategy='append') }} select s.event_id from {{ ref('stg_events') }} s where s.event_id = 311""",
    "newest": """{{ config(materialized='incremental', incremental_strategy='append') }} select event_id, at_time from {{ ref('stg_events') }}
               where {% if is_incremental() %} at_time > (select max(at_time) from {{ this }}) and event_id < 350 {% else %} event_id in (310, 311) {% endif %}""",
    "kept": "select event_id from {{ ref('mart') }} where event_id < 320",
}
PLACED = {
    "near": "select kind, count(*) as n from {{ source('placed', 'events') }} as e where e.id between 310 and 320 group by kind",
    "joined": "with e as (from {{ source('placed', 'events') }}) select a.id from e a join e b using (id) where a.id = 311 and b.id = 311",
}
TESTS = """models:
  - name: stg_events
    columns:
      - name: kind
        data_tests: [{not_null: {config: {where: "event_id = 311"}}}]
"""


def project(lake, models):
    lake.root.mkdir(exist_ok=True)
    lake.file("dbt_project.yml", "name: d\nprofile: d\nmodels: {+materialized: table}\n")
    lake.file("profiles.yml", PROFILES)
    lake.file("models/sources.yml", SOURCES.replace("LAKE", str(lake.root)))
    for name, sql in models.items():
        lake.file(f"models/{name}.sql", sql)
    for k in range(FILES):
        head = "CREATE TABLE raw.events AS" if k == 0 else "INSERT INTO raw.events"
        lake.run("sql", "--env", "dev", f"{head} SELECT {k} * 50 + i AS id, TIMESTAMP '2024-01-01' + INTERVAL ({k} * 50 + i) HOUR AS at_time, 'abc'[i % 3 + 1] AS kind, i AS person FROM range(50) t(i)")
    lake.run("sql", "--env", "dev", "CREATE TABLE raw.people AS SELECT i AS id, 'p' || i AS name FROM range(50) t(i)")
    for file in (lake.root / "raw/events").glob("*.parquet"):
        if lake.rows(f"SELECT min(id) AS n FROM read_parquet('{file}')")[0]["n"] != 300:
            file.write_bytes(b"no Parquet file")
    lake.run("sql", "--env", "dev", "SELECT sum(id) FROM raw.events", status=1)


@case
def models_in_a_lake(lake):
    project(lake, MODELS)
    lake.file("models/tests.yml", TESTS)
    lake.run("build")
    lake.run("build")  # increments
    rows = lambda sql: [tuple(r.values()) for r in lake.rows(sql, env={"TARN_ENV": "dev"})]
    equal(rows("SELECT count(*), min(event_id), max(event_id), count(name) FROM main.mart"), [(30, 310, 339, 30)])
    equal(rows("SELECT kind, n FROM main.summed ORDER BY 1"), [("a", 3), ("b", 4), ("c", 4)])
    equal(rows("SELECT count(*), min(event_id) FROM main.grown"), [(49, 301)])
    equal(rows("SELECT count(*) FROM main.appended"), [(2,)])
    equal(rows("SELECT count(*) FROM main.kept"), [(10,)])
    equal(rows("SELECT count(*), max(event_id) FROM main.newest"), [(40, 349)])
    equal(rows("SELECT count(*) FROM main.stg_events WHERE event_id IN (311, 312)"), [(2,)])


@case
def pinned_or_not(lake):
    """A table that no environment pins is read at its newest version."""
    project(lake, {"mart": MODELS["mart"], "stg_events": MODELS["stg_events"]})
    lake.run("build", "--target", "lake", "--vars", "{}")
    lake.file("profiles.yml", PROFILES.replace("environment: dev", "environment: other"))
    lake.run("build")
    equal(lake.rows("SELECT count(*) AS n FROM main.mart", env={"TARN_ENV": "other"}), [{"n": 30}])


@case
def models_over_places(lake):
    project(lake, PLACED)
    for target in ["duck", "lake"]:
        lake.run("build", "--target", target)
        has(lake.out, "PASS=2")


@case
def a_condition_too_few(lake):
    """The same without the condition does open the spoilt files."""
    project(lake, {"all_of_them": "select count(id) as n, sum(id) as s from {{ source('raw', 'events') }} where kind <> 'x'"})
    lake.run("build", status=1)
    has(lake.out, "No magic bytes")


main()
