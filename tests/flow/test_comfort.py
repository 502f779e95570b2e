"""Comfort at a terminal: the status line of a run (in a pseudo-terminal), places of errors in compiled SQL, the name that a typo meant."""
import os, pty, re, select, struct, sys, termios, time, fcntl

from dbt_flow import TARN, Gate, Project, case, equal, has, lacks, main

SLOW = "{{ config(materialized='table') }} select sleep_ms(1500) as n, %d as k"  # by the clock, however fast the machine is


class Seen(Project):
    terminal_of = {"TERM": "xterm", "NO_COLOR": None}

    def terminal(self, *command, columns=100, env=None, when=()):
        """What the program writes to a terminal of so many columns. when: (pattern, what to do once it has been written), one after the other."""
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
            os.chdir(self.dir)
            os.execvpe(TARN, [TARN, *command], self.env(env))
        out, end, when = b"", time.monotonic() + 600, list(when)
        while time.monotonic() < end and select.select([fd], [], [], 300)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
            if when and re.search(when[0][0], out.decode(errors="replace")):
                when.pop(0)[1]()
        os.close(fd)
        self.status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        equal([pattern for pattern, _ in when], [])
        return out.decode()

    def gated(self, name, before=""):
        """A model that is not done before the gate is opened, which is returned."""
        gate = Gate(self, name + ".gate")
        self.file(f"models/{name}.sql", before + "{{ config(materialized='table') }} select n from " + gate.sql)
        return gate


def screen(text):
    """The lines that stay: what a carriage return and 'erase to the end of the line' leave, without colors."""
    lines = []
    for line in re.sub(r"\033\[[0-9;]*m", "", text).split("\n"):
        shown = ""
        for piece in line.split("\r"):
            erased = piece.startswith("\033[K")
            piece = piece.replace("\033[K", "")
            shown = piece if erased or piece else shown
        lines.append(shown)
    return lines


def statuses(text):
    return [s for s in re.findall(r"\[\d+/\d+\][^\r\n\033]*", text)]


TOOK = r"( \(\d+s\))?"  # of a node; from a second on


@case
def status_line(p):
    """Nodes stand in it in the order of their numbers, whichever thread has them."""
    gates = [p.gated(f"slow_{i}") for i in range(3)]
    p.file("models/bad.sql", "select nope from {{ ref('slow_0') }}")
    out = p.terminal("run", when=[(rf"\[0/4\] slow_0{TOOK}, slow_1{TOOK} · \d+s", gates[0].open), (rf"\[1/4\] slow_1{TOOK}, slow_2{TOOK} · \d+s", gates[2].open),
                                  (rf"\[3/4\] slow_1{TOOK} · 1 failed · \d+s", gates[1].open)])
    equal(p.status, 1)
    lacks(out, ", slow_0")
    plain = [line for line in screen(out) if line.strip()]
    lacks("\n".join(plain), "[0/4]")  # nothing of it stays
    assert all(re.match(r"\d\d:\d\d:\d\d  |  |[A-Z ]|\s*\d* \|", line) for line in plain), plain
    has(plain[-1], "Done. PASS=3 WARN=0 ERROR=1")


@case
def status_line_fits_the_terminal(p):
    one, two = [p.gated(f"a_model_with_a_very_long_name_{i}_{'x' * 60}") for i in range(2)]
    seen = statuses(p.terminal("run", columns=40, when=[(r"\[0/2\] a_model", one.open), (r"\[1/2\] a_model", two.open)]))
    for s in seen:
        assert len(s) < 40, s


@case
def no_status_line_elsewhere(p):
    p.file("models/a.sql", SLOW % 1)
    lacks(p.run("run"), "[0/1]")
    lacks(p.terminal("run", "--log-format", "json"), "[0/1]")
    lacks(p.terminal("run", "--quiet"), "[0/1]")
    lacks(p.terminal("run", env={"TERM": "dumb"}), "[0/1]")


@case
def what_is_left_is_guessed_from_the_last_run(p):
    p.file("models/one.sql", SLOW % 1)
    p.file("models/two.sql", "-- depends_on: {{ ref('one') }}\n" + SLOW % 2)
    p.run("run")
    gate = p.gated("one")  # now it takes longer
    p.terminal("run", when=[(r"\[0/2\] one .*about \d+s left", gate.open)])
    equal(p.status, 0)


@case
def place_in_the_compiled_code(p):
    p.file("models/a.sql", "{{ config(materialized='table') }}\n{% set n = 3 %}\nwith x as (\n    select 1 as id\n)\n\nselect id, nope\nfrom x\nwhere id < {{ n }}\n")
    out = p.run("run", status=1)
    code = (p.dir / "target/compiled/p/models/a.sql").read_text()
    line = [i for i, text in enumerate(code.split("\n"), 1) if "nope" in text][0]
    has(out, f"--> target/compiled/p/models/a.sql:{line}:12\n")
    has(out, f"{line} | select id, nope\n       |            ^\n")
    p.file("models/a.sql", "select " + ", ".join(f"{i} as column_number_{i}" for i in range(40)) + ", nope, 1 as z from (select 1 as y)")
    out = p.run("run", status=1)
    at = (p.dir / "target/compiled/p/models/a.sql").read_text().index("nope") + 1
    has(out, f"--> target/compiled/p/models/a.sql:1:{at}\n")
    p.file("models/a.sql", "select 1 as y")
    p.file("tests/t.sql", "select *\nfrom {{ ref('a') }}\nwhere z = 1")
    has(p.run("build", status=1), "--> target/compiled/p/tests/t.sql:3:7\n")
    p.file("tests/t.sql", "select 1 as failed")
    lacks(p.run("build", status=1), "-->")  # a test that fails is no error of its SQL


@case
def nearest_names(p):
    p.file("models/staging/stg_orders.sql", "{{ config(tags=['nightly']) }} select 1 as id")
    p.file("models/orders.sql", "select * from {{ ref('stg_orders') }}")
    p.file("models/sources.yml", "sources: [{name: raw, tables: [{name: payments}]}]\n")
    p.file("macros/m.sql", "{% macro cents(x) %}{{ x }}{% endmacro %}")
    for typed, meant in (("biuld", "build"), ("lineag", "lineage"), ("snapshoot", "snapshot")):
        has(p.run(typed, status=2), f"did you mean '{meant}'?")
    lacks(p.run("zzzzzz", status=2), "did you mean")
    has(p.run("build", "--selct", "x", status=2), "did you mean --select?")
    for typed, meant in (("ordres", "orders"), ("+ordres+1", "orders"), ("tag:nighly", "nightly"), ("stagin", "staging"), ("path:models/order.sql", "models/orders.sql")):
        has(p.run("run", "-s", typed), f"'{typed}' does not match any enabled nodes; did you mean '{meant}'?")
    lacks(p.run("run", "-s", "zzzzzz"), "did you mean")
    has(p.run("--warn-error", "run", "-s", "ordres", status=2), "did you mean 'orders'?")
    has(p.run("run-operation", "cnets", status=2), "did you mean 'cents'?")
    p.file("models/bad.sql", "select 1 as a,\n  {{ cnets(1) }} as b")
    has(p.run("run", "-s", "bad", status=1), "hint: did you mean 'cents'?")
    p.file("models/bad.sql", "select 1 as a\nfrom {{ ref('stg_ordres') }}")
    out = p.run("parse", status=2)
    has(out, "models/bad.sql:2:13\n")
    has(out, "hint: did you mean 'stg_orders'")
    p.file("models/bad.sql", "select 1 as a from {{ source('raw', 'paymets') }}")
    has(p.run("parse", status=2), "did you mean 'raw.payments'")
    p.file("models/bad.sql", "select 1 as a")
    p.file("dbt_project.yml", "name: p\nversion: '1.0'\nprofile: p\nmodles: {p: {+materialized: table}}\n")
    has(p.run("parse", status=2), "did you mean 'models'?")


if __name__ == "__main__":
    sys.exit(main(Seen))
