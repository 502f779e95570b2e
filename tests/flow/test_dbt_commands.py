"""Commands of dbt beside build: clone, docs, debug, run-operation --sql, clean; each as a user types it."""
import http.client, json, os, pathlib, re, shutil, signal, subprocess, sys, time

from dbt_flow import TARN, Project, case, equal, has, lacks, main

HERE = pathlib.Path(__file__).resolve().parent


def two_targets(p):
    p.file("profiles.yml", "p:\n  target: prod\n  outputs:\n    prod: {type: duckdb, path: p.duckdb, schema: prod}\n    dev: {type: duckdb, path: p.duckdb, schema: dev}\n")
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "{{ config(materialized='table') }} select * from {{ ref('a') }}")
    p.file("models/e.sql", "{{ config(materialized='ephemeral') }} select 2 as id")
    p.file("seeds/s.csv", "x\n1\n")


def shown(p, sql, *more):
    doc = p.run("show", "--quiet", "--output", "json", "--limit", "-1", "--inline", sql, *more)
    return json.loads(doc)["show"]


@case
def clone_makes_views_of_the_other_run(p):
    two_targets(p)
    p.run("build")
    shutil.copytree(p.dir / "target", p.dir / "state")
    p.file("models/new.sql", "select 3 as id")
    out = p.run("clone", "--state", "state", "-t", "dev")
    has(out, "No relation found in state manifest for model.p.new")
    has(out, "Done. PASS=4 WARN=0 ERROR=0 SKIP=0 NO-OP=0 REUSED=0 TOTAL=4")
    lacks(out, "START")
    rows = shown(p, "select table_schema as s, table_name as t, table_type as k from information_schema.tables where table_schema = 'dev' order by 2", "-t", "dev")
    equal([(r["t"], r["k"]) for r in rows], [("a", "VIEW"), ("b", "VIEW"), ("s", "VIEW")])
    equal(shown(p, "select * from dev.b", "-t", "dev"), [{"id": 1}])


@case
def clone_leaves_what_is_there_unless_told(p):
    two_targets(p)
    p.run("build")
    shutil.copytree(p.dir / "target", p.dir / "state")
    p.run("run", "-t", "dev")
    has(p.run("clone", "--state", "state", "-t", "dev", "-s", "b"), 'Relation "p"."dev"."b" already exists')
    results = json.loads((p.dir / "target/run_results.json").read_text())
    equal([(r["unique_id"], r["status"], r["message"]) for r in results["results"]], [("model.p.b", "success", "No-op")])
    equal(results["args"]["which"], "clone")
    lacks(p.run("clone", "--state", "state", "-t", "dev", "-s", "b", "--full-refresh"), "already exists")
    equal(shown(p, "select table_type as k from information_schema.tables where table_schema = 'dev' and table_name = 'b'"), [{"k": "VIEW"}])


@case
def clone_in_a_lake(p):
    p.file("profiles.yml", "p:\n  target: prod\n  outputs:\n    prod: {type: tarn, lake: lake}\n    other: {type: tarn, lake: lake, environment: prod, schema: other}\n    dev: {type: tarn, lake: lake}\n")
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "{{ config(materialized='table') }} select * from {{ ref('a') }}")
    p.run("build")
    shutil.copytree(p.dir / "target", p.dir / "state")
    has(p.run("clone", "--state", "state", "-t", "dev"), "Target relation and defer relation are the same, skipping clone")
    p.run("clone", "--state", "state", "-t", "other")
    equal(shown(p, "select count(*) as n from other.b", "-t", "other"), [{"n": 1}])


@case
def clone_in_a_lake_makes_shallow_clones_of_tables(p):
    p.file("profiles.yml", "p:\n  target: prod\n  outputs:\n    prod: {type: tarn, lake: lake}\n    other: {type: tarn, lake: lake, environment: prod, schema: other}\n")
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "{{ config(materialized='table') }} select * from {{ ref('a') }}")
    p.file("models/c.sql", "{{ config(materialized='incremental', unique_key='id') }} select {{ 2 if is_incremental() else 1 }} as id")
    p.file("seeds/s.csv", "x\n1\n")
    p.run("build")
    shutil.copytree(p.dir / "target", p.dir / "state")
    p.run("clone", "--state", "state", "-t", "other")
    parts = lambda: sorted(f.name for f in (p.dir / "lake").rglob("*.parquet") if "_delta_log" not in str(f))
    before = parts()
    logs = sorted(f.parent.parent.name for f in (p.dir / "lake").rglob("_delta_log/00000000000000000000.json"))
    equal(logs, ["b", "b", "c", "c", "s", "s"])  # a is a view there, too
    equal(len(before), 3)
    equal(shown(p, "select (select id from other.b) as b, (select id from other.c) as c, (select x from other.s) as s, (select id from other.a) as a", "-t", "other"),
          [{"b": 1, "c": 1, "s": 1, "a": 1}])
    # A table of its own: what is built on it is not seen in the source.
    p.run("run", "-t", "other", "-s", "c")
    equal(shown(p, "select (select count(*) from other.c) as there, (select count(*) from main.c) as here", "-t", "other"), [{"there": 2, "here": 1}])
    has(p.run("clone", "--state", "state", "-t", "other", "-s", "c"), "already exists")
    p.run("clone", "--state", "state", "-t", "other", "-s", "c", "--full-refresh")
    equal(shown(p, "select count(*) as n from other.c", "-t", "other"), [{"n": 1}])
    # A view makes room for a table.
    p.file("models/b.sql", "select 7 as id")
    p.run("run", "-t", "other", "-s", "b")
    p.run("clone", "--state", "state", "-t", "other", "-s", "b", "--full-refresh")
    equal(shown(p, "select id from other.b", "-t", "other"), [{"id": 1}])


@case
def clone_needs_a_state(p):
    two_targets(p)
    has(p.run("clone", status=2), "--state or --defer-state are required for deferral, but neither was provided")
    has(p.run("clone", "--state", "nowhere", status=2), "Could not find manifest in --state path")


@case
def docs_generate_writes_the_site_and_its_one_file_form(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\nasset-paths: [assets]\n")
    p.file("assets/logo.txt", "logo")
    p.file("models/a.sql", "select 1 as id, '</script><script>boom()</script>' as t")
    p.file("models/b.sql", "select id from {{ ref('a') }}")
    p.file("models/m.yml", "models: [{name: a, description: 'the <b>first</b> & `only`', columns: [{name: id, description: key, data_tests: [unique]}]}]")
    p.run("build")
    p.run("docs", "generate", "--static")
    page = (p.dir / "target/static_index.html").read_text()
    equal((p.dir / "target/assets/logo.txt").read_text(), "logo")
    lacks(page, "<script>boom()")  # what is data cannot end its element
    manifest = re.search(r'<script type="application/json" id="manifest.json">(.*?)</script>', page, re.S).group(1)
    has(json.loads(manifest)["nodes"]["model.p.a"]["raw_code"], "</script><script>boom()")
    if not shutil.which("node"):
        print("SKIPPED the site's script: no node")
        return
    got = subprocess.run(["node", HERE / "docs_pages.js", p.dir / "target/static_index.html", "a", "id", "first", "nothing"], capture_output=True, text=True)
    equal(got.stderr, "")
    saw = json.loads(got.stdout)
    has(saw["overview"], "<b>2</b>")
    a = saw["pages"]["model.p.a"]
    has(a, "the &#60;b&#62;first&#60;/b&#62; &#38; <code>only</code>")
    has(a, "INTEGER")
    has(a, "unique")
    has(a, "model.p.b")
    lacks(a, "<script>")
    has(saw["pages"]["model.p.b"], "Compiled")
    equal(saw["found"]["a"][0], "model.p.a")
    equal(set(saw["found"]["first"]), {"model.p.a"})
    equal(saw["found"]["nothing"], [])
    equal(saw["overlaps"] + saw["backward"], [])
    has(saw["markdown"], "<h1>T</h1><p><i>a</i> <b>b</b> <code>c&#60;d</code></p><ul><li>x</li><li>y</li></ul>")
    lacks(saw["markdown"], "href=\"javascript")
    has(saw["markdown"], "<td>1</td><td>2</td>")


@case
def docs_generate_can_be_narrowed(p):
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "select 2 as id")
    p.run("run")
    p.run("docs", "generate", "-s", "a")
    equal(list(json.loads((p.dir / "target/catalog.json").read_text())["nodes"]), ["model.p.a"])
    shutil.rmtree(p.dir / "target")
    p.run("docs", "generate", "--empty-catalog", "--no-compile", "--static")
    has((p.dir / "target/static_index.html").read_text(), "model.p.b")
    equal(json.loads((p.dir / "target/catalog.json").read_text())["nodes"], {})


CATALOG_MACROS = """
{% macro get_catalog_relations(information_schema, relations) %}
  {% do log('asked of ' ~ information_schema ~ ': ' ~ relations | map(attribute='identifier') | sort | join(','), info=true) %}
  {% set sql %}select '{{ target.database }}' as table_database, 'main' as table_schema, 'a' as table_name, 'ODD' as table_type, 'note' as table_comment,
    'id' as column_name, 1 as column_index, 'INT' as column_type, null as column_comment, 'me' as table_owner, 'Size' as "stats:size:label",
    12.5 as "stats:size:value", 'how big' as "stats:size:description", true as "stats:size:include"{% endset %}
  {{ return(run_query(sql)) }}
{% endmacro %}
{% macro get_catalog(information_schema, schemas) %}
  {% do exceptions.raise_compiler_error('no catalog of ' ~ schemas | join(',')) %}
{% endmacro %}
"""


@case
def docs_generate_asks_the_projects_own_catalog_macros(p):
    """With a compilation the selected relations are asked for, each once; without one all of the schemas."""
    p.file("models/a.sql", "select 1 as id")
    p.file("models/b.sql", "select 1 as id")
    p.file("models/s.yml", "sources: [{name: main, tables: [{name: a}]}]\n")
    p.file("macros/m.sql", CATALOG_MACROS)
    p.run("run")
    out = p.run("docs", "generate")
    has(out, ".INFORMATION_SCHEMA: a,b\n")
    catalog = json.loads((p.dir / "target/catalog.json").read_text())
    equal([list(catalog["nodes"]), list(catalog["sources"]), catalog["errors"]], [["model.p.a"], ["source.p.main.a"], None])
    a = catalog["nodes"]["model.p.a"]
    equal([a["metadata"]["type"], a["metadata"]["owner"], a["metadata"]["comment"], list(a["columns"])], ["ODD", "me", "note", ["id"]])
    equal([a["stats"]["size"]["value"], a["stats"]["has_stats"]["value"]], [12.5, True])
    out = p.run("docs", "generate", "--no-compile", status=1)
    has(out, "Encountered an error while generating catalog: Compilation Error")
    has(out, "no catalog of main")
    has(out, "dbt encountered 1 failure while writing the catalog")
    equal(len(json.loads((p.dir / "target/catalog.json").read_text())["errors"]), 1)
    has(p.run("--warn-error", "docs", "generate", "--no-compile", status=2), "no catalog of main")


def get(port, path, method="GET"):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    c.putrequest(method, path, skip_accept_encoding=True)
    c.endheaders()
    r = c.getresponse()
    return r.status, r.getheader("Content-Type"), r.read()


@case
def docs_serve_shows_the_target_folder_and_nothing_else(p):
    p.file("models/a.sql", "select 1 as id")
    p.run("docs", "generate", "--empty-catalog")
    p.file("secret.txt", "secret")
    os.symlink(p.dir / "secret.txt", p.dir / "target/link.txt")
    server = subprocess.Popen([TARN, "docs", "serve", "--port", "0", "--no-browser"], cwd=p.dir, stdout=subprocess.PIPE, text=True)
    try:
        port = None
        while port is None:
            line = server.stdout.readline()
            assert line, "the server has ended"
            m = re.search(r"Serving docs at (\d+)", line)
            port = int(m.group(1)) if m else None
        status, kind, body = get(port, "/")
        equal((status, kind), (200, "text/html; charset=utf-8"))
        has(body.decode(), "manifest.json")
        status, kind, body = get(port, "/manifest.json?again")
        equal((status, kind), (200, "application/json"))
        has(json.loads(body)["nodes"], "model.p.a")
        equal(get(port, "/", "HEAD")[2], b"")
        for path in ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/link.txt", "/./manifest.json", "//etc/passwd", "/", "relative", "/compiled/../../secret.txt", "/%00", "/nope.json"]:
            status, _, body = get(port, path)
            if path != "/":
                equal((path, status), (path, 404))
            lacks(body.decode(), "secret")
        equal(get(port, "/manifest.json", "POST")[0], 405)
        equal(get(port, "/manifest.json", "DELETE")[0], 405)
    finally:
        server.send_signal(signal.SIGINT)
        equal(server.wait(300), 0)


@case
def docs_serve_says_which_ports_there_are(p):
    for port in ("99999", "-1", str(2**32 + 8080)):  # the last would be 8080 in 32 bits
        has(p.run("docs", "serve", "--no-browser", f"--port={port}", status=2), f"{port} is no port: 1 to 65535, or 0 for a free one")


@case
def docs_serve_says_when_the_port_is_taken(p):
    import socket
    p.file("models/a.sql", "select 1 as id")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        has(p.run("docs", "serve", "--no-browser", "--port", str(port), status=2), f"cannot listen at '127.0.0.1' port {port}")


@case
def debug_names_what_is_right_and_what_is_wrong(p):
    out = p.run("debug")
    for line in ["profiles.yml file [OK found and valid]", "dbt_project.yml file [OK found and valid]", " - git [OK found]", "adapter type: duckdb", "  path: p.duckdb",
                 "  Connection test: [OK connection ok]", "All checks passed!"]:
        has(out, line)
    lacks(p.run("debug", "--connection"), "Required dependencies")
    has(p.run("debug", "--config-dir"), "xdg-open " + str(p.dir.resolve()))
    has(p.run("debug", "-t", "nope", status=1), "does not have a target named 'nope'")
    p.file("dbt_project.yml", "name: [\n")
    out = p.run("debug", status=1)
    has(out, "dbt_project.yml file [ERROR invalid]")
    has(out, "1 check failed:")
    (p.dir / "dbt_project.yml").unlink()
    has(p.run("debug", status=1), "dbt_project.yml file [ERROR not found]")


@case
def debug_keeps_secrets(p):
    p.file("profiles.yml", "p: {target: d, outputs: {d: {type: duckdb, path: ':memory:', secrets: [{type: s3, key_id: abc, secret: hushhush}]}}}")
    lacks(p.run("debug"), "hushhush")


@case
def operation_of_plain_sql(p):
    p.file("models/a.sql", "{{ config(materialized='table') }} select 1 as id")
    p.run("run")
    out = p.run("run-operation", "--sql", "insert into {{ ref('a') }} values (2)")
    has(out, "1 of 1 OK executed inline_query")
    equal(shown(p, "select id from {{ ref('a') }} order by 1"), [{"id": 1}, {"id": 2}])
    has(p.run("run-operation", "--sql", "select * from nowhere", status=1), "nowhere")
    has(p.run("run-operation", status=2), "Either a macro name or --sql must be passed to run-operation")
    has(p.run("run-operation", "m", "--sql", "select 1", status=2), "Cannot specify both")


@case
def seed_can_show_its_rows(p):
    p.file("seeds/s.csv", "x,y\n1,a\n2,b\n")
    out = p.run("seed", "--show")
    has(out, "Random sample of table: main.s")
    has(out, "| x | y |")
    lacks(p.run("seed"), "Random sample")


@case
def compile_can_leave_ephemerals_out(p):
    p.file("models/e.sql", "{{ config(materialized='ephemeral') }} select 1 as id")
    p.file("models/a.sql", "select * from {{ ref('e') }}")
    has(p.run("compile", "-s", "a"), "with __dbt__cte__e as (")
    lacks(p.run("compile", "-s", "a", "--no-inject-ephemeral-ctes"), "with __dbt__cte__e")


@case
def settings_of_the_project_are_options_too(p):
    p.file("dbt_project.yml", "name: p\nprofile: p\nflags: {printer_width: 60, log_format: json}\n")
    p.file("models/a.sql", "select 1 as id")
    for line in p.run("run").splitlines():
        json.loads(line)
    out = p.run("run", "--log-format", "text")
    start = [l for l in out.splitlines() if "START" in l][0]
    equal(len(re.sub(r" \[RUN\]$", "", start)[10:]), 60)


def init(p, *words, answers="", status=0):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    done = subprocess.run([TARN, "init", *words], cwd=p.dir, env={**clean, "HOME": str(p.dir / "home")}, input=answers, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}"
    return done.stdout


def empty(p):
    for name in ("dbt_project.yml", "profiles.yml"):
        (p.dir / name).unlink()
    (p.dir / "home").mkdir()


def inside(p, *command, status=0):
    done = subprocess.run([TARN, *command, "--project-dir", "shop"], cwd=p.dir, env={**os.environ, "HOME": str(p.dir / "home")}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == status, f"status {done.returncode}\n{done.stdout}"
    return done.stdout


@case
def init_makes_a_project_that_builds(p):
    empty(p)
    out = init(p, "shop", answers="1\n\n\n\n")
    has(out, 'Your new dbt project "shop" was created!')
    has(out, "All checks passed!")
    has((p.dir / "home/.dbt/profiles.yml").read_text(), "path: shop.duckdb")
    equal((p.dir / "shop/.gitignore").read_text().splitlines()[0], "target/")
    has(inside(p, "build"), "PASS=6 WARN=0 ERROR=0")
    has(init(p, "shop"), "A project called shop already exists here.")


@case
def init_of_a_lake_in_a_folder(p):
    empty(p)
    init(p, "shop", answers="2\nplace\n\n2\n")
    equal((p.dir / "home/.dbt/profiles.yml").read_text(), "shop:\n  target: dev\n  outputs:\n    dev:\n      type: tarn\n      lake: place\n      schema: main\n      threads: 2\n")
    inside(p, "run")
    equal([d.parent.name.split("-")[0] for d in p.dir.rglob("_delta_log")], ["my_first_dbt_model"])


@case
def init_of_a_lake_in_a_bucket(p):
    empty(p)
    init(p, "shop", "--skip-debug", answers="3\ns3://b/p\nhttps://m:9000\n\n\n\n")
    has((p.dir / "home/.dbt/profiles.yml").read_text(), "lake: s3://b/p")
    has((p.dir / "home/.dbt/profiles.yml").read_text(), "endpoint: https://m:9000")


@case
def init_asks_nothing_when_told(p):
    empty(p)
    out = init(p, "shop", "--skip-profile-setup")
    lacks(out, "Enter")
    equal((p.dir / "home/.dbt").exists(), False)
    has(init(p, "1shop", status=2), "1shop is not a valid project name.")
    p.file("profiles.yml", "mine: {target: d, outputs: {d: {type: duckdb, path: ':memory:'}}}\n")
    init(p, "other", "--profile", "mine", "--skip-debug")
    has((p.dir / "other/dbt_project.yml").read_text(), "profile: 'mine'")
    has(init(p, "third", "--profile", "nope", status=2), "Could not find profile named 'nope'")


@case
def init_in_a_project_adds_its_profile_and_keeps_the_others(p):
    p.file("home/.dbt/profiles.yml", "q: {target: d, outputs: {}}  # kept\n")
    (p.dir / "profiles.yml").unlink()
    init(p, answers="\n\n\n\n")
    text = (p.dir / "home/.dbt/profiles.yml").read_text()
    has(text, "# kept\np:\n  target: dev\n")
    has(init(p), "The profile p already exists")
    equal((p.dir / "home/.dbt/profiles.yml").read_text(), text)


@case
def deps_installs_locals_as_links_and_keeps_a_lock(p):
    p.file("packages.yml", "packages: [{local: mine}]\n")
    p.file("mine/dbt_project.yml", "name: mine\n")
    p.file("mine/macros/m.sql", "{% macro one() %}1{% endmacro %}")
    p.file("models/a.sql", "select {{ mine.one() }} as id")
    out = p.run("deps")
    has(out, "Installing mine")
    has(out, "Installed from <local @ mine>")
    equal((p.dir / "package-lock.yml").read_text().splitlines()[:3], ["packages:", "  - local: mine", "    name: mine"])
    p.file("mine/macros/m.sql", "{% macro one() %}2{% endmacro %}")
    has(p.run("compile", "-s", "a"), "select 2 as id")
    lacks(p.run("deps"), "Updating lock file")
    has(p.run("deps", "--upgrade", "--lock"), "Updating lock file")
    p.file("packages.yml", "packages: [{private: a/b}]\n")
    has(p.run("deps", status=2), "`private:` packages")


if __name__ == "__main__":
    sys.exit(main())
