"""Results of queries as templates know them, agate's Table and TableSet: what a macro prints of them with dbt and with tarn.

    python tests/oracle/table_oracle.py [--tarn PROGRAM]
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from both_programs import DBT, arguments, write

ROWS = "select * from (values (1, 'x', 3.5, true), (2, 'y', null, false), (3, 'x', 1, null), (4, null, 2, true), (4, null, 2, true)) v(a, b, c, d)"
NUMBERS = ("select * from (values (3.5::decimal(9, 4), 1::double, 1234567.5::double, 0.0005::decimal(5, 4), 1, 'n'), (1, 2.5, null, 0.0015, 2, 'a name of more than twenty letters'), "
           "(-999999.9996, 1e-7, -1e9, 0.9995, null, null), (0, 99.9, 0.1, 0.5, 12345678, ''), (12, -0.25, 100, 9.9996, 5, 'x')) v(p, q, r, s, i, t)")
ODD = ("select * from (values ('a,b', 'c\"d', date '2024-01-31', timestamp '2024-01-31 10:00:00.5', 1), ('two' || chr(10) || 'lines', 'mac' || chr(13) || 'lines', null, timestamp '2024-02-01', 2), "
       "('\u00e9', ' x ', date '0001-01-01', null, 123456789012)) v(e, f, g, \"h i\", j)")
# Each an expression over `t`, a table of ROWS, `numbers`, one of NUMBERS, `odd`, one of ODD, `g`, t.group_by('b'), and `none_at_all`, a table without rows.
EXPRESSIONS = """
g.keys() ~ (g | length) ~ g.key_name
g.get('x').columns['a'].values() ~ g.get('nothing') ~ (g.get(none).rows | length)
g.get('nothing', t.limit(1)).columns['a'].values()
g[0].columns['a'].values() ~ g['y'].columns['a'].values() ~ (g.dict() | length) ~ g.column_names
g.items() | map(attribute=0) | list
g.values() | map(attribute='rows') | map('length') | list
g | map(attribute='column_names') | list
g.limit(1).get('x').columns['a'].values() ~ g.select(['c']).get('x').column_names ~ g.exclude('c').get('y').column_names
g.order_by('a', reverse=true).get('x').columns['a'].values() ~ g.where(even).get(none).columns['a'].values() ~ g.distinct('a').get(none).columns['a'].values()
g.group_by('c').get('x').keys() ~ g.group_by('d').limit(1).get('x').get(true).columns['a'].values()
t.group_by('b', key_name='other').key_name
t.group_by('a').keys() ~ t.group_by('d').keys() ~ t.group_by('c').keys()
t.group_by(parity).keys() ~ t.group_by(parity).key_name ~ t.group_by(number).keys()
none_at_all.group_by('b').keys() | length
none_at_all.group_by('b').get('x')
t.find(even).values() ~ t.where(even).columns['a'].values() ~ t.find(never)
t.distinct('b').columns['a'].values() ~ t.distinct().columns['a'].values() ~ t.distinct(parity).columns['a'].values()
t.order_by('b').columns['a'].values() ~ t.order_by('c', reverse=true).columns['a'].values()
t.order_by(['b', 'c']).columns['a'].values() ~ t.order_by(parity).columns['a'].values() ~ none_at_all.order_by('a').rows | length
t.limit(2).columns['a'].values() ~ t.limit(1, 4).columns['a'].values() ~ t.limit(0, none, 2).columns['a'].values() ~ t.limit(-1).columns['a'].values() ~ t.limit(-3, -1).columns['a'].values()
t.select(['c', 'a']).column_names ~ t.exclude(['a']).column_names ~ t.rename({'a': 'z'}).column_names
t.rows[0].values() ~ t.rows[0].keys() ~ t.rows[-1]['a'] ~ t.rows[0].get('b') ~ t.rows[0].get('q', 9)
t.columns['b'].values_distinct() | length ~ t.columns['b'].values_without_nulls()
t.columns | map(attribute='name') | list
g
t.print_table(max_rows=2)
g.get('x').print_table(max_columns=2)
t.print_table(max_columns=2, max_rows=3)
numbers.print_table()
numbers.print_table(max_rows=2)
run_query("select * from (values (1e-7), (1e-6), (-1.25e-5), (1e16), (1.5e16), (-12345678901234568.0), (1e22), (1.25e-300), (0.0001)) v(x)").columns['x'].values() | map('string') | join(' ')
t.print_csv() ~ odd.print_csv() ~ numbers.print_csv() ~ none_at_all.print_csv() ~ t.select(['b']).print_csv()
odd.print_csv(delimiter=';', line_numbers=true) ~ odd.print_csv(lineterminator='|')
t.print_json() ~ odd.print_json() ~ numbers.print_json() ~ none_at_all.print_json()
odd.print_json(indent=2) ~ odd.print_json(newline=true) ~ none_at_all.print_json(newline=true) ~ none_at_all.print_json(indent=1)
t.limit(3).print_json(key='a') ~ t.limit(3).print_json(key='d', indent=1, sort_keys=true) ~ odd.print_json(key=name_of, ensure_ascii=true)
odd.to_csv('written/below/t.csv') ~ odd.to_csv('written/t2.csv', delimiter='x') ~ odd.to_json('written/t.json') ~ odd.to_json('written/t2.json', indent=3)
""".strip().splitlines()
MACROS = """{% macro even(row) %}{{ return(row['a'] % 2 == 0) }}{% endmacro %}
{% macro parity(row) %}{{ return('even' if row['a'] % 2 == 0 else none) }}{% endmacro %}
{% macro number(row) %}{{ return(row['a'] // 3) }}{% endmacro %}
{% macro never(row) %}{{ return(false) }}{% endmacro %}
{% macro name_of(row) %}{{ return(row['f']) }}{% endmacro %}
{% macro show_tables() %}
  {% set t = run_query(ROWS) %}{% set g = t.group_by('b') %}{% set numbers = run_query(NUMBERS) %}{% set strange %}THE_ODD{% endset %}{% set odd = run_query(strange) %}{% set none_at_all = run_query("select 1 as a, 'x' as b where false") %}
"""


def said(program, folder, env):
    """What it prints between the marks of each expression."""
    done = subprocess.run([program, "run-operation", "show_tables", "--no-use-colors"], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    parts = done.stdout.split("<<<")[1:]
    if done.returncode != 0:
        return [done.stdout[-2000:]]
    written = sorted(pathlib.Path(folder, "written").rglob("*.*"))
    told = [p.split(">>>", 1)[1].strip() for p in parts]
    told[-1] += "".join(f"{f.relative_to(folder)}: {f.read_text()}" for f in written)
    shutil.rmtree(pathlib.Path(folder, "written"))
    return told


def main():
    args = arguments().parse_args()
    env = {k: v for k, v in os.environ.items() if not k.startswith("DBT_")}
    env.update(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DBT_VERSION_CHECK="false")
    with tempfile.TemporaryDirectory() as folder:
        text = MACROS.replace("ROWS", f'"{ROWS}"').replace("NUMBERS", f'"{NUMBERS}"').replace("THE_ODD", ODD)
        for i, e in enumerate(EXPRESSIONS):
            text += f"  {{% do print('<<<{i}>>>') %}}{{% do print({e}) %}}\n"
        write(folder, {"dbt_project.yml": "name: p\nversion: '1.0'\nprofile: p\n", "macros/m.sql": text + "  {% do print('<<<end>>>') %}\n{% endmacro %}\n",
                       "profiles.yml": "p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: ':memory:'}\n"})
        dbt, tarn = said(DBT, folder, env), said(args.tarn, folder, env)
    failed = int(len(dbt) != len(EXPRESSIONS) + 1)
    for e, a, b in zip(EXPRESSIONS + ["the end"], dbt + [""] * len(EXPRESSIONS), tarn + [""] * len(EXPRESSIONS)):
        if a != b:
            failed += 1
            print(f"FAILED {e}\n  dbt:  {a}\n  tarn: {b}")
    print(f"{len(EXPRESSIONS) + 1 - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
