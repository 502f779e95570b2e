"""dbt-duckdb's plugins that need no Python: tables of SQLite and sheets of a workbook, read as sources and written by external models. DuckDB's
extensions for them are not bundled: where the folder of extensions has them not, what is said about that is tested, and the rest is skipped."""
import os, pathlib, sqlite3, sys

from dbt_flow import case, equal, has, lacks, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = [os.environ.get("TARN_EXTENSION_DIR"), os.environ.get("TARN_DEPS_DIR") and os.environ["TARN_DEPS_DIR"] + "/extensions", ROOT / "build/deps/extensions"]


def there(name):
    return any(list(pathlib.Path(f).glob(f"*/*/{name}.duckdb_extension")) for f in FOLDERS if f)


def profile(p, plugins):
    p.file("profiles.yml", f"p:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: p.duckdb, plugins: {plugins}}}\n")


def database(p):
    db = sqlite3.connect(p.dir / "other.db")
    db.executescript("create table people (id integer, name text); insert into people values (1, 'ann'), (2, 'bob');")
    db.close()


@case
def databases_that_cannot_be_reached(p):
    p.file("models/m.sql", "select * from {{ source('s', 't') }}")
    p.file("models/s.yml", "sources: [{name: s, meta: {plugin: sql}, tables: [{name: t}]}]")
    profile(p, "[{module: sqlalchemy, alias: sql, config: {connection_url: 'oracle://scott:tiger@host/x'}}]")
    out = p.run("run", status=2)
    has(out, "databases of the kind 'oracle' cannot be reached")
    lacks(out, "tiger")
    lacks(out, "is Python code")
    profile(p, "[{module: gsheet, alias: sql}]")
    out = p.run("run", status=1)
    has(out, "plugin 'gsheet' of the profile is Python code that does not run here")
    has(out, "source 't' uses plugin 'sql', which is Python code that does not run here")


@case
def tables_of_sqlite(p):
    p.file("models/m.sql", "select * from {{ source('s', 'people') }} order by id")
    p.file("models/q.sql", "select * from {{ source('s', 'some') }}")
    p.file("models/back.sql", "{{ config(materialized='external', plugin='sql') }} select 3 as id, 'eve' as name")
    p.file("models/s.yml", "sources: [{name: s, meta: {plugin: sql}, tables: [{name: people}, {name: some, meta: {query: \"select name from {identifier2} where id = 2\", identifier2: people}}]}]")
    profile(p, "[{module: sqlalchemy, alias: sql, config: {connection_url: 'sqlite:///other.db'}}]")
    database(p)
    if not there("sqlite_scanner"):
        has(p.run("run", status=2), "the DuckDB extension 'sqlite_scanner' is not bundled")
        return
    p.run("run")
    shown = p.call("show", "--inline", "select m.name, q.name as q from {{ ref('m') }} m, {{ ref('q') }} q", "--output", "json", "--quiet").stdout
    has(shown, '"name": "ann"')
    has(shown, '"q": "bob"')
    db = sqlite3.connect(p.dir / "other.db")
    equal(db.execute("select * from back").fetchall(), [(3, "eve")])
    db.close()
    p.run("run")


@case
def sheets_of_a_workbook(p):
    p.file("models/out.sql", "{{ config(materialized='external', plugin='excel', overrides={'sheet_name': 'people'}) }} select 1 as id, 'ann' as name")
    p.file("models/sub/more.sql", "{{ config(materialized='external', plugin='excel') }} select 1 as id")
    p.file("models/sub/m.sql", "select * from {{ source('s', 'book') }}")
    p.file("models/s.yml", "sources: [{name: s, tables: [{name: book, meta: {plugin: excel, external_location: '{name}.xlsx', sheet_name: people}}]}]")
    profile(p, "[{module: excel, config: {output: {file: book.xlsx, index: false}}}]")
    if not there("excel"):
        has(p.run("run", "-s", "out", status=1), "the DuckDB extension 'excel' is not bundled")
        return
    p.run("run", "-s", "out")
    p.run("run", "-s", "m")
    has(p.call("show", "-s", "m", "--output", "json", "--quiet").stdout, '"name": "ann"')
    has(p.run("run", "-s", "out", "more", "--threads", "1", status=1), "a file holds one sheet")


if __name__ == "__main__":
    sys.exit(main())
