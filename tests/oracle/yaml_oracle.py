"""Expected values of tests/golden/project_yaml.jsonl, from PyYAML's CSafeLoader.

    python tests/oracle/yaml_oracle.py            checks that the file says what PyYAML says
    python tests/oracle/yaml_oracle.py --accept   writes the file

Each line: {"yaml": text, "repr": Python's repr of the value, "dump": yaml.safe_dump of it} or {"yaml": text, "error": true}.
tests/unit/test_yaml.c reads the file and compares, so the unit test needs no Python.
"""
import datetime
import json
import os
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden", "project_yaml.jsonl")

SCALARS = """
yes|Yes|YES|yEs|no|No|NO|true|True|TRUE|tRue|false|False|FALSE|on|On|ON|off|Off|OFF|y|n|Y|N
~|null|Null|NULL|nUll|none|None
0|1|-1|+1|007|010|0o10|08|-010|0x1F|0X1F|0xdead_beef|-0x10|0b101|0b102|+0b11|1_000|1__0|_1|1_|0_7|-0|00
1:30|1:30:45|-1:30|1:60|190:20:30|0:30|01:30|1:30.5|-1:30:00.25|1:3|9:59:59
12345678901234567890|-99999999999999999999|9223372036854775807|9223372036854775808|-9223372036854775808|0xFFFFFFFFFFFFFFFFFF
1.0|1.|.5|-.5|+.5|1e3|1.0e3|1.0e+3|1.5E-3|1e+3|.5e+2|1_0.5_0|.inf|-.inf|+.Inf|.INF|.nan|.NaN|.NAN|-.nan|inf|nan|.|-|+|1.2.3|..|.e+1|._5|12e03|-2E+05
2024-01-31|2024-1-31|2024-01-31T10:20:30|2024-01-31 10:20:30|2024-01-31t10:20:30.5|2024-01-31 10:20:30.123456789|2024-01-31 10:20:30Z
2024-01-31 10:20:30 +02:00|2024-01-31 10:20:30-5|2024-01-31T10:20:30 Z|2001-12-14t21:59:43.10-05:30|2024-01-31 1:20:30|2024-01-31 10:20|20240131|24-01-31
2024-02-30|2024-13-01
'quoted'|"dq \\n \\t \\u00e9 \\x41"|'it''s'|"true"|'010'|!!str 010|!!int "3"|!!float "1.5"|!!float 3|!!bool "yes"|!!null ""|!!str|! 12
!!binary aGVsbG8=|!!timestamp "2024-01-01"|!!int x|!!bool maybe|!foo bar|!!python/none x|=|<<|"<<"
a: b: c|a:b|a #comment|a#b|'#'|@x|`x`|%x|"unterminated|'unterminated|{{ x }}|"{{ x }}"|-1-1|1-1|*x|&x y|http://a.b/c?d=e#f|>=1.0.0|[">=1.0.0", "<2.0.0"]
"""

DOCS = [
    "", "\n", "# only a comment\n", "---\n", "--- a\n", "--- a\n...\n", "--- a\n--- b\n", "%YAML 1.1\n---\na: 1\n",
    "a: 1\nb: 2\n", "a:\n  - 1\n  - b\n", "a:\n- 1\n- 2\nb: x\n", "- a: 1\n  b: 2\n- c: 3\n", "- - 1\n  - 2\n- - 3\n",
    "{a: 1, b: [x, y], c: {d: e}}", "{a, b: , c}", "[a, , b]", "[a, b,]", "[]", "{}", "a: []\nb: {}\n",
    "a:\nb: ~\nc: ''\n", "a: |\n  x\n  y\n", "a: |-\n  x\n  y\n", "a: |+\n  x\n\n\nb: 1\n", "a: >\n  x\n  y\n\n  z\n",
    "a: >-\n  x\n   more\n  y\n", "a: |2\n    x\n   y\n", "a: 'x\n  y'\n", "a: \"x\n  y\\\n  z\"\n", "a: x\n  y\n  z\n",
    "x: &a {p: 1, q: 2}\ny: *a\n", "x: &a [1, 2]\ny: [*a, *a]\n", "x: &a 5\ny: *a\n",
    "b: &b {p: 1, q: 2}\nd:\n  <<: *b\n  q: 3\n  r: 4\n", "b: &b {p: 1, q: 2}\nd:\n  q: 3\n  <<: *b\n",
    "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  d: 4\n",
    "x: &x {a: 1}\ny:\n  <<: *x\n  <<: {b: 2}\n", "y:\n  <<: 3\n", "y:\n  <<: [1]\n",
    "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y, c: 3}\n", "a: 1\na: 2\n", "1: a\n1.0: b\ntrue: c\n", "yes: 1\nno: 2\n",
    "on: push\n", "? [1, 2]\n: x\n", "? {a: 1}\n: x\n", "? a\n: b\n", "? a\n? b\n", "null: 1\n~: 2\n", "2024-01-01: day\n", "=: 1\n",
    "a: =\n", "!!set {a}\n", "!!omap [a: 1, b: 2]\n", "!!pairs [a: 1, a: 2]\n", "!!map {a: 1}\n", "!!seq [1]\n", "!!omap [a]\n",
    "!x [1]\n", "!x {a: 1}\n", "a: *nope\n", "\ta: 1\n", "a:\n\t- 1\n", "a: 1\n b: 2\n", "a: [1, 2\nb: 3\n", "a: {b: 1\n",
    "- 1\n-2\n", "a: - b\n", "key with spaces: v\n", "'quoted key': v\n", "a: 'b' c\n", "\"a\": 1\n", "a : 1\n", "a:1\n",
    "\u00fcber: stra\u00dfe\nemoji: \U0001F600\n", "a: \"\\U0001F600\\e\\0\"\n", "\ufeffa: 1\n", "a: 1\r\nb: 2\r\n", "a: x\u2028y\n",
    "version: 2\nmodels:\n  - name: orders\n    columns:\n      - name: id\n        tests:\n          - unique\n          - not_null\n"
    "          - accepted_values:\n              values: ['a', 'b']\n",
    "models:\n  p:\n    +tags: [a]\n    +meta: {x: 1}\n    sub:\n      +materialized: table\n",
    "vars:\n  'dbt_date:time_zone': 'America/Los_Angeles'\n  start: 2020-01-01\n",
    "on-run-start:\n  - \"{{ f('x') }}\"\n  - create table if not exists t (a int)\n",
    "a: {{ x }}\n", "a: '{{ x }}'\n", "d: >\n  {{ doc('x') }}\n  more\n", "a: &a\n  b: *a\n",
    "secret: !!binary |\n  aGVsbG8g\n  d29ybGQ=\n", "[a: 1, b]", "{a: [1, {b: 2}], ? c : d}", "- |\n a\n- >\n b\n c\n", "--- |\n text\n",
    "--- >-\n folded\n text\n", "a: # note\n  1\n", "a: 1 # note\n# note\nb: 2\n", "- # x\n  a\n", "a: \"#no\" #yes\n",
]


def cases():
    for line in SCALARS.strip().splitlines():
        for s in line.split("|"):
            yield s
            yield "k: " + s + "\n"
    yield from DOCS


DUMPS = [
    None, True, 1, 1.5, 1e17, float("inf"), "x", "", "true", "010", "1e3", "a b", "a: b", "- a", "#", "it's", 'a "b"', "a\nb", " x ", "\u00e9",
    "~", "2024-01-01", datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 10, 20, 30), [], {}, [1, "a", None], {"a": 1, "b": [1, 2]},
    {"a": {"b": {"c": []}}}, [[1, 2], [3]], [{"a": 1, "b": 2}, {"c": 3}], {"z": 1, "a": 2}, {1: "x", 2: "y"}, "x" * 100,
    "word " * 30 + "end", {"k": "word " * 30 + "end"}, "=", "<<", "null", "0x10", "1:30", "@a", "%a", "a\tb", "end ", "\n", "a\n\nb\n",
]


def expected():
    lines = []
    for text in cases():
        try:
            v = yaml.load(text, Loader=yaml.CSafeLoader)
            r = repr(v)
            if "..." in r and "..." not in text:
                raise ValueError("recursive")
            lines.append({"yaml": text, "repr": r})
        except Exception:
            lines.append({"yaml": text, "error": True})
    for v in DUMPS:
        text = yaml.safe_dump(v)
        lines.append({"yaml": text, "repr": repr(yaml.safe_load(text)), "dump": text})
    return "".join(json.dumps(x) + "\n" for x in lines)


def main():
    want = expected()
    if "--accept" in sys.argv:
        with open(GOLDEN, "w") as f:
            f.write(want)
        return 0
    with open(GOLDEN) as f:
        got = f.read()
    if got != want:
        for a, b in zip(got.splitlines(), want.splitlines()):
            if a != b:
                print("file: ", a, "\nPyYAML:", b)
        print("tests/golden/project_yaml.jsonl is not what PyYAML gives: run with --accept")
        return 1
    print("%d cases agree with PyYAML %s" % (want.count("\n"), yaml.__version__))
    return 0


if __name__ == "__main__":
    sys.exit(main())
