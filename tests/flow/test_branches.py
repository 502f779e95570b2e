"""Branches of a lake as a user works with them: create, change, diff, promote, rebase, drop; tags, --at, cleaning."""
import json, subprocess
from lake_flow import case, equal, has, main

import duckdb


def prod(lake):
    lake.run("sql", "CREATE TABLE s.a AS SELECT i AS id, i * 2 AS v FROM range(10) r(i)")
    lake.run("sql", "CREATE TABLE s.b AS SELECT 1 AS x")


def count(lake, table, *more):
    return json.loads(lake.run("sql", "--format", "json", *more, f"SELECT count(*) AS n FROM {table}"))[0]["n"]


def shown(lake, env, sql):
    with duckdb.connect(str(lake.root / f"catalog/{env}.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def moves(lake, *words, **kw):
    return json.loads(lake.run("lake", "env", *words, "--output", "json", **kw))


@case
def a_branch_costs_nothing_and_comes_back(lake):
    prod(lake)
    before = {p: p.stat().st_size for p in lake.root.rglob("*.parquet")}
    lake.run("lake", "env", "create", "alice")
    equal({p: p.stat().st_size for p in lake.root.rglob("*.parquet")}, before)
    lake.run("sql", "--env", "alice", "UPDATE s.a SET v = 0 WHERE id BETWEEN 1 AND 2")
    lake.run("sql", "--env", "alice", "INSERT INTO s.a VALUES (100, 1)")
    lake.run("sql", "--env", "alice", "DELETE FROM s.a WHERE id = 9")
    d = json.loads(lake.run("lake", "diff", "prod", "alice", "--key", "id", "--output", "json"))
    equal([(x["name"], x["rows_added"], x["rows_removed"], x["rows_changed"], x["rows_before"], x["rows_after"]) for x in d], [("a", 1, 1, 2, 10, 10)])
    d = json.loads(lake.run("lake", "diff", "prod", "alice", "--rows", "--output", "json"))
    equal([(x["rows_added"], x["rows_removed"]) for x in d], [(3, 3)])
    equal(moves(lake, "promote", "alice", "--dry-run")["changed"], ["s.a"])
    equal(count(lake, "s.a WHERE v = 0 AND id > 0"), 0)
    equal(moves(lake, "promote", "alice", "--to", "prod")["changed"], ["s.a"])
    equal(shown(lake, "prod", "select count(*), sum(v) from s.a"), [(10, 90 - 18 - 2 - 4 + 1)])
    lake.run("sql", "INSERT INTO s.a VALUES (7, 7)")
    equal((count(lake, "s.a"), count(lake, "s.a", "--env", "alice")), (11, 10))


@case
def a_base_that_moved_asks_for_a_rebase(lake):
    prod(lake)
    lake.run("lake", "env", "create", "alice")
    lake.run("sql", "--env", "alice", "INSERT INTO s.b VALUES (2)")
    lake.run("sql", "INSERT INTO s.a VALUES (11, 0)")
    lake.run("lake", "env", "promote", "alice", status=1)
    has(lake.err, "s.a")
    has(lake.err, "tarn lake env rebase alice")
    equal(moves(lake, "rebase", "alice")["changed"], ["s.a"])
    equal(count(lake, "s.a", "--env", "alice"), 11)
    equal(moves(lake, "promote", "alice")["changed"], ["s.b"])
    equal((count(lake, "s.a"), count(lake, "s.b")), (11, 2))


@case
def both_changed(lake):
    prod(lake)
    lake.run("lake", "env", "create", "alice")
    lake.run("sql", "--env", "alice", "INSERT INTO s.b VALUES (2)")
    lake.run("sql", "INSERT INTO s.b VALUES (3), (4)")
    lake.run("lake", "env", "rebase", "alice", status=1)
    has(lake.err, "--ours")
    equal(count(lake, "s.b", "--env", "alice"), 2)
    lake.run("lake", "env", "rebase", "alice", "--ours", "--theirs", status=2)
    lake.run("lake", "env", "rebase", "alice", "--theirs")
    equal(count(lake, "s.b", "--env", "alice"), 3)
    equal(moves(lake, "promote", "alice")["changed"], [])


@case
def dropping_frees_what_only_it_had(lake):
    prod(lake)
    lake.run("lake", "env", "create", "alice")
    lake.run("sql", "--env", "alice", "CREATE TABLE s.big AS SELECT i FROM range(1000) r(i)")
    lake.run("sql", "--env", "alice", "INSERT INTO s.b VALUES (2)")
    lake.run("lake", "env", "promote", "prod", status=2)
    lake.run("lake", "env", "drop", "alice")
    assert not (lake.root / "catalog/alice.duckdb").exists()
    lake.run("sql", "--env", "alice", "SELECT * FROM s.nothing", status=None)
    kept = json.loads(lake.run("lake", "gc", "--output", "json"))
    equal((kept["tables"], kept["commits_removed"]), ([], 0))
    would = json.loads(lake.run("lake", "gc", "--retention", "0s", "--dry-run", "--output", "json"))
    gone = json.loads(lake.run("lake", "gc", "--retention", "0s", "--output", "json"))
    equal(sorted(gone["tables"]), ["_tarn/tables/alice/s/b", "s/big"])
    equal((would["tables"], would["bytes"]), (gone["tables"], gone["bytes"]))
    equal((count(lake, "s.a"), count(lake, "s.b")), (10, 1))
    equal(json.loads(lake.run("lake", "gc", "--retention", "0s", "--output", "json"))["tables"], [])


@case
def the_main_environment_is_dropped_by_force_only(lake):
    prod(lake)
    lake.run("lake", "env", "create", "alice")
    lake.run("lake", "env", "create", "bob", "--from", "alice")
    lake.run("lake", "env", "drop", "prod", status=None)
    for word in ("'prod' (2 relations)", "alice", "--force"):
        has(lake.err, word)
    lake.run("lake", "env", "drop", "alice", status=None)
    has(lake.err, "bob")
    equal(count(lake, "s.a"), 10)
    lake.run("lake", "env", "drop", "bob")
    lake.run("lake", "env", "drop", "alice")
    lake.run("lake", "env", "drop", "prod", status=None)
    has(lake.err, "main one")
    has(lake.err, "--force")
    equal(shown(lake, "prod", "select count(*) from s.a"), [(10,)])
    lake.run("lake", "env", "drop", "prod", "--force")
    equal(json.loads(lake.run("lake", "env", "ls", "--output", "json")), {})


@case
def a_folder_belongs_to_who_wrote_it_also_after_a_promotion(lake):
    prod(lake)
    place = lambda: next(p["location"] for p in json.loads(lake.run("lake", "show", "prod", "--output", "json"))["pins"] if p["relation"] == "s.b")
    lake.run("lake", "env", "create", "alice")
    lake.run("sql", "--env", "alice", "INSERT INTO s.b VALUES (2)")
    lake.run("lake", "env", "promote", "alice")
    equal(place(), "_tarn/tables/alice/s/b")
    lake.run("sql", "INSERT INTO s.b VALUES (3)")
    equal((place(), count(lake, "s.b"), count(lake, "s.b", "--env", "alice")), ("_tarn/tables/prod/s/b", 3, 2))
    lake.run("lake", "env", "rebase", "alice")
    lake.run("sql", "--env", "alice", "INSERT INTO s.b VALUES (4)")
    lake.run("lake", "env", "promote", "alice")
    lake.run("lake", "env", "drop", "alice")
    lake.run("sql", "INSERT INTO s.b VALUES (5)")
    equal((place(), count(lake, "s.b")), ("_tarn/tables/alice/s/b", 5))
    lake.run("lake", "gc", "--retention", "0s")
    equal((count(lake, "s.b"), shown(lake, "prod", "select count(*) from s.b")), (5, [(5,)]))


@case
def files_that_a_branch_shares_stay(lake):
    prod(lake)
    lake.run("lake", "env", "create", "alice")
    lake.run("sql", "--env", "alice", "INSERT INTO s.a VALUES (50, 0)")  # a shallow clone of s/a
    lake.run("sql", "DROP TABLE s.a")
    lake.run("lake", "gc", "--retention", "0s")
    equal(count(lake, "s.a", "--env", "alice"), 11)
    equal(shown(lake, "alice", "select count(*) from s.a"), [(11,)])


@case
def tags_and_the_lake_as_it_was(lake):
    prod(lake)
    lake.run("lake", "tag", "create", "q1", "--message", "the report")
    lake.run("sql", "INSERT INTO s.a VALUES (11, 0)")
    lake.run("sql", "INSERT INTO s.b VALUES (2)")
    equal([(t["tag"], t["lake_commit"], t["message"]) for t in json.loads(lake.run("lake", "tag", "ls", "--output", "json"))], [("q1", 1, "the report")])
    equal((count(lake, "s.a", "--at", "q1"), count(lake, "s.b", "--at", "q1")), (10, 1))
    equal((count(lake, "s.a", "--at", "2"), count(lake, "s.b", "--at", "2")), (11, 1))
    equal(count(lake, "s.a", "--at", "2999-01-01"), 11)
    lake.run("sql", "--at", "q2", "FROM s.a", status=2)
    has(lake.err, "q2")
    lake.run("lake", "gc", "--retention", "0s")
    lake.run("sql", "VACUUM s.a RETAIN 0 HOURS", status=None)
    equal((count(lake, "s.a", "--at", "q1"), count(lake, "s.a")), (10, 11))
    lake.run("sql", "--at", "2", "FROM s.a", status=2)  # cleaned away
    lake.run("lake", "rollback", "--to", "q1")
    equal((count(lake, "s.a"), count(lake, "s.b")), (10, 1))
    shown_ = json.loads(lake.run("lake", "show", "q1", "--output", "json"))
    equal((shown_["commit"], sorted(p["relation"] for p in shown_["pins"])), (1, ["s.a", "s.b"]))
    lake.run("lake", "tag", "create", "q1", status=None)
    has(lake.err, "already")
    lake.run("lake", "tag", "rm", "q1")
    lake.run("sql", "--at", "q1", "FROM s.a", status=2)


@case
def bad_words(lake):
    prod(lake)
    for words in (["env"], ["env", "promote"], ["tag", "create"], ["nonsense"], ["gc", "--retention", "soon"], ["env", "create", "x", "--from", "nobody"],
                  ["tag", "create", "2026-01-01"], ["env", "drop", "nobody"], ["diff", "prod"]):
        lake.run("lake", *words, status=2)
        assert lake.err.strip(), words


main()
