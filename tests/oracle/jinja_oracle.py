#!/usr/bin/env python3
"""Compares tarn's Jinja with Jinja2, byte for byte, and its block extraction with dbt's.

    tests/oracle/jinja_oracle.py [PART]     run with the Python that tools/oracle-venv prints

JINJA_DRIVER, else $TARN_BUILD/jinja_driver, is the program built from jinja_driver.c. The snippets are in jinja_snippets/:

  *.lines    one template a line; \\n, \\t and \\r in it are those characters. Lines that begin with ## are comments;
             `@context {json}` and `@mode text|native|quoted|expr|blocks` hold from there on.
  *.blocks   templates of several lines, each after a line `=== title`, its context in a line `--- {json}` after that.

Where Jinja2 raises, tarn must fail too. `quoted` is dbt's native rendering; dbt's tags are on there. `blocks` is dbt's
extractor; besides the snippets, all macro files that dbt and its DuckDB adapter ship go through it and are parsed.
PART runs only the snippets whose name contains it; JINJA_ORACLE_ERRORS=1 shows both messages of each error. Prints what differs and `N passed, N failed`.
"""
import datetime
import itertools
import json
import os
import re
import subprocess
import sys

import jinja2
import jinja2.nativetypes
import jinja2.sandbox

HERE = os.path.dirname(os.path.abspath(__file__))
EXTENSIONS = ["jinja2.ext.do", "jinja2.ext.loopcontrols"]


class Native(jinja2.sandbox.SandboxedEnvironment):
    code_generator_class = jinja2.nativetypes.NativeCodeGenerator
    concat = staticmethod(jinja2.nativetypes.native_concat)


class NativeTemplate(jinja2.nativetypes.NativeTemplate):
    environment_class = Native


Native.template_class = NativeTemplate


class Return(Exception):
    pass


def snippets(part):
    folder = os.path.join(HERE, "jinja_snippets")
    for name in sorted(n for n in os.listdir(folder) if n.endswith((".lines", ".blocks"))):
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as f:
            text = f.read()
        read = lines_of if name.endswith(".lines") else blocks_of
        for at, template, context, mode in read(text):
            title = f"{name}:{at}"
            if part in title:
                yield {"name": title, "template": template, "context": context, "mode": mode}


def lines_of(text):
    context, mode = {}, "text"
    for i, line in enumerate(text.split("\n"), 1):
        if line.startswith("@context "):
            context = json.loads(line[9:])
        elif line.startswith("@mode "):
            mode = line[6:].strip()
        elif line and not line.startswith("##"):
            line = re.sub(r"\\([ntr])", lambda m: {"n": "\n", "t": "\t", "r": "\r"}[m.group(1)], line)
            yield i, line, context, mode


def blocks_of(text):
    for block in re.split(r"^=== ", text, flags=re.M)[1:]:
        title, _, body = block.partition("\n")
        context = {}
        if body.startswith("--- "):
            first, _, body = body.partition("\n")
            context = json.loads(first[4:])
        yield title.strip(), body, context, "text"


def environments():
    text = jinja2.sandbox.SandboxedEnvironment(extensions=EXTENSIONS)
    native = Native(extensions=EXTENSIONS)
    from dbt_common.clients.jinja import get_environment

    return {"text": text, "expr": text, "native": native, "quoted": get_environment(native=True), "blocks": None}


def context_of(job):
    import pytz

    modules = {"datetime": datetime, "pytz": pytz, "re": re, "itertools": itertools}
    return {**json.loads(json.dumps(job["context"])), "modules": modules}


def expected(envs, job):
    """("out", text) or ("error", text)."""
    env, context = envs[job["mode"]], context_of(job)
    try:
        if job["mode"] == "expr":
            got = env.compile_expression(job["template"], undefined_to_none=False)(**context)
        elif job["mode"] == "quoted":
            got = env.from_string(job["template"]).render(context)
        elif job["mode"] == "blocks":
            return "out", dbt_blocks(job["template"])
        else:
            got = env.from_string(job["template"]).render(**context)
    except Exception as e:  # noqa: BLE001 any failure of the template
        return "error", f"{type(e).__name__}: {e}"
    return "out", got if job["mode"] == "text" else repr(got)


def dbt_blocks(text):
    """What dbt finds in a macro file: [[name, whole text, contents, [macro, arguments...]], ...]."""
    from dbt_common.clients.jinja import extract_toplevel_blocks, parse

    found = []
    kinds = {"macro", "materialization", "test", "data_test"}
    for block in extract_toplevel_blocks(text, allowed_blocks=kinds, collect_raw_data=False):
        ast = parse(block.full_block)
        macros = list(ast.find_all(jinja2.nodes.Macro))
        sig = [macros[0].name.replace("dbt_macro__", "")] + [a.name for a in macros[0].args]
        name = sig[0] if block.block_type_name in ("test", "materialization") else block.block_name or ""
        found.append([name, block.full_block, block.contents, sig])
    return found


def macro_files():
    import dbt

    for root in dbt.__path__:
        for folder, _, names in os.walk(os.path.join(root, "include")):
            for name in names:
                if name.endswith(".sql"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as f:
                        yield {"name": os.path.relpath(path, root), "template": f.read(), "context": {}, "mode": "blocks"}


def run_driver(driver, jobs):
    text = "".join(json.dumps({k: j[k] for k in ("template", "context", "mode")} | {"dbt": j["mode"] == "quoted"}) + "\n" for j in jobs)
    got = subprocess.run([driver], input=text.encode(), stdout=subprocess.PIPE, timeout=300)
    lines = got.stdout.decode("utf-8", "replace").split("\n")[:-1]
    if got.returncode != 0 or len(lines) != len(jobs):
        where = jobs[len(lines)]["name"] if len(lines) < len(jobs) else "the end"
        print(f"the driver ended with {got.returncode} at {where}")
    return [json.loads(line) for line in lines]


def compare_snippets(driver, part):
    jobs, envs = list(snippets(part)), environments()
    jobs += [job for job in macro_files() if part in job["name"]]
    results = run_driver(driver, jobs)
    passed, failed = 0, len(jobs) - len(results)
    for job, got in zip(jobs, results):
        kind, want = expected(envs, job)
        if job["mode"] == "blocks" and "out" in got:
            got["out"] = json.loads(got["out"])
        if kind == "out" and "out" in got and got["out"] == want:
            passed += 1
        elif kind == "error" and "error" in got:
            passed += 1
            if os.environ.get("JINJA_ORACLE_ERRORS"):
                print(f"{job['name']}\n  jinja2: {want}\n  tarn:   {got['error'].splitlines()[0]}")
        else:
            failed += 1
            print(f"{job['name']} ({job['mode']})\n  template: {job['template']!r}\n  jinja2:   {kind} {want!r}")
            print("  tarn:     " + (f"out {got['out']!r}" if "out" in got else f"error {got['error']!r}"))
    return passed, failed


def main():
    driver = os.environ.get("JINJA_DRIVER") or os.path.join(os.environ.get("TARN_BUILD", ""), "jinja_driver")
    if not os.path.exists(driver):
        sys.exit(f"no driver at '{driver}'\n{__doc__}")
    passed, failed = compare_snippets(driver, sys.argv[1] if len(sys.argv) > 1 else "")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
